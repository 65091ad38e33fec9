"""How well and how fast the R-CNN family finds the objects of scenes (not in `make bench`: it takes hours).

    python tools/bench_rcnn.py                              all detectors, three seeds each
    python tools/bench_rcnn.py "Faster R-CNN" --seeds 1     one of them, one seed

Each is trained on the medium setting and measured on scenes that nothing was chosen by. SPPnet takes the
convolutions of the R-CNN of the same seed. Three tables come out: average precision of boxes and of masks;
how many objects the proposals cover, which bounds what can be found; and the milliseconds that an image
takes, one image at a time as in the papers, split into proposals, features and heads. Then Fast R-CNN's first
dense layer is shortened. Ends with 1 if a detector falls short of what the course promises.
"""

from __future__ import annotations

import argparse
import sys
import time
from copy import deepcopy
from statistics import mean
from typing import NamedTuple

import torch
from bench_detectors import spread

from cnncourse.data.scenes import Scenes
from cnncourse.detectors.detector import as_images
from cnncourse.detectors.fast_rcnn import HIDDEN, FastRCNN
from cnncourse.detectors.low_rank import saving, shorten
from cnncourse.detectors.mask_rcnn import MaskRCNN
from cnncourse.detectors.proposals import recall
from cnncourse.detectors.rcnn import RCNN
from cnncourse.detectors.recipes import RCNN_RECIPES, Split, scenes
from cnncourse.detectors.searched import Search, Searched
from cnncourse.detectors.sppnet import SPPnet
from cnncourse.detectors.training import evaluate, evaluate_masks, train
from cnncourse.detectors.two_stage import PARTS, RegionDetector

# mAP at IoU 0.5, mAP at 0.75, minutes of training on two cores
PROMISED = {"Faster R-CNN": (0.96, 0.87, 6.0)}
MASKS = 0.85  # mask AP at IoU 0.5 that Mask R-CNN promises
NEAR = 0.02  # how far its boxes may stay behind those of Faster R-CNN
TIMED = 100  # images
RANKS = 64, 32, 16  # of the first dense layer


class Run(NamedTuple):
    """What one seed of one detector reached."""

    half: float
    strict: float
    minutes: float  # of training; for those that search, the search is not counted, SVMs are
    masks: float  # mask AP at IoU 0.5; NaN without masks
    strict_masks: float


def trained(
    name: str, split: Split, seed: int, search: Search, donor: RCNN | None
) -> tuple[RegionDetector, float]:
    """Train a detector of the family; return it, and the minutes that this took."""
    recipe = RCNN_RECIPES[name]
    detector = recipe.make(split.training, seed)
    assert isinstance(detector, RegionDetector)
    if isinstance(detector, Searched):
        detector.search = search
        for image in as_images(split.training.images):
            search(image)  # found once, for all of them and all seeds
    if isinstance(detector, SPPnet) and donor is not None:
        detector.start_from(donor)
    began = time.perf_counter()
    train(detector, split.training, recipe.epochs, None, seed, show=None)
    return detector, (time.perf_counter() - began) / 60


def measured(detector: RegionDetector, test: Scenes, minutes: float) -> Run:
    """Return what a trained detector reaches on scenes."""
    masks = strict_masks = float("nan")
    if isinstance(detector, MaskRCNN):
        masks, strict_masks = evaluate_masks(detector, test, [0.5, 0.75]).ap.mean(axis=1)
    half, strict = evaluate(detector, test).mean, evaluate(detector, test, 0.75).mean
    return Run(half, strict, minutes, masks, strict_masks)


def covered(detector: RegionDetector, test: Scenes) -> tuple[float, float, float]:
    """Return the proposals of an image, and the share of objects that they cover at IoU 0.5 and 0.75."""
    found = []
    with torch.no_grad():
        for image in as_images(test.images):
            proposals = detector.propose(image[None], detector.maps(image[None]))
            found.append(proposals[0].numpy().clip(0, detector.size))
    objects = [boxes for boxes, _ in test.objects()]
    return mean(map(len, found)), recall(found, objects), recall(found, objects, 0.75)


