"""Four scenes in one: more objects, cut ones among them, on other grounds."""

from __future__ import annotations

import torch
from torch import Tensor

EDGE = 0.25  # of the image: the four meet at least so far from its sides
LEAST = 0.3  # of a box's area: where less of an object is left it is not told


def join_four(
    images: Tensor, boxes: Tensor, labels: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Return images that consist of four pieces, each of another image of the batch.

    A piece stays where it was and as large as it was. The four meet at one random point for the whole batch.

    Parameters
    ----------
    images : Tensor, shape (N, 3, S, S)
        Best four or more: of fewer, one gives several pieces.
    boxes, labels : Tensor, shapes (N, K, 4) and (N, K)
        Pixels, and a class or, where there is no object, -1.

    Returns
    -------
    images, boxes, labels : Tensor, shapes (N, 3, S, S), (N, 4 K, 4) and (N, 4 K)
        Boxes are cut where a piece ends. Where too little is left the label is -1 and the box zero.

    References
    ----------
    Bochkovskiy et al. 2020, "YOLOv4", section 3.3. There the pieces are also stretched.
    """
    size = images.shape[-1]
    low, high = round(EDGE * size), round((1 - EDGE) * size)
    across, down = torch.randint(low, high + 1, (2,), generator=generator).tolist()
    joined, found, names = images.clone(), [], []
    for shift, (left, right, top, bottom) in enumerate(
        ((0, across, 0, down), (across, size, 0, down), (0, across, down, size), (across, size, down, size))
    ):
        joined[:, :, top:bottom, left:right] = images[:, :, top:bottom, left:right].roll(shift, dims=0)
        cut, kept = cut_boxes(boxes.roll(shift, dims=0), (left, top, right, bottom))
        names.append(torch.where(kept, labels.roll(shift, dims=0), -1))
        found.append(torch.where((names[-1] >= 0)[..., None], cut, 0.0))
    return joined, torch.cat(found, dim=1), torch.cat(names, dim=1)


def cut_boxes(boxes: Tensor, window: tuple[int, int, int, int]) -> tuple[Tensor, Tensor]:
    """Return the part of boxes (..., 4) inside a window, and whether enough of their area is left."""
    left, top, right, bottom = window
    x, y = boxes[..., 0::2].clamp(left, right), boxes[..., 1::2].clamp(top, bottom)  # (..., 2)
    cut = torch.stack([x, y], dim=-1).flatten(-2)  # (..., 4) x1, y1, x2, y2
    area = (boxes[..., 2:] - boxes[..., :2]).prod(dim=-1)
    left_over = (cut[..., 2:] - cut[..., :2]).prod(dim=-1)
    return cut, left_over >= LEAST * area
