"""Exercise: the loss of YOLO v1, part by part."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnncourse.checking import Case, Exercise

PARTS = ("box", "object", "no_object", "class")


def yolo_loss(predicted, target, lambda_coord=5.0, lambda_noobj=0.5):
    """Return how wrong the cells of YOLO v1 are: four sums of squared errors.

    Parameters
    ----------
    predicted : array, shape (N, rows, columns, 5 * B + C)
        What the cells say: B times x, y, w, h, confidence; then a number for each of C classes.
    target : array, shape (N, rows, columns, 5 + C)
        What they should say, as `yolo_encode` writes it, for each of N images.
    lambda_coord, lambda_noobj : float
        Weights of the boxes, and of the confidences where nothing is to be found.

    Returns
    -------
    dict of four floats
        "box", "object", "no_object" and "class": sums over an image, and the mean of them over the images.
    """
    N, rows, columns, numbers = target.shape
    B = (predicted.shape[3] - (numbers - 5)) // 5
    parts = {"box": 0.0, "object": 0.0, "no_object": 0.0, "class": 0.0}
    for n, i, j in np.ndindex(N, rows, columns):
        said, truth = predicted[n, i, j, : 5 * B].reshape(B, 5), target[n, i, j]
        others = np.sum(said[:, 4] ** 2)
        if truth[4] == 1:
            place, size = said[:, :2] / (columns, rows), said[:, 2:4]  # shares of the image, (B, 2)
            start = np.maximum(place - size / 2, truth[:2] / (columns, rows) - truth[2:4] / 2)
            stop = np.minimum(place + size / 2, truth[:2] / (columns, rows) + truth[2:4] / 2)
            shared = np.maximum(stop - start, 0).prod(axis=1)  # (B,)
            iou = shared / (size.prod(axis=1) + truth[2:4].prod() - shared)  # (B,)
            best = iou.argmax()
            errors = said[best, :2] - truth[:2], np.sqrt(said[best, 2:4]) - np.sqrt(truth[2:4])
            parts["box"] += lambda_coord * np.sum(np.square(errors))
            parts["object"] += (said[best, 4] - iou[best]) ** 2
            parts["class"] += np.sum((predicted[n, i, j, 5 * B :] - truth[5:]) ** 2)
            others -= said[best, 4] ** 2
        parts["no_object"] += lambda_noobj * others
    return {name: float(part / N) for name, part in parts.items()}


def _batch(rng: np.random.Generator, N: int, grid, B: int, C: int, objects) -> dict[str, Any]:
    """Draw targets with objects in cells (n, row, column, responsible box), and what is said about them."""
    rows, columns = grid
    target = np.zeros((N, rows, columns, 5 + C))
    boxes = rng.uniform(0.05, 0.95, (N, rows, columns, B, 5))
    classes = rng.dirichlet(np.ones(C), (N, rows, columns))
    for n, i, j, best in objects:
        truth = np.concatenate([rng.uniform(0.3, 0.7, 2), rng.uniform(0.3, 0.6, 2)])
        target[n, i, j, :4], target[n, i, j, 4], target[n, i, j, 5 + rng.integers(C)] = truth, 1, 1
        boxes[n, i, j, :, :2] = truth[:2]
        boxes[n, i, j, :, 2:4] = truth[2:] * rng.uniform(0.35, 0.6, (B, 2))
        boxes[n, i, j, best, :2] += rng.uniform(0.05, 0.12, 2) * rng.choice([-1, 1], 2)
        boxes[n, i, j, best, 2:4] = truth[2:] * rng.uniform(0.85, 0.95, 2)
        boxes[n, i, j, :, 4] = rng.uniform(0.6, 0.9, B)
        boxes[n, i, j, best, 4] = rng.uniform(0.2, 0.4)
    return {
        "predicted": np.concatenate([boxes.reshape(N, rows, columns, -1), classes], axis=-1),
        "target": target,
    }


def _situations(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "one box a cell", _batch(rng, 1, (2, 3), 1, 2, [(0, 1, 2, 0)])
    yield "two boxes a cell", _batch(rng, 1, (3, 2), 2, 3, [(0, 2, 0, 1), (0, 0, 1, 0)])
    two = [(0, 0, 3, 1), (0, 1, 1, 1)]
    yield "two images, one without objects", _batch(rng, 2, (2, 4), 2, 2, two)
    other = {"lambda_coord": 2.0, "lambda_noobj": 0.25}
    yield "other weights", _batch(rng, 1, (2, 1), 3, 4, [(0, 1, 0, 2)]) | other
    many = [(0, 0, 2, 1), (1, 0, 0, 2), (1, 0, 4, 0)]
    yield "other weights, two images, three boxes", _batch(rng, 2, (1, 5), 3, 2, many) | other


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Few boxes and many, images with and without objects, other weights; each part is graded for itself."""
    for why, arguments in _situations(rng):
        for part in PARTS:
            yield Case(f"{why}: {part}", arguments, part, part=part)


