"""Exercise: which detections have found an object."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnncourse import boxes as library
from cnncourse import matching
from cnncourse.checking import Case, Exercise
from cnncourse.exercises.ch11_detection._boxes import falling, placed, some_boxes


def match_detections(boxes, scores, truth, iou_threshold):
    """Say which detections are hits; all others are false positives.

    Parameters
    ----------
    boxes : array, shape (N, 4)
        Detections of one class in one image: x1, y1, x2, y2.
    scores : array, shape (N,)
        In any order; no two are equal.
    truth : array, shape (M, 4)
        The objects of this class in this image.
    iou_threshold : float
        A detection can find an object if their IoU is at least this.

    Returns
    -------
    array of bool, shape (N,)
        In the order of `boxes`.
    """
    hit = np.zeros(len(boxes), dtype=bool)
    found = np.zeros(len(truth), dtype=bool)
    areas = (truth[:, 2] - truth[:, 0]) * (truth[:, 3] - truth[:, 1])  # (M,)
    for n in np.argsort(-scores):
        if len(truth) == 0:
            break
        x1, y1, x2, y2 = boxes[n]
        width = np.minimum(x2, truth[:, 2]) - np.maximum(x1, truth[:, 0])  # (M,)
        height = np.minimum(y2, truth[:, 3]) - np.maximum(y1, truth[:, 1])  # (M,)
        shared = np.maximum(width, 0) * np.maximum(height, 0)  # (M,)
        iou = shared / ((x2 - x1) * (y2 - y1) + areas - shared)  # (M,)
        closest = np.argmax(iou)
        if iou[closest] >= iou_threshold and not found[closest]:
            hit[n] = found[closest] = True
    return hit


def _reference(boxes, scores, truth, iou_threshold):
    return matching.match_detections(boxes, scores, truth, iou_threshold).hit


def _image(rng: np.random.Generator, boxes, truth, threshold: float = 0.5) -> dict[str, Any]:
    """Give falling scores to detections, and put the best of them last."""
    boxes, scores = np.roll(boxes, -1, axis=0), np.roll(falling(rng, len(boxes)), -1)
    arguments = {"boxes": boxes, "scores": scores}
    return arguments | {"truth": np.asarray(truth), "iou_threshold": threshold}


def _two_sets(rng: np.random.Generator, found, truth):
    """Return detections and objects: copies of one box, shifted by shares of its width and height."""
    both = placed(rng, [*found, *truth])
    return both[: len(found)], both[len(found) :]


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Found once and twice, missed, invented; close neighbours; thresholds met exactly; empty lists."""
    simple = _two_sets(rng, [(0.1, 0), (6, 0.1), (3.2, 0), (9, 9)], [(0, 0), (3, 0), (6, 0)])
    yield Case("three objects found, one detection on the ground", _image(rng, *simple), "found or not")
    missed = _two_sets(rng, [(3, 0.1), (0.7, 0.7), (-1.9, -1.9)], [(0, 0), (3, 0)])
    yield Case("one object missed by too little overlap", _image(rng, *missed), "found or not")
    loose = _two_sets(rng, [(0.6, 0), (0.05, 0), (4.5, 0), (4, 0.1)], [(0, 0), (4, 0)])
    yield Case("a poor box with a high score comes before the right one", _image(rng, *loose), "found or not")
    early = _two_sets(rng, [(5, 0.7), (5, 0.04), (0, 0.1), (1, 4)], [(5, 0), (0, 0), (2, 8)])
    yield Case("poor boxes before right ones, three objects", _image(rng, *early), "found or not")

    twice = _two_sets(rng, [(0.2, 0), (0, 0), (4, 0)], [(0, 0), (4, 0)])
    yield Case("the second box on an object fits better", _image(rng, *twice), "each object once")
    often = _two_sets(rng, [(0.2, 0.1), (0.1, 0), (5, 0), (0, 0), (5.1, 0)], [(5, 0), (0, 0)])
    yield Case("three boxes on one object, two on another", _image(rng, *often), "each object once")
    close = _two_sets(rng, [(0, 0), (0.05, 0), (4, 0)], [(0, 0), (0.2, 0), (4, 0)])
    yield Case("the object is taken, and its neighbour would do", _image(rng, *close), "each object once")
    also = _two_sets(rng, [(3.02, 0), (3, 0), (3, 0.04), (0, 0)], [(3, 0.25), (3, 0), (0, 0)])
    yield Case("the object is taken, and the one above would do", _image(rng, *also), "each object once")
    nearer = _two_sets(rng, [(0.25, 0), (0.02, 0)], [(0, 0), (0.4, 0)])
    yield Case("between two objects side by side", _image(rng, *nearer), "each object once")
    above = _two_sets(rng, [(5, 0.25), (5, 0.02), (0, 0)], [(0, 0), (5, 0), (5, 0.4)])
    yield Case("between two objects, one above the other", _image(rng, *above), "each object once")

    found, there = _two_sets(
        rng, [(0.1, 0), (4.3, 0), (8.45, 0), (12.6, 0)], [(0, 0), (4, 0), (8, 0), (12, 0)]
    )
    for threshold in (0.3, 0.75):
        yield Case(f"threshold {threshold}", _image(rng, found, there, threshold), "found or not")
    corner = rng.integers(0, 9, 2) * 4.0
    exact = np.add(np.tile(corner, 2), [[0, 0, 8, 8], [30, 0, 46, 8]])
    half = np.add(np.tile(corner, 2), [[0, 0, 4, 8], [30, 0, 38, 8], [60, 0, 64, 8]])
    yield Case("an IoU of exactly 0.5", _image(rng, half, exact, 0.5), "found or not")
    quarter = np.add(np.tile(corner, 2), [[60, 0, 64, 8], [30, 0, 34, 8], [2, 2, 6, 6]])
    yield Case("an IoU of exactly 0.25", _image(rng, quarter, exact, 0.25), "found or not")
    drawn = some_boxes(rng, 3) + 40 * np.arange(3)[:, None]
    yield Case("no object", _image(rng, drawn, np.zeros((0, 4))), "found or not")
    yield Case("no detection", _image(rng, np.zeros((0, 4)), drawn), "found or not")
    whole = np.array([[1, 2, 11, 9], [2, 2, 12, 9], [30, 5, 36, 17], [31, 5, 37, 17]])
    yield Case("whole numbers", _image(rng, whole[[3, 1, 2, 0]], whole[[0, 2]], 0.6), "each object once")


