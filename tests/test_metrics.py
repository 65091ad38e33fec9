"""Average precision: by hand, against a published example, plain code and pycocotools."""

import contextlib
import io

import numpy as np
import pytest
from detection_cases import drawn

from cnncourse.matching import match_detections
from cnncourse.metrics import (
    COCO_THRESHOLDS,
    average_precision,
    coco_average_precision,
    mean_average_precision,
    precision_recall,
)

# The example of github.com/rafaelpadilla/Object-Detection-Metrics: 7 images, boxes as x, y, width, height.
OBJECTS = [
    [[25, 16, 38, 56], [129, 123, 41, 62]],
    [[123, 11, 43, 55], [38, 132, 59, 45]],
    [[16, 14, 35, 48], [123, 30, 49, 44], [99, 139, 47, 47]],
    [[53, 42, 40, 52], [154, 43, 31, 34]],
    [[59, 31, 44, 51], [48, 128, 34, 52]],
    [[36, 89, 52, 76], [62, 58, 44, 67]],
    [[28, 31, 55, 63], [58, 67, 50, 58]],
]
FOUND = [
    [[5, 67, 31, 48, 0.88], [119, 111, 40, 67, 0.70], [124, 9, 49, 67, 0.80]],
    [[64, 111, 64, 58, 0.71], [26, 140, 60, 47, 0.54], [19, 18, 43, 35, 0.74]],
    [
        [109, 15, 77, 39, 0.18],
        [86, 63, 46, 45, 0.67],
        [160, 62, 36, 53, 0.38],
        [105, 131, 47, 47, 0.91],
        [18, 148, 40, 44, 0.44],
    ],
    [[83, 28, 28, 26, 0.35], [28, 68, 42, 67, 0.78], [87, 89, 25, 39, 0.45], [10, 155, 60, 26, 0.14]],
    [[50, 38, 28, 46, 0.62], [95, 11, 53, 28, 0.44], [29, 131, 72, 29, 0.95], [29, 163, 72, 29, 0.23]],
    [[43, 48, 74, 38, 0.45], [17, 155, 29, 35, 0.84], [95, 110, 25, 42, 0.43]],
    [[16, 20, 101, 88, 0.48], [33, 116, 37, 49, 0.95]],
]


def published():
    def corners(rows):
        rows = np.array(rows, dtype=float)
        return np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:4]])

    detections = [(corners(rows), [row[4] for row in rows], [0] * len(rows)) for rows in FOUND]
    return detections, [(corners(rows), [0] * len(rows)) for rows in OBJECTS]


@pytest.mark.parametrize("rule", ["voc", "coco"])
def test_published_example(rule):
    """24.57 % by all points and 26.84 % by 11, as printed there; half-open boxes give 22.54 %."""

    def percent(**options):
        return round(100 * mean_average_precision(*published(), 0.3, rule=rule, **options).mean, 2)

    assert percent(inclusive=True) == 24.57
    assert percent(inclusive=True, points=11) == 26.84
    assert percent() == 22.54


def test_published_example_step_by_step():
    detections, objects = published()
    hits = [
        match_detections(boxes, scores, truth, 0.3, inclusive=True).hit
        for (boxes, scores, _), (truth, _) in zip(detections, objects, strict=True)
    ]
    letters = np.array(list("ABCDEFGHIJKLMNOPQRSTUVXY"))
    assert "".join(letters[np.concatenate(hits)]) == "BEGJPRX"  # the true positives of its first table
    scores = np.concatenate([scores for _, scores, _ in detections])
    recall, precision, _ = precision_recall(scores, np.concatenate(hits), objects=15)
    np.testing.assert_allclose(precision[:5], [1, 1 / 2, 2 / 3, 2 / 4, 2 / 5])
    np.testing.assert_allclose(recall[[0, 2, 9, 23]], [1 / 15, 2 / 15, 3 / 15, 7 / 15])


