"""Cross-correlation and convolution of two signals, each beside its gradients."""

from __future__ import annotations

from typing import Literal

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.blocks import floats
from cnncourse.shapes import conv_output_size, same_padding

Padding = int | Literal["valid", "same", "full"]


def cross_correlate1d(x: Array, kernel: Array, stride: int = 1, padding: Padding = 0) -> Array:
    """Slide a kernel along a signal; at each place, multiply and add up.

    Parameters
    ----------
    x : ndarray, shape (n,)
    kernel : ndarray, shape (k,)
    stride : int
    padding : int, "valid", "same" or "full"
        Zeros on either side; "valid" is none, "full" is every place where the two meet (k - 1), "same" gives
        ceil(n / stride) numbers; where their number is odd, one more behind than before.

    Returns
    -------
    ndarray, shape (n_out,)

    Raises
    ------
    ValueError
        If an argument has more than one axis, or the kernel does not fit.

    References
    ----------
    Goodfellow, Bengio, Courville 2016, section 9.1.

    Examples
    --------
    >>> x, kernel = np.array([1.0, 2.0, 4.0, 8.0]), np.array([-1.0, 0.0, 1.0])
    >>> cross_correlate1d(x, kernel), cross_correlate1d(x, kernel, padding="same")
    (array([3., 6.]), array([ 2.,  3.,  6., -4.]))
    """
    x, kernel = _signals(x, kernel)
    padded = np.pad(x, _zeros(len(x), len(kernel), stride, padding))
    conv_output_size(len(padded), len(kernel), stride)  # raises if the kernel does not fit
    every: Array = np.lib.stride_tricks.sliding_window_view(padded, len(kernel))[::stride]  # (n_out, k)
    out: Array = every @ kernel
    return out


def cross_correlate1d_backward(
    grad_out: Array, x: Array, kernel: Array, stride: int = 1, padding: Padding = 0
) -> tuple[Array, Array]:
    """Return the gradients of the signal and of the kernel.

    Parameters
    ----------
    grad_out : ndarray, shape (n_out,)
    x : ndarray, shape (n,)
    kernel : ndarray, shape (k,)
    stride, padding
        As in `cross_correlate1d`.

    Returns
    -------
    grad_x, grad_kernel : ndarrays, shapes (n,) and (k,)

    Raises
    ------
    ValueError
        If `grad_out` has not the shape of the output.

    Notes
    -----
    With stride 1, `grad_x` is the convolution (with the flip) of `grad_out` and the kernel, `grad_kernel` the
    cross-correlation (without) of the signal and `grad_out`.

    Examples
    --------
    >>> cross_correlate1d_backward(np.array([1.0, 10.0]), np.array([5.0, 6.0, 7.0]), np.array([2.0, 3.0]))
    (array([ 2., 23., 30.]), array([65., 76.]))
    """
    x, kernel = _signals(x, kernel)
    before, after = _zeros(len(x), len(kernel), stride, padding)
    padded = np.pad(x, (before, after))
    n_out = conv_output_size(len(padded), len(kernel), stride)
    if grad_out.shape != (n_out,):
        raise ValueError(
            f"grad_out has shape {grad_out.shape}; the output of this correlation has {(n_out,)}"
        )
    grad_padded = np.zeros(len(padded), np.result_type(floats(grad_out), kernel))
    grad_kernel = np.zeros(len(kernel), np.result_type(floats(grad_out), x))
    for m, weight in enumerate(kernel):
        met = slice(m, m + stride * (n_out - 1) + 1, stride)  # what kernel[m] was multiplied with
        grad_padded[met] += weight * grad_out
        grad_kernel[m] = padded[met] @ grad_out
    return grad_padded[before : before + len(x)], grad_kernel


def convolve1d(x: Array, kernel: Array, padding: Padding = "full") -> Array:
    """Convolve two signals: cross-correlate with the kernel flipped.

    Parameters
    ----------
    x : ndarray, shape (n,)
    kernel : ndarray, shape (k,)
    padding : int, "valid", "same" or "full"
        As in `cross_correlate1d`.

    Returns
    -------
    ndarray, shape (n_out,)
        With "full", n + k - 1 numbers: ``out[t]`` is the sum of ``x[m] * kernel[t - m]``.

    Notes
    -----
    With a kernel of even length and "same", `numpy.convolve` puts the odd zero first.

    References
    ----------
    Goodfellow, Bengio, Courville 2016, section 9.1, equation 9.3.

    Examples
    --------
    >>> convolve1d(np.array([1.0, 0.0, 0.0, 2.0]), np.array([3.0, 4.0]))
    array([3., 4., 0., 6., 8.])
    """
    return cross_correlate1d(x, np.asarray(kernel)[::-1], padding=padding)


def convolve1d_backward(
    grad_out: Array, x: Array, kernel: Array, padding: Padding = "full"
) -> tuple[Array, Array]:
    """Return the gradients of the two signals of `convolve1d`.

    Examples
    --------
    >>> convolve1d_backward(np.array([1.0, 0.0, 0.0]), np.array([5.0, 6.0]), np.array([2.0, 3.0]))
    (array([2., 0.]), array([5., 0.]))
    """
    grad_x, grad_flipped = cross_correlate1d_backward(grad_out, x, np.asarray(kernel)[::-1], 1, padding)
    return grad_x, grad_flipped[::-1]


def _signals(x: Array, kernel: Array) -> tuple[Array, Array]:
    x, kernel = floats(x), floats(kernel)
    if x.ndim != 1 or kernel.ndim != 1:
        raise ValueError(f"x has shape {x.shape} and kernel {kernel.shape}; a signal has one axis")
    return x, kernel


def _zeros(n: int, k: int, stride: int, padding: Padding) -> tuple[int, int]:
    """Return the zeros before and behind a signal."""
    if padding == "same":
        return same_padding(n, k, stride)
    zeros = {"valid": 0, "full": k - 1}.get(padding) if isinstance(padding, str) else padding
    if zeros is None or zeros < 0:
        raise ValueError(f'padding (={padding!r}) must be at least 0, or "valid", "same" or "full"')
    return zeros, zeros
