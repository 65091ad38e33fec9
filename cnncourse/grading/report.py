"""One page on how a class did in a lab, that needs nothing but itself: ``cnncourse report``."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cnncourse.checking.card import RIGHT, WRONG
from cnncourse.grading.course import Course, open_course
from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.sheet import Mark, Row, Sheet, number, read_sheet
from cnncourse.grading.store import Store, write_whole
from cnncourse.grading.tally import Results, own_seconds, tally

TEMPLATE = "report.html.j2"


@dataclass(frozen=True)
class Line:
    """A student's line of the table.

    Attributes
    ----------
    marks : for each graded cell, the mark; None where there is none
    seconds : how long the submission took; None where no result is stored
    feedback : links to the feedback pages, as far as they exist
    """

    row: Row
    marks: list[Mark | None]
    seconds: float | None
    feedback: list[str]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `report`."""
    parser = commands.add_parser("report", help="make a page on how the class did in a lab")
    add = parser.add_argument
    add("lab", metavar="LAB", help="such as ch02_conv2d")
    add("--to", type=Path, metavar="FILE", help="(default: _report/LAB.html in the class's folder)")
    add("--class", dest="folder", type=Path, default=Path(), metavar="DIR", help="the class's folder")


def run(options: argparse.Namespace) -> int:
    """Write the page and say where it is.

    Raises
    ------
    ClassroomError
        If the class or the lab is not what it should be, or nothing is graded yet.
    """
    course = open_course(options.folder)
    target = (options.to or course.folder / "_report" / f"{options.lab}.html").resolve()
    write_whole(target, page(course, options.lab, target.parent).encode("utf-8", "replace"))
    print(target)
    return 0


def page(course: Course, lab: str, folder: Path) -> str:
    """Return the page; its links are relative to `folder`."""
    sheet = read_sheet(course, lab)
    if not any(row.handed_in for row in sheet.rows):
        raise ClassroomError(f"nothing of {lab} is graded yet: run `cnncourse grade {lab}` first")
    results = stored(course, lab)
    counts = tally(sheet, results)
    here = {path.parent.name for path in _submitted(course, lab)}
    graded = {row.student for row in counts.graded}
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "percent": _percent,
        "seconds": _seconds,
        "shown": _shown,
    }
    return environment.get_template(TEMPLATE).render(
        lab=lab,
        sheet=sheet,
        tally=counts,
        lines=[_line(course, sheet, row, results, folder) for row in counts.graded],
        absent=[row.student for row in sheet.rows if row.student not in here | graded],
        ungraded=sorted(here - graded),
        colors={"right": RIGHT, "wrong": WRONG},
        made=datetime.now().astimezone().strftime("%d %B %Y, %H:%M %Z"),
    )


def stored(course: Course, lab: str) -> Results:
    """Return the results that the gradebook was last written from, by student."""
    store = Store(course.folder, lab)
    found = {}
    for student, jobs in store.recorded().items():
        loaded = [result for job_id in jobs.values() if (result := store.load(job_id))]
        found[student] = [result for result in loaded if result.student == student]
    return found


def _submitted(course: Course, lab: str) -> list[Path]:
    above = course.path("submitted", lab, "*").parent.parent
    return [path for path in above.glob(f"*/{lab}") if path.is_dir() and any(path.iterdir())]


def _line(course: Course, sheet: Sheet, row: Row, results: Results, folder: Path) -> Line:
    found = results.get(row.student, ())
    pages = course.path("feedback", sheet.lab, row.student)
    names = dict.fromkeys(notebook for notebook, _ in sheet.cells)
    return Line(
        row=row,
        marks=[row.marks.get(cell) for cell in sheet.cells],
        seconds=own_seconds(found) if found else None,
        feedback=[_link(path, folder) for name in names if (path := pages / f"{name}.html").is_file()],
    )


def _link(path: Path, folder: Path) -> str:
    """Return a link that no name of a student's turns into another address."""
    relative = Path(os.path.relpath(path, folder)).as_posix()
    return quote(relative if relative.startswith("../") else f"./{relative}")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def _shown(code: str) -> str:
    """Return a student's code with "?" for what moves text around on a page or cannot be seen."""
    return "".join(char if char.isprintable() or char in "\n\t" else "?" for char in code)
