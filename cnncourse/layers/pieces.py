"""Large arrays in pieces that stay near the processor, shared among the processors there are.

A formula of several steps carries each intermediate result of a large array to the main memory and back;
those of a piece stay in the processor's cache.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import wraps
from math import prod
from typing import Any, TypeVar

import numpy as np

PIECE = 1 << 17  # numbers in a piece
ENOUGH = 2  # pieces for a thread, so that starting it pays

Formula = TypeVar("Formula", bound=Callable[..., Any])
Part = tuple[slice, ...]


def in_pieces(formula: Formula) -> Formula:
    """Let an element-wise formula work piece by piece where its arrays are large.

    The arrays among the arguments without names are cut if they have one shape; all else stays whole.

    Examples
    --------
    >>> @in_pieces
    ... def blend(a, b, share=0.5):
    ...     return share * a + (1 - share) * b
    >>> float(blend(np.zeros(200_000), np.ones(200_000), share=0.25)[-1])
    0.75
    """

    @wraps(formula)
    def whole(*args: Any, **settings: Any) -> Any:
        arrays = [value for value in args if isinstance(value, np.ndarray)]
        if not arrays or arrays[0].size <= PIECE or len({array.shape for array in arrays}) > 1:
            return formula(*args, **settings)
        flat = [value.reshape(-1) if isinstance(value, np.ndarray) else value for value in args]

        def of(part: Part) -> Any:
            return formula(*(v[part] if isinstance(v, np.ndarray) else v for v in flat), **settings)

        first, *others = pieces((arrays[0].size,), axes=(0,))
        begin = of(first)
        out = np.empty(arrays[0].size, begin.dtype)
        out[first] = begin
        share(lambda part: out.__setitem__(part, of(part)), others)
        return out.reshape(arrays[0].shape)

    return whole  # type: ignore[return-value]


def pieces(shape: tuple[int, ...], axes: tuple[int, ...]) -> list[Part]:
    """Cut an array along some axes, the first one first, until no part has more than `PIECE` numbers.

    Examples
    --------
    >>> pieces((2, 3, 80_000), axes=(0, 1))[1]
    (slice(0, 1, None), slice(1, 2, None), slice(None, None, None))
    """
    size, cuts = prod(shape), [[slice(None)] for _ in shape]
    for axis in axes:
        if size <= PIECE:
            break
        size //= shape[axis]
        step = max(1, PIECE // size)
        cuts[axis] = [slice(start, start + step) for start in range(0, shape[axis], step)]
        size *= min(step, shape[axis])
    return [tuple(cuts[a][i] for a, i in enumerate(at)) for at in np.ndindex(*map(len, cuts))]


def share(work: Callable[[Part], object], parts: list[Part]) -> None:
    """Do the work for every part, with the help of a thread for each further processor; all of them end here.

    Where no thread can be started, as in a browser, the one that called does everything.
    """
    waiting = iter(parts)  # one for all: each part is taken once
    errors = np.geterr()  # a thread begins with NumPy's own settings, not with the caller's

    def take() -> None:
        with np.errstate(**errors):
            for part in waiting:
                work(part)

    helpers = min(processors(), len(parts) // ENOUGH) - 1
    if helpers < 1:
        return take()
    with ThreadPoolExecutor(helpers) as pool:
        taken = []
        with suppress(RuntimeError):
            for _ in range(helpers):
                taken.append(pool.submit(take))
        take()
    for helper in taken:
        helper.result()  # raises what the helper's work raised


def processors() -> int:
    """Return how many processors this program may use; OMP_NUM_THREADS lowers it, as it does for torch."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return min(there, int(wanted)) if wanted.isdecimal() and int(wanted) else there
