"""RoIPool and RoIAlign: a box of any size as a grid of one size, read from a feature map (NumPy).

A box is (x1, y1, x2, y2) in pixels of the image, half-open. A cell of the map stands for a square of `stride`
by `stride` pixels: cell k for the pixels from k * stride to (k + 1) * stride.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cnncourse.arrays import Array
from cnncourse.boxes import as_boxes


def roi_pool(features: ArrayLike, boxes: ArrayLike, output: int, stride: float) -> Array:
    """Return the maximum of each bin of each box; box and bins are rounded to whole cells.

    Parameters
    ----------
    features : array_like, shape (C, H, W)
    boxes : array_like, shape (R, 4)
        In pixels.
    output : int
        Rows and columns of bins.
    stride : float
        Pixels of a cell.

    Returns
    -------
    ndarray, shape (R, C, output, output)
        0 where a bin holds no cell of the map.

    Raises
    ------
    ValueError
        If the map has not three axes, boxes are no boxes, there are no bins, or cells have no size.

    References
    ----------
    Girshick 2015, "Fast R-CNN", section 2.1.

    Examples
    --------
    >>> roi_pool([[[1, 2, 3], [4, 5, 6]]], [[3, 0, 19, 12]], output=1, stride=8)
    array([[[[6.]]]])
    """
    features, boxes = _checked(features, boxes, output, stride)
    channels, height, width = features.shape
    result = np.zeros((len(boxes), channels, output, output))
    for r, (x1, y1, x2, y2) in enumerate(boxes):
        rows = pool_edges(y1, y2, output, stride).clip(0, height)
        columns = pool_edges(x1, x2, output, stride).clip(0, width)
        for i, (top, bottom) in enumerate(rows):
            for j, (left, right) in enumerate(columns):
                cells = features[:, top:bottom, left:right]  # (C, rows, columns)
                if cells.size:
                    result[r, :, i, j] = cells.max(axis=(1, 2))
    return result


def roi_align(
    features: ArrayLike,
    boxes: ArrayLike,
    output: int,
    stride: float,
    samples: int = 2,
    half_pixel: bool = True,
) -> Array:
    """Return the mean of `samples` by `samples` points of each bin, each interpolated between four cells.

    Parameters
    ----------
    features, boxes, output, stride
        As for `roi_pool`.
    samples : int
        Points of a bin along each side.
    half_pixel : bool
        The value of cell k belongs to the middle of its pixels. False: to its first one, and a box has at
        least the size of a cell, as in the first programs.

    Returns
    -------
    ndarray, shape (R, C, output, output)
        A point more than one cell outside the map counts as 0.

    Raises
    ------
    ValueError
        As `roi_pool`, and if there are no points.

    References
    ----------
    He et al. 2017, "Mask R-CNN", section 3, "RoIAlign".

    Examples
    --------
    The slope rises by 1 from cell to cell; so a bin's mean says where the bin's middle is, in cells.

    >>> roi_align([[[0, 1, 2, 3]]], [[8, 0, 24, 8]], output=2, stride=8)[0, 0, 0]
    array([1., 2.])
    """
    features, boxes = _checked(features, boxes, output, stride)
    if samples < 1:
        raise ValueError(f"samples (={samples}) must be at least 1")
    channels, height, width = features.shape
    result = np.zeros((len(boxes), channels, output, output))
    for r, (x1, y1, x2, y2) in enumerate(boxes):
        across = align_places(x1, x2, output, stride, samples, half_pixel)  # (output, samples)
        down = align_places(y1, y2, output, stride, samples, half_pixel)
        columns = cell_weights(across, width).mean(axis=1)  # (output, W)
        rows = cell_weights(down, height).mean(axis=1)  # (output, H)
        result[r] = rows @ features @ columns.T  # (C, output, output)
    return result


def pool_edges(start: float, end: float, output: int, stride: float) -> Array:
    """Return the first cell of each bin of RoIPool along one axis, and the one after its last, (output, 2).

    Examples
    --------
    A box from pixel 3 to 19 begins in cell 0 and ends in cell 2; its two bins share the one between.

    >>> pool_edges(3, 19, output=2, stride=8)
    array([[0, 2],
           [1, 3]])
    """
    first, last = int(np.floor(start / stride + 0.5)), int(np.floor(end / stride + 0.5))
    extent = last - first + 1
    place = np.arange(output)
    after = -(-(place + 1) * extent // output)  # rounded up
    return first + np.stack([place * extent // output, after], axis=1)


def align_places(
    start: float, end: float, output: int, stride: float, samples: int = 2, half_pixel: bool = True
) -> Array:
    """Return where the points of each bin of RoIAlign lie along one axis, (output, samples).

    They are counted in cells, and the value of cell k lies at k.

    Examples
    --------
    >>> align_places(8, 24, output=2, stride=8)
    array([[0.75, 1.25],
           [1.75, 2.25]])
    """
    size = (end - start) / stride
    first = start / stride - (0.5 if half_pixel else 0.0)
    share = (np.arange(output * samples) + 0.5) / (output * samples)
    places = first + share * (size if half_pixel else max(size, 1.0))
    return np.asarray(places.reshape(output, samples))


def cell_weights(places: Array, cells: int) -> Array:
    """Return how much each cell counts at places (...): 1 at its own, 0 from one cell away, (..., cells).

    Between the outermost cell and one cell further out that cell counts fully; beyond, none does.
    """
    inside = (places >= -1) & (places <= cells)
    apart = places.clip(0, cells - 1)[..., None] - np.arange(cells)
    return np.asarray((1 - np.abs(apart)).clip(0) * inside[..., None])


def _checked(features: ArrayLike, boxes: ArrayLike, output: int, stride: float) -> tuple[Array, Array]:
    """Return map and boxes as arrays, or raise ValueError."""
    values = np.asarray(features, dtype=np.float64)
    if values.ndim != 3:
        raise ValueError(f"features have shape {values.shape}; needed is (C, H, W)")
    if output < 1:
        raise ValueError(f"output (={output}) must be at least 1")
    if not stride > 0:
        raise ValueError(f"stride (={stride}) must be above 0")
    return values, as_boxes(boxes)
