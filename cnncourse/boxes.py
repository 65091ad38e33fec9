"""Boxes: areas, intersection over union, non-maximum suppression (NumPy).

A box is (x1, y1, x2, y2) in pixels, floats, half-open: it holds its left and upper edge and not its right
and lower one, so its width is x2 - x1. Code that counts whole pixels, both ends inclusive, says x2 - x1 + 1
instead; `inclusive=True` computes that, to compare.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cnncourse.arrays import Array


class Overlap(NamedTuple):
    """What each box of one list shares with each box of another, all of shape (N, M)."""

    intersection: Array  # square pixels
    union: Array  # square pixels
    iou: Array


class NMSStep(NamedTuple):
    """One step of non-maximum suppression: the best box that is left, and those it is compared with."""

    kept: int
    rivals: Array  # (K,) indices of the boxes that were still left, best score first
    iou: Array  # (K,) of each rival with the kept box
    suppressed: Array  # the rivals whose IoU is above the threshold


def box_area(boxes: ArrayLike, inclusive: bool = False) -> Array:
    """Return the area of each box.

    Parameters
    ----------
    boxes : array_like, shape (N, 4)
        (x1, y1, x2, y2) in pixels.
    inclusive : bool
        Count both end pixels: the width is then x2 - x1 + 1.

    Returns
    -------
    ndarray, shape (N,)
        Square pixels.

    Raises
    ------
    ValueError
        If a box has not four finite numbers, or ends before it begins.

    Examples
    --------
    >>> box_area([[0, 0, 4, 3]]), box_area([[0, 0, 4, 3]], inclusive=True)
    (array([12.]), array([20.]))
    """
    x1, y1, x2, y2 = as_boxes(boxes).T  # each (N,)
    return np.asarray((x2 - x1 + inclusive) * (y2 - y1 + inclusive))


def box_overlap(boxes1: ArrayLike, boxes2: ArrayLike, inclusive: bool = False) -> Overlap:
    """Return intersection, union and IoU of every box of one list with every box of another.

    Parameters
    ----------
    boxes1 : array_like, shape (N, 4)
    boxes2 : array_like, shape (M, 4)
    inclusive : bool
        Count both end pixels, see `box_area`.

    Returns
    -------
    Overlap
        Three arrays of shape (N, M). Two boxes without any area have IoU 0.

    Raises
    ------
    ValueError
        As `box_area`.

    Examples
    --------
    >>> intersection, union, iou = box_overlap([[0, 0, 4, 4]], [[2, 1, 6, 3]])
    >>> intersection, union, iou
    (array([[4.]]), array([[20.]]), array([[0.2]]))
    """
    first, second = as_boxes(boxes1, "boxes1"), as_boxes(boxes2, "boxes2")
    start = np.maximum(first[:, None, :2], second[None, :, :2])  # (N, M, 2)
    stop = np.minimum(first[:, None, 2:], second[None, :, 2:])  # (N, M, 2)
    sides = np.maximum(stop - start + inclusive, 0)  # (N, M, 2)
    intersection = sides[..., 0] * sides[..., 1]  # (N, M)
    union = box_area(first, inclusive)[:, None] + box_area(second, inclusive) - intersection  # (N, M)
    iou = np.divide(intersection, union, out=np.zeros_like(union), where=union > 0)  # (N, M)
    return Overlap(intersection, union, iou)


def box_iou(boxes1: ArrayLike, boxes2: ArrayLike, inclusive: bool = False) -> Array:
    """Return the intersection over union of every box of one list with every box of another.

    Parameters, errors and conventions are those of `box_overlap`.

    Returns
    -------
    ndarray, shape (N, M)
        Numbers from 0 (no area in common) to 1 (the same box).

    Examples
    --------
    >>> box_iou([[0, 0, 4, 4]], [[0, 0, 4, 4], [0, 0, 2, 4], [4, 0, 8, 4]])
    array([[1. , 0.5, 0. ]])
    """
    return box_overlap(boxes1, boxes2, inclusive).iou


def nms_steps(
    boxes: ArrayLike,
    scores: ArrayLike,
    iou_threshold: float = 0.5,
    score_threshold: float = -np.inf,
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
    found, given = as_boxes(boxes), np.asarray(scores, dtype=float)
    if given.shape != (len(found),):
        raise ValueError(f"scores has shape {given.shape}; {len(found)} boxes need shape ({len(found)},)")
    if np.isnan(given).any() or np.isnan(score_threshold):
        raise ValueError("scores and score_threshold must be numbers, not NaN")
    check_share(iou_threshold, "iou_threshold")
    left = np.argsort(-given, kind="stable")  # (N,) best first, of equal scores the first
    left = left[given[left] >= score_threshold]
    steps = []
    while left.size:
        kept, rivals = left[0], left[1:]
        iou = box_iou(found[kept : kept + 1], found[rivals])[0]  # (K,)
        above = iou > iou_threshold
        steps.append(NMSStep(int(kept), rivals, iou, rivals[above]))
        left = rivals[~above]
    return steps


def nms(
    boxes: ArrayLike,
    scores: ArrayLike,
    iou_threshold: float = 0.5,
    score_threshold: float = -np.inf,
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
    steps = nms_steps(boxes, scores, iou_threshold, score_threshold)
    return np.array([step.kept for step in steps], dtype=int)


def as_boxes(boxes: ArrayLike, name: str = "boxes") -> Array:
    """Return boxes as an array of floats of shape (N, 4); an empty list has shape (0, 4).

    Raises
    ------
    ValueError
        If a box has not four finite numbers, or ends before it begins.
    """
    given = np.asarray(boxes, dtype=float)
    if given.shape == (0,):
        given = given.reshape(0, 4)
    if given.ndim != 2 or given.shape[1] != 4:
        raise ValueError(f"{name} has shape {given.shape}; boxes have shape (N, 4): x1, y1, x2, y2")
    if not np.isfinite(given).all():
        raise ValueError(f"{name} must be finite numbers")
    wrong = np.flatnonzero((given[:, 2:] < given[:, :2]).any(axis=1))
    if wrong.size:
        box = given[wrong[0]].tolist()
        raise ValueError(f"{name}[{wrong[0]}] (={box}) ends before it begins: x1, y1, x2, y2 is the order")
    return given


def check_share(value: float, name: str) -> None:
    """Raise ValueError if a threshold is not from 0 to 1."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} (={value}) must be from 0 to 1")
