"""YOLO, version 8: no anchors. A cell says how far it is from its middle to the four sides of an object."""

from __future__ import annotations

import torch
from torch import Tensor

from cnncourse.detectors.tensors import cells
from cnncourse.detectors.three_maps import STRIDES, Changes, ThreeMaps, Told

UP_TO = 0.25, 0.375, 1.0  # root of an object's area, of the image's: the most for the map with this level
NEAR = 1.5  # cells from an object's middle to the middle of a cell that answers for it
LARGEST = 4.0  # a side may be exp(4) cells away, so that no early step overflows


class YOLO8(ThreeMaps):
    """One box for each unit, of any size: left, top, right and bottom are so many cells from its middle.

    An object belongs to one map, by its size. There the cells in its middle answer for it, up to nine, if
    their own middles lie inside it; where two objects claim a cell, the smaller one has it. So an object has
    several teachers, no anchors need to be found, and there are half as many boxes.

    Parameters
    ----------
    changes : see `Changes`; version 8 has all of them: ``YOLO8(spp=True, pan=True, ...)``

    References
    ----------
    Tian et al. 2019, "FCOS", sections 3.1 and 3.2: distances, the smaller object, a map for each size. Ge et
    al. 2021, "YOLOX", section 2.1, "Multi positives": only cells near the middle. Version 8 has no paper; its
    program (Ultralytics 2023) chooses the cells by what the network says, gives distances as distributions,
    and has no objectness. All this is left out here.
    """

    def __init__(self, classes: int = 5, size: int = 64, width: int = 16, **changes: bool) -> None:
        super().__init__(classes, size, width, 1, Changes(**changes))

    def in_pixels(self, numbers: Tensor, level: int) -> Tensor:
        """The logarithms of four distances, in cells, from the middle of each cell."""
        stride = STRIDES[level]
        reach = numbers.clamp(-LARGEST, LARGEST).exp() * stride
        return around(middles(numbers.shape[1], stride)[:, :, None], reach)

    def told(self, boxes: Tensor, labels: Tensor) -> list[Told]:
        """The cells near an object's middle, on the map for its size."""
        root = (boxes[..., 2:] - boxes[..., :2]).prod(dim=-1).sqrt() / self.size  # (N, K)
        told, least = [], 0.0
        for stride, most in zip(STRIDES, UP_TO, strict=True):
            own = (labels >= 0) & (least < root) & (root <= most)  # (N, K)
            middle = middles(self.size // stride, stride)  # (S, S, 2)
            reach = distances(middle[:, :, None], boxes[:, None, None])  # (N, S, S, K, 4)
            beside = (reach[..., :2] - reach[..., 2:]).abs().amax(dim=-1) / 2  # of cell and object
            answers = own[:, None, None] & (reach.amin(dim=-1) > 0) & (beside < NEAR * stride)
            smallest, who = torch.where(answers, root[:, None, None], torch.inf).min(dim=-1)  # (N, S, S)
            image, row, column = torch.nonzero(smallest < torch.inf, as_tuple=True)
            chosen = image, who[image, row, column]
            told.append(Told((image, row, column, torch.zeros_like(row)), boxes[chosen], labels[chosen]))
            least = most
        return told


def middles(side: int, stride: int) -> Tensor:
    """Return the middle (x, y) of every cell of a square grid, in pixels, shape (side, side, 2)."""
    return (cells(side, side) + 0.5) * stride


def distances(points: Tensor, boxes: Tensor) -> Tensor:
    """Return how far it is from points to the left, top, right and bottom side of boxes.

    Parameters
    ----------
    points, boxes : Tensor, shapes (..., 2) and (..., 4), which broadcast

    Returns
    -------
    Tensor, shape (..., 4)
        In pixels; one is not above 0 where the point does not lie inside.
    """
    return torch.cat([points - boxes[..., :2], boxes[..., 2:] - points], dim=-1)


def around(points: Tensor, reach: Tensor) -> Tensor:
    """Return the boxes whose sides are so far from points: the inverse of `distances`."""
    return torch.cat([points - reach[..., :2], points + reach[..., 2:]], dim=-1)
