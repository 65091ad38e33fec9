"""Every page of the built book in a browser that reaches no other host: quiet, usable by everyone, and light."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, TimeoutError, expect

from tools.contents import pages

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "_build" / "html"
AXE = ROOT / "_build" / "vendor" / "axe" / "axe.min.js"
PAGES = [*pages(), "search", "genindex"]
LIGHT_PAGE = 1_000_000  # bytes of a page without mathematics or a widget, nothing compressed
# What an SVG with role "img" holds is no content of its own, and a figure holds thousands of elements.
RUN_AXE = """(options) => axe.run({exclude: ["svg[role=img] > *"]}, {resultTypes: ["violations"], ...options})
  .then((found) => found.violations.map((rule) => `${rule.id}: ${rule.help} (${rule.nodes.length}): ` +
    rule.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" ")))"""
COLOURS = [
    "color-contrast",
    "link-in-text-block",
]  # the rules that dark mode can break, and a narrow page cannot
NONE_LEFT_OUT = """() => [...document.querySelectorAll("pre")].every(
  (found) => found.scrollWidth <= found.clientWidth || found.tabIndex >= 0)"""
ONLY_COLOURS = {"runOnly": COLOURS}
NO_COLOURS = {"rules": {name: {"enabled": False} for name in COLOURS}}
UNFOLD = "document.querySelectorAll('details').forEach((folded) => { folded.open = true })"
STILL = "*, *::before, *::after { transition: none !important; animation: none !important }"

pytestmark = pytest.mark.book


@dataclass
class Crawler:
    """One browser page that walks through the book and notes what each page asks for and says."""

    page: Page
    site: str
    asked: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    weights: dict[str, int] = field(default_factory=dict)

    def open(self, page: str) -> None:
        """Open a page of the book and wait until it asks for nothing more."""
        self.asked.clear()
        self.trouble.clear()
        self.page.set_viewport_size({"width": 1280, "height": 900})
        self.page.emulate_media(color_scheme="light")
        self.page.goto(f"{self.site}/{page}.html", wait_until="networkidle")
        self.page.add_style_tag(content=STILL)

    def weight(self) -> int:
        """Return the bytes of all files that the page asked for."""
        files = {BUILT / unquote(urlsplit(url).path).lstrip("/") for url in self.asked}
        return sum(file.stat().st_size for file in files if file.is_file())

    def axe(self, options: dict[str, Any]) -> list[str]:
        """Return what axe-core finds on the page as it is now, with everything unfolded.

        The theme makes a box that scrolls reachable by keyboard a while after the page has changed, on a busy
        machine later still: what it has left out after ten seconds is left to axe-core to name.
        """
        self.page.evaluate(UNFOLD)
        with suppress(TimeoutError):
            self.page.wait_for_function(NONE_LEFT_OUT, timeout=10_000)
        if not self.page.evaluate("typeof axe === 'object'"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        return list(self.page.evaluate(RUN_AXE, options))

    def wide(self, width: int) -> int:
        """Return how wide the page is in a window of a width; explorers draw anew a moment after a change."""
        self.page.set_viewport_size({"width": width, "height": 844})
        with suppress(TimeoutError):
            self.page.wait_for_function(
                "width => document.documentElement.scrollWidth <= width", arg=width, timeout=5_000
            )
        return int(self.page.evaluate("document.documentElement.scrollWidth"))

    def turn(self, dark: bool) -> None:
        """Switch as a reader's system does, which the page follows."""
        mode = "dark" if dark else "light"
        self.page.emulate_media(color_scheme=mode)
        self.page.wait_for_function(f"document.documentElement.dataset.theme === '{mode}'")


@pytest.fixture(scope="module")
def crawler(browser: Browser, site: str) -> Iterator[Crawler]:
    if not AXE.is_file():
        pytest.fail("there is no axe-core in _build/vendor: run `make vendor` first", pytrace=False)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    found = Crawler(context.new_page(), site)

    def route(handler: Any, request: Request) -> None:
        if request.url.startswith(site):
            found.asked.append(request.url)
            handler.continue_()
        else:
            found.trouble.append(f"asked another host: {request.url}")
            handler.abort()

    context.route("**/*", route)
    found.page.on("pageerror", lambda error: found.trouble.append(f"error: {error}"))
    found.page.on(
        "console",
        lambda said: found.trouble.append(said.text) if said.type in ("error", "warning") else None,
    )
    yield found
    context.close()
    heavy = sorted(found.weights.items(), key=lambda item: -item[1])
    print("\nweight of all requests of a page, nothing compressed:")
    print("\n".join(f"{size / 1000:8.0f} kB  {page}" for page, size in heavy))


@pytest.mark.parametrize("page", PAGES)
def test_page_is_quiet_usable_and_light(crawler: Crawler, page: str) -> None:
    crawler.open(page)
    weight = crawler.weights[page] = crawler.weight()
    found = {"light": crawler.axe({})}
    crawler.turn(dark=True)
    found["dark"] = crawler.axe(ONLY_COLOURS)
    crawler.page.set_viewport_size({"width": 390, "height": 844})
    crawler.page.wait_for_timeout(500)  # until the theme has looked again which boxes scroll
    found["390 px"] = crawler.axe(NO_COLOURS)
    wide = {width: crawler.wide(width) for width in (390, 320)}  # 320: magnified four times
    assert not crawler.trouble
    assert not any(found.values()), "\n".join(f"{mode}: {rule}" for mode in found for rule in found[mode])
    assert all(size <= width for width, size in wide.items()), f"the page scrolls sideways: {wide} px"
    if not crawler.page.locator("math, .cnn-explorer, .cnn-try-it").count():
        assert weight < LIGHT_PAGE


def test_the_crawl_meets_every_page() -> None:
    built = {path.relative_to(BUILT).with_suffix("").as_posix() for path in BUILT.rglob("*.html")}
    others = {page for page in built if page.startswith(("_", "reports/"))}
    assert built - others == {*PAGES, "index"}


def _search(page: Page, address: str, word: str) -> Page:
    page.goto(address)
    page.keyboard.press("Control+k")
    page.keyboard.type(word)
    page.keyboard.press("Enter")
    expect(page.locator("#search-results li").first).to_be_visible()
    return page


def test_search_works_by_keyboard_without_a_network(visit: Callable[..., Any], site: str) -> None:
    seen = visit(f"{site}/{PAGES[0]}.html")
    results = _search(seen.page, f"{site}/{PAGES[0]}.html", "im2col").locator("#search-results")
    expect(results.get_by_role("link", name="Convolution in two dimensions").first).to_be_visible()
    assert not seen.trouble


def test_search_works_in_a_book_opened_as_a_file(browser: Browser) -> None:
    context = browser.new_context(offline=True)
    page = _search(context.new_page(), (BUILT / f"{PAGES[0]}.html").as_uri(), "padding")
    expect(page.locator("#search-results li").nth(1)).to_be_visible()  # they come one after another
    page.locator("#search-results li a").first.click()
    expect(page.locator("article h1")).to_be_visible()
    context.close()
