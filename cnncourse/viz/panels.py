"""Figures of several panels: photos and feature maps, and how layers are wired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from cnncourse.colors import COLORS
from cnncourse.viz.drawing import signed_rgba


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
