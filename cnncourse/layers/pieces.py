"""Large arrays in pieces that stay near the processor, shared among the processors there are.

A formula of several steps carries each intermediate result of a large array to the main memory and back;
those of a piece stay in the processor's cache.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from math import prod
from threading import Thread
from typing import Any

import numpy as np

from cnncourse.arrays import Array

PIECE = 1 << 18  # numbers in a piece
ENOUGH = 2  # pieces for a thread, so that starting it pays

Part = tuple[slice, ...]


def in_pieces(formula: Callable[..., object], *args: Any) -> Array:
    """Return what a formula writes into ``formula(out, *args)``, number by number, piece by piece.

    Parameters
    ----------
    formula : callable
        Fills `out` from as many numbers of each array; what it holds before has no meaning.
    *args
        Arrays, which are cut if they have one shape, and other values, which stay whole.

    Returns
    -------
    ndarray
        Of the shape and dtype that the arrays have together.

    Examples
    --------
    >>> def blend(out, a, b, share):
    ...     np.subtract(a, b, out=out)
    ...     out *= share
    ...     out += b
    >>> float(in_pieces(blend, np.zeros(600_000), np.ones(600_000), 0.25)[-1])
    0.75
    """
    arrays = [value for value in args if isinstance(value, np.ndarray)]
    shape = np.broadcast_shapes(*(array.shape for array in arrays))
    out = np.empty(shape, np.result_type(*arrays))
    if out.size <= PIECE or any(array.shape != shape for array in arrays):
        formula(out, *args)
        return out
    flat = [value.reshape(-1) if isinstance(value, np.ndarray) else value for value in (out, *args)]

    def work(part: Part) -> None:
        formula(*(value[part] if isinstance(value, np.ndarray) else value for value in flat))

    share(work, pieces((out.size,), axes=(0,)))
    return out


def pieces(shape: tuple[int, ...], axes: tuple[int, ...]) -> list[Part]:
    """Cut an array along some axes, the first one first, until no part has more than `PIECE` numbers.

    Examples
    --------
    >>> pieces((2, 3, 200_000), axes=(0, 1))[1]
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
    settings = np.geterr()  # a thread begins with NumPy's own settings for errors, not with the caller's
    errors: list[BaseException] = []

    def take() -> None:
        try:
            with np.errstate(**settings):
                for part in waiting:
                    work(part)
        except BaseException as error:
            errors.append(error)

    helpers = [Thread(target=take) for _ in range(min(processors(), len(parts) // ENOUGH) - 1)]
    with suppress(RuntimeError):
        for helper in helpers:
            helper.start()
    take()
    for helper in helpers:
        if helper.ident is not None:  # it was started
            helper.join()
    if errors:
        raise errors[0]


def processors() -> int:
    """Return how many processors this program may use; OMP_NUM_THREADS lowers it, as it does for torch."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return min(there, int(wanted)) if wanted.isdecimal() and int(wanted) else there
