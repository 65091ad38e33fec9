"""Known wrong ways to send a gradient back through windows, for the largest number and for the mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cnncourse.checking import Exercise

Share = Callable[..., Any]  # what each pixel gets: of a window, (N, C, K_h, K_w), and its gradient, (N, C)


def largest(window: Any, grad: Any) -> Any:
    """Give all of a window's gradient to its first largest number."""
    flat = window.reshape(*window.shape[:2], -1)
    mask = np.arange(flat.shape[2]) == flat.argmax(axis=2)[..., None]
    return grad[..., None, None] * mask.reshape(window.shape)


def even(window: Any, grad: Any) -> Any:
    """Give every number of a window the same share of its gradient."""
    return np.ones(window.shape) * grad[..., None, None] / window[0, 0].size


def walk(
    share: Share,
    grad_out: Any,
    x: Any,
    kernel_size: Any,
    stride: int,
    padding: int = 0,
    frame: float = -np.inf,
    step: int | None = None,
    read_step: int | None = None,
    add: bool = True,
) -> Any:
    """Walk over the windows and return the gradient of the padded input."""
    (k_h, k_w), step, read_step = kernel_size, step or stride, read_step or stride
    sides = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    padded = np.pad(1.0 * x, sides, constant_values=frame)
    grad_padded = np.zeros(padded.shape)
    for i, j in np.ndindex(grad_out.shape[2:]):
        window = padded[:, :, i * read_step : i * read_step + k_h, j * read_step : j * read_step + k_w]
        there = (..., slice(i * step, i * step + k_h), slice(j * step, j * step + k_w))
        grad_padded[there] = add * grad_padded[there] + share(window, grad_out[:, :, i, j])
    return grad_padded


def cut(grad_padded: Any, x: Any, padding: int) -> Any:
    """Take the frame off."""
    return grad_padded[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]]


def add_wrong_windows(exercise: Exercise, share: Share, frame: float) -> None:
    """Register where a gradient goes to the wrong window, or does not add up."""
    _add_wrong_frames(exercise, share, frame)

    @exercise.misconception(
        """Where windows overlap, the last one overwrites what the others sent to a pixel. What arrives at
        one pixel adds up: `+=`, not `=`."""
    )
    def _overlap_overwritten(grad_out, x, kernel_size, stride, padding=0):
        return cut(walk(share, grad_out, x, kernel_size, stride, padding, frame, add=False), x, padding)

    @exercise.misconception(
        """The stride is missing: the gradient of the window in row `i`, column `j` goes to the pixels
        from row `i` and column `j` on. That window starts at row `i * stride`."""
    )
    def _no_stride(grad_out, x, kernel_size, stride, padding=0):
        return cut(
            walk(share, grad_out, x, kernel_size, stride, padding, frame, step=1, read_step=1), x, padding
        )

    @exercise.misconception(
        """The windows are taken to move by their own height, whatever `stride` is. They move by `stride`
        pixels, and may overlap or leave gaps."""
    )
    def _kernel_size_for_stride(grad_out, x, kernel_size, stride, padding=0):
        big = np.pad(1.0 * x, ((0, 0), (0, 0), (0, 60), (0, 60)), constant_values=frame)
        return cut(walk(share, grad_out, big, kernel_size, kernel_size[0], padding, frame), x, padding)

    @exercise.misconception(
        """Only the first image of the batch gets a gradient; the first axis of `x` counts images, and
        each has one of its own."""
    )
    def _first_image_only(grad_out, x, kernel_size, stride, padding=0):
        out = cut(walk(share, grad_out, x, kernel_size, stride, padding, frame), x, padding)
        out[1:] = 0
        return out

    @exercise.misconception(
        """Only the first channel gets a gradient. Every channel was pooled for itself, and each has one
        of its own."""
    )
    def _first_channel_only(grad_out, x, kernel_size, stride, padding=0):
        out = cut(walk(share, grad_out, x, kernel_size, stride, padding, frame), x, padding)
        out[:, 1:] = 0
        return out

    @exercise.misconception(
        """The gradient is divided by the number of images. A mean over the batch is a matter of the loss,
        and is in `grad_out` already."""
    )
    def _averaged_over_the_batch(grad_out, x, kernel_size, stride, padding=0):
        return cut(walk(share, grad_out, x, kernel_size, stride, padding, frame), x, padding) / len(x)


def _add_wrong_frames(exercise: Exercise, share: Share, frame: float) -> None:
    @exercise.misconception(
        """With padding 0 the slice `[p:-p]` is `[0:0]`, and nothing of the gradient is left. Count the
        end from the start: the image ends at row `padding + H`."""
    )
    def _empty_slice(grad_out, x, kernel_size, stride, padding=0):
        grad_padded = walk(share, grad_out, x, kernel_size, stride, padding, frame)
        return grad_padded[:, :, padding:-padding, padding:-padding]

    @exercise.misconception(
        """The result still has its frame. Only the gradients of the image's own pixels are asked for:
        take the frame off."""
    )
    def _frame_left_on(grad_out, x, kernel_size, stride, padding=0):
        return walk(share, grad_out, x, kernel_size, stride, padding, frame)

    @exercise.misconception(
        """The frame is cut off below and to the right only, so that the gradient is shifted. Pixel `[i,
        j]` of the image lies at `[i + padding, j + padding]` of the padded one."""
    )
    def _cut_from_the_corner(grad_out, x, kernel_size, stride, padding=0):
        grad_padded = walk(share, grad_out, x, kernel_size, stride, padding, frame)
        return grad_padded[:, :, : x.shape[2], : x.shape[3]]
