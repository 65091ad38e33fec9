"""Exercise: slide a kernel along a signal."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.layers import signals


def cross_correlate1d(x, kernel, stride=1, padding=0):
    """Slide a kernel along a signal: at each place, multiply and add up.

    Parameters
    ----------
    x : array, shape (n,)
        The signal.
    kernel : array, shape (k,)
    stride : int
        Steps from one window to the next.
    padding : int
        Zeros on each side of the signal.

    Returns
    -------
    array, shape (n_out,)
        One number for each window that fits.
    """
    n, k = len(x), len(kernel)
    n_out = (n + 2 * padding - k) // stride + 1
    padded = np.zeros(n + 2 * padding)  # (n + 2p,)
    padded[padding : padding + n] = x
    out = np.zeros(n_out)  # (n_out,)
    for i in range(n_out):
        start = i * stride
        out[i] = np.sum(padded[start : start + k] * kernel)
    return out


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """From five numbers to stride and padding together; strides that divide and strides that do not."""

    def drawn(n: int, k: int, *settings: int) -> dict[str, Any]:
        both = {"x": rng.normal(size=n), "kernel": rng.normal(size=k)}
        return both | dict(zip(("stride", "padding"), settings, strict=False))

    yield Case("five numbers, a kernel of three", drawn(5, 3), "stride 1, no padding")
    yield Case("an even kernel (4)", drawn(9, 4), "stride 1, no padding")
    yield Case("a kernel as long as the signal", drawn(4, 4), "stride 1, no padding")
    yield Case("a kernel of one number", drawn(6, 1), "stride 1, no padding")
    whole = {"x": rng.integers(-9, 0, 7), "kernel": rng.normal(size=3)}
    yield Case("whole numbers, all negative", whole, "stride 1, no padding")
    steps = {"x": rng.integers(0, 9, 8), "kernel": np.array([0.5, 0.25, 0.125])}
    yield Case("whole numbers, a kernel of fractions", steps, "stride 1, no padding")
    yield Case("stride 2, windows overlap", drawn(8, 3, 2), "stride")
    yield Case("stride 3, numbers between the windows", drawn(12, 2, 3), "stride")
    yield Case("stride 2 that divides", drawn(9, 5, 2), "stride")
    yield Case("padding 1", drawn(6, 3, 1, 1), "padding")
    yield Case("padding 2, a kernel of five", drawn(7, 5, 1, 2), "padding")
    yield Case("padding 2, an even kernel (2)", drawn(4, 2, 1, 2), "padding")
    yield Case("padding 1, stride 2", drawn(9, 3, 2, 1), "stride and padding")
    yield Case("padding 2, stride 3", drawn(3 * int(rng.integers(4, 7)), 4, 3, 2), "stride and padding")
    yield Case("padding 2, stride 2 that does not divide", drawn(8, 5, 2, 2), "stride and padding")


exercise = Exercise(
    solution=cross_correlate1d,
    reference=signals.cross_correlate1d,
    cases=cases,
    points=2,
    forbids=(
        "numpy.correlate",
        "numpy.convolve",
        "numpy.ma.correlate",
        "numpy.ma.convolve",
        "scipy.signal.correlate",
        "scipy.signal.convolve",
        "scipy.signal.fftconvolve",
        "scipy.signal.oaconvolve",
        "scipy.ndimage.correlate1d",
        "scipy.ndimage.convolve1d",
        "torch.nn.functional.conv1d",
        "torch.conv1d",
        "torch.nn.Conv1d",
    ),
    axes=("n_out",),
    prompt="""\
This is the one operation that the whole course is about, in its smallest form. It blurs, it finds edges, it
finds a heartbeat; which of them, the numbers in the kernel decide.

**By hand.** Kernel `[1, 0, -2]`, stride 1, no padding:

```
signal         3 1 4 1 5
first window   3 1 4       3*1 + 1*0 + 4*(-2) = -5
second window    1 4 1     1*1 + 4*0 + 1*(-2) = -1
third window       4 1 5   4*1 + 1*0 + 5*(-2) = -6
result         [-5, -1, -6]
```

With `stride=2` the second window is left out: `[-5, -6]`. With `padding=1` the signal is `0 3 1 4 1 5 0`, and
there are five windows.

