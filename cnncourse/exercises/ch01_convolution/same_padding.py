"""Exercise: the zeros that keep a signal's length."""

from collections.abc import Iterator

import numpy as np

from cnncourse import shapes
from cnncourse.checking import Case, Exercise


def same_padding(size, kernel_size, stride=1):
    """Say how many zeros keep the length of a signal, or its share where there is a stride.

    Parameters
    ----------
    size : int
        Numbers in the signal.
    kernel_size : int
        Weights of the kernel.
    stride : int
        Steps from one window to the next.

    Returns
    -------
    tuple of two ints
        Zeros before the signal, zeros behind it.
    """
    wanted = (size + stride - 1) // stride
    needed = (wanted - 1) * stride + kernel_size
    total = max(needed - size, 0)
    return total // 2, total - total // 2


SETTINGS = (
    ("a kernel of three", (5, 3), "odd kernels"),
    ("a kernel of seven", (20, 7), "odd kernels"),
    ("a kernel of one needs none", (6, 1), "odd kernels"),
    ("a kernel longer than the signal", (3, 5), "odd kernels"),
    ("an even kernel (2)", (6, 2), "even kernels"),
    ("an even kernel (4)", (9, 4), "even kernels"),
    ("an even kernel (6)", (8, 6), "even kernels"),
    ("stride 2, an even length", (6, 3, 2), "stride"),
    ("stride 2, an odd length", (7, 3, 2), "stride"),
    ("stride 3, one number over", (10, 5, 3), "stride"),
    ("stride 2, an even kernel", (9, 4, 2), "stride"),
    ("a stride longer than the kernel", (8, 1, 2), "stride"),
    ("a stride longer than the kernel, one number over", (9, 2, 4), "stride"),
    ("stride 5, a kernel of two", (10, 2, 5), "stride"),
)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Odd and even kernels, strides that divide and do not, strides longer than the kernel."""
    names = ("size", "kernel_size", "stride")
    for why, values, group in SETTINGS:
        yield Case(why, dict(zip(names, values, strict=False)), group)
    size = int(rng.integers(30, 50))
    drawn = {"size": size, "kernel_size": int(rng.integers(2, 5)) * 2 + 1}
    yield Case("drawn at random (odd)", drawn, "odd kernels")
    yield Case("drawn at random (even)", drawn | {"kernel_size": drawn["kernel_size"] - 1}, "even kernels")
    yield Case("drawn at random (stride)", drawn | {"stride": int(rng.integers(2, 5))}, "stride")


exercise = Exercise(
    solution=same_padding,
    reference=shapes.same_padding,
    cases=cases,
    points=1,
    prompt="""\
A smoothed track should have a position for every second, the first and the last too. So zeros, or something
better, must stand beside the signal, and the question is how many on each side. Notes answer `(k - 1) / 2`.
That is right for some kernels only.

**By hand.** Six numbers, a kernel of 4, stride 1. To get 6 windows the signal needs 6 + 3 = 9 places, that
is 3 zeros: `(1, 2)`.

```
0 [6 numbers] 0 0
```

With `stride=2` and a kernel of 3, "same" means half as many windows: 6 numbers give 3. They start at 0, 2
and 4, so they need 7 places, and one zero is enough: `(0, 1)`. Seven numbers give 4 windows and need two
zeros: `(1, 1)`.