def test_average_precision_by_hand():
    """Found, missed, found of 4 objects: precision 1 up to recall 1/4, then 2/3 up to 1/2, then 0."""
    recall, precision, scores = precision_recall([0.7, 0.9, 0.8], [True, True, False], objects=4)
    assert scores.tolist() == [0.9, 0.8, 0.7]
    assert average_precision(recall, precision) == pytest.approx(1 / 4 + 2 / 3 / 4)
    assert average_precision(recall, precision, 11) == pytest.approx((3 * 1 + 3 * 2 / 3) / 11)
    assert average_precision(recall, precision, 101) == pytest.approx((26 * 1 + 25 * 2 / 3) / 101)


def test_eleven_points_where_recall_is_a_tenth():
    """3 of 10 found: recall 0.3 is reached exactly, so four of the eleven points see a precision of 1."""
    recall, precision, _ = precision_recall([0.9, 0.8, 0.7], [True] * 3, objects=10)
    assert average_precision(recall, precision, 11) == pytest.approx(4 / 11)


def test_average_precision_of_none_and_of_all():
    for points in (None, 11, 101):
        assert average_precision([], [], points) == 0
        assert average_precision([0.5, 1.0], [1.0, 1.0], points) == pytest.approx(1)
        assert average_precision([0.0, 0.0], [0.0, 0.0], points) == 0


def test_ignored_detections_are_left_out_of_the_curve():
    curve = precision_recall([0.9, 0.8, 0.7], [False, True, False], 2, ignored=[True, False, False])
    assert curve.precision.tolist() == [1, 0.5] and curve.recall.tolist() == [0.5, 0.5]


def test_mean_over_classes_that_have_objects():
    """Class 0 is found, class 2 is not; class 1 has no object, so what was found of it changes nothing."""
    detections = [([[0, 0, 4, 4], [9, 9, 12, 12]], [0.9, 0.8], [0, 1]), ([], [], [])]
    objects = [([[0, 0, 4, 4]], [0]), ([[1, 1, 5, 5]], [2])]
    result = mean_average_precision(detections, objects, num_classes=4)
    assert result.mean == 0.5
    np.testing.assert_array_equal(result.per_class, [1, np.nan, 0, np.nan])
    assert np.isnan(mean_average_precision([([], [], [])], [([], [])]).mean)
    only_ignored = [([[0, 0, 4, 4]], [0], [True])]
    assert np.isnan(mean_average_precision([([[0, 0, 4, 4]], [1.0], [0])], only_ignored).mean)


def test_a_detection_finds_nothing_in_another_image_or_of_another_class():
    box = [[0, 0, 4, 4]]
    assert mean_average_precision([(box, [1.0], [0]), ([], [], [])], [([], []), (box, [0])]).mean == 0
    assert mean_average_precision([(box, [1.0], [1])], [(box, [0])]).mean == 0
    assert mean_average_precision([(box, [1.0], [0])], [(box, [0])]).mean == 1


def test_only_the_best_detections_of_an_image_and_class_count():
    boxes = [[20, 20, 24, 24], [0, 0, 4, 4], [0, 0, 4, 4]]
    detections, objects = [(boxes, [0.9, 0.8, 0.1], [0, 0, 1])], [([[0, 0, 4, 4]] * 2, [0, 1])]
    assert mean_average_precision(detections, objects).per_class.tolist() == [0.5, 1]
    assert mean_average_precision(detections, objects, max_detections=1).per_class.tolist() == [0, 1]


def by_pycocotools(detections, objects, classes):
    """Return AP (T, C) as pycocotools computes it, NaN where a class has no object."""
    coco = pytest.importorskip("pycocotools.coco").COCO
    evaluator = pytest.importorskip("pycocotools.cocoeval").COCOeval

    def xywh(box):
        return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]

    images = [{"id": i, "height": 100, "width": 100} for i in range(1, len(objects) + 1)]
    truth, found = [], []
    for i, (boxes, labels, flags) in enumerate(objects, start=1):
        for box, label, crowd in zip(boxes, labels, flags, strict=True):
            entry = {"image_id": i, "category_id": int(label) + 1, "bbox": xywh(box), "iscrowd": int(crowd)}
            truth.append({"id": len(truth) + 1, "area": float(np.prod(box[2:] - box[:2])), **entry})
    for i, (boxes, scores, labels) in enumerate(detections, start=1):
        for box, score, label in zip(boxes, scores, labels, strict=True):
            found.append(
                {"image_id": i, "category_id": int(label) + 1, "bbox": xywh(box), "score": float(score)}
            )
    with contextlib.redirect_stdout(io.StringIO()):
        data = coco()
        data.dataset = {
            "images": images,
            "annotations": truth,
            "categories": [{"id": k + 1} for k in range(classes)],
        }
        data.createIndex()
        run = evaluator(data, data.loadRes(found), "bbox")
        run.evaluate()
        run.accumulate()
    precision = run.eval["precision"][:, :, :, 0, -1]  # (T, R, C): any area, up to 100 detections
    return np.where(precision.min(axis=1) < 0, np.nan, precision.mean(axis=1))


