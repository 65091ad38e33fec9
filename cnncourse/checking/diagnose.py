"""Find the known wrong answer that a student's answer behaves as."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from cnncourse.checking.candidate import LocalCandidate
from cnncourse.checking.compare import compare
from cnncourse.checking.exercise import Case, Exercise, Misconception, part_of
from cnncourse.running.answer import Outcome

MIN_EVIDENCE = 2  # cases that must tell a misconception from the right answer before its hint is given


def diagnose(
    exercise: Exercise,
    tried: Sequence[tuple[Case, Outcome, bool]],
    is_wrong: Callable[[Case, Outcome], bool],
) -> Misconception | None:
    """Return the misconception that the outcomes show, or None.

    The outcomes must agree with the misconception on every case that was tried, and on at least two of them
    the misconception must differ from the right answer: a wrong hint is worse than none. Where the answer has
    several parts, each graded for itself, only the part of the first wrong case counts.

    Parameters
    ----------
    tried : cases, what the answer did with each, and whether that was wrong
    is_wrong : whether an outcome of a case is wrong
    """
    part = next(case.part for case, _, wrong in tried if wrong)
    seen = [(case, outcome) for case, outcome, _ in tried if case.part == part]
    best, found = MIN_EVIDENCE - 1, None
    for misconception in exercise.misconceptions:
        mistaken = LocalCandidate(misconception.answer, *exercise.companions, way=exercise.way)
        evidence = 0
        for case, outcome in seen:
            theirs = mistaken.call(case.arguments, exercise.seconds)
            if not agree(outcome, theirs, part):
                evidence = 0
                break
            evidence += is_wrong(case, theirs)
        if evidence > best:
            best, found = evidence, misconception
    return found


def agree(a: Outcome, b: Outcome, part: str | int | None) -> bool:
    """Whether two outcomes of a case are the same: value, error, and what was changed in place."""
    if a.failure or b.failure:
        return bool(a.failure and b.failure and _gist(a) == _gist(b))
    if a.value is None or b.value is None:
        return a.value is b.value
    return a.changed == b.changed and compare(part_of(a.value, part), part_of(b.value, part)) is None


def _gist(outcome: Outcome) -> tuple[str, str]:
    """Return the kind of a failure and its message without the numbers in it."""
    assert outcome.failure is not None
    return outcome.failure.kind, re.sub(r"\([\d, ]*\)|\d+", "#", outcome.failure.message)
