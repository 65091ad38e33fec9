"""Labs of the exercises here, released and handed in, made in code; for the tests and for `tools/bench_grading.py`."""

from __future__ import annotations

import copy
import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from cnncourse.checking import load
from cnncourse.grading.work import Job, Result, grade_submission

FOLDER = Path(__file__).resolve().parent / "exercises"
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"


def register() -> None:
    """Let `load` find the exercises here, in this process."""
    path = importlib.import_module("cnncourse.exercises").__path__
    if str(FOLDER) not in path:
        path.append(str(FOLDER))


def grade(job: Job) -> Result:
    """Grade a submission, in a worker that is to know these exercises."""
    register()
    return grade_submission(job)


@contextmanager
def registered() -> Iterator[None]:
    """Let `load` find the exercises here as long as the block lasts."""
    register()
    try:
        yield
    finally:
        importlib.import_module("cnncourse.exercises").__path__.remove(str(FOLDER))
        for name in [name for name in sys.modules if name.startswith("cnncourse.exercises.judged")]:
            del sys.modules[name]


def lab(imports: str, *exercise_ids: str) -> NotebookNode:
    """Return a released lab: a cell of imports, and for each exercise an answer and a check."""
    cells = [_cell(f"{imports}\nfrom cnncourse import check", "start-1", locked=True)]
    for exercise_id in exercise_ids:
        exercise = load(exercise_id)
        name, names = exercise_id.rpartition(".")[2], ", ".join(exercise.names)
        check = f'check("{exercise_id}", {names})'
        cells += [
            _cell(STUB, f"{name}-answer", solution=True),
            _cell(check, f"{name}-check", grade=True, locked=True, points=exercise.points),
        ]
    return new_notebook(cells=cells, metadata=_METADATA)


_METADATA = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
_ROLES = {"schema_version": 3, "grade": False, "locked": False, "solution": False, "task": False}


def _cell(source: str, name: str, **roles: object) -> NotebookNode:
    return new_code_cell(source, id=name, metadata={"nbgrader": _ROLES | {"grade_id": name} | roles})


def hand_in(released: NotebookNode, answers: Mapping[str, str], path: Path) -> None:
    """Write the lab with these answers, by exercise name, to a file."""
    notebook = copy.deepcopy(released)
    for cell in notebook.cells:
        name = cell.id.removesuffix("-answer")
        cell.source = answers.get(name, cell.source).strip() if name != cell.id else cell.source
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
