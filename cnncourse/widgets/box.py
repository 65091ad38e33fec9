"""Two boxes and their intersection over union."""

from __future__ import annotations

import traitlets

from cnncourse.boxes import box_overlap
from cnncourse.widgets.explorer import Choice, Flag
from cnncourse.widgets.plane import Box, PlaneExplorer

WIDTH, HEIGHT = 24, 16  # pixels of the picture


class BoxExplorer(PlaneExplorer):
    """Drag an object's box and a predicted one; see intersection, union and IoU, drawn and in numbers.

    Parameters
    ----------
    truth, prediction : list of four numbers
        (x1, y1, x2, y2) in pixels, half-open, in a picture 24 wide and 16 high.
    inclusive : bool
        Draw the boxes as code reads them that counts both end pixels.
    chosen : {"truth", "prediction"}
        The box whose corners can be dragged.
    """

    module = "box.js"
    height = (548, 900)
    shows = (
        "Two boxes can be moved and resized, an object's and a prediction's; intersection, union and IoU are "
        "computed for half-open boxes and for boxes that count both end pixels."
    )
    question = traitlets.Unicode(
        "The prediction has the object's size and covers more than half of it. "
        "How far must it still move to the left before the IoU reaches 0.5?"
    ).tag(sync=True)
    truth = Box([3, 4, 12, 12], WIDTH, HEIGHT)
    prediction = Box([7, 4, 16, 12], WIDTH, HEIGHT)
    inclusive = Flag(False)
    chosen = Choice("prediction", ("truth", "prediction"))

    @property
    def overlap(self) -> dict[str, float]:
        """Intersection and union in square pixels, and IoU, in the convention that is chosen."""
        result = box_overlap([self.truth], [self.prediction], self.inclusive)
        return {name: values.item() for name, values in result._asdict().items()}
