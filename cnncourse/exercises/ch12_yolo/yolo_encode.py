"""Exercise: what the cells of YOLO v1 should say about an image."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from cnncourse.checking import Case, Exercise


def yolo_encode(boxes, labels, grid, image_size, num_classes):
    """Write what the cells of YOLO v1 should say about the objects of one image.

    Parameters
    ----------
    boxes : array, shape (M, 4)
        x1, y1, x2, y2 in pixels.
    labels : array of int, shape (M,)
        Classes, numbered from 0.
    grid : (rows, columns)
    image_size : (height, width)
        In pixels.
    num_classes : int

    Returns
    -------
    array, shape (rows, columns, 5 + num_classes)
        x, y, w, h, confidence, then one number for each class. Cells without a centre hold zeros.
    """
    (rows, columns), (height, width) = grid, image_size
    target = np.zeros((rows, columns, 5 + num_classes))
    for (x1, y1, x2, y2), label in zip(boxes, labels, strict=True):
        across = (x1 + x2) / 2 * columns / width  # in cells
        down = (y1 + y2) / 2 * rows / height
        column, row = int(across), int(down)
        if target[row, column, 4] == 0:  # the cell is still free
            target[row, column, :2] = across - column, down - row
            target[row, column, 2:5] = (x2 - x1) / width, (y2 - y1) / height, 1
            target[row, column, 5 + label] = 1
    return target  # (rows, columns, 5 + C)


def _image(rng: np.random.Generator, grid, image_size, cells, num_classes: int = 3) -> dict[str, Any]:
    """Put one object into each of some cells (row, column): its centre there, the box within the image."""
    steps = np.array(image_size[::-1]) / grid[::-1]  # width and height of a cell
    centres = (np.array(cells)[:, ::-1] + rng.uniform(0.15, 0.85, (len(cells), 2))) * steps  # (M, 2)
    room = np.minimum(centres, np.array(image_size[::-1]) - centres)  # (M, 2)
    halves = room * rng.uniform(0.3, 0.95, room.shape)
    labels = rng.permutation(np.arange(len(cells)) % num_classes)
    return {
        "boxes": np.hstack([centres - halves, centres + halves]),
        "labels": labels.astype(np.int64),
        "grid": grid,
        "image_size": image_size,
        "num_classes": num_classes,
    }


def _in_order_of_size(image: dict[str, Any], *places: int) -> dict[str, Any]:
    """Let objects of one cell have their boxes exchanged, so that these become larger from place to place."""
    sides = image["boxes"][:, 2:] - image["boxes"][:, :2]
    order = sorted(places, key=lambda place: float(sides[place].prod()))
    image["boxes"][list(places)] = image["boxes"][order]
    return image


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """One object, then several, then two in one cell; grids and cells are not square, nor whole pixels."""
    yield Case("one object", _image(rng, (2, 4), (40, 80), [(1, 3)]), "one object")
    yield Case("cells that are not square", _image(rng, (3, 4), (72, 60), [(0, 3)], 2), "one object")
    line = {"boxes": np.array([[24, 2, 40, 12]]), "labels": np.array([1]), "grid": (2, 4)}
    line |= {"image_size": (32, 64), "num_classes": 3}
    yield Case("whole pixels, a centre on the line between two cells", line, "one object")
    three = _image(rng, (3, 5), (50, 92), [(2, 4), (0, 2), (1, 0)])
    yield Case("three objects, a cell is no whole number of pixels", three, "several objects")
    yield Case(
        "four objects, a tall image",
        _image(rng, (5, 2), (88, 51), [(4, 1), (3, 0), (0, 0), (1, 1)], 4),
        "several objects",
    )
    none = {**three, "boxes": np.zeros((0, 4)), "labels": np.zeros(0, np.int64)}
    yield Case("no object at all", none, "several objects")
    two = _in_order_of_size(_image(rng, (2, 3), (40, 90), [(1, 2), (1, 2)]), 0, 1)
    yield Case("two centres in one cell", two, "two in one cell")
    both = _image(rng, (4, 3), (60, 60), [(3, 1), (0, 2), (0, 2), (1, 0)], 4)
    yield Case("two centres in one cell, and others", _in_order_of_size(both, 1, 2), "two in one cell")
    large = _in_order_of_size(_image(rng, (3, 2), (45, 80), [(1, 0), (1, 0)]), 1, 0)
    yield Case("two centres in one cell, the larger object first", large, "two in one cell")


exercise = Exercise(
    solution=yolo_encode,
    cases=cases,
    points=3,
    axes=("rows", "columns", "numbers"),
    prompt="""\
YOLO lays a grid over the image, and each cell answers for the object whose **centre** lies in it, however far
the object reaches beyond the cell. To train such a network somebody has to say what each cell should have
said. That is you.

