"""The preprocessor with which ``nbgrader autograde`` judges students' work outside of where it runs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.converters.base import BaseConverter
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Float, Integer

from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.nodes import read_notebook
from cnncourse.grading.notes import add_notes
from cnncourse.grading.plan import checks
from cnncourse.grading.rounds import class_secret, current_round, seeds
from cnncourse.grading.safe import safe_notebook
from cnncourse.grading.settings import Settings
from cnncourse.grading.work import grade_notebook


class JudgedExecute(NbGraderPreprocessor):  # type: ignore[misc]
    """Run a submission in a sandbox, and write the judge's verdicts where nbgrader looks for them.

    Takes the place of nbgrader's ``Execute``. What a submission prints in a check cell is dropped; the cell
    gets the report and one result, the points, from this process.
    """

    sandbox = Bool(True, help="Without a sandbox students' code has your rights on this computer.")
    sandbox.tag(config=True)
    cell_seconds = Float(Settings.cell_seconds, help="Time for one cell.").tag(config=True)
    notebook_seconds = Float(Settings.notebook_seconds, help="Time for a notebook.").tag(config=True)
    memory_mb = Integer(Settings.memory_mb, help="Memory of a submission's processes.").tag(config=True)
    scratch_mb = Integer(Settings.scratch_mb, help="Size of the folder that can be written to.")
    scratch_mb.tag(config=True)
    processes = Integer(Settings.processes, help="Processes and threads at once.").tag(config=True)
    run_all = Bool(False, help="Also run cells of the lab's own that only show something.")
    run_all.tag(config=True)

    def settings(self) -> Settings:
        """Return the limits as `nbgrader_config.py` sets them."""
        return Settings(**{name: getattr(self, name) for name in asdict(Settings())})

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Run and judge `nb`, in place.

        Raises
        ------
        ClassroomError
            If there is no sandbox; nobody's work is run then.
        """
        about = resources["nbgrader"]
        coursedir = self._converter().coursedir
        root, lab = Path(coursedir.root), about["assignment"]
        folder = Path(coursedir.format_path(coursedir.release_directory, ".", lab))
        released = read_notebook(folder / f"{about['notebook']}.ipynb")
        secret, number = class_secret(root), current_round(root, lab)
        wanted = {check.exercise for check in checks(released.cells)}
        graded = grade_notebook(
            nb, released, {name: seeds(secret, name, number) for name in wanted}, self.settings()
        )
        for flag in graded.flags:
            self.log.warning("%s, %s: %s %s", about["student"], about["notebook"], flag.text, flag.code)
        add_notes(nb, graded.notes)
        safe_notebook(nb, released)
        return nb, resources

    def _converter(self) -> BaseConverter:
        converter = getattr(self.parent, "parent", None)
        if not isinstance(converter, BaseConverter):
            raise ClassroomError("JudgedExecute works inside `nbgrader autograde` only")
        return converter
