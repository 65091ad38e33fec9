"""How good masks are: intersection over union, and average precision, of masks in place of boxes (NumPy)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from cnncourse.arrays import Array
from cnncourse.matching import check_rule, match_overlaps
from cnncourse.metrics import MeanAP, check_labels, over_classes


def mask_iou(masks1: ArrayLike, masks2: ArrayLike) -> Array:
    """Return the intersection over union of every mask of one list with every mask of another.

    Parameters
    ----------
    masks1, masks2 : array_like of bool, shapes (N, H, W) and (M, H, W)

    Returns
    -------
    ndarray, shape (N, M)
        From 0 to 1. Two empty masks have IoU 0.

    Raises
    ------
    ValueError
        If masks have no rows and columns, or not the same ones.

    Examples
    --------
    >>> mask_iou([[[1, 1, 0, 0]]], [[[0, 1, 1, 0]], [[1, 1, 0, 0]]]).round(3)
    array([[0.333, 1.   ]])
    """
    first, second = np.asarray(masks1, dtype=bool), np.asarray(masks2, dtype=bool)
    if first.ndim != 3 or first.shape[1:] != second.shape[1:] or second.ndim != 3:
        raise ValueError(
            f"masks have shapes {first.shape} and {second.shape}; needed are (N, H, W) and (M, H, W)"
        )
    pixels = first.shape[1] * first.shape[2]
    rows = first.reshape(len(first), pixels).astype(np.float32)  # (N, H W): a product of matrices is fast
    columns = second.reshape(len(second), pixels).astype(np.float32)  # (M, H W)
    both = (rows @ columns.T).astype(float)  # (N, M)
    union = rows.sum(axis=1)[:, None] + columns.sum(axis=1) - both
    return np.asarray(np.divide(both, union, out=np.zeros_like(both), where=union > 0))


def mask_average_precision(
    detections: Sequence[tuple[ArrayLike, ArrayLike, ArrayLike]],
    objects: Sequence[tuple[ArrayLike, ArrayLike]],
    iou_threshold: float | Sequence[float] | Array = 0.5,
    num_classes: int | None = None,
    points: int | None = None,
    rule: str = "voc",
) -> MeanAP:
    """Return the average precision of every class over many images, by the IoU of masks.

    Parameters
    ----------
    detections : sequence of (masks, scores, labels)
        One for each image: shapes (N, H, W), (N,), (N,), in any order.
    objects : sequence of (masks, labels)
        One for each image: shapes (M, H, W), (M,).
    iou_threshold, num_classes, points, rule
        As for `metrics.mean_average_precision`.

    Returns
    -------
    MeanAP

    Raises
    ------
    ValueError
        If there are not as many images in both, numbers of one image do not fit together, or a label is none.

    Examples
    --------
    >>> left, right = [[1, 1, 0, 0]], [[0, 0, 1, 1]]
    >>> mask_average_precision([([left, right], [0.9, 0.8], [0, 0])], [([right], [0])]).mean
    0.5
    """
    if len(detections) != len(objects):
        raise ValueError(f"detections of {len(detections)} images, but objects of {len(objects)}")
    thresholds = np.atleast_1d(np.asarray(iou_threshold, dtype=float))
    for threshold in thresholds:
        check_rule(threshold, rule)
    truth = np.concatenate([np.zeros(0), *(np.asarray(labels, dtype=float) for _, labels in objects)])
    scores, labels, hit = _matched(detections, objects, thresholds, rule)
    for one in (truth, labels):
        check_labels(one, num_classes)
    classes = int(truth.max(initial=-1)) + 1 if num_classes is None else num_classes
    counts = np.bincount(truth.astype(int), minlength=classes)  # (C,) objects to find
    return over_classes(scores, labels, hit, np.zeros_like(hit), counts, thresholds, points)


def _matched(
    detections: Sequence[tuple[ArrayLike, ArrayLike, ArrayLike]],
    objects: Sequence[tuple[ArrayLike, ArrayLike]],
    thresholds: Array,
    rule: str,
) -> tuple[Array, Array, Array]:
    """Return scores (N,), labels (N,) and hits (T, N) of the detections in all images, in one list."""
    all_scores, all_labels = [np.zeros(0)], [np.zeros(0)]
    all_hits = [np.zeros((len(thresholds), 0), dtype=bool)]
    for (masks, scores, labels), (truth, truth_labels) in zip(detections, objects, strict=True):
        score, label = np.asarray(scores, dtype=float), np.asarray(labels, dtype=float)
        kind = np.asarray(truth_labels, dtype=float)
        if not score.shape == label.shape == (np.shape(masks)[0],) or kind.shape != (np.shape(truth)[0],):
            raise ValueError(
                f"masks {np.shape(masks)} with scores {score.shape} and labels {label.shape}, objects "
                f"{np.shape(truth)} with labels {kind.shape}: needed is one number for each mask"
            )
        iou = mask_iou(masks, truth)  # (N, M)
        hits = np.zeros((len(thresholds), len(score)), dtype=bool)
        for one in np.unique(label):
            own, other = np.flatnonzero(label == one), np.flatnonzero(kind == one)
            for level, threshold in enumerate(thresholds):
                match = match_overlaps(iou[np.ix_(own, other)], score[own], threshold, rule=rule)
                hits[level, own] = match.hit
        all_scores.append(score)
        all_labels.append(label)
        all_hits.append(hits)
    return np.concatenate(all_scores), np.concatenate(all_labels), np.concatenate(all_hits, axis=1)
