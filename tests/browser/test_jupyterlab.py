"""A student's hour with a lab, in JupyterLab: run it, answer wrong, read the hint, answer right, turn a knob, save."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jupyterlab")

from live_jupyter import Jupyter, live_jupyter, trouble
from playwright.sync_api import Locator, Page, expect
from sample_answers import FLIPPED, LOOPS, NEGATIVE_SLICE, PAD2D

from cnncourse.cli import copy_lab

LAB = "ch02_conv2d"
pytestmark = pytest.mark.slow
expect.set_options(timeout=60_000)  # milliseconds: what lasts that long on a busy computer is stuck


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A student's folder, as `cnncourse start` makes it."""
    copy_lab(LAB, tmp_path / "labs")
    return tmp_path / "labs"


@pytest.fixture
def jupyter(folder: Path, tmp_path: Path) -> Iterator[Jupyter]:
    with live_jupyter(folder, tmp_path / "aside") as server:
        yield server


class Lab:
    """The lab in JupyterLab, as a student's hands and eyes have it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_text("(ipykernel) | Idle")).to_be_visible()

    def cell(self, text: str) -> Locator:
        """Return the code cell that begins with a text."""
        beginning = self.page.locator(".cm-line:first-child", has_text=text)
        return self.page.locator(".jp-CodeCell").filter(has=beginning)

    def menu(self, *names: str) -> None:
        """Choose from the menu bar."""
        self.page.locator(".lm-MenuBar-item", has_text=names[0]).first.click()
        self.page.locator(".lm-Menu-item", has_text=names[1]).first.click()

    def run_all(self) -> None:
        """Run the lab from its top, as far as it goes."""
        self.menu("Run", "Run All Cells")
        self.finished()

    def finished(self) -> None:
        """Wait until no cell is waiting or running."""
        waiting = self.page.locator(".jp-InputPrompt", has_text="[*]")
        expect(waiting).to_have_count(0)

    def write(self, text: str, source: str) -> None:
        """Replace what stands in a cell, and run it."""
        self.cell(text).locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(source.strip())
        self.run(self.cell(text))

    def run(self, cell: Locator) -> None:
        """Run one cell."""
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        self.finished()

    def check(self, name: str) -> Locator:
        """Run the check of an exercise; return its card."""
        cell = self.cell(f'check("{LAB}.{name}"')
        self.run(cell)
        return cell.get_by_role("group", name=f"Check of {name}")


@pytest.fixture
def lab(jupyter: Jupyter, visit: Callable[..., Any]) -> Iterator[Lab]:
    """The lab, open; at the end nothing may have gone wrong or been asked of another host."""
    seen = visit(jupyter.url(f"lab/tree/{LAB}/{LAB}.ipynb"))
    yield Lab(seen.page)
    assert not trouble(seen)


@pytest.fixture
def picture(lab: Lab, screenshot: Callable[[Page, str], Path]) -> Callable[[Locator, str], None]:
    """Keep a picture of the page with something in sight, in light and dark."""

    def keep(shown: Locator, name: str) -> None:
        shown.scroll_into_view_if_needed()
        for mode in ("dark", "light"):
            lab.page.emulate_media(color_scheme=mode)
            light = str(mode == "light").lower()
            expect(lab.page.locator(f"body[data-jp-theme-light={light}]")).to_be_attached()
            screenshot(lab.page, f"jupyterlab-{name}-{mode}")

    return keep


def test_a_student_answers_wrong_then_right_turns_a_knob_and_saves(
    lab: Lab, folder: Path, picture: Callable[[Locator, str], None]
) -> None:
    lab.run_all()
    expect(lab.cell("small = photo")).to_contain_text("NotImplementedError")  # that is where to begin

    lab.write("def pad2d", NEGATIVE_SLICE)
    card = lab.check("pad2d")
    expect(card).to_contain_text("With padding 0 the slice [p:-p] is [0:0], which has room for nothing")
    picture(card, "hint")
    lab.write("def pad2d", PAD2D)
    expect(lab.check("pad2d")).to_contain_text("all 6 cases right, 1 of 1 point.")

    lab.write("def conv2d(", FLIPPED)
    expect(lab.check("conv2d")).to_contain_text("The kernel is flipped before it is applied.")
    lab.run_all()
    knobs = lab.cell("# yours to change: add a kernel")
    expect(knobs).to_contain_text("The sliders come when conv2d is right")
    expect(knobs.get_by_role("slider")).to_have_count(0)

    lab.write("def conv2d(", LOOPS)
    expect(lab.check("conv2d")).to_contain_text("4 of 4 points.")
    lab.run(knobs)
    drawn = knobs.locator("img")
    expect(drawn).to_have_count(1)
    before = drawn.get_attribute("src")
    knobs.get_by_role("slider").first.press("ArrowRight")
    expect(knobs.locator(".widget-readout").first).to_have_text("2")
    expect(drawn).not_to_have_attribute("src", before or "")
    picture(knobs, "knobs")

    lab.page.keyboard.press("ControlOrMeta+s")
    expect(lab.page.locator(".jp-mod-dirty")).to_have_count(0)
    saved = (folder / LAB / f"{LAB}.ipynb").read_text(encoding="utf-8")
    assert LOOPS.strip().splitlines()[-2].strip() in saved
    assert "4 of 4 points" in saved
