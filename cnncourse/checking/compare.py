"""The lower rungs of the ladder: type, number of values, shape, dtype, value. The first that fails speaks."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from cnncourse.arrays import Array
from cnncourse.running.plain import Plain

RTOL = ATOL = 1e-5  # wide enough for an answer computed in float32


class Rung(IntEnum):
    """What can be wrong with an answer, in the order in which it is said."""

    NOT_A_FUNCTION = 0
    UNWRITTEN = 1
    RAISED = 2
    RETURNED_NONE = 3
    FORBIDDEN = 4
    TOO_SLOW = 5
    TYPE = 6
    SHAPE = 7
    DTYPE = 8
    CHANGED_INPUT = 9
    VALUE = 10


@dataclass(frozen=True)
class Problem:
    """What is wrong in one case; the arrays are there to be drawn."""

    rung: Rung
    text: str
    got: Array | None = None
    want: Array | None = None
    worst: tuple[int, ...] = ()
    meaning: str = ""  # of an error, in plain words
    error: str = ""  # the class of an error that was raised
    line: int | None = None  # the student's own line, and its text
    code: str = ""
    where: str = ""  # in words, where wrong values lie
    axes: str = ""  # in words, which axes are too long or too short, without their sizes


def compare(
    got: Plain,
    want: Plain,
    axes: Sequence[str] = (),
    rtol: float = RTOL,
    atol: float = ATOL,
    name: str = "output",
) -> Problem | None:
    """Return the first thing that is wrong with `got`, or None if it is a right answer.

    `axes` names the axes of an array, for the messages. A list is as good as an array or a tuple, an int as
    good as a float. `atol` is relative to the largest expected value where that exceeds 1.
    """
    if isinstance(want, np.ndarray):
        return _compare_array(got, want, axes, rtol, atol, name)
    if isinstance(want, dict):
        return _compare_dict(got, want, rtol, atol, name)
    if isinstance(want, tuple | list):
        return _compare_sequence(got, want, axes, rtol, atol, name)
    return _compare_scalar(got, want, rtol, atol, name)


def _compare_scalar(got: Plain, want: Plain, rtol: float, atol: float, name: str) -> Problem | None:
    accepted = (int, float) if type(want) is float else (type(want),)
    if type(got) not in accepted:
        text = f"{name} is {describe(got)}; expected {describe(want)}"
        if type(want) is int and type(got) is float:
            text += ": `/` and `np.floor` make floats even of whole numbers, `//` keeps ints"
        return Problem(Rung.TYPE, text)
    if type(want) is float:
        number = math.copysign(math.inf, got) if abs(got) > 1e300 else float(got)
        close = bool(np.isclose(number, want, rtol=rtol, atol=atol * max(1.0, abs(want)), equal_nan=True))
        return None if close else Problem(Rung.VALUE, f"{name}: " + _got_expected(got, want))
    return None if got == want else Problem(Rung.VALUE, f"{name}: got {got!r}, expected {want!r}")


def _compare_dict(got: Plain, want: dict[str, Plain], rtol: float, atol: float, name: str) -> Problem | None:
    if type(got) is not dict:
        return Problem(Rung.TYPE, f"{name} is {describe(got)}; expected a dict with the keys {_keys(want)}")
    if missing := [key for key in want if key not in got]:
        return Problem(Rung.SHAPE, f"{name} has no key {_keys(missing)}; its keys are {_keys(got) or 'none'}")
    problems = (compare(got[key], want[key], (), rtol, atol, f'{name}["{key}"]') for key in want)
    return min((p for p in problems if p), key=lambda p: p.rung, default=None)


def _compare_sequence(
    got: Plain, want: Sequence[Plain], axes: Sequence[str], rtol: float, atol: float, name: str
) -> Problem | None:
    if isinstance(got, np.ndarray) and got.ndim == 1:
        got = got.tolist()
    if type(got) not in (tuple, list):
        return Problem(Rung.TYPE, f"{name} is {describe(got)}; expected {_several(want)}")
    if len(got) != len(want):
        return Problem(Rung.SHAPE, f"{name} has {len(got)} values, expected {len(want)}")
    problems = (
        compare(g, w, axes if isinstance(w, np.ndarray) else (), rtol, atol, f"{name}[{i}]")
        for i, (g, w) in enumerate(zip(got, want, strict=True))
    )
    return min((p for p in problems if p), key=lambda p: p.rung, default=None)


def _several(want: Sequence[Plain]) -> str:
    """Say what several results are, in a few words."""
    if not any(isinstance(item, np.ndarray) for item in want):
        return f"{len(want)} values"
    return describe(want) if type(want) is list else f"{len(want)} results, with commas between them"


def _compare_array(
    got: Plain, want: Array, axes: Sequence[str], rtol: float, atol: float, name: str
) -> Problem | None:
    array = _as_array(got)
    if isinstance(array, str):
        return Problem(Rung.TYPE, f"{name} is {array}; expected {describe(want)}")
    if array.shape != want.shape:
        return Problem(
            Rung.SHAPE,
            f"{name} has shape {array.shape}, expected {want.shape}{_which_axis(array, want, axes)}",
            axes=_axes_off(array, want, axes),
        )
    wanted = want.astype(np.float64)
    scale = float(np.max(np.abs(wanted), initial=1.0, where=np.isfinite(wanted)))
    right = np.isclose(array.astype(np.float64), wanted, rtol=rtol, atol=atol * scale, equal_nan=True)
    if right.all():
        return None
    if array.dtype.kind in "iub" and want.dtype.kind == "f" and np.array_equal(array, np.trunc(wanted)):
        text = f"{name} has dtype {array.dtype}, which cut off what stands behind the decimal point"
        return Problem(Rung.DTYPE, text, array, want)
    broken = ~np.isfinite(array.astype(np.float64)) & np.isfinite(wanted)
    if broken.any():
        at = tuple(int(i) for i in np.argwhere(broken)[0])
        text = f"{name}{list(at)} is {array[at]} ({_count(broken)} not finite); expected {_number(want[at])}"
        return Problem(Rung.DTYPE, text, array, want, at)
    return _wrong_values(array, want, ~right, axes, name)


def _wrong_values(got: Array, want: Array, wrong: Array, axes: Sequence[str], name: str) -> Problem:
    distance = np.where(wrong, np.abs(got.astype(np.float64) - want.astype(np.float64)), -1.0)
    worst = tuple(int(i) for i in np.unravel_index(int(np.argmax(distance)), want.shape))
    numbers = _got_expected(got[worst], want[worst])
    text = f"{name}{list(worst)}: {numbers} ({_count(wrong)} differ{_where(wrong, axes)})"
    where = re.sub(r"index \d+", "one index", _where(wrong, axes).removeprefix(", "))
    return Problem(Rung.VALUE, text, got, want, worst, where=where)


def _as_array(got: Plain) -> Array | str:
    """Return what came back as an array, or in words why it is none."""
    if isinstance(got, np.ndarray):
        return got
    if type(got) is tuple and any(isinstance(item, np.ndarray) for item in got):
        return f"a tuple of {len(got)} things"
    if type(got) in (list, tuple):
        if not _holds_numbers(got):  # NumPy would give a long text's room to every other item
            return "a list that holds other things than numbers"
        try:
            array = np.asarray(got)
        except ValueError:
            return "a list whose parts have different lengths"
        return array if array.dtype.kind in "biuf" else "a list that holds other things than numbers"
    return describe(got)


def _holds_numbers(got: Plain) -> bool:
    if type(got) in (list, tuple):
        return all(_holds_numbers(item) for item in got)
    return isinstance(got, bool | int | float | np.ndarray)


def _axes_off(got: Array, want: Array, axes: Sequence[str]) -> str:
    """Say which axes are off, without a size."""
    if got.ndim != want.ndim:
        return "the number of axes"
    names = axes if len(axes) == want.ndim else [f"axis {i}" for i in range(want.ndim)]
    off = [names[i] for i in range(want.ndim) if got.shape[i] != want.shape[i]]
    swapped = sorted(got.shape) == sorted(want.shape)
    return " and ".join(off) + (" are mixed up" if swapped else "")


def _which_axis(got: Array, want: Array, axes: Sequence[str]) -> str:
    if got.ndim != want.ndim:
        return f": {got.ndim} ax{'i' if got.ndim == 1 else 'e'}s instead of {want.ndim}"
    labels = [f"axis {i} ({axes[i]})" if len(axes) == want.ndim else f"axis {i}" for i in range(want.ndim)]
    off = [i for i in range(want.ndim) if got.shape[i] != want.shape[i]]
    if sorted(got.shape) == sorted(want.shape):
        return ": the same sizes in another order, " + " and ".join(labels[i] for i in off) + " are mixed up"
    return ": " + ", ".join(f"{labels[i]} is {got.shape[i]} instead of {want.shape[i]}" for i in off)


def _where(wrong: Array, axes: Sequence[str]) -> str:
    """Say in words where the wrong values lie, if they lie somewhere special."""
    if wrong.all() or wrong.sum() < 2:
        return ""
    for axis in range(wrong.ndim):
        hit = np.unique(np.nonzero(wrong)[axis])
        if len(hit) == 1 and wrong.shape[axis] > 1:
            label = axes[axis] if len(axes) == wrong.ndim else f"axis {axis}"
            return f", all at index {hit[0]} of {label}"
    if wrong.ndim < 2 or min(wrong.shape[-2:]) < 3:
        return ""
    rows, columns = wrong.shape[-2:]
    row, column = np.indices((rows, columns))
    for words, region in (
        ("in the last row and column", (row == rows - 1) | (column == columns - 1)),
        ("in the first row and column", (row == 0) | (column == 0)),
        ("on the border", (row == 0) | (column == 0) | (row == rows - 1) | (column == columns - 1)),
    ):
        if not (wrong & ~region).any():
            return f", all {words}"
    return ""


def _count(mask: Array) -> str:
    return f"{'all' if mask.all() else f'{int(mask.sum())} of'} {mask.size} values"


def _got_expected(got: Plain, want: Plain) -> str:
    for digits in (4, 8, 17):
        pair = _number(got, digits), _number(want, digits)
        if pair[0] != pair[1]:
            break
    return f"got {pair[0]}, expected {pair[1]}"


def _number(value: Plain, digits: int = 4) -> str:
    return f"{value:.{digits}g}" if isinstance(value, float | np.floating) else str(value)


def _keys(keys: Sequence[str] | dict[str, Plain]) -> str:
    return ", ".join(f'"{key}"' for key in keys)


def describe(value: Plain) -> str:
    """Say what a piece of plain data is, in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, str):
        return f"the text {value!r:.40}"
    if isinstance(value, bool) or value is None:
        return f"the value {value}"
    if isinstance(value, int | float):
        return f"the {type(value).__name__} {value!r}"
    return f"a {type(value).__name__} of {len(value)} item{'' if len(value) == 1 else 's'}"