exercise = Exercise(
    solution=yolo_loss,
    cases=cases,
    points=4,
    prompt="""\
The network says something in every cell, and your targets say what it should have been. How wrong is it? Most
cells hold nothing: if all mistakes counted alike, "there is nothing anywhere" would be a fine answer. So the
paper weighs four kinds of mistakes.

A cell has `B` boxes, and only **one** of them is to learn the object: the one that overlaps it most. It is
called *responsible*. All others, in this cell and in empty ones, have one thing to learn: a confidence of 0.

```
"box"        lambda_coord * ( (x - x')^2 + (y - y')^2 + (root w - root w')^2 + (root h - root h')^2 )
"object"     (confidence of the responsible box - its IoU with the object)^2
"no_object"  lambda_noobj * confidence^2, of every box that is not responsible
"class"      squared errors of the class numbers, in cells with an object
```

**By hand.** One cell, one class, `B = 2`. The target is `0.5 0.5 0.4 0.4 1 | 1`; said is
`0.5 0.5 0.4 0.1 0.3`, then `0.5 0.6 0.4 0.4 0.7`, then `0.9` for the class:

```
IoU          first box 0.04 / 0.16 = 0.25; second (0.4 * 0.3) / (0.16 + 0.16 - 0.12) = 0.6: responsible
"box"        5 * 0.1^2 = 0.05          "object"     (0.7 - 0.6)^2 = 0.01
"no_object"  0.5 * 0.3^2 = 0.045       "class"      (0.9 - 1)^2 = 0.01
```

The roots: to be wrong by 0.05 matters more to a small box than to a large one.

**Contract.**
- To compute an IoU bring both boxes into one measure: `w` and `h` are shares of the image, `x` and `y` shares
  of a cell, and a cell is `1 / columns` wide and `1 / rows` high.
- In an image a part is a *sum*; over the `N` images it is the mean.
- Four floats come back, by the names above. Each is graded for itself: begin with `"class"`.
""",
    hints=(
        "Which parts are there for an empty cell, and which for one with an object? Write the function for "
        "one cell first, and for `B = 1`, where there is nothing to choose.",
        "`reshape` splits the first `5 * B` numbers of a cell into `B` rows of five. For the overlap both "
        "boxes lie in the same cell, so you may measure from its corner: the place in shares of the image, "
        "then half a width to either side. The rest is lab 11.",
        "One loop over images, rows and columns. In an empty cell: all confidences. In a cell with an "
        "object: B overlaps, the place of the largest, four errors of that box, its confidence against its "
        "overlap, the other confidences against 0, the classes. Divide by `N` at the end.",
    ),
    remark=(
        "The IoU is taken as a number that was seen: no gradient flows through it, nor through the choice."
    ),
)


def _overlaps(said, truth, columns, rows):
    place, want = said[:, :2] / (columns, rows), truth[:2] / (columns, rows)
    start = np.maximum(place - said[:, 2:4] / 2, want - truth[2:4] / 2)
    stop = np.minimum(place + said[:, 2:4] / 2, want + truth[2:4] / 2)
    shared = np.maximum(stop - start, 0).prod(axis=1)
    return shared / (said[:, 2:4].prod(axis=1) + truth[2:4].prod() - shared)