**By hand.** An image 40 pixels high and 60 wide, a grid of 2 rows and 3 columns: a cell is 20 by 20 pixels.
One object of class 1 of 2, with the box `(22, 4, 46, 14)`:

```
centre            (34, 9)            34 / 20 = 1.7 cells across, 9 / 20 = 0.45 cells down
cell              row 0, column 1
x, y              0.7, 0.45          how far into its cell, in cells
w, h              24/60, 10/40       shares of the whole image: 0.4, 0.25
target[0, 1]      0.7  0.45  0.4  0.25  1  |  0  1
```

All other cells hold zeros. Mind the two yardsticks: the place is measured in *cells*, the size in *images*.

**Contract.**
- The last axis holds `x, y, w, h`, the confidence 1, then 1 for the object's class and 0 for the others.
- A centre on the line between two cells belongs to the right or lower one. No centre lies on the image's
  right or lower edge.
- A cell has room for one object. If two centres fall into it, the **first** in the list stays, and of the
  second nothing is kept.
- Neither the grid, nor the image, nor a cell need be square. There may be no objects.
""",
    hints=(
        "Do the example on paper with the box shifted down by 20 pixels. Which of the seven numbers change? "
        "Which index of `target` changes, the first or the second?",
        "Bring the centre into cells first: multiply by cells and divide by pixels, across with columns and "
        "width, down with rows and height. What stands before the decimal point names the cell, and what "
        "stands behind it is x or y.",
        "One loop over the objects. In its body: the centre in cells; row and column; is the confidence "
        "there still 0? Then seven or more numbers are written into `target[row, column]`.",
    ),
    remark="With S x S cells at most S x S objects can be learned: crowds of small birds were v1's weakness.",
)


def _numbers(o):
    return o.across - o.column, o.down - o.row, o.w, o.h, 1


def _answer(
    place: Any = lambda o: (o.row, o.column),
    say: Any = _numbers,
    class_at: Any = lambda o: 5 + o.label,
    clash: str = "first",
    scale: Any = lambda grid, image_size: (*grid, *image_size),
    centre: Any = lambda box: ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2),
    shape: Any = lambda grid: grid,
    cell: Any = int,
) -> Any:
    """Return the right answer with one thing disturbed."""

    def answer(boxes, labels, grid, image_size, num_classes):
        target = np.zeros((*shape(grid), 5 + num_classes))
        rows, columns, height, width = scale(grid, image_size)
        for box, label in zip(boxes, labels, strict=True):
            cx, cy = centre(box)
            across, down = cx * columns / width, cy * rows / height
            o = SimpleNamespace(
                across=across, down=down, column=cell(across), row=cell(down), label=label, cx=cx, cy=cy,
                w=(box[2] - box[0]) / width, h=(box[3] - box[1]) / height, rows=rows, columns=columns,
                width=width, height=height,
            )  # fmt: skip
            i, j = place(o)
            free = target[i, j, 4] == 0
            if clash == "larger" and o.w * o.h <= target[i, j, 2] * target[i, j, 3]:
                continue
            if clash in ("last", "larger") and not free:
                target[i, j] = 0
            if free or clash != "first":
                if free or clash != "classes":
                    target[i, j, :5] = say(o)
                target[i, j, class_at(o)] = 1
        return target

    return answer


def _whole_cells(boxes, labels, grid, image_size, num_classes):
    covered = np.array(image_size) // grid * grid  # what the cells cover if they are whole pixels
    answer = _answer(scale=lambda grid, image_size: (*grid, *covered))
    target = answer(boxes, labels, grid, image_size, num_classes)
    target[..., 2:4] *= covered[::-1] / image_size[::-1]
    return target


def _all_cells_that_it_touches(boxes, labels, grid, image_size, num_classes):
    target = np.zeros((*grid, 5 + num_classes))
    steps = np.array([image_size[1] / grid[1], image_size[0] / grid[0]] * 2)
    for n, (j1, i1, j2, i2) in enumerate(boxes / steps):
        own = yolo_encode(boxes[n : n + 1], labels[n : n + 1], grid, image_size, num_classes)
        touched = target[int(i1) : int(np.ceil(i2)), int(j1) : int(np.ceil(j2))]
        touched[touched[..., 4] == 0] = own[own[..., 4] == 1][0]
    return target


for _name, _wrong, _hint in (
    (
        "row_and_column_exchanged",
        _answer(place=lambda o: (o.column, o.row)),
        """The first index of `target` is the column and the second the row. Rows come first, as in every
        array: x belongs to the second index.""",
    ),
    (
        "result_transposed",
        _answer(place=lambda o: (o.column, o.row), shape=lambda grid: grid[::-1]),
        """The result has columns on its first axis and rows on its second. Rows come first, as in every
        array: x belongs to the second axis.""",
    ),
    (
        "rows_across",
        _answer(scale=lambda grid, image_size: (*grid[::-1], *image_size)),
        """Rows and columns have changed places in the measure: across an image there are as many cells as
        the grid has *columns*. On a square grid nobody would notice.""",
    ),
    (
        "image_turned",
        _answer(scale=lambda grid, image_size: (*grid, *image_size[::-1])),
        """Height and width of the image have changed places: `image_size` names the height first. On a
        square image nobody would notice.""",
    ),
    (
        "whole_cells",
        _whole_cells,
        """The size of a cell is cut off to whole pixels. An image need not be a whole number of cells times a
        whole number of pixels.""",
    ),
    (
        "rounded",
        _answer(cell=round),
        """The centre goes to the nearest line between cells. A cell begins at its line and reaches to the
        next: what stands before the decimal point names it.""",
    ),
    (
        "all_cells_that_it_touches",
        _all_cells_that_it_touches,
        """Every cell that the box touches answers for it. One cell does: the one in which its centre lies,
        however far it reaches beyond.""",
    ),
    (
        "size_in_cells",
        _answer(say=lambda o: (*_numbers(o)[:2], o.w * o.columns, o.h * o.rows, 1)),
        """w and h are measured in cells. That is how some courses teach it, where they may exceed 1; in
        YOLO v1 they are shares of the whole image.""",
    ),
    (
        "size_in_pixels",
        _answer(say=lambda o: (*_numbers(o)[:2], o.w * o.width, o.h * o.height, 1)),
        """w and h are in pixels. They are shares of the whole image, from 0 to 1.""",
    ),
    (
        "offset_not_subtracted",
        _answer(say=lambda o: (o.across, o.down, o.w, o.h, 1)),
        """x and y count cells from the edge of the image. The cell knows where it lies: they count from its
        own upper left corner, from 0 to 1.""",
    ),
    (
        "centre_of_the_image",
        _answer(say=lambda o: (o.cx / o.width, o.cy / o.height, o.w, o.h, 1)),
        """x and y are shares of the whole image, as w and h are. The two yardsticks differ: the place is
        measured within the cell.""",
    ),
    (
        "offset_in_pixels",
        _answer(
            say=lambda o: (
                (o.across - o.column) * o.width / o.columns,
                (o.down - o.row) * o.height / o.rows,
                *_numbers(o)[2:],
            )
        ),
        """x and y are pixels within the cell. They are shares of the cell, from 0 to 1.""",
    ),
    (
        "offset_from_the_middle",
        _answer(say=lambda o: (o.across - o.column - 0.5, o.down - o.row - 0.5, *_numbers(o)[2:])),
        """x and y are measured from the middle of the cell. They are measured from its upper left corner and
        never negative.""",
    ),
    (
        "corner_for_centre",
        _answer(centre=lambda box: box[:2]),
        """The upper left corner of the box decides which cell answers, and where in it. It is the centre of
        the box that does.""",
    ),
    (
        "roots_taken_already",
        _answer(say=lambda o: (*_numbers(o)[:2], o.w**0.5, o.h**0.5, 1)),
        """w and h are roots already. The target holds the shares themselves; it is the loss that compares
        their roots.""",
    ),
    (
        "x_and_y_exchanged",
        _answer(say=lambda o: (o.down - o.row, o.across - o.column, o.h, o.w, 1)),
        """x and y have changed places, and so have w and h. Across comes first within the numbers of a box,
        although rows come first in the grid.""",
    ),
    (
        "width_and_height_exchanged",
        _answer(say=lambda o: (*_numbers(o)[:2], o.h, o.w, 1)),
        """w and h have changed places. Across comes first within the numbers of a box.""",
    ),
    (
        "confidence_first",
        _answer(say=lambda o: (1, *_numbers(o)[:4])),
        """The confidence stands first. Some courses write it so; here the order is x, y, w, h, confidence,
        as in the paper.""",
    ),
    (
        "no_confidence",
        _answer(say=lambda o: (*_numbers(o)[:4], 0)),
        """The confidence stays 0. It is 1 in a cell that holds a centre: it says that there is an object.""",
    ),
    (
        "last_stays",
        _answer(clash="last"),
        """Of two objects in one cell the last one stays: each overwrites what stood there. Look whether the
        cell is taken before you write.""",
    ),
    (
        "larger_stays",
        _answer(clash="larger"),
        """Of two objects in one cell the larger one stays. It is the first in the list that does, whatever
        their sizes.""",
    ),
    (
        "two_classes",
        _answer(clash="classes"),
        """A cell with two centres has the box of the first and the classes of both. Of the second object
        nothing is kept, its class neither.""",
    ),
    (
        "last_box_both_classes",
        _answer(clash="written over"),
        """A cell with two centres has the box of the last and the classes of both. The first object stays,
        and of the second nothing is kept.""",
    ),
):
    _wrong.__name__ = f"_{_name}"
    exercise.misconception(_hint)(_wrong)
