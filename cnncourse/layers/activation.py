"""Activation functions in straight pieces, the sigmoid and tanh, each beside its gradient.

A backward function takes the gradient of the loss with respect to the output, and the input. Where a function
has a kink, its gradient there is that of the flatter side. All work on arrays of any shape.
"""

from __future__ import annotations

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.blocks import floats
from cnncourse.layers.pieces import in_pieces


def sigmoid(x: Array) -> Array:
    """Return ``1 / (1 + exp(-x))``, between 0 and 1.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return in_pieces(sigmoid_into, floats(x))


def sigmoid_into(out: Array, x: Array) -> None:
    """Write ``sigmoid(x)`` into `out`, which may be `x` itself."""
    np.negative(x, out=out)
    with np.errstate(over="ignore"):  # 1 / (1 + inf) is 0, which is right
        np.exp(out, out=out)
    out += 1
    np.reciprocal(out, out=out)


def sigmoid_backward(grad_out: Array, x: Array) -> Array:
    """Return ``grad_out * s * (1 - s)``; s * (1 - s) is 1/4 at most.

    Examples
    --------
    >>> sigmoid_backward(np.ones(2), np.array([0.0, 1000.0]))
    array([0.25, 0.  ])
    """
    return in_pieces(_sigmoid_slope, floats(grad_out), floats(x))


def _sigmoid_slope(out: Array, grad_out: Array, x: Array) -> None:
    """Write ``grad_out * s * (1 - s)`` into `out`."""
    sigmoid_into(out, x)
    out *= 1 - out
    out *= grad_out


def tanh(x: Array) -> Array:
    """Return the hyperbolic tangent, between -1 and 1.

    Examples
    --------
    >>> tanh(np.array([-1000.0, 0.0, 1000.0]))
    array([-1.,  0.,  1.])
    """
    return in_pieces(lambda out, x: np.tanh(x, out=out), floats(x))


def tanh_backward(grad_out: Array, x: Array) -> Array:
    """Return ``grad_out * (1 - tanh(x) ** 2)``.

    Since ``tanh(x) = 2 * s - 1`` with ``s = sigmoid(2 * x)``, it is ``4 * s * (1 - s)`` of `grad_out`: one
    exponential, in less than half the time.

    Examples
    --------
    >>> tanh_backward(np.ones(2), np.array([0.0, 1000.0]))
    array([1., 0.])
    """

    def formula(out: Array, grad_out: Array, x: Array) -> None:
        _sigmoid_slope(out, grad_out, 2 * x)
        out *= 4

    return in_pieces(formula, floats(grad_out), floats(x))


def relu(x: Array) -> Array:
    """Return ``max(0, x)``.

    References
    ----------
    Nair, Hinton 2010; Krizhevsky et al. 2012, section 3.1.

    Examples
    --------
    >>> relu(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """
    out: Array = np.clip(floats(x), 0, np.inf)  # np.maximum(x, 0) takes twice as long
    return out


def relu_backward(grad_out: Array, x: Array) -> Array:
    """Let the gradient through where the input was above zero.

    Examples
    --------
    >>> relu_backward(np.array([5.0, 5.0, 5.0]), np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 5.])
    """
    return grad_out * (x > 0)


def leaky_relu(x: Array, negative_slope: float = 0.01) -> Array:
    """Return `x` above zero and ``negative_slope * x`` below.

    References
    ----------
    Maas, Hannun, Ng 2013, section 2.

    Examples
    --------
    >>> leaky_relu(np.array([-2.0, 0.0, 3.0]))
    array([-0.02,  0.  ,  3.  ])
    """
    further = np.maximum if negative_slope <= 1 else np.minimum

    def formula(out: Array, x: Array) -> None:
        np.multiply(x, negative_slope, out=out)
        further(x, out, out=out)

    return in_pieces(formula, floats(x))


def leaky_relu_backward(grad_out: Array, x: Array, negative_slope: float = 0.01) -> Array:
    """Let the gradient through above zero, and `negative_slope` of it elsewhere.

    Examples
    --------
    >>> leaky_relu_backward(np.array([5.0, 5.0, 5.0]), np.array([-2.0, 0.0, 3.0]))
    array([0.05, 0.05, 5.  ])
    """

    def formula(out: Array, grad_out: Array, x: Array) -> None:
        np.greater(x, 0, out=out)  # 1 or 0
        out *= 1 - negative_slope
        out += negative_slope  # 1 or negative_slope
        out *= grad_out

    return in_pieces(formula, floats(grad_out), floats(x))


def relu6(x: Array) -> Array:
    """Return ``min(max(0, x), 6)``.

    References
    ----------
    Krizhevsky 2010 (Convolutional Deep Belief Networks on CIFAR-10); Howard et al. 2017.

    Examples
    --------
    >>> relu6(np.array([-2.0, 3.0, 8.0]))
    array([0., 3., 6.])
    """
    out: Array = np.clip(floats(x), 0, 6)
    return out


def relu6_backward(grad_out: Array, x: Array) -> Array:
    """Let the gradient through where the input was between 0 and 6.

    Examples
    --------
    >>> relu6_backward(np.array([5.0, 5.0, 5.0]), np.array([-2.0, 3.0, 8.0]))
    array([0., 5., 0.])
    """
    return grad_out * ((x > 0) & (x < 6))
