"""Precision and recall, the area under their curve, and its mean over classes (NumPy)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cnncourse.arrays import Array

# Recalls at which precision is read. COCO's evaluation computes its own in this way, and a few of them are
# one rounding above k / 100: numbers that are to be compared must share that.
RECALLS = {11: np.arange(11) / 10, 101: np.linspace(0, 1, 101)}


class Curve(NamedTuple):
    """Precision and recall after each detection, the one with the highest score first."""

    recall: Array  # (N,) objects found so far / all objects
    precision: Array  # (N,) objects found so far / detections so far
    scores: Array  # (N,)


class MeanAP(NamedTuple):
    """Average precision of every class at every threshold, and its mean."""

    mean: float  # over thresholds and classes; NaN where there is no object at all
    per_class: Array  # (C,) mean over the thresholds; NaN for a class without objects
    ap: Array  # (T, C)
    thresholds: Array  # (T,) of IoU


def precision_recall(
    scores: ArrayLike, hit: ArrayLike, objects: int, ignored: ArrayLike | None = None
) -> Curve:
    """Return precision and recall as the threshold on the score falls.

    Parameters
    ----------
    scores : array_like, shape (N,)
        Of the detections of one class in all images, in any order.
    hit : array_like of bool, shape (N,)
        Which of them have found an object, see `match_detections`.
    objects : int
        How many objects there are to find, found or not.
    ignored : array_like of bool, shape (N,), optional
        Detections that do not count.

    Returns
    -------
    Curve
        Without the detections that are ignored.

    Raises
    ------
    ValueError
        If numbers do not fit together, or there are more hits than objects.

    Examples
    --------
    >>> recall, precision, _ = precision_recall([0.9, 0.8, 0.7], [True, False, True], objects=4)
    >>> recall, precision.round(3)
    (array([0.25, 0.25, 0.5 ]), array([1.   , 0.5  , 0.667]))
    """
    score, found = np.asarray(scores, dtype=float), np.asarray(hit, dtype=bool)
    counts = np.ones(len(score), dtype=bool) if ignored is None else ~np.asarray(ignored, dtype=bool)
    if not score.shape == found.shape == counts.shape == (len(score),):
        raise ValueError(f"scores, hit and ignored have shapes {score.shape}, {found.shape}, {counts.shape}")
    if found.sum() > objects:
        raise ValueError(f"{found.sum()} hits among {objects} objects: each object is found once")
    order = np.argsort(-score, kind="stable")
    order = order[counts[order]]
    hits = np.cumsum(found[order])  # (N,)
    return Curve(hits / max(objects, 1), hits / np.arange(1, len(order) + 1), score[order])


def average_precision(recall: ArrayLike, precision: ArrayLike, points: int | None = None) -> float:
    """Return the average precision: the area under the curve once its dips are filled.

    First every precision is raised to the highest that any larger recall reaches (a detector that does better
    later need not stop here). What is lacking to a recall of 1 counts as precision 0.

    Parameters
    ----------
    recall, precision : array_like, shape (N,)
        As `precision_recall` returns them: recall never falls.
    points : {None, 11, 101}
        Take the exact area (PASCAL VOC from 2010 on), or the mean of the precision at 11 recalls 0, 0.1 ... 1
        (PASCAL VOC 2007) or 101 (COCO).

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If both differ in length, recall falls, or `points` is none of these.

    References
    ----------
    Everingham et al. 2010, "The PASCAL VOC challenge", section 4.2; VOC 2010 development kit, section 3.4.1;
    COCO's evaluation code, `cocoeval.py`.

    Examples
    --------
    >>> average_precision([0.25, 0.25, 0.5], [1, 0.5, 2 / 3])
    0.41666666666666663
    >>> round(average_precision([0.25, 0.25, 0.5], [1, 0.5, 2 / 3], points=11), 4)
    0.4545
    """
    across, up = np.asarray(recall, dtype=float), np.asarray(precision, dtype=float)
    if across.shape != up.shape or across.ndim != 1:
        raise ValueError(
            f"recall and precision have shapes {across.shape} and {up.shape}, not one and the same"
        )
    if (np.diff(across) < 0).any():
        raise ValueError("recall falls: sort the detections by score, the highest first")
    envelope = np.maximum.accumulate(up[::-1])[::-1]  # (N,)
    if points is None:
        return float(np.sum(np.diff(across, prepend=0) * envelope))
    if points not in RECALLS:
        raise ValueError(f"points (={points}) must be None, 11 or 101")
    first = np.searchsorted(across, RECALLS[points])  # the first place where each recall is reached
    return float(np.append(envelope, 0)[first].mean())


def over_classes(
    scores: Array,
    labels: Array,
    hit: Array,
    ignored: Array,
    counts: Array,
    thresholds: Array,
    points: int | None = None,
) -> MeanAP:
    """Return the average precision of every class, and the mean, from detections that are matched already.

    Parameters
    ----------
    scores, labels : ndarray, shape (N,)
        Of the detections in all images.
    hit, ignored : ndarray of bool, shape (T, N)
        What became of them at each threshold, see `cnncourse.matching.Matches`.
    counts : ndarray of int, shape (C,)
        How many objects of each class there are to find.
    thresholds : ndarray, shape (T,)
    points : {None, 11, 101}
        See `average_precision`.

    Returns
    -------
    MeanAP
    """
    ap = np.full((len(thresholds), len(counts)), np.nan)  # (T, C)
    for label in np.flatnonzero(counts):
        own = np.flatnonzero(labels == label)
        for level in range(len(thresholds)):
            curve = precision_recall(scores[own], hit[level, own], counts[label], ignored[level, own])
            ap[level, label] = average_precision(curve.recall, curve.precision, points)
    known = ap[:, counts > 0]
    return MeanAP(float(known.mean()) if known.size else float("nan"), ap.mean(axis=0), ap, thresholds)
