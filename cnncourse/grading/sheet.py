"""The points of a class in one lab, as formgrader shows them: manual scores and penalties included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    Gradebook,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from cnncourse.grading.course import Course
from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.nodes import read_notebook
from cnncourse.grading.notes import grade_id

Cell = tuple[str, str]  # names of a notebook, without ".ipynb", and of a graded cell in it


@dataclass(frozen=True)
class Mark:
    """What a student has for one graded cell.

    Attributes
    ----------
    points : the score that counts, extra credit included
    by_hand : whether a person entered it
    changed : whether that replaces points that a check gave
    waiting : whether a person still has to
    """

    points: float
    by_hand: bool
    changed: bool
    waiting: bool


@dataclass(frozen=True)
class Row:
    """A student's part of the sheet; without a submission there are no marks.

    `total` is what counts in the end: the penalty is taken off, and it is never below 0.
    """

    student: str
    first_name: str
    last_name: str
    email: str
    lms_id: str
    handed_in: bool = False
    marks: Mapping[Cell, Mark] = field(default_factory=dict)
    total: float = 0.0
    penalty: float = 0.0
    seconds_late: float = 0.0
    timestamp: datetime | None = None

    @property
    def waiting(self) -> bool:
        """Whether a person still has to grade something."""
        return any(mark.waiting for mark in self.marks.values())

    @property
    def name(self) -> str:
        """Last name, first name; empty where the gradebook has neither."""
        return ", ".join(part for part in (self.last_name, self.first_name) if part)


@dataclass(frozen=True)
class Sheet:
    """A class's points in one lab.

    Attributes
    ----------
    cells : for each graded cell, in the lab's order, what to call it: the exercise's name
    most : for each graded cell, its points
    rows : all students of the gradebook, by name
    """

    lab: str
    cells: Mapping[Cell, str]
    most: Mapping[Cell, float]
    rows: tuple[Row, ...]

    @property
    def max_points(self) -> float:
        """The points of the whole lab."""
        return sum(self.most.values())


def number(value: float) -> str:
    """Return a number with the two digits that formgrader shows, without zeros at its end."""
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


@contextmanager
def gradebook(course: Course) -> Iterator[Gradebook]:
    """Open a class's gradebook.

    Raises
    ------
    ClassroomError
        If there is none, or the database does not answer.
    """
    url = make_url(course.coursedir.db_url)
    if url.drivername.startswith("sqlite") and not Path(url.database or "").is_file():
        raise ClassroomError(f"there is no gradebook at {url.database}: grade a lab first")
    try:
        with Gradebook(course.coursedir.db_url, course.coursedir.course_id) as opened:
            yield opened
    except SQLAlchemyError as error:
        raise ClassroomError(f"the gradebook cannot be read: {getattr(error, 'orig', error)}") from error


def read_sheet(course: Course, lab: str) -> Sheet:
    """Read the points of a lab from the gradebook.

    Raises
    ------
    ClassroomError
        If there is no gradebook, or it does not know the lab.
    """
    with gradebook(course) as opened:
        session = opened.db
        assignment = session.query(Assignment).filter(Assignment.name == lab).one_or_none()
        if assignment is None:
            raise ClassroomError(
                f"the gradebook does not know {lab}: grade it first, `cnncourse grade {lab}`"
            )
        most = {
            (notebook.name, cell.name): float(cell.max_score)
            for notebook in assignment.notebooks
            for cell in [*notebook.grade_cells, *notebook.task_cells]
        }
        cells = _named(sorted(most, key=_order(course, lab)))
        marks = _marks(session, lab)
        submitted = {found.student_id: found for found in assignment.submissions}
        penalties = _penalties(session, assignment)
        rows = [
            _row(student, submitted.get(student.id), marks.get(student.id, {}), penalties)
            for student in opened.students
        ]
    rows.sort(key=lambda row: ((row.name or row.student).casefold(), row.student))
    return Sheet(lab, cells, {cell: most[cell] for cell in cells}, tuple(rows))


def _order(course: Course, lab: str) -> Any:
    """Return a key that sorts graded cells as they stand in the released notebooks."""
    places: dict[Cell, tuple[int, ...]] = {}
    for i, path in enumerate(sorted(course.path("release", lab).glob("*.ipynb"))):
        for j, cell in enumerate(read_notebook(path).cells):
            places[path.stem, grade_id(cell) or ""] = (i, j)
    return lambda cell: (places.get(cell, (len(places), 0)), cell)


def _named(cells: list[Cell]) -> dict[Cell, str]:
    """Return what to call each graded cell: the exercise, with its notebook where two are called the same."""
    short = {cell: cell[1].removesuffix("-check") for cell in cells}
    names = list(short.values())
    return {cell: name if names.count(name) == 1 else f"{cell[0]}: {cell[1]}" for cell, name in short.items()}


def _marks(session: Any, lab: str) -> dict[str, dict[Cell, Mark]]:
    """Return each student's marks, in one query whatever the size of the class."""
    query = (
        session.query(
            SubmittedAssignment.student_id,
            Notebook.name,
            BaseCell.name,
            Grade.score,
            Grade.auto_score,
            Grade.manual_score,
            Grade.needs_manual_grade,
        )
        .select_from(Grade)
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .filter(Assignment.name == lab)
    )
    found: dict[str, dict[Cell, Mark]] = {}
    for student, notebook, cell, score, auto, manual, needs in query:
        by_hand = manual is not None
        mark = Mark(float(score or 0.0), by_hand, by_hand and auto is not None, bool(needs))
        found.setdefault(student, {})[notebook, cell] = mark
    return found


def _penalties(session: Any, assignment: Any) -> dict[str, float]:
    """Return the penalties for lateness, by the id of the submission."""
    query = session.query(SubmittedNotebook.assignment_id, SubmittedNotebook.late_submission_penalty)
    found: dict[str, float] = {}
    for submitted, penalty in query.join(Notebook).filter(Notebook.assignment_id == assignment.id):
        found[submitted] = found.get(submitted, 0.0) + (penalty or 0.0)
    return found


def _row(student: Any, submitted: Any, marks: dict[Cell, Mark], penalties: dict[str, float]) -> Row:
    about = Row(
        student=student.id,
        first_name=student.first_name or "",
        last_name=student.last_name or "",
        email=student.email or "",
        lms_id=student.lms_user_id or "",
    )
    if submitted is None:
        return about
    penalty = penalties.get(submitted.id, 0.0)
    return replace(
        about,
        handed_in=True,
        marks=marks,
        total=max(0.0, sum(mark.points for mark in marks.values()) - penalty),
        penalty=penalty,
        seconds_late=submitted.total_seconds_late if submitted.assignment.duedate else 0.0,
        timestamp=submitted.timestamp,
    )
