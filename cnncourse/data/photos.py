"""Two real photos."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

NAMES = ("china", "flower")


def photo(name: str, height: int | None = None) -> NDArray[np.float64]:
    """Return a colour photo.

    Parameters
    ----------
    name : str
        "china" (a palace) or "flower" (a dahlia), the two photos of scikit-learn.
    height : int, optional
        Make it smaller by averaging blocks of pixels, to the block size that comes closest to this height.

    Returns
    -------
    ndarray, shape (3, H, W), float64 in [0, 1]

    Raises
    ------
    ValueError
        If there is no such photo, or the height is not in 1..427.
    """
    if name not in NAMES:
        raise ValueError(f"no photo named {name!r}; there are {', '.join(NAMES)}")
    image = _load(name)
    if height is None:
        return image.copy()
    if not 1 <= height <= image.shape[1]:
        raise ValueError(f"height (={height}) must be between 1 and {image.shape[1]}")
    block = round(image.shape[1] / height)
    C, H, W = image.shape[0], image.shape[1] // block, image.shape[2] // block
    blocks = image[:, : H * block, : W * block].reshape(C, H, block, W, block)
    smaller: NDArray[np.float64] = blocks.mean(axis=(2, 4))  # (C, H, W)
    return smaller


@lru_cache
def _load(name: str) -> NDArray[np.float64]:
    from sklearn.datasets import load_sample_image

    pixels: NDArray[np.uint8] = load_sample_image(f"{name}.jpg")  # (H, W, 3)
    image: NDArray[np.float64] = np.transpose(pixels, (2, 0, 1)) / 255.0  # (3, H, W)
    return image
