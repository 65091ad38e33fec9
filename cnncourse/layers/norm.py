"""Layer, instance and group norm: one function over different axes. Each beside its gradients.

What is normalised together has mean 0 and variance 1 before `weight` and `bias`, one number for each channel.
"""

from __future__ import annotations

from math import prod

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.blocks import floats
from cnncourse.layers.normalize import normalize, rows, scaled_norm, scaled_norm_backward

__all__ = [
    "group_norm",
    "group_norm_backward",
    "instance_norm2d",
    "instance_norm2d_backward",
    "layer_norm",
    "layer_norm_backward",
    "normalize",
]


def layer_norm(x: Array, weight: Array | None = None, bias: Array | None = None, eps: float = 1e-5) -> Array:
    """Normalise every image by itself, over all its channels and pixels.

    Parameters
    ----------
    x : ndarray, shape (N, ...)
    weight, bias : ndarrays, shape x.shape[1:], optional
        One number for each unit, unlike the other norms.
    eps : float

    Returns
    -------
    ndarray, shaped like `x`

    Raises
    ------
    ValueError
        If `weight` or `bias` has not that shape.

    References
    ----------
    Ba, Kiros, Hinton 2016, section 3; ``torch.nn.functional.layer_norm(x, x.shape[1:], weight, bias)``.

    Examples
    --------
    >>> import numpy as np
    >>> layer_norm(np.array([[1.0, 3.0], [10.0, 30.0]])).round(3)
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    _check(x.shape[1:], weight=weight, bias=bias)
    units = _by_unit(x)
    weight, bias = (None if values is None else _by_unit(values[None]) for values in (weight, bias))
    return scaled_norm(units, (1, 2), weight, bias, eps)[0].reshape(x.shape)


def layer_norm_backward(
    grad_out: Array, x: Array, weight: Array | None = None, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """Return the gradients of the input, the weight and the bias of `layer_norm`.

    Examples
    --------
    >>> import numpy as np
    >>> grad_x, grad_weight, grad_bias = layer_norm_backward(np.eye(2), np.array([[1.0, 3.0], [1.0, 3.0]]))
    >>> grad_weight.round(3), grad_bias
    (array([-1.,  1.]), array([1., 1.]))
    """
    units = _by_unit(x)
    weight = np.ones_like(units[:1]) if weight is None else _by_unit(weight[None])
    grads = scaled_norm_backward(grad_out.reshape(units.shape), units, (1, 2), weight, eps, shared=(0,))
    return grads[0].reshape(x.shape), grads[1].reshape(x.shape[1:]), grads[2].reshape(x.shape[1:])


def group_norm(
    x: Array, num_groups: int, weight: Array | None = None, bias: Array | None = None, eps: float = 1e-5
) -> Array:
    """Normalise every image by itself, over the channels of each group and all pixels.

    Parameters
    ----------
    x : ndarray, shape (N, C, ...)
    num_groups : int
    weight, bias : ndarrays, shape (C,), optional
    eps : float

    Returns
    -------
    ndarray, shaped like `x`

    Raises
    ------
    ValueError
        If `num_groups` does not divide C, or `weight` or `bias` has not C numbers.

    References
    ----------
    Wu, He 2018, section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> group_norm(np.array([1.0, 3.0, 10.0, 30.0]).reshape(1, 4, 1, 1), 2).ravel().round(3)
    array([-1.,  1., -1.,  1.])
    """
    _check(x.shape[1:2], weight=weight, bias=bias)
    groups = _by_group(x, num_groups)  # (N, num_groups, C / num_groups, H * W)
    weight, bias = (None if values is None else _for_each(values, groups) for values in (weight, bias))
    return scaled_norm(groups, (2, 3), weight, bias, eps)[0].reshape(x.shape)


def group_norm_backward(
    grad_out: Array, x: Array, num_groups: int, weight: Array | None = None, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """Return the gradients of the input, the weight and the bias of `group_norm`.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, 3.0, 10.0, 30.0]).reshape(1, 4, 1, 1)
    >>> grad_x, grad_weight, grad_bias = group_norm_backward(np.ones((1, 4, 1, 1)), x, 2)
    >>> grad_weight.round(3), grad_bias
    (array([-1.,  1., -1.,  1.]), array([1., 1., 1., 1.]))
    """
    groups = _by_group(x, num_groups)  # (N, num_groups, C / num_groups, H * W)
    weight = np.ones(x.shape[1], floats(x).dtype) if weight is None else weight
    scale = _for_each(weight, groups)
    grad_x, grad_weight, grad_bias = scaled_norm_backward(
        grad_out.reshape(groups.shape), groups, (2, 3), scale, eps, shared=(0, 3)
    )
    return grad_x.reshape(x.shape), grad_weight.reshape(-1), grad_bias.reshape(-1)


def instance_norm2d(
    x: Array, weight: Array | None = None, bias: Array | None = None, eps: float = 1e-5
) -> Array:
    """Normalise every channel of every image by itself: `group_norm` with as many groups as channels.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    weight, bias : ndarrays, shape (C,), optional
    eps : float

    Returns
    -------
    ndarray, shaped like `x`

    Raises
    ------
    ValueError
        If `weight` or `bias` has not C numbers.

    References
    ----------
    Ulyanov, Vedaldi, Lempitsky 2016, section 2.

    Examples
    --------
    >>> import numpy as np
    >>> instance_norm2d(np.array([[[[1.0, 3.0]], [[10.0, 30.0]]]])).ravel().round(3)
    array([-1.,  1., -1.,  1.])
    """
    return group_norm(x, x.shape[1], weight, bias, eps)


def instance_norm2d_backward(
    grad_out: Array, x: Array, weight: Array | None = None, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """Return the gradients of the input, the weight and the bias of `instance_norm2d`."""
    return group_norm_backward(grad_out, x, x.shape[1], weight, eps)


def _by_unit(x: Array) -> Array:
    """Return (N, C, ...) as (N, C, the rest), and (N, C) as (N, 1, C)."""
    return x[:, None] if x.ndim == 2 else rows(x)


def _by_group(x: Array, num_groups: int) -> Array:
    if num_groups < 1 or x.shape[1] % num_groups:
        raise ValueError(f"num_groups (={num_groups}) must divide the number of channels (={x.shape[1]})")
    return x.reshape(len(x), num_groups, x.shape[1] // num_groups, prod(x.shape[2:]))


def _for_each(values: Array, groups: Array) -> Array:
    """Return one number for each channel in a shape that meets the groups."""
    return values.reshape(1, *groups.shape[1:3], 1)


def _check(shape: tuple[int, ...], **given: Array | None) -> None:
    for name, values in given.items():
        if values is not None and values.shape != shape:
            raise ValueError(f"{name} has shape {values.shape}; it needs {shape}")
