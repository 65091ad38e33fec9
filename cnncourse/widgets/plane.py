"""What explorers with boxes have in common: a picture to drag them in, and traits that hold them."""

from __future__ import annotations

from typing import Any, ClassVar

from cnncourse.widgets.explorer import Checked, Explorer, is_number


class PlaneExplorer(Explorer):
    """An explorer whose figure is a picture with boxes to drag."""

    parts: ClassVar[tuple[str, ...]] = ("boxes.js", "plane.js", "panel.js")
    styles: ClassVar[tuple[str, ...]] = ("plane.css", "tables.css")


class Box(Checked):
    """A box (x1, y1, x2, y2) inside a picture of a size in pixels."""

    def __init__(self, default: list[float], width: float, height: float) -> None:
        super().__init__(default)
        self.size = (width, height)

    def make_dynamic_default(self) -> list[float]:
        """Return a copy, so that no two explorers share one list."""
        return list(self.default_value)

    def check(self, value: Any) -> str:
        return _problem(value, self.size)

    def plain(self, value: Any) -> list[float]:
        return list(value)


class Boxes(Checked):
    """A list of boxes inside a picture of a size in pixels; it may be empty."""

    def __init__(self, default: list[list[float]], width: float, height: float, most: int) -> None:
        super().__init__(default)
        self.size, self.most = (width, height), most

    def make_dynamic_default(self) -> list[list[float]]:
        """Return a copy, so that no two explorers share one list."""
        return self.plain(self.default_value)

    def check(self, value: Any) -> str:
        if not isinstance(value, list | tuple) or len(value) > self.most:
            return f"must be a list of at most {self.most} boxes"
        for index, box in enumerate(value):
            if problem := _problem(box, self.size):
                return f"box {index} {problem}"
        return ""

    def plain(self, value: Any) -> list[list[float]]:
        return [list(box) for box in value]


class Numbers(Checked):
    """A list of numbers between two others; it may be empty."""

    def __init__(self, default: list[float], least: float, most: float, length: int) -> None:
        super().__init__(default)
        self.least, self.most, self.length = least, most, length

    def make_dynamic_default(self) -> list[float]:
        """Return a copy, so that no two explorers share one list."""
        return list(self.default_value)

    def check(self, value: Any) -> str:
        right = isinstance(value, list | tuple) and len(value) <= self.length
        if right and all(is_number(number) and self.least <= number <= self.most for number in value):
            return ""
        return f"must be at most {self.length} numbers from {self.least:g} to {self.most:g}"

    def plain(self, value: Any) -> list[float]:
        return list(value)


def _problem(box: Any, size: tuple[float, float]) -> str:
    """Return what is wrong with a box, or nothing."""
    if not isinstance(box, list | tuple) or len(box) != 4 or not all(map(is_number, box)):
        return "must be four numbers x1, y1, x2, y2"
    x1, y1, x2, y2 = box
    if x2 < x1 or y2 < y1:
        return "must not end before it begins: x1, y1, x2, y2 is the order"
    if min(x1, y1) < 0 or x2 > size[0] or y2 > size[1]:
        return f"must lie in the picture, {size[0]:g} wide and {size[1]:g} high"
    return ""
