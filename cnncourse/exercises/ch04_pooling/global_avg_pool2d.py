"""Exercise: one number for every map, whatever its size."""

from collections.abc import Iterator

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.layers import pool


def global_avg_pool2d(x):
    """Replace every map by the mean of all its numbers.

    Parameters
    ----------
    x : array, shape (N, C, H, W)

    Returns
    -------
    array of floats, shape (N, C)
    """
    return x.mean(axis=(2, 3))  # (N, C)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Rectangles, squares, a batch, equal axes, whole numbers, a single pixel."""
    yield Case("one map", {"x": rng.normal(size=(1, 1, 2, 3))}, "maps")
    yield Case("two images of three channels", {"x": rng.normal(size=(2, 3, 4, 5))}, "maps")
    yield Case("tall maps", {"x": rng.normal(size=(3, 2, 7, 2))}, "maps")
    yield Case("all axes of one size", {"x": rng.normal(size=(3, 3, 3, 3))}, "maps")
    yield Case("whole numbers, all negative", {"x": rng.integers(-9, 0, (2, 2, 3, 3))}, "maps")
    yield Case("maps of one pixel", {"x": rng.normal(size=(2, 4, 1, 1))}, "maps")


exercise = Exercise(
    solution=global_avg_pool2d,
    reference=pool.global_avg_pool2d,
    cases=cases,
    points=1,
    forbids=("torch.nn.AdaptiveAvgPool2d", "torch.nn.functional.adaptive_avg_pool2d"),
    axes=("N", "C"),
    prompt="""\
After the last convolution a network has, say, 512 maps of 7 x 7 numbers. Whether there is a palace in the
photo should not depend on where. So let each map say with one number how much of its feature there is.

**By hand.** Two channels of 2 x 2:

```
channel 0   channel 1
 1 2         0 4           [2.5, 1.0]
 3 4         0 0
```

**Contract.** `x` is `(N, C, H, W)`, the result is `(N, C)`: two axes, not four. The maps may have any size,
which need not be square.
""",
    hints=(
        "Which of the four axes are still there in the result, and which are gone?",
        "Try it on an array of ones of shape `(2, 3, 4, 5)`: the result has shape `(2, 3)` and holds ones.",
        "NumPy can take a mean along several axes at once: `axis` may be a tuple.",
    ),
    remark="It took the place of the largest dense layers, and has no weight at all.",
)


@exercise.misconception(
    """The result still has four axes, the last two of size 1. The contract asks for `(N, C)`."""
)
def _axes_kept(x):
    return x.mean(axis=(2, 3), keepdims=True)


@exercise.misconception(
    """The mean runs over the channels. They stay apart: it runs over rows and columns."""
)
def _over_the_channels(x):
    return x.mean(axis=1)


@exercise.misconception(
    """The mean runs over axes 1 and 2, as if the channels came last. Here `x` is `(N, C, H, W)`."""
)
def _channels_last(x):
    return x.mean(axis=(1, 2))


@exercise.misconception(
    """The mean runs over axes 0 and 1, images and channels. It runs over rows and columns, the last two."""
)
def _first_two_axes(x):
    return x.mean(axis=(0, 1))


@exercise.misconception(
    """All channels of an image become one number. Each map gets its own: the channels stay apart."""
)
def _one_number_an_image(x):
    return x.mean(axis=(1, 2, 3))


@exercise.misconception(
    """The images of the batch are mixed: there is one number for each channel. Each image gets its own."""
)
def _over_the_batch(x):
    return x.mean(axis=(0, 2, 3))


@exercise.misconception("Everything becomes one number. Each map of each image gets its own.")
def _one_number_in_all(x):
    return x.mean()


@exercise.misconception("It takes the largest number of each map. Here it is the mean.")
def _largest(x):
    return x.max(axis=(2, 3))


@exercise.misconception("The numbers of a map are added up, but not divided by how many they are: H * W.")
def _sum(x):
    return x.sum(axis=(2, 3))


@exercise.misconception("The mean runs over the rows only: the columns are still there.")
def _rows_only(x):
    return x.mean(axis=2)


@exercise.misconception("The mean runs over the columns only: the rows are still there.")
def _columns_only(x):
    return x.mean(axis=3)


@exercise.misconception("Images and channels have changed places: the result is `(N, C)`.")
def _transposed(x):
    return x.mean(axis=(2, 3)).T


@exercise.misconception(
    """The maps are reshaped as if their channels came last, so that each mean is of numbers from several
    maps. In memory a map's numbers lie one after the other."""
)
def _reshaped_wrongly(x):
    N, C, H, W = x.shape
    return x.reshape(N, H * W, C).mean(axis=1)


@exercise.misconception("The sum is divided by H * H. A map has H rows and W columns: H * W numbers.")
def _divided_by_height_squared(x):
    return x.sum(axis=(2, 3)) / x.shape[2] ** 2


@exercise.misconception("The sum is divided by W * W. A map has H rows and W columns: H * W numbers.")
def _divided_by_width_squared(x):
    return x.sum(axis=(2, 3)) / x.shape[3] ** 2


@exercise.misconception("Only the first image of the batch is worked on; the results of the others are 0.")
def _first_image_only(x):
    out = x.mean(axis=(2, 3))
    out[1:] = 0
    return out
