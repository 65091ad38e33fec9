"""What all figures are drawn with: the style, colours of signed numbers, boxes and Axes of cells."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from cnncourse.colors import NEGATIVE, POSITIVE


def use_book_style() -> None:
    """Draw everything that follows in the style of the book; in a notebook, as SVG without a date."""
    plt.style.use("cnncourse.book")
    try:
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    set_matplotlib_formats("svg", bbox_inches=None, metadata={"Date": None})  # type: ignore[no-untyped-call]


def signed_rgba(values: ArrayLike, limit: float | None = None, strongest: float = 1.0) -> NDArray[np.float64]:
    """Colour signed values: blue above zero, red below, and zero is transparent.

    Parameters
    ----------
    values : array_like, shape (H, W)
    limit : float, optional
        The absolute value that gets the strongest colour; by default the largest one.
    strongest : float
        Its opacity.

    Returns
    -------
    ndarray, shape (H, W, 4), in [0, 1]

    Examples
    --------
    >>> signed_rgba([[-1.0, 0.0, 1.0]])[0, :, 3]
    array([1., 0., 1.])
    """
    values = np.asarray(values, dtype=np.float64)
    limit = float(np.abs(values).max()) if limit is None else limit
    rgba = np.empty((*values.shape, 4))  # (H, W, 4)
    rgba[..., :3] = np.where(values[..., None] < 0, NEGATIVE, POSITIVE) / np.float64(255)
    rgba[..., 3] = strongest * np.clip(np.abs(values) / (limit or 1.0), 0, 1)
    return rgba


def number(value: float) -> str:
    """Return a number as it is printed in a cell: short, with a real minus sign.

    Examples
    --------
    >>> number(-2.0), number(0.25)
    ('−2', '0.25')
    """
    return f"{value:.3g}".replace("-", "−")


def box(ax: Axes, x: float, y: float, width: float = 1, height: float = 1, **style: Any) -> None:
    """Draw a rectangle whose corner at the top left is (x, y)."""
    ax.add_patch(Rectangle((x, y), width, height, **{"edgecolor": plt.rcParams["text.color"], **style}))


def cells_axes(width: float, height: float, cell: float, above: float = 0.8) -> Axes:
    """Return Axes of their own figure, one cell a unit, y downwards, with room for labels above."""
    margin = 0.12
    cell = min(cell, 576 / (width + 2 * margin))
    size = ((width + 2 * margin) * cell / 72, (height + above + margin) * cell / 72)
    ax = plt.figure(figsize=size).add_axes((0, 0, 1, 1))
    ax.set(xlim=(-margin, width + margin), ylim=(height + margin, -above))
    ax.set_axis_off()
    return ax
