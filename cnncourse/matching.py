"""Which detection has found which object: plainly for one image, and for all images at once (NumPy).

Two rules are in use. PASCAL VOC asks each detection for the object that it overlaps most, found before or
not; COCO lets it take the best one that is still free. In both the detection with the highest score goes
first, and each object is found once: what comes later is a false positive, however well it fits.
"""

from __future__ import annotations

from itertools import pairwise
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
    iou = _overlap(found[:, None], truth[None], skip, rule, inclusive)  # (N, M)
    taken = np.zeros(len(truth), dtype=bool)
    match = np.full(len(found), -1)
    for detection in np.argsort(-score, kind="stable"):
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


def match_all(
    groups: Array,
    boxes: Array,
    scores: Array,
    object_groups: Array,
    objects: Array,
    ignored: Array,
    thresholds: Array,
    rule: str = "voc",
    inclusive: bool = False,
) -> tuple[Array, Array]:
    """Match the detections of many images and classes at several thresholds, as `match_detections` does each.

    Only what is in the same group (one class in one image) can match. No group disturbs another, so all play
    at once: in round k the detection with the k-th highest score of every group chooses.

    Parameters
    ----------
    groups, object_groups : ndarray of int, shapes (N,) and (M,)
    boxes, objects : ndarray, shapes (N, 4) and (M, 4)
        Taken as checked, as is all else.
    scores : ndarray, shape (N,)
    ignored : ndarray of bool, shape (M,)
    thresholds : ndarray, shape (T,)
    rule, inclusive
        As for `match_detections`.

    Returns
    -------
    hit, ignored : ndarray of bool, shapes (T, N)
    """
    limits = np.minimum(thresholds, 1 - ROUNDING)[:, None]  # (T, 1)
    match = np.full((len(limits), len(boxes)), -1)
    taken = np.zeros((len(limits), len(objects)), dtype=bool)
    detection, thing = _pairs_of_groups(groups, object_groups)  # (P,) each: all that could match
    iou = _overlap(boxes[detection], objects[thing], ignored[thing], rule, inclusive)  # (P,)
    turn = places(groups, scores)[detection]  # (P,)
    order = _by_preference(turn, detection, thing, iou, ignored, rule)
    order = order[iou[order] >= limits.min()]
    detection, thing, iou, turn = detection[order], thing[order], iou[order], turn[order]
    for start, stop in pairwise(np.append(0, np.cumsum(np.bincount(turn)))):
        if start == stop:
            continue
        who, what = detection[start:stop], thing[start:stop]  # (K,)
        free = (iou[start:stop] >= limits) & ~taken[:, what]  # (T, K)
        places_of_free = np.where(free, np.arange(stop - start), stop - start)  # (T, K)
        begins = np.flatnonzero(
            np.append(True, who[1:] != who[:-1])
        )  # (D,) where each detection's pairs begin
        first = np.minimum.reduceat(places_of_free, begins, axis=1)  # (T, D)
        level, chooser = np.nonzero(first < stop - start)
        choice = what[first[level, chooser]]
        match[level, who[begins[chooser]]] = choice
        taken[level, choice] = ~ignored[choice]
    skipped = np.append(ignored, False)[match]  # (T, N)
    return (match >= 0) & ~skipped, skipped


def places(groups: Array, scores: Array) -> Array:
    """Return the place of each detection in its group: 0 for the highest score, of equal ones the first."""
    order = np.lexsort((-scores, groups))
    counting = np.arange(len(groups))
    begins = np.append(True, groups[order][1:] != groups[order][:-1])[: len(groups)]
    place = np.empty(len(groups), dtype=int)
    place[order] = counting - np.maximum.accumulate(np.where(begins, counting, 0))
    return place


def check_rule(iou_threshold: float, rule: str) -> None:
    """Raise ValueError if there is no such rule, or the threshold is not from 0 to 1."""
    check_share(iou_threshold, "iou_threshold")
    if rule not in RULES:
        raise ValueError(f"rule (={rule!r}) must be one of {', '.join(RULES)}")


def _by_preference(
    turn: Array, detection: Array, thing: Array, iou: Array, ignored: Array, rule: str
) -> Array:
    """Return the pairs round by round, within one detection by detection, each with its best object first."""
    if rule == "coco":
        return np.lexsort((-thing, -iou, ignored[thing], detection, turn))
    order = np.lexsort((thing, -iou, detection, turn))
    who = detection[order]
    return np.asarray(order[np.append(True, who[1:] != who[:-1])[: len(who)]])  # there is no second choice


def _overlap(found: Array, truth: Array, skip: Array, rule: str, inclusive: bool) -> Array:
    """Return the IoU; with a crowd, COCO's share of the detection's own area."""
    both, _, iou = shared(found, truth, inclusive)
    if rule == "voc" or not skip.any():
        return iou
    size = found[..., 2:] - found[..., :2] + inclusive
    area = np.broadcast_to(size[..., 0] * size[..., 1], both.shape)
    return np.where(skip, np.divide(both, area, out=np.zeros_like(both), where=area > 0), iou)


def _pairs_of_groups(groups: Array, object_groups: Array) -> tuple[Array, Array]:
    """Return the indices of every detection with every object of its group."""
    order = np.argsort(object_groups, kind="stable")
    first = np.searchsorted(object_groups[order], groups, side="left")  # (N,)
    count = np.searchsorted(object_groups[order], groups, side="right") - first  # (N,)
    detection = np.repeat(np.arange(len(groups)), count)  # (P,)
    within = np.arange(len(detection)) - np.repeat(np.cumsum(count) - count, count)  # (P,) 0, 1, ... for each
    return detection, order[first[detection] + within]


def _one_each(values: ArrayLike, name: str, kind: type, count: int) -> Array:
    given: Array = np.asarray(values, dtype=kind)
    if given.shape != (count,):
        raise ValueError(f"{name} has shape {given.shape}; needed is one number each, shape ({count},)")
    if np.isnan(given).any():
        raise ValueError(f"{name} must be numbers, not NaN")
    return given
