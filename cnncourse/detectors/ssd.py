"""SSD: default boxes on maps of several sizes, small ones on the fine map; each has a class or "nothing"."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate, smooth_l1_loss

from cnncourse.detectors.backbone import Backbone, conv_block
from cnncourse.detectors.detector import Detector
from cnncourse.detectors.tensors import cells, corners, overlaps

LAYOUT = ((4, (9.0, 13.0)), (8, (16.0, 20.0)), (16, (25.0, 31.0)))  # stride and sides in pixels, of 64
MATCH, LEAST = 0.5, 0.1  # IoU of a match; what an object's best box must have if none reaches it
SCALE = 5.0  # 1 / standard deviation of a delta
BETA = 0.5  # from where on smooth L1 grows linearly
HARD = 3  # boxes of the background that count, for each one that is matched
LARGEST = 4.0


class SSD(Detector):
    """Three maps with a unit for 4, 8 and 16 pixels; two square default boxes at each unit.

    Every default box says how it must be moved and stretched, and one of C + 1 classes, the last for no
    object. Those that overlap an object by half learn its class, and so does every object's best one.
    Nearly all others are background. Of those only the worst count, three for each match (hard negative
    mining): else the easy ones would decide everything.

    References
    ----------
    Liu et al. 2016, "SSD: Single shot multibox detector", sections 2.1 and 2.2. Here the coarser map helps
    the fine one (Lin et al. 2017), and default boxes are squares.
    """

    defaults: Tensor  # (D, 4)

    def __init__(self, classes: int = 5, size: int = 64, width: int = 16) -> None:
        super().__init__(classes, size, width=width)
        self.backbone = Backbone(width)
        self.coarsest = nn.Sequential(nn.MaxPool2d(2), conv_block(8 * width, 8 * width))
        self.down = nn.Conv2d(8 * width, 4 * width, 1)
        self.heads, defaults = nn.ModuleList(), []
        for channels, (stride, sides) in zip((4 * width, 8 * width, 8 * width), LAYOUT, strict=True):
            outputs = len(sides) * (4 + classes + 1)
            self.heads.append(
                nn.Sequential(conv_block(channels, 4 * width), nn.Conv2d(4 * width, outputs, 1))
            )
            centre = (cells(size // stride, size // stride)[:, :, None] + 0.5) * stride
            square = torch.tensor(sides)[:, None].expand(-1, 2) * size / 64
            defaults.append(corners(*torch.broadcast_tensors(centre, square)).reshape(-1, 4))
        self.register_buffer("defaults", torch.cat(defaults))  # (D, 4)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return deltas (N, D, 4) and logits (N, D, C + 1) for each of the D default boxes."""
        fine, coarse = self.backbone(images)
        maps = (fine + interpolate(self.down(coarse), scale_factor=2.0), coarse, self.coarsest(coarse))
        numbers = [
            head(one).permute(0, 2, 3, 1).reshape(len(images), -1, 5 + self.classes)
            for head, one in zip(self.heads, maps, strict=True)
        ]
        joined = torch.cat(numbers, dim=1)
        return joined[..., :4], joined[..., 4:]

    def loss(self, images: Tensor, boxes: Tensor, labels: Tensor) -> Tensor:
        """Smooth L1 of deltas and cross-entropy of classes, over the number of matches."""
        deltas, classes = self(images)
        matched, who = self.match(boxes)
        target = torch.where(matched, labels.gather(1, who), self.classes)
        entropy = cross_entropy(classes.transpose(1, 2), target, reduction="none")  # (N, D)
        with torch.no_grad():
            rank = torch.where(matched, -1.0, entropy).argsort(dim=1, descending=True).argsort(dim=1)
            hard = ~matched & (rank < HARD * matched.sum(dim=1, keepdim=True))
        image, place = torch.nonzero(matched, as_tuple=True)
        wanted = SCALE * encode(boxes[image, who[image, place]], self.defaults[place])
        moved = smooth_l1_loss(deltas[image, place], wanted, beta=BETA, reduction="sum")
        return (entropy[matched | hard].sum() + moved) / matched.sum().clamp(min=1)

    def match(self, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Return which default boxes have an object of (N, K, 4), and whose, both (N, D)."""
        overlap = overlaps(self.defaults, boxes)  # (N, D, K); 0 where a box has no area
        best, who = overlap.max(dim=2)
        top = overlap.amax(dim=1, keepdim=True)
        forced = (overlap == top) & (top > LEAST)
        any_forced = forced.any(dim=2)
        return (best >= MATCH) | any_forced, torch.where(any_forced, forced.float().argmax(dim=2), who)

    def candidates(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """A box's score for a class: its probability; "no object" is left out."""
        deltas, classes = self(images)
        return decode(deltas / SCALE, self.defaults), classes.softmax(dim=-1)[..., : self.classes]


def encode(boxes: Tensor, anchors: Tensor) -> Tensor:
    """Return how anchors must be moved (in their own sizes) and stretched (logarithms) to become the boxes.

    Parameters
    ----------
    boxes, anchors : Tensor, shape (..., 4)

    References
    ----------
    Girshick et al. 2014, "Rich feature hierarchies", appendix C.
    """
    size, own = boxes[..., 2:] - boxes[..., :2], anchors[..., 2:] - anchors[..., :2]
    moved = (boxes[..., :2] + boxes[..., 2:] - anchors[..., :2] - anchors[..., 2:]) / 2 / own
    return torch.cat([moved, (size / own).log()], dim=-1)


def decode(deltas: Tensor, anchors: Tensor) -> Tensor:
    """Return the boxes that anchors become: the inverse of `encode`."""
    own = anchors[..., 2:] - anchors[..., :2]
    centre = (anchors[..., :2] + anchors[..., 2:]) / 2 + deltas[..., :2] * own
    return corners(centre, own * deltas[..., 2:].clamp(-LARGEST, LARGEST).exp())
