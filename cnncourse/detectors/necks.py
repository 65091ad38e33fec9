"""What lies between backbone and heads: maps that tell each other what they have seen.

All take and give three maps of a width W, the finest first: 4 W, 8 W and 8 W channels, each half as many rows
and columns as the one before.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

from cnncourse.detectors.backbone import conv_block

Maps = tuple[Tensor, Tensor, Tensor]

POOLS = 3, 5, 7  # sides of the windows; in the paper 5, 9 and 13, on a map of 19x19


class TopDown(nn.Module):
    """Coarse maps, which know what things are, help the finer ones, which know where: v3's neck.

    References
    ----------
    Lin et al. 2017, "Feature pyramid networks", section 3. Redmon, Farhadi 2018, "YOLOv3", section 2.3: maps
    are joined as channels and not added.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.to_coarse = conv_block(8 * width, 4 * width, 1)
        self.to_fine = conv_block(8 * width, 2 * width, 1)
        self.mix_coarse = conv_block(12 * width, 8 * width)
        self.mix_fine = conv_block(6 * width, 4 * width)

    def forward(self, maps: Maps) -> Maps:
        """Return the maps, each with what the coarser ones know."""
        fine, coarse, coarsest = maps
        coarse = self.mix_coarse(torch.cat([coarse, double(self.to_coarse(coarsest))], dim=1))
        fine = self.mix_fine(torch.cat([fine, double(self.to_fine(coarse))], dim=1))
        return fine, coarse, coarsest


class BottomUp(nn.Module):
    """The way back, after `TopDown`: fine maps help the coarser ones. Both ways together are PAN.

    References
    ----------
    Liu et al. 2018, "Path aggregation network", section 3.1. Bochkovskiy et al. 2020, "YOLOv4", section 3.3:
    maps are joined as channels and not added.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.to_coarse = conv_block(4 * width, 4 * width, stride=2)
        self.to_coarsest = conv_block(8 * width, 8 * width, stride=2)
        self.mix_coarse = conv_block(12 * width, 8 * width, 1)
        self.mix_coarsest = conv_block(16 * width, 8 * width, 1)

    def forward(self, maps: Maps) -> Maps:
        """Return the maps, each with what the finer ones know."""
        fine, coarse, coarsest = maps
        coarse = self.mix_coarse(torch.cat([coarse, self.to_coarse(fine)], dim=1))
        coarsest = self.mix_coarsest(torch.cat([coarsest, self.to_coarsest(coarse)], dim=1))
        return fine, coarse, coarsest


class SPP(nn.Module):
    """Spatial pyramid pooling: a unit also sees the maxima of ever larger windows around it.

    References
    ----------
    He et al. 2015, "Spatial pyramid pooling", pools to a few fixed grids. Bochkovskiy et al. 2020, "YOLOv4",
    section 2.3: maxima of windows with stride 1, so that a map stays a map.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = conv_block(channels, channels // 2, 1)
        self.mix = conv_block((1 + len(POOLS)) * (channels // 2), channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Return a map of the same shape."""
        small = self.squeeze(maps)
        pooled = [max_pool2d(small, side, stride=1, padding=side // 2) for side in POOLS]
        return self.mix(torch.cat([small, *pooled], dim=1))  # type: ignore[no-any-return]


def double(maps: Tensor) -> Tensor:
    """Return maps of twice the size, every unit four times."""
    return interpolate(maps, scale_factor=2.0)
