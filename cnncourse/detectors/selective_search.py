"""Selective search: boxes that may hold an object, found in the image itself, with nothing learned.

An image is cut into many small regions of one look; the two most similar neighbours are merged, again and
again, until one region is left. The box around every region on the way is a proposal: what belongs together
at any size has been one region at some time. Because no single similarity suits all images, this is done
several times, in several colour spaces.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from cnncourse.arrays import Array
from cnncourse.detectors.regions import Regions, find_regions, neighbours

SMOOTHING = 0.8  # pixels: sigma of the blur before the segmentation


@dataclass(frozen=True)
class Mode:
    """Which hierarchies are built: one for each colour space, choice of similarities and scale."""

    colour_spaces: tuple[str, ...]
    similarities: tuple[str, ...]  # as `Regions.similarity` names them
    scales: tuple[int, ...]  # of the segmentation: larger means larger first regions


MODES = {
    "single": Mode(("hsv",), ("CTSF",), (100,)),
    "fast": Mode(("hsv", "lab"), ("CTSF", "TSF"), (50, 100)),
    "quality": Mode(("hsv", "lab", "rgi", "h", "i"), ("CTSF", "TSF", "F", "S"), (50, 100, 150, 300)),
}


def selective_search(
    image: Array, mode: str | Mode = "fast", seed: int = 0, min_size: int | None = None
) -> NDArray[np.float64]:
    """Return proposals for objects in an image, those that are likely to hold one first.

    Parameters
    ----------
    image : ndarray, shape (3, H, W)
        uint8, or numbers from 0 to 1.
    mode : {"single", "fast", "quality"} or Mode
        1, 8 or 80 hierarchies.
    seed : int
        Regions that were merged late come first, but only roughly: each place in the order is multiplied by a
        random number, or large regions would fill the beginning.
    min_size : int, optional
        Least area of a first region, in pixels; by default the scale of the segmentation, as in the authors'
        code, but not more than one part in 500 of the image.

    Returns
    -------
    ndarray, shape (P, 4)
        x1, y1, x2, y2 in pixels, half-open; no two are the same.

    Raises
    ------
    ValueError
        If the image has another shape, or there is no such mode.

    References
    ----------
    Uijlings et al. 2013, "Selective search for object recognition", sections 3 and 5.3 (the two modes);
    Felzenszwalb and Huttenlocher 2004, "Efficient graph-based image segmentation".
    """
    from skimage.segmentation import felzenszwalb

    if image.ndim != 3 or image.shape[0] != 3:
        raise ValueError(f"image has shape {image.shape}; needed is (3, H, W)")
    if isinstance(mode, str):
        if mode not in MODES:
            raise ValueError(f"mode (={mode!r}) must be one of {', '.join(MODES)}, or a Mode")
        mode = MODES[mode]
    rng = np.random.default_rng(seed)
    boxes, order = [], []
    for space, scale in product(mode.colour_spaces, mode.scales):
        pixels = in_colour_space(image, space)  # (H, W, C)
        least = min(scale, pixels.shape[0] * pixels.shape[1] // 500) if min_size is None else min_size
        labels = felzenszwalb(pixels, scale, SMOOTHING, max(least, 1), channel_axis=2)
        for which in mode.similarities:
            regions = find_regions(pixels, labels)
            merge_all(regions, neighbours(labels), which)
            boxes.append(np.array(regions.box, dtype=float))
            places = np.arange(len(regions.box), 0, -1)  # 1 for the region that was made last
            order.append(places * rng.random(len(places)))
    together = np.concatenate(boxes)[np.argsort(np.concatenate(order), kind="stable")]
    _, first = np.unique(together, axis=0, return_index=True)
    return together[np.sort(first)]


def merge_all(regions: Regions, pairs: NDArray[np.int64], which: str) -> None:
    """Merge the two most similar neighbours until one region is left; add the new ones to `regions`."""
    touching: list[set[int]] = [set() for _ in regions.size]
    for i, j in pairs.tolist():
        touching[i].add(j)
        touching[j].add(i)
    queue = [(-regions.similarity(i, j, which), i, j) for i, j in pairs.tolist()]
    heapq.heapify(queue)
    gone: set[int] = set()
    while queue:
        _, i, j = heapq.heappop(queue)
        if i in gone or j in gone:
            continue
        new = regions.merge(i, j)
        gone |= {i, j}
        touching.append((touching[i] | touching[j]) - gone)
        for k in touching[new]:
            touching[k].add(new)
            heapq.heappush(queue, (-regions.similarity(k, new, which), k, new))


def in_colour_space(image: Array, space: str) -> NDArray[np.float64]:
    """Return an image (3, H, W) in a colour space, shape (H, W, C), numbers from 0 to 1.

    "hsv", "lab", "rgi" (red and green without brightness, then brightness), "h" (hue), "i" (brightness) or
    "rgb".

    Raises
    ------
    ValueError
        If there is no such colour space.
    """
    from skimage.color import rgb2hsv, rgb2lab

    rgb = np.moveaxis(np.asarray(image, dtype=float), 0, -1)  # (H, W, 3)
    if image.dtype == np.uint8:
        rgb = rgb / 255
    brightness = rgb.mean(axis=2, keepdims=True)
    if space == "hsv":
        return np.asarray(rgb2hsv(rgb))
    if space == "lab":
        return np.asarray(np.clip((rgb2lab(rgb) + np.array([0, 128, 128])) / [100, 255, 255], 0, 1))
    if space == "rgi":
        colour = rgb[..., :2] / np.maximum(3 * brightness, 1e-6)
        return np.concatenate([np.minimum(colour, 1), brightness], axis=2)
    if space == "h":
        return np.asarray(rgb2hsv(rgb)[..., :1])
    if space == "i":
        return np.asarray(brightness)
    if space == "rgb":
        return rgb
    raise ValueError(f"colour space (={space!r}) must be one of hsv, lab, rgi, h, i, rgb")
