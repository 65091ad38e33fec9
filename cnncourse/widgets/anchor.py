"""Anchors of a feature map, and which of them match an object."""

from __future__ import annotations

import traitlets

from cnncourse.anchors import AnchorLabels, anchor_grid, assign_anchors, generate_anchors
from cnncourse.arrays import Array
from cnncourse.widgets.explorer import Position, Real, Whole
from cnncourse.widgets.plane import Box, Numbers, PlaneExplorer

ROWS, COLUMNS, STRIDES = 6, 8, (8, 32)  # at most; at most; from, to


class AnchorExplorer(PlaneExplorer):
    """Lay anchors over the cells of a feature map, drag an object, and see which anchors match it.

    Parameters
    ----------
    rows, columns : int
        Size of the feature map.
    stride : int
        Pixels between neighbouring cells: the image is rows * stride high and columns * stride wide.
    scales : list of float
        Sides in pixels of the squares that have the anchors' areas.
    ratios : list of float
        Height / width of the anchors; all anchors of a scale keep its area.
    object : list of four numbers
        (x1, y1, x2, y2) in pixels, half-open.
    positive, negative : float
        An anchor is positive if its IoU with the object is at least the one, and negative if it is below the
        other; between them it is ignored. The best anchor is positive in any case.
    cell : (row, column)
        The cell whose anchors are drawn and listed.
    """

    module = "anchor.js"
    height = (868, 1324)
    shows = (
        "An object can be moved and resized over a grid of cells; for every cell the highest IoU of its "
        "anchors is shown, and which of them are positive, ignored or negative."
    )
    question = traitlets.Unicode(
        "How near must the object's centre come to the centre of a cell before an anchor reaches the upper "
        "threshold, and what matches the object anywhere else?"
    ).tag(sync=True)
    rows = Whole(4, 1, ROWS)
    columns = Whole(6, 1, COLUMNS)
    stride = Whole(16, *STRIDES)
    scales = Numbers([24, 40], 4, 256, 4)
    ratios = Numbers([0.5, 1, 2], 0.1, 10, 5)
    object = Box([33, 15, 51, 51], COLUMNS * STRIDES[1], ROWS * STRIDES[1])
    positive = Real(0.7, 0, 1)
    negative = Real(0.3, 0, 1)
    cell = Position([1, 2])

    @property
    def anchors(self) -> Array:
        """All anchors as boxes, shape (rows, columns, A, 4), ratio by ratio and for each all scales."""
        return anchor_grid(generate_anchors(self.scales, self.ratios), self.rows, self.columns, self.stride)

    @property
    def labels(self) -> AnchorLabels:
        """What each anchor is to learn: three arrays of shape (rows * columns * A,)."""
        return assign_anchors(self.anchors.reshape(-1, 4), [self.object], self.positive, self.negative)
