"""Regions of interest: boxes of a batch of images in one list."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Rois(NamedTuple):
    """Regions of a batch of images in one list."""

    boxes: Tensor  # (R, 4) in pixels
    image: Tensor  # (R,) index of the image, in the batch


def together(boxes: list[Tensor]) -> Rois:
    """Return the regions of all images, (P, 4) each, in one list, image by image."""
    count = torch.tensor([len(one) for one in boxes])
    return Rois(torch.cat(boxes), torch.arange(len(boxes)).repeat_interleave(count))


def slots(image: Tensor) -> Tensor:
    """Return the place of each region among those of its image, (R,); regions lie image by image.

    Examples
    --------
    >>> slots(torch.tensor([0, 0, 2, 2, 2]))
    tensor([0, 1, 0, 1, 2])
    """
    count = image.bincount()
    return torch.arange(len(image)) - (count.cumsum(0) - count)[image]


def check_rois(maps: Tensor, rois: Rois, output: int) -> None:
    """Raise ValueError if boxes, images and maps do not fit together, or there are no bins."""
    boxes, image = rois
    if boxes.ndim != 2 or boxes.shape[1] != 4 or image.shape != boxes.shape[:1]:
        raise ValueError(
            f"boxes {tuple(boxes.shape)}, image {tuple(image.shape)}: needed are shapes (R, 4) and (R,)"
        )
    if len(image) and not 0 <= int(image.min()) <= int(image.max()) < len(maps):
        raise ValueError(f"image goes from {image.min()} to {image.max()}, but there are {len(maps)} maps")
    if output < 1:
        raise ValueError(f"output (={output}) must be at least 1")
