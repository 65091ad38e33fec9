"""Exercise: the same edges from a kernel, from a sparse matrix and from a dense layer."""

from collections.abc import Iterator

import numpy as np

from cnncourse import shapes
from cnncourse.checking import Case, Exercise


def dense_vs_conv_cost(rows, columns, kernel_size):
    """Say what it costs to slide one kernel along every row of a picture, computed in three ways.

    Parameters
    ----------
    rows, columns : int
        Of the picture; each row is a signal of `columns` numbers.
    kernel_size : int
        Weights of the kernel, which slides along the rows with stride 1 and no padding.

    Returns
    -------
    dict of
        "output_shape": (rows, columns) of the result
        "convolution": (numbers stored, multiplications) if the kernel slides
        "sparse": the same for a matrix of which only the weights that are not 0 are kept
        "dense": the same for that matrix with all its zeros, which is what a dense layer keeps
    """
    columns_out = columns - kernel_size + 1
    inputs, outputs = rows * columns, rows * columns_out
    multiplications = outputs * kernel_size
    return {
        "output_shape": (rows, columns_out),
        "convolution": (kernel_size, multiplications),
        "sparse": (outputs * kernel_size, multiplications),
        "dense": (inputs * outputs, inputs * outputs),
    }


PARTS = ("output_shape", "convolution", "sparse", "dense")
PICTURES = (
    ("one row", (1, 6, 3)),
    ("a wide picture", (4, 9, 2)),
    ("a tall picture", (12, 5, 4)),
    ("280 rows of 320, a kernel of two", (280, 320, 2)),
)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Four pictures and one drawn at random; each part of the answer is a group of its own."""
    drawn = int(rng.integers(20, 40)), int(rng.integers(50, 90)), int(rng.integers(3, 9))
    pictures = [
        (why, dict(zip(("rows", "columns", "kernel_size"), values, strict=True)))
        for why, values in (*PICTURES, ("a picture drawn at random", drawn))
    ]
    for part in PARTS:
        for why, picture in pictures:
            yield Case(f'"{part}": {why}', picture, part, part)


def cost_from_shapes(rows, columns, kernel_size):
    """Compute the same with the functions for layers: the kernel is one row high."""
    shape = shapes.conv2d_output_size(rows, columns, (1, kernel_size))
    work = shapes.conv2d_macs(1, 1, (1, kernel_size), rows, columns)
    dense = shapes.dense_params(rows * columns, shape[0] * shape[1], bias=False)
    return {
        "output_shape": shape,
        "convolution": (shapes.conv2d_params(1, 1, (1, kernel_size), bias=False), work),
        "sparse": (work, work),
        "dense": (dense, dense),
    }


exercise = Exercise(
    solution=dense_vs_conv_cost,
    reference=cost_from_shapes,
    cases=cases,
    points=2,
    prompt="""\
A dense layer has a weight for each pair of input and output. It can do everything a kernel can, so why not
use it? Count, before you answer.

**By hand.** A picture of 2 rows with 4 numbers each, a kernel of 2, here 1 and -1. It fits at 3 places of
each row, so the result has shape (2, 3). The same work as a matrix has a row for each of the 6 results and a
column for each of the 8 inputs:

```
1 -1  0  0  0  0  0  0
0  1 -1  0  0  0  0  0
0  0  1 -1  0  0  0  0
0  0  0  0  1 -1  0  0
0  0  0  0  0  1 -1  0
0  0  0  0  0  0  1 -1
```

| | numbers stored | multiplications |
|---|---|---|
| convolution | 2 | 12 |
| sparse | 12 | 12 |
| dense | 48 | 48 |

