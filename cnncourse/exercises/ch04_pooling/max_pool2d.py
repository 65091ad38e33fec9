"""Exercise: the largest number of every window."""

from collections.abc import Iterator

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.exercises.ch04_pooling._sliding import add_wrong_windows, slide
from cnncourse.layers import pool


def max_pool2d(x, kernel_size, stride, padding=0):
    """Replace every window of every map by its largest number.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    kernel_size : pair of int
        Rows and columns of a window, (K_h, K_w).
    stride : int
        Pixels from one window to the next.
    padding : int
        Pixels of a frame on each of the four sides. The frame never wins.

    Returns
    -------
    array, shape (N, C, H_out, W_out)
        H_out and W_out are the numbers of windows that fit.
    """
    K_h, K_w = kernel_size
    N, C, H, W = x.shape
    H_out = (H + 2 * padding - K_h) // stride + 1
    W_out = (W + 2 * padding - K_w) // stride + 1
    padded = np.full((N, C, H + 2 * padding, W + 2 * padding), -np.inf)  # (N, C, H + 2p, W + 2p)
    padded[:, :, padding : padding + H, padding : padding + W] = x
    out = np.zeros((N, C, H_out, W_out))  # (N, C, H_out, W_out)
    for i in range(H_out):
        for j in range(W_out):
            top, left = i * stride, j * stride
            window = padded[:, :, top : top + K_h, left : left + K_w]  # (N, C, K_h, K_w)
            out[:, :, i, j] = window.max(axis=(2, 3))  # (N, C)
    return out


def _case(why: str, group: str, x, kernel_size, stride, padding=0) -> Case:
    arguments = {"x": x, "kernel_size": kernel_size, "stride": stride}
    return Case(why, arguments | ({"padding": padding} if padding else {}), group)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Side by side and overlapping, rectangles, sizes left over, ties, all negative, frames, integers."""
    maps = rng.normal
    yield _case("one map, 2x2 windows side by side", "windows", maps(size=(1, 1, 4, 6)), (2, 2), 2)
    yield _case("wide windows (2x3)", "windows", maps(size=(1, 1, 5, 7)), (2, 3), 2)
    yield _case("all numbers negative", "windows", -rng.random((1, 2, 4, 5)) - 0.1, (2, 2), 2)
    yield _case("whole numbers with ties", "windows", rng.integers(-3, 3, (1, 1, 6, 5)), (3, 2), 1)
    yield _case("two images of three channels", "batch", maps(size=(2, 3, 4, 5)), (2, 2), 1)
    yield _case("two images, tall windows (3x1)", "batch", maps(size=(2, 2, 6, 4)), (3, 1), 2)
    yield _case("windows overlap, stride 1", "stride", maps(size=(1, 2, 5, 6)), (3, 3), 1)
    yield _case("3x3 windows, stride 2, one row over", "stride", maps(size=(1, 1, 8, 7)), (3, 3), 2)
    yield _case("stride 3, larger than the window", "stride", maps(size=(2, 1, 9, 8)), (2, 2), 3)
    yield _case("padding 1, all negative", "padding", -rng.random((1, 1, 4, 5)) - 0.1, (2, 2), 2, 1)
    yield _case("padding 1, 3x3 windows, stride 2", "padding", maps(size=(2, 2, 6, 5)), (3, 3), 2, 1)
    yield _case("padding 2, 5x4 windows, stride 3", "padding", maps(size=(1, 1, 6, 9)), (5, 4), 3, 2)
    yield _case("whole numbers, padding 1", "padding", rng.integers(-9, 0, (1, 1, 4, 5)), (2, 3), 1, 1)
    drawn = rng.integers(-9, 3, (2, 1, 5, 5))
    yield _case("whole numbers, two images, padding 1", "padding", drawn, (3, 3), 2, 1)


exercise = Exercise(
    solution=max_pool2d,
    reference=pool.max_pool2d,
    cases=cases,
    points=2,
    forbids=(
        "torch.nn.functional.max_pool2d",
        "torch.nn.functional.adaptive_max_pool2d",
        "torch.max_pool2d",
        "torch.nn.MaxPool2d",
        "scipy.ndimage.maximum_filter",
        "skimage.measure.block_reduce",
    ),
    axes=("N", "C", "H_out", "W_out"),
    prompt="""\
A map of edges has a number for every pixel. To know that there is an edge *about here*, one number for a
block of pixels is enough: the largest.

**By hand.** One map, windows of 2 x 2, stride 2. Each of the four blocks gives one number:

```
1 5 | 2 0
0 1 | 3 1        5 3
----+----   ->   4 6
4 2 | 0 6
0 1 | 1 2
```

**Contract.**
- `x` is `(N, C, H, W)`, the result is `(N, C, H_out, W_out)` with `H_out = floor((H + 2 * padding - K_h) /
  stride) + 1`, and `W_out` likewise: as for a convolution.
- `kernel_size` is a pair `(K_h, K_w)`. Windows may overlap, and the stride may be larger than they are.
- Every map is pooled for itself: channels and images never mix.
- With `padding`, a window may reach over the edge. What lies there **never wins**, not even against negative
  numbers. (No window lies wholly outside.)
""",
    hints=(
        "It is the loop of `conv2d` of lab 2, with another thing done to a window, and without kernels. "
        "Which loops are left?",
        "Which number loses against every other one, also against -1000? Fill the frame with it. (An array "
        "of whole numbers cannot hold it.)",
        "Two loops, over rows and columns of the result. In the body: where the window starts, the window "
        "of all images and channels at once, and its largest numbers along the last two axes.",
    ),
    remark="It has no parameter: nothing is learned here, and nothing can be.",
)

add_wrong_windows(exercise, pool.max_pool2d, np.max)


@exercise.misconception(
    """The frame holds zeros, and a zero wins against negative numbers. What lies outside must lose
    against every number."""
)
def _frame_of_zeros(x, kernel_size, stride, padding=0):
    return slide(x, kernel_size, stride, padding, np.max, 0.0)


@exercise.misconception(
    """No result is below 0: the search for the largest number starts from 0. Where all numbers of a
    window are negative, the largest of them is the answer."""
)
def _search_starts_at_zero(x, kernel_size, stride, padding=0):
    return np.maximum(pool.max_pool2d(x, kernel_size, stride, padding), 0)


@exercise.misconception("It takes the mean of every window. Here it is the largest number.")
def _mean(x, kernel_size, stride, padding=0):
    return pool.avg_pool2d(x, kernel_size, stride, padding)


@exercise.misconception("It takes the smallest number of every window. Here it is the largest.")
def _smallest(x, kernel_size, stride, padding=0):
    return slide(x, kernel_size, stride, padding, np.min, -np.inf)


@exercise.misconception(
    """It takes the number that is farthest from 0, whatever its sign. Of -5 and 2 the largest is 2."""
)
def _largest_without_its_sign(x, kernel_size, stride, padding=0):
    return pool.max_pool2d(np.abs(x), kernel_size, stride, padding)


@exercise.misconception(
    """The result says where in the window the largest number stands. It should be the number itself."""
)
def _place_for_number(x, kernel_size, stride, padding=0):
    def place(window, axis):
        return window.reshape(*window.shape[:2], -1).argmax(axis=2)

    return slide(x, kernel_size, stride, padding, place, -np.inf)


@exercise.misconception(
    """An array of whole numbers cannot hold minus infinity: the frame needs an array of floats."""
)
def _whole_numbers_without_infinity(x, kernel_size, stride, padding=0):
    sides = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return pool.max_pool2d(np.pad(x, sides, constant_values=-np.inf), kernel_size, stride)
