"""What is wrong with an answer, in the course's own words alone.

A student's function sees the inputs that are held back, and could put them into its results, its errors and
what it prints. So nothing that came out of the function is repeated: no value, no shape, no message. What is
said depends on it only as a choice between fixed sentences.
"""

from __future__ import annotations

import builtins
from collections.abc import Collection

from cnncourse.checking.compare import Problem, Rung
from cnncourse.checking.explain import MEANINGS, SIGNATURE
from cnncourse.checking.report import CaseResult
from cnncourse.checking.training import Missed

MOST_CODE = 120  # characters of a line of code
OTHER_ERROR = "an error of its own class"

_BUILTIN = (found for found in vars(builtins).values() if isinstance(found, type))
ERRORS = {found.__name__ for found in _BUILTIN if issubclass(found, BaseException)} | {
    "LinAlgError",
    "AxisError",
}
EXPLAINED = {meaning for _, meaning in (*MEANINGS, *SIGNATURE)}


def error_class(problem: Problem) -> str:
    """Return the class of the error that was raised, if it is one of Python's or NumPy's."""
    return problem.error if problem.error in ERRORS else OTHER_ERROR


def meaning_of(problem: Problem) -> str:
    """Return what the error means, or an empty string."""
    return problem.meaning if problem.meaning in EXPLAINED else ""


def own_line(problem: Problem, own_lines: Collection[str]) -> str:
    """Return the student's line if it is one of `own_lines`, else an empty string."""
    if problem.rung not in (Rung.RAISED, Rung.TOO_SLOW) or problem.code not in own_lines:
        return ""
    return problem.code if len(problem.code) <= MOST_CODE else problem.code[:MOST_CODE] + " ..."


def what_is_wrong(name: str, result: CaseResult, own_lines: Collection[str]) -> str:
    """Return one or two sentences, the first of which may follow a colon.

    Parameters
    ----------
    name : the function's
    result : a case with a problem
    own_lines : lines of the submission's code, stripped
    """
    problem = result.problem
    assert problem is not None
    if isinstance(problem, Missed):
        return f"{problem.text}."
    match problem.rung:
        case Rung.NOT_A_FUNCTION:
            return (
                f"`{name}` is not a function where its check stands: was its cell deleted or renamed, "
                "stopped by an error, or the name given to something else?"
            )
        case Rung.UNWRITTEN:
            return "the function still raises `NotImplementedError`."
        case Rung.RAISED if problem.error:
            return f"it raised {error_class(problem)}."
        case Rung.RAISED:
            return "it stopped Python itself, so that nothing came back."
        case Rung.RETURNED_NONE:
            return "it returned `None`: its last line must `return` the result."
        case Rung.FORBIDDEN:
            return _forbidden(problem, own_lines)
        case Rung.TOO_SLOW:
            return "it ran too long and was stopped: a loop that does not end, or far more steps than needed?"
        case Rung.CHANGED_INPUT:
            return _changed(problem, result)
    return _returned(problem)


def _returned(problem: Problem) -> str:
    match problem.rung:
        case Rung.TYPE if "`//` keeps ints" in problem.text:
            return "it returned a float where the task asks for an int: `/` makes floats, `//` keeps ints."
        case Rung.TYPE:
            return (
                "it returned another kind of thing than the task asks for: compare with the task's contract."
            )
        case Rung.SHAPE:
            return _shape(problem.axes)
        case Rung.DTYPE if problem.got is not None and problem.got.dtype.kind in "iub":
            return "it returned an array of whole numbers: what stands behind the decimal point was cut off."
        case Rung.DTYPE:
            return "values are `nan` or infinite: a division by 0, or a place that was never filled?"
    if problem.want is None or problem.want.ndim == 0:
        return "the result is wrong."
    return "the shape is right, values are wrong."


def _shape(axes: str) -> str:
    if not axes:
        return "it returned more or fewer values than the task names, or other keys."
    if axes == "the number of axes":
        return "the result has more or fewer axes than the task names."
    if axes.endswith(" are mixed up"):
        return f"the sizes of the result are in the wrong order: {axes}."
    return f"the shape of the result is wrong in {axes}."


def _changed(problem: Problem, result: CaseResult) -> str:
    names = [f"`{name}`" for name in result.case.arguments if f"`{name}`" in problem.text]
    its_input = " ".join(["its input", *([" and ".join(names)] if names else [])])
    return (
        f"it changes {its_input} in place, and whoever called it is left with other numbers. "
        "Work on a new array or a copy."
    )


def _forbidden(problem: Problem, own_lines: Collection[str]) -> str:
    if problem.code and problem.code not in own_lines:
        return (
            "the answer uses a library function that would be the whole of this exercise or a part of it; "
            "write it without."
        )
    return f"{problem.text}."
