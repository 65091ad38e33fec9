"""Put a student's answers into the lab as it was released.

The list of cells, their order, types, metadata and tags, and the source of every locked cell, are those of
the released notebook. From the submission come the sources of the cells that are the student's to write
(answers, and cells without a lock) and, as plain cells without metadata, the cells that the student added: an
answer that uses a helper from a cell of its own is still right.

Three decisions, all in favour of "what Run all showed the student":

- An added cell stands after the same cell as in the submission. Where cells are missing after that one, it
  stands behind them, up to the next check: who deleted the answer cell and typed a new one is graded on the
  new one.
- Of an answer cell that is there several times, copies that are still the stub, or empty, are passed over;
  the first of the others is the answer, and the later ones run where the student had them. The definition in
  force at a check is thus the last one above it, as in any notebook.
- A locked cell that was edited is shown as released, and the edited version follows as an added cell. Only
  check cells are never kept in another form.

And one for the questions that a person grades: `cnncourse.grading.questions`.
"""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from nbformat import NotebookNode

from cnncourse.grading.nodes import is_grade, is_locked, is_solution, new_cell, same_text
from cnncourse.grading.notes import cell_names, grade_id
from cnncourse.grading.questions import move_answers
from cnncourse.grading.reading import SubmittedCell

MARKS = ("grade", "grade_id", "locked", "points", "solution", "task", "cell_type")


def rebuild(released: NotebookNode, submitted: Sequence[SubmittedCell]) -> tuple[NotebookNode, list[str]]:
    """Return the notebook to grade and what was mended, one plain line each.

    Parameters
    ----------
    released : NotebookNode
        The lab as students got it. Not changed.
    submitted : sequence of SubmittedCell
        The cells of the submission, in order; none for a submission that could not be read.
    """
    notebook = copy.deepcopy(released)
    places = _places(notebook, submitted)
    copies: dict[int, list[SubmittedCell]] = defaultdict(list)
    for cell, place in zip(submitted, places, strict=True):
        if place is not None:
            copies[place].append(cell)
    primary = {place: _primary(notebook.cells[place], found) for place, found in copies.items()}
    added = _added(notebook, submitted, places, primary)
    notes = _notes(notebook, places, copies, primary)
    for place, cell in primary.items():
        if not is_locked(notebook.cells[place]):
            notebook.cells[place].source = cell.source
            _attach(notebook.cells[place], cell)
    notes += move_answers(notebook.cells, released.cells, sorted(primary), added)
    notebook.cells = _interleave(notebook.cells, primary, added)
    return notebook, notes


def released_ids(notebook: NotebookNode) -> set[str]:
    """Return the cell ids and nbgrader's grade ids of a released notebook."""
    ids = {cell.get("id") for cell in notebook.cells} | {grade_id(cell) for cell in notebook.cells}
    return {name for name in ids if name is not None}


def _places(notebook: NotebookNode, submitted: Sequence[SubmittedCell]) -> list[int | None]:
    """Return each submitted cell's place in the released notebook: by grade id, cell id, or its text."""
    by_grade: dict[str | None, int] = {grade_id(cell): i for i, cell in enumerate(notebook.cells)}
    by_id: dict[str | None, int] = {cell.get("id"): i for i, cell in enumerate(notebook.cells)}
    by_text = {(cell.cell_type, cell.source.strip()): i for i, cell in enumerate(notebook.cells)}
    by_grade.pop(None, None)
    by_id.pop(None, None)
    seen = Counter(cell.cell_id for cell in submitted)
    places: list[int | None] = []
    for cell in submitted:
        known = cell.grade_id is not None or seen[cell.cell_id] == 1  # the same id in many cells says nothing
        place = by_grade.get(cell.grade_id, by_id.get(cell.cell_id) if known else None)
        places.append(by_text.get((cell.cell_type, cell.source.strip())) if place is None else place)
    return places


def _same(cell: SubmittedCell, released: NotebookNode) -> bool:
    return same_text(cell.source, released.source)


def _primary(released: NotebookNode, found: Sequence[SubmittedCell]) -> SubmittedCell:
    """Return the copy that stands in the released cell's place."""
    written = [cell for cell in found if cell.source.strip() and not _same(cell, released)]
    return written[0] if written and not is_locked(released) else found[0]


def _is_check(cell: NotebookNode) -> bool:
    return bool(is_grade(cell) and not is_solution(cell))


def _added(
    notebook: NotebookNode,
    submitted: Sequence[SubmittedCell],
    places: Sequence[int | None],
    primary: dict[int, SubmittedCell],
) -> dict[int, list[NotebookNode]]:
    """Return the student's own cells, by the place of the released cell that they follow (-1: none)."""
    added: dict[int, list[NotebookNode]] = defaultdict(list)
    follows, count = -1, 0
    for cell, place in zip(submitted, places, strict=True):
        if place is not None:
            released = notebook.cells[place]
            if cell is primary[place]:
                follows = place
                if not is_locked(released):
                    continue
            if _is_check(released) or _same(cell, released):
                continue
        if cell.source.strip():
            count += 1
            new = new_cell(cell.cell_type, cell.source, f"added-by-student-{count}")
            _attach(new, cell)
            added[follows].append(new)
    return added


def _attach(target: NotebookNode, cell: SubmittedCell) -> None:
    if cell.attachments and target.cell_type == "markdown":
        target["attachments"] = cell.attachments


def _interleave(
    cells: Iterable[NotebookNode], primary: dict[int, SubmittedCell], added: dict[int, list[NotebookNode]]
) -> list[NotebookNode]:
    """Return the released cells with the student's own between them."""
    merged: list[NotebookNode] = []
    waiting = list(added.get(-1, []))
    for place, cell in enumerate(cells):
        if place in primary or _is_check(cell):
            merged += waiting
            waiting = []
        merged.append(cell)
        waiting += added.get(place, [])
    return merged + waiting


def _notes(
    notebook: NotebookNode,
    places: Sequence[int | None],
    copies: dict[int, list[SubmittedCell]],
    primary: dict[int, SubmittedCell],
) -> list[str]:
    if not places:
        return []
    if not copies:
        return ["The notebook that was handed in has none of this lab's cells: no answer was found in it."]
    cells = notebook.cells
    kinds = {
        "Missing, put back": [i for i in range(len(cells)) if i not in copies],
        "More than one copy": [i for i, found in copies.items() if len(found) > 1],
        "Of another type, changed back": [i for i, c in primary.items() if c.cell_type != cells[i].cell_type],
        "Points, locks or tags changed, restored": [
            i for i, c in primary.items() if not _marked(c, cells[i])
        ],
        "Locked, but edited; graded as released": [
            i
            for i, found in copies.items()
            if is_locked(cells[i]) and not all(_same(cell, cells[i]) for cell in found)
        ],
    }
    notes = [f"{kind}: {cell_names(cells, sorted(found))}." for kind, found in kinds.items() if found]
    order = list(dict.fromkeys(place for place in places if place is not None))
    if order != sorted(order):
        notes.append("The cells stood in another order; they are graded in the lab's own order.")
    return notes


def _marked(cell: SubmittedCell, released: NotebookNode) -> bool:
    """Return whether nbgrader's metadata and the tags are as released."""
    marks = released.metadata.get("nbgrader", {})
    same = all(cell.marks.get(name) == marks.get(name) for name in MARKS)
    return same and cell.tags == list(released.metadata.get("tags", []))
