"""Grading a class with nbgrader: what ``nbgrader_config.py`` plugs into ``nbgrader autograde``.

nbgrader alone stops the whole class at one duplicated cell, leaves out a student whose file cannot be read or
was renamed, and gives full points to a check that printed nothing. Four pieces change that:

- `SubmissionExporter` finds each student's notebook, reads it whatever its state, and puts the student's
  answers into the lab as it was released (`cnncourse.grading.rebuild`);
- `PatientExecute` goes on with the other cells when one of them kills the kernel;
- `LimitDisplays` drops outputs that no browser could show;
- `GuardScores` sees to it that every check cell ends in a number between 0 and its points.

Students' originals in ``submitted/`` are only read.
"""

from cnncourse.grading.execute import PatientExecute
from cnncourse.grading.exporter import SubmissionExporter
from cnncourse.grading.outputs import LimitDisplays
from cnncourse.grading.scores import GuardScores

__all__ = ["GuardScores", "LimitDisplays", "PatientExecute", "SubmissionExporter"]
