"""The region proposal network: its targets, its loss, and the proposals that come out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnncourse.anchors import assign_anchors
from cnncourse.boxes import box_deltas, box_iou, nms
from cnncourse.detectors import rpn
from cnncourse.detectors.rpn import RPN
from cnncourse.detectors.tensors import survivors

STRIDE, ROWS = 4, 16


def network(scales: tuple[float, ...] = (10, 16, 25), ratios: tuple[float, ...] = (0.5, 1, 2)) -> RPN:
    torch.manual_seed(0)
    return RPN(8, ROWS, STRIDE, scales, ratios)


def objects(*boxes: tuple[float, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return boxes and labels of two images: the first holds these, the second none."""
    truth = torch.zeros(2, len(boxes) + 1, 4)
    truth[0, : len(boxes)] = torch.tensor(boxes)
    labels = torch.full(truth.shape[:2], -1)
    labels[0, : len(boxes)] = 3
    return truth, labels


def random_boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    start = rng.uniform(0, 30, (count, 2))
    return np.hstack([start, start + rng.uniform(4, 25, (count, 2))]).astype(np.float32)


def test_there_are_nine_anchors_at_every_cell_and_two_outputs_know_them_in_one_order():
    """What one cell says must come out at the places of its own anchors, on maps of any channels."""
    proposer = network()
    assert proposer.anchors.shape == (ROWS * ROWS * 9, 4)
    maps = torch.zeros(1, 8, ROWS, ROWS)
    quiet = proposer.eval()(maps)
    maps[0, :, 2, 5] = 3.0  # row 2, column 5; its neighbours see it too, through the 3x3 convolution
    scores, deltas = proposer(maps)
    for before, after in zip(quiet, (scores, deltas), strict=True):
        changed = (before != after).reshape(len(proposer.anchors), -1).any(dim=1)
        middle = ((proposer.anchors[changed][:, :2] + proposer.anchors[changed][:, 2:]) / 2).round(decimals=3)
        assert set(middle[:, 0].tolist()) == {18.0, 22.0, 26.0}
        assert set(middle[:, 1].tolist()) == {6.0, 10.0, 14.0}
        assert changed.sum() == 81


def test_targets_are_the_assigned_anchors_and_neutral_ones_are_left_out():
    proposer = network()
    boxes, labels = objects((8, 8, 24, 24), (30, 34, 55, 62))
    assigned = assign_anchors(proposer.anchors.numpy(), boxes[0, :2].numpy(), 0.7, 0.3)
    seen_positive = set()
    for seed in range(5):
        torch.manual_seed(seed)
        image, anchor, goal = proposer.targets(boxes, labels)
        first = image == 0
        positive = goal[first][:, 2] > 0
        chosen = anchor[first].numpy()
        np.testing.assert_array_equal(assigned.label[chosen], positive.numpy().astype(int))
        want = boxes[0, torch.from_numpy(assigned.match[chosen])]
        torch.testing.assert_close(goal[first][positive], want[positive])
        assert len(chosen) == rpn.COUNT
        assert len(set(chosen.tolist())) == rpn.COUNT
        assert (image == 1).sum() == rpn.COUNT
        assert not goal[image == 1].any(), "an image without objects has no positive anchor"
        seen_positive |= set(chosen[positive.numpy()].tolist())
    assert seen_positive == set(np.flatnonzero(assigned.label == 1).tolist())


def test_every_object_has_a_positive_anchor():
    """Also a small one, with which no anchor has an IoU of 0.3."""
    proposer = network(scales=(16,), ratios=(1,))
    boxes, labels = objects((10, 10, 26, 26), (30, 40, 36, 46))
    assert box_iou(proposer.anchors.numpy(), boxes[0, :2].numpy()).max(axis=0)[1] < 0.3
    goal = proposer.targets(boxes, labels)[2]
    assert {tuple(box) for box in goal[goal[:, 2] > 0].tolist()} == {(10, 10, 26, 26), (30, 40, 36, 46)}


def test_at_most_half_are_positive(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rpn, "COUNT", 16)
    proposer = network(scales=(14, 15, 16, 17, 18), ratios=(0.9, 1, 1.1))
    boxes, labels = objects((10, 10, 26, 26))
    assert (assign_anchors(proposer.anchors.numpy(), boxes[0, :1].numpy()).label == 1).sum() > 8
    image, _, goal = proposer.targets(boxes, labels)
    assert (goal[image == 0, 2] > 0).sum() == 8
    assert (image == 0).sum() == 16


