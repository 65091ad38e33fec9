"""Activation functions that multiply their input with a gate between 0 and 1, each beside its gradient.

The gate opens as the input grows. All work on arrays of any shape.
"""

from __future__ import annotations

from math import pi, sqrt

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.activation import relu6, sigmoid
from cnncourse.layers.blocks import floats
from cnncourse.layers.pieces import in_pieces

CUBIC = 0.044715  # of the tanh form of GELU


@in_pieces
def swish(x: Array, beta: float = 1.0) -> Array:
    """Return ``x * sigmoid(beta * x)``; with beta 1 also called SiLU.

    References
    ----------
    Ramachandran, Zoph, Le 2017, section 3; Elfwing, Uchibe, Doya 2018 (SiLU).

    Examples
    --------
    >>> swish(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.2689,  0.    ,  0.7311])
    """
    x = floats(x)
    return x * sigmoid(beta * x)


@in_pieces
def swish_backward(grad_out: Array, x: Array, beta: float = 1.0) -> Array:
    """Return ``grad_out * (s + beta * x * s * (1 - s))`` with ``s = sigmoid(beta * x)``.

    Examples
    --------
    >>> swish_backward(np.ones(3), np.array([-1.0, 0.0, 1.0])).round(4)
    array([0.0723, 0.5   , 0.9277])
    """
    x = floats(x)
    s = sigmoid(beta * x)
    grad_x: Array = grad_out * (s * (1 + beta * x * (1 - s)))
    return grad_x


@in_pieces
def h_swish(x: Array) -> Array:
    """Return ``x * relu6(x + 3) / 6``: swish with a gate in straight pieces.

    References
    ----------
    Howard et al. 2019 (MobileNetV3), section 5.2.

    Examples
    --------
    >>> h_swish(np.array([-4.0, -1.0, 0.0, 1.0, 4.0])).round(4)
    array([-0.    , -0.3333,  0.    ,  0.6667,  4.    ])
    """
    x = floats(x)
    return x * relu6(x + 3) / 6


@in_pieces
def h_swish_backward(grad_out: Array, x: Array) -> Array:
    """Return nothing of the gradient below -3, all of it above 3, ``(2 * x + 3) / 6`` of it between.

    Examples
    --------
    >>> h_swish_backward(np.ones(4), np.array([-4.0, 0.0, 1.5, 4.0]))
    array([0. , 0.5, 1. , 1. ])
    """
    x = floats(x)
    between = np.abs(x) <= 3
    grad_x: Array = grad_out * np.where(between, x * (1 / 3) + 0.5, x > 3)
    return grad_x


@in_pieces
def gelu_tanh(x: Array) -> Array:
    """Return GELU in its tanh form, ``x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3)))``.

    An approximation of ``x * Phi(x)``, Phi being the normal distribution: off by less than 0.0005. Since
    ``(1 + tanh(u)) / 2 = sigmoid(2 * u)``, it is a gate like that of swish.

    References
    ----------
    Hendrycks, Gimpel 2016, section 2; ``torch.nn.functional.gelu(x, approximate="tanh")``.

    Examples
    --------
    >>> gelu_tanh(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1588,  0.    ,  0.8412])
    """
    x = floats(x)
    return x * sigmoid(sqrt(8 / pi) * (x + CUBIC * (x * x * x)))


@in_pieces
def gelu_tanh_backward(grad_out: Array, x: Array) -> Array:
    """Return the gradient of the input of `gelu_tanh`.

    Examples
    --------
    >>> gelu_tanh_backward(np.ones(3), np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.083,  0.5  ,  1.083])
    """
    x = floats(x)
    squares = x * x
    s = sigmoid(sqrt(8 / pi) * (x * (1 + CUBIC * squares)))
    slope = x * (sqrt(8 / pi) * (1 + 3 * CUBIC * squares))
    grad_x: Array = grad_out * (s * (1 + slope * (1 - s)))
    return grad_x


@in_pieces
def mish(x: Array) -> Array:
    """Return ``x * tanh(softplus(x))``, softplus being ``log(1 + exp(x))``.

    Notes
    -----
    With ``e = exp(x)`` and ``n = e * (e + 2)`` the gate is ``n / (n + 2)``: one exponential, no logarithm.

    References
    ----------
    Misra 2020, section 3.

    Examples
    --------
    >>> mish(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.3034,  0.    ,  0.8651])
    """
    x = floats(x)
    e = _exp(x)
    n = e * (e + 2)
    out: Array = x * (n / (n + 2))
    return out


@in_pieces
def mish_backward(grad_out: Array, x: Array) -> Array:
    """Return the gradient of the input of `mish`.

    Examples
    --------
    >>> mish_backward(np.ones(3), np.array([-1.0, 0.0, 1000.0])).round(4)
    array([0.0592, 0.6   , 1.    ])
    """
    x = floats(x)
    e = _exp(x)
    n = e * (e + 2)
    grad_x: Array = grad_out * ((n + x * (4 * e * (e + 1) / (n + 2))) / (n + 2))
    return grad_x


def _exp(x: Array) -> Array:
    """Return exp(x), kept from becoming infinite: beyond 20 the gate of mish is 1 in all 16 digits."""
    out: Array = np.exp(np.minimum(x, 20))
    return out
