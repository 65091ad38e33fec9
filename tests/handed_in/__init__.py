"""What students handed in for each lab, and the points that it deserves: one file a lab, read by test_lab_scores.py."""

from __future__ import annotations

from dataclasses import dataclass, field

KINDS = ("right", "right in another way", "half", "wrong by a misconception")


@dataclass(frozen=True)
class Submission:
    """One submission: answers by exercise, the points that each earns, and the misconceptions that are named.

    What is not in `answers` is left as it was released; what is not in `points` earns nothing.
    """

    kind: str
    answers: dict[str, str]
    points: dict[str, float]
    misconceptions: dict[str, str] = field(default_factory=dict)
