"""Run a submission to its end, also when a cell of it kills the kernel."""

from __future__ import annotations

import os
from typing import Any

from jupyter_client.manager import KernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbgrader.preprocessors import Execute
from traitlets import Dict, Integer

from cnncourse.grading.nodes import node

# What nbclient raises when a kernel sends it a message that is not as agreed.
MEANINGLESS = (AttributeError, LookupError, TypeError, ValueError)


class PatientExecute(Execute):  # type: ignore[misc]
    """nbgrader's `Execute`, which leaves out a cell that stops the kernel and runs the others again.

    nbgrader drops the whole submission when the kernel dies, and with it the points of every answer that has
    nothing to do with it. Here the cell gets an error as its output and the notebook is run once more without
    it. A cell that runs too long is interrupted, as in nbgrader; one that cannot be interrupted is treated
    like one that killed the kernel.
    """

    max_restarts = Integer(8, help="How often a notebook is run again before its other cells stay unrun.")
    max_restarts.tag(config=True)

    environment = Dict(
        {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        help="Variables for the kernels: one order of sets and one order of sums in every run.",
    ).tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: Any = None, km: KernelManager | None = None
    ) -> tuple[NotebookNode, Any]:
        """Run every cell of `nb`, in place."""
        self.left_out: dict[int, NotebookNode] = {}
        while True:
            self.running = -1
            try:
                result: tuple[NotebookNode, Any] = super().preprocess(nb, resources, km)
                return result
            except (DeadKernelError, CellTimeoutError, *MEANINGLESS) as error:
                if self.running < 0:  # no cell began: it is not the student's doing
                    raise
                self._leave_out(nb, self.running, error)
                if len(self.left_out) > self.max_restarts:
                    return nb, resources

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple[NotebookNode, Any]:
        """Run one cell, unless an earlier run ended in it."""
        self.running = index
        if index in self.left_out:
            cell.outputs = [self.left_out[index]]
            return cell, resources
        result: tuple[NotebookNode, Any] = super().preprocess_cell(cell, resources, index)
        return result

    def start_new_kernel(self, **kwargs: Any) -> None:
        """Start a kernel with `environment` added to this process's own."""
        super().start_new_kernel(env=os.environ | self.environment, **kwargs)

    def _leave_out(self, nb: NotebookNode, index: int, error: Exception) -> None:
        match error:
            case CellTimeoutError():
                what = f"ran longer than {self.timeout} seconds and could not be interrupted"
            case DeadKernelError():
                what = "stopped Python itself, so that no cell below it could run"
            case _:
                what = f"sent something that Jupyter cannot read ({type(error).__name__})"
        text = f"This cell {what}. It is left out; the other cells were run again without it."
        self.log.warning("Cell %d %s; running the notebook again without it.", index + 1, what)
        output = node(
            output_type="error", ename="CellLeftOut", evalue=text, traceback=[f"CellLeftOut: {text}"]
        )
        self.left_out[index] = output
        nb.cells[index].outputs = [output]
        for cell in nb.cells[index + 1 :]:
            if cell.cell_type == "code":
                cell.outputs = []
