"""What all norms share: numbers are brought to mean 0 and variance 1 together, then scaled and shifted."""

from __future__ import annotations

from math import prod

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.blocks import floats
from cnncourse.layers.pieces import Part, pieces, share


def normalize(x: Array, axes: tuple[int, ...], eps: float = 1e-5) -> tuple[Array, Array, Array]:
    """Subtract the mean over some axes and divide by the standard deviation over them.

    Parameters
    ----------
    x : ndarray
    axes : tuple of int
        Numbers that differ along these axes only are normalised together.
    eps : float
        Added to the variance, so that equal numbers are not divided by zero.

    Returns
    -------
    x_hat : ndarray, shaped like `x`
    mean, variance : ndarrays
        With length 1 along `axes`. The variance is that of these very numbers (biased).

    Examples
    --------
    >>> normalize(np.array([[1.0, 3.0], [5.0, 5.0]]), (1,))[0].round(3)
    array([[-1.,  1.],
           [ 0.,  0.]])
    """
    x = floats(x)
    mean: Array = x.mean(axis=axes, keepdims=True)
    x_hat = x - mean
    variance: Array = np.square(x_hat).mean(axis=axes, keepdims=True)
    x_hat *= (variance + eps) ** -0.5
    return x_hat, mean, variance


def sum_product(a: Array, b: Array, axes: tuple[int, ...]) -> Array:
    """Return ``(a * b).sum(axes, keepdims=True)`` without writing the products down.

    The last axis must be one of `axes`.

    Examples
    --------
    >>> sum_product(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 1.0], [0.0, 1.0]]), (1,))
    array([[3.],
           [4.]])
    """
    products = (a[..., None, :] @ b[..., None])[..., 0]  # (..., 1): each row of `a` times that of `b`
    total: Array = products.sum(axis=axes, keepdims=True)
    return total


def scaled_norm(
    x: Array, axes: tuple[int, ...], weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """Normalise, multiply with `weight` and add `bias`, which meet `x` in all its axes.

    Returns
    -------
    out, mean, variance : ndarrays
        As from `normalize`.
    """
    x = floats(x)
    out = np.empty(x.shape, x.dtype)
    mean, variance = np.empty((2, *_left(x, axes)), x.dtype)
    count = prod(x.shape[axis] for axis in axes)

    def work(part: Part) -> None:
        mean[part] = x[part].mean(axis=axes, keepdims=True)
        centred = np.subtract(x[part], mean[part], out=out[part])
        variance[part] = sum_product(centred, centred, axes) / count
        centred *= (variance[part] + eps) ** -0.5 * (1 if weight is None else cut(weight, part))
        if bias is not None:
            centred += cut(bias, part)

    share(work, pieces(x.shape, _others(x, axes)))
    return out, mean, variance


def scaled_norm_backward(
    grad_out: Array,
    x: Array,
    axes: tuple[int, ...],
    weight: Array,
    eps: float,
    shared: tuple[int, ...],
) -> tuple[Array, Array, Array]:
    """Return the gradients of the input, the weight and the bias of `scaled_norm`.

    A number of the weight serves all those of `x` that differ along the axes `shared` only.

    Returns
    -------
    grad_x, grad_weight, grad_bias : ndarrays
        Along `shared` the last two have length 1.

    Notes
    -----
    Mean and variance depend on every number, too: with ``grad_hat = weight * grad_out``, `grad_x` is
    ``(grad_hat - mean(grad_hat) - x_hat * mean(grad_hat * x_hat)) / std``.

    References
    ----------
    Ioffe, Szegedy 2015, section 3 (the derivation for batch norm).
    """
    x, grad_out = floats(x), floats(grad_out)
    within = tuple(axis for axis in shared if axis in axes)
    grad_x = np.empty(x.shape, x.dtype)
    sums, products = np.empty((2, *_left(x, within)), np.result_type(grad_out, x))
    count = prod(x.shape[axis] for axis in axes)

    def work(part: Part) -> None:
        grad, scale = grad_out[part], cut(weight, part)
        x_hat = x[part] - x[part].mean(axis=axes, keepdims=True)
        inverse_std = (sum_product(x_hat, x_hat, axes) / count + eps) ** -0.5
        x_hat *= inverse_std
        sums[part] = grad.sum(axis=within, keepdims=True) if within else grad
        products[part] = sum_product(grad, x_hat, within) if within else grad * x_hat
        # Within a sum the weight is one number, and can wait for the sum.
        x_hat *= sum_product(scale, products[part], axes) * (inverse_std / count)
        x_hat += sum_product(scale, sums[part], axes) * (inverse_std / count)
        np.multiply(grad, scale * inverse_std, out=grad_x[part])
        grad_x[part] -= x_hat

    share(work, pieces(x.shape, _others(x, axes)))
    return grad_x, products.sum(axis=shared, keepdims=True), sums.sum(axis=shared, keepdims=True)


def cut(values: Array, part: Part) -> Array:
    """Return what meets a part of an array of as many axes; where `values` has length 1 it serves all.

    Examples
    --------
    >>> cut(np.array([[1.0], [2.0], [3.0]]), (slice(1, 3), slice(5, 9)))
    array([[2.],
           [3.]])
    """
    return values[tuple(slice(None) if n == 1 else s for n, s in zip(values.shape, part, strict=True))]


def rows(x: Array) -> Array:
    """Return the pixels of every image and channel as one row, (N, C, H * W): it is added up faster."""
    return x.reshape(*x.shape[:2], prod(x.shape[2:]))


def across(values: Array, ndim: int) -> Array:
    """Return one number for each channel in a shape that meets (N, C, ...), of `ndim` axes."""
    return values.reshape(1, -1, *(1,) * (ndim - 2))


def _left(x: Array, axes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of what is left of `x` when these axes become one number each."""
    return tuple(1 if axis in axes else n for axis, n in enumerate(x.shape))


def _others(x: Array, axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(axis for axis in range(x.ndim) if axis not in axes)
