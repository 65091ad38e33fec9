"""Batch norm: every channel normalised over the whole batch, beside its gradients."""

from __future__ import annotations

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.blocks import floats
from cnncourse.layers.norm import across, normalize, normalize_backward, scale, sum_product

OTHER_AXES = (0, 2, 3)  # all but the channels


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
        out: Array = x * across(factor, 4)
        out += across(bias - running_mean * factor, 4)
        return out, running_mean, running_var
    count = x.size // x.shape[1]
    if count < 2:
        raise ValueError(f"x has shape {x.shape}: one number for each channel has no variance to train with")
    x_hat, mean, variance = normalize(x, OTHER_AXES, eps)
    unbiased = variance * (count / (count - 1))
    running_mean = (1 - momentum) * running_mean + momentum * mean.reshape(-1)
    running_var = (1 - momentum) * running_var + momentum * unbiased.reshape(-1)
    return scale(x_hat, weight, bias, x.shape[1:2]), running_mean, running_var


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
        x_hat, _, variance = normalize(_checked(x, weight), OTHER_AXES, eps)
        # The weight is the same number wherever means are taken: it can wait until the end.
        grad_x = normalize_backward(grad_out, x_hat, across(weight, 4) * (variance + eps) ** -0.5, OTHER_AXES)
    else:
        if running_mean is None or running_var is None:
            raise ValueError("in test mode (training=False) running_mean and running_var must be given")
        x = _checked(x, weight, running_mean, running_var)
        inverse_std = (running_var + eps) ** -0.5
        x_hat = (x - across(running_mean, 4)) * across(inverse_std, 4)
        grad_x = grad_out * across(weight * inverse_std, 4)
    return grad_x, sum_product(grad_out, x_hat, OTHER_AXES).reshape(-1), grad_out.sum(axis=OTHER_AXES)


def _checked(x: Array, *for_each_channel: Array) -> Array:
    if x.ndim != 4:
        raise ValueError(f"x has shape {x.shape}; a batch of images has four axes")
    for values in for_each_channel:
        if values.shape != x.shape[1:2]:
            raise ValueError(f"an array of shape {values.shape} cannot serve the {x.shape[1]} channels of x")
    return floats(x)