**Contract.** Return a dict with `"output_shape"`, a tuple (rows, columns), and for each of `"convolution"`,
`"sparse"` and `"dense"` a tuple (numbers stored, multiplications), all ints. The kernel slides along the
rows: stride 1, no padding, and no row knows of the next. Count no biases, no additions, and not the places at
which a sparse matrix keeps its numbers. The four parts earn their points one by one.
""",
    hints=(
        "Find each number of the table above in the matrix. Which of them grow with the picture, and "
        "which do not?",
        "Every result costs one window: as many multiplications as the kernel has weights. A dense "
        "matrix multiplies with its zeros too.",
        "Count inputs and results of the whole picture first. Then the three ways are products of two "
        "or three of these: inputs, results, weights of the kernel.",
    ),
    remark="What a dense layer stores here is almost all zeros, and it would have to learn each of them.",
)


def _cost(rows, columns, kernel_size, **changes):
    return _with_columns(rows, columns, kernel_size, columns - kernel_size + 1) | changes


def _with_columns(rows, columns, kernel_size, columns_out):
    """What follows if the result is taken to have this many columns."""
    inputs, outputs = rows * columns, rows * columns_out
    work = outputs * kernel_size
    return {
        "output_shape": (rows, columns_out),
        "convolution": (kernel_size, work),
        "sparse": (work, work),
        "dense": (inputs * outputs, inputs * outputs),
    }


@exercise.misconception(
    """The kernel slides down the columns. It slides along the rows: every row keeps its place and
    loses numbers."""
)
def _along_the_columns(rows, columns, kernel_size):
    return _cost(columns, rows, kernel_size, output_shape=(rows - kernel_size + 1, columns))


@exercise.misconception(
    """`"output_shape"` is smaller in both directions, as for a kernel that is a square. This kernel
    is one row high: the number of rows stays."""
)
def _square_kernel(rows, columns, kernel_size):
    return _cost(rows, columns, kernel_size, output_shape=(rows - kernel_size + 1, columns - kernel_size + 1))


@exercise.misconception("""`"output_shape"` is (columns, rows). Rows come first.""")
def _shape_swapped(rows, columns, kernel_size):
    return _cost(rows, columns, kernel_size, output_shape=(columns - kernel_size + 1, rows))


@exercise.misconception(
    """`"convolution"` stores a kernel for every place. The same few weights are used at all of them:
    that is what sharing means."""
)
def _kernel_for_every_place(rows, columns, kernel_size):
    work = _cost(rows, columns, kernel_size)["sparse"]
    return _cost(rows, columns, kernel_size, convolution=work)


@exercise.misconception(
    """`"convolution"` stores a kernel for every row. One kernel serves the whole picture."""
)
def _kernel_for_every_row(rows, columns, kernel_size):
    work = _cost(rows, columns, kernel_size)["sparse"][0]
    return _cost(rows, columns, kernel_size, convolution=(rows * kernel_size, work))


@exercise.misconception(
    """`"convolution"` counts multiplications for one row only. Every row of the picture is worked
    on."""
)
def _one_row(rows, columns, kernel_size):
    work = (columns - kernel_size + 1) * kernel_size
    return _cost(rows, columns, kernel_size, convolution=(kernel_size, work))


@exercise.misconception(
    """`"convolution"` counts one multiplication for each result. A result is a sum over a whole
    window: as many products as the kernel has weights."""
)
def _one_product_per_result(rows, columns, kernel_size):
    outputs = rows * (columns - kernel_size + 1)
    return _cost(rows, columns, kernel_size, convolution=(kernel_size, outputs))


@exercise.misconception(
    """`"convolution"` multiplies at every number of the picture. The kernel has no place at the last
    numbers of a row: count the results, not the inputs."""
)
def _work_at_every_input(rows, columns, kernel_size):
    return _cost(rows, columns, kernel_size, convolution=(kernel_size, rows * columns * kernel_size))


@exercise.misconception(
    """`"convolution"` counts the additions too. Asked for are multiplications: one for each weight
    of a window."""
)
def _additions_counted(rows, columns, kernel_size):
    outputs = rows * (columns - kernel_size + 1)
    return _cost(rows, columns, kernel_size, convolution=(kernel_size, outputs * (2 * kernel_size - 1)))


@exercise.misconception(
    """`"convolution"` counts two operations for each weight of a window, a multiplication and an
    addition. Asked for are multiplications."""
)
def _two_operations_each(rows, columns, kernel_size):
    outputs = rows * (columns - kernel_size + 1)
    return _cost(rows, columns, kernel_size, convolution=(kernel_size, outputs * 2 * kernel_size))


@exercise.misconception(
    """`"sparse"` stores the kernel once. A matrix knows of no sharing: each of its rows has its own
    copy of the weights."""
)
def _sparse_shares(rows, columns, kernel_size):
    cost = _cost(rows, columns, kernel_size)
    return cost | {"sparse": cost["convolution"]}


@exercise.misconception(
    """`"sparse"` stores one number for each result. Each row of the matrix has as many weights as
    the kernel."""
)
def _sparse_one_per_row(rows, columns, kernel_size):
    work = _cost(rows, columns, kernel_size)["sparse"][1]
    return _cost(rows, columns, kernel_size, sparse=(work // kernel_size, work))


@exercise.misconception(
    """`"sparse"` stores the positions too. They cost memory indeed; the contract leaves them out, to
    compare the weights alone."""
)
def _sparse_with_positions(rows, columns, kernel_size):
    work = _cost(rows, columns, kernel_size)["sparse"][1]
    return _cost(rows, columns, kernel_size, sparse=(2 * work, work))


@exercise.misconception(
    """`"sparse"` multiplies with the zeros too, or stores them. Only the weights that are not 0 are
    kept, and only they are multiplied."""
)
def _sparse_multiplies_zeros(rows, columns, kernel_size):
    cost = _cost(rows, columns, kernel_size)
    return cost | {"sparse": (cost["sparse"][0], cost["dense"][1])}


@exercise.misconception(
    """`"dense"` multiplies with the weights that are not 0 only. A dense layer does not know which
    of its weights are 0: it uses each of them once."""
)
def _dense_skips_zeros(rows, columns, kernel_size):
    cost = _cost(rows, columns, kernel_size)
    return cost | {"dense": (cost["dense"][0], cost["sparse"][1])}


@exercise.misconception(
    """`"dense"` has a small matrix for each row of the picture. A dense layer joins every result
    with every input of the whole picture: one large matrix."""
)
def _dense_row_by_row(rows, columns, kernel_size):
    entries = rows * columns * (columns - kernel_size + 1)
    return _cost(rows, columns, kernel_size, dense=(entries, entries))


@exercise.misconception(
    """`"dense"` has one matrix for a single row of the picture. It must hold all rows: all inputs of
    the picture times all results."""
)
def _dense_of_one_row(rows, columns, kernel_size):
    entries = columns * (columns - kernel_size + 1)
    return _cost(rows, columns, kernel_size, dense=(entries, entries))


@exercise.misconception(
    """`"dense"` has as many results as inputs. Without padding there are fewer results: the matrix
    has a row for each result and a column for each input."""
)
def _dense_square(rows, columns, kernel_size):
    return _cost(rows, columns, kernel_size, dense=((rows * columns) ** 2,) * 2)


@exercise.misconception(
    """`"dense"` adds inputs and results. There is a weight for each pair of them: that is a product."""
)
def _dense_sum(rows, columns, kernel_size):
    entries = rows * columns + rows * (columns - kernel_size + 1)
    return _cost(rows, columns, kernel_size, dense=(entries, entries))


@exercise.misconception(
    """`"dense"` counts a bias for each result. The kernel has none, so the contract leaves biases
    out."""
)
def _dense_with_biases(rows, columns, kernel_size):
    outputs = rows * (columns - kernel_size + 1)
    work = rows * columns * outputs
    return _cost(rows, columns, kernel_size, dense=(work + outputs, work))


@exercise.misconception(
    """`"dense"` counts an operation for the addition as well. Asked for are multiplications: one for
    each entry."""
)
def _dense_two_operations(rows, columns, kernel_size):
    entries = rows * columns * rows * (columns - kernel_size + 1)
    return _cost(rows, columns, kernel_size, dense=(entries, 2 * entries))


@exercise.misconception(
    """The numbers come out as floats. They are counts: `//` instead of `/`, and no `1e3`, keeps them
    ints."""
)
def _floats(rows, columns, kernel_size):
    cost = _cost(rows, columns, kernel_size)
    return {part: tuple(float(number) for number in cost[part]) for part in cost}


@exercise.misconception(
    """`"convolution"` has its two numbers the wrong way round: first what is stored, then the
    multiplications."""
)
def _order_swapped(rows, columns, kernel_size):
    cost = _cost(rows, columns, kernel_size)
    return cost | {"convolution": cost["convolution"][::-1]}


@exercise.misconception(
    """`"sparse"` and `"dense"` are exchanged. Sparse means that only the weights that are not 0 are
    kept."""
)
def _sparse_and_dense_swapped(rows, columns, kernel_size):
    cost = _cost(rows, columns, kernel_size)
    return cost | {"sparse": cost["dense"], "dense": cost["sparse"]}


@exercise.misconception(
    """The result is taken to be as wide as the picture. Without padding the kernel loses
    `kernel_size - 1` places in every row."""
)
def _width_kept(rows, columns, kernel_size):
    return _with_columns(rows, columns, kernel_size, columns)


@exercise.misconception(
    """The result is one column too narrow: a row of 4 numbers holds a kernel of 2 at 3 places. Count
    them."""
)
def _plus_one_forgotten(rows, columns, kernel_size):
    return _with_columns(rows, columns, kernel_size, columns - kernel_size)
