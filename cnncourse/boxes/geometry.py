"""What a box is, its area, the three ways to write it, and how it is cut at the edge of the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cnncourse.arrays import Array

FORMATS = ("xyxy", "xywh", "cxcywh")


def box_area(boxes: ArrayLike, inclusive: bool = False) -> Array:
    """Return the area of each box.

    Parameters
    ----------
    boxes : array_like, shape (N, 4)
        (x1, y1, x2, y2) in pixels.
    inclusive : bool
        Count both end pixels: the width is then x2 - x1 + 1.

    Returns
    -------
    ndarray, shape (N,)
        Square pixels.

    Raises
    ------
    ValueError
        If a box has not four finite numbers, or ends before it begins.

    Examples
    --------
    >>> box_area([[0, 0, 4, 3]]), box_area([[0, 0, 4, 3]], inclusive=True)
    (array([12.]), array([20.]))
    """
    x1, y1, x2, y2 = as_boxes(boxes).T  # each (N,)
    return np.asarray((x2 - x1 + inclusive) * (y2 - y1 + inclusive))


def box_convert(boxes: ArrayLike, in_fmt: str, out_fmt: str) -> Array:
    """Write boxes in another format.

    Parameters
    ----------
    boxes : array_like, shape (N, 4)
    in_fmt, out_fmt : {"xyxy", "xywh", "cxcywh"}
        Two corners (x1, y1, x2, y2), as everywhere in this package; the left upper corner with width and
        height, as in COCO's files; the centre with width and height, as in YOLO.

    Returns
    -------
    ndarray, shape (N, 4)

    Raises
    ------
    ValueError
        If there is no such format, or a box has not four finite numbers, ends before it begins or has a
        negative width or height.

    Examples
    --------
    >>> box_convert([[2, 1, 6, 3]], "xyxy", "xywh"), box_convert([[2, 1, 6, 3]], "xyxy", "cxcywh")
    (array([[2., 1., 4., 2.]]), array([[4., 2., 4., 2.]]))
    """
    for name, value in (("in_fmt", in_fmt), ("out_fmt", out_fmt)):
        if value not in FORMATS:
            raise ValueError(f"{name} (={value!r}) must be one of {', '.join(FORMATS)}")
    if in_fmt == "xyxy":
        corners = as_boxes(boxes)
    else:
        given = _with_size(boxes)
        place, size = given[:, :2], given[:, 2:]
        start = place if in_fmt == "xywh" else place - size / 2
        corners = np.hstack([start, start + size])  # (N, 4)
    start, size = corners[:, :2], corners[:, 2:] - corners[:, :2]
    if out_fmt == "xyxy":
        return corners.copy()
    return np.hstack([start if out_fmt == "xywh" else start + size / 2, size])  # (N, 4)


def clip_boxes(boxes: ArrayLike, height: float, width: float) -> Array:
    """Cut boxes at the edge of the image. One that lies outside keeps no area, at the edge.

    Parameters
    ----------
    boxes : array_like, shape (N, 4)
    height, width : float
        Of the image, in pixels.

    Returns
    -------
    ndarray, shape (N, 4)

    Raises
    ------
    ValueError
        As `box_area`, and if the image has no height or width.

    Examples
    --------
    >>> clip_boxes([[-3, 2, 5, 70], [90, 1, 95, 4]], height=48, width=64)
    array([[ 0.,  2.,  5., 48.],
           [64.,  1., 64.,  4.]])
    """
    if not (height > 0 and width > 0):
        raise ValueError(f"height (={height}) and width (={width}) must be above 0")
    return np.asarray(np.clip(as_boxes(boxes), 0, [width, height, width, height]))


def as_boxes(boxes: ArrayLike, name: str = "boxes") -> Array:
    """Return boxes as an array of floats of shape (N, 4); an empty list has shape (0, 4).

    Raises
    ------
    ValueError
        If a box has not four finite numbers, or ends before it begins.
    """
    given = _four_numbers(boxes, name, "x1, y1, x2, y2")
    wrong = np.flatnonzero((given[:, 2:] < given[:, :2]).any(axis=1))
    if wrong.size:
        box = given[wrong[0]].tolist()
        raise ValueError(f"{name}[{wrong[0]}] (={box}) ends before it begins: x1, y1, x2, y2 is the order")
    return given


def check_share(value: float, name: str) -> None:
    """Raise ValueError if a threshold is not from 0 to 1."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} (={value}) must be from 0 to 1")


def _with_size(boxes: ArrayLike) -> Array:
    given = _four_numbers(boxes, "boxes", "place, width, height")
    wrong = np.flatnonzero((given[:, 2:] < 0).any(axis=1))
    if wrong.size:
        raise ValueError(f"boxes[{wrong[0]}] (={given[wrong[0]].tolist()}) has a negative width or height")
    return given


def _four_numbers(boxes: ArrayLike, name: str, order: str) -> Array:
    given = np.asarray(boxes, dtype=float)
    if given.shape == (0,):
        given = given.reshape(0, 4)
    if given.ndim != 2 or given.shape[1] != 4:
        raise ValueError(f"{name} has shape {given.shape}; boxes have shape (N, 4): {order}")
    if not np.isfinite(given).all():
        raise ValueError(f"{name} must be finite numbers")
    return given
