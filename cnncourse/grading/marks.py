"""The grades and comments of one notebook in the gradebook: what nbgrader's SaveAutoGrades decides.

Two things differ from nbgrader. Points of a check are those of its verdict, never what stands in its outputs.
And every check of the gradebook gets points: a check without exactly one verdict gets 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Comment, Grade, new_uuid
from nbgrader.utils import compute_checksum

from cnncourse.grading.finding import plain
from cnncourse.grading.verdicts import Verdict
from cnncourse.grading.work import Result


@dataclass
class Written:
    """What writing a submission came to.

    Attributes
    ----------
    changed : checks whose score was another one before, by notebook and grade id: old and new
    by_hand : how many answers wait for a person
    late : points taken off for lateness
    lines : what the instructor should know
    """

    changed: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    by_hand: int = 0
    late: float = 0.0
    lines: list[str] = field(default_factory=list)


def mark_notebook(session: Any, submitted: Any, result: Result, written: Written) -> None:
    """Set the automatic scores and comments of a submitted notebook; what a person entered stays."""
    master = submitted.notebook
    checksums = {cell.name: cell.checksum for cell in master.source_cells}
    unwritten = {
        name: checksums.get(name) == _checksum(cell) for name, cell in _marked_cells(result.notebook).items()
    }
    solutions = {cell.name for cell in master.solution_cells}
    grades = {grade.cell_id: grade for grade in submitted.grades}
    for cell in master.grade_cells:
        grade = grades.get(cell.id) or _add(session, Grade, cell, submitted)
        old = grade.auto_score
        if cell.name in solutions:
            if cell.name not in unwritten:
                continue
            grade.auto_score = 0.0 if unwritten[cell.name] else None
        elif cell.cell_type != "code":
            grade.auto_score = None
        else:
            grade.auto_score, trouble = points_of(result.verdicts, cell.name, float(cell.max_score))
            written.lines += [f"{plain(result.student)}: {trouble}"] if trouble else []
        grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
        written.by_hand += grade.needs_manual_grade
        if old is not None and grade.auto_score is not None and old != grade.auto_score:
            written.changed[result.name, cell.name] = (old, grade.auto_score)
    _comment(session, submitted, unwritten)


def points_of(verdicts: Sequence[Verdict], grade_id: str, most: float) -> tuple[float, str]:
    """Return the points of a check, from 0 to `most`, and a line where its verdict is not as agreed."""
    found = [verdict.points for verdict in verdicts if verdict.grade_id == grade_id]
    if len(found) != 1:
        return 0.0, f"{grade_id} has {len(found) or 'no'} verdict{'s' * (len(found) > 1)}, so it counts 0"
    if not math.isfinite(found[0]):
        return 0.0, f"the verdict on {grade_id} is no number, so it counts 0"
    points = min(max(float(found[0]), 0.0), most)
    return points, "" if points == found[0] else f"{grade_id} gave {found[0]:g}, outside 0 to {most:g} points"


def _marked_cells(text: str) -> dict[str, NotebookNode]:
    """Return the cells of a notebook that nbgrader has marked, by their grade ids."""
    cells = nbformat.v4.reads_json(text).cells  # type: ignore[no-untyped-call]
    names = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in cells]
    return {str(name): cell for name, cell in zip(names, cells, strict=True) if name}


def _checksum(cell: NotebookNode) -> str:
    found: str = compute_checksum(cell)
    return found


def _add(session: Any, kind: type[Any], cell: Any, submitted: Any) -> Any:
    row = kind(id=new_uuid(), cell_id=cell.id, notebook_id=submitted.id)
    session.add(row)
    return row


def _comment(session: Any, submitted: Any, unwritten: dict[str, bool]) -> None:
    """Say "No response." of answers that are as released, and take it back where they no longer are."""
    comments = {comment.cell_id: comment for comment in submitted.comments}
    master = submitted.notebook
    for cell in [*master.solution_cells, *master.task_cells]:
        comment = comments.get(cell.id) or _add(session, Comment, cell, submitted)
        if cell.name in unwritten:
            none = unwritten[cell.name] and cell in master.solution_cells
            comment.auto_comment = "No response." if none else None
