"""A student's graded folder: built aside, complete, and put in place by renaming it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from nbgrader.utils import find_all_files, rmtree

from cnncourse.grading.course import Course
from cnncourse.grading.files import entries, open_plain
from cnncourse.grading.finding import plain

MOST_FILES = 1000
MOST_BYTES = 100_000_000  # of a submission
LARGEST_FILE = 20_000_000


def replace_graded(
    course: Course, lab: str, student: str, submitted: Path, notebooks: Mapping[str, str]
) -> list[str]:
    """Replace ``autograded/<student>/<lab>`` by these notebooks and what nbgrader puts beside them.

    That is: the instructor's files, and the student's as far as they are plain files that
    ``CourseDirectory.ignore`` allows. Who is killed meanwhile leaves the old folder, the new one, or none.

    Returns
    -------
    list of str
        A line on files that were left out, if there are any.
    """
    target = course.path("autograded", lab, student)
    fresh, old = target.with_name(f".{lab}.new"), target.with_name(f".{lab}.old")
    for rest in (fresh, old):
        _remove(rest)
    fresh.mkdir(parents=True)
    _copy_instructors(course, lab, fresh)
    left_out = _copy_students(course, submitted, fresh)
    for name, text in notebooks.items():
        with open(fresh / name, "wb") as file:
            file.write(text.rstrip("\n").encode("utf-8", "replace") + b"\n")
            file.flush()
            os.fsync(file.fileno())
    if os.path.lexists(target):
        os.rename(target, old)
    os.rename(fresh, target)
    course.autograde.set_permissions(lab, student)
    _remove(old)
    if not left_out:
        return []
    shown = ", ".join(left_out[:4]) + (f" and {len(left_out) - 4} more" if len(left_out) > 4 else "")
    return [f"{plain(student)}: too large to be copied to {course.coursedir.autograded_directory}/: {shown}"]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        rmtree(str(path))
    else:
        path.unlink(missing_ok=True)


def _copy_instructors(course: Course, lab: str, target: Path) -> None:
    source = course.path("source", lab)
    kept = {source / name for name in course.autograde.exclude_overwriting.get(lab, [])}
    for name in sorted(find_all_files(str(source), [*course.coursedir.ignore, "*.ipynb"])):
        if Path(name) not in kept:
            copy = target / Path(name).relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, copy)


def _copy_students(course: Course, submitted: Path, target: Path) -> list[str]:
    """Copy a student's files, none of the instructor's replaced; return those that were left out."""
    patterns = [*course.coursedir.ignore, "*.ipynb"]
    largest = min(LARGEST_FILE, 1000 * course.coursedir.max_file_size)
    left_out, copied, total = [], 0, 0
    for entry in entries(submitted):
        parts = Path(entry.name).parts
        ignored = any(fnmatchcase(part, pattern) for part in parts for pattern in patterns)
        if entry.kind != "file" or ignored or parts[-1].lower().endswith(".ipynb"):
            continue
        if entry.size > largest or total + entry.size > MOST_BYTES or copied == MOST_FILES:
            left_out.append(f"{plain(entry.name)} ({entry.size / 1e6:.1f} MB)")
            continue
        copied, total = copied + 1, total + entry.size
        _copy_new(submitted / entry.name, target / entry.name, entry.size)
    return left_out


def _copy_new(source: Path, copy: Path, size: int) -> None:
    """Copy a plain file that can be read to where nothing is yet."""
    file = open_plain(source)
    if file is None:
        return
    with file:
        try:
            copy.parent.mkdir(parents=True, exist_ok=True)
            with open(copy, "xb") as written:
                written.write(file.read(size))
        except (FileExistsError, NotADirectoryError):
            pass  # the instructor's file of this name is there
