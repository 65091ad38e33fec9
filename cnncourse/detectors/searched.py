"""Detectors whose proposals come from selective search: R-CNN, SPPnet and Fast R-CNN."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from cnncourse.data.scenes import Scenes
from cnncourse.detectors.detector import as_images
from cnncourse.detectors.selective_search import Mode, selective_search
from cnncourse.detectors.two_stage import RegionDetector

MODE = Mode(("hsv", "lab"), ("CTSF",), (50,))  # two hierarchies: a small image has few regions
LEAST = 5.0  # pixels: a side of a proposal, at least
TELL = 250  # after so many scenes a line says how far the search is


class Search:
    """Selective search that remembers images which it has seen, so that several detectors can share it."""

    def __init__(self, mode: Mode = MODE, remember: bool = True) -> None:
        self.mode, self.remember = mode, remember
        self.known: dict[bytes, Tensor] = {}

    def __call__(self, image: Tensor) -> Tensor:
        """Return proposals (P, 4), in pixels, for an image (3, H, W) from 0 to 1."""
        pixels = image.numpy()
        name = hashlib.blake2b(np.ascontiguousarray(pixels).tobytes(), digest_size=16).digest()
        if name in self.known:
            return self.known[name]
        boxes = torch.from_numpy(selective_search(pixels, self.mode)).float()
        boxes = boxes[(boxes[:, 2:] - boxes[:, :2]).amin(dim=1) >= LEAST]
        if self.remember:
            self.known[name] = boxes
        return boxes


class Searched(RegionDetector):
    """A detector that gets its proposals from the image itself, before it has learned anything.

    They are searched for once, before the training. There they travel as boxes with the label C, behind the
    objects: so they are mirrored and turned with their scene.

    Attributes
    ----------
    search : function
        From an image (3, H, W) to boxes (P, 4). Give several detectors one `Search` to search only once.
    """

    search: Callable[[Tensor], Tensor] = staticmethod(Search(remember=False))

    def propose(self, images: Tensor, maps: Tensor) -> list[Tensor]:
        """What selective search finds in each image; the maps are not looked at."""
        return [self.search(image) for image in images]

    def prepare(self, scenes: Scenes, show: Callable[[str], None] | None) -> Scenes:
        """Search all scenes; return them with the proposals behind the objects, labelled C."""
        found = []
        for number, image in enumerate(as_images(scenes.images), start=1):
            found.append(self.search(image).numpy())
            if show is not None and number % TELL == 0:
                show(f"selective search: {number} of {len(scenes)} scenes")
        most = max((len(one) for one in found), default=0)
        boxes, labels = np.zeros((len(scenes), most, 4)), np.full((len(scenes), most), -1)
        for number, one in enumerate(found):
            boxes[number, : len(one)], labels[number, : len(one)] = one, self.classes
        return replace(
            scenes,
            boxes=np.concatenate([scenes.boxes, boxes], axis=1),
            labels=np.concatenate([scenes.labels, labels], axis=1),
        )

    def apart(self, boxes: Tensor, labels: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
        """Return the proposals of each image, and the boxes and labels of objects only, -1 elsewhere."""
        proposals = [one[kind == self.classes] for one, kind in zip(boxes, labels, strict=True)]
        labels = torch.where(labels == self.classes, -1, labels)
        most = max(1, int((labels >= 0).sum(dim=1).max()))
        first = (labels < 0).int().argsort(dim=1, stable=True)[:, :most]  # objects before all else
        return proposals, boxes.gather(1, first[..., None].expand(-1, -1, 4)), labels.gather(1, first)
