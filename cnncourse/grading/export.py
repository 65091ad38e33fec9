"""Write a lab's points for a spreadsheet, for Canvas or for Moodle: ``cnncourse export``."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from cnncourse.grading.course import open_course
from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.finding import plain
from cnncourse.grading.roster import Roster, match, read_roster, write_table
from cnncourse.grading.sheet import Sheet, number, read_sheet

CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
# Moodle takes what stands in a column "Feedback comments" for new feedback, an empty cell too: here is none.
MOODLE = (
    *("Identifier", "Full name", "Email address", "Status", "Grade", "Maximum Grade"),
    *("Last modified (submission)", "Last modified (grade)"),
)
FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # the last four are wide forms of the first
Table = list[list[str]]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `export`."""
    parser = commands.add_parser("export", help="write a lab's points for a spreadsheet, Canvas or Moodle")
    add = parser.add_argument
    add("lab", metavar="LAB", help="such as ch02_conv2d")
    add("--format", choices=("csv", "canvas", "moodle"), default="csv", help="(default: csv)")
    add("--to", type=Path, metavar="FILE", help="(default: LAB.csv, LAB.canvas.csv or LAB.moodle.csv)")
    add("--roster", type=Path, metavar="FILE", help="what Canvas or Moodle exported, to be filled in")
    add("--column", metavar="NAME", help="the lab's column there, if it is not found by itself")
    add("--class", dest="folder", type=Path, default=Path(), metavar="DIR", help="the class's folder")


def run(options: argparse.Namespace) -> int:
    """Write the points and say who could not be matched; return 1 if there is somebody.

    Raises
    ------
    ClassroomError
        If the class, the lab or the roster is not what it should be.
    """
    course = open_course(options.folder)
    name = options.lab if options.format == "csv" else f"{options.lab}.{options.format}"
    target = options.to or course.folder / f"{name}.csv"
    if options.roster and options.format == "csv":
        raise ClassroomError("--roster goes with --format canvas or moodle")
    if options.column and not options.roster and options.format != "canvas":
        raise ClassroomError("--column goes with --roster, or with --format canvas")
    if options.roster and target.resolve() == options.roster.resolve():
        raise ClassroomError(f"{target} is the roster itself: name another file with --to")
    sheet = read_sheet(course, options.lab)
    if options.roster:
        roster = read_roster(options.roster, options.format)
        table, notes, missing = fill(roster, sheet, options.column)
        write_table(target, table, roster.delimiter, roster.bom)
    else:
        table, notes = PLAIN[options.format](sheet, options.column or sheet.lab)
        missing = []
        write_table(target, table)
    waiting = [row.student for row in sheet.rows if row.waiting]
    if waiting:
        notes.append(f"{len(waiting)} still wait for points by hand, and lack them here: {_list(waiting)}")
    print(f"{target}: {sum(row.handed_in for row in sheet.rows)} submissions of {sheet.lab}")
    for line in notes + missing:
        print(f"  {line}")
    return 1 if missing else 0


