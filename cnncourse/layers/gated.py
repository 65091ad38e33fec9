"""Activation functions that multiply their input with a gate between 0 and 1, each beside its gradient.

The gate opens as the input grows. All work on arrays of any shape.
"""

from __future__ import annotations

from math import pi, sqrt

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.activation import sigmoid_into
from cnncourse.layers.blocks import floats
from cnncourse.layers.pieces import in_pieces

CUBIC = 0.044715  # of the tanh form of GELU


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

    def formula(out: Array, x: Array, beta: Array | float) -> None:
        np.multiply(x, beta, out=out)
        sigmoid_into(out, out)
        out *= x

    return in_pieces(formula, floats(x), beta)


def swish_backward(grad_out: Array, x: Array, beta: float = 1.0) -> Array:
    """Return ``grad_out * (s + beta * x * s * (1 - s))`` with ``s = sigmoid(beta * x)``.

    Examples
    --------
    >>> swish_backward(np.ones(3), np.array([-1.0, 0.0, 1.0])).round(4)
    array([0.0723, 0.5   , 0.9277])
    """

    def formula(out: Array, grad_out: Array, x: Array, beta: Array | float) -> None:
        slope = beta * x
        sigmoid_into(out, slope)
        slope *= 1 - out
        slope += 1
        out *= slope
        out *= grad_out

    return in_pieces(formula, floats(grad_out), floats(x), beta)


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

    def formula(out: Array, x: Array) -> None:
        np.add(x, 3, out=out)
        np.clip(out, 0, 6, out=out)
        out /= 6
        out *= x

    return in_pieces(formula, floats(x))


def h_swish_backward(grad_out: Array, x: Array) -> Array:
    """Return nothing of the gradient below -3, all of it above 3, ``(2 * x + 3) / 6`` of it between.

    Examples
    --------
    >>> h_swish_backward(np.ones(4), np.array([-4.0, 0.0, 1.5, 4.0]))
    array([0. , 0.5, 1. , 1. ])
    """

    def formula(out: Array, grad_out: Array, x: Array) -> None:
        np.clip(x, -3, 3, out=out)
        out /= 3
        out += 0.5
        np.copyto(out, x > 3, where=np.abs(x) > 3)
        out *= grad_out

    return in_pieces(formula, floats(grad_out), floats(x))


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

    def formula(out: Array, x: Array) -> None:
        np.multiply(x, sqrt(8 / pi) * (1 + CUBIC * (x * x)), out=out)
        sigmoid_into(out, out)
        out *= x

    return in_pieces(formula, floats(x))


def gelu_tanh_backward(grad_out: Array, x: Array) -> Array:
    """Return the gradient of the input of `gelu_tanh`.

    Examples
    --------
    >>> gelu_tanh_backward(np.ones(3), np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.083,  0.5  ,  1.083])
    """

    def formula(out: Array, grad_out: Array, x: Array) -> None:
        squares = x * x
        sigmoid_into(out, x * (sqrt(8 / pi) * (1 + CUBIC * squares)))
        slope = x * (sqrt(8 / pi) * (1 + 3 * CUBIC * squares))
        out *= 1 + slope * (1 - out)
        out *= grad_out

    return in_pieces(formula, floats(grad_out), floats(x))


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

    def formula(out: Array, x: Array) -> None:
        e = _exp(x)
        n = e * (e + 2)
        np.divide(n, n + 2, out=out)
        out *= x

    return in_pieces(formula, floats(x))


def mish_backward(grad_out: Array, x: Array) -> Array:
    """Return the gradient of the input of `mish`.

    Examples
    --------
    >>> mish_backward(np.ones(3), np.array([-1.0, 0.0, 1000.0])).round(4)
    array([0.0592, 0.6   , 1.    ])
    """

    def formula(out: Array, grad_out: Array, x: Array) -> None:
        e = _exp(x)
        n = e * (e + 2)
        np.divide(n + x * (4 * e * (e + 1) / (n + 2)), n + 2, out=out)
        out *= grad_out

    return in_pieces(formula, floats(grad_out), floats(x))


def _exp(x: Array) -> Array:
    """Return exp(x), kept from becoming infinite: beyond 20 the gate of mish is 1 in all 16 digits."""
    out: Array = np.exp(np.minimum(x, 20))
    return out
