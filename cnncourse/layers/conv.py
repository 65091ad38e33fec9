"""Two-dimensional convolution (cross-correlation): windows as a view, one matrix product an image."""

from __future__ import annotations

from collections.abc import Iterator

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


def places2d(x: Array, kernel_size: Pair, stride: Pair = 1) -> Iterator[Array]:
    """Yield, for each place in the kernel, the pixels that lie there in all windows, as a view.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    kernel_size, stride : int or (rows, columns)

    Yields
    ------
    ndarray, shape (N, C, H_out, W_out)
        K_h * K_w views of `x` in reading order. No pixel is twice in one of them, so each may be added to.

    Examples
    --------
    >>> for pixels in places2d(np.arange(6.0).reshape(1, 1, 2, 3), (1, 2)):
    ...     print(pixels[0, 0].tolist())
    [[0.0, 1.0], [3.0, 4.0]]
    [[1.0, 2.0], [4.0, 5.0]]
    """
    (k_h, k_w), (s_h, s_w) = pair(kernel_size, "kernel_size", 1), pair(stride, "stride", 1)
    H, W = x.shape[2:]
    h_out, w_out = conv2d_output_size(H, W, kernel_size, stride)
    for i, j in np.ndindex(k_h, k_w):
        yield x[:, :, i : i + s_h * (h_out - 1) + 1 : s_h, j : j + s_w * (w_out - 1) + 1 : s_w]


def unpad2d(x: Array, padding: Pair) -> Array:
    """Return the images without the frame that `pad2d` put around them, as a view.

    Examples
    --------
    >>> unpad2d(np.zeros((1, 1, 5, 4)), (0, 1)).shape
    (1, 1, 5, 2)
    """
    p_h, p_w = pair(padding, "padding")
    H, W = x.shape[2:]
    return x[:, :, p_h : H - p_h, p_w : W - p_w]


def conv2d_backward(
    grad: Array, x: Array, weight: Array, stride: Pair = 1, padding: Pair = 0
) -> tuple[Array, Array, Array]:
    """Return the gradients of a convolution's input, weight and bias.

    Parameters
    ----------
    grad : ndarray, shape (N, C_out, H_out, W_out)
        The gradient of the loss with respect to the output of ``conv2d(x, weight, bias, stride, padding)``.
    x : ndarray, shape (N, C_in, H, W)
    weight : ndarray, shape (C_out, C_in, K_h, K_w)
    stride, padding : int or (rows, columns)

    Returns
    -------
    grad_x, grad_weight, grad_bias : ndarrays, shaped like `x`, `weight` and the bias, (C_out,)

    Raises
    ------
    ValueError
        If `grad` has not the shape of the output.

    Notes
    -----
    The forward pass is one matrix product for each image, ``weight @ columns``. So the gradient of the weight
    is ``grad @ columns.T``, added up over the images, and that of the columns is ``weight.T @ grad``: each of
    its numbers goes back to the pixel it was copied from, where those of overlapping windows add up.

    Examples
    --------
    >>> x, weight = np.array([[[[1.0, 2.0, 3.0]]]]), np.array([[[[10.0, 1.0]]]])
    >>> grad_x, grad_weight, grad_bias = conv2d_backward(np.ones((1, 1, 1, 2)), x, weight)
    >>> grad_x[0, 0], grad_weight[0, 0], grad_bias
    (array([[10., 11.,  1.]]), array([[3., 5.]]), array([2.]))
    """
    N, C_in, H, W = x.shape
    C_out, _, k_h, k_w = weight.shape
    expected = (N, C_out, *conv2d_output_size(H, W, (k_h, k_w), stride, padding))
    if grad.shape != expected:
        raise ValueError(f"grad has shape {grad.shape}; the output of this convolution has {expected}")
    matrix = weight.reshape(C_out, -1)  # (C_out, C_in * K_h * K_w)
    grad_padded = np.zeros_like(pad2d(x, padding), dtype=np.result_type(grad, weight))
    grad_matrix = np.zeros(matrix.shape, dtype=np.result_type(grad, x))
    for n, image_grad in enumerate(grad.reshape(N, C_out, -1)):  # (C_out, H_out * W_out)
        grad_matrix += image_grad @ im2col(x[n : n + 1], (k_h, k_w), stride, padding)[0].T
        columns = (matrix.T @ image_grad).reshape(C_in, k_h * k_w, *expected[2:])
        for place, pixels in enumerate(places2d(grad_padded[n : n + 1], (k_h, k_w), stride)):
            pixels[0] += columns[:, place]  # (C_in, H_out, W_out)
    return unpad2d(grad_padded, padding), grad_matrix.reshape(weight.shape), grad.sum(axis=(0, 2, 3))
