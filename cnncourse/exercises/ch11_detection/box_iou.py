"""Exercise: how much boxes overlap."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnncourse import boxes as library
from cnncourse.checking import Case, Exercise
from cnncourse.exercises.ch11_detection._boxes import some_boxes


def box_iou(boxes1, boxes2):
    """Return the intersection over union of every box of one list with every box of another.

    Parameters
    ----------
    boxes1 : array, shape (N, 4)
        Each box is x1, y1, x2, y2 in pixels: the left upper corner and the right lower one.
    boxes2 : array, shape (M, 4)

    Returns
    -------
    array, shape (N, M)
        The area that both boxes cover, divided by the area that at least one of them covers.
    """
    first, second = boxes1[:, None], boxes2[None]  # (N, 1, 4), (1, M, 4)
    start = np.maximum(first[..., :2], second[..., :2])  # (N, M, 2)
    stop = np.minimum(first[..., 2:], second[..., 2:])  # (N, M, 2)
    sides = np.maximum(stop - start, 0)  # (N, M, 2): none where they do not meet
    shared = sides[..., 0] * sides[..., 1]  # (N, M)
    area1 = (first[..., 2] - first[..., 0]) * (first[..., 3] - first[..., 1])  # (N, 1)
    area2 = (second[..., 2] - second[..., 0]) * (second[..., 3] - second[..., 1])  # (1, M)
    return shared / (area1 + area2 - shared)  # (N, M)


def _pair(rng: np.random.Generator, other) -> dict[str, Any]:
    """Return two boxes, the second given in sides of the first; both stretched and moved at random."""
    stretch, move = rng.uniform(0.8, 1.6, 2), rng.uniform(-6, 9, 2)
    both = np.array([[0, 0, 10, 6], np.array(other) * (10, 6, 10, 6)], dtype=float)
    return {
        "boxes1": both[:1] * np.tile(stretch, 2) + np.tile(move, 2),
        "boxes2": both[1:] * np.tile(stretch, 2) + np.tile(move, 2),
    }


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Overlap, containment, unequal areas; apart along x, y and both; touching; lists, of nothing too."""
    for why, other in (
        ("two boxes of unequal areas overlap", (0.4, 0.3, 1.9, 0.9)),
        ("the second is lower and further left", (-0.7, 0.5, 0.6, 2.0)),
        ("the same box twice", (0, 0, 1, 1)),
        ("one inside the other", (0.2, 0.1, 0.7, 0.8)),
        ("the second is around the first", (-0.5, -1, 1.5, 1.5)),
    ):
        yield Case(why, _pair(rng, other), "overlap")
    for why, other in (
        ("apart along x only", (1.5, 0.2, 2.1, 1.4)),
        ("apart along y only", (0.3, 1.4, 1.2, 2.6)),
        ("apart along x and y, to the lower right", (1.2, 1.3, 1.9, 2.8)),
        ("apart along x and y, to the upper right", (1.4, -1.6, 2.6, -0.3)),
        ("they share an edge only", (1, 0.2, 1.7, 1.3)),
    ):
        yield Case(why, _pair(rng, other), "apart")
    many, few = some_boxes(rng, 5), some_boxes(rng, 3)
    yield Case("five boxes with three", {"boxes1": many, "boxes2": few}, "lists")
    yield Case("two boxes with four", {"boxes1": few[:2], "boxes2": many[:4]}, "lists")
    yield Case("four boxes with themselves", {"boxes1": many[1:], "boxes2": many[1:]}, "lists")
    whole = {"boxes1": np.floor(some_boxes(rng, 3, 12)).astype(int)}
    whole["boxes2"] = whole["boxes1"][:2] + np.array([3, 1, 4, 3])
    yield Case("whole numbers", whole, "lists")
    yield Case("two boxes with none", {"boxes1": few[:2], "boxes2": np.zeros((0, 4))}, "lists")


