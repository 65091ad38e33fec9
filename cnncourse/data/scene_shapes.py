"""The shapes of synthetic scenes: five classes, each with its outline and its keypoints.

A shape is described in its own frame: u to the right and v down, both from its centre, for a circle of radius
1 around it. Its distance function is negative inside and positive outside, and near the outline it is the
distance to it, so that edges can be drawn smoothly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Points = tuple[tuple[float, float], ...]

KEYPOINTS = ("centre", "first", "second", "third", "fourth")  # from the uppermost on, clockwise
HALF_SQUARE = 0.7  # half the side
ARM_LENGTH, ARM_HALF_WIDTH = 0.95, 0.3  # of the cross
RING_MIDDLE, RING_HALF_WIDTH = 0.75, 0.25
SIN_SIXTY = math.sin(math.pi / 3)
AROUND = ((0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0))


@dataclass(frozen=True)
class Shape:
    """One class of shapes."""

    name: str
    distance: Callable[[Floats, Floats], Floats]  # of the points (u, v)
    corners: Points  # of the outline, clockwise; of a round shape none
    round: bool = False  # turning it changes nothing: its keypoints are its extreme points


def _disc(u: Floats, v: Floats) -> Floats:
    return np.hypot(u, v) - 1


def _square(u: Floats, v: Floats) -> Floats:
    return np.maximum(np.abs(u), np.abs(v)) - HALF_SQUARE


def _triangle(u: Floats, v: Floats) -> Floats:
    return np.maximum(v, SIN_SIXTY * np.abs(u) - v / 2) - 0.5


def _cross(u: Floats, v: Floats) -> Floats:
    across, down = np.abs(u), np.abs(v)
    lying = np.maximum(across - ARM_LENGTH, down - ARM_HALF_WIDTH)
    standing = np.maximum(across - ARM_HALF_WIDTH, down - ARM_LENGTH)
    return np.minimum(lying, standing)


def _ring(u: Floats, v: Floats) -> Floats:
    return np.abs(np.hypot(u, v) - RING_MIDDLE) - RING_HALF_WIDTH


def _times(factor: float, points: Points) -> Points:
    return tuple((factor * u, factor * v) for u, v in points)


SHAPES = (
    Shape("disc", _disc, AROUND, round=True),
    Shape("square", _square, _times(HALF_SQUARE, ((-1, -1), (1, -1), (1, 1), (-1, 1)))),
    Shape("triangle", _triangle, ((0.0, -1.0), (SIN_SIXTY, 0.5), (-SIN_SIXTY, 0.5))),
    Shape("cross", _cross, _times(ARM_LENGTH, AROUND)),
    Shape("ring", _ring, AROUND, round=True),
)
CLASSES = tuple(shape.name for shape in SHAPES)


def keypoints(shape: Shape, x: float, y: float, radius: float, angle: float) -> NDArray[np.float64]:
    """Return a shape's keypoints in the image: its centre, then its corners, the uppermost first, clockwise.

    Parameters
    ----------
    shape : Shape
    x, y, radius : float
        Of the circle around it, in pixels.
    angle : float
        By which it is turned clockwise, in radians.

    Returns
    -------
    ndarray, shape (P, 2)
        x and y in pixels; P is 5, and 4 for the triangle.

    Examples
    --------
    >>> keypoints(SHAPES[1], x=20, y=10, radius=10, angle=0.0)
    array([[20., 10.],
           [13.,  3.],
           [27.,  3.],
           [27., 17.],
           [13., 17.]])
    """
    cosine, sine = (1.0, 0.0) if shape.round else (math.cos(angle), math.sin(angle))
    turned = [(cosine * u - sine * v, sine * u + cosine * v) for u, v in shape.corners]
    uppermost = min(range(len(turned)), key=lambda i: (round(turned[i][1], 9), turned[i][0]))
    corners = turned[uppermost:] + turned[:uppermost]
    return np.array([(x, y), *((x + radius * u, y + radius * v) for u, v in corners)], dtype=np.float64)
