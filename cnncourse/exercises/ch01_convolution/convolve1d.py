"""Exercise: the convolution of mathematics, with its flip, at every place where the two meet."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.layers import signals


def convolve1d(x, kernel):
    """Convolve two signals: each number of one, at its own place, weighted by the other.

    Parameters
    ----------
    x : array, shape (n,)
    kernel : array, shape (k,)

    Returns
    -------
    array, shape (n + k - 1,)
        ``out[t]`` is the sum of ``x[m] * kernel[t - m]`` over all ``m`` for which both exist.
    """
    n, k = len(x), len(kernel)
    out = np.zeros(n + k - 1)  # (n + k - 1,)
    for age in range(k):
        out[age : age + n] += kernel[age] * x
    return out


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Short and long, odd and even, one longer than the other both ways, whole numbers."""

    def drawn(n: int, k: int) -> dict[str, Any]:
        return {"x": rng.normal(size=n), "kernel": rng.normal(size=k)}

    yield Case("two numbers and two numbers", drawn(2, 2), "the kernel is shorter")
    yield Case("five numbers, a kernel of three", drawn(5, 3), "the kernel is shorter")
    yield Case("an even kernel (4)", drawn(9, 4), "the kernel is shorter")
    yield Case("a kernel of one number", drawn(6, 1), "the kernel is shorter")
    whole = {"x": rng.integers(-9, 0, 7), "kernel": np.array([0.5, 0.25, 0.125])}
    yield Case("whole numbers, all negative", whole, "the kernel is shorter")
    steps = {"x": rng.integers(1, 9, 5), "kernel": rng.normal(size=2)}
    yield Case("whole numbers, a kernel of fractions", steps, "the kernel is shorter")
    yield Case("a kernel longer than the signal", drawn(3, 6), "the kernel is as long or longer")
    yield Case("a signal of one number", drawn(1, 4), "the kernel is as long or longer")
    longer = drawn(4, 4 + int(rng.integers(3)))
    yield Case("a kernel as long or longer, drawn at random", longer, "the kernel is as long or longer")


exercise = Exercise(
    solution=convolve1d,
    reference=signals.convolve1d,
    cases=cases,
    points=1,
    forbids=(
        "numpy.correlate",
        "numpy.convolve",
        "numpy.ma.correlate",
        "numpy.ma.convolve",
        "numpy.polymul",
        "numpy.poly1d",
        "numpy.polynomial.*",
        "scipy.signal.correlate",
        "scipy.signal.convolve",
        "scipy.signal.fftconvolve",
        "scipy.signal.oaconvolve",
        "scipy.signal.lfilter",
        "scipy.ndimage.correlate1d",
        "scipy.ndimage.convolve1d",
        "torch.nn.functional.conv1d",
        "torch.nn.functional.conv_transpose1d",
        "torch.conv1d",
        "torch.nn.Conv1d",
    ),
    axes=("n + k - 1",),
    prompt="""\
A smoothed position is made of the last few measured ones: the newest with the first weight, the one before it
with the second. So the weights run forward and the time runs backward. That is the flip, and it makes the
operation one that you may exchange and regroup like a product.

**By hand.** `x = [1, 2, 3]`, `kernel = [1, 10]`. Each number of `x` leaves a copy of the kernel at its own
place, that many times as large; the copies are added:

```
1 leaves   1 10
2 leaves      2 20
3 leaves         3 30
sum        1 12 23 30
```

Read one column: 12 is `x[1] * kernel[0] + x[0] * kernel[1]`. The two indices add up to 1, the place of the
result, and so it is everywhere.

**Contract.** The result has `n + k - 1` numbers ("full"): every place where signal and kernel meet at all.
`out[t]` is the sum of `x[m] * kernel[t - m]`. Either of the two may be the longer one, and either may hold
whole numbers. Write it without `np.convolve` and `np.correlate`. Your own `cross_correlate1d` is allowed.
""",
    hints=(
        "Write the copies of the example in a table on paper, one row for each number of the signal. "
        "In which column does a row begin, and how many columns are there?",
        "Two ways lead there. Add up shifted copies, or slide: with the kernel turned round, and with "
        "enough zeros that even a window with a single number of the signal counts.",
        "For the copies: a result of zeros with its full length, and one loop over the numbers of the "
        "kernel, or over those of the signal. Each turn adds to a part of the result.",
    ),
    remark="Exchange the two and nothing changes: the pairs whose indices add up to t are the same.",
)


