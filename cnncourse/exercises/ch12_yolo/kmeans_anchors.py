"""Exercise: the sizes that the objects of a data set have."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnncourse.checking import Case, Exercise

ROUNDS = 100


def kmeans_anchors(sizes, first):
    """Let some first anchors move to where the sizes of objects gather.

    Parameters
    ----------
    sizes : array, shape (N, 2)
        Width and height of each object.
    first : array, shape (k, 2)
        Width and height of the anchors to begin with.

    Returns
    -------
    array, shape (k, 2)
        The anchors when none moves any more; row j is what has become of `first[j]`.
    """
    anchors = np.array(first, dtype=float)
    areas = sizes[:, 0] * sizes[:, 1]  # (N,)
    for _ in range(100):
        shared = np.minimum(sizes[:, None], anchors).prod(axis=2)  # (N, k)
        iou = shared / (areas[:, None] + anchors.prod(axis=1) - shared)  # (N, k)
        nearest, before = iou.argmax(axis=1), anchors.copy()
        for j in range(len(anchors)):
            if np.any(nearest == j):
                anchors[j] = sizes[nearest == j].mean(axis=0)
        if np.array_equal(anchors, before):
            break
    return anchors  # (k, 2)


def _spread(rng: np.random.Generator, N: int) -> Any:
    """Draw sizes from small to large: as many below 12 as above."""
    side = 12 * 4 ** rng.uniform(-1, 1, (N, 1))
    return side * 1.7 ** rng.uniform(-1, 1, (N, 2))


def _start(sizes, k: int) -> Any:
    """Take the k smallest as first anchors, so that they have a way to go; the largest of them first."""
    order = np.argsort(sizes.prod(axis=1))
    return sizes[order[:k]][::-1] * 1.01


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Small and large objects; anchors that begin in the wrong place, or so far off that none is nearest."""
    for why, N, k in (("two anchors", 24, 2), ("three anchors", 40, 3), ("five anchors", 60, 5)):
        sizes = _spread(rng, N)
        yield Case(why, {"sizes": sizes, "first": _start(sizes, k)}, "anchors that move")
    for why, more in (("whole pixels", [40, 30]), ("whole pixels, other anchors", [5, 60])):
        sizes = np.ceil(_spread(rng, 30)).astype(np.int64)
        first = sizes[[3, 0]] + np.array([more, [0, 0]])
        yield Case(why, {"sizes": sizes, "first": first}, "anchors that move")
    for why, far in (("far too flat", [5000.0, 0.001]), ("far too small", [0.0001, 0.001])):
        sizes = _spread(rng, 24)
        first = np.concatenate([[far], _start(sizes, 2)])
        arguments = {"sizes": sizes, "first": first}
        yield Case(f"an anchor {why}: no object is nearest to it", arguments, "anchors without objects")


exercise = Exercise(
    solution=kmeans_anchors,
    cases=cases,
    points=2,
    forbids=("sklearn.cluster.*", "scipy.cluster.*"),
    axes=("anchors", "width and height"),
    prompt="""\
A cell of v1 must find every width and height out of nothing. Version 2 gives it *anchors*, sizes that objects
often have, and lets it say only how the object differs. Faster R-CNN chose its anchors by hand. YOLO v2 asks
the data: k-means on widths and heights.

Two steps, again and again. Each object goes to the anchor that is **nearest**; each anchor becomes the
**mean** width and height of the objects that came to it. Near means a high IoU of the two sizes, as if both
boxes had one centre: the distance is `1 - IoU`. In pixels, a large object is always far from everything, and
the anchors would care for large objects only.

**By hand.** Sizes `(2, 2)`, `(4, 4)`, `(20, 20)`; anchors `(3, 3)` and `(8, 8)`. For `(4, 4)`:

```
with (3, 3)   shared 3 * 3 = 9      IoU 9 / (16 + 9 - 9) = 0.56      nearest
with (8, 8)   shared 4 * 4 = 16     IoU 16 / (16 + 64 - 16) = 0.25
anchors become  ((2 + 4) / 2, (2 + 4) / 2) = (3, 3)  and  (20, 20)
```

In the next round nothing moves, so that is the end.

**Contract.**
- Go on until no anchor moves; 100 rounds are always enough here.
- An anchor to which no object comes stays where it is.
- The order of the anchors is kept: row j of the result began as `first[j]`. `first` itself is not changed.
""",
    hints=(
        "What is the intersection of two boxes with one centre? Draw a wide and a tall one. Which width and "
        "which height does what they share have?",
        "Make a table of IoUs, a row for each object and a column for each anchor: `sizes[:, None]` against "
        "the anchors. In each row one column wins. Then walk over the anchors: whose rows did it win? "
        "Perhaps none.",
        "A loop over rounds: keep a copy of the anchors, make the table, find the winners, move each anchor "
        "that has objects, and leave the loop when the copy and the anchors are equal.",
    ),
    remark=(
        "Where it ends depends on where it begins: people run it several times and keep the highest mean IoU."
    ),
)


