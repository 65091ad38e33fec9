"""Exercise: the mean of every window."""

from collections.abc import Iterator

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.exercises.ch04_pooling._sliding import add_wrong_windows, framed, slide
from cnncourse.layers import pool


def avg_pool2d(x, kernel_size, stride, padding=0):
    """Replace every window of every map by the mean of its numbers.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    kernel_size : pair of int
        Rows and columns of a window, (K_h, K_w).
    stride : int
        Pixels from one window to the next.
    padding : int
        Zeros on each of the four sides; they count as numbers of the window.

    Returns
    -------
    array of floats, shape (N, C, H_out, W_out)
        H_out and W_out are the numbers of windows that fit.
    """
    K_h, K_w = kernel_size
    N, C, H, W = x.shape
    H_out = (H + 2 * padding - K_h) // stride + 1
    W_out = (W + 2 * padding - K_w) // stride + 1
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding))  # (N, C, H + 2p, W + 2p)
    padded[:, :, padding : padding + H, padding : padding + W] = x
    out = np.zeros((N, C, H_out, W_out))  # (N, C, H_out, W_out)
    for i in range(H_out):
        for j in range(W_out):
            top, left = i * stride, j * stride
            window = padded[:, :, top : top + K_h, left : left + K_w]  # (N, C, K_h, K_w)
            out[:, :, i, j] = window.mean(axis=(2, 3))  # (N, C)
    return out


def _case(why: str, group: str, x, kernel_size, stride, padding=0) -> Case:
    arguments = {"x": x, "kernel_size": kernel_size, "stride": stride}
    return Case(why, arguments | ({"padding": padding} if padding else {}), group)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Side by side and overlapping, rectangles, sizes left over, frames, whole numbers."""
    maps = rng.normal
    yield _case("one map, 2x2 windows side by side", "windows", maps(size=(1, 1, 4, 6)), (2, 2), 2)
    yield _case("wide windows (2x3)", "windows", maps(size=(1, 2, 5, 7)), (2, 3), 2)
    yield _case("whole numbers", "windows", rng.integers(-9, 9, (1, 1, 6, 5)), (3, 2), 1)
    yield _case("two images of three channels", "windows", maps(size=(2, 3, 4, 5)), (2, 2), 1)
    yield _case("3x3 windows overlap, stride 2, one row over", "stride", maps(size=(1, 1, 8, 7)), (3, 3), 2)
    yield _case("stride 3, larger than the window", "stride", maps(size=(2, 1, 9, 8)), (2, 2), 3)
    yield _case("padding 1, stride 2", "padding", maps(size=(2, 2, 6, 5)) + 3, (3, 3), 2, 1)
    yield _case("padding 1, wide windows (2x3)", "padding", maps(size=(1, 1, 4, 5)) - 3, (2, 3), 1, 1)
    yield _case("padding 2, 5x4 windows, stride 3", "padding", maps(size=(1, 1, 6, 9)) + 3, (5, 4), 3, 2)


exercise = Exercise(
    solution=avg_pool2d,
    reference=pool.avg_pool2d,
    cases=cases,
    points=1,
    forbids=(
        "torch.nn.functional.avg_pool2d",
        "torch.nn.functional.adaptive_avg_pool2d",
        "torch.nn.functional.conv2d",
        "torch.avg_pool2d",
        "torch.nn.AvgPool2d",
        "scipy.ndimage.uniform_filter",
        "skimage.measure.block_reduce",
    ),
    axes=("N", "C", "H_out", "W_out"),
    prompt="""\
The largest number forgets how many others there were. The mean does not: every pixel of the window has its
say, and a fine pattern that cannot be shown at the new size becomes grey instead of something false.

**By hand.** One map, windows of 2 x 2, stride 2:

```
1 5 | 2 0
0 2 | 3 1        2    1.5
----+----   ->   1.75 2
4 2 | 0 6
0 1 | 0 2
```

**Contract.** Everything is as in `max_pool2d`, but the number is the mean of the window. It is a float, also
for maps of whole numbers. With `padding`, the zeros of the frame count: the sum is divided by `K_h * K_w` at
every place.
""",
    hints=(
        "What differs from `max_pool2d`? There are two places: what is done to a window, and what stands in "
        "the frame.",
        "At a corner with padding 1, a window of 2 x 2 holds three zeros and one pixel. What is its mean?",
        "The same two loops. Mind the type of the array that you write the means into.",
    ),
    remark="It is a convolution: a kernel of equal weights that add up to 1, one for each channel.",
)

add_wrong_windows(exercise, pool.avg_pool2d, np.mean)


@exercise.misconception(
    """At the border it divides by the number of pixels of the image in the window. Here the zeros of the
    frame count too: divide by K_h * K_w everywhere."""
)
def _frame_not_counted(x, kernel_size, stride, padding=0):
    pixels = pool.avg_pool2d(np.ones(x.shape), kernel_size, stride, padding)
    return pool.avg_pool2d(x, kernel_size, stride, padding) / pixels


@exercise.misconception("It takes the largest number of every window. Here it is the mean.")
def _largest(x, kernel_size, stride, padding=0):
    return slide(x, kernel_size, stride, padding, np.max, 0.0)


@exercise.misconception("It takes the median of every window. Here it is the mean.")
def _median(x, kernel_size, stride, padding=0):
    return slide(x, kernel_size, stride, padding, np.median, 0.0)


@exercise.misconception(
    """The sum is divided by K_h * K_h. A window has K_h rows and K_w columns: K_h * K_w numbers."""
)
def _divided_by_height_squared(x, kernel_size, stride, padding=0):
    K_h, K_w = kernel_size
    return pool.avg_pool2d(x, kernel_size, stride, padding) * K_w / K_h


@exercise.misconception(
    """The sum is divided by K_w * K_w. A window has K_h rows and K_w columns: K_h * K_w numbers."""
)
def _divided_by_width_squared(x, kernel_size, stride, padding=0):
    K_h, K_w = kernel_size
    return pool.avg_pool2d(x, kernel_size, stride, padding) * K_h / K_w


@exercise.misconception(
    """The sum is divided by K_h + K_w. A window has K_h rows of K_w numbers each: K_h * K_w of them."""
)
def _divided_by_the_sum_of_sides(x, kernel_size, stride, padding=0):
    K_h, K_w = kernel_size
    return pool.avg_pool2d(x, kernel_size, stride, padding) * (K_h * K_w) / (K_h + K_w)


@exercise.misconception(
    "The sum is divided by the stride squared. A mean divides by how many numbers there are."
)
def _divided_by_the_stride_squared(x, kernel_size, stride, padding=0):
    K_h, K_w = kernel_size
    return pool.avg_pool2d(x, kernel_size, stride, padding) * (K_h * K_w) / stride**2


@exercise.misconception(
    """The frame holds minus infinity, as for the largest number, and no mean survives it. Here it holds
    zeros."""
)
def _frame_of_minus_infinity(x, kernel_size, stride, padding=0):
    return pool.avg_pool2d(framed(x, padding, -np.inf), kernel_size, stride)


@exercise.misconception(
    """It gives what `max_pool2d` gives, frame and all. Here it is the mean, and the frame holds zeros."""
)
def _max_pool2d_again(x, kernel_size, stride, padding=0):
    return pool.max_pool2d(x, kernel_size, stride, padding)


@exercise.misconception("The mean is rounded down: `//` does that to floats too.")
def _rounded_down(x, kernel_size, stride, padding=0):
    return np.floor(pool.avg_pool2d(x, kernel_size, stride, padding))
