"""Which detection finds which object: by hand, and many at once against one after the other."""

import numpy as np
import pytest
from detection_cases import drawn

from cnncourse.boxes import box_iou
from cnncourse.matching import match_all, match_detections

BOX = [[0, 0, 1, 1]]


def test_a_double_is_a_false_positive():
    """The object is found once, by the detection with the highest score, not by the one that fits best."""
    boxes, objects = [[0, 0, 4, 4], [0, 0, 4, 5], [0, 0, 4, 4]], [[0, 0, 4, 4]]
    for rule in ("voc", "coco"):
        matches = match_detections(boxes, [0.7, 0.9, 0.8], objects, rule=rule)
        assert matches.hit.tolist() == [False, True, False]
        assert matches.match.tolist() == [-1, 0, -1]
        assert not matches.ignored.any()


def test_the_rules_differ_where_the_best_object_is_taken():
    """Both detections lie closest to the first object, and the second of them overlaps the other one enough."""
    objects = [[0, 0, 10, 4], [4, 0, 14, 4]]
    boxes = [[0, 0, 10, 4], [1.5, 0, 11.5, 4]]
    assert box_iou(boxes, objects)[1].round(3).tolist() == [0.739, 0.6]
    assert match_detections(boxes, [0.9, 0.8], objects, rule="voc").match.tolist() == [0, -1]
    assert match_detections(boxes, [0.9, 0.8], objects, rule="coco").match.tolist() == [0, 1]


def test_at_least_the_threshold_is_enough():
    for rule in ("voc", "coco"):
        assert match_detections([[0, 0, 4, 2]], [1.0], [[0, 0, 4, 4]], 0.5, rule=rule).hit.tolist() == [True]
        assert match_detections([[0, 0, 4, 2]], [1.0], [[0, 0, 4, 4]], 0.51, rule=rule).hit.tolist() == [
            False
        ]
        assert match_detections([[0, 0, 4, 4]], [1.0], [[0, 0, 4, 4]], 1.0, rule=rule).hit.tolist() == [True]


def test_ignored_objects_count_for_nobody():
    boxes, objects = [[0, 0, 4, 4], [0, 0, 4, 5], [20, 20, 24, 24]], [[0, 0, 4, 4], [20, 20, 24, 24]]
    for rule in ("voc", "coco"):
        matches = match_detections(boxes, [0.9, 0.8, 0.7], objects, ignored=[True, False], rule=rule)
        assert matches.ignored.tolist() == [True, True, False]
        assert matches.hit.tolist() == [False, False, True]


def test_a_crowd_takes_whoever_is_in_it():
    """COCO: the share of the detection's area. A detection takes an object that counts before any crowd."""
    crowd, person = [0, 0, 40, 40], [2, 2, 6, 6]
    found = [[2, 2, 6, 6], [20, 20, 24, 24], [38, 38, 46, 46]]
    matches = match_detections(found, [0.9, 0.8, 0.7], [crowd, person], ignored=[True, False], rule="coco")
    assert matches.match.tolist() == [1, 0, -1]
    assert matches.ignored.tolist() == [False, True, False]
    assert not match_detections(found, [0.9, 0.8, 0.7], [crowd], ignored=[True], rule="voc").ignored.any()


@pytest.mark.parametrize("rule", ["voc", "coco"])
@pytest.mark.parametrize("inclusive", [False, True])
def test_all_at_once_is_one_after_the_other(rule, inclusive):
    thresholds = np.array([0.1, 0.5, 0.75])
    for seed in range(30):
        detections, objects = drawn(np.random.default_rng(seed), classes=1)
        image = np.repeat(np.arange(6), [len(scores) for _, scores, _ in detections])
        truth_image = np.repeat(np.arange(6), [len(labels) for _, labels, _ in objects])
        boxes, scores = np.vstack([d[0] for d in detections]), np.concatenate([d[1] for d in detections])
        truth, flags = np.vstack([o[0] for o in objects]), np.concatenate([o[2] for o in objects])
        mixed = np.random.default_rng(seed).permutation(
            len(image)
        )  # in one group, equal scores keep their order
        mixed = mixed[np.argsort(image[mixed], kind="stable")] if seed % 2 else np.arange(len(image))
        hit, ignored = match_all(
            image[mixed], boxes[mixed], scores[mixed], truth_image, truth, flags, thresholds, rule, inclusive
        )
        for level, threshold in enumerate(thresholds):
            for number in range(6):
                own, there = mixed[image[mixed] == number], truth_image == number
                expected = match_detections(
                    boxes[own], scores[own], truth[there], threshold, flags[there], rule, inclusive
                )
                assert hit[level, image[mixed] == number].tolist() == expected.hit.tolist()
                assert ignored[level, image[mixed] == number].tolist() == expected.ignored.tolist()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: match_detections(BOX, [], BOX), r"scores has shape \(0,\)"),
        (lambda: match_detections(BOX, [np.nan], BOX), "scores must be numbers"),
        (lambda: match_detections(BOX, [1], BOX, ignored=[True, False]), r"ignored has shape \(2,\)"),
        (lambda: match_detections(BOX, [1], BOX, 1.5), r"iou_threshold \(=1.5\)"),
        (lambda: match_detections(BOX, [1], BOX, rule="kitti"), r"rule \(='kitti'\)"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
