"""An IPython shell without a front end: runs a cell and collects what it shows."""

from __future__ import annotations

import base64
import gc
import signal
import sys
import traceback
import warnings
from types import FrameType, TracebackType
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from cnncourse.running.failure import describe_error, readable

MAX_SHOWN = 2_000_000  # characters that a cell may show in all
MAX_PIECES = 500  # outputs of one cell
KINDS = ("text/plain", "image/png", "image/jpeg")


class TimeUp(BaseException):
    """Raised in a cell whose time is up. No `except Exception` of a student's catches it."""


class Shown:
    """What a cell shows, in order, as long as there is room."""

    def __init__(self) -> None:
        self.outputs: list[dict[str, Any]] = []
        self.room = MAX_SHOWN

    def add(self, output: dict[str, Any], size: int) -> None:
        """Add an output, unless there is no room for it."""
        self.room -= size
        if self.room > 0 and len(self.outputs) < MAX_PIECES:
            self.outputs.append(output)

    def write(self, name: str, text: str) -> None:
        """Add text to the stream of this name."""
        text = readable(str(text))[: max(self.room, 0)]
        self.room -= len(text)
        last = self.outputs[-1] if self.outputs else {}
        if last.get("output_type") == "stream" and last["name"] == name:
            last["pieces"].append(text)
        elif text and len(self.outputs) < MAX_PIECES:
            self.outputs.append({"output_type": "stream", "name": name, "pieces": [text]})

    def finished(self) -> list[dict[str, Any]]:
        """Return the outputs as a notebook holds them."""
        for output in self.outputs:
            if "pieces" in output:
                output["text"] = "".join(output.pop("pieces"))
        return self.outputs


shown = Shown()


class Stream:
    """Stands in for stdout or stderr."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, name: str) -> None:
        self.name = name

    def write(self, text: str) -> int:
        """Collect the text."""
        shown.write(self.name, text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Collect the lines."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Do nothing: nothing is kept back."""

    def isatty(self) -> bool:
        """Say that nobody is watching."""
        return False

    def fileno(self) -> int:
        """Say that there is no file."""
        raise OSError("there is no file behind this stream")


class Publisher(DisplayPublisher):
    """Collects what `display` shows."""

    def publish(self, data: Any, *_: Any, **__: Any) -> None:
        """Add a bundle to the outputs."""
        _add_bundle("display_data", data)

    def clear_output(self, wait: bool = False) -> None:
        """Forget what the cell has shown."""
        shown.outputs.clear()


class Hook(DisplayHook):
    """Collects the value of a cell's last line."""

    def __call__(self, result: Any = None) -> None:
        if result is None or self.quiet():  # type: ignore[no-untyped-call]
            return
        data, _ = self.compute_format_data(result)  # type: ignore[no-untyped-call]
        self.update_user_ns(result)  # type: ignore[no-untyped-call]
        _add_bundle("execute_result", data)


class Shell(InteractiveShell):
    """Runs cells; errors become outputs that show the student's own lines alone."""

    def ask_exit(self) -> None:
        """Stay: a forgotten `quit()` costs nobody the cells below it."""

    def showtraceback(self, *_: Any, **__: Any) -> None:
        """Add the current error to the outputs."""
        kind, error, tb = sys.exc_info()
        if error is not None and kind is not None and not isinstance(error, SystemExit):
            add_error(kind.__name__, describe_error(error), tb)

    def showsyntaxerror(self, *_: Any, **__: Any) -> None:
        """Add a syntax error to the outputs."""
        _kind, error, _tb = sys.exc_info()
        if isinstance(error, SyntaxError):
            place = f" (line {error.lineno}: {(error.text or '').strip()})"
            add_error(type(error).__name__, f"{error.msg}{place}", None)

    def enable_gui(self, gui: Any = None) -> None:
        """There is no window to draw in."""


def add_error(name: str, text: str, tb: TracebackType | None) -> None:
    """Add an error to the outputs, with the lines of cells that led to it."""
    frames = [f for f in traceback.extract_tb(tb) if not f.filename.startswith(("/", "<frozen"))]
    lines = [f"{f.name}, line {f.lineno}: {f.line}" for f in frames[-8:]]
    evalue = readable(text.removeprefix(f"{name}: "))
    trace = [*map(readable, lines), readable(text if text.startswith(name) else f"{name}: {text}")]
    shown.room = max(shown.room, 10_000)  # an error is shown however much came before it
    output = {"output_type": "error", "ename": name[:100], "evalue": evalue[:2000], "traceback": trace}
    shown.outputs[MAX_PIECES - 1 :] = []
    shown.outputs.append(output)


def _add_bundle(output_type: str, data: Any) -> None:
    bundle = {}
    for kind in KINDS:
        value = data.get(kind)
        if isinstance(value, bytes):
            value = base64.b64encode(value).decode("ascii")
        if isinstance(value, str):
            bundle[kind] = readable(value)
    if bundle:
        shown.add({"output_type": output_type, "data": bundle}, sum(map(len, bundle.values())))


def make_shell() -> Shell:
    """Return the shell of this process; it starts no thread, so that the process can be forked."""
    warnings.filterwarnings("ignore", message="To exit:")
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.autocall = 0
    shell: Shell = Shell.instance(
        config=config, display_pub_class=Publisher, displayhook_class=Hook, user_ns={"__name__": "__main__"}
    )
    return shell


def run_cell(shell: Shell, source: str, seconds: float) -> list[dict[str, Any]]:
    """Run a cell for at most so many seconds and return its outputs."""
    global shown
    shown = Shown()
    sys.stdout, sys.stderr = Stream("stdout"), Stream("stderr")
    signal.signal(signal.SIGALRM, _time_up)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)  # again, for code that swallows the first
        try:
            shell.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except TimeUp:
        signal.setitimer(signal.ITIMER_REAL, 0)
    except SystemExit:
        pass
    if figures := sys.modules.get("matplotlib.pyplot"):
        figures.close("all")
        gc.collect(0)
    return shown.finished()


def _time_up(_signal: int, _frame: FrameType | None) -> None:
    raise TimeUp("the time for this cell is up")
