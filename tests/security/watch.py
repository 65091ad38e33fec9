"""What an attack could have done to this computer: files, processes, memory."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import socket
import stat
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil

MEGABYTE = 1_000_000


def fingerprint(folders: Iterable[Path]) -> dict[str, str]:
    """Return, for every file below the folders, a hash of its content, its mode and its time."""
    found = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            status = path.lstat()
            content = ""
            if stat.S_ISREG(status.st_mode):
                content = _content(
                    path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
                )
            found[str(path)] = f"{content} {status.st_mode:o} {status.st_mtime_ns}"
    return found


@cache
def _content(path: Path, *_: int) -> str:
    """Hash a file, again only when its change time is another: whoever writes moves it, and nobody can set it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def listing(*folders: Path) -> set[str]:
    """Return the paths below the folders; a changed file shows in its time."""
    found = set()
    for folder in folders:
        for parent, _, names in os.walk(folder):
            found |= {f"{parent}/{name}" for name in names}
    return found


def descendants(process: int) -> set[int]:
    """Return the numbers of the processes that this one has started, and they, and so on."""
    return {child.pid for child in psutil.Process(process).children(recursive=True)}


@contextmanager
def listening(folder: Path) -> Iterator[dict[str, str]]:
    """Listen on this computer, over TCP and two kinds of Unix sockets, and return where."""
    abstract, path = f"cnncourse-{os.getpid()}", str(folder / "listening")
    port, places = "", dict[int, list[Any]]()
    places |= {socket.AF_INET: [("127.0.0.1", 0)]}
    places[socket.AF_UNIX] = [path, f"\0{abstract}"] if sys.platform == "linux" else [path]
    with ExitStack() as stack:
        for family, addresses in places.items():
            for address in addresses:
                one = stack.enter_context(socket.socket(family))
                one.bind(address)
                one.listen()
                port = str(one.getsockname()[1]) if family == socket.AF_INET else port
        yield {"PORT": port, "SOCKET": path, "ABSTRACT": abstract}


@dataclass
class Memory:
    """How much memory was used while something ran, in MB: of the whole computer, and of this process."""

    everything: float = 0.0
    judge: float = 0.0


@contextmanager
def memory_watched() -> Iterator[Memory]:
    """Measure how much more memory is in use while the block runs than before it."""
    used, own = Memory(), psutil.Process()
    free, size, done = psutil.virtual_memory().available, own.memory_info().rss, threading.Event()

    def look() -> None:
        while not done.wait(0.05):
            used.everything = max(used.everything, (free - psutil.virtual_memory().available) / MEGABYTE)
            used.judge = max(used.judge, (own.memory_info().rss - size) / MEGABYTE)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield used
    finally:
        done.set()
        thread.join()


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fail if the block is not done by then: a judge that hangs is a hole like any other."""

    def late(*_: object) -> None:
        raise AssertionError(f"the judge did not come back in {seconds:g} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def little_memory(megabytes: int) -> Iterator[None]:
    """Let this process take only so much more: what a student sends must not fill the computer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    size = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (size + megabytes * 1_000_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
