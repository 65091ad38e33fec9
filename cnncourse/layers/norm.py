"""Layer, instance and group norm: one function over different axes. Each beside its gradients.

What is normalised together has mean 0 and variance 1 before `weight` and `bias`, one number for each channel.
"""

from __future__ import annotations

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.blocks import floats


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
    variance = sum_product(x_hat, x_hat, axes) * (mean.size / x.size)
    x_hat *= (variance + eps) ** -0.5
    return x_hat, mean, variance


def normalize_backward(grad_hat: Array, x_hat: Array, inverse_std: Array, axes: tuple[int, ...]) -> Array:
    """Return the gradient of the input of `normalize`: mean and variance depend on every number, too.

    Parameters
    ----------
    grad_hat : ndarray, shaped like `x_hat`
    x_hat : ndarray
        What `normalize` returned.
    inverse_std : ndarray
        ``(variance + eps) ** -0.5``
    axes : tuple of int
        As in `normalize`.

    References
    ----------
    Ioffe, Szegedy 2015, section 3 (the derivation for batch norm).

    Examples
    --------
    >>> x_hat, _, variance = normalize(np.array([[1.0, 3.0, 8.0]]), (1,))
    >>> normalize_backward(np.ones((1, 3)), x_hat, variance**-0.5, (1,)).round(9)
    array([[0., 0., 0.]])
    """
    along = sum_product(grad_hat, x_hat, axes) * (inverse_std.size / x_hat.size)
    grad_x: Array = x_hat * -along
    grad_x += grad_hat
    grad_x -= grad_hat.mean(axis=axes, keepdims=True)
    grad_x *= inverse_std
    return grad_x


def sum_product(a: Array, b: Array, axes: tuple[int, ...]) -> Array:
    """Return ``(a * b).sum(axes, keepdims=True)`` without writing the products down.

    Examples
    --------
    >>> sum_product(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 1.0], [0.0, 1.0]]), (1,))
    array([[3.],
           [4.]])
    """
    every = list(range(a.ndim))
    total: Array = np.einsum(a, every, b, every, [axis for axis in every if axis not in axes])
    return np.expand_dims(total, axes)


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
    >>> layer_norm(np.array([[1.0, 3.0], [10.0, 30.0]])).round(3)
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    return scale(normalize(x, tuple(range(1, x.ndim)), eps)[0], weight, bias, x.shape[1:])


def layer_norm_backward(
    grad_out: Array, x: Array, weight: Array | None = None, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """Return the gradients of the input, the weight and the bias of `layer_norm`.

    Examples
    --------
    >>> grad_x, grad_weight, grad_bias = layer_norm_backward(np.eye(2), np.array([[1.0, 3.0], [1.0, 3.0]]))
    >>> grad_weight.round(3), grad_bias
    (array([-1.,  1.]), array([1., 1.]))
    """
    axes = tuple(range(1, x.ndim))
    x_hat, _, variance = normalize(x, axes, eps)
    grad_out = floats(grad_out)
    grad_hat = grad_out if weight is None else grad_out * weight
    grad_x = normalize_backward(grad_hat, x_hat, (variance + eps) ** -0.5, axes)
    return grad_x, (grad_out * x_hat).sum(axis=0), grad_out.sum(axis=0)


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
    >>> group_norm(np.array([1.0, 3.0, 10.0, 30.0]).reshape(1, 4, 1, 1), 2).ravel().round(3)
    array([-1.,  1., -1.,  1.])
    """
    x_hat, _, _ = normalize(_by_group(x, num_groups), (2,), eps)
    return scale(x_hat.reshape(x.shape), weight, bias, x.shape[1:2])


def group_norm_backward(
    grad_out: Array, x: Array, num_groups: int, weight: Array | None = None, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """Return the gradients of the input, the weight and the bias of `group_norm`.

    Examples
    --------
    >>> x = np.array([1.0, 3.0, 10.0, 30.0]).reshape(1, 4, 1, 1)
    >>> grad_x, grad_weight, grad_bias = group_norm_backward(np.ones((1, 4, 1, 1)), x, 2)
    >>> grad_weight.round(3), grad_bias
    (array([-1.,  1., -1.,  1.]), array([1., 1., 1., 1.]))
    """
    x_hat, _, variance = normalize(_by_group(x, num_groups), (2,), eps)
    grad_out = floats(grad_out)
    grad_hat = grad_out if weight is None else grad_out * across(weight, x.ndim)
    inverse_std = (variance + eps) ** -0.5
    grad_x = normalize_backward(grad_hat.reshape(x_hat.shape), x_hat, inverse_std, (2,)).reshape(x.shape)
    rest = (0, *range(2, x.ndim))
    grad_weight = sum_product(grad_out, x_hat.reshape(x.shape), rest).reshape(-1)
    return grad_x, grad_weight, grad_out.sum(axis=rest)


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
    >>> instance_norm2d(np.array([[[[1.0, 3.0]], [[10.0, 30.0]]]])).ravel().round(3)
    array([-1.,  1., -1.,  1.])
    """
    return group_norm(x, x.shape[1], weight, bias, eps)


def instance_norm2d_backward(
    grad_out: Array, x: Array, weight: Array | None = None, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """Return the gradients of the input, the weight and the bias of `instance_norm2d`."""
    return group_norm_backward(grad_out, x, x.shape[1], weight, eps)


def across(values: Array, ndim: int) -> Array:
    """Return one number for each channel in a shape that meets (N, C, ...) in `ndim` axes."""
    return values.reshape(-1, *(1,) * (ndim - 2))


def scale(x_hat: Array, weight: Array | None, bias: Array | None, shape: tuple[int, ...]) -> Array:
    """Multiply with `weight` and add `bias`, both of this shape, in place."""
    for name, values in (("weight", weight), ("bias", bias)):
        if values is not None and values.shape != shape:
            raise ValueError(f"{name} has shape {values.shape}; it needs {shape}")
    one_for_each_channel = len(shape) == 1 and x_hat.ndim > 2
    if weight is not None:
        x_hat *= across(weight, x_hat.ndim) if one_for_each_channel else weight
    if bias is not None:
        x_hat += across(bias, x_hat.ndim) if one_for_each_channel else bias
    return x_hat


def _by_group(x: Array, num_groups: int) -> Array:
    if num_groups < 1 or x.shape[1] % num_groups:
        raise ValueError(f"num_groups (={num_groups}) must divide the number of channels (={x.shape[1]})")
    return x.reshape(len(x), num_groups, -1)
