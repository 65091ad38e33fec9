"""Decide which student of the class each uploaded notebook belongs to, and what it is called there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cnncourse.grading.download import Upload
from cnncourse.grading.jobs import LONGEST_NAME
from cnncourse.grading.roster import RULES, Roster, match
from cnncourse.grading.sheet import Row

Trouble = tuple[str, str]  # the name of a file in the archive, and why it is not placed


@dataclass
class Placed:
    """Whose the uploads are.

    Attributes
    ----------
    notebooks : for each student, the notebooks by the name that they get
    others : files that are not placed, and why
    older : files that a newer one of the same student replaces
    late : students that Canvas marks so
    by : how the students' names were found, and for how many
    """

    notebooks: dict[str, dict[str, Upload]] = field(default_factory=dict)
    others: list[Trouble] = field(default_factory=list)
    older: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    by: dict[str, int] = field(default_factory=dict)


def place(
    uploads: Iterable[Upload], lab: str, source: str, roster: Roster | None, rows: Sequence[Row]
) -> Placed:
    """Return what to put where.

    Parameters
    ----------
    source : "canvas" or "moodle"
    roster : a table that names the students; without one they keep Canvas's or Moodle's numbers
    rows : the gradebook's students; where one of them is meant, the gradebook's name for them is taken
    """
    placed = Placed()
    handed_in: dict[str, list[Upload]] = {}
    for upload in uploads:
        if upload.is_notebook:
            handed_in.setdefault(upload.number, []).append(upload)
        else:
            placed.others.append((upload.path, "it is no notebook"))
    names = _names(source, roster, rows)
    unknown = ("", "") if roster else None
    whose = {number: names.get(number) or unknown or (number, _numbers(source)) for number in handed_in}
    often = Counter(student.casefold() for student, _ in whose.values())
    for number, (student, how) in whose.items():
        found = handed_in[number]
        if why := _trouble(student, roster, often[student.casefold()]):
            placed.others += [(upload.path, why) for upload in found]
            continue
        placed.by[how] = placed.by.get(how, 0) + 1
        placed.notebooks[student] = own_names(found, lab)
        kept = [id(upload) for upload in placed.notebooks[student].values()]
        placed.older += [upload.path for upload in found if id(upload) not in kept]
        placed.late += [student] if any(upload.late for upload in found) else []
    return placed


def own_names(uploads: Sequence[Upload], lab: str) -> dict[str, Upload]:
    """Return what to call each notebook of one student.

    The only one is the lab. Of several that Canvas holds, those whose names differ in nothing but what Canvas
    and browsers add to a name that is taken ("-1", " (1)") are one notebook, and the newest of them counts.
    """
    newest: dict[str, Upload] = {}
    for upload in sorted(uploads, key=lambda upload: upload.order):
        newest[_stem(upload.file) if upload.order else upload.file] = upload
    if len(newest) == 1:
        return {f"{lab}.ipynb": upload for upload in newest.values()}
    named: dict[str, Upload] = {}
    for upload in sorted(newest.values(), key=lambda upload: _base(upload.file) != lab):
        same = _stem(upload.file) in (lab, _stem(lab))
        own = lab if same else re.sub(r"[^\w. ()-]", "_", _base(upload.file)).lstrip(". ")[:80] or "notebook"
        name, count = f"{own}.ipynb", 1
        while name.casefold() in {other.casefold() for other in named}:
            count += 1
            name = f"{own}-{count}.ipynb"
        named[name] = upload
    return named


def _names(source: str, roster: Roster | None, rows: Sequence[Row]) -> Mapping[str, tuple[str, str]]:
    """Return for Canvas's or Moodle's numbers the student's name here, and where it was found."""
    if roster is None:
        known = [row for row in rows if row.lms_id] if source == "canvas" else []
        return {row.lms_id: (row.student, "the gradebook's lms_user_id") for row in known}
    last = len(RULES[source]) - 1  # a number that happens to be somebody's name here says nothing
    found = match(roster, rows, RULES[source][:last])
    names = {}
    for i in roster.students:
        student = found[i].student if i in found else roster.login(i)
        names[roster.number(i)] = (student, f"the login names of {roster.path.name}")
    return names


def _numbers(source: str) -> str:
    return "Canvas's user ids" if source == "canvas" else "Moodle's participant numbers"


def _trouble(student: str, roster: Roster | None, claims: int) -> str:
    """Return why nothing can be stored under this name; empty if it can."""
    if roster and not student:
        return f"{roster.path.name} has no such student"
    if claims > 1:
        return f"{claims} students of the archive would be {student} here"
    bad = set("/\\*?[]{}<>:|\"'`") & set(student)
    if bad or not student.isprintable() or student != student.strip() or student.startswith("."):
        return f"the student's name {student!r} cannot be the name of a folder"
    return "the student's name is too long" if len(student) > LONGEST_NAME else ""


def _base(file: str) -> str:
    """Return a notebook's name without its folder and its ending."""
    base = file.rpartition("/")[2]
    at = base.lower().find(".ipynb")
    return base[:at] if at >= 0 else base


def _stem(file: str) -> str:
    """Return a notebook's name also without what was added because the name was taken."""
    return re.sub(r"(-[0-9]+| ?\([0-9]+\))+$", "", _base(file))
