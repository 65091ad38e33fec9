"""The book with a keyboard alone: focus is seen and stays, what only the eye is told is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

CHAPTER = "book/ch02_conv2d.html"
SAID = "main > [role=status].only-aloud"
# Where the outline of what has the focus ends, and where the nearest ancestor cuts it off: 0 pixels or less is seen.
CUT = """(element) => {
  const { outlineStyle, outlineWidth, outlineOffset } = getComputedStyle(element);
  if (outlineStyle === "none") return 1000;
  const reach = parseFloat(outlineWidth) + parseFloat(outlineOffset);
  const own = element.getBoundingClientRect();
  for (let box = element.parentElement; box; box = box.parentElement) {
    if (getComputedStyle(box).overflowX === "visible") continue;
    const cut = box.getBoundingClientRect();
    return Math.max(cut.left - (own.left - reach), own.right + reach - cut.right);
  }
  return 0;
}"""

pytestmark = pytest.mark.book


def tab_to(page: Page, selector: str, at_most: int = 120) -> None:
    """Press Tab until the element that has the focus matches."""
    for _ in range(at_most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not reached in {at_most} Tab stops")


@pytest.fixture
def chapter(visit: Callable[..., Any], site: str) -> Page:
    page: Page = visit(f"{site}/{CHAPTER}").page
    page.wait_for_selector("html[data-widgets=ready]", state="attached")
    return page


def test_the_colour_switch_keeps_the_focus_and_says_what_it_is_set_to(chapter: Page) -> None:
    tab_to(chapter, ".theme-switch-button")
    button = chapter.locator(".theme-switch-button:focus")
    for mode in ("dark", "light", "auto"):
        chapter.keyboard.press("Enter")
        expect(button).to_have_attribute("aria-label", f"Color mode: {mode}")
        expect(chapter.locator(SAID)).to_have_text(f"Color mode: {mode}")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_button_of_the_sidebar_has_the_focus_afterwards(chapter: Page, width: int) -> None:
    chapter.set_viewport_size({"width": width, "height": 844})
    chapter.reload()
    tab_to(chapter, ".primary-toggle")
    chapter.keyboard.press("Enter")
    if width < 1000:
        expect(chapter.locator("#pst-primary-sidebar-modal")).to_be_visible()
        chapter.keyboard.press("Escape")
    expect(chapter.locator(".primary-toggle")).to_be_focused()


def test_the_copy_button_keeps_the_focus_and_says_that_it_copied(chapter: Page) -> None:
    chapter.context.grant_permissions(["clipboard-write"])
    tab_to(chapter, ".copybtn")
    button = chapter.locator(":focus").element_handle()
    chapter.keyboard.press("Enter")
    expect(chapter.locator(SAID)).to_have_text("Copied")
    chapter.wait_for_function("button => document.activeElement === button", arg=button)


@pytest.mark.parametrize("folded", ["details.sd-dropdown > summary", "details.hide > summary"])
def test_the_focus_on_folded_text_is_seen(chapter: Page, folded: str) -> None:
    tab_to(chapter, folded)
    assert chapter.locator(":focus").evaluate(CUT) <= 0


def test_the_buttons_of_the_contents_are_told_apart(chapter: Page) -> None:
    buttons = chapter.locator(".bd-sidebar-primary li > details > summary")
    names = buttons.evaluate_all("all => all.map((each) => each.getAttribute('aria-label'))")
    assert "Pages below: Convolution of signals" in names
    assert len(set(names)) == len(names)


def test_links_beside_the_text_show_the_focus_in_forced_colours(chapter: Page) -> None:
    chapter.emulate_media(forced_colors="active")
    for selector in (".bd-sidebar-primary li a", ".bd-sidebar-secondary li a"):
        tab_to(chapter, selector, at_most=200)
        assert chapter.locator(":focus").evaluate("each => getComputedStyle(each).outlineStyle") == "solid"


def test_how_many_pages_a_search_found_is_said(visit: Callable[..., Any], site: str) -> None:
    page = visit(f"{site}/search.html?q=im2col").page
    expect(page.locator(SAID)).to_contain_text("found")
    field = page.locator("main .bd-search")
    icon, typed = field.locator("i").bounding_box(), field.locator("input")
    start = typed.bounding_box()["x"] + float(
        typed.evaluate("e => parseFloat(getComputedStyle(e).paddingLeft)")
    )
    assert icon["x"] + icon["width"] <= start


def test_nothing_moves_for_those_who_asked_for_it(visit: Callable[..., Any], site: str) -> None:
    page = visit(f"{site}/{CHAPTER}", reduced_motion="reduce").page
    page.evaluate("document.querySelectorAll('details').forEach((folded) => { folded.open = true })")
    assert page.evaluate("document.getAnimations().length") == 0
