"""Exercise: from what all cells say to the few boxes worth looking at."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnncourse.checking import Case, Exercise


def yolo_filter_boxes(boxes, confidence, class_probs, threshold=0.5):
    """Give every box its best class and a score, and keep those whose score is high enough.

    Parameters
    ----------
    boxes : array, shape (rows, columns, A, 4)
    confidence : array, shape (rows, columns, A)
        How sure the network is that there is an object, from 0 to 1.
    class_probs : array, shape (rows, columns, A, C)
        If there is one, how likely it belongs to each class.
    threshold : float
        A box is kept if its score is at least this.

    Returns
    -------
    boxes, scores, labels : arrays, shapes (M, 4), (M,) and (M,)
        Row by row, in a row cell by cell, in a cell anchor by anchor.
    """
    scores = confidence[..., None] * class_probs  # (rows, columns, A, C)
    best = scores.max(axis=-1)  # (rows, columns, A)
    kept = best >= threshold
    return boxes[kept], best[kept], scores.argmax(axis=-1)[kept]


def _said(
    rng: np.random.Generator, rows: int, columns: int, A: int, C: int, threshold: float | None = None
) -> dict[str, Any]:
    """Draw what cells say: sure of an object or not, sure of its class or not, in all combinations."""
    shape = (rows, columns, A)
    confidence = rng.uniform(0.55, 1.0, shape)
    class_probs = rng.dirichlet(np.full(C, 0.35), shape)
    confidence[rng.random(shape) < 0.25] *= 0.3
    start = rng.uniform(0, 60, (*shape, 2))
    boxes = np.concatenate([start, start + rng.uniform(4, 30, (*shape, 2))], axis=-1)
    said = {"boxes": boxes, "confidence": confidence, "class_probs": class_probs}
    return said if threshold is None else {**said, "threshold": threshold}


def _exact(rng: np.random.Generator, rows: int, columns: int, A: int) -> dict[str, Any]:
    """Let the score of one box be the threshold itself, to the last bit."""
    said = _said(rng, rows, columns, A, 2, 0.375)
    said["confidence"][0, 1, 0], said["class_probs"][0, 1, 0] = 0.5, (0.125, 0.75)
    return said


def _alike(rng: np.random.Generator, rows: int, columns: int, A: int) -> dict[str, Any]:
    """Let the best two of three classes be alike in every other row, to the last bit."""
    said = _said(rng, rows, columns, A, 3, 0.1)
    said["class_probs"][::2] = 0.125, 0.4375, 0.4375
    return said


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """One anchor and several, low and high thresholds; two classes alike; no box that is good enough; a score
    at the threshold."""
    yield Case("one anchor", _said(rng, 3, 4, 1, 3), "scores and classes")
    yield Case("three anchors, two classes", _said(rng, 2, 4, 3, 2), "scores and classes")
    yield Case("two anchors, five classes", _said(rng, 4, 3, 2, 5, 0.15), "scores and classes")
    yield Case("a low threshold", _said(rng, 3, 2, 2, 3, 0.1), "scores and classes")
    yield Case("two classes are equally likely", _alike(rng, 3, 2, 1), "scores and classes")
    yield Case("two classes are equally likely, two anchors", _alike(rng, 2, 3, 2), "scores and classes")
    yield Case("no box is good enough", _said(rng, 2, 3, 2, 3, 1.0), "at the threshold and above")
    yield Case("a high threshold", _said(rng, 5, 4, 2, 3, 0.7), "at the threshold and above")
    yield Case("a score that is the threshold", _exact(rng, 2, 3, 2), "at the threshold and above")
    yield Case(
        "a score that is the threshold, one anchor", _exact(rng, 3, 2, 1), "at the threshold and above"
    )


exercise = Exercise(
    solution=yolo_filter_boxes,
    cases=cases,
    points=2,
    prompt="""\
A map of 13 by 13 cells with 5 anchors says 845 boxes, for every image, also for one of an empty sky. Most of
them mean nothing, and the network says so, in two numbers: how sure it is that there *is* an object, and how
likely it belongs to each class. A box is worth as much as both together.

**By hand.** Three boxes, two classes, threshold 0.5:

```
confidence   classes        scores            best
0.9          0.8  0.2       0.72  0.18        class 0, 0.72     kept
0.9          0.5  0.5       0.45  0.45        class 0, 0.45     sure of an object, not of its class
0.3          0.0  1.0       0.00  0.30        class 1, 0.30     sure of the class, if there were an object
```

**Contract.**
- The score of a box for a class is confidence times probability. A box gets its best class, and of two equal
  ones the first.
- Kept is what has a score of *at least* `threshold`.
- Three arrays come back: boxes, scores, labels, in the order in which the cells lie in memory (row by row).
  If nothing is kept they are empty, of shapes `(0, 4)`, `(0,)` and `(0,)`.
