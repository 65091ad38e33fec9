"""The course proves itself: every exercise accepts what is right and names what is wrong."""

import inspect
import os
from importlib.util import find_spec

import numpy as np
import pytest

from cnncourse.checking import LocalCandidate, exercise_ids, judge, load
from cnncourse.checking.source import body_lines, stub_source

# With NumPy alone, as in the browser, there are no digits to train on.
IDS = [name for name in exercise_ids() if find_spec("sklearn") or load(name).way != "training"]
MISTAKES = [(i, m) for i in IDS for m in load(i).misconceptions]
SEEDS = range(int(os.environ.get("SEEDS", "1")))  # `make bench` takes more


@pytest.mark.parametrize("exercise_id", IDS)
@pytest.mark.parametrize("seed", SEEDS)
def test_solution_passes_against_the_library(exercise_id, seed):
    exercise = load(exercise_id)
    answers = map(_own, (exercise.solution, *exercise.companions))
    report = judge(exercise, LocalCandidate(*answers, way=exercise.way), seed)
    assert report.passed and report.points == exercise.points and not report.hint, report.text()


class Mutant(LocalCandidate):
    """A known wrong answer is written with the library's functions, which a student may not use."""

    def use_of(self, forbidden):
        return None


def _own(function):
    """The same code as a function that a student could have written."""
    namespace = {**function.__globals__, "__name__": "student"}
    exec(inspect.getsource(function), namespace)
    return namespace[function.__name__]


@pytest.mark.parametrize("exercise_id", IDS)
def test_stub_is_named_as_unwritten(exercise_id):
    exercise = load(exercise_id)
    namespace = {"np": np}
    exec(stub_source(exercise) + "\n    raise NotImplementedError()", namespace)
    report = judge(
        exercise, LocalCandidate(namespace[exercise.name], *map(_own, exercise.companions), way=exercise.way)
    )
    assert report.unwritten and report.points == 0 and not report.hint
    assert "not written yet" in report.text()


@pytest.mark.parametrize(("exercise_id", "mistake"), MISTAKES, ids=lambda v: getattr(v, "name", v))
@pytest.mark.parametrize("seed", SEEDS)
def test_misconception_fails_with_its_own_hint(exercise_id, mistake, seed):
    exercise = load(exercise_id)
    report = judge(exercise, Mutant(mistake.answer, *exercise.companions, way=exercise.way), seed)
    assert not report.passed and report.points < exercise.points
    assert report.hint == mistake.hint, report.text()


@pytest.mark.parametrize("exercise_id", IDS)
def test_exercise_is_complete(exercise_id):
    exercise = load(exercise_id)
    assert exercise.id == exercise_id
    assert (
        exercise.points > 0
        and exercise.remark
        and "**By hand.**" in exercise.prompt
        and "**Contract.**" in exercise.prompt
    )
    assert 2 <= len(exercise.hints) <= 3
    assert len(exercise.misconceptions) >= 3 or exercise.way == "training"
    answer = [line.strip() for line in body_lines(exercise) if len(line.strip()) > 25]
    shown = "\n".join((exercise.prompt, *exercise.hints, *(m.hint for m in exercise.misconceptions)))
    assert not [line for line in answer if line in shown], "a hint gives the line to type"


@pytest.mark.parametrize("exercise_id", IDS)
def test_cases_can_be_given_by_position(exercise_id):
    exercise = load(exercise_id)
    names = list(inspect.signature(exercise.solution).parameters)
    if exercise.way == "training":
        names.append("new_images")  # for `predict`
    for case in exercise.cases(np.random.default_rng(0)):
        assert list(case.arguments) == names[: len(case.arguments)], case.why
        assert case.why and case.group
