"""The dense layer, beside its gradients."""

from __future__ import annotations

from cnncourse.arrays import Array
from cnncourse.layers.blocks import floats


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Return ``x @ weight.T + bias``: every output has its own weight for every input.

    Parameters
    ----------
    x : ndarray, shape (N, in_features)
    weight : ndarray, shape (out_features, in_features)
    bias : ndarray, shape (out_features,), optional

    Returns
    -------
    ndarray, shape (N, out_features)

    Raises
    ------
    ValueError
        If the shapes do not go together.

    Examples
    --------
    >>> import numpy as np
    >>> linear(np.array([[1.0, 2.0]]), np.array([[10.0, 1.0], [0.0, 3.0]]), np.array([0.5, 0.0]))
    array([[12.5,  6. ]])
    """
    x, weight = floats(x), floats(weight)
    if x.ndim != 2 or weight.ndim != 2 or x.shape[1] != weight.shape[1]:
        raise ValueError(f"x has shape {x.shape} and weight {weight.shape}; the last axes must be equal")
    out: Array = x @ weight.T
    if bias is None:
        return out
    if bias.shape != (len(weight),):
        raise ValueError(f"bias has shape {bias.shape}; {len(weight)} outputs need ({len(weight)},)")
    return out + floats(bias)


def linear_backward(grad_out: Array, x: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Return the gradients of the input, the weight and the bias of `linear`.

    Parameters
    ----------
    grad_out : ndarray, shape (N, out_features)
    x : ndarray, shape (N, in_features)
    weight : ndarray, shape (out_features, in_features)

    Returns
    -------
    grad_x, grad_weight, grad_bias : ndarrays, shaped like `x`, `weight` and the bias, (out_features,)

    Raises
    ------
    ValueError
        If `grad_out` has not the shape of the output.

    Examples
    --------
    >>> import numpy as np
    >>> linear_backward(np.array([[1.0, 0.0]]), np.array([[1.0, 2.0]]), np.array([[10.0, 1.0], [0.0, 3.0]]))
    (array([[10.,  1.]]), array([[1., 2.], [0., 0.]]), array([1., 0.]))
    """
    if grad_out.shape != (len(x), len(weight)):
        raise ValueError(f"grad_out has shape {grad_out.shape}; the output has {(len(x), len(weight))}")
    grad_out = floats(grad_out)
    return grad_out @ floats(weight), grad_out.T @ floats(x), grad_out.sum(axis=0)