exercise = Exercise(
    solution=match_detections,
    reference=_reference,
    cases=cases,
    points=2,
    forbids=("torchvision.ops.*", "pycocotools.*"),
    axes=("N",),
    prompt="""\
A detector says: here, here and here. The truth has two objects. How many of the answers are right? One that
lies on an object is right, and the second one on the same object is not: whoever asks "how many cars?" wants
to hear two. So each object can be found once, and the most confident answer chooses first.

**By hand.** All boxes are 4 high, `iou_threshold` is 0.5. The objects are `P = 0 0 8 4` and `Q = 20 0 28 4`.

```
    detection    score
0   1 0  9 4     0.6       IoU 0.78 with P     P has been found by 1:  false positive
1   2 0 10 4     0.9       IoU 0.60 with P     goes first:             hit
2   25 0 33 4    0.8       IoU 0.23 with Q     not enough:             false positive
result  [False, True, False]
```

Detection 0 fits better than 1, and that does not help it. Q is missed.

**Contract.**
- The detections choose in the order of falling scores. Each asks for the *one* object with which it has the
  highest IoU, found before or not. (This is PASCAL VOC's rule. In COCO's, it may take the next best.)
- It is a hit if that IoU is **at least** the threshold and nobody before it has found this object. A
  detection that is no hit takes nothing.
- The result is in the order of `boxes`. There may be no object, or no detection.

You may call your `box_iou`. If that is not right yet, this cannot be right either.
""",
    hints=(
        "Play it with cards: objects on the table, detections in your hand, the highest score on top. When "
        "does an object leave the table, and when does it stay although a card was played on it?",
        "Two things have to be remembered from card to card: which objects are found, and which detections "
        "were hits. The place of a card in `boxes` decides where its answer goes.",
        "One loop over the places of the detections, the highest score first. In the body: the IoU with all "
        "objects, the closest of them, and one question with two conditions. Without objects there is no "
        "closest: answer that before the loop or in it.",
    ),
    remark="Duplicates count as errors: that is why a detector without suppression has a poor score.",
)


def _answer(
    order: Any = lambda scores, iou: np.argsort(-scores),
    enough: Any = lambda iou, threshold: iou >= threshold,
    choose: Any = lambda iou, free, threshold: int(np.argmax(iou)),
    once: bool = True,
    taken_anyway: bool = False,
    result: Any = lambda hit, order: hit,
) -> Any:
    """Return the right answer with one thing disturbed."""

    def answer(boxes, scores, truth, iou_threshold):
        hit, free = np.zeros(len(boxes), dtype=bool), np.ones(len(truth), dtype=bool)
        iou = library.box_iou(boxes, truth)  # (N, M)
        turns = order(scores, iou)
        for n in turns if len(truth) else ():
            m = choose(iou[n], free, iou_threshold)
            if enough(iou[n, m], iou_threshold) and (free[m] or not once):
                hit[n], free[m] = True, False
            elif taken_anyway:
                free[m] = False
        return result(hit, turns)

    return answer


