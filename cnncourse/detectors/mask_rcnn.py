"""Mask R-CNN: Faster R-CNN with a third branch, which says which pixels of a region are the object."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from cnncourse.detectors.backbone import conv_block
from cnncourse.detectors.detections import Detections
from cnncourse.detectors.detector import as_images
from cnncourse.detectors.faster_rcnn import FasterRCNN
from cnncourse.detectors.masks import ON, cut_masks, paste_mask
from cnncourse.detectors.roi_align import roi_align
from cnncourse.detectors.roi_sampling import Sample
from cnncourse.detectors.rois import Rois, together
from cnncourse.detectors.two_stage import STRIDE

BINS = 7  # rows and columns that a region is pooled to for its mask; 14 in the paper
SIDE = 2 * BINS  # rows and columns of a predicted mask
LEARNED = 8  # regions of an image whose masks are learned, on average at most


class MaskDetections(NamedTuple):
    """What was found in one image, the highest score first, with the pixels of each object."""

    boxes: NDArray[np.float64]  # (M, 4) in pixels
    scores: NDArray[np.float64]  # (M,) from 0 to 1
    labels: NDArray[np.int64]  # (M,)
    masks: NDArray[np.bool_]  # (M, size, size)


class MaskHead(nn.Module):
    """Convolutions, one that doubles rows and columns, and a mask for each class.

    Classes do not compete: each mask has its own logistic unit at every pixel, and which of them is looked at
    the box branch says.

    Parameters
    ----------
    channels : of the map
    classes : how many

    References
    ----------
    He et al. 2017, "Mask R-CNN", section 3 and figure 4, right; there four convolutions of 256 kernels.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            conv_block(channels, channels),
            conv_block(channels, channels),
            nn.ConvTranspose2d(channels, channels, 2, stride=2),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, classes, 1),
        )

    def forward(self, pooled: Tensor) -> Tensor:
        """Return logits (R, C, 2 BINS, 2 BINS) of regions (R, channels, BINS, BINS)."""
        return self.layers(pooled)  # type: ignore[no-any-return]


class MaskRCNN(FasterRCNN):
    """Faster R-CNN with RoIAlign and a mask branch, trained together.

    In training the mask of a region's true class learns, in regions that hold an object; a part of them is
    enough. At test the masks are predicted last, in the boxes that are left: those are fewer, and better.

    Parameters are those of `FasterRCNN`.

    References
    ----------
    He et al. 2017, "Mask R-CNN", section 3.
    """

    learns_masks = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.mask_head = MaskHead(4 * self.options["width"], self.classes)

    def second_stage(self, maps: Tensor, sample: Sample, images: Tensor) -> Tensor:
        """Return the loss of a sample and of its masks; an image's fourth channel holds the true ones."""
        return self.head_loss(maps, sample) + self.mask_loss(maps, sample, images[:, 3])

    def mask_loss(self, maps: Tensor, sample: Sample, instances: Tensor) -> Tensor:
        """Return the logistic loss of the true classes' masks, a mean over regions with an object and pixels.

        Parameters
        ----------
        maps, sample : of the batch
        instances : Tensor, shape (N, S, S)
            0 for the ground, k + 1 for object k.
        """
        there = (sample.who >= 0).nonzero()[:, 0]
        there = there[torch.randperm(len(there))[: LEARNED * len(maps)]].sort().values
        if not len(there):
            return torch.zeros(())
        rois = Rois(sample.rois.boxes[there], sample.rois.image[there])
        labels, own = sample.labels[there], sample.who[there] + 1
        truth = instances[rois.image] == own[:, None, None]  # (R, S, S)
        pooled = roi_align(maps, rois, BINS, STRIDE)
        logits = self.mask_logits(pooled, labels)
        loss = binary_cross_entropy_with_logits(logits, cut_masks(truth, rois.boxes, SIDE))
        return loss + self.quality_loss(pooled, logits, rois.boxes, labels, truth)

    def mask_logits(self, pooled: Tensor, labels: Tensor) -> Tensor:
        """Return the mask of one class for each pooled region, (R, SIDE, SIDE)."""
        return self.mask_head(pooled)[torch.arange(len(labels)), labels]  # type: ignore[no-any-return]

    def quality_loss(
        self, pooled: Tensor, logits: Tensor, boxes: Tensor, labels: Tensor, truth: Tensor
    ) -> Tensor:
        """Return what is learned about how good the masks are: here nothing."""
        return torch.zeros(())

    def rescored(self, pooled: Tensor, logits: Tensor, labels: Tensor, scores: Tensor) -> Tensor:
        """Return the scores that masks have, (R,): here those of their boxes."""
        return scores

    @torch.no_grad()
    def detect_masks(
        self, images: NDArray[np.uint8] | Tensor, score_threshold: float = 0.02, batch: int = 50
    ) -> list[MaskDetections]:
        """Return what is found in each image, and which pixels it has.

        Parameters
        ----------
        images, score_threshold, batch
            As for `detect`.
        """
        was_training = self.training
        self.eval()
        found: list[MaskDetections] = []
        for start in range(0, len(images), batch):
            some = as_images(images[start : start + batch])
            found += self._with_masks(some, self.detect(some, score_threshold, batch=batch))
        self.train(was_training)
        return found

    def _with_masks(self, images: Tensor, found: list[Detections]) -> list[MaskDetections]:
        """Return the detections of each image with their masks, by falling score."""
        rois = together([torch.from_numpy(one.boxes).float() for one in found])
        labels = torch.cat([torch.from_numpy(one.labels) for one in found])
        scores = torch.cat([torch.from_numpy(one.scores) for one in found])
        pooled = roi_align(self.maps(images), rois, BINS, STRIDE)
        logits = self.mask_logits(pooled, labels)
        masks = paste_mask(logits.sigmoid(), rois.boxes, self.size, self.size) >= ON
        scores = self.rescored(pooled, logits, labels, scores)
        result, first = [], 0
        for one in found:
            own = slice(first, first + len(one.boxes))
            order = np.argsort(-scores[own].numpy(), kind="stable")
            score, mask = scores[own].numpy()[order], masks[own].numpy()[order]
            result.append(MaskDetections(one.boxes[order], score, one.labels[order], mask))
            first = own.stop
        return result
