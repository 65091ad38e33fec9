"""The local layer, between a convolutional and a dense one: windows, but weights that are not shared."""

from __future__ import annotations

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.blocks import floats
from cnncourse.layers.windows import col2im, pad2d, windows2d
from cnncourse.shapes import Pair, conv2d_output_size


def local_conv2d(
    x: Array, weight: Array, bias: Array | None = None, stride: Pair = 1, padding: Pair = 0
) -> Array:
    """Multiply every window with a kernel of its own: local connectivity without parameter sharing.

    Parameters
    ----------
    x : ndarray, shape (N, C_in, H, W)
    weight : ndarray, shape (C_out, H_out, W_out, C_in, K_h, K_w)
    bias : ndarray, shape (C_out, H_out, W_out), optional
        One number for each unit.
    stride, padding : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C_out, H_out, W_out)

    Raises
    ------
    ValueError
        If `weight` or `bias` has not one kernel or number for each unit.

    References
    ----------
    Goodfellow, Bengio, Courville 2016, section 9.5, equation 9.9; Taigman et al. 2014 (DeepFace), L4 to L6.

    Examples
    --------
    >>> weight = np.array([1.0, 10.0, 100.0]).reshape(1, 1, 3, 1, 1, 1)
    >>> local_conv2d(np.array([[[[1.0, 2.0, 3.0]]]]), weight)[0, 0]
    array([[  1.,  20., 300.]])
    """
    x, weight = floats(x), floats(weight)
    _check(x, weight, stride, padding)
    kernels = _kernels_by_place(weight)  # (L, C_in * K, C_out)
    out = _windows_by_place(x, weight, stride, padding) @ kernels  # (L, N, C_out)
    out = np.ascontiguousarray(out.transpose(1, 2, 0)).reshape(len(x), *weight.shape[:3])
    if bias is None:
        return out
    if bias.shape != out.shape[1:]:
        raise ValueError(f"bias has shape {bias.shape}; it needs one number for each unit, {out.shape[1:]}")
    return out + floats(bias)


def local_conv2d_backward(
    grad_out: Array, x: Array, weight: Array, stride: Pair = 1, padding: Pair = 0
) -> tuple[Array, Array, Array]:
    """Return the gradients of the input, the weight and the bias of `local_conv2d`, shaped like them.

    Raises
    ------
    ValueError
        If `grad_out` has not the shape of the output.

    Examples
    --------
    >>> x, weight = np.array([[[[1.0, 2.0, 3.0]]]]), np.array([1.0, 10.0, 100.0]).reshape(1, 1, 3, 1, 1, 1)
    >>> [grad.ravel().tolist() for grad in local_conv2d_backward(np.ones((1, 1, 1, 3)), x, weight)]
    [[1.0, 10.0, 100.0], [1.0, 2.0, 3.0], [1.0, 1.0, 1.0]]
    """
    x, weight, grad_out = floats(x), floats(weight), floats(grad_out)
    _check(x, weight, stride, padding)
    expected = (len(x), *weight.shape[:3])
    if grad_out.shape != expected:
        raise ValueError(f"grad_out has shape {grad_out.shape}; the output of this layer has {expected}")
    by_place = grad_out.reshape(*grad_out.shape[:2], -1).transpose(2, 0, 1)  # (L, N, C_out)
    seen = _windows_by_place(x, weight, stride, padding)  # (L, N, C_in * K)
    grad_weight = (by_place.swapaxes(1, 2) @ seen).swapaxes(0, 1).reshape(weight.shape)
    grad_columns = (by_place @ _kernels_by_place(weight).swapaxes(1, 2)).transpose(
        1, 2, 0
    )  # (N, C_in * K, L)
    H, W = x.shape[2:]
    kernel_size = (weight.shape[4], weight.shape[5])
    return col2im(grad_columns, (H, W), kernel_size, stride, padding), grad_weight, grad_out.sum(axis=0)


def _windows_by_place(x: Array, weight: Array, stride: Pair, padding: Pair) -> Array:
    """Return the windows, place by place: (L, N, C_in * K)."""
    view = windows2d(pad2d(x, padding), (weight.shape[4], weight.shape[5]), stride)
    N, _, h_out, w_out = view.shape[:4]
    return view.transpose(2, 3, 0, 1, 4, 5).reshape(h_out * w_out, N, -1)


def _kernels_by_place(weight: Array) -> Array:
    """Return the kernels, place by place: (L, C_in * K, C_out)."""
    C_out, h_out, w_out = weight.shape[:3]
    return weight.reshape(C_out, h_out * w_out, -1).transpose(1, 2, 0)


def unshared_out_shape(x: Array, weight: Array, stride: Pair, padding: Pair) -> tuple[int, int, int, int]:
    """Return (N, C_out, H_out, W_out) of a layer whose weight is (C_out, rows, columns, C_in, K_h, K_w)."""
    if x.ndim != 4 or weight.ndim != 6:
        raise ValueError(f"x has shape {x.shape} and weight {weight.shape}; they need 4 and 6 axes")
    if x.shape[1] != weight.shape[3]:
        expects = f"weight is for {weight.shape[3]} input channels (shape {weight.shape})"
        raise ValueError(f"{expects}, x has {x.shape[1]} ({x.shape})")
    H, W = x.shape[2:]
    size = conv2d_output_size(H, W, (weight.shape[4], weight.shape[5]), stride, padding)
    return len(x), weight.shape[0], *size


def _check(x: Array, weight: Array, stride: Pair, padding: Pair) -> None:
    size = unshared_out_shape(x, weight, stride, padding)[2:]
    if weight.shape[1:3] != size:
        raise ValueError(f"weight has kernels for {weight.shape[1:3]} places; the windows are at {size}")