VALID = """Only the windows that lie wholly inside the signal are there ("valid"). Here every place
counts where the two meet at all, be it with one number: `n + k - 1` places."""
FEW_ZEROS = """There are too few zeros beside the signal: places where only one of its numbers, or a
few, meet the kernel are missing at both ends. The result has `n + k - 1` numbers."""
WHOLE = """Where the signal holds whole numbers, the result has no room for fractions: it is an array
made with the signal's dtype. They are lost, or NumPy refuses to add them."""


def _full(x, kernel):
    out = np.zeros(len(x) + len(kernel) - 1)
    for age, weight in enumerate(kernel):
        out[age : age + len(x)] += weight * x
    return out


@exercise.misconception(
    """The kernel is not flipped: this is the cross-correlation of the exercise before, at all
    places. The indices of each pair of factors should add up to the place of the result."""
)
def _not_flipped(x, kernel):
    return _full(x, kernel[::-1])


@exercise.misconception(
    """The result is as long as the signal: what the last numbers leave behind its end is cut off.
    There are `n + k - 1` places where the two meet."""
)
def _tail_cut_off(x, kernel):
    return _full(x, kernel)[: len(x)]


@exercise.misconception(
    """The copies overwrite each other where they overlap, and the last one stays. They must be added
    up."""
)
def _overwritten_by_kernel(x, kernel):
    out = np.zeros(len(x) + len(kernel) - 1)
    for age, weight in enumerate(kernel):
        out[age : age + len(x)] = weight * x
    return out


@exercise.misconception(
    """Where copies of the kernel overlap, the later one overwrites the earlier. They must be added
    up."""
)
def _overwritten_by_signal(x, kernel):
    return _overwritten_by_kernel(np.asarray(kernel, dtype=float), x)


@exercise.misconception(
    """The result is one number too long: `n + k` places. The last number of the signal stands at
    place n - 1, the last of its copy k - 1 further on."""
)
def _one_too_long(x, kernel):
    return np.append(_full(x, kernel), 0.0)


@exercise.misconception(
    """The last number is missing: the last number of the signal stands at place n - 1, and its copy
    of the kernel ends k - 1 places further on."""
)
def _one_too_short(x, kernel):
    return _full(x, kernel)[:-1]


@exercise.misconception(
    """The result is divided by the sum of the weights, as in a weighted mean. Nothing is divided
    here."""
)
def _weighted_mean(x, kernel):
    return _full(x, kernel) / np.sum(kernel)


@exercise.misconception(WHOLE)
def _whole_numbers(x, kernel):
    return _full(x, kernel).astype(x.dtype)


@exercise.misconception(
    """A negative index reads from the other end in Python: where `t - m` is below 0, or beyond the
    end, there is no weight and the pair is left out."""
)
def _wraps_around(x, kernel):
    n, k = len(x), len(kernel)
    out = np.zeros(n + k - 1)
    for t in range(n + k - 1):
        for m in range(n):
            if t - m < k:
                out[t] += x[m] * kernel[t - m]
    return out


@exercise.misconception(VALID)
def _valid(x, kernel):
    return _inside(x, kernel, max(len(x) - len(kernel) + 1, 0))


@exercise.misconception(VALID)
def _valid_or_an_error(x, kernel):
    return _inside(x, kernel, len(x) - len(kernel) + 1)


@exercise.misconception(VALID)
def _valid_longer_first(x, kernel):
    return _valid(x, kernel) if len(x) >= len(kernel) else _valid(kernel, x)


