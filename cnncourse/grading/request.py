"""What an instructor asks for when a class is graded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """What to grade and how.

    Attributes
    ----------
    lab : the assignment's name
    limits : settings that differ from those in ``nbgrader_config.py``, such as ``{"sandbox": False}``
    workers : processes on this computer; 0 for one on each core
    scheduler : address of a Dask scheduler, whose workers are used instead; empty for none
    students : whose submissions: a name, or a pattern such as ``"a*"``
    new_round : whether to begin a new grading round, with new seeds
    exercise : judge this one alone again; empty for all
    dry_run : only say what would be graded
    """

    lab: str
    limits: Mapping[str, Any] = field(default_factory=dict)
    workers: int = 0
    scheduler: str = ""
    students: str = "*"
    new_round: bool = False
    exercise: str = ""
    dry_run: bool = False
