"""Non-maximum suppression, step by step."""

from __future__ import annotations

import traitlets

from cnncourse.boxes import NMSStep, nms_steps
from cnncourse.widgets.explorer import Real, Whole
from cnncourse.widgets.plane import Boxes, Numbers, PlaneExplorer

WIDTH, HEIGHT = 80, 50  # pixels of the picture
MOST = 12  # boxes
OBJECTS: list[list[float]] = [[8, 8, 30, 42], [18, 13, 40, 47], [56, 10, 74, 36]]
BOXES: list[list[float]] = [
    [5, 12, 27, 45],
    [9, 8, 31, 41],
    [25, 17, 47, 49],
    [18, 13, 40, 47],
    [62, 24, 78, 46],
    [56, 10, 74, 36],
    [58, 18, 80, 40],
]
SCORES = [0.88, 0.95, 0.6, 0.82, 0.4, 0.7, 0.45]


class NMSExplorer(PlaneExplorer):
    """See step by step which box is kept, which others it suppresses, and how the two thresholds decide that.

    Parameters
    ----------
    boxes : list of boxes
        (x1, y1, x2, y2) in pixels, half-open, in a picture 80 wide and 50 high; named A, B, C ... in order.
    scores : list of float
        One for each box, from 0 to 1.
    objects : list of boxes
        What there is to find.
    iou_threshold, score_threshold : float
        A box is suppressed if its IoU with a kept box is above the one; it takes part if its score is not
        below the other.
    step : int
        How many steps are shown; more than there are shows all.
    chosen : int
        Index of the box whose corners can be dragged.
    """

    module = "nms.js"
    height = (656, 1042)
    shows = (
        "Boxes with scores can be moved, and two thresholds set; step by step the best box that is left is "
        "kept, and the boxes that overlap it too much are suppressed."
    )
    question = traitlets.Unicode(
        "Two of the three objects stand close together. Which two thresholds leave exactly one box for each "
        "object, and which boxes does each threshold remove?"
    ).tag(sync=True)
    boxes = Boxes(BOXES, WIDTH, HEIGHT, MOST)
    scores = Numbers(SCORES, 0, 1, MOST)
    objects = Boxes(OBJECTS, WIDTH, HEIGHT, MOST)
    iou_threshold = Real(0.5, 0, 1)
    score_threshold = Real(0.0, 0, 1)
    step = Whole(1, 0, MOST)
    chosen = Whole(1, 0, MOST - 1)

    @property
    def steps(self) -> list[NMSStep]:
        """All steps: who is kept, who suppresses whom. ValueError if boxes and scores differ in number."""
        return nms_steps(self.boxes, self.scores, self.iou_threshold, self.score_threshold)

    @property
    def kept(self) -> list[int]:
        """Indices of the boxes that are left after the last step, best score first."""
        return [step.kept for step in self.steps]
