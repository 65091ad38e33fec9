"""How grading a class grows, spreads over machines and survives, as ratios.

    python tools/bench_class.py [scale] [cluster] [kill]

Ends with 1 if a promise is not kept. Students' code runs in the sandbox if this computer has one.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sample_class
from rich.console import Console
from sample_students import CLASS, LAB

from cnncourse.grading.classroom import grade_class
from cnncourse.grading.request import Request
from cnncourse.grading.sandbox import trouble
from cnncourse.grading.scoreboard import Scoreboard
from cnncourse.grading.store import Store

LINEAR = 1.3  # the last quarter of a class may take this much longer than the second
FLAT = 1.1  # and leave the coordinator with this much more memory
TWO_WORKERS = 1.6
KILLS = 20
ROOT = Path(__file__).resolve().parent.parent


def limits() -> dict[str, Any]:
    """Return how students' code is run here."""
    return {"sandbox": False} if trouble() else {}


def say(what: str, value: float, means: str) -> None:
    """Print one line of the table."""
    shown = {True: "", False: "NOT"}[value] if isinstance(value, bool) else f"{value:.3g}"
    print(f"{what:<40}{shown:>6} {means}", flush=True)


@contextmanager
def course(size: int) -> Iterator[Path]:
    """Make a class of `size` students, who hand in what the sample class does."""
    with tempfile.TemporaryDirectory(prefix="cnncourse-bench-") as name:
        folder = Path(name, "class")
        sample_class.build(folder)
        shutil.rmtree(folder / "submitted")
        released = (folder / "notebooks" / LAB / f"{LAB}.ipynb").read_text(encoding="utf-8")
        for number in range(size):
            student = CLASS[number % len(CLASS)]
            notebook = sample_class.submission(json.loads(released), student)
            notebook["metadata"]["handed_in_by"] = number
            text = json.dumps(notebook, indent=1)
            own = folder / "submitted" / f"{student.name}-{number:03}" / LAB
            own.mkdir(parents=True)
            (own / student.filename).write_text(text[: int(len(text) * student.cut)], encoding="utf-8")
        yield folder


def copy(folder: Path) -> Path:
    """Copy a class that has not been graded; the same secret, so the same inputs for the checks."""
    other = folder.with_name(f"{folder.name}-{random.randrange(10**9)}")
    shutil.copytree(folder, other)
    return other


class Watching(Scoreboard):
    """Notes when each student was done and how much memory this process had needed by then."""

    def __init__(self) -> None:
        super().__init__(Console(file=io.StringIO()))
        self.seen: list[tuple[float, int]] = []

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[str], None]]:
        """Note the time and the memory whenever a student is done."""

        def note(_: str) -> None:
            self.seen.append((time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))

        yield note


