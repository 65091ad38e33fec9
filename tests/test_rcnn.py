"""Every detector of the R-CNN family learns, is stored as it is, and stands what is not there."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch

from cnncourse.data.scenes import SPARSE, Scenes, make_scenes
from cnncourse.detectors.augment import augment
from cnncourse.detectors.fast_rcnn import FastRCNN
from cnncourse.detectors.faster_rcnn import FasterRCNN
from cnncourse.detectors.four_steps import train_in_four_steps
from cnncourse.detectors.mask_rcnn import MaskRCNN
from cnncourse.detectors.mask_scoring import MaskScoringRCNN
from cnncourse.detectors.rcnn import RCNN
from cnncourse.detectors.searched import Search, Searched
from cnncourse.detectors.sppnet import SPPnet
from cnncourse.detectors.training import evaluate, evaluate_masks, train
from cnncourse.detectors.two_stage import PARTS, RegionDetector

SIZE = 64
SEARCHED = (RCNN, SPPnet, FastRCNN)
ALL = (*SEARCHED, FasterRCNN, MaskRCNN, MaskScoringRCNN)
SEARCH = Search()  # one for all: it remembers the few scenes of these tests
each = pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    return make_scenes(32, SIZE, SPARSE, seed=3)


def small(kind: type[RegionDetector], seed: int = 0, width: int = 4) -> RegionDetector:
    torch.manual_seed(seed)
    detector = kind(width=width)
    if isinstance(detector, Searched):
        detector.search = SEARCH
    return detector


def batch(detector: RegionDetector, scenes: Scenes) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    scenes = detector.prepare(scenes, None)
    images = torch.from_numpy(scenes.images).float() / 255
    if detector.learns_masks:
        images = torch.cat([images, torch.from_numpy(scenes.instances)[:, None].float()], dim=1)
    return images, torch.from_numpy(scenes.boxes).float(), torch.from_numpy(scenes.labels)


# proposals from selective search


def test_proposals_travel_behind_the_objects_and_turn_with_them(scenes: Scenes):
    detector = small(FastRCNN)
    some = scenes[:3]
    images, boxes, labels = batch(detector, some)
    proposals, true_boxes, true_labels = detector.apart(boxes, labels)
    for number, (image, (wanted, kinds)) in enumerate(zip(images, some.objects(), strict=True)):
        assert torch.equal(proposals[number], SEARCH(image))
        there = true_labels[number] >= 0
        np.testing.assert_allclose(true_boxes[number, there].numpy(), wanted, rtol=1e-6)
        np.testing.assert_array_equal(true_labels[number, there].numpy(), kinds)
    for seed in range(4):
        _, where = augment(images, boxes, labels, torch.Generator().manual_seed(seed))
        together = torch.cat([boxes, torch.zeros(3, 1, 4)], dim=1)
        _, wanted = augment(
            images, together, torch.zeros(3, together.shape[1]), torch.Generator().manual_seed(seed)
        )
        for number, one in enumerate(detector.apart(where, labels)[0]):
            assert torch.equal(one, wanted[number, :-1][labels[number] == detector.classes])


def test_a_search_that_remembers_gives_the_same_again():
    image = torch.from_numpy(make_scenes(1, SIZE, SPARSE, seed=9).images[0]).float() / 255
    search = Search()
    assert search(image) is search(image)
    torch.testing.assert_close(search(image), Search(remember=False)(image))


def test_sppnet_keeps_the_convolutions_that_it_starts_from(scenes: Scenes):
    donor, detector = small(RCNN, seed=1), small(SPPnet, seed=2)
    detector.start_from(donor)
    before = deepcopy(donor.trunk.state_dict())
    train(detector, scenes[:8], epochs=1, batch=8, show=None)
    for name, values in detector.trunk.state_dict().items():
        torch.testing.assert_close(values, before[name], rtol=0, atol=0)


# every detector


@pytest.mark.parametrize(
    ("kind", "epochs"),
    [(RCNN, 12), (FastRCNN, 24), (MaskScoringRCNN, 22)],
    ids=["RCNN", "FastRCNN", "MaskScoringRCNN"],
)
def test_it_learns_a_few_scenes_by_heart(kind: type[RegionDetector], epochs: int, scenes: Scenes):
    """The others share their layers and losses with these; that each can learn is the next test."""
    some, detector, lines = scenes[:16], small(kind), []
    before = evaluate(detector, some).mean
    history = train(detector, some, epochs, batch=8, learning_rate=6e-3, show=lines.append)
    assert evaluate(detector, some).mean > before + 0.1
    assert len(history) == sum(line.startswith("epoch") for line in lines) == epochs
    if isinstance(detector, MaskRCNN):
        assert evaluate_masks(detector, some).mean > 0.05


@each
def test_the_loss_falls_along_the_gradient(kind: type[RegionDetector], scenes: Scenes):
    """One step, on the same regions of the same scenes."""
    detector = small(kind).eval()
    given = batch(detector, scenes[:8])
    torch.manual_seed(0)
    loss = detector.loss(*given)
    loss.backward()
    with torch.no_grad():
        gradients = [(one, one.grad) for one in detector.parameters() if one.grad is not None]
        norm = torch.sqrt(sum((gradient**2).sum() for _, gradient in gradients))
        for parameter, gradient in gradients:
            parameter -= 1e-4 * gradient / norm
        torch.manual_seed(0)
        assert detector.loss(*given) < loss


@each
def test_a_file_gives_the_same_detector_back(kind: type[RegionDetector], scenes: Scenes, tmp_path: Path):
    detector = small(kind)
    detector.save(tmp_path / "weights.npz")
    loaded = kind.load(tmp_path / "weights.npz")
    if isinstance(loaded, Searched):
        loaded.search = SEARCH
    for one, other in zip(detector.detect(scenes.images[:3]), loaded.detect(scenes.images[:3]), strict=True):
        for values, others in zip(one, other, strict=True):
            np.testing.assert_array_equal(values, others)


@each
def test_detections_lie_in_the_image_and_every_part_takes_time(kind: type[RegionDetector], scenes: Scenes):
    detector = small(kind)
    for found in detector.detect(scenes.images[:3], score_threshold=0.0):
        assert len(found.boxes) == len(found.scores) == len(found.labels) > 0
        assert found.boxes.min() >= 0
        assert found.boxes.max() <= SIZE
        assert (np.diff(found.scores) <= 0).all()
    assert set(detector.seconds) == set(PARTS)
    assert min(detector.seconds.values()) > 0
    detector.reset_clock()
    assert not any(detector.seconds.values())


@each
def test_a_batch_without_any_object_has_a_finite_loss_and_gradient(kind: type[RegionDetector]):
    detector = small(kind)
    images = torch.rand(2, 3 + detector.learns_masks, SIZE, SIZE)
    boxes, labels = torch.zeros(2, 3, 4), torch.full((2, 3), -1)
    if isinstance(detector, Searched):
        boxes[:, 2], labels[:, 2] = torch.tensor([3.0, 4, 30, 20]), detector.classes
    loss = detector.loss(images, boxes, labels)
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in detector.parameters() if p.grad is not None)


@each
def test_an_image_in_which_nothing_is_proposed_has_no_detections(kind: type[RegionDetector]):
    detector = small(kind).eval()
    detector.propose = lambda images, maps: [torch.zeros(0, 4), torch.tensor([[3.0, 4, 30, 20]])]
    empty, one = detector.detect(torch.rand(2, 3, SIZE, SIZE), score_threshold=0.0)
    assert len(empty.boxes) == 0
    assert len(one.boxes) > 0
    detector.propose = lambda images, maps: [torch.zeros(0, 4)] * 2
    assert [len(found.boxes) for found in detector.detect(torch.rand(2, 3, SIZE, SIZE))] == [0, 0]
    if isinstance(detector, MaskRCNN):
        assert detector.detect_masks(torch.rand(1, 3, SIZE, SIZE), batch=1)[0].masks.shape == (0, SIZE, SIZE)


def test_four_steps_end_with_one_map_for_both(scenes: Scenes):
    detector = small(FasterRCNN)
    seen: dict[str, dict[str, torch.Tensor]] = {}

    def watch(line: str) -> None:
        if line.startswith("step"):
            seen[line] = deepcopy(detector.state_dict())

    history = train_in_four_steps(detector, scenes[:16], (1, 1, 1, 1), show=watch, batch=16)
    assert [len(step) for step in history] == [1, 1, 1, 1]
    _, _, third, fourth = seen.values()
    last = detector.state_dict()
    for name, values in last.items():
        same = [torch.equal(values, before[name]) for before in (third, fourth)]
        if name.startswith("trunk"):
            assert all(same), f"{name} learned in step 3 or 4"
        elif name.startswith("rpn"):
            assert same[1], f"{name} learned in step 4"
    assert any(not torch.equal(last[name], fourth[name]) for name in last if name.startswith("head"))
    assert any(not torch.equal(third[name], fourth[name]) for name in last if name.startswith("rpn"))
    assert all(parameter.requires_grad for parameter in detector.parameters())
