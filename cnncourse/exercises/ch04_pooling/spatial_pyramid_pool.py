"""Exercise: a vector of one length from maps of any size."""

from collections.abc import Iterator

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.layers import adaptive_pool, pool


def spatial_pyramid_pool(x, levels):
    """Max-pool every map to grids of several sizes and write all of them as one vector.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    levels : list of int
        For each grid its number of rows, which is also its number of columns.

    Returns
    -------
    array, shape (N, C * sum of n * n over the levels)
        Level by level, in the order of `levels`; inside a level channel by channel, inside a channel row by
        row.
    """
    N, C, H, W = x.shape
    parts = []
    for n in levels:
        grid = np.zeros((N, C, n, n))  # (N, C, n, n)
        for i in range(n):
            for j in range(n):
                top, bottom = i * H // n, -(-(i + 1) * H // n)
                left, right = j * W // n, -(-(j + 1) * W // n)
                grid[:, :, i, j] = x[:, :, top:bottom, left:right].max(axis=(2, 3))
        parts.append(grid.reshape(N, C * n * n))  # (N, C * n * n)
    return np.concatenate(parts, axis=1)  # (N, C * sum of n * n)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """One level and several, grids that divide and do not, grids finer than the maps, negatives, integers."""
    maps = rng.normal
    yield Case("one level of a single cell", {"x": maps(size=(1, 2, 3, 4)), "levels": [1]}, "one level")
    yield Case("a 2x2 grid on 4x6 pixels", {"x": maps(size=(1, 1, 4, 6)), "levels": [2]}, "one level")
    yield Case("two images, a 2x2 grid", {"x": maps(size=(2, 3, 6, 4)), "levels": [2]}, "one level")
    yield Case("levels 2 and 1", {"x": maps(size=(1, 2, 4, 4)), "levels": [2, 1]}, "several levels")
    yield Case(
        "levels 1 and 3, two images", {"x": maps(size=(2, 2, 6, 9)), "levels": [1, 3]}, "several levels"
    )
    drawn = -rng.random((1, 2, 4, 8)) - 0.1
    yield Case("levels 1, 4 and 2, all negative", {"x": drawn, "levels": [1, 4, 2]}, "several levels")
    yield Case("a 4x4 grid on 7x7 pixels", {"x": maps(size=(1, 1, 7, 7)), "levels": [4]}, "does not divide")
    drawn = maps(size=(2, 2, 5, 11))
    yield Case("levels 3 and 2 on 5x11 pixels", {"x": drawn, "levels": [3, 2]}, "does not divide")
    whole = rng.integers(-9, 9, (1, 3, 10, 5))
    yield Case("levels 4, 2, 1 on 10x5, whole numbers", {"x": whole, "levels": [4, 2, 1]}, "does not divide")
    yield Case(
        "a 3x3 grid on 2x3 pixels", {"x": maps(size=(1, 2, 2, 3)), "levels": [3]}, "finer than the map"
    )
    drawn = maps(size=(2, 1, 3, 5))
    yield Case("levels 4 and 1 on 3x5 pixels", {"x": drawn, "levels": [4, 1]}, "finer than the map")


exercise = Exercise(
    solution=spatial_pyramid_pool,
    reference=adaptive_pool.spatial_pyramid_pool,
    cases=cases,
    points=2,
    forbids=(
        "torch.nn.functional.adaptive_max_pool2d",
        "torch.nn.functional.adaptive_max_pool1d",
        "torch.nn.AdaptiveMaxPool2d",
    ),
    axes=("N", "length"),
    prompt="""\
A dense layer wants a vector of one length, and photos come in all sizes. One number a map is a way out, but
it forgets *where* altogether. A pyramid remembers it coarsely: one number for the whole map, four for its
quarters, sixteen for a 4 x 4 grid.

**By hand.** A map of one row with 7 pixels, and 4 cells. Cell `i` begins at pixel `i * 7 / 4` rounded
**down** and ends before pixel `(i + 1) * 7 / 4` rounded **up**:

```
pixel   0 1 2 3 4 5 6
        5 1 0 2 9 3 4
cell 0  ---                    0 to 2, without 2   largest 5
cell 1    -----                1 to 4, without 4   largest 2
cell 2        -----            3 to 6, without 6   largest 9
cell 3            ---          5 to 7, without 7   largest 4
```

Cells may share a pixel, none is empty, and no pixel is left out.

**Contract.** `x` is `(N, C, H, W)`, `levels` a list such as `[4, 2, 1]`. A level `n` divides the rows of each
map into `n` parts and the columns into `n` parts, by the rule above, and takes the largest number of each
cell. The result is `(N, C * (4 * 4 + 2 * 2 + 1))` for that list: level by level as listed, inside a level
channel by channel, inside a channel row by row. A grid may be finer than the map.
""",
    hints=(
        "Write down on paper where the cells begin and end for 5 pixels and 2 cells, and for 2 pixels and 3 "
        "cells. Does each cell hold a pixel?",
        "One level is an array of shape `(N, C, n, n)`. In which order does `reshape` read it, and is that "
        "the order that the contract asks for?",
        "A loop over the levels, and inside it two loops over the cells. A cell is a slice of rows and a "
        "slice of columns. Rounding up is rounding down of the negative number, or `math.ceil`.",
    ),
    remark="Detectors pool regions of any size this way; there it is called RoI pooling.",
)


