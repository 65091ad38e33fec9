"""Where a kernel's places lie in images, as views to read from and to add to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.arrays import Array
from cnncourse.shapes import Pair, conv2d_output_size, pair


def places2d(x: Array, kernel_size: Pair, stride: Pair = 1) -> Iterator[Array]:
    """Yield, for each place in the kernel, the pixels that lie there in all windows, as a view.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    kernel_size, stride : int or (rows, columns)

    Yields
    ------
    ndarray, shape (N, C, H_out, W_out)
        K_h * K_w views of `x` in reading order. No pixel is twice in one of them, so each may be added to.

    Examples
    --------
    >>> for pixels in places2d(np.arange(6.0).reshape(1, 1, 2, 3), (1, 2)):
    ...     print(pixels[0, 0].tolist())
    [[0.0, 1.0], [3.0, 4.0]]
    [[1.0, 2.0], [4.0, 5.0]]
    """
    (k_h, k_w), (s_h, s_w) = pair(kernel_size, "kernel_size", 1), pair(stride, "stride", 1)
    H, W = x.shape[2:]
    h_out, w_out = conv2d_output_size(H, W, kernel_size, stride)
    for i, j in np.ndindex(k_h, k_w):
        yield x[:, :, i : i + s_h * (h_out - 1) + 1 : s_h, j : j + s_w * (w_out - 1) + 1 : s_w]


def check_pool_padding(kernel_size: Pair, padding: Pair) -> tuple[int, int]:
    """Return the window as (rows, columns); raise if more than half of it could lie in the frame."""
    size = pair(kernel_size, "kernel_size", 1)
    if any(2 * p > k for p, k in zip(pair(padding, "padding"), size, strict=True)):
        raise ValueError(f"padding (={padding!r}) must be at most half of kernel_size (={kernel_size!r})")
    return size


def check_pool_grad(grad_out: Array, x: Array, kernel_size: Pair, stride: Pair, padding: Pair) -> None:
    """Raise unless `grad_out` has the shape of this pooling's output."""
    N, C, H, W = x.shape
    expected = (N, C, *conv2d_output_size(H, W, kernel_size, stride, padding))
    if grad_out.shape != expected:
        raise ValueError(f"grad_out has shape {grad_out.shape}; the output of this pooling has {expected}")
