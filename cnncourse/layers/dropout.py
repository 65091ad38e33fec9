"""Dropout, DropBlock and stochastic depth: parts of a network switched off at random while it trains.

Each returns what is left, and the mask it was multiplied with, which is all that a gradient needs. What stays
is scaled up, so that nothing is left to do in test mode: the input comes back, with ones as its mask.
"""

from __future__ import annotations

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.blocks import floats, windows, zero_pad


def dropout(x: Array, p: float, rng: np.random.Generator, training: bool = True) -> tuple[Array, Array]:
    """Switch every number off with probability `p`, each by itself.

    Parameters
    ----------
    x : ndarray
    p : float
        From 0 to less than 1.
    rng : numpy.random.Generator
    training : bool

    Returns
    -------
    out, mask : ndarrays, shaped like `x`
        The mask holds 0 and 1 / (1 - p).

    Raises
    ------
    ValueError
        If `p` is not in that range.

    References
    ----------
    Srivastava et al. 2014, section 4, with the scaling of section 10.

    Examples
    --------
    >>> out, mask = dropout(np.ones(8), 0.5, np.random.default_rng(0))
    >>> out
    array([2., 0., 0., 0., 2., 2., 2., 2.])
    """
    return _masked(x, p, x.shape, rng, training)


def stochastic_depth(
    x: Array, p: float, rng: np.random.Generator, training: bool = True
) -> tuple[Array, Array]:
    """Switch the whole output of a residual branch off with probability `p`, for each image by itself.

    Parameters
    ----------
    x : ndarray, shape (N, ...)
    p, rng, training
        As in `dropout`.

    Returns
    -------
    out : ndarray, shaped like `x`
    mask : ndarray, shape (N, 1, ...)

    References
    ----------
    Huang, Sun, Liu, Sedra, Weinberger 2016, section 3 (there one draw for the whole batch).

    Examples
    --------
    >>> out, mask = stochastic_depth(np.ones((4, 2, 2)), 0.5, np.random.default_rng(0))
    >>> mask.ravel()
    array([2., 0., 0., 0.])
    """
    return _masked(x, p, (len(x), *(1,) * (x.ndim - 1)), rng, training)


def drop_block2d(
    x: Array, p: float, block_size: int, rng: np.random.Generator, training: bool = True
) -> tuple[Array, Array]:
    """Switch square blocks of every feature map off, so that about the share `p` of it is gone.

    Neighbouring pixels hold much the same: what dropout takes from one, the next one tells.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    p : float
    block_size : int
        Rows and columns of a block.
    rng, training
        As in `dropout`.

    Returns
    -------
    out, mask : ndarrays, shaped like `x`
        The mask is scaled to a mean of 1.

    Raises
    ------
    ValueError
        If `p` is out of range, or a block is larger than a map.

    References
    ----------
    Ghiasi, Lin, Le 2018 (DropBlock), algorithm 1 and equation 1.

    Examples
    --------
    >>> out, mask = drop_block2d(np.ones((1, 1, 6, 6)), 0.2, 2, np.random.default_rng(0))
    >>> (mask[0, 0] == 0).astype(int)
    array([[0, 0, 1, 1, 1, 0],
           [0, 0, 1, 1, 1, 0],
           [0, 1, 1, 1, 1, 0],
           [0, 1, 1, 1, 1, 0],
           [1, 1, 0, 0, 0, 0],
           [1, 1, 0, 0, 0, 0]])
    """
    H, W = x.shape[2:]
    if not 1 <= block_size <= min(H, W):
        raise ValueError(f"block_size (={block_size}) must be from 1 to the size of a map, ({H}, {W})")
    _check_probability(p)
    if not training:
        return x, np.ones_like(floats(x))
    corners = (H - block_size + 1, W - block_size + 1)
    chance = p / block_size**2 * (H * W) / (corners[0] * corners[1])
    seeds = rng.random((*x.shape[:2], *corners)) < chance
    reach = (block_size - 1, block_size - 1)
    gone = windows(zero_pad(seeds, reach), (block_size, block_size), (1, 1), (1, 1)).any(axis=(4, 5))
    mask = (~gone).astype(floats(x).dtype)
    mask *= mask.size / max(1, int(mask.sum()))
    return x * mask, mask


def dropout_backward(grad_out: Array, mask: Array) -> Array:
    """Return the gradient of the input of any function here: `grad_out` times the mask that it returned.

    Examples
    --------
    >>> dropout_backward(np.array([3.0, 3.0]), np.array([0.0, 2.0]))
    array([0., 6.])
    """
    return grad_out * mask


def _masked(
    x: Array, p: float, shape: tuple[int, ...], rng: np.random.Generator, training: bool
) -> tuple[Array, Array]:
    _check_probability(p)
    dtype = floats(x).dtype
    if not training:
        return x, np.ones(shape, dtype)
    mask = (rng.random(shape) >= p).astype(dtype)
    mask *= 1 / (1 - p)
    return x * mask, mask


def _check_probability(p: float) -> None:
    if not 0 <= p < 1:
        raise ValueError(f"p (={p}) must be from 0 to less than 1")
