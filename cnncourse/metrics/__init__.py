"""How good a detector is: precision and recall, average precision, and its mean over classes (NumPy)."""

from cnncourse.metrics.curve import Curve, MeanAP, average_precision, over_classes, precision_recall
from cnncourse.metrics.mean import (
    COCO_THRESHOLDS,
    Found,
    Truth,
    check_labels,
    coco_average_precision,
    mean_average_precision,
)

__all__ = [
    "COCO_THRESHOLDS",
    "Curve",
    "Found",
    "MeanAP",
    "Truth",
    "average_precision",
    "check_labels",
    "coco_average_precision",
    "mean_average_precision",
    "over_classes",
    "precision_recall",
]
