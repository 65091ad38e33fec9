"""Known wrong answers that a convolution has in two dimensions as in three."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cnncourse.checking import Exercise

Layer = Callable[..., Any]


def framed(x: Any, padding: int) -> Any:
    """Return images or volumes with a frame of zeros."""
    return np.pad(x, ((0, 0), (0, 0), *((padding, padding),) * (x.ndim - 2)))


def cropped(x: Any, size: Any) -> Any:
    """Return the first rows and columns of the maps."""
    return x[(slice(None), slice(None), *(slice(0, max(n, 0)) for n in size))]


def add_mistakes(exercise: Exercise, right: Layer) -> None:
    """Register what goes wrong with sums, channels, stride and padding; `right` is the library's layer."""
    _add_wrong_sums(exercise, right)
    _add_wrong_channels(exercise, right)
    _add_wrong_strides(exercise, right)
    _add_wrong_frames(exercise, right)


def _add_wrong_sums(exercise: Exercise, right: Layer) -> None:
    @exercise.misconception(
        """The kernel is flipped before it is applied. A convolutional layer multiplies window and kernel
        as they lie."""
    )
    def _kernel_flipped(x, weight, bias, stride=1, padding=0, **more):
        return right(x, np.flip(weight, tuple(range(2, weight.ndim))), bias, stride, padding, **more)

    @exercise.misconception("The bias is missing: every unit of an output channel is off by the same amount.")
    def _bias_forgotten(x, weight, bias, stride=1, padding=0, **more):
        return right(x, weight, None, stride, padding, **more)

    @exercise.misconception(
        "The bias is added once for every product. It belongs outside the sum: once for each unit."
    )
    def _bias_added_per_term(x, weight, bias, stride=1, padding=0, **more):
        return right(x, weight, bias * weight[0].size, stride, padding, **more)

    @exercise.misconception(
        "Every unit gets the first kernel's bias. Output channel `c` has its own: `bias[c]`."
    )
    def _first_bias_for_all(x, weight, bias, stride=1, padding=0, **more):
        return right(x, weight, np.full_like(bias, bias[0]), stride, padding, **more)

    @exercise.misconception(
        "The products are averaged. A convolution adds them up and does not divide by their number."
    )
    def _mean_for_sum(x, weight, bias, stride=1, padding=0, **more):
        return right(x, weight / weight[0].size, bias, stride, padding, **more)


def _add_wrong_channels(exercise: Exercise, right: Layer) -> None:
    @exercise.misconception(
        """Only the first image of the batch is worked on, and all get its result. The first axis of `x`
        counts images."""
    )
    def _first_image_for_all(x, weight, bias, stride=1, padding=0, **more):
        return np.repeat(right(x[:1], weight, bias, stride, padding, **more), len(x), axis=0)

    @exercise.misconception(
        """Only the first image of the batch is worked on; the results of the others stay 0. Look where the
        loop over the images ends, and how far the `return` is indented."""
    )
    def _other_images_stay_zero(x, weight, bias, stride=1, padding=0, **more):
        out = right(x, weight, bias, stride, padding, **more)
        out[1:] = 0
        return out

    @exercise.misconception(
        """Of the channels that a kernel covers, only the first counts. The products of all of them go
        into one sum."""
    )
    def _first_channel_only(x, weight, bias, stride=1, padding=0, **more):
        weight = weight.copy()
        weight[:, 1:] = 0
        return right(x, weight, bias, stride, padding, **more)

    @exercise.misconception(
        """The last two axes of the result have changed places: `H_out` comes from `H` and `K_h`, `W_out`
        from `W` and `K_w`."""
    )
    def _rows_and_columns_swapped(x, weight, bias, stride=1, padding=0, **more):
        return right(x, weight, bias, stride, padding, **more).swapaxes(-1, -2)


def _add_wrong_strides(exercise: Exercise, right: Layer) -> None:
    @exercise.misconception(
        """The result does not change when `stride` changes: the windows move by one place each time.
        Output row `i` looks at the window that starts at row `i * stride`."""
    )
    def _stride_ignored(x, weight, bias, stride=1, padding=0, **more):
        return right(x, weight, bias, 1, padding, **more)

    @exercise.misconception(
        """The size of the result takes `stride` into account, the windows do not: output row `i` looks
        at row `i`. Its window starts at row `i * stride`."""
    )
    def _stride_only_in_the_size(x, weight, bias, stride=1, padding=0, **more):
        size = right(x, weight, bias, stride, padding, **more).shape[2:]
        return cropped(right(x, weight, bias, 1, padding, **more), size)

    @exercise.misconception(
        """The windows move by the size of the kernel, so that they never overlap. They move by `stride`
        places."""
    )
    def _kernel_size_for_stride(x, weight, bias, stride=1, padding=0, **more):
        return right(x, weight, bias, weight.shape[2:], padding, **more)

    @exercise.misconception(
        """The result is one too short along every axis: between the first and the last start of a window
        there are so many steps, and one window more than steps."""
    )
    def _plus_one_forgotten(x, weight, bias, stride=1, padding=0, **more):
        out = right(x, weight, bias, stride, padding, **more)
        return cropped(out, [n - 1 for n in out.shape[2:]])


def _add_wrong_frames(exercise: Exercise, right: Layer) -> None:
    @exercise.misconception(
        """The result does not change when `padding` changes. The windows slide over the input with its
        frame of zeros."""
    )
    def _padding_ignored(x, weight, bias, stride=1, padding=0, **more):
        return right(x, weight, bias, stride, 0, **more)

    @exercise.misconception(
        "Zeros stand only at the beginning of each axis. `padding` puts them at both ends."
    )
    def _padded_before_only(x, weight, bias, stride=1, padding=0, **more):
        x = np.pad(x, ((0, 0), (0, 0), *((padding, 0),) * (x.ndim - 2)))
        return right(x, weight, bias, stride, 0, **more)

    @exercise.misconception(
        """The frame is there, but the result has the size that it has without the frame: with padding p
        the windows slide over H + 2p rows."""
    )
    def _size_without_the_frame(x, weight, bias, stride=1, padding=0, **more):
        size = right(x, weight, bias, stride, 0, **more).shape[2:]
        return cropped(right(x, weight, bias, stride, padding, **more), size)

    @exercise.misconception(
        """The last units stay 0: the loops stop at the size of the input without its frame. With padding p
        there are H + 2p rows to slide over."""
    )
    def _loops_end_at_the_unpadded_size(x, weight, bias, stride=1, padding=0, **more):
        out = right(x, weight, bias, stride, padding, **more)
        size = right(x, weight, bias, stride, 0, **more).shape[2:]
        kept = np.zeros_like(out)
        corner = (slice(None), slice(None), *(slice(0, n) for n in size))
        kept[corner] = out[corner]
        return kept
