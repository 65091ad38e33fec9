"""Try an answer on every case, decide the points, and find the misconception that it behaves as."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cnncourse.checking.candidate import Candidate, Failure, LocalCandidate, Outcome
from cnncourse.checking.compare import Problem, Rung, compare
from cnncourse.checking.exercise import Case, Exercise, part_of
from cnncourse.checking.explain import explain
from cnncourse.checking.report import CaseResult, Report

MIN_EVIDENCE = 2  # cases that must tell a misconception from the right answer before its hint is given
STOP = {Rung.NOT_A_FUNCTION, Rung.UNWRITTEN, Rung.TOO_SLOW}  # no use in trying more cases


def judge(exercise: Exercise, candidate: Candidate, seed: int = 0) -> Report:
    """Return the report on an answer."""
    cases = list(exercise.cases(np.random.default_rng(seed)))
    use = candidate.use_of(exercise.forbidden)
    results: list[CaseResult] = []
    outcomes: list[Outcome] = []
    for case in cases:
        outcome = candidate.call(case.arguments, exercise.seconds)
        problem = _problem(exercise, case, outcome)
        outcomes.append(outcome)
        results.append(CaseResult(case, problem))
        if problem and problem.rung in STOP:
            break
    hint = ""
    if use:
        line = f" (line {use.line}: `{use.code}`)" if use.line else ""
        text = (
            f"the answer uses {use.name}{line}, which would be the whole of this exercise; write it without"
        )
        results = [
            CaseResult(r.case, min(r.problem or _forbidden(text), _forbidden(text), key=_rung))
            for r in results
        ]
    elif any(result.problem for result in results):
        hint = diagnose(exercise, cases, outcomes)
    untried = tuple(CaseResult(case, None, tried=False) for case in cases[len(results) :])
    return Report.of(exercise, (*results, *untried), hint, _notes(outcomes))


def _forbidden(text: str) -> Problem:
    return Problem(Rung.FORBIDDEN, text)


def _rung(problem: Problem) -> int:
    return problem.rung


def _problem(exercise: Exercise, case: Case, outcome: Outcome) -> Problem | None:
    """Climb the ladder with one outcome."""
    if outcome.failure:
        return _failed(outcome.failure)
    if outcome.value is None:
        return Problem(Rung.RETURNED_NONE, "it returned None: the last line must `return` the result")
    want = exercise.expected(case)
    problem = compare(part_of(outcome.value, case.part), want, exercise.axes)
    if outcome.changed and (problem is None or problem.rung > Rung.CHANGED_INPUT):
        names = " and ".join(f"`{name}`" for name in outcome.changed)
        return Problem(
            Rung.CHANGED_INPUT,
            f"it changes its input {names} in place, and whoever called it is left with other numbers: "
            "work on a new array or a copy",
        )
    return problem


def _failed(failure: Failure) -> Problem:
    line = f"\nyour line {failure.line}: `{failure.code}`" if failure.line else ""
    meaning = explain(failure.message)
    match failure.kind:
        case "not a function":
            return Problem(
                Rung.NOT_A_FUNCTION, f"{failure.message}, not a function: was the name used again?"
            )
        case "unwritten":
            return Problem(Rung.UNWRITTEN, "put your code in the cell above, run it, then run this one")
        case "too slow":
            return Problem(Rung.TOO_SLOW, f"{failure.message}: a loop that does not end?{line}")
        case "not plain":
            return Problem(
                Rung.TYPE, f"it returned {failure.message}; return numbers, NumPy arrays, or lists of them"
            )
    return Problem(Rung.RAISED, f"it raised {failure.message}{line}" + (f"\n{meaning}" if meaning else ""))


def _notes(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    notes = []
    if printed := next((o.printed for o in outcomes if o.printed.strip()), ""):
        first = printed.strip().splitlines()[0]
        notes.append(f"It printed while it was checked ({first[:60]!r}): remove the print when you are done.")
    if warned := next((o.warned for o in outcomes if o.warned), ""):
        notes.append(f"It caused a warning: {' '.join(warned.split())[:160]}")
    return tuple(notes)


def diagnose(exercise: Exercise, cases: Sequence[Case], outcomes: Sequence[Outcome]) -> str:
    """Return the hint of the misconception that the outcomes show, or an empty string.

    The outcomes must agree with the misconception on every case that was tried, and on at least two of them
    the misconception must differ from the right answer. Where the answer has several parts, each graded for
    itself, only the part of the first wrong case counts.
    """
    part = next(c.part for c, o in zip(cases, outcomes, strict=False) if _problem(exercise, c, o))
    tried = [(c, o) for c, o in zip(cases, outcomes, strict=False) if c.part == part]
    best, hint = MIN_EVIDENCE - 1, ""
    for misconception in exercise.misconceptions:
        evidence = _evidence(exercise, misconception.answer, tried)
        if evidence > best:
            best, hint = evidence, misconception.hint
    return hint


def _evidence(exercise: Exercise, wrong: Callable[..., Any], tried: Sequence[tuple[Case, Outcome]]) -> int:
    """Count the cases that tell `wrong` from right; 0 if the outcomes contradict it anywhere."""
    evidence, mistaken = 0, LocalCandidate(wrong)
    for case, outcome in tried:
        theirs = mistaken.call(case.arguments, exercise.seconds)
        if not _agree(outcome, theirs, case):
            return 0
        evidence += _problem(exercise, case, theirs) is not None
    return evidence


def _agree(a: Outcome, b: Outcome, case: Case) -> bool:
    if a.failure or b.failure:
        kinds = [(f.kind, f.message.split(":")[0]) if f else None for f in (a.failure, b.failure)]
        return kinds[0] == kinds[1]
    if a.value is None or b.value is None:
        return a.value is b.value
    return (
        a.changed == b.changed and compare(part_of(a.value, case.part), part_of(b.value, case.part)) is None
    )
