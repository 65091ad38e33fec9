"""Unpack what Canvas or Moodle hands out as "all submissions": ``cnncourse collect``.

nbgrader's ``zip_collect`` does the collecting. What it would take as it is, names that lead elsewhere, links,
archives in archives, is sorted out before, so that it sees plain notebooks under names that are safe.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import tempfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

from nbgrader.apps import ZipCollectApp
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import capture_log
from traitlets.config import Config

from cnncourse.grading.course import Course, open_course
from cnncourse.grading.download import Upload, copy_out, open_archive, read_names
from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.files import digest
from cnncourse.grading.finding import plain
from cnncourse.grading.jobs import released_notebooks
from cnncourse.grading.placing import Placed, Trouble, place
from cnncourse.grading.roster import read_roster
from cnncourse.grading.sheet import Row, read_sheet
from cnncourse.grading.store import OWN_FOLDER

STAMP = "timestamp.txt"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `collect`."""
    parser = commands.add_parser("collect", help="unpack all submissions as Canvas or Moodle hands them out")
    add = parser.add_argument
    add("lab", metavar="LAB", help="such as ch02_conv2d")
    add("archive", type=Path, metavar="ARCHIVE.zip", help="the download of all submissions")
    add("--from", dest="source", choices=("canvas", "moodle", "auto"), default="auto", help="(default: auto)")
    add("--roster", type=Path, metavar="FILE", help="what Canvas or Moodle exported, for the login names")
    add("--force", action="store_true", help="replace earlier submissions; they are kept aside")
    add("--dry-run", action="store_true", help="say what would be done")
    add("--class", dest="folder", type=Path, default=Path(), metavar="DIR", help="the class's folder")


def run(options: argparse.Namespace) -> int:
    """Put each student's notebooks into ``submitted/`` and name every file that could not be placed.

    Returns
    -------
    int
        1 if there is such a file, else 0.

    Raises
    ------
    ClassroomError
        If the class, the lab, the archive or the roster is not what it should be.
    """
    course = open_course(options.folder)
    released_notebooks(course, options.lab)
    with open_archive(options.archive) as archive:
        source, uploads, others = read_names(archive, options.source)
        roster = read_roster(options.roster, source) if options.roster else None
        placed = place(uploads, options.lab, source, roster, _gradebook(course, options.lab))
        placed.others += others
        done = _collect(course, options, archive, placed)
    _tell(options, source, placed, done)
    return 1 if placed.others else 0


def _gradebook(course: Course, lab: str) -> tuple[Row, ...]:
    """Return the gradebook's students; none where nothing was graded yet."""
    try:
        return read_sheet(course, lab).rows
    except ClassroomError:
        return ()


def _collect(
    course: Course, options: argparse.Namespace, archive: zipfile.ZipFile, placed: Placed
) -> dict[str, list[str]]:
    """Unpack beside the class's folders, let nbgrader collect, and put what is new into place."""
    done: dict[str, list[str]] = {"new": [], "replaced": [], "unchanged": []}
    above = None if options.dry_run else course.folder / OWN_FOLDER
    if above:
        above.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="collect-", dir=above) as name:
        staged = Path(name)
        for student, notebooks in placed.notebooks.items():
            placed.others += _unpack(archive, notebooks, staged / "archive" / student)
        _zip_collect(course, options.lab, staged)
        for student in sorted(placed.notebooks):
            fresh = staged / "submitted" / student / options.lab
            target = course.path("submitted", options.lab, student)
            if not fresh.is_dir():
                continue
            state = _state(fresh, target)
            if state == "replaced" and not options.force:
                why = f"{student} has an earlier submission, and this one differs: --force replaces it"
                placed.others += [(upload.path, why) for upload in placed.notebooks[student].values()]
                continue
            done[state].append(student)
            if state != "unchanged" and not options.dry_run:
                _put(fresh, target, course.folder / OWN_FOLDER / "replaced" / options.lab / student)
    return done


