"""Exercise: how good a detector is, in one number."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnncourse import metrics
from cnncourse.checking import Case, Exercise
from cnncourse.exercises.ch11_detection._boxes import falling


def average_precision(scores, hit, num_objects):
    """Return the area under the curve of precision over recall, its dips filled.

    Parameters
    ----------
    scores : array, shape (N,)
        Of the detections of one class in all images, in any order; no two are equal.
    hit : array of bool, shape (N,)
        Which detections have found an object.
    num_objects : int
        How many objects there are in all images, found or not; at least 1.

    Returns
    -------
    float
        From 0 to 1.
    """
    hits = np.cumsum(hit[np.argsort(-scores)])  # (N,) objects found by the best 1, 2 ... N detections
    recall = np.append(0, hits) / num_objects  # (N + 1,) from 0 on
    precision = hits / np.arange(1, len(hits) + 1)  # (N,)
    area = 0.0
    for n in range(len(hits)):
        area += (recall[n + 1] - recall[n]) * precision[n:].max()
    return float(area)


def _reference(scores, hit, num_objects):
    curve = metrics.precision_recall(scores, hit, num_objects)
    return metrics.average_precision(curve.recall, curve.precision)


def _ranking(rng: np.random.Generator, hits: str, num_objects: int, shuffled: bool = False) -> dict[str, Any]:
    """Return detections that are right (1) or wrong (0), the best first; shuffled, in another order."""
    hit, scores = np.array([letter == "1" for letter in hits], dtype=bool), falling(rng, len(hits))
    order = rng.permutation(len(hits)) if shuffled else np.arange(len(hits))
    while shuffled and (hit[order] == hit).all() | (hit[order] == hit[::-1]).all():
        order = rng.permutation(len(hits))
    return {"scores": scores[order], "hit": hit[order], "num_objects": num_objects}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """All found, some, none; precision that falls and that rises again; sorted and not; no detection."""
    for why, hits, count in (
        ("three right answers, three objects", "111", 3),
        ("two right ones, then a wrong one", "110", 2),
        ("three right ones, and two objects are missed", "111", 5),
        ("one right, three wrong, four objects", "1000", 4),
        ("two wrong ones", "00", 3),
        ("no detection", "", 2),
    ):
        yield Case(why, _ranking(rng, hits, count), "the area")
    for why, hits, count in (
        ("right, wrong, right", "101", 4),
        ("a wrong one first", "0111", 3),
        ("precision falls and rises again", "1001111", 6),
        ("it rises higher than before", "01011111", 10),
        ("wrong ones between", "110100101000", 7),
    ):
        yield Case(why, _ranking(rng, hits, count), "dips")
    for why, hits, count in (
        ("not sorted, right ones first when sorted", "11100", 4),
        ("not sorted, right and wrong in turns", "10101", 3),
        ("not sorted, a wrong one with the highest score", "0110010", 5),
    ):
        yield Case(why, _ranking(rng, hits, count, shuffled=True), "any order")
    right = np.append([True, False], rng.random(28) < 0.6)
    drawn = _ranking(rng, "".join("01"[int(found)] for found in right), int(right.sum()) + 4, shuffled=True)
    yield Case("30 detections, not sorted", drawn, "any order")


exercise = Exercise(
    solution=average_precision,
    reference=_reference,
    cases=cases,
    points=3,
    forbids=("sklearn.metrics.*", "torchmetrics.*", "pycocotools.*"),
    prompt="""\
How good is the detector? It depends on what one asks for. Take only its surest answers, and most are right
but few objects are found. Take all, and more objects are found among more errors. So go down the list, from
the highest score, and note two shares after each detection:

- **recall**: objects found so far / all objects,
- **precision**: objects found so far / detections so far.

Precision over recall is a curve, and the area under it is the *average precision*, AP.

**By hand.** Four objects; the detections, the surest first, are right, wrong, right, right:

```
                     right   wrong   right   right
recall               1/4     1/4     2/4     3/4
precision            1       1/2     2/3     3/4
best from here on    1       3/4     3/4     3/4

recall from 0 to 1/4: height 1          1/4 * 1
recall from 1/4 to 2/4: height 3/4      1/4 * 3/4
recall from 2/4 to 3/4: height 3/4      1/4 * 3/4
from 3/4 to 1: never reached            0
AP = 0.25 + 0.1875 + 0.1875 = 0.625
```

**Contract.**
- The detections come in any order. The one with the highest score is the first of the list.
- The height over a step of recall is the highest precision from that place **to the end** of the list: who
  does better by going on need not stop here. That fills the dips.
