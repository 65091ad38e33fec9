"""Non-maximum suppression against plain loops, published examples and examples worked by hand."""

import numpy as np
import pytest

from cnncourse.boxes import batched_nms, box_iou, nms, nms_steps, soft_nms


def random_boxes(rng, count, size=20.0):
    start = rng.uniform(0, size, (count, 2))
    return np.hstack([start, start + rng.uniform(0.5, size / 2, (count, 2))])


# The tests of TensorFlow's non_max_suppression: three clusters of boxes (y1, x1, y2, x2).
CLUSTERS = [
    [0, 0, 1, 1],
    [0, 0.1, 1, 1.1],
    [0, -0.1, 1, 0.9],
    [0, 10, 1, 11],
    [0, 10.1, 1, 11.1],
    [0, 100, 1, 101],
]
CLUSTER_SCORES = [0.9, 0.75, 0.6, 0.95, 0.5, 0.3]
# "Dive into Deep Learning", section 14.4.4: three boxes of a dog and one of a cat.
DOG_AND_CAT = [
    [0.1, 0.08, 0.52, 0.92],
    [0.08, 0.2, 0.56, 0.95],
    [0.15, 0.3, 0.62, 0.91],
    [0.55, 0.2, 0.9, 0.88],
]


def test_published_examples():
    assert nms(CLUSTERS, CLUSTER_SCORES, 0.5).tolist() == [3, 0, 5]
    assert nms(CLUSTERS, CLUSTER_SCORES, 0.5, score_threshold=0.4).tolist() == [3, 0]
    assert batched_nms(DOG_AND_CAT, [0.9, 0.8, 0.7, 0.9], [0, 0, 0, 1], 0.5).tolist() == [0, 3]


def plain_nms(boxes, scores, iou_threshold, score_threshold):
    """As a textbook says it, one pair after the other."""
    order = sorted((i for i in range(len(boxes)) if scores[i] >= score_threshold), key=lambda i: -scores[i])
    kept, by = [], {}
    for i in order:
        for k in kept:
            if box_iou([boxes[k]], [boxes[i]]).item() > iou_threshold:
                by[i] = k
                break
        else:
            kept.append(i)
    return kept, by


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("threshold", [0, 0.2, 0.5, 0.8, 1])
def test_nms_agrees_with_a_plain_loop(seed, threshold):
    rng = np.random.default_rng(seed)
    boxes, scores = random_boxes(rng, 25), rng.integers(0, 20, 25) / 20  # with ties
    expected, by = plain_nms(boxes, scores, threshold, 0.3)
    steps = nms_steps(boxes, scores, threshold, 0.3)
    assert [step.kept for step in steps] == expected
    assert {int(i): step.kept for step in steps for i in step.suppressed} == by
    assert nms(boxes, scores, threshold, 0.3).tolist() == expected


def test_nms_steps_by_hand():
    """B suppresses A and C; D is suppressed by nobody, though C, had it been kept, would have done it."""
    boxes = [
        [0, 0, 4, 4],
        [1, 0, 5, 4],
        [2, 0, 6, 4],
        [3, 0, 7, 4],
    ]  # IoU of neighbours 3/5, of next ones 1/3
    first, second = nms_steps(boxes, [0.6, 0.9, 0.8, 0.7])
    assert (first.kept, first.rivals.tolist(), first.suppressed.tolist()) == (1, [2, 3, 0], [2, 0])
    np.testing.assert_allclose(first.iou, [3 / 5, 1 / 3, 3 / 5])
    assert (second.kept, second.rivals.tolist(), second.suppressed.tolist()) == (3, [], [])


def test_iou_at_the_threshold_does_not_suppress():
    boxes = [[0, 0, 4, 4], [0, 0, 2, 4]]
    assert box_iou(boxes[:1], boxes[1:]).item() == 0.5
    assert nms(boxes, [0.9, 0.8], 0.5).tolist() == [0, 1]
    assert nms(boxes, [0.9, 0.8], 0.499).tolist() == [0]


def test_score_at_the_threshold_takes_part():
    boxes = [[0, 0, 1, 1], [2, 0, 3, 1], [4, 0, 5, 1]]
    assert nms(boxes, [0.3, 0.5, 0.7], score_threshold=0.5).tolist() == [2, 1]
    assert nms(boxes, [-1.0, -3.0, -2.0]).tolist() == [0, 2, 1]  # scores before the sigmoid: all take part


