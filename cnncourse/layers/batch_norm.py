"""Batch norm: every channel normalised over the whole batch, beside its gradients."""

from __future__ import annotations

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.blocks import floats
from cnncourse.layers.normalize import across, cut, rows, scaled_norm, scaled_norm_backward, sum_product
from cnncourse.layers.pieces import Part, pieces, share

OTHER_AXES = (0, 2)  # all but the channels, of (N, C, H * W)


def batch_norm2d(
    x: Array,
    weight: Array,
    bias: Array,
    running_mean: Array,
    running_var: Array,
    training: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[Array, Array, Array]:
    """Normalise every channel over all images and pixels; in test mode, with statistics gathered in training.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    weight, bias : ndarrays, shape (C,)
        Also called gamma and beta.
    running_mean, running_var : ndarrays, shape (C,)
    training : bool
        True: normalise with the batch's own mean and biased variance, and move the running ones towards them.
        False: normalise with the running ones.
    momentum : float
        The share of the new statistics, as in torch; elsewhere it may be the share of the old. The running
        variance takes the unbiased variance of the batch.
    eps : float

    Returns
    -------
    out : ndarray, shape (N, C, H, W)
    running_mean, running_var : ndarrays, shape (C,)
        New arrays in training, the ones given otherwise.

    Raises
    ------
    ValueError
        If shapes do not go together, or a batch to train on has one number for each channel only.

    References
    ----------
    Ioffe, Szegedy 2015, algorithms 1 and 2; torch.nn.BatchNorm2d.

    Examples
    --------
    >>> one, zero = np.ones(1), np.zeros(1)
    >>> x = np.array([[[[1.0, 3.0]]]])
    >>> out, mean, var = batch_norm2d(x, one, zero, running_mean=zero, running_var=one)
    >>> out.round(3), mean, var  # the batch: mean 2, variance 1, unbiased 2
    (array([[[[-1.,  1.]]]]), array([0.2]), array([1.1]))
    """
    x = _checked(x, weight, bias, running_mean, running_var)
    if not training:
        factor = weight / np.sqrt(running_var + eps)
        return _each_channel(x, factor, bias - running_mean * factor), running_mean, running_var
    count = x.size // x.shape[1]
    if count < 2:
        raise ValueError(f"x has shape {x.shape}: one number for each channel has no variance to train with")
    out, mean, variance = scaled_norm(rows(x), OTHER_AXES, across(weight, 3), across(bias, 3), eps)
    unbiased = variance * (count / (count - 1))
    running_mean = (1 - momentum) * running_mean + momentum * mean.reshape(-1)
    running_var = (1 - momentum) * running_var + momentum * unbiased.reshape(-1)
    return out.reshape(x.shape), running_mean, running_var


def batch_norm2d_backward(
    grad_out: Array,
    x: Array,
    weight: Array,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    training: bool = True,
    eps: float = 1e-5,
) -> tuple[Array, Array, Array]:
    """Return the gradients of the input, the weight and the bias of `batch_norm2d`.

    In training the mean and the variance depend on every number of the batch, and the gradient takes that in.
    In test mode they are constants, and must be given.

    Parameters
    ----------
    grad_out : ndarray, shape (N, C, H, W)
    x, weight, running_mean, running_var, training, eps
        As in `batch_norm2d`.

    Returns
    -------
    grad_x, grad_weight, grad_bias : ndarrays, shapes (N, C, H, W), (C,) and (C,)

    Raises
    ------
    ValueError
        If shapes do not go together, or test mode has no statistics.

    References
    ----------
    Ioffe, Szegedy 2015, section 3.

    Examples
    --------
    >>> x, grad_out = np.array([[[[1.0, 3.0, 8.0]]]]), np.array([[[[1.0, 0.0, 0.0]]]])
    >>> grad_x, grad_weight, grad_bias = batch_norm2d_backward(grad_out, x, np.ones(1))
    >>> grad_x.round(3), grad_weight.round(3), grad_bias
    (array([[[[ 0.109, -0.152,  0.044]]]]), array([-1.019]), array([1.]))
    """
    if grad_out.shape != x.shape:
        raise ValueError(f"grad_out has shape {grad_out.shape}; the output has that of x, {x.shape}")
    grad_out = floats(grad_out)
    if training:
        x = _checked(x, weight)
        scale = across(weight, 3)
        grads = scaled_norm_backward(rows(grad_out), rows(x), OTHER_AXES, scale, eps, shared=OTHER_AXES)
        return grads[0].reshape(x.shape), grads[1].reshape(-1), grads[2].reshape(-1)
    if running_mean is None or running_var is None:
        raise ValueError("in test mode (training=False) running_mean and running_var must be given")
    x = _checked(x, weight, running_mean, running_var)
    inverse_std = (running_var + eps) ** -0.5
    x_hat = _each_channel(x, inverse_std, -running_mean * inverse_std)
    grad_weight = sum_product(rows(grad_out), rows(x_hat), OTHER_AXES).reshape(-1)
    return grad_out * across(weight * inverse_std, 4), grad_weight, grad_out.sum(axis=(0, 2, 3))


def _each_channel(x: Array, factor: Array, shift: Array) -> Array:
    """Return ``factor * x + shift``, one factor and one shift for each channel."""
    out = np.empty(x.shape, np.result_type(x, factor))

    def work(part: Part) -> None:
        np.multiply(x[part], cut(across(factor, 4), part), out=out[part])
        out[part] += cut(across(shift, 4), part)

    share(work, pieces(x.shape, axes=(0, 1)))
    return out


def _checked(x: Array, *for_each_channel: Array) -> Array:
    if x.ndim != 4:
        raise ValueError(f"x has shape {x.shape}; a batch of images has four axes")
    for values in for_each_channel:
        if values.shape != x.shape[1:2]:
            raise ValueError(f"an array of shape {values.shape} cannot serve the {x.shape[1]} channels of x")
    return floats(x)
