"""Exercise: a frame of zeros."""

from collections.abc import Iterator

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.layers import conv


def pad2d(x, padding):
    """Put a frame of zeros around every image.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    padding : int
        Pixels on each of the four sides, 0 or more.

    Returns
    -------
    array, shape (N, C, H + 2 * padding, W + 2 * padding)
    """
    N, C, H, W = x.shape
    out = np.zeros((N, C, H + 2 * padding, W + 2 * padding))  # (N, C, H + 2p, W + 2p)
    out[:, :, padding : padding + H, padding : padding + W] = x
    return out


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Padding 0, 1, 2 and 3; one image and several; wide and tall; integers."""
    yield Case("one small image, padding 1", {"x": rng.normal(size=(1, 1, 2, 3)), "padding": 1}, "one image")
    yield Case(
        "two images of three channels, padding 2", {"x": rng.normal(size=(2, 3, 4, 3)), "padding": 2}, "batch"
    )
    yield Case("padding 0 changes nothing", {"x": rng.normal(size=(2, 2, 3, 4)), "padding": 0}, "one image")
    yield Case("padding 0, one channel", {"x": rng.normal(size=(1, 1, 2, 2)), "padding": 0}, "one image")
    yield Case("a tall image, padding 3", {"x": rng.normal(size=(1, 2, 5, 2)), "padding": 3}, "one image")
    yield Case(
        "whole numbers, all negative", {"x": rng.integers(-9, 0, (1, 1, 3, 3)), "padding": 1}, "one image"
    )


exercise = Exercise(
    solution=pad2d,
    reference=conv.pad2d,
    cases=cases,
    points=1,
    forbids=("numpy.pad", "torch.nn.functional.pad", "torch.nn.ZeroPad2d"),
    axes=("N", "C", "H", "W"),
    prompt="""\
A 3 x 3 kernel fits at 3 x 3 places of a 5 x 5 image, so 5 x 5 numbers become 3 x 3. Ten such layers would
leave nothing of a 20 x 20 image. A frame of zeros gives the kernel room: with one zero on each side it fits
at 5 x 5 places.

**By hand.** One image, one channel, `padding=1`:

```
            0 0 0 0
1 2   ->    0 1 2 0
3 4         0 3 4 0
            0 0 0 0
```

**Contract.** `x` has shape `(N, C, H, W)`; what comes back has shape `(N, C, H + 2p, W + 2p)`. Only the
last two axes grow. `padding=0` gives the image back unchanged. Write it without `np.pad`: the next
exercises need the same slices.
""",
    hints=(
        "Which of the four axes get longer, and by how much? Write down the shape of the result for `x` "
        "of shape `(2, 3, 4, 5)` and `padding=2` before you write code.",
        "Start from an array of zeros of the final shape. Row `i` of the image must land in row `i + "
        "padding` of the result.",
        "The image fills a block of the zeros. Describe that block by where it starts and where it ends, "
        "counted from the start: an end that is counted from the back (`-padding`) means something else "
        "when `padding` is 0.",
    ),
    remark="The frame costs memory and no parameters.",
)


@exercise.misconception(
    """With padding 0 the slice `[p:-p]` is `[0:0]`, which has room for nothing: the image does not
    fit in. Count the end from the start: the image ends at row `padding + H`."""
)
def _empty_slice(x, padding):
    N, C, H, W = x.shape
    out = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    out[:, :, padding:-padding, padding:-padding] = x
    return out


@exercise.misconception(
    """The result grows by `padding`, not by `2 * padding`, along each axis: zeros stand only before
    the image. They belong on both sides."""
)
def _before_only(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, 0), (padding, 0)))


@exercise.misconception(
    """The result grows by `padding`, not by `2 * padding`, along each axis: zeros stand only behind
    the image. They belong on both sides."""
)
def _behind_only(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (0, padding), (0, padding)))


@exercise.misconception(
    """All four axes grew. The batch and the channels stay as they are: only rows and columns (axes
    2 and 3) get zeros."""
)
def _all_axes(x, padding):
    return np.pad(x, padding)


@exercise.misconception(
    """The first two axes grew, rows and columns did not. In `(N, C, H, W)` the image's rows and
    columns are the last two."""
)
def _first_axes(x, padding):
    return np.pad(x, ((padding, padding), (padding, padding), (0, 0), (0, 0)))


@exercise.misconception("The frame repeats the pixels at the border. Here it holds zeros.")
def _edge_repeated(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), mode="edge")


@exercise.misconception("The frame holds ones. Here it holds zeros, which add nothing to a sum of products.")
def _frame_of_ones(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), constant_values=1)


@exercise.misconception(
    """`padding` is taken as the total along each axis. It is the number of zeros on each side, so
    the axis grows by twice that."""
)
def _total_instead_of_each_side(x, padding):
    before, behind = padding // 2, padding - padding // 2
    return np.pad(x, ((0, 0), (0, 0), (before, behind), (before, behind)))


@exercise.misconception("The frame is right and nothing is in it: the image is never copied into the zeros.")
def _image_not_copied(x, padding):
    return np.pad(x * 0, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


@exercise.misconception(
    """The second and third axis grew: `x` is read as `(N, H, W, C)`. In this course it is `(N, C,
    H, W)`: rows and columns are the last two."""
)
def _channels_last(x, padding):
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))


@exercise.misconception("Only the rows got a frame, above and below. Zeros stand left and right too.")
def _rows_only(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (0, 0)))


@exercise.misconception(
    """Only the first image of the batch is copied into the frame; the others are 0. The first axis
    of `x` counts images."""
)
def _first_image_only(x, padding):
    out = conv.pad2d(x, padding)
    out[1:] = 0
    return out


@exercise.misconception(
    """Only the first channel is copied into the frame; the others are 0. The second axis of `x`
    counts channels."""
)
def _first_channel_only(x, padding):
    out = conv.pad2d(x, padding)
    out[:, 1:] = 0
    return out


@exercise.misconception("The image comes back as it was, with no frame.")
def _no_frame(x, padding):
    return x


@exercise.misconception(
    """The image lies in the upper left corner, all zeros below and to the right. Pixel `[i, j]`
    belongs at `[i + padding, j + padding]`."""
)
def _image_in_the_corner(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding)))
