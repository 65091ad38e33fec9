"""What was decided about the answer to one exercise, and what the instructor should look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Status = Literal["right", "partly right", "wrong", "not written", "not counted", "too slow", "no verdict"]


@dataclass(frozen=True)
class Verdict:
    """The verdict on one check cell, formed outside the process that runs the student's code.

    Attributes
    ----------
    grade_id, exercise : nbgrader's id of the check cell, and the exercise's
    points, max_points : `points` is finite and between 0 and `max_points`
    status : in one word or two
    reason : one plain line
    misconception, hint : of the known wrong answer that the answer behaves as; empty if none
    error : class of the error that the answer raised; empty if none
    groups : for each group of situations, whether the answer is right in all of them
    seconds : how long the student's function ran in all
    text, html : what is handed back; neither holds a seed, an input or an expected value
    """

    grade_id: str
    exercise: str
    points: float
    max_points: float
    status: Status
    reason: str
    misconception: str = ""
    hint: str = ""
    error: str = ""
    groups: dict[str, bool] = field(default_factory=dict)
    seconds: float = 0.0
    text: str = ""
    html: str = ""


@dataclass(frozen=True)
class Flag:
    """Something that the instructor should look at; the student is not shown it.

    Attributes
    ----------
    kind : such as ``"library call"``, ``"evasion"``, ``"restart"``, ``"limit"``, ``"unreadable"``
    text : one plain line
    cell, line, code : where, if it is a line of the notebook
    """

    kind: str
    text: str
    cell: str = ""
    line: int = 0
    code: str = ""
