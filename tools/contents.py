"""The pages of the book in the order in which _toc.yml lists them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
TOC = ROOT / "_toc.yml"


def pages_below(node: Any) -> Iterator[str]:
    """Yield the pages of a part of the table of contents, each before those below it.

    >>> toc = {"root": "a", "parts": [{"chapters": [{"file": "b", "sections": [{"file": "c"}]}]}]}
    >>> list(pages_below(toc))
    ['a', 'b', 'c']
    """
    if isinstance(node, list):
        for item in node:
            yield from pages_below(item)
    elif isinstance(node, dict):
        yield from (node[key] for key in ("root", "file") if key in node)
        for value in node.values():
            yield from pages_below(value)


def parts() -> list[tuple[str, list[str]]]:
    """Return the caption and the pages of every part; the first page stands alone, without a caption."""
    toc = yaml.safe_load(TOC.read_text(encoding="utf-8"))
    named = [(part["caption"], list(pages_below(part["chapters"]))) for part in toc["parts"]]
    return [("", [toc["root"]]), *named]


def pages() -> list[str]:
    """Return every page, the first one first."""
    return [page for _, found in parts() for page in found]
