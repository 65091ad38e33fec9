"""Cross-correlation along any number of axes, and its gradients: all convolutions are made of it.

Inputs are (N, C_in, *size), weights are (C_out, C_in / groups, *kernel_size). Whole numbers become float64.
"""

from __future__ import annotations

from math import prod

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.blocks import (
    Axes,
    blocks,
    channels_first,
    columns,
    crop,
    floats,
    pixels,
    windows,
    zero_pad,
)
from cnncourse.layers.depthwise import correlate_shifted, grad_weight_shifted
from cnncourse.layers.slide import Slide, check_grad, out_size
from cnncourse.shapes import check_groups


def correlate(x: Array, weight: Array, slide: Slide) -> Array:
    """Cross-correlate.

    Parameters
    ----------
    x : ndarray, shape (N, C_in, *size)
    weight : ndarray, shape (C_out, C_in / groups, *kernel_size)
    slide : Slide

    Returns
    -------
    ndarray, shape (N, C_out, *out)

    Raises
    ------
    ValueError
        If the shapes or the groups do not go together, or the kernel does not fit.

    References
    ----------
    Chellapilla, Puri, Simard 2006, section 2.1; groups: Krizhevsky et al. 2012, section 3.2.

    Examples
    --------
    >>> slide = Slide(stride=(1,), padding=(1,), dilation=(1,))
    >>> correlate(np.arange(4).reshape(1, 1, 4), np.array([[[-1, 0, 1]]]), slide)
    array([[[ 1.,  2.,  2., -2.]]])
    """
    x, weight = floats(x), floats(weight)
    size = out_size(x.shape, weight.shape, slide)
    if _one_kernel_a_channel(weight.shape, slide):
        return correlate_shifted(x, weight, slide, size)
    out = np.empty((len(x), len(weight), *size), np.result_type(x, weight))
    matrix = weight.reshape(
        slide.groups, len(weight) // slide.groups, -1
    )  # (groups, C_out / groups, C_in / groups * K)
    view = windows(zero_pad(x, slide.padding), weight.shape[2:], slide.stride, slide.dilation)
    for images, rows in blocks(len(x), size, x.shape[1] * prod(weight.shape[2:])):
        product = matrix @ columns(view[images, :, rows], slide.groups)  # (groups, C_out / groups, n * L)
        block = out[images, :, rows].swapaxes(0, 1)  # (C_out, n, rows, ...)
        block[...] = product.reshape(block.shape)
    return out


def correlate_grad_x(grad_out: Array, weight: Array, size: Axes, slide: Slide) -> Array:
    """Return the gradient of the input: `grad_out` times the transpose of the convolution's matrix.

    With stride 1 it is a convolution itself: of `grad_out`, padded until all places are met (full), with the
    kernels flipped. With a larger stride there would be zeros between the numbers of `grad_out`; to spare
    multiplying with them, each number is sent back to where its window lay.

    Parameters
    ----------
    grad_out : ndarray, shape (N, C_out, *out)
    weight : ndarray, shape (C_out, C_in / groups, *kernel_size)
    size : tuple of int
        The input's size. Pixels that no window reaches, where the stride does not divide, get zero.
    slide : Slide

    Returns
    -------
    ndarray, shape (N, C_in, *size)
        Where windows overlap, what they send to a pixel adds up.

    Raises
    ------
    ValueError
        If `grad_out` has not the shape of the output.

    Examples
    --------
    >>> slide = Slide(stride=(1,), padding=(0,), dilation=(1,))
    >>> correlate_grad_x(np.array([[[1.0, 10.0]]]), np.array([[[2.0, 3.0]]]), (3,), slide)
    array([[[ 2., 23., 30.]]])
    """
    grad_out, weight = floats(grad_out), floats(weight)
    shape = (len(grad_out), weight.shape[1] * slide.groups, *size)
    check_grad(grad_out.shape, shape, weight.shape, slide)
    reach = tuple(d * (k - 1) for k, d in zip(weight.shape[2:], slide.dilation, strict=True))
    frame = tuple(r - p for r, p in zip(reach, slide.padding, strict=True))
    if max(slide.stride) == 1 and min(frame) >= 0:  # twice as fast
        return correlate(grad_out, _turned(weight, slide.groups), slide._replace(padding=frame))
    return _scatter(grad_out, weight, shape, slide)


