"""Exercise: the gradient of max pooling."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.checking.compare import Problem, Rung, compare
from cnncourse.exercises.ch05_backprop._windows import add_wrong_windows, cut, largest, walk
from cnncourse.layers import pool


def max_pool2d_backward(grad_out, x, kernel_size, stride, padding=0):
    """Return the gradient of the loss with respect to the input of max pooling.

    Parameters
    ----------
    grad_out : array, shape (N, C, H_out, W_out)
        The gradient of the loss with respect to what the pooling put out.
    x : array, shape (N, C, H, W)
        What went into the pooling.
    kernel_size : pair of int
        Rows and columns of a window, (K_h, K_w).
    stride, padding : int

    Returns
    -------
    array, shape (N, C, H, W)
    """
    K_h, K_w = kernel_size
    N, C, H, W = x.shape
    padded = np.full((N, C, H + 2 * padding, W + 2 * padding), -np.inf)  # (N, C, H + 2p, W + 2p)
    padded[:, :, padding : padding + H, padding : padding + W] = x
    grad_padded = np.zeros(padded.shape)  # (N, C, H + 2p, W + 2p)
    for n, c, i, j in np.ndindex(grad_out.shape):
        top, left = i * stride, j * stride
        window = padded[n, c, top : top + K_h, left : left + K_w]  # (K_h, K_w)
        row, column = np.unravel_index(window.argmax(), (K_h, K_w))
        grad_padded[n, c, top + row, left + column] += grad_out[n, c, i, j]
    return grad_padded[:, :, padding : padding + H, padding : padding + W]  # (N, C, H, W)


def _case(rng: np.random.Generator, why: str, group: str, x, kernel_size, stride, padding=0) -> Case:
    shape = pool.max_pool2d(x, kernel_size, stride, padding).shape
    arguments = {"grad_out": rng.normal(size=shape), "x": x, "kernel_size": kernel_size, "stride": stride}
    return Case(why, arguments | ({"padding": padding} if padding else {}), group)


def _tied(rng: np.random.Generator, *shape: int):
    """Draw maps in which blocks of 2 by 2 have two or more equal largest numbers."""
    x = rng.integers(-9, 0, shape).astype(float)
    x[:, :, ::2, ::2] = x[:, :, ::2, 1::2] = 3.0
    return x


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Side by side and overlapping, rectangles, sizes left over, ties, all negative, frames, whole
    numbers."""
    maps, tied = rng.normal, _tied(rng, 1, 1, 2, 6)
    yield _case(rng, "one map, 2x2 windows side by side", "windows", maps(size=(1, 1, 4, 6)), (2, 2), 2)
    yield _case(rng, "wide windows (2x3)", "windows", maps(size=(1, 1, 5, 7)), (2, 3), 3)
    yield _case(rng, "two images of three channels", "windows", maps(size=(2, 3, 4, 6)), (2, 2), 2)
    yield _case(
        rng,
        "all numbers negative, tall windows (3x2)",
        "windows",
        -rng.random((2, 2, 6, 5)) - 0.1,
        (3, 2),
        3,
    )
    yield _case(rng, "windows overlap, stride 1", "overlap", maps(size=(1, 2, 5, 6)), (3, 3), 1)
    yield _case(
        rng, "windows overlap, stride 2, a row left over", "overlap", maps(size=(2, 2, 8, 7)), (3, 3), 2
    )
    yield _case(rng, "stride 3, larger than the window", "overlap", maps(size=(2, 1, 9, 8)), (2, 2), 3)
    whole = rng.permutation(30).reshape(1, 1, 5, 6) - 40
    yield _case(rng, "whole numbers, windows overlap", "overlap", whole, (2, 3), 1)
    yield _case(rng, "padding 1, all negative", "padding", -rng.random((1, 2, 4, 6)) - 0.1, (2, 2), 2, 1)
    yield _case(rng, "padding 1, 3x3 windows, stride 2", "padding", maps(size=(2, 2, 6, 5)), (3, 3), 2, 1)
    low = -rng.random((2, 1, 5, 5)) - 0.1
    yield _case(rng, "padding 1, a batch, all negative", "padding", low, (3, 3), 2, 1)
    yield _case(rng, "padding 2, 5x4 windows, stride 3", "padding", maps(size=(1, 1, 6, 9)), (5, 4), 3, 2)
    yield _case(rng, "every window has a tie", "ties", tied, (2, 2), 2)
    yield _case(rng, "a flat map: all four numbers equal", "ties", np.zeros((1, 2, 2, 4)), (2, 2), 2)
    yield _case(
        rng, "a tie in the overlap of two windows", "ties", np.array([[[[0.0, 7, 7, 1, 2]]]]), (1, 3), 1
    )


