"""YOLO, version 2: every cell has anchors, whose sizes come from the data, and each anchor its own class."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from cnncourse.detectors.backbone import Backbone, conv_block
from cnncourse.detectors.detector import Detector
from cnncourse.detectors.tensors import cells, corners, giou_loss, iou, objects, overlaps

STRIDE = 8  # pixels of a cell
GOOD = 0.6  # a box that overlaps an object more than this is not told to be empty
BOX_WEIGHT = 2.0
RARE = -4.0  # first bias of an objectness: most anchors hold no object
LARGEST = 4.0  # a size may be exp(4) times its anchor's, so that no early step overflows
BEYOND = 0.05  # a centre may lie this far outside its cell: a sigmoid never reaches 0 or 1


class YOLO2(Detector):
    """One map with a unit for 8x8 pixels; at each the anchors, moved within the cell and stretched.

    A box's centre is ``cell + sigmoid(t_x)`` and its width ``anchor * exp(t_w)``. The anchor that fits an
    object's size best, in the cell of the object's middle, answers for it. A finer map is folded into the
    channels and joins in (`passthrough`), because small objects are lost in the coarse one.

    Parameters
    ----------
    anchors : widths and heights in pixels, as `kmeans_anchors` finds them
    passthrough : whether the fine map joins in

    References
    ----------
    Redmon, Farhadi 2017, "YOLO9000", section 2. Here the boxes are trained by 1 - GIoU, which came later
    (Rezatofighi et al. 2019), and objectness by its cross-entropy.
    """

    anchors: Tensor  # (A, 2)

    def __init__(
        self,
        classes: int = 5,
        size: int = 64,
        width: int = 16,
        anchors: Sequence[Sequence[float]] = ((12, 12), (17, 17), (22, 22), (28, 28)),
        passthrough: bool = True,
    ) -> None:
        sizes = torch.as_tensor(anchors, dtype=torch.float32)  # (A, 2)
        super().__init__(classes, size, width=width, anchors=sizes.tolist(), passthrough=passthrough)
        self.register_buffer("anchors", sizes)
        self.side, self.passthrough = size // STRIDE, passthrough
        self.backbone = Backbone(width)
        self.squeeze = conv_block(4 * width, width, 1)
        self.fold = nn.PixelUnshuffle(2)  # (N, C, 2 S, 2 S) to (N, 4 C, S, S)
        self.mix = conv_block((12 if passthrough else 8) * width, 8 * width)
        self.head = nn.Conv2d(8 * width, len(sizes) * (5 + classes), 1)
        bias = torch.zeros(len(sizes), 5 + classes)
        bias[:, 4] = RARE
        self.head.bias = nn.Parameter(bias.flatten())

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what the anchors say.

        Returns
        -------
        boxes, objectness, classes : Tensor, shapes (N, S, S, A, 4), (N, S, S, A) and (N, S, S, A, C)
            Boxes in pixels; the others as logits.
        """
        fine, coarse = self.backbone(images)
        if self.passthrough:
            coarse = torch.cat([coarse, self.fold(self.squeeze(fine))], dim=1)
        maps = self.head(self.mix(coarse)).permute(0, 2, 3, 1)
        numbers = maps.unflatten(-1, (len(self.anchors), 5 + self.classes))
        return in_pixels(numbers[..., :4], self.anchors, STRIDE), numbers[..., 4], numbers[..., 5:]

    def loss(self, images: Tensor, boxes: Tensor, labels: Tensor) -> Tensor:
        """1 - GIoU of the boxes that answer, cross-entropies of objectness and class; a mean over images."""
        said, objectness, classes = self(images)
        image, truth, label = objects(boxes, labels)
        column, row = cell_of(truth, STRIDE, self.side)
        at = (image, row, column, best_anchor(truth, self.anchors))
        with torch.no_grad():
            best = overlaps(said.flatten(1, 3), boxes).amax(dim=2).view_as(objectness)
        target, weight = torch.zeros_like(objectness), (best < GOOD).float()
        target[at], weight[at] = 1.0, 1.0
        wrong = binary_cross_entropy_with_logits(objectness, target, weight, reduction="sum")
        box = giou_loss(said[at], truth).sum()
        return (BOX_WEIGHT * box + wrong + cross_entropy(classes[at], label, reduction="sum")) / len(images)

    def candidates(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """A box's score for a class: its objectness times its probability of the class."""
        boxes, objectness, classes = self(images)
        scores = objectness.sigmoid()[..., None] * classes.softmax(dim=-1)
        return boxes.flatten(1, 3), scores.flatten(1, 3)


def in_pixels(numbers: Tensor, anchors: Tensor, stride: int) -> Tensor:
    """Return the boxes that the units of a map say.

    Parameters
    ----------
    numbers : Tensor, shape (N, S, S, A, 4)
        t_x, t_y, t_w, t_h of each anchor.
    anchors : Tensor, shape (A, 2)
        Widths and heights in pixels.
    stride : pixels of a cell

    Returns
    -------
    Tensor, shape (N, S, S, A, 4)
        x1, y1, x2, y2 in pixels.
    """
    within = numbers[..., :2].sigmoid() * (1 + 2 * BEYOND) - BEYOND
    centre = (cells(*numbers.shape[1:3])[:, :, None] + within) * stride
    return corners(centre, anchors * numbers[..., 2:].clamp(-LARGEST, LARGEST).exp())


def cell_of(boxes: Tensor, stride: int, side: int) -> Tensor:
    """Return the column and the row, shape (2, M), of the cell that holds the middle of each box (M, 4)."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    return (middle / stride).long().clamp(max=side - 1).T


def best_anchor(boxes: Tensor, anchors: Tensor) -> Tensor:
    """Return for each box (M, 4) which of the sizes (A, 2) fits it best, wherever both lie."""
    zero = torch.zeros(2)
    return iou(corners(zero, boxes[:, None, 2:] - boxes[:, None, :2]), corners(zero, anchors)).argmax(dim=1)
