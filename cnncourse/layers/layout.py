"""Two orders in which a batch of images lies in memory."""

from __future__ import annotations

import numpy as np

from cnncourse.arrays import Array


def nhwc_to_nchw(x: Array) -> Array:
    """Move the channels of a batch from last to second place.

    Parameters
    ----------
    x : ndarray, shape (N, H, W, C)

    Returns
    -------
    ndarray, shape (N, C, H, W)
        A view: no number is copied, only the strides change.

    Examples
    --------
    >>> nhwc_to_nchw(np.zeros((1, 4, 5, 3))).shape
    (1, 3, 4, 5)
    """
    _check_four_axes(x)
    return np.transpose(x, (0, 3, 1, 2))


def nchw_to_nhwc(x: Array) -> Array:
    """Move the channels of a batch from second to last place, the inverse of `nhwc_to_nchw`.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)

    Returns
    -------
    ndarray, shape (N, H, W, C)
        A view.

    Examples
    --------
    >>> nchw_to_nhwc(np.zeros((1, 3, 4, 5))).shape
    (1, 4, 5, 3)
    """
    _check_four_axes(x)
    return np.transpose(x, (0, 2, 3, 1))


def _check_four_axes(x: Array) -> None:
    if x.ndim != 4:
        raise ValueError(f"x has shape {x.shape}; a batch of images has four axes")
