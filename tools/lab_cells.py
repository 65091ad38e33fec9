"""From a lab's text to its cells: what stands in the instructor's notebook before it is executed.

A text (``solutions/chNN_topic.md``) is MyST markdown with code cells. Its tags decide what a cell becomes:

``exercise``
    A code cell that holds an exercise's id and nothing else. It becomes task, folded hints, answer and check.
``open-question``
    Markdown, graded by hand. Its metadata names the points; the model answer stands between solution markers.
``play``
    A code cell that is the student's to change. It carries no nbgrader metadata.

Everything else, prose and the cells that use what was just written, is ours and locked. So each cell of ours
has a grade id, and what has none is the student's: nbgrader restores the locked source when it grades, and a
grader can rebuild a submission from the release and the answers alone. Experiments belong into `play`
cells and new ones.

Cell ids are grade ids: the section's name and a number within the section, so that a new cell renumbers one
section only. A section is an exercise, or a heading of the second level, which begins a cell of its own.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jupytext
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from cnncourse.checking import Exercise, chapters, exercise_ids, load
from cnncourse.checking.source import solution_source

NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class LabError(Exception):
    """A mistake in a lab's text, in one line that says what to change."""


def expand(text: Path) -> NotebookNode:
    """Return the instructor's notebook of a text, not yet executed.

    Raises
    ------
    LabError
        If an exercise is unknown, used twice or not used, or if two cells would get the same id.
    """
    cells: list[NotebookNode] = []
    used: list[str] = []
    section, number = "start", 0
    for cell in _cells(text):
        tags = cell.metadata.get("tags", [])
        if "exercise" in tags:
            exercise = _exercise(text, cell.source.strip(), used)
            cells += exercise_cells(exercise)
            section, number = exercise.name, 0
        elif "open-question" in tags:
            cells.append(_open_question(text, cell))
        else:
            heading = re.match(r"## (.+)", cell.source) if cell.cell_type == "markdown" else None
            if heading:
                section, number = _slug(heading[1]), 0
            number += 1
            cells.append(_own_cell(cell, f"{section}-{number}"))
    _check_complete(text, used)
    _check_ids(text, cells)
    return new_notebook(cells=cells, metadata=NOTEBOOK_METADATA)


def exercise_cells(exercise: Exercise) -> list[NotebookNode]:
    """Return an exercise's cells: the task, its hints, the answer and the graded check."""
    name = exercise.name
    heading = f"### Exercise: `{name}` ({plural(exercise.points, 'point')})"
    hints = "\n\n".join(
        f"<details>\n<summary>Hint {i} of {len(exercise.hints)}</summary>\n\n{hint.strip()}\n\n</details>"
        for i, hint in enumerate(exercise.hints, 1)
    )
    task = new_markdown_cell(f"{heading}\n\n{exercise.prompt.strip()}")
    folded = new_markdown_cell(hints)
    answer = new_code_cell(solution_source(exercise).strip())
    check = new_code_cell(f'check("{exercise.id}", {", ".join(exercise.names)})')
    return [
        graded(task, f"{name}-task", locked=True),
        graded(folded, f"{name}-hints", locked=True),
        graded(answer, f"{name}-answer", solution=True),
        graded(check, f"{name}-check", locked=True, points=exercise.points),
    ]


def graded(cell: NotebookNode, grade_id: str, **roles: Any) -> NotebookNode:
    """Give a cell its id and its nbgrader metadata; with `points` it is graded.

    Parameters
    ----------
    roles : `locked` and `solution` (bool, False unless given), `points` (int)
    """
    cell["id"] = grade_id
    cell.metadata["nbgrader"] = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": "points" in roles,
        "locked": False,
        "solution": False,
        "task": False,
        **roles,
    }
    return cell


def plural(count: int, word: str) -> str:
    """Return the count with its word: `1 point`, `2 points`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _cells(text: Path) -> list[NotebookNode]:
    """Return the text's cells; a heading of the second level begins a cell of its own."""
    cells = []
    for cell in jupytext.read(text).cells:
        if cell.cell_type == "markdown":
            parts = re.split(r"^(?=## )", cell.source, flags=re.MULTILINE)
            cells += [new_markdown_cell(p.strip(), metadata=dict(cell.metadata)) for p in parts if p.strip()]
        else:
            cells.append(cell)
    return cells


def _own_cell(cell: NotebookNode, cell_id: str) -> NotebookNode:
    if "play" in cell.metadata.get("tags", []):
        cell["id"] = cell_id
        return cell
    return graded(cell, cell_id, locked=True)


def _exercise(text: Path, exercise_id: str, used: list[str]) -> Exercise:
    known = _known(text.stem)
    if exercise_id not in known:
        raise LabError(f"{text}: no exercise {exercise_id!r}; {text.stem} has {', '.join(known) or 'none'}")
    if exercise_id in used:
        raise LabError(f"{text}: exercise {exercise_id!r} is used twice; keep one of the two cells")
    used.append(exercise_id)
    return load(exercise_id)


def _known(slug: str) -> list[str]:
    return exercise_ids(slug) if slug in chapters() else []


def _open_question(text: Path, cell: NotebookNode) -> NotebookNode:
    points = cell.metadata.get("points")
    if not isinstance(points, int) or cell.cell_type != "markdown" or "BEGIN SOLUTION" not in cell.source:
        raise LabError(f'{text}: an open question is markdown with "points" and a marked model answer')
    return graded(new_markdown_cell(cell.source), "open-question", solution=True, points=points)


def _check_complete(text: Path, used: list[str]) -> None:
    missing = [i for i in _known(text.stem) if i not in used]
    if missing:
        raise LabError(f"{text}: no cell uses {', '.join(missing)}; add a cell tagged `exercise` with the id")


def _check_ids(text: Path, cells: list[NotebookNode]) -> None:
    ids = [cell["id"] for cell in cells]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise LabError(
            f"{text}: two cells would be called {', '.join(twice)}; give sections different headings"
        )


def _slug(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")[:50].rstrip("-")
