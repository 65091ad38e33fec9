"""Keep nbgrader from stopping at what lies beside a student's notebook."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from datetime import datetime
from logging import Logger

from nbgrader.coursedir import CourseDirectory

LONGEST_STAMP = 1000  # bytes


def tolerate(coursedir: CourseDirectory, folders: Iterable[str], log: Logger) -> None:
    """Prepare `coursedir` for the submissions in `folders`.

    nbgrader copies the files beside a notebook, and gives up the student at one that cannot be copied; links
    and unreadable files are thus ignored by name. It also gives up at a ``timestamp.txt`` without a time.
    """
    names = {glob.escape(name) for folder in folders for name in _not_to_copy(folder)}
    coursedir.ignore = [*coursedir.ignore, *sorted(names - set(coursedir.ignore))]

    def get_existing_timestamp(folder: str) -> datetime | None:
        path = os.path.join(folder, "timestamp.txt")
        plain = os.path.isfile(path) and not os.path.islink(path) and os.path.getsize(path) <= LONGEST_STAMP
        if not plain:
            if os.path.lexists(path):
                log.warning("%s is no plain file; it is not used.", path)
            return None
        try:
            stamp: datetime | None = type(coursedir).get_existing_timestamp(coursedir, folder)
        except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError):
            log.warning("%s holds no time; it is not used.", path)
            return None
        return stamp

    coursedir.get_existing_timestamp = get_existing_timestamp


def _not_to_copy(folder: str) -> list[str]:
    return [
        name
        for parent, _, names in os.walk(folder)
        for name in names
        if os.path.islink(path := os.path.join(parent, name))
        or not os.path.isfile(path)
        or not os.access(path, os.R_OK)
    ]
