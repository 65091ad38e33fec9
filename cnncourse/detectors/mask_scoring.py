"""Mask Scoring R-CNN: a fourth branch predicts how good a mask is, and the mask's score says so."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, mse_loss

from cnncourse.detectors.backbone import conv_block
from cnncourse.detectors.fast_rcnn import HIDDEN
from cnncourse.detectors.mask_rcnn import BINS, SIDE, MaskRCNN
from cnncourse.detectors.masks import ON, cut_masks


class MaskIoUHead(nn.Module):
    """Looks at a region and at the mask predicted for it; says the mask's IoU, for each class.

    Parameters
    ----------
    channels : of the map
    classes : how many

    References
    ----------
    Huang et al. 2019, "Mask Scoring R-CNN", section 3.2; there four convolutions and three dense layers.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            conv_block(channels + 1, channels),
            conv_block(channels, channels, stride=2),
            nn.Flatten(),
            nn.Linear(channels * ((BINS + 1) // 2) ** 2, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, classes),
        )

    def forward(self, pooled: Tensor, chances: Tensor) -> Tensor:
        """Return an IoU for each class, (R, C).

        Parameters
        ----------
        pooled : Tensor, shape (R, channels, BINS, BINS)
        chances : Tensor, shape (R, SIDE, SIDE)
            The mask; it is made as small as the region by taking maxima of 2x2 cells.
        """
        seen = torch.cat([pooled, max_pool2d(chances[:, None], SIDE // BINS)], dim=1)
        return self.layers(seen)  # type: ignore[no-any-return]


class MaskScoringRCNN(MaskRCNN):
    """Mask R-CNN whose masks have scores of their own: that of the class times the IoU that is predicted.

    A box's score says how sure its class is. A mask can be poor where the class is sure; average precision at
    high IoU suffers from each such mask that stands before a good one.

    Parameters are those of `FasterRCNN`.

    References
    ----------
    Huang et al. 2019, "Mask Scoring R-CNN", section 3.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.quality = MaskIoUHead(4 * self.options["width"], self.classes)

    def quality_loss(
        self, pooled: Tensor, logits: Tensor, boxes: Tensor, labels: Tensor, truth: Tensor
    ) -> Tensor:
        """Squared error of the IoU that is said for the true class; the masks learn nothing from it."""
        chances = logits.detach().sigmoid()
        goal = cut_mask_iou(chances >= ON, boxes, truth)
        return mse_loss(self.said(pooled, chances, labels), goal)

    def rescored(self, pooled: Tensor, logits: Tensor, labels: Tensor, scores: Tensor) -> Tensor:
        """The score of the class times the predicted IoU."""
        return scores * self.said(pooled, logits.sigmoid(), labels).clamp(0, 1)

    def said(self, pooled: Tensor, chances: Tensor, labels: Tensor) -> Tensor:
        """Return the IoU that is said for one class of each region, (R,)."""
        return self.quality(pooled, chances)[torch.arange(len(labels)), labels]  # type: ignore[no-any-return]


def cut_mask_iou(masks: Tensor, boxes: Tensor, truth: Tensor) -> Tensor:
    """Return the IoU of small masks with the whole objects, also with what lies outside their boxes.

    Parameters
    ----------
    masks : Tensor of bool, shape (R, M, M)
        Predicted in their boxes.
    boxes : Tensor, shape (R, 4)
        In pixels.
    truth : Tensor of bool, shape (R, H, W)
        The true mask of each one's object.

    Returns
    -------
    Tensor, shape (R,)
        Counted in cells of the small masks.
    """
    inside = cut_masks(truth, boxes, masks.shape[1]) > 0  # (R, M, M)
    cell = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1) / masks[0].numel()  # square pixels, (R,)
    whole = truth.flatten(1).sum(dim=1) / cell.clamp(min=1e-6)  # the object's area in cells
    both = (masks & inside).flatten(1).sum(dim=1)
    missed = torch.maximum(whole, inside.flatten(1).sum(dim=1)) - both
    return both / (masks.flatten(1).sum(dim=1) + missed).clamp(min=1)
