"""The transposed convolution, which makes maps larger, beside its gradients.

A convolution without bias is a matrix times the pixels. This layer multiplies with the matrix's transpose:
its forward pass is the gradient of a convolution's input, and its gradient is a convolution.
"""

from __future__ import annotations

from cnncourse.arrays import Array
from cnncourse.layers.conv import slide2d
from cnncourse.layers.correlate import correlate, correlate_grad_weight, correlate_grad_x
from cnncourse.layers.slide import add_bias, sum_bias
from cnncourse.shapes import Pair, check_groups, conv_transpose2d_output_size


def conv_transpose2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    groups: int = 1,
    dilation: Pair = 1,
) -> Array:
    """Let every pixel add its number times the kernel to a larger map, at places `stride` apart.

    Parameters
    ----------
    x : ndarray, shape (N, C_in, H, W)
    weight : ndarray, shape (C_in, C_out / groups, K_h, K_w)
        Input channels first: it is the weight of the convolution whose transpose this is.
    bias : ndarray, shape (C_out,), optional
    stride, padding, dilation : int or (rows, columns)
        Of that convolution. Here, padding takes rows and columns away.
    output_padding : int or (rows, columns)
        Rows more below and columns more to the right. Of the sizes that the convolution maps to H and W, 0 is
        the smallest.
    groups : int

    Returns
    -------
    ndarray, shape (N, C_out, H_out, W_out)
        ``H_out = (H - 1) * stride - 2 * padding + dilation * (K_h - 1) + output_padding + 1``.

    Raises
    ------
    ValueError
        If shapes or groups do not go together, or `output_padding` is not smaller than `stride`.

    References
    ----------
    Zeiler, Krishnan, Taylor, Fergus 2010; Dumoulin, Visin 2016, chapter 4; torch.nn.ConvTranspose2d.

    Examples
    --------
    >>> import numpy as np
    >>> x, weight = np.array([[[[1.0, 10.0]]]]), np.array([[[[1.0, 2.0, 3.0]]]])
    >>> conv_transpose2d(x, weight, stride=(1, 2))[0, 0]
    array([[ 1.,  2., 13., 20., 30.]])
    """
    _check(x, weight, groups)
    H, W = x.shape[2:]
    size = conv_transpose2d_output_size(
        H, W, (weight.shape[2], weight.shape[3]), stride, padding, output_padding, dilation
    )
    return add_bias(correlate_grad_x(x, weight, size, slide2d(stride, padding, dilation, groups)), bias)


def conv_transpose2d_backward(
    grad_out: Array,
    x: Array,
    weight: Array,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    groups: int = 1,
    dilation: Pair = 1,
) -> tuple[Array, Array, Array]:
    """Return the gradients of the input, the weight and the bias of `conv_transpose2d`.

    Parameters
    ----------
    grad_out : ndarray, shape (N, C_out, H_out, W_out)
    x, weight, stride, padding, output_padding, groups, dilation
        As in `conv_transpose2d`.

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
    >>> x, weight = np.array([[[[1.0, 10.0]]]]), np.array([[[[1.0, 2.0, 3.0]]]])
    >>> grads = conv_transpose2d_backward(np.ones((1, 1, 1, 5)), x, weight, stride=(1, 2))
    >>> [grad.ravel().tolist() for grad in grads]
    [[6.0, 6.0], [11.0, 11.0, 11.0], [5.0]]
    """
    _check(x, weight, groups)
    H, W = x.shape[2:]
    kernel_size = (weight.shape[2], weight.shape[3])
    size = conv_transpose2d_output_size(H, W, kernel_size, stride, padding, output_padding, dilation)
    expected = (len(x), weight.shape[1] * groups, *size)
    if grad_out.shape != expected:
        raise ValueError(f"grad_out has shape {grad_out.shape}; the output of this layer has {expected}")
    slide = slide2d(stride, padding, dilation, groups)
    grad_weight = correlate_grad_weight(x, grad_out, kernel_size, slide)
    return correlate(grad_out, weight, slide), grad_weight, sum_bias(grad_out)


def _check(x: Array, weight: Array, groups: int) -> None:
    if x.ndim != 4 or weight.ndim != 4:
        raise ValueError(f"x has shape {x.shape} and weight {weight.shape}; both need 4 axes")
    check_groups(x.shape[1], weight.shape[1] * max(1, groups), groups)
    if x.shape[1] != weight.shape[0]:
        expects = f"weight is for {weight.shape[0]} input channels (shape {weight.shape})"
        raise ValueError(f"{expects}, x has {x.shape[1]} ({x.shape})")