@exercise.misconception(
    """The result has its full length, but only the windows that lie wholly inside the signal are
    computed; they stand at its beginning and zeros follow."""
)
def _full_length_valid_values(x, kernel):
    out = np.zeros(len(x) + len(kernel) - 1)
    inside = _valid(x, kernel)
    out[: len(inside)] = inside
    return out


@exercise.misconception(
    """The result is as long as the signal ("same"): the ends are cut off on both sides. Here every
    place counts where the two meet at all: `n + k - 1` of them."""
)
def _same(x, kernel):
    start = (len(kernel) - 1) // 2
    return _full(x, kernel)[start : start + len(x)]


@exercise.misconception(FEW_ZEROS)
def _half_the_kernel(x, kernel):
    padded = np.pad(np.asarray(x, dtype=float), len(kernel) // 2)
    return _inside(padded, kernel, max(len(padded) - len(kernel) + 1, 0))


@exercise.misconception(FEW_ZEROS)
def _half_the_kernel_rounded_down(x, kernel):
    padded = np.pad(np.asarray(x, dtype=float), (len(kernel) - 1) // 2)
    return _inside(padded, kernel, max(len(padded) - len(kernel) + 1, 0))


@exercise.misconception(
    """The result is two numbers too long and begins and ends with 0. A window that holds nothing but
    zeros beside the signal does not meet it: there is one zero too many on each side."""
)
def _one_zero_too_many(x, kernel):
    return np.pad(_full(x, kernel), 1)


@exercise.misconception(
    """The numbers are right and stand in reverse order. Not the signal is turned round but the
    kernel, and the results follow the signal from its start."""
)
def _reversed(x, kernel):
    return _full(x, kernel)[::-1]


@exercise.misconception(
    """This is the cross-correlation, without a flip, with its results in reverse order. If both
    signal and kernel are turned round, one flip undoes the other: turn round the kernel alone."""
)
def _two_flips(x, kernel):
    return _full(x, kernel[::-1])[::-1]


@exercise.misconception(
    """What runs over the end comes in again at the start, as in a circle: so it is with a Fourier
    transform of the signal's own length. Beyond the ends there is nothing, and the result has `n
    + k - 1` numbers."""
)
def _circular(x, kernel):
    return np.fft.ifft(np.fft.fft(x) * np.fft.fft(kernel, len(x))).real


@exercise.misconception(
    """`t - m` runs beyond the kernel at both ends. Beyond its last weight that is an error; below 0
    it is none, because Python then reads from the other end. Where there is no weight, the pair
    is left out."""
)
def _index_beyond_the_kernel(x, kernel):
    n, k = len(x), len(kernel)
    out = np.zeros(n + k - 1)
    for t in range(n + k - 1):
        for m in range(n):
            out[t] += x[m] * kernel[t - m]
    return out


@exercise.misconception(WHOLE)
def _whole_numbers_at_each_step(x, kernel):
    out = np.zeros(len(x) + len(kernel) - 1, dtype=x.dtype)
    for i, number in enumerate(x):
        for age, weight in enumerate(kernel):
            out[i + age] += number * weight
    return out


@exercise.misconception(WHOLE)
def _whole_numbers_refused(x, kernel):
    out = np.zeros(len(x) + len(kernel) - 1, dtype=x.dtype)
    for age, weight in enumerate(kernel):
        out[age : age + len(x)] += weight * x
    return out


@exercise.misconception(
    """The result has its full length, but its last places stay 0: the loop over the results ends
    with the signal. Behind its end the kernel still meets its last numbers."""
)
def _tail_stays_zero(x, kernel):
    out = _full(x, kernel)
    out[len(x) :] = 0
    return out


def _inside(x, kernel, count):
    """The results of as many windows as stated, from the start of the signal."""
    out = np.zeros(count)
    for i in range(count):
        out[i] = np.dot(x[i : i + len(kernel)], kernel[::-1])
    return out
