"""Draws what synthetic scenes are made of: the ground, and one textured shape."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cnncourse.data.scene_settings import Setting
from cnncourse.data.scene_shapes import SHAPES, keypoints

Floats = NDArray[np.float32]

LEAST_RADIUS = 3.5  # pixels: smaller shapes cannot be told apart
MARGIN = 2  # pixels drawn around the circle of a shape
COARSE, FINE = 3, 6  # the ground's coarse pattern has 3 x 3 points, its fine one a point every 6 pixels
BRIGHTNESS = (0.15, 0.85)  # of the ground, in each colour
WAVES = (0.4, 1.2)  # radians a pixel, of the pattern on a shape
COLOURS = 16  # are tried for a shape


def ground(height: int, width: int, setting: Setting, rng: np.random.Generator) -> Floats:
    """Return a ground of one colour with a coarse and a fine pattern, shape (3, H, W)."""
    image = np.empty((3, height, width), np.float32)
    image[:] = rng.uniform(*BRIGHTNESS, (3, 1, 1))
    grids = ((COARSE, COARSE), (max(height // FINE, 2), max(width // FINE, 2)))
    for (rows, columns), strength in zip(grids, setting.ground, strict=True):
        points = rng.uniform(-strength, strength, (3, rows, columns)).astype(np.float32)
        image += _between(height, rows) @ points @ _between(width, columns).T
    return image


@lru_cache
def _between(size: int, points: int) -> Floats:
    """Return the weights (size, points) that lay a straight line from each point to the next."""
    place = np.linspace(0, points - 1, size)[:, None]
    return np.asarray(np.maximum(0, 1 - np.abs(place - np.arange(points))), dtype=np.float32)


class Placed:
    """One shape at a random place, not yet painted."""

    def __init__(self, height: int, width: int, setting: Setting, rng: np.random.Generator) -> None:
        low, high = (max(share * min(height, width), LEAST_RADIUS) for share in setting.radius)
        self.label = int(rng.integers(len(SHAPES)))
        self.radius = low * (high / low) ** rng.random()
        self.x = rng.uniform(self.radius, width - self.radius)
        self.y = rng.uniform(self.radius, height - self.radius)
        self.angle = rng.uniform(0, 2 * math.pi)
        reach = self.radius + MARGIN
        rows = slice(max(int(self.y - reach), 0), min(int(self.y + reach) + 1, height))
        columns = slice(max(int(self.x - reach), 0), min(int(self.x + reach) + 1, width))
        self.window = (rows, columns)
        across = np.arange(columns.start, columns.stop, dtype=np.float32) + (0.5 - self.x)  # (w,)
        down = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + (0.5 - self.y)  # (h, 1)
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        self.u, self.v = cosine * across + sine * down, cosine * down - sine * across  # (h, w)
        far = SHAPES[self.label].distance(self.u / self.radius, self.v / self.radius) * self.radius
        self.opaque = np.clip(0.5 - far, 0, 1)  # (h, w): its edge is one pixel wide
        self.inside = self.opaque > 0.5

    def paint(self, image: Floats, setting: Setting, rng: np.random.Generator) -> None:
        """Paint it over what is there, in a colour that differs from that."""
        behind = image[:, self.window[0], self.window[1]]  # (3, h, w), a view
        colours = rng.random((COLOURS, 3))
        differ = np.abs(colours - behind.mean(axis=(1, 2))).max(axis=1) >= setting.contrast
        colour = colours[differ.argmax()].astype(np.float32)[:, None, None]  # the first, if none differs
        wave = rng.uniform(*WAVES)
        pattern = np.sin(wave * self.u)
        if rng.random() < 0.5:
            pattern *= np.sign(np.sin(wave * self.v))
        behind += self.opaque * (colour + setting.texture * pattern - behind)

    def box(self) -> tuple[int, int, int, int]:
        """Return the box of the whole shape: x1, y1, x2, y2 in pixels, half-open."""
        rows, columns = np.flatnonzero(self.inside.any(axis=1)), np.flatnonzero(self.inside.any(axis=0))
        top, left = self.window[0].start, self.window[1].start
        return left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1

    def points(self) -> NDArray[np.float64]:
        """Return its keypoints, shape (P, 2)."""
        return keypoints(SHAPES[self.label], self.x, self.y, self.radius, self.angle)
