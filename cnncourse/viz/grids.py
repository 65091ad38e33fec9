"""Figures made of cells: matrices with their numbers, windows along an axis, numbers in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from cnncourse.colors import COLORS
from cnncourse.shapes import conv_output_size
from cnncourse.viz.drawing import box, cells_axes, number, signed_rgba

STRONGEST = 0.6  # opacity of the largest number in a cell: text on it is readable on light and dark pages

Cell = tuple[int, int]


@dataclass(frozen=True)
class Grid:
    """A small matrix, drawn with its numbers in the cells.

    Parameters
    ----------
    values : array_like, shape (H, W)
    role : str
        A key of `COLORS`: the colour of the frame.
    label : str
        Stands above the matrix.
    window : tuple of int, optional
        (row, column, height, width), in cells, of a rectangle to mark.
    hatched : sequence of (row, column)
        Cells to hatch, such as the zeros of a padding.
    """

    values: ArrayLike
    role: str = "input"
    label: str = ""
    window: tuple[int, int, int, int] | None = None
    hatched: Sequence[Cell] = field(default=())

    def array(self) -> NDArray[np.float64]:
        """Return the values as a matrix of floats."""
        values = np.asarray(self.values, dtype=np.float64)
        if values.ndim != 2:
            raise ValueError(f"values has shape {values.shape}; a grid has two axes")
        return values


def equation(
    parts: Sequence[Grid | str], cell: float = 40.0, gap: float = 0.35, ax: Axes | None = None
) -> Axes:
    """Draw matrices and signs from left to right, such as input, sign, kernel, sign, output.

    Parameters
    ----------
    parts : sequence of Grid or str
    cell : float
        Side of a cell in pixels, if a figure has to be made.
    gap : float
        Space between parts, in cells.
    ax : Axes, optional
    """
    widths = [part.array().shape[1] if isinstance(part, Grid) else 0.28 * max(len(part), 2) for part in parts]
    tallest = max(part.array().shape[0] for part in parts if isinstance(part, Grid))
    ax = cells_axes(sum(widths) + gap * (len(parts) - 1), tallest, cell) if ax is None else ax
    x = 0.0
    for part, width in zip(parts, widths, strict=True):
        if isinstance(part, Grid):
            draw_grid(part, ax, x, (tallest - part.array().shape[0]) / 2)
        else:
            ax.text(x + width / 2, tallest / 2, part, ha="center", va="center_baseline", fontsize="xx-large")
        x += width + gap
    return ax


def draw_grid(grid: Grid, ax: Axes, left: float = 0.0, top: float = 0.0) -> None:
    """Draw one matrix into Axes whose unit is a cell and whose y axis points down."""
    values = grid.array()
    fill = signed_rgba(values, strongest=STRONGEST)
    for (row, column), value in np.ndenumerate(values):
        x, y = left + column, top + row
        hatch = "////" if (row, column) in grid.hatched else None
        box(ax, x, y, facecolor=fill[row, column], edgecolor="none")
        box(ax, x, y, fill=False, linewidth=0.5, alpha=0.35, hatch=hatch)
        ax.text(x + 0.5, y + 0.5, number(value), ha="center", va="center_baseline")
    H, W = values.shape
    box(ax, left, top, W, H, fill=False, edgecolor=COLORS[grid.role], linewidth=3)
    if grid.window:
        row, column, height, width = grid.window
        x, y = left + column + 0.06, top + row + 0.06
        style: dict[str, Any] = {"edgecolor": COLORS["window"], "linewidth": 4, "linestyle": (0, (2, 0.6))}
        box(ax, x, y, width - 0.12, height - 0.12, fill=False, **style)
    ax.text(left + W / 2, top - 0.22, grid.label, ha="center", va="bottom")


def windows(size: int, kernel_size: int, stride: int = 1, padding: int = 0, ax: Axes | None = None) -> Axes:
    """Draw one axis of an image and every window that fits; the first that does not is drawn dashed.

    Parameters
    ----------
    size, kernel_size, stride, padding : int
        In pixels, along one axis.
    ax : Axes, optional
    """
    padded = size + 2 * padding
    count = conv_output_size(size, kernel_size, stride, padding)
    width = max(padded, count * stride + kernel_size + 2.4)  # room for "does not fit"
    ax = cells_axes(width, 1.3 + 0.52 * (count + 1), 40.0, above=0.12) if ax is None else ax
    for pixel in range(padded):
        real = padding <= pixel < padding + size
        box(ax, pixel, 0, fill=False, hatch=None if real else "////", alpha=1 if real else 0.35)
        ax.text(pixel + 0.5, 0.5, str(pixel - padding) if real else "0", ha="center", va="center_baseline")
    box(ax, padding, 0, size, 1, fill=False, edgecolor=COLORS["input"], linewidth=3)
    fits: dict[str, Any] = {"color": COLORS["window"], "linewidth": 6, "solid_capstyle": "butt"}
    missing: dict[str, Any] = {"color": plt.rcParams["text.color"], "linestyle": (0, (2, 2))}
    for i in range(count + 1):
        y, start, end = 1.4 + 0.52 * i, i * stride, i * stride + kernel_size
        ax.plot([start + 0.08, end - 0.08], [y, y], **(fits if i < count else missing))
        label = str(i + 1) if i < count else "does not fit"
        ax.text(end + 0.1, y, label, va="center_baseline", fontsize="small")
    return ax


def memory(rows: Sequence[tuple[str, Sequence[str]]], classes: Sequence[str], ax: Axes | None = None) -> Axes:
    """Draw how numbers lie in memory: one strip of cells for each row, a colour for each class of cells.

    Parameters
    ----------
    rows : sequence of (label, cells)
        What the strip shows, and the text of its cells, in the order of memory.
    classes : sequence of str
        First characters by which cells are coloured, in the order of the palette.
    ax : Axes, optional
    """
    palette = [COLORS[name] for name in ("gradient", "output", "input")]
    longest = max(len(cells) for _, cells in rows)
    ax = cells_axes(longest, 2.0 * len(rows) - 0.8, 46.0) if ax is None else ax
    for row, (label, cells) in enumerate(rows):
        y = 2.0 * row
        ax.text(0, y - 0.2, label, ha="left", va="bottom")
        for i, text in enumerate(cells):
            color = palette[classes.index(text[0]) % len(palette)]
            box(ax, i, y, facecolor=color, alpha=0.35, edgecolor="none")
            box(ax, i, y, fill=False, linewidth=0.8)
            ax.text(i + 0.5, y + 0.5, text, ha="center", va="center_baseline")
    return ax
