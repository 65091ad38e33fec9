"""Non-maximum suppression: one box for one object. Step by step, fast, and for each class."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cnncourse.arrays import Array
from cnncourse.boxes.geometry import as_boxes, check_share
from cnncourse.boxes.overlap import shared


class NMSStep(NamedTuple):
    """One step of non-maximum suppression: the best box that is left, and those it is compared with."""

    kept: int
    rivals: Array  # (K,) indices of the boxes that were still left, best score first
    iou: Array  # (K,) of each rival with the kept box
    suppressed: Array  # the rivals whose IoU is above the threshold


def nms_steps(
    boxes: ArrayLike,
    scores: ArrayLike,
    iou_threshold: float = 0.5,
    score_threshold: float = -np.inf,
    inclusive: bool = False,
) -> list[NMSStep]:
    """Return the steps of greedy non-maximum suppression of one class: who is kept, who suppresses whom.

    Boxes with a score below `score_threshold` take no part. Then, as long as boxes are left: keep the one
    with the highest score (of equal ones the first), and suppress every other whose IoU with it is *above*
    `iou_threshold`. A box that was suppressed suppresses no other.

    Parameters
    ----------
    boxes : array_like, shape (N, 4)
    scores : array_like, shape (N,)
    iou_threshold : float
        From 0 to 1. Exactly this IoU does not suppress, as in torchvision; some texts and libraries use
        "at least" instead of "above".
    score_threshold : float
        By default every box takes part.
    inclusive : bool
        Count both end pixels, see `box_area`.

    Returns
    -------
    list of NMSStep
        One for each box kept, best score first.

    Raises
    ------
    ValueError
        If boxes and scores differ in number, a score is not a number, or a threshold is out of range.

    References
    ----------
    torchvision.ops.nms, on the threshold.

    Examples
    --------
    >>> steps = nms_steps([[0, 0, 4, 4], [1, 0, 5, 4], [9, 9, 12, 12]], [0.8, 0.9, 0.7])
    >>> [(step.kept, step.suppressed.tolist()) for step in steps]
    [(1, [0]), (2, [])]
    """
    found, left = best_first(boxes, scores, iou_threshold, score_threshold)
    steps = []
    while left.size:
        kept, rivals = left[0], left[1:]
        iou = shared(found[kept], found[rivals], inclusive).iou  # (K,)
        above = iou > iou_threshold
        steps.append(NMSStep(int(kept), rivals, iou, rivals[above]))
        left = rivals[~above]
    return steps


def nms(
    boxes: ArrayLike,
    scores: ArrayLike,
    iou_threshold: float = 0.5,
    score_threshold: float = -np.inf,
    inclusive: bool = False,
) -> Array:
    """Return the indices of the boxes that non-maximum suppression keeps, best score first.

    Parameters, errors and conventions are those of `nms_steps`.

    Returns
    -------
    ndarray of int, shape (K,)

    Examples
    --------
    >>> nms([[0, 0, 4, 4], [1, 0, 5, 4], [9, 9, 12, 12]], [0.8, 0.9, 0.7])
    array([1, 2])
    """
    found, order = best_first(boxes, scores, iou_threshold, score_threshold)
    x1, y1, x2, y2 = found[order].T.copy()  # each (K,), in one piece of memory
    x2, y2 = x2 + inclusive, y2 + inclusive
    area = (x2 - x1) * (y2 - y1)  # (K,)
    alive = np.ones(len(order), dtype=bool)
    for best in range(len(order)):
        if not alive[best]:
            continue
        # Most of the boxes after it do not touch it: to compare is all that is done with them.
        after = slice(best + 1, None)
        touch = (
            (x1[after] < x2[best]) & (x2[after] > x1[best]) & (y1[after] < y2[best]) & (y2[after] > y1[best])
        )
        near = best + 1 + np.flatnonzero(touch)
        width = np.minimum(x2[near], x2[best]) - np.maximum(x1[near], x1[best])
        height = np.minimum(y2[near], y2[best]) - np.maximum(y1[near], y1[best])
        both = width * height
        alive[near[both / (area[near] + area[best] - both) > iou_threshold]] = False
    return np.asarray(order[alive])


def batched_nms(
    boxes: ArrayLike,
    scores: ArrayLike,
    labels: ArrayLike,
    iou_threshold: float = 0.5,
    score_threshold: float = -np.inf,
    inclusive: bool = False,
) -> Array:
    """Return the indices of the boxes that are kept when each class is suppressed on its own.

    Parameters, errors and conventions are those of `nms_steps`, and

    Parameters
    ----------
    labels : array_like of int, shape (N,)
        The class of each box. Boxes of different classes do not suppress each other.

    Returns
    -------
    ndarray of int, shape (K,)
        Over all classes, best score first, of equal scores the first.

    Examples
    --------
    >>> batched_nms([[0, 0, 4, 4], [1, 0, 5, 4], [0, 0, 4, 4]], [0.8, 0.9, 0.7], labels=[0, 0, 1])
    array([1, 2])
    """
    found, given = as_boxes(boxes), np.asarray(scores, dtype=float)
    classes = np.asarray(labels)
    if classes.shape != (len(found),):
        raise ValueError(f"labels has shape {classes.shape}; {len(found)} boxes need shape ({len(found)},)")
    best_first(found, given, iou_threshold, score_threshold)
    kept = [np.zeros(0, dtype=int)]
    for label in np.unique(classes):
        members = np.flatnonzero(classes == label)
        kept.append(members[nms(found[members], given[members], iou_threshold, score_threshold, inclusive)])
    together = np.sort(np.concatenate(kept))
    return np.asarray(together[np.argsort(-given[together], kind="stable")])


def best_first(
    boxes: ArrayLike, scores: ArrayLike, iou_threshold: float, score_threshold: float
) -> tuple[Array, Array]:
    """Return the boxes, checked, and the indices of those that take part, best score first."""
    found, given = as_boxes(boxes), np.asarray(scores, dtype=float)
    if given.shape != (len(found),):
        raise ValueError(f"scores has shape {given.shape}; {len(found)} boxes need shape ({len(found)},)")
    if np.isnan(given).any() or np.isnan(score_threshold):
        raise ValueError("scores and score_threshold must be numbers, not NaN")
    check_share(iou_threshold, "iou_threshold")
    order = np.argsort(-given, kind="stable")  # (N,) best first, of equal scores the first
    return found, order[given[order] >= score_threshold]
