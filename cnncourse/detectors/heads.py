"""The last layers: from a map to the numbers of each unit's boxes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnncourse.detectors.backbone import conv_block
from cnncourse.detectors.yolo2 import RARE


class Head(nn.Module):
    """A convolution with a 1x1 kernel says all at once: where, whether, and what.

    Parameters
    ----------
    channels : of the map
    each : boxes of a unit
    classes : how many
    """

    def __init__(self, channels: int, each: int, classes: int) -> None:
        super().__init__()
        self.numbers = nn.Conv2d(channels, each * (5 + classes), 1)
        self.numbers.bias = rare(each, 4, 1 + classes)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (N, each * (5 + classes), S, S): for each box 4 numbers, objectness, classes."""
        return self.numbers(maps)  # type: ignore[no-any-return]


class DecoupledHead(nn.Module):
    """Where and what are told by layers of their own, because they need to see different things.

    Parameters and result are those of `Head`.

    References
    ----------
    Ge et al. 2021, "YOLOX", section 2.1, "Decoupled head": there 256 channels and two convolutions in each
    branch, here half the map's channels and one.
    """

    def __init__(self, channels: int, each: int, classes: int) -> None:
        super().__init__()
        self.each, inner = each, channels // 2
        self.squeeze = conv_block(channels, inner, 1)
        self.where = nn.Sequential(conv_block(inner, inner), nn.Conv2d(inner, each * 5, 1))
        self.what = nn.Sequential(conv_block(inner, inner), nn.Conv2d(inner, each * classes, 1))
        self.where[-1].bias = rare(each, 4, 1)
        self.what[-1].bias = rare(each, 0, classes)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (N, each * (5 + classes), S, S): for each box 4 numbers, objectness, classes."""
        small = self.squeeze(maps)
        parts = [branch(small).unflatten(1, (self.each, -1)) for branch in (self.where, self.what)]
        return torch.cat(parts, dim=2).flatten(1, 2)


def rare(each: int, free: int, seldom: int) -> nn.Parameter:
    """Return a first bias: for each box `free` times 0, then `seldom` times `RARE`."""
    return nn.Parameter(torch.tensor([0.0] * free + [RARE] * seldom).repeat(each))
