"""Builds the book again when a file is saved.

Files are looked at, not subscribed to: `make serve` runs under any Python with nothing installed, and what a
system tells of changes stops at the borders of containers and network drives.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from tools.pages import Showing
from tools.steps import ROOT, CourseError, say

WATCHED = ("_config.yml", "_toc.yml", "book", "cnncourse", "notebooks", "solutions", "tools")
Files = dict[str, tuple[int, int]]


def state(paths: Iterable[Path]) -> Files:
    """Return time and size of each file of the paths, without what editors and Python leave there."""
    found = {}
    for file in (file for path in paths for file in _files(path)):
        name = os.path.basename(file)
        if not name.startswith((".", "#")) and not name.endswith(("~", ".pyc")):
            with suppress(OSError):  # gone, or a link to nothing
                about = os.stat(file)
                found[file] = (about.st_mtime_ns, about.st_size)
    return found


def _files(path: Path) -> Iterator[str]:
    if path.is_file():
        yield str(path)
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        yield from (os.path.join(folder, name) for name in names)


def rebuild_on_save(
    build: Callable[[], bool],
    showing: Showing,
    ended: Callable[[], bool],
    paths: Sequence[Path] = tuple(ROOT / name for name in WATCHED),
    pause: float = 0.3,
) -> None:
    """Build and show the book whenever files have changed, until `ended` says so.

    Parameters
    ----------
    build
        Builds, and returns whether there was something to do; CourseError says in a line what went wrong.
    pause
        Seconds between two looks. What is the same at two looks has been saved: quick saves are one.
    """
    built = before = state(paths)
    while not ended():
        time.sleep(pause)
        now = state(paths)
        settled, before = now == before, now
        if now == built or not settled:
            continue
        say(f"\nsaved: {_changed(built, now)}")
        built = now
        try:
            if build():
                showing.update()
                say("   the open pages load again")
        except CourseError as trouble:
            say(f"course: {trouble}\n   The pages stay as they were. Mend it and save: it is built again.")


def _changed(before: Files, now: Files) -> str:
    files = sorted(file for file in before.keys() | now.keys() if before.get(file) != now.get(file))
    return ", ".join(os.path.relpath(file, ROOT) for file in files[:3]) + (" ..." if files[3:] else "")
