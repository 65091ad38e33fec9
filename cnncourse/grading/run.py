"""One run over a class: find what is new, have it graded, write it to the gradebook."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing, suppress

from cnncourse.grading.cluster import Cluster
from cnncourse.grading.course import Course
from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.finding import plain
from cnncourse.grading.gradebook import Writer
from cnncourse.grading.jobs import Submission, Terms, find_submissions, released_notebooks
from cnncourse.grading.marks import Written
from cnncourse.grading.nodes import read_notebook
from cnncourse.grading.plan import checks
from cnncourse.grading.pool import Ended, Pool
from cnncourse.grading.regrade import Proposal, propose
from cnncourse.grading.request import Request
from cnncourse.grading.rounds import class_secret, current_round, new_round, seeds
from cnncourse.grading.scoreboard import Row, Scoreboard, row
from cnncourse.grading.settings import Settings
from cnncourse.grading.sources import sources_digest
from cnncourse.grading.store import Store
from cnncourse.grading.work import Job, Result
from cnncourse.grading.worker import in_a_line


class LostResultError(Exception):
    """A result that was there and cannot be read; running again mends it."""


class Run:
    """One run over a class.

    Parameters
    ----------
    settings : limits for a submission
    grade : module and name of the function that grades a job
    """

    def __init__(
        self,
        course: Course,
        request: Request,
        settings: Settings,
        writer: Writer,
        board: Scoreboard,
        grade: str,
    ) -> None:
        self.course, self.request, self.writer, self.board = course, request, writer, board
        self._settings, self._grade = settings, grade
        self.store = Store(course.folder, request.lab)
        self.store.sweep()
        terms = self._terms()
        self.exercise = self._full_name(request.exercise, terms.seeds) if request.exercise else ""
        self.submissions, self.skipped = find_submissions(course, request.lab, terms, request.students)
        if not self.submissions and not self.skipped:
            where = course.path("submitted", request.lab, request.students)
            raise ClassroomError(f"nothing was handed in: there is no folder {plain(str(where))}")
        self._recorded = self.store.recorded()

    def look(self) -> None:
        """Say what would be graded."""
        new = [each for each in self.submissions if not self._is_written(each)]
        self.board.line(
            f"{len(self.submissions)} submissions: {len(new)} to grade, "
            f"{len(self.submissions) - len(new)} unchanged since the last run."
        )
        for text in (*(plain(each.student) for each in new), *self.skipped):
            self.board.line(text)

    def grade(self) -> list[Row]:
        """Grade what is new and write it; return a row for each submission."""
        new: list[Submission] = []
        rows: list[Row] = []
        for each in self.submissions:
            found = self._unchanged(each) if self._is_written(each) else None
            if found is None:
                new.append(each)
            else:
                rows.append(found)
        return rows + self._each(new, self._write)

    def propose(self) -> tuple[list[Row], list[Proposal]]:
        """Judge one exercise again and write nothing; return who failed, and what would change."""
        found: list[Proposal] = []

        def compare(submission: Submission) -> Row:
            proposal = propose(self.store, submission, self._recorded[submission.student], self.exercise)
            found.extend([proposal] if proposal else [])
            return Row(submission.student, "graded")

        graded = [each for each in self.submissions if each.student in self._recorded]
        for each in self.submissions:
            if each.student not in self._recorded:
                self.skipped.append(f"{plain(each.student)}: not graded before, so not judged again")
        return [row for row in self._each(graded, compare) if row.trouble], found

    def accept(self, proposals: Sequence[Proposal]) -> list[Row]:
        """Write what `propose` found."""
        by_student = {each.submission.student: each for each in proposals}

        def write(submission: Submission) -> Row:
            return self._write(submission, by_student[submission.student].ids)

        return self._each([each.submission for each in proposals], write)

    def _terms(self) -> Terms:
        course, request = self.course, self.request
        number = current_round(course.folder, request.lab)
        if request.new_round:
            number = number + 1 if request.dry_run else new_round(course.folder, request.lab)
        secret = class_secret(course.folder)
        exercises = {
            check.exercise
            for path in released_notebooks(course, request.lab)
            for check in checks(read_notebook(path).cells)
            if check.exercise
        }
        drawn = {name: seeds(secret, name, number) for name in sorted(exercises)}
        marks = (hashlib.sha256(secret).hexdigest(), sources_digest(), self._grade)
        return Terms(number, drawn, self._settings, marks)

    def _full_name(self, name: str, exercises: Iterable[str]) -> str:
        for exercise in exercises:
            if name in (exercise, exercise.rpartition(".")[2]):
                return exercise
        raise ClassroomError(f"{self.request.lab} has no exercise {name}: it has {', '.join(exercises)}")

    def _is_written(self, submission: Submission) -> bool:
        """Return whether the gradebook and the graded folder are those of the submission as it is."""
        return (
            self._recorded.get(submission.student) == submission.ids
            and self.course.path("autograded", self.request.lab, submission.student).is_dir()
            and all(job_id in self.store for job_id in submission.jobs)
            and self.writer.has(submission.student)
        )

    def _each(self, submissions: Sequence[Submission], then: Callable[[Submission], Row]) -> list[Row]:
        """Have submissions graded and do something with each as soon as all of its results are there."""
        rows: list[Row] = []
        if not submissions:
            return rows
        with (
            self.board.progress(len(submissions)) as advance,
            closing(self._ended(submissions)) as ended,
        ):
            for submission, trouble in ended:
                try:
                    found = Row(submission.student, "failed", trouble) if trouble else then(submission)
                except ClassroomError:
                    raise
                except Exception as error:
                    found = Row(submission.student, "failed", in_a_line(error))
                rows.append(found)
                advance(str(found))
        return rows

    def _ended(self, submissions: Sequence[Submission]) -> Generator[tuple[Submission, str]]:
        """Yield submissions as their results come; those whose results are there first."""
        owner = {name: each for each in submissions for name in each.jobs if name not in self.store}
        new = {each.student for each in owner.values()}
        yield from ((each, "") for each in submissions if each.student not in new)
        if not owner:
            return
        left, troubles = Counter(each.student for each in owner.values()), dict[str, str]()
        with closing(self._graded([(name, each.jobs[name]) for name, each in owner.items()])) as graded:
            for job in graded:
                submission = owner[job.job_id]
                left[submission.student] -= 1
                if job.trouble:
                    troubles[submission.student] = job.trouble
                if not left[submission.student]:
                    yield submission, troubles.get(submission.student, "")

    def _graded(self, jobs: Iterable[tuple[str, Job]]) -> Generator[Ended]:
        if self.request.scheduler:
            return Cluster(self.request.scheduler, self.store, self._grade).run(jobs)
        workers = self.request.workers or os.cpu_count() or 1
        return Pool(self.course.folder, self.request.lab, workers, self._grade).run(jobs)

    def _write(self, submission: Submission, ids: Mapping[str, str] | None = None) -> Row:
        """Write a submission's results to the gradebook, between two lines of the journal."""
        ids = ids or submission.ids
        results = self._results(ids)
        self.store.record(submission.student, {})  # until it is done, the gradebook is of nobody knows what
        written = self.writer.write(submission, results)
        self.store.record(submission.student, ids)
        return row(submission.student, "graded", list(results.values()), written)

    def _unchanged(self, submission: Submission) -> Row | None:
        """Return the row of a submission that was graded before; None if its result has been spoilt."""
        with suppress(LostResultError):
            results = self._results(submission.ids)
            return row(submission.student, "unchanged", list(results.values()), Written())
        return None

    def _results(self, ids: Mapping[str, str]) -> dict[str, Result]:
        found = {}
        for name, job_id in ids.items():
            result = self.store.load(job_id)
            if result is None:
                self.store.forget(job_id)
                raise LostResultError("its result on disk could not be read and was removed")
            found[name] = result
        return found
