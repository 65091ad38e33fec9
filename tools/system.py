"""What the tests need of this system besides Python's packages: bubblewrap, the sandbox's outer wall."""

import os
import shutil
import sys

from tools.steps import CourseError, must, run, say, venv_python

WHY = "from cnncourse.doctor import sandbox_trouble; print(sandbox_trouble() or '')"
INSTALL = ("apt-get", "install", "-y", "--no-install-recommends", "bubblewrap")


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
        _install()
    why = must([venv_python(), "-c", WHY], "sandbox").strip()
    if not why:
        say("   a sandbox stands")
        return
    line = f"no sandbox: {why}; `{venv_python().with_name('cnncourse')} doctor` says how to mend it"
    if os.environ.get("CI") == "true":
        raise CourseError(line)
    say(f"   tests that need a sandbox are skipped: {line}")


def _install() -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    say("   installing bubblewrap")
    status, _ = run(INSTALL, "bubblewrap")
    if status:  # a fresh system has no list of packages yet
        run(("apt-get", "update"), "apt-get")
        run(INSTALL, "bubblewrap")
