"""How good a detector is: precision and recall, average precision, and its mean over classes (NumPy)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from cnncourse.arrays import Array
from cnncourse.boxes import as_boxes
from cnncourse.matching import check_rule, match_all, places

Found: TypeAlias = tuple[ArrayLike, ArrayLike, ArrayLike]
Truth: TypeAlias = tuple[ArrayLike, ArrayLike] | tuple[ArrayLike, ArrayLike, ArrayLike]

# Recalls at which precision is read. COCO's evaluation computes its own in this way, and a few of them are
# one rounding above k / 100: numbers that are to be compared must share that.
RECALLS = {11: np.arange(11) / 10, 101: np.linspace(0, 1, 101)}
COCO_THRESHOLDS = np.linspace(0.5, 0.95, 10)


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


def mean_average_precision(
    detections: Sequence[Found],
    objects: Sequence[Truth],
    iou_threshold: float | Sequence[float] | Array = 0.5,
    points: int | None = None,
    rule: str = "voc",
    max_detections: int | None = None,
    num_classes: int | None = None,
    inclusive: bool = False,
) -> MeanAP:
    """Return the average precision of every class over many images, and the mean (mAP).

    Parameters
    ----------
    detections : sequence of (boxes, scores, labels)
        One for each image: shapes (N, 4), (N,), (N,), in any order.
    objects : sequence of (boxes, labels) or (boxes, labels, ignored)
        One for each image: shapes (M, 4), (M,), (M,). Those that are ignored need not be found, see
        `match_detections`.
    iou_threshold : float or sequence of T floats
        How much a detection and its object must overlap.
    points : {None, 11, 101}
        See `average_precision`.
    rule : {"voc", "coco"}
        See `match_detections`.
    max_detections : int, optional
        Of each image and class, use only so many, the ones with the highest scores.
    num_classes : int, optional
        Labels are 0 to this less 1; as many as the objects' labels need by default.
    inclusive : bool
        Count both end pixels, see `box_area`.

    Returns
    -------
    MeanAP

    Raises
    ------
    ValueError
        If numbers do not fit together or a threshold, label or rule is out of range.

    Examples
    --------
    >>> found = ([[0, 0, 4, 4], [0, 0, 4, 5], [6, 6, 9, 9]], [0.9, 0.8, 0.7], [0, 0, 1])
    >>> result = mean_average_precision([found], [([[0, 0, 4, 4], [0, 5, 4, 9], [6, 6, 9, 9]], [0, 0, 1])])
    >>> result.mean, result.per_class
    (0.75, array([0.5, 1. ]))
    """
    if len(detections) != len(objects):
        raise ValueError(f"detections of {len(detections)} images, but objects of {len(objects)}")
    thresholds = np.atleast_1d(np.asarray(iou_threshold, dtype=float))
    for threshold in thresholds:
        check_rule(threshold, rule)
    truth = _join([(boxes, np.ones(np.shape(rest[0])), *rest) for boxes, *rest in objects], num_classes)
    classes = int(truth.labels.max(initial=-1)) + 1 if num_classes is None else num_classes
    found = _join(detections, num_classes)
    found = found.only(found.labels < classes)  # a class that no object has is no part of the mean
    if max_detections is not None:
        found = found.only(places(found.groups(classes), found.scores) < max_detections)
    hit, ignored = match_all(
        found.groups(classes), found.boxes, found.scores,
        truth.groups(classes), truth.boxes, truth.ignored, thresholds, rule, inclusive,
    )  # fmt: skip
    counts = np.bincount(truth.labels[~truth.ignored], minlength=classes)  # (C,) objects to find
    ap = np.full((len(thresholds), classes), np.nan)  # (T, C)
    for label in np.flatnonzero(counts):
        own = np.flatnonzero(found.labels == label)
        for level in range(len(thresholds)):
            curve = precision_recall(found.scores[own], hit[level, own], counts[label], ignored[level, own])
            ap[level, label] = average_precision(curve.recall, curve.precision, points)
    known = ap[:, counts > 0]
    return MeanAP(float(known.mean()) if known.size else float("nan"), ap.mean(axis=0), ap, thresholds)


def coco_average_precision(
    detections: Sequence[Found], objects: Sequence[Truth], num_classes: int | None = None
) -> MeanAP:
    """Return COCO's average precision: the mean over IoU thresholds 0.50, 0.55 ... 0.95, at 101 recalls.

    Parameters
    ----------
    detections, objects, num_classes
        As for `mean_average_precision`. At most 100 detections of a class in an image count.

    Returns
    -------
    MeanAP
        `mean` is COCO's AP; ``ap[0]`` and ``ap[5]`` are the classes' AP50 and AP75.

    References
    ----------
    COCO's evaluation code, `cocoeval.py`; checked against `pycocotools`.
    """
    return mean_average_precision(
        detections, objects, COCO_THRESHOLDS, 101, "coco", max_detections=100, num_classes=num_classes
    )


class _Joined(NamedTuple):
    """Boxes of all images in one list."""

    image: Array  # (N,) index of the image
    boxes: Array  # (N, 4)
    scores: Array  # (N,)
    labels: Array  # (N,)
    ignored: Array  # (N,)

    def only(self, chosen: Array) -> _Joined:
        """Return the boxes that are chosen."""
        return _Joined(*(values[chosen] for values in self))

    def groups(self, classes: int) -> Array:
        """Return one number for each class of each image."""
        return np.asarray(self.image * classes + self.labels)


def _join(images: Sequence[Sequence[ArrayLike]], num_classes: int | None) -> _Joined:
    """Put (boxes, scores, labels) of all images together, with or without flags, and check them."""
    parts: list[list[Array]] = []
    for number, one in enumerate(images):
        boxes, *others = (np.asarray(values, dtype=float) for values in one)
        if len(others) == 2:
            others.append(np.zeros(len(boxes)))
        if any(values.shape != (len(boxes),) for values in others):
            shapes = ", ".join(str(values.shape) for values in others)
            raise ValueError(
                f"image {number}: {len(boxes)} boxes, but what goes with them has shapes {shapes}"
            )
        parts.append([as_boxes(boxes, f"image {number}: boxes"), *others])
    empty = [np.zeros((0, 4)), *np.zeros((3, 0))]
    boxes, scores, labels, ignored = (np.concatenate(column) for column in zip(empty, *parts, strict=True))
    image = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
    if np.isnan(scores).any():
        raise ValueError("scores must be numbers, not NaN")
    wrong = labels[(labels < 0) | (labels % 1 != 0)]
    if num_classes is not None and not wrong.size:
        wrong = labels[labels >= num_classes]
    if wrong.size:
        raise ValueError(
            f"label {wrong[0]:g}: labels are whole numbers from 0 to the number of classes less 1"
        )
    return _Joined(image, boxes, scores, labels.astype(int), ignored.astype(bool))
