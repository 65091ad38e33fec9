"""The steps behind the Makefile: `make course` builds and serves all, `make test` checks all.

Runs under any Python 3 with nothing installed, so the version check stands before every other import.
"""

import sys

OLDEST = (3, 11)


def version_trouble(version):  # type: ignore[no-untyped-def]
    """Return what to do about a Python that is too old, else None."""
    if tuple(version[:2]) >= OLDEST:
        return None
    return (
        "this is Python {}.{} and the course needs {}.{} or newer: install one from python.org, then run "
        "`make course PYTHON=python3.11` (the name of the one you installed)"
    ).format(*version[:2], *OLDEST)


if version_trouble(sys.version_info):
    sys.exit("course: " + str(version_trouble(sys.version_info)))

import errno
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tools.building import fill_work, make_book, make_class, make_labs, make_pdf
from tools.checks import all_checks, lint, quick_tests, run_checks
from tools.environment import make_venv
from tools.serve import ports, serve
from tools.steps import ROOT, CourseError, run, say, venv_python
from tools.vendor import make_vendor

GENERATED = (
    "_build", ".venv", ".venv-numpy125", "dist", ".jupyter_cache",
    ".mypy_cache", ".pytest_cache", ".ruff_cache", "**/__pycache__", "*.egg-info",
)  # fmt: skip


def course() -> None:
    """Build everything, then serve it."""
    serving = os.environ.get("SERVE", "1") != "0"
    book_port, lab_port = ports() if serving else (0, 0)
    make_venv()
    make_labs()
    make_vendor()
    make_book()
    make_pdf()
    make_class()
    fill_work()
    if serving:
        serve(book_port, lab_port, partial(make_book, brief=True))
    else:
        say("Built: the book is in _build/html, the labs are in work/. `make serve` serves both.")


def serve_built() -> None:
    """Serve what is built, building what is not."""
    book_port, lab_port = ports()
    make_venv()
    make_vendor()
    make_book()
    fill_work()
    serve(book_port, lab_port, partial(make_book, brief=True))


BENCHES = (
    "bench", "bench_seeds", "bench_layers", "bench_boxes", "bench_detectors", "bench_page", "lighthouse",
    "bench_grading", "bench_class",
)  # fmt: skip


def bench() -> None:
    """Measure everything; go on after a target that is missed, and end with 1 then."""
    missed = []
    for name in BENCHES:
        say(f"== {name}")
        status, _ = run([venv_python(), f"tools/{name}.py"], name, echo=True)
        missed += [name] if status else []
    if missed:
        raise CourseError(f"not as it should be: {', '.join(missed)}")


def clean(root: Path = ROOT) -> None:
    """Remove what is generated; work/ and everything committed stay."""
    for pattern in GENERATED:
        for path in sorted(root.glob(pattern)):
            if "work" not in path.relative_to(root).parts:
                shutil.rmtree(path, ignore_errors=True)
    say("removed what is generated; work/ is as it was")


def in_venv(*actions: Callable[[], None]) -> Callable[[], None]:
    """Return the actions in their order, the environment made first."""

    def run_all() -> None:
        make_venv()
        for action in actions:
            action()

    return run_all


TARGETS: dict[str, Callable[[], None]] = {
    "course": course,
    "venv": make_venv,
    "labs": in_venv(make_labs),
    "vendor": in_venv(make_vendor),
    "book": in_venv(make_vendor, make_book),
    "pdf": in_venv(make_vendor, make_book, make_pdf),
    "serve": serve_built,
    "lint": in_venv(lambda: run_checks([lint()])),
    "test": in_venv(make_vendor, lambda: run_checks(all_checks(make_book, make_pdf))),
    "test-fast": in_venv(lambda: run_checks([quick_tests()])),
    "bench": in_venv(bench),
    "clean": clean,
}


def main(arguments: list[str]) -> int:
    """Run one target; trouble that a person can mend is one line."""
    if len(arguments) != 1 or arguments[0] not in TARGETS:
        say("usage: python -m tools.course " + "|".join(TARGETS))
        return 2
    try:
        TARGETS[arguments[0]]()
    except CourseError as trouble:
        say(f"course: {trouble}")
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        say(f"course: the disk of {ROOT} is full: make room there, then run the same command again")
        return 1
    except KeyboardInterrupt:
        say("\ncourse: stopped; the same command goes on where this ended")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
