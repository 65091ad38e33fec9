"""Exercise: the gradient of average pooling."""

from collections.abc import Iterator

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.exercises.ch05_backprop._windows import add_wrong_windows, cut, even, largest, walk
from cnncourse.layers import pool


def avg_pool2d_backward(grad_out, x, kernel_size, stride, padding=0):
    """Return the gradient of the loss with respect to the input of average pooling.

    Parameters
    ----------
    grad_out : array, shape (N, C, H_out, W_out)
        The gradient of the loss with respect to what the pooling put out.
    x : array, shape (N, C, H, W)
        What went into the pooling.
    kernel_size : pair of int
        Rows and columns of a window, (K_h, K_w).
    stride, padding : int
        The zeros of the padding counted as numbers of their windows.

    Returns
    -------
    array, shape (N, C, H, W)
    """
    K_h, K_w = kernel_size
    N, C, H, W = x.shape
    grad_padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding))  # (N, C, H + 2p, W + 2p)
    for i in range(grad_out.shape[2]):
        for j in range(grad_out.shape[3]):
            top, left = i * stride, j * stride
            share = grad_out[:, :, i : i + 1, j : j + 1] / (K_h * K_w)  # (N, C, 1, 1)
            grad_padded[:, :, top : top + K_h, left : left + K_w] += share
    return grad_padded[:, :, padding : padding + H, padding : padding + W]  # (N, C, H, W)


def _case(rng: np.random.Generator, why: str, group: str, size, kernel_size, stride, padding=0) -> Case:
    x = rng.normal(size=size)
    shape = pool.avg_pool2d(x, kernel_size, stride, padding).shape
    arguments = {"grad_out": rng.normal(size=shape), "x": x, "kernel_size": kernel_size, "stride": stride}
    return Case(why, arguments | ({"padding": padding} if padding else {}), group)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Side by side and overlapping, rectangles, sizes left over, frames, whole numbers."""
    yield _case(rng, "one map, 2x2 windows side by side", "windows", (1, 1, 4, 6), (2, 2), 2)
    yield _case(rng, "two images of three channels, wide windows (2x3)", "windows", (2, 3, 5, 7), (2, 3), 3)
    yield _case(rng, "two images, tall windows (3x1)", "windows", (2, 2, 6, 4), (3, 1), 3)
    yield _case(rng, "windows overlap, stride 1", "overlap", (1, 2, 5, 6), (3, 3), 1)
    yield _case(rng, "windows overlap, stride 2, a row left over", "overlap", (2, 2, 8, 7), (3, 3), 2)
    yield _case(rng, "stride 3, larger than the window", "overlap", (2, 1, 9, 8), (2, 2), 3)
    yield _case(rng, "padding 1, windows of 2x3", "padding", (1, 2, 4, 6), (2, 3), 2, 1)
    yield _case(rng, "padding 1, 3x3 windows, stride 2", "padding", (2, 2, 6, 5), (3, 3), 2, 1)
    yield _case(rng, "padding 2, 5x4 windows, stride 3", "padding", (1, 1, 6, 9), (5, 4), 3, 2)
    whole = {"grad_out": rng.integers(1, 9, (1, 1, 2, 3)), "x": rng.integers(0, 9, (1, 1, 4, 6))}
    yield Case("gradients of whole numbers", whole | {"kernel_size": (2, 2), "stride": 2}, "windows")


exercise = Exercise(
    solution=avg_pool2d_backward,
    reference=pool.avg_pool2d_backward,
    cases=cases,
    points=1,
    forbids=("torch.autograd.grad", "torch.nn.functional.avg_pool2d", "cnncourse.gradcheck.*"),
    axes=("N", "C", "H", "W"),
    prompt="""\
The mean of a window listens to all of its numbers, a little to each. So the way back is no choice of one
place: the window's gradient is spread.

**By hand.** One map of one row, windows of 1 x 2, stride 1:

```
x         4 1 7          output  2.5  4
grad_out  1 10

window 0 gives 0.5 to pixels 0 and 1, window 1 gives 5 to pixels 1 and 2
grad_x    0.5 5.5 5
```

**Contract.**
- `grad_out` is `(N, C, H_out, W_out)`; `grad_x` is `(N, C, H, W)` like `x`, of which only the shape matters.
- Windows lie as in the exercise before, and may overlap. The zeros of the padding counted in the mean: a
  window's gradient is divided by `K_h * K_w` at the border too.
""",
    hints=(
        "Write the mean of the two numbers `a` and `b` as a formula. What is its slope with respect to `a`?",
        "It is the exercise before with another thing done at each window: instead of one place that gets "
        "all, a whole block that gets the same. What arrives at one pixel still adds up.",
    ),
    remark="It is a convolution backward too: one channel at a time, with all weights equal.",
)

add_wrong_windows(exercise, even, 0.0)


def _wrong(share):
    def answer(grad_out, x, kernel_size, stride, padding=0):
        return cut(walk(share, grad_out, x, kernel_size, stride, padding, 0.0), x, padding)

    return answer


def _everybody(window, grad):
    return np.ones(window.shape) * grad[..., None, None]


for _name, _share, _hint in (
    (
        "not_divided",
        _everybody,
        """Every number of a window gets its whole gradient, so the window hands out more than it got. A
        mean of `K_h * K_w` numbers has the slope `1 / (K_h * K_w)` for each.""",
    ),
    (
        "largest_gets_all",
        largest,
        """All of a window's gradient goes to its largest number, as for max pooling. A mean listens to
        every number alike.""",
    ),
    (
        "height_squared",
        lambda window, grad: _everybody(window, grad) / window.shape[2] ** 2,
        """The gradient is divided by the window's height times its height. A window has `K_h * K_w`
        numbers, and need not be square.""",
    ),
    (
        "divided_by_one_side",
        lambda window, grad: _everybody(window, grad) / window.shape[2],
        """The gradient is divided by the height of the window alone. It has `K_h * K_w` numbers.""",
    ),
):
    _answer = _wrong(_share)
    _answer.__name__ = f"_{_name}"
    exercise.misconception(_hint)(_answer)


@exercise.misconception(
    """At the border the gradient is divided by fewer numbers, those of the image alone. In this pooling
    the zeros of the padding counted in the mean, so it is `K_h * K_w` everywhere."""
)
def _frame_does_not_count(grad_out, x, kernel_size, stride, padding=0):
    inside = np.pad(np.ones(x.shape), ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    share = pool.avg_pool2d(inside, kernel_size, stride)
    return pool.avg_pool2d_backward(grad_out / share, x, kernel_size, stride, padding)


@exercise.misconception(
    """The gradient is divided by the number of units of the output. It has to be divided by the numbers
    in one window: those share what the window got."""
)
def _divided_by_the_output(grad_out, x, kernel_size, stride, padding=0):
    out = pool.avg_pool2d_backward(1.0 * grad_out, x, kernel_size, stride, padding)
    return out * kernel_size[0] * kernel_size[1] / grad_out[0, 0].size


@exercise.misconception(
    """The gradient is divided by `stride * stride`. How far a window moves says nothing about how many
    numbers it has: `K_h * K_w`."""
)
def _divided_by_the_stride(grad_out, x, kernel_size, stride, padding=0):
    out = pool.avg_pool2d_backward(1.0 * grad_out, x, kernel_size, stride, padding)
    return out * kernel_size[0] * kernel_size[1] / stride**2
