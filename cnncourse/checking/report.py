"""What a check found: as data, as text, and (in card.py) as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cnncourse.checking.compare import Problem, Rung, describe
from cnncourse.checking.exercise import Case
from cnncourse.running.plain import Plain

if TYPE_CHECKING:
    from cnncourse.checking.exercise import Exercise, Misconception

MAX_NAMED = 3  # situations named in one line


@dataclass(frozen=True)
class CaseResult:
    """One case, and what was wrong with the answer there."""

    case: Case
    problem: Problem | None
    tried: bool = True

    @property
    def right(self) -> bool:
        """Whether the answer was tried on this case and was right."""
        return self.tried and self.problem is None


@dataclass(frozen=True)
class Report:
    """The verdict on an answer."""

    id: str
    name: str
    points: float
    max_points: float
    results: tuple[CaseResult, ...]
    hint: str
    notes: tuple[str, ...]
    remark: str
    misconception: str = ""

    @classmethod
    def of(
        cls,
        exercise: Exercise,
        results: Sequence[CaseResult],
        found: Misconception | None = None,
        notes: Sequence[str] = (),
    ) -> Report:
        """Count the points: the share of the groups of cases that hold."""
        groups: dict[str, bool] = {}
        for result in results:
            groups[result.case.group] = groups.get(result.case.group, True) and result.right
        points = round(exercise.points * sum(groups.values()) / len(groups), 2)
        return cls(
            id=exercise.id,
            name=exercise.name,
            points=float(points),
            max_points=exercise.points,
            results=tuple(results),
            hint=found.hint if found else "",
            notes=tuple(notes),
            remark=exercise.remark,
            misconception=found.name if found else "",
        )

    @property
    def passed(self) -> bool:
        """Whether every case is right."""
        return all(result.right for result in self.results)

    @property
    def worst(self) -> CaseResult | None:
        """The case that speaks: the first on the lowest rung of the ladder."""
        failing = [result for result in self.results if result.problem]
        return min(failing, key=lambda result: result.problem.rung if result.problem else 0, default=None)

    @property
    def unwritten(self) -> bool:
        """Whether there is no answer yet."""
        return bool(self.worst and self.worst.problem and self.worst.problem.rung is Rung.UNWRITTEN)

    @property
    def about_cases(self) -> bool:
        """Whether what is wrong shows in particular cases, rather than in the answer as a whole."""
        whole = (Rung.NOT_A_FUNCTION, Rung.UNWRITTEN, Rung.FORBIDDEN)
        return bool(self.worst and self.worst.problem and self.worst.problem.rung not in whole)

    def headline(self) -> str:
        """How much is right, in one line."""
        right, of = sum(result.right for result in self.results), len(self.results)
        points = f"{self.points:g} of {self.max_points} point{'s' * (self.max_points != 1)}"
        if self.passed:
            return f"all {of} cases right, {points}. {self.remark}"
        if self.unwritten:
            return f"not written yet, {points}"
        if self.worst and self.worst.problem and self.worst.problem.rung is Rung.FORBIDDEN:
            return f"not counted, {points}"
        return f"{right} of {of} cases right, {points}"

    def explanation(self) -> list[str]:
        """What is wrong, line by line; where there is a hint, it says what the error means."""
        if not (self.worst and self.worst.problem):
            return []
        meaning = self.worst.problem.meaning if not self.hint else ""
        return [*self.worst.problem.text.splitlines(), *([meaning] if meaning else [])]

    def missing(self) -> str:
        """The situations in which the answer is not yet right."""
        whys = [result.case.why for result in self.results if result.problem]
        more = len(whys) - MAX_NAMED
        return "; ".join(whys[:MAX_NAMED]) + (f"; and {more} more" if more > 0 else "")

    def call(self) -> str:
        """The call that the problem was seen on."""
        return call_text(self.name, self.worst.case.arguments) if self.worst else ""

    def text(self) -> str:
        """Return the report as plain text."""
        lines = [f"{self.name}: {self.headline()}"]
        if self.about_cases:
            lines += [f"  not yet right: {self.missing()}", f"  {self.call()}"]
        lines += [f"    {line}" for line in self.explanation()]
        if self.hint:
            lines.append(f"  Hint: {self.hint}")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def __str__(self) -> str:
        return self.text()

    def html(self) -> str:
        """Return the report as a small HTML card."""
        from cnncourse.checking.card import card

        return card(self)


def call_text(name: str, arguments: dict[str, Plain]) -> str:
    """Write a call so that a student recognises it: shapes for arrays, values for the rest."""
    return f"{name}({', '.join(f'{key}={_short(value)}' for key, value in arguments.items())})"


def _short(value: Plain) -> str:
    if isinstance(value, np.ndarray):
        kind = "" if value.dtype == np.float64 else f" {value.dtype}"
        return f"<{'x'.join(map(str, value.shape))}{kind}>"
    return repr(value) if not isinstance(value, list) else describe(value)
