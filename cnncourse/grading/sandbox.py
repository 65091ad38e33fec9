"""The outer wall: bubblewrap around a warm process that forks a kernel for each submission."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import site
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import psutil

from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.settings import Settings
from cnncourse.running.threads import ONE_THREAD

PACKAGE = Path(__file__).resolve().parents[1]
# What of this package a submission may see; the answers to the exercises, the checks and the grading are not.
HIDDEN = ("checking", "exercises", "grading", "cli.py", "doctor.py", "__main__.py", "labs")
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
FILES = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/fonts",
    "/etc/alternatives",
)
START_SECONDS = 120.0
SCRATCH = "/scratch"  # as in cnncourse/inside/walls.py
ENVIRONMENT = {
    "HOME": SCRATCH,
    "TMPDIR": SCRATCH,
    "IPYTHONDIR": f"{SCRATCH}/.ipython",
    "MPLCONFIGDIR": f"{SCRATCH}/.matplotlib",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    **ONE_THREAD,
    "OMP_THREAD_LIMIT": "1",  # also after torch.set_num_threads(4): threads do not survive a fork
    "NBGRADER_EXECUTION": "autograde",
    "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",  # macOS ends a fork of a process that has used Cocoa
}
REFUSED = (
    "students' code is not run without a sandbox. {why}. `cnncourse doctor` says how to mend it; "
    "`cnncourse grade --no-sandbox` grades without one, with your own rights, and says so in the report"
)


class SandboxError(ClassroomError):
    """There is no sandbox on this computer, or it broke."""


class Sandbox:
    """A warm process behind the outer wall; one kernel at a time is forked from it.

    Parameters
    ----------
    settings : limits; with ``settings.sandbox`` false there are no walls at all
    modules : what to import before the first fork

    Raises
    ------
    SandboxError
        If it does not start; the message says why and what to do.
    """

    def __init__(self, settings: Settings, modules: Sequence[str] = ()) -> None:
        if os.name != "posix":
            raise SandboxError("kernels are forked, and Windows cannot: grade in WSL or in a container")
        wall = outer_wall() if settings.sandbox else []
        self.settings = settings
        self._scratch = "" if settings.sandbox else tempfile.mkdtemp(prefix="cnncourse-")
        ours, theirs = socket.socketpair()
        options = {
            "control": theirs.fileno(),
            "modules": list(modules),
            "walls": settings.sandbox,
            "scratch": self._scratch,
            "limits": {
                "memory_mb": settings.memory_mb,
                "scratch_mb": settings.scratch_mb,
                "processes": settings.processes,
                "seconds": int(settings.notebook_seconds) + 1,
            },
        }
        command = [sys.executable, "-I", str(PACKAGE / "inside" / "zygote.py"), json.dumps(options)]
        command = [*wall, *command]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (read while it runs, closed in `close`)
        try:
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                env=ENVIRONMENT | {"PATH": os.defpath},
                start_new_session=True,
            )
        finally:
            theirs.close()
        self._control = ours
        self._control.settimeout(START_SECONDS)
        try:
            threads = self._listen()["threads"]
            if threads != 1:
                raise SandboxError(f"the warm process has {threads} threads, of which a fork would copy one")
        except SandboxError:
            self.close()
            raise

    def fork(self, descriptors: Sequence[int]) -> None:
        """Fork a kernel that is given these sockets; the one before is killed.

        Raises
        ------
        SandboxError
            If none can be forked.
        """
        socket.send_fds(self._control, [b'{"op": "fork"}'], list(descriptors))
        if not self._listen()["forked"]:
            raise SandboxError(self._last_words())

    def kill(self) -> None:
        """Kill the kernel with all that it started, and wait until it is gone."""
        self._control.sendall(b'{"op": "kill"}')
        self._listen()
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)
            os.makedirs(self._scratch, exist_ok=True)

    def close(self) -> None:
        """End the warm process and everything behind the wall."""
        self._control.close()
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, 9)
        self._process.wait()
        self._errors.close()
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def memory_mb(self) -> float:
        """Return the memory of the kernel and all that it started, without what they share."""
        sizes = list(self._sizes())
        common = min(sizes, default=0.0)
        return sum(max(size - common, 0.0) for size in sizes)

    def _sizes(self) -> Iterator[float]:
        first = psutil.Process(self._process.pid)
        for process in (first, *first.children(recursive=True)):
            with contextlib.suppress(psutil.Error, OSError):
                size = _own_memory(process)
                if size > 10e6:  # neither bubblewrap itself nor a process that is ending
                    yield size / 1e6

    def _listen(self) -> dict[str, int]:
        text = b""
        while not text.endswith(b"\n"):
            try:
                part = self._control.recv(4096)
            except OSError:
                part = b""
            if not part:
                raise SandboxError(self._last_words())
            text += part
        found: dict[str, int] = json.loads(text)
        return found

    def _last_words(self) -> str:
        deadline = time.monotonic() + 1
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        self._errors.seek(0)
        lines = self._errors.read(20_000).decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else "the warm process ended without a word"


def _own_memory(process: psutil.Process) -> int:
    """Return the bytes in use by a process that no file stands for; memory shared with others counts too."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():  # macOS
        return int(process.memory_info().rss)
    found = re.findall(r"^(?:RssAnon|RssShmem):\s*(\d+) kB", status.read_text(), flags=re.MULTILINE)
    return sum(1024 * int(size) for size in found)