def _unpack(archive: zipfile.ZipFile, notebooks: Mapping[str, Upload], folder: Path) -> list[Trouble]:
    folder.mkdir(parents=True)
    troubles = []
    for name, upload in notebooks.items():
        if why := copy_out(archive, upload, folder / name):
            troubles.append((upload.path, why))
    return troubles


def _zip_collect(course: Course, lab: str, staged: Path) -> None:
    """Let nbgrader collect ``staged/archive`` into ``staged/submitted``.

    Raises
    ------
    ClassroomError
        If it refuses, or leaves out anything.
    """
    config = Config()
    here = str(staged).replace("{", "{{").replace("}", "}}")
    config.ZipCollectApp.collect_directory_structure = here + "/{collect_step}"
    names = r".*[/\\]extracted[/\\](?P<student_id>[^/\\]+)[/\\](?P<file_id>.+)"
    config.FileNameCollectorPlugin.named_regexp = names
    coursedir = CourseDirectory(
        root=str(course.folder),
        release_directory=course.coursedir.release_directory,
        submitted_directory=str(staged / "submitted"),
        assignment_id=lab,
    )
    app = ZipCollectApp(config=config, coursedir=coursedir, log_level=logging.ERROR)
    result = capture_log(app)
    given = {path.relative_to(staged / "archive") for path in (staged / "archive").rglob("*.ipynb")}
    taken = {(staged / "submitted" / path.parent / lab / path.name).is_file() for path in given}
    if not result["success"] or not all(taken):
        said = " ".join(result.get("log", result.get("error", "it left files out")).split())
        raise ClassroomError(f"nbgrader zip_collect stopped: {said[-300:]}")


def _state(fresh: Path, target: Path) -> str:
    """Return what putting a submission in place would be: "new", "replaced" or "unchanged"."""
    if not target.is_symlink() and not (target.is_dir() and any(target.iterdir())):
        return "new"
    stamp = target / STAMP
    if stamp.is_file() and not target.is_symlink():  # nothing in the archive says when it was handed in
        shutil.copyfile(stamp, fresh / STAMP)
    same = not target.is_symlink() and digest(fresh) == digest(target)
    (fresh / STAMP).unlink(missing_ok=True)
    return "unchanged" if same else "replaced"


def _put(fresh: Path, target: Path, aside: Path) -> None:
    """Put a submission in place; what was there goes into the folder `aside`, under the time of day."""
    if target.is_symlink() or (target.is_dir() and any(target.iterdir())):
        kept = aside / time.strftime("%Y-%m-%dT%H%M%S")
        count = 1
        while kept.exists():
            count += 1
            kept = aside / (time.strftime("%Y-%m-%dT%H%M%S") + f"-{count}")
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(target, kept)
    elif target.is_dir():
        target.rmdir()
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(fresh, target)


def _tell(options: argparse.Namespace, source: str, placed: Placed, done: Mapping[str, list[str]]) -> None:
    counts = ", ".join(f"{len(names)} {state}" for state, names in done.items())
    would = "would be collected" if options.dry_run else "collected"
    total = sum(map(len, done.values()))
    print(f"{options.lab}, from {source.capitalize()}: {total} submissions {would} ({counts})")
    for how, count in placed.by.items():
        print(f"  {count} students are named by {how}")
    if done["replaced"]:
        print(f"  replaced: {'; '.join(map(plain, done['replaced']))}")
    if placed.late:
        print(f"  late, as Canvas says: {'; '.join(map(plain, placed.late))}")
    print("  The archive does not say when work was handed in: penalties need a timestamp.txt beside it.")
    for path in placed.older:
        print(f"  left out, a newer upload counts: {plain(path)}")
    if placed.others:
        print(f"Not placed, {len(placed.others)} files:")
        for path, why in sorted(placed.others):
            print(f"  {plain(path)}: {why}")
