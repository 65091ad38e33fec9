"""An instructor's look at a graded class, in JupyterLab's formgrader: the assignment, the scores, a verdict's card."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nbgrader")

import sample_class
from live_jupyter import Jupyter, live_jupyter, trouble
from playwright.sync_api import FrameLocator, Locator, Page, expect
from sample_students import CLASS, LAB

FORMULA = {"open-question": r"The matrix has $64 \cdot 9$ rows."}
TWO = [student for student in CLASS if student.name in ("ada", "goran")]
STUDENTS = [replace(student, answers=student.answers | FORMULA) for student in TWO]
pytestmark = [pytest.mark.slow, pytest.mark.nbgrader]
expect.set_options(timeout=60_000)  # milliseconds: what lasts that long on a busy computer is stuck


@pytest.fixture
def jupyter(tmp_path: Path) -> Iterator[Jupyter]:
    """JupyterLab in the folder of a class of two, one of them right, that has been graded."""
    folder = tmp_path / "class"
    sample_class.build(folder, students=STUDENTS)
    sample_class.grade(folder, lambda line: None)
    with live_jupyter(folder, tmp_path / "aside") as server:
        yield server


def row(page: FrameLocator, name: str) -> Locator:
    """Return the row of a table in which something stands."""
    return page.locator("#main-table tr").filter(has_text=name)


def test_an_instructor_sees_the_class_and_opens_a_submission(
    jupyter: Jupyter, visit: Callable[..., Any], screenshot: Callable[[Page, str], Path]
) -> None:
    seen = visit(jupyter.url("lab"))
    seen.page.locator(".lm-MenuBar-item", has_text="Nbgrader").click()
    seen.page.locator(".lm-Menu-item", has_text="Formgrader").first.click()
    page = seen.page.frame_locator("iframe")

    assignment = row(page, LAB)
    expect(assignment.locator(".num-submissions")).to_have_text(str(len(STUDENTS)))
    assignment.locator(".num-submissions a").click()
    for student in STUDENTS:
        expect(row(page, student.name).locator(".score")).to_have_text(f"{student.expected:g} / 12")
    screenshot(seen.page, "formgrader-class")

    row(page, "goran").get_by_role("link").first.click()  # the student's name
    row(page, LAB).get_by_role("link", name=LAB).click()
    card = page.get_by_role("group", name="Check of conv2d", exact=True)
    expect(card).to_contain_text("The kernel is flipped before it is applied.")
    expect(page.locator("#conv2d-check")).to_have_attribute("placeholder", "0")
    expect(page.locator("#im2col-check")).to_have_attribute("placeholder", "2")
    expect(page.locator(".MathJax_Display, .MathJax", has_text="64")).to_be_attached()
    page.locator("#conv2d-check").focus()  # formgrader scrolls there
    expect(card).to_be_in_viewport()
    screenshot(seen.page, "formgrader-submission")
    assert not trouble(seen)
