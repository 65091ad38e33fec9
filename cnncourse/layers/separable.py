"""Convolutions in two cheap steps instead of a dear one, each beside its gradients."""

from __future__ import annotations

from cnncourse.arrays import Array
from cnncourse.layers.conv import conv2d, slide2d
from cnncourse.layers.correlate import correlate_grad_weight, correlate_grad_x
from cnncourse.shapes import Pair


def depthwise_conv2d(
    x: Array, weight: Array, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
) -> Array:
    """Cross-correlate each channel with kernels of its own: `conv2d` with as many groups as input channels.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    weight : ndarray, shape (C * multiplier, 1, K_h, K_w)
        The kernels of channel 0 first.
    stride, padding, dilation : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C * multiplier, H_out, W_out)

    References
    ----------
    Howard et al. 2017, section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[[[1.0, 2.0]], [[3.0, 4.0]]]])
    >>> depthwise_conv2d(x, np.array([1.0, 10.0]).reshape(2, 1, 1, 1))[0, :, 0]
    array([[ 1.,  2.],
           [30., 40.]])
    """
    return conv2d(x, weight, None, stride, padding, dilation, groups=x.shape[1])


def depthwise_conv2d_backward(
    grad_out: Array, x: Array, weight: Array, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
) -> tuple[Array, Array]:
    """Return the gradients of the input and the weight of `depthwise_conv2d`, shaped like them.

    Examples
    --------
    >>> import numpy as np
    >>> x, weight = np.array([[[[1.0, 2.0]], [[3.0, 4.0]]]]), np.array([1.0, 10.0]).reshape(2, 1, 1, 1)
    >>> grad_x, grad_weight = depthwise_conv2d_backward(np.ones((1, 2, 1, 2)), x, weight)
    >>> grad_x.ravel(), grad_weight.ravel()
    (array([ 1.,  1., 10., 10.]), array([3., 7.]))
    """
    slide = slide2d(stride, padding, dilation, groups=x.shape[1])
    grad_x = correlate_grad_x(grad_out, weight, x.shape[2:], slide)
    return grad_x, correlate_grad_weight(grad_out, x, weight.shape[2:], slide)


def depthwise_separable_conv2d(
    x: Array,
    depthwise: Array,
    pointwise: Array,
    bias: Array | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
) -> Array:
    """Look at neighbours channel by channel, then mix the channels of each pixel.

    Parameters
    ----------
    x : ndarray, shape (N, C_in, H, W)
    depthwise : ndarray, shape (C_in * multiplier, 1, K_h, K_w)
    pointwise : ndarray, shape (C_out, C_in * multiplier, 1, 1)
    bias : ndarray, shape (C_out,), optional
    stride, padding, dilation : int or (rows, columns)
        Of the depthwise step.

    Returns
    -------
    ndarray, shape (N, C_out, H_out, W_out)

    References
    ----------
    Howard et al. 2017, section 3.1 (there with batch norm and ReLU between the steps); Sifre 2014.

    Examples
    --------
    >>> import numpy as np
    >>> x, depthwise, pointwise = np.ones((1, 2, 3, 3)), np.ones((2, 1, 3, 3)), np.ones((1, 2, 1, 1))
    >>> depthwise_separable_conv2d(x, depthwise, pointwise)
    array([[[[18.]]]])
    """
    return conv2d(depthwise_conv2d(x, depthwise, stride, padding, dilation), pointwise, bias)


def depthwise_separable_conv2d_backward(
    grad_out: Array,
    x: Array,
    depthwise: Array,
    pointwise: Array,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
) -> tuple[Array, Array, Array, Array]:
    """Return the gradients of the input, of both weights and of the bias of `depthwise_separable_conv2d`.

    Examples
    --------
    >>> import numpy as np
    >>> x, depthwise = np.ones((1, 2, 1, 1)), np.full((2, 1, 1, 1), 3.0)
    >>> pointwise = np.full((1, 2, 1, 1), 5.0)
    >>> grads = depthwise_separable_conv2d_backward(np.ones((1, 1, 1, 1)), x, depthwise, pointwise)
    >>> [grad.ravel().tolist() for grad in grads]
    [[15.0, 15.0], [5.0, 5.0], [3.0, 3.0], [1.0]]
    """
    middle = depthwise_conv2d(x, depthwise, stride, padding, dilation)  # (N, C_in * multiplier, H_out, W_out)
    grad_middle = correlate_grad_x(grad_out, pointwise, middle.shape[2:], slide2d())
    grad_pointwise = correlate_grad_weight(grad_out, middle, (1, 1), slide2d())
    grad_x, grad_depthwise = depthwise_conv2d_backward(grad_middle, x, depthwise, stride, padding, dilation)
    grad_bias: Array = grad_out.sum(axis=(0, 2, 3))
    return grad_x, grad_depthwise, grad_pointwise, grad_bias


def spatially_separable_conv2d(
    x: Array, column: Array, row: Array, stride: Pair = 1, padding: Pair = 0
) -> Array:
    """Cross-correlate each channel with a column, then with a row: K_h + K_w products a unit.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    column : ndarray, shape (K_h,)
    row : ndarray, shape (K_w,)
        Together the kernel ``np.outer(column, row)``, the same for every channel.
    stride, padding : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C, H_out, W_out)

    Examples
    --------
    >>> import numpy as np
    >>> column, row = np.array([1, 2, 1]), np.array([1, 0, -1])  # together one of Sobel's kernels
    >>> spatially_separable_conv2d(np.tri(3)[None, None], column, row)
    array([[[[3.]]]])
    """
    (s_h, s_w), (p_h, p_w) = slide2d(stride, padding)[:2]
    maps = x.reshape(-1, 1, *x.shape[2:])  # (N * C, 1, H, W)
    maps = conv2d(maps, column.reshape(1, 1, -1, 1), None, (s_h, 1), (p_h, 0))  # (N * C, 1, H_out, W)
    maps = conv2d(maps, row.reshape(1, 1, 1, -1), None, (1, s_w), (0, p_w))  # (N * C, 1, H_out, W_out)
    return maps.reshape(*x.shape[:2], *maps.shape[2:])
