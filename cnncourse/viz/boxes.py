"""Figures of boxes on an image: what a detector says, and what is there."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import matplotlib.patheffects as effects
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from cnncourse.boxes import as_boxes, box_iou
from cnncourse.colors import COLORS

LINE, SIZE = 2.2, 13  # CSS pixels: of a frame, of text


def draw_boxes(
    image: ArrayLike,
    boxes: ArrayLike,
    names: Sequence[str] | None = None,
    scores: ArrayLike | None = None,
    truth: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw boxes on an image: predictions solid in their colour, ground truth dashed in black on white.

    The axes of the picture are pixels as boxes count them: pixel (0, 0) reaches from 0 to 1.

    Parameters
    ----------
    image : array_like, shape (H, W, 3) or (H, W)
        Whole numbers are from 0 to 255, others from 0 to 1.
    boxes : array_like, shape (N, 4)
        Predictions: (x1, y1, x2, y2) in pixels. An empty list draws none.
    names : sequence of N str, optional
        Stand at the boxes.
    scores : array_like, shape (N,), optional
        Stand after the names, or alone, with two decimals.
    truth : array_like, shape (M, 4), optional
        Boxes of the objects that are there.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the image has another shape, a box has not four numbers, or names or scores differ from the boxes
        in number.

    Examples
    --------
    >>> ax = draw_boxes(np.zeros((48, 64, 3)), [[8, 8, 30, 40]], ["disc"], [0.9])
    >>> [text.get_text() for text in ax.texts]
    ['disc 0.90']
    """
    pixels = _as_picture(image)
    found, there = as_boxes(boxes), as_boxes([] if truth is None else truth, "truth")
    words = _words(len(found), names, scores)
    height, width = pixels.shape[:2]
    if ax is None:
        ax = plt.figure(figsize=(4, 4 * height / width)).add_axes((0, 0, 1, 1))
    ax.imshow(pixels, cmap="gray", vmin=0, vmax=1, extent=(0, width, height, 0))
    for box in there:
        _frame(ax, box, "white", "-")
        _frame(ax, box, COLORS["truth"], (0, (3, 2)))
    for box in found:
        halo = effects.withStroke(linewidth=LINE + 1.4, foreground="black")
        _frame(ax, box, COLORS["prediction"], "-", path_effects=[halo])
    _write(ax, found, words)
    ax.set_axis_off()
    return ax


def _as_picture(image: ArrayLike) -> NDArray[np.float64]:
    pixels = np.asarray(image)
    if pixels.ndim != 2 and (pixels.ndim != 3 or pixels.shape[2] != 3):
        turned = pixels.ndim == 3 and pixels.shape[0] == 3
        hint = "; np.moveaxis(image, 0, -1) puts the channels last" if turned else ""
        raise ValueError(f"image has shape {pixels.shape}; a picture has shape (H, W, 3) or (H, W){hint}")
    whole = np.issubdtype(pixels.dtype, np.integer)
    return np.clip(pixels.astype(np.float64) / (255 if whole else 1), 0, 1)


def _words(count: int, names: Sequence[str] | None, scores: ArrayLike | None) -> list[str]:
    """Return what stands at each box."""
    if names is not None and len(names) != count:
        raise ValueError(f"{count} boxes, but {len(names)} names")
    given = [] if scores is None else [f"{score:.2f}".replace("-", "−") for score in np.asarray(scores)]
    if scores is not None and len(given) != count:
        raise ValueError(f"{count} boxes, but {len(given)} scores")
    pairs = zip_longest([] if names is None else names, given, fillvalue="")
    return [f"{name} {score}".strip() for name, score in pairs] or [""] * count


def _frame(ax: Axes, box: NDArray[np.float64], color: str, dash: Any, **style: Any) -> None:
    x1, y1, x2, y2 = box
    ax.add_patch(
        Rectangle(
            (x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor=color, linestyle=dash, linewidth=LINE, **style
        )
    )


def _write(ax: Axes, boxes: NDArray[np.float64], words: list[str]) -> None:
    """Write at a corner of each box: where it fits into the picture, and if possible on no other text."""
    width, height = ax.get_xlim()[1], ax.get_ylim()[0]
    shape = ax.get_window_extent()
    line = 1.5 * SIZE / shape.height * height  # of text, in pixels of the picture
    letter = 0.62 * SIZE / shape.width * width
    taken: list[NDArray[np.float64]] = []
    for (x1, y1, x2, y2), word in zip(boxes, words, strict=True):
        if not word:
            continue
        long = letter * len(word)
        places = [(x, y) for y in (y1, y2 + line) for x in (x1, x2 - long)]  # where the text's lower left is
        places = [(min(max(x, 0), max(width - long, 0)), max(min(y, height), line)) for x, y in places]
        areas = [np.array([x, y - line, x + long, y]) for x, y in places]
        clashes = [box_iou([area], taken).sum() if taken else 0.0 for area in areas]
        best = int(np.argmin(clashes))
        taken.append(areas[best])
        ax.text(
            *places[best], word, fontsize=SIZE, color="black", va="bottom",
            bbox={"facecolor": COLORS["prediction"], "edgecolor": "none", "pad": 1},
        )  # fmt: skip
