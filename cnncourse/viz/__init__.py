"""Figures: every function takes data and returns Axes.

Lines and text have the foreground colour of the style in use (`text.color`), so that one function serves the
book, whose pages are light or dark, and a notebook.
"""

from cnncourse.viz.boxes import draw_boxes
from cnncourse.viz.drawing import number, signed_rgba, use_book_style
from cnncourse.viz.grids import Grid, draw_grid, equation, memory, windows
from cnncourse.viz.panels import images, wiring

__all__ = [
    "Grid",
    "draw_boxes",
    "draw_grid",
    "equation",
    "images",
    "memory",
    "number",
    "signed_rgba",
    "use_book_style",
    "windows",
    "wiring",
]
