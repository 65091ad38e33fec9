"""What others put into a page stays text: names and questions of explorers, HTML that a cell shows, a search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from cnncourse.checking import LocalCandidate, judge, load
from cnncourse.widgets import ConvExplorer

ASSETS = Path(__file__).resolve().parents[2] / "book" / "_assets"
INJECTED = '"><img src=x onerror="window.ran = true"><script>window.ran = true</script>'
HOSTILE = [
    INJECTED,
    "<svg onload='window.ran = true'><a href='javascript:window.ran = true'>press</a></svg>",
    "<iframe srcdoc='<script>parent.ran = true</script>'></iframe>",
    "<style>@import 'https://elsewhere.invalid/a.css'</style><link rel=stylesheet href=https://elsewhere.invalid/b>",
    "<div style='background: url(https://elsewhere.invalid/c)'>text</div>",
    "<div style='background: u\\72l(https://elsewhere.invalid/d)'>text</div>",
    "<svg><rect fill='url(https://elsewhere.invalid/e#f)' /><use href='https://elsewhere.invalid/f#g' /></svg>",
    "<form action=https://elsewhere.invalid><button formaction='javascript:window.ran = true'>x</button></form>",
    "<math><mtext><table><mglyph><style><img src=x onerror='window.ran = true'></style></mglyph></table></mtext></math>",
    "<template><img src=x onerror='window.ran = true'></template><base href=https://elsewhere.invalid>",
]
SHOW = """async (text) => {
  const { harmless } = await import("/try_it/harmless.js");
  document.body.replaceChildren(harmless(text));
  return document.body.innerHTML;
}"""


@pytest.fixture
def assets(visit: Callable[..., Any], serve: Callable[[Path], str]) -> Any:
    seen = visit(serve(ASSETS) + "/logo.svg")
    seen.page.goto(seen.page.url.replace("logo.svg", "try_it/"))  # any page of this address
    return seen


@pytest.mark.parametrize("text", HOSTILE)
def test_html_that_a_cell_shows_runs_nothing_and_fetches_nothing(assets: Any, text: str) -> None:
    shown = assets.page.evaluate(SHOW, text)
    assets.page.wait_for_timeout(100)
    assert not assets.page.evaluate("window.ran")
    assert not assets.outside
    assert "elsewhere" not in shown
    assert "<img" not in shown
    assert "javascript:" not in shown


def test_a_card_of_the_checker_stays_whole(assets: Any) -> None:
    def conv2d(x: Any, weight: Any, bias: Any, stride: int = 1, padding: int = 0) -> Any:
        return np.array(load("ch02_conv2d.conv2d").reference(x, weight, bias, stride, padding)) + 1

    card = judge(load("ch02_conv2d.conv2d"), LocalCandidate(conv2d)).html()
    assert "<svg" in card
    assert "style=" in card
    whole = "(text) => { document.body.innerHTML = text; return document.body.innerHTML }"
    assert assets.page.evaluate(SHOW, card) == assets.page.evaluate(whole, card)


def test_names_in_the_state_of_an_explorer_stay_text(mount: Callable[..., Page]) -> None:
    image = np.zeros((4, 4)).tolist()
    page = mount(ConvExplorer(question=INJECTED, image=image, pictures=[(INJECTED, image)]))
    expect(page.get_by_text(INJECTED).first).to_be_visible()
    assert page.locator("img").count() == 0
    assert not page.evaluate("window.ran")


@pytest.mark.book
@pytest.mark.parametrize(
    "address", ["search.html?q=", "search.html?highlight=", "book/ch02_conv2d.html?highlight="]
)
def test_a_link_puts_nothing_into_a_page(visit: Callable[..., Any], site: str, address: str) -> None:
    page = visit(f"{site}/{address}{quote(INJECTED)}").page
    page.wait_for_load_state("networkidle")
    assert page.locator("img[src=x]").count() == 0
    assert not page.evaluate("window.ran")


@pytest.mark.book
def test_a_text_that_was_kept_is_shown_and_not_run(visit: Callable[..., Any], site: str) -> None:
    page = visit(f"{site}/book/ch02_conv2d.html").page
    page.evaluate("text => localStorage.setItem(`cnn-try-it:${location.pathname}:kernel`, text)", INJECTED)
    page.reload()
    expect(page.locator("#try-it-kernel").get_by_role("textbox")).to_have_value(INJECTED)
    assert page.locator("img[src=x]").count() == 0
    assert not page.evaluate("window.ran")
    assert not page.workers  # no Python before someone presses Run
