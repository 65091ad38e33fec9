"""Runs a page's cells as a notebook would: shared names, output as it comes, errors in the reader's lines.

It runs inside the browser's worker, with NumPy 1.25. What it shows goes to file descriptor 1, a line of JSON
each, which worker.js hands to the page.
"""

from __future__ import annotations

import ast
import html
import io
import json
import linecache
import os
import re
import sys
import time
import traceback
import types
from typing import Any

MAX_TEXT = 20_000  # characters shown of one run: an endless print must not fill the page
MAX_SHOWN = 50  # cards and pictures of one run
MAX_HTML = 300_000  # characters of one card
MAX_SIDE = 16  # rows and columns of an array that is drawn
PAUSE = 0.05  # seconds between two messages to the page
STRONGEST = 0.55  # of the full colour, so that a number on it can be read on white and on black

NAMES = sys.modules["__main__"].__dict__
_cells: set[str] = set()


class Output(io.TextIOBase):
    """What cells print, sent to the page in pieces, and no more than a page can show."""

    def begin(self) -> None:
        """Start a run with an empty page."""
        self._room, self._shown, self._sent = MAX_TEXT, MAX_SHOWN, 0.0
        self._waiting: list[str] = []

    def writable(self) -> bool:
        """Whether text can be written, which `print` asks."""
        return True

    def write(self, text: str) -> int:
        """Keep the text until there is something worth a message."""
        if self._room > 0:
            self._waiting.append(text[: self._room])
            self._room -= len(text)
            if self._room <= 0:
                self._waiting.append(f"\n… more than {MAX_TEXT:,} characters: the rest is not shown")
            if self._room <= 0 or time.monotonic() - self._sent > PAUSE:
                self.flush()
        return len(text)

    def flush(self) -> None:
        """Send what waits."""
        text, self._sent = "".join(self._waiting), time.monotonic()
        self._waiting = []
        if text:
            _send("text", text)

    def show(self, kind: str, shown: str) -> None:
        """Send something that is not printed text, after what was printed before it."""
        self.flush()
        self._shown -= 1
        if self._shown >= 0:
            _send(kind, shown)
        elif self._shown == -1:
            _send("text", f"\n… more than {MAX_SHOWN} cards and pictures: the rest is not shown")


output = Output()
output.begin()


def _send(kind: str, content: str) -> None:
    os.write(1, (json.dumps({"kind": kind, "content": content}) + "\n").encode())


def run(cell: str, source: str) -> None:
    """Run a cell, show the value of its last expression, and show an error where there is one."""
    output.begin()
    _cells.add(cell)
    lines = [line + "\n" for line in source.split("\n")]  # as linecache reads a file
    linecache.cache[cell] = (len(source), None, lines, cell)
    try:
        tree = ast.parse(source, cell)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, cell, "exec"), NAMES)
        if isinstance(last, ast.Expr):
            display(eval(compile(ast.Expression(last.value), cell, "eval"), NAMES), quiet=True)
    except BaseException as error:  # a cell that ends Python ends only itself
        output.flush()
        _send("error", describe(error))
    finally:
        output.flush()


def display(*values: Any, quiet: bool = False) -> None:
    """Show values as a notebook does; a small array of two axes as a picture with its numbers."""
    for value in values:
        if value is None and quiet:
            continue
        shown = value._repr_html_() if hasattr(value, "_repr_html_") else picture(value)
        if shown is not None and len(shown) <= MAX_HTML:
            output.show("html", shown)
        else:
            text = repr(value)
            more = "" if len(text) <= MAX_TEXT else " …"
            output.show("value", text[:MAX_TEXT] + more)


def describe(error: BaseException) -> str:
    """Return the traceback with the reader's own lines only."""
    shown = traceback.TracebackException.from_exception(error)
    seen: traceback.TracebackException | None = shown
    while seen is not None:
        own = [frame for frame in seen.stack if frame.filename in _cells]
        seen.stack = traceback.StackSummary.from_list(own)
        seen = seen.__cause__ or seen.__context__
    place = re.compile(r'^  File "(.+)", line (\d+)(?:, in <module>)?', re.MULTILINE)
    return place.sub(r"  Cell \1, line \2", "".join(shown.format()))


def picture(value: Any) -> str | None:
    """Return a small array of numbers as a table: blue above zero, red below, zero the page's ground."""
    numpy = sys.modules.get("numpy")
    if numpy is None or type(value) is not numpy.ndarray or value.ndim != 2 or value.dtype.kind not in "biuf":
        return None
    if not 0 < min(value.shape) <= max(value.shape) <= MAX_SIDE:
        return None
    from cnncourse.colors import NEGATIVE, POSITIVE

    finite = numpy.abs(value[numpy.isfinite(value)].astype(float))
    limit = float(finite.max(initial=0)) or 1.0
    rows = []
    for row in value.tolist():
        cells = []
        for number in row:
            share = STRONGEST * abs(number) / limit if abs(number) <= limit else 0
            color = ", ".join(map(str, NEGATIVE if number < 0 else POSITIVE))
            cells.append(f'<td style="background-color: rgba({color}, {share:.2f})">{_number(number)}</td>')
        rows.append(f"<tr>{''.join(cells)}</tr>")
    caption = f"array, {value.shape[0]} by {value.shape[1]}, {value.dtype}"
    return f'<table class="try-it-array"><caption>{caption}</caption><tbody>{"".join(rows)}</tbody></table>'


def _number(number: float) -> str:
    text = f"{number:.3g}" if isinstance(number, float) else str(number)
    return html.escape(text.replace("-", "\N{MINUS SIGN}"))


class HTML:
    """HTML to be shown, as `IPython.display.HTML`."""

    def __init__(self, data: str) -> None:
        self.data = data

    def _repr_html_(self) -> str:
        return self.data


def publish_display_data(data: dict[str, str]) -> None:
    """Show the richest of several forms of one thing, as `IPython.display.publish_display_data`."""
    if "text/html" in data:
        output.show("html", data["text/html"])
    else:
        output.show("value", data.get("text/plain", ""))


def install() -> None:
    """Stand in for the notebook: where output goes, and the few names of IPython that show something."""
    ipython, shown = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    shown.__dict__.update(display=display, HTML=HTML, publish_display_data=publish_display_data)
    ipython.__dict__.update(get_ipython=lambda: output, display=shown)
    sys.modules.update({"IPython": ipython, "IPython.display": shown})
    sys.stdout = sys.stderr = output
    NAMES["display"] = display


install()
