"""Look at the files of a submission without following a link, opening a device or reading one whole."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

BLOCK = 1 << 20


@dataclass(frozen=True)
class Entry:
    """One thing in a submission's folder; `name` is its path within the folder."""

    name: str
    kind: Literal["file", "folder", "link", "other"]
    size: int = 0


def entries(folder: Path) -> Iterator[Entry]:
    """Yield all that lies in a folder and below, in an order that depends on the names alone."""
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        found = []
        with suppress(OSError), os.scandir(folder / inside) as scan:
            found = sorted(scan, key=lambda entry: os.fsencode(entry.name))
        below = []
        for entry in found:
            name = os.path.join(inside, entry.name)
            try:
                about = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISDIR(about.st_mode):
                below.append(name)
                yield Entry(name, "folder")
            elif stat.S_ISREG(about.st_mode):
                yield Entry(name, "file", about.st_size)
            else:
                yield Entry(name, "link" if stat.S_ISLNK(about.st_mode) else "other")
        waiting += reversed(below)


def open_plain(path: Path) -> BinaryIO | None:
    """Open a plain file for reading; None if it is no plain file, or may not be read."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError):
        return None
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return open(handle, "rb")
    os.close(handle)
    return None


def digest(folder: Path) -> str:
    """Return a hash of a folder's names and contents; what a link points to is not looked at."""
    total = hashlib.sha256()
    for entry in entries(folder):
        total.update(f"{entry.kind} {len(os.fsencode(entry.name))} ".encode())
        total.update(os.fsencode(entry.name))
        total.update(file_digest(folder / entry.name).encode() if entry.kind == "file" else b"-")
    return total.hexdigest()


def file_digest(path: Path) -> str:
    """Return a hash of a file's content, read block by block; "unreadable" if it cannot be read."""
    file = open_plain(path)
    if file is None:
        return "unreadable"
    total = hashlib.sha256()
    with file:
        while block := file.read(BLOCK):
            total.update(block)
    return total.hexdigest()
