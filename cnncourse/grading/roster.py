"""Read what Canvas and Moodle export about a class, and find the gradebook's students in it."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.sheet import Row

K = TypeVar("K")

# Which columns name a student, and what in the gradebook they are compared with, the surest first.
RULES = {
    "canvas": (
        ("SIS Login ID", "student"),
        ("ID", "lms_id"),
        ("SIS User ID", "student"),
        ("SIS Login ID", "email"),
        ("ID", "student"),
    ),
    "moodle": (
        ("Username", "student"),
        ("ID number", "student"),
        ("Email address", "email"),
        ("Email address", "student"),
        ("Identifier", "lms_id"),
        ("Identifier", "student"),
    ),
}


@dataclass(frozen=True)
class Roster:
    """A table of students as Canvas's gradebook or Moodle's grading worksheet exports it.

    Attributes
    ----------
    kind : "canvas" or "moodle"
    header, rows : the table; every row is as long as the header
    students : places of the rows that stand for a student
    delimiter, bom : how the file is written
    """

    path: Path
    kind: str
    header: list[str]
    rows: list[list[str]]
    students: list[int]
    delimiter: str
    bom: bool

    def value(self, place: int, column: str) -> str:
        """Return what a row holds in a column; empty if there is no such column.

        "Identifier" is the number alone, whatever the language of the worksheet is.
        """
        if self.kind == "moodle" and column == "Identifier":
            found = re.search(r"[0-9]+$", self.rows[place][0].strip())
            return found[0] if found else ""
        names = [name.strip().casefold() for name in self.header]
        return self.rows[place][names.index(column.casefold())].strip() if column.casefold() in names else ""

    def name(self, place: int) -> str:
        """Return the student's name."""
        columns = ("Student", "LastName", "FirstName") if self.kind == "canvas" else ("Full name",)
        parts = [text for column in columns if (text := self.value(place, column))]
        return ", ".join(parts) or self.rows[place][0].strip()

    def number(self, place: int) -> str:
        """Return Canvas's id of the student's, or Moodle's number of the participant."""
        return self.value(place, "ID" if self.kind == "canvas" else "Identifier")

    def login(self, place: int) -> str:
        """Return the student's login name; where the table has none, the next best that names one person."""
        columns = {"canvas": ("SIS Login ID", "SIS User ID"), "moodle": ("Username", "Email address")}
        return next((text for column in columns[self.kind] if (text := self.value(place, column))), "")


def read_roster(path: Path, kind: str) -> Roster:
    """Read an export of Canvas's gradebook or a Moodle grading worksheet.

    Raises
    ------
    ClassroomError
        If the file is something else.
    """
    what = {"canvas": "an export of Canvas's gradebook", "moodle": "a Moodle grading worksheet"}[kind]
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise ClassroomError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ClassroomError(f"{path} is not UTF-8: save it as CSV in UTF-8") from error
    try:
        tables = [(mark, _table(text, mark)) for mark in ",;\t"]
    except csv.Error as error:
        raise ClassroomError(f"{path} is not {what}: {error}") from error
    delimiter, table = max(tables, key=lambda found: len(found[1][0]) if found[1] else 0)
    header = table[0] if table else []
    rows = [(row + [""] * len(header))[: len(header)] for row in table[1:]]
    students = [i for i, row in enumerate(rows) if _is_student(row, kind)]
    roster = Roster(path, kind, header, rows, students, delimiter, content.startswith(b"\xef\xbb\xbf"))
    if len(header) < 3 or not students or not any(roster.number(i) for i in students):
        raise ClassroomError(f"{path} is not {what}")
    return roster


def write_table(path: Path, rows: Iterable[Sequence[str]], delimiter: str = ",", bom: bool = False) -> None:
    """Write a CSV file."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.getvalue().encode("utf-8-sig" if bom else "utf-8", "replace"))


def match(roster: Roster, rows: Iterable[Row], rules: Sequence[tuple[str, str]] = ()) -> dict[int, Row]:
    """Return the gradebook's student for each row of the roster that one is found for.

    The rules are applied one after the other, each to those whom the ones before did not match; one that fits
    several students matches none of them.
    """
    left = {row.student: row for row in rows}
    places = list(roster.students)
    found: dict[int, Row] = {}
    for column, attribute in rules or RULES[roster.kind]:
        there = _alone({place: roster.value(place, column) for place in places})
        wanted = _alone({student: getattr(row, attribute) for student, row in left.items()})
        for text in there.keys() & wanted.keys():
            found[there[text]] = left.pop(wanted[text])
            places.remove(there[text])
    return found


def _alone(texts: Mapping[K, str]) -> dict[str, K]:
    """Return, by their texts, those that share theirs with nobody; upper and lower case are one."""
    plain = {key: text.strip().casefold() for key, text in texts.items()}
    often = Counter(plain.values())
    return {text: key for key, text in plain.items() if text and often[text] == 1}


def _table(text: str, delimiter: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]


def _is_student(row: Sequence[str], kind: str) -> bool:
    """Return whether a row stands for a student: Canvas puts points and posting policies above them."""
    if kind == "moodle":
        return bool(re.search(r"[0-9]$", row[0].strip()))
    return bool(row[0].strip()) and "Points Possible" not in row[0]