def correlate_grad_weight(grad_out: Array, x: Array, kernel_size: Axes, slide: Slide) -> Array:
    """Return the gradient of the weight: the windows of `x`, weighted by `grad_out` and added up.

    Parameters
    ----------
    grad_out : ndarray, shape (N, C_out, *out)
    x : ndarray, shape (N, C_in, *size)
    kernel_size : tuple of int
    slide : Slide

    Returns
    -------
    ndarray, shape (C_out, C_in / groups, *kernel_size)

    Raises
    ------
    ValueError
        If `grad_out` has not the shape of the output.

    Examples
    --------
    >>> slide = Slide(stride=(1,), padding=(0,), dilation=(1,))
    >>> correlate_grad_weight(np.array([[[1.0, 10.0]]]), np.array([[[2.0, 3.0, 4.0]]]), (2,), slide)
    array([[[32., 43.]]])
    """
    grad_out, x = floats(grad_out), floats(x)
    check_groups(x.shape[1], grad_out.shape[1], slide.groups)
    shape = (grad_out.shape[1], x.shape[1] // slide.groups, *kernel_size)
    check_grad(grad_out.shape, x.shape, shape, slide)
    if _one_kernel_a_channel(shape, slide):
        return grad_weight_shifted(grad_out, x, kernel_size, slide)
    matrix = np.zeros((slide.groups, shape[0] // slide.groups, prod(shape[1:])), np.result_type(grad_out, x))
    view = windows(zero_pad(x, slide.padding), kernel_size, slide.stride, slide.dilation)
    for images, rows in blocks(len(x), grad_out.shape[2:], x.shape[1] * prod(kernel_size)):
        parts = columns(view[images, :, rows], slide.groups)  # (groups, C_in / groups * K, n * L)
        matrix += channels_first(grad_out[images, :, rows], slide.groups) @ parts.swapaxes(1, 2)
    return matrix.reshape(shape)


def _one_kernel_a_channel(weight_shape: Axes, slide: Slide) -> bool:
    return weight_shape[:2] == (slide.groups, 1) and max(slide.stride) == 1


def _turned(weight: Array, groups: int) -> Array:
    """Return the weight with its kernels flipped, and outputs and inputs exchanged within each group."""
    C_out, C_in, *kernel_size = weight.shape
    parts = weight.reshape(groups, C_out // groups, C_in, *kernel_size).swapaxes(1, 2)
    turned = parts.reshape(groups * C_in, C_out // groups, *kernel_size)
    return np.flip(turned, tuple(range(2, turned.ndim)))


def _scatter(grad_out: Array, weight: Array, shape: Axes, slide: Slide) -> Array:
    """Return the gradient of an input of this shape: windows' gradients, each added where the window lay."""
    padded_size = (n + 2 * p for n, p in zip(shape[2:], slide.padding, strict=True))
    padded = np.zeros((*shape[:2], *padded_size), np.result_type(grad_out, weight))
    matrix = weight.reshape(slide.groups, len(weight) // slide.groups, -1).swapaxes(1, 2)
    for images, rows in blocks(len(grad_out), grad_out.shape[2:], shape[1] * prod(weight.shape[2:])):
        block = grad_out[images, :, rows]  # (n, C_out, rows, ...)
        product = matrix @ channels_first(block, slide.groups)  # (groups, C_in / groups * K, n * L)
        parts = product.reshape(shape[1], *weight.shape[2:], len(block), *block.shape[2:])
        for place in np.ndindex(weight.shape[2:]):
            there = pixels(place, rows.start, block.shape[2:], slide.stride, slide.dilation)
            padded[(images, slice(None), *there)] += parts[(slice(None), *place)].swapaxes(0, 1)
    return crop(padded, slide.padding)
