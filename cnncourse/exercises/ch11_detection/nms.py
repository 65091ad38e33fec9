"""Exercise: one box for one object."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnncourse import boxes as library
from cnncourse.checking import Case, Exercise
from cnncourse.exercises.ch11_detection._boxes import falling, overlaps, placed, some_boxes


def nms(boxes, scores, iou_threshold):
    """Keep the best box, drop what overlaps it too much, and go on with what is left.

    Parameters
    ----------
    boxes : array, shape (N, 4)
        Detections of one class in one image: x1, y1, x2, y2.
    scores : array, shape (N,)
        In any order; no two are equal.
    iou_threshold : float
        A box is dropped if its IoU with one that is kept is above this.

    Returns
    -------
    array of int, shape (K,)
        Which boxes are kept, as places in `boxes`, the one with the highest score first.
    """
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])  # (N,)
    left = np.argsort(-scores)  # (N,) the best first
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        start = np.maximum(boxes[best, :2], boxes[left, :2])  # (L, 2)
        stop = np.minimum(boxes[best, 2:], boxes[left, 2:])  # (L, 2)
        shared = np.maximum(stop - start, 0).prod(axis=1)  # (L,)
        iou = shared / (areas[best] + areas[left] - shared)  # (L,)
        left = left[iou <= iou_threshold]
    return np.array(kept, dtype=int)  # (K,)


def _shuffled(rng: np.random.Generator, boxes, threshold: float) -> dict[str, Any]:
    """Give falling scores to boxes, and an order in which neither the best nor the worst comes first."""
    count = len(boxes)
    order = rng.permutation(count)
    while count > 2 and order[0] in (0, count - 1):
        order = rng.permutation(count)
    return {
        "boxes": np.asarray(boxes)[order],
        "scores": falling(rng, count)[order],
        "iou_threshold": threshold,
    }


def _row(rng: np.random.Generator, *shifts: float):
    """Copies of a box, side by side, each shifted to the right by shares of its width."""
    return placed(rng, [(shift, 0) for shift in shifts])


def _exact(count: int, rng: np.random.Generator):
    """Boxes on whole pixels; the first and the second have an IoU of 1 / `count`, to the last bit."""
    x, y = rng.integers(0, 9, 2) * 4.0
    return np.array([[x, y, x + 4 * count, y + 8], [x, y, x + 4, y + 8], [x + 40, y, x + 50, y + 6]])


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """One object and several, chains, boxes in turns; thresholds met, never met and 0; one box, none."""
    two = np.vstack([_row(rng, 0, 0.2, 0.1), _row(rng, 0, 0.15) + 80])
    yield Case("two objects, five boxes", _shuffled(rng, two, 0.5), "who is dropped")
    turns = np.vstack([_row(rng, 0, 0.1, 0.2), _row(rng, 0, 0.12, 0.22) + 90])[[0, 3, 1, 4, 5, 2]]
    yield Case("two objects whose boxes take turns", _shuffled(rng, turns, 0.5), "who is dropped")
    chain = _row(rng, 0, 0.25, 0.5)
    yield Case(
        "a chain: the first drops the second, the third is left", _shuffled(rng, chain, 0.5), "who is dropped"
    )
    longer = _row(rng, 0, 0.25, 0.5, 0.75, 1)
    yield Case("a chain of five", _shuffled(rng, longer, 0.5), "who is dropped")
    apart = placed(rng, [(0, 0), (1.9, 1.9), (3.8, 0), (0.1, 3.8)])  # two of them hardly apart, in x and y
    equal = np.vstack([_row(rng, 0, 0, 0.9), _row(rng, 0, 0) + 70])
    yield Case("two objects, each with the same box twice", _shuffled(rng, equal, 0.5), "who is dropped")
    yield Case("four boxes that do not meet", _shuffled(rng, apart, 0.5), "who is dropped")
    steps = _row(rng, 0, 0.1, 0.3, 0.42, 0.6, 0.9)
    for threshold in (0.3, 0.7, 0.9):
        yield Case(f"threshold {threshold}", _shuffled(rng, steps, threshold), "threshold")
    many = np.vstack([_row(rng, *rng.uniform(0, 0.9, 4)) + 100 * i for i in range(3)])
    yield Case("threshold 0.4, twelve boxes", _shuffled(rng, rng.permutation(many), 0.4), "threshold")
    yield Case("threshold 0, two share an edge only", _shuffled(rng, _row(rng, 0, 0.5, 1), 0), "threshold")
    yield Case("an IoU of exactly 0.5", _shuffled(rng, _exact(2, rng), 0.5), "threshold")
    yield Case("an IoU of exactly 0.25", _shuffled(rng, _exact(4, rng), 0.25), "threshold")
    yield Case("one box", _shuffled(rng, some_boxes(rng, 1), 0.5), "few and many")
    yield Case("the same box three times", _shuffled(rng, _row(rng, 0, 0, 0), 0.5), "few and many")
    yield Case("no box", _shuffled(rng, np.zeros((0, 4)), 0.5), "few and many")
    whole = np.array([[2, 3, 12, 9], [3, 3, 13, 9], [30, 2, 38, 16], [30, 4, 38, 18], [60, 9, 70, 14]])
    yield Case("whole numbers", _shuffled(rng, whole[[3, 0, 4, 1, 2]], 0.5), "few and many")
    crowd = np.vstack([placed(rng, rng.uniform(-0.6, 0.6, (6, 2))) + 60 * i for i in range(4)])
    yield Case("24 boxes", _shuffled(rng, rng.permutation(crowd), 0.5), "few and many")


exercise = Exercise(
    solution=nms,
    reference=library.nms,
    cases=cases,
    points=3,
    forbids=("torchvision.ops.*", "cv2.dnn.*"),
    axes=("kept",),
    prompt="""\
