"""What every detector does with boxes as tensors: overlaps in batches, and a loss that sees far boxes too.

Boxes are (x1, y1, x2, y2) in pixels, half-open, as in `cnncourse.boxes`, which has the same in NumPy.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

TINY = 1e-7


def overlaps(first: Tensor, second: Tensor) -> Tensor:
    """Return the IoU of each box with each of another list.

    Parameters
    ----------
    first, second : Tensor, shapes (..., N, 4) and (..., M, 4)

    Returns
    -------
    Tensor, shape (..., N, M)
        A box without area overlaps nothing.
    """
    return iou(first[..., :, None, :], second[..., None, :, :])


def iou(first: Tensor, second: Tensor) -> Tensor:
    """Return the IoU of boxes, one with one; their shapes (..., 4) broadcast."""
    one, other = first.unbind(dim=-1), second.unbind(dim=-1)  # all x1, all y1 ...: kept apart, they are fast
    x1, y1 = torch.maximum(one[0], other[0]), torch.maximum(one[1], other[1])
    x2, y2 = torch.minimum(one[2], other[2]), torch.minimum(one[3], other[3])
    shared = (x2 - x1).clamp(min=0) * (y2 - y1).clamp(min=0)
    union = _area(first[..., :2], first[..., 2:]) + _area(second[..., :2], second[..., 2:]) - shared
    return shared / (union + TINY)


def giou_loss(boxes: Tensor, targets: Tensor) -> Tensor:
    """Return 1 - GIoU of boxes, one with one: from 0, the same box, to 2, two boxes far apart.

    Parameters
    ----------
    boxes, targets : Tensor, shape (N, 4)

    References
    ----------
    Rezatofighi et al. 2019, "Generalized intersection over union", algorithm 1.
    """
    shared = _area(torch.maximum(boxes[:, :2], targets[:, :2]), torch.minimum(boxes[:, 2:], targets[:, 2:]))
    union = _area(boxes[:, :2], boxes[:, 2:]) + _area(targets[:, :2], targets[:, 2:]) - shared + TINY
    hull = (
        _area(torch.minimum(boxes[:, :2], targets[:, :2]), torch.maximum(boxes[:, 2:], targets[:, 2:])) + TINY
    )
    return 1 - shared / union + (hull - union) / hull


def ciou_loss(boxes: Tensor, targets: Tensor) -> Tensor:
    """Return 1 - CIoU of boxes, one with one: also how far apart the centres are, and the shapes.

    Parameters
    ----------
    boxes, targets : Tensor, shape (N, 4)

    References
    ----------
    Zheng et al. 2020, "Distance-IoU loss", equations 8 to 11. As in the authors' program, the weight of the
    shapes counts as a constant when the gradient is formed.
    """
    apart = (boxes[:, :2] + boxes[:, 2:] - targets[:, :2] - targets[:, 2:]) / 2
    hull = torch.maximum(boxes[:, 2:], targets[:, 2:]) - torch.minimum(boxes[:, :2], targets[:, :2])
    distance = (apart**2).sum(dim=1) / ((hull**2).sum(dim=1) + TINY)
    angle, wanted = (torch.atan2(*(one[:, 2:] - one[:, :2]).unbind(dim=1)) for one in (boxes, targets))
    shape = 4 / math.pi**2 * (angle - wanted) ** 2
    wrong = 1 - iou(boxes, targets)
    weight = (shape / (wrong + shape + TINY)).detach()
    return wrong + distance + weight * shape


def corners(centre: Tensor, size: Tensor) -> Tensor:
    """Return boxes (..., 4) of these centres and sizes (width, height), each (..., 2)."""
    return torch.cat([centre - size / 2, centre + size / 2], dim=-1)


def cells(rows: int, columns: int) -> Tensor:
    """Return the column and row of every cell of a grid, shape (rows, columns, 2)."""
    across, down = torch.arange(columns), torch.arange(rows)
    return torch.stack(torch.meshgrid(across, down, indexing="xy"), dim=-1)


def survivors(boxes: Tensor, alive: Tensor, iou_threshold: float) -> Tensor:
    """Return which boxes survive non-maximum suppression, in all images of a batch at once.

    Parameters
    ----------
    boxes : Tensor, shape (N, P, 4)
        Of each image, the best first.
    alive : Tensor of bool, shape (N, P)
        Which of them take part.
    iou_threshold : float
        A box that overlaps a better one more than this goes.

    Returns
    -------
    Tensor of bool, shape (N, P)
    """
    double = overlaps(boxes, boxes) > iou_threshold  # (N, P, P)
    kept = alive.clone()
    for best in range(boxes.shape[1] - 1):
        kept[:, best + 1 :] &= ~(double[:, best, best + 1 :] & kept[:, best, None])
    return kept


def objects(boxes: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the objects of a batch in one list.

    Parameters
    ----------
    boxes, labels : Tensor, shapes (N, K, 4) and (N, K)
        A label of -1 says that there is no object.

    Returns
    -------
    image, boxes, labels : Tensor, shapes (M,), (M, 4), (M,)
    """
    image, place = torch.nonzero(labels >= 0, as_tuple=True)
    return image, boxes[image, place], labels[image, place]


def _area(start: Tensor, stop: Tensor) -> Tensor:
    width, height = (stop - start).clamp(min=0).unbind(dim=-1)
    return width * height
