"""1,797 real handwritten digits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return scikit-learn's digits.

    Returns
    -------
    images : ndarray, shape (1797, 1, 8, 8), float64 in [0, 1]
    labels : ndarray, shape (1797,), int64

    References
    ----------
    Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    return data.images[:, None] / 16.0, data.target.astype(np.int64)
