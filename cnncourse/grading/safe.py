"""Make what came from a student, or from the kernel that ran it, harmless to show in a browser."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from nbformat import NotebookNode

from cnncourse.grading.escaping import ESCAPES, as_code, clean, safe_markdown
from cnncourse.grading.images import attached_images, safe_image
from cnncourse.grading.nodes import node

MAX_MARKDOWN = 120_000  # characters of all Markdown of a student's; what comes later is shown as plain text
MAX_OUTPUTS = 100  # of one cell
MAX_LINES = 1000  # of one output
MAX_TEXT = 200_000  # characters of one output
MAX_ERROR = 20_000  # characters of a traceback

DISPLAYED = ("image/png", "image/jpeg")
REWRITTEN = re.compile(r"(?m)^[^\n]*\r(?=[^\n\r])")  # what a line of progress shows last


def safe_notebook(notebook: NotebookNode, released: NotebookNode) -> None:
    """Make every Markdown and raw cell harmless, in place, unless it is just as released."""
    ours = {cell.get("id"): cell for cell in released.cells}
    names = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in released.cells}
    taken = {name for name in names if isinstance(name, str)}
    room = MAX_MARKDOWN
    for cell in notebook.cells:
        if cell.cell_type == "code" or not _same(cell, ours.get(cell.get("id"))):
            room -= 0 if cell.cell_type == "code" else len(cell.source)
            safe_cell(cell, taken, plain=room < 0)


def safe_cell(cell: NotebookNode, taken: Collection[str] = (), plain: bool = False) -> None:
    """Make a cell of a student's harmless, in place; a raw cell becomes Markdown that shows its text.

    Code cells keep their source, which nobody reads as HTML. Their outputs are for `safe_outputs`.

    Parameters
    ----------
    cell : NotebookNode
        The cell.
    taken : collection of str
        nbgrader's names of cells; no heading may have one of them.
    plain : bool
        Whether Markdown is shown as plain text too.
    """
    given = cell.pop("attachments", None)
    if cell.cell_type == "code":
        return
    if cell.cell_type == "raw" or plain:
        cell.cell_type, cell.source = "markdown", as_code(cell.source)
        for name in ("raw_mimetype", "format"):
            cell.metadata.pop(name, None)
        return
    images, names = attached_images(given)
    cell.source = safe_markdown(cell.source, names, taken)
    if images:
        cell["attachments"] = node(**images)


def safe_outputs(outputs: Iterable[Any], max_bytes: int = 2_000_000) -> list[NotebookNode]:
    """Return the outputs of a cell that can be shown: text, PNG and JPEG images, and errors.

    Text to stderr is shown as stdout, for nbgrader takes the one as failure. A line at the end says what was
    left out.

    Parameters
    ----------
    outputs : iterable
        What a kernel sent, as from JSON. Anything that is not an output as Jupyter defines it is dropped.
    max_bytes : int
        How much of it is shown.
    """
    shown: list[NotebookNode] = []
    room, left_out, failed = max_bytes, 0, False
    for output in _joined(outputs):
        size = len(str(output).encode()) if output else 0
        first_error = output is not None and output.output_type == "error" and not failed
        if output is None or not (first_error or (size <= room and len(shown) < MAX_OUTPUTS)):
            left_out += 1
            continue
        failed |= first_error
        room -= size
        shown.append(output)
    if left_out:
        what = f"{left_out} output{'s' * (left_out > 1)} of this cell left out"
        limit = f"text, errors, PNG and JPEG images are shown, {max_bytes / 1e6:g} MB of them at most"
        shown.append(node(output_type="stream", name="stdout", text=f"{what}: {limit}.\n"))
    return shown


def _joined(outputs: Iterable[Any]) -> Iterator[NotebookNode | None]:
    """Yield the outputs in a form that can be shown, None for others; what was printed in pieces is one."""
    printed: list[str] = []
    for raw in outputs:
        text = (
            _string(raw.get("text")) if isinstance(raw, dict) and raw.get("output_type") == "stream" else None
        )
        if text is not None:
            printed.append(text)
            continue
        yield from _stream(printed)
        printed = []
        yield _output(raw) if isinstance(raw, dict) else None
    yield from _stream(printed)


def _stream(printed: list[str]) -> Iterator[NotebookNode]:
    if text := "".join(printed):
        yield node(output_type="stream", name="stdout", text=_shortened(text))


def _output(raw: dict[Any, Any]) -> NotebookNode | None:
    """Return a display, a result or an error; None if it is nothing that is shown."""
    match raw.get("output_type"):
        case "error":
            return _error(raw)
        case "display_data" | "execute_result" as kind:
            data = _bundle(raw.get("data"))
        case _:
            return None
    if not data:
        return None
    if kind == "display_data":
        return node(output_type=kind, data=data, metadata=_sizes(raw.get("metadata"), data))
    count = raw.get("execution_count")
    number = count if type(count) is int and 0 <= count < 10**6 else None
    metadata = _sizes(raw.get("metadata"), data)
    return node(output_type=kind, data=data, metadata=metadata, execution_count=number)


def _error(raw: dict[Any, Any]) -> NotebookNode:
    lines = raw.get("traceback")
    texts = [text for line in lines if (text := _string(line)) is not None] if isinstance(lines, list) else []
    name = clean(_string(raw.get("ename")) or "Error")[:100]
    value = clean(_string(raw.get("evalue")) or "")[:1000]
    traceback = _shortened("\n".join(texts), MAX_ERROR).split("\n") if texts else [f"{name}: {value}"]
    return node(output_type="error", ename=name, evalue=value, traceback=traceback)


def _bundle(raw: Any) -> dict[str, str]:
    """Return the text and the images of a display."""
    if not isinstance(raw, dict):
        return {}
    text = _string(raw.get("text/plain"))
    data = {} if text is None else {"text/plain": _shortened(text)}
    images = {kind: image for kind in DISPLAYED if (image := safe_image(kind, _string(raw.get(kind))))}
    return data | images


def _sizes(raw: Any, data: dict[str, str]) -> dict[str, dict[str, int]]:
    """Return the widths and heights at which images are to be shown."""
    sizes = {}
    for kind in DISPLAYED:
        about = raw.get(kind) if isinstance(raw, dict) and kind in data else None
        given = about if isinstance(about, dict) else {}
        size = {side: given[side] for side in ("width", "height") if type(given.get(side)) is int}
        if size and all(0 < pixels <= 4000 for pixels in size.values()):
            sizes[kind] = size
    return sizes


def _shortened(text: str, most: int = MAX_TEXT) -> str:
    """Return text without colours and control characters, and without its middle where it is long."""
    text = _without_middle(text, 10 * most)
    text = clean(REWRITTEN.sub("", ESCAPES.sub("", text).replace("\r\n", "\n")))
    lines = text.split("\n")
    if (more := len(lines) - MAX_LINES) > 0:
        half = MAX_LINES // 2
        text = "\n".join([*lines[:half], f"... {more:,} lines left out ...", *lines[-half:]])
    return _without_middle(text, most)


def _without_middle(text: str, most: int) -> str:
    if (more := len(text) - most) <= 0:
        return text
    return f"{text[: most // 2]}\n... {more:,} characters left out ...\n{text[-most // 2 :]}"


def _string(value: Any) -> str | None:
    """Return a JSON string, or a list of them joined."""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "".join(value)
    return value if isinstance(value, str) else None


def _same(cell: NotebookNode, released: NotebookNode | None) -> bool:
    parts = ("cell_type", "source", "attachments")
    return released is not None and all(cell.get(part) == released.get(part) for part in parts)
