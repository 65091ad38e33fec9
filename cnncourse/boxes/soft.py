"""Soft non-maximum suppression: a box that overlaps a better one loses score, not its place."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cnncourse.arrays import Array
from cnncourse.boxes.overlap import shared
from cnncourse.boxes.suppression import best_first

METHODS = ("gaussian", "linear", "hard")


class SoftNMS(NamedTuple):
    """What soft non-maximum suppression leaves, best score first."""

    kept: Array  # (K,) indices of the boxes
    scores: Array  # (K,) lowered


def soft_nms(
    boxes: ArrayLike,
    scores: ArrayLike,
    method: str = "gaussian",
    iou_threshold: float = 0.3,
    sigma: float = 0.5,
    score_threshold: float = 0.001,
    inclusive: bool = False,
) -> SoftNMS:
    """Lower the scores of boxes that overlap a better one, instead of removing them.

    The best box that is left is taken; every other score is multiplied by exp(-IoU^2 / sigma) ("gaussian"),
    by 1 - IoU where the IoU is above `iou_threshold` ("linear"), or by 0 there ("hard": that is `nms`).

    Parameters
    ----------
    boxes : array_like, shape (N, 4)
    scores : array_like, shape (N,)
        Not negative.
    method : {"gaussian", "linear", "hard"}
    iou_threshold : float
        From 0 to 1; "gaussian" does not use it.
    sigma : float
        Above 0; only "gaussian" uses it.
    score_threshold : float
        Boxes whose score falls below it are removed.
    inclusive : bool
        Count both end pixels, see `box_area`.

    Returns
    -------
    SoftNMS
        Indices and new scores, in the order in which they were taken.

    Raises
    ------
    ValueError
        As `nms_steps`, and if there is no such method, `sigma` is not above 0 or a score is negative.

    References
    ----------
    Bodla et al. 2017, "Soft-NMS", figure 2 and equations 2 and 3.

    Examples
    --------
    >>> kept, lowered = soft_nms([[0, 0, 4, 4], [0, 0, 4, 2], [9, 9, 12, 12]], [0.9, 0.8, 0.7], "linear")
    >>> kept, lowered
    (array([0, 2, 1]), array([0.9, 0.7, 0.4]))
    """
    if method not in METHODS:
        raise ValueError(f"method (={method!r}) must be one of {', '.join(METHODS)}")
    if not sigma > 0:
        raise ValueError(f"sigma (={sigma}) must be above 0")
    found, left = best_first(boxes, scores, iou_threshold, score_threshold)
    lowered = np.array(scores, dtype=float)  # a copy
    if (lowered < 0).any():
        raise ValueError(f"scores hold {lowered.min():g}: to lower a score by a factor, none may be negative")
    kept = []
    left = np.sort(left)
    while left.size:
        best = left[lowered[left].argmax()]
        kept.append(best)
        left = left[left != best]
        iou = shared(found[best], found[left], inclusive).iou  # (K,)
        lowered[left] *= _factor(iou, method, iou_threshold, sigma)
        left = left[(lowered[left] >= score_threshold) & (lowered[left] > 0)]
    order = np.array(kept, dtype=int)
    return SoftNMS(order, lowered[order])


def _factor(iou: Array, method: str, iou_threshold: float, sigma: float) -> Array:
    if method == "gaussian":
        return np.asarray(np.exp(-(iou**2) / sigma))
    return np.where(iou > iou_threshold, 1 - iou if method == "linear" else 0, 1)