A window one step to the left sees nearly the same as its neighbour, and both say "disc". One object gets a
dozen boxes. *Non-maximum suppression* keeps the best of them: take the box with the highest score, drop all
that overlap it too much, and do the same with what is left.

**By hand.** Four boxes of height 4, `iou_threshold` 0.5:

```
    box           score      IoU with 1    IoU with 0
0   0 0  8 4      0.6        0.33
1   4 0 12 4      0.9        kept first
2   5 0 13 4      0.8        0.78
3   1 0  9 4      0.5        0.45          0.78

1 is kept, and 2 is dropped. 0 is kept: 0.33 is not above 0.5. 3 survives 1 and is dropped for 0.
result  [1, 0]
```

**Contract.**
- Return the places in `boxes` of those that are kept, the highest score first.
- A box is dropped if its IoU with a *kept* box is **above** the threshold. Exactly the threshold stays. What
  was dropped drops nobody.
- All boxes are of one class. There may be one box, or none.

You may call your `box_iou`. If that is not right yet, this cannot be right either.
""",
    hints=(
        "Do the example by hand with the scores of 1 and 2 exchanged, then with box 3 as the best of all. "
        "Who is compared with whom, and when is a box never looked at again?",
        "Sort once, the best first, and keep places in `boxes`, not places in the sorted list. Two lists are "
        "enough: who is kept, and who is still in the game.",
        "A loop that runs as long as somebody is in the game: move the best one over to the kept, measure "
        "its IoU with all the others in the game, and let only those stay whose IoU is not above the "
        "threshold.",
    ),
    remark="It cannot know whether two boxes are one object or two that stand close: the threshold decides.",
)


def _answer(
    order: Any = lambda scores: np.argsort(-scores),
    drop: Any = lambda iou, threshold: iou > threshold,
    once: bool = False,
    result: Any = lambda kept, order, boxes: np.array(kept, dtype=int),
) -> Any:
    """Return the right answer with one thing disturbed."""

    def answer(boxes, scores, iou_threshold):
        iou = overlaps(boxes)
        first = order(scores)
        kept, left = [], first
        while len(left):
            best, left = left[0], left[1:]
            kept.append(best)
            left = left[~drop(iou[best, left], iou_threshold)]
            if once:
                kept, left = [*kept, *left], left[:0]
        return result(np.array(kept, dtype=int), first, boxes)

    return answer


def _against(chosen: Any) -> Any:
    """Return an answer that holds each box, best first, against those of the better ones that are chosen."""

    def answer(boxes, scores, iou_threshold):
        kept: list[Any] = []
        better: list[Any] = []
        iou = overlaps(boxes)
        for box in np.argsort(-scores):
            rivals = chosen(kept, better)
            if all(iou[box, rival] <= iou_threshold for rival in rivals):
                kept.append(box)
            better.append(box)
        return np.array(kept, dtype=int)

    return answer


def _removed_on_the_way(boxes, scores, iou_threshold):
    iou, kept = overlaps(boxes), []
    left = [int(box) for box in np.argsort(-scores)]
    while left:
        kept.append(left.pop(0))
        for box in left:  # the list becomes shorter under the loop, which then passes over one
            if iou[kept[-1], box] > iou_threshold:
                left.remove(box)
    return np.array(kept, dtype=int)


def _scores_above(boxes, scores, iou_threshold):
    order = np.argsort(-scores)
    return order[scores[order] > iou_threshold]


def _mask(kept, order, boxes):
    return np.isin(np.arange(len(boxes)), kept)


def _places_in_the_sorted_list(kept, order, boxes):
    return np.argsort(order)[kept]


for _name, _wrong, _hint in (
    (
        "threshold_ignored",
        _answer(drop=lambda iou, threshold: iou > 0.5),
        """The result does not change when `iou_threshold` changes: boxes are dropped above an IoU of 0.5
        each time.""",
    ),
    (
        "at_least_the_threshold",
        _answer(drop=lambda iou, threshold: iou >= threshold),
        """A box whose IoU is exactly the threshold is dropped. Here only what is above it is; the texts
        differ, and the contract says which is meant.""",
    ),
    (
        "in_the_order_of_the_list",
        _answer(order=lambda scores: np.arange(len(scores))),
        """The first box of the list is kept, whatever the scores say. They decide who comes first.""",
    ),
    (
        "worst_first",
        _answer(order=np.argsort),
        """The box with the lowest score is kept first. `argsort` sorts upwards: begin at its other end.""",
    ),
    (
        "dropped_boxes_drop_others",
        _against(lambda kept, better: better),
        """A box is dropped because of one that was dropped itself. In a chain where the first drops the
        second, the third may stay: it overlaps nobody who is kept.""",
    ),
    (
        "only_the_last_kept",
        _against(lambda kept, better: kept[-1:]),
        """A box is compared with the one that was kept last, and with no other. Any kept box can drop it,
        also one from further back.""",
    ),
    (
        "only_the_one_before",
        _against(lambda kept, better: better[-1:]),
        """A box is compared with the one just before it in the sorted list, and with no other. Any kept box
        can drop it, also one from further back.""",
    ),
    (
        "removed_on_the_way",
        _removed_on_the_way,
        """Boxes are removed from the list over which the loop runs. What comes next moves up, and the loop
        passes over it: some that overlap too much stay. Make a new list of those that stay.""",
    ),
    (
        "same_box_stays",
        _answer(drop=lambda iou, threshold: (iou > threshold) & (iou < 1)),
        """A box with an IoU of 1 is never dropped. The best one is not to drop itself, but another box may
        lie exactly on it.""",
    ),
    (
        "threshold_on_the_scores",
        _scores_above,
        """`iou_threshold` is compared with the scores. It is about overlap: a box is dropped by one that is
        kept, not for a low score of its own.""",
    ),
    (
        "only_the_best",
        _answer(once=True),
        """Only the very best box drops others; all that is left then is kept. The same has to be done again
        with the best of those that are left.""",
    ),
    (
        "drops_what_is_apart",
        _answer(drop=lambda iou, threshold: iou <= threshold),
        """The comparison is the wrong way round: boxes that hardly overlap are dropped, and those on the
        same object stay.""",
    ),
    (
        "places_in_the_sorted_list",
        _answer(result=_places_in_the_sorted_list),
        """The right boxes are kept, but their numbers are places in the sorted list. Asked for are places in
        `boxes`, as they were given.""",
    ),
    (
        "in_list_order",
        _answer(result=lambda kept, order, boxes: np.sort(kept)),
        """The right boxes are kept, but they come in the order of the list. The one with the highest score
        comes first.""",
    ),
    (
        "mask",
        _answer(result=_mask),
        """It says of each box whether it is kept. Asked for are the places of those that are, the highest
        score first.""",
    ),
    (
        "boxes_for_places",
        _answer(result=lambda kept, order, boxes: boxes[kept]),
        """The boxes themselves come back. Asked for are their places in the list, so that scores and names
        can be found again.""",
    ),
):
    _wrong.__name__ = f"_{_name}"
    exercise.misconception(_hint)(_wrong)
