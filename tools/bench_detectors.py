"""How well and how fast the detectors find the objects of scenes (part of `make bench`).

    python tools/bench_detectors.py               all detectors, three seeds each
    python tools/bench_detectors.py "YOLO v2"     one of them

Each is trained on the medium setting and measured on scenes that nothing was chosen by. A detector of colour
blobs, without learning, stands beside them. Ends with 1 if one falls short of what the course promises.
"""

import sys
from statistics import mean

from cnncourse.data.scenes import Scenes
from cnncourse.detectors.blobs import detect, known_outlines
from cnncourse.detectors.recipes import RECIPES, Recipe, Split, scenes
from cnncourse.detectors.training import evaluate, images_per_second
from cnncourse.metrics import mean_average_precision

SEEDS = 0, 1, 2
# mAP at IoU 0.5, mAP at 0.75, minutes of training on two cores
PROMISED = {
    "YOLO v1": (0.93, 0.74, 5),
    "YOLO v2": (0.94, 0.81, 4),
    "YOLO v3": (0.94, 0.81, 4),
    "SSD": (0.955, 0.85, 4),
}


def blobs(test: Scenes) -> float:
    """Return the mean average precision of the detector of colour blobs."""
    known = known_outlines()
    found = [detect(image, known) for image in test.images]
    return float(mean_average_precision(found, test.objects(), num_classes=5).mean)


def spread(values: list[float]) -> str:
    """Return the mean and the range."""
    return f"{mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def measure(name: str, recipe: Recipe, split: Split) -> bool:
    """Train with every seed, print a row; return whether each seed keeps what is promised."""
    half, strict, minutes, speed = [], [], [], []
    for seed in SEEDS:
        detector, history = recipe.train(split, seed, show=None)
        half.append(evaluate(detector, split.test).mean)
        strict.append(evaluate(detector, split.test, 0.75).mean)
        minutes.append(history[-1].seconds / 60)
        speed.append(images_per_second(detector, split.test))
    least_half, least_strict, most_minutes = PROMISED[name]
    met = min(half) >= least_half and min(strict) >= least_strict and max(minutes) <= most_minutes
    parameters = sum(p.numel() for p in detector.parameters())
    print(
        f"{'PASS' if met else 'SHORT':<6}{name:<9}{parameters:>9,}  {spread(half):<25}{spread(strict):<25}"
        f"{mean(minutes):5.1f} ({max(minutes):.1f}) {mean(speed):7.0f}   "
        f"at least {least_half} and {least_strict}, at most {most_minutes} minutes",
        flush=True,
    )
    return met


def main() -> int:
    """Measure; return 1 if something falls short."""
    chosen = sys.argv[1:] or list(RECIPES)
    split = scenes()
    print(f"{len(SEEDS)} seeds, mean (range)")
    print(f"{'':<6}{'':<9}{'weights':>9}  {'mAP at 0.5':<25}{'mAP at 0.75':<25}{'minutes':<11}images/s")
    found = blobs(split.test)
    met = [found < PROMISED["YOLO v1"][0] / 2]
    print(f"{'PASS' if met[0] else 'SHORT':<6}{'blobs':<9}{0:>9}  {found:.3f}: less than half of that")
    met += [measure(name, RECIPES[name], split) for name in chosen]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
