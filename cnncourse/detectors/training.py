"""Train any of the detectors with one call, and measure it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn

from cnncourse.data.scenes import Scenes
from cnncourse.detectors.augment import augment
from cnncourse.detectors.detector import Detector, as_images
from cnncourse.detectors.mosaic import join_four
from cnncourse.mask_metrics import mask_average_precision
from cnncourse.metrics import MeanAP, mean_average_precision

if TYPE_CHECKING:
    from cnncourse.detectors.mask_rcnn import MaskRCNN

WARM_UP = 0.1  # share of the steps in which the learning rate rises
LAST = 0.01  # of the learning rate, at the end
WEIGHT_DECAY = 0.02
LONGEST = 5.0  # of a gradient


class Epoch(NamedTuple):
    """How far the training is after a pass over the scenes."""

    number: int
    loss: float  # mean over the pass
    seconds: float  # of training since the beginning, without measuring
    mean_ap: float  # at IoU 0.5 on the validation scenes; NaN if it was not measured


def train(
    detector: Detector,
    scenes: Scenes,
    epochs: int,
    validation: Scenes | None = None,
    seed: int = 0,
    batch: int = 32,
    learning_rate: float = 3e-3,
    mosaic: float = 0.0,
    show: Callable[[str], None] | None = print,
) -> list[Epoch]:
    """Train a detector and return what each epoch reached.

    AdamW; the learning rate rises over the first tenth of the steps and falls along a cosine; gradients are
    cut to length 5; scenes are mirrored, transposed and recoloured. What a detector needs before and learns
    after (`prepare`, `finish`) is part of it, and not counted in an epoch's seconds. The same seed gives the
    same numbers on one computer with the same number of threads; for detectors that draw regions, after the
    same `torch.manual_seed`.

    Parameters
    ----------
    scenes : what to learn from
    validation : other scenes, on which the mean average precision is measured after the last epoch and four
        times on the way; never the ones that the final result is told for
    mosaic : share of the epochs, the first ones, in which four scenes are joined in one. YOLO v4 does it to
        the end, YOLOX (section 2.1) and v8 stop before.
    show : called with a line after each epoch; None for silence

    Raises
    ------
    ValueError
        If there are fewer scenes than a batch needs, they have another size than the detector's, or masks
        are to be learned with the mosaic.
    """
    _fits(detector, scenes, batch)
    if mosaic and detector.learns_masks:
        raise ValueError(f"mosaic (={mosaic}) must be 0 for masks to be learned: it joins boxes only")
    scenes = detector.prepare(scenes, show)
    generator = torch.Generator().manual_seed(seed)
    images, boxes = torch.from_numpy(scenes.images), torch.from_numpy(scenes.boxes).float()
    labels, instances = torch.from_numpy(scenes.labels), torch.from_numpy(scenes.instances)
    steps = len(scenes) // batch
    optimizer = torch.optim.AdamW(_groups(detector), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps * epochs))
    detector.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    history: list[Epoch] = []
    spent = 0.0
    for number in range(1, epochs + 1):
        began, total = time.perf_counter(), 0.0
        detector.train()
        for chosen in torch.randperm(len(scenes), generator=generator)[: steps * batch].split(batch):
            told = labels[chosen]
            seen = as_images(images[chosen])
            if detector.learns_masks:
                seen = torch.cat([seen, instances[chosen, None].float()], dim=1)  # (N, 4, S, S)
            seen, where = augment(seen, boxes[chosen], told, generator)
            if number <= mosaic * epochs:
                seen, where, told = join_four(seen, where, told, generator)
            loss = detector.loss(seen.contiguous(memory_format=torch.channels_last), where, told)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(detector.parameters(), LONGEST)
            optimizer.step()
            schedule.step()
            total += loss.item()
        spent += time.perf_counter() - began
        measured = validation is not None and (number == epochs or number % max(1, epochs // 5) == 0)
        mean = evaluate(detector, validation).mean if validation is not None and measured else math.nan
        history.append(Epoch(number, total / steps, spent, mean))
        if show is not None:
            show(_line(history[-1], epochs))
    detector.eval()
    detector.finish(scenes, show)
    return history


def evaluate(detector: Detector, scenes: Scenes, iou_threshold: float = 0.5) -> MeanAP:
    """Return the mean average precision (area under the curve, all points) on scenes."""
    found = detector.detect(scenes.images)
    return mean_average_precision(found, scenes.objects(), iou_threshold, num_classes=detector.classes)


def evaluate_masks(
    detector: MaskRCNN, scenes: Scenes, iou_threshold: float | Sequence[float] = 0.5
) -> MeanAP:
    """Return the mean average precision of masks on scenes, as `evaluate` does for boxes."""
    found = [(one.masks, one.scores, one.labels) for one in detector.detect_masks(scenes.images)]
    truth = [(scenes.masks(i), labels) for i, (_, labels) in enumerate(scenes.objects())]
    return mask_average_precision(found, truth, iou_threshold, detector.classes)


def images_per_second(detector: Detector, scenes: Scenes) -> float:
    """Return how many images a second are detected in, non-maximum suppression included."""
    began = time.perf_counter()
    detector.detect(scenes.images)
    return len(scenes) / (time.perf_counter() - began)


def _fits(detector: Detector, scenes: Scenes, batch: int) -> None:
    if len(scenes) < batch:
        raise ValueError(
            f"{len(scenes)} scenes are less than one batch of {batch}: make more, or a smaller batch"
        )
    if scenes.images.shape[2:] != (detector.size, detector.size):
        raise ValueError(
            f"scenes of {scenes.images.shape[2]}x{scenes.images.shape[3]} pixels for a detector of "
            f"{detector.size}x{detector.size}: make both of one size"
        )


def _groups(detector: Detector) -> list[dict[str, list[nn.Parameter] | float]]:
    """Return the parameters in two groups: weights, which decay, and biases and batch norms, which do not."""
    parameters = list(detector.parameters())
    decaying = [one for one in parameters if one.ndim > 1]
    others = [one for one in parameters if one.ndim <= 1]
    return [{"params": decaying, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]


def _rate(step: int, steps: int) -> float:
    """Return the share of the learning rate at a step."""
    rising = (step + 1) / (WARM_UP * steps)
    along = max(0.0, step / steps - WARM_UP) / (1 - WARM_UP)
    return min(rising, LAST + (1 - LAST) * (1 + math.cos(math.pi * along)) / 2)


def _line(epoch: Epoch, epochs: int) -> str:
    measured = "" if math.isnan(epoch.mean_ap) else f", mAP {epoch.mean_ap:.3f}"
    return (
        f"epoch {epoch.number} of {epochs}: loss {epoch.loss:.3f}{measured}, {epoch.seconds / 60:.1f} minutes"
    )
