"""Windows of a batch of images: padded, as a view, as the columns of a matrix, and back."""

from __future__ import annotations

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.blocks import crop, pixels, windows, zero_pad
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
    padded = zero_pad(x, pair(padding, "padding"))
    return padded.copy() if padded is x else padded


def windows2d(x: Array, kernel_size: Pair, stride: Pair = 1, dilation: Pair = 1) -> Array:
    """Return every window of every channel, as a view.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    kernel_size, stride, dilation : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C, H_out, W_out, K_h, K_w)

    Examples
    --------
    >>> windows2d(np.zeros((1, 3, 5, 6)), (2, 3), stride=2).shape
    (1, 3, 2, 2, 2, 3)
    """
    H, W = x.shape[2:]
    conv2d_output_size(H, W, kernel_size, stride, 0, dilation)  # raises if the kernel does not fit
    return windows(
        x, pair(kernel_size, "kernel_size", 1), pair(stride, "stride", 1), pair(dilation, "dilation", 1)
    )


def im2col(x: Array, kernel_size: Pair, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1) -> Array:
    """Write every window as one column, so that a convolution becomes a matrix product.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    kernel_size, stride, padding, dilation : int or (rows, columns)

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
    view = windows2d(pad2d(x, padding), kernel_size, stride, dilation)  # (N, C, H_out, W_out, K_h, K_w)
    N, C, h_out, w_out, k_h, k_w = view.shape
    columns = view.transpose(0, 1, 4, 5, 2, 3)  # (N, C, K_h, K_w, H_out, W_out)
    return columns.reshape(N, C * k_h * k_w, h_out * w_out)


def col2im(
    columns: Array,
    size: tuple[int, int],
    kernel_size: Pair,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
) -> Array:
    """Add every column of `im2col` back to the pixels it was copied from: the transpose of `im2col`.

    Parameters
    ----------
    columns : ndarray, shape (N, C * K_h * K_w, H_out * W_out)
    size : (H, W)
        Of the images, without padding.
    kernel_size, stride, padding, dilation : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C, H, W)
        Where windows overlap, their numbers add up: it does not undo `im2col`.

    Raises
    ------
    ValueError
        If `columns` has not the shape that `im2col` gives for such images.

    Examples
    --------
    >>> col2im(im2col(np.ones((1, 1, 2, 3)), (2, 2)), (2, 3), (2, 2))[0, 0]
    array([[1., 2., 1.],
           [1., 2., 1.]])
    """
    k_h, k_w = pair(kernel_size, "kernel_size", 1)
    p_h, p_w = pair(padding, "padding")
    out = conv2d_output_size(*size, kernel_size, stride, padding, dilation)
    if columns.ndim != 3 or columns.shape[1] % (k_h * k_w) or columns.shape[2] != out[0] * out[1]:
        raise ValueError(
            f"columns has shape {columns.shape}; these windows give (N, C * {k_h * k_w}, {out[0] * out[1]})"
        )
    parts = columns.reshape(len(columns), -1, k_h, k_w, *out)  # (N, C, K_h, K_w, H_out, W_out)
    padded = np.zeros((*parts.shape[:2], size[0] + 2 * p_h, size[1] + 2 * p_w), columns.dtype)
    for i, j in np.ndindex(k_h, k_w):
        there = pixels((i, j), 0, out, pair(stride, "stride", 1), pair(dilation, "dilation", 1))
        padded[(slice(None), slice(None), *there)] += parts[:, :, i, j]
    return crop(padded, (p_h, p_w))
