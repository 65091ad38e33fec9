"""Boxes against sets of pixels, plain loops and examples worked by hand."""

import numpy as np
import pytest

from cnncourse.boxes import box_area, box_iou, box_overlap, nms, nms_steps


def pixels(box, inclusive=False):
    x1, y1, x2, y2 = box
    return {(x, y) for x in range(x1, x2 + inclusive) for y in range(y1, y2 + inclusive)}


def whole_boxes(rng, count, size=9):
    corners = np.sort(rng.integers(0, size, (count, 2, 2)), axis=1)  # (count, start and stop, x and y)
    return corners.reshape(count, 4)


def random_boxes(rng, count, size=20.0):
    start = rng.uniform(0, size, (count, 2))
    return np.hstack([start, start + rng.uniform(0.5, size / 2, (count, 2))])


# first, second, intersection, union
BY_HAND = {
    "the same": ([1, 2, 5, 4], [1, 2, 5, 4], 8, 8),
    "unequal areas": ([0, 0, 4, 4], [2, 1, 12, 3], 4, 32),
    "one inside the other": ([0, 0, 10, 8], [2, 3, 6, 5], 8, 80),
    "apart in x only": ([0, 0, 3, 4], [5, 0, 9, 4], 0, 28),
    "apart in y only": ([0, 0, 4, 3], [0, 5, 4, 9], 0, 28),
    "apart in both": ([0, 0, 2, 2], [5, 6, 8, 9], 0, 13),
    "touching edges": ([0, 0, 4, 4], [4, 0, 8, 4], 0, 32),
    "touching corners": ([0, 0, 4, 4], [4, 4, 5, 6], 0, 18),
    "a cross": ([0, 4, 10, 6], [4, 0, 5, 10], 2, 28),
    "parts of pixels": ([0, 0, 1.5, 1], [0.5, 0, 2, 0.5], 0.5, 1.75),
    "negative places": ([-4, -4, 0, 0], [-2, -3, 2, 1], 6, 26),
    "one without area": ([2, 2, 2, 5], [0, 0, 4, 4], 0, 16),
    "none with area": ([2, 2, 2, 5], [2, 2, 2, 5], 0, 0),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_overlap_by_hand(name):
    first, second, intersection, union = BY_HAND[name]
    for one, other in ((first, second), (second, first)):
        overlap = box_overlap([one], [other])
        assert overlap.intersection.item() == intersection
        assert overlap.union.item() == union
        assert overlap.iou.item() == (intersection / union if union else 0)


@pytest.mark.parametrize("inclusive", [False, True])
def test_overlap_counts_pixels(inclusive):
    rng = np.random.default_rng(1)
    first, second = whole_boxes(rng, 40), whole_boxes(rng, 30)
    overlap = box_overlap(first, second, inclusive)
    assert overlap.iou.shape == (40, 30)
    assert box_area(first, inclusive).tolist() == [len(pixels(one, inclusive)) for one in first]
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            a, b = pixels(one, inclusive), pixels(other, inclusive)
            assert overlap.intersection[i, j] == len(a & b)
            assert overlap.union[i, j] == len(a | b)
            assert overlap.iou[i, j] == (len(a & b) / len(a | b) if a | b else 0)


def test_the_inclusive_convention_changes_the_number():
    """Half-open they touch and share nothing; inclusive they share a column of 5 of the 25 + 25 pixels."""
    assert box_iou([[0, 0, 4, 4]], [[4, 0, 8, 4]]).item() == 0
    assert box_iou([[0, 0, 4, 4]], [[4, 0, 8, 4]], inclusive=True).item() == 5 / 45


def test_iou_does_not_change_with_scale_and_place():
    first, second = random_boxes(np.random.default_rng(2), 20), random_boxes(np.random.default_rng(3), 20)
    expected = box_iou(first, second)
    assert expected.max() > 0.3
    np.testing.assert_allclose(box_iou(first * 7 + 100, second * 7 + 100), expected, atol=1e-12)
    np.testing.assert_allclose(box_iou(second, first).T, expected, atol=1e-12)


def test_empty_lists():
    box = [[0, 0, 1, 1]]
    assert box_area([]).shape == (0,)
    assert box_iou([], box).shape == (0, 1)
    assert box_iou(box, []).shape == (1, 0)
    assert box_iou(np.zeros((0, 4)), []).shape == (0, 0)
    assert nms([], []).tolist() == []
    assert nms_steps([], []) == []


def test_arguments_are_not_changed():
    boxes, scores = random_boxes(np.random.default_rng(4), 6), np.arange(6.0)
    kept = boxes.copy(), scores.copy()
    box_overlap(boxes, boxes), nms(boxes, scores)
    np.testing.assert_array_equal(boxes, kept[0])
    np.testing.assert_array_equal(scores, kept[1])


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ([[0, 0, 1, 1], [4, 0, 3, 1]], r"boxes\[1\] .* ends before it begins"),
        ([[0, 3, 1, 2]], "ends before it begins"),
        ([0, 0, 1, 1], r"shape \(4,\); boxes have shape \(N, 4\)"),
        ([[0, 0, 1]], r"shape \(1, 3\)"),
        ([[0, 0, np.nan, 1]], "finite"),
        ([[0, 0, np.inf, 1]], "finite"),
    ],
)
def test_bad_boxes_are_named(boxes, message):
    with pytest.raises(ValueError, match=message):
        box_area(boxes)
    with pytest.raises(ValueError, match=message.replace("boxes\\[", "boxes2\\[")):
        box_iou([[0, 0, 1, 1]], boxes)


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
