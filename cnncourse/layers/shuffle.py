"""The shuffle that mixes the groups of a grouped convolution, beside its gradient."""

from __future__ import annotations

from cnncourse.arrays import Array
from cnncourse.shapes import check_groups


def channel_shuffle(x: Array, groups: int) -> Array:
    """Deal the channels out anew, so that each group of the next layer hears from all groups of the last.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Or any other number of axes behind the channels.
    groups : int

    Returns
    -------
    ndarray, shaped like `x`
        Channel ``g * C / groups + i`` goes to place ``i * groups + g``.

    Raises
    ------
    ValueError
        If `groups` does not divide the number of channels.

    References
    ----------
    Zhang, Zhou, Lin, Sun 2018 (ShuffleNet), section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> channel_shuffle(np.arange(6).reshape(1, 6, 1, 1), 2).ravel()
    array([0, 3, 1, 4, 2, 5])
    """
    N, C, *size = x.shape
    check_groups(C, C, groups)
    return x.reshape(N, groups, C // groups, *size).swapaxes(1, 2).reshape(x.shape)


def channel_shuffle_backward(grad_out: Array, groups: int) -> Array:
    """Return the gradient of the input: every channel goes back to where it came from.

    Examples
    --------
    >>> import numpy as np
    >>> channel_shuffle_backward(np.array([0, 3, 1, 4, 2, 5]).reshape(1, 6, 1, 1), 2).ravel()
    array([0, 1, 2, 3, 4, 5])
    """
    check_groups(grad_out.shape[1], grad_out.shape[1], groups)
    return channel_shuffle(grad_out, grad_out.shape[1] // groups)
