"""Grade one submission: a function of its files, the released notebook, the seeds and the settings."""

from __future__ import annotations

import ast
import atexit
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from cnncourse.grading.finding import find_notebook
from cnncourse.grading.judging import Graded, NotebookRun
from cnncourse.grading.nodes import read_notebook
from cnncourse.grading.notes import add_notes
from cnncourse.grading.plan import parse
from cnncourse.grading.rebuild import rebuild, released_ids
from cnncourse.grading.safe import safe_notebook
from cnncourse.grading.sandbox import Sandbox, SandboxError
from cnncourse.grading.settings import Settings
from cnncourse.grading.verdicts import Flag, Verdict


@dataclass(frozen=True)
class Job:
    """One submission to grade.

    Attributes
    ----------
    student, lab : names of the student and of the lab
    name : file name of the released notebook
    folder : the student's folder for this lab; only read
    released : path of the released notebook
    round : number of the grading round
    seeds : for each exercise, the seeds of the cases that answers are tried on
    settings : limits
    """

    student: str
    lab: str
    name: str
    folder: str
    released: str
    round: int
    seeds: Mapping[str, tuple[int, ...]]
    settings: Settings


@dataclass(frozen=True)
class Result:
    """What came of a job: verdicts, what the student and the instructor are told, the graded notebook."""

    student: str
    lab: str
    name: str
    round: int
    sandbox: bool
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]
    flags: tuple[Flag, ...]
    seconds: dict[str, float]
    notebook: str

    def to_json(self) -> str:
        """Return the result as text."""
        return json.dumps(asdict(self), ensure_ascii=True)

    @classmethod
    def from_json(cls, text: str) -> Result:
        """Read what `to_json` wrote."""
        found: dict[str, Any] = json.loads(text)
        found["verdicts"] = tuple(Verdict(**verdict) for verdict in found["verdicts"])
        found["flags"] = tuple(Flag(**flag) for flag in found["flags"])
        found["notes"] = tuple(found["notes"])
        return cls(**found)


def grade_submission(job: Job) -> Result:
    """Grade one submission; whatever a student did is a result, never an exception.

    Raises
    ------
    SandboxError
        If there is no sandbox, or it broke: that is the computer's doing, and worth another try.
    """
    began = time.monotonic()
    released = read_notebook(Path(job.released))
    cells, notes = find_notebook(Path(job.folder), job.name, released_ids(released))
    notebook, mended = rebuild(released, cells)
    notes += mended
    flags: tuple[Flag, ...] = () if cells else (Flag("unreadable", notes[0]),)
    read = time.monotonic() - began
    graded = grade_notebook(notebook, released, job.seeds, job.settings)
    graded.notes[:0] = notes
    add_notes(notebook, graded.notes)
    safe_notebook(notebook, released)
    if not job.settings.sandbox:
        flags += (
            Flag("no sandbox", "This was graded without a sandbox, with the rights of whoever graded."),
        )
    seconds = {"read": read, **graded.seconds, "total": time.monotonic() - began}
    return Result(
        job.student,
        job.lab,
        job.name,
        job.round,
        job.settings.sandbox,
        tuple(graded.verdicts),
        tuple(graded.notes),
        flags + tuple(graded.flags),
        {name: round(value, 3) for name, value in seconds.items()},
        nbformat.writes(notebook),  # type: ignore[no-untyped-call]
    )


def grade_notebook(
    notebook: NotebookNode,
    released: NotebookNode,
    seeds: Mapping[str, tuple[int, ...]],
    settings: Settings,
) -> Graded:
    """Run a rebuilt notebook and judge its answers; outputs are written into it.

    Raises
    ------
    SandboxError
        If there is no sandbox, or it broke twice.
    """
    by_id = {cell["id"]: cell for cell in released.cells}
    with _one_at_a_time:
        began = time.monotonic()
        sandbox = _sandbox(settings, released)
        start = time.monotonic() - began
        try:
            graded = NotebookRun(notebook, by_id, dict(seeds), settings).grade(sandbox)
        except SandboxError:
            close_sandboxes()
            sandbox = _sandbox(settings, released)
            graded = NotebookRun(notebook, by_id, dict(seeds), settings).grade(sandbox)
    graded.seconds["start"] = start
    return graded


# Imported before the fork, besides what the lab's own cells import; a cell that needs one does not wait.
ALWAYS = ("numpy", "matplotlib.pyplot")
# These too where the lab's code has such a word in it.
IF_NAMED = {"knobs": "ipywidgets", "widgets": "ipywidgets", "sklearn": "sklearn.datasets"}
_one_at_a_time = threading.Lock()  # a sandbox has one kernel at a time
_warm: dict[tuple[Settings, tuple[str, ...]], Sandbox] = {}


def _sandbox(settings: Settings, released: NotebookNode) -> Sandbox:
    """Return the warm process for a lab; it is kept for the submissions to come."""
    code = "\n".join(cell.source for cell in released.cells if cell.cell_type == "code")
    named = [module for word, module in IF_NAMED.items() if word in code]
    modules = tuple(sorted({*ALWAYS, *named, *_imports(released)}))
    if (settings, modules) not in _warm:
        close_sandboxes()
        _warm[settings, modules] = Sandbox(settings, modules)
    return _warm[settings, modules]


@atexit.register
def close_sandboxes() -> None:
    """End the warm processes of this process."""
    while _warm:
        _warm.popitem()[1].close()


def _imports(released: NotebookNode) -> list[str]:
    """Return the modules that a lab imports."""
    trees = [parse(cell.source) for cell in released.cells if cell.cell_type == "code"]
    nodes = [node for tree in trees if tree for node in ast.walk(tree)]
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return plain + [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
