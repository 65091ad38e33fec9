"""Exercise: how many windows fit along a signal."""

from collections.abc import Iterator

import numpy as np

from cnncourse import shapes
from cnncourse.checking import Case, Exercise


def conv_output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    """Count the windows that fit along a signal.

    Parameters
    ----------
    size : int
        Numbers in the signal.
    kernel_size : int
        Weights of the kernel.
    stride : int
        Steps from one window to the next.
    padding : int
        Zeros on each side of the signal.
    dilation : int
        Distance between neighbouring weights; 1 leaves no gap.

    Returns
    -------
    int
    """
    covered = dilation * (kernel_size - 1) + 1
    last_start = size + 2 * padding - covered
    return last_start // stride + 1


SETTINGS = (
    ("five numbers, kernel 3", (5, 3), "no padding"),
    ("one window fits exactly", (4, 4), "no padding"),
    ("an even kernel", (9, 2), "no padding"),
    ("a kernel of one number", (6, 1), "no padding"),
    ("stride 2 that does not divide", (6, 3, 2), "stride"),
    ("stride 2 that divides", (7, 3, 2), "stride"),
    ("stride 3 that does not divide", (12, 4, 3), "stride"),
    ("a stride longer than the kernel", (13, 2, 5), "stride"),
    ("padding 1", (5, 3, 1, 1), "padding"),
    ("padding 2, stride 2", (7, 4, 2, 2), "padding"),
    ("padding 1, stride 3", (9, 3, 3, 1), "padding"),
    ("padding 3, stride 4", (224, 11, 4, 3), "padding"),
    ("dilation 2", (9, 3, 1, 0, 2), "dilation"),
    ("dilation 3, padding 1, stride 2", (15, 4, 2, 1, 3), "dilation"),
    ("dilation 2, padding 2, stride 3", (16, 3, 3, 2, 2), "dilation"),
)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Fixed settings and two drawn for each group; strides that divide and strides that do not."""
    names = ("size", "kernel_size", "stride", "padding", "dilation")
    for why, values, group in SETTINGS:
        yield Case(why, dict(zip(names, values, strict=False)), group)
    for group, given in (("no padding", 2), ("stride", 3), ("padding", 4), ("dilation", 5)):
        ranges = ((30, 60), (3, 8), (2, 5), (1, 4), (2, 5))[:given]
        drawn = [int(rng.integers(low, high)) for low, high in ranges]
        yield Case(f"drawn at random ({group})", dict(zip(names, drawn, strict=False)), group)


exercise = Exercise(
    solution=conv_output_size,
    reference=shapes.conv_output_size,
    cases=cases,
    points=2,
    prompt="""\
Before you slide a kernel you have to know how many answers there will be: the array for them is made first.
Formulas for this number circulate in half a dozen versions, and several are wrong. This one you count.

**By hand.** Six numbers, a kernel of 3, stride 2. A window may start at 0 and at 2. From 4 on it would need
number 6, which is not there. So there are 2 windows, and number 5 is never read:

```
numbers    0 1 2 3 4 5
window 1   ^ ^ ^
window 2       ^ ^ ^
```

With one zero on each side there are eight places, and windows start at 0, 2 and 4: 3 windows. With dilation 2
and no padding the weights stand two apart, `^ . ^ . ^`, so a kernel of 3 covers 5 places: with stride 1 that
makes 2 windows.