def scale() -> bool:
    """Grade 300 submissions: time must grow linearly, the coordinator's memory must not grow."""
    size = 300
    with course(size) as folder:
        board = Watching()
        grade_class(folder, Request(LAB, limits()), board)
    quarters = [board.seen[size * part // 4 - 1] for part in (1, 2, 3, 4)]
    times = [later[0] - earlier[0] for earlier, later in itertools.pairwise(quarters)]
    slower, larger = times[2] / times[0], quarters[3][1] / quarters[0][1]
    say("300 submissions, fourth quarter", slower, f"times as long as the second (at most {LINEAR})")
    say("coordinator after 300 submissions", larger, f"times its memory after 75 (at most {FLAT})")
    return slower <= LINEAR and larger <= FLAT


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """Start a Dask scheduler and one-core workers in processes of their own; give the scheduler's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", str(port), "--no-dashboard"]
    worker = [
        sys.executable,
        "-m",
        "distributed.cli.dask_worker",
        address,
        "--nthreads",
        "1",
        "--no-dashboard",
    ]
    started = []
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    try:
        started.append(subprocess.Popen(dask, **quiet))
        for core in sorted(os.sched_getaffinity(0))[:workers]:
            started.append(subprocess.Popen(["taskset", "-c", str(core), *worker], **quiet))
        _wait_for(address, workers)
        yield address
    finally:
        for process in started:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in started:
            process.wait()


def _wait_for(address: str, workers: int) -> None:
    from distributed import Client

    with Client(address, timeout=60) as client:
        client.wait_for_workers(workers, timeout=60)


def on_cluster() -> bool:
    """Grade on two one-core workers and on one: it must be faster, the grades those of this computer."""
    size, warm = 48, 6
    seconds = {}
    with course(size + warm) as folder:
        late = sorted((folder / "submitted").iterdir())[:size]
        aside = folder / "aside"
        aside.mkdir()
        for path in late:  # graded once the workers have imported everything
            path.rename(aside / path.name)
        grade_class(folder, Request(LAB, limits(), dry_run=True), Watching())  # makes the secret
        graded = {}
        for workers in (1, 2, 0):
            there = copy(folder)
            with cluster(workers) if workers else contextlib.nullcontext("") as address:
                request = Request(LAB, limits(), scheduler=address)
                grade_class(there, request, Watching())
                for path in (there / "aside").iterdir():
                    path.rename(there / "submitted" / path.name)
                began = time.monotonic()
                grade_class(there, request, Watching())
                seconds[workers] = time.monotonic() - began
            graded[workers] = everything(there)
    faster = seconds[1] / seconds[2]
    same = graded[0] == graded[1] == graded[2]
    say("two Dask workers", faster, f"times as fast as one (at least {TWO_WORKERS})")
    say("grades and notebooks on a cluster", same, "the same as on this computer")
    return faster >= TWO_WORKERS and same


def everything(folder: Path) -> dict[Any, Any]:
    """Return every row of the gradebook that counts, and the graded notebooks."""
    from nbgrader.api import Gradebook

    found: dict[Any, Any] = {}
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        for submitted in gradebook.assignment_submissions(LAB):
            for book in submitted.notebooks:
                for g in book.grades:
                    found[submitted.student.id, g.name] = (g.auto_score, g.manual_score, g.needs_manual_grade)
                for c in book.comments:
                    found[submitted.student.id, c.name, "comment"] = (c.auto_comment, c.manual_comment)
    for path in sorted((folder / "autograded").rglob("*")):
        if path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def kill() -> bool:
    """Kill workers and coordinators while 100 submissions are graded; compare the gradebooks."""
    seed = random.randrange(10**6)
    dice = random.Random(seed)
    with course(100) as folder:
        grade_class(folder, Request(LAB, limits(), dry_run=True), Watching())  # makes the secret
        calm = copy(folder)
        grade_class(calm, Request(LAB, limits()), Watching())
        killed = _disturb(folder, dice)
        status = _start(folder).wait()
        same = status == 0 and everything(folder) == everything(calm)
    workers = killed.count("worker")
    say(
        "100 submissions",
        len(killed),
        f"kills, {workers} of them of workers (seed {seed})",
    )
    say("gradebook and notebooks after that", same, "the same as undisturbed")
    return same and len(killed) == KILLS


def _start(folder: Path) -> subprocess.Popen[bytes]:
    """Run `cnncourse grade` in a process of its own."""
    program = (
        "import sys; sys.path[:0] = sys.argv[2:]; from pathlib import Path;"
        "from cnncourse.grading.classroom import grade_class; from cnncourse.grading.request import Request;"
        f"rows = grade_class(Path(sys.argv[1]), Request({LAB!r}, {limits()!r}));"
        "sys.exit(any(row.trouble for row in rows))"
    )
    command = [sys.executable, "-c", program, str(folder), str(ROOT)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def _disturb(folder: Path, dice: random.Random) -> list[str]:
    """Kill a worker or the coordinator again and again, some results apart; return what was killed."""
    import psutil

    killed: list[str] = []
    running = _start(folder)
    results = Store(folder, LAB).results
    while len(killed) < KILLS:
        goal = min(len(list(results.glob("*.json"))) + dice.randint(0, 5), 99)
        while running.poll() is None and len(list(results.glob("*.json"))) < goal:
            time.sleep(0.02)
        time.sleep(dice.uniform(0, 2))
        if running.poll() is not None:
            running = _start(folder)
            continue
        victim = dice.choice([running.pid, *(child.pid for child in psutil.Process(running.pid).children())])
        with contextlib.suppress(OSError):
            os.kill(victim, signal.SIGKILL)
            killed.append("coordinator" if victim == running.pid else "worker")
        if victim == running.pid:
            running.wait()
            running = _start(folder)
    running.wait()
    return killed


PARTS: dict[str, Callable[[], bool]] = {"scale": scale, "cluster": on_cluster, "kill": kill}


def main(names: list[str]) -> int:
    """Run the parts that are named, or all; return 1 if a promise is not kept."""
    if unknown := set(names) - set(PARTS):
        print(f"there is no part {', '.join(sorted(unknown))}: they are {', '.join(PARTS)}")
        return 2
    kept = [PARTS[name]() for name in names or PARTS]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