def seconds(detector: RegionDetector, test: Scenes) -> dict[str, float]:
    """Return the milliseconds of an image, for each part; nothing is remembered from before."""
    if isinstance(detector, Searched):
        detector.search = Search(remember=False)
    detector.detect(test.images[:3], batch=1)
    detector.reset_clock()
    detector.detect(test.images[:TIMED], batch=1)
    return {part: 1000 * detector.seconds[part] / TIMED for part in PARTS}


def kept(name: str, runs: list[Run], faster: float | None) -> bool:
    """Return whether every seed of a detector keeps what is promised."""
    if name in PROMISED:
        half, strict, minutes = PROMISED[name]
        return all(run.half >= half and run.strict >= strict and run.minutes <= minutes for run in runs)
    if name == "Mask R-CNN":
        near = faster is None or mean(run.half for run in runs) >= faster - NEAR
        return near and all(run.masks >= MASKS for run in runs)
    return True


def row(name: str, runs: list[Run], met: bool) -> None:
    """Print what all seeds of a detector reached."""
    text = f"{'PASS' if met else 'SHORT':<6}{name:<19}{spread([run.half for run in runs]):<25}"
    text += f"{spread([run.strict for run in runs]):<25}{mean(run.minutes for run in runs):5.1f}"
    if runs[0].masks == runs[0].masks:
        text += (
            f"   masks {spread([run.masks for run in runs])}, {spread([run.strict_masks for run in runs])}"
        )
    print(text, flush=True)


def shortened(detector: FastRCNN, test: Scenes) -> None:
    """Print what truncated SVD of the first dense layer saves and costs."""
    layer = detector.head.dense[0]
    assert isinstance(layer, torch.nn.Linear)
    for rank in (HIDDEN, *RANKS):
        thin = deepcopy(detector)
        if rank < HIDDEN:
            thin.head.dense = shorten(detector.head.dense, {0: rank})
        cost = saving(layer, rank)
        weights = cost.whole if rank == HIDDEN else cost.cut
        heads = seconds(thin, test)["heads"]
        thin.search = detector.search
        reached = evaluate(thin, test).mean
        print(f"{rank:>6}{weights:>10,}{cost.error:>10.3f}{reached:>10.3f}{heads:>10.2f} ms", flush=True)


def main() -> int:
    """Measure; return 1 if something falls short."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("name", nargs="*", help=f"of {', '.join(RCNN_RECIPES)}; without a name, all")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    if unknown := set(given.name) - set(RCNN_RECIPES):
        parser.error(f"there is no {', '.join(sorted(unknown))}: choose from {', '.join(RCNN_RECIPES)}")
    split, search, met, faster = scenes(), Search(), True, None
    last: dict[str, RegionDetector] = {}
    donors: dict[int, RCNN] = {}
    print(f"{given.seeds} seeds, mean (range); {torch.get_num_threads()} threads")
    print(f"{'':<25}{'mAP at 0.5':<25}{'mAP at 0.75':<25}minutes")
    for name in given.name or RCNN_RECIPES:
        runs = []
        for seed in range(given.seeds):
            detector, minutes = trained(name, split, seed, search, donors.get(seed))
            if isinstance(detector, RCNN):
                donors[seed] = detector
            runs.append(measured(detector, split.test, minutes))
            last[name] = detector
        fine = kept(name, runs, faster)
        row(name, runs, fine)
        met &= fine
        if name == "Faster R-CNN":
            faster = mean(run.half for run in runs)
    print(f"\n{'':<25}{'proposals':>10}{'recall 0.5':>12}{'0.75':>8}")
    for name, detector in last.items():
        count, half, strict = covered(detector, split.test)
        print(f"{'':<6}{name:<19}{count:>10.1f}{half:>12.3f}{strict:>8.3f}")
    print(f"\nmilliseconds of an image{'':<1}{''.join(f'{part:>11}' for part in PARTS)}{'all':>9}")
    for name, detector in last.items():
        parts = seconds(detector, split.test)
        print(f"{'':<6}{name:<19}{''.join(f'{parts[p]:>11.2f}' for p in PARTS)}{sum(parts.values()):>9.1f}")
    fast = last.get("Fast R-CNN")
    if isinstance(fast, FastRCNN):
        print(f"\n{'rank':>6}{'weights':>10}{'error':>10}{'mAP 0.5':>10}{'heads':>10}   of Fast R-CNN")
        fast.search = search
        shortened(fast, split.test)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
