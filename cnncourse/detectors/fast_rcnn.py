"""Fast R-CNN: one map for all regions, RoI pooling, and one loss for class and box together."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, smooth_l1_loss

from cnncourse.detectors.roi_align import roi_align
from cnncourse.detectors.roi_pool import roi_pool
from cnncourse.detectors.roi_sampling import Plan, Sample, sample_rois
from cnncourse.detectors.rois import Rois
from cnncourse.detectors.searched import Searched
from cnncourse.detectors.ssd import decode, encode
from cnncourse.detectors.two_stage import STRIDE, RegionDetector, Trunk

BINS = 5  # rows and columns that a region is pooled to; 7 in the papers
HIDDEN = 128  # units of a dense layer; 4096 in the papers
SCALES = torch.tensor([10.0, 10.0, 5.0, 5.0])  # 1 / standard deviation of each delta
POOLS = {"pool": roi_pool, "align": roi_align}


class BoxHead(nn.Module):
    """Two dense layers, then two outputs: which class, or none, and how the box is moved for each class.

    Parameters
    ----------
    features : numbers of a region
    classes : how many; one more stands for no object, the last
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.dense = nn.Sequential(
            nn.Linear(features, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU()
        )
        self.what = nn.Linear(HIDDEN, classes + 1)
        self.where = nn.Linear(HIDDEN, 4 * classes)
        for layer, spread in ((self.what, 0.01), (self.where, 0.001)):
            nn.init.normal_(layer.weight, std=spread)
            nn.init.zeros_(layer.bias)

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (R, C + 1) and deltas (R, C, 4) of vectors (R, F)."""
        hidden = self.dense(vectors)
        return self.what(hidden), self.where(hidden).unflatten(1, (self.classes, 4))


def multi_task_loss(logits: Tensor, deltas: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """Return cross-entropy of the class, plus smooth L1 of the deltas of the true class.

    Parameters
    ----------
    logits : Tensor, shape (R, C + 1)
        The last one is for no object.
    deltas : Tensor, shape (R, C, 4)
    labels : Tensor, shape (R,)
        C where there is no object: such a region has no box to learn.
    targets : Tensor, shape (R, 4)
        What the deltas of the true class are to be.

    Returns
    -------
    Tensor, shape ()
        Both are sums over regions, divided by R: also the boxes', though not all regions have one.

    References
    ----------
    Girshick 2015, "Fast R-CNN", section 2.3, equations 1 to 3, with lambda = 1. There 0 is no object.
    """
    there = (labels < deltas.shape[1]).nonzero()[:, 0]
    wrong = cross_entropy(logits, labels, reduction="sum")
    moved = smooth_l1_loss(deltas[there, labels[there]], targets[there], reduction="sum")
    return (wrong + moved) / max(len(labels), 1)


class OneMap(RegionDetector):
    """One map of the image, from which every region is pooled, and `BoxHead`: Fast and Faster R-CNN.

    Parameters
    ----------
    width : channels of the first layer
    pool : {"pool", "align"}
        RoIPool or RoIAlign.
    """

    plan = Plan()

    def __init__(self, classes: int, size: int, width: int, pool: str, **options: Any) -> None:
        if pool not in POOLS:
            raise ValueError(f"pool (={pool!r}) must be one of {', '.join(POOLS)}")
        super().__init__(classes, size, width=width, pool=pool, **options)
        self.trunk = Trunk(width)
        self.pool = POOLS[pool]
        self.head = BoxHead(4 * width * BINS**2, classes)

    def maps(self, images: Tensor) -> Tensor:
        """One map for each image."""
        return self.trunk(images)  # type: ignore[no-any-return]

    def describe(self, maps: Tensor, rois: Rois) -> Tensor:
        """The bins of a region, in a row."""
        return self.pool(maps, rois, BINS, STRIDE).flatten(1)

    def judge(self, vectors: Tensor, rois: Rois) -> tuple[Tensor, Tensor]:
        """A score is the probability of a class."""
        logits, deltas = self.head(vectors)
        boxes = decode(deltas / SCALES, rois.boxes[:, None])  # (R, C, 4)
        return boxes, logits.softmax(dim=1)[:, : self.classes]

    def head_loss(self, maps: Tensor, sample: Sample) -> Tensor:
        """Return the multi-task loss of a sample of regions."""
        logits, deltas = self.head(self.describe(maps, sample.rois))
        targets = SCALES * encode(sample.boxes, sample.rois.boxes)
        return multi_task_loss(logits, deltas, sample.labels, targets)


class FastRCNN(Searched, OneMap):
    """Proposals of selective search, pooled from one map; all layers are trained together, by one loss.

    References
    ----------
    Girshick 2015, "Fast R-CNN", section 2.
    """

    def __init__(self, classes: int = 5, size: int = 64, width: int = 16, pool: str = "pool") -> None:
        super().__init__(classes, size, width=width, pool=pool)

    def loss(self, images: Tensor, boxes: Tensor, labels: Tensor) -> Tensor:
        """The multi-task loss; a label of C marks a proposal."""
        proposals, boxes, labels = self.apart(boxes, labels)
        sample = sample_rois(proposals, boxes, labels, self.classes, self.plan)
        return self.head_loss(self.maps(images), sample)
