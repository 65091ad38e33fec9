"""The convolutional layer on signals, beside its gradients."""

from __future__ import annotations

from cnncourse.arrays import Array
from cnncourse.layers.correlate import correlate, correlate_grad_weight, correlate_grad_x
from cnncourse.layers.slide import Slide, add_bias, sum_bias


def conv1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Array:
    """Cross-correlate a batch of signals with a bank of kernels: `conv2d` with images of height 1.

    Parameters
    ----------
    x : ndarray, shape (N, C_in, n)
    weight : ndarray, shape (C_out, C_in / groups, k)
    bias : ndarray, shape (C_out,), optional
    stride, padding, dilation, groups : int

    Returns
    -------
    ndarray, shape (N, C_out, n_out)

    Raises
    ------
    ValueError
        If the channels of `x` and `weight` differ, `groups` does not divide them, or the kernel does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> conv1d(np.ones((1, 2, 4)), np.ones((1, 2, 3)), np.array([0.5]))
    array([[[6.5, 6.5]]])
    """
    return add_bias(correlate(x, weight, Slide((stride,), (padding,), (dilation,), groups)), bias)


def conv1d_backward(
    grad_out: Array,
    x: Array,
    weight: Array,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
) -> tuple[Array, Array, Array]:
    """Return the gradients of the input, the weight and the bias of `conv1d`, shaped like them.

    Examples
    --------
    >>> import numpy as np
    >>> x, weight = np.array([[[5.0, 6.0, 7.0]]]), np.array([[[2.0, 3.0]]])
    >>> grads = conv1d_backward(np.array([[[1.0, 10.0]]]), x, weight)
    >>> [grad.tolist() for grad in grads]
    [[[[2.0, 23.0, 30.0]]], [[[65.0, 76.0]]], [11.0]]
    """
    slide = Slide((stride,), (padding,), (dilation,), groups)
    grad_x = correlate_grad_x(grad_out, weight, x.shape[2:], slide)
    return grad_x, correlate_grad_weight(grad_out, x, weight.shape[2:], slide), sum_bias(grad_out)