**Contract.** Return an **int**: the number of windows that fit whole into the signal with its zeros. The
arguments are whole numbers, and at least one window always fits.
""",
    hints=(
        "Write down where the windows of the example start. Which is the last start that is allowed, "
        "and what does it depend on?",
        "First find how many places one kernel covers: between its weights there are one fewer gaps "
        "than weights. Then find the last start that still leaves room for that much.",
        "The starts are 0, `stride`, twice `stride` and so on, up to the last one allowed. Count the "
        "steps that fit, as a whole number; there is one more start than steps.",
    ),
    remark="Where the stride does not divide, the last numbers of the signal are never read.",
)


def _room(size, kernel_size, padding=0, dilation=1):
    """The last start that is allowed."""
    return size + 2 * padding - dilation * (kernel_size - 1) - 1


@exercise.misconception(
    """The division is rounded up. A window that fits only in part is left out, so the number of
    steps is rounded down."""
)
def _ceil_for_floor(size, kernel_size, stride=1, padding=0, dilation=1):
    return -(-_room(size, kernel_size, padding, dilation) // stride) + 1


@exercise.misconception(
    """The result is one too small: this is the number of steps from the first window to the last.
    There is one more window than steps."""
)
def _plus_one_forgotten(size, kernel_size, stride=1, padding=0, dilation=1):
    return _room(size, kernel_size, padding, dilation) // stride


@exercise.misconception(
    """The result is one too large, for every setting: five numbers hold a kernel of three at 3
    places. Of the two formulas in use, one rounds up and adds nothing, the other rounds down and
    adds 1; here the two are mixed."""
)
def _extra_one(size, kernel_size, stride=1, padding=0, dilation=1):
    return _room(size, kernel_size, padding, dilation) // stride + 2


@exercise.misconception(
    """The result agrees with the count only where the stride does not divide. A window that ends
    exactly where the signal ends is not counted: it fits."""
)
def _ceil_without_one(size, kernel_size, stride=1, padding=0, dilation=1):
    return -(-_room(size, kernel_size, padding, dilation) // stride)


@exercise.misconception(
    """The 1 is added before the division by the stride. The division counts the steps; there is one
    more window than steps, whatever the stride."""
)
def _one_added_before_dividing(size, kernel_size, stride=1, padding=0, dilation=1):
    return (_room(size, kernel_size, padding, dilation) + 1) // stride


@exercise.misconception(
    """Only the kernel is divided by the stride: `/` and `//` bind more tightly than `-`. All of the
    room for the windows has to be divided."""
)
def _precedence(size, kernel_size, stride=1, padding=0, dilation=1):
    return size + 2 * padding - (dilation * (kernel_size - 1) + 1) // stride + 1


@exercise.misconception(
    """The 1 is added to the stride instead of to the result: the division comes last. With stride 1
    that halves the count."""
)
def _one_added_to_the_stride(size, kernel_size, stride=1, padding=0, dilation=1):
    return _room(size, kernel_size, padding, dilation) // (stride + 1)


@exercise.misconception(
    """The result does not change when `stride` changes: it counts the windows of stride 1."""
)
def _stride_ignored(size, kernel_size, stride=1, padding=0, dilation=1):
    return _room(size, kernel_size, padding, dilation) + 1


@exercise.misconception(
    """The result does not change when `padding` changes. The zeros belong to what the kernel slides
    over."""
)
def _padding_ignored(size, kernel_size, stride=1, padding=0, dilation=1):
    return _room(size, kernel_size, 0, dilation) // stride + 1


@exercise.misconception(
    """`padding` is counted once. It stands on both sides of the signal, so there are twice as many
    zeros."""
)
def _padding_on_one_side(size, kernel_size, stride=1, padding=0, dilation=1):
    return (_room(size, kernel_size, 0, dilation) + padding) // stride + 1


@exercise.misconception(
    """The result does not change when `dilation` changes. With gaps between its weights the same
    kernel covers more places."""
)
def _dilation_ignored(size, kernel_size, stride=1, padding=0, dilation=1):
    return _room(size, kernel_size, padding) // stride + 1


@exercise.misconception(
    """The kernel is taken to cover `dilation` times its size. Behind its last weight there is no
    gap: draw a kernel of 3 with dilation 2 and count."""
)
def _gap_behind_the_last_weight(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * kernel_size) // stride + 1


@exercise.misconception(
    """`dilation` is read as the number of places left out between two weights. It is the distance
    from one weight to the next: 1 leaves nothing out."""
)
def _dilation_as_number_of_gaps(size, kernel_size, stride=1, padding=0, dilation=1):
    return _room(size, kernel_size, padding, dilation + 1) // stride + 1


@exercise.misconception(
    """What a dilated kernel covers is one place too short. From its first weight to its last it
    makes `kernel_size - 1` steps, and it covers one place more than that."""
)
def _covers_one_too_few(size, kernel_size, stride=1, padding=0, dilation=1):
    covered = dilation * (kernel_size - 1) + (dilation == 1)
    return (size + 2 * padding - covered) // stride + 1


@exercise.misconception(
    """The result is a fraction where the stride does not divide, and a float even where it does.
    Half a window is none: windows are counted, in an int."""
)
def _float_not_rounded(size, kernel_size, stride=1, padding=0, dilation=1):
    return _room(size, kernel_size, padding, dilation) / stride + 1


@exercise.misconception(
    """The number is right and it is a float, and NumPy does not take a float as the length of an
    array: `np.floor` and a division by `/` give floats even for whole numbers. Return an int."""
)
def _floor_is_a_float(size, kernel_size, stride=1, padding=0, dilation=1):
    return float(_room(size, kernel_size, padding, dilation) // stride + 1)


@exercise.misconception(
    """The number of steps is rounded to the nearest whole number, so that a half can go up. A window
    that fits only in part is always left out."""
)
def _rounded_to_the_nearest(size, kernel_size, stride=1, padding=0, dilation=1):
    return round(_room(size, kernel_size, padding, dilation) / stride) + 1


@exercise.misconception(
    """The result does not depend on `kernel_size`: it counts the starts as if a window could begin
    at every number, the last ones too."""
)
def _every_start(size, kernel_size, stride=1, padding=0, dilation=1):
    return -(-(size + 2 * padding) // stride)


@exercise.misconception(
    """Only the 1 is divided by the stride: `/` and `//` bind more tightly than `-`. All of the room
    for the windows has to be divided."""
)
def _precedence_of_the_last_term(size, kernel_size, stride=1, padding=0, dilation=1):
    return size + 2 * padding - dilation * (kernel_size - 1) - 1 // stride + 1


@exercise.misconception(
    """The number of windows is rounded to the nearest whole number, so that a half can go up. A
    window that fits only in part is always left out."""
)
def _rounded_after_adding(size, kernel_size, stride=1, padding=0, dilation=1):
    return round(_room(size, kernel_size, padding, dilation) / stride + 1)


@exercise.misconception(
    """What a dilated kernel covers grows by one gap only. Every weight after the first stands
    `dilation` places further on: draw a kernel of 4 with dilation 3 and count."""
)
def _one_gap_only(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - kernel_size - (dilation - 1)) // stride + 1


@exercise.misconception(
    """The result does not depend on `kernel_size` or `padding`: it is the length of the signal
    divided by the stride. A longer kernel fits at fewer places."""
)
def _size_over_stride(size, kernel_size, stride=1, padding=0, dilation=1):
    return size // stride


@exercise.misconception(
    """The zeros are added to the result, as if each made room for one window more. They make room
    for steps, and a step is `stride` long."""
)
def _padding_added_to_the_count(size, kernel_size, stride=1, padding=0, dilation=1):
    return _room(size, kernel_size, 0, dilation) // stride + 1 + 2 * padding


@exercise.misconception(
    """The kernel is taken to cover `dilation * kernel_size + 1` places. A bracket is missing: there
    are `kernel_size - 1` gaps, and each of them is `dilation` long."""
)
def _bracket_missing(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * kernel_size - 1) // stride + 1
