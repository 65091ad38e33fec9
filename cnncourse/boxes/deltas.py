"""How a network describes a box: as a shift and a change of size of another box."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from cnncourse.arrays import Array
from cnncourse.boxes.geometry import as_boxes

LARGEST = math.log(1000 / 16)  # of tw and th when a box is decoded: no network's number makes a box infinite
NO_SCALE = (1.0, 1.0, 1.0, 1.0)


def box_deltas(anchors: ArrayLike, boxes: ArrayLike, stds: ArrayLike = NO_SCALE) -> Array:
    """Return what turns each anchor into its box: the shift of the centre and the logarithm of the growth.

    tx = (x - x_a) / w_a, ty = (y - y_a) / h_a, tw = log(w / w_a), th = log(h / h_a), where x and y are
    centres, and w_a and h_a are the width and height of the *anchor*.

    Parameters
    ----------
    anchors, boxes : array_like, shape (N, 4)
        (x1, y1, x2, y2) in pixels; box i belongs to anchor i.
    stds : array_like, shape (4,)
        Each delta is divided by its number: a network learns best what varies by about 1.

    Returns
    -------
    ndarray, shape (N, 4)
        (tx, ty, tw, th): shares and logarithms, without a unit.

    Raises
    ------
    ValueError
        If anchors and boxes differ in number, one of them has no width or height, or a number of `stds` is
        not above 0.

    References
    ----------
    Girshick et al. 2014, "Rich feature hierarchies", appendix C; Ren et al. 2015, "Faster R-CNN", equation 2.

    Examples
    --------
    >>> box_deltas([[0, 0, 10, 20]], [[5, 0, 15, 40]]).round(3)
    array([[0.5  , 0.5  , 0.   , 0.693]])
    """
    base, target = as_boxes(anchors, "anchors"), as_boxes(boxes)
    if len(base) != len(target):
        raise ValueError(f"{len(base)} anchors and {len(target)} boxes: each anchor needs its box")
    centre, size = _centre_and_size(base, "anchors")
    goal, goal_size = _centre_and_size(target, "boxes")
    return np.hstack([(goal - centre) / size, np.log(goal_size / size)]) / _checked(stds)  # (N, 4)


def apply_deltas(anchors: ArrayLike, deltas: ArrayLike, stds: ArrayLike = NO_SCALE) -> Array:
    """Return the box that each delta describes: what `box_deltas` encoded, decoded.

    Parameters
    ----------
    anchors : array_like, shape (N, 4)
    deltas : array_like, shape (N, 4)
        (tx, ty, tw, th). tw and th above log(1000 / 16) count as that.
    stds : array_like, shape (4,)
        What `box_deltas` divided by.

    Returns
    -------
    ndarray, shape (N, 4)
        (x1, y1, x2, y2) in pixels. They may reach beyond the image: see `clip_boxes`.

    Raises
    ------
    ValueError
        As `box_deltas`, and if a delta is not a finite number.

    Examples
    --------
    >>> apply_deltas([[0, 0, 10, 20]], [[0.5, 0.5, 0.0, np.log(2)]])
    array([[ 5.,  0., 15., 40.]])
    """
    base, shift = as_boxes(anchors, "anchors"), np.asarray(deltas, dtype=float)
    if shift.shape != base.shape:
        raise ValueError(f"deltas has shape {shift.shape}; {len(base)} anchors need shape {base.shape}")
    if not np.isfinite(shift).all():
        raise ValueError("deltas must be finite numbers")
    centre, size = _centre_and_size(base, "anchors")
    shift = shift * _checked(stds)  # (N, 4)
    new_centre = centre + shift[:, :2] * size  # (N, 2)
    half = size * np.exp(np.minimum(shift[:, 2:], LARGEST)) / 2  # (N, 2)
    return np.hstack([new_centre - half, new_centre + half])  # (N, 4)


def _centre_and_size(boxes: Array, name: str) -> tuple[Array, Array]:
    size = boxes[:, 2:] - boxes[:, :2]  # (N, 2)
    flat = np.flatnonzero((size <= 0).any(axis=1))
    if flat.size:
        raise ValueError(f"{name}[{flat[0]}] (={boxes[flat[0]].tolist()}) has no width or no height")
    return boxes[:, :2] + size / 2, size


def _checked(stds: ArrayLike) -> Array:
    scale = np.asarray(stds, dtype=float)
    if scale.shape != (4,) or not (scale > 0).all():
        raise ValueError(f"stds (={scale.tolist()}) must be four numbers above 0")
    return scale
