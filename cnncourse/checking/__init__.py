"""Check a student's function: `check("ch02_conv2d.conv2d", conv2d)`."""

from __future__ import annotations

import sys
from typing import Any

from cnncourse.checking.candidate import Candidate, LocalCandidate
from cnncourse.checking.exercise import Case, Exercise, Misconception, chapters, exercise_ids, load
from cnncourse.checking.judge import judge
from cnncourse.checking.report import Report
from cnncourse.running.answer import Outcome
from cnncourse.running.failure import Failure

__all__ = [
    "Candidate",
    "Case",
    "Exercise",
    "Failure",
    "LocalCandidate",
    "Misconception",
    "Outcome",
    "Report",
    "chapters",
    "check",
    "exercise_ids",
    "judge",
    "load",
]


def check(exercise_id: str, *answers: Any) -> float:
    """Check an answer, show the report, and return the points earned.

    Parameters
    ----------
    exercise_id : chapter and name, such as ``"ch02_conv2d.conv2d"``
    answers : the student's function; all of them where several belong together

    Returns
    -------
    float
        Between 0 and the exercise's points; the share of the groups of cases that hold. It is returned, not
        printed, because nbgrader reads a cell's result as its score, and takes a cell without one for fully
        right.

    Raises
    ------
    TypeError
        If the name of the exercise does not come first, or if more or fewer functions come than belong to it.
    ValueError
        If there is no such exercise.
    """
    if not isinstance(exercise_id, str):
        raise TypeError('first the name of the exercise, in quotes: check("ch02_conv2d.conv2d", conv2d)')
    exercise = load(exercise_id)
    if len(answers) != len(exercise.names):
        call = f'check("{exercise.id}", {", ".join(exercise.names)})'
        raise TypeError(f"{len(answers)} functions came, {len(exercise.names)} belong to it: {call}")
    report = judge(exercise, LocalCandidate(*answers, way=exercise.way))
    _show(report)
    return report.points


def _show(report: Report) -> None:
    """Display the card in a notebook, print the text elsewhere; on stderr nbgrader would score it 0."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        from IPython import display

        data = {"text/plain": report.text(), "text/html": report.html()}
        display.publish_display_data(data)  # type: ignore[no-untyped-call]
    else:
        print(report.text())
