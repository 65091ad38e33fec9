"""SPPnet: one map for all regions of an image, and a pyramid of grids that makes a vector of each."""

from __future__ import annotations

import torch
from torch import Tensor

from cnncourse.detectors.rcnn import RCNN, ThreeTrainings
from cnncourse.detectors.roi_pool import roi_pool
from cnncourse.detectors.rois import Rois
from cnncourse.detectors.two_stage import STRIDE

PYRAMID = 4, 2, 1  # bins along each side; 6, 3, 2, 1 in the paper's detector


class SPPnet(ThreeTrainings):
    """R-CNN with the convolutions done once for an image; only the dense layers are trained.

    Parameters
    ----------
    width : channels of the first layer

    References
    ----------
    He et al. 2014, "Spatial pyramid pooling", section 4.1. A level of the pyramid is what Fast
    R-CNN later called RoI pooling.
    """

    def __init__(self, classes: int = 5, size: int = 64, width: int = 16) -> None:
        super().__init__(classes, size, width, pooled=4 * width * sum(side**2 for side in PYRAMID))

    def start_from(self, other: RCNN) -> None:
        """Take the convolutions of a trained R-CNN, and leave them as they are from now on.

        Without this all layers are trained: gradients go through the pyramid, which the paper's program did
        not do.
        """
        self.trunk.load_state_dict(other.trunk.state_dict())
        self.freeze(self.trunk)

    def maps(self, images: Tensor) -> Tensor:
        """One map for each image."""
        return self.trunk(images)  # type: ignore[no-any-return]

    def describe(self, maps: Tensor, rois: Rois) -> Tensor:
        """The maxima of all bins of all levels, in a row."""
        return torch.cat([roi_pool(maps, rois, side, STRIDE).flatten(1) for side in PYRAMID], dim=1)
