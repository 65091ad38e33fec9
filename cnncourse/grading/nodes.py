"""Make and read notebook nodes; nbformat declares no types for either."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode


def node(**fields: Any) -> NotebookNode:
    """Return a cell or an output with these fields; dictionaries inside become nodes as well."""
    made: NotebookNode = nbformat.from_dict(fields)  # type: ignore[no-untyped-call]
    return made


def new_cell(cell_type: str, source: str, cell_id: str) -> NotebookNode:
    """Return a cell without metadata."""
    code: dict[str, Any] = {"execution_count": None, "outputs": []} if cell_type == "code" else {}
    return node(cell_type=cell_type, id=cell_id, metadata={}, source=source, **code)


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook of the course's own, which is known to be valid."""
    notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def is_grade(cell: NotebookNode) -> bool:
    """Return whether nbgrader expects points for a cell. (Importing nbgrader takes a second.)"""
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))


def is_solution(cell: NotebookNode) -> bool:
    """Return whether a cell is an answer, as nbgrader sees it."""
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def is_locked(cell: NotebookNode) -> bool:
    """Return whether nbgrader puts a cell back as it was released: one that is a check, or is locked."""
    if is_solution(cell):
        return False
    return is_grade(cell) or bool(cell.metadata.get("nbgrader", {}).get("locked"))


def same_text(one: str, other: str) -> bool:
    """Return whether two sources differ at most in spaces at the ends of lines and in empty lines around."""
    return [line.rstrip() for line in one.strip().splitlines()] == [
        line.rstrip() for line in other.strip().splitlines()
    ]
