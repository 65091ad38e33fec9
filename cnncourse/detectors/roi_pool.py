"""RoIPool: a region of any size as a grid of one size, rounded to whole cells.

A region of interest (RoI) is a box of one image of a batch. RoIPool and RoIAlign both read it from the map of
that image and return a small map of fixed size, so that one dense layer can judge regions of all sizes.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import adaptive_max_pool2d, pad

from cnncourse.detectors.rois import Rois, check_rois


def roi_pool(maps: Tensor, rois: Rois, output: int, stride: float) -> Tensor:
    """Return the maximum of each bin of each region: corners and bins are rounded to whole cells.

    A corner at pixel x is put into the cell whose number is nearest to x / stride; the cells of both corners
    belong to the region. The gradient of a bin goes to the one cell that was its maximum; a cell that is the
    maximum of several bins, also of other regions, gets the sum.

    Parameters
    ----------
    maps : Tensor, shape (N, C, H, W)
    rois : boxes in pixels, and their images
    output : rows and columns of bins
    stride : pixels of a cell

    Returns
    -------
    Tensor, shape (R, C, output, output)
        0 where a bin holds no cell of the map.

    Raises
    ------
    ValueError
        If boxes and images do not fit together, or there are no bins.

    References
    ----------
    Girshick 2015, "Fast R-CNN", section 2.1 and equation 4. Rounding as in the author's program: bins go from
    floor(i h / output) to ceil((i + 1) h / output), so that neighbours may share a row.
    """
    check_rois(maps, rois, output)
    if not len(rois.boxes):
        return maps.new_zeros(0, maps.shape[1], output, output)
    _, channels, height, width = maps.shape
    best, row, column = _maxima(maps.detach(), rois, output, stride)  # (R, C, output, output) each
    plane = rois.image[:, None] * channels + torch.arange(channels)  # (R, C)
    cell = (plane[..., None, None] * height + row) * width + column  # as if maps were one row of numbers
    filled = best > -torch.inf
    return torch.where(filled, maps.take(torch.where(filled, cell, 0)), 0.0)


def corner_cells(corners: Tensor, stride: float) -> tuple[Tensor, Tensor]:
    """Return the first and the last cell of each region along one axis, (R,); halves are rounded up.

    Parameters
    ----------
    corners : Tensor, shape (R, 2)
        Where the boxes begin and end along the axis, in pixels.
    """
    first, last = (corners / stride + 0.5).floor().long().unbind(dim=1)
    return first, torch.maximum(first, last)


def bins(corners: Tensor, output: int, stride: float) -> tuple[Tensor, Tensor]:
    """Return the first cell of each bin along one axis, and the one after its last, (R, output)."""
    first, last = corner_cells(corners, stride)
    extent = (last - first + 1)[:, None]
    place = torch.arange(output)
    stop = ((place + 1) * extent + output - 1) // output  # rounded up
    return first[:, None] + place * extent // output, first[:, None] + stop


def _maxima(maps: Tensor, rois: Rois, output: int, stride: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return the maximum of each bin, and its row and column on the map, each (R, C, output, output).

    Adaptive pooling has the same bins. It may be asked for cells outside the map too: they are -inf.
    """
    height, width = maps.shape[2:]
    left, right = corner_cells(rois.boxes[:, 0::2], stride)  # (R,)
    top, bottom = corner_cells(rois.boxes[:, 1::2], stride)
    before_x, before_y = (max(0, -int(first.min())) for first in (left, top))
    after_x, after_y = max(0, int(right.max()) + 1 - width), max(0, int(bottom.max()) + 1 - height)
    larger = pad(maps, (before_x, after_x, before_y, after_y), value=-torch.inf)
    best, place = [], []
    edges = torch.stack([top + before_y, bottom + before_y + 1, left + before_x, right + before_x + 1], dim=1)
    for image, (y1, y2, x1, x2) in zip(rois.image.tolist(), edges.tolist(), strict=True):
        value, cell = adaptive_max_pool2d(larger[image, :, y1:y2, x1:x2], output, return_indices=True)
        best.append(value)
        place.append(cell)  # in the region, row by row
    cells, columns = torch.stack(place), (right - left + 1)[:, None, None, None]
    row, column = cells // columns + top[:, None, None, None], cells % columns + left[:, None, None, None]
    return torch.stack(best), row, column