def _answer(
    cells: Any = lambda columns, rows: (columns, rows),
    who: Any = lambda iou, confidence: [iou.argmax()],
    apart: Any = lambda said, truth: np.sqrt(said) - np.sqrt(truth),
    weigh: Any = lambda coord: (coord, coord),
    aim: Any = lambda iou: iou,
    object_weight: Any = lambda noobj: 1.0,
    noobj_weight: Any = lambda noobj: noobj,
    silent: Any = lambda confidence, chosen: np.delete(confidence, chosen),
    classes: Any = lambda said, truth, B: np.sum((said - truth) ** 2),
    first_class: Any = lambda B: 5 * B,
    everywhere: bool = False,
    empty_cells: bool = True,
    share: Any = lambda N, cells, objects: N,
) -> Any:
    """Return the right answer with one thing disturbed."""

    def answer(predicted, target, lambda_coord=5.0, lambda_noobj=0.5):
        N, rows, columns, numbers = target.shape
        B = (predicted.shape[3] - (numbers - 5)) // 5
        parts = dict.fromkeys(PARTS, 0.0)
        for n, i, j in np.ndindex(N, rows, columns):
            said, truth = predicted[n, i, j, : 5 * B].reshape(B, 5), target[n, i, j]
            quiet = said[:, 4]
            if truth[4] == 1:
                iou = _overlaps(said, truth, *cells(columns, rows))
                chosen, (place, size) = who(iou, said[:, 4]), weigh(lambda_coord)
                parts["box"] += place * np.sum((said[chosen, :2] - truth[:2]) ** 2)
                parts["box"] += size * np.sum(apart(said[chosen, 2:4], truth[2:4]) ** 2)
                errors = said[chosen, 4] - aim(iou[chosen])
                parts["object"] += object_weight(lambda_noobj) * np.sum(errors**2)
                quiet = silent(said[:, 4], chosen)
            if truth[4] == 1 or everywhere:
                said_classes = predicted[n, i, j, first_class(B) :][: numbers - 5]
                parts["class"] += classes(said_classes, truth[5:], B)
            if truth[4] == 1 or empty_cells:
                parts["no_object"] += noobj_weight(lambda_noobj) * np.sum(quiet**2)
        whole = share(N, rows * columns, np.sum(target[..., 4]))
        return {name: float(part / whole) for name, part in parts.items()}

    return answer


def _default_weights(predicted, target, lambda_coord=5.0, lambda_noobj=0.5):
    return _answer()(predicted, target)


_SQUARE_CELLS = """In the IoU a cell is as high as it is wide. It is `1 / columns` wide and `1 / rows` high:
on a square grid nobody would notice."""

