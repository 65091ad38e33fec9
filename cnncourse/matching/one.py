"""Match the detections in one image with its objects, plainly, one detection after the other (NumPy)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cnncourse.arrays import Array
from cnncourse.boxes import as_boxes, check_share, shared

RULES = ("coco", "voc")
ROUNDING = 1e-10  # COCO's evaluation asks for an IoU of 1 less this where the threshold is 1


class Matches(NamedTuple):
    """What became of N detections. One that is neither a hit nor ignored is a false positive."""

    hit: Array  # (N,) bool: it found an object that counts
    ignored: Array  # (N,) bool: it found one that does not count, and does not count itself
    match: Array  # (N,) index of the object found, -1 where none was


def match_detections(
    boxes: ArrayLike,
    scores: ArrayLike,
    objects: ArrayLike,
    iou_threshold: float = 0.5,
    ignored: ArrayLike | None = None,
    rule: str = "voc",
    inclusive: bool = False,
) -> Matches:
    """Match the detections in one image with its objects, all of one class.

    Parameters
    ----------
    boxes : array_like, shape (N, 4)
        Detections, in any order.
    scores : array_like, shape (N,)
        The detection with the highest score chooses first; of equal ones, the first.
    objects : array_like, shape (M, 4)
    iou_threshold : float
        From 0 to 1. A detection finds an object if their IoU is *at least* this.
    ignored : array_like of bool, shape (M,), optional
        Objects that need not be found: "difficult" in PASCAL VOC, "crowd" in COCO. Any number of detections
        may find one; they count neither as hits nor as false positives.
    rule : {"voc", "coco"}
        Which object a detection chooses, see above. With "coco" one that counts comes before one that is
        ignored, and the overlap with an ignored one is its share of the *detection's* area: a crowd is
        much larger than anyone in it.
    inclusive : bool
        Count both end pixels, see `box_area`.

    Returns
    -------
    Matches
        In the order of `boxes`.

    Raises
    ------
    ValueError
        If numbers do not fit together, there is no such rule, or the threshold is out of range.

    References
    ----------
    Everingham et al. 2010, "The PASCAL VOC challenge", section 4.2; COCO's evaluation code, `cocoeval.py`.

    Examples
    --------
    >>> twice = [[0, 0, 4, 4], [0, 0, 4, 5], [9, 9, 12, 12]]
    >>> match_detections(twice, [0.8, 0.9, 0.7], objects=[[0, 0, 4, 4]]).hit
    array([False,  True, False])
    """
    found, truth = as_boxes(boxes), as_boxes(objects, "objects")
    score = _one_each(scores, "scores", float, len(found))
    skip = np.zeros(len(truth), dtype=bool)
    if ignored is not None:
        skip = _one_each(ignored, "ignored", bool, len(truth))
    check_rule(iou_threshold, rule)
    iou = overlap(found[:, None], truth[None], skip, rule, inclusive)  # (N, M)
    return match_overlaps(iou, score, iou_threshold, skip, rule)


def match_overlaps(
    iou: Array, scores: Array, iou_threshold: float, ignored: Array | None = None, rule: str = "voc"
) -> Matches:
    """Match detections with objects by how they overlap, whatever they are: boxes or masks.

    Parameters
    ----------
    iou : ndarray, shape (N, M)
        Of each detection with each object. Taken as checked, as is all else.
    scores, iou_threshold, ignored, rule
        As for `match_detections`.

    Returns
    -------
    Matches
    """
    count, objects = iou.shape
    skip = np.zeros(objects, dtype=bool) if ignored is None else ignored
    taken = np.zeros(objects, dtype=bool)
    match = np.full(count, -1)
    for detection in np.argsort(-scores, kind="stable"):
        choice = _choose(iou[detection], taken, skip, iou_threshold, rule)
        if choice >= 0:
            match[detection] = choice
            taken[choice] = True
    skipped = np.append(skip, False)[match]  # what is appended is for those without a match
    return Matches((match >= 0) & ~skipped, skipped, match)


def _choose(iou: Array, taken: Array, skip: Array, threshold: float, rule: str) -> int:
    """Return the index of the object that a detection chooses, -1 if it finds none."""
    within = iou >= min(threshold, 1 - ROUNDING)  # (M,)
    free = within & (skip | ~taken)  # (M,)
    if not free.any():
        return -1
    if rule == "voc":
        best = int(iou.argmax())
        return best if free[best] else -1
    if (free & ~skip).any():
        free &= ~skip
    closest = np.where(free, iou, -1)
    return int(np.flatnonzero(closest == closest.max())[-1])  # of equal ones the last, as COCO's code


def check_rule(iou_threshold: float, rule: str) -> None:
    """Raise ValueError if there is no such rule, or the threshold is not from 0 to 1."""
    check_share(iou_threshold, "iou_threshold")
    if rule not in RULES:
        raise ValueError(f"rule (={rule!r}) must be one of {', '.join(RULES)}")


def overlap(found: Array, truth: Array, skip: Array, rule: str, inclusive: bool) -> Array:
    """Return the IoU; with a crowd, COCO's share of the detection's own area."""
    both, _, iou = shared(found, truth, inclusive)
    if rule == "voc" or not skip.any():
        return iou
    size = found[..., 2:] - found[..., :2] + inclusive
    area = np.broadcast_to(size[..., 0] * size[..., 1], both.shape)
    return np.where(skip, np.divide(both, area, out=np.zeros_like(both), where=area > 0), iou)


def _one_each(values: ArrayLike, name: str, kind: type, count: int) -> Array:
    given: Array = np.asarray(values, dtype=kind)
    if given.shape != (count,):
        raise ValueError(f"{name} has shape {given.shape}; needed is one number each, shape ({count},)")
    if np.isnan(given).any():
        raise ValueError(f"{name} must be numbers, not NaN")
    return given