def valid_choices(arguments: dict[str, Any]) -> Iterator[np.ndarray]:
    """Yield gradients that are right where windows have ties: each takes one of the largest, or all share."""
    grad_out, x, (k_h, k_w), stride = (arguments[name] for name in ("grad_out", "x", "kernel_size", "stride"))
    padding = arguments.get("padding", 0)
    yield cut(walk(_shared, grad_out, x, (k_h, k_w), stride, padding), x, padding)
    for pick in product(range(4), repeat=min(grad_out.size, 4)):
        turn = iter(np.ndindex(grad_out.shape))
        grad_x = np.zeros(x.shape)
        for count, (n, c, i, j) in enumerate(turn):
            top, left = i * stride - padding, j * stride - padding
            rows, columns = slice(max(top, 0), top + k_h), slice(max(left, 0), left + k_w)
            window = x[n, c, rows, columns]
            places = np.argwhere(window == window.max())
            row, column = places[pick[count % len(pick)] % len(places)]
            grad_x[n, c, rows.start + row, columns.start + column] += grad_out[n, c, i, j]
        yield grad_x


def _shared(window, grad):
    mask = window == window.max(axis=(2, 3), keepdims=True)
    return grad[..., None, None] * mask / mask.sum(axis=(2, 3), keepdims=True)


def accept(case: Case, value) -> Problem | None:
    """Return what is wrong with a gradient; of equal largest numbers any may get it, or all a share."""
    problem = compare(value, exercise.expected(case), exercise.axes)
    if problem is None or problem.rung is not Rung.VALUE or case.group != "ties":
        return problem
    if any(compare(value, choice) is None for choice in valid_choices(case.arguments)):
        return None
    return problem


exercise = Exercise(
    solution=max_pool2d_backward,
    reference=pool.max_pool2d_backward,
    cases=cases,
    accept=accept,
    points=2,
    forbids=(
        "torch.autograd.grad",
        "torch.nn.functional.max_unpool2d",
        "torch.nn.MaxUnpool2d",
        "torch.nn.functional.max_pool2d",
        "cnncourse.gradcheck.*",
    ),
    axes=("N", "C", "H", "W"),
    prompt="""\
Max pooling let one number of each window through, the largest. Move another one by a little, and nothing
happens. So a window's gradient goes to its largest number, all of it, and the others get 0.

**By hand.** One map of one row, windows of 1 x 3, stride 1. The 7 is the largest of two windows:

```
x        4 1 7 2 5
windows  4 1 7 | 1 7 2 | 7 2 5          output    7 7 7
grad_out 1  10  100                     grad_x    0 0 111 0 0
```

**Contract.**
- `grad_out` is `(N, C, H_out, W_out)`; `grad_x` is `(N, C, H, W)` like `x`. The pooling is that of lab 4: the
  window in row `i`, column `j` starts at row `i * stride`, column `j * stride` of the padded input, and what
  lies outside of the image never wins.
- Windows may overlap. A pixel that wins several of them gets the gradients of all.
- A window hands on what it got: no more, no less. Of equal largest numbers any may get it (libraries differ),
  or all of them a share.
""",
    hints=(
        "In the example, change the 7 to 7.1. Which numbers of the output change, and by how much does the "
        "loss grow? Then change the 4 to 4.1.",
        "For each window you need a place, not a value: where in the window, then where in the input. Two "
        "windows may name the same place, and a window with a tie must name one.",
        "Four loops are fine: image, channel, row, column of `grad_out`. In the body: cut out the window, "
        "find the place of its largest number as row and column, add. `np.argmax` counts through a window "
        "of `K_h` rows and `K_w` columns.",
    ),
    remark="A library keeps the places from the forward pass, so that nothing has to be searched again.",
)

add_wrong_windows(exercise, largest, -np.inf)


def _wrong(share, frame=-np.inf):
    def answer(grad_out, x, kernel_size, stride, padding=0):
        return cut(walk(share, grad_out, x, kernel_size, stride, padding, frame), x, padding)

    return answer


def _all_tied(window, grad):
    return grad[..., None, None] * (window == window.max(axis=(2, 3), keepdims=True))


def _masked_values(window, grad):
    return _all_tied(window, grad) * np.where(np.isfinite(window), window, 0)


def _first_value(window, grad):
    return largest(window, grad) * np.where(np.isfinite(window), window, 0)


