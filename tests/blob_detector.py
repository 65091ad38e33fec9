"""A detector without learning: blobs of one colour, told apart by their outline. What a network has to beat."""

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

SAME, LEAST_AREA = 0.12, 20  # difference in brightness, the best of several that were tried; pixels


def blobs(image):
    """Return the masks of blobs: pixels that are joined where neighbours have nearly the same colour."""
    smooth = ndimage.median_filter(image / 255.0, size=(1, 3, 3))  # (3, H, W)
    pixel = np.arange(smooth[0].size).reshape(smooth[0].shape)
    right, down = (np.abs(np.diff(smooth, axis=axis)).max(axis=0) < SAME for axis in (2, 1))
    pairs = np.hstack([[pixel[:, :-1][right], pixel[:, 1:][right]], [pixel[:-1][down], pixel[1:][down]]])
    graph = coo_array((np.ones(pairs.shape[1]), pairs), shape=(pixel.size, pixel.size))
    part = connected_components(graph, directed=False)[1].reshape(pixel.shape)
    sizes = np.bincount(part.ravel())  # the largest part is the ground
    return [part == p for p in np.flatnonzero(sizes >= LEAST_AREA) if p != sizes.argmax()]


def outline(mask):
    """Return what turning and growing a blob does not change: how spread, how round and how hollow it is."""
    filled = ndimage.binary_fill_holes(mask)
    area, place = filled.sum(), np.argwhere(filled)
    distance = ((place - place.mean(axis=0)) ** 2).sum(axis=1)
    roundness = area / (np.pi * (np.sqrt(distance.max()) + 0.5) ** 2)
    return np.array([2 * np.pi * distance.mean() / area, roundness, mask.sum() / area])


def detect(image, examples):
    """Return boxes, scores, labels of the blobs; `examples` are outlines of each class, shape (C, n, 3)."""
    masks = blobs(image)
    far = np.array([np.abs(examples - outline(m)).sum(axis=2).min(axis=1) for m in masks]).reshape(
        -1, len(examples)
    )
    places = [ndimage.find_objects(m.astype(int))[0] for m in masks]
    boxes = np.array([(x.start, y.start, x.stop, y.stop) for y, x in places]).reshape(-1, 4)
    return boxes, -far.min(axis=1), far.argmin(axis=1)
