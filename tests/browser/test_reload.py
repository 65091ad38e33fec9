"""An author has a page open while writing: it shows what was saved, where the author was reading."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tools.pages import Showing
from tools.serve import book_server
from tools.watch import rebuild_on_save

LINES = "<br>".join("line" for _ in range(200))


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A book of one page, served and built whenever its text is saved."""
    text, built = tmp_path / "text.md", tmp_path / "built"
    built.mkdir()

    def build() -> bool:
        page = f"<html><head></head><body><p>{text.read_text()}</p>{LINES}</body></html>"
        (built / "index.html").write_text(page)
        return True

    text.write_text("first")
    build()
    showing, ended = Showing(built, tmp_path / "shown"), threading.Event()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    watching = threading.Thread(target=rebuild_on_save, args=(build, showing, ended.is_set, [text], 0.05))
    watching.start()
    with book_server(port, showing):
        yield f"http://127.0.0.1:{port}/"
    ended.set()
    watching.join()


def test_an_open_page_shows_what_was_saved(address: str, visit: Callable[..., Any], tmp_path: Path) -> None:
    page = visit(address).page
    with page.expect_response("**/changes-of-the-book"):
        page.reload()
    page.mouse.wheel(0, 1000)
    page.wait_for_function("scrollY > 500")
    for text in ("second", "third"):
        (tmp_path / "text.md").write_text(text)
        expect(page.locator("p")).to_have_text(text, timeout=10_000)
    page.wait_for_function("scrollY > 500")  # it stays where one reads


def test_a_page_that_was_hidden_shows_it_when_it_is_looked_at(
    address: str, visit: Callable[..., Any], tmp_path: Path
) -> None:
    page = visit(address).page
    hide = "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
    hide += " document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(hide, True)
    (tmp_path / "text.md").write_text("second")
    other = visit(address).page
    expect(other.locator("p")).to_have_text("second", timeout=10_000)
    expect(page.locator("p")).to_have_text("first")
    page.evaluate(hide, False)
    expect(page.locator("p")).to_have_text("second", timeout=10_000)