def _grids(x, n, start, stop, one=np.max):
    """One level, with where a cell starts and stops given as functions of cell, size and grid."""
    N, C, H, W = x.shape
    grid = np.zeros((N, C, n, n))
    for i, j in np.ndindex(n, n):
        rows, columns = slice(start(i, H, n), stop(i, H, n)), slice(start(j, W, n), stop(j, W, n))
        grid[:, :, i, j] = one(x[:, :, rows, columns], axis=(2, 3))
    return grid


def _begin(i, size, n):
    return i * size // n


def _end(i, size, n):
    return -(-(i + 1) * size // n)


def _vector(x, levels, level):
    return np.concatenate([level(x, n).reshape(len(x), -1) for n in levels], axis=1)


@exercise.misconception(
    """The cells of a level are windows of `size / n` rounded up, moved by `size / n` rounded down. On 7
    pixels and 4 cells that makes six windows, and the vector's length depends on the map's size."""
)
def _windows_by_the_papers_rule(x, levels):
    def level(x, n):
        H, W = x.shape[2:]
        rows, columns = (H - -(-H // n)) // (H // n), (W - -(-W // n)) // (W // n)  # fails where n > H or W
        return pool.max_pool2d(x, (-(-H // n), -(-W // n)), (H // n, W // n))[:, :, : rows + 1, : columns + 1]

    return _vector(x, levels, level)


@exercise.misconception(
    """The cells of a level are windows of `size / n` rounded up, moved by `size / n` rounded down, as long
    as they fit. On 7 pixels and 4 cells that makes six windows."""
)
def _as_many_windows_as_fit(x, levels):
    def level(x, n):
        rows, columns = (
            [slice(start, start - (-size // n)) for start in range(0, size - -(-size // n) + 1, size // n)]
            for size in x.shape[2:]
        )
        cells = [[x[:, :, r, c].max(axis=(2, 3)) for c in columns] for r in rows]
        return np.array(cells).transpose(2, 3, 0, 1)

    return _vector(x, levels, level)


@exercise.misconception(
    """The cells of a level are windows of `size / n` rounded up, moved by `size / n` rounded down: the
    first `n` of them. On 7 pixels and 4 cells the last pixels are in none."""
)
def _first_windows_of_the_papers_rule(x, levels):
    def level(x, n):
        return _grids(
            x, n, lambda i, size, n: i * (size // n), lambda i, size, n: i * (size // n) - (-size // n)
        )

    return _vector(x, levels, level)


@exercise.misconception(
    """The cells of a level share out the pixels, so that no pixel is in two of them. By the rule of this
    task a pixel between two cells belongs to both."""
)
def _pixels_shared_out(x, levels):
    def level(x, n):
        columns = [np.array_split(part, n, axis=3) for part in np.array_split(x, n, axis=2)]
        rows = [np.stack([cell.max(axis=(2, 3)) for cell in row], axis=2) for row in columns]
        return np.stack(rows, axis=2)

    return _vector(x, levels, level)


@exercise.misconception(
    """The end of a cell is rounded down, and only where that leaves nothing it holds one pixel. By the rule
    of this task every end is rounded up: a pixel between two cells belongs to both."""
)
def _end_rounded_down_but_not_empty(x, levels):
    def stop(i, size, n):
        return max((i + 1) * size // n, i * size // n + 1)

    return _vector(x, levels, lambda x, n: _grids(x, n, _begin, stop))


@exercise.misconception(
    """The cells of a level are all `size // n` pixels long, side by side. Where `n` does not divide the
    size, the last pixels are in none."""
)
def _rest_left_out(x, levels):
    def level(x, n):
        return _grids(x, n, lambda i, size, n: i * (size // n), lambda i, size, n: (i + 1) * (size // n))

    return _vector(x, levels, level)


@exercise.misconception(
    """The cells of a level are all `size / n` rounded up long, side by side. Where `n` does not divide the
    size, the last one is too small or empty."""
)
def _last_cell_too_small(x, levels):
    def level(x, n):
        return _grids(x, n, lambda i, size, n: i * -(-size // n), lambda i, size, n: (i + 1) * -(-size // n))

    return _vector(x, levels, level)


@exercise.misconception(
    """Both ends of a cell are rounded down. Its end is rounded up, so that a pixel between two cells
    belongs to both and no cell is empty."""
)
def _end_rounded_down(x, levels):
    return _vector(x, levels, lambda x, n: _grids(x, n, _begin, lambda i, size, n: (i + 1) * size // n))


@exercise.misconception(
    """Both ends of a cell are rounded up. Its begin is rounded down, so that a pixel between two cells
    belongs to both and no cell is empty."""
)
def _begin_rounded_up(x, levels):
    return _vector(x, levels, lambda x, n: _grids(x, n, lambda i, size, n: -(-i * size // n), _end))


@exercise.misconception(
    """Both ends of a cell are rounded to the nearest pixel. Its begin is rounded down and its end up."""
)
def _ends_rounded_to_the_nearest(x, levels):
    def level(x, n):
        return _grids(
            x, n, lambda i, size, n: round(i * size / n), lambda i, size, n: round((i + 1) * size / n)
        )

    return _vector(x, levels, level)


@exercise.misconception(
    """`n` is taken as the size of the windows. It is their number along an axis, whatever the map's size."""
)
def _number_taken_as_size(x, levels):
    return _vector(x, levels, lambda x, n: pool.max_pool2d(x, n, n))


@exercise.misconception("It takes the mean of every cell. Here it is the largest number.")
def _mean(x, levels):
    return _vector(x, levels, adaptive_pool.adaptive_avg_pool2d)


@exercise.misconception(
    """The channels change fastest: cell by cell, and inside a cell channel by channel. It should be channel
    by channel, and inside a channel cell by cell."""
)
def _cells_before_channels(x, levels):
    return _vector(x, levels, lambda x, n: adaptive_pool.adaptive_max_pool2d(x, n).transpose(0, 2, 3, 1))


@exercise.misconception(
    """All levels of the first channel come first, then those of the second. It should be level by level,
    and inside a level channel by channel."""
)
def _channels_before_levels(x, levels):
    grids = [adaptive_pool.adaptive_max_pool2d(x, n).reshape(*x.shape[:2], -1) for n in levels]
    return np.concatenate(grids, axis=2).reshape(len(x), -1)


@exercise.misconception(
    """The cells of a level are written column by column. They should be written row by row."""
)
def _columns_before_rows(x, levels):
    return _vector(x, levels, lambda x, n: adaptive_pool.adaptive_max_pool2d(x, n).transpose(0, 1, 3, 2))


@exercise.misconception("The levels come in the opposite order. Their order is that of `levels`.")
def _levels_reversed(x, levels):
    return adaptive_pool.spatial_pyramid_pool(x, levels[::-1])


@exercise.misconception("The levels are sorted, the finest grid first. Their order is that of `levels`.")
def _finest_first(x, levels):
    return adaptive_pool.spatial_pyramid_pool(x, sorted(levels, reverse=True))


@exercise.misconception("The levels are sorted, the coarsest grid first. Their order is that of `levels`.")
def _coarsest_first(x, levels):
    return adaptive_pool.spatial_pyramid_pool(x, sorted(levels))


@exercise.misconception(
    "Only the last level is in the result. The vectors of all levels belong side by side."
)
def _last_level_only(x, levels):
    return adaptive_pool.spatial_pyramid_pool(x, levels[-1:])


@exercise.misconception(
    "Only the first level is in the result. The vectors of all levels belong side by side."
)
def _first_level_only(x, levels):
    return adaptive_pool.spatial_pyramid_pool(x, levels[:1])


@exercise.misconception(
    """The images of the batch are mixed: everything stands in one vector. Each image gets a vector of its
    own."""
)
def _one_vector_for_the_batch(x, levels):
    return adaptive_pool.spatial_pyramid_pool(x, levels).reshape(-1)


@exercise.misconception(
    """The height is used for the columns as well. `H` decides where the rows of a cell lie, `W` where its
    columns lie."""
)
def _height_for_width(x, levels):
    def level(x, n):
        grid, size = np.zeros((*x.shape[:2], n, n)), x.shape[2]
        for i, j in np.ndindex(n, n):
            rows = slice(_begin(i, size, n), _end(i, size, n))
            columns = slice(_begin(j, size, n), _end(j, size, n))
            grid[:, :, i, j] = x[:, :, rows, columns].max(axis=(2, 3))
        return grid

    return _vector(x, levels, level)


@exercise.misconception(
    """The channels are mixed: a cell holds the largest number of all channels. Each map is pooled for
    itself."""
)
def _over_the_channels(x, levels):
    return adaptive_pool.spatial_pyramid_pool(x.max(axis=1, keepdims=True), levels)


@exercise.misconception(
    """No result is below 0: the search for the largest number starts from 0. Where all numbers of a cell
    are negative, the largest of them is the answer."""
)
def _search_starts_at_zero(x, levels):
    return np.maximum(adaptive_pool.spatial_pyramid_pool(x, levels), 0)


@exercise.misconception(
    """Each level has `n` cells: the map is cut along one axis only. A level divides rows *and* columns, and
    has `n * n` cells."""
)
def _rows_only(x, levels):
    return adaptive_pool.spatial_pyramid_pool(x, [(n, 1) for n in levels])
