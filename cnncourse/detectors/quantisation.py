"""How far RoIPool looks past what it is asked for: its bins in pixels beside those of RoIAlign."""

from __future__ import annotations

import torch
from torch import Tensor

from cnncourse.detectors.roi_pool import bins


def pool_bins(boxes: Tensor, output: int, stride: float) -> Tensor:
    """Return which pixels the bins of RoIPool cover: whole cells, wherever the box begins.

    Parameters
    ----------
    boxes : Tensor, shape (R, 4)
        In pixels.
    output : rows and columns of bins
    stride : pixels of a cell

    Returns
    -------
    Tensor, shape (R, output, output, 4)
        A box (x1, y1, x2, y2) for each bin, row by row.

    Examples
    --------
    >>> pool_bins(torch.tensor([[3.0, 3.0, 13.0, 13.0]]), output=1, stride=8).tolist()
    [[[[0.0, 0.0, 24.0, 24.0]]]]
    """
    left, right = bins(boxes[:, 0::2], output, stride)  # (R, output)
    top, bottom = bins(boxes[:, 1::2], output, stride)
    return _grid(left * stride, right * stride, top * stride, bottom * stride)


def align_bins(boxes: Tensor, output: int) -> Tensor:
    """Return which pixels the bins of RoIAlign cover: equal parts of the box.

    Parameters and result are those of `pool_bins`; there is no stride, because nothing is rounded to cells.

    Examples
    --------
    >>> align_bins(torch.tensor([[3.0, 3.0, 13.0, 13.0]]), output=1).tolist()
    [[[[3.0, 3.0, 13.0, 13.0]]]]
    """
    edges = torch.arange(output + 1) / output
    across = boxes[:, None, 0] + edges * (boxes[:, 2] - boxes[:, 0])[:, None]  # (R, output + 1)
    down = boxes[:, None, 1] + edges * (boxes[:, 3] - boxes[:, 1])[:, None]
    return _grid(across[:, :-1], across[:, 1:], down[:, :-1], down[:, 1:])


def quantisation_error(boxes: Tensor, output: int, stride: float) -> Tensor:
    """Return how many pixels the middle of each bin of RoIPool is away from where it should be.

    Parameters
    ----------
    boxes, output, stride
        As for `pool_bins`.

    Returns
    -------
    Tensor, shape (R, output, output)
        In pixels. It grows with the stride, not with the box.

    Examples
    --------
    >>> quantisation_error(torch.tensor([[3.0, 8.0, 13.0, 24.0]]), output=1, stride=8).tolist()
    [[[5.656854152679443]]]
    """
    seen, meant = pool_bins(boxes, output, stride), align_bins(boxes, output)
    apart = (seen[..., :2] + seen[..., 2:] - meant[..., :2] - meant[..., 2:]) / 2
    return (apart**2).sum(dim=-1).sqrt()


def _grid(left: Tensor, right: Tensor, top: Tensor, bottom: Tensor) -> Tensor:
    """Return the boxes of every row with every column: edges (R, output) to (R, output, output, 4)."""
    columns = [edge[:, None, :].expand(-1, edge.shape[1], -1) for edge in (left, right)]
    rows = [edge[:, :, None].expand(-1, -1, edge.shape[1]) for edge in (top, bottom)]
    return torch.stack([columns[0], rows[0], columns[1], rows[1]], dim=-1).float()
