"""The CPU time of a program and of all that it starts, also of what was killed meanwhile (Linux)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

A_LOOK = 0.04  # seconds between two looks; what a process uses after the last look at it is missed
TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Moment:
    """A line that a program printed, or its end; the seconds and core-seconds that had gone by."""

    text: str
    wall: float
    cpu: float


@dataclass(frozen=True)
class Run:
    """What a program printed, what it took, and how many cores other programs used meanwhile."""

    lines: list[Moment]
    wall: float
    cpu: float
    others: float

    @property
    def told(self) -> Any:
        """What it said in its last line, which is JSON."""
        return json.loads(self.lines[-1].text)

    @property
    def printed(self) -> str:
        """The end of what it printed."""
        return "".join(line.text for line in self.lines[-40:])


def run(folder: Path, *command: str, **environment: str) -> Run:
    """Run a Python program in a folder, to its end.

    Raises
    ------
    SystemExit
        If it fails.
    """
    began, busy = time.perf_counter(), _busy()
    lines = []
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        with CpuMeter(process.pid) as meter:
            for line in process.stdout:
                lines.append(Moment(line, time.perf_counter() - began, meter.seconds))
            process.wait()
        wall = time.perf_counter() - began
    found = Run(lines, wall, meter.seconds, max(0.0, (_busy() - busy - meter.seconds) / wall))
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{found.printed}")
    return found


def _busy() -> float:
    """Return the core-seconds that all programs of this computer have used."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _idle, _waiting, irq, softirq = map(int, fields[:7])
    return (user + nice + system + irq + softirq) * TICK


class CpuMeter:
    """Counts as long as the ``with`` block lasts; `seconds` is what was used by then.

    The system adds a child's time to its parent's only if the parent waits for it, which nobody does for what
    is killed together with its namespace. So this looks again and again, and keeps the last that it saw.

    Parameters
    ----------
    root : number of the process
    """

    def __init__(self, root: int) -> None:
        self._known, self._others = {root}, set[int]()
        self._used: dict[int, float] = {root: 0.0}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def seconds(self) -> float:
        """CPU seconds of all of them together, user and system."""
        return sum(list(self._used.values()))

    def _watch(self) -> None:
        while not self._ended.wait(A_LOOK):
            self._look()
        self._look()

    def _look(self) -> None:
        there = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        self._others &= there
        found = {pid: times for pid in there - self._others if (times := _parent_and_ticks(pid))}
        growing = True
        while growing:
            more = {pid for pid, (parent, _) in found.items() if parent in self._known} - self._known
            self._known |= more
            growing = bool(more)
        self._others |= found.keys() - self._known
        for pid in found.keys() & self._known:
            used = max(found[pid][1] * TICK, _scheduled(pid))
            self._used[pid] = max(used, self._used.get(pid, 0.0))


def _parent_and_ticks(pid: int) -> tuple[int, int] | None:
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[1]), int(fields[11]) + int(fields[12])
    return None


def _scheduled(pid: int) -> float:
    """Return the seconds of a process's threads that are still there: finer than ticks."""
    total = 0
    with suppress(OSError, ValueError, IndexError):
        for task in os.listdir(f"/proc/{pid}/task"):
            total += int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
    return total / 1e9
