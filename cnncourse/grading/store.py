"""What a class's grading has come to, on disk: results by the id of their job, a journal, and a lock.

In the class's folder::

    .cnncourse/results/<lab>/<job id>.json    what came of a job
    .cnncourse/journal/<lab>.jsonl            what was written to the gradebook: a line a submission
    .cnncourse/lock                           held while `cnncourse grade` runs

A result is there whole or not at all, and a journal's line is on disk before anything follows it: whoever is
killed leaves nothing that the next run could misread.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.work import Result

OWN_FOLDER = ".cnncourse"
UNFINISHED = ".unfinished"


class Store:
    """The results of one lab in a class's folder."""

    def __init__(self, folder: Path, lab: str) -> None:
        self.results = folder / OWN_FOLDER / "results" / lab
        self.journal = folder / OWN_FOLDER / "journal" / f"{lab}.jsonl"

    def __contains__(self, job_id: str) -> bool:
        return self._path(job_id).is_file()

    def _path(self, job_id: str) -> Path:
        return self.results / f"{job_id}.json"

    def save(self, job_id: str, text: str) -> None:
        """Write a result, as `Result.to_json` gives it."""
        write_whole(self._path(job_id), text.encode("ascii"))

    def load(self, job_id: str) -> Result | None:
        """Return a result; None if there is none, or a file that nobody can read."""
        try:
            return Result.from_json(self._path(job_id).read_text(encoding="ascii"))
        except (OSError, ValueError, TypeError, LookupError):
            return None

    def forget(self, job_id: str) -> None:
        """Remove a result."""
        self._path(job_id).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what workers left that were killed while they wrote."""
        for path in self.results.glob(f"*{UNFINISHED}"):
            path.unlink(missing_ok=True)

    def record(self, student: str, jobs: Mapping[str, str]) -> None:
        """Note what the gradebook was written from for a student: job ids by notebook; none while it is."""
        line = json.dumps({"student": student, "jobs": dict(jobs), "time": round(time.time())})
        self.journal.parent.mkdir(parents=True, exist_ok=True)
        with open(self.journal, "ab+") as file:
            file.seek(0, os.SEEK_END)
            if file.tell():  # a line that was torn must not swallow this one
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else "\n" + line
            file.write(line.encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def recorded(self) -> dict[str, dict[str, str]]:
        """Return for each student the job ids, by notebook, that the gradebook was last written from."""
        found: dict[str, dict[str, str]] = {}
        if not self.journal.is_file():
            return found
        with open(self.journal, "rb") as file:
            for line in file:
                with suppress(ValueError, TypeError, LookupError, AttributeError):
                    entry = json.loads(line)
                    found[str(entry["student"])] = {str(k): str(v) for k, v in entry["jobs"].items()}
        return {student: jobs for student, jobs in found.items() if jobs}


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is there with all of its content or, whatever happens meanwhile, as it was before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name[:16]}-", suffix=UNFINISHED)
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


@contextmanager
def locked(folder: Path, lab: str) -> Iterator[None]:
    """Hold the class's folder for one `cnncourse grade`; the lock ends with the process, however it ends.

    Raises
    ------
    ClassroomError
        If another one holds it; the message names it.
    """
    path = folder / OWN_FOLDER / "lock"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        if not _lock(file):
            file.seek(0)
            holder = " ".join(file.read(300).split()) or "another `cnncourse grade`"
            raise ClassroomError(f"{holder} is at work in this folder: wait until it has ended, or end it")
        file.truncate(0)
        now = time.strftime("%H:%M:%S")
        file.write(f"`cnncourse grade {lab}` (process {os.getpid()} on {socket.gethostname()}, since {now})")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _lock(file: IO[Any]) -> bool:
    """Lock an open file; return whether it was free."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
