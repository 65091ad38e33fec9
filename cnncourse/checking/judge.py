"""Try an answer on every case, climb the ladder with each outcome, and decide the points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnncourse.checking.candidate import Candidate, Outcome
from cnncourse.checking.compare import Problem, Rung, compare
from cnncourse.checking.diagnose import agree, diagnose
from cnncourse.checking.exercise import Case, Exercise, part_of
from cnncourse.checking.explain import explain
from cnncourse.checking.failure import Failure
from cnncourse.checking.forbidden import Use
from cnncourse.checking.report import CaseResult, Report

STOP = {Rung.NOT_A_FUNCTION, Rung.UNWRITTEN, Rung.TOO_SLOW}  # no use in trying more cases


def judge(exercise: Exercise, candidate: Candidate, seed: int = 0) -> Report:
    """Return the report on an answer."""
    cases = list(exercise.cases(np.random.default_rng(seed)))
    with np.errstate(all="ignore"):
        if use := candidate.use_of(exercise.forbidden):
            return Report.of(exercise, [CaseResult(case, _forbidden(use)) for case in cases])
        results: list[CaseResult] = []
        outcomes: list[Outcome] = []
        for case in cases:
            outcomes.append(candidate.call(case.arguments, exercise.seconds))
            results.append(CaseResult(case, _problem(exercise, case, outcomes[-1])))
            if (problem := results[-1].problem) and problem.rung in STOP:
                break
        notes = _notes(outcomes)
        hint = ""
        if any(result.problem for result in results):
            tried = [(r.case, o, r.problem is not None) for r, o in zip(results, outcomes, strict=True)]
            hint = diagnose(
                exercise, tried, lambda case, outcome: _problem(exercise, case, outcome) is not None
            )
            if len(results) == len(cases):
                notes += _remembers(exercise, candidate, cases[0], outcomes[0])
        results += [CaseResult(case, None, tried=False) for case in cases[len(results) :]]
        return Report.of(exercise, results, hint, notes)


def _forbidden(use: Use) -> Problem:
    line = f" (line {use.line}: `{use.code}`)" if use.line else ""
    text = f"the answer uses {use.name}{line}, which would be the whole of this exercise; write it without"
    return Problem(Rung.FORBIDDEN, text)


def _problem(exercise: Exercise, case: Case, outcome: Outcome) -> Problem | None:
    """Climb the ladder with one outcome."""
    if outcome.failure:
        return _failed(outcome.failure)
    if outcome.value is None:
        return Problem(Rung.RETURNED_NONE, "it returned None: the last line must `return` the result")
    want = exercise.expected(case)
    if not isinstance(want, dict) or isinstance(outcome.value, dict):  # else the message names all its keys
        want = part_of(want, case.part)
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
    match failure.kind:
        case "not a function":
            text = f"{failure.message}, not a function: give the function itself, without brackets"
            return Problem(Rung.NOT_A_FUNCTION, f"{text}, or run its cell again")
        case "unwritten":
            return Problem(Rung.UNWRITTEN, "put your code in the cell above, run it, then run this one")
        case "too slow":
            return Problem(Rung.TOO_SLOW, f"{failure.message}: a loop that does not end?{line}")
        case "not plain":
            text = f"it returned {failure.message}; return numbers, NumPy arrays, or lists of them"
            return Problem(Rung.TYPE, text)
    meaning = explain(failure.message, entered=failure.line is not None)
    return Problem(Rung.RAISED, f"it raised {failure.message}{line}", meaning=meaning)


def _notes(outcomes: Sequence[Outcome]) -> list[str]:
    notes = []
    if printed := next((o.printed for o in outcomes if o.printed.strip()), ""):
        first = printed.strip().splitlines()[0]
        notes.append(f"It printed while it was checked ({first[:60]!r}): remove the print when you are done.")
    if warned := next((o.warned for o in outcomes if o.warned), ""):
        notes.append(f"It caused a warning: {' '.join(warned.split())[:160]}")
    return notes


def _remembers(exercise: Exercise, candidate: Candidate, case: Case, first: Outcome) -> list[str]:
    """Call once more as the first time, and say so if it ends differently."""
    if agree(first, candidate.call(case.arguments, exercise.seconds), case.part):
        return []
    return ["The same call ends differently the second time: something is kept from call to call."]
