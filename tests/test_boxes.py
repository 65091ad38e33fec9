"""Boxes against sets of pixels, plain loops and examples worked by hand."""

import numpy as np
import pytest

from cnncourse.boxes import (
    apply_deltas,
    box_area,
    box_ciou,
    box_convert,
    box_deltas,
    box_diou,
    box_giou,
    box_iou,
    box_overlap,
    clip_boxes,
    nms,
    nms_steps,
)


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


def test_formats_by_hand():
    """A box 4 wide and 2 high whose left upper corner is at (2, 1)."""
    formats = {"xyxy": [[2, 1, 6, 3]], "xywh": [[2, 1, 4, 2]], "cxcywh": [[4, 2, 4, 2]]}
    for source, given in formats.items():
        for target, expected in formats.items():
            assert box_convert(given, source, target).tolist() == expected
    assert box_convert([], "xywh", "xyxy").shape == (0, 4)


@pytest.mark.parametrize("fmt", ["xywh", "cxcywh"])
def test_formats_there_and_back(fmt):
    boxes = random_boxes(np.random.default_rng(5), 30)
    np.testing.assert_allclose(box_convert(box_convert(boxes, "xyxy", fmt), fmt, "xyxy"), boxes, atol=1e-12)


def test_clipped_boxes_lie_in_the_image():
    """Rows and columns differ: an image 48 high and 64 wide."""
    boxes = [[-5, -6, 10, 20], [60, 40, 70, 50], [-9, 2, -3, 4], [70, 60, 80, 90], [1, 2, 3, 4]]
    expected = [[0, 0, 10, 20], [60, 40, 64, 48], [0, 2, 0, 4], [64, 48, 64, 48], [1, 2, 3, 4]]
    assert clip_boxes(boxes, height=48, width=64).tolist() == expected


# first, second, GIoU, DIoU
FURTHER = {
    "the same": ([1, 2, 5, 4], [1, 2, 5, 4], 1, 1),
    "side by side": ([0, 0, 2, 2], [2, 0, 4, 2], 0, -4 / 20),
    "apart": ([0, 0, 2, 2], [6, 0, 8, 2], -8 / 16, -36 / 68),
    "further apart": ([0, 0, 2, 2], [8, 0, 10, 2], -12 / 20, -64 / 104),
    "at a corner": ([0, 0, 3, 4], [3, 4, 6, 8], -24 / 48, -25 / 100),
    "one inside the other": ([0, 0, 10, 8], [2, 3, 6, 5], 8 / 80, 8 / 80 - 1 / 164),
    "two points in one place": ([1, 1, 1, 1], [1, 1, 1, 1], 0, 0),
}


@pytest.mark.parametrize("name", FURTHER)
def test_generalized_and_distance_iou_by_hand(name):
    first, second, generalized, distance = FURTHER[name]
    for one, other in ((first, second), (second, first)):
        assert box_giou([one], [other]).item() == pytest.approx(generalized, abs=1e-12)
        assert box_diou([one], [other]).item() == pytest.approx(distance, abs=1e-12)


def test_complete_iou_by_hand():
    """Centres and IoU as below; 4 x 2 against 4 x 4: (atan 2 - atan 1)^2 * 4 / pi^2 = v, weighted v / (1 - IoU + v)."""
    v = 4 / np.pi**2 * (np.arctan(2) - np.arctan(1)) ** 2
    assert box_ciou([[0, 0, 4, 4]], [[0, 1, 4, 3]]).item() == pytest.approx(0.5 - v * v / (0.5 + v))
    v = 4 / np.pi**2 * (np.arctan(1 / 3) - np.arctan(5 / 2)) ** 2
    apart = box_diou([[0, 0, 1, 3]], [[9, 9, 14, 11]]).item()
    assert box_ciou([[0, 0, 1, 3]], [[9, 9, 14, 11]]).item() == pytest.approx(apart - v * v / (1 + v))
    flat = [[0, 0, 4, 0]]
    assert np.isfinite(box_ciou(flat, [[0, 0, 0, 4]])).all()


