"""RoIPool beside RoIAlign: which cells of a feature map each of them reads for a box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import traitlets

from cnncourse.arrays import Array
from cnncourse.boxes import box_iou
from cnncourse.roi import align_places, cell_weights, pool_edges, roi_align, roi_pool
from cnncourse.widgets.explorer import Checked, Flag, Matrix, Position, Whole
from cnncourse.widgets.plane import Box, PlaneExplorer

WIDTH, HEIGHT = 96, 64  # pixels of the picture
BLOCK = 4  # the picture's squares of one brightness, in pixels
ROWS, COLUMNS = HEIGHT // BLOCK, WIDTH // BLOCK
STRIDES = (4, 8, 16, 32)
BRIGHT = 9


class Reading(NamedTuple):
    """What one of the two ways makes of the box."""

    region: Array  # (4,) in pixels: what all its bins cover together
    iou: float  # of region and box
    apart: float  # pixels between the middle of a bin and where it should be, the mean over all bins
    cells: Array  # (H, W) whether the selected bin reads a cell
    values: Array  # (output, output)


class Stride(Checked):
    """Pixels of a cell: one of a few numbers that divide the picture."""

    def check(self, value: Any) -> str:
        if type(value) is int and value in STRIDES:
            return ""
        return f"must be one of {', '.join(map(str, STRIDES))}"


class RoIExplorer(PlaneExplorer):
    """Drag a box over an image and its feature map; see what RoIPool and RoIAlign read, and what they give.

    Parameters
    ----------
    image : matrix, shape (16, 24)
        Brightness of squares of 4 by 4 pixels. A cell of the feature map holds the mean of its pixels.
    box : list of four numbers
        The region of interest, (x1, y1, x2, y2) in pixels, half-open, in a picture 96 wide and 64 high.
    stride : 4, 8, 16 or 32
        Pixels of a cell of the feature map.
    output : int
        Rows and columns of bins.
    samples : int
        Points of a bin of RoIAlign along each side.
    half_pixel : bool
        RoIAlign takes a cell's value to lie in the middle of its pixels; if not, at the first of them.
    selected : (row, column)
        The bin whose cells are shown.

    Examples
    --------
    >>> explorer = RoIExplorer(box=[3, 3, 13, 13], stride=8, output=1)
    >>> explorer.pool.region, explorer.align.region
    (array([ 0.,  0., 24., 24.]), array([ 3.,  3., 13., 13.]))
    """

    module = "roi.js"
    parts = (*PlaneExplorer.parts, "roi_reading.js")
    styles = ("plane.css", "tables.css", "roi.css")
    height = (1080, 1870)
    shows = (
        "A box can be moved and resized over an image with its feature map. Beside each other stand the "
        "whole cells that RoIPool reads for each bin and the points that RoIAlign reads; the numbers that "
        "both give; and how far what they read is from the box."
    )
    question = traitlets.Unicode(
        "Move the box to the right, pixel by pixel. After how many pixels do the numbers of RoIPool change "
        "for the first time, and after how many those of RoIAlign?"
    ).tag(sync=True)
    image = Matrix([[0.0]], rows=(ROWS, ROWS), columns=(COLUMNS, COLUMNS))
    box = Box([17, 13, 65, 45], WIDTH, HEIGHT)
    stride = Stride(16)
    output = Whole(3, 1, 7)
    samples = Whole(2, 1, 4)
    half_pixel = Flag(True)
    selected = Position([0, 1])
    pictures: Any = traitlets.List().tag(sync=True)

    @traitlets.default("pictures")
    def _pictures(self) -> list[tuple[str, list[list[float]]]]:
        return pictures()

    @traitlets.default("image")
    def _image(self) -> list[list[float]]:
        return pictures()[0][1]

    @property
    def features(self) -> Array:
        """The feature map, shape (64 / stride, 96 / stride)."""
        side = self.stride // BLOCK
        blocks = np.array(self.image, dtype=np.float64).reshape(ROWS // side, side, COLUMNS // side, side)
        return np.asarray(blocks.mean(axis=(1, 3)))

    @property
    def pool(self) -> Reading:
        """What RoIPool makes of the box."""
        rows, columns = (pool_edges(*ends, self.output, self.stride) for ends in self._axes)
        read = [
            (np.arange(size) >= edges[place, 0]) & (np.arange(size) < edges[place, 1])
            for size, edges, place in zip(self.features.shape, (rows, columns), self._at, strict=True)
        ]
        values = roi_pool(self.features[None], [self.box], self.output, self.stride)
        return self._reading(rows * self.stride, columns * self.stride, read, values)

    @property
    def align(self) -> Reading:
        """What RoIAlign makes of the box."""
        how = (self.output, self.stride, self.samples, self.half_pixel)
        read = [
            cell_weights(align_places(*ends, *how)[place], size).sum(axis=0) > 0
            for ends, place, size in zip(self._axes, self._at, self.features.shape, strict=True)
        ]
        rows, columns = (self._parts(*ends) for ends in self._axes)
        return self._reading(rows, columns, read, roi_align(self.features[None], [self.box], *how))

    @property
    def _axes(self) -> list[tuple[float, float]]:
        """Where the box begins and ends: down, and across."""
        x1, y1, x2, y2 = self.box
        return [(y1, y2), (x1, x2)]

    @property
    def _at(self) -> list[int]:
        return [min(place, self.output - 1) for place in self.selected]

    def _parts(self, start: float, end: float) -> Array:
        """Return the pixels of each bin of RoIAlign along one axis, (output, 2)."""
        if not self.half_pixel:  # the value that belongs to a cell's middle is taken at its first pixel
            start, end = start + self.stride / 2, max(end, start + self.stride) + self.stride / 2
        return _equal(start, end, self.output)

    def _reading(self, rows: Array, columns: Array, read: Sequence[Array], values: Array) -> Reading:
        """Put together what is known of bins, of which both axes are given in pixels, (output, 2) each."""
        region = np.array([columns.min(), rows.min(), columns.max(), rows.max()], dtype=np.float64)
        down, right = (
            (seen - _equal(*ends, self.output)).mean(axis=1)
            for seen, ends in zip((rows, columns), self._axes, strict=True)
        )
        apart = float(np.hypot(down[:, None], right).mean())
        iou = float(box_iou([region], [self.box])[0, 0])
        return Reading(region, iou, apart, read[0][:, None] & read[1], values[0, 0])


def _equal(start: float, end: float, parts: int) -> Array:
    """Return equal parts of a stretch, (parts, 2)."""
    edges = start + np.arange(parts + 1) / parts * (end - start)
    return np.stack([edges[:-1], edges[1:]], axis=1)


def pictures() -> list[tuple[str, list[list[float]]]]:
    """Return the images to choose from, with their names: 16 rows of 24 numbers."""
    y, x = (np.indices((ROWS, COLUMNS)) + 0.5) * BLOCK  # middles of the squares
    from_middle = np.hypot((x - 41) / 24, (y - 29) / 16)
    arrays = {
        "an object": np.where(from_middle < 1, np.round(BRIGHT - 5 * from_middle), 1),
        "a slope: each number is x of its middle": x.astype(int),
        "one bright spot": np.where((x > 40) & (x < 48) & (y > 24) & (y < 32), BRIGHT, 0),
        "texture": np.random.default_rng(3).integers(0, BRIGHT + 1, size=x.shape),
    }
    return [(name, array.tolist()) for name, array in arrays.items()]
