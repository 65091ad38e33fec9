"""Explorers with boxes, without a browser: what they compute, and what they say about a wrong value."""

import numpy as np
import pytest
from traitlets import TraitError

from cnncourse.widgets import AnchorExplorer, BoxExplorer, NMSExplorer, RoIExplorer


def test_box_explorer_computes_the_overlap():
    explorer = BoxExplorer(truth=[0, 0, 4, 4], prediction=np.array([2, 0, 6, 4]))
    assert explorer.prediction == [2, 0, 6, 4]
    assert explorer.overlap == {"intersection": 8, "union": 24, "iou": 8 / 24}
    explorer.inclusive = True
    assert explorer.overlap == {"intersection": 15, "union": 35, "iou": 15 / 35}


def test_the_defaults_show_what_their_questions_ask():
    """More than half is covered and IoU is below 0.5, until it moved by one pixel; thresholds that solve it exist."""
    box = BoxExplorer()
    assert box.overlap["intersection"] / 72 > 0.5 > box.overlap["iou"]
    box.prediction = [6, 4, 15, 12]
    assert box.overlap["iou"] == 0.5
    nms = NMSExplorer()
    assert len(nms.kept) > len(nms.objects)
    assert len(NMSExplorer(iou_threshold=0.4).kept) > 3 < len(NMSExplorer(score_threshold=0.5).kept)
    assert NMSExplorer(iou_threshold=0.4, score_threshold=0.5).kept == [1, 3, 5]
    anchors = AnchorExplorer()
    assert anchors.labels.iou.max() < anchors.positive and (anchors.labels.label == 1).sum() == 1
    anchors.object = [31, 22, 49, 58]  # its centre on that of a cell
    assert anchors.labels.iou.max() > anchors.positive
    rois = RoIExplorer()
    assert rois.pool.iou < 0.5 and rois.align.iou == 1


def test_nms_explorer_computes_the_steps():
    explorer = NMSExplorer(boxes=[[0, 0, 4, 4], [1, 0, 5, 4]], scores=[0.4, 0.6])
    assert [(step.kept, step.suppressed.tolist()) for step in explorer.steps] == [(1, [0])]
    assert explorer.kept == [1]
    explorer.scores = [0.4]
    with pytest.raises(ValueError, match="2 boxes need shape"):
        _ = explorer.steps
    assert NMSExplorer(boxes=[], scores=[]).kept == []


def test_anchor_explorer_computes_anchors_and_labels():
    explorer = AnchorExplorer(rows=2, columns=3, stride=8, scales=[8], ratios=[1, 4], object=[8, 0, 16, 8])
    assert explorer.anchors.shape == (2, 3, 2, 4)
    assert explorer.anchors[0, 1, 0].tolist() == explorer.object
    assert explorer.labels.iou.argmax() == 2 and explorer.labels.label[2] == 1
    assert AnchorExplorer(ratios=[]).labels.label.size == 0


def test_roi_explorer_computes_what_is_read():
    """A slope whose numbers are x of the middles: RoIAlign gives the middles of its bins."""
    slope = dict(RoIExplorer().pictures)["a slope: each number is x of its middle"]
    explorer = RoIExplorer(image=slope, box=[20, 12, 68, 44], output=2, selected=[0, 1])
    assert explorer.features.shape == (4, 6) and explorer.features[0].tolist() == [8, 24, 40, 56, 72, 88]
    assert explorer.align.values.tolist() == [[32, 56], [32, 56]]
    assert explorer.align.region.tolist() == explorer.box and explorer.align.apart == 0
    assert np.argwhere(explorer.align.cells).tolist() == [[0, 2], [0, 3], [0, 4], [1, 2], [1, 3], [1, 4]]
    assert explorer.pool.region.tolist() == [16, 16, 80, 64]
    assert explorer.pool.values.tolist() == [[40, 72], [40, 72]]
    assert np.argwhere(explorer.pool.cells).tolist() == [[1, 3], [1, 4], [2, 3], [2, 4]]
    explorer.half_pixel = False
    assert explorer.align.values.tolist() == [[40, 64], [40, 64]]
    assert explorer.align.region.tolist() == [28, 20, 76, 52]


def test_roi_explorer_is_as_far_off_as_the_detectors_say():
    torch = pytest.importorskip("torch")
    from cnncourse.detectors.quantisation import pool_bins, quantisation_error

    rng = np.random.default_rng(0)
    for stride in (4, 8, 16, 32):
        start = rng.uniform(0, [90, 60])
        box = [*start, *rng.uniform(start, [96, 64])]
        reading = RoIExplorer(box=box, stride=stride, output=int(rng.integers(1, 8))).pool
        how = (torch.tensor([box]), len(reading.values), stride)
        assert reading.apart == pytest.approx(float(quantisation_error(*how).mean()), abs=1e-5)
        bins = pool_bins(*how).reshape(-1, 4)
        assert reading.region.tolist() == [*bins[:, :2].amin(0).tolist(), *bins[:, 2:].amax(0).tolist()]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BoxExplorer(truth=[0, 0, 4]), "truth (=[0, 0, 4]) must be four numbers x1, y1, x2, y2"),
        (lambda: BoxExplorer(truth=[0, 0, 4, np.nan]), "must be four numbers"),
        (
            lambda: BoxExplorer(prediction=[4, 0, 0, 4]),
            "must not end before it begins: x1, y1, x2, y2 is the order",
        ),
        (lambda: BoxExplorer(prediction=[0, 0, 25, 4]), "must lie in the picture, 24 wide and 16 high"),
        (lambda: BoxExplorer(prediction=[-1, 0, 2, 4]), "must lie in the picture"),
        (lambda: BoxExplorer(chosen="both"), "chosen (='both') must be one of 'truth', 'prediction'"),
        (lambda: NMSExplorer(boxes=[[0, 0, 1, 1], [2, 0, 1, 1]]), "box 1 must not end before it begins"),
        (lambda: NMSExplorer(boxes=[[0, 0, 1, 1]] * 13), "must be a list of at most 12 boxes"),
        (
            lambda: NMSExplorer(scores=[0.5, 1.5]),
            "scores (=[0.5, 1.5]) must be at most 12 numbers from 0 to 1",
        ),
        (lambda: NMSExplorer(iou_threshold=2), "iou_threshold (=2) must be a number from 0 to 1"),
        (lambda: AnchorExplorer(ratios=[0]), "ratios (=[0]) must be at most 5 numbers from 0.1 to 10"),
        (lambda: AnchorExplorer(rows=9), "rows (=9) must be a whole number from 1 to 6"),
        (lambda: RoIExplorer(stride=12), "stride (=12) must be one of 4, 8, 16, 32"),
        (lambda: RoIExplorer(box=[0, 0, 97, 64]), "must lie in the picture, 96 wide and 64 high"),
        (lambda: RoIExplorer(image=np.zeros((24, 16))), "has 24 rows; there may be 16 to 16"),
    ],
)
def test_wrong_values_are_named(make, message):
    with pytest.raises(TraitError) as caught:
        make()
    assert message in str(caught.value)