def _similarity(sizes, anchors):
    shared = np.minimum(sizes[:, None], anchors).prod(axis=2)
    return shared / (sizes.prod(axis=1)[:, None] + anchors.prod(axis=1) - shared)


def _keep(anchor, own):
    return anchor


def _answer(
    nearest: Any = lambda sizes, anchors: _similarity(sizes, anchors).argmax(axis=1),
    middle: Any = lambda own: own.mean(axis=0),
    alone: Any = _keep,
    rounds: int = ROUNDS,
    begin: Any = lambda sizes, first: first,
    end: Any = lambda anchors: anchors,
    kind: Any = float,
) -> Any:
    """Return the right answer with one thing disturbed."""

    def answer(sizes, first):
        anchors = np.array(begin(sizes, first), dtype=kind or first.dtype)
        for _ in range(rounds):
            now, before = nearest(sizes, anchors), anchors.copy()
            for j in range(len(anchors)):
                own = sizes[now == j]
                anchors[j] = middle(own) if len(own) else alone(anchors[j], own)
            if np.array_equal(anchors, before, equal_nan=True):
                break
        return end(anchors)

    return answer


for _name, _wrong, _hint in (
    (
        "euclid",
        _answer(lambda sizes, anchors: np.square(sizes[:, None] - anchors).sum(axis=2).argmin(axis=1)),
        """The distance is the one in pixels, as in plain k-means. By that, two large boxes that overlap
        almost wholly are farther apart than two small ones that hardly do. Take `1 - IoU`.""",
    ),
    (
        "farthest",
        _answer(lambda sizes, anchors: _similarity(sizes, anchors).argmin(axis=1)),
        """Each object goes to the anchor that it overlaps *least*. A high IoU means near: the distance is
        `1 - IoU`.""",
    ),
    (
        "largest_intersection",
        _answer(lambda sizes, anchors: np.minimum(sizes[:, None], anchors).prod(axis=2).argmax(axis=1)),
        """An object goes to the anchor with which it shares the largest area, and that is the largest anchor.
        Divide by the union.""",
    ),
    (
        "nearest_area",
        _answer(
            lambda sizes, anchors: np.abs(sizes.prod(axis=1)[:, None] - anchors.prod(axis=1)).argmin(axis=1)
        ),
        """Objects are compared by their areas alone: a tall one and a wide one would be alike. Take the IoU
        of
        the sizes.""",
    ),
    (
        "one_round",
        _answer(rounds=1),
        """The anchors move once. After that other objects may be nearest to them: go on until none moves. (A
        loop that stops after one round may compare an array with itself, in place of a copy.)""",
    ),
    (
        "mean_of_nothing",
        _answer(alone=lambda anchor, own: np.full(2, np.nan)),
        """An anchor to which no object came becomes `nan`: the mean of no numbers. It stays where it is.""",
    ),
    (
        "alone_becomes_zero",
        _answer(alone=lambda anchor, own: np.zeros(2)),
        """An anchor to which no object came becomes 0. It stays where it is.""",
    ),
    (
        "alone_is_dropped",
        _answer(alone=lambda anchor, own: np.full(2, np.inf), end=lambda a: a[np.isfinite(a).all(axis=1)]),
        """An anchor to which no object came is left out, so that fewer come back. It stays where it is.""",
    ),
    (
        "median",
        _answer(middle=lambda own: np.median(own, axis=0)),
        """An anchor becomes the median of its objects. Some programs do that; here it is their mean.""",
    ),
    (
        "sorted_by_area",
        _answer(end=lambda anchors: anchors[np.argsort(anchors.prod(axis=1))]),
        """The anchors are right, and sorted by area. Row j is to be what has become of `first[j]`.""",
    ),
    (
        "own_beginning",
        _answer(begin=lambda sizes, first: sizes[: len(first)]),
        """The first anchors are not those of `first`: where k-means ends depends on where it begins.""",
    ),
    (
        "whole_pixels",
        _answer(kind=None),
        """Anchors that begin as whole numbers stay whole: an array of ints cuts off what stands behind the
        decimal point. Begin with floats.""",
    ),
):
    _wrong.__name__ = f"_{_name}"
    exercise.misconception(_hint)(_wrong)
