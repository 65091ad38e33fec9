"""Catch what an answer prints and warns, and put back the settings that it changes."""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Iterator

import numpy as np

MAX_PRINTED = 2_000  # characters kept of what an answer prints


class Printed(io.StringIO):
    """Keeps the beginning of what is printed, however much there is, and stays open."""

    def write(self, text: str) -> int:
        """Keep the text while there is room."""
        room = MAX_PRINTED - self.tell()
        if room > 0:
            super().write(text[:room])
        return len(text)

    def close(self) -> None:
        """Do nothing: what was printed is read afterwards."""


@contextlib.contextmanager
def caught() -> Iterator[tuple[Printed, list[warnings.WarningMessage]]]:
    """Catch prints and warnings; put back NumPy's settings and the recursion limit."""
    printed, limit = Printed(), sys.getrecursionlimit()
    with warnings.catch_warnings(record=True) as found, np.errstate(), np.printoptions():
        warnings.simplefilter("always")
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                yield printed, found
        finally:
            sys.setrecursionlimit(limit)