**Contract.** Return `(before, behind)`, two ints:
- the number of windows is `size / stride`, **rounded up**;
- there are as few zeros as that takes, and never fewer than none;
- where their number is odd, the one too many stands behind.
""",
    hints=(
        "Start from the end: how many windows are wanted, and where does the last of them start?",
        "The last window starts `stride` times the number of steps after the first. How many places "
        "does the signal with its zeros need so that this window fits? What is missing is the number "
        "of zeros.",
        "Two whole numbers add up to all the zeros, and they are equal or the second is larger by 1. "
        "What is missing can come out below 0 where the stride is longer than the kernel.",
    ),
    remark="With a stride the zeros depend on the length of the signal, so no layer can fix them in advance.",
)


def _total(size, kernel_size, stride=1):
    return max((-(-size // stride) - 1) * stride + kernel_size - size, 0)


@exercise.misconception(
    """Both sides get `(k - 1) // 2` zeros. That keeps the length for odd kernels and stride 1 only:
    with an even kernel one zero is missing, and with a stride the number depends on the length of
    the signal."""
)
def _half_of_k_minus_one(size, kernel_size, stride=1):
    return (kernel_size - 1) // 2, (kernel_size - 1) // 2


@exercise.misconception(
    """Both sides get `k // 2` zeros. With an even kernel that is one too many, and with a stride the
    number depends on the length of the signal."""
)
def _half_of_k(size, kernel_size, stride=1):
    return kernel_size // 2, kernel_size // 2


@exercise.misconception(
    """The zeros are right for stride 1 and the stride plays no part. With a stride fewer windows are
    wanted, and fewer zeros are enough."""
)
def _stride_ignored(size, kernel_size, stride=1):
    total = kernel_size - 1
    return total // 2, total - total // 2


@exercise.misconception(
    """Where the number of zeros is odd, the one too many stands before. It belongs behind."""
)
def _extra_before(size, kernel_size, stride=1):
    total = _total(size, kernel_size, stride)
    return total - total // 2, total // 2


@exercise.misconception(
    """Both sides get the same number, and where the zeros do not divide by two one of them is lost:
    the last window no longer fits."""
)
def _odd_zero_lost(size, kernel_size, stride=1):
    return (_total(size, kernel_size, stride) // 2,) * 2


@exercise.misconception("Both sides get all the zeros. The number is for both sides together.")
def _total_on_each_side(size, kernel_size, stride=1):
    return (_total(size, kernel_size, stride),) * 2


@exercise.misconception("All the zeros stand behind. Half of them belong before the signal.")
def _all_behind(size, kernel_size, stride=1):
    return 0, _total(size, kernel_size, stride)


@exercise.misconception("All the zeros stand before. Half of them belong behind the signal.")
def _all_before(size, kernel_size, stride=1):
    return _total(size, kernel_size, stride), 0


@exercise.misconception(
    """The number of zeros is negative where the stride is longer than the kernel. Nothing is cut off
    a signal: then no zeros are needed."""
)
def _negative(size, kernel_size, stride=1):
    total = (-(-size // stride) - 1) * stride + kernel_size - size
    return total // 2, total - total // 2


@exercise.misconception(
    """The length is kept even with a stride: as many windows as numbers. "Same" with a stride means
    the length divided by the stride, rounded up."""
)
def _length_kept_with_stride(size, kernel_size, stride=1):
    total = (size - 1) * stride + kernel_size - size
    return total // 2, total - total // 2


@exercise.misconception(
    """The number of windows is rounded down where the stride does not divide the length. It is
    rounded up, so that no number is left without a window."""
)
def _rounded_down(size, kernel_size, stride=1):
    total = max((size // stride - 1) * stride + kernel_size - size, 0)
    return total // 2, total - total // 2


@exercise.misconception(
    """The zeros come out as floats: `/` makes floats even of whole numbers, and half a zero is none.
    Return two ints."""
)
def _floats(size, kernel_size, stride=1):
    return ((kernel_size - 1) / 2,) * 2


@exercise.misconception(
    """The kernel covers `k` places and needs `k - 1` zeros more than the signal has, not `k`."""
)
def _one_zero_too_many(size, kernel_size, stride=1):
    total = _total(size, kernel_size, stride) + 1
    return total // 2, total - total // 2


@exercise.misconception(
    """The zeros come out as floats: `/`, `np.floor` and `np.ceil` make floats even of whole numbers.
    Return two ints."""
)
def _right_as_floats(size, kernel_size, stride=1):
    total = _total(size, kernel_size, stride)
    return float(total // 2), float(total - total // 2)


@exercise.misconception(
    """Both sides get the same number, rounded up: where the number of zeros is odd there is one too
    many. One side has one zero more than the other."""
)
def _rounded_up_on_both_sides(size, kernel_size, stride=1):
    return ((_total(size, kernel_size, stride) + 1) // 2,) * 2


@exercise.misconception(
    """Both sides get the same number, and with a stride so many that the length is kept. "Same" with
    a stride means the length divided by the stride, rounded up; and the two sides may differ."""
)
def _symmetric_and_length_kept(size, kernel_size, stride=1):
    return (((size - 1) * stride + kernel_size - size) // 2,) * 2


@exercise.misconception(
    """The total is `k - stride`. That is right where the stride divides the length; otherwise the
    last window starts later, and more zeros are needed behind."""
)
def _kernel_minus_stride(size, kernel_size, stride=1):
    total = max(kernel_size - stride, 0)
    return total // 2, total - total // 2
