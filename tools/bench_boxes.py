"""How long detections take to be judged and suppressed (part of `make bench`).

Average precision against pycocotools, which is asked for nothing more than what is compared: any area, up to
100 detections. Non-maximum suppression against the loops that a student writes. Each pair runs in turn, so
that what else the computer does falls on both; all of it is one thread, and what counts is processor time.
Ends with 1 if one falls short.
"""

import contextlib
import io
import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from cnncourse.boxes import nms
from cnncourse.metrics import COCO_THRESHOLDS, mean_average_precision

IMAGES, DETECTIONS, CLASSES, SIDE = 5_000, 50_000, 5, 640
BOXES = 5_000
AP_TIMES, NMS_TIMES = 2, 50  # as fast as the other, at least
ROUNDS = 3

Call = Callable[[], object]


def drawn(seed: int = 0) -> tuple[list[tuple[np.ndarray, ...]], list[tuple[np.ndarray, ...]]]:
    """Return ten detections for each image, most of them near one of its objects, and the objects."""
    rng = np.random.default_rng(seed)
    detections, objects = [], []
    for _ in range(IMAGES):
        count = int(rng.integers(1, 8))
        start = rng.uniform(0, SIDE - 200, (count, 2))
        truth = np.hstack([start, start + rng.uniform(20, 200, (count, 2))])
        labels = rng.integers(0, CLASSES, count)
        near = rng.integers(0, count, DETECTIONS // IMAGES)
        boxes = truth[near] + rng.normal(0, 8, (len(near), 4))
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
        kinds = np.where(rng.random(len(near)) < 0.9, labels[near], rng.integers(0, CLASSES, len(near)))
        detections.append((boxes, rng.random(len(near)), kinds))
        objects.append((truth, labels))
    return detections, objects


def as_coco(
    detections: list[tuple[np.ndarray, ...]], objects: list[tuple[np.ndarray, ...]]
) -> tuple[COCO, COCO]:
    """Return both as pycocotools keeps them."""

    def entries(image: int, boxes: np.ndarray, labels: np.ndarray) -> list[dict[str, object]]:
        sizes = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
        return [
            {
                "image_id": image,
                "category_id": int(label) + 1,
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": 0,
            }
            for box, label in zip(sizes.tolist(), labels, strict=True)
        ]

    truth = [entry for i, (boxes, labels) in enumerate(objects, 1) for entry in entries(i, boxes, labels)]
    found = []
    for i, (boxes, scores, labels) in enumerate(detections, 1):
        for entry, score in zip(entries(i, boxes, labels), scores, strict=True):
            found.append({**entry, "score": float(score)})
    data = COCO()
    data.dataset = {
        "images": [{"id": i} for i in range(1, len(objects) + 1)],
        "annotations": [{"id": number, **entry} for number, entry in enumerate(truth, 1)],
        "categories": [{"id": label + 1} for label in range(CLASSES)],
    }
    data.createIndex()
    return data, data.loadRes(found)


def by_pycocotools(data: COCO, found: COCO, thresholds: np.ndarray) -> float:
    """Return the mean average precision, and nothing else of what it can tell."""
    with contextlib.redirect_stdout(io.StringIO()):
        run = COCOeval(data, found, "bbox")
        run.params.iouThrs, run.params.maxDets = thresholds, [100]
        run.params.areaRng, run.params.areaRngLbl = [[0, 1e10]], ["all"]
        run.evaluate()
        run.accumulate()
    return float(run.eval["precision"].mean())


def loops(boxes: list[list[float]], scores: list[float], threshold: float) -> list[int]:
    """Suppress as one writes it first: one box after the other."""
    left = sorted(range(len(boxes)), key=lambda i: -scores[i])
    kept = []
    while left:
        best, *rest = left
        kept.append(best)
        ax1, ay1, ax2, ay2 = boxes[best]
        left = []
        for i in rest:
            bx1, by1, bx2, by2 = boxes[i]
            both = max(0.0, min(ax2, bx2) - max(ax1, bx1)) * max(0.0, min(ay2, by2) - max(ay1, by1))
            union = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - both
            if both / union <= threshold:
                left.append(i)
    return kept


def report(name: str, ours: Call, theirs: Call, limit: float) -> bool:
    """Time both in turn and print how many times as fast ours is; return whether that is enough."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for call, found in zip((ours, theirs), times, strict=True):
            start = time.process_time()
            call()
            found.append(time.process_time() - start)
    ratio = median(times[1]) / median(times[0])
    verdict = "PASS" if ratio >= limit else f"SHORT of {limit:g}"
    print(f"{name:<58}{ratio:8.1f} times as fast  {verdict}", flush=True)
    return ratio >= limit


def precision() -> bool:
    """Time average precision at one threshold and at COCO's ten."""
    detections, objects = drawn()
    with contextlib.redirect_stdout(io.StringIO()):
        data, found = as_coco(detections, objects)
    enough = True
    for name, thresholds in (("IoU 0.5", np.array([0.5])), ("IoU 0.50 to 0.95", COCO_THRESHOLDS)):

        def ours(thresholds: np.ndarray = thresholds) -> float:
            return mean_average_precision(
                detections, objects, thresholds, 101, "coco", max_detections=100, num_classes=CLASSES
            ).mean

        def theirs(thresholds: np.ndarray = thresholds) -> float:
            return by_pycocotools(data, found, thresholds)

        if abs(ours() - theirs()) > 1e-9:
            raise AssertionError(f"{ours()} and {theirs()}")
        title = f"AP of {DETECTIONS:,} detections, {name}, against pycocotools"
        enough &= report(title, ours, theirs, AP_TIMES)
    return enough


def suppression() -> bool:
    """Time non-maximum suppression, of ten boxes around each of many objects."""
    rng = np.random.default_rng(1)
    start = rng.uniform(0, SIDE, (BOXES // 10, 2))
    objects = np.hstack([start, start + rng.uniform(20, 120, start.shape)])
    boxes = np.repeat(objects, 10, axis=0) + rng.normal(0, 4, (BOXES, 4))
    boxes[:, 2:], scores = np.maximum(boxes[:, 2:], boxes[:, :2] + 1), rng.random(BOXES)
    plain = boxes.tolist(), scores.tolist()
    if nms(boxes, scores, 0.5).tolist() != loops(*plain, 0.5):
        raise AssertionError("both must keep the same boxes")
    return report(
        f"NMS of {BOXES:,} boxes, against loops",
        lambda: nms(boxes, scores, 0.5),
        lambda: loops(*plain, 0.5),
        NMS_TIMES,
    )


if __name__ == "__main__":
    results = [precision(), suppression()]
    sys.exit(0 if all(results) else 1)
