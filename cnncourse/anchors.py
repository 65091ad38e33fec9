"""Anchors: boxes of fixed shapes at every cell of a feature map, and which of them match an object (NumPy).

Boxes are (x1, y1, x2, y2) in pixels, half-open, as in `cnncourse.boxes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cnncourse.arrays import Array
from cnncourse.boxes import as_boxes, box_iou, check_share
from cnncourse.shapes import Pair, pair

POSITIVE, NEGATIVE, IGNORED = 1, 0, -1
TIED = 1e-9  # two values of IoU closer than this differ by rounding only


class AnchorLabels(NamedTuple):
    """What each of N anchors is to learn."""

    label: Array  # (N,) 1 positive, 0 negative, -1 ignored
    match: Array  # (N,) index of the object with the highest IoU, -1 where there is no object
    iou: Array  # (N,) with that object


def generate_anchors(scales: Sequence[float], ratios: Sequence[float]) -> Array:
    """Return one anchor for every scale and ratio, each centred on the origin.

    A scale is the side of the square that has the anchor's area; a ratio is height / width. So all anchors
    of one scale cover the same area: height = scale * sqrt(ratio), width = scale / sqrt(ratio).

    Parameters
    ----------
    scales : sequence of float
        In pixels, above 0.
    ratios : sequence of float
        Above 0.

    Returns
    -------
    ndarray, shape (A, 4)
        Ratio by ratio, and for each ratio all scales: A = len(ratios) * len(scales).

    Raises
    ------
    ValueError
        If a scale or ratio is not above 0.

    Examples
    --------
    >>> generate_anchors(scales=[8], ratios=[1, 4])
    array([[-4., -4.,  4.,  4.],
           [-2., -8.,  2.,  8.]])
    """
    for name, values in (("scales", scales), ("ratios", ratios)):
        if not all(0 < value < np.inf for value in values):
            raise ValueError(f"{name} (={list(values)}) must all be above 0")
    root = np.sqrt(np.asarray(ratios, dtype=float))[:, None]  # (ratios, 1)
    height = np.ravel(np.asarray(scales, dtype=float) * root)  # (A,)
    width = np.ravel(np.asarray(scales, dtype=float) / root)  # (A,)
    return np.stack([-width, -height, width, height], axis=1) / 2  # (A, 4)


def anchor_grid(anchors: ArrayLike, rows: int, columns: int, stride: Pair) -> Array:
    """Return all anchors of a feature map: a copy of each at the centre of every cell.

    Parameters
    ----------
    anchors : array_like, shape (A, 4)
        Centred on the origin, as `generate_anchors` returns them.
    rows, columns : int
        Size of the feature map.
    stride : int or pair (rows, columns)
        Pixels of the image between neighbouring cells. The centre of the cell (row, column) is at
        x = (column + 1/2) * stride, y = (row + 1/2) * stride.

    Returns
    -------
    ndarray, shape (rows, columns, A, 4)
        ``.reshape(-1, 4)`` makes a list of boxes. Anchors at the border reach beyond the image.

    Raises
    ------
    ValueError
        If a size or stride is less than 1.

    Examples
    --------
    >>> anchor_grid([[-4, -4, 4, 4]], rows=2, columns=3, stride=16)[1, 2, 0]
    array([36., 20., 44., 28.])
    """
    if rows < 1 or columns < 1:
        raise ValueError(f"rows (={rows}) and columns (={columns}) must be at least 1")
    down, along = pair(stride, "stride", least=1)
    y, x = np.meshgrid((np.arange(rows) + 0.5) * down, (np.arange(columns) + 0.5) * along, indexing="ij")
    centres = np.stack([x, y, x, y], axis=-1)  # (rows, columns, 4)
    return np.asarray(centres[:, :, None] + as_boxes(anchors, "anchors"))  # (rows, columns, A, 4)


def assign_anchors(
    anchors: ArrayLike, objects: ArrayLike, positive: float = 0.7, negative: float = 0.3
) -> AnchorLabels:
    """Return which anchors are to find an object, which are to find none, and which are left out.

    An anchor is positive if its IoU with an object is at least `positive`; it is negative if its IoU with
    every object is below `negative`; between the two it is ignored. The best anchor of each object is
    positive in any case, and so are all that tie with it, unless its IoU is 0.

    Parameters
    ----------
    anchors : array_like, shape (N, 4)
    objects : array_like, shape (M, 4)
    positive, negative : float
        From 0 to 1, `negative` not above `positive`.

    Returns
    -------
    AnchorLabels
        Three arrays of shape (N,).

    Raises
    ------
    ValueError
        If a threshold is out of range.

    References
    ----------
    Ren et al. 2015, "Faster R-CNN", section 3.1.2 (there "higher than" 0.7 and "lower than" 0.3).

    Examples
    --------
    >>> labels = assign_anchors([[0, 0, 4, 4], [1, 0, 5, 4], [3, 0, 7, 4], [8, 8, 9, 9]], [[0, 0, 4, 5]])
    >>> labels.label, labels.iou.round(2)
    (array([ 1, -1,  0,  0]), array([0.8 , 0.5 , 0.12, 0.  ]))
    """
    check_share(positive, "positive")
    check_share(negative, "negative")
    if negative > positive:
        raise ValueError(f"negative (={negative}) must not be above positive (={positive})")
    iou = box_iou(anchors, objects)  # (N, M)
    if not iou.size:
        none = np.full(len(iou), NEGATIVE)
        return AnchorLabels(none, np.full(len(iou), -1), np.zeros(len(iou)))
    match = iou.argmax(axis=1)  # (N,)
    highest = iou.max(axis=1)  # (N,)
    label = np.where(highest >= positive, POSITIVE, np.where(highest < negative, NEGATIVE, IGNORED))  # (N,)
    best = iou.max(axis=0)  # (M,)
    label[((iou >= best - TIED) & (iou > TIED)).any(axis=1)] = POSITIVE
    return AnchorLabels(label, match, highest)
