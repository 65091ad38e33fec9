"""Read what a student handed in, whatever state it is in.

The file is read as plain JSON rather than through ``nbformat``: of a student's notebook only the cells'
types, sources and ids matter here, and those can often still be had where a notebook is not valid.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAX_BYTES = 64_000_000
MAX_CODE = 2_000_000  # characters
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
        The file is missing, a link, too large, empty, cut off, not JSON, or holds no cells.
    """
    if path.is_symlink():
        raise UnreadableError("it is a link to another file, and links are not followed")
    if not path.is_file():
        raise UnreadableError("it is no plain file")
    if path.stat().st_size > MAX_BYTES:
        size = f"{MAX_BYTES / 1e6:g} MB"
        raise UnreadableError(f"it is larger than {size}: clear its outputs and save it again")
    try:
        content = path.read_bytes()
        text = content.decode("utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableError("the file cannot be opened as text") from error
    if not text.strip():
        raise UnreadableError("the file is empty")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("the file is cut off, or was not saved as a notebook") from error
    cells = [cell for raw in _raw_cells(data) if (cell := _cell(raw)) is not None]
    if sum(len(cell.source) for cell in cells if cell.cell_type == "code") > MAX_CODE:
        raise UnreadableError(f"it holds more than {MAX_CODE / 1e6:g} million characters of code")
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
        data = {
            _utf8(mime): text for mime, value in _dict(bundle).items() if (text := _text(value)) is not None
        }
        if data:
            kept[_utf8(name)] = data
    return kept


def _text(value: Any) -> str | None:
    """Return a JSON string, or a list of them joined, as text that can be written as UTF-8."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "".join(value)
    return _utf8(value) if isinstance(value, str) else None


def _utf8(text: str) -> str:
    """Return the text with "?" for halves of characters, which JSON may hold and no file can."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
