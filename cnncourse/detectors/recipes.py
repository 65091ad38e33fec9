"""How the course trains and measures its detectors: the scenes, and what each detector needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch

from cnncourse.data.scenes import Scenes, make_scenes
from cnncourse.detectors.anchor_sizes import kmeans_anchors
from cnncourse.detectors.detector import Detector
from cnncourse.detectors.fast_rcnn import FastRCNN
from cnncourse.detectors.faster_rcnn import FasterRCNN
from cnncourse.detectors.mask_rcnn import MaskRCNN
from cnncourse.detectors.mask_scoring import MaskScoringRCNN
from cnncourse.detectors.rcnn import RCNN
from cnncourse.detectors.sppnet import SPPnet
from cnncourse.detectors.ssd import SSD
from cnncourse.detectors.training import Epoch, train
from cnncourse.detectors.yolo1 import YOLO1
from cnncourse.detectors.yolo2 import YOLO2
from cnncourse.detectors.yolo3 import YOLO3


class Split(NamedTuple):
    """Scenes to learn from, to choose by, and to measure on at the very end."""

    training: Scenes
    validation: Scenes
    test: Scenes


@dataclass(frozen=True)
class Recipe:
    """A detector, the passes that it needs, how many anchors it takes from the data, and other options."""

    kind: type[Detector]
    epochs: int
    anchors: int = 0
    options: dict[str, Any] = field(default_factory=dict)

    def make(self, training: Scenes, seed: int = 0) -> Detector:
        """Return a detector for such scenes that has learned nothing, its weights from the seed."""
        options = dict(self.options)
        if self.anchors:
            boxes = training.boxes[training.labels >= 0]
            options["anchors"] = kmeans_anchors(boxes[:, 2:] - boxes[:, :2], self.anchors).tolist()
        torch.manual_seed(seed)
        return self.kind(classes=5, size=training.images.shape[-1], **options)

    def train(self, split: Split, seed: int = 0, **settings: Any) -> tuple[Detector, list[Epoch]]:
        """Make a detector and train it; `settings` are those of `train`."""
        detector = self.make(split.training, seed)
        return detector, train(detector, split.training, self.epochs, split.validation, seed=seed, **settings)


# In one stage.
RECIPES = {
    "YOLO v1": Recipe(YOLO1, epochs=30),
    "YOLO v2": Recipe(YOLO2, epochs=20, anchors=4),
    "YOLO v3": Recipe(YOLO3, epochs=15, anchors=6),
    "SSD": Recipe(SSD, epochs=15),
}
# In two stages. SPPnet gets its convolutions from an R-CNN (`SPPnet.start_from`), or else trains its own.
RCNN_RECIPES = {
    "R-CNN": Recipe(RCNN, epochs=8),
    "SPPnet": Recipe(SPPnet, epochs=8),
    "Fast R-CNN": Recipe(FastRCNN, epochs=15),
    "Faster R-CNN": Recipe(FasterRCNN, epochs=15),
    "Mask R-CNN": Recipe(MaskRCNN, epochs=15),
    "Mask Scoring R-CNN": Recipe(MaskScoringRCNN, epochs=15),
}
ALL_RECIPES = RECIPES | RCNN_RECIPES
SHIPPED = (*RECIPES, "Faster R-CNN")  # whose weights lie in WEIGHTS
WEIGHTS = Path(__file__).resolve().parent.parent / "data" / "weights"


def scenes(size: int = 64) -> Split:
    """Return 2,500, 300 and 500 scenes of the medium setting, on which the course measures its detectors."""
    return Split(*(make_scenes(n, size, "medium", seed) for n, seed in ((2500, 1), (300, 2), (500, 999))))


def weights_file(name: str) -> Path:
    """Return where the weights of the recipe of this name lie, once trained."""
    return WEIGHTS / f"{name.lower().replace(' ', '_')}.npz"


def trained(name: str) -> Detector:
    """Return the detector of a recipe, trained: as ``tools/train_detectors.py`` left it.

    Raises
    ------
    ValueError
        If the weights of no such recipe come with the package.

    Examples
    --------
    >>> detector = trained("SSD")
    >>> detector.size, detector.training
    (64, False)
    """
    if name not in SHIPPED:
        raise ValueError(f"name (={name!r}) must be one of {', '.join(SHIPPED)}")
    return ALL_RECIPES[name].kind.load(weights_file(name)).eval()
