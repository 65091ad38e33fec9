"""The heads of the R-CNN family by formula: losses, what they learn from, SVMs, regressor, truncated SVD."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnncourse.boxes import box_iou
from cnncourse.detectors.fast_rcnn import multi_task_loss
from cnncourse.detectors.faster_rcnn import FasterRCNN
from cnncourse.detectors.low_rank import saving, shorten, truncated_svd
from cnncourse.detectors.roi_sampling import Plan, draw, sample_rois
from cnncourse.detectors.ssd import decode
from cnncourse.detectors.svm_heads import fit_regressor, fit_svms, lessons

# losses and samples


def test_the_multi_task_loss_is_that_of_the_formula():
    rng = np.random.default_rng(0)
    logits, deltas = rng.normal(size=(5, 4)), rng.normal(size=(5, 3, 4)) * 2
    labels, targets = np.array([2, 3, 0, 3, 1]), rng.normal(size=(5, 4))
    total = 0.0
    for r, label in enumerate(labels):
        total -= logits[r, label] - np.log(np.exp(logits[r]).sum())
        if label < 3:
            off = np.abs(deltas[r, label] - targets[r])
            total += np.where(off < 1, off**2 / 2, off - 0.5).sum()
    found = multi_task_loss(*(torch.from_numpy(values) for values in (logits, deltas, labels, targets)))
    assert float(found) == pytest.approx(total / 5)


def test_only_the_true_class_learns_a_box_and_the_background_none():
    deltas = torch.ones(2, 3, 4, requires_grad=True)
    multi_task_loss(torch.zeros(2, 4), deltas, torch.tensor([1, 3]), torch.zeros(2, 4)).backward()
    assert deltas.grad.abs().sum(dim=2).nonzero().tolist() == [[0, 1]]


def test_a_sample_has_its_share_of_objects_and_says_what_each_region_is():
    boxes = torch.tensor([[[8.0, 8, 24, 24], [30, 30, 50, 60], [0, 0, 0, 0]]])
    labels = torch.tensor([[4, 1, -1]])
    rng = np.random.default_rng(0)
    moved = boxes[0, :2].repeat(30, 1) + torch.from_numpy(rng.uniform(-3, 3, (60, 4))).float()
    start = torch.from_numpy(rng.uniform(0, 40, (60, 2))).float()
    found = torch.cat([moved, torch.cat([start, start + 5], dim=1)])
    sample = sample_rois([found], boxes, labels, 5, Plan(total=40, share=0.25))
    assert len(sample.labels) == 40
    assert (sample.labels < 5).sum() == 10
    overlap = box_iou(sample.rois.boxes.numpy(), boxes[0, :2].numpy())
    for box, label, who, iou in zip(sample.boxes, sample.labels, sample.who, overlap, strict=True):
        if iou.max() < 0.5:
            assert (int(label), int(who), box.tolist()) == (5, -1, [0, 0, 0, 0])
        else:
            best = int(iou.argmax())
            assert (int(label), int(who)) == (int(labels[0, best]), best)
            assert box.tolist() == boxes[0, best].tolist()


def test_a_sample_of_few_proposals_holds_the_objects_themselves():
    boxes, labels = torch.tensor([[[8.0, 8, 24, 24]], [[0, 0, 0, 0]]]), torch.tensor([[2], [-1]])
    found = [torch.zeros(0, 4), torch.tensor([[0.0, 0, 9, 9]])]
    sample = sample_rois(found, boxes, labels, 5)
    assert sample.labels.tolist() == [2, 5]
    assert sample.rois.image.tolist() == [0, 1]
    assert sample.rois.boxes.tolist() == [[8, 8, 24, 24], [0, 0, 9, 9]]


def test_of_each_row_so_many_places_are_drawn_as_it_wants_or_has():
    mask = torch.rand(4, 50, generator=torch.Generator().manual_seed(0)) < 0.3
    there, most = mask.sum(dim=1), torch.tensor([5, 0, 3, 50])
    drawn = [draw(mask, most) for _ in range(200)]
    assert all((one.sum(dim=1) == torch.minimum(most, there)).all() for one in drawn)
    assert not any((one & ~mask).any() for one in drawn)
    share = torch.stack(drawn).float().mean(dim=0)[0, mask[0]]
    torch.testing.assert_close(share, torch.full_like(share, 5 / int(there[0])), atol=0.2, rtol=0)


def test_regions_that_overlap_too_little_to_be_hard_are_left_out():
    boxes, labels = torch.tensor([[[0.0, 0, 20, 20]]]), torch.tensor([[0]])
    found = torch.tensor([[0.0, 0, 20, 8], [40, 40, 60, 60]])
    sample = sample_rois([found], boxes, labels, 5, Plan(least=0.1))
    assert sorted(sample.rois.boxes[:, 0].tolist()) == [0, 0]


# SVMs and regressor


def test_svms_and_regressor_find_what_is_linear():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(600, 8)).astype(np.float32)
    label = (features[:, 0] > 0).astype(int)
    kinds = np.where(np.arange(3) == label[:, None], 1, -1)
    svms = fit_svms(features, kinds, 3)
    said = features @ svms.weight.T + svms.bias
    assert ((said[:, 1] > 0) == (label == 1)).mean() > 0.93
    assert (said[:, 2] < 0).all(), "a class that nothing belongs to is never found"
    true = rng.normal(size=(4, 8)) * 0.01
    regressor = fit_regressor(features * 30, label, (features @ true.T * 30).astype(np.float32), 2)
    np.testing.assert_allclose(regressor.weight.reshape(2, 4, 8), np.stack([true, true]), atol=2e-3)


def test_an_svm_learns_from_objects_and_from_what_is_far_from_its_class():
    """Two objects of classes 3 and 1, then proposals: near the first, a little on it, and nowhere."""
    boxes, classes = torch.tensor([[0.0, 0, 10, 10], [20, 20, 30, 30]]), torch.tensor([3, 1])
    found = torch.tensor([[0.0, 0, 10, 7], [0, 0, 10, 4], [0, 0, 10, 2], [50, 50, 60, 60]])
    kinds, near, labels, deltas = lessons(torch.cat([boxes, found]), boxes, classes, 4)
    assert kinds[:, 3].tolist() == [1, -1, 0, 0, -1, -1]
    assert kinds[:, 1].tolist() == [-1, 1, -1, -1, -1, -1]
    assert (kinds[:, [0, 2]] == -1).all()
    assert (near.tolist(), labels.tolist()) == ([2], [3]), (
        "the regressor learns from the proposal that is near"
    )
    torch.testing.assert_close(decode(deltas, found[:1]), boxes[:1])


def test_regions_of_an_image_without_objects_are_all_counterexamples():
    found = torch.tensor([[0.0, 0, 10, 7], [50, 50, 60, 60]])
    kinds, near, *_ = lessons(found, torch.zeros(0, 4), torch.zeros(0, dtype=torch.long), 3)
    assert (kinds == -1).all()
    assert not len(near)


# truncated SVD


def test_a_layer_of_full_rank_says_the_same_and_a_cut_one_the_nearest():
    torch.manual_seed(0)
    layer, seen = nn.Linear(30, 12).double(), torch.randn(5, 30).double()
    torch.testing.assert_close(truncated_svd(layer, 12).double()(seen), layer(seen), rtol=1e-6, atol=1e-6)
    layer.requires_grad_(False)
    values = torch.linalg.svdvals(layer.weight)
    for rank in (1, 5, 11):
        first, second = truncated_svd(layer, rank)
        off = (second.weight @ first.weight - layer.weight).detach().norm()
        assert float(off) == pytest.approx(float((values[rank:] ** 2).sum().sqrt()), rel=1e-5)
        cost = saving(layer, rank)
        assert cost.error == pytest.approx(float(off / layer.weight.norm()), rel=1e-5)
        assert (cost.whole, cost.cut) == (360, rank * 42)
        assert cost.cut == first.weight.numel() + second.weight.numel()


@pytest.mark.parametrize("rank", [0, 13])
def test_a_rank_that_there_is_not_is_refused(rank: int):
    with pytest.raises(ValueError, match="from 1 to 12"):
        truncated_svd(nn.Linear(30, 12), rank)


def test_layers_in_a_row_are_shortened_one_by_one():
    layers = nn.Sequential(nn.Linear(20, 10), nn.ReLU(), nn.Linear(10, 6))
    seen = torch.randn(3, 20)
    torch.testing.assert_close(shorten(layers, {0: 10})(seen), layers(seen), rtol=1e-4, atol=1e-5)
    assert shorten(layers, {0: 2})[2] is layers[2]


def test_a_way_of_pooling_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="pool, align"):
        FasterRCNN(pool="mean")
