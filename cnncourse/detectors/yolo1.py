"""YOLO, version 1: one look. A grid of cells, and each answers for the object whose middle it holds.

There are no anchors yet: a cell says outright where its boxes are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from cnncourse.detectors.backbone import Backbone, conv_block
from cnncourse.detectors.detector import Detector
from cnncourse.detectors.tensors import cells, corners, iou, objects

STRIDE = 8  # pixels of a cell
BOX_WEIGHT, EMPTY_WEIGHT = 5.0, 0.5  # lambda_coord and lambda_noobj of the paper
SIZE_WEIGHT = 4.0  # of the roots of width and height, which range over less than the centre does
RARE = -3.0  # first bias of a confidence: most boxes hold no object


class YOLO1(Detector):
    """An S x S grid; a cell has `boxes` boxes, each with a confidence, and one distribution over classes.

    A box is (x, y, sqrt(w), sqrt(h)): its centre within the cell, in cells, and the roots of its width and
    height as shares of the image. Of a cell's boxes the one that overlaps the object most answers for it, and
    its confidence is to be that IoU. Two objects whose centres fall into one cell share one class: the limit
    of this design.

    References
    ----------
    Redmon et al. 2016, "You only look once", section 2, equation 3. Here centre, root and confidence go
    through a sigmoid, and a softmax gives the classes; the paper leaves all of it linear.
    """

    def __init__(self, classes: int = 5, size: int = 64, width: int = 16, boxes: int = 2) -> None:
        super().__init__(classes, size, width=width, boxes=boxes)
        self.boxes, self.side = boxes, size // STRIDE
        self.backbone = Backbone(width)
        last = nn.Conv2d(8 * width, 5 * boxes + classes, 1)
        bias = torch.zeros(5 * boxes + classes)
        bias[4 : 5 * boxes : 5] = RARE
        last.bias = nn.Parameter(bias)
        self.head = nn.Sequential(conv_block(8 * width, 8 * width), last)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what the cells say.

        Returns
        -------
        boxes, confidence, classes : Tensor, shapes (N, S, S, B, 4), (N, S, S, B) and (N, S, S, C)
            x, y, sqrt(w), sqrt(h); the others as logits.
        """
        maps = self.head(self.backbone(images)[1]).permute(0, 2, 3, 1)  # (N, S, S, 5 B + C)
        numbers = maps[..., : 5 * self.boxes].unflatten(-1, (self.boxes, 5))
        return numbers[..., :4].sigmoid(), numbers[..., 4], maps[..., 5 * self.boxes :]

    def in_pixels(self, boxes: Tensor) -> Tensor:
        """Return x1, y1, x2, y2 of boxes (N, S, S, B, 4) as `forward` gives them."""
        centre = (cells(self.side, self.side)[:, :, None] + boxes[..., :2]) * STRIDE
        return corners(centre, boxes[..., 2:] ** 2 * self.size)

    def loss(self, images: Tensor, boxes: Tensor, labels: Tensor) -> Tensor:
        """Squared errors, the paper's equation 3, as a mean over images."""
        said, confidence, classes = self(images)
        image, truth, label = objects(boxes, labels)
        centre = (truth[:, :2] + truth[:, 2:]) / 2 / STRIDE  # in cells
        cell = centre.long().clamp(max=self.side - 1)
        at = (image, cell[:, 1], cell[:, 0])  # row before column
        overlap = iou(self.in_pixels(said)[at].detach(), truth[:, None])  # (M, B)
        best, who = overlap.max(dim=1)
        wanted = torch.cat([centre - cell, ((truth[:, 2:] - truth[:, :2]) / self.size).sqrt()], dim=1)
        errors = (said[*at, who] - wanted) ** 2  # (M, 4)
        target, weight = torch.zeros_like(confidence), torch.full_like(confidence, EMPTY_WEIGHT)
        target[*at, who], weight[*at, who] = best, 1.0
        parts = (
            BOX_WEIGHT * (errors[:, :2].sum() + SIZE_WEIGHT * errors[:, 2:].sum()),
            (weight * (confidence.sigmoid() - target) ** 2).sum(),
            ((classes[at].softmax(dim=1) - one_hot(label, self.classes)) ** 2).sum(),
        )
        return sum(parts, torch.zeros(())) / len(images)

    def candidates(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """A box's score for a class: its confidence times the cell's probability of the class."""
        boxes, confidence, classes = self(images)
        scores = confidence.sigmoid()[..., None] * classes.softmax(dim=-1)[..., None, :]
        return self.in_pixels(boxes).flatten(1, 3), scores.flatten(1, 3)
