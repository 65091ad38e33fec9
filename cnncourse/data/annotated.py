"""An image with what is on it, from whichever data set it comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnncourse.data.images import read_image

Masks = NDArray[np.bool_]
Objects = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]


@dataclass(frozen=True)
class AnnotatedImage:
    """One image and its M objects. Pixels and masks are read when they are asked for."""

    path: Path
    height: int  # pixels
    width: int
    boxes: NDArray[np.float64]  # (M, 4) x1, y1, x2, y2 in pixels, half-open, whatever the file's convention
    labels: NDArray[np.int64]  # (M,) index into the data set's classes
    ignored: NDArray[np.bool_]  # (M,) "difficult" in PASCAL VOC, "crowd" in COCO
    keypoints: NDArray[np.float64] | None = None  # (M, P, 3) x, y and 0 none, 1 hidden, 2 visible
    read_masks: Callable[[], Masks] | None = field(default=None, repr=False, compare=False)

    def image(self) -> NDArray[np.uint8]:
        """Read the pixels, shape (3, H, W).

        Raises
        ------
        FileNotFoundError, ValueError
            If the file is missing, is no image or has another size than its annotation says.
        """
        pixels = read_image(self.path)
        if pixels.shape[1:] != (self.height, self.width):
            said = f"{self.width} x {self.height}"
            raise ValueError(
                f"{self.path}: {pixels.shape[2]} x {pixels.shape[1]} pixels, but annotated as {said}"
            )
        return pixels

    def masks(self) -> Masks:
        """Read the mask of each object, shape (M, H, W).

        Raises
        ------
        ValueError
            If the data set has no masks for this image.
        """
        if self.read_masks is None:
            raise ValueError(f"{self.path}: the data set has no masks for it")
        return self.read_masks()

    def objects(self) -> Objects:
        """Return boxes, labels, ignored, as `metrics.mean_average_precision` takes them."""
        return self.boxes, self.labels, self.ignored