def test_the_three_are_ordered_and_bounded():
    first, second = random_boxes(np.random.default_rng(6), 40), random_boxes(np.random.default_rng(7), 30)
    iou, giou, diou, ciou = (measure(first, second) for measure in (box_iou, box_giou, box_diou, box_ciou))
    assert giou.shape == diou.shape == ciou.shape == (40, 30)
    assert (ciou <= diou).all() and (diou <= iou).all() and (giou <= iou).all()
    assert giou.min() > -1 and diou.min() > -1 and (giou < 0).any() and (diou < 0).any()
    for measure in (box_giou, box_diou, box_ciou):
        np.testing.assert_allclose(
            measure(first * 7 + 100, second * 7 + 100), measure(first, second), atol=1e-9
        )
        np.testing.assert_allclose(measure(second, first).T, measure(first, second), atol=1e-12)
        np.testing.assert_allclose(np.diag(measure(first, first)), 1)
        whole = np.floor(first[:9])
        widened = whole + np.array([0, 0, 1, 1])
        np.testing.assert_allclose(measure(whole, whole, True), measure(widened, widened), atol=1e-12)


def test_deltas_by_hand():
    """The centre moves by half the anchor's width and a quarter of its height; twice as wide, half as high."""
    anchor, box = [[0, 0, 10, 20]], [[0, 10, 20, 20]]
    np.testing.assert_allclose(box_deltas(anchor, box), [[0.5, 0.25, np.log(2), -np.log(2)]])
    np.testing.assert_allclose(apply_deltas(anchor, [[0.5, 0.25, np.log(2), -np.log(2)]]), box, atol=1e-12)
    scaled = box_deltas(anchor, box, stds=(0.1, 0.1, 0.2, 0.2))
    np.testing.assert_allclose(scaled, [[5, 2.5, 5 * np.log(2), -5 * np.log(2)]])


def test_deltas_there_and_back():
    rng = np.random.default_rng(8)
    anchors, boxes = random_boxes(rng, 50), random_boxes(rng, 50)
    for stds in ((1, 1, 1, 1), (0.1, 0.2, 0.3, 0.4)):
        np.testing.assert_allclose(
            apply_deltas(anchors, box_deltas(anchors, boxes, stds), stds), boxes, atol=1e-9
        )
    np.testing.assert_array_equal(box_deltas(anchors, anchors), np.zeros((50, 4)))
    assert box_deltas([], []).shape == apply_deltas([], np.zeros((0, 4))).shape == (0, 4)


def test_no_delta_makes_a_box_without_end():
    wide = apply_deltas([[0, 0, 16, 16]], [[0, 0, 800, -800]])
    assert (wide[0, 2] - wide[0, 0]) == pytest.approx(1000)
    assert np.isfinite(wide).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: box_convert([[0, 0, 1, 1]], "xyxy", "yxyx"), r"out_fmt \(='yxyx'\)"),
        (lambda: box_convert([[0, 0, 1, 1], [0, 0, -1, 1]], "xywh", "xyxy"), r"boxes\[1\] .* negative width"),
        (lambda: clip_boxes([[0, 0, 1, 1]], 0, 5), r"height \(=0\)"),
        (lambda: box_deltas([[0, 0, 1, 1]], []), "1 anchors and 0 boxes"),
        (lambda: box_deltas([[0, 0, 1, 1]], [[2, 2, 2, 5]]), r"boxes\[0\] .* no width"),
        (lambda: box_deltas([[2, 5, 4, 5]], [[0, 0, 1, 1]]), r"anchors\[0\] .* no height"),
        (lambda: apply_deltas([[0, 0, 1, 1]], [[0, 0, np.inf, 0]]), "deltas must be finite"),
        (lambda: apply_deltas([[0, 0, 1, 1]], [[0, 0, 0]]), r"deltas has shape \(1, 3\)"),
        (lambda: box_deltas([[0, 0, 1, 1]], [[0, 0, 1, 1]], (1, 0, 1, 1)), "four numbers above 0"),
    ],
)
def test_what_else_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
