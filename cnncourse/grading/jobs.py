"""What there is to grade in a class's folder: one job for each student and notebook, named by its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.files import digest, file_digest
from cnncourse.grading.finding import plain
from cnncourse.grading.settings import Settings
from cnncourse.grading.work import Job

if TYPE_CHECKING:  # it imports nbgrader, which a worker does without
    from cnncourse.grading.course import Course

LONGEST_NAME = 128  # characters of a student's id in nbgrader's gradebook


@dataclass(frozen=True)
class Submission:
    """A student's folder for a lab, and its jobs by their ids: one for each released notebook."""

    student: str
    folder: Path
    jobs: Mapping[str, Job]

    @property
    def ids(self) -> dict[str, str]:
        """The ids of the jobs, by notebook."""
        return {job.name: job_id for job_id, job in self.jobs.items()}


@dataclass(frozen=True)
class Terms:
    """What the outcome of every job of a lab depends on, besides the work that was handed in.

    Attributes
    ----------
    round : number of the grading round
    seeds : for each exercise, the seeds of the cases that answers are tried on
    settings : limits
    marks : what stands for the secret, the package's own sources and the versions
    """

    round: int
    seeds: Mapping[str, tuple[int, ...]]
    settings: Settings
    marks: Sequence[str]


def released_notebooks(course: Course, lab: str) -> list[Path]:
    """Return the released notebooks of a lab.

    Raises
    ------
    ClassroomError
        If there is none; the message names the command that makes them.
    """
    if Path(lab).name != lab or lab.startswith("."):
        raise ClassroomError(f"{lab!r} is not the name of a lab")
    folder = course.path("release", lab)
    found = sorted(folder.glob("*.ipynb"))
    if not found:
        raise ClassroomError(
            f"there is no released notebook in {folder}: run `nbgrader generate_assignment {lab}` first"
        )
    return found


def find_submissions(
    course: Course, lab: str, terms: Terms, students: str = "*"
) -> tuple[list[Submission], list[str]]:
    """Return what was handed in for a lab, and a line for each student's folder that cannot be graded.

    Parameters
    ----------
    students : str
        Whose submissions: a name, or a pattern such as ``"a*"``.
    """
    released = released_notebooks(course, lab)
    base = job_base(terms, released)
    found, skipped = [], []
    above = course.path("submitted", lab, "*").parent.parent
    for folder in sorted(above.iterdir()) if above.is_dir() else []:
        name = folder.name
        wanted = fnmatchcase(name, students) and not name.startswith(".")
        if not wanted or not (folder.is_symlink() or folder.is_dir()):
            continue
        if why := _trouble(folder, lab):
            skipped.append(f"{plain(name)}: not graded, {why}")
            continue
        found.append(_submission(name, folder / lab, released, terms, base))
    return found, skipped


def _trouble(folder: Path, lab: str) -> str:
    """Return why a student's folder is not graded, as the end of a sentence; empty if it is."""
    if not folder.name.isprintable() or len(folder.name) > LONGEST_NAME:
        return "the folder's name holds signs that are no letters, or is too long: rename it"
    if folder.is_symlink() or (folder / lab).is_symlink():
        return "the folder is a link to another one, and links are not followed"
    if (folder / lab).is_dir():
        return ""
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError:
        return "the folder cannot be opened"
    there = ", ".join(plain(name) for name in names[:4]) + (" and more" if len(names) > 4 else "")
    return f"there is no folder {lab}; it holds {there or 'nothing'}"


def job_base(terms: Terms, released: Sequence[Path]) -> str:
    """Return a hash of what the jobs of a lab have in common."""
    about = [
        terms.round,
        {name: list(seeds) for name, seeds in sorted(terms.seeds.items())},
        asdict(terms.settings),
        list(terms.marks),
        [(path.name, file_digest(path)) for path in released],
    ]
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def _submission(student: str, folder: Path, released: Sequence[Path], terms: Terms, base: str) -> Submission:
    content = digest(folder)
    jobs = {}
    for path in released:
        about = json.dumps([base, path.name, student, content])
        jobs[hashlib.sha256(about.encode()).hexdigest()] = Job(
            student=student,
            lab=path.parent.name,
            name=path.name,
            folder=str(folder),
            released=str(path),
            round=terms.round,
            seeds=terms.seeds,
            settings=terms.settings,
        )
    return Submission(student, folder, jobs)


def job_to_dict(job: Job) -> dict[str, Any]:
    """Return a job as plain data, which JSON can hold."""
    return asdict(job) | {"seeds": {name: list(seeds) for name, seeds in job.seeds.items()}}


def job_from_dict(plain_job: Mapping[str, Any]) -> Job:
    """Return the job that `job_to_dict` made plain."""
    seeds = {name: tuple(found) for name, found in plain_job["seeds"].items()}
    return Job(**{**plain_job, "seeds": seeds, "settings": Settings(**plain_job["settings"])})
