"""Match the detections of many images and classes at once (NumPy)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from cnncourse.arrays import Array
from cnncourse.matching.one import ROUNDING, overlap


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
    iou = overlap(boxes[detection], objects[thing], ignored[thing], rule, inclusive)  # (P,)
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


def _by_preference(
    turn: Array, detection: Array, thing: Array, iou: Array, ignored: Array, rule: str
) -> Array:
    """Return the pairs round by round, within one detection by detection, each with its best object first."""
    if rule == "coco":
        return np.lexsort((-thing, -iou, ignored[thing], detection, turn))
    order = np.lexsort((thing, -iou, detection, turn))
    who = detection[order]
    return np.asarray(order[np.append(True, who[1:] != who[:-1])[: len(who)]])  # there is no second choice


def _pairs_of_groups(groups: Array, object_groups: Array) -> tuple[Array, Array]:
    """Return the indices of every detection with every object of its group."""
    order = np.argsort(object_groups, kind="stable")
    first = np.searchsorted(object_groups[order], groups, side="left")  # (N,)
    count = np.searchsorted(object_groups[order], groups, side="right") - first  # (N,)
    detection = np.repeat(np.arange(len(groups)), count)  # (P,)
    within = np.arange(len(detection)) - np.repeat(np.cumsum(count) - count, count)  # (P,) 0, 1, ... for each
    return detection, order[first[detection] + within]
