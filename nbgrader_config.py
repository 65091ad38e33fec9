"""nbgrader's settings for this course.

Run nbgrader's commands in a folder that holds this file and ``solutions/``: a class folder of your own with a
copy of both, or the root of the repository. Students' work goes into ``submitted/<student>/<lab>/``::

    nbgrader generate_assignment ch02_conv2d     (--force where notebooks/ch02_conv2d is there already)
    nbgrader autograde ch02_conv2d
    nbgrader generate_feedback ch02_conv2d
    nbgrader export
"""

c = get_config()  # noqa: F821  (traitlets puts it there)

c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"
# Everything else in an assignment's folder is copied to students, and from students to the graded folder:
# neither the labs' text, which holds the answers, nor modules that could stand in for the course's own.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "*.md", "*.py"]

c.ClearSolutions.code_stub = {
    "python": "# YOUR CODE HERE\n"
    'raise NotImplementedError("This function is still to be written: '
    'put your code in its cell, run it, then run its check.")'
}
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"

c.Autograde.exporter_class = "cnncourse.grading.exporter.SubmissionExporter"
c.Autograde.autograde_preprocessors = [
    "cnncourse.grading.execute.JudgedExecute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# Students' code runs in a sandbox, and verdicts are formed outside of it, by `nbgrader autograde`, by
# formgrader's button and by `cnncourse grade` alike. A cell of a lab takes a second or two; thirty are a loop
# without an end.
c.JudgedExecute.cell_seconds = 30
c.JudgedExecute.notebook_seconds = 600
