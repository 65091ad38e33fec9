"""Anchors against plain loops and examples worked by hand."""

import numpy as np
import pytest

from cnncourse.anchors import IGNORED, NEGATIVE, POSITIVE, anchor_grid, assign_anchors, generate_anchors
from cnncourse.boxes import box_area, box_iou


def test_ratio_is_height_over_width_and_the_area_is_kept():
    anchors = generate_anchors([32, 64], [0.5, 1, 3])
    width, height = anchors[:, 2] - anchors[:, 0], anchors[:, 3] - anchors[:, 1]
    np.testing.assert_allclose(height / width, [0.5, 0.5, 1, 1, 3, 3])
    np.testing.assert_allclose(box_area(anchors), [32**2, 64**2] * 3)
    np.testing.assert_allclose(anchors[:, :2], -anchors[:, 2:])  # centred on the origin


def test_anchors_by_hand():
    """Scale 6 and ratio 4: 12 high, 3 wide, area 36."""
    np.testing.assert_allclose(generate_anchors([6], [4, 1 / 4]), [[-1.5, -6, 1.5, 6], [-6, -1.5, 6, 1.5]])
    assert generate_anchors([], [1]).shape == (0, 4)


def test_grid_puts_a_copy_at_the_centre_of_every_cell():
    anchors = generate_anchors([8, 16], [1, 2])
    grid = anchor_grid(anchors, rows=3, columns=5, stride=(10, 8))
    assert grid.shape == (3, 5, 4, 4)
    for row in range(3):
        for column in range(5):
            x, y = column * 8 + 4, row * 10 + 5
            for k, (x1, y1, x2, y2) in enumerate(anchors):
                np.testing.assert_allclose(grid[row, column, k], [x + x1, y + y1, x + x2, y + y2])


def plain_labels(anchors, objects, positive, negative):
    iou = [[box_iou([a], [o]).item() for o in objects] for a in anchors]
    labels = []
    for row in iou:
        best = any(row[j] > 0 and abs(row[j] - max(r[j] for r in iou)) < 1e-9 for j in range(len(objects)))
        if best or max(row) >= positive:
            labels.append(POSITIVE)
        else:
            labels.append(NEGATIVE if max(row) < negative else IGNORED)
    return labels, [row.index(max(row)) for row in iou], [max(row) for row in iou]


@pytest.mark.parametrize("seed", range(10))
def test_labels_agree_with_a_plain_loop(seed):
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, 60, (3, 2))
    objects = np.hstack([start, start + rng.uniform(4, 30, (3, 2))])
    anchors = anchor_grid(generate_anchors([12, 24], [0.5, 1, 2]), 3, 5, 16).reshape(-1, 4)
    for positive, negative in ((0.7, 0.3), (0.5, 0.4), (0.4, 0.4), (1, 0)):
        found = assign_anchors(anchors, objects, positive, negative)
        label, match, iou = plain_labels(anchors, objects, positive, negative)
        assert found.label.tolist() == label
        assert found.match.tolist() == match
        np.testing.assert_allclose(found.iou, iou)


def test_best_anchor_matches_in_any_case():
    """IoU 1/4 and 1/8: both below the lower threshold, and still the object gets one anchor."""
    found = assign_anchors([[0, 0, 8, 4], [0, 0, 8, 8], [40, 0, 48, 8]], [[0, 0, 4, 2]])
    np.testing.assert_allclose(found.iou, [1 / 4, 1 / 8, 0])
    assert found.label.tolist() == [POSITIVE, NEGATIVE, NEGATIVE]


def test_each_object_gets_its_best_anchor():
    found = assign_anchors([[0, 0, 9, 9], [20, 0, 29, 9]], [[0, 0, 3, 3], [20, 0, 23, 9]])
    assert found.label.tolist() == [POSITIVE, POSITIVE]
    assert found.match.tolist() == [0, 1]


def test_tied_best_anchors_all_match():
    """The object lies in the middle between four cells; moved to the right, only the right ones match."""
    anchors = anchor_grid(generate_anchors([1 / 3], [1]), 2, 2, 1).reshape(-1, 4) * 10
    middle = np.array([[5, 5, 15, 15]]) + 0.1 - 0.1
    assert assign_anchors(anchors, middle).label.tolist() == [POSITIVE] * 4
    assert assign_anchors(anchors, middle + np.array([1, 0, 1, 0])).label.tolist() == [NEGATIVE, POSITIVE] * 2


def test_an_object_that_no_anchor_touches_matches_none():
    found = assign_anchors([[0, 0, 4, 4], [4, 0, 8, 4]], [[8, 0, 12, 4]])
    assert found.label.tolist() == [NEGATIVE, NEGATIVE]


def test_both_thresholds_at_their_very_value():
    """At least the upper one is positive; below the lower one is negative, so the lower one itself is ignored."""
    anchors = [[0, 0, 10, 10], [0, 0, 10, 5], [0, 0, 5, 5]]  # IoU 1, 1/2, 1/4
    assert assign_anchors(anchors, anchors[:1], 0.5, 0.25).label.tolist() == [POSITIVE, POSITIVE, IGNORED]
    assert assign_anchors(anchors, anchors[:1], 0.51, 0.26).label.tolist() == [POSITIVE, IGNORED, NEGATIVE]


def test_without_objects_or_anchors():
    found = assign_anchors([[0, 0, 4, 4], [1, 1, 2, 2]], [])
    assert found.label.tolist() == [NEGATIVE, NEGATIVE]
    assert found.match.tolist() == [-1, -1]
    assert found.iou.tolist() == [0, 0]
    assert [part.shape for part in assign_anchors([], [[0, 0, 4, 4]])] == [(0,)] * 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: generate_anchors([8, 0], [1]), r"scales \(=\[8, 0\]\)"),
        (lambda: generate_anchors([8], [1, -2]), r"ratios \(=\[1, -2\]\)"),
        (lambda: anchor_grid([[-1, -1, 1, 1]], 0, 3, 16), r"rows \(=0\)"),
        (lambda: anchor_grid([[-1, -1, 1, 1]], 2, 3, (16, 0)), "stride"),
        (lambda: assign_anchors([], [], 0.3, 0.7), r"negative \(=0.7\) must not be above positive \(=0.3\)"),
        (lambda: assign_anchors([], [], 1.2, 0.3), r"positive \(=1.2\)"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
