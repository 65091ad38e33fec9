"""Pooling, and what becomes of its output when the image moves by a pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets

from cnncourse.arrays import Array
from cnncourse.layers.pool import avg_pool2d, lp_pool2d, max_pool2d
from cnncourse.widgets.explorer import Choice, Explorer, Matrix, Position, Whole

SIDE = 10  # pixels of the images to choose from
SEVEN = ["", "", "..######", "..######", "......##", ".....##", "....##", "....##", "", ""]
BRIGHT = 9


def pictures() -> list[tuple[str, list[list[float]]]]:
    """Return the images to choose from, with their names: rows of whole numbers from 0 to 9."""
    seven = np.array([[BRIGHT * (mark == "#") for mark in row.ljust(SIDE, ".")] for row in SEVEN])
    point, stripes, texture = np.zeros((3, SIDE, SIDE), dtype=int)
    point[4, 4] = BRIGHT
    stripes[2:8, 2:8:2] = BRIGHT
    texture[2:8, 2:8] = np.random.default_rng(1).integers(0, BRIGHT + 1, size=(6, 6))
    arrays = {
        "a seven": seven,
        "one bright pixel": point,
        "stripes, one pixel wide": stripes,
        "texture": texture,
    }
    return [(name, array.tolist()) for name, array in arrays.items()]


class PoolExplorer(Explorer):
    """Pool an image, move it, pool it again, and see which outputs changed and by how much.

    Parameters
    ----------
    image : matrix, shape (H, W), from 4 by 4 to 12 by 12
    kind : 'max', 'average' or 'L2'
        L2 is the root of the sum of squares.
    kernel_size, stride : int
        Of the windows, in pixels, the same for rows and columns.
    down, right : int
        By how many pixels the image moves; zeros come in.
    selected : (row, column)
        The unit whose window is shown.

    Examples
    --------
    >>> explorer = PoolExplorer(image=np.eye(4), right=1)
    >>> explorer.before
    array([[1., 0.],
           [0., 1.]])
    >>> explorer.after
    array([[1., 1.],
           [0., 1.]])
    """

    module = "pool.js"
    styles = ("tables.css",)
    shows = (
        "An image, the output of pooling it, and the output after the image moved by a few pixels. One sees "
        "which units changed and by how much, for maximum, average and L2 pooling, with windows of any size."
    )
    question = traitlets.Unicode(
        "Move the image right, pixel by pixel. When do the outputs only move along, and when do they change?"
    ).tag(sync=True)
    image = Matrix([[0.0]], rows=(4, 12), columns=(4, 12))
    kind = Choice("max", ("max", "average", "L2"))
    kernel_size = Whole(2, 1, 4)
    stride = Whole(2, 1, 4)
    down = Whole(0, -3, 3)
    right = Whole(1, -3, 3)
    selected = Position([1, 1])
    pictures: Any = traitlets.List().tag(sync=True)

    @traitlets.default("pictures")
    def _pictures(self) -> list[tuple[str, list[list[float]]]]:
        return pictures()

    @traitlets.default("image")
    def _image(self) -> list[list[float]]:
        return pictures()[0][1]

    @property
    def before(self) -> Array:
        """The image pooled, shape (H_out, W_out)."""
        return self._pooled(np.array(self.image, dtype=np.float64))

    @property
    def after(self) -> Array:
        """The moved image pooled, shape (H_out, W_out)."""
        return self._pooled(moved(np.array(self.image, dtype=np.float64), self.down, self.right))

    def _pooled(self, image: Array) -> Array:
        x, window = image[None, None], (self.kernel_size, self.stride)
        if self.kind == "L2":
            out = lp_pool2d(x, 2, *window)
        else:
            out = (max_pool2d if self.kind == "max" else avg_pool2d)(x, *window)
        return out.reshape(out.shape[2:])


def moved(image: Array, down: int, right: int) -> Array:
    """Return the image moved by whole pixels; zeros come in.

    Examples
    --------
    >>> moved(np.array([[1, 2], [3, 4]]), -1, 1)
    array([[0, 3],
           [0, 0]])
    """
    (H, W), out = image.shape, np.zeros_like(image)
    out[max(down, 0) : H + min(down, 0), max(right, 0) : W + min(right, 0)] = image[
        max(-down, 0) : H + min(-down, 0), max(-right, 0) : W + min(-right, 0)
    ]
    return out