**Contract.**
- `x` has shape `(n,)` and `kernel` has shape `(k,)`; the result has as many numbers as windows fit, by the
  count of the exercise before.
- The kernel lies on the signal as it is: **not flipped**.
- `padding` zeros stand on each side. A window that fits only in part is left out.
- The signal may hold whole numbers, the result need not. Write it without `np.correlate` and `np.convolve`.
""",
    hints=(
        "Do it for one window first. Which numbers of the padded signal belong to result number `i`? "
        "Try `i = 1` with `stride=2` on paper.",
        "The number of windows comes from the padded signal, and the result is made with that length, "
        "as floats, before the loop.",
        "One loop over the results is enough. In its body: where the window starts, the window, one "
        "sum of products. Where the window ends is counted from its own start.",
    ),
    remark="n_out windows of k numbers each: n_out * k multiplications, whatever the numbers are.",
)


def _padded(x, padding):
    return np.pad(np.asarray(x, dtype=float), padding)


def _slide(x, kernel, stride=1, padding=0):
    """All windows as a view, times the kernel."""
    windows = np.lib.stride_tricks.sliding_window_view(_padded(x, padding), len(kernel))
    return windows[::stride] @ kernel


@exercise.misconception(
    """The kernel is flipped before it is applied. That is the convolution of mathematics, and the
    exercise after this one; here window and kernel are multiplied as they lie."""
)
def _kernel_flipped(x, kernel, stride=1, padding=0):
    return _slide(x, kernel[::-1], stride, padding)


@exercise.misconception("""The results stand in reverse order: the first window's number belongs first.""")
def _results_reversed(x, kernel, stride=1, padding=0):
    return _slide(x, kernel, stride, padding)[::-1]


@exercise.misconception(
    """The products are averaged. Here they are added up and not divided by their number."""
)
def _mean_for_sum(x, kernel, stride=1, padding=0):
    return _slide(x, kernel, stride, padding) / len(kernel)


@exercise.misconception(
    """Each result is divided by the sum of the weights, as in a weighted mean. Nothing is divided
    here; a kernel that is to take a mean brings weights that add up to 1."""
)
def _weighted_mean(x, kernel, stride=1, padding=0):
    return _slide(x, kernel, stride, padding) / kernel.sum()


@exercise.misconception(
    """Each result is one product, not a sum of products: every product overwrites the one before it,
    and the last weight's remains. They must be added up."""
)
def _last_product_only(x, kernel, stride=1, padding=0):
    return _slide(x, kernel * (np.arange(len(kernel)) == len(kernel) - 1), stride, padding)


@exercise.misconception(
    """The result does not change when `stride` changes: the windows move by one number each time.
    Result `i` looks at the window that starts at `i * stride`."""
)
def _stride_ignored(x, kernel, stride=1, padding=0):
    return _slide(x, kernel, 1, padding)


@exercise.misconception(
    """The length of the result takes `stride` into account, the windows do not: result `i` looks at
    the window that starts at `i`. It starts at `i * stride`."""
)
def _stride_only_in_the_size(x, kernel, stride=1, padding=0):
    return _slide(x, kernel, 1, padding)[: len(_slide(x, kernel, stride, padding))]


@exercise.misconception(
    """The windows move by the length of the kernel, so that they never overlap. They move by
    `stride`."""
)
def _kernel_size_for_stride(x, kernel, stride=1, padding=0):
    return _slide(x, kernel, len(kernel), padding)


