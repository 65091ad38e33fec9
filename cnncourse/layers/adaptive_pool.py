"""Pooling to a fixed output size, whatever the size of the feature map. Forward and backward side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.blocks import floats
from cnncourse.shapes import Pair, pair


def adaptive_bounds(size: int, output_size: int) -> list[tuple[int, int]]:
    """Return where the windows of adaptive pooling start and stop along one axis.

    Window i goes from floor(i * size / output_size) to ceil((i + 1) * size / output_size). So the windows
    cover everything; where `output_size` does not divide `size`, neighbours may overlap.

    Examples
    --------
    >>> adaptive_bounds(5, 2), adaptive_bounds(2, 3)
    ([(0, 3), (2, 5)], [(0, 1), (0, 2), (1, 2)])
    """
    return [(i * size // output_size, -(-(i + 1) * size // output_size)) for i in range(output_size)]


def adaptive_avg_pool2d(x: Array, output_size: Pair) -> Array:
    """Return the means of the windows that divide every feature map into `output_size`.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    output_size : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C, rows, columns)

    References
    ----------
    torch.nn.AdaptiveAvgPool2d.

    Examples
    --------
    >>> adaptive_avg_pool2d(np.array([[[[1.0, 2.0, 3.0, 5.0, 7.0]]]]), (1, 2))[0, 0]
    array([[2., 5.]])
    """
    x = floats(x)
    rows, columns = _averaging(x, output_size)
    return rows @ x @ columns.T


def adaptive_avg_pool2d_backward(grad_out: Array, x: Array, output_size: Pair) -> Array:
    """Spread the gradient of every window evenly over its pixels.

    Parameters
    ----------
    grad_out : ndarray, shape (N, C, rows, columns)
    x : ndarray, shape (N, C, H, W)
        Only its shape matters.
    output_size : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C, H, W)

    Examples
    --------
    >>> adaptive_avg_pool2d_backward(np.array([[[[3.0, 6.0]]]]), np.zeros((1, 1, 1, 5)), (1, 2))[0, 0]
    array([[1., 1., 3., 2., 2.]])
    """
    rows, columns = _averaging(x, output_size)
    return rows.T @ grad_out @ columns


def _averaging(x: Array, output_size: Pair) -> tuple[Array, Array]:
    """Return matrices that take means: of rows, from the left, and of columns, transposed, from the right."""
    matrices = []
    for size, bounds in zip(x.shape[2:], _bounds(x, output_size), strict=True):
        matrix = np.zeros((len(bounds), size), floats(x).dtype)
        for i, (start, stop) in enumerate(bounds):
            matrix[i, start:stop] = 1 / (stop - start)
        matrices.append(matrix)
    return matrices[0], matrices[1]


def adaptive_max_pool2d(x: Array, output_size: Pair) -> Array:
    """Return the largest number of each of the windows that divide every feature map into `output_size`.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    output_size : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C, rows, columns)

    References
    ----------
    torch.nn.AdaptiveMaxPool2d.

    Examples
    --------
    >>> adaptive_max_pool2d(np.array([[[[1.0, 2.0, 9.0, 5.0, 7.0]]]]), (1, 2))[0, 0]
    array([[9., 9.]])
    """
    x = floats(x)
    rows, columns = _bounds(x, output_size)
    out = np.empty((*x.shape[:2], len(rows), len(columns)), x.dtype)
    for i, (top, bottom) in enumerate(rows):
        for j, (left, right) in enumerate(columns):
            out[:, :, i, j] = x[:, :, top:bottom, left:right].max(axis=(2, 3))
    return out


def adaptive_max_pool2d_backward(grad_out: Array, x: Array, output_size: Pair) -> Array:
    """Send the gradient of every window to its largest pixel; of equal ones, to the first in reading order.

    Parameters
    ----------
    grad_out : ndarray, shape (N, C, rows, columns)
    x : ndarray, shape (N, C, H, W)
    output_size : int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C, H, W)

    Examples
    --------
    >>> adaptive_max_pool2d_backward(np.ones((1, 1, 1, 2)), np.array([[[[1.0, 9.0, 9.0]]]]), (1, 2))[0, 0]
    array([[0., 2., 0.]])
    """
    grad_x = np.zeros(x.shape, grad_out.dtype)
    n, c = np.ogrid[: x.shape[0], : x.shape[1]]
    rows, columns = _bounds(x, output_size)
    for i, (top, bottom) in enumerate(rows):
        for j, (left, right) in enumerate(columns):
            place = x[:, :, top:bottom, left:right].reshape(*x.shape[:2], -1).argmax(axis=2)  # (N, C)
            row, column = np.divmod(place, right - left)
            grad_x[n, c, top + row, left + column] += grad_out[:, :, i, j]
    return grad_x


def _bounds(x: Array, output_size: Pair) -> list[list[tuple[int, int]]]:
    sizes = zip(x.shape[2:], pair(output_size, "output_size", 1), strict=True)
    return [adaptive_bounds(size, out) for size, out in sizes]


def spatial_pyramid_pool(x: Array, levels: Sequence[Pair] = (4, 2, 1)) -> Array:
    """Max-pool every feature map to grids of several sizes and write all of them as one vector.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    levels : sequence of int or (rows, columns)
        The grids, in the order in which their numbers stand in the vector.

    Returns
    -------
    ndarray, shape (N, C * sum(rows * columns))
        As long for a large image as for a small one. Level by level; inside a level channel, row, column.

    References
    ----------
    He, Zhang, Ren, Sun 2015, sections 2.2 and 2.3. The paper's windows are ceil(a / n) pixels wide and
    floor(a / n) apart. On 7 pixels and 4 bins these are six windows; those of adaptive pooling, used here,
    are always n.

    Examples
    --------
    >>> [spatial_pyramid_pool(np.zeros((2, 256, H, W))).shape for H, W in ((13, 13), (10, 7))]
    [(2, 5376), (2, 5376)]
    """
    return np.concatenate([adaptive_max_pool2d(x, level).reshape(len(x), -1) for level in levels], axis=1)


def spatial_pyramid_pool_backward(grad_out: Array, x: Array, levels: Sequence[Pair] = (4, 2, 1)) -> Array:
    """Send each number's gradient to the pixel it came from; what several levels send adds up.

    Parameters
    ----------
    grad_out : ndarray, shape (N, C * sum(rows * columns))
    x : ndarray, shape (N, C, H, W)
    levels : sequence of int or (rows, columns)

    Returns
    -------
    ndarray, shape (N, C, H, W)

    Examples
    --------
    >>> spatial_pyramid_pool_backward(np.ones((1, 3)), np.array([[[[1.0, 9.0]]]]), [(1, 2), 1])[0, 0]
    array([[1., 2.]])
    """
    sizes = [pair(level, "levels", 1) for level in levels]
    ends = np.cumsum([x.shape[1] * rows * columns for rows, columns in sizes])
    grad_x = np.zeros(x.shape, grad_out.dtype)
    for level, part in zip(sizes, np.split(grad_out, ends[:-1], axis=1), strict=True):
        grad_x += adaptive_max_pool2d_backward(part.reshape(*x.shape[:2], *level), x, level)
    return grad_x
