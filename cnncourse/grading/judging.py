"""Run a rebuilt notebook in a kernel and form the verdict on every check cell, outside of it."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nbformat import NotebookNode

from cnncourse.checking import judge, load
from cnncourse.checking.feedback import feedback
from cnncourse.grading.kernel import Kernel, KernelError, RemoteCandidate
from cnncourse.grading.library_calls import NotebookSource
from cnncourse.grading.nodes import node
from cnncourse.grading.notes import cell_names, grade_id, printable
from cnncourse.grading.plan import Check, checks, students_own, to_run
from cnncourse.grading.safe import safe_outputs
from cnncourse.grading.sandbox import Sandbox
from cnncourse.grading.settings import Settings
from cnncourse.grading.verdicts import Flag, Verdict

log = logging.getLogger(__name__)
MOST_RESTARTS = 8
TIME_UP = "The time for the whole notebook was up"
OUTSIDE = "This exercise could not be judged: {why}. Your instructor has been told."


@dataclass
class Graded:
    """What came of one notebook."""

    verdicts: list[Verdict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


class NotebookRun:
    """One notebook on its way through a kernel.

    Parameters
    ----------
    notebook : rebuilt from the released one; outputs are written into it
    released : the cells of the released notebook, by cell id
    seeds : for each exercise, what its cases are drawn with
    """

    def __init__(
        self,
        notebook: NotebookNode,
        released: dict[str, NotebookNode],
        seeds: dict[str, tuple[int, ...]],
        settings: Settings,
    ) -> None:
        self.cells, self.settings, self.seeds = notebook.cells, settings, seeds
        self.released = released
        self.checks = checks(self.cells)
        self.chosen = to_run(self.cells, released, settings.run_all)
        self.left_out: dict[int, str] = {}
        self.graded = Graded()

    def grade(self, sandbox: Sandbox) -> Graded:
        """Run the cells, judge the answers, write all outputs."""
        began = time.monotonic()
        for cell in self.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        kernel = self._run_to_the_end(sandbox, began)
        ran = time.monotonic()
        source = NotebookSource([c.source if c.cell_type == "code" else "" for c in self.cells])
        try:
            for number, check in enumerate(self.checks):
                self.graded.verdicts.append(self._verdict(check, number, kernel, source))
        finally:
            if kernel:
                kernel.close()
        for check, verdict in zip(self.checks, self.graded.verdicts, strict=True):
            self.cells[check.place].outputs = _outputs(verdict)
        own = [i for i in sorted(self.chosen) if students_own(self.cells[i], self.released)]
        names = [grade_id(cell) or cell.get("id", "") for cell in self.cells]
        self.graded.flags += source.evasions(own, names)
        self.graded.flags = [
            replace(flag, text=printable(flag.text), cell=printable(flag.cell), code=printable(flag.code))
            for flag in self.graded.flags
        ]
        self.graded.seconds |= {"cells": ran - began, "judge": time.monotonic() - ran}
        return self.graded

    def _run_to_the_end(self, sandbox: Sandbox, began: float) -> Kernel | None:
        """Run the cells; those that kill the kernel are left out and the others run again."""
        for _ in range(MOST_RESTARTS):
            left = began + self.settings.notebook_seconds - time.monotonic()
            if left <= 0:
                break
            kernel = Kernel(sandbox, len(self.checks), left)
            place = self._run(kernel)
            if place is None:
                kernel.allow(self.settings.notebook_seconds)
                return kernel
            kernel.close()
        self.graded.notes.append("The notebook could not be run to its end.")
        return None

    def _run(self, kernel: Kernel) -> int | None:
        """Run the cells; return the place of one that the kernel did not survive."""
        count, late = 0, list[int]()
        snapshots = {check.place: number for number, check in enumerate(self.checks)}
        for place, cell in enumerate(self.cells):
            try:
                if place in snapshots:
                    kernel.snapshot(snapshots[place])
                elif place in self.left_out:
                    cell.outputs = [_error("CellLeftOut", self.left_out[place])]
                elif place in self.chosen and kernel.out_of_time:
                    cell.outputs = [_error("NotRun", TIME_UP)]
                    late.append(place)
                elif place in self.chosen:
                    count += 1
                    outputs = kernel.run(cell.source, self.settings.cell_seconds)
                    cell.outputs, cell.execution_count = safe_outputs(outputs), count
            except KernelError as error:
                self._leave_out(place, error)
                return place
        if late:
            names = cell_names(self.cells, late[:1])
            self.graded.notes.append(f"{TIME_UP}: {names} and what follows was not run.")
        return None

    def _leave_out(self, place: int, error: KernelError) -> None:
        """Say why a cell is left out. A check cell is run by nobody: the cell above it broke the kernel."""
        ran = [i for i in self.chosen if i <= place and i not in self.left_out]
        culprit = max(ran, default=place)
        name = cell_names(self.cells, [culprit])
        self.left_out[culprit] = f"This cell {error}. It is left out; the others were run again without it."
        note = f"The cell {name} {error}. It is left out; the other cells were run again without it."
        self.graded.notes.append(note)
        self.graded.flags.append(Flag("restart", note, name))

    def _verdict(self, check: Check, number: int, kernel: Kernel | None, source: NotebookSource) -> Verdict:
        """Return a verdict whatever happens: what goes wrong on our side is 0 points and a flag."""
        began = time.monotonic()
        try:
            return self._judged(check, number, kernel, source)
        except Exception as error:
            log.exception("%s could not be judged", check.grade_id)
            why = f"an error on our side ({type(error).__name__})"
            self.graded.flags.append(Flag("not judged", f"{check.grade_id}: {why}: {error}", check.grade_id))
            return _no_verdict(check, why, time.monotonic() - began)

    def _judged(self, check: Check, number: int, kernel: Kernel | None, source: NotebookSource) -> Verdict:
        if not check.exercise:
            why = "its check cell does not hand a function to a check"
            self.graded.flags.append(Flag("not judged", f"{check.grade_id}: {why}", check.grade_id))
            return _no_verdict(check, why)
        if kernel is None:
            return _no_verdict(check, "the notebook was not run to its end")
        exercise = load(check.exercise)
        found = source.use_of(check.names, check.place, exercise.forbidden)
        candidate = RemoteCandidate(kernel, number, check.names, exercise.way, found[0] if found else None)
        if found:
            use, place = found
            text = (
                f"{check.exercise}: the answer uses {use.name}, which would be the whole of it; not counted"
            )
            cell = cell_names(self.cells, [place])
            self.graded.flags.append(Flag("library call", text, cell, use.line, use.code))
        report = judge(exercise, candidate, *self.seeds[check.exercise])
        share = report.points / exercise.points  # the lab may give the exercise other points
        points = round(min(max(share, 0.0), 1.0) * check.points, 2) if math.isfinite(share) else 0.0
        report = replace(report, points=points, max_points=check.points)
        told = feedback(report, _lines(self.cells, check.place))
        groups: dict[str, bool] = {}
        for result in report.results:
            name = result.case.group or result.case.why
            groups[name] = groups.get(name, True) and result.right
        return Verdict(
            check.grade_id,
            check.exercise,
            points,
            check.points,
            told.status,
            told.reason,
            report.misconception,
            report.hint,
            told.error,
            groups,
            round(candidate.seconds, 3),
            told.text,
            told.html,
        )


def _lines(cells: Sequence[NotebookNode], before: int) -> set[str]:
    """Return the lines of code above a place, as they may be repeated to their author."""
    code = [cell.source for cell in cells[:before] if cell.cell_type == "code"]
    return {line.strip() for source in code for line in source.splitlines() if line.strip()}


def _no_verdict(check: Check, why: str, seconds: float = 0.0) -> Verdict:
    text = OUTSIDE.format(why=why)
    seconds = round(seconds, 3)
    return Verdict(
        check.grade_id, check.exercise, 0.0, check.points, "no verdict", why, seconds=seconds, text=text
    )


def _outputs(verdict: Verdict) -> list[NotebookNode]:
    """Return the outputs of a check cell: what is handed back, and the points as the one result."""
    data = {"text/plain": verdict.text} | ({"text/html": verdict.html} if verdict.html else {})
    return [
        node(output_type="display_data", metadata={}, data=data),
        node(
            output_type="execute_result",
            metadata={},
            execution_count=None,
            data={"text/plain": repr(float(verdict.points))},
        ),
    ]


def _error(name: str, text: str) -> NotebookNode:
    return node(output_type="error", ename=name, evalue=text, traceback=[f"{name}: {text}"])
