"""Execute a solved lab once and keep of its outputs what will be the same on the next machine: text.

nbval compares what is kept. A cell tagged ``nbval-ignore-output`` keeps nothing: it shows timings or widgets.
"""

from __future__ import annotations

import copy
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from lab_cells import NOTEBOOK_METADATA, LabError, plural
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from cnncourse.running.threads import ONE_THREAD

ROOT = Path(__file__).resolve().parent.parent
SECONDS_PER_CELL = 120
# What would differ on the next machine: an object's address, a path of this one.
UNSTABLE = re.compile(r"0x[0-9a-f]{6,}|" + re.escape(str(ROOT)))


def execute(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook with its outputs, run in a folder of its own."""
    executed = copy.deepcopy(notebook)
    with TemporaryDirectory() as folder:
        client = NotebookClient(
            executed,
            timeout=SECONDS_PER_CELL,
            kernel_name="python3",
            extra_arguments=["--IPKernelApp.log_level=40"],  # no remark on the kernel's transport
            resources={"metadata": {"path": folder}},
        )
        try:
            client.execute(env=os.environ | ONE_THREAD)  # as students' work is graded
        except CellExecutionError as error:
            failed = next(cell["id"] for cell in executed.cells if "error" in _output_types(cell))
            raise LabError(f"cell {failed} of the solved lab raised {error.ename}: {error.evalue}") from error
    return executed


def _output_types(cell: NotebookNode) -> set[str]:
    return {output.output_type for output in cell.get("outputs", [])}


def keep_text(executed: NotebookNode) -> NotebookNode:
    """Return the executed notebook with text outputs only, and without what another run would change.

    Raises
    ------
    LabError
        If a cell writes to stderr, a check gives less than its points, or an output would differ elsewhere.
    """
    kept = copy.deepcopy(executed)
    kept.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    for cell in kept.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            ignored = "nbval-ignore-output" in cell.metadata.get("tags", [])
            cell.outputs = [] if ignored else _text_outputs(cell)
            _check_points(cell)
    return kept


def _text_outputs(cell: NotebookNode) -> list[NotebookNode]:
    """Return a cell's outputs as text; what it printed is one piece, however it arrived."""
    kept: list[NotebookNode] = []
    for output in cell.outputs:
        if output.get("name") == "stderr":
            raise LabError(f"cell {cell['id']} writes to stderr: {output.text.strip()}")
        if output.output_type == "stream" and kept and kept[0].output_type == "stream":
            kept[0].text += output.text
        elif output.output_type == "stream":
            kept.insert(0, output)
        else:
            output.data = nbformat.from_dict({"text/plain": output.data.get("text/plain", "")})
            output.metadata = nbformat.from_dict({})
            kept.append(output)
    unstable = UNSTABLE.search(" ".join(str(output) for output in kept))
    if unstable:
        raise LabError(f"cell {cell['id']} prints {unstable[0]!r}, which differs elsewhere: print what lasts")
    return kept


def _check_points(cell: NotebookNode) -> None:
    role = cell.metadata.get("nbgrader", {})
    if not role.get("grade"):
        return
    earned = [output.data["text/plain"] for output in cell.outputs if output.output_type == "execute_result"]
    if earned != [str(float(role["points"]))]:
        raise LabError(f"check {cell['id']} gives {earned}, not its {plural(role['points'], 'point')}")
