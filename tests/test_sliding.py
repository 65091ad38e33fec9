"""A classifier slid over an image: crop by crop and at once are the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnncourse.detectors.merging import greedy_merge
from cnncourse.detectors.sliding import (
    STRIDE,
    WINDOW,
    classify_at_once,
    classify_crops,
    detect_at_scales,
    fully_convolutional,
    window_classifier,
)


@pytest.fixture(scope="module")
def classifier() -> nn.Sequential:
    torch.manual_seed(0)
    return window_classifier(classes=3, width=4).eval()


@pytest.mark.parametrize("size", [(24, 24), (24, 40), (56, 32), (61, 45)])
def test_all_at_once_gives_what_crop_by_crop_gives(classifier, size):
    """Also where the stride does not divide what is left."""
    image = torch.rand(3, *size)
    slow, where = classify_crops(classifier, image)
    fast, there = classify_at_once(fully_convolutional(classifier), image)
    assert fast.shape == slow.shape
    assert where == there
    torch.testing.assert_close(fast, slow, atol=1e-5, rtol=1e-5)


def test_the_windows_are_where_the_numbers_come_from(classifier):
    """Changing the image outside a window changes nothing for it; inside, it does."""
    image, network = torch.rand(3, 56, 72), fully_convolutional(classifier)
    before, place = classify_at_once(network, image)
    changed = image.clone()
    changed[:, 30:34, 50:54] += 1
    after, _ = classify_at_once(network, changed)
    touched = (before != after).any(dim=-1).flatten().numpy()
    x1, y1, x2, y2 = place.boxes().T
    meets = (x1 < 54) & (x2 > 50) & (y1 < 34) & (y2 > 30)
    assert touched.any() and not touched[~meets].any()
    assert touched[meets].mean() > 0.9


def test_a_larger_image_has_smaller_windows(classifier):
    logits, place = classify_at_once(fully_convolutional(classifier), torch.rand(3, 48, 48), scale=2)
    assert (place.window, place.stride) == (WINDOW / 2, STRIDE / 2)
    assert logits.shape[:2] == (10, 10)
    assert place.boxes().max() == 48


def test_padding_breaks_the_equality():
    """Why the classifier has none: a crop sees zeros where the image goes on."""
    torch.manual_seed(1)
    padded = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(8), nn.Flatten(), nn.Linear(36, 2)
    )
    image = torch.rand(3, 40, 40)
    slow, _ = classify_crops(padded, image)
    fast, _ = classify_at_once(fully_convolutional(padded), image)
    assert slow.shape == fast.shape
    assert (slow - fast).abs().max() > 1e-3


def test_a_dense_layer_that_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"takes 7 numbers.*\(3, 24, 24\)"):
        fully_convolutional(nn.Sequential(nn.Flatten(), nn.Linear(7, 2)))


def test_detections_of_all_scales_are_those_above_the_threshold(classifier):
    image, network = torch.rand(3, 48, 48), fully_convolutional(classifier)
    everything = detect_at_scales(network, image, (1.0, 2.0), least=0.0)
    assert len(everything[0]) == 4 * 4 + 10 * 10
    least = float(np.median(everything[1]))
    boxes, scores, labels = detect_at_scales(network, image, (1.0, 2.0), least)
    assert len(boxes) == len(scores) == len(labels) == (everything[1] >= least).sum()
    assert set(labels.tolist()) <= {0, 1, 2}


def test_merging_keeps_the_sum_of_scores_and_what_stands_alone():
    rng = np.random.default_rng(0)
    centres = np.array([[20, 20], [70, 30], [40, 80]])
    middle = np.repeat(centres, 6, axis=0) + rng.uniform(-1, 1, (18, 2))
    boxes, scores = np.hstack([middle - 8, middle + 8]), rng.uniform(0.2, 1, 18)
    merged, sums = greedy_merge(boxes, scores)
    assert len(merged) == 3
    assert sums.sum() == pytest.approx(scores.sum())
    assert (np.diff(sums) <= 0).all()
    found = (merged[:, :2] + merged[:, 2:]) / 2
    distance = np.linalg.norm(found[:, None] - centres, axis=2)
    assert (distance.min(axis=1) < 1).all()
    assert len(set(distance.argmin(axis=1))) == 3


def test_merging_says_what_is_wrong():
    with pytest.raises(ValueError, match="1 numbers above 0"):
        greedy_merge([[0, 0, 1, 1]], [0.0])
