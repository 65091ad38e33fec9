"""Average precision over many images: detections and objects in, the mean over classes out (NumPy)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from cnncourse.arrays import Array
from cnncourse.boxes import as_boxes
from cnncourse.matching import check_rule, match_all, places
from cnncourse.metrics.curve import MeanAP, over_classes

Found: TypeAlias = tuple[ArrayLike, ArrayLike, ArrayLike]
Truth: TypeAlias = tuple[ArrayLike, ArrayLike] | tuple[ArrayLike, ArrayLike, ArrayLike]

COCO_THRESHOLDS = np.linspace(0.5, 0.95, 10)


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
    return over_classes(found.scores, found.labels, hit, ignored, counts, thresholds, points)


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
    check_labels(labels, num_classes)
    return _Joined(image, boxes, scores, labels.astype(int), ignored.astype(bool))


def check_labels(labels: Array, num_classes: int | None) -> None:
    """Raise ValueError unless all labels are whole numbers from 0 to the number of classes less 1."""
    wrong = labels[(labels < 0) | (labels % 1 != 0)]
    if num_classes is not None and not wrong.size:
        wrong = labels[labels >= num_classes]
    if wrong.size:
        raise ValueError(
            f"label {wrong[0]:g}: labels are whole numbers from 0 to the number of classes less 1"
        )
