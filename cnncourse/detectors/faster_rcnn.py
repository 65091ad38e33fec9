"""Faster R-CNN: the proposals come from the map itself, by a network that is trained along with the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from cnncourse.detectors.fast_rcnn import OneMap
from cnncourse.detectors.roi_sampling import Sample, sample_rois
from cnncourse.detectors.rpn import RPN
from cnncourse.detectors.two_stage import STRIDE

IN_TRAINING, AT_TEST = (100, 40), (80, 25)  # proposals before and after non-maximum suppression


class FasterRCNN(OneMap):
    """A region proposal network and Fast R-CNN's head, both on one map, trained together.

    Proposals count as given: no gradient of the second loss goes through their coordinates. What regions are
    drawn for the losses is up to torch's own random numbers.

    Parameters
    ----------
    scales : sides of the anchors in pixels, for images of 64x64; they grow with `size`
    ratios : heights of the anchors over their widths
    pool : {"align", "pool"}
        RoIAlign, which came with Mask R-CNN, or RoIPool, which the paper has.

    Attributes
    ----------
    learns : {"both", "rpn", "head"}
        Which of the two losses `loss` returns.
    source : function, optional
        From images to the proposals that the head is to learn from; by default the detector's own.

    References
    ----------
    Ren et al. 2015, "Faster R-CNN", section 3; the joint training is its "approximate joint training",
    section 3.2. Here anchors that reach beyond the image are not left out: images are small, and those are
    many.
    """

    learns = "both"
    source: Callable[[Tensor], list[Tensor]] | None = None

    def __init__(
        self,
        classes: int = 5,
        size: int = 64,
        width: int = 16,
        scales: Sequence[float] = (9, 12, 16, 21, 28),
        ratios: Sequence[float] = (1,),
        pool: str = "align",
    ) -> None:
        super().__init__(classes, size, width, pool, scales=list(scales), ratios=list(ratios))
        sides = [side * size / 64 for side in scales]
        self.rpn = RPN(4 * width, size // STRIDE, STRIDE, sides, ratios)

    def propose(self, images: Tensor, maps: Tensor) -> list[Tensor]:
        """What the region proposal network finds on the maps."""
        scores, deltas = self.rpn(maps)
        return self.rpn.proposals(scores, deltas, *AT_TEST)

    def loss(self, images: Tensor, boxes: Tensor, labels: Tensor) -> Tensor:
        """The loss of the proposals and the multi-task loss of a sample of them."""
        maps, proposals, loss = self.first_stage(images[:, :3], boxes, labels)
        if self.learns == "rpn":
            return loss
        sample = sample_rois(proposals, boxes, labels, self.classes, self.plan)
        return loss + self.second_stage(maps, sample, images)

    def first_stage(
        self, images: Tensor, boxes: Tensor, labels: Tensor
    ) -> tuple[Tensor, list[Tensor], Tensor]:
        """Return the maps, the proposals that the head is to learn from, and the proposals' loss."""
        maps = self.maps(images)
        scores, deltas = self.rpn(maps)
        if self.source is None:
            proposals = self.rpn.proposals(scores, deltas, *IN_TRAINING)
        else:
            proposals = self.source(images)
        if self.learns == "head":
            return maps, proposals, torch.zeros(())
        return maps, proposals, self.rpn.loss(scores, deltas, boxes, labels)

    def second_stage(self, maps: Tensor, sample: Sample, images: Tensor) -> Tensor:
        """Return the loss of a sample of regions."""
        return self.head_loss(maps, sample)