def _everybody(window, grad):
    return np.ones(window.shape) * grad[..., None, None]


def _evenly(window, grad):
    return _everybody(window, grad) / window[0, 0].size


def _smallest(window, grad):
    return largest(-np.where(np.isfinite(window), window, np.inf), grad)


def _smallest_of_all(window, grad):
    return largest(-window, grad)


def _corner(window, grad):
    out = np.zeros(window.shape)
    out[:, :, 0, 0] = grad
    return out


def _joint_channels(window, grad):
    flat = window.reshape(len(window), -1)
    mask = (np.arange(flat.shape[1]) == flat.argmax(axis=1)[:, None]).reshape(window.shape)
    return grad[..., None, None] * mask


def _by_place(put, width):
    """Write to the place of a window's largest number, found with `width` columns a row."""

    def answer(grad_out, x, kernel_size, stride, padding=0):
        (K_h, K_w), sides = kernel_size, ((0, 0), (0, 0), (padding, padding), (padding, padding))
        padded = np.pad(1.0 * x, sides, constant_values=-np.inf)
        grad_padded = np.zeros(padded.shape)
        for n, c, i, j in np.ndindex(grad_out.shape):
            window = padded[n, c, i * stride : i * stride + K_h, j * stride : j * stride + K_w]
            row, column = divmod(window.argmax(), width(K_h, K_w))
            there = n, c, i * stride + row, j * stride + column
            grad_padded[there] = put(grad_padded[there], grad_out[n, c, i, j])
        return cut(grad_padded, x, padding)

    return answer


def _overwritten_with_ties(grad_out, x, kernel_size, stride, padding=0):
    return cut(walk(_all_tied, grad_out, x, kernel_size, stride, padding, add=False), x, padding)


for _name, _answer, _hint in (
    (
        "all_tied",
        _wrong(_all_tied),
        """A window with a tie sends its whole gradient to each of the equal numbers, and so more than it
        got: a mask `window == window.max()` marks them all. What a window hands out must add up to what
        it got.""",
    ),
    (
        "mask_holds_values",
        _wrong(_masked_values),
        """The gradient is multiplied with the largest number itself. Max pooling copies that number, so
        the slope is 1, however large it is.""",
    ),
    (
        "everybody",
        _wrong(_everybody),
        """Every number of a window gets its gradient. Only the largest has come through, and only there
        the output moves.""",
    ),
    (
        "spread_evenly",
        _wrong(_evenly),
        """The gradient is spread evenly over the window, as for average pooling. Here all of it goes to
        the largest number.""",
    ),
    (
        "smallest",
        _wrong(_smallest),
        """The gradient goes to the smallest number of each window. The largest is the one that came
        through.""",
    ),
    (
        "smallest_frame_included",
        _wrong(_smallest_of_all),
        """The gradient goes to the smallest number of each window. The largest is the one that came
        through.""",
    ),
    (
        "first_value",
        _wrong(_first_value),
        """The gradient is multiplied with the largest number itself. Max pooling copies that number, so the
        slope is 1, however large it is.""",
    ),
    (
        "overwritten_at_its_place",
        _by_place(lambda there, grad: grad, lambda K_h, K_w: K_w),
        """Where windows overlap, the last one overwrites what the others sent to a pixel. What arrives at one
        pixel adds up: `+=`, not `=`.""",
    ),
    (
        "overwritten_with_ties",
        _overwritten_with_ties,
        """Where windows overlap, the last one overwrites what the others sent to a pixel. What arrives at one
        pixel adds up: `+=`, not `=`.""",
    ),
    (
        "unravelled_with_the_height",
        _by_place(lambda there, grad: there + grad, lambda K_h, K_w: K_h),
        """In windows that are not square the gradient lands in the wrong place: the number that `argmax`
        gives is taken apart with the height of the window. It counts through rows of length `K_w`.""",
    ),
    (
        "upper_left_corner",
        _wrong(_corner),
        """The gradient always goes to the upper left number of a window, whichever is the largest.""",
    ),
    (
        "channels_compete",
        _wrong(_joint_channels),
        """The channels of a window compete, and only one of them passes a gradient on. Every channel was
        pooled for itself and has a largest number of its own.""",
    ),
    (
        "frame_of_zeros_wins",
        _wrong(largest, 0.0),
        """Where all numbers of a window at the border are negative, its gradient is lost: it goes to a
        zero of the frame. What lies outside of the image never wins.""",
    ),
):
    _answer.__name__ = f"_{_name}"
    exercise.misconception(_hint)(_answer)
