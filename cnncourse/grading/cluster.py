"""Run jobs on a Dask cluster: the same function on other machines, which need the package and nothing else.

A submission and its released notebook travel as bytes, and become files again in a temporary folder. Of the
class's secret only the seeds that are derived from it travel.
"""

from __future__ import annotations

import logging
import queue
import tempfile
import time
import warnings
from collections.abc import Generator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.files import entries, open_plain
from cnncourse.grading.jobs import job_from_dict, job_to_dict
from cnncourse.grading.pool import GRADE, RETRIES, Ended
from cnncourse.grading.sources import sources_digest
from cnncourse.grading.store import Store
from cnncourse.grading.work import Job
from cnncourse.grading.worker import function, in_a_line

LARGEST = 64_000_000  # bytes of a file; of a larger one only its size travels: it is no notebook
CONNECT = 20  # seconds for a scheduler to answer
PATIENCE = 60.0  # seconds without any worker
A_LOOK = 2.0  # seconds between two looks at a quiet cluster


class Cluster:
    """Workers of the Dask scheduler at `address`; results come back and go to `store`.

    Raises
    ------
    ClassroomError
        If Dask is not installed, or nothing answers at `address`.
    """

    def __init__(self, address: str, store: Store, grade: str = GRADE) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise ClassroomError(
                "grading on a cluster needs Dask: python -m pip install distributed, here and for its workers"
            ) from None
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what is of interest is raised
        self._address, self._store, self._grade = address, store, grade
        try:
            self._client = Client(address, timeout=CONNECT, set_as_default=False)  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            raise ClassroomError(
                f"no Dask scheduler answers at {address} ({in_a_line(error)}): `dask scheduler` starts one"
            ) from None
        self._ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._seen = time.monotonic()  # when there was a worker

    def run(self, jobs: Iterable[tuple[str, Job]]) -> Generator[Ended]:
        """Grade jobs and yield each as it ends; only a few are on their way at a time.

        Raises
        ------
        ClassroomError
            If the cluster is lost or has no workers; what has ended by then is in the store.
        """
        waiting, flying = iter(jobs), 0
        try:
            while True:
                # No job waits on a worker: one that ends should take no other job than its own with it.
                while flying < max(1, self._threads()) and (task := next(waiting, None)) is not None:
                    self._send(*task)
                    flying += 1
                if not flying:
                    return
                if (future := self._wait()) is not None:
                    flying -= 1
                    yield self._receive(future)
        finally:
            with suppress(Exception):  # a lost cluster cannot be told goodbye
                self._client.close(timeout=5)  # type: ignore[no-untyped-call]

    def _send(self, job_id: str, job: Job) -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph")  # of a notebook with large pictures
            future = self._client.submit(
                grade_packed, pack(job), self._grade, sources_digest(), key=job_id, retries=RETRIES, pure=True
            )
        future.add_done_callback(self._ended.put)  # type: ignore[no-untyped-call]

    def _threads(self) -> int:
        """Return how many jobs the workers can have at once."""
        workers = self._client.scheduler_info(n_workers=-1).get("workers", {})
        return sum(int(worker["nthreads"]) for worker in workers.values())

    def _wait(self) -> Any:
        """Return a future that has ended, or None after a while."""
        with suppress(queue.Empty):
            found = self._ended.get(timeout=A_LOOK)
            self._seen = time.monotonic()
            return found
        if self._client.status != "running":
            raise ClassroomError(f"the Dask scheduler at {self._address} is lost: {AGAIN}")
        if self._threads():
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > PATIENCE:
            raise ClassroomError(
                f"the Dask scheduler at {self._address} has no workers: start some with "
                f"`dask worker {self._address} --nthreads 1`, then {AGAIN}"
            )
        return None

    def _receive(self, future: Any) -> Ended:
        if future.status in ("cancelled", "lost"):
            raise ClassroomError(f"the Dask scheduler at {self._address} is lost: {AGAIN}")
        try:
            text = future.result(timeout=CONNECT)
        except Exception as error:
            killed = type(error).__name__ == "KilledWorker"
            return Ended(future.key, "each worker that was given it ended" if killed else in_a_line(error))
        finally:
            future.release()
        self._store.save(future.key, text)
        return Ended(future.key)


AGAIN = "run the same command again; what has been graded is kept"


def pack(job: Job) -> dict[str, Any]:
    """Return a job and the files that it reads as plain data."""
    folder = Path(job.folder)
    files = [
        (entry.name, entry.kind, entry.size, _content(folder / entry.name, entry.size))
        for entry in entries(folder)
        if entry.kind != "folder"
    ]
    return {"job": job_to_dict(job), "files": files, "released": Path(job.released).read_bytes()}


def _content(path: Path, size: int) -> bytes:
    """Return what is in a file that may be a notebook; the other files are only looked at from outside."""
    if ".ipynb" not in path.name.lower() or size > LARGEST or (file := open_plain(path)) is None:
        return b""
    with file:
        return file.read(LARGEST)


def grade_packed(packed: dict[str, Any], grade: str, sources: str) -> str:
    """Grade what `pack` made, on a worker; return the result as text.

    Raises
    ------
    ClassroomError
        If the worker has another version of this package, or of what it stands on.
    """
    if sources != sources_digest():
        raise ClassroomError(
            "a worker has another version of cnncourse, Python or NumPy than this computer: install the same"
        )
    with tempfile.TemporaryDirectory(prefix="cnncourse-") as scratch:
        folder, released = Path(scratch, "submitted"), Path(scratch, "released", packed["job"]["name"])
        for path, content in ((folder, None), (released, packed["released"])):
            (path if content is None else path.parent).mkdir()
            if content is not None:
                path.write_bytes(content)
        for name, kind, size, content in packed["files"]:
            _unpack(folder / name, kind, size, content)
        job = job_from_dict({**packed["job"], "folder": str(folder), "released": str(released)})
        return function(grade)(job).to_json()


def _unpack(path: Path, kind: str, size: int, content: bytes) -> None:
    """Make a file as large as it was, with its content if that came along, or a link to nowhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "link":
        path.symlink_to("nowhere")
    elif kind == "file":
        with open(path, "wb") as file:
            file.write(content)
            file.truncate(size)
