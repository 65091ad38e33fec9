"""Where the weights of a layer start: standard deviations and draws with a given generator.

`shape` is that of a weight: (C_out, C_in / groups, *kernel_size), or (out_features, in_features).
"""

from __future__ import annotations

from math import prod, sqrt

import numpy as np

from cnncourse.arrays import Array


def fan(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many inputs a unit reads, and how many units read an input (at stride 1, in one group).

    Parameters
    ----------
    shape : tuple of int

    Returns
    -------
    fan_in, fan_out : int

    Raises
    ------
    ValueError
        If `shape` has fewer than two axes: a bias has no fan.

    Examples
    --------
    >>> fan((64, 3, 7, 7)), fan((10, 84))
    ((147, 3136), (84, 10))
    """
    if len(shape) < 2:
        raise ValueError(f"shape (={shape}) must have at least two axes (outputs, inputs, ...)")
    places = prod(shape[2:])
    return shape[1] * places, shape[0] * places


def lecun_std(fan_in: int) -> float:
    """Return ``sqrt(1 / fan_in)``: a linear layer's output then has the variance of its input.

    References
    ----------
    LeCun, Bottou, Orr, Müller 1998 (Efficient BackProp), section 4.6.

    Examples
    --------
    >>> lecun_std(100)
    0.1
    """
    return sqrt(1 / fan_in)


def xavier_std(fan_in: int, fan_out: int) -> float:
    """Return ``sqrt(2 / (fan_in + fan_out))``: between what keeps the signal and what keeps the gradient.

    References
    ----------
    Glorot, Bengio 2010, equation 12.

    Examples
    --------
    >>> xavier_std(150, 50)
    0.1
    """
    return sqrt(2 / (fan_in + fan_out))


def he_std(fan_in: int, negative_slope: float = 0.0) -> float:
    """Return ``sqrt(2 / ((1 + negative_slope ** 2) * fan_in))``: for layers followed by (leaky) ReLU.

    References
    ----------
    He, Zhang, Ren, Sun 2015 (Delving Deep into Rectifiers), equations 10 and 15.

    Examples
    --------
    >>> he_std(200)
    0.1
    """
    return sqrt(2 / ((1 + negative_slope**2) * fan_in))


def xavier_normal(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Draw weights from a normal distribution with mean 0 and `xavier_std`.

    Examples
    --------
    >>> xavier_normal((2, 3), np.random.default_rng(0)).shape
    (2, 3)
    """
    return rng.normal(0, xavier_std(*fan(shape)), shape)


def xavier_uniform(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Draw weights evenly from an interval around 0 whose standard deviation is `xavier_std`.

    References
    ----------
    Glorot, Bengio 2010, equation 16.

    Examples
    --------
    >>> xavier_uniform((2, 3), np.random.default_rng(0)).shape
    (2, 3)
    """
    return _uniform(shape, xavier_std(*fan(shape)), rng)


def he_normal(shape: tuple[int, ...], rng: np.random.Generator, negative_slope: float = 0.0) -> Array:
    """Draw weights from a normal distribution with mean 0 and `he_std`.

    Examples
    --------
    >>> he_normal((2, 3, 5, 5), np.random.default_rng(0)).shape
    (2, 3, 5, 5)
    """
    return rng.normal(0, he_std(fan(shape)[0], negative_slope), shape)


def he_uniform(shape: tuple[int, ...], rng: np.random.Generator, negative_slope: float = 0.0) -> Array:
    """Draw weights evenly from an interval around 0 whose standard deviation is `he_std`.

    Examples
    --------
    >>> he_uniform((2, 3), np.random.default_rng(0)).shape
    (2, 3)
    """
    return _uniform(shape, he_std(fan(shape)[0], negative_slope), rng)


def _uniform(shape: tuple[int, ...], std: float, rng: np.random.Generator) -> Array:
    """Draw evenly from an interval of width ``sqrt(12) * std``: its variance is its width squared over 12."""
    return rng.uniform(-sqrt(3) * std, sqrt(3) * std, shape)
