"""Python in the page: a reader edits a cell, runs it, errs, mends it, stops it, comes back and finds the text."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.small_book import VENDORED, build

FIRST, LATER = 30_000, 5_000  # milliseconds; `make bench` has the limits that readers are promised

pytestmark = pytest.mark.slow

RIGHT = """def pad2d(x, padding):
    N, C, H, W = x.shape
    out = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    out[:, :, padding : padding + H, padding : padding + W] = x
    return out


check("ch02_conv2d.pad2d", pad2d)"""
BEFORE_ONLY = """import numpy as np
from cnncourse import check


def pad2d(x, padding):
    N, C, H, W = x.shape
    out = np.zeros((N, C, H + padding, W + padding))
    out[:, :, padding:, padding:] = x
    return out


check("ch02_conv2d.pad2d", pad2d)"""


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (VENDORED / "static").is_dir():
        pytest.fail("there is no Python for the pages in _build/vendor: run `make vendor`", pytrace=False)
    folder = tmp_path_factory.mktemp("try-it")
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="session")
def address(book: Path, serve: Callable[[Path], str]) -> str:
    return serve(book) + "/index.html"


class Cell:
    """One cell of a page in the browser."""

    def __init__(self, page: Page, name: str) -> None:
        self.box: Locator = page.locator(f"#try-it-{name}")
        self.editor = self.box.get_by_role("textbox")
        self.status = self.box.get_by_role("status")
        self.output = self.box.locator(".try-it-output")

    def press(self, button: str) -> None:
        self.box.get_by_role("button", name=button, exact=True).click()

    def run(self, code: str | None = None, within: int = FIRST) -> str:
        """Run the cell, with other code if some is given; return what it shows."""
        if code is not None:
            self.editor.fill(code)
        self.press("Run")
        expect(self.status).to_have_text(re.compile(r"^(Done in|Ended with)"), timeout=within)
        return self.output.inner_text()


@pytest.fixture
def cells(visit: Callable[..., Any], address: str) -> Callable[..., tuple[Any, Cell, Cell, Cell]]:
    def open_page(**settings: Any) -> tuple[Any, Cell, Cell, Cell]:
        seen = visit(address, **settings)
        seen.page.wait_for_function("document.documentElement.dataset.tryIt === '3'")
        return seen, Cell(seen.page, "numbers"), Cell(seen.page, "frame"), Cell(seen.page, "free")

    return open_page


def test_without_javascript_a_cell_is_a_highlighted_code_block(visit, address) -> None:
    page = visit(address, java_script_enabled=False).page
    block = page.locator("#try-it-numbers .highlight pre")
    expect(block).to_be_visible()
    assert block.inner_text().strip().startswith("import numpy as np\n\nx = np.arange(6)")
    assert block.locator("span.k, span.kn").count()
    assert page.get_by_role("button", name="Run").count() == 0
    assert page.get_by_role("textbox", name=re.compile("Python code")).count() == 0


def test_on_paper_a_cell_is_a_code_block(cells) -> None:
    seen, numbers, *_ = cells()
    expect(numbers.editor).to_be_visible()
    seen.page.emulate_media(media="print")
    expect(numbers.editor).to_be_hidden()
    expect(numbers.box.locator(".highlight pre")).to_be_visible()


def test_cells_run_like_those_of_a_notebook(cells, capsys) -> None:
    seen, numbers, frame, free = cells()
    asked: list[str] = []
    seen.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    seen.page.wait_for_timeout(300)
    assert asked == [], "before the first run nothing is fetched"

    start = time.monotonic()
    shown = numbers.run()
    first = time.monotonic() - start
    assert shown.startswith("sum 15")
    rows = numbers.output.locator("table tr").all_inner_texts()
    assert [row.split() for row in rows] == [["−2", "−1", "0"], ["1", "2", "3"]]
    assert {"python.tar.gz", "cnncourse.zip", "runner.py", "worker.js"} <= set(asked)

    start = time.monotonic()
    assert free.run("x.sum() + 1.5", within=LATER).strip() == "16.5", "names of another cell stay defined"
    later = time.monotonic() - start
    with capsys.disabled():
        print(f"\nfirst result {first:.1f} s, a later one {later:.2f} s")

    assert free.run("y = 3", within=LATER) == ""
    assert not seen.trouble
    assert frame.run(None, within=LATER).splitlines()[0] == "pad2d: 0 of 6 cases right, 0 of 1 point"


def test_a_check_shows_its_card(cells) -> None:
    seen, _, frame, _ = cells()
    wrong = frame.run(BEFORE_ONLY)
    assert "pad2d: 2 of 6 cases right, 0 of 1 point" in wrong
    assert "Hint. The result grows by padding, not by 2 * padding" in wrong
    assert wrong.strip().endswith("0.0"), "the points, which the check returns"
    card = frame.output.get_by_role("group", name="Check of pad2d")
    expect(card).to_be_visible()
    expect(frame.status).to_contain_text("2 of 6 cases right")
    right = frame.run(RIGHT, within=LATER)
    assert "all 6 cases right, 1 of 1 point" in right and "Hint" not in right
    assert right.strip().endswith("1.0")
    forbidden = frame.run(
        "def pad2d(x, padding):\n    return np.pad(x, padding)\n\ncheck('ch02_conv2d.pad2d', pad2d)",
        within=LATER,
    )
    assert "not counted" in forbidden and "numpy.pad" in forbidden and "line 2" in forbidden
    assert not seen.trouble


def test_an_error_shows_the_readers_own_lines(cells) -> None:
    seen, _, frame, free = cells()
    frame.run("import numpy as np\n\ndef first(x):\n    return np.concatenate(x, axis=7)")
    lines = free.run("print('before')\nfirst([[1], [2]])", within=LATER).splitlines()
    assert [line for line in lines if line] == [
        "before",
        "Traceback (most recent call last):",
        "  Cell free, line 2",
        "    first([[1], [2]])",
        "  Cell frame, line 4, in first",
        "    return np.concatenate(x, axis=7)",
        "           ^^^^^^^^^^^^^^^^^^^^^^^^^",
        "numpy.exceptions.AxisError: axis 7 is out of bounds for array of dimension 1",
    ]
    expect(free.status).to_contain_text("Ended with an error. numpy.exceptions.AxisError")
    assert "Cell free, line 2\n    for i in range(3) print(i)" in free.run(
        "\nfor i in range(3) print(i)", within=LATER
    )
    assert "SystemExit: 3" in free.run("import sys\nsys.exit(3)", within=LATER)
    assert free.run("6 * 7", within=LATER).strip() == "42", "Python goes on after each of them"
    assert not seen.trouble


def test_an_endless_loop_can_be_stopped_and_the_next_run_works(cells) -> None:
    seen, numbers, _, free = cells()
    numbers.run()
    free.editor.fill("while True:\n    print('again and again')")
    free.press("Run")
    expect(free.output).to_contain_text("characters: the rest is not shown", timeout=LATER)
    assert len(free.output.inner_text()) < 21_000
    numbers.editor.fill("x")
    numbers.press("Run")
    expect(numbers.status).to_have_text("Waiting for another cell…")
    free.press("Stop")
    for cell in (free, numbers):
        expect(cell.status).to_have_text(re.compile("^Stopped.*names must be defined again"))
    gone = numbers.run("x")
    assert gone.startswith("Python has started anew") and "NameError: name 'x' is not defined" in gone
    assert numbers.run("1 + 1", within=LATER).strip() == "2", "said once"
    assert not seen.trouble


def test_python_that_breaks_off_is_started_anew(cells) -> None:
    _, _, _, free = cells()
    free.editor.fill("import os\nos.abort()")
    free.press("Run")
    expect(free.status).to_have_text(re.compile("^Python itself broke off"), timeout=FIRST)
    assert free.run("1 + 1").strip().endswith("2")


def test_the_readers_text_is_kept_and_can_be_reset(cells) -> None:
    seen, numbers, _, free = cells()
    stored = "Object.keys(localStorage).filter((key) => key.startsWith('cnn-try-it:')).length"
    assert seen.page.evaluate(stored) == 0, "nothing is kept before something is changed"
    numbers.editor.fill("mine = 1")
    free.editor.fill("2 + 2")
    free.editor.fill("1 + 1")
    assert seen.page.evaluate(stored) == 1, "a text that is the book's again is not kept"
    seen.page.reload()
    expect(numbers.editor).to_have_value("mine = 1")
    expect(numbers.status).to_contain_text("Your text from your last visit")
    expect(free.editor).to_have_value("1 + 1")
    numbers.press("Reset")
    expect(numbers.editor).to_have_value(re.compile("^import numpy as np"))
    numbers.press("Undo reset")
    expect(numbers.editor).to_have_value("mine = 1")
    numbers.press("Reset")
    seen.page.reload()
    expect(numbers.editor).to_have_value(re.compile("^import numpy as np"))
    assert seen.page.evaluate(stored) == 0
    assert not seen.trouble


def test_everything_can_be_done_with_the_keyboard(cells) -> None:
    seen, _, _, free = cells()
    keyboard = seen.page.keyboard
    free.editor.focus()
    keyboard.press("Control+A")
    keyboard.type("def f(n):\nif n:\nreturn 'yes'\n")
    keyboard.press("Backspace")
    keyboard.press("Backspace")
    keyboard.type("\nf(1)")
    expect(free.editor).to_have_value("def f(n):\n    if n:\n        return 'yes'\n\nf(1)")
    keyboard.press("Shift+Enter")
    expect(free.output).to_have_text("'yes'", timeout=FIRST)
    for button in ("Run", "Stop", "Reset"):
        keyboard.press("Tab")
        expect(free.box.get_by_role("button", name=button)).to_be_focused()
    keyboard.press("Tab")
    expect(free.output).to_be_focused()
    for _ in range(4):
        keyboard.press("Shift+Tab")
    expect(free.editor).to_be_focused()
    free.editor.fill("while True:\n    pass")
    keyboard.press("Control+Enter")
    expect(free.status).to_have_text("Running…")
    keyboard.press("Tab")
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(free.status).to_have_text(re.compile("^Stopped"))
    expect(free.box.get_by_role("button", name="Stop")).to_be_focused()
    assert not seen.trouble


def test_where_python_cannot_run_the_reader_is_told_what_to_do(visit, address) -> None:
    context = visit(address).page.context
    for script, reason in [
        ("delete globalThis.WebAssembly", "this browser has no WebAssembly"),
        ("delete globalThis.Worker", "this browser has no workers"),
    ]:
        other = context.new_page()
        other.add_init_script(script)
        other.goto(address)
        cell = Cell(other, "free")
        cell.press("Run")
        expect(cell.status).to_have_text(f"Python cannot run here: {reason}.")
        link = cell.output.get_by_role("link", name="Open the lab")
        expect(link).to_have_attribute("href", "labs.html")


def test_a_file_that_is_missing_is_named_and_fetched_again_at_the_next_run(cells) -> None:
    seen, _, _, free = cells()
    seen.page.context.route("**/cnncourse.zip", lambda route: route.fulfill(status=404))
    free.press("Run")
    reason = "Python cannot run here: cnncourse.zip could not be fetched (status 404)."
    expect(free.status).to_have_text(reason, timeout=FIRST)
    seen.page.context.unroute("**/cnncourse.zip")
    assert free.run().strip() == "2"


def test_axe_finds_nothing_in_light_dark_and_on_a_small_screen(cells) -> None:
    seen, numbers, frame, free = cells()
    page = seen.page
    page.add_script_tag(path=str(VENDORED / "axe" / "axe.min.js"))
    for theme, width in [("light", 1280), ("dark", 1280), ("dark", 390), ("light", 390)]:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        numbers.run()
        frame.run(BEFORE_ONLY)
        free.run("[1][2]")
        found = page.evaluate("axe.run('.cnn-try-it').then(({ violations }) => violations)")
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == [], (
            theme,
            width,
        )
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"the page scrolls sideways by {overflow} pixels at {width}"
