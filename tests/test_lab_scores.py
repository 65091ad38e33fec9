"""Four submissions a lab, graded as a class is: right, right in another way, half, wrong by a misconception."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("nbgrader")

from handed_in import KINDS, Submission

from cnncourse.checking import load
from cnncourse.grading.sandbox import trouble
from cnncourse.grading.settings import Settings
from cnncourse.grading.work import Job, Result, close_sandboxes, grade_submission

ROOT = Path(__file__).resolve().parent.parent
LABS = sorted(path.stem for path in ROOT.glob("notebooks/*/*.ipynb"))
KINDS_OF = [(lab, kind) for lab in LABS for kind in KINDS]

pytestmark = pytest.mark.nbgrader


def submissions(lab: str) -> dict[str, Submission]:
    """Return what was handed in for a lab, by kind."""
    return {found.kind: found for found in importlib.import_module(f"handed_in.{lab}").SUBMISSIONS}


@pytest.fixture(scope="module", autouse=True)
def sandboxes_closed() -> Iterator[None]:
    yield
    close_sandboxes()


def grade(lab: str, answers: dict[str, str], folder: Path) -> Result:
    """Hand the released lab in with these answers, and grade it on three seeds an exercise."""
    released = ROOT / "notebooks" / lab / f"{lab}.ipynb"
    notebook = nbformat.read(released, as_version=4)
    for cell in notebook.cells:
        name = cell.id.removesuffix("-answer")
        if name != cell.id and name in answers:
            cell.source = answers[name].strip()
    folder.mkdir()
    nbformat.write(notebook, folder / f"{lab}.ipynb")
    checks = [cell.source for cell in notebook.cells if cell.id.endswith("-check")]
    seeds = {check.split('"')[1]: (1, 2, 3) for check in checks}
    settings = Settings(sandbox=not trouble())
    return grade_submission(Job("ada", lab, released.name, str(folder), str(released), 1, seeds, settings))


@pytest.mark.parametrize(("lab", "kind"), KINDS_OF)
def test_a_submission_has_the_score_that_it_deserves(lab: str, kind: str, tmp_path: Path) -> None:
    submission = submissions(lab)[kind]
    verdicts = {
        v.exercise.rpartition(".")[2]: v for v in grade(lab, submission.answers, tmp_path / lab).verdicts
    }
    assert {name: v.points for name, v in verdicts.items() if v.points} == submission.points
    named = {name: verdicts[name].misconception for name in submission.misconceptions}
    assert named == submission.misconceptions


@pytest.mark.parametrize("lab", LABS)
def test_the_four_kinds_are_what_they_say(lab: str) -> None:
    found = submissions(lab)
    assert tuple(found) == KINDS
    exercises = importlib.import_module(f"cnncourse.exercises.{lab}").EXERCISES
    full = {name: float(load(f"{lab}.{name}").points) for name in exercises}
    right, otherwise = found["right"], found["right in another way"]
    assert right.points == otherwise.points == full
    assert right.answers != otherwise.answers
    assert 0.3 <= sum(found["half"].points.values()) / sum(full.values()) <= 0.7
    assert found["wrong by a misconception"].misconceptions