- Objects that are never found count: recall ends before 1, and beyond it the height is 0.
- The exact area, not a mean over 11 or 101 chosen recalls. Without any detection it is 0.
""",
    hints=(
        "Write the table for a list that begins with a wrong answer: wrong, right, right, with two objects. "
        "Which height belongs to recall 0 to 1/2, and is it 1/2?",
        "Recall rises only at a right answer, each time by the same step. So the area is a sum of strips of "
        "equal width. How many strips are there, and what is the height of each?",
        "Sort, the highest score first. A running sum of the right answers gives both shares. For the "
        "heights ask each place for the largest precision from there to the end: a loop, or a running "
        "maximum that walks from the end to the start.",
    ),
    remark="The mean of it over all classes is the mAP, the number that detectors are compared by.",
)


def _best_from_here(precision):
    return np.maximum.accumulate(precision[::-1])[::-1]


def _answer(
    order: Any = lambda scores: np.argsort(-scores),
    height: Any = _best_from_here,
    objects: Any = lambda hits, num_objects: num_objects,
    area: Any = lambda recall, height: np.sum(np.diff(recall, prepend=0) * height),
) -> Any:
    """Return the right answer with one thing disturbed."""

    def answer(scores, hit, num_objects):
        if not len(hit):
            return 0.0
        hits = np.cumsum(hit[order(scores)])
        recall = hits / max(objects(hits, num_objects), 1)
        return float(area(recall, height(hits / np.arange(1, len(hits) + 1))))

    return answer


def _read_at(points: int, slack: float = 1e-12) -> Any:
    def area(recall, height):
        at = np.linspace(0, 1, points)  # without slack the seventh of 11 lies above 3 / 5, by rounding
        return np.append(height, 0)[np.searchsorted(recall, at - slack)].mean()

    return area


def _trapezoids(recall, height):
    return np.sum(np.diff(recall) * (height[1:] + height[:-1]) / 2)


_ELEVEN = """The height is read at the 11 recalls 0, 0.1 ... 1, as PASCAL VOC did until 2009. Asked for is
the exact area."""

for _name, _wrong, _hint in (
    (
        "not_sorted",
        _answer(order=lambda scores: np.arange(len(scores))),
        """The detections are taken as they come. Precision and recall are about the list from the highest
        score down: sort first.""",
    ),
    (
        "lowest_score_first",
        _answer(order=np.argsort),
        """The list begins with the lowest score. `argsort` sorts upwards: begin at its other end.""",
    ),
    (
        "dips_not_filled",
        _answer(height=lambda precision: precision),
        """Each strip has the height of the precision where it ends. Where precision rises again later, the
        strip is as high as the best from there to the end.""",
    ),
    (
        "best_so_far",
        _answer(height=np.maximum.accumulate),
        """The height is the highest precision up to here. It is the highest from here on, to the end of the
        list.""",
    ),
    (
        "objects_found_only",
        _answer(objects=lambda hits, num_objects: hits[-1]),
        """Recall is divided by the objects that were found, so it always ends at 1. Divide by all objects
        there are: `num_objects`.""",
    ),
    (
        "eleven_points",
        _answer(area=_read_at(11)),
        _ELEVEN,
    ),
    ("eleven_points_rounded", _answer(area=_read_at(11, slack=0)), _ELEVEN),
    (
        "hundred_and_one_points",
        _answer(area=_read_at(101)),
        """The height is read at 101 recalls, as COCO does. Asked for is the exact area.""",
    ),
    (
        "mean_of_the_precision",
        _answer(area=lambda recall, height: height.mean()),
        """The heights of all places are averaged. An area counts each height as wide as its step of recall,
        and wrong detections make no step.""",
    ),
    (
        "mean_of_the_raw_precision",
        _answer(height=lambda precision: precision, area=lambda recall, height: height.mean()),
        """The precisions of all places are averaged. An area counts each height as wide as its step of
        recall, and the dips are filled.""",
    ),
    (
        "mean_over_the_hits",
        _answer(
            objects=lambda hits, num_objects: hits[-1],
            height=lambda precision: precision,
        ),
        """It is the mean of the precision at the right answers. Objects that are never found count with 0,
        and the dips are filled.""",
    ),
    (
        "first_strip_missing",
        _answer(area=lambda recall, height: np.sum(np.diff(recall) * height[1:])),
        """The strip before the first detection is missing. Recall begins at 0: differences of the recalls
        alone are one too few.""",
    ),
    (
        "goes_on_to_recall_1",
        _answer(
            area=lambda recall, height: np.diff(recall, prepend=0) @ height + (1 - recall[-1]) * height[-1]
        ),
        """Behind the last detection the curve goes on to recall 1 at the height it has there. Objects that
        are never found count with 0: the curve ends where the list does.""",
    ),
    (
        "trapezoids",
        _answer(height=lambda precision: precision, area=_trapezoids),
        """The points of the curve are joined by slanting lines, and the part before the first one is missing.
        Each strip has one height, and the first begins at recall 0.""",
    ),
):
    _wrong.__name__ = f"_{_name}"
    exercise.misconception(_hint)(_wrong)