def test_the_loss_is_that_of_the_formula():
    proposer = network()
    boxes, labels = objects((8, 8, 24, 24))
    rng = np.random.default_rng(0)
    scores = torch.from_numpy(rng.normal(size=(2, len(proposer.anchors)))).float()
    deltas = torch.from_numpy(rng.normal(size=(2, len(proposer.anchors), 4))).float()
    torch.manual_seed(1)
    found = float(proposer.loss(scores, deltas, boxes, labels))
    torch.manual_seed(1)
    image, anchor, goal = (values.numpy() for values in proposer.targets(boxes, labels))
    total = 0.0
    for i, a, g in zip(image, anchor, goal, strict=True):
        chance = 1 / (1 + np.exp(-float(scores[i, a])))
        if g[2] == 0:
            total -= np.log(1 - chance)
            continue
        off = np.abs(deltas[i, a].numpy() - box_deltas(proposer.anchors[a : a + 1].numpy(), g[None])[0])
        smooth = np.where(off < rpn.BETA, off**2 / (2 * rpn.BETA), off - rpn.BETA / 2)
        total += -np.log(chance) + rpn.BALANCE * smooth.sum()
    assert found == pytest.approx(total / len(anchor), rel=1e-5)


def test_numbers_of_neutral_anchors_change_nothing():
    proposer = network()
    boxes, labels = objects((8, 8, 24, 24))
    scores, deltas = torch.zeros(2, len(proposer.anchors)), torch.zeros(2, len(proposer.anchors), 4)
    scores.requires_grad_()
    proposer.loss(scores, deltas, boxes, labels).backward()
    assigned = assign_anchors(proposer.anchors.numpy(), boxes[0, :1].numpy(), 0.7, 0.3).label
    assert not scores.grad[0].numpy()[assigned == -1].any()
    assert (scores.grad[0].numpy()[assigned == 1] < 0).all()


def test_proposals_are_cut_large_enough_apart_and_the_best_first():
    proposer = network()
    rng = np.random.default_rng(2)
    scores = torch.from_numpy(rng.normal(size=(3, len(proposer.anchors)))).float()
    deltas = torch.from_numpy(rng.normal(size=(3, len(proposer.anchors), 4))).float() * 1.5
    for found in proposer.proposals(scores, deltas, before=200, after=30):
        boxes = found.numpy()
        assert 0 < len(boxes) <= 30
        assert boxes.min() >= 0
        assert boxes.max() <= ROWS * STRIDE
        assert (boxes[:, 2:] - boxes[:, :2]).min() >= rpn.LEAST
        assert (box_iou(boxes, boxes) - np.eye(len(boxes))).max() <= rpn.DOUBLE + 1e-6


def test_the_anchor_with_the_highest_score_is_the_first_proposal():
    proposer = network()
    scores = torch.full((1, len(proposer.anchors)), -5.0)
    place = (7 * ROWS + 9) * 9 + 4  # row 7, column 9, the square of the middle size
    scores[0, place] = 2.0
    found = proposer.proposals(scores, torch.zeros(1, len(proposer.anchors), 4), 50, 5)[0]
    assert found[0].tolist() == proposer.anchors[place].tolist() == [30, 22, 46, 38]


@pytest.mark.parametrize("threshold", [0.3, 0.7])
def test_suppression_of_a_batch_is_that_of_each_image(threshold: float):
    rng = np.random.default_rng(3)
    batch = np.stack([random_boxes(rng, 60) for _ in range(4)])
    alive = rng.random((4, 60)) < 0.8
    kept = survivors(torch.from_numpy(batch), torch.from_numpy(alive), threshold).numpy()
    falling = -np.arange(60.0)
    for boxes, part, found in zip(batch, alive, kept, strict=True):
        wanted = np.flatnonzero(part)[nms(boxes[part], falling[part], threshold)]
        np.testing.assert_array_equal(np.flatnonzero(found), np.sort(wanted))


def test_boxes_that_are_suppressed_get_no_proposal_even_if_few_are_asked_for():
    proposer = network()
    scores = torch.arange(len(proposer.anchors), 0, -1.0)[None]
    every = proposer.proposals(scores, torch.zeros(1, len(proposer.anchors), 4), 100, 100)[0]
    few = proposer.proposals(scores, torch.zeros(1, len(proposer.anchors), 4), 100, 3)[0]
    assert few.tolist() == every[:3].tolist()