@exercise.misconception(
    """A window starts at `i * stride` but ends at `i + k`: with a stride it is too short. It ends
    `k` numbers after its own start."""
)
def _window_end_without_stride(x, kernel, stride=1, padding=0):
    padded, k = _padded(x, padding), len(kernel)
    out = np.zeros((len(padded) - k) // stride + 1)
    for i in range(len(out)):
        out[i] = np.sum(padded[i * stride : i + k] * kernel)
    return out


@exercise.misconception(
    """The result does not change when `padding` changes. The windows slide over the signal with its
    zeros."""
)
def _padding_ignored(x, kernel, stride=1, padding=0):
    return _slide(x, kernel, stride)


@exercise.misconception("""Zeros stand only before the signal. `padding` puts them on both sides.""")
def _padded_before_only(x, kernel, stride=1, padding=0):
    return _slide(np.pad(x, (padding, 0)), kernel, stride)


@exercise.misconception("""Zeros stand only behind the signal. `padding` puts them on both sides.""")
def _padded_behind_only(x, kernel, stride=1, padding=0):
    return _slide(np.pad(x, (0, padding)), kernel, stride)


@exercise.misconception(
    """All zeros stand before the signal, none behind it: the signal is one shift too far to the
    right. It begins at place `padding` of the padded signal."""
)
def _signal_at_the_end(x, kernel, stride=1, padding=0):
    return _slide(np.pad(x, (2 * padding, 0)), kernel, stride)


@exercise.misconception(
    """All zeros stand behind the signal, none before it. It begins at place `padding` of the padded
    signal, not at 0."""
)
def _signal_at_the_start(x, kernel, stride=1, padding=0):
    return _slide(np.pad(x, (0, 2 * padding)), kernel, stride)


@exercise.misconception("""The padding repeats the first and the last number. Here it holds zeros.""")
def _edge_repeated(x, kernel, stride=1, padding=0):
    return _slide(np.pad(x, padding, mode="edge"), kernel, stride)


@exercise.misconception(
    """With padding 0 the slice `[p:-p]` is `[0:0]`, which has room for nothing: the signal does not
    fit in. Count its end from the start: it ends at place `padding + n`."""
)
def _empty_slice(x, kernel, stride=1, padding=0):
    padded = np.zeros(len(x) + 2 * padding)
    padded[padding:-padding] = x
    return _slide(padded, kernel, stride)


@exercise.misconception(
    """The zeros are there, but the result has the length that it has without them: with padding p
    the windows slide over n + 2p numbers."""
)
def _size_without_the_zeros(x, kernel, stride=1, padding=0):
    return _slide(x, kernel, stride, padding)[: max((len(x) - len(kernel)) // stride + 1, 0)]


@exercise.misconception(
    """The loop stops at the length of the signal without its zeros: with padding p there are n + 2p
    numbers to slide over, so the last results stay 0."""
)
def _loop_ends_at_the_unpadded_size(x, kernel, stride=1, padding=0):
    out = _slide(x, kernel, stride, padding)
    out[max((len(x) - len(kernel)) // stride + 1, 0) :] = 0
    return out


@exercise.misconception(
    """The result is one number too short: between the first and the last start of a window there are
    `(n + 2p - k) // stride` steps, and so one window more than steps."""
)
def _plus_one_forgotten(x, kernel, stride=1, padding=0):
    return _slide(x, kernel, stride, padding)[:-1]


@exercise.misconception(
    """The last result stays 0: the loop ends one step too early. `range(n)` already stops before
    `n`."""
)
def _loop_ends_one_early(x, kernel, stride=1, padding=0):
    out = _slide(x, kernel, stride, padding)
    out[-1] = 0
    return out


@exercise.misconception(
    """Only the first window is worked on; the other results stay 0. Look how far the `return` is
    indented."""
)
def _first_window_only(x, kernel, stride=1, padding=0):
    out = _slide(x, kernel, stride, padding)
    out[1:] = 0
    return out


@exercise.misconception(
    """The 1 is added before the division by the stride. `(n + 2p - k) // stride` counts the steps;
    there is one window more than steps, whatever the stride."""
)
def _one_added_before_dividing(x, kernel, stride=1, padding=0):
    return _slide(x, kernel, stride, padding)[: (len(x) + 2 * padding - len(kernel) + 1) // stride]


@exercise.misconception(
    """The number of windows is rounded up where the stride does not divide, and the last window lies
    partly behind the end. It is left out: `//` rounds down."""
)
def _rounded_up(x, kernel, stride=1, padding=0):
    return _slide(np.pad(_padded(x, padding), (0, stride - 1)), kernel, stride)


@exercise.misconception(
    """The result has as many numbers as the signal, whatever `padding` says: zeros were added that
    nobody asked for ("same"). Where `padding` is 0, windows lie wholly inside the signal."""
)
def _always_same(x, kernel, stride=1, padding=0):
    before = (len(kernel) - 1) // 2
    return _slide(np.pad(x, (before, len(kernel) - 1 - before)), kernel, stride)


@exercise.misconception(
    """Every window that touches the signal is counted ("full"), as if there were `k - 1` zeros on
    each side. `padding` says how many there are."""
)
def _always_full(x, kernel, stride=1, padding=0):
    return _slide(x, kernel, stride, len(kernel) - 1)


@exercise.misconception(
    """Where the signal holds whole numbers, the result is cut down to whole numbers: an array made
    with the signal's dtype, as `np.zeros_like(x)` makes it, has no room for fractions."""
)
def _whole_numbers(x, kernel, stride=1, padding=0):
    return _slide(x, kernel, stride, padding).astype(x.dtype)


@exercise.misconception(
    """The mean of each window is taken off first. That finds patterns better, but it is another
    function: here the numbers of the signal are used as they are."""
)
def _mean_taken_off(x, kernel, stride=1, padding=0):
    return _slide(x, kernel - kernel.mean(), stride, padding)


@exercise.misconception(
    """Each result looks at a window one place too far to the right: the first window starts at 0."""
)
def _starts_at_one(x, kernel, stride=1, padding=0):
    moved = np.append(_padded(x, padding), 0.0)[1:]
    return _slide(moved, kernel, stride)


@exercise.misconception(
    """A window that ends exactly where the signal ends is left out: it fits. `range` stops before
    its end, so the end must be the last start plus 1."""
)
def _last_start_excluded(x, kernel, stride=1, padding=0):
    return _slide(_padded(x, padding)[:-1], kernel, stride) if len(x) > len(kernel) else np.zeros(0)


@exercise.misconception(
    """A window starts at `i * stride` but ends at `i + k`: with a stride it is too short. It ends
    `k` numbers after its own start."""
)
def _window_end_without_stride_by_dot(x, kernel, stride=1, padding=0):
    padded, k = _padded(x, padding), len(kernel)
    out = np.zeros((len(padded) - k) // stride + 1)
    for i in range(len(out)):
        out[i] = np.dot(padded[i * stride : i + k], kernel)
    return out


@exercise.misconception(
    """A loop that steps by `stride` counts places in the signal, and the result is stored at the
    same index: there it runs past the end. The second window's number is result 1, whatever the
    stride."""
)
def _start_as_index_of_the_result(x, kernel, stride=1, padding=0):
    padded, k = _padded(x, padding), len(kernel)
    out = np.zeros((len(padded) - k) // stride + 1)
    for start in range(0, len(padded) - k + 1, stride):
        out[start] = np.sum(padded[start : start + k] * kernel)
    return out


@exercise.misconception(
    """The products are not added up: there is a row of them for each window. Each window gives one
    number."""
)
def _products_not_added(x, kernel, stride=1, padding=0):
    return np.lib.stride_tricks.sliding_window_view(_padded(x, padding), len(kernel))[::stride] * kernel


@exercise.misconception(
    """There is a result for every start in the signal, even where the window lies partly behind the
    end. Only windows that fit whole are counted."""
)
def _partial_windows(x, kernel, stride=1, padding=0):
    return _slide(np.pad(_padded(x, padding), (0, len(kernel) - 1)), kernel, stride)


@exercise.misconception(
    """Each result is divided by the lengths (norms) of window and kernel. That measures how alike
    they are; here the sum of products stays as it is."""
)
def _divided_by_norms(x, kernel, stride=1, padding=0):
    windows = np.lib.stride_tricks.sliding_window_view(_padded(x, padding), len(kernel))[::stride]
    return windows @ kernel / (np.linalg.norm(windows, axis=1) * np.linalg.norm(kernel))


@exercise.misconception(
    """The signal itself is thinned out: every `stride`-th number is kept, and the kernel slides over
    those. The stride leaves out windows; inside a window no number is left out."""
)
def _signal_thinned_out(x, kernel, stride=1, padding=0):
    thin = _padded(x, padding)[::stride]
    return np.array([thin[i : i + len(kernel)] @ kernel for i in range(len(thin) - len(kernel) + 1)])


@exercise.misconception(
    """Negative results lose their sign. A negative sum says that window and kernel are opposed."""
)
def _absolute(x, kernel, stride=1, padding=0):
    return np.abs(_slide(x, kernel, stride, padding))
