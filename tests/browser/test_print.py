"""The book on paper: the PDF of all pages that `make pdf` prints, and a page as a reader's browser prints it."""

from __future__ import annotations

import io
import os
import re
import unicodedata
from collections.abc import Callable
from copy import copy
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

pytest.importorskip("pypdf")

from pypdf import PdfReader

from tools.chromium import MISSING, find_chromium
from tools.contents import pages

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "_build" / "html"
PDF = BUILT / "cnncourse.pdf"
LARGEST = 1_000_000  # bytes for a page of the book, on average
# The text that would be too pale on white paper: relative luminance above 0.183 is a contrast below 4.5.
PALE_TEXT = """() => {
  const light = (colour) => {
    const [red, green, blue] = colour.match(/[\\d.]+/g).map((part) => (part / 255 + 0.055) / 1.055)
      .map((part) => part ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const words = document.querySelectorAll("article :is(h1, h2, h3, p, li, td, th, pre span, code span, a, figcaption)");
  const seen = [...words].filter((found) => found.checkVisibility() && !found.closest("svg, math, .cell_output"));
  return seen.filter((found) => light(getComputedStyle(found).color) > 0.183)
    .map((found) => found.outerHTML.slice(0, 120));
}"""

pytestmark = pytest.mark.book


@pytest.fixture(scope="module")
def pdf() -> PdfReader:
    if not PDF.is_file() and not find_chromium() and os.environ.get("CI") != "true":
        pytest.skip(MISSING)
    if not PDF.is_file():
        pytest.fail(f"there is no {PDF.relative_to(ROOT)}: run `make pdf` first", pytrace=False)
    return PdfReader(PDF)


@pytest.fixture(scope="module")
def texts(pdf: PdfReader) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in pdf.pages]


@cache
def _article(page: str) -> Any:
    return BeautifulSoup((BUILT / f"{page}.html").read_text(encoding="utf-8"), "html.parser").article


def _title(page: str) -> str:
    return str(_article(page).h1.get_text()).removesuffix("#").strip()


def _chapters(pdf: PdfReader) -> dict[str, tuple[int, list[tuple[str, int]]]]:
    """Return the first page of each bookmarked chapter, and the bookmarks below it, pages counted from 0."""
    found: dict[str, tuple[int, list[tuple[str, int]]]] = {}
    last = ""
    for item in pdf.outline:
        if isinstance(item, list):
            found[last][1].extend((str(sub.title), pdf.get_destination_page_number(sub)) for sub in item)
        else:
            last = str(item.title)
            found[last] = (pdf.get_destination_page_number(item), [])
    return found


def _letters(text: str) -> str:
    """Leave letters and digits alone, and take ligatures apart: a PDF has its own mind about the rest."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text))


def test_pdf_names_itself_and_is_small_enough_to_send(pdf: PdfReader) -> None:
    assert pdf.metadata is not None and pdf.metadata.title and pdf.metadata.author
    assert pdf.page_mode == "/UseOutlines"
    assert pdf.trailer["/Root"].get("/StructTreeRoot"), "a screen reader finds no structure"
    assert len(pdf.pages) > len(pages())
    assert PDF.stat().st_size < LARGEST * len(pages())


def test_every_page_of_the_book_is_a_bookmark_in_its_order(pdf: PdfReader, texts: list[str]) -> None:
    chapters = _chapters(pdf)
    assert list(chapters) == [_title(page) for page in pages()]
    starts = [start for start, _ in chapters.values()]
    assert starts == sorted(set(starts)), "each starts on a page of its own"
    for title, (start, sections) in chapters.items():
        assert _letters(title) in _letters(texts[start])
        for section, number in sections:
            assert _letters(section) in _letters(texts[number]), (
                f"{title}: {section} is not on page {number + 1}"
            )


@pytest.mark.parametrize("page", pages())
def test_text_of_the_page_is_there_from_first_to_last(pdf: PdfReader, texts: list[str], page: str) -> None:
    chapters = _chapters(pdf)
    bounds = [*(start for start, _ in chapters.values()), len(texts)]
    ends = dict(pairwise(bounds))
    start = chapters[_title(page)][0]
    printed = _letters("".join(texts[start : ends[start]]))
    body = copy(_article(page))
    for useless in body.select("details, .headerlink, .lab-links, .book-pdf, math, script"):
        useless.decompose()
    paragraphs = [_letters(found.get_text()) for found in body.select("section > p")]
    paragraphs = [text for text in paragraphs if len(text) > 80]
    # A page break falls into some paragraphs, and a formula into others.
    missing = [text for text in paragraphs if text[:40] not in printed]
    assert len(missing) <= len(paragraphs) / 4, missing


def test_answers_are_open_and_hints_are_not_there(texts: list[str]) -> None:
    whole = _letters("".join(texts))
    for page in pages():
        folded = [found for found in _article(page).select("details.sd-dropdown p") if not found.math]
        wanted = [text for found in folded if len(text := _letters(found.get_text())) > 40]
        assert sum(text[:40] in whole for text in wanted) >= 0.75 * len(wanted)
    assert "Hint1of3" not in whole


def test_no_page_is_blank(texts: list[str]) -> None:
    assert not [number for number, text in enumerate(texts, start=1) if len(text) < 60]


def test_pages_are_numbered_and_the_contents_name_those_numbers(pdf: PdfReader, texts: list[str]) -> None:
    for number, text in enumerate(texts[1:], start=2):  # the cover has none
        assert re.search(rf"^(.{{0,120}} )?{number}( |$)", text), f"page {number}: {text[:120]}"
    chapters = _chapters(pdf)
    first = min(start for start, _ in chapters.values())
    contents = "".join(_letters(text) for text in texts[1:first])
    for title, (start, _) in chapters.items():
        assert f"{_letters(title)}{start + 1}" in contents


def test_links_inside_the_book_lead_to_its_pages(pdf: PdfReader) -> None:
    inside = 0
    for page in pdf.pages:
        for link in page.get("/Annots", []):
            action = link.get_object().get("/A", {})
            assert not str(action.get("/URI", "")).startswith("file:"), action
            inside += "/Dest" in link.get_object()
    assert inside > 100


def test_the_first_page_offers_the_pdf(pdf: PdfReader) -> None:
    link = _article(pages()[0]).select_one(".book-pdf a")
    assert link is not None and (BUILT / pages()[0]).parent.joinpath(link["href"]).resolve() == PDF
    assert f"{len(pdf.pages)} pages" in link.parent.get_text()


def test_a_reader_prints_the_article_alone(visit: Callable[..., Any], site: str) -> None:
    chapter = next(page for page in pages() if re.match(r"book/ch\d\d", page))
    seen = visit(f"{site}/{chapter}.html")
    printed = PdfReader(io.BytesIO(seen.page.pdf(prefer_css_page_size=True)))
    text = _letters("".join(page.extract_text() for page in printed.pages))
    assert text.count(_letters(_title(chapter))) == 1, "the title once: no contents, no sidebar"
    answer = next(found for found in _article(chapter).select("details.sd-dropdown p") if not found.math)
    assert _letters(answer.get_text())[:40] in text, "folded answers open"
    assert "Showthecode" not in text and "CtrlK" not in text


def test_a_dark_page_prints_dark_on_white(visit: Callable[..., Any], site: str) -> None:
    chapter = next(page for page in pages() if re.match(r"book/ch\d\d", page))
    page = visit(f"{site}/{chapter}.html", dark=True).page
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    pale = page.evaluate(PALE_TEXT)
    assert not pale, pale
