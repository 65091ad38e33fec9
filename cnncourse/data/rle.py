"""Masks as COCO's files hold them: runs of equal pixels, or polygons.

A mask is read column by column, each from top to bottom. The counts are the lengths of its runs, the first of
zeros: [2, 3, 4] is 001110000.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def mask_to_counts(mask: Mask) -> list[int]:
    """Return the lengths of a mask's runs.

    Examples
    --------
    >>> mask_to_counts(np.array([[0, 1, 1], [0, 1, 0]], dtype=bool))
    [2, 3, 1]
    """
    pixels = np.concatenate([[False], mask.ravel(order="F"), [not mask.flat[-1]]])
    ends = np.flatnonzero(pixels[1:] != pixels[:-1])  # where a run ends
    return [int(run) for run in np.diff(ends, prepend=0)]


def counts_to_mask(counts: Sequence[int], height: int, width: int) -> Mask:
    """Return the mask that has these runs, shape (H, W).

    Raises
    ------
    ValueError
        If the runs are not as many pixels as the mask has.

    Examples
    --------
    >>> counts_to_mask([2, 3, 1], height=2, width=3).astype(int)
    array([[0, 1, 1],
           [0, 1, 0]])
    """
    runs = np.asarray(counts, dtype=int)
    if (runs < 0).any() or runs.sum() != height * width:
        raise ValueError(f"runs of {runs.sum()} pixels for a mask of {height} x {width}")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape((height, width), order="F")


def text_to_counts(text: str) -> list[int]:
    """Return the runs of a compressed mask, as COCO's results and crowds have them.

    A number is a row of letters of 5 bits, the lowest first; the sixth bit says that more follow, and the
    highest of the last letter is the sign. From the fourth on, what is stored is the difference from the
    number two places before.

    Raises
    ------
    ValueError
        If the text ends within a number or holds another letter.

    Examples
    --------
    >>> text_to_counts("52203")
    [5, 2, 2, 2, 5]
    """
    counts: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64:
            raise ValueError(f"{letter!r} in a compressed mask")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    if shift:
        raise ValueError(f"the compressed mask {text[-8:]!r} ends within a number")
    return counts


def polygons_to_mask(polygons: Sequence[Sequence[float]], height: int, width: int) -> Mask:
    """Return the pixels whose centre lies within one of the polygons, shape (H, W).

    COCO's own code draws outlines a little thicker, so that single pixels at the edge differ.

    Parameters
    ----------
    polygons : sequence of (x, y, x, y, ...)
        In pixels; at least three corners each.

    Raises
    ------
    ValueError
        If a polygon has fewer than three corners, or half a one.

    Examples
    --------
    >>> polygons_to_mask([[1, 0, 3, 0, 3, 2, 1, 2]], height=3, width=4).astype(int)
    array([[0, 1, 1, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]])
    """
    mask = np.zeros((height, width), dtype=bool)
    middle = np.arange(height) + 0.5  # (H,)
    for polygon in polygons:
        if len(polygon) < 6 or len(polygon) % 2:
            raise ValueError(f"a polygon of {len(polygon)} numbers: x, y for each of three or more corners")
        corners = np.asarray(polygon, dtype=float).reshape(-1, 2)
        crossed = np.zeros((height, width + 1), dtype=int)  # how often the outline crosses left of a pixel
        for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            rows = np.flatnonzero((middle >= min(y1, y2)) & (middle < max(y1, y2)))
            x = x1 + (middle[rows] - y1) * (x2 - x1) / (y2 - y1) if rows.size else np.zeros(0)
            crossed[rows, np.clip(np.ceil(x - 0.5), 0, width).astype(int)] += 1
        mask |= np.cumsum(crossed, axis=1)[:, :width] % 2 == 1
    return mask


def segmentation_to_mask(segmentation: Any, height: int, width: int) -> Mask:
    """Return the mask of an annotation: of polygons, or of runs, compressed or not.

    Raises
    ------
    ValueError
        If it is none of these, or is not of the image's size.
    """
    if isinstance(segmentation, list):
        return polygons_to_mask(segmentation, height, width)
    if not isinstance(segmentation, dict) or not {"counts", "size"} <= set(segmentation):
        raise ValueError("a segmentation is a list of polygons, or has counts and size")
    if list(segmentation["size"]) != [height, width]:
        raise ValueError(f"a mask of size {segmentation['size']} for an image of {[height, width]}")
    counts = segmentation["counts"]
    return counts_to_mask(text_to_counts(counts) if isinstance(counts, str) else counts, height, width)
