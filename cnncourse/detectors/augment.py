"""Show the same scenes in other ways: turned, mirrored, in other colours."""

from __future__ import annotations

import torch
from torch import Tensor

GAIN = 0.8, 1.2  # of a channel's contrast


def augment(
    images: Tensor, boxes: Tensor, labels: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return images and boxes after one of the eight symmetries of a square, and with new colours.

    The batch is mirrored and transposed as one, because that needs no copy of single images. Each image gets
    an order of its channels, dark for bright or not, and a contrast for each channel, of its own.

    Parameters
    ----------
    images : Tensor, shape (N, 3, S, S), from 0 to 1
        Further channels, such as masks, are mirrored and transposed, and keep their values.
    boxes, labels : Tensor, shapes (N, K, 4) and (N, K)
        Where a label is -1 there is no object, and the box stays as it is.

    Returns
    -------
    images, boxes : Tensor, shapes as given
    """
    size = images.shape[-1]
    mirror, flip, transpose = torch.randint(0, 2, (3,), generator=generator).tolist()
    x1, y1, x2, y2 = boxes.unbind(dim=-1)
    if mirror:
        images, x1, x2 = images.flip(3), size - x2, size - x1
    if flip:
        images, y1, y2 = images.flip(2), size - y2, size - y1
    if transpose:
        images, x1, y1, x2, y2 = images.transpose(2, 3), y1, x1, y2, x2
    turned = torch.stack([x1, y1, x2, y2], dim=-1)  # (N, K, 4)
    images = torch.cat([recolour(images[:, :3], generator), images[:, 3:]], dim=1)
    return images, torch.where((labels >= 0)[..., None], turned, boxes)


def recolour(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return images (N, 3, H, W) with channels in another order, inverted or not, of other contrast."""
    count = len(images)
    order = torch.rand(count, 3, generator=generator).argsort(dim=1)
    images = images[torch.arange(count)[:, None], order]
    sign = 1 - 2 * torch.randint(0, 2, (count, 1, 1, 1), generator=generator).float()
    low, high = GAIN
    gain = low + (high - low) * torch.rand(count, 3, 1, 1, generator=generator)
    return (images - 0.5) * sign * gain + 0.5