@pytest.mark.parametrize("part", range(4))
def test_agrees_with_pycocotools(part):
    """200 random cases in four parts, crowds and ties among them."""
    compared = 0
    for seed in range(50 * part, 50 * part + 50):
        detections, objects = drawn(np.random.default_rng(1000 + seed))
        if not sum(len(scores) for _, scores, _ in detections):
            continue
        ours, theirs = coco_average_precision(detections, objects, 3), by_pycocotools(detections, objects, 3)
        np.testing.assert_allclose(ours.ap, theirs, atol=1e-12)
        np.testing.assert_array_equal(ours.thresholds, COCO_THRESHOLDS)
        if not np.isnan(theirs).all():
            assert ours.mean == pytest.approx(np.nanmean(theirs), abs=1e-12)
        compared += 1
    assert compared >= 48


def test_agrees_with_pycocotools_beyond_a_hundred_detections():
    rng = np.random.default_rng(5)
    truth = np.hstack([np.zeros((30, 2)), rng.integers(5, 60, (30, 2))]).astype(float)
    boxes = np.maximum(np.repeat(truth, 5, axis=0) + rng.integers(-2, 3, (150, 4)) * [0, 0, 1, 1], 0)
    detections = [(boxes, rng.random(150), np.zeros(150, int))]
    objects = [(truth, np.zeros(30, int), np.zeros(30, bool))]
    np.testing.assert_allclose(
        coco_average_precision(detections, objects).ap, by_pycocotools(detections, objects, 1), atol=1e-12
    )


def test_arguments_are_not_changed():
    detections, objects = drawn(np.random.default_rng(0))
    copies = [[np.array(part) for part in one] for one in (*detections, *objects)]
    coco_average_precision(detections, objects)
    for one, copy in zip((*detections, *objects), copies, strict=True):
        for part, before in zip(one, copy, strict=True):
            np.testing.assert_array_equal(part, before)


BOX = [[0, 0, 1, 1]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: precision_recall([0.5, 0.4], [True, True], 1), "2 hits among 1 objects"),
        (lambda: precision_recall([0.5, 0.4], [True], 1), "have shapes"),
        (lambda: average_precision([0.5, 0.2], [1, 1]), "recall falls"),
        (lambda: average_precision([0.5], [1, 1]), "have shapes"),
        (lambda: average_precision([0.5], [1], 10), r"points \(=10\)"),
        (lambda: mean_average_precision([], [([], [])]), "detections of 0 images, but objects of 1"),
        (lambda: mean_average_precision([(BOX, [1], [])], [(BOX, [0])]), "image 0: 1 boxes"),
        (lambda: mean_average_precision([(BOX, [np.nan], [0])], [(BOX, [0])]), "not NaN"),
        (lambda: mean_average_precision([(BOX, [1], [0.5])], [(BOX, [0])]), "label 0.5"),
        (lambda: mean_average_precision([(BOX, [1], [3])], [(BOX, [0])], num_classes=3), "label 3"),
        (
            lambda: mean_average_precision([(BOX, [1], [0])], [([[1, 0, 0, 1]], [0])]),
            r"image 0: boxes\[0\] .* ends before",
        ),
        (
            lambda: mean_average_precision([(BOX, [1], [0])], [(BOX, [0])], [0.5, 2]),
            r"iou_threshold \(=2.0\)",
        ),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