exercise = Exercise(
    solution=box_iou,
    reference=library.box_iou,
    cases=cases,
    points=3,
    forbids=("torchvision.ops.*", "pycocotools.*"),
    axes=("N", "M"),
    prompt="""\
Is this box a good answer for that object? No box fits to the last pixel, so "equal" will not do. The measure
that everybody uses is the *intersection over union*, IoU: what both boxes cover, divided by what the two
together cover. It is 1 for the same box, 0 for boxes that do not meet, and a number between for all others.
Everything in this lab stands on it.

**By hand.** Two boxes, each with its left upper and its right lower corner:

```
A = 0 0 4 4        area 16
B = 2 1 8 3        area 12
both: x from 2 to 4, y from 1 to 3       area 4
IoU = 4 / (16 + 12 - 4) = 4 / 24 = 0.167
```

**Contract.**
- A box is `x1, y1, x2, y2` with `x1 < x2` and `y1 < y2`. Its width is `x2 - x1`: coordinates say where edges
  are, and are no counts of pixels.
- The result is `(N, M)`: row `n`, column `m` belongs to `boxes1[n]` and `boxes2[m]`. `M` may be 0.
- Boxes that do not meet, or share an edge only, have the IoU 0.
""",
    hints=(
        "Draw A and B. Where is the left edge of what they share, and which of the two boxes does it belong "
        "to? Ask the same for the right edge. Then draw two boxes that do not meet and do the same sum.",
        "The shared part begins where the *later* box begins and ends where the *earlier* one ends. If it "
        "ends before it begins, along x or along y, nothing is shared. In the sum of both areas the shared "
        "part is counted twice.",
        "Two loops over the lists are fine. Without loops: give `boxes1` a new axis so that `(N, 1, 4)` "
        "meets `(1, M, 4)`; corners and areas then come for all pairs at once. Each of the two sides is cut "
        "off at 0 before they are multiplied.",
    ),
    remark="Twice as large does not make it better or worse: the IoU does not change when both boxes grow.",
)


def _answer(
    read: Any = lambda box: box,
    start: Any = np.maximum,
    stop: Any = np.minimum,
    sides: Any = lambda sides: np.maximum(sides, 0),
    divide: Any = lambda shared, area1, area2, hull: shared / (area1 + area2 - shared),
    more: float = 0,
) -> Any:
    """Return the right answer with one thing disturbed."""

    def answer(boxes1, boxes2):
        first, second = read(boxes1[:, None] * 1.0), read(boxes2[None] * 1.0)
        side1, side2 = (box[..., 2:] - box[..., :2] + more for box in (first, second))
        shared = sides(stop(first[..., 2:], second[..., 2:]) - start(first[..., :2], second[..., :2]) + more)
        hull = np.maximum(first[..., 2:], second[..., 2:]) - np.minimum(first[..., :2], second[..., :2])
        shared = shared[..., 0] * shared[..., 1] if shared.ndim == 3 else shared
        return divide(shared, side1.prod(axis=-1), side2.prod(axis=-1), hull.prod(axis=-1))

    return answer


def _product_cut_off(sides):
    return np.maximum(sides[..., 0] * sides[..., 1], 0)


def _paired(boxes1, boxes2):
    start, stop = np.maximum(boxes1[:, :2], boxes2[:, :2]), np.minimum(boxes1[:, 2:], boxes2[:, 2:])
    shared = np.maximum(stop - start, 0).prod(axis=1)
    return shared / (library.box_area(boxes1) + library.box_area(boxes2) - shared)


def _transposed(boxes1, boxes2):
    return library.box_iou(boxes1, boxes2).T


def _corners_mixed(box):
    return box[..., [0, 2, 1, 3]]


def _from_width_and_height(box):
    return np.concatenate([box[..., :2], box[..., :2] + box[..., 2:]], axis=-1)


_TWO_NEGATIVE_SIDES = """Boxes that are apart along x *and* y get a number above 0: two negative sides make a
positive area. Look at each side by itself before you multiply."""

