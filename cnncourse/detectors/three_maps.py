"""What YOLO v3 and the later versions have in common, and what v4 to v8 changed, each change a switch."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot

from cnncourse.detectors.backbone import Backbone, conv_block
from cnncourse.detectors.detector import Detector
from cnncourse.detectors.heads import DecoupledHead, Head
from cnncourse.detectors.necks import SPP, BottomUp, TopDown
from cnncourse.detectors.tensors import ciou_loss, giou_loss, overlaps
from cnncourse.detectors.yolo2 import BOX_WEIGHT

STRIDES = 4, 8, 16  # pixels of a cell, for each map
IGNORED = 0.7  # a box that overlaps an object more than this is not told to be empty


@dataclass(frozen=True)
class Changes:
    """What later versions do otherwise. The sixth change, the mosaic, is a matter of training: see `train`.

    References
    ----------
    v4: Bochkovskiy et al. 2020, "YOLOv4", section 3.4. YOLOX: Ge et al. 2021, section 2.1. v5 and v8 have no
    paper; their source is the program (Ultralytics).
    """

    spp: bool = False  # v4: pooling in windows of several sizes, on the coarsest map
    pan: bool = False  # v4: fine maps help the coarser ones too
    ciou: bool = False  # v4: 1 - CIoU in place of 1 - GIoU
    silu: bool = False  # v5: x sigmoid(x) in place of ReLU
    decoupled: bool = False  # YOLOX, v6, v8: where and what are told by layers of their own


class Told(NamedTuple):
    """Which units of a map answer for an object, and what they are to say."""

    at: tuple[Tensor, Tensor, Tensor, Tensor]  # image, row, column and box of the unit, each (P,)
    boxes: Tensor  # (P, 4) in pixels
    labels: Tensor  # (P,)


class ThreeMaps(Detector):
    """Maps with a unit for 4, 8 and 16 pixels, which help each other; a unit says one box or several.

    What the four numbers of a box mean, and who answers for an object, a subclass says. Each class has a
    logistic unit of its own, so that an object can be a woman and a person.

    Parameters
    ----------
    each : boxes of a unit
    changes : what is done otherwise than in version 3
    """

    def __init__(
        self, classes: int, size: int, width: int, each: int, changes: Changes, **options: Any
    ) -> None:
        super().__init__(classes, size, width=width, **options, **asdict(changes))
        self.each = each
        self.backbone = Backbone(width)
        self.coarsest = nn.Sequential(nn.MaxPool2d(2), conv_block(8 * width, 8 * width))
        self.neck: nn.Module = TopDown(width)
        head = DecoupledHead if changes.decoupled else Head
        self.heads = nn.ModuleList(
            head(channels, each, classes) for channels in (4 * width, 8 * width, 8 * width)
        )
        self.box_loss = ciou_loss if changes.ciou else giou_loss
        if changes.spp:
            self.coarsest.append(SPP(8 * width))
        if changes.pan:
            self.neck = nn.Sequential(self.neck, BottomUp(width))
        if changes.silu:
            relu_to_silu(self)

    @abstractmethod
    def in_pixels(self, numbers: Tensor, level: int) -> Tensor:
        """Return the boxes, in pixels, that a map's numbers (N, S, S, A, 4) say; the finest has level 0."""

    @abstractmethod
    def told(self, boxes: Tensor, labels: Tensor) -> list[Told]:
        """Return who answers for the objects (N, K, 4) and (N, K), for each map, the finest first."""

    def forward(self, images: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Return what the units of each map say, the finest map first.

        Returns
        -------
        list of (boxes, objectness, classes)
            Of shapes (N, S, S, A, 4), (N, S, S, A) and (N, S, S, A, C); boxes in pixels, others as logits.
        """
        fine, coarse = self.backbone(images)
        maps = self.neck((fine, coarse, self.coarsest(coarse)))
        said = []
        for level, (head, one) in enumerate(zip(self.heads, maps, strict=True)):
            numbers = head(one).permute(0, 2, 3, 1).unflatten(-1, (self.each, 5 + self.classes))
            said.append((self.in_pixels(numbers[..., :4], level), numbers[..., 4], numbers[..., 5:]))
        return said

    def loss(self, images: Tensor, boxes: Tensor, labels: Tensor) -> Tensor:
        """1 - GIoU of the boxes that answer, logistic losses of objectness and class; a mean over images."""
        total = torch.zeros(())
        for (said, objectness, classes), told in zip(self(images), self.told(boxes, labels), strict=True):
            with torch.no_grad():
                overlap = overlaps(said.flatten(1, 3), boxes).amax(dim=2).view_as(objectness)
            target, weight = torch.zeros_like(objectness), (overlap < IGNORED).float()
            target[told.at], weight[told.at] = 1.0, 1.0
            wanted = one_hot(told.labels, self.classes).float()
            total = total + BOX_WEIGHT * self.box_loss(said[told.at], told.boxes).sum()
            total = total + binary_cross_entropy_with_logits(objectness, target, weight, reduction="sum")
            total = total + binary_cross_entropy_with_logits(classes[told.at], wanted, reduction="sum")
        return total / len(images)

    def candidates(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """A box's score for a class: its objectness times the class's own probability."""
        boxes, scores = [], []
        for said, objectness, classes in self(images):
            boxes.append(said.flatten(1, 3))
            scores.append((objectness.sigmoid()[..., None] * classes.sigmoid()).flatten(1, 3))
        return torch.cat(boxes, dim=1), torch.cat(scores, dim=1)


def relu_to_silu(network: nn.Module) -> None:
    """Put SiLU in the place of every ReLU.

    References
    ----------
    Elfwing et al. 2018, "Sigmoid-weighted linear units", section 2.
    """
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.ReLU):
                setattr(module, name, nn.SiLU())
