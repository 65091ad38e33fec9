"""The tiled layer: kernels that take turns, between one shared kernel and one for each place.

It has T_h * T_w kernels for each output channel. With one it is a convolution; with as many as there are
windows it is a local layer. Every T_h-th row and T_w-th column of its output is a convolution of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.blocks import crop, floats
from cnncourse.layers.correlate import correlate, correlate_grad_weight, correlate_grad_x
from cnncourse.layers.local import unshared_out_shape
from cnncourse.layers.slide import Slide
from cnncourse.layers.windows import pad2d
from cnncourse.shapes import Pair, pair

Tile = tuple[int, int, Slide, tuple[slice, slice, slice, slice], tuple[slice, slice, slice, slice]]


def tiled_conv2d(
    x: Array, weight: Array, bias: Array | None = None, stride: Pair = 1, padding: Pair = 0
) -> Array:
    """Convolve with kernels that take turns: unit (i, j) uses kernel (i mod T_h, j mod T_w).

    Parameters
    ----------
    x : ndarray, shape (N, C_in, H, W)
    weight : ndarray, shape (C_out, T_h, T_w, C_in, K_h, K_w)
    bias : ndarray, shape (C_out, T_h, T_w), optional
        One number for each kernel.
    stride, padding : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C_out, H_out, W_out)

    Raises
    ------
    ValueError
        If shapes do not go together, or the kernel does not fit.

    References
    ----------
    Goodfellow, Bengio, Courville 2016, section 9.5, equation 9.10; Le et al. 2010.

    Examples
    --------
    >>> weight = np.array([1.0, 10.0]).reshape(1, 1, 2, 1, 1, 1)
    >>> tiled_conv2d(np.array([[[[1.0, 2.0, 3.0]]]]), weight)[0, 0]
    array([[ 1., 20.,  3.]])
    """
    x, weight = floats(x), floats(weight)
    if bias is not None and bias.shape != weight.shape[:3]:
        raise ValueError(
            f"bias has shape {bias.shape}; it needs one number for each kernel, {weight.shape[:3]}"
        )
    out = np.empty(unshared_out_shape(x, weight, stride, padding), np.result_type(x, weight))
    padded = pad2d(x, padding)
    for a, b, slide, corner, units in _tiles(weight, out.shape, stride):
        out[units] = correlate(padded[corner], weight[:, a, b], slide)
    if bias is None:
        return out
    rows, columns = (np.arange(n) % t for n, t in zip(out.shape[2:], weight.shape[1:3], strict=True))
    return out + floats(bias)[:, rows[:, None], columns]  # (N, C_out, H_out, W_out)


def tiled_conv2d_backward(
    grad_out: Array, x: Array, weight: Array, stride: Pair = 1, padding: Pair = 0
) -> tuple[Array, Array, Array]:
    """Return the gradients of the input, the weight and the bias of `tiled_conv2d`, shaped like them.

    Raises
    ------
    ValueError
        If `grad_out` has not the shape of the output.

    Examples
    --------
    >>> x, weight = np.array([[[[1.0, 2.0, 3.0]]]]), np.array([1.0, 10.0]).reshape(1, 1, 2, 1, 1, 1)
    >>> [grad.ravel().tolist() for grad in tiled_conv2d_backward(np.ones((1, 1, 1, 3)), x, weight)]
    [[1.0, 10.0, 1.0], [4.0, 2.0], [2.0, 1.0]]
    """
    x, weight, grad_out = floats(x), floats(weight), floats(grad_out)
    expected = unshared_out_shape(x, weight, stride, padding)
    if grad_out.shape != expected:
        raise ValueError(f"grad_out has shape {grad_out.shape}; the output of this layer has {expected}")
    padded = pad2d(x, padding)
    grad_padded = np.zeros(padded.shape, np.result_type(grad_out, weight))
    grad_weight = np.zeros(weight.shape, np.result_type(grad_out, x))
    grad_bias = np.zeros(weight.shape[:3], grad_out.dtype)
    for a, b, slide, corner, units in _tiles(weight, grad_out.shape, stride):
        seen, grad = padded[corner], grad_out[units]
        grad_padded[corner] += correlate_grad_x(grad, weight[:, a, b], seen.shape[2:], slide)
        grad_weight[:, a, b] = correlate_grad_weight(grad, seen, weight.shape[4:], slide)
        grad_bias[:, a, b] = grad.sum(axis=(0, 2, 3))
    return crop(grad_padded, pair(padding)), grad_weight, grad_bias


def _tiles(weight: Array, out_shape: tuple[int, ...], stride: Pair) -> Iterator[Tile]:
    """Yield each kernel's place in the tile, how it slides, the part of the input it sees, and its units."""
    (s_h, s_w), (t_h, t_w) = pair(stride, "stride", 1), weight.shape[1:3]
    slide = Slide((s_h * t_h, s_w * t_w), (0, 0), (1, 1))
    every = slice(None)
    for a, b in np.ndindex(min(t_h, out_shape[2]), min(t_w, out_shape[3])):
        corner = (every, every, slice(a * s_h, None), slice(b * s_w, None))
        yield a, b, slide, corner, (every, every, slice(a, None, t_h), slice(b, None, t_w))
