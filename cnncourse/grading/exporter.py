"""The reader that ``nbgrader autograde`` uses for submissions."""

from __future__ import annotations

import os
from fnmatch import fnmatch
from glob import glob
from pathlib import Path
from typing import Any, NoReturn

from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.converters.base import BaseConverter, NbGraderException

from cnncourse.grading.execute import JudgedExecute
from cnncourse.grading.finding import find_notebook, plain
from cnncourse.grading.nodes import read_notebook
from cnncourse.grading.notes import add_notes
from cnncourse.grading.rebuild import rebuild, released_ids
from cnncourse.grading.sandbox import REFUSED, trouble
from cnncourse.grading.tolerance import tolerate


class SubmissionExporter(NotebookExporter):
    """Read submissions from disk as the released lab with the student's answers in it.

    Set as ``c.Autograde.exporter_class``. nbgrader makes one for each run, after it has looked for notebooks
    and before it converts any; that is where the list of submissions is completed, so that every student's
    folder is graded on every notebook of the assignment, whatever the files in it are called. A file that
    nobody can read is graded as the lab with nothing written in it, and says so.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        if isinstance(self.parent, BaseConverter):
            self._list_submissions(self.parent)

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Convert the notebook at `filename`: rebuilt if it lies in ``submitted/``, else as it is."""
        ids = (resources or {}).get("nbgrader")
        folder = Path(filename).parent
        result: tuple[NotebookNode, dict[str, Any]]
        if ids is None or folder != self._folder("submitted", ids["assignment"], ids["student"]):
            result = super().from_filename(filename, resources, **kwargs)
            return result
        name = Path(filename).name
        released = read_notebook(self._folder("release", ids["assignment"]) / name)
        cells, notes = find_notebook(folder, name, released_ids(released))
        notebook, mended = rebuild(released, cells)
        for note in notes + mended:
            self.log.warning("%s, %s: %s", ids["student"], ids["notebook"], note)
        add_notes(notebook, notes + mended)
        about = {**(resources or {}), "metadata": {"name": Path(filename).stem, "path": str(folder)}}
        result = self.from_notebook_node(notebook, about, **kwargs)  # type: ignore[no-untyped-call]
        return result

    def _folder(self, step: str, assignment: str, student: str = ".") -> Path:
        """Return an assignment's folder at a step of grading: ``"submitted"`` or ``"release"``."""
        assert isinstance(self.parent, BaseConverter)
        coursedir = self.parent.coursedir
        directory = getattr(coursedir, f"{step}_directory")
        return Path(os.path.normpath(coursedir.format_path(directory, student, assignment)))

    def _give_up(self, message: str) -> NoReturn:
        self.log.error(message)
        raise NbGraderException(message)

    def _list_submissions(self, converter: BaseConverter) -> None:
        coursedir = converter.coursedir
        released = self._folder("release", coursedir.assignment_id)
        names = sorted(path.name for path in released.glob("*.ipynb"))
        if not names:
            message = (
                f"There is no released notebook in {released}. Run `nbgrader generate_assignment "
                f"{coursedir.assignment_id}` first: submissions are graded against it."
            )
            self._give_up(message)
        if JudgedExecute(parent=converter).sandbox and (why := trouble()):
            self._give_up(REFUSED.format(why=why))
        wanted = [name for name in names if fnmatch(Path(name).stem, coursedir.notebook_id)]
        pattern = coursedir.format_path(
            coursedir.submitted_directory, coursedir.student_id, coursedir.assignment_id
        )
        folders = [folder for folder in glob(pattern) if os.path.isdir(folder)]
        tolerate(coursedir, folders, self.log)
        for folder in folders:
            if wanted:
                converter.assignments[folder] = [os.path.join(folder, name) for name in wanted]
        parent, lab = os.path.split(pattern)
        for student in sorted(glob(parent)) if lab == coursedir.assignment_id else []:
            if os.path.isdir(student) and lab not in os.listdir(student):
                there = ", ".join(plain(name) for name in sorted(os.listdir(student))) or "nothing"
                self.log.warning("Not graded: %s has no folder %s; it holds %s.", student, lab, there)
