"""Scenes that nobody has seen, to train a detector on, and what must be reached on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnncourse.arrays import Array
from cnncourse.boxes import batched_nms
from cnncourse.checking import Case
from cnncourse.checking.compare import Problem, Rung, describe
from cnncourse.checking.training import Missed
from cnncourse.data.scenes import CLASSES, Setting, make_scenes
from cnncourse.metrics import mean_average_precision

SIZE = 32  # pixels
CALM = Setting(
    "calm", objects=(1, 2), radius=(0.25, 0.34), visible=0.9,
    contrast=0.4, texture=0.08, ground=(0.1, 0.06), noise=0.02,
)  # fmt: skip
TRAINING, TEST = 500, 200
NEAR = 0.2  # of a mean average precision: what a wrong answer of another kind would have to explain

Scene = tuple[Array, Array, Array]
Found = list[tuple[Array, Array, Array]]
Truth = list[tuple[Array, Array]]


def hidden_scenes(rng: np.random.Generator) -> tuple[Scene, Scene]:
    """Draw scenes to train on and others to test with, all disguised in one way.

    Mirrored and turned over their diagonal, colours exchanged, brightness scaled and shifted, classes
    numbered anew: a network trained before on such scenes knows nothing about these.

    Returns
    -------
    two times images, boxes, labels : arrays, shapes (N, 3, 32, 32), (N, K, 4) and (N, K)
        Pixels; a label of -1 says that there is no object.
    """
    scenes = make_scenes(TRAINING + TEST, SIZE, CALM, int(rng.integers(2**40)))
    flip, colours, classes = int(rng.integers(8)), rng.permutation(3), rng.permutation(len(CLASSES))
    scale, shift = rng.uniform(0.8, 1.1), rng.uniform(-0.05, 0.05)
    images = scenes.images[:, colours] / np.float32(255) * np.float32(scale) + np.float32(shift)
    boxes = scenes.boxes
    if flip & 1:
        images, boxes = images[..., ::-1], _mirrored(boxes, 0)
    if flip & 2:
        images, boxes = images[..., ::-1, :], _mirrored(boxes, 1)
    if flip & 4:
        images, boxes = images.swapaxes(2, 3), boxes[..., [1, 0, 3, 2]]
    there = scenes.labels >= 0
    labels = np.where(there, classes[scenes.labels], -1)
    images, boxes = np.ascontiguousarray(images), boxes * there[..., None]
    first, last = slice(TRAINING), slice(TRAINING, None)
    return (images[first], boxes[first], labels[first]), (images[last], boxes[last], labels[last])


def _mirrored(boxes: Array, axis: int) -> Array:
    turned = boxes.copy()
    turned[..., axis], turned[..., axis + 2] = SIZE - boxes[..., axis + 2], SIZE - boxes[..., axis]
    return turned


def scene_cases(rng: np.random.Generator, asked: dict[str, float]) -> Iterator[Case]:
    """Yield a case for each mean average precision that is asked for; all share one training."""
    training, (images, boxes, labels) = hidden_scenes(rng)
    arguments = dict(zip(("images", "boxes", "labels"), training, strict=True)) | {"new_images": images}
    for why, mean_ap in asked.items():
        yield Case(why, arguments, why, held={"boxes": boxes, "labels": labels, "mean_ap": mean_ap})


def accept_mean_ap(case: Case, value: Any) -> Problem | None:
    """Return what is wrong with detections in the new scenes of a case, or None.

    Detections are one (boxes, scores, labels) for each image. What is said about a low result are numbers
    that are computed here.
    """
    boxes, labels, asked = (case.held[name] for name in ("boxes", "labels", "mean_ap"))
    found = _detections(value, len(labels))
    if isinstance(found, Problem):
        return found
    truth = [(box[label >= 0], label[label >= 0]) for box, label in zip(boxes, labels, strict=True)]
    reached = _mean_ap(found, truth)
    if reached >= asked:
        return None
    shown = np.floor(1000 * reached) / 1000  # rounded up it could look like enough
    text = f"mAP {shown:g} on {len(labels)} new scenes, at least {asked:g} is asked for"
    return Missed(Rung.VALUE, text + _why_so_low(found, truth, reached))


def _detections(value: Any, images: int) -> Found | Problem:
    """Return detections as arrays, or what keeps them from being that."""
    each = "one (boxes, scores, labels) for each image"
    if type(value) not in (list, tuple):
        return Problem(Rung.TYPE, f"the prediction is {describe(value)}; expected a list: {each}")
    if len(value) != images:
        return Problem(Rung.SHAPE, f"the prediction has {len(value)} items; expected {each}, {images}")
    found = []
    for one in value:
        if type(one) not in (list, tuple) or len(one) != 3:
            return Problem(Rung.TYPE, f"an item of the prediction is {describe(one)}; expected {each}")
        try:
            boxes, scores, labels = (np.asarray(part, dtype=np.float64) for part in one)
        except (TypeError, ValueError):
            return Problem(Rung.TYPE, "boxes, scores and labels must be arrays of numbers")
        boxes = boxes.reshape(0, 4) if boxes.size == 0 else boxes
        if boxes.shape != (len(boxes), 4) or not scores.shape == labels.shape == (len(boxes),):
            shapes = f"{boxes.shape}, {scores.shape} and {labels.shape}"
            return Problem(
                Rung.SHAPE, f"boxes, scores, labels have shapes {shapes}; expected (M, 4), (M,), (M,)"
            )
        if problem := _wrong_numbers(boxes, scores, labels):
            return problem
        found.append((boxes, scores, labels))
    return found


def _wrong_numbers(boxes: Array, scores: Array, labels: Array) -> Problem | None:
    if not all(np.isfinite(part).all() for part in (boxes, scores, labels)):
        return Problem(Rung.DTYPE, "boxes, scores or labels hold nan or infinite numbers")
    if (boxes[:, 2:] < boxes[:, :2]).any():
        text = "a box ends before it begins: x1, y1, x2, y2 is the order, and no width or height is negative"
        return Problem(Rung.VALUE, text)
    if not np.isin(labels, np.arange(len(CLASSES))).all():
        text = f"a label is no class number: they go from 0 to {len(CLASSES) - 1}"
        return Problem(Rung.VALUE, f"{text}, and labels stand behind the scores")
    return None


def _mean_ap(found: Found, truth: Truth, iou_threshold: float = 0.5) -> float:
    return mean_average_precision(found, truth, iou_threshold, num_classes=len(CLASSES)).mean


def _why_so_low(found: Found, truth: Truth, reached: float) -> str:
    """Say what would raise the result most, if it is something that can be named."""
    count = sum(len(boxes) for boxes, _, _ in found)
    if count == 0:
        return "; there is no detection in any of them: is every score too low, or has the loss become nan?"
    blind = [(boxes, 0 * labels) for boxes, labels in truth]
    one_class = [(boxes, scores, 0 * labels) for boxes, scores, labels in found]
    turned = [(boxes[:, [1, 0, 3, 2]], scores, labels) for boxes, scores, labels in found]
    larger = [(boxes * SIZE, scores, labels) for boxes, scores, labels in found]
    kept = [batched_nms(*one, 0.3) for one in found]
    single = [(one[0][own], one[1][own], one[2][own]) for one, own in zip(found, kept, strict=True)]
    changes = (
        (_mean_ap(turned, truth), "with x and y exchanged", "rows and columns have changed places"),
        (_mean_ap(larger, truth), f"with boxes {SIZE} times as large", "they are asked for in pixels"),
        (_mean_ap(single, truth), "without doubles", "suppress boxes that overlap"),
        (_mean_ap(one_class, blind), "if classes did not count", "boxes are better than classes"),
        (_mean_ap(found, truth, 0.2), "at an IoU of 0.2", "objects are found, boxes fit badly"),
    )
    best, when, meaning = max(changes, key=lambda change: change[0])
    if best >= reached + NEAR:
        return f"; {when} it would be {best:.2f}: {meaning}"
    return "; it is as if nothing had been learned from these scenes" if best < NEAR else ""
