"""What the tests need of this system besides Python's packages: bubblewrap and a Chromium."""

import os
import shutil
import sys

from tools.steps import CourseError, must, run, say, venv_python

WHY = "from cnncourse.doctor import sandbox_trouble; print(sandbox_trouble() or '')"
FIND = "from tools.chromium import find_chromium; print(find_chromium())"
INSTALL = ("apt-get", "install", "-y", "--no-install-recommends")


def need_sandbox() -> None:
    """See whether students' code can be shut in here; the tests of that are skipped where it cannot.

    Root on Debian and Ubuntu, as in a container, is not asked: bubblewrap is installed.

    Raises
    ------
    CourseError
        If there is no sandbox in a run on Linux that has CI=true: there nobody would notice what was skipped.
    """
    if not sys.platform.startswith("linux"):
        say("   tests that need a sandbox are skipped: it needs Linux")
        return
    if shutil.which("bwrap") is None:
        _install("bubblewrap")
    why = must([venv_python(), "-c", WHY], "sandbox").strip()
    if not why:
        say("   a sandbox stands")
        return
    _go_without(
        f"no sandbox: {why}; `{venv_python().with_name('cnncourse')} doctor` says how to mend it",
        "tests that need a sandbox",
    )


def need_chromium() -> None:
    """See whether there is a browser, fetch one where not; what needs it is skipped if that fails.

    Raises
    ------
    CourseError
        If there is none in a run that has CI=true.
    """
    if not _chromium():
        say("   fetching playwright's Chromium")
        run([venv_python(), "-m", "playwright", "install", "chromium"], "chromium")
    if not _chromium():
        _install("chromium")
    if found := _chromium():
        say(f"   {found}")
        return
    why = "no Chromium on this system, and neither playwright nor apt-get (as root) brought one"
    _go_without(f"{why}: install it by hand", "tests in a browser, and the book as a PDF,")


def _chromium() -> str:
    return must([venv_python(), "-c", FIND], "chromium-found").strip()


def _go_without(line: str, what: str) -> None:
    if os.environ.get("CI") == "true":
        raise CourseError(line)
    say(f"   {what} are skipped: {line}")


def _install(package: str) -> None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    say(f"   installing {package}")
    status, _ = run((*INSTALL, package), package)
    if status:  # a fresh system has no list of packages yet
        run(("apt-get", "update"), "apt-get")
        run((*INSTALL, package), package)
