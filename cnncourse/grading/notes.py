"""What the instructor and the student are told of a submission besides its points."""

from __future__ import annotations

from collections.abc import Sequence

from nbformat import NotebookNode

from cnncourse.grading.nodes import new_cell

NOTE_ID = "grading-notes"


def add_notes(notebook: NotebookNode, notes: Sequence[str]) -> None:
    """Write `notes`, behind those that are there, into the metadata and a cell at the top, in place."""
    if not notes:
        return
    every = [*notebook.metadata.get("cnncourse", {}).get("notes", []), *notes]
    notebook.metadata["cnncourse"] = {"notes": every}
    text = "**Notes from grading**\n\n" + "\n".join(f"- {note}" for note in every)
    if notebook.cells and notebook.cells[0].get("id") == NOTE_ID:
        del notebook.cells[0]
    notebook.cells.insert(0, new_cell("markdown", text, NOTE_ID))


def grade_id(cell: NotebookNode) -> str | None:
    """Return nbgrader's id of a cell."""
    name = cell.metadata.get("nbgrader", {}).get("grade_id")
    return None if name is None else str(name)


def printable(text: str) -> str:
    """Return text as it may go to a terminal: without what moves or colours the text behind it."""
    return "".join(char if char.isprintable() else "?" for char in text)


def plain_words(text: str) -> str:
    """Return text as it may stand in a note, which is Markdown and goes to a terminal too."""
    return "".join("?" if char in "<>&$\\|" else char for char in printable(text))


def cell_names(cells: Sequence[NotebookNode], places: Sequence[int], most: int = 6) -> str:
    """Return how to call the cells at these places in a note: by grade id, else by the first line."""
    names = []
    for place in places[:most]:
        first = (cells[place].source.strip().splitlines() or [""])[0].strip("#` ").replace("`", "'")
        names.append(f"`{grade_id(cells[place]) or plain_words(first[:40])}`")
    rest = len(places) - most
    return ", ".join(names) + (f" and {rest} more" if rest > 0 else "")
