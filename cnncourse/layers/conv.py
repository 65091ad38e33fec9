"""Two-dimensional convolution (cross-correlation) of a batch of images, and its gradients."""

from __future__ import annotations

from cnncourse.arrays import Array
from cnncourse.layers.correlate import correlate, correlate_grad_weight, correlate_grad_x
from cnncourse.layers.slide import Slide, add_bias, sum_bias
from cnncourse.layers.windows import col2im, im2col, pad2d, windows2d
from cnncourse.shapes import Pair, pair

__all__ = ["col2im", "conv2d", "conv2d_backward", "im2col", "pad2d", "slide2d", "windows2d"]


def slide2d(stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1, groups: int = 1) -> Slide:
    """Return how a two-dimensional kernel moves, each as (rows, columns).

    Raises
    ------
    ValueError
        If an argument is neither an int nor a pair, or out of range.
    """
    return Slide(pair(stride, "stride", 1), pair(padding, "padding"), pair(dilation, "dilation", 1), groups)


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Array:
    """Cross-correlate a batch of images with a bank of kernels.

    Parameters
    ----------
    x : ndarray, shape (N, C_in, H, W)
        Whole numbers are taken as float64.
    weight : ndarray, shape (C_out, C_in / groups, K_h, K_w)
    bias : ndarray, shape (C_out,), optional
    stride, padding, dilation : int or (rows, columns)
        In pixels.
    groups : int
        Parts into which the channels are divided; an output channel reads the input channels of its own part.

    Returns
    -------
    ndarray, shape (N, C_out, H_out, W_out)

    Raises
    ------
    ValueError
        If the channels of `x` and `weight` differ, `groups` does not divide them, or the kernel does not fit.

    References
    ----------
    LeCun et al. 1998, section II.A; as a matrix product: Chellapilla, Puri, Simard 2006; dilation: Yu, Koltun
    2016, section 2; groups: Krizhevsky et al. 2012, section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> conv2d(np.arange(5.0).reshape(1, 1, 1, 5), np.array([[[[1.0, 0.0, -1.0]]]]))[0, 0]
    array([[-2., -2., -2.]])
    """
    return add_bias(correlate(x, weight, slide2d(stride, padding, dilation, groups)), bias)


def conv2d_backward(
    grad_out: Array,
    x: Array,
    weight: Array,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> tuple[Array, Array, Array]:
    """Return the gradients of a convolution's input, weight and bias.

    Parameters
    ----------
    grad_out : ndarray, shape (N, C_out, H_out, W_out)
        The gradient of the loss with respect to the output of `conv2d` on the other arguments.
    x : ndarray, shape (N, C_in, H, W)
    weight : ndarray, shape (C_out, C_in / groups, K_h, K_w)
    stride, padding, dilation : int or (rows, columns)
    groups : int

    Returns
    -------
    grad_x, grad_weight, grad_bias : ndarrays, shaped like `x`, `weight` and the bias, (C_out,)

    Raises
    ------
    ValueError
        If `grad_out` has not the shape of the output, or `conv2d` would raise.

    Notes
    -----
    The forward pass is a matrix product, ``weight @ columns``. So the gradient of the weight is
    ``grad_out @ columns.T``, and that of the columns is ``weight.T @ grad_out``: each of its numbers goes
    back to the pixel it was copied from, where those of overlapping windows add up.

    Examples
    --------
    >>> import numpy as np
    >>> x, weight = np.array([[[[1.0, 2.0, 3.0]]]]), np.array([[[[10.0, 1.0]]]])
    >>> grad_x, grad_weight, grad_bias = conv2d_backward(np.ones((1, 1, 1, 2)), x, weight)
    >>> grad_x[0, 0], grad_weight[0, 0], grad_bias
    (array([[10., 11.,  1.]]), array([[3., 5.]]), array([2.]))
    """
    slide = slide2d(stride, padding, dilation, groups)
    grad_weight = correlate_grad_weight(grad_out, x, weight.shape[2:], slide)
    return correlate_grad_x(grad_out, weight, x.shape[2:], slide), grad_weight, sum_bias(grad_out)
