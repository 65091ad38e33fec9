"""See to it that every check cell ends in a number that nbgrader cannot misread."""

from __future__ import annotations

import math
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution

from cnncourse.grading.nodes import node


class GuardScores(NbGraderPreprocessor):  # type: ignore[misc]
    """Give every check cell an explicit result between 0 and its points.

    Placed before ``SaveAutoGrades``, which gives full points to a check without a result, to one whose result
    is no number, and to a negative or undefined one; which stops at a result above the points; which takes
    the first of several results; and which gives nothing to a right answer that wrote a warning to stderr.
    """

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple[NotebookNode, Any]:
        """Replace the results of a check cell by its points, as a number."""
        if cell.cell_type != "code" or not is_grade(cell) or is_solution(cell):
            return cell, resources
        maximum = float(cell.metadata["nbgrader"]["points"])
        points, reason = earned(cell, maximum)
        outputs = [_as_stdout(output) for output in cell.outputs if output.output_type != "execute_result"]
        if reason:
            name = cell.metadata["nbgrader"]["grade_id"]
            self.log.warning("%s, %s: %s", resources.get("nbgrader", {}).get("student", "?"), name, reason)
            outputs.append(node(output_type="stream", name="stdout", text=reason + "\n"))
        result = {"data": {"text/plain": repr(points)}, "execution_count": cell.execution_count}
        cell.outputs = [*outputs, node(output_type="execute_result", metadata={}, **result)]
        return cell, resources


def earned(cell: NotebookNode, maximum: float) -> tuple[float, str]:
    """Return the points that a check cell's outputs state, and a line where they do not stand as they are.

    The last result counts: a check cell is one call, and its value is shown after everything that the call
    shows.
    """
    if any(output.output_type == "error" for output in cell.outputs):
        return 0.0, f"This check ended in an error, so it counts 0 of {maximum:g} points."
    results = [output for output in cell.outputs if output.output_type == "execute_result"]
    if not results:
        return 0.0, f"This check did not run to its end, so it counts 0 of {maximum:g} points."
    shown = results[-1].get("data", {}).get("text/plain", "")
    try:
        points = float("".join(shown))
    except ValueError:
        points = math.nan
    if not math.isfinite(points):
        return 0.0, f"This check gave no number, so it counts 0 of {maximum:g} points."
    if not 0 <= points <= maximum:
        return min(max(points, 0.0), maximum), f"This check gave {points:g}, outside 0 to {maximum:g} points."
    return points, ""


def _as_stdout(output: NotebookNode) -> NotebookNode:
    """Return the output with stderr shown as ordinary text: a warning is not a mistake."""
    if output.output_type == "stream" and output.name == "stderr":
        return node(output_type="stream", name="stdout", text=output.text)
    return output
