"""What the cells of YOLO are to say about objects: version 1, and versions 2 and 3 with anchors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import traitlets

from cnncourse.boxes import box_iou
from cnncourse.widgets.explorer import Choice, Matrix, Whole
from cnncourse.widgets.plane import Boxes, PlaneExplorer

WIDTH, HEIGHT = 96, 64  # pixels of the picture
MOST = 4  # objects, and anchors
CELLS = 8  # rows and columns, at most
OBJECTS: list[list[float]] = [[25, 8, 43, 52], [46, 24, 84, 44]]
ANCHORS: list[list[float]] = [[14, 14], [18, 40], [42, 20]]


@dataclass(frozen=True)
class Target:
    """What one object asks of the network."""

    row: int
    column: int
    index: int  # of the cell, counted row by row
    v1: tuple[float, float, float, float]  # x, y within the cell; w, h as shares of the image
    anchor: int  # the one whose size fits best
    v2: tuple[float, float, float, float]  # t_x, t_y, t_w, t_h against the anchor that was asked for
    in_v1: bool  # whether version 1 learns it: the first object of a cell is the only one
    in_v2: bool  # whether versions 2 and 3 do: the first for an anchor of a cell is the only one


class Sizes(Matrix):
    """Rows of width and height, all above 0."""

    def check(self, value: Any) -> str:
        return super().check(value) or ("" if min(map(min, value)) > 0 else "must hold numbers above 0")


class YOLOTargetExplorer(PlaneExplorer):
    """Move objects over a grid of cells; see which cell answers for each, and the numbers it is to say.

    Parameters
    ----------
    rows, columns : int
        Of the grid, which covers a picture 96 pixels wide and 64 high.
    objects : list of boxes
        (x1, y1, x2, y2) in pixels, half-open; named A, B, C, D in order.
    chosen : int
        Index of the object whose numbers are shown.
    anchors : list of (width, height)
        In pixels.
    anchor : 'best' or an index as text
        The anchor against which t_x, t_y, t_w and t_h are computed.

    Examples
    --------
    >>> YOLOTargetExplorer(objects=[[24, 8, 56, 40]]).targets[0].v1
    (0.5, 0.5, 0.3333333333333333, 0.5)
    """

    module = "yolo_target.js"
    height = (650, 1140)
    shows = (
        "Objects can be moved and resized over a grid of cells. Shown are the cell that answers for each, "
        "its number when cells are counted row by row, and what the cell is to say, in version 1 and in "
        "versions 2 and 3."
    )
    question = traitlets.Unicode(
        "Bring the centres of A and B into one cell. Which of the two does version 1 forget? And what must "
        "become of B before versions 2 and 3 forget it as well?"
    ).tag(sync=True)
    rows = Whole(4, 1, CELLS)
    columns = Whole(6, 1, CELLS)
    objects = Boxes(OBJECTS, WIDTH, HEIGHT, MOST)
    chosen = Whole(0, 0, MOST - 1)
    anchors = Sizes(ANCHORS, (1, MOST), (2, 2))
    anchor = Choice("best", ("best", *map(str, range(MOST))))

    @property
    def targets(self) -> list[Target]:
        """What each object asks of the network."""
        found: list[Target] = []
        for x1, y1, x2, y2 in self.objects:
            across, down = (x1 + x2) / 2 * self.columns / WIDTH, (y1 + y2) / 2 * self.rows / HEIGHT
            column, row = min(int(across), self.columns - 1), min(int(down), self.rows - 1)
            x, y, w, h = across - column, down - row, x2 - x1, y2 - y1
            best = self._fits(w, h)
            wide, high = self.anchors[best if self.anchor == "best" else self._asked]
            index = row * self.columns + column
            found.append(
                Target(
                    row,
                    column,
                    index,
                    (x, y, w / WIDTH, h / HEIGHT),
                    best,
                    (_logit(x), _logit(y), _log(w / wide), _log(h / high)),
                    all(index != other.index for other in found),
                    all((index, best) != (other.index, other.anchor) for other in found),
                )
            )
        return found

    @property
    def _asked(self) -> int:
        return min(int(self.anchor), len(self.anchors) - 1)

    def _fits(self, width: float, height: float) -> int:
        """Return which anchor has the highest IoU with a size, both at one corner."""
        sizes = [[0.0, 0.0, *size] for size in self.anchors]
        return int(box_iou([[0, 0, width, height]], sizes).argmax())


def _logit(share: float) -> float:
    """Return what a sigmoid turns into this share."""
    return _log(share) - _log(1 - share)


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf
