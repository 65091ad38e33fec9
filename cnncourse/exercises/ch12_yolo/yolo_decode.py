"""Exercise: from the numbers of YOLO v2 and v3 to boxes in pixels."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnncourse.checking import Case, Exercise


def yolo_decode(raw, anchors, stride):
    """Return the boxes that the numbers of YOLO v2 and v3 stand for.

    Parameters
    ----------
    raw : array, shape (rows, columns, A, 4)
        t_x, t_y, t_w, t_h of each of A anchors in each cell.
    anchors : array, shape (A, 2)
        Width and height in pixels.
    stride : int
        Pixels of a cell, across and down.

    Returns
    -------
    array, shape (rows, columns, A, 4)
        x1, y1, x2, y2 in pixels.
    """
    rows, columns = raw.shape[:2]
    row, column = np.indices((rows, columns))  # each (rows, columns)
    cell = np.stack([column, row], axis=-1)[:, :, None]  # (rows, columns, 1, 2)
    within = 1 / (1 + np.exp(-raw[..., :2]))  # (rows, columns, A, 2)
    centre = (cell + within) * stride
    half = anchors * np.exp(raw[..., 2:]) / 2  # (rows, columns, A, 2)
    return np.concatenate([centre - half, centre + half], axis=-1)  # (rows, columns, A, 4)


def _map(rng: np.random.Generator, rows: int, columns: int, A: int, stride: int) -> dict[str, Any]:
    raw = rng.normal(0, 1, (rows, columns, A, 4)) * (2, 2, 0.6, 0.6)
    return {"raw": raw, "anchors": rng.uniform(5, 40, (A, 2)) * (1, 1.6), "stride": stride}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """One anchor and several; wide, tall and narrow maps; zeros and whole numbers."""
    yield Case("one anchor, a wide map", _map(rng, 2, 3, 1, 16), "one anchor")
    zeros = _map(rng, 3, 2, 1, 10)
    yield Case("all numbers 0", {**zeros, "raw": np.zeros((3, 2, 1, 4))}, "one anchor")
    yield Case("one anchor, one row", _map(rng, 1, 5, 1, 8), "one anchor")
    yield Case("two anchors, a tall map", _map(rng, 4, 2, 2, 8), "several anchors")
    yield Case("three anchors, one column", _map(rng, 3, 1, 3, 32), "several anchors")
    whole = {"raw": rng.integers(-2, 3, (2, 4, 2, 4)), "anchors": np.array([[10, 20], [30, 8]]), "stride": 16}
    yield Case("whole numbers", whole, "several anchors")


exercise = Exercise(
    solution=yolo_decode,
    cases=cases,
    points=2,
    axes=("rows", "columns", "anchors", "numbers"),
    prompt="""\
A network's last layer puts out any numbers, large and small, positive and negative. In version 2 four of them
belong to each anchor of each cell, and this is what they mean:

```
centre    the cell's upper left corner + sigmoid(t)        in cells: it cannot leave its cell
size      the anchor's * exp(t)                            never negative, and 0 means "as the anchor"
```

with `sigmoid(t) = 1 / (1 + exp(-t))`, which is 0.5 at 0. Nothing here has to be learned for a box to be
sensible: a network that says 0 everywhere says "an anchor in the middle of every cell".

**By hand.** The cell in row 0, column 2 of a map with `stride` 16, the anchor `(10, 20)`, and the numbers
`0, 0, log 2, 0`:

```
centre    x = (2 + 0.5) * 16 = 40       y = (0 + 0.5) * 16 = 8
size      10 * 2 = 20 wide              20 * 1 = 20 high
box       (30, -2, 50, 18)
```

It reaches beyond the image; cutting it off is another function's work.

**Contract.**
- `raw[i, j, a]` holds `t_x, t_y, t_w, t_h` of anchor `a` in row `i`, column `j`; an anchor is (width,
  height).
- The result has the shape of `raw` and holds two corners, `x1, y1, x2, y2`, in pixels.
- The map need not be square.
""",
    hints=(
        "Which of the two indices of a cell makes it lie farther to the right? What does `raw` of zeros give "
        "for the cell in row 1, column 0?",
        "Take x and y together, width and height together: `raw[..., :2]` and `raw[..., 2:]`. Each of them "
        "is one line of the table above. What is known in cells becomes pixels by the stride; what an anchor "
        "says is in pixels already.",
        "`np.indices` gives the row and the column of every cell; put them in the order across, down, with "
        "an axis of length 1 for the anchors. Then centres, sizes, and a corner half a size to either side. "
        "Three loops are right, too.",
    ),
    remark=(
        "v1 let a box of a cell lie anywhere, and early training was unstable: the sigmoid ties it to "
        "its cell."
    ),
)


def _sigmoid(t):
    return 1 / (1 + np.exp(-t))


def _answer(
    place: Any = _sigmoid,
    size: Any = lambda t, anchors: anchors * np.exp(t),
    cell: Any = lambda row, column: (column, row),
    stretch: Any = lambda centre, anchors, stride: centre * stride,
    corners: Any = lambda centre, size: (centre - size / 2, centre + size / 2),
) -> Any:
    """Return the right answer with one thing disturbed."""

    def answer(raw, anchors, stride):
        row, column = np.indices(raw.shape[:2])
        corner = np.stack(cell(row, column), axis=-1)[:, :, None]
        sizes = size(raw[..., 2:], anchors) * np.ones(raw[..., 2:].shape)
        centre = stretch(corner + place(raw[..., :2]), anchors, stride)
        return np.concatenate(corners(centre, sizes), axis=-1)

    return answer


def _scaled_sizes(raw, anchors, stride):
    return _answer()(raw, anchors * stride, stride)


def _stride_on_the_cell(raw, anchors, stride):
    return _answer(place=lambda t: _sigmoid(t) / stride)(raw, anchors, stride)


def _cut_off(raw, anchors, stride):
    rows, columns = raw.shape[:2]
    return np.clip(_answer()(raw, anchors, stride), 0, np.array([columns, rows, columns, rows]) * stride)


def _swapped_corners(raw, anchors, stride):
    return _answer()(raw, anchors, stride)[..., [1, 0, 3, 2]]


def _beside_each_other(raw, anchors, stride):
    return _answer()(raw, anchors, stride)[..., [0, 2, 1, 3]]


def _as_faster_rcnn(raw, anchors, stride):
    row, column = np.indices(raw.shape[:2])
    middle = (np.stack([column, row], axis=-1)[:, :, None] + 0.5) * stride
    centre, half = middle + raw[..., :2] * anchors, anchors * np.exp(raw[..., 2:]) / 2
    return np.concatenate([centre - half, centre + half], axis=-1)


for _name, _wrong, _hint in (
    (
        "rows_for_columns",
        _answer(cell=lambda row, column: (row, column)),
        """A cell's row is added to x and its column to y. The column says how far to the right a cell lies.
        On a square map the boxes would still fill the image.""",
    ),
    (
        "no_exp",
        _answer(size=lambda t, anchors: anchors * t),
        """The anchor is multiplied by t itself: with t = 0 the box has no size, and below 0 a negative one.
        What it is multiplied by must be 1 there and never negative.""",
    ),
    (
        "exp_nearly",
        _answer(size=lambda t, anchors: anchors * (1 + t)),
        """The anchor grows by a share of t. That is near `exp` for small t, and negative below -1.""",
    ),
    (
        "exp_without_the_anchor",
        _answer(size=lambda t, anchors: np.exp(t)),
        """The anchors play no part in the sizes: `exp(t)` says how many times the anchor.""",
    ),
    (
        "no_sigmoid",
        _answer(place=lambda t: t),
        """t_x and t_y are added to the cell's corner as they are, so that a centre may lie anywhere. A
        sigmoid
        keeps it in its cell.""",
    ),
    (
        "sigmoid_of_all",
        _answer(size=lambda t, anchors: anchors * _sigmoid(t)),
        """The sigmoid is taken of t_w and t_h as well, so that no box is larger than its anchor. Sizes take
        `exp`.""",
    ),
    (
        "sign_of_the_sigmoid",
        _answer(place=lambda t: _sigmoid(-t)),
        """The sigmoid falls where it should rise: a larger t_x moves the centre to the left. Look at its
        sign.""",
    ),
    (
        "from_the_middle",
        _answer(place=lambda t: _sigmoid(t) + 0.5),
        """Centres lie half a cell too far to the right and down. They are measured from the cell's corner:
        the
        sigmoid is 0.5 in the middle already.""",
    ),
    (
        "around_the_middle",
        _answer(place=lambda t: _sigmoid(t) - 0.5),
        """With t = 0 the centre lies on the cell's upper left corner. It lies in the middle of the cell: the
        sigmoid, from 0 to 1, counts from the corner.""",
    ),
    (
        "stride_on_the_cell",
        _stride_on_the_cell,
        """The cell's corner becomes pixels, and the sigmoid is added as if it were a share of a pixel. It is
        a share of the cell.""",
    ),
    (
        "cut_off",
        _cut_off,
        """Boxes are cut off at the edge of the image. They may reach beyond it: cutting them off is another
        function's work.""",
    ),
    (
        "cell_forgotten",
        _answer(cell=lambda row, column: (0 * row, 0 * column)),
        """All boxes lie in the first cell: to the sigmoid, the cell's own column and row are to be added.""",
    ),
    (
        "centre_in_cells",
        _answer(stretch=lambda centre, anchors, stride: centre),
        """Centres are in cells and sizes in pixels. A cell is `stride` pixels wide and high.""",
    ),
    (
        "stride_on_the_anchors",
        _scaled_sizes,
        """The sizes are multiplied by the stride. Anchors are in pixels here, and only what is counted in
        cells needs the stride. (The paper's own files give anchors in cells.)""",
    ),
    (
        "anchor_height_first",
        _answer(size=lambda t, anchors: anchors[:, ::-1] * np.exp(t)),
        """An anchor's two numbers have changed places: the first is its width.""",
    ),
    (
        "centre_as_corner",
        _answer(corners=lambda centre, size: (centre, centre + size)),
        """The box begins at its centre. It reaches half its width to either side.""",
    ),
    (
        "whole_size_to_either_side",
        _answer(corners=lambda centre, size: (centre - size, centre + size)),
        """The box reaches a whole width to either side of its centre, and is twice as large as it should
        be.""",
    ),
    (
        "centre_and_size",
        _answer(corners=lambda centre, size: (centre, size)),
        """What comes back is centre and size. Asked for are two corners, x1, y1, x2, y2.""",
    ),
    (
        "y_first",
        _swapped_corners,
        """The corners are y1, x1, y2, x2. In this course x comes first.""",
    ),
    (
        "x_together",
        _beside_each_other,
        """The order is x1, x2, y1, y2. One corner comes after the other: x1, y1, x2, y2.""",
    ),
    (
        "as_faster_rcnn",
        _as_faster_rcnn,
        """This is the formula of Faster R-CNN: t_x in widths of the anchor, from the middle of the cell. YOLO
        v2 left it because a box could end up anywhere: a sigmoid, from the cell's corner.""",
    ),
):
    _wrong.__name__ = f"_{_name}"
    exercise.misconception(_hint)(_wrong)