""",
    hints=(
        "Why would it be wrong to look at the confidence alone and drop everything below 0.5? Look at the "
        "second box above.",
        "The confidence has an axis less than the class probabilities. Give it one of length 1 at the end, "
        "and both can be multiplied. Along which axis do the classes lie?",
        "Make three arrays of the shape `(rows, columns, A)`: the best score, its class, and whether it is "
        "kept. An array of True and False in square brackets picks from all of them, and from the boxes.",
    ),
    remark=(
        "What is left still holds doubles, several boxes for one object: non-maximum suppression comes next."
    ),
)


def _answer(
    score: Any = lambda products, confidence, class_probs: products.max(axis=-1),
    judged: Any = None,
    label: Any = lambda products: products.argmax(axis=-1),
    passes: Any = np.greater_equal,
    order: Any = lambda scores: slice(None),
    default: bool = False,
) -> Any:
    """Return the right answer with one thing disturbed."""

    def answer(boxes, confidence, class_probs, threshold=0.5):
        products = confidence[..., None] * class_probs
        scores = score(products, confidence, class_probs)
        kept = passes((judged or score)(products, confidence, class_probs), 0.5 if default else threshold)
        labels = label(products)[kept]
        by = order(scores[kept])
        return boxes[kept][by], scores[kept][by], labels[by]

    return answer


def _best(products, confidence, class_probs):
    return products.max(axis=-1)


def _every_class(boxes, confidence, class_probs, threshold=0.5):
    products = confidence[..., None] * class_probs
    *place, label = np.nonzero(products >= threshold)
    return boxes[tuple(place)], products[(*place, label)], label


def _one_box_a_cell(boxes, confidence, class_probs, threshold=0.5):
    products = confidence[..., None] * class_probs
    best = products.max(axis=-1)
    kept = (best >= threshold) & (best == best.max(axis=-1, keepdims=True))
    return boxes[kept], best[kept], products.argmax(axis=-1)[kept]


def _labels_second(boxes, confidence, class_probs, threshold=0.5):
    kept, scores, labels = _answer()(boxes, confidence, class_probs, threshold)
    return kept, labels, scores


def _column_by_column(boxes, confidence, class_probs, threshold=0.5):
    turned = (np.swapaxes(array, 0, 1) for array in (boxes, confidence, class_probs))
    return _answer()(*turned, threshold)


for _name, _wrong, _hint in (
    (
        "confidence_above_the_threshold",
        _answer(judged=lambda products, confidence, class_probs: confidence),
        """Boxes are kept by their confidence alone, before it is multiplied with the class. A box that is
        sure
        of an object and of no class gets through.""",
    ),
    (
        "class_above_the_threshold",
        _answer(judged=lambda products, confidence, class_probs: class_probs.max(axis=-1)),
        """Boxes are kept by the probability of their class alone. It says which class *if* there is an
        object;
        whether there is one, the confidence says.""",
    ),
    (
        "both_above_the_threshold",
        _answer(
            score=_best,
            judged=lambda products, confidence, class_probs: np.minimum(confidence, class_probs.max(axis=-1)),
        ),
        """Confidence and class are held against the threshold one by one, and both may pass where their
        product does not. The score decides.""",
    ),
    (
        "confidence_as_score",
        _answer(score=lambda products, confidence, class_probs: confidence, judged=_best),
        """The right boxes are kept, and what comes back as their score is the confidence. The score is the
        product.""",
    ),
    (
        "class_as_score",
        _answer(score=lambda products, confidence, class_probs: class_probs.max(axis=-1), judged=_best),
        """The right boxes are kept, and what comes back as their score is the probability of the class. The
        score is the product.""",
    ),
    (
        "confidence_only",
        _answer(score=lambda products, confidence, class_probs: confidence),
        """The class probabilities play no part in the scores. The score is confidence times probability.""",
    ),
    (
        "class_only",
        _answer(score=lambda products, confidence, class_probs: class_probs.max(axis=-1)),
        """The confidence plays no part: the scores are the class probabilities. In an empty cell they say
        nothing.""",
    ),
    (
        "above_only",
        _answer(passes=np.greater),
        """A score that is exactly the threshold is dropped. Kept is what is *at least* the threshold.""",
    ),
    (
        "threshold_ignored",
        _answer(default=True),
        """The result does not change when `threshold` changes: 0.5 is only its default.""",
    ),
    (
        "nothing_dropped",
        _answer(passes=lambda scores, threshold: scores >= 0),
        """All boxes come back, whatever their score. Kept are those with a score of at least the
        threshold.""",
    ),
    (
        "below_the_threshold",
        _answer(passes=np.less),
        """Kept are the boxes *below* the threshold.""",
    ),
    (
        "classes_along_the_anchors",
        _answer(
            score=lambda products, confidence, class_probs: products.max(axis=2),
            label=lambda products: products.argmax(axis=2),
        ),
        """The best is looked for along the anchors, and a class is the number of an anchor. The classes lie
        along the last axis.""",
    ),
    (
        "label_along_the_anchors",
        _answer(label=lambda products: products.argmax(axis=2)),
        """Scores are right, but the labels are looked for along the anchors. The classes lie along the last
        axis.""",
    ),
    (
        "classes_from_1",
        _answer(label=lambda products: products.argmax(axis=-1) + 1),
        """The labels are one too high: classes are numbered from 0.""",
    ),
    (
        "last_of_equal_classes",
        _answer(label=lambda products: products.shape[-1] - 1 - products[..., ::-1].argmax(axis=-1)),
        """Of two classes that are equally likely the last one is taken. It is the first.""",
    ),
    (
        "labels_second",
        _labels_second,
        """Labels come second and scores third. The order is boxes, scores, labels.""",
    ),
    (
        "every_class_above",
        _every_class,
        """A box comes back once for every class whose score is high enough. Here each box has one class, its
        best.""",
    ),
    (
        "one_box_a_cell",
        _one_box_a_cell,
        """Of each cell only the best anchor is kept. Two objects may lie in one cell: every anchor speaks for
        itself.""",
    ),
    (
        "best_first",
        _answer(order=lambda scores: np.argsort(-scores)),
        """The right boxes, sorted by score. Here they stay in the order in which the cells lie.""",
    ),
    (
        "column_by_column",
        _column_by_column,
        """The boxes come column by column: rows and columns have changed places. The first axis counts
        rows.""",
    ),
):
    _wrong.__name__ = f"_{_name}"
    exercise.misconception(_hint)(_wrong)
