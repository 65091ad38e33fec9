"""Where an answer runs: a checker sends it plain data, gets plain data back, and knows nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cnncourse.checking.failure import Failure, describe_error, failure_of, raised_by, readable
from cnncourse.checking.forbidden import Use, find_use
from cnncourse.checking.plain import NotPlainError, Plain, copy, plain, same
from cnncourse.checking.surroundings import caught
from cnncourse.checking.timelimit import TimeUp, time_limit


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
        given, value, failure = copy(arguments), None, None
        with caught() as (printed, warned):
            try:
                with time_limit(seconds):
                    value = plain(_invoke(self.function, given))
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                failure = self._failure(error, seconds)
        return Outcome(
            value,
            failure,
            readable(printed.getvalue()),
            readable(str(warned[0].message)) if warned else "",
            tuple(name for name in arguments if not same(arguments[name], given[name])),
        )

    def use_of(self, forbidden: Sequence[str]) -> Use | None:
        """Look for the library functions in the source of the function and of the functions that it calls."""
        return find_use(self.function, forbidden)

    def _failure(self, error: BaseException, seconds: float) -> Failure:
        if isinstance(error, TimeUp):
            return failure_of("too slow", f"still running after {seconds:g} s", error)
        if isinstance(error, NotPlainError):
            return Failure("not plain", str(error))
        unwritten = type(error) is NotImplementedError and raised_by(self.function, error)
        return failure_of("unwritten" if unwritten else "raised", describe_error(error), error)


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
