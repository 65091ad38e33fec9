"""Run a submission to its end, also when a cell of it kills the kernel."""

from __future__ import annotations

import os
from time import monotonic
from typing import Any

from jupyter_client.manager import KernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbgrader.preprocessors import Execute
from traitlets import Dict, Integer, List, Unicode

from cnncourse.grading.nodes import node
from cnncourse.grading.notes import add_notes, cell_names

# What nbclient raises when a kernel sends it a message that is not as agreed.
MEANINGLESS = (AttributeError, LookupError, TypeError, ValueError)

# A forgotten quit() would otherwise stop the kernel while cells below it run.
NO_QUIT = "--IPKernelApp.exec_lines=get_ipython().ask_exit = lambda: None"


class PatientExecute(Execute):  # type: ignore[misc]
    """nbgrader's `Execute`, which leaves out a cell that stops the kernel and runs the others again.

    nbgrader drops the whole submission when the kernel dies, and with it the points of every answer that has
    nothing to do with it. Here the cell gets an error as its output and the notebook is run once more without
    it. A cell that runs too long is interrupted, as in nbgrader; one that cannot be interrupted is treated
    like one that killed the kernel. A notebook that takes too long as a whole is not run to its end. All of
    that is said in the notes at the top of the notebook.
    """

    max_restarts = Integer(8, help="How often a notebook is run again before its other cells stay unrun.")
    max_restarts.tag(config=True)

    extra_arguments = List(Unicode(), [NO_QUIT], help="Arguments for the kernels.").tag(config=True)

    notebook_timeout = Integer(600, help="Seconds for a whole notebook; cells that come later are not run.")
    notebook_timeout.tag(config=True)

    environment = Dict(
        {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        help="Variables for the kernels: one order of sets and one order of sums in every run.",
    ).tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: Any = None, km: KernelManager | None = None
    ) -> tuple[NotebookNode, Any]:
        """Run every cell of `nb`, in place."""
        self.left_out: dict[int, NotebookNode] = {}
        self.notes: list[str] = []
        began = monotonic()
        while True:
            self.running, self.unrun, self.started = -1, -1, monotonic()
            try:
                super().preprocess(nb, resources, km)
                break
            except (DeadKernelError, CellTimeoutError, *MEANINGLESS) as error:
                if self.running < 0:  # no cell began: it is not the student's doing
                    raise
                again = len(self.left_out) < self.max_restarts
                again = again and monotonic() - began <= self.notebook_timeout
                self._leave_out(nb, self.running, error, again)
                if not again:
                    break
        if self.unrun >= 0:
            minutes = f"{self.notebook_timeout / 60:g} minutes"
            names = cell_names(nb.cells, [self.unrun])
            self.notes.append(
                f"The notebook took longer than {minutes}: {names} and what follows was not run."
            )
        add_notes(nb, self.notes)
        return nb, self.resources

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple[NotebookNode, Any]:
        """Run one cell, unless an earlier run ended in it or the notebook's time is up."""
        self.running = index
        if index in self.left_out:
            cell.outputs = [self.left_out[index]]
            return cell, resources
        if cell.cell_type == "code" and monotonic() - self.started > self.notebook_timeout:
            self.unrun = index if self.unrun < 0 else self.unrun
            minutes = f"{self.notebook_timeout / 60:g} minutes"
            cell.outputs = [_error("NotRun", f"not run: the notebook took longer than {minutes}")]
            return cell, resources
        result: tuple[NotebookNode, Any] = super().preprocess_cell(cell, resources, index)
        return result

    def start_new_kernel(self, **kwargs: Any) -> None:
        """Start a kernel that cannot be quit, with `environment` added to this process's own."""
        super().start_new_kernel(env=os.environ | self.environment, **kwargs)

    def _leave_out(self, nb: NotebookNode, index: int, error: Exception, again: bool) -> None:
        match error:
            case CellTimeoutError():
                what = f"ran longer than {self.timeout} seconds and could not be interrupted"
            case DeadKernelError():
                what = "stopped Python itself, so that no cell below it could run"
            case _:
                what = f"sent something that Jupyter cannot read ({type(error).__name__})"
        then = "the other cells were run again without it" if again else "the cells below it were not run"
        self.log.warning("Cell %d %s; it is left out, and %s.", index + 1, what, then)
        output = _error("CellLeftOut", f"This cell {what}. It is left out; {then}.")
        self.notes.append(f"The cell {cell_names(nb.cells, [index])} {what}. It is left out; {then}.")
        self.left_out[index] = output
        nb.cells[index].outputs = [output]
        for cell in nb.cells[index + 1 :]:
            if cell.cell_type == "code":
                cell.outputs = []


def _error(name: str, text: str) -> NotebookNode:
    return node(output_type="error", ename=name, evalue=text, traceback=[f"{name}: {text}"])
