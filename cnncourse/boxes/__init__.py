"""Boxes: what they are, how they overlap, how doubles are suppressed, how a network describes them (NumPy).

A box is (x1, y1, x2, y2) in pixels, floats, half-open: it holds its left and upper edge and not its right
and lower one, so its width is x2 - x1. Code that counts whole pixels, both ends inclusive, says x2 - x1 + 1
instead; `inclusive=True` computes that, to compare.
"""

from cnncourse.boxes.deltas import apply_deltas, box_deltas
from cnncourse.boxes.geometry import as_boxes, box_area, box_convert, check_share, clip_boxes
from cnncourse.boxes.overlap import Overlap, box_ciou, box_diou, box_giou, box_iou, box_overlap, shared
from cnncourse.boxes.soft import SoftNMS, soft_nms
from cnncourse.boxes.suppression import NMSStep, batched_nms, nms, nms_steps

__all__ = [
    "NMSStep",
    "Overlap",
    "SoftNMS",
    "apply_deltas",
    "as_boxes",
    "batched_nms",
    "box_area",
    "box_ciou",
    "box_convert",
    "box_deltas",
    "box_diou",
    "box_giou",
    "box_iou",
    "box_overlap",
    "check_share",
    "clip_boxes",
    "nms",
    "nms_steps",
    "shared",
    "soft_nms",
]
