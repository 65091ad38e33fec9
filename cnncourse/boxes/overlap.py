"""How boxes overlap: intersection over union, and three measures that also see boxes which do not touch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cnncourse.arrays import Array
from cnncourse.boxes.geometry import as_boxes


class Overlap(NamedTuple):
    """What each box of one list shares with each box of another, all of shape (N, M)."""

    intersection: Array  # square pixels
    union: Array  # square pixels
    iou: Array


def box_overlap(boxes1: ArrayLike, boxes2: ArrayLike, inclusive: bool = False) -> Overlap:
    """Return intersection, union and IoU of every box of one list with every box of another.

    Parameters
    ----------
    boxes1 : array_like, shape (N, 4)
    boxes2 : array_like, shape (M, 4)
    inclusive : bool
        Count both end pixels, see `box_area`.

    Returns
    -------
    Overlap
        Three arrays of shape (N, M). Two boxes without any area have IoU 0.

    Raises
    ------
    ValueError
        As `box_area`.

    Examples
    --------
    >>> intersection, union, iou = box_overlap([[0, 0, 4, 4]], [[2, 1, 6, 3]])
    >>> intersection, union, iou
    (array([[4.]]), array([[20.]]), array([[0.2]]))
    """
    return shared(*_pairs(boxes1, boxes2), inclusive)


def box_iou(boxes1: ArrayLike, boxes2: ArrayLike, inclusive: bool = False) -> Array:
    """Return the intersection over union of every box of one list with every box of another.

    Parameters, errors and conventions are those of `box_overlap`.

    Returns
    -------
    ndarray, shape (N, M)
        Numbers from 0 (no area in common) to 1 (the same box).

    Examples
    --------
    >>> box_iou([[0, 0, 4, 4]], [[0, 0, 4, 4], [0, 0, 2, 4], [4, 0, 8, 4]])
    array([[1. , 0.5, 0. ]])
    """
    return box_overlap(boxes1, boxes2, inclusive).iou


def box_giou(boxes1: ArrayLike, boxes2: ArrayLike, inclusive: bool = False) -> Array:
    """Return the generalized IoU of every pair: IoU less the empty share of the box around both.

    Parameters, errors and conventions are those of `box_overlap`.

    Returns
    -------
    ndarray, shape (N, M)
        Numbers above -1 (far apart) to 1 (the same box). Boxes that do not touch are told apart by distance.

    References
    ----------
    Rezatofighi et al. 2019, "Generalized intersection over union", algorithm 1.

    Examples
    --------
    >>> box_giou([[0, 0, 2, 2]], [[0, 0, 2, 2], [2, 0, 4, 2], [6, 0, 8, 2]])
    array([[ 1. ,  0. , -0.5]])
    """
    first, second = _pairs(boxes1, boxes2)
    _, union, iou = shared(first, second, inclusive)  # (N, M)
    sides = _hull(first, second) + inclusive  # (N, M, 2)
    hull = sides[..., 0] * sides[..., 1]  # (N, M)
    return np.asarray(iou - _ratio(hull - union, hull))


def box_diou(boxes1: ArrayLike, boxes2: ArrayLike, inclusive: bool = False) -> Array:
    """Return the distance IoU of every pair: IoU less (distance of the centres / diagonal around both)^2.

    Parameters, errors and conventions are those of `box_overlap`.

    Returns
    -------
    ndarray, shape (N, M)
        Numbers above -1 to 1.

    References
    ----------
    Zheng et al. 2020, "Distance-IoU loss", equations 6 and 7.

    Examples
    --------
    >>> box_diou([[0, 0, 3, 4]], [[0, 0, 3, 4], [3, 4, 6, 8]])
    array([[ 1.  , -0.25]])
    """
    first, second = _pairs(boxes1, boxes2)
    apart = (first[..., :2] + first[..., 2:] - second[..., :2] - second[..., 2:]) / 2  # (N, M, 2)
    sides = _hull(first, second) + inclusive  # (N, M, 2)
    penalty = _ratio((apart**2).sum(axis=-1), (sides**2).sum(axis=-1))  # (N, M)
    return np.asarray(shared(first, second, inclusive).iou - penalty)


def box_ciou(boxes1: ArrayLike, boxes2: ArrayLike, inclusive: bool = False) -> Array:
    """Return the complete IoU of every pair: distance IoU less a weighted difference of the aspect ratios.

    Parameters, errors and conventions are those of `box_overlap`.

    Returns
    -------
    ndarray, shape (N, M)
        Not above `box_diou`, and equal to it where both boxes have the same aspect ratio.

    References
    ----------
    Zheng et al. 2020, "Distance-IoU loss", equations 8 to 11.

    Examples
    --------
    >>> box_ciou([[0, 0, 4, 4]], [[1, 1, 3, 3], [0, 1, 4, 3]]).round(3)
    array([[0.25 , 0.497]])
    """
    first, second = _pairs(boxes1, boxes2)
    iou = shared(first, second, inclusive).iou  # (N, M)
    angles = [np.arctan2(*np.moveaxis(b[..., 2:] - b[..., :2] + inclusive, -1, 0)) for b in (first, second)]
    difference = 4 / np.pi**2 * (angles[0] - angles[1]) ** 2  # (N, M) from 0 to 1
    weight = _ratio(difference, 1 - iou + difference)  # (N, M)
    return np.asarray(box_diou(boxes1, boxes2, inclusive) - weight * difference)


def shared(first: Array, second: Array, inclusive: bool = False) -> Overlap:
    """Return what boxes share, one with one: shapes (..., 4) that broadcast. The boxes are not checked."""
    start = np.maximum(first[..., :2], second[..., :2])  # (..., 2)
    stop = np.minimum(first[..., 2:], second[..., 2:])  # (..., 2)
    sides = np.maximum(stop - start + inclusive, 0)  # (..., 2)
    intersection = sides[..., 0] * sides[..., 1]  # (...)
    size1, size2 = (box[..., 2:] - box[..., :2] + inclusive for box in (first, second))
    union = size1[..., 0] * size1[..., 1] + size2[..., 0] * size2[..., 1] - intersection  # (...)
    return Overlap(intersection, union, _ratio(intersection, union))


def _pairs(boxes1: ArrayLike, boxes2: ArrayLike) -> tuple[Array, Array]:
    """Return checked boxes in shapes (N, 1, 4) and (1, M, 4)."""
    return as_boxes(boxes1, "boxes1")[:, None], as_boxes(boxes2, "boxes2")[None]


def _hull(first: Array, second: Array) -> Array:
    """Return width and height of the smallest box around each pair."""
    stop = np.maximum(first[..., 2:], second[..., 2:])
    return np.asarray(stop - np.minimum(first[..., :2], second[..., :2]))


def _ratio(part: Array, whole: Array) -> Array:
    """Return part / whole, and 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
