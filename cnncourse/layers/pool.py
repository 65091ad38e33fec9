"""Pooling: every window of every feature map becomes one number. Forward and backward side by side.

`kernel_size`, `stride` and `padding` are an int or a pair (rows, columns); `stride` is `kernel_size` unless
given. `grad_out` is the gradient of the loss with respect to a pooling's output; a backward function returns
the one with respect to its input. Where windows overlap, what they send to a pixel adds up.
"""

from __future__ import annotations

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.blocks import crop, floats
from cnncourse.layers.mean_pool import (
    avg_pool2d,
    avg_pool2d_backward,
    global_avg_pool2d,
    global_avg_pool2d_backward,
    lp_pool2d,
    lp_pool2d_backward,
)
from cnncourse.layers.pieces import Part, pieces, share
from cnncourse.layers.places import check_pool_grad, check_pool_padding, places2d
from cnncourse.shapes import Pair, pair

__all__ = [
    "avg_pool2d",
    "avg_pool2d_backward",
    "global_avg_pool2d",
    "global_avg_pool2d_backward",
    "lp_pool2d",
    "lp_pool2d_backward",
    "max_pool2d",
    "max_pool2d_backward",
]


def max_pool2d(x: Array, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0) -> Array:
    """Return the largest number of every window.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    kernel_size, stride, padding : int or (rows, columns)
        The frame never wins: it counts as minus infinity, not as zero.

    Returns
    -------
    ndarray, shape (N, C, H_out, W_out)

    Raises
    ------
    ValueError
        If the window does not fit, or `padding` is more than half of `kernel_size`.

    References
    ----------
    Ranzato, Huang, Boureau, LeCun 2007; torch.nn.MaxPool2d.

    Examples
    --------
    >>> max_pool2d(np.array([[[[1.0, 5.0, 2.0, 0.0]]]]), (1, 2))[0, 0]
    array([[5., 2.]])
    """
    stride = kernel_size if stride is None else stride
    first, *others = places2d(_pad_low(x, kernel_size, padding), kernel_size, stride)
    out = first.copy()  # (N, C, H_out, W_out)
    for pixels in others:
        np.maximum(out, pixels, out=out)
    return out


def max_pool2d_backward(
    grad_out: Array, x: Array, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0
) -> Array:
    """Send the gradient of every window to its largest pixel; of equal ones, to the first in reading order.

    Parameters
    ----------
    grad_out : ndarray, shape (N, C, H_out, W_out)
    x : ndarray, shape (N, C, H, W)
    kernel_size, stride, padding : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C, H, W)

    Examples
    --------
    >>> x = np.array([[[[1.0, 5.0, 2.0]]]])
    >>> max_pool2d_backward(np.array([[[[1.0, 10.0]]]]), x, (1, 2), stride=1)[0, 0]
    array([[ 0., 11.,  0.]])
    """
    stride = kernel_size if stride is None else stride
    check_pool_grad(grad_out, x, kernel_size, stride, padding)
    padded = _pad_low(x, kernel_size, padding)
    grad_padded = np.zeros(padded.shape, grad_out.dtype)

    def work(maps: Part) -> None:
        out = max_pool2d(padded[maps], kernel_size, stride)
        left = grad_out[maps].copy()  # what has not found its pixel yet
        of_place = (places2d(whole[maps], kernel_size, stride) for whole in (padded, grad_padded))
        for pixels, grad_pixels in zip(*of_place, strict=True):
            found = left * (pixels == out)
            grad_pixels += found
            left -= found

    share(work, pieces(padded.shape, axes=(0, 1)))
    return crop(grad_padded, pair(padding, "padding"))


def _pad_low(x: Array, kernel_size: Pair, padding: Pair) -> Array:
    """Put a frame around every image that no pixel is lower than."""
    check_pool_padding(kernel_size, padding)
    p_h, p_w = pair(padding, "padding")
    if p_h == p_w == 0:
        return floats(x)
    return np.pad(floats(x), ((0, 0), (0, 0), (p_h, p_h), (p_w, p_w)), constant_values=-np.inf)
