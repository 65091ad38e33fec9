"""Cross-correlation with one kernel for each channel and stride 1, by shifting: no window is copied.

The padded image of a channel is one row of numbers. Moving to another place of the kernel is moving along
that row by an offset; so the output is a sum of shifted rows, each times one weight. Behind the last window
of a line of pixels come a few that run on into the next line; those are left out at the end.
"""

from __future__ import annotations

from math import prod

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.blocks import Axes, zero_pad
from cnncourse.layers.pieces import Part, pieces, share
from cnncourse.layers.slide import Slide


def correlate_shifted(x: Array, weight: Array, slide: Slide, size: Axes) -> Array:
    """Cross-correlate each channel with its own kernel.

    Parameters
    ----------
    x : ndarray, shape (N, C, *size)
    weight : ndarray, shape (C, 1, *kernel_size)
    slide : Slide
    size : tuple of int
        Of the output.

    Returns
    -------
    ndarray, shape (N, C, *size)

    Examples
    --------
    >>> slide = Slide(stride=(1,), padding=(0,), dilation=(1,))
    >>> correlate_shifted(np.array([[[1.0, 2.0, 3.0]]]), np.array([[[1.0, 10.0]]]), slide, (2,))
    array([[[21., 32.]]])
    """
    out = np.empty((*x.shape[:2], *size), np.result_type(x, weight))
    kernels = weight.reshape(len(weight), -1, 1)  # (C, K, 1)
    shifts, length = _along_rows(x.shape[2:], weight.shape[2:], slide, size)

    def work(part: Part) -> None:
        padded = zero_pad(x[part], slide.padding)
        rows = padded.reshape(*padded.shape[:2], -1)  # (n, c, P)
        total = np.empty(rows.shape, out.dtype)
        units = total[..., :length]  # (n, c, L)
        product = np.empty_like(units)
        for place, shift in enumerate(shifts):
            shifted, weights = rows[..., shift : shift + length], kernels[part[1], place]
            np.multiply(shifted, weights, out=product if place else units)
            if place:
                units += product
        out[part] = total.reshape(padded.shape)[_corner(size)]

    share(work, pieces(x.shape, axes=(0, 1)))
    return out


def grad_weight_shifted(grad_out: Array, x: Array, kernel_size: Axes, slide: Slide) -> Array:
    """Return the gradient of the weight: for each place, the sum of the shifted row times `grad_out`.

    Parameters
    ----------
    grad_out : ndarray, shape (N, C, *out)
    x : ndarray, shape (N, C, *size)
    kernel_size : tuple of int
    slide : Slide

    Returns
    -------
    ndarray, shape (C, 1, *kernel_size)

    Examples
    --------
    >>> slide = Slide(stride=(1,), padding=(0,), dilation=(1,))
    >>> grad_weight_shifted(np.array([[[1.0, 10.0]]]), np.array([[[1.0, 2.0, 3.0]]]), (2,), slide)
    array([[[21., 32.]]])
    """
    size = grad_out.shape[2:]
    kernels = np.empty((x.shape[1], prod(kernel_size)), np.result_type(grad_out, x))  # (C, K)
    shifts, length = _along_rows(x.shape[2:], kernel_size, slide, size)

    def work(part: Part) -> None:
        padded = zero_pad(x[part], slide.padding)
        wide = np.zeros(padded.shape, grad_out.dtype)
        wide[_corner(size)] = grad_out[part]
        rows = padded.reshape(*padded.shape[:2], -1)  # (N, c, P)
        units = wide.reshape(rows.shape)[..., :length]  # (N, c, L)
        for place, shift in enumerate(shifts):
            shifted = rows[..., shift : shift + length]
            kernels[part[1], place] = np.einsum("ncl,ncl->c", units, shifted)

    share(work, pieces(x.shape, axes=(1,)))
    return kernels.reshape(-1, 1, *kernel_size)


def _along_rows(x_size: Axes, kernel_size: Axes, slide: Slide, size: Axes) -> tuple[list[int], int]:
    """Return how far along a row each place of a kernel is, and how many numbers reach to the last unit."""
    padded = tuple(n + 2 * p for n, p in zip(x_size, slide.padding, strict=True))
    steps = [prod(padded[axis + 1 :]) for axis in range(len(padded))]  # from a pixel to the next of each axis

    def far(place: Axes) -> int:
        return sum(n * step for n, step in zip(place, steps, strict=True))

    places = (zip(place, slide.dilation, strict=True) for place in np.ndindex(kernel_size))
    shifts = [far(tuple(n * d for n, d in place)) for place in places]
    return shifts, far(tuple(n - 1 for n in size)) + 1


def _corner(size: Axes) -> tuple[slice, ...]:
    return (slice(None), slice(None), *map(slice, size))
