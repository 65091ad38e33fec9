"""YOLO, version 3: three maps, coarse ones help the finer ones, and one class does not exclude another."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate, one_hot

from cnncourse.detectors.backbone import Backbone, conv_block
from cnncourse.detectors.detector import Detector
from cnncourse.detectors.tensors import giou_loss, objects, overlaps
from cnncourse.detectors.yolo2 import BOX_WEIGHT, RARE, best_anchor, cell_of, in_pixels

STRIDES = 4, 8, 16  # pixels of a cell, for each map
EACH = 2  # anchors for each map
IGNORED = 0.5  # a box that overlaps an object more than this is not told to be empty


class YOLO3(Detector):
    """Maps with a unit for 4, 8 and 16 pixels; the smallest anchors belong to the finest.

    The anchor that fits an object best answers for it, on the map that it belongs to. Each class has a
    logistic unit of its own, so that an object can be a woman and a person.

    Parameters
    ----------
    anchors : six widths and heights in pixels, the smallest first, as `kmeans_anchors` finds them

    References
    ----------
    Redmon, Farhadi 2018, "YOLOv3: An incremental improvement", section 2. There each map has three anchors,
    and centres and sizes have squared errors; here 1 - GIoU, as in `YOLO2`.
    """

    anchors: Tensor  # (3, EACH, 2)

    def __init__(
        self,
        classes: int = 5,
        size: int = 64,
        width: int = 16,
        anchors: Sequence[Sequence[float]] = ((11, 11), (14, 14), (17, 17), (20, 20), (24, 24), (29, 29)),
    ) -> None:
        sizes = torch.as_tensor(anchors, dtype=torch.float32)
        if sizes.shape != (EACH * len(STRIDES), 2):
            raise ValueError(f"anchors has shape {tuple(sizes.shape)}: expected 6 widths and heights, (6, 2)")
        super().__init__(classes, size, width=width, anchors=sizes.tolist())
        self.register_buffer("anchors", sizes.unflatten(0, (len(STRIDES), EACH)))
        self.backbone = Backbone(width)
        self.coarsest = nn.Sequential(nn.MaxPool2d(2), conv_block(8 * width, 8 * width))
        self.to_coarse, self.to_fine = (
            conv_block(8 * width, 4 * width, 1),
            conv_block(8 * width, 2 * width, 1),
        )
        self.mix_coarse = conv_block(12 * width, 8 * width)
        self.mix_fine = conv_block(6 * width, 4 * width)
        bias = torch.zeros(EACH, 5 + classes)
        bias[:, 4:] = RARE
        self.heads = nn.ModuleList()
        for channels in (4 * width, 8 * width, 8 * width):
            head = nn.Conv2d(channels, EACH * (5 + classes), 1)
            head.bias = nn.Parameter(bias.flatten().clone())
            self.heads.append(head)

    def forward(self, images: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Return what the anchors of each map say, the finest map first.

        Returns
        -------
        list of (boxes, objectness, classes)
            Of shapes (N, S, S, A, 4), (N, S, S, A) and (N, S, S, A, C); boxes in pixels, others as logits.
        """
        fine, coarse = self.backbone(images)
        coarsest = self.coarsest(coarse)
        coarse = self.mix_coarse(torch.cat([coarse, double(self.to_coarse(coarsest))], dim=1))
        fine = self.mix_fine(torch.cat([fine, double(self.to_fine(coarse))], dim=1))
        said = []
        for head, one, anchors, stride in zip(
            self.heads, (fine, coarse, coarsest), self.anchors, STRIDES, strict=True
        ):
            numbers = head(one).permute(0, 2, 3, 1).unflatten(-1, (EACH, 5 + self.classes))
            said.append((in_pixels(numbers[..., :4], anchors, stride), numbers[..., 4], numbers[..., 5:]))
        return said

    def loss(self, images: Tensor, boxes: Tensor, labels: Tensor) -> Tensor:
        """1 - GIoU of the boxes that answer, logistic losses of objectness and class; a mean over images."""
        image, truth, label = objects(boxes, labels)
        best = best_anchor(truth, self.anchors.flatten(0, 1))  # (M,)
        total = torch.zeros(())
        for level, (said, objectness, classes) in enumerate(self(images)):
            own = best // EACH == level
            column, row = cell_of(truth[own], STRIDES[level], objectness.shape[1])
            at = (image[own], row, column, best[own] % EACH)
            with torch.no_grad():
                overlap = overlaps(said.flatten(1, 3), boxes).amax(dim=2).view_as(objectness)
            target, weight = torch.zeros_like(objectness), (overlap < IGNORED).float()
            target[at], weight[at] = 1.0, 1.0
            wanted = one_hot(label[own], self.classes).float()
            total = total + BOX_WEIGHT * giou_loss(said[at], truth[own]).sum()
            total = total + binary_cross_entropy_with_logits(objectness, target, weight, reduction="sum")
            total = total + binary_cross_entropy_with_logits(classes[at], wanted, reduction="sum")
        return total / len(images)

    def candidates(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """A box's score for a class: its objectness times the class's own probability."""
        boxes, scores = [], []
        for said, objectness, classes in self(images):
            boxes.append(said.flatten(1, 3))
            scores.append((objectness.sigmoid()[..., None] * classes.sigmoid()).flatten(1, 3))
        return torch.cat(boxes, dim=1), torch.cat(scores, dim=1)


def double(maps: Tensor) -> Tensor:
    """Return maps of twice the size, every unit four times."""
    return interpolate(maps, scale_factor=2.0)
