"""Local response normalization, as in AlexNet, beside its gradient."""

from __future__ import annotations

from cnncourse.arrays import Array
from cnncourse.layers.blocks import floats


def local_response_norm(
    x: Array, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0
) -> Array:
    """Divide every number by a power of what neighbouring channels hold at the same pixel.

    ``out[c] = x[c] / (k + alpha * s) ** beta``, `s` being the sum of ``x[j] ** 2`` over those of the `size`
    channels around c that exist.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    size : int
        Odd, so that there are as many channels on either side.
    alpha, beta, k : float

    Returns
    -------
    ndarray, shaped like `x`

    Raises
    ------
    ValueError
        If `size` is not odd.

    Notes
    -----
    `torch.nn.functional.local_response_norm` takes the mean in place of the sum: the same numbers need
    ``alpha * size`` there. Its default for `k` is 1.

    References
    ----------
    Krizhevsky et al. 2012, section 3.3, with these values.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([3.0, 0.0, 4.0]).reshape(1, 3, 1, 1)
    >>> local_response_norm(x, size=3, alpha=1.0, beta=1.0, k=1.0).ravel().round(4)
    array([0.3   , 0.    , 0.2353])
    """
    x = floats(x)
    out: Array = x * _base(x, size, alpha, k) ** -beta
    return out


def local_response_norm_backward(
    grad_out: Array, x: Array, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0
) -> Array:
    """Return the gradient of the input of `local_response_norm`: a number also divides its neighbours.

    Examples
    --------
    >>> import numpy as np
    >>> x, grad_out = np.ones((1, 2, 1, 1)), np.array([1.0, 0.0]).reshape(1, 2, 1, 1)
    >>> local_response_norm_backward(grad_out, x, size=3, alpha=1.0, beta=1.0, k=0.0).ravel()
    array([ 0. , -0.5])
    """
    x, grad_out = floats(x), floats(grad_out)
    base = _base(x, size, alpha, k)
    power = base**-beta
    through = _over_channels(grad_out * x * power / base, size)
    grad_x: Array = grad_out * power - (2 * alpha * beta) * x * through
    return grad_x


def _base(x: Array, size: int, alpha: float, k: float) -> Array:
    base = _over_channels(x * x, size)
    base *= alpha
    base += k
    return base


def _over_channels(x: Array, size: int) -> Array:
    """Return the sums over the `size` channels around each one."""
    if size < 1 or size % 2 == 0:
        raise ValueError(f"size (={size}) must be odd")
    total = x.copy()
    for away in range(1, min(size // 2, x.shape[1] - 1) + 1):
        total[:, away:] += x[:, :-away]
        total[:, :-away] += x[:, away:]
    return total
