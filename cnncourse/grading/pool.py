"""Run jobs on this computer's cores: each worker is a process of its own and has one job at a time.

A worker is told its job on stdin, writes the result to the store and answers with one line, so that this
process never holds a result. Whichever worker is killed, it is known which job it had: the job is given to a
new one. When this process is killed, stdin of its workers ends, and they end themselves.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.jobs import job_to_dict
from cnncourse.grading.work import Job
from cnncourse.running.threads import ONE_THREAD

GRADE = "cnncourse.grading.work:grade_submission"
RETRIES = 2
PAUSE = 0.2  # seconds before a job is tried again
START = (
    "import json, sys; options = json.loads(sys.argv[1]); sys.path[:] = options['path']; "
    "from cnncourse.grading.starting import start_quickly; start_quickly(); "
    "from cnncourse.grading.worker import work; work(options)"
)


@dataclass(frozen=True)
class Ended:
    """A job that has ended: its result is in the store or, where `trouble` is not empty, there is none."""

    job_id: str
    trouble: str = ""


class Pool:
    """Workers on this computer for one lab.

    Parameters
    ----------
    folder, lab : the class's folder, which holds the store, and the lab
    workers : how many processes
    grade : module and name of the function that grades a job
    """

    def __init__(self, folder: Path, lab: str, workers: int, grade: str = GRADE) -> None:
        package = str(Path(__file__).resolve().parents[2])
        path = [path for path in sys.path if path not in ("", os.getcwd())]
        self._options = {"path": [*path, package], "folder": str(folder), "lab": lab, "grade": grade}
        self._workers = workers
        self._stop, self._taking = threading.Event(), threading.Lock()
        self._running: set[_Worker] = set()
        self._ended: queue.SimpleQueue[Ended | BaseException | None] = queue.SimpleQueue()
        self._waiting: Iterator[tuple[str, Job]] = iter(())

    def run(self, jobs: Iterable[tuple[str, Job]]) -> Generator[Ended]:
        """Grade jobs and yield each as it ends; results go to the store.

        A job whose worker ends, or raises, is tried `RETRIES` times again and then yielded with its trouble.

        Raises
        ------
        ClassroomError
            If no worker starts.
        """
        self._waiting = iter(jobs)
        threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(self._workers)]
        for thread in threads:
            thread.start()
        try:
            left = len(threads)
            while left:
                found = self._ended.get()
                if isinstance(found, BaseException):
                    raise found
                if found is None:
                    left -= 1
                else:
                    yield found
        finally:
            self._stop.set()
            for worker in list(self._running):
                worker.kill()
            for thread in threads:
                thread.join()

    def _serve(self) -> None:
        """Give jobs to one worker after the other until there are none."""
        worker = None
        try:
            while (task := self._take()) is not None:
                for attempt in range(1 + RETRIES):
                    worker = self._living(worker)
                    if self._stop.is_set():
                        return
                    trouble = worker.grade(*task)
                    if not trouble or self._stop.wait(PAUSE * (attempt + 1)):
                        break
                self._ended.put(Ended(task[0], trouble))
        except BaseException as error:
            self._ended.put(error)
        finally:
            if worker is not None:
                self._drop(worker)
            self._ended.put(None)

    def _take(self) -> tuple[str, Job] | None:
        with self._taking:
            return None if self._stop.is_set() else next(self._waiting, None)

    def _living(self, worker: _Worker | None) -> _Worker:
        """Return the worker if it lives, else a new one."""
        if worker is not None and worker.alive:
            return worker
        words = ""
        for _ in range(1 + RETRIES):
            if worker is not None:
                self._drop(worker)
            worker = _Worker(self._options)
            self._running.add(worker)
            if worker.ready() or self._stop.is_set():
                return worker
            words = worker.last_words()
        raise ClassroomError(f"grading cannot start: {words}")

    def _drop(self, worker: _Worker) -> None:
        self._running.discard(worker)
        worker.close()


class _Worker:
    """A process that grades."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed in `close`)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", START, json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | ONE_THREAD,
            start_new_session=True,  # Ctrl-C is for this process, which then ends its workers
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._told, self._answers = self._process.stdin, self._process.stdout

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ready(self) -> bool:
        """Wait until it has imported everything; return whether it has."""
        return self._read() is not None

    def grade(self, job_id: str, job: Job) -> str:
        """Have a job graded; return what went wrong, if anything."""
        late = threading.Timer(2 * job.settings.notebook_seconds + 120, self.kill)
        late.daemon = True
        late.start()
        try:
            with suppress(OSError):
                self._told.write(json.dumps({"id": job_id, "job": job_to_dict(job)}).encode() + b"\n")
                self._told.flush()
            answer = self._read()
        finally:
            late.cancel()
        return self.last_words() if answer is None else str(answer["trouble"])

    def _read(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(self._answers.readline())
        except (OSError, ValueError):
            return None
        return found

    def last_words(self) -> str:
        """Return how it ended, in one line."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        status = self._process.returncode
        how = "without an answer" if status is None else f"with status {status}"
        if status is not None and status < 0:
            how = f"by signal {signal.Signals(-status).name}"
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 2000))
        words = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return f"the worker ended {how}" + (f" ({words[-1][:200]})" if words else "")

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        """End it: at once, if it does not end by itself."""
        with suppress(OSError):
            self._told.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        self._answers.close()
        self._errors.close()
