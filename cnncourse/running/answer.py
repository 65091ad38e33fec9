"""Call an answer with plain data and say, as plain data, what it did."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cnncourse.running.failure import Failure, describe_error, failure_of, raised_by, readable
from cnncourse.running.plain import NotPlainError, Plain, copy, plain, same
from cnncourse.running.surroundings import caught
from cnncourse.running.timelimit import TimeUp, time_limit
from cnncourse.running.ways import WAYS


@dataclass(frozen=True)
class Outcome:
    """What one call of an answer did, as plain data."""

    value: Plain = None
    failure: Failure | None = None
    printed: str = ""
    warned: str = ""
    changed: tuple[str, ...] = ()  # names of the arguments that it changed in place


def call_answer(
    answers: Sequence[Any], way: str, arguments: dict[str, Plain], seconds: float, slack: float = 1
) -> Outcome:
    """Call an answer on copies of the arguments; catch all that it raises, prints and changes.

    Parameters
    ----------
    answers : the function, or the functions that belong together
    way : how arguments become calls, a key of `WAYS`
    arguments : by name, in the order of the function's signature
    seconds, slack : after so long the call is given up, as `time_limit` says
    """
    for answer in answers:
        if not callable(answer):
            kind = type(answer).__name__
            return Outcome(failure=Failure("not a function", f"this name holds something of type {kind}"))
    given, value, failure = copy(arguments), None, None
    with caught() as (printed, warned):
        try:
            with time_limit(seconds, slack):
                value = plain(WAYS[way](invoke, answers, given))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            failure = _failure(answers, error, seconds)
    return Outcome(
        value,
        failure,
        readable(printed.getvalue()),
        readable(str(warned[0].message)) if warned else "",
        tuple(name for name in arguments if not same(arguments[name], given[name])),
    )


def _failure(answers: Sequence[Any], error: BaseException, seconds: float) -> Failure:
    if isinstance(error, TimeUp):
        return failure_of("too slow", f"still running after {seconds:g} s", error)
    if isinstance(error, NotPlainError):
        return Failure("not plain", str(error))
    unwritten = type(error) is NotImplementedError and any(raised_by(answer, error) for answer in answers)
    return failure_of("unwritten" if unwritten else "raised", describe_error(error), error)


def invoke(function: Callable[..., Any], arguments: dict[str, Plain]) -> Any:
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
