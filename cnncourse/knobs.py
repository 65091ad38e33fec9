"""Sliders that call a student's own functions, as soon as those are right."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any

MISSING = "{name} is not defined yet: run the cell with your answer, then this one."
WRONG = "The sliders come when {name} is right: its check says what is missing."
NO_SLIDERS = (
    "There are no sliders here: python -m pip install ipywidgets, then restart the kernel. "
    "Or change the values by hand: {call}"
)


def knobs(draw: Callable[..., object], *exercise_ids: str, **controls: Any) -> None:
    """Show a slider or a menu for each parameter of `draw`, and call it again whenever one is moved.

    Before an answer is right, or without ipywidgets, a plain line says what is missing; it never raises.

    Parameters
    ----------
    draw : callable
        Draws with the student's functions; every parameter has a default.
    exercise_ids : such as ``"ch02_conv2d.conv2d"``
        What has to be right. The functions are looked up where `draw` was defined.
    controls : as of ``ipywidgets.interact``
        ``stride=(1, 4)`` is a slider, ``kernel=["blur", "sobel"]`` a menu.
    """
    problem = _problem(draw, exercise_ids)
    if problem is not None:
        print(problem, end="")
        return
    try:
        interact = importlib.import_module("ipywidgets").interact
    except ImportError:
        _safely(draw)()
        print(NO_SLIDERS.format(call=_call(draw)))
        return
    interact(_safely(draw), **controls)


def _problem(draw: Callable[..., object], exercise_ids: tuple[str, ...]) -> str | None:
    """Return a line about the first answer that is missing or not right; None if all are right."""
    try:
        from cnncourse.checking import LocalCandidate, judge, load
    except ImportError:  # where a class is graded, answers are checked elsewhere and nobody turns a knob
        return ""
    for exercise in map(load, exercise_ids):
        answer = inspect.unwrap(draw).__globals__.get(exercise.name)
        if answer is None:
            return MISSING.format(name=exercise.name) + "\n"
        if not judge(exercise, LocalCandidate(answer, way=exercise.way)).passed:
            return WRONG.format(name=exercise.name) + "\n"
    return None


def _safely(draw: Callable[..., object]) -> Callable[..., None]:
    @functools.wraps(draw)
    def safe(*arguments: Any, **settings: Any) -> None:
        try:
            draw(*arguments, **settings)
        except Exception as error:
            print(f"{type(error).__name__}: {error}")

    return safe


def _call(draw: Callable[..., object]) -> str:
    given = inspect.signature(draw).parameters.values()
    return f"{draw.__name__}({', '.join(f'{each.name}={each.default!r}' for each in given)})"
