"""YOLO, version 3: anchors on three maps, of which coarse ones help the finer ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cnncourse.detectors import yolo2
from cnncourse.detectors.tensors import objects
from cnncourse.detectors.three_maps import STRIDES, Changes, ThreeMaps, Told

EACH = 2  # anchors for each map


class YOLO3(ThreeMaps):
    """Anchors on maps with a unit for 4, 8 and 16 pixels; the smallest anchors belong to the finest map.

    The anchor that fits an object best answers for it, on the map that it belongs to.

    Parameters
    ----------
    anchors : six widths and heights in pixels, the smallest first, as `kmeans_anchors` finds them
    changes : what later versions do otherwise, by name: ``YOLO3(spp=True, pan=True, ciou=True)`` has what
        version 4 changed around the anchors; see `Changes`

    References
    ----------
    Redmon, Farhadi 2018, "YOLOv3: An incremental improvement", section 2. There each map has three anchors,
    and centres and sizes have squared errors; here 1 - GIoU, as in `YOLO2`. From an IoU of 0.5 on a box need
    not be empty there; in the authors' program from 0.7 on (cfg/yolov3.cfg), and so here.
    """

    anchors: Tensor  # (3, EACH, 2)

    def __init__(
        self,
        classes: int = 5,
        size: int = 64,
        width: int = 16,
        anchors: Sequence[Sequence[float]] = ((11, 11), (14, 14), (17, 17), (20, 20), (24, 24), (29, 29)),
        **changes: bool,
    ) -> None:
        sizes = torch.as_tensor(anchors, dtype=torch.float32)
        if sizes.shape != (EACH * len(STRIDES), 2):
            raise ValueError(f"anchors has shape {tuple(sizes.shape)}: expected 6 widths and heights, (6, 2)")
        super().__init__(classes, size, width, EACH, Changes(**changes), anchors=sizes.tolist())
        self.register_buffer("anchors", sizes.unflatten(0, (len(STRIDES), EACH)))

    def in_pixels(self, numbers: Tensor, level: int) -> Tensor:
        """A centre within its cell, and a size as so many times its anchor's; as in version 2."""
        return yolo2.in_pixels(numbers, self.anchors[level], STRIDES[level])

    def told(self, boxes: Tensor, labels: Tensor) -> list[Told]:
        """The anchor that fits an object best, in the cell of the object's middle."""
        image, truth, label = objects(boxes, labels)
        best = yolo2.best_anchor(truth, self.anchors.flatten(0, 1))  # (M,)
        told = []
        for level, stride in enumerate(STRIDES):
            own = best // EACH == level
            column, row = yolo2.cell_of(truth[own], stride, self.size // stride)
            told.append(Told((image[own], row, column, best[own] % EACH), truth[own], label[own]))
        return told
