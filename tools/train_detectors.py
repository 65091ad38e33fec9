"""Train the detectors that the book shows, and write their weights to cnncourse/data/weights/.

    python tools/train_detectors.py                       all that are shipped
    python tools/train_detectors.py "YOLO v2" SSD         some of them
    python tools/train_detectors.py SSD --epochs 2 --into /tmp    a short try, elsewhere

Each follows its recipe in cnncourse/detectors/recipes.py, with one seed and on one thread, so that the same
computer gives the same numbers; that takes some ten minutes each. The weights are written as float16, rounded
to BITS significant bits, which keeps a file below LARGEST. What is printed at the end is measured on the file
that was written, on scenes that neither training nor any choice has seen.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch

from cnncourse.detectors.mask_rcnn import MaskRCNN
from cnncourse.detectors.recipes import ALL_RECIPES, SHIPPED, WEIGHTS, Recipe, Split, scenes, weights_file
from cnncourse.detectors.training import evaluate, evaluate_masks

SEED = 0
BITS = 8  # as many as bfloat16 has: a weight is off by 1 in 256 at most
LARGEST = 1_200_000  # bytes of a file


def train(name: str, recipe: Recipe, split: Split, file: Path) -> bool:
    """Train one detector, write it, print what the file reaches; return whether it is small enough."""
    print(f"{name}, {recipe.epochs} epochs", flush=True)
    detector, history = recipe.train(split, SEED, show=lambda line: print(f"  {line}", flush=True))
    file.parent.mkdir(parents=True, exist_ok=True)
    detector.save(file, BITS)
    written, size = recipe.kind.load(file), file.stat().st_size
    reached = ", ".join(f"{evaluate(written, split.test, iou).mean:.3f} at IoU {iou}" for iou in (0.5, 0.75))
    if isinstance(written, MaskRCNN):
        reached += f", masks {evaluate_masks(written, split.test).mean:.3f} at IoU 0.5"
    full = f"{evaluate(detector, split.test).mean:.3f} before rounding"
    count = sum(parameter.numel() for parameter in written.parameters())
    print(
        f"{name}: mAP {reached} ({full}); {count:,} parameters, {size:,} bytes, "
        f"{history[-1].seconds / 60:.1f} minutes, {torch.get_num_threads()} thread -> {file.name}",
        flush=True,
    )
    return size <= LARGEST


def main() -> int:
    """Train what was asked for; return 1 if a file is too large."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("name", nargs="*", help=f"of {', '.join(ALL_RECIPES)}; without a name, those shipped")
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--into", type=Path, default=WEIGHTS, help="another folder")
    chosen = parser.parse_args()
    for name in chosen.name:
        if name not in ALL_RECIPES:
            parser.error(f"name (={name!r}) must be one of {', '.join(ALL_RECIPES)}")
    torch.set_num_threads(1)
    split, small = scenes(), True
    for name in chosen.name or SHIPPED:
        recipe = ALL_RECIPES[name]
        recipe = replace(recipe, epochs=chosen.epochs or recipe.epochs)
        small &= train(name, recipe, split, chosen.into / weights_file(name).name)
    return 0 if small else 1


if __name__ == "__main__":
    sys.exit(main())
