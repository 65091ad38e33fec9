"""Where an answer runs: a checker sends it plain data, gets plain data back, and knows nothing else."""

from __future__ import annotations

import contextlib
import inspect
import io
import linecache
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from cnncourse.checking.forbidden import Use, find_use
from cnncourse.checking.plain import NotPlainError, Plain, copy, plain, same
from cnncourse.checking.timelimit import TimeUp, time_limit

MAX_PRINTED = 2_000  # characters kept of what an answer prints


@dataclass(frozen=True)
class Failure:
    """Why nothing came back."""

    kind: Literal["unwritten", "not a function", "raised", "too slow", "not plain"]
    message: str
    line: int | None = None  # the student's own line, counted from the top of its cell or file
    code: str = ""  # the text of that line


@dataclass(frozen=True)
class Outcome:
    """What one call of a candidate did, as plain data."""

    value: Plain = None
    failure: Failure | None = None
    printed: str = ""
    warned: str = ""
    changed: tuple[str, ...] = ()  # names of the arguments that it changed in place


class Candidate(Protocol):
    """An answer to an exercise, wherever it runs: in this process, in another one, in a browser."""

    def call(self, arguments: dict[str, Plain], seconds: float) -> Outcome:
        """Call the answer with these arguments, for at most so many seconds."""

    def use_of(self, forbidden: Sequence[str]) -> Use | None:
        """Return the first place where the answer uses one of these library functions."""


class LocalCandidate:
    """A function in this process."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def call(self, arguments: dict[str, Plain], seconds: float) -> Outcome:
        """Call the function on copies of the arguments; catch all that it raises, prints and changes."""
        if not callable(self.function):
            kind = type(self.function).__name__
            return Outcome(failure=Failure("not a function", f"this name holds something of type {kind}"))
        given, printed = copy(arguments), io.StringIO()
        value, failure = None, None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                with (
                    contextlib.redirect_stdout(printed),
                    contextlib.redirect_stderr(printed),
                    time_limit(seconds),
                ):
                    value = _invoke(self.function, given)
                value = plain(value)
            except TimeUp as error:
                failure = _failure("too slow", f"still running after {seconds:g} s", error)
            except NotPlainError as error:
                value, failure = None, Failure("not plain", str(error))
            except NotImplementedError as error:
                failure = _failure("unwritten", str(error), error)
            except (Exception, SystemExit) as error:
                failure = _failure("raised", _describe(error), error)
        return Outcome(
            value,
            failure,
            printed.getvalue()[:MAX_PRINTED],
            str(caught[0].message) if caught else "",
            tuple(name for name in arguments if not same(arguments[name], given[name])),
        )

    def use_of(self, forbidden: Sequence[str]) -> Use | None:
        """Look for the library functions in the source of the function and of the functions that it calls."""
        return find_use(self.function, forbidden)


def _invoke(function: Callable[..., Any], arguments: dict[str, Plain]) -> Any:
    """Call with keywords where the function has these names, by position where it has its own."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # compiled functions may have no signature
        return function(*arguments.values())
    by_name = {name for name, p in parameters.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    catches_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    catches_more = any(p.kind is p.VAR_POSITIONAL for p in parameters.values())
    positional = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters.values())
    if by_name >= set(arguments):
        return function(**arguments)
    if catches_more or (positional >= len(arguments) and not catches_all):
        return function(*arguments.values())
    return function(**arguments)


def _describe(error: BaseException) -> str:
    message = str(error)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _failure(kind: Literal["unwritten", "raised", "too slow"], message: str, error: BaseException) -> Failure:
    frame = _own_frame(error)
    if frame is None:
        return Failure(kind, message)
    return Failure(
        kind,
        message,
        frame.lineno,
        (frame.line or linecache.getline(frame.filename, frame.lineno or 0)).strip(),
    )


def _own_frame(error: BaseException) -> traceback.FrameSummary | None:
    """Return the innermost frame that is neither this package's, nor a library's, nor Python's own."""
    own = None
    for frame in traceback.extract_tb(error.__traceback__):
        inside = Path(frame.filename)
        if not frame.filename.startswith("<frozen") and not any(
            inside.is_relative_to(root) for root in _LIBRARIES
        ):
            own = frame
    return own


_LIBRARIES = [
    Path(__file__).resolve().parents[1],
    *(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
]
