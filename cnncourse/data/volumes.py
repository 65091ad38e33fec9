"""Drawn volumes: a scan with a vessel winding through its slices, and a film in which things move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def scan(noise: float = 1.0, seed: int = 0) -> tuple[Array, Array]:
    """Return a stack of noisy slices in which a thin vessel winds through the depth, and the vessel alone.

    Parameters
    ----------
    noise : float
        Standard deviation of what is added to every number; the vessel has height 1.

    Returns
    -------
    volume, vessel : ndarrays, shape (24, 48, 48)
        Depth, rows, columns.

    Examples
    --------
    >>> volume, vessel = scan()
    >>> volume.shape, float(vessel.max()) <= 1
    ((24, 48, 48), True)
    """
    depth, size = 24, 48
    rows, columns = np.indices((size, size))
    angles = np.linspace(0, np.pi, depth)
    slices = [
        np.exp(-((rows - 24 - 12 * np.sin(a)) ** 2 + (columns - 24 - 12 * np.cos(a)) ** 2) / (2 * 1.5**2))
        for a in angles
    ]
    vessel: Array = np.stack(slices)  # (D, H, W)
    return vessel + np.random.default_rng(seed).normal(0, noise, vessel.shape), vessel


def film(noise: float = 0.4, seed: int = 0) -> tuple[Array, Array]:
    """Return a film of two discs, one moving to the right and one to the left, and the same without noise.

    Both move by one pixel from frame to frame, and in every single frame they look alike.

    Parameters
    ----------
    noise : float
        Standard deviation of what is added to every number; a disc has height 1.

    Returns
    -------
    noisy, clean : ndarrays, shape (16, 32, 64)
        Frames, rows, columns. The disc in the upper half moves to the right.

    Examples
    --------
    >>> noisy, clean = film()
    >>> [int(frame[8].argmax()) for frame in clean[:3]], [int(frame[23].argmax()) for frame in clean[:3]]
    ([20, 21, 22], [43, 42, 41])
    """
    frames, height, width = 16, 32, 64
    rows, columns = np.indices((height, width))
    clean: Array = np.stack(
        [
            np.exp(-((rows - 8) ** 2 + (columns - 20 - t) ** 2) / (2 * 2.0**2))
            + np.exp(-((rows - 23) ** 2 + (columns - 43 + t) ** 2) / (2 * 2.0**2))
            for t in range(frames)
        ]
    )  # (frames, H, W)
    return clean + np.random.default_rng(seed).normal(0, noise, clean.shape), clean
