"""Try an answer on every case, climb the ladder with each outcome, and decide the points."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np

from cnncourse.checking.candidate import Candidate
from cnncourse.checking.compare import Problem, Rung, compare, describe
from cnncourse.checking.diagnose import agree, diagnose
from cnncourse.checking.exercise import Case, Exercise, part_of
from cnncourse.checking.explain import explain
from cnncourse.checking.forbidden import Use
from cnncourse.checking.report import CaseResult, Report
from cnncourse.running.answer import Outcome
from cnncourse.running.failure import Failure
from cnncourse.running.plain import Plain

STOP = {Rung.NOT_A_FUNCTION, Rung.UNWRITTEN, Rung.TOO_SLOW}  # no use in trying more cases


def judge(exercise: Exercise, candidate: Candidate, *seeds: int) -> Report:
    """Return the report on an answer, tried on the cases that each seed gives (seed 0 if none is named).

    The simplest case of every seed comes first, then the next of every seed: an answer that is too slow for
    the larger ones has been tried on all the smaller ones by then, and keeps their points.
    """
    drawn = [exercise.cases(np.random.default_rng(seed)) for seed in seeds or (0,)]
    cases = [case for alike in zip_longest(*drawn) for case in alike if case is not None]
    with np.errstate(all="ignore"):
        if use := candidate.use_of(exercise.forbidden):
            return Report.of(exercise, [CaseResult(case, _forbidden(use)) for case in cases])
        trial = Trial(exercise, candidate)
        results: list[CaseResult] = []
        for case in cases:
            results.append(CaseResult(case, trial.problem(case, trial.outcome(case))))
            if (problem := results[-1].problem) and problem.rung in STOP:
                break
        outcomes = [trial.outcome(result.case) for result in results]
        notes, found = _notes(outcomes), None
        if any(result.problem for result in results):
            tried = [(r.case, o, r.problem is not None) for r, o in zip(results, outcomes, strict=True)]
            if exercise.way != "training":
                found = diagnose(exercise, tried, lambda case, o: trial.problem(case, o) is not None)
            if len(results) == len(cases) and exercise.way != "training":
                notes += _remembers(exercise, candidate, cases[0], outcomes[0])
        results += [CaseResult(case, None, tried=False) for case in cases[len(results) :]]
        return Report.of(exercise, results, found, notes)


class Trial:
    """One answer on trial. Cases that share their arguments share one call and one right answer."""

    def __init__(self, exercise: Exercise, candidate: Candidate) -> None:
        self.exercise, self.candidate = exercise, candidate
        self._outcomes: dict[int, Outcome] = {}
        self._wanted: dict[int, Plain] = {}

    def outcome(self, case: Case) -> Outcome:
        """Return what the answer does with a case."""
        key = id(case.arguments)  # the cases live as long as the trial
        if key not in self._outcomes:
            self._outcomes[key] = self.candidate.call(case.arguments, self.exercise.seconds)
        return self._outcomes[key]

    def problem(self, case: Case, outcome: Outcome) -> Problem | None:
        """Climb the ladder with one outcome of a case."""
        if outcome.failure:
            return _failed(outcome.failure, self.exercise.names)
        if outcome.value is None:
            return Problem(Rung.RETURNED_NONE, "it returned None: the last line must `return` the result")
        if self.exercise.accept:
            problem = self.exercise.accept(case, outcome.value)
        else:
            want = self._want(case)
            got = outcome.value
            several = isinstance(got, dict) if isinstance(want, dict) else isinstance(got, tuple | list)
            if case.part is not None and several:  # else it is told all that was asked for
                want, got = part_of(want, case.part), part_of(got, case.part)
            elif case.part is not None and isinstance(want, tuple):
                text = f"output is {describe(got)}; expected {len(want)} results, with commas between them"
                return Problem(Rung.TYPE, text)
            problem = compare(got, want, self.exercise.axes)
        if outcome.changed and (problem is None or problem.rung > Rung.CHANGED_INPUT):
            names = " and ".join(f"`{name}`" for name in outcome.changed)
            return Problem(
                Rung.CHANGED_INPUT,
                f"it changes its input {names} in place, and whoever called it is left with other numbers: "
                "work on a new array or a copy",
            )
        return problem

    def _want(self, case: Case) -> Plain:
        key = id(case.arguments)
        if key not in self._wanted:
            self._wanted[key] = self.exercise.expected(case)
        return self._wanted[key]


def _forbidden(use: Use) -> Problem:
    line = f" (line {use.line}: `{use.code}`)" if use.line else ""
    text = f"the answer uses {use.name}{line}, which would be the whole of this exercise or a part of it"
    return Problem(Rung.FORBIDDEN, f"{text}; write it without", line=use.line or None, code=use.code)


def _failed(failure: Failure, names: Sequence[str]) -> Problem:
    line = f"\nyour line {failure.line}: `{failure.code}`" if failure.line else ""
    own = (failure.line, failure.code)
    match failure.kind:
        case "undefined":
            text = f"{failure.message}: was its cell deleted, renamed, or stopped by an error?"
            return Problem(Rung.NOT_A_FUNCTION, text)
        case "not a function":
            text = f"{failure.message}, not a function: give the function itself, without brackets"
            return Problem(Rung.NOT_A_FUNCTION, f"{text}, or run its cell again")
        case "died":
            return Problem(Rung.RAISED, f"{failure.message}, so that nothing came back")
        case "unwritten":
            text = "put your code in the cell above, run it, then run this one"
            if len(names) > 1:
                text += f"; all of it is needed: {' and '.join(f'`{name}`' for name in names)}"
            return Problem(Rung.UNWRITTEN, text)
        case "too slow":
            text = f"{failure.message}: a loop that does not end, or far more steps than needed?{line}"
            return Problem(Rung.TOO_SLOW, text, line=own[0], code=own[1])
        case "not plain":
            text = f"it returned {failure.message}; return numbers, NumPy arrays, or lists of them"
            return Problem(Rung.TYPE, text)
    meaning = explain(failure.message, entered=failure.line is not None)
    error = failure.message.split(":")[0]
    text = f"it raised {failure.message}{line}"
    return Problem(Rung.RAISED, text, meaning=meaning, error=error, line=own[0], code=own[1])


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
