"""Read what a student handed in, whatever state it is in.

The file is read as plain JSON rather than through ``nbformat``: of a student's notebook only the cells'
types, sources and ids matter here, and those can often still be had where a notebook is not valid.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CELL_TYPES = ("code", "markdown", "raw")


class UnreadableError(ValueError):
    """A file that is no notebook; the message says why, as the end of a sentence."""


@dataclass(frozen=True)
class SubmittedCell:
    """One cell of a submission, reduced to what grading looks at.

    Attributes
    ----------
    cell_type : str
        ``"code"``, ``"markdown"`` or ``"raw"``.
    source : str
        What stands in the cell.
    cell_id, grade_id : str or None
        Jupyter's id of the cell and nbgrader's.
    marks : dict
        nbgrader's metadata of the cell as the student handed it in.
    tags : list of str
        The cell's tags.
    attachments : dict
        Images pasted into a Markdown cell: ``{name: {mime type: base64 text}}``.
    """

    cell_type: str
    source: str
    cell_id: str | None = None
    grade_id: str | None = None
    marks: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    attachments: dict[str, dict[str, str]] = field(default_factory=dict)


def read_cells(path: Path) -> list[SubmittedCell]:
    """Return the cells of the notebook at `path`.

    Raises
    ------
    UnreadableError
        The file is missing, empty, cut off, not JSON, or holds no cells.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableError("the file cannot be opened as text") from error
    if not text.strip():
        raise UnreadableError("the file is empty")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("the file is cut off, or was not saved as a notebook") from error
    cells = [cell for raw in _raw_cells(data) if (cell := _cell(raw)) is not None]
    if not cells:
        raise UnreadableError("there are no cells in it")
    return cells


def _raw_cells(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the cells as they stand in the file; notebooks before version 4 kept them in worksheets."""
    if not isinstance(data, dict):
        return
    sheets = [data, *_list(data.get("worksheets"))]
    for sheet in sheets:
        if isinstance(sheet, dict):
            yield from (cell for cell in _list(sheet.get("cells")) if isinstance(cell, dict))


def _cell(raw: dict[str, Any]) -> SubmittedCell | None:
    source = _text(raw.get("source", raw.get("input")))
    if source is None:
        return None
    metadata = _dict(raw.get("metadata"))
    marks = _dict(metadata.get("nbgrader"))
    cell_type = raw.get("cell_type")
    return SubmittedCell(
        cell_type=cell_type if cell_type in CELL_TYPES else "markdown",
        source=source,
        cell_id=_text(raw.get("id")),
        grade_id=_text(marks.get("grade_id")),
        marks=marks,
        tags=[tag for tag in _list(metadata.get("tags")) if isinstance(tag, str)],
        attachments=_attachments(raw.get("attachments")),
    )


def _attachments(raw: Any) -> dict[str, dict[str, str]]:
    kept = {}
    for name, bundle in _dict(raw).items():
        data = {mime: text for mime, value in _dict(bundle).items() if (text := _text(value)) is not None}
        if data:
            kept[name] = data
    return kept


def _text(value: Any) -> str | None:
    """Return a JSON string, or a list of them joined, as text that can be written as UTF-8."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "".join(value)
    if not isinstance(value, str):
        return None
    return value.encode("utf-8", "replace").decode("utf-8")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def find_notebook(folder: Path, name: str, ids: Iterable[str]) -> tuple[list[SubmittedCell], list[str]]:
    """Find and read the notebook that a student handed in for the released notebook `name`.

    A file of the released name wins; where there is none, or it cannot be read or holds none of the lab's
    cells, the file with the most of the lab's cells is taken, so that "ch02_conv2d (1).ipynb" is graded as
    well.

    Parameters
    ----------
    folder : Path
        The student's folder for this assignment.
    name : str
        File name of the released notebook.
    ids : iterable of str
        Cell ids and grade ids of the released notebook.

    Returns
    -------
    cells : list of SubmittedCell
        Empty where nothing could be read.
    notes : list of str
        What there is to say about it, one plain line each.
    """
    known = set(ids)
    readable: list[tuple[tuple[bool, bool, int, str], Path, list[SubmittedCell]]] = []
    notes: list[str] = []
    paths = _candidates(folder)
    for path in paths:
        try:
            cells = read_cells(path)
        except UnreadableError as error:
            notes.append(f"The file `{plain(path.name)}` could not be read: {error}.")
            continue
        shared = sum(cell.grade_id in known or cell.cell_id in known for cell in cells)
        readable.append(((shared > 0, path.name == name, shared, path.name), path, cells))
    if not readable:
        notes = notes or ["No notebook was handed in."]
        return [], [
            *notes,
            "The lab below is graded as not begun: please save your notebook and hand it in again.",
        ]
    _, chosen, cells = max(readable, key=lambda found: found[0])
    if len(paths) > 1:
        notes.append(f"There were {len(paths)} notebooks; `{plain(chosen.name)}` was graded.")
    elif chosen.name != name:
        notes.append(f"The notebook was handed in as `{plain(chosen.name)}`; it was graded as `{name}`.")
    return cells, notes


def _candidates(folder: Path) -> list[Path]:
    """Return every file that may be a notebook: also "x.ipynb.txt" and "X.IPYNB", also in folders below."""
    return sorted(
        path
        for path in folder.rglob("*")
        if ".ipynb" in path.name.lower() and ".ipynb_checkpoints" not in path.parts and not path.is_dir()
    )


def plain(name: str) -> str:
    """Return a student's file name as text that is safe to show inside backquotes."""
    return "".join(char if char.isprintable() and char not in "`<>" else "?" for char in name)
