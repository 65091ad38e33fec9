"""The base of all explorers: one module for the browser, and traits that hold plain data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from textwrap import fill
from typing import Any, ClassVar

import anywidget
import traitlets

HERE = Path(__file__).parent
SHARED = ("shared.js", "grid.js")  # stand before each explorer's own module


class Explorer(anywidget.AnyWidget):
    """A live figure: its logic runs in the browser, its state is readable and settable here.

    A subclass names its `module`, and the `parts` and `styles` it needs beside the shared ones. In `shows` it
    says in words what one sees and can do; it gives `question` a default that only using it answers.

    Parameters
    ----------
    question : str
        Stands above the explorer.
    """

    module: ClassVar[str]
    parts: ClassVar[tuple[str, ...]] = ()  # JavaScript that several explorers share
    styles: ClassVar[tuple[str, ...]] = ()
    shows: ClassVar[str]
    height: ClassVar[tuple[int, int]] = (600, 1000)  # pixels, on a wide page and on a phone: kept free for it
    _css = HERE.joinpath("shared.css").read_text(encoding="utf-8")

    question = traitlets.Unicode().tag(sync=True)
    _height = traitlets.Tuple().tag(sync=True)

    @traitlets.default("_height")
    def _own_height(self) -> tuple[int, int]:
        return self.height

    def __init_subclass__(cls, **settings: Any) -> None:
        if "module" in cls.__dict__:
            cls._esm = "\n".join(_source(name) for name in (*SHARED, *cls.parts, cls.module))
        if "styles" in cls.__dict__:
            cls._css = "\n".join(_source(name) for name in ("shared.css", *cls.styles))
        super().__init_subclass__(**settings)

    def in_words(self) -> str:
        """Return what stands in its place where no explorer can run: on paper, without JavaScript."""
        return f"{self.question} (Interactive figure. {self.shows})"

    def _repr_mimebundle_(self, **settings: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**settings)
        if bundle is not None:
            bundle[0]["text/plain"] = fill(self.in_words(), width=88)
        return bundle


class Checked(traitlets.TraitType[Any, Any]):
    """A trait that travels to the browser and whose `check` says what is wrong with a value."""

    def __init__(self, default: Any) -> None:
        super().__init__(default_value=default)
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> Any:
        """Return the value as plain data, or raise TraitError with the line that `check` gives."""
        value = value.tolist() if hasattr(value, "tolist") else value  # NumPy's arrays and numbers
        problem = self.check(value)
        if problem:
            raise traitlets.TraitError(f"{self.name} (={shortened(value)}) {problem}")
        return self.plain(value)

    def check(self, value: Any) -> str:
        """Return what the value must be, or nothing if it is."""
        raise NotImplementedError

    def plain(self, value: Any) -> Any:
        """Return a right value as it is kept."""
        return value


class Whole(Checked):
    """A whole number between two others."""

    def __init__(self, default: int, least: int, most: int) -> None:
        super().__init__(default)
        self.least, self.most = least, most

    def check(self, value: Any) -> str:
        if type(value) is int and self.least <= value <= self.most:
            return ""
        return f"must be a whole number from {self.least} to {self.most}"


class Real(Checked):
    """A number between two others."""

    def __init__(self, default: float, least: float, most: float) -> None:
        super().__init__(default)
        self.least, self.most = least, most

    def check(self, value: Any) -> str:
        if is_number(value) and self.least <= value <= self.most:
            return ""
        return f"must be a number from {self.least:g} to {self.most:g}"


class Choice(Checked):
    """One of a few words."""

    def __init__(self, default: str, values: Sequence[str]) -> None:
        super().__init__(default)
        self.values = tuple(values)

    def check(self, value: Any) -> str:
        if isinstance(value, str) and value in self.values:
            return ""
        return f"must be one of {', '.join(map(repr, self.values))}"


class Flag(Checked):
    """True or False."""

    def check(self, value: Any) -> str:
        return "" if isinstance(value, bool) else "must be True or False"


class Matrix(Checked):
    """Rows of numbers, as lists; an array is taken too."""

    def __init__(self, default: list[list[float]], rows: tuple[int, int], columns: tuple[int, int]) -> None:
        super().__init__(default)
        self.rows, self.columns = rows, columns

    def make_dynamic_default(self) -> list[list[float]]:
        """Return a copy, so that no two explorers share one list."""
        return self.plain(self.default_value)

    def check(self, value: Any) -> str:
        lists = isinstance(value, list | tuple) and all(isinstance(row, list | tuple) for row in value)
        if not lists or len({len(row) for row in value}) != 1:
            return "must be rows of numbers, all of one length"
        if not all(is_number(number) for row in value for number in row):
            return "must hold finite numbers only"
        sizes = ((len(value), self.rows, "rows"), (len(value[0]), self.columns, "columns"))
        for size, (least, most), axis in sizes:
            if not least <= size <= most:
                return f"has {size} {axis}; there may be {least} to {most}"
        return ""

    def plain(self, value: Any) -> list[list[float]]:
        return [list(row) for row in value]


class Position(Checked):
    """A row and a column, both at least zero; the explorer takes the nearest place that exists."""

    def make_dynamic_default(self) -> list[int]:
        """Return a copy, so that no two explorers share one list."""
        return list(self.default_value)

    def check(self, value: Any) -> str:
        right = isinstance(value, list | tuple) and len(value) == 2
        if right and all(type(number) is int and number >= 0 for number in value):
            return ""
        return "must be a row and a column, whole numbers from 0"

    def plain(self, value: Any) -> list[int]:
        return list(value)


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def shortened(value: Any, most: int = 60) -> str:
    """Return how a value is written, cut where it is long."""
    text = repr(value)
    return text if len(text) <= most else text[: most - 1] + "…"


@cache
def _source(name: str) -> str:
    return HERE.joinpath(name).read_text(encoding="utf-8")
