"""Figures: every function takes data and returns Axes.

Lines and text have the foreground colour of the style in use (`text.color`), so that one function serves the
book, whose pages are light or dark, and a notebook.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from cnncourse.colors import COLORS, NEGATIVE, POSITIVE
from cnncourse.shapes import conv_output_size

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
    ax = _cells_axes(sum(widths) + gap * (len(parts) - 1), tallest, cell) if ax is None else ax
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
        _box(ax, x, y, facecolor=fill[row, column], edgecolor="none")
        _box(ax, x, y, fill=False, linewidth=0.5, alpha=0.35, hatch=hatch)
        ax.text(x + 0.5, y + 0.5, number(value), ha="center", va="center_baseline")
    H, W = values.shape
    _box(ax, left, top, W, H, fill=False, edgecolor=COLORS[grid.role], linewidth=3)
    if grid.window:
        row, column, height, width = grid.window
        x, y = left + column + 0.06, top + row + 0.06
        style: dict[str, Any] = {"edgecolor": COLORS["window"], "linewidth": 4, "linestyle": (0, (2, 0.6))}
        _box(ax, x, y, width - 0.12, height - 0.12, fill=False, **style)
    ax.text(left + W / 2, top - 0.22, grid.label, ha="center", va="bottom")


def number(value: float) -> str:
    """Return a number as it is printed in a cell: short, with a real minus sign.

    Examples
    --------
    >>> number(-2.0), number(0.25)
    ('−2', '0.25')
    """
    return f"{value:.3g}".replace("-", "−")


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
    ax = _cells_axes(width, 1.3 + 0.52 * (count + 1), 40.0, above=0.12) if ax is None else ax
    for pixel in range(padded):
        real = padding <= pixel < padding + size
        _box(ax, pixel, 0, fill=False, hatch=None if real else "////", alpha=1 if real else 0.35)
        ax.text(pixel + 0.5, 0.5, str(pixel - padding) if real else "0", ha="center", va="center_baseline")
    _box(ax, padding, 0, size, 1, fill=False, edgecolor=COLORS["input"], linewidth=3)
    fits: dict[str, Any] = {"color": COLORS["window"], "linewidth": 6, "solid_capstyle": "butt"}
    missing: dict[str, Any] = {"color": plt.rcParams["text.color"], "linestyle": (0, (2, 2))}
    for i in range(count + 1):
        y, start, end = 1.4 + 0.52 * i, i * stride, i * stride + kernel_size
        ax.plot([start + 0.08, end - 0.08], [y, y], **(fits if i < count else missing))
        label = str(i + 1) if i < count else "does not fit"
        ax.text(end + 0.1, y, label, va="center_baseline", fontsize="small")
    return ax


def images(
    panels: Sequence[tuple[str, ArrayLike]], columns: int = 2, limit: float | None = None
) -> list[Axes]:
    """Draw photos and feature maps side by side.

    Parameters
    ----------
    panels : sequence of (label, array)
        Shape (3, H, W) with values in [0, 1] is a colour photo, shape (H, W) a signed map.
    columns : int
    limit : float, optional
        The absolute value that gets the strongest colour in every map; by default each map's own largest.
    """
    arrays = [np.asarray(array, dtype=np.float64) for _, array in panels]
    rows = -(-len(arrays) // columns)
    height, width = arrays[0].shape[-2:]
    panel = 576 / columns / 72
    size = (576 / 72, rows * (panel * height / width + 26 / 72))
    axes = plt.figure(figsize=size, layout="constrained").subplots(rows, columns, squeeze=False)
    for ax, (label, _), array in zip(axes.flat, panels, arrays, strict=False):
        ax.imshow(np.moveaxis(array, 0, -1) if array.ndim == 3 else signed_rgba(array, limit))
        ax.set_title(label, fontsize="medium")
    for ax in axes.flat:
        ax.set_axis_off()
    return list(axes.flat)[: len(arrays)]


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
    ax = _cells_axes(longest, 2.0 * len(rows) - 0.8, 46.0) if ax is None else ax
    for row, (label, cells) in enumerate(rows):
        y = 2.0 * row
        ax.text(0, y - 0.2, label, ha="left", va="bottom")
        for i, text in enumerate(cells):
            color = palette[classes.index(text[0]) % len(palette)]
            _box(ax, i, y, facecolor=color, alpha=0.35, edgecolor="none")
            _box(ax, i, y, fill=False, linewidth=0.8)
            ax.text(i + 0.5, y + 0.5, text, ha="center", va="center_baseline")
    return ax


def wiring(
    panels: Sequence[tuple[str, Sequence[ArrayLike]]], columns: int = 4, channels: int = 1
) -> list[Axes]:
    """Draw which inputs the units of a layer read: inputs below, outputs above, a line for each weight.

    The lines of one output in the middle are drawn strongly. Lines of one style carry the same weight; a thin
    line in the colour of the text is a weight that is used once. With more than six shared weights, all of
    them have one style.

    Parameters
    ----------
    panels : sequence of (label, stages)
        A stage is a matrix of whole numbers, shape (outputs, inputs): 0 is no line, equal numbers are one
        weight. Several stages are drawn one above the other.
    columns : int
    channels : int
        Parts into which every row of units is divided, with a gap between them.
    """
    stages = [[np.asarray(stage, dtype=np.int64) for stage in given] for _, given in panels]
    rows = [stages[start : start + columns] for start in range(0, len(stages), columns)]
    heights = [0.9 * max(map(len, row)) + 0.45 for row in rows]
    figure = plt.figure(figsize=(576 / 72, sum(heights)), layout="constrained")
    axes = figure.subplots(len(rows), columns, squeeze=False, height_ratios=heights)
    for ax, (label, _), given in zip(axes.flat, panels, stages, strict=False):
        counts = [given[0].shape[1], *(len(stage) for stage in given)]
        places = [_row_of_units(count, channels, max(counts)) for count in counts]
        part = counts[-1] // channels
        seen = {channels // 2 * part + part // 2}
        for level in range(len(given), 0, -1):
            seen = _draw_lines(ax, given[level - 1], places[level - 1], places[level], level, seen)
        for level, place in enumerate(places):
            ink, ends = plt.rcParams["text.color"], {0: COLORS["input"], len(given): COLORS["output"]}
            style: dict[str, Any] = {"markersize": 7, "markeredgecolor": ink, "zorder": 3}
            ax.plot(place, np.full(len(place), level), "s", color=ends.get(level, ink), **style)
        ax.set_title(label, fontsize="medium")
        ax.set(ylim=(-0.25, len(given) + 0.25))
        ax.margins(x=0.08)
    for ax in axes.flat:
        ax.set_axis_off()
    return list(axes.flat)[: len(panels)]


def _row_of_units(count: int, channels: int, widest: int) -> NDArray[np.float64]:
    """Return where the units of a row stand, in the middle of the widest row, channel by channel."""
    part = -(-count // channels)
    place = np.arange(count) + (np.arange(count) // part if channels > 1 else 0) * 0.8
    room = widest - 1 + (0.8 * (channels - 1) if channels > 1 else 0)
    centred: NDArray[np.float64] = place + (room - place[-1]) / 2
    return centred


def _draw_lines(
    ax: Axes,
    stage: NDArray[np.int64],
    below: NDArray[np.float64],
    above: NDArray[np.float64],
    level: int,
    seen: set[int],
) -> set[int]:
    """Draw the lines of one stage, those to the units in `seen` strongly; return where these come from."""
    styles = [
        (COLORS[name], dash) for name in ("kernel", "window") for dash in ("-", (0, (4, 1.5)), (0, (1, 1)))
    ]
    used = np.bincount(stage.ravel(), minlength=int(stage.max()) + 1)
    styles = styles[:1] if np.sum(used[1:] > 1) > len(styles) else styles
    found = set()
    for unit, given in np.argwhere(stage):
        weight = stage[unit, given]
        color, dash = styles[(weight - 1) % len(styles)]
        if used[weight] == 1:
            color, dash = plt.rcParams["text.color"], "-"
        strong = unit in seen
        width = 2.6 if strong and used[weight] > 1 else 1.2
        ax.plot(
            [below[given], above[unit]], [level - 1, level], color=color, linestyle=dash, linewidth=width,
            alpha=1.0 if strong else 0.28, zorder=2 if strong else 1,
        )  # fmt: skip
        if strong:
            found.add(int(given))
    return found


def _box(ax: Axes, x: float, y: float, width: float = 1, height: float = 1, **style: Any) -> None:
    ax.add_patch(Rectangle((x, y), width, height, **{"edgecolor": plt.rcParams["text.color"], **style}))


def _cells_axes(width: float, height: float, cell: float, above: float = 0.8) -> Axes:
    """Return Axes of their own figure, one cell a unit, y downwards, with room for labels above."""
    margin = 0.12
    cell = min(cell, 576 / (width + 2 * margin))
    size = ((width + 2 * margin) * cell / 72, (height + above + margin) * cell / 72)
    ax = plt.figure(figsize=size).add_axes((0, 0, 1, 1))
    ax.set(xlim=(-margin, width + margin), ylim=(height + margin, -above))
    ax.set_axis_off()
    return ax
