"""Backward through a convolution or a max pooling: where the gradient of each output flows."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
import traitlets

from cnncourse.arrays import Array
from cnncourse.layers.conv import conv2d, conv2d_backward
from cnncourse.layers.pool import max_pool2d, max_pool2d_backward
from cnncourse.widgets.explorer import Choice, Explorer, Flag, Matrix, Position, Whole

INPUT: list[list[float]] = [
    [1, 3, 3, 0, 2],
    [0, 2, 1, 4, 1],
    [2, 2, 0, 1, 3],
    [5, 1, 2, 2, 0],
    [0, 1, 4, 4, 1],
]
KERNEL: list[list[float]] = [[1, 2, 0], [0, -1, 3], [2, 0, 1]]


class Gradients(TypedDict):
    """The gradients of the loss with respect to what went into the layer."""

    input: Array  # (H, W)
    kernel: Array | None  # (K_h, K_w); None for pooling, which has none


class BackpropExplorer(Explorer):
    """Give outputs of a layer a gradient and see where it flows, in the input and in the kernel.

    Parameters
    ----------
    layer : 'convolution' or 'max pooling'
    image : matrix, shape (H, W), from 3 by 3 to 7 by 7
        The input.
    kernel : matrix, shape (K_h, K_w), at most 3 by 3
        In max pooling its shape is that of the windows.
    stride, padding : int
        In pixels, the same for rows and columns. In max pooling no padding is more than half of a window.
    gradient : matrix
        The gradient of the loss with respect to the output. Entries where there is no output do not count,
        and outputs without an entry have gradient zero.
    selected : (row, column)
        The output whose window is shown.
    pixel : (row, column)
        The pixel whose gradient is written out as a sum.
    alone : bool
        Show only what flows from the chosen output.

    Examples
    --------
    >>> explorer = BackpropExplorer(image=np.eye(3), kernel=[[1, 2]], gradient=[[1, 10], [0, 0], [0, 0]])
    >>> explorer.gradients["input"]
    array([[ 1., 12., 20.],
           [ 0.,  0.,  0.],
           [ 0.,  0.,  0.]])
    >>> explorer.gradients["kernel"]
    array([[1., 0.]])
    """

    module = "backprop.js"
    shows = (
        "A small input, a kernel, the output and the gradient of each output. One gives outputs a gradient "
        "and sees the gradients of the input and of the kernel: which pixels each output reaches, and how "
        "the shares of overlapping windows add up. In max pooling only a window's largest pixel gets any."
    )
    question = traitlets.Unicode(
        "Give every output the gradient 1. Which pixel gets the most, and from which stride on does no pixel "
        "lie in two windows?"
    ).tag(sync=True)
    layer = Choice("convolution", ("convolution", "max pooling"))
    image = Matrix(INPUT, rows=(3, 7), columns=(3, 7))
    kernel = Matrix(KERNEL, rows=(1, 3), columns=(1, 3))
    stride = Whole(1, 1, 3)
    padding = Whole(0, 0, 1)
    gradient = Matrix([[1, 0, 0], [0, 0, 1], [0, 0, 0]], rows=(1, 9), columns=(1, 9))
    selected = Position([0, 0])
    pixel = Position([1, 2])
    alone = Flag(False)

    @property
    def output(self) -> Array:
        """What the layer computes, shape (H_out, W_out)."""
        if self.layer == "convolution":
            out = conv2d(self._x, self._weight, None, self.stride, self.padding)
        else:
            out = max_pool2d(self._x, *self._window)
        return out.reshape(out.shape[2:])

    @property
    def gradients(self) -> Gradients:
        """The gradients of input and kernel, from all outputs or from the chosen one alone."""
        shape = self.output.shape
        grad_out, given = np.zeros(shape), np.array(self.gradient, dtype=np.float64)[: shape[0], : shape[1]]
        grad_out[: given.shape[0], : given.shape[1]] = given
        if self.alone:
            row, column = (min(place, size - 1) for place, size in zip(self.selected, shape, strict=True))
            only = np.zeros(shape)
            only[row, column] = grad_out[row, column]
            grad_out = only
        if self.layer == "max pooling":
            return {
                "input": max_pool2d_backward(grad_out[None, None], self._x, *self._window)[0, 0],
                "kernel": None,
            }
        grad_x, grad_weight, _ = conv2d_backward(
            grad_out[None, None], self._x, self._weight, self.stride, self.padding
        )
        return {"input": grad_x[0, 0], "kernel": grad_weight[0, 0]}

    @property
    def _x(self) -> Array:
        return np.array(self.image, dtype=np.float64)[None, None]

    @property
    def _weight(self) -> Array:
        return np.array(self.kernel, dtype=np.float64)[None, None]

    @property
    def _window(self) -> tuple[tuple[int, int], int, tuple[int, int]]:
        k_h, k_w = self._weight.shape[2:]
        return (k_h, k_w), self.stride, (min(self.padding, k_h // 2), min(self.padding, k_w // 2))
