"""The text of an answer: the instructor's, with nbgrader's markers, and the student's stub."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from cnncourse.checking.exercise import Exercise

BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"


def solution_source(exercise: Exercise) -> str:
    """Return the solution's source, and its companions', with nbgrader's markers around each body.

    Raises
    ------
    ValueError
        If one of the functions has no docstring.
    """
    marked = ([*head, f"    {BEGIN}", *body, f"    {END}"] for head, body in _parts(exercise))
    return "\n\n\n".join("\n".join(lines) for lines in marked)


def stub_source(exercise: Exercise) -> str:
    """Return what is left of the solution when its body is taken out: the first line and the docstring."""
    return "\n".join(_split(exercise.solution)[0])


def body_lines(exercise: Exercise) -> list[str]:
    """Return the lines of the solution and its companions that no student may see."""
    return [line for _, body in _parts(exercise) for line in body]


def _parts(exercise: Exercise) -> list[tuple[list[str], list[str]]]:
    return [_split(function) for function in (exercise.solution, *exercise.companions)]


def _split(answer: Callable[..., Any]) -> tuple[list[str], list[str]]:
    source = textwrap.dedent(inspect.getsource(answer)).rstrip()
    function = ast.parse(source).body[0]
    if not isinstance(function, ast.FunctionDef) or ast.get_docstring(function) is None:
        raise ValueError(f"{answer.__name__} of {answer.__module__} must be a function with a docstring")
    lines, cut = source.splitlines(), function.body[0].end_lineno
    return lines[:cut], lines[cut:]
