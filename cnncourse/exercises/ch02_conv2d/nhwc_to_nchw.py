"""Exercise: from the layout of image files to the layout of this course."""

from collections.abc import Iterator

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.layers import layout


def nhwc_to_nchw(x):
    """Move the channels of a batch of images from last to second place.

    Parameters
    ----------
    x : array, shape (N, H, W, C)

    Returns
    -------
    array, shape (N, C, H, W)
        ``out[n, c, i, j] == x[n, i, j, c]``
    """
    return x.transpose(0, 3, 1, 2)  # (N, C, H, W)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """One image and several, wide and tall and square, one channel and many, integers."""
    yield Case("one small image of three channels", {"x": np.arange(24.0).reshape(1, 2, 4, 3)}, "one image")
    yield Case("a batch of two wide images", {"x": rng.normal(size=(2, 3, 5, 4))}, "batch")
    yield Case("square, as many channels as rows", {"x": rng.normal(size=(2, 3, 3, 3))}, "batch")
    yield Case("one channel", {"x": rng.normal(size=(3, 4, 2, 1))}, "one image")
    yield Case(
        "whole numbers (0 to 255)", {"x": rng.integers(0, 256, (1, 3, 2, 3)).astype(np.uint8)}, "one image"
    )


exercise = Exercise(
    solution=nhwc_to_nchw,
    reference=layout.nhwc_to_nchw,
    cases=cases,
    points=1,
    axes=("N", "C", "H", "W"),
    prompt="""\
Image files and matplotlib put the three colours of a pixel next to each other: `(N, H, W, C)`. The layers
of this course want one whole plane for each colour: `(N, C, H, W)`. An image in the wrong layout raises no
error where the sizes happen to fit; it makes nonsense.

**By hand.** One image of 1 x 2 pixels; the first pixel has the colours 1 2 3, the second 4 5 6:

```
x[0] = [[[1, 2, 3], [4, 5, 6]]]      shape (1, 2, 3): row, column, channel
out[0] = [[[1, 4]],                  shape (3, 1, 2): channel, row, column
          [[2, 5]],
          [[3, 6]]]
```

**Contract.** `out[n, c, i, j]` is `x[n, i, j, c]`, for every image, channel, row and column. A view is as
good as a copy.
""",
    hints=(
        "Follow one number: the 5 above is at row 0, column 1, channel 1. Where is it afterwards?",
        "No number changes, only the order of the axes. For each axis of the result, say which axis of "
        "`x` it was.",
        "Changing the shape with `reshape` keeps the numbers in their order in memory and cuts them anew;"
        " here the order of the axes must change.",
    ),
    remark="With `transpose` no number moves: NumPy only changes the strides.",
)


@exercise.misconception(
    """The numbers are cut anew instead of moved: `reshape` keeps their order in memory, so colours
    of one pixel end up as neighbours in one plane. The axes must change their order."""
)
def _reshape(x):
    N, H, W, C = x.shape
    return x.reshape(N, C, H, W)


@exercise.misconception(
    """Rows and columns are exchanged, every picture is mirrored at its diagonal: the result is `(N,
    C, W, H)`."""
)
def _rows_and_columns_swapped(x):
    return x.transpose(0, 3, 2, 1)


@exercise.misconception(
    """This goes the other way: it moves the second axis to the last place, as from `(N, C, H, W)`
    to `(N, H, W, C)`."""
)
def _inverse(x):
    return x.transpose(0, 2, 3, 1)


@exercise.misconception(
    """The last two axes are exchanged, and the channels stand where the columns were: `(N, H, C,
    W)`. They belong in second place."""
)
def _channels_third(x):
    return x.transpose(0, 1, 3, 2)


@exercise.misconception("The channels stand first: `(C, N, H, W)`. The first axis counts the images.")
def _channels_first_of_all(x):
    return x.transpose(3, 0, 1, 2)


@exercise.misconception("All axes are reversed: `(C, W, H, N)`. Images stay on the first axis.")
def _all_reversed(x):
    return x.T


@exercise.misconception("The order of the channels is reversed: red has become blue.")
def _channels_reversed(x):
    return layout.nhwc_to_nchw(x)[:, ::-1]


@exercise.misconception(
    """The array comes back as it was. `np.transpose` and its relatives leave `x` alone and return a
    new array: that one has to be returned."""
)
def _unchanged(x):
    return x


@exercise.misconception(
    "The numbers are divided by 255. Only the order of the axes changes here, no number does."
)
def _scaled(x):
    return x.transpose(0, 3, 1, 2) / 255


@exercise.misconception(
    """Only the first image of the batch comes back. The first axis counts images and stays as it
    is."""
)
def _first_image_only(x):
    return x[:1].transpose(0, 3, 1, 2)
