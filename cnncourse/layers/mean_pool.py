"""Pooling by adding up: the mean of every window, its p-norm, and the mean of a whole feature map."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.blocks import crop, floats
from cnncourse.layers.places import check_pool_grad, check_pool_padding, places2d
from cnncourse.layers.windows import pad2d
from cnncourse.shapes import Pair, pair


def avg_pool2d(x: Array, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0) -> Array:
    """Return the mean of every window. The zeros of the frame count, as in torch unless told otherwise.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    kernel_size, stride, padding : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C, H_out, W_out)

    Raises
    ------
    ValueError
        If the window does not fit, or `padding` is more than half of `kernel_size`.

    References
    ----------
    LeCun et al. 1998, section II.B (subsampling); torch.nn.AvgPool2d, `count_include_pad`.

    Examples
    --------
    >>> avg_pool2d(np.array([[[[1.0, 5.0, 2.0, 0.0]]]]), (1, 2))[0, 0]
    array([[3., 1.]])
    """
    stride = kernel_size if stride is None else stride
    k_h, k_w = check_pool_padding(kernel_size, padding)
    s_h, s_w = pair(stride, "stride", 1)
    # Along the columns first, then along the rows: K_h + K_w additions for each window instead of K_h * K_w.
    sums = add_up(places2d(pad2d(floats(x), padding), (k_h, 1), (s_h, 1)))  # (N, C, H_out, W + 2 p_w)
    return add_up(places2d(sums, (1, k_w), (1, s_w))) / (k_h * k_w)  # (N, C, H_out, W_out)


def avg_pool2d_backward(
    grad_out: Array, x: Array, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0
) -> Array:
    """Spread the gradient of every window evenly over its pixels.

    Parameters
    ----------
    grad_out : ndarray, shape (N, C, H_out, W_out)
    x : ndarray, shape (N, C, H, W)
        Only its shape matters.
    kernel_size, stride, padding : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C, H, W)

    Examples
    --------
    >>> avg_pool2d_backward(np.array([[[[1.0, 10.0]]]]), np.zeros((1, 1, 1, 3)), (1, 2), stride=1)[0, 0]
    array([[0.5, 5.5, 5. ]])
    """
    stride = kernel_size if stride is None else stride
    check_pool_grad(grad_out, x, kernel_size, stride, padding)
    k_h, k_w = check_pool_padding(kernel_size, padding)
    share = grad_out / (k_h * k_w)
    grad_padded = np.zeros(pad2d(x, padding).shape, share.dtype)
    for pixels in places2d(grad_padded, kernel_size, stride):
        pixels += share
    return crop(grad_padded, pair(padding, "padding"))


def lp_pool2d(
    x: Array, norm_type: float, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0
) -> Array:
    """Return the p-norm of every window; with `norm_type` 2, L2 pooling: the root of the sum of squares.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    norm_type : float
        The power p, at least 1: 1 adds up the absolute values, a large one comes near to their maximum.
    kernel_size, stride, padding : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C, H_out, W_out)

    Raises
    ------
    ValueError
        If the window does not fit, `norm_type` is below 1, or `padding` is more than half of `kernel_size`.

    References
    ----------
    Sermanet, Chintala, LeCun 2012, section 1.1; torch.nn.LPPool2d.

    Examples
    --------
    >>> lp_pool2d(np.array([[[[3.0, -4.0, 0.0, 2.0]]]]), 2, (1, 2))[0, 0]
    array([[5., 2.]])
    """
    stride = kernel_size if stride is None else stride
    check_pool_padding(kernel_size, padding)
    if norm_type < 1:
        raise ValueError(f"norm_type (={norm_type}) must be at least 1")
    powers = add_up(places2d(pad2d(np.abs(floats(x)) ** norm_type, padding), kernel_size, stride))
    return powers ** (1 / norm_type)  # (N, C, H_out, W_out)


def lp_pool2d_backward(
    grad_out: Array,
    x: Array,
    norm_type: float,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
) -> Array:
    """Send the gradient of every window to its pixels: to each sign(x) * (abs(x) / out) ** (p - 1) of it.

    Parameters
    ----------
    grad_out : ndarray, shape (N, C, H_out, W_out)
    x : ndarray, shape (N, C, H, W)
    norm_type : float
    kernel_size, stride, padding : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C, H, W)
        Zero in a window of zeros, where the norm has a corner and zero is one of its subgradients.

    Examples
    --------
    >>> lp_pool2d_backward(np.array([[[[10.0]]]]), np.array([[[[3.0, -4.0]]]]), 2, (1, 2))[0, 0]
    array([[ 6., -8.]])
    """
    stride = kernel_size if stride is None else stride
    check_pool_grad(grad_out, x, kernel_size, stride, padding)
    out = lp_pool2d(x, norm_type, kernel_size, stride, padding)
    padded = pad2d(x, padding)
    grad_padded = np.zeros(padded.shape, np.result_type(grad_out, out))
    safe = np.where(out == 0, 1, out)
    places = zip(
        places2d(padded, kernel_size, stride), places2d(grad_padded, kernel_size, stride), strict=True
    )
    for pixels, grad_pixels in places:
        grad_pixels += grad_out * np.sign(pixels) * (np.abs(pixels) / safe) ** (norm_type - 1)
    return crop(grad_padded, pair(padding, "padding"))


def global_avg_pool2d(x: Array) -> Array:
    """Return the mean of every feature map, whatever its size.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)

    Returns
    -------
    ndarray, shape (N, C)

    References
    ----------
    Lin, Chen, Yan 2014, section 3.2 (Network in Network).

    Examples
    --------
    >>> global_avg_pool2d(np.array([[[[1.0, 2.0], [3.0, 6.0]]]]))
    array([[3.]])
    """
    mean: Array = x.mean(axis=(2, 3))
    return mean


def global_avg_pool2d_backward(grad_out: Array, x: Array) -> Array:
    """Spread the gradient of every mean evenly over its feature map.

    Parameters
    ----------
    grad_out : ndarray, shape (N, C)
    x : ndarray, shape (N, C, H, W)
        Only its shape matters.

    Returns
    -------
    ndarray, shape (N, C, H, W)

    Examples
    --------
    >>> global_avg_pool2d_backward(np.array([[1.0]]), np.zeros((1, 1, 1, 4)))[0, 0]
    array([[0.25, 0.25, 0.25, 0.25]])
    """
    if grad_out.shape != x.shape[:2]:
        raise ValueError(f"grad_out has shape {grad_out.shape}; the output of this pooling has {x.shape[:2]}")
    H, W = x.shape[2:]
    return np.repeat(grad_out / (H * W), H * W, axis=1).reshape(x.shape)


def add_up(arrays: Iterable[Array]) -> Array:
    """Return the sum of arrays of one shape."""
    return reduce(np.add, arrays)
