"""Makes the virtual environments: the course's `.venv`, and one with the oldest NumPy that it supports."""

import platform
import re
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tools.steps import ROOT, VENV, CourseError, once, run, say, venv_python

FIRST_RUN_GB = 6  # packages, pip's copies of them while it installs, the built book
LATER_RUN_GB = 0.5
OLD_NUMPY = "1.25.2"
OLD_VENV = ROOT / ".venv-numpy125"

NO_INDEX = (
    "NameResolutionError", "Temporary failure in name resolution", "Failed to establish a new connection",
    "Network is unreachable", "Connection refused", "ConnectTimeoutError", "ReadTimeoutError", "ProxyError",
    "getaddrinfo failed", "nodename nor servname",
)  # fmt: skip
NOT_OFFERED = "ResolutionImpossible"
PAUSES = 10, 60  # seconds before pip's index is asked again


def disk_trouble(free_gb: float, needed_gb: float) -> str:
    """Say that the disk is too full, and for what."""
    return (
        f"the disk of {ROOT} has {free_gb:.1f} GB free and this needs {needed_gb:g} GB: "
        "make room there (or move the folder to a larger disk), then run the same command again"
    )


def check_disk(first_run: bool) -> None:
    """Raise CourseError where the disk is too full to go on."""
    needed = FIRST_RUN_GB if first_run else LATER_RUN_GB
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < needed:
        raise CourseError(disk_trouble(free, needed))


def pip_trouble(output: str) -> str | None:
    """Return what to do about pip's failure where its output tells, else None."""
    if any(sign in output for sign in NO_INDEX):
        return (
            "pip cannot reach its package index: connect to the network (or set HTTPS_PROXY, or "
            "PIP_INDEX_URL for a mirror), then run the same command again; what was downloaded is kept"
        )
    if NOT_OFFERED in output:
        return (
            "pip's index did not offer every pinned version just now: run the same command again; if it "
            "stays so, requirements.txt and constraints.txt name versions that are gone"
        )
    missing = re.search(r"No matching distribution found for (\S+)", output)
    if missing:
        here = f"Python {sys.version_info[0]}.{sys.version_info[1]}"
        return f"pip finds no {missing[1]} for {here}: use Python 3.11, as in `make course PYTHON=python3.11`"
    return None


def install(venv: Path, arguments: Sequence[str], log: str) -> None:
    """Run `pip install` in a virtual environment; what a person can mend is told in one line.

    An index that does not answer one of hundreds of questions makes pip say that no versions fit: it is asked
    again before a person is.
    """
    command = [venv_python(venv), "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    status, output = run(command, log, venv)
    for pause in PAUSES:
        if not status or NOT_OFFERED not in output:
            break
        say(f"   pip's index did not offer every pinned version: asking again in {pause} s")
        time.sleep(pause)
        status, output = run(command, log, venv)
    if status and pip_trouble(output):
        raise CourseError(str(pip_trouble(output)))
    if status:
        say("\n".join(output.splitlines()[-6:]))
        raise CourseError(f"pip failed (all it printed: _build/logs/{log}.txt)")


def create(venv: Path) -> None:
    """Make an empty virtual environment, anew if one is there."""
    # Not from inside the environment that this may be, for it is emptied first.
    python = getattr(sys, "_base_executable", sys.executable)
    status, output = run([python, "-m", "venv", "--clear", venv], "venv")
    if status:
        say("\n".join(output.splitlines()[-6:]))
        raise CourseError(
            "this Python has no working venv: on Debian or Ubuntu, sudo apt install python3-venv"
        )


def identity() -> str:
    """Return what a virtual environment is tied to: this Python, and where this folder stands."""
    return f"{sys.version} {sys.base_prefix} {ROOT}"


def made_here(venv: Path) -> bool:
    """Whether this version of Python made the environment, and here: a copy still points to its old place."""
    try:
        settings = (venv / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return False
    known = dict(re.findall(r"^(\w+) = (.*)$", settings, flags=re.MULTILINE))
    return known.get("version") == platform.python_version() and known.get("command", "").endswith(f" {venv}")


def make_venv() -> None:
    """Make or update `.venv`: the pinned packages, and cnncourse itself, editable."""
    python = venv_python()
    check_disk(first_run=not python.exists())

    def packages() -> None:
        if not made_here(VENV):
            create(VENV)
        install(VENV, ["-r", "requirements.txt"], "packages")
        # Its build backend is one of the pinned packages: no second environment, no second download.
        install(VENV, ["--no-deps", "--no-build-isolation", "--editable", "."], "cnncourse")

    once(
        "environment",
        "installing the packages of requirements.txt into .venv (the first time: minutes, about 2 GB)",
        packages,
        inputs=("requirements.txt", "constraints.txt", "pyproject.toml"),
        needs=(python,),
        extra=identity(),
    )


def make_old_venv() -> None:
    """Make `.venv-numpy125`: NumPy 1.25 and pytest, no torch. That is what runs in the reader's browser."""

    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pytest = [line for line in pins if line.startswith(("pytest==", "pytest-xdist=="))]

    def packages() -> None:
        create(OLD_VENV)
        install(OLD_VENV, [f"numpy=={OLD_NUMPY}", *pytest, "-c", "constraints.txt"], "packages-numpy125")

    once(
        "environment-numpy125",
        f"installing NumPy {OLD_NUMPY} and pytest into {OLD_VENV.name}",
        packages,
        inputs=("constraints.txt",),
        needs=(venv_python(OLD_VENV),),
        extra=identity() + OLD_NUMPY + "".join(pytest),
    )
