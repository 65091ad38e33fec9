"""The whole book as one PDF, printed by Chromium from the built pages: `make pdf`."""

from __future__ import annotations

import logging
import os
import sys
import time
from pathlib import Path

import yaml
from playwright.sync_api import Page
from pypdf import PdfReader, PdfWriter
from pypdf.generic import Fit

from book._ext.cnn_pdf import NAME, link_pdf
from cnncourse import __version__
from tools.chromium import MISSING, chromium, find_chromium
from tools.paper import Book

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / "_build" / "html"
WORK = ROOT / "_build" / "pdf"


# A hint at a count in Chromium's PDFs that is of no consequence.
logging.getLogger("pypdf").setLevel(logging.ERROR)


def print_page(page: Page, html: str, to: Path, tagged: bool) -> PdfReader:
    """Print a document that stands beside the built book, and return the PDF; tags are for screen readers."""
    source = to.with_suffix(".html")
    source.write_text(html, encoding="utf-8")
    page.goto(source.as_uri(), wait_until="load")
    page.pdf(path=str(to), prefer_css_page_size=True, print_background=True, tagged=tagged)
    return PdfReader(to)


def page_numbers(pdf: PdfReader) -> dict[str, int]:
    """Return the numbers of the pages, from 1, on which the places stand that links lead to."""
    found = {}
    for name, destination in pdf.named_destinations.items():
        number = pdf.get_destination_page_number(destination)
        if number is not None:
            found[name.removeprefix("/")] = number + 1
    return found


def finish(printed: PdfReader, book: Book, title: str, author: str) -> PdfWriter:
    """Return the PDF with bookmarks of chapters and sections, and with title and author."""
    writer, places = PdfWriter(clone_from=printed), printed.named_destinations
    for chapter, *sections in book.headings.values():
        above = None
        for heading in (chapter, *sections):
            place = places["/" + heading.place]
            number = printed.get_destination_page_number(place)
            fit = Fit.xyz(left=place.left, top=place.top)
            item = writer.add_outline_item(
                title=heading.title, page_number=number, parent=above, fit=fit, is_open=False
            )
            above = above or item
    writer.add_metadata({"/Title": title, "/Author": author})
    writer.page_mode = "/UseOutlines"
    return writer


def make_pdf() -> Path:
    """Print the book twice, the second time with the pages' numbers in the contents; link and return it."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    title, author = config["title"], config["author"]
    WORK.mkdir(parents=True, exist_ok=True)
    book = Book(BUILT, title, author, f"Version {__version__}")
    with chromium() as browser:
        page = browser.new_context(offline=True).new_page()
        numbers = page_numbers(print_page(page, book.document({}), WORK / "first.pdf", tagged=False))
        printed = print_page(page, book.document(numbers), WORK / "second.pdf", tagged=True)
    finish(printed, book, title, author).write(WORK / NAME)
    (WORK / NAME).replace(BUILT / NAME)
    link_pdf(BUILT)
    return BUILT / NAME


def main() -> int:
    """Make the PDF and say what it is; a laptop without a browser goes without it."""
    if not (BUILT / "index.html").is_file():
        sys.exit("there is no built book in _build/html: run `make book` first")
    if not find_chromium():
        print(f"the book stays without its PDF: {MISSING}")
        return int(os.environ.get("CI") == "true")
    start = time.monotonic()
    path = make_pdf()
    pages, size = len(PdfReader(path).pages), path.stat().st_size / 1e6
    print(f"{path.relative_to(ROOT)}: {pages} pages, {size:.1f} MB, {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
