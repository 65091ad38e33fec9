"""Write results to nbgrader's gradebook as ``nbgrader autograde`` would, one transaction a submission."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from nbgrader.api import Assignment, Gradebook, Student, SubmittedAssignment, SubmittedNotebook, new_uuid
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import OperationalError

from cnncourse.grading.course import Course
from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.graded import replace_graded
from cnncourse.grading.jobs import Submission, released_notebooks
from cnncourse.grading.marks import Written, mark_notebook
from cnncourse.grading.nodes import is_grade, read_notebook
from cnncourse.grading.work import Result

PATIENCE = 30_000  # milliseconds to wait for formgrader, which may hold SQLite's lock


class NotWrittenError(Exception):
    """Why one submission cannot be written; the others can."""


class Writer:
    """The one writer to a class's gradebook, for one lab.

    Raises
    ------
    ClassroomError
        If the gradebook does not hold the lab, or holds another version of it than was released.
    """

    def __init__(self, course: Course, lab: str) -> None:
        self.course, self.lab = course, lab
        self._release = f"run `nbgrader generate_assignment {lab} --force`"
        url = make_url(course.coursedir.db_url)
        local = url.drivername.startswith("sqlite")
        if local and not Path(url.database or "").is_file():
            raise ClassroomError(f"there is no gradebook at {url.database}: {self._release}")
        self._gradebook = Gradebook(course.coursedir.db_url, course.coursedir.course_id)
        try:
            with self._transaction() as session:
                if local:
                    session.execute(text(f"PRAGMA busy_timeout = {PATIENCE}"))
                self._compare(session)
            self._penalties = AssignLatePenalties(parent=course.autograde)
            self._penalties.init_plugin()
        except BaseException:
            self._gradebook.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._gradebook.close()

    def has(self, student: str) -> bool:
        """Return whether a student has a submission of the lab in the gradebook."""
        with self._transaction() as session:
            return self._find(session, student) is not None

    def write(self, submission: Submission, results: Mapping[str, Result]) -> Written:
        """Write a submission's results, by notebook.

        The graded folder is put in place just before the commit. What a person entered stays. Where this
        raises, the gradebook is as it was.
        """
        written = Written()
        with self._transaction() as session:
            submitted = self._submitted(session, submission)
            for notebook in submitted.notebooks:
                mark_notebook(session, notebook, results[f"{notebook.name}.ipynb"], written)
            session.flush()
            for notebook in submitted.notebooks:
                written.late += self._penalize(session, submitted, notebook)
            session.flush()
            texts = {name: result.notebook for name, result in results.items()}
            where = (self.course, self.lab, submission.student, submission.folder)
            written.lines += replace_graded(*where, texts)
        return written

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        """Commit what the block does to the session, all of it or nothing; keep nothing in memory."""
        session = self._gradebook.db()
        try:
            with session.no_autoflush:
                yield session
            session.commit()
        except OperationalError as error:
            session.rollback()
            locked = "locked" in str(error.orig)
            mend = "close formgrader" if locked else "make a copy of it and run `nbgrader db upgrade`"
            raise ClassroomError(f"the gradebook cannot be used ({error.orig}): {mend}") from error
        except BaseException:
            session.rollback()
            raise
        finally:
            session.expunge_all()

    def _assignment(self, session: Any) -> Any:
        found = session.scalars(select(Assignment).where(Assignment.name == self.lab)).one_or_none()
        if found is None:
            raise ClassroomError(f"the gradebook does not know {self.lab}: {self._release}")
        return found

    def _compare(self, session: Any) -> None:
        """See to it that the gradebook has the graded cells and the points of the released notebooks."""
        known = {
            f"{notebook.name}.ipynb": {cell.name: cell.max_score for cell in notebook.grade_cells}
            for notebook in self._assignment(session).notebooks
        }
        released = {}
        for path in released_notebooks(self.course, self.lab):
            marks = [cell.metadata["nbgrader"] for cell in read_notebook(path).cells if is_grade(cell)]
            released[path.name] = {mark["grade_id"]: float(mark["points"]) for mark in marks}
        if known != released:
            raise ClassroomError(
                f"the gradebook holds another version of {self.lab} than was released: {self._release}"
            )

    def _find(self, session: Any, student: str) -> Any:
        query = select(SubmittedAssignment).join(Assignment).where(Assignment.name == self.lab)
        return session.scalars(query.where(SubmittedAssignment.student_id == student)).one_or_none()

    def _submitted(self, session: Any, submission: Submission) -> Any:
        """Return a student's submission in the gradebook, made with its notebooks where it is missing."""
        student, assignment = submission.student, self._assignment(session)
        if session.get(Student, student) is None:
            if not self.course.autograde.create_student:
                raise NotWrittenError("the gradebook has no such student: add one in formgrader")
            session.add(Student(id=student))
        found = self._find(session, student)
        if found is None:
            found = SubmittedAssignment(id=new_uuid(), assignment_id=assignment.id, student_id=student)
            session.add(found)
            session.flush()
        there = {notebook.notebook_id for notebook in found.notebooks}
        for notebook in assignment.notebooks:
            if notebook.id not in there:
                new = {"id": new_uuid(), "notebook_id": notebook.id, "assignment_id": found.id}
                session.add(SubmittedNotebook(**new))
        found.timestamp = self._timestamp(submission.folder) or found.timestamp
        session.flush()
        session.refresh(found, ["notebooks"])
        return found

    def _timestamp(self, folder: Path) -> datetime | None:
        stamp: datetime | None = self.course.coursedir.get_existing_timestamp(str(folder))
        return stamp

    def _penalize(self, session: Any, submitted: Any, notebook: Any) -> float:
        """Set a notebook's penalty for lateness, as nbgrader's AssignLatePenalties does; return it."""
        penalty = None
        late: float = submitted.total_seconds_late
        if late > 0:
            session.refresh(notebook, ["score"])
            plugin = self._penalties.plugin_inst
            penalty = plugin.late_submission_penalty(submitted.student_id, notebook.score, late)
            if penalty is not None:
                penalty = self._penalties._check_late_penalty(notebook, penalty)
        notebook.late_submission_penalty = penalty
        return penalty or 0.0
