"""A class that was graded long ago: a gradebook and stored results, written without running anything."""

from __future__ import annotations

import argparse
import importlib
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader import api

from cnncourse.grading.store import Store
from cnncourse.grading.verdicts import Flag, Verdict
from cnncourse.grading.work import Result

ROOT = Path(__file__).resolve().parent.parent
LAB = "ch02_conv2d"
POINTS = {"pad2d": 1, "conv2d": 4, "im2col": 2}
QUESTION = "open-question"
DUE = datetime(2026, 3, 1, 12)


@dataclass
class Student:
    """A student: what is known about them, what they got, and what was stored.

    `points` is None for who handed in nothing; what is not in it is 0. `by_hand` are points that a person
    entered, by grade id; the open question waits for a person unless it is there.
    """

    id: str
    points: dict[str, float] | None = field(default_factory=lambda: dict(POINTS))
    by_hand: dict[str, float] = field(default_factory=dict)
    first: str | None = None
    last: str | None = None
    email: str | None = None
    lms: str | None = None
    penalty: float | None = None
    late: timedelta = timedelta()
    verdicts: dict[str, dict[str, Any]] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()
    seconds: dict[str, float] = field(default_factory=lambda: {"total": 2.0, "cells": 1.0, "judge": 0.5})
    sandbox: bool = True
    round: int = 1
    stored: bool = True


def make(folder: Path, students: Iterable[Student] = ()) -> Path:
    """Make the class's folder: configuration, released lab, gradebook, submissions, results."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    _release(folder / "notebooks" / LAB / f"{LAB}.ipynb")
    students = list(students)
    _gradebook(folder, students)
    store = Store(folder, LAB)
    for i, student in enumerate(students):
        if student.points is None:
            continue
        submitted = folder / "submitted" / student.id / LAB
        submitted.mkdir(parents=True)
        (submitted / f"{LAB}.ipynb").write_text("{}", encoding="utf-8")
        if student.stored:
            store.save(f"{i:064x}", _result(student).to_json())
            store.record(student.id, {f"{LAB}.ipynb": f"{i:064x}"})
    return folder


def run(command: str, folder: Path, *arguments: object) -> int:
    """Run one of the commands for a class in-process; return its exit status."""
    module = importlib.import_module(f"cnncourse.grading.{command}")
    parser = argparse.ArgumentParser()
    module.add_parser(parser.add_subparsers())
    status: int = module.run(parser.parse_args([command, LAB, *map(str, arguments), "--class", str(folder)]))
    return status


def _release(path: Path) -> None:
    cells = [
        new_code_cell(
            f'check("{LAB}.{name}", {name})', metadata={"nbgrader": _marks(f"{name}-check", points)}
        )
        for name, points in POINTS.items()
    ]
    marks = _marks(QUESTION, 3) | {"solution": True, "locked": False}
    cells.append(new_markdown_cell("YOUR ANSWER HERE", metadata={"nbgrader": marks}))
    path.parent.mkdir(parents=True)
    nbformat.write(new_notebook(cells=cells), path)


def _marks(name: str, points: float) -> dict[str, Any]:
    marks = {"grade": True, "grade_id": name, "points": points, "solution": False, "task": False}
    return marks | {"locked": True, "schema_version": 3}


def _gradebook(folder: Path, students: list[Student]) -> None:
    # A new gradebook gets the version of its tables from a program that takes seconds.
    with patch.object(api, "get_alembic_version", return_value="of today"):
        gradebook = api.Gradebook(f"sqlite:///{folder / 'gradebook.db'}")
    with gradebook:
        gradebook.add_assignment(LAB, duedate=DUE)
        gradebook.add_notebook(LAB, LAB)
        for name, points in POINTS.items():
            gradebook.add_grade_cell(f"{name}-check", LAB, LAB, max_score=points, cell_type="code")
        gradebook.add_grade_cell(QUESTION, LAB, LAB, max_score=3, cell_type="markdown")
        lab = gradebook.find_assignment(LAB)
        with gradebook.db.no_autoflush:
            gradebook.db.add_all(entry for student in students for entry in _entries(student, lab))
        gradebook.db.commit()


def _entries(student: Student, lab: Any) -> Iterator[Any]:
    """Yield what the gradebook holds about a student; its own functions take a query for each of it."""
    about = {"first_name": student.first, "last_name": student.last, "email": student.email}
    yield api.Student(id=student.id, **about, lms_user_id=student.lms)
    if student.points is None:
        return
    submitted, book = api.new_uuid(), api.new_uuid()
    stamp = DUE + student.late
    yield api.SubmittedAssignment(id=submitted, assignment_id=lab.id, student_id=student.id, timestamp=stamp)
    (notebook,) = lab.notebooks
    ids = {"id": book, "notebook_id": notebook.id, "assignment_id": submitted}
    yield api.SubmittedNotebook(**ids, late_submission_penalty=student.penalty)
    for cell in notebook.grade_cells:
        score = None if cell.name == QUESTION else student.points.get(cell.name.removesuffix("-check"), 0)
        manual = student.by_hand.get(cell.name)
        waits = cell.name == QUESTION and manual is None
        scores = {"auto_score": score, "manual_score": manual, "needs_manual_grade": waits}
        yield api.Grade(id=api.new_uuid(), cell_id=cell.id, notebook_id=book, **scores)


def _result(student: Student) -> Result:
    verdicts = []
    for name, most in POINTS.items():
        points = (student.points or {}).get(name, 0)
        status = "right" if points == most else "partly right" if points else "wrong"
        known = {
            "grade_id": f"{name}-check",
            "exercise": f"{LAB}.{name}",
            "points": points,
            "max_points": most,
        }
        more = {"status": status, "reason": "", "groups": {}} | student.verdicts.get(name, {})
        verdicts.append(Verdict(**known, **more))
    about = (student.id, LAB, f"{LAB}.ipynb", student.round, student.sandbox)
    return Result(*about, tuple(verdicts), (), student.flags, student.seconds, "{}")
