"""A detector without learning, which a network has to beat: blobs of one colour, told apart by outline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cnncourse.arrays import Array
from cnncourse.data.scenes import CLASSES, MEDIUM, make_scenes

SAME, LEAST_AREA = 0.12, 20  # difference in brightness, the best of several that were tried; pixels


def blobs(image: NDArray[np.uint8]) -> list[Array]:
    """Return the masks of blobs: pixels that are joined where neighbours have nearly the same colour."""
    smooth = ndimage.median_filter(image / 255.0, size=(1, 3, 3))  # (3, H, W)
    pixel = np.arange(smooth[0].size).reshape(smooth[0].shape)
    right, down = (np.abs(np.diff(smooth, axis=axis)).max(axis=0) < SAME for axis in (2, 1))
    pairs = np.hstack([[pixel[:, :-1][right], pixel[:, 1:][right]], [pixel[:-1][down], pixel[1:][down]]])
    graph = coo_array((np.ones(pairs.shape[1]), pairs), shape=(pixel.size, pixel.size))
    part = connected_components(graph, directed=False)[1].reshape(pixel.shape)
    sizes = np.bincount(part.ravel())  # the largest part is the ground
    return [part == p for p in np.flatnonzero(sizes >= LEAST_AREA) if p != sizes.argmax()]


def outline(mask: Array) -> Array:
    """Return what turning and growing a blob does not change: how spread, how round and how hollow it is."""
    filled = ndimage.binary_fill_holes(mask)
    area, place = filled.sum(), np.argwhere(filled)
    distance = ((place - place.mean(axis=0)) ** 2).sum(axis=1)
    roundness = area / (np.pi * (np.sqrt(distance.max()) + 0.5) ** 2)
    return np.array([2 * np.pi * distance.mean() / area, roundness, mask.sum() / area])


def known_outlines(count: int = 30, seed: int = 11) -> Array:
    """Return outlines, shape (C, count, 3), of single shapes of each class on plain ground."""
    plain = replace(MEDIUM, objects=(1, 1), ground=(0.0, 0.0), noise=0)
    examples = make_scenes(10 * count, setting=plain, seed=seed)
    found: list[list[Array]] = [[] for _ in CLASSES]
    for number, (_, labels) in enumerate(examples.objects()):
        found[labels[0]].append(outline(examples.masks(number)[0]))
    return np.array([of_class[:count] for of_class in found])


def detect(image: NDArray[np.uint8], known: Array) -> tuple[Array, Array, Array]:
    """Return boxes, scores and labels of an image (3, H, W); `known` comes from `known_outlines`."""
    masks = blobs(image)
    far = np.array([np.abs(known - outline(m)).sum(axis=2).min(axis=1) for m in masks])
    far = far.reshape(-1, len(known))
    places = [ndimage.find_objects(m.astype(int))[0] for m in masks]
    boxes = np.array([(x.start, y.start, x.stop, y.stop) for y, x in places], float).reshape(-1, 4)
    return boxes, -far.min(axis=1), far.argmin(axis=1)
