"""The text of an answer: the instructor's, with nbgrader's markers, and the student's stub."""

from __future__ import annotations

import ast
import inspect
import textwrap

from cnncourse.checking.exercise import Exercise

BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"


def solution_source(exercise: Exercise) -> str:
    """Return the solution's source with nbgrader's markers around its body, the docstring left outside.

    Raises
    ------
    ValueError
        If the solution has no docstring.
    """
    head, body = _split(exercise)
    return "\n".join([*head, f"    {BEGIN}", *body, f"    {END}"])


def stub_source(exercise: Exercise) -> str:
    """Return what is left when the body is taken out: the first line and the docstring."""
    return "\n".join(_split(exercise)[0])


def body_lines(exercise: Exercise) -> list[str]:
    """Return the lines of the solution that no student may see."""
    return _split(exercise)[1]


def _split(exercise: Exercise) -> tuple[list[str], list[str]]:
    source = textwrap.dedent(inspect.getsource(exercise.solution)).rstrip()
    function = ast.parse(source).body[0]
    if not isinstance(function, ast.FunctionDef) or ast.get_docstring(function) is None:
        raise ValueError(f"the solution of {exercise.id} must be a function with a docstring")
    lines, cut = source.splitlines(), function.body[0].end_lineno
    return lines[:cut], lines[cut:]