for _name, _wrong, _hint in (  # what is wrong in one part alone stands before what is wrong in more
    (
        "no_lambda_noobj",
        _answer(noobj_weight=lambda noobj: 1.0),
        """`lambda_noobj` plays no part: confidences where nothing is to be found are not weighted, and there
        are many more of them.""",
    ),
    (
        "empty_cells_only",
        _answer(silent=lambda confidence, chosen: confidence[:0]),
        """Only empty cells are told to be silent. In a cell with an object the boxes that are not responsible
        have to learn a confidence of 0 as well.""",
    ),
    (
        "no_root",
        _answer(apart=lambda said, truth: said - truth),
        """Widths and heights are compared as they are. Their *roots* are: else a large box counts as much
        for the same few pixels as a small one.""",
    ),
    (
        "root_of_the_difference",
        _answer(apart=lambda said, truth: np.sqrt(np.abs(said - truth))),
        """The root is taken of the difference of the sizes, and the square takes it back. Each size has its
        own root, and the difference comes after.""",
    ),
    (
        "full_cells_only",
        _answer(empty_cells=False),
        """Only cells with an object are told to be silent. In an empty cell all boxes have to learn a
        confidence of 0, and there are many more of these.""",
    ),
    (
        "first_box_responsible",
        _answer(who=lambda iou, confidence: [0]),
        """The first box of a cell is always the responsible one. It is the one whose IoU with the object is
        highest.""",
    ),
    (
        "most_confident_responsible",
        _answer(who=lambda iou, confidence: [confidence.argmax()]),
        """The box with the highest confidence is taken as responsible. In training the object decides: it is
        the box that overlaps it most.""",
    ),
    (
        "all_boxes_responsible",
        _answer(who=lambda iou, confidence: list(range(len(iou)))),
        """All boxes of a cell learn its object. Only one of them is responsible, the one with the highest
        IoU; so they can specialise, one on tall and one on wide objects.""",
    ),
    (
        "no_lambda_coord",
        _answer(weigh=lambda coord: (1.0, 1.0)),
        """`lambda_coord` plays no part: the errors of the boxes are not weighted.""",
    ),
    (
        "lambda_coord_on_places_only",
        _answer(weigh=lambda coord: (coord, 1.0)),
        """Only x and y are weighted with `lambda_coord`. Width and height are, too.""",
    ),
    (
        "default_weights",
        _default_weights,
        """The result does not change when the two weights change: 5 and 0.5 are only their defaults.""",
    ),
    (
        "confidence_towards_1",
        _answer(aim=lambda iou: 1.0),
        """The responsible box is asked for a confidence of 1. It is to say how well it fits: its IoU with the
        object, as it is now.""",
    ),
    (
        "place_in_shares_of_the_image",
        _answer(cells=lambda columns, rows: (1, 1)),
        """The IoU takes x and y as if a cell were as large as the image. They are shares of a cell: bring
        them into the measure of w and h first.""",
    ),
    (
        "columns_for_rows",
        _answer(cells=lambda columns, rows: (rows, columns)),
        """In the IoU rows and columns have changed places: a cell is `1 / columns` wide and `1 / rows` high.
        On a square grid nobody would notice.""",
    ),
    ("cells_as_high_as_wide", _answer(cells=lambda columns, rows: (columns, columns)), _SQUARE_CELLS),
    ("cells_as_wide_as_high", _answer(cells=lambda columns, rows: (rows, rows)), _SQUARE_CELLS),
    (
        "weight_on_the_wrong_cells",
        _answer(object_weight=lambda noobj: noobj, noobj_weight=lambda noobj: 1.0),
        """`lambda_noobj` weighs the confidence of the responsible boxes. It belongs to all the others, of
        which there are so many.""",
    ),
    (
        "responsible_box_silent_too",
        _answer(silent=lambda confidence, chosen: confidence),
        """The responsible box is counted under "no_object", too: it is told to be confident and silent at
        once. Leave it out there.""",
    ),
    (
        "classes_everywhere",
        _answer(everywhere=True),
        """Classes count in empty cells as well. Where no object is there is no class to learn.""",
    ),
    (
        "classes_behind_the_first_box",
        _answer(first_class=lambda B: 5),
        """The classes are read from number 5 on, and there the second box begins. They stand behind all `B`
        boxes of the cell.""",
    ),
    (
        "classes_for_each_box",
        _answer(classes=lambda said, truth, B: B * np.sum((said - truth) ** 2)),
        """The errors of the classes count once for every box. A cell of v1 has one set of classes, however
        many boxes.""",
    ),
    (
        "cross_entropy",
        _answer(classes=lambda said, truth, B: -np.sum(truth * np.log(said))),
        """The classes are judged by their cross-entropy. Later versions do that; v1 adds squared errors.""",
    ),
    (
        "summed_over_the_batch",
        _answer(share=lambda N, cells, objects: 1),
        """The parts are sums over the whole batch, so that twice as many images make twice the loss. Take the
        mean over the images.""",
    ),
    (
        "mean_over_the_objects",
        _answer(share=lambda N, cells, objects: objects),
        """The parts are divided by the number of objects. That is a sensible loss too; here they are sums
        within an image, and means over the images.""",
    ),
    (
        "mean_over_the_cells",
        _answer(share=lambda N, cells, objects: N * cells),
        """The parts are divided by the number of cells as well. Within an image they are sums.""",
    ),
):
    _wrong.__name__ = f"_{_name}"
    exercise.misconception(_hint)(_wrong)