def outer_wall() -> list[str]:
    """Return bubblewrap's command line: Python and libraries, read-only, and nothing else of this computer.

    Raises
    ------
    SandboxError
        If bubblewrap is not installed.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxError("bubblewrap (bwrap) is not installed")
    wall = [program, "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    wall += ["--unshare-cgroup-try", "--die-with-parent", "--clearenv"]
    if os.getuid() == 0:  # the warm process gives root up for good: see cnncourse/inside/walls.py
        wall += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        wall += ["--unshare-user"]
    path = [str(Path(sys.executable).parent), "/usr/bin", "/bin"]
    for name, value in (ENVIRONMENT | {"PATH": os.pathsep.join(path)}).items():
        wall += ["--setenv", name, value]
    wall += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", SCRATCH]
    for folder in (*SYSTEM, *FILES, *_libraries()):
        if os.path.islink(folder):
            wall += ["--symlink", os.readlink(folder), folder]
        elif os.path.exists(folder):
            wall += [*_parents(folder), "--ro-bind", folder, folder]
    wall += [*_parents(str(PACKAGE)), "--tmpfs", str(PACKAGE)]
    for child in sorted(PACKAGE.iterdir()):
        if child.name not in HIDDEN and child.name != "__pycache__" and not child.is_symlink():
            wall += ["--ro-bind", str(child), str(child)]
    wall += ["--remount-ro", str(PACKAGE), "--remount-ro", "/dev", "--remount-ro", "/"]
    return [*wall, "--chdir", SCRATCH]


def _parents(path: str) -> list[str]:
    """Return the options that make the folders above `path`, readable whatever they are outside."""
    above = [str(parent) for parent in reversed(Path(path).parents) if parent != Path("/")]
    return [part for parent in above for part in ("--perms", "0755", "--dir", parent)]


def _libraries() -> list[str]:
    """Return the folders of Python and its packages that `SYSTEM` does not hold, outermost first."""
    folders = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix]
    folders += [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    folders += [*site.getsitepackages(), site.getusersitepackages()]
    found: list[str] = []
    for folder in sorted({*folders, *map(os.path.realpath, folders)}, key=len):
        inside = any(Path(folder).is_relative_to(other) for other in (*SYSTEM, *found))
        if not inside and os.path.isdir(folder):
            found.append(folder)
    return found


@lru_cache(maxsize=1)
def trouble() -> str:
    """Return why there is no sandbox here, as one line, or an empty text. Tried once, for real."""
    if not sys.platform.startswith("linux"):
        return f"the sandbox needs Linux, and this is {sys.platform}"
    try:
        sandbox = Sandbox(Settings())
    except SandboxError as error:
        return str(error)
    ours, theirs = socket.socketpair()
    with ours, theirs, contextlib.closing(sandbox):
        try:
            sandbox.fork([theirs.fileno()])
        except SandboxError as error:
            return str(error)
    return ""
