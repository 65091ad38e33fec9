"""An exercise is one object: the answer, the cases, the known wrong answers, the prompt, the points."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cnncourse.running.answer import invoke
from cnncourse.running.plain import Plain, copy, plain
from cnncourse.running.ways import WAYS

if TYPE_CHECKING:
    from cnncourse.checking.compare import Problem

PACKAGE = "cnncourse.exercises"
OWN = ("layers", "shapes", "boxes", "anchors", "matching", "metrics", "detectors", "exercises")
OWN_ANSWERS = tuple(f"cnncourse.{part}.*" for part in OWN)


@dataclass(frozen=True)
class Case:
    """One set of arguments to try.

    `why` names the situation, as a student reads it ("padding 1 on a wide image"). Cases of one `group` hold
    or fail together and earn one share of the points. `part` picks one key or index of what comes back. The
    arguments stand in the order of the function's signature, none left out before the last, so that they can
    be given by position too. `held` is what only the judge sees, such as the labels behind a prediction.
    """

    why: str
    arguments: dict[str, Plain]
    group: str = ""
    part: str | int | None = None
    held: dict[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True)
class Misconception:
    """A wrong answer that learners give, and what to tell those whose answer behaves the same."""

    name: str
    hint: str
    answer: Callable[..., Any]


@dataclass
class Exercise:
    """A function for a student to write, with all that is needed to ask for it, check it and explain it.

    Parameters
    ----------
    solution : the function whose source is the answer, and whose first line and docstring are the stub
    cases : makes the cases from a random generator, the simplest first
    points : for all groups of cases together
    prompt : Markdown: why it is needed, the contract, an example worked by hand
    hints : two or three, from gentle to explicit
    remark : one sentence worth knowing, for those whose answer is right
    reference : a function of the library that gives the same results; `solution` where there is none
    forbids : full dotted names of library functions that would be the whole answer; "module.*" for all of one
    axes : names of the axes of the array that comes back
    misconceptions : the known wrong answers; add one with the decorator `misconception`
    seconds : how long one call may take
    way : how arguments become calls, a key of `cnncourse.running.ways.WAYS`
    companions : further functions that belong to the answer, such as ``predict`` beside ``train``
    accept : where there is not one right answer: says what is wrong with what came back for a case, or None
    draws : how many seeds an answer is tried with when a class is graded
    """

    solution: Callable[..., Any]
    cases: Callable[[np.random.Generator], Iterable[Case]]
    points: int
    prompt: str
    hints: tuple[str, ...]
    remark: str
    reference: Callable[..., Any] | None = None
    forbids: tuple[str, ...] = ()
    axes: tuple[str, ...] = ()
    misconceptions: list[Misconception] = field(default_factory=list)
    seconds: float = 5.0  # a first `import torch` inside the answer takes a while
    way: str = "function"
    companions: tuple[Callable[..., Any], ...] = ()
    accept: Callable[[Case, Plain], Problem | None] | None = None
    draws: int = 3

    @property
    def name(self) -> str:
        """The name of the function, such as ``conv2d``."""
        return self.solution.__name__

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all functions of the answer."""
        return (self.name, *(companion.__name__ for companion in self.companions))

    @property
    def id(self) -> str:
        """Chapter and name, such as ``ch02_conv2d.conv2d``."""
        return self.solution.__module__.removeprefix(PACKAGE + ".")

    @property
    def forbidden(self) -> tuple[str, ...]:
        """All that an answer may not use: `forbids`, and this package's own answers."""
        return (*self.forbids, *OWN_ANSWERS)

    def expected(self, case: Case) -> Plain:
        """Return the right answer to a case, all parts of it."""
        answers = (self.reference or self.solution, *self.companions)
        return plain(WAYS[self.way](invoke, answers, copy(case.arguments)))

    def misconception(self, hint: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register the decorated function as a known wrong answer, with what to say to those who gave it."""

        def register(answer: Callable[..., Any]) -> Callable[..., Any]:
            self.misconceptions.append(
                Misconception(answer.__name__.strip("_"), " ".join(hint.split()), answer)
            )
            return answer

        return register


def part_of(value: Plain, part: str | int | None) -> Plain:
    """Return one key or index of what came back, or all of it where that is not possible."""
    if isinstance(part, str) and isinstance(value, dict) and part in value:
        return {part: value[part]}
    if isinstance(part, int) and isinstance(value, tuple | list) and part < len(value):
        return value[part]
    return value


def load(exercise_id: str) -> Exercise:
    """Return an exercise by its id.

    Raises
    ------
    ValueError
        If there is none; the message names the exercises of that chapter.
    """
    try:
        found = importlib.import_module(f"{PACKAGE}.{exercise_id}").exercise
    except (ModuleNotFoundError, AttributeError) as error:
        chapter = exercise_id.split(".")[0]
        there = chapters()
        known = exercise_ids(chapter) if chapter in there else [f"those of {name}" for name in there]
        raise ValueError(f"no exercise {exercise_id!r}; there are {', '.join(known)}") from error
    assert isinstance(found, Exercise)
    return found


def chapters() -> list[str]:
    """Return the slugs of the chapters that have exercises."""
    root = importlib.import_module(PACKAGE)
    return sorted(m.name for m in pkgutil.iter_modules(root.__path__) if m.name.startswith("ch"))


def exercise_ids(chapter: str | None = None) -> list[str]:
    """Return the ids of all exercises, or of one chapter's, in the order in which they are taught."""
    found = chapters() if chapter is None else [chapter]
    return [
        f"{slug}.{name}" for slug in found for name in importlib.import_module(f"{PACKAGE}.{slug}").EXERCISES
    ]
