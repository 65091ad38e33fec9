"""Regions of an image and what makes two of them similar: the groundwork of selective search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnncourse.arrays import Array

COLOUR_BINS = 25  # of each channel
DIRECTIONS, TEXTURE_BINS = 8, 10  # of each channel
EDGE_WIDTH = 1.0  # pixels: sigma of the derivatives


@dataclass
class Regions:
    """R regions that are, and those that merging adds to them."""

    size: list[int]  # pixels
    box: list[tuple[int, int, int, int]]  # x1, y1, x2, y2, half-open
    colour: list[Array]  # (25 * C,) how often each colour comes; adds up to 1
    texture: list[Array]  # (80 * C,) how often each strength of each direction comes; adds up to 1
    pixels: int  # of the image

    def similarity(self, i: int, j: int, which: str) -> float:
        """Return the sum of the chosen similarities of two regions, each from 0 to 1: "CTSF" is all four.

        C: the share of colours that both have. T: the same of textures. S: high if both are small, so that
        regions of all sizes arise everywhere. F: high if one fills the gaps of the other.
        """
        both = self.size[i] + self.size[j]
        total = 0.0
        if "C" in which:
            total += float(np.minimum(self.colour[i], self.colour[j]).sum())
        if "T" in which:
            total += float(np.minimum(self.texture[i], self.texture[j]).sum())
        if "S" in which:
            total += 1 - both / self.pixels
        if "F" in which:
            x1, y1, x2, y2 = around(self.box[i], self.box[j])
            total += 1 - ((x2 - x1) * (y2 - y1) - both) / self.pixels
        return total

    def merge(self, i: int, j: int) -> int:
        """Add the union of two regions, and return its number. Nothing is counted again."""
        both = self.size[i] + self.size[j]
        share = self.size[i] / both
        self.size.append(both)
        self.box.append(around(self.box[i], self.box[j]))
        self.colour.append(share * self.colour[i] + (1 - share) * self.colour[j])
        self.texture.append(share * self.texture[i] + (1 - share) * self.texture[j])
        return len(self.size) - 1


def around(first: tuple[int, int, int, int], second: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Return the box around two boxes."""
    return (
        min(first[0], second[0]),
        min(first[1], second[1]),
        max(first[2], second[2]),
        max(first[3], second[3]),
    )


def find_regions(image: Array, labels: NDArray[np.int64]) -> Regions:
    """Describe the regions of a segmentation.

    Parameters
    ----------
    image : ndarray, shape (H, W, C)
        In any colour space, numbers from 0 to 1.
    labels : ndarray of int, shape (H, W)
        The region of each pixel, from 0 on without gaps.
    """
    count = int(labels.max()) + 1
    colours = np.minimum((image * COLOUR_BINS).astype(int), COLOUR_BINS - 1)  # (H, W, C)
    strengths = _edges(image)  # (H, W, 8 * C)
    highest = strengths.max(axis=(0, 1)) + 1e-12
    textures = np.minimum((strengths / highest * TEXTURE_BINS).astype(int), TEXTURE_BINS - 1)
    size = np.bincount(labels.ravel(), minlength=count)
    return Regions(
        size.tolist(),
        _boxes(labels, count),
        list(_histograms(colours, labels, count, COLOUR_BINS)),
        list(_histograms(textures, labels, count, TEXTURE_BINS)),
        labels.size,
    )


def neighbours(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the pairs of regions that touch, shape (P, 2), the smaller number first.

    Examples
    --------
    >>> neighbours(np.array([[0, 0, 1], [2, 2, 1]]))
    array([[0, 1],
           [0, 2],
           [1, 2]])
    """
    across = np.stack([labels[:, :-1].ravel(), labels[:, 1:].ravel()], axis=1)
    down = np.stack([labels[:-1].ravel(), labels[1:].ravel()], axis=1)
    pairs = np.sort(np.concatenate([across, down]), axis=1)
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)


def _edges(image: Array) -> Array:
    """Return how steeply each channel rises in eight directions, shape (H, W, 8 * C)."""
    from skimage.filters import gaussian

    smooth = gaussian(image, EDGE_WIDTH, channel_axis=2)
    down, across = np.gradient(smooth, axis=(0, 1))  # (H, W, C) each
    angles = np.arange(DIRECTIONS) * 2 * np.pi / DIRECTIONS
    rises = [np.maximum(np.cos(angle) * across + np.sin(angle) * down, 0) for angle in angles]
    return np.concatenate(rises, axis=2)


def _histograms(bins: NDArray[np.int64], labels: NDArray[np.int64], count: int, size: int) -> Array:
    """Return for each region how often each bin of each channel comes, shape (R, channels * size)."""
    places = labels[..., None] * size + bins  # (H, W, channels)
    channels = [
        np.bincount(places[..., c].ravel(), minlength=count * size).reshape(count, size)
        for c in range(bins.shape[2])
    ]
    together = np.concatenate(channels, axis=1)
    return np.asarray(together / together.sum(axis=1, keepdims=True))


def _boxes(labels: NDArray[np.int64], count: int) -> list[tuple[int, int, int, int]]:
    rows, columns = np.indices(labels.shape)
    first, last = np.full((count, 2), max(labels.shape)), np.zeros((count, 2), dtype=int)
    for axis, place in enumerate((columns, rows)):
        np.minimum.at(first[:, axis], labels, place)
        np.maximum.at(last[:, axis], labels, place + 1)
    return [(x1, y1, x2, y2) for x1, y1, x2, y2 in np.hstack([first, last]).tolist()]
