"""Masks of objects: cut out where a region is, and pasted back where it was."""

from __future__ import annotations

import torch
from torch import Tensor

from cnncourse.detectors.roi_align import roi_align, tents
from cnncourse.detectors.rois import Rois

ON = 0.5  # from this probability on, a pixel belongs to the object


def cut_masks(masks: Tensor, boxes: Tensor, output: int) -> Tensor:
    """Return the part of each mask in its box, as a small mask of fixed size.

    Parameters
    ----------
    masks : Tensor, shape (R, H, W)
        1 on the object, 0 elsewhere.
    boxes : Tensor, shape (R, 4)
        In pixels; box i cuts mask i.
    output : rows and columns

    Returns
    -------
    Tensor, shape (R, output, output)
        1 where at least half of what a bin covers is on the object, else 0.
    """
    rois = Rois(boxes, torch.arange(len(boxes)))
    return (roi_align(masks[:, None].float(), rois, output, stride=1)[:, 0] >= ON).float()


def paste_mask(masks: Tensor, boxes: Tensor, height: int, width: int) -> Tensor:
    """Return small masks as large as the image: each stretched over its box, 0 outside.

    A pixel of the image gets the value that its middle has, interpolated between the middles of the four
    nearest cells of the small mask.

    Parameters
    ----------
    masks : Tensor, shape (R, M, M)
        Probabilities.
    boxes : Tensor, shape (R, 4)
        In pixels.
    height, width : of the image

    Returns
    -------
    Tensor, shape (R, height, width)
        Probabilities; compare them with 0.5 for a mask.

    Examples
    --------
    >>> paste_mask(torch.tensor([[[1.0]]]), torch.tensor([[1.0, 0.0, 3.0, 2.0]]), height=3, width=4)[0]
    tensor([[0., 1., 1., 0.],
            [0., 1., 1., 0.],
            [0., 0., 0., 0.]])
    """
    if masks.ndim != 3 or masks.shape[1] != masks.shape[2] or boxes.shape != (len(masks), 4):
        raise ValueError(
            f"masks {tuple(masks.shape)}, boxes {tuple(boxes.shape)}: needed are (R, M, M) and (R, 4)"
        )
    down = _weights(boxes[:, 1], boxes[:, 3], height, masks.shape[1])  # (R, height, M)
    across = _weights(boxes[:, 0], boxes[:, 2], width, masks.shape[1])  # (R, width, M)
    return torch.einsum("rhi,rij,rwj->rhw", down, masks, across)


def _weights(start: Tensor, stop: Tensor, pixels: int, cells: int) -> Tensor:
    """Return how much each cell of a mask counts at each pixel, along one axis: shape (R, pixels, cells)."""
    middle = torch.arange(pixels, dtype=start.dtype) + 0.5
    share = (middle - start[:, None]) / (stop - start).clamp(min=1e-6)[:, None]  # (R, pixels), 0 to 1 inside
    inside = (share >= 0) & (share < 1)
    return tents(share * cells - 0.5, cells) * inside[..., None]
