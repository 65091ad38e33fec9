"""What the whole R-CNN family does: propose regions, describe each by a vector, judge the vectors."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from cnncourse.detectors.backbone import Backbone, conv_block
from cnncourse.detectors.detector import Detector
from cnncourse.detectors.rois import Rois, slots, together

STRIDE = 4  # pixels of a cell of the map
PARTS = "proposals", "features", "heads"


class Trunk(nn.Module):
    """The backbone's fine map, which the coarse one has helped: a unit for every 4x4 pixels.

    Parameters
    ----------
    width : channels of the first layer; the map has 4 times as many

    References
    ----------
    Lin et al. 2017, "Feature pyramid networks", section 3; of the pyramid only the finest map is kept.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.backbone = Backbone(width)
        self.from_fine = nn.Conv2d(4 * width, 4 * width, 1)
        self.from_coarse = nn.Conv2d(8 * width, 4 * width, 1)
        self.mix = conv_block(4 * width, 4 * width)

    def forward(self, images: Tensor) -> Tensor:
        """Return a map (N, 4 * width, H / 4, W / 4) of images from 0 to 1."""
        fine, coarse = self.backbone(images)
        helped = self.from_fine(fine) + interpolate(self.from_coarse(coarse), scale_factor=2.0)
        return self.mix(helped)  # type: ignore[no-any-return]


class RegionDetector(Detector):
    """A detector in two stages: first where something may be, then what it is.

    Parameters
    ----------
    classes, size, options
        As for `Detector`.

    Attributes
    ----------
    seconds : dict
        How long each of `PARTS` has taken, over all images seen since `reset_clock`. Features are the map
        and the vectors of the regions, heads what becomes of the vectors.
    """

    def __init__(self, classes: int, size: int, **options: Any) -> None:
        super().__init__(classes, size, **options)
        self.frozen: tuple[nn.Module, ...] = ()
        self.reset_clock()

    @abstractmethod
    def maps(self, images: Tensor) -> Tensor:
        """Return what all regions of an image share, (N, C, H, W): a map, or only the image itself."""

    @abstractmethod
    def propose(self, images: Tensor, maps: Tensor) -> list[Tensor]:
        """Return boxes (P, 4), in pixels, of regions that may hold an object, for each image."""

    @abstractmethod
    def describe(self, maps: Tensor, rois: Rois) -> Tensor:
        """Return a vector for each region, (R, F)."""

    @abstractmethod
    def judge(self, vectors: Tensor, rois: Rois) -> tuple[Tensor, Tensor]:
        """Return a box for each region and class (R, C, 4), and its score (R, C)."""

    def candidates(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The box of a region for a class has a score for this class only."""
        with self.timed("features"):
            maps = self.maps(images)
        with self.timed("proposals"):
            rois = together(self.propose(images, maps))
        with self.timed("features"):
            vectors = self.describe(maps, rois)
        with self.timed("heads"):
            boxes, scores = self.judge(vectors, rois)
        slot = slots(rois.image)
        most = int(slot.max()) + 1 if len(slot) else 0
        all_boxes = boxes.new_zeros(len(images), most, self.classes, 4)
        all_scores = scores.new_zeros(len(images), most, self.classes, self.classes)
        all_boxes[rois.image, slot], all_scores[rois.image, slot] = boxes, torch.diag_embed(scores)
        return all_boxes.flatten(1, 2), all_scores.flatten(1, 2)

    def freeze(self, *parts: nn.Module) -> None:
        """Let exactly these parts of the detector learn nothing any more, batch norms included."""
        self.requires_grad_(True)
        self.frozen = parts
        for part in parts:
            part.requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        """Go to training mode, or out of it; what is frozen stays out of it."""
        super().train(mode)
        for part in self.frozen:
            part.eval()
        return self

    def reset_clock(self) -> None:
        """Begin to count the seconds anew."""
        self.seconds = dict.fromkeys(PARTS, 0.0)

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Add the time that a block takes to the seconds of a part."""
        began = time.perf_counter()
        yield
        self.seconds[part] += time.perf_counter() - began
