"""RoIAlign: a region of any size as a grid of one size, with nothing rounded."""

from __future__ import annotations

import torch
from torch import Tensor

from cnncourse.detectors.rois import Rois, check_rois


def roi_align(
    maps: Tensor, rois: Rois, output: int, stride: float, samples: int = 2, half_pixel: bool = True
) -> Tensor:
    """Return the mean of `samples` x `samples` points of each bin, each interpolated between four cells.

    Nothing is rounded. A point's value is a weighted sum over rows and, apart from that, over columns; so
    both the interpolation and the mean over a bin are two products of matrices.

    Parameters
    ----------
    maps, rois, output, stride
        As for `roi_pool`.
    samples : points of a bin along each side
    half_pixel : bool
        The value of cell k belongs to its middle, at (k + 1/2) stride. False: to its corner, at k stride, and
        a region has at least one cell; so the first programs had it.

    Returns
    -------
    Tensor, shape (R, C, output, output)
        What lies further than one cell outside the map counts as 0.

    Raises
    ------
    ValueError
        As `roi_pool`, and if there are no points.

    References
    ----------
    He et al. 2017, "Mask R-CNN", section 3, "RoIAlign". The half pixel: torchvision.ops.roi_align, `aligned`;
    ONNX, operator RoiAlign, `coordinate_transformation_mode`.
    """
    check_rois(maps, rois, output)
    if samples < 1:
        raise ValueError(f"samples (={samples}) must be at least 1")
    height, width = maps.shape[2:]
    corners = rois.boxes.to(maps) / stride - (0.5 if half_pixel else 0.0)  # (R, 4) in cells, cell k at k
    start, size = corners[:, :2], corners[:, 2:] - corners[:, :2]
    if not half_pixel:
        size = size.clamp(min=1.0)
    across = _weights(start[:, 0], size[:, 0], output, samples, width)  # (R, output, W)
    down = _weights(start[:, 1], size[:, 1], output, samples, height)  # (R, output, H)
    order = rois.image.argsort(stable=True)
    found = _bins(maps, rois.image[order], down[order], across[order]).permute(0, 3, 1, 2)
    return found if (order.diff() == 1).all() else found[order.argsort()]  # (R, C, output, output)


def tents(places: Tensor, cells: int) -> Tensor:
    """Return the weight of each cell at places (...), in cells: 1 at its middle, 0 one cell away.

    Returns
    -------
    Tensor, shape (..., cells)
        Between the border and one cell outside the outermost cell counts fully, further out none does.
    """
    inside = (places >= -1) & (places <= cells)
    apart = places.clamp(0, cells - 1)[..., None] - torch.arange(cells)
    return (1 - apart.abs()).clamp(min=0) * inside[..., None]


def _weights(start: Tensor, size: Tensor, output: int, samples: int, cells: int) -> Tensor:
    """Return how much each cell counts for each bin, along one axis: shape (R, output, cells)."""
    share = (torch.arange(output * samples, dtype=start.dtype) + 0.5) / (output * samples)
    places = start[:, None] + share * size[:, None]  # (R, output * samples)
    return tents(places, cells).reshape(len(start), output, samples, cells).mean(dim=2)


def _bins(maps: Tensor, image: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Return the bins of each region, (R, output, output, C): `down` times the map times `across`.

    The regions lie image by image. Those of one image stand one below the other, so that a single product
    reads the map for all of them.
    """
    (count, channels, height, width), output = maps.shape, down.shape[1]
    flat = maps.permute(0, 2, 3, 1).reshape(count, height, width * channels)
    each = image.bincount(minlength=count).tolist()
    found = []
    for one, rows, columns in zip(flat, down.split(each), across.split(each), strict=True):
        cut = (rows.flatten(0, 1) @ one).view(-1, output, width, channels)  # (regions, output, W, C)
        found.append(columns[:, None] @ cut)
    return torch.cat(found)
