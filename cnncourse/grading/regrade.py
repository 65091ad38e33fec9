"""Judge one exercise again for a whole class, after its check was changed, and touch no other score."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cnncourse.grading.jobs import Submission
from cnncourse.grading.store import Store
from cnncourse.grading.verdicts import Verdict
from cnncourse.grading.work import Result


@dataclass(frozen=True)
class Proposal:
    """What a student's results would be, by notebook: ids in the store, and the scores that change."""

    submission: Submission
    ids: Mapping[str, str]
    changed: Mapping[tuple[str, str], tuple[float, float]]


def propose(
    store: Store, submission: Submission, written: Mapping[str, str], exercise: str
) -> Proposal | None:
    """Return what a submission's results would be with the new verdict on one exercise.

    Parameters
    ----------
    written : ids of the results that the gradebook was written from, by notebook

    Returns
    -------
    Proposal or None
        None where nothing about the exercise changes.

    Raises
    ------
    LookupError
        If the old results are gone.
    """
    ids: dict[str, str] = {}
    changed: dict[tuple[str, str], tuple[float, float]] = {}
    differs = False
    for name, job_id in submission.ids.items():
        old, new = store.load(written.get(name, "")), store.load(job_id)
        if old is None or new is None:
            raise LookupError("its old result is gone: leave --exercise away to grade it anew")
        before, after = _verdicts(old, exercise), _verdicts(new, exercise)
        differs |= any(_judged(after[key]) != _judged(before.get(key)) for key in after)
        for key, verdict in after.items():
            if key in before and before[key].points != verdict.points:
                changed[name, key] = before[key].points, verdict.points
        ids[name] = job_id
        if _points(old, exercise) != _points(new, exercise):  # another exercise came out otherwise: keep it
            about = ["merged", written[name], job_id, exercise]
            ids[name] = hashlib.sha256(json.dumps(about).encode()).hexdigest()
            store.save(ids[name], merge(old, new, exercise).to_json())
    return Proposal(submission, ids, changed) if differs else None


def merge(old: Result, new: Result, exercise: str) -> Result:
    """Return the old result with the new verdict on one exercise, and what the notebook shows of it."""
    after = _verdicts(new, exercise)
    verdicts = tuple(after.get(verdict.grade_id, verdict) for verdict in old.verdicts)
    notebook = json.loads(old.notebook)
    shown = _cells(json.loads(new.notebook))
    for grade_id, cell in _cells(notebook).items():
        if grade_id in after and grade_id in shown:
            cell["outputs"] = copy.deepcopy(shown[grade_id].get("outputs", []))
    return replace(old, verdicts=verdicts, flags=new.flags, notebook=json.dumps(notebook, indent=1) + "\n")


def _verdicts(result: Result, exercise: str) -> dict[str, Verdict]:
    return {verdict.grade_id: verdict for verdict in result.verdicts if verdict.exercise == exercise}


def _points(result: Result, exercise: str) -> dict[str, float]:
    """Return the points of all checks but those of one exercise."""
    return {verdict.grade_id: verdict.points for verdict in result.verdicts if verdict.exercise != exercise}


def _judged(verdict: Verdict | None) -> Verdict | None:
    """Return a verdict without what differs between two runs of the same code."""
    return verdict and replace(verdict, seconds=0.0)


def _cells(notebook: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a notebook's check cells by grade id."""
    cells: Sequence[dict[str, Any]] = notebook["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    return {str(cell["metadata"].get("nbgrader", {}).get("grade_id")): cell for cell in code}
