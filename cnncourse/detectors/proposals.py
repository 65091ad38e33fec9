"""How good proposals are: which objects they cover, and how well (NumPy)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from cnncourse.arrays import Array
from cnncourse.boxes import box_iou, check_share


def best_overlaps(
    proposals: Sequence[ArrayLike], objects: Sequence[ArrayLike], first: int | None = None
) -> Array:
    """Return for each object in all images the highest IoU that a proposal has with it.

    Parameters
    ----------
    proposals : sequence of array_like, shapes (P, 4)
        One for each image, best first.
    objects : sequence of array_like, shapes (M, 4)
        One for each image.
    first : int, optional
        Use only so many proposals of each image.

    Returns
    -------
    ndarray, shape (all objects,)
        0 where an image has no proposals.

    Raises
    ------
    ValueError
        If there are not as many images in both.

    Examples
    --------
    >>> best_overlaps([[[0, 0, 4, 4], [5, 0, 9, 4]]], [[[0, 0, 4, 2], [5, 0, 9, 4]]])
    array([0.5, 1. ])
    """
    if len(proposals) != len(objects):
        raise ValueError(f"proposals of {len(proposals)} images, but objects of {len(objects)}")
    found = [
        box_iou(of_image, np.asarray(boxes, dtype=float)[:first]).max(axis=1, initial=0.0)
        for boxes, of_image in zip(proposals, objects, strict=True)
    ]
    return np.concatenate([np.zeros(0), *found])


def recall(
    proposals: Sequence[ArrayLike],
    objects: Sequence[ArrayLike],
    iou_threshold: float = 0.5,
    first: int | None = None,
) -> float:
    """Return the share of objects that a proposal covers with at least this IoU; NaN if there are none.

    Parameters and errors are those of `best_overlaps`.

    Examples
    --------
    >>> recall([[[0, 0, 4, 4]]], [[[0, 0, 4, 2], [5, 0, 9, 4]]])
    0.5
    """
    check_share(iou_threshold, "iou_threshold")
    overlaps = best_overlaps(proposals, objects, first)
    return float((overlaps >= iou_threshold).mean()) if len(overlaps) else float("nan")


def mean_average_best_overlap(
    proposals: Sequence[ArrayLike],
    objects: Sequence[ArrayLike],
    labels: Sequence[ArrayLike],
    first: int | None = None,
) -> float:
    """Return the mean over classes of the average best overlap of their objects (MABO); NaN without any.

    Parameters
    ----------
    proposals, objects, first
        As for `best_overlaps`.
    labels : sequence of array_like of int, shapes (M,)
        The class of each object.

    Raises
    ------
    ValueError
        As `best_overlaps`, and if there is not one label for each object.

    References
    ----------
    Uijlings et al. 2013, "Selective search for object recognition", section 5.

    Examples
    --------
    >>> mean_average_best_overlap([[[0, 0, 4, 4]]], [[[0, 0, 4, 4], [0, 0, 4, 2], [8, 8, 9, 9]]], [[0, 0, 1]])
    0.375
    """
    overlaps = best_overlaps(proposals, objects, first)
    kinds = np.concatenate([np.zeros(0), *(np.asarray(one, dtype=float) for one in labels)])
    if kinds.shape != overlaps.shape:
        raise ValueError(f"{len(overlaps)} objects, but {len(kinds)} labels")
    averages = [overlaps[kinds == kind].mean() for kind in np.unique(kinds)]
    return float(np.mean(averages)) if averages else float("nan")
