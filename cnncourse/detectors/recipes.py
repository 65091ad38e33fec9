"""How the course trains and measures its detectors: the scenes, and what each detector needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch

from cnncourse.data.scenes import Scenes, make_scenes
from cnncourse.detectors.anchor_sizes import kmeans_anchors
from cnncourse.detectors.detector import Detector
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

    def train(self, split: Split, seed: int = 0, **settings: Any) -> tuple[Detector, list[Epoch]]:
        """Make a detector, with its weights from the seed, and train it; `settings` are those of `train`."""
        options = dict(self.options)
        if self.anchors:
            there = split.training.labels >= 0
            boxes = split.training.boxes[there]
            options["anchors"] = kmeans_anchors(boxes[:, 2:] - boxes[:, :2], self.anchors).tolist()
        torch.manual_seed(seed)
        detector = self.kind(classes=5, size=split.training.images.shape[-1], **options)
        return detector, train(detector, split.training, self.epochs, split.validation, seed=seed, **settings)


RECIPES = {
    "YOLO v1": Recipe(YOLO1, epochs=30),
    "YOLO v2": Recipe(YOLO2, epochs=20, anchors=4),
    "YOLO v3": Recipe(YOLO3, epochs=15, anchors=6),
    "SSD": Recipe(SSD, epochs=15),
}
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
        If there is no such recipe.

    Examples
    --------
    >>> detector = trained("SSD")
    >>> detector.size, detector.training
    (64, False)
    """
    if name not in RECIPES:
        raise ValueError(f"name (={name!r}) must be one of {', '.join(RECIPES)}")
    return RECIPES[name].kind.load(weights_file(name)).eval()
