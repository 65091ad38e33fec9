"""The page on how a class did: `cnncourse report` on small classes, read as a browser reads it."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest

pytest.importorskip("nbgrader")

from bs4 import BeautifulSoup, Tag
from small_class import LAB, POINTS, QUESTION, Student, make, run

from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.store import Store
from cnncourse.grading.verdicts import Flag

GROUPS = {"one kernel": True, "stride 2 and 3": False}
STRIDE = {"misconception": "stride_ignored", "hint": "The result does not change when `stride` changes."}
FLIPPED = {"misconception": "kernel_flipped", "hint": "The kernel is flipped."}
NASTY = "<img src=x onerror=alert(1)>"

CLASS = [
    Student("ada", by_hand={QUESTION: 3}, first="Ada", last="Lovelace", seconds={"total": 1.5, "cells": 1.0}),
    Student("bela", {"conv2d": 2}, {QUESTION: 1}, verdicts={"conv2d": STRIDE | {"groups": GROUPS}}),
    Student("cem", {"conv2d": 2, "pad2d": 1}, verdicts={"conv2d": STRIDE | {"groups": GROUPS}}),
    Student(
        "dana", {"conv2d": 0}, {"conv2d-check": 4, QUESTION: 2}, verdicts={"conv2d": FLIPPED}, penalty=1.5
    ),
    Student("emil", {}, {QUESTION: 0}, verdicts={name: {"status": "not written"} for name in POINTS}),
    Student(
        "fatma",
        seconds={"total": 52.0, "start": 10.0, "cells": 40.0, "judge": 1.0},
        verdicts={"conv2d": {"seconds": 31.0, "status": "too slow"}},
        flags=(
            Flag(
                "library call", "calls <b>scipy</b>", "conv2d-answer", 7, "</code><script>alert(1)</script>"
            ),
            Flag("limit", "ran long \ud800\u202e"),
        ),
    ),
    Student("goran", {}, flags=(Flag("unreadable", "The file `x.ipynb` could not be read: it is empty."),)),
    Student(NASTY, by_hand={QUESTION: 3}, first='"><script>alert(2)</script>', last="\u202eevil"),
    Student("zara", None, first="Zara"),
]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make(tmp_path_factory.mktemp("class"), CLASS)
    for student in ("ada", NASTY):
        feedback = folder / "feedback" / student / LAB / f"{LAB}.html"
        feedback.parent.mkdir(parents=True)
        feedback.touch()
    newcomer = folder / "submitted" / "newcomer" / LAB
    newcomer.mkdir(parents=True)
    (newcomer / f"{LAB}.ipynb").touch()
    return folder


@pytest.fixture(scope="module")
def page(course: Path) -> BeautifulSoup:
    assert run("report", course) == 0
    return read(course / "_report" / f"{LAB}.html")


def read(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def text(tag: Tag | None) -> str:
    assert tag is not None
    return " ".join(tag.get_text(" ").split())


def part(page: BeautifulSoup, name: str) -> list[Tag]:
    """Return what stands below a heading, up to the next one of its level."""
    found = []
    for tag in page.find("h2", id=name).find_next_siblings():
        if tag.name == "h2":
            break
        found.append(tag)
    return found


def rows(page: BeautifulSoup, name: str) -> list[list[str]]:
    """Return the rows of the first table of a part."""
    table = next(
        t for tag in part(page, name) for t in ([tag] if tag.name == "table" else tag.find_all("table"))
    )
    return [[text(cell) for cell in row.find_all(["th", "td"])] for row in table.tbody.find_all("tr")]


def test_the_summary(page: BeautifulSoup) -> None:
    facts = {text(dt): text(dt.find_next("dd")) for dt in page.find_all("dt")}
    assert facts["Students graded"] == "8 of 9"
    assert facts["Mean"] == "4.69 of 10" and facts["Median"] == "3.75 of 10"
    assert facts["Grading round"] == "1"
    assert facts["Flagged"] == "1 to look at" and facts["To grade by hand"] == "3"
    assert "Every judged submission ran in a sandbox." in text(page)


def test_points_are_final_those_by_hand_and_penalties_included(page: BeautifulSoup) -> None:
    found = {row[0].split()[0]: row[1:] for row in rows(page, "students")}
    assert found["ada"][:5] == ["10", "1", "4", "2", "3"]
    assert found["dana"][:6] == ["4.5", "0", "4 by hand", "0", "2", "1.5"]
    assert found["cem"][4] == "waits"
    assert [row[0] for row in rows(page, "students")][:2] == ["bela", "cem"]


def test_the_distribution_of_points(page: BeautifulSoup) -> None:
    conv2d = next(card for card in page.find_all("section") if text(card.h3) == "conv2d")
    assert [text(row) for row in conv2d.tbody.find_all("tr")] == ["4 4 50 %", "2 2 25 %", "0 2 25 %"]
    assert "Mean 2.5 of 4 points" in text(conv2d.caption)
    assert "2 right, 2 partly right, 1 too slow, 2 wrong, 1 not written. 1 graded by hand." in text(conv2d)
    question = next(card for card in page.find_all("section") if text(card.h3) == QUESTION)
    assert "3 not graded yet, and not in the bars." in text(question)
    total = next(card for card in page.find_all("section") if text(card.h3) == "All exercises")
    assert text(total.tbody.tr) == "9 to 10 2 25 %" and len(total.tbody.find_all("tr")) == 10


def test_misconceptions_with_their_hint_the_most_common_first(page: BeautifulSoup) -> None:
    first, second = rows(page, "misconceptions")
    assert first[:2] == ["2 25 %", "conv2d stride ignored"]
    assert first[2].startswith("The result does not change when stride changes.") and first[2].endswith(
        "bela , cem"
    )
    assert second[:2] == ["1 12 %", "conv2d kernel flipped"]


def test_situations_that_fail(page: BeautifulSoup) -> None:
    assert rows(page, "situations") == [["conv2d : stride 2 and 3", "2 of 2 100 %"]]


def test_flags_stand_with_their_code_and_students_file_names_as_they_are(page: BeautifulSoup) -> None:
    call, limit = rows(page, "flagged")
    assert call[0] == "fatma"
    assert "calls <b>scipy</b> Cell conv2d-answer , line 7. </code><script>alert(1)</script>" in call[1]
    assert limit[1] == "limit ran long ??"


def test_the_slowest_submissions(page: BeautifulSoup) -> None:
    assert rows(page, "slow")[0] == ["fatma", "42 s", "40 s", "1.0 s", "conv2d , 31 s"]


def test_who_is_not_graded(page: BeautifulSoup) -> None:
    below = {
        text(tag): text(tag.find_next(["p", "tbody"])) for tag in part(page, "missing") if tag.name == "h3"
    }
    assert below == {
        "Could not be read": "goran The file x.ipynb could not be read: it is empty.",
        "Handed in, and not graded yet": "newcomer",
        "Handed in nothing": "zara",
    }


def test_nothing_of_a_students_becomes_markup(page: BeautifulSoup) -> None:
    assert not page.find_all(["script", "img", "iframe", "object", "form", "b"])
    assert not [name for tag in page.find_all(True) for name in tag.attrs if name.startswith("on")]
    assert NASTY in text(page) and "\u202e" not in str(page)


def test_the_page_asks_for_nothing_else(page: BeautifulSoup, course: Path) -> None:
    source = (course / "_report" / f"{LAB}.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|//|@import|url\(", source)
    policy = page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})
    assert policy["content"].startswith("default-src 'none'")


def test_links_lead_to_feedback_that_exists_and_to_nothing_else(page: BeautifulSoup, course: Path) -> None:
    targets = [a["href"] for a in page.find_all("a") if not a["href"].startswith("#")]
    assert len(targets) == 2
    for target in targets:
        assert target.startswith("../feedback/")
        assert (course / "_report" / unquote(target)).resolve().is_file()
    assert all(page.find(id=a["href"][1:]) for a in page.find_all("a") if a["href"].startswith("#"))


def test_the_page_can_be_read_aloud(page: BeautifulSoup) -> None:
    assert page.html["lang"] == "en" and page.title.get_text()
    assert page.body.a["class"] == ["skip"]
    for table in page.find_all("table"):
        assert text(table.caption)
        assert all(cell.get("scope") in ("col", "row") for cell in table.find_all("th"))
        assert all(row.th for row in table.find_all("tr"))
    levels = [int(tag.name[1]) for tag in page.find_all(re.compile("^h[1-6]$"))]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    names = [text(a) for a in page.find_all("a")]
    assert "open the feedback for ada" in names


def test_grading_without_a_sandbox_and_in_several_rounds_is_said(tmp_path: Path) -> None:
    students = [Student("ada", sandbox=False, flags=(Flag("no sandbox", "x"),), round=2), Student("bela")]
    assert run("report", make(tmp_path / "class", students), "--to", tmp_path / "r.html") == 0
    page = read(tmp_path / "r.html")
    warning = text(page.find(role="note"))
    assert warning.startswith(
        "Warning: no sandbox. The code of 1 student ran with the rights of whoever graded"
    )
    assert warning.endswith("ada .")
    assert "1 of round 1, 1 of round 2" in text(page)
    assert text(part(page, "flagged")[0]) == "Nothing was flagged."


def test_feedback_is_found_from_wherever_the_page_is(tmp_path: Path) -> None:
    folder = make(tmp_path / "class", [Student("javascript:alert(1)")])
    feedback = folder / "feedback" / "javascript:alert(1)" / LAB / f"{LAB}.html"
    feedback.parent.mkdir(parents=True)
    feedback.touch()
    run("report", folder, "--to", folder / "feedback" / "r.html")
    (link,) = [a["href"] for a in read(folder / "feedback" / "r.html").find_all("a") if "#" not in a["href"]]
    assert link.startswith("./javascript") and (folder / "feedback" / unquote(link)).is_file()


def test_the_newest_result_counts_and_a_torn_journal_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    slow = {"total": 99.0}
    folder = make(tmp_path / "class", [Student("ada", seconds=slow), Student("bela", stored=False)])
    store = Store(folder, LAB)
    newer = (store.results / f"{0:064x}.json").read_text().replace("99.0", "7.0")
    store.save("f" * 64, newer)
    store.record("ada", {f"{LAB}.ipynb": "f" * 64})
    with open(store.journal, "ab") as file:
        file.write(b'{"student": "ada", "jo')
    run("report", folder)
    page = read(folder / "_report" / f"{LAB}.html")
    assert [row[:2] for row in rows(page, "slow")] == [["ada", "7.0 s"]]
    assert "For 1 student only the points are known" in text(page)


def test_points_of_many_sizes_are_shown_in_fifths(tmp_path: Path) -> None:
    students = [Student(f"s{i}", {"conv2d": 4 * i / 20}) for i in range(21)]
    run("report", make(tmp_path / "class", students))
    page = read(tmp_path / "class" / "_report" / f"{LAB}.html")
    conv2d = next(card for card in page.find_all("section") if text(card.h3) == "conv2d")
    counts = {text(row.th): int(text(row.find(class_="n"))) for row in conv2d.tbody.find_all("tr")}
    assert list(counts.values()) == [1, 4, 4, 4, 4, 3, 1]
    assert list(counts)[:2] == ["4", "3.2 to under 4"] and list(counts)[-2:] == ["above 0 to under 0.8", "0"]


def test_nothing_graded_is_said_in_one_line(tmp_path: Path) -> None:
    folder = make(tmp_path / "class", [Student("ada", None)])
    with pytest.raises(ClassroomError, match="nothing of ch02_conv2d is graded yet"):
        run("report", folder)
    assert not (folder / "_report").exists()
