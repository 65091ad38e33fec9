"""Gradients by central differences, to hold a backward function against (float64).

A step of 1e-5 is a compromise: the difference is wrong by about the step's square, and by the rounding of the
two values, 1e-16, divided by the step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from cnncourse.arrays import Array


def numeric_gradient(function: Callable[[Array], float], x: Array, step: float = 1e-5) -> Array:
    """Return the gradient of a function with one number as its result.

    Each number of `x` is moved a step up and a step down: 2 * x.size calls.

    Parameters
    ----------
    function : callable
        Takes an array shaped like `x`, in float64, and returns one number.
    x : ndarray
        The point. It is not changed.
    step : float

    Returns
    -------
    ndarray, shaped like `x`, float64

    Raises
    ------
    ValueError
        If `function` returns more than one number.

    References
    ----------
    Press et al. 2007, Numerical Recipes, section 5.7.

    Examples
    --------
    >>> numeric_gradient(lambda x: np.sum(x**2), np.array([1.0, 2.0])).round(6)
    array([2., 4.])
    """
    point = np.array(x, dtype=np.float64)
    gradient = np.zeros(point.shape)
    for index in np.ndindex(point.shape):
        here = point[index]
        values = []
        for moved in (here + step, here - step):
            point[index] = moved
            values.append(np.asarray(function(point.copy()), dtype=np.float64))
        if values[0].size != 1:
            raise ValueError(
                f"function returned an array of shape {values[0].shape}; it must return one number"
            )
        gradient[index] = (values[0] - values[1]).item() / ((here + step) - (here - step))
        point[index] = here
    return gradient


def relative_error(gradient: Array, numeric: Array) -> float:
    """Return the largest difference of two gradients, as a part of the largest number in either.

    Raises
    ------
    ValueError
        If their shapes differ.

    Examples
    --------
    >>> round(relative_error(np.array([1.0, 2.0]), np.array([1.0, 2.002])), 6)
    0.000999
    """
    gradient, numeric = np.asarray(gradient, np.float64), np.asarray(numeric, np.float64)
    if gradient.shape != numeric.shape:
        raise ValueError(f"the gradient has shape {gradient.shape}, the numeric one {numeric.shape}")
    largest = max(np.abs(gradient).max(initial=0.0), np.abs(numeric).max(initial=0.0))
    return float(np.abs(gradient - numeric).max(initial=0.0) / largest) if largest else 0.0


def gradient_errors(
    forward: Callable[..., Array],
    backward: Callable[[Array], Sequence[Array]],
    arrays: Sequence[Array],
    rng: np.random.Generator,
    step: float = 1e-5,
) -> list[float]:
    """Hold a backward function against numeric gradients.

    Parameters
    ----------
    forward : callable
        Takes `arrays`, returns an array.
    backward : callable
        Takes the gradient of a loss with respect to that result; returns those of the first arrays or of all.
    arrays : sequence of ndarrays
    rng : numpy.random.Generator
        Draws the gradient that comes from behind; the loss is the sum of it times the result.
    step : float

    Returns
    -------
    list of float
        The relative error of each gradient that `backward` returns. Right ones are mostly below 1e-7, wrong
        ones above 1e-3. Between them suspect a kink within a step, such as that of ReLU at 0.

    Examples
    --------
    >>> rng, arrays = np.random.default_rng(0), [np.ones((2, 3)), np.ones((3, 2))]
    >>> right = lambda grad: (grad @ arrays[1].T, arrays[0].T @ grad)
    >>> [error < 1e-8 for error in gradient_errors(np.matmul, right, arrays, rng)]
    [True, True]
    """
    grad_out = rng.normal(size=np.shape(forward(*arrays)))
    errors = []
    for position, gradient in enumerate(backward(grad_out)):

        def loss(value: Array, position: int = position) -> float:
            moved = [*arrays[:position], value, *arrays[position + 1 :]]
            return float(np.sum(grad_out * forward(*moved)))

        errors.append(relative_error(gradient, numeric_gradient(loss, arrays[position], step)))
    return errors
