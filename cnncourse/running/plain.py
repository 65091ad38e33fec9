"""Plain data: what a candidate is given and what it may give back.

None, bool, int, float, str, numeric arrays, and lists, tuples and dicts of them, each of exactly that type.
An object
of a student's own class could compare equal to everything, so it is named and refused, never compared.
"""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np

from cnncourse.arrays import Array

Plain = Any  # None | bool | int | float | str | Array | list[Plain] | tuple[Plain, ...] | dict[str, Plain]

MAX_DEPTH = 8
MAX_ITEMS = 1_000_000
MAX_BITS = 1024
NUMERIC_KINDS = "biuf"
ADVICE = (
    (np.ndarray, ": wrap it in np.asarray(...)"),
    (dict, ": wrap it in dict(...)"),
    (tuple, ": wrap it in tuple(...)"),
    (list, ": wrap it in list(...)"),
    (types.GeneratorType, ": use `return`, not `yield`"),
    (types.CoroutineType, ": write `def`, not `async def`"),
)


class NotPlainError(Exception):
    """Something that is not plain data; the message says what and where."""


def plain(value: object) -> Plain:
    """Return `value` as plain data.

    NumPy scalars, 0-d arrays, tensors and parameters are read as what they hold.

    Raises
    ------
    NotPlainError
        If it is anything else.

    Examples
    --------
    >>> plain((np.float64(0.5), np.array(3)))
    (0.5, 3)
    """
    return _plain(value, "", 0)


def _plain(value: object, where: str, depth: int) -> Plain:
    kind = type(value)
    if kind is str:
        return str(value).encode("utf-8", "replace").decode("utf-8")
    if kind is int and int(value).bit_length() > MAX_BITS:  # type: ignore[call-overload]
        raise NotPlainError(f"a whole number of more than {MAX_BITS} bits{where}")
    if value is None or kind in (bool, int, float):
        return value
    if kind is np.ndarray or (kind.__module__ == "numpy" and isinstance(value, np.generic)):
        return _plain_array(np.asarray(value), where)
    if kind in _tensor_types():
        return _plain_tensor(value, where)
    if kind in (list, tuple, dict):
        return _plain_container(value, where, depth)
    advice = next((text for base, text in ADVICE if issubclass(kind, base)), "")
    owner = "" if kind.__module__ in ("__main__", "builtins") else f"{kind.__module__}."
    raise NotPlainError(f"an object of type {owner}{kind.__qualname__}{where}{advice}")


def _plain_array(value: Array, where: str) -> Plain:
    if value.dtype.kind not in NUMERIC_KINDS:
        raise NotPlainError(f"an array of dtype {value.dtype}{where}, which holds no real numbers")
    return value.item() if value.ndim == 0 else value


def _plain_tensor(value: Any, where: str) -> Plain:
    try:
        detached = value.detach().cpu()
        array = (detached.float() if str(detached.dtype) == "torch.bfloat16" else detached).numpy()
    except (RuntimeError, TypeError) as error:
        raise NotPlainError(f"a tensor that cannot be read{where} ({error})") from error
    return _plain_array(array, where)


def _plain_container(value: Any, where: str, depth: int) -> Plain:
    if depth >= MAX_DEPTH:
        raise NotPlainError(f"lists nested more than {MAX_DEPTH} deep{where}")
    if len(value) > MAX_ITEMS:
        raise NotPlainError(
            f"a {type(value).__name__} of {len(value)} items{where}; at most {MAX_ITEMS} are read"
        )
    if type(value) is dict:
        for key in value:
            if type(key) is not str:
                raise NotPlainError(f"a dict with the key {key!r:.40}{where}; keys must be strings")
        return {key: _plain(item, f' at key "{key}"', depth + 1) for key, item in value.items()}
    return type(value)(_plain(item, f" at position {i}", depth + 1) for i, item in enumerate(value))


def _tensor_types() -> tuple[type, ...]:
    torch = sys.modules.get("torch")
    return (torch.Tensor, torch.nn.Parameter) if torch else ()


def copy(value: Plain) -> Plain:
    """Return a copy of plain data that shares no array with it."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {key: copy(item) for key, item in value.items()}
    return type(value)(copy(item) for item in value) if isinstance(value, list | tuple) else value


def same(a: Plain, b: Plain) -> bool:
    """Whether two pieces of plain data are equal to the last bit (NaN equals NaN)."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return (
            a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        )
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b or (a != a and b != b))
