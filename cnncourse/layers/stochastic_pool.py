"""Stochastic pooling: a window's numbers, divided by their sum, are probabilities. Forward, then backward."""

from __future__ import annotations

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.mean_pool import add_up
from cnncourse.layers.places import places2d
from cnncourse.shapes import Pair


def stochastic_pool2d(
    x: Array, kernel_size: Pair, rng: np.random.Generator, stride: Pair | None = None
) -> tuple[Array, Array]:
    """Draw one pixel of every window, each with a probability in proportion to its value (for training).

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Nothing negative, as behind a ReLU.
    kernel_size, stride : int or (rows, columns)
        `stride` is `kernel_size` unless given.
    rng : numpy.random.Generator

    Returns
    -------
    out : ndarray, shape (N, C, H_out, W_out)
    places : ndarray of int, same shape
        Which place of the kernel was drawn, counted in reading order: the backward pass needs it.

    Raises
    ------
    ValueError
        If a number of `x` is negative, or the window does not fit.

    References
    ----------
    Zeiler, Fergus 2013, section 3.

    Examples
    --------
    >>> out, places = stochastic_pool2d(np.array([[[[0.0, 5.0]]]]), (1, 2), np.random.default_rng(0))
    >>> out[0, 0], places[0, 0]
    (array([[5.]]), array([[1]]))
    """
    _check_sign(x)
    pixels = np.stack(list(places2d(x, kernel_size, kernel_size if stride is None else stride)))
    sums = np.cumsum(pixels, axis=0, dtype=float)  # (K_h * K_w, N, C, H_out, W_out)
    # Below the sum, so that a place is found, and never one with a zero unless all are zero.
    mark = np.minimum(rng.random(sums.shape[1:]) * sums[-1], np.nextafter(sums[-1], 0))
    places = np.argmax(sums > mark, axis=0)  # (N, C, H_out, W_out)
    return np.take_along_axis(pixels, places[None], axis=0)[0], places


def stochastic_pool2d_backward(
    grad_out: Array, x: Array, places: Array, kernel_size: Pair, stride: Pair | None = None
) -> Array:
    """Send the gradient of every window to the pixel that was drawn.

    Parameters
    ----------
    grad_out, places : ndarray, shape (N, C, H_out, W_out)
    x : ndarray, shape (N, C, H, W)
        Only its shape matters.
    kernel_size, stride : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C, H, W)

    Examples
    --------
    >>> grad_out, x, places = np.ones((1, 1, 1, 1)), np.zeros((1, 1, 1, 2)), np.array([[[[1]]]])
    >>> stochastic_pool2d_backward(grad_out, x, places, (1, 2))[0, 0]
    array([[0., 1.]])
    """
    stride = kernel_size if stride is None else stride
    grad_x = np.zeros(x.shape, grad_out.dtype)
    for place, grad_pixels in enumerate(places2d(grad_x, kernel_size, stride)):
        grad_pixels += np.where(places == place, grad_out, 0)
    return grad_x


def weighted_pool2d(x: Array, kernel_size: Pair, stride: Pair | None = None) -> Array:
    """Return the mean of every window, weighted with its probabilities (for testing).

    It is what stochastic pooling gives on average, and lies between the mean and the maximum: as the
    probabilities are the numbers divided by their sum, it is the sum of squares divided by the sum.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Nothing negative.
    kernel_size, stride : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C, H_out, W_out)
        Zero for a window of zeros.

    Raises
    ------
    ValueError
        If a number of `x` is negative, or the window does not fit.

    References
    ----------
    Zeiler, Fergus 2013, section 3.

    Examples
    --------
    >>> weighted_pool2d(np.array([[[[1.0, 3.0]]]]), (1, 2))[0, 0]
    array([[2.5]])
    """
    _check_sign(x)
    squares, total = _sums(x, kernel_size, stride)
    return squares / np.where(total == 0, 1, total)


def weighted_pool2d_backward(
    grad_out: Array, x: Array, kernel_size: Pair, stride: Pair | None = None
) -> Array:
    """Send the gradient of every window to its pixels: to each (2 x - out) / sum of it.

    Parameters
    ----------
    grad_out : ndarray, shape (N, C, H_out, W_out)
    x : ndarray, shape (N, C, H, W)
    kernel_size, stride : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C, H, W)
        Zero in a window of zeros.

    Examples
    --------
    >>> weighted_pool2d_backward(np.array([[[[8.0]]]]), np.array([[[[1.0, 3.0]]]]), (1, 2))[0, 0]
    array([[-1.,  7.]])
    """
    stride = kernel_size if stride is None else stride
    out, total = weighted_pool2d(x, kernel_size, stride), _sums(x, kernel_size, stride)[1]
    share = np.where(total == 0, 0, grad_out / np.where(total == 0, 1, total))
    grad_x = np.zeros(x.shape, share.dtype)
    for pixels, grad_pixels in zip(
        places2d(x, kernel_size, stride), places2d(grad_x, kernel_size, stride), strict=True
    ):
        grad_pixels += share * (2 * pixels - out)
    return grad_x


def _sums(x: Array, kernel_size: Pair, stride: Pair | None) -> tuple[Array, Array]:
    stride = kernel_size if stride is None else stride
    return add_up(places2d(x * x, kernel_size, stride)), add_up(places2d(x, kernel_size, stride))


def _check_sign(x: Array) -> None:
    if x.min() < 0:
        raise ValueError(f"x holds {x.min():.4g}; stochastic pooling is for numbers that are not negative")
