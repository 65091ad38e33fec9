"""How a kernel moves, what must go together for it, and the bias that follows it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.blocks import Axes, floats
from cnncourse.shapes import check_groups, conv_output_size


class Slide(NamedTuple):
    """How a kernel moves: one number an axis, in pixels; and how many parts the channels are divided into."""

    stride: Axes
    padding: Axes
    dilation: Axes
    groups: int = 1


def add_bias(out: Array, bias: Array | None) -> Array:
    """Return `out` with one number added to each of its channels; `out` itself if there is no bias.

    Raises
    ------
    ValueError
        If there are not as many numbers as channels.
    """
    if bias is None:
        return out
    if bias.shape != (out.shape[1],):
        raise ValueError(
            f"bias has shape {bias.shape}; {out.shape[1]} output channels need ({out.shape[1]},)"
        )
    column = floats(bias).reshape(-1, *(1,) * (out.ndim - 2))  # (C_out, 1, ...)
    return np.add(out, column, out=out if np.result_type(out, column) == out.dtype else None)


def sum_bias(grad_out: Array) -> Array:
    """Return the gradient of a bias: everything that was added to its channel, (C_out,)."""
    total: Array = floats(grad_out).sum(axis=(0, *range(2, grad_out.ndim)))
    return total


def out_size(x_shape: Axes, weight_shape: Axes, slide: Slide) -> Axes:
    """Return the size of the output, after checking that shapes and groups go together."""
    axes = len(slide.stride) + 2
    if len(x_shape) != axes or len(weight_shape) != axes:
        raise ValueError(f"x has shape {x_shape} and weight {weight_shape}; both need {axes} axes")
    check_groups(x_shape[1], weight_shape[0], slide.groups)
    if weight_shape[1] * slide.groups != x_shape[1]:
        channels, of_groups = weight_shape[1] * slide.groups, f", groups={slide.groups}" * (slide.groups > 1)
        raise ValueError(
            f"weight is for {channels} input channels (shape {weight_shape}{of_groups}), "
            f"x has {x_shape[1]} ({x_shape})"
        )
    along = zip(x_shape[2:], weight_shape[2:], *slide[:3], strict=True)
    return tuple(conv_output_size(*axis) for axis in along)


def check_grad(grad_shape: Axes, x_shape: Axes, weight_shape: Axes, slide: Slide) -> None:
    expected = (x_shape[0], weight_shape[0], *out_size(x_shape, weight_shape, slide))
    if grad_shape != expected:
        raise ValueError(f"grad_out has shape {grad_shape}; the output of this convolution has {expected}")
