"""Keep graded notebooks small enough to be opened."""

from __future__ import annotations

import json
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Integer

from cnncourse.grading.nodes import node


class LimitDisplays(NbGraderPreprocessor):  # type: ignore[misc]
    """Drop outputs that are too large, of any kind; nbgrader's ``LimitOutput`` only counts lines of text."""

    max_bytes = Integer(2_000_000, help="How much a cell may show in all, as JSON.").tag(config=True)

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple[NotebookNode, Any]:
        """Replace each output that goes beyond `max_bytes` by a line; an error stays an error."""
        shown = 0
        for place, output in enumerate(cell.get("outputs", [])):
            size = len(json.dumps(output, ensure_ascii=False).encode("utf-8", "replace"))
            if shown + size <= self.max_bytes:
                shown += size
                continue
            text = f"Left out: {size / 1e6:.1f} MB of output; a cell may show {self.max_bytes / 1e6:g} MB.\n"
            if output.output_type == "error":
                cell.outputs[place] = node(
                    output_type="error", ename=output.ename[:99], evalue=text, traceback=[text]
                )
            else:
                cell.outputs[place] = node(output_type="stream", name="stdout", text=text)
        return cell, resources
