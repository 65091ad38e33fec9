"""Grade a class: `cnncourse grade`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnncourse.grading import sandbox
from cnncourse.grading.course import open_course
from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.execute import JudgedExecute
from cnncourse.grading.gradebook import Writer
from cnncourse.grading.jobs import released_notebooks
from cnncourse.grading.pool import GRADE
from cnncourse.grading.request import Request
from cnncourse.grading.run import Run
from cnncourse.grading.scoreboard import Row, Scoreboard
from cnncourse.grading.store import locked


def grade_class(
    folder: Path,
    request: Request,
    board: Scoreboard | None = None,
    confirm: Callable[[], bool] = lambda: False,
    grade: str = GRADE,
) -> list[Row]:
    """Grade what was handed in for a lab and write the results to the gradebook.

    What was graded before and has not changed is not graded again. After a run that was stopped, at whatever
    moment, the next one goes on where it was.

    Parameters
    ----------
    folder : Path
        The class's folder, which holds ``nbgrader_config.py``.
    request : Request
        What to grade and how.
    board : Scoreboard, optional
        Where to say how far it is.
    confirm : callable
        Asked before the scores of one exercise are written.
    grade : str
        Module and name of the function that grades a job.

    Returns
    -------
    list of Row
        One for each submission; for a single exercise, one for each that was written or failed.

    Raises
    ------
    ClassroomError
        Something that the instructor can mend; what was graded by then is kept.
    """
    board = board or Scoreboard()
    course = open_course(folder)
    released_notebooks(course, request.lab)
    settings = replace(JudgedExecute(parent=course.autograde).settings(), **request.limits)
    here = settings.sandbox and not request.scheduler and not request.dry_run
    if here and (why := sandbox.trouble()):
        raise ClassroomError(sandbox.REFUSED.format(why=why))
    with locked(course.folder, request.lab), Writer(course, request.lab) as writer:
        run = Run(course, request, settings, writer, board, grade)
        if request.dry_run:
            run.look()
            return []
        rows = _one_exercise(run, board, confirm) if request.exercise else run.grade()
        if not request.exercise:
            board.table(rows)
        board.summary(request.lab, rows, run.skipped)
        return rows


def _one_exercise(run: Run, board: Scoreboard, confirm: Callable[[], bool]) -> list[Row]:
    """Judge one exercise again, show whose score would change, and write that if it is wanted."""
    failed, proposals = run.propose()
    changed = {each.submission.student: each.changed for each in proposals if each.changed}
    board.line(f"{run.exercise}: the score of {len(changed)} changes.")
    board.changes(changed)
    if len(proposals) > len(changed):
        board.line(f"{len(proposals) - len(changed)} more are told something else for the same score.")
    if not proposals:
        return failed
    if not confirm():
        board.line("Nothing was written.")
        return failed
    return [*failed, *run.accept(proposals)]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `grade`."""
    parser = commands.add_parser("grade", help="grade what a class has handed in for a lab")
    add = parser.add_argument
    add("lab", metavar="LAB", help="such as ch02_conv2d")
    add("--student", default="*", metavar="NAME", help="one student, or a pattern such as 'a*'")
    add("--jobs", type=int, default=0, metavar="N", help="processes (default: one on each core)")
    add(
        "--scheduler",
        default="",
        metavar="ADDRESS",
        help="use the workers of a Dask scheduler, tcp://HOST:8786",
    )
    add("--new-round", action="store_true", help="draw new inputs for the checks, and judge all again")
    add("--exercise", default="", metavar="ID", help="judge one exercise again, and change no other score")
    add("--yes", action="store_true", help="write the scores of one exercise without asking")
    add("--dry-run", action="store_true", help="say what would be graded")
    add("--no-sandbox", action="store_true", help="run students' code with your own rights")
    add(
        "--cell-seconds",
        type=float,
        metavar="S",
        help="time for a cell, if not as configured",
    )


def run(options: argparse.Namespace) -> int:
    """Run the command `grade` in the current folder; return its exit status."""
    limits: dict[str, Any] = {"sandbox": False} if options.no_sandbox else {}
    if options.cell_seconds is not None:
        limits["cell_seconds"] = options.cell_seconds
    request = Request(
        options.lab,
        limits,
        max(options.jobs, 0),
        options.scheduler,
        options.student,
        options.new_round,
        options.exercise,
        options.dry_run,
    )
    board = Scoreboard()

    def confirm() -> bool:
        if options.yes:
            return True
        if not sys.stdin.isatty():
            board.line("To write this, add --yes.")
            return False
        return input("Write this to the gradebook? [y/N] ").strip().lower() in ("y", "yes")

    try:
        rows = grade_class(Path.cwd(), request, board, confirm)
    except KeyboardInterrupt:
        board.line("Stopped; the same command goes on where this ended.")
        return 130
    return 1 if any(row.trouble for row in rows) else 0
