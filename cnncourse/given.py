"""The package's fast version of a function, for those whose own is right."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.activation import relu_backward
from cnncourse.layers.conv import conv2d, conv2d_backward
from cnncourse.layers.pool import avg_pool2d_backward, max_pool2d, max_pool2d_backward

FAST: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (relu_backward, conv2d_backward, max_pool2d_backward, avg_pool2d_backward)
}


def given(own: Callable[..., Any]) -> Callable[..., Any]:
    """Return the package's version of a student's function, if theirs gives the same; else their own.

    A function that is right may be slow, and training calls it thousands of times. Nobody gets what is not
    theirs: the functions are compared on a few small inputs first.

    Parameters
    ----------
    own : function
        Called as its fast version is, such as ``conv2d_backward``.

    Raises
    ------
    ValueError
        If the package has no fast version of that name.

    Examples
    --------
    >>> def relu_backward(grad_out, x):
    ...     return np.where(x > 0, grad_out, 0)
    >>> given(relu_backward).__module__
    'cnncourse.layers.activation'
    >>> given(lambda grad_out, x: grad_out)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: no fast version of <lambda>...
    """
    fast = FAST.get(own.__name__)
    if fast is None:
        raise ValueError(f"no fast version of {own.__name__}; there are {', '.join(FAST)}")
    quiet = contextlib.redirect_stdout(io.StringIO())
    try:
        with quiet, np.errstate(all="ignore"):
            right = all(_same(own(*copies(probe)), fast(*probe)) for probe in _probes(own.__name__))
    except Exception:  # whatever a student's function does, it is theirs that comes back
        right = False
    return fast if right else own


def copies(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the arguments with every array copied."""
    return tuple(np.copy(a) if isinstance(a, np.ndarray) else a for a in arguments)


def _probes(name: str) -> Iterator[tuple[Any, ...]]:
    """Yield small inputs: a frame, overlap, a stride, several images and channels."""
    rng = np.random.default_rng(0)
    x: Array = rng.normal(size=(2, 2, 5, 6))
    if name == "relu_backward":
        yield rng.normal(size=x.shape), x
        return
    for stride, padding in ((1, 1), (2, 0)):
        if name == "conv2d_backward":
            weight = rng.normal(size=(3, 2, 3, 2))
            grad_out = rng.normal(size=conv2d(x, weight, None, stride, padding).shape)
            yield grad_out, x, weight, stride, padding
        else:
            grad_out = rng.normal(size=max_pool2d(x, (3, 2), stride, padding).shape)
            yield grad_out, x, (3, 2), stride, padding


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, tuple):
        return len(found) == len(wanted) and all(map(_same, found, wanted))
    found = np.asarray(found)
    return found.shape == wanted.shape and bool(np.allclose(found, wanted, rtol=1e-5, atol=1e-6))
