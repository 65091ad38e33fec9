"""What the exercises of this chapter share: boxes for cases, and overlaps for known wrong answers."""

from typing import Any

import numpy as np

from cnncourse import boxes as library


def overlaps(boxes: Any) -> Any:
    """Return the IoU of all pairs of one list."""
    return library.box_iou(boxes, boxes)  # (N, N)


def some_boxes(rng: np.random.Generator, count: int, room: float = 30.0) -> Any:
    """Draw boxes of many sizes, none of them square."""
    start = rng.uniform(-5, room, (count, 2))
    size = rng.uniform(4, 18, (count, 2)) * (1, 0.7)
    return np.hstack([start, start + size])  # (N, 4)


def placed(rng: np.random.Generator, shifts: Any) -> Any:
    """Return copies of one box of a random size and place, each shifted by shares of its width and height.

    Two copies that differ by a share s of one side alone have the IoU (1 - s) / (1 + s).
    """
    side = rng.uniform(8, 14, 2) * (1, 0.6)
    start = rng.uniform(0, 40, 2) + np.asarray(shifts, dtype=float) * side  # (N, 2)
    return np.hstack([start, start + side])


def falling(rng: np.random.Generator, count: int) -> Any:
    """Draw different scores from 1 to 0, the highest first, well apart."""
    return (count - np.arange(count) - rng.uniform(0.1, 0.6, count)) / count  # (N,)