MISTAKES = {
    "second_area_copied": (
        """The union holds the first box's area twice: the second one's is missing. Exchange the two lists,
        and the result should stay the same.""",
        _answer(divide=lambda shared, area1, area2, hull: shared / (area1 + area1 - shared)),
    ),
    "union_without_subtracting": (
        """The areas of both boxes are added, and what they share is counted twice. Two equal boxes get 0.5;
        they should get 1.""",
        _answer(divide=lambda shared, area1, area2, hull: shared / (area1 + area2)),
    ),
    "not_cut_off": (
        """Boxes that do not meet get a number other than 0. Where what is shared ends before it begins, its
        side comes out negative: there is nothing to share then.""",
        _answer(sides=lambda sides: sides),
    ),
    "absolute_sides": (
        """Boxes that do not meet get a number above 0: a negative side loses its sign. It says that there is
        a gap, and then nothing is shared.""",
        _answer(sides=np.abs),
    ),
    "product_cut_off": (
        _TWO_NEGATIVE_SIDES,
        _answer(sides=_product_cut_off),
    ),
    "result_cut_off": (
        _TWO_NEGATIVE_SIDES,
        _answer(
            sides=lambda sides: sides,
            divide=lambda shared, area1, area2, hull: np.clip(shared / (area1 + area2 - shared), 0, 1),
        ),
    ),
    "start_and_end_exchanged": (
        """What is shared begins at the smaller of the two starts and ends at the larger of the two ends: that
        is the box around both. Begin where the later one begins, end where the first one ends.""",
        _answer(start=np.minimum, stop=np.maximum),
    ),
    "later_end": (
        """What is shared ends where the box that reaches further ends. It ends where the first of the two
        ends: behind that, only one box goes on.""",
        _answer(stop=np.maximum),
    ),
    "earlier_start": (
        """What is shared begins where the box that begins first begins. There, only one box is there yet.""",
        _answer(start=np.minimum),
    ),
    "width_and_height": (
        """The last two numbers of a box are read as width and height. They are the right lower corner: a
        box is `x1, y1, x2, y2`.""",
        _answer(read=_from_width_and_height),
    ),
    "corners_mixed": (
        """The four numbers are read in the order x1, x2, y1, y2. They are `x1, y1, x2, y2`: one corner, then
        the other.""",
        _answer(read=_corners_mixed),
    ),
    "one_more_pixel": (
        """Every side is longer by 1. That counts pixels, both ends included, as some older code does. Here
        coordinates are edges, and the width is the difference.""",
        _answer(more=1),
    ),
    "over_the_first": (
        """What is shared is divided by the area of the first box alone. Exchange the two lists, and the
        result should stay the same.""",
        _answer(divide=lambda shared, area1, area2, hull: shared / (area1 + 0 * area2)),
    ),
    "over_the_second": (
        """What is shared is divided by the area of the second box alone. Exchange the two lists, and the
        result should stay the same.""",
        _answer(divide=lambda shared, area1, area2, hull: shared / (0 * area1 + area2)),
    ),
    "over_the_smaller": (
        """What is shared is divided by the smaller of the two areas: a box inside another gets 1, however
        small it is. Divide by what the two cover together.""",
        _answer(divide=lambda shared, area1, area2, hull: shared / np.minimum(area1, area2)),
    ),
    "box_around_both": (
        """What is shared is divided by the area of the box around both. The union is smaller: it has no
        corners in which neither box lies.""",
        _answer(divide=lambda shared, area1, area2, hull: shared / hull),
    ),
    "not_divided": (
        """It is the area that both share, in square pixels. Divide it by what the two cover together.""",
        _answer(divide=lambda shared, area1, area2, hull: shared),
    ),
    "paired": (
        """The first box is compared with the first, the second with the second. Every box of one list meets
        every box of the other: `(N, M)` numbers.""",
        _paired,
    ),
    "transposed": (
        """The result is `(M, N)`: rows and columns are exchanged. Row `n` belongs to `boxes1[n]`.""",
        _transposed,
    ),
}
for _name, (_hint, _wrong) in MISTAKES.items():
    _wrong.__name__ = f"_{_name}"
    exercise.misconception(_hint)(_wrong)
