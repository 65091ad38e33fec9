"""The convolutional layer on volumes and films, beside its gradients."""

from __future__ import annotations

from cnncourse.arrays import Array
from cnncourse.layers.correlate import correlate, correlate_grad_weight, correlate_grad_x
from cnncourse.layers.slide import Slide, add_bias, sum_bias
from cnncourse.shapes import Triple, triple


def conv3d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Triple = 1,
    padding: Triple = 0,
    dilation: Triple = 1,
    groups: int = 1,
) -> Array:
    """Cross-correlate a batch of volumes with a bank of kernels that also move along the depth.

    Parameters
    ----------
    x : ndarray, shape (N, C_in, D, H, W)
        D is the depth of a volume, or the number of pictures of a film.
    weight : ndarray, shape (C_out, C_in / groups, K_d, K_h, K_w)
    bias : ndarray, shape (C_out,), optional
    stride, padding, dilation : int or (depth, rows, columns)
    groups : int

    Returns
    -------
    ndarray, shape (N, C_out, D_out, H_out, W_out)

    Raises
    ------
    ValueError
        If the channels of `x` and `weight` differ, `groups` does not divide them, or the kernel does not fit.

    References
    ----------
    Ji, Xu, Yang, Yu 2013, section 2.1; Tran et al. 2015, section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> conv3d(np.ones((1, 1, 4, 3, 3)), np.ones((1, 1, 2, 3, 3)), stride=(2, 1, 1)).ravel()
    array([18., 18.])
    """
    return add_bias(correlate(x, weight, _slide3d(stride, padding, dilation, groups)), bias)


def conv3d_backward(
    grad_out: Array,
    x: Array,
    weight: Array,
    stride: Triple = 1,
    padding: Triple = 0,
    dilation: Triple = 1,
    groups: int = 1,
) -> tuple[Array, Array, Array]:
    """Return the gradients of the input, the weight and the bias of `conv3d`.

    Parameters
    ----------
    grad_out : ndarray, shape (N, C_out, D_out, H_out, W_out)
    x, weight, stride, padding, dilation, groups
        As in `conv3d`.

    Returns
    -------
    grad_x, grad_weight, grad_bias : ndarrays, shaped like `x`, `weight` and the bias, (C_out,)

    Raises
    ------
    ValueError
        If `grad_out` has not the shape of the output.

    Examples
    --------
    >>> import numpy as np
    >>> x, weight = np.ones((1, 1, 3, 1, 1)), np.array([2.0, 3.0]).reshape(1, 1, 2, 1, 1)
    >>> grad_x, grad_weight, grad_bias = conv3d_backward(np.ones((1, 1, 2, 1, 1)), x, weight)
    >>> grad_x.ravel(), grad_weight.ravel(), grad_bias
    (array([2., 5., 3.]), array([2., 2.]), array([2.]))
    """
    slide = _slide3d(stride, padding, dilation, groups)
    grad_x = correlate_grad_x(grad_out, weight, x.shape[2:], slide)
    return grad_x, correlate_grad_weight(grad_out, x, weight.shape[2:], slide), sum_bias(grad_out)


def _slide3d(stride: Triple, padding: Triple, dilation: Triple, groups: int) -> Slide:
    return Slide(
        triple(stride, "stride", 1), triple(padding, "padding"), triple(dilation, "dilation", 1), groups
    )
