"""What went wrong in an answer: the error in one line, and the student's own line."""

from __future__ import annotations

import linecache
import sysconfig
import traceback
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Kind = Literal["undefined", "died", "unwritten", "not a function", "raised", "too slow", "not plain"]
MAX_MESSAGE = 300  # characters kept of an error's message

LIBRARIES = [
    Path(__file__).resolve().parents[1],
    *(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
]


@dataclass(frozen=True)
class Failure:
    """Why nothing came back."""

    kind: Kind
    message: str
    line: int | None = None  # the student's own line, counted from the top of its cell or file
    code: str = ""  # the text of that line


def failure_of(kind: Kind, message: str, error: BaseException) -> Failure:
    """Return a failure with the student's own line, if the error went through one."""
    frame = _own_frame(error)
    if frame is None:
        return Failure(kind, message)
    code = frame.line or linecache.getline(frame.filename, frame.lineno or 0)
    return Failure(kind, message, frame.lineno, code.strip())


def describe_error(error: BaseException) -> str:
    """Return the type and the message of an error, short, whatever the error does when it is asked."""
    try:
        message = str(error)
    except Exception:
        message = ""
    lines = readable(message).strip().splitlines()[:3]
    return ": ".join([type(error).__name__, *([" ".join(lines)[:MAX_MESSAGE]] if lines else [])])


def readable(text: str) -> str:
    """Return text that can be written as UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def raised_by(function: Any, error: BaseException) -> bool:
    """Whether the function, or a method of the class, raised the error, and not something that it called."""
    innermost = error.__traceback__
    while innermost is not None and innermost.tb_next is not None:
        innermost = innermost.tb_next
    own = [function]
    if isinstance(function, type):
        own = [each for each in vars(function).values() if type(each) is types.FunctionType]
    codes = [getattr(getattr(each, "__wrapped__", each), "__code__", None) for each in own]
    return innermost is not None and any(innermost.tb_frame.f_code is code for code in codes)


def _own_frame(error: BaseException) -> traceback.FrameSummary | None:
    """Return the innermost frame that is neither this package's, nor a library's, nor Python's own."""
    own = None
    for frame in traceback.extract_tb(error.__traceback__):
        inside = Path(frame.filename)
        if not frame.filename.startswith("<frozen") and not any(inside.is_relative_to(p) for p in LIBRARIES):
            own = frame
    return own
