"""A class's folder, as nbgrader sees it: its configuration, its folders, its gradebook."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from nbgrader.apps.baseapp import NbGrader
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory

from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.tolerance import tolerate

CONFIGURATION = "nbgrader_config.py"


@dataclass(frozen=True)
class Course:
    """A class's folder and nbgrader's own objects for it, configured as for ``nbgrader autograde``."""

    folder: Path
    coursedir: CourseDirectory
    autograde: Autograde

    def path(self, step: str, lab: str, student: str = ".") -> Path:
        """Return an assignment's folder at a step, such as ``"submitted"``; a release has no student."""
        directory = getattr(self.coursedir, f"{step}_directory")
        return Path(self.coursedir.format_path(directory, student, lab))


def open_course(folder: Path) -> Course:
    """Read a class's ``nbgrader_config.py``, and the user's own configuration, as nbgrader does.

    Raises
    ------
    ClassroomError
        If there is none, or it does not run.
    """
    folder = folder.resolve()
    if not (folder / CONFIGURATION).is_file():
        raise ClassroomError(f"{folder} holds no {CONFIGURATION}: run this in your class's folder")
    app = NbGrader(log_level=logging.ERROR, raise_config_file_errors=True)
    try:
        app.initialize([], root=str(folder))
        autograde = Autograde(coursedir=app.coursedir, parent=app)
    except (Exception, SystemExit) as error:  # nbgrader ends the program at a setting that it does not know
        raise ClassroomError(f"{CONFIGURATION} does not run: {type(error).__name__}: {error}") from error
    structure = Path(app.coursedir.directory_structure).parts
    if structure[-2:] != ("{student_id}", "{assignment_id}"):
        raise ClassroomError(
            "CourseDirectory.directory_structure must end in {student_id}/{assignment_id}, "
            f"and is {app.coursedir.directory_structure}"
        )
    tolerate(app.coursedir, [], app.log)
    return Course(Path(app.coursedir.root), app.coursedir, autograde)
