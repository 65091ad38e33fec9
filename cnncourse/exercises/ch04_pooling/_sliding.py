"""Known wrong ways to slide a pooling window, the same for the largest number and for the mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cnncourse.checking import Exercise
from cnncourse.layers import conv


def slide(x: Any, kernel_size: Any, stride: int, padding: int, one: Callable[..., Any], frame: float) -> Any:
    """Cut out every window, its frame filled with one number, and let `one` make a number of it."""
    sizes = [(n + 2 * padding - k) // stride + 1 for n, k in zip(x.shape[2:], kernel_size, strict=True)]
    return _slide_to(x, kernel_size, stride, padding, one, frame, sizes)


def _slide_to(x, kernel_size, stride, padding, one, frame, size, step=None):
    """Fill a result of any size; windows that reach too far are cut off."""
    padded, (k_h, k_w) = framed(x, padding, frame), kernel_size
    s_h, s_w = step or (stride, stride)
    out = np.zeros((*x.shape[:2], *size))
    for i, j in np.ndindex(*size):
        top, left = i * s_h, j * s_w
        out[:, :, i, j] = one(padded[:, :, top : top + k_h, left : left + k_w], axis=(2, 3))
    return out


def framed(x: Any, padding: int, frame: float) -> Any:
    """Return the maps as floats with a frame of one number."""
    sides = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return np.pad(x.astype(float), sides, constant_values=frame)


def add_wrong_windows(exercise: Exercise, pool: Callable[..., Any], one: Callable[..., Any]) -> None:
    """Register where windows start and end wrongly; `pool` is the right answer, `one` its number."""
    frame = -np.inf if one is np.max else 0.0
    _add_wrong_strides(exercise, pool, one, frame)
    _add_wrong_sizes(exercise, pool, one, frame)
    _add_wrong_axes(exercise, pool, one, frame)


def _add_wrong_strides(
    exercise: Exercise, pool: Callable[..., Any], one: Callable[..., Any], frame: float
) -> None:
    @exercise.misconception(
        """The windows move by their own size, so that they never overlap. They move by `stride` pixels,
        whatever their size."""
    )
    def _kernel_size_for_stride(x, kernel_size, stride, padding=0):
        return pool(x, kernel_size, kernel_size, padding)

    @exercise.misconception(
        """The size of the result is right, but window `i` starts at `i * K_h`. It starts at `i * stride`,
        whatever its size."""
    )
    def _window_starts_at_multiples_of_its_size(x, kernel_size, stride, padding=0):
        sizes = pool(x, kernel_size, stride, padding).shape[2:]
        return _slide_to(x, kernel_size, stride, padding, one, frame, sizes, step=kernel_size)

    @exercise.misconception(
        """The result does not change when `stride` changes: the windows move by one pixel each time.
        Output row `i` looks at the window that starts at row `i * stride`."""
    )
    def _stride_ignored(x, kernel_size, stride, padding=0):
        return pool(x, kernel_size, 1, padding)

    @exercise.misconception(
        """The size of the result takes `stride` into account, the windows do not: output row `i` looks
        at row `i`. Its window starts at row `i * stride`."""
    )
    def _stride_only_in_the_size(x, kernel_size, stride, padding=0):
        out = pool(x, kernel_size, stride, padding)
        return pool(x, kernel_size, 1, padding)[:, :, : out.shape[2], : out.shape[3]]

    @exercise.misconception(
        """A window starts at `i * stride` but ends at `i + K_h`, so with a stride it is too small or
        empty. It ends `K_h` rows after its own start."""
    )
    def _window_end_without_stride(x, kernel_size, stride, padding=0):
        out, (k_h, k_w) = pool(x, kernel_size, stride, padding), kernel_size
        x = framed(x, padding, frame)
        for i, j in np.ndindex(out.shape[2:]):
            out[:, :, i, j] = one(x[:, :, i * stride : i + k_h, j * stride : j + k_w], axis=(2, 3))
        return out

    @exercise.misconception(
        """The stride moves the windows down but not to the right: column `j` of the result looks at
        column `j`. Its window starts at column `j * stride`."""
    )
    def _stride_for_rows_only(x, kernel_size, stride, padding=0):
        w_out = pool(x, kernel_size, stride, padding).shape[3]
        return pool(x, kernel_size, (stride, 1), padding)[:, :, :, :w_out]


def _add_wrong_sizes(
    exercise: Exercise, pool: Callable[..., Any], one: Callable[..., Any], frame: float
) -> None:
    @exercise.misconception(
        """The result has one row and one column too few: between the first and the last start of a
        window there are `(H + 2p - K_h) // stride` steps, and so one window more than steps."""
    )
    def _plus_one_forgotten(x, kernel_size, stride, padding=0):
        return pool(x, kernel_size, stride, padding)[:, :, :-1, :-1]

    @exercise.misconception(
        """The 1 is added before the division by the stride. `(H + 2p - K_h) // stride` counts the
        steps; there is one window more than steps, whatever the stride."""
    )
    def _one_added_before_dividing(x, kernel_size, stride, padding=0):
        sizes = ((n + 2 * padding - k + 1) // stride for n, k in zip(x.shape[2:], kernel_size, strict=True))
        h_out, w_out = sizes
        return pool(x, kernel_size, stride, padding)[:, :, :h_out, :w_out]

    @exercise.misconception(
        """The sizes are rounded up where the stride does not divide, and the last windows hang over the
        edge. A window that does not fit whole is left out: `//` rounds down."""
    )
    def _rounded_up(x, kernel_size, stride, padding=0):
        sizes = [
            -(-(n + 2 * padding - k) // stride) + 1 for n, k in zip(x.shape[2:], kernel_size, strict=True)
        ]
        return _slide_to(x, kernel_size, stride, padding, one, frame, sizes)

    @exercise.misconception(
        """The result is as large as `H // stride` by `W // stride`. That is the number of windows only
        where they are as large as the stride and nothing is padded: count the starts."""
    )
    def _size_over_stride(x, kernel_size, stride, padding=0):
        sizes = [n // stride for n in x.shape[2:]]
        return _slide_to(x, kernel_size, stride, padding, one, frame, sizes)

    @exercise.misconception(
        """The result does not change when `padding` changes. The windows slide over the maps with their
        frame."""
    )
    def _padding_ignored(x, kernel_size, stride, padding=0):
        return pool(x, kernel_size, stride)

    @exercise.misconception(
        """The frame stands only above and left of the maps. `padding` puts it on all four sides."""
    )
    def _padded_before_only(x, kernel_size, stride, padding=0):
        sides = ((0, 0), (0, 0), (padding, 0), (padding, 0))
        return pool(np.pad(x.astype(float), sides, constant_values=frame), kernel_size, stride)

    @exercise.misconception(
        """The frame is there, but the result has the size that it has without the frame: with padding p
        the windows slide over H + 2p rows."""
    )
    def _size_without_the_frame(x, kernel_size, stride, padding=0):
        h_out, w_out = ((n - k) // stride + 1 for n, k in zip(x.shape[2:], kernel_size, strict=True))
        return pool(x, kernel_size, stride, padding)[:, :, :h_out, :w_out]

    @exercise.misconception(
        """The loops stop at the size of the maps without their frame: with padding p there are H + 2p
        rows to slide over, so the last rows and columns of the result stay 0."""
    )
    def _loops_end_at_the_unpadded_size(x, kernel_size, stride, padding=0):
        out = pool(x, kernel_size, stride, padding)
        h_out, w_out = ((n - k) // stride + 1 for n, k in zip(x.shape[2:], kernel_size, strict=True))
        out[:, :, h_out:], out[:, :, :, w_out:] = 0, 0
        return out

    @exercise.misconception(
        """With padding 0 the slice `[p:-p]` is `[0:0]`, which has room for nothing: the maps do not fit
        in. Count the end from the start."""
    )
    def _empty_slice(x, kernel_size, stride, padding=0):
        N, C, H, W = x.shape
        padded = np.full((N, C, H + 2 * padding, W + 2 * padding), frame)
        padded[:, :, padding:-padding, padding:-padding] = x
        return pool(padded, kernel_size, stride)

    @exercise.misconception(
        """The last row and the last column of the result stay 0: the loops end one step too early.
        `range(n)` already stops before `n`."""
    )
    def _loops_end_one_early(x, kernel_size, stride, padding=0):
        out = pool(x, kernel_size, stride, padding)
        out[:, :, -1], out[:, :, :, -1] = 0, 0
        return out


def _add_wrong_axes(
    exercise: Exercise, pool: Callable[..., Any], one: Callable[..., Any], frame: float
) -> None:
    @exercise.misconception(
        """The window's height is used for its width as well: `kernel_size` is a pair, `(K_h, K_w)`."""
    )
    def _height_for_width(x, kernel_size, stride, padding=0):
        return pool(x, kernel_size[0], stride, padding)

    @exercise.misconception(
        """The size of the result is right, but the windows are cut out `K_h` columns wide. They have K_h
        rows and K_w columns."""
    )
    def _windows_cut_out_square(x, kernel_size, stride, padding=0):
        sizes = pool(x, kernel_size, stride, padding).shape[2:]
        return _slide_to(x, kernel_size[:1] * 2, stride, padding, one, frame, sizes)

    @exercise.misconception(
        """The window's width is used for its height as well: `kernel_size` is a pair, `(K_h, K_w)`."""
    )
    def _width_for_height(x, kernel_size, stride, padding=0):
        return pool(x, kernel_size[1], stride, padding)

    @exercise.misconception(
        """The two numbers of `kernel_size` are exchanged: rows come first, `(K_h, K_w)`."""
    )
    def _kernel_size_swapped(x, kernel_size, stride, padding=0):
        return pool(x, kernel_size[::-1], stride, padding)

    @exercise.misconception(
        """The result changes places: its rows are where its columns should be. `H_out` comes from `H`
        and `K_h`, `W_out` from `W` and `K_w`."""
    )
    def _rows_and_columns_swapped(x, kernel_size, stride, padding=0):
        return pool(x, kernel_size, stride, padding).transpose(0, 1, 3, 2)

    @exercise.misconception(
        """All channels of a window become one number, and every channel gets it. Pooling keeps channels
        apart: each map is pooled for itself."""
    )
    def _over_the_channels(x, kernel_size, stride, padding=0):
        def together(window, axis):
            return one(window, axis=(1, 2, 3))[:, None]

        return slide(x, kernel_size, stride, padding, together, frame)

    @exercise.misconception(
        """The channels are gone: all channels of a window become one number. Pooling keeps them apart,
        and the result has as many channels as `x`."""
    )
    def _one_channel_left(x, kernel_size, stride, padding=0):
        return _over_the_channels(x, kernel_size, stride, padding)[:, :1]

    @exercise.misconception(
        """The windows of all images and channels become one number together. Each map of each image is
        pooled for itself: only the last two axes of a window go."""
    )
    def _over_the_batch(x, kernel_size, stride, padding=0):
        def together(window, axis):
            return one(window)

        return slide(x, kernel_size, stride, padding, together, frame)

    @exercise.misconception(
        """Only the first image of the batch is worked on; the results of the others stay 0. Look where
        the loop over the images ends, and how far the `return` is indented."""
    )
    def _other_images_stay_zero(x, kernel_size, stride, padding=0):
        out = pool(x, kernel_size, stride, padding)
        out[1:] = 0
        return out

    @exercise.misconception(
        """Only the first channel is pooled; the others stay 0. The second axis of `x` counts channels,
        and each gets its own result."""
    )
    def _other_channels_stay_zero(x, kernel_size, stride, padding=0):
        out = pool(x, kernel_size, stride, padding)
        out[:, 1:] = 0
        return out

    @exercise.misconception(
        """The windows are added up. Pooling makes one number of a window without adding: see the
        example."""
        if one is np.max
        else """The numbers of a window are added up, but not divided by how many they are: K_h * K_w."""
    )
    def _sum(x, kernel_size, stride, padding=0):
        return conv.windows2d(conv.pad2d(x, padding), kernel_size, stride).sum(axis=(4, 5)) + 0.0
