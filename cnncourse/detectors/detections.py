"""What is found in an image: the best candidates, one for an object of a class."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnncourse.boxes import batched_nms


class Detections(NamedTuple):
    """What was found in one image, the highest score first."""

    boxes: NDArray[np.float64]  # (M, 4) in pixels
    scores: NDArray[np.float64]  # (M,) from 0 to 1
    labels: NDArray[np.int64]  # (M,)


def without_doubles(
    boxes: Tensor, scores: Tensor, score_threshold: float, iou_threshold: float, most: int
) -> Detections:
    """Return the detections among the candidates (M, 4) of one image with scores (M, C)."""
    place, label = torch.nonzero(scores > score_threshold, as_tuple=True)
    values = scores[place, label]
    best = values.topk(min(most, len(values))).indices
    found = Detections(
        boxes[place[best]].numpy().astype(np.float64),
        values[best].numpy().astype(np.float64),
        label[best].numpy(),
    )
    kept = batched_nms(*found, iou_threshold)
    return Detections(found.boxes[kept], found.scores[kept], found.labels[kept])
