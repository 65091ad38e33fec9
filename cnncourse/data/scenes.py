"""Synthetic scenes: textured, turned, overlapping shapes on textured ground, with all there is to learn.

A scene depends on its seed and its number alone: the first 10 of 1,000 scenes are the same as 10 alone.

Examples
--------
>>> scenes = make_scenes(2, size=64, setting=MEDIUM, seed=1)
>>> scenes.images.shape, scenes.images.dtype
((2, 3, 64, 64), dtype('uint8'))
>>> boxes, labels = scenes.objects()[0]
>>> len(boxes) == len(labels) == len(scenes.masks(0))
True
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnncourse.arrays import Array
from cnncourse.data.scene_drawing import Placed, ground
from cnncourse.data.scene_settings import CROWDED, MEDIUM, SETTINGS, SPARSE, Setting
from cnncourse.data.scene_shapes import CLASSES, KEYPOINTS

__all__ = [
    "CLASSES", "CROWDED", "KEYPOINTS", "MEDIUM", "SETTINGS", "SPARSE", "Scenes", "Setting", "make_scenes",
]  # fmt: skip

LEAST_SIZE = 16  # pixels
HIDDEN, VISIBLE = 1, 2  # of a keypoint, as in COCO's files; 0 where there is none
TRIES = 6  # to place a shape, for each that a scene may hold


@dataclass(frozen=True)
class Scenes:
    """N images and what is on them. K is the most objects that a scene of the setting can hold."""

    images: NDArray[np.uint8]  # (N, 3, H, W): divide by 255 for numbers from 0 to 1
    boxes: NDArray[
        np.float64
    ]  # (N, K, 4) x1, y1, x2, y2 in pixels, half-open; zeros where there is no object
    labels: NDArray[np.int64]  # (N, K) index into CLASSES, -1 where there is no object
    instances: NDArray[np.uint8]  # (N, H, W) which object is seen at a pixel: 0 the ground, k + 1 object k
    keypoints: NDArray[
        np.float64
    ]  # (N, K, 5, 3) x and y in pixels; 0 none, 1 hidden, 2 visible: see KEYPOINTS

    def __len__(self) -> int:
        """Return the number of scenes."""
        return len(self.images)

    def __getitem__(self, chosen: slice) -> Scenes:
        """Return some of the scenes: ``scenes[:100]``."""
        first = (self.images[chosen], self.boxes[chosen], self.labels[chosen])
        return Scenes(*first, self.instances[chosen], self.keypoints[chosen])

    def objects(self) -> list[tuple[NDArray[np.float64], NDArray[np.int64]]]:
        """Return boxes (M, 4) and labels (M,) of each scene, as `mean_average_precision` takes them."""
        there = self.labels >= 0  # (N, K)
        return [(self.boxes[i, there[i]], self.labels[i, there[i]]) for i in range(len(self))]

    def masks(self, number: int) -> NDArray[np.bool_]:
        """Return the visible part of each object of one scene, shape (M, H, W)."""
        count = int((self.labels[number] >= 0).sum())
        return np.asarray(self.instances[number] == np.arange(1, count + 1)[:, None, None])


def make_scenes(
    n: int, size: int | tuple[int, int] = 64, setting: Setting | str = MEDIUM, seed: int = 0
) -> Scenes:
    """Draw scenes.

    Boxes are those of whole shapes, also where another shape covers them; masks are what is seen. No shape
    reaches beyond the image. Of the two the later object lies in front.

    Parameters
    ----------
    n : int
        How many.
    size : int or (rows, columns)
        Of the images, in pixels, at least 16.
    setting : Setting or {"sparse", "medium", "crowded"}
        "medium" is the one that the course's detectors are measured on.
    seed : int
        Another seed gives other scenes: use one for training, others for validation and test.

    Returns
    -------
    Scenes

    Raises
    ------
    ValueError
        If there is no such setting, or the number or a size is too small.
    """
    height, width = (size, size) if isinstance(size, int) else size
    if n < 0 or min(height, width) < LEAST_SIZE:
        raise ValueError(f"n (={n}) must be at least 0, and size (={size}) at least {LEAST_SIZE} pixels")
    if isinstance(setting, str):
        if setting not in SETTINGS:
            raise ValueError(f"setting (={setting!r}) must be one of {', '.join(SETTINGS)}, or a Setting")
        setting = SETTINGS[setting]
    most = setting.objects[1]
    scenes = Scenes(
        np.zeros((n, 3, height, width), np.uint8),
        np.zeros((n, most, 4)),
        np.full((n, most), -1, np.int64),
        np.zeros((n, height, width), np.uint8),
        np.zeros((n, most, len(KEYPOINTS), 3)),
    )
    for number in range(n):
        _draw(scenes, number, setting, np.random.default_rng((seed, number)))
    return scenes


def _draw(scenes: Scenes, number: int, setting: Setting, rng: np.random.Generator) -> None:
    """Draw one scene: the ground, then one shape over the other."""
    instances = scenes.instances[number]
    height, width = instances.shape
    image = ground(height, width, setting, rng)  # (3, H, W)
    areas: list[int] = []  # of the whole shapes
    wanted = int(rng.integers(setting.objects[0], setting.objects[1] + 1))
    for _ in range(TRIES * setting.objects[1]):
        k = len(areas)
        if k == wanted:
            break
        shape = Placed(height, width, setting, rng)
        seen = instances[shape.window]
        if k:
            covered = np.bincount(seen[shape.inside], minlength=k + 1)
            left = np.bincount(instances.ravel(), minlength=k + 1) - covered
            if (left[1:] < setting.visible * np.array(areas)).any():
                continue
        shape.paint(image, setting, rng)
        seen[shape.inside] = k + 1
        areas.append(int(shape.inside.sum()))
        points = shape.points()
        scenes.boxes[number, k], scenes.labels[number, k] = shape.box(), shape.label
        scenes.keypoints[number, k, : len(points), :2] = points
        scenes.keypoints[number, k, : len(points), 2] = HIDDEN
    _mark_visible(scenes.keypoints[number], instances)
    image += setting.noise * rng.standard_normal(image.shape, dtype=np.float32)
    scenes.images[number] = np.clip(image * 255 + 0.5, 0, 255)


def _mark_visible(points: Array, instances: NDArray[np.uint8]) -> None:
    """Mark the keypoints (K, P, 3) that no later object covers."""
    height, width = instances.shape
    columns = np.clip(points[..., 0].astype(int), 0, width - 1)  # (K, P)
    rows = np.clip(points[..., 1].astype(int), 0, height - 1)  # (K, P)
    own = np.arange(1, len(points) + 1)[:, None]  # (K, 1)
    state = points[..., 2]  # a view
    state[(state == HIDDEN) & (instances[rows, columns] <= own)] = VISIBLE
