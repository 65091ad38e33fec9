"""Put the answer to an open question where the question asks for it."""

from __future__ import annotations

from collections.abc import Sequence

from nbformat import NotebookNode

from cnncourse.grading.nodes import is_grade, is_solution, same_text

NOTE = "The answer to the open question stood in a cell of its own; it was put in its place."


def move_answers(
    cells: Sequence[NotebookNode],
    released: Sequence[NotebookNode],
    present: Sequence[int],
    added: dict[int, list[NotebookNode]],
) -> list[str]:
    """Fill untouched answer cells that a person grades from the student's own Markdown cells around them.

    nbgrader gives such a cell 0 points and shows it to nobody as long as its text is the released one. Taken
    are the added cells behind it and those above it, up to the Markdown cell that asks the question.

    Parameters
    ----------
    cells, released : sequence of NotebookNode
        The lab with the student's answers, which is changed in place, and as it was released.
    present : sequence of int
        The places that the submission has a cell for, in order.
    added : dict of int to list of NotebookNode
        The student's own cells, by the place that they follow. Cells that are moved are taken out.
    """
    notes: list[str] = []
    if not present:  # the notebook of something else
        return notes
    for place, cell in enumerate(cells):
        manual = cell.cell_type == "markdown" and is_grade(cell) and is_solution(cell)
        written = cell.source.strip() and not same_text(cell.source, released[place].source)
        if not manual or written:
            continue
        moved = []
        for near in range(_question(released, place, present), place + 1):
            own = added.get(near, [])
            moved += [new for new in own if new.cell_type == "markdown"]
            added[near] = [new for new in own if new.cell_type != "markdown"]
        if moved:
            cell.source = "\n\n".join(new.source for new in moved)
            images = {name: data for new in moved for name, data in new.get("attachments", {}).items()}
            if images:
                cell["attachments"] = images
            notes.append(NOTE)
    return notes


def _question(released: Sequence[NotebookNode], place: int, present: Sequence[int]) -> int:
    """Return the place of the Markdown cell above `place`, or of one before it if the submission lacks it."""
    above = [i for i in range(place) if released[i].cell_type == "markdown"]
    there = [i for i in present if i < place]
    return min(max(above, default=-1), max(there, default=-1))
