"""The widths and heights that objects of a data set have: k-means, which gave YOLO v2 its anchors (NumPy)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cnncourse.arrays import Array

STEPS = 100


def size_iou(sizes: ArrayLike, others: ArrayLike) -> Array:
    """Return the IoU of boxes that share their centre.

    Parameters
    ----------
    sizes, others : array_like, shapes (N, 2) and (M, 2)
        Width and height.

    Returns
    -------
    ndarray, shape (N, M)

    Examples
    --------
    >>> size_iou([[4, 2]], [[4, 2], [2, 4], [4, 1]]).round(3)
    array([[1.   , 0.333, 0.5  ]])
    """
    first, second = np.asarray(sizes, dtype=float)[:, None], np.asarray(others, dtype=float)[None]
    shared = np.minimum(first, second).prod(axis=-1)  # (N, M)
    return np.asarray(shared / (first.prod(axis=-1) + second.prod(axis=-1) - shared))


def kmeans_anchors(sizes: ArrayLike, k: int, seed: int = 0) -> Array:
    """Return `k` widths and heights that objects of these sizes are near to, the smallest area first.

    The distance is 1 - IoU, so that being 2 pixels off means more to a small box than to a large one. Each
    anchor becomes the mean of the sizes that are nearest to it, until none changes its anchor.

    Parameters
    ----------
    sizes : array_like, shape (N, 2)
        Width and height, in pixels.
    k : int
        From 1 to N.
    seed : int
        Which sizes are the first anchors.

    Returns
    -------
    ndarray, shape (k, 2)

    Raises
    ------
    ValueError
        If `k` is out of range or a size is not above 0.

    References
    ----------
    Redmon, Farhadi 2017, "YOLO9000", section 2, "Dimension clusters".

    Examples
    --------
    >>> kmeans_anchors([[2, 2], [3, 3], [20, 10], [22, 10]], k=2)
    array([[ 2.5,  2.5],
           [21. , 10. ]])
    """
    known = np.asarray(sizes, dtype=float)
    if known.ndim != 2 or known.shape[1] != 2 or not (known > 0).all():
        raise ValueError(f"sizes has shape {known.shape}: expected (N, 2), widths and heights above 0")
    if not 1 <= k <= len(known):
        raise ValueError(f"k (={k}) must be from 1 to the number of boxes, {len(known)}")
    anchors = known[np.random.default_rng(seed).choice(len(known), k, replace=False)]
    nearest = np.full(len(known), -1)
    for _ in range(STEPS):
        now = size_iou(known, anchors).argmax(axis=1)
        if (now == nearest).all():
            break
        nearest = now
        anchors = np.stack(
            [known[now == j].mean(axis=0) if (now == j).any() else anchors[j] for j in range(k)]
        )
    return np.asarray(anchors[np.argsort(anchors.prod(axis=1))])
