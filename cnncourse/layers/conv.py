"""Two-dimensional convolution (cross-correlation): windows as a view, one matrix product an image."""

from __future__ import annotations

import numpy as np

from cnncourse.arrays import Array
from cnncourse.shapes import Pair, conv2d_output_size, pair


def pad2d(x: Array, padding: Pair) -> Array:
    """Put a frame of zeros around every image.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    padding : int or (rows, columns)
        Pixels on either side.

    Returns
    -------
    ndarray, shape (N, C, H + 2 * rows, W + 2 * columns)

    Examples
    --------
    >>> pad2d(np.ones((1, 1, 1, 2)), 1)[0, 0]
    array([[0., 0., 0., 0.],
           [0., 1., 1., 0.],
           [0., 0., 0., 0.]])
    """
    p_h, p_w = pair(padding, "padding")
    return np.pad(x, ((0, 0), (0, 0), (p_h, p_h), (p_w, p_w)))


def windows2d(x: Array, kernel_size: Pair, stride: Pair = 1) -> Array:
    """Return every window of every channel, as a view.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    kernel_size, stride : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C, H_out, W_out, K_h, K_w)

    Examples
    --------
    >>> windows2d(np.zeros((1, 3, 5, 6)), (2, 3), stride=2).shape
    (1, 3, 2, 2, 2, 3)
    """
    s_h, s_w = pair(stride, "stride", 1)
    every = np.lib.stride_tricks.sliding_window_view(x, pair(kernel_size, "kernel_size", 1), axis=(2, 3))
    return every[:, :, ::s_h, ::s_w]


def im2col(x: Array, kernel_size: Pair, stride: Pair = 1, padding: Pair = 0) -> Array:
    """Write every window as one column, so that a convolution becomes a matrix product.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    kernel_size, stride, padding : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C * K_h * K_w, H_out * W_out)
        Rows in the order channel, kernel row, kernel column; columns in reading order, as in torch.nn.Unfold.

    References
    ----------
    Chellapilla, Puri, Simard 2006, section 2.1.

    Examples
    --------
    >>> im2col(np.arange(6.0).reshape(1, 1, 2, 3), (2, 2))[0]
    array([[0., 1.],
           [1., 2.],
           [3., 4.],
           [4., 5.]])
    """
    N, C, H, W = x.shape
    k_h, k_w = pair(kernel_size, "kernel_size", 1)
    h_out, w_out = conv2d_output_size(H, W, kernel_size, stride, padding)
    windows = windows2d(pad2d(x, padding), kernel_size, stride)  # (N, C, H_out, W_out, K_h, K_w)
    columns = windows.transpose(0, 1, 4, 5, 2, 3)  # (N, C, K_h, K_w, H_out, W_out)
    return columns.reshape(N, C * k_h * k_w, h_out * w_out)


def conv2d(x: Array, weight: Array, bias: Array | None = None, stride: Pair = 1, padding: Pair = 0) -> Array:
    """Cross-correlate a batch of images with a bank of kernels.

    Parameters
    ----------
    x : ndarray, shape (N, C_in, H, W)
    weight : ndarray, shape (C_out, C_in, K_h, K_w)
    bias : ndarray, shape (C_out,), optional
    stride, padding : int or (rows, columns)
        In pixels.

    Returns
    -------
    ndarray, shape (N, C_out, H_out, W_out)

    Raises
    ------
    ValueError
        If the channels of `x` and `weight` differ, or the kernel does not fit.

    References
    ----------
    LeCun et al. 1998, section II.A; the matrix form: Chellapilla, Puri, Simard 2006.

    Examples
    --------
    >>> conv2d(np.arange(5.0).reshape(1, 1, 1, 5), np.array([[[[1.0, 0.0, -1.0]]]]))[0, 0]
    array([[-2., -2., -2.]])
    """
    N, C_in, H, W = x.shape
    C_out, weight_in, k_h, k_w = weight.shape
    if weight_in != C_in:
        raise ValueError(
            f"weight is for {weight_in} input channels (shape {weight.shape}), x has {C_in} ({x.shape})"
        )
    h_out, w_out = conv2d_output_size(H, W, (k_h, k_w), stride, padding)
    columns = im2col(x, (k_h, k_w), stride, padding)  # (N, C_in * K_h * K_w, H_out * W_out)
    out = (weight.reshape(C_out, -1) @ columns).reshape(N, C_out, h_out, w_out)  # (N, C_out, H_out, W_out)
    return out if bias is None else out + bias[:, None, None]
