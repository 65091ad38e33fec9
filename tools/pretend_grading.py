"""A stand-in for `grade_submission` that runs nothing: it believes what the submission says of itself.

For what is about the class and not about one submission: resuming, killing, writing. A comment such as
``# pretend one=1.5 seconds=0.2`` in an answer decides the points of a check and how long it all takes;
``dies=2`` ends the worker the first two times, ``raises=1`` raises once.
"""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import nbformat

from cnncourse.grading.finding import find_notebook
from cnncourse.grading.nodes import node, read_notebook
from cnncourse.grading.notes import add_notes
from cnncourse.grading.plan import checks
from cnncourse.grading.rebuild import rebuild, released_ids
from cnncourse.grading.verdicts import Flag, Verdict
from cnncourse.grading.work import Job, Result

DIARY = "PRETEND_DIARY"  # the folder in which each attempt leaves a line; the environment names it
CHECKER = "PRETEND_CHECKER"  # in the environment: "one=0.5" changes what a check gives to everybody


def grade(job: Job) -> Result:
    """Return what the submission says it is worth."""
    began = time.monotonic()
    released = read_notebook(Path(job.released))
    cells, notes = find_notebook(Path(job.folder), job.name, released_ids(released))
    notebook, mended = rebuild(released, cells)
    told = _told("\n".join(cell.source for cell in notebook.cells))
    attempt = _attempts(job.student)
    if attempt <= int(told.get("dies", 0)):
        os.kill(os.getpid(), signal.SIGKILL)
    if attempt <= int(told.get("raises", 0)):
        raise RuntimeError("the computer is tired")
    time.sleep(float(told.get("seconds", 0)))
    told |= _told("pretend " + os.environ.get(CHECKER, ""))
    verdicts = []
    for check in checks(notebook.cells):
        name = check.grade_id.removesuffix("-check")
        points = float(told.get(name, 0.0))
        status = "right" if points == check.points else "wrong"
        reason = f"pretends to be worth {points:g}"
        verdicts.append(
            Verdict(check.grade_id, f"{job.lab}.{name}", points, check.points, status, reason, text=reason)
        )
        result = {"data": {"text/plain": repr(points)}, "execution_count": None, "metadata": {}}
        notebook.cells[check.place].outputs = [node(output_type="execute_result", **result)]
    if "forget" in told:
        verdicts = [verdict for verdict in verdicts if verdict.grade_id != told["forget"]]
    add_notes(notebook, notes + mended)
    return Result(
        job.student,
        job.lab,
        job.name,
        job.round,
        job.settings.sandbox,
        tuple(verdicts),
        tuple(notes + mended),
        (Flag("evasion", "it says so itself"),) if "flag" in told else (),
        {"total": round(time.monotonic() - began, 3)},
        nbformat.writes(notebook),
    )


def _told(text: str) -> dict[str, str]:
    said = re.findall(r"pretend ([^\n]*)", text)
    return dict(re.findall(r"([\w-]+)=(\S+)", " ".join(said)))


def _attempts(student: str) -> int:
    """Note that a submission is graded; return how often it was by now."""
    if DIARY not in os.environ:
        return 1
    path = Path(os.environ[DIARY], student)
    with open(path, "a") as file:
        file.write("graded\n")
    return len(path.read_text().splitlines())
