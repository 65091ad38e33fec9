"""Points for a spreadsheet, Canvas and Moodle: `cnncourse export` on a small graded class."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pytest

pytest.importorskip("nbgrader")

from small_class import LAB, POINTS, QUESTION, Student, make, run

from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.export import neutral

CLASS = [
    Student("ada", by_hand={QUESTION: 2.5}, first="Ada", last="Lovelace", email="ada@uni.example", lms="11"),
    Student(
        "bela",
        {"conv2d": 1.333333},
        by_hand={"pad2d-check": 1, QUESTION: 0},
        lms="12",
        email="bela@uni.example",
    ),
    Student(
        "cem", {"pad2d": 1}, {QUESTION: 1}, penalty=5.0, late=timedelta(hours=2), email="cem@uni.example"
    ),
    Student("dana", None, first="Dana", last="Novák", lms="14", email="dana@uni.example"),
    Student("emil", first='=HYPERLINK("http://x")', last="@SUM(1)", lms="15", email="+1@uni.example"),
]
HEADER = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("class"), CLASS)


def read(path: Path, **options: str) -> list[list[str]]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, **options))


def write(path: Path, rows: list[list[str]], **options: str) -> Path:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, **options).writerows(rows)
    return path


def test_a_spreadsheet_has_a_row_a_student_with_what_counts_in_the_end(course: Path) -> None:
    assert run("export", course) == 0
    with open(course / f"{LAB}.csv", encoding="utf-8", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert list(rows["ada"])[5:9] == [*POINTS, QUESTION]  # as the exercises stand in the lab
    assert rows["ada"]["total"] == "9.5" and rows["ada"]["max_points"] == "10"
    assert [rows["bela"][name] for name in ("pad2d", "conv2d", "total")] == ["1", "1.33", "2.33"]
    late = ("pad2d", QUESTION, "penalty", "total", "late_seconds", "timestamp")
    assert [rows["cem"][name] for name in late] == ["1", "1", "5", "0", "7200", "2026-03-01 14:00:00 UTC"]
    assert [rows["dana"][name] for name in ("status", "conv2d", "total")] == ["nothing handed in", "", ""]
    assert [rows[name]["status"] for name in ("ada", "emil")] == ["graded", "needs manual grading"]


def test_who_still_waits_for_points_by_hand_is_named(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("export", course)
    assert "1 still wait for points by hand, and lack them here: emil" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["csv", "canvas", "moodle"])
def test_no_cell_is_a_formula(course: Path, form: str, tmp_path: Path) -> None:
    run("export", course, "--format", form, "--to", tmp_path / "x.csv")
    text = (tmp_path / "x.csv").read_text(encoding="utf-8")
    cells = [cell for row in read(tmp_path / "x.csv") for cell in row]
    assert "HYPERLINK" in text
    assert not [
        cell for cell in cells if cell.lstrip()[:1] in tuple("=+@\t") or (cell[:1] == "-" and cell != "-")
    ]


def test_numbers_stay_numbers() -> None:
    assert [neutral(text) for text in ("-1.5", "+3", "12,5 %", "-", "")] == ["-1.5", "+3", "12,5 %", "-", ""]
    texts = ["=1+1", "-2+3", "\t=1", " =1", "\n@x", "\uff1d1"]
    assert [neutral(text) for text in texts] == [f"'{text}" for text in texts]


def test_canvas_gets_its_columns(course: Path) -> None:
    assert run("export", course, "--format", "canvas") == 0
    header, maximum, *rows = read(course / f"{LAB}.canvas.csv")
    assert header == [*HEADER, LAB]
    assert maximum == ["    Points Possible", "", "", "", "", "10"]
    assert ["Lovelace, Ada", "11", "", "ada", "", "9.5"] in rows
    assert len(rows) == 4  # who handed in nothing is not there: Canvas leaves them as they are


CANVAS = [
    [*HEADER, "Essay (3)", f"{LAB} (77)", "Final Score"],
    ["", "", "", "", "", "", "Manual Posting", ""],
    ["    Points Possible", "", "", "", "", "5", "10.00", "(read only)"],
    ["Lovelace, Ada", "901", "s1", "ADA", "A", "4", "", "80"],
    ["Bartók, Béla", "12", "s2", "bb@uni.example", "A", "3", "1", "60"],
    ["Cem", "903", "s3", "cem@uni.example", "A", "", "EX", ""],
    ["Novák, Dana", "14", "", "", "A", "2", "7", ""],
    ["=cmd|' /C calc'!A0", "15", "", "", "A", "1", "N/A", ""],
    ["Student, Test", "999", "", "x", "A", "", "", ""],
]


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_canvas_roster_keeps_its_rows_and_only_the_labs_column_changes(
    course: Path, tmp_path: Path, delimiter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    roster = write(tmp_path / "canvas.csv", CANVAS, delimiter=delimiter)
    to = tmp_path / "filled.csv"
    assert run("export", course, "--format", "canvas", "--roster", roster, "--to", to) == 1
    filled = read(to, delimiter=delimiter)
    assert [row[6] for row in filled] == [
        *(f"{LAB} (77)", "Manual Posting", "10.00", "9.5", "2.33", "EX", "7", "7", ""),
    ]
    assert [row[:6] + row[7:] for row in filled[:7]] == [row[:6] + row[7:] for row in CANVAS[:7]]
    assert filled[7][0] == "'" + CANVAS[7][0]
    printed = capsys.readouterr().out
    assert "in canvas.csv, not in the gradebook: Student, Test" in printed
    assert "excused in Canvas, and left so: Cem" in printed
    assert "handed in nothing, and their cells stay as they were: Novák, Dana" in printed


def test_who_is_missing_in_the_roster_is_named(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roster = write(tmp_path / "canvas.csv", CANVAS[:5])
    assert run("export", course, "--format", "canvas", "--roster", roster, "--to", tmp_path / "x.csv") == 1
    assert "in the gradebook, not in canvas.csv: emil; cem" in capsys.readouterr().out


def test_other_points_in_canvas_are_said(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [CANVAS[0], [*CANVAS[2][:6], "100", ""], *CANVAS[3:]]
    run(
        "export",
        course,
        "--format",
        "canvas",
        "--roster",
        write(tmp_path / "c.csv", rows),
        "--to",
        tmp_path / "x.csv",
    )
    assert "Canvas counts up to 100 points, the lab up to 10" in capsys.readouterr().out


def test_a_number_in_canvas_is_not_taken_for_another_students_name(tmp_path: Path) -> None:
    numbered = make(
        tmp_path / "class",
        [Student("12", {"pad2d": 1}, {QUESTION: 0}), Student("s12", by_hand={QUESTION: 3})],
    )
    rows = [CANVAS[0], ["One", "12", "", "s12", "", "", "", ""], ["Two", "50", "12", "", "", "", "", ""]]
    to = tmp_path / "x.csv"
    assert (
        run("export", numbered, "--format", "canvas", "--roster", write(tmp_path / "c.csv", rows), "--to", to)
        == 0
    )
    assert [row[6] for row in read(to)[1:]] == ["10", "1"]


def test_moodle_gets_a_worksheet_without_a_column_that_would_empty_its_feedback(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("export", course, "--format", "moodle") == 0
    header, *rows = read(course / f"{LAB}.moodle.csv")
    assert {"Identifier", "Grade", "Last modified (grade)"} <= set(
        header
    )  # those that Moodle's import asks for
    assert "Feedback comments" not in header
    assert rows[[row[0] for row in rows].index("Participant 11")][:3] == [
        "Participant 11",
        "Ada Lovelace",
        "ada@uni.example",
    ]
    assert "Moodle passes over 1 whose participant's number is not known here" in capsys.readouterr().out


MOODLE = [
    [
        *(
            "Identifier",
            "Full name",
            "Email address",
            "Status",
            "Grade",
            "Maximum Grade",
            "Grade can be changed",
        ),
        *("Last modified (submission)", "Online text", "Last modified (grade)", "Feedback comments"),
    ],
    [
        "Participant 501",
        "Ada Lovelace",
        "Ada@uni.example",
        "",
        "",
        "100.00",
        "Yes",
        "-",
        "=1+1",
        "-",
        "- well done",
    ],
    ["Participant 502", "+Béla", "bela@uni.example", "", "3.00", "100.00", "Yes", "-", "", "-", ""],
    ["Participant 503", "Dana", "dana@uni.example", "", "", "100.00", "Yes", "-", "", "-", ""],
]


def test_a_moodle_worksheet_keeps_its_rows(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roster = tmp_path / "sheet.csv"
    write(roster, MOODLE)
    roster.write_bytes(b"\xef\xbb\xbf" + roster.read_bytes())
    to = tmp_path / "filled.csv"
    assert run("export", course, "--format", "moodle", "--roster", roster, "--to", to) == 1
    assert to.read_bytes().startswith(b"\xef\xbb\xbf")
    header, ada, bela, dana = read(to)
    assert [ada[4], bela[4], dana[4]] == ["9.5", "2.33", ""]
    assert [ada[8], ada[10], bela[1]] == ["'=1+1", "- well done", "'+Béla"]
    assert header == MOODLE[0] and dana == MOODLE[3]
    printed = capsys.readouterr().out
    assert "Moodle counts up to 100.00 points, the lab up to 10" in printed
    assert "in the gradebook, not in sheet.csv: emil; cem" in printed


def test_a_worksheet_in_another_language_needs_the_name_of_its_column(course: Path, tmp_path: Path) -> None:
    header = [
        "ID",
        "Vollständiger Name",
        "E-Mail-Adresse",
        "Status",
        "Bewertung",
        "Bestwertung",
        "Zuletzt geändert",
    ]
    rows = [
        header,
        *([f"Teilnehmer/in{n}", name, "", "", "", "10,00", "-"] for n, name in [("11", "Ada"), ("12", "B")]),
    ]
    roster = write(tmp_path / "blatt.csv", rows)
    arguments = ("--format", "moodle", "--roster", roster, "--to", tmp_path / "x.csv")
    with pytest.raises(ClassroomError, match=r"no column 'Grade': choose with --column from .*Bewertung"):
        run("export", course, *arguments)
    run("export", course, *arguments, "--column", "Bewertung")
    assert [row[4] for row in read(tmp_path / "x.csv")] == ["Bewertung", "9.5", "2.33"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Student,ID,Section\n", "is not an export of Canvas's gradebook"),
        (b"", "is not an export"),
        (b"\xff\xfe\x00x", "is not UTF-8"),
        (
            b"Student,ID,SIS User ID,SIS Login ID,Section,Essay (3)\nAda,1,,ada,,2\n",
            "has no column 'ch02_conv2d'",
        ),
    ],
)
def test_another_file_is_no_roster(course: Path, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "c.csv").write_bytes(content)
    with pytest.raises(ClassroomError, match=message):
        run("export", course, "--format", "canvas", "--roster", tmp_path / "c.csv")


def test_what_cannot_be_is_said_in_one_line(course: Path, tmp_path: Path) -> None:
    roster = write(tmp_path / "c.csv", CANVAS)
    kept = roster.read_bytes()
    with pytest.raises(ClassroomError, match="is the roster itself"):
        run("export", course, "--format", "canvas", "--roster", roster, "--to", roster)
    assert roster.read_bytes() == kept
    with pytest.raises(ClassroomError, match="--roster goes with"):
        run("export", course, "--roster", roster)
    with pytest.raises(ClassroomError, match="--column goes with"):
        run("export", course, "--column", "x")
    with pytest.raises(ClassroomError, match=r"holds no nbgrader_config\.py"):
        run("export", tmp_path)
    (tmp_path / "nbgrader_config.py").touch()
    with pytest.raises(ClassroomError, match="there is no gradebook"):
        run("export", tmp_path)
    assert not (tmp_path / "gradebook.db").exists()