def test_of_equal_scores_the_first_is_kept():
    assert nms([[0, 0, 4, 4], [0, 0, 4, 4], [0, 0, 4, 5]], [0.5, 0.5, 0.5]).tolist() == [0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0, 0, 1, 1]], []), r"scores has shape \(0,\); 1 boxes need shape \(1,\)"),
        (([[0, 0, 1, 1]], [np.nan]), "not NaN"),
        (([[0, 0, 1, 1]], [0.5], 1.5), r"iou_threshold \(=1.5\)"),
        (([[0, 0, 1, 1]], [0.5], -0.1), r"iou_threshold \(=-0.1\)"),
    ],
)
def test_bad_arguments_of_nms_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        nms(*arguments)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("inclusive", [False, True])
def test_the_fast_one_keeps_what_the_steps_keep(seed, inclusive):
    rng = np.random.default_rng(seed)
    boxes, scores = np.floor(random_boxes(rng, 300, 30)), rng.integers(0, 50, 300) / 50
    boxes[:20, 2:] = boxes[:20, :2]  # some without area
    for threshold in (0.0, 0.3, 0.5, 0.9, 1.0):
        expected = [step.kept for step in nms_steps(boxes, scores, threshold, 0.1, inclusive)]
        assert nms(boxes, scores, threshold, 0.1, inclusive).tolist() == expected


def test_the_inclusive_convention_suppresses_more():
    """Side by side they share nothing; with both ends counted a column of 2 of 4 pixels in all: IoU 1/3."""
    boxes = [[0, 0, 1, 1], [1, 0, 2, 1]]
    assert nms(boxes, [0.9, 0.8], 0.3).tolist() == [0, 1]
    assert nms(boxes, [0.9, 0.8], 0.3, inclusive=True).tolist() == [0]


def test_classes_do_not_suppress_each_other():
    rng = np.random.default_rng(7)
    boxes, labels = random_boxes(rng, 60), rng.integers(0, 4, 60)
    scores = rng.integers(0, 30, 60) / 30
    kept = batched_nms(boxes, scores, labels, 0.3, score_threshold=0.2)
    for label in range(4):
        own = np.flatnonzero(labels == label)
        expected = own[nms(boxes[own], scores[own], 0.3, 0.2)]
        assert [i for i in kept if labels[i] == label] == expected.tolist()
    order = [(-scores[i], i) for i in kept]
    assert order == sorted(order)
    assert len(kept) > len(nms(boxes, scores, 0.3, 0.2))
    assert batched_nms([], [], []).tolist() == []


def test_soft_published_example():
    """TensorFlow halves the exponent: its sigma 0.5 is 1 in the paper's formula."""
    kept, scores = soft_nms(CLUSTERS, CLUSTER_SCORES, sigma=1.0, score_threshold=0.0)
    assert kept.tolist() == [3, 0, 1, 5, 4, 2]
    np.testing.assert_allclose(scores, [0.95, 0.9, 0.384, 0.3, 0.256, 0.197], atol=1e-3)
    assert soft_nms(CLUSTERS, CLUSTER_SCORES, sigma=1.0, score_threshold=0.299).kept.tolist() == [3, 0, 1, 5]


def test_soft_linear_by_hand():
    """IoU 1/2 with the best and above 0.4: 0.8 becomes 0.4. IoU 1/4 is not above: 0.7 stays."""
    boxes = [[0, 0, 4, 4], [0, 0, 4, 2], [0, 0, 2, 2]]
    kept, scores = soft_nms(boxes, [0.9, 0.8, 0.7], "linear", iou_threshold=0.4)
    assert kept.tolist() == [0, 2, 1]
    np.testing.assert_allclose(scores, [0.9, 0.7, 0.8 * 0.5 * 0.5])  # and by the third, IoU 1/2 again


@pytest.mark.parametrize("seed", range(3))
def test_soft_of_the_hard_kind_is_nms(seed):
    rng = np.random.default_rng(seed)
    boxes, scores = random_boxes(rng, 50), rng.uniform(0.01, 1, 50)
    for threshold in (0.2, 0.6):
        kept, lowered = soft_nms(boxes, scores, "hard", threshold)
        assert kept.tolist() == nms(boxes, scores, threshold).tolist()
        np.testing.assert_array_equal(lowered, scores[kept])


def test_soft_never_raises_a_score():
    rng = np.random.default_rng(3)
    boxes, scores = random_boxes(rng, 40), rng.uniform(0, 1, 40)
    before = scores.copy()
    for method in ("gaussian", "linear"):
        kept, lowered = soft_nms(boxes, scores, method, score_threshold=0.0)
        assert (lowered <= scores[kept]).all() and (np.diff(lowered) <= 0).all()
        assert (lowered < scores[kept]).any()
    np.testing.assert_array_equal(scores, before)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: batched_nms([[0, 0, 1, 1]], [1], []), r"labels has shape \(0,\); 1 boxes"),
        (lambda: batched_nms([], [], [], 2), r"iou_threshold \(=2\)"),
        (lambda: soft_nms([[0, 0, 1, 1]], [0.5], "cosine"), r"method \(='cosine'\)"),
        (lambda: soft_nms([[0, 0, 1, 1]], [0.5], sigma=0), r"sigma \(=0\)"),
        (lambda: soft_nms([[0, 0, 1, 1]], [-0.5], score_threshold=-1), "scores hold -0.5"),
    ],
)
def test_what_the_kinds_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()
