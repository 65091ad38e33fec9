"""Windows along any number of axes, and the blocks of columns that they are copied into for matrix products.

Inputs are (N, C, *size). K is the number of places in a kernel, L that of units in a block of output rows.
A block is small enough to stay near the processor: that is twice as fast as all columns at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from cnncourse.arrays import Array

Axes = tuple[int, ...]

BLOCK = 1 << 19  # numbers in the columns of one block


def floats(x: Array) -> Array:
    """Return `x` itself, or as float64 if it holds whole numbers or truth values.

    Examples
    --------
    >>> floats(np.arange(3)), floats(np.float32([1])).dtype
    (array([0., 1., 2.]), dtype('float32'))
    """
    x = np.asarray(x)
    return x.astype(np.float64) if x.dtype.kind in "biu" else x


def zero_pad(x: Array, padding: Axes) -> Array:
    """Put a frame of zeros around the last axes, `padding` wide on either side; if it is 0, return `x`."""
    if not any(padding):
        return x
    frame = (0,) * (x.ndim - len(padding)) + padding
    padded = np.zeros([n + 2 * p for n, p in zip(x.shape, frame, strict=True)], x.dtype)
    crop(padded, padding)[...] = x
    return padded


def crop(x: Array, padding: Axes) -> Array:
    """Return `x` without the frame that `zero_pad` puts around it, as a view."""
    frame = (0,) * (x.ndim - len(padding)) + padding
    return x[tuple(slice(p, n - p) for n, p in zip(x.shape, frame, strict=True))]


def windows(x: Array, kernel_size: Axes, stride: Axes, dilation: Axes) -> Array:
    """Return every window of every channel, as a view of shape (N, C, *out, *kernel_size).

    Examples
    --------
    >>> windows(np.arange(7).reshape(1, 1, 7), (3,), (2,), (2,))[0, 0]
    array([[0, 2, 4],
           [2, 4, 6]])
    """
    covered = tuple(d * (k - 1) + 1 for k, d in zip(kernel_size, dilation, strict=True))
    axes = tuple(range(2, x.ndim))
    every = np.lib.stride_tricks.sliding_window_view(x, covered, axis=axes)  # (N, C, *places, *covered)
    steps = (slice(None, None, step) for step in (*stride, *dilation))
    return every[(slice(None), slice(None), *steps)]  # (N, C, *out, *kernel_size)


def blocks(images: int, size: Axes, numbers: int) -> Iterator[tuple[slice, slice]]:
    """Yield images and rows of an output whose columns, `numbers` for each unit, fill one block."""
    row = max(1, numbers * prod(size[1:]))
    n, rows = max(1, BLOCK // (row * size[0])), min(size[0], max(1, BLOCK // row))
    for image in range(0, images, n):
        for start in range(0, size[0], rows):
            yield slice(image, image + n), slice(start, start + rows)


def columns(view: Array, groups: int) -> Array:
    """Copy windows (n, C, *out, *kernel_size) into columns (groups, C / groups * K, n * L)."""
    kernel = range((view.ndim + 2) // 2, view.ndim)
    ordered = view.transpose(1, *kernel, 0, *range(2, kernel.start))  # (C, *kernel_size, n, *out)
    return ordered.reshape(groups, prod(ordered.shape[: len(kernel) + 1]) // groups, -1)


def channels_first(block: Array, groups: int) -> Array:
    """Bring (n, C, *out) into the shape (groups, C / groups, n * L)."""
    return block.swapaxes(0, 1).reshape(groups, block.shape[1] // groups, -1)


def pixels(place: Axes, first_row: int, size: Axes, stride: Axes, dilation: Axes) -> tuple[slice, ...]:
    """Return where one place of the kernel lies in `size` windows from `first_row` on."""
    corner = [p * d for p, d in zip(place, dilation, strict=True)]
    corner[0] += first_row * stride[0]
    return tuple(slice(c, c + (n - 1) * s + 1, s) for c, n, s in zip(corner, size, stride, strict=True))