def neutral(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula; a number stays as it is."""
    if re.fullmatch(r"[-+]?[0-9.,]*%?", text):
        return text
    return f"'{text}" if text[:1] in FORMULA or text.lstrip()[:1] in FORMULA else text


def plain_table(sheet: Sheet, column: str) -> tuple[Table, list[str]]:
    """Return one row a student: the points of each exercise, the total, the penalty, how late."""
    names = ["student", "last_name", "first_name", "email", "status"]
    last = ["penalty", "total", "max_points", "late_seconds", "timestamp"]
    table = [[*names, *map(neutral, sheet.cells.values()), *last]]
    for row in sheet.rows:
        about = map(neutral, (row.student, row.last_name, row.first_name, row.email))
        if not row.handed_in:
            empty = [""] * (len(sheet.cells) + len(last))
            table.append([*about, "nothing handed in", *empty])
            continue
        marks = [number(row.marks[cell].points) if cell in row.marks else "" for cell in sheet.cells]
        totals = [number(value) for value in (row.penalty, row.total, sheet.max_points, row.seconds_late)]
        stamp = row.timestamp.isoformat(" ") + " UTC" if row.timestamp else ""
        status = "needs manual grading" if row.waiting else "graded"
        table.append([*about, status, *marks, *totals, stamp])
    return table, []


def canvas_table(sheet: Sheet, column: str) -> tuple[Table, list[str]]:
    """Return what Canvas's gradebook imports: it finds a student by ID, else by login, else by name."""
    table = [[*CANVAS, column], ["    Points Possible", "", "", "", "", number(sheet.max_points)]]
    for row in sheet.rows:
        if row.handed_in:
            about = (row.name or row.student, row.lms_id, "", row.student, "")
            table.append([*map(neutral, about), number(row.total)])
    return table, ["students are named by the gradebook's lms_user_id and by their id as SIS Login ID"]


def moodle_table(sheet: Sheet, column: str) -> tuple[Table, list[str]]:
    """Return a grading worksheet; Moodle takes the rows that have an identifier."""
    table, unknown = [list(MOODLE)], []
    for row in sheet.rows:
        if not row.handed_in:
            continue
        known = next((text for text in (row.lms_id, row.student) if re.fullmatch(r"[0-9]+", text)), "")
        unknown += [] if known else [row.student]
        name = " ".join(part for part in (row.first_name, row.last_name) if part) or row.student
        stamp = f"{row.timestamp:%A, %d %B %Y, %I:%M %p}" if row.timestamp else ""
        about = (f"Participant {known}" if known else "", name, row.email, "Submitted for grading")
        table.append([*map(neutral, about), number(row.total), number(sheet.max_points), stamp, "-"])
    note = f"Moodle passes over {len(unknown)} whose participant's number is not known here: use --roster"
    return table, [note] if unknown else []


PLAIN: dict[str, Callable[[Sheet, str], tuple[Table, list[str]]]] = {
    "csv": plain_table,
    "canvas": canvas_table,
    "moodle": moodle_table,
}


def fill(roster: Roster, sheet: Sheet, column: str | None) -> tuple[Table, list[str], list[str]]:
    """Fill the lab's column of a roster; every other number in it stays.

    Returns
    -------
    table : the header and the rows
    notes : what there is to say
    missing : who is on one side only, a line for each side
    """
    place = _column(roster, sheet.lab, column)
    found = match(roster, sheet.rows)
    rows = [list(row) for row in roster.rows]
    excused = []
    for i, row in found.items():
        if rows[i][place].strip().upper() == "EX":
            excused.append(roster.name(i))
        elif row.handed_in:
            rows[i][place] = number(row.total)
    for i in roster.students:
        for j in _students_texts(roster, place):
            rows[i][j] = neutral(rows[i][j])
    notes = _other_maximum(roster, sheet, place)
    if excused:
        notes.append(f"excused in Canvas, and left so: {_list(excused)}")
    matched = {row.student for row in found.values()}
    here = [row.student for row in sheet.rows if row.handed_in and row.student not in matched]
    there = [roster.name(i) for i in roster.students if i not in found]
    nothing = [roster.name(i) for i, row in found.items() if not row.handed_in]
    if nothing:
        notes.append(f"handed in nothing, and their cells stay as they were: {_list(nothing)}")
    missing = [f"in the gradebook, not in {roster.path.name}: {_list(here)}"] if here else []
    missing += [f"in {roster.path.name}, not in the gradebook: {_list(there)}"] if there else []
    return [roster.header, *rows], notes, missing


def _column(roster: Roster, lab: str, wanted: str | None) -> int:
    """Return the place of the lab's column; Canvas adds the assignment's number to its name."""
    names = [re.sub(r"\s*\([0-9]+\)$", "", name.strip()) for name in roster.header]
    name = wanted or (lab if roster.kind == "canvas" else "Grade")
    places = [i for i, full in enumerate(roster.header) if name in (full.strip(), names[i])]
    if len(places) != 1:
        known = {name.casefold() for name in (*CANVAS, "LastName", "FirstName", *MOODLE[:4])}
        others = [full for full in roster.header if full.strip().casefold() not in known and full.strip()]
        has = "has several columns" if places else "has no column"
        raise ClassroomError(f"{roster.path.name} {has} {name!r}: choose with --column from {_list(others)}")
    return places[0]


def _students_texts(roster: Roster, filled: int) -> list[int]:
    """Return the places of the columns that a student may have written.

    Left out are those that Canvas and Moodle read back, as Moodle does the feedback behind the last date.
    """
    names = [name.strip().casefold() for name in roster.header]
    if roster.kind == "canvas":
        return [i for i, name in enumerate(names) if name in ("student", "lastname", "firstname")]
    dated = "last modified (grade)"
    end = names.index(dated) if dated in names else len(names) - 1
    return [i for i in range(1, end) if i != filled]


def _other_maximum(roster: Roster, sheet: Sheet, place: int) -> list[str]:
    """Return a line if Canvas or Moodle counts from another number of points than the lab."""
    if roster.kind == "canvas":
        texts = {row[place] for row in roster.rows if "Points Possible" in row[0]}
    else:
        texts = {roster.value(i, "Maximum Grade") for i in roster.students}
    values = {text for text in texts if re.fullmatch(r"[0-9]+([.,][0-9]+)?", text.strip())}
    others = sorted(text for text in values if float(text.replace(",", ".")) != round(sheet.max_points, 2))
    where, most = roster.kind.capitalize(), number(sheet.max_points)
    return [f"{where} counts up to {text} points, the lab up to {most}" for text in others]


def _list(names: Sequence[str], most: int = 12) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return "; ".join(plain(name) for name in names[:most]) + rest
