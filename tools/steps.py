"""The parts of the steps of tools/course.py: stamps of inputs, commands with progress, one-line errors."""

import errno
import hashlib
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
VENV = ROOT / ".venv"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class CourseError(Exception):
    """Something a person can mend; its text is one line that says how."""


def say(text: str) -> None:
    """Print at once, so that our lines and those of the commands stay in order."""
    print(text, flush=True)


def venv_python(venv: Path = VENV) -> Path:
    """Return the Python of a virtual environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def environment(venv: Path = VENV) -> dict[str, str]:
    """Return the variables of this process as activating the virtual environment would change them."""
    path = os.pathsep.join([str(venv_python(venv).parent), os.environ.get("PATH", "")])
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    return {**kept, "PATH": path, "VIRTUAL_ENV": str(venv), "PYTHONUNBUFFERED": "1"}


def digest(globs: Iterable[str], extra: str = "") -> str:
    """Hash names and contents of the files that the globs find below the root, in a fixed order."""
    found = {path for pattern in globs for path in ROOT.glob(pattern) if path.is_file()}
    state = hashlib.sha256(extra.encode())
    for path in sorted(found):
        if "__pycache__" in path.parts or ".ipynb_checkpoints" in path.parts:
            continue
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        state.update(f"{path.relative_to(ROOT).as_posix()} {content}\n".encode())
    return state.hexdigest()


def once(
    name: str,
    what: str,
    action: Callable[[], None],
    inputs: Sequence[str],
    derived: Sequence[str] = (),
    needs: Sequence[Path] = (),
    extra: str = "",
) -> bool:
    """Run `action` unless its stamp says that nothing changed; return whether it ran.

    Parameters
    ----------
    name, what
        The step and what it does, for the person who waits.
    action
        Does the work; raises to leave the stamp as it was.
    inputs, derived
        Globs below the root: what the step reads, and what it writes into the tree.
    needs
        Files that must exist for the step to count as done.
    extra
        Anything else that the result depends on.
    """
    stamp = BUILD / "stamps" / name
    before = digest(inputs, extra)
    state = f"{before} {digest(derived)}"
    if stamp.exists() and stamp.read_text() == state and all(path.exists() for path in needs):
        say(f"== {name}: unchanged")
        return False
    say(f"== {name}: {what}")
    start = time.monotonic()
    action()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(f"{before} {digest(derived)}")
    say(f"   done in {time.monotonic() - start:.0f} s")
    return True


class Ticker:
    """Shows that a long command lives: its last line beside the seconds, in place on a terminal."""

    def __init__(self) -> None:
        self.last = ""
        self._start = time.monotonic()
        self._live = sys.stdout.isatty()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> "Ticker":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._live:
            print("\r\033[K", end="", flush=True)

    def _tick(self) -> None:
        while not self._stop.wait(1 if self._live else 15):
            line = f"   {time.monotonic() - self._start:4.0f} s  {self.last[:80]}"
            print(f"\r\033[K{line}" if self._live else line, end="" if self._live else "\n", flush=True)


def run(command: Sequence[str | Path], log: str, venv: Path = VENV, echo: bool = False) -> tuple[int, str]:
    """Run a command at the root; return its exit status and its output, which `_build/logs/<log>.txt` keeps.

    With `echo` its lines are shown as they come; otherwise a ticking line shows the last one.
    """
    path = BUILD / "logs" / f"{log}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    with (
        path.open("w", encoding="utf-8") as file,
        subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT, env=environment(venv), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace",
        ) as process,
    ):  # fmt: skip
        assert process.stdout is not None
        try:
            if echo:
                for line in process.stdout:
                    print(line, end="", flush=True)
                    file.write(line)
                    lines.append(line)
            else:
                with Ticker() as ticker:
                    for line in process.stdout:
                        ticker.last = COLOURS.sub("", line).strip() or ticker.last
                        file.write(line)
                        lines.append(line)
        except BaseException:
            process.terminate()  # Ctrl-C reaches it too; what else ends this program does not
            raise
    output = "".join(lines)
    if process.returncode and "No space left on device" in output:
        raise OSError(errno.ENOSPC, "No space left on device")
    return process.returncode, output


def must(command: Sequence[str | Path], log: str, venv: Path = VENV) -> str:
    """Run a command that has to succeed; show the end of its output and name the log if it does not."""
    status, output = run(command, log, venv)
    if status:
        say("\n".join(output.splitlines()[-30:]))
        shown = shlex.join(str(part) for part in command)
        raise CourseError(f"this ended with status {status}: {shown} (all it printed: _build/logs/{log}.txt)")
    return output