def _next_free(iou, free, threshold):
    return int(np.argmax(np.where(free, iou, -1)))


def _first_close_enough(iou, free, threshold):
    return int(np.argmax(iou >= threshold))


def _first_free_close_enough(iou, free, threshold):
    return int(np.argmax(free & (iou >= threshold)))


def _objects_choose(boxes, scores, truth, iou_threshold):
    iou = library.box_iou(boxes, truth)  # (N, M)
    hit = np.zeros(len(boxes), dtype=bool)
    for m in range(len(truth) if len(boxes) else 0):
        hit[np.argmax(iou[:, m])] |= iou[:, m].max() >= iou_threshold
    return hit


def _best_pair_first(boxes, scores, truth, iou_threshold):
    iou = library.box_iou(boxes, truth)  # (N, M)
    hit = np.zeros(len(boxes), dtype=bool)
    while iou.size and iou.max() >= max(iou_threshold, 0):
        n, m = np.unravel_index(np.argmax(iou), iou.shape)
        hit[n], iou[n], iou[:, m] = True, -1, -1
    return hit


_BEST_FIT = """An object goes to the box that fits it best. Who chooses first is decided by the score alone:
the detector does not know the truth."""

for _name, _wrong, _hint in (
    (
        "duplicates_are_hits",
        _answer(once=False),
        """Every box that lies on an object counts, the second and the third too. Each object can be found
        once; what comes later is a false positive.""",
    ),
    (
        "in_the_order_of_the_list",
        _answer(order=lambda scores, iou: np.arange(len(scores))),
        """The detections choose in the order of the list, whatever their scores. The one with the highest
        score chooses first.""",
    ),
    (
        "lowest_score_first",
        _answer(order=lambda scores, iou: np.argsort(scores)),
        """The detection with the lowest score chooses first. `argsort` sorts upwards: begin at its other
        end.""",
    ),
    (
        "best_fit_first",
        _answer(order=lambda scores, iou: np.argsort(-iou.max(axis=1, initial=0), kind="stable")),
        _BEST_FIT,
    ),
    ("objects_choose", _objects_choose, _BEST_FIT),
    ("best_pair_first", _best_pair_first, _BEST_FIT),
    (
        "next_free_object",
        _answer(choose=_next_free),
        """Where the closest object was found before, the next best one is taken. That is COCO's rule. Here a
        detection asks for one object only, as in PASCAL VOC.""",
    ),
    (
        "first_object_close_enough",
        _answer(choose=_first_close_enough),
        """A detection takes the first object in the list that is close enough. Asked for is the closest of
        them all.""",
    ),
    (
        "first_free_object_close_enough",
        _answer(choose=_first_free_close_enough),
        """A detection takes the first free object in the list that is close enough. Asked for is the closest
        of them all, free or not.""",
    ),
    (
        "threshold_ignored",
        _answer(enough=lambda iou, threshold: iou >= 0.5),
        """The result does not change when `iou_threshold` changes: an IoU of 0.5 decides each time.""",
    ),
    (
        "above_the_threshold",
        _answer(enough=lambda iou, threshold: iou > threshold),
        """A detection whose IoU is exactly the threshold does not count. Here "at least" is asked for, in
        suppression it was "above".""",
    ),
    (
        "any_overlap",
        _answer(enough=lambda iou, threshold: iou > 0),
        """Whoever touches an object at all has found it. The IoU has to reach the threshold.""",
    ),
    (
        "taken_by_a_miss",
        _answer(taken_anyway=True),
        """A detection that does not reach the threshold takes its object away all the same, and the right one
        after it gets nothing. Only a hit takes an object.""",
    ),
    (
        "places_of_the_hits",
        _answer(result=lambda hit, order: np.flatnonzero(hit)),
        """What comes back are the places of the hits. Asked for is True or False for each detection.""",
    ),
    (
        "in_order_of_the_scores",
        _answer(result=lambda hit, order: hit[order]),
        """The answers are right, but stand in the order of falling scores. Asked for is the order of
        `boxes`.""",
    ),
    (
        "false_positives",
        _answer(result=lambda hit, order: ~hit),
        """True and False are exchanged: it says which detections are false positives. Asked for are the
        hits.""",
    ),
):
    _wrong.__name__ = f"_{_name}"
    exercise.misconception(_hint)(_wrong)
