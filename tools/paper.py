"""The whole book as one HTML document to print: every article in its order, links between them kept."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

from tools.contents import parts

# What has no use on paper. The print styles hide most of it anyway; the fewer elements, the faster it prints.
DROPPED = "script, noscript, .headerlink, .onlyprint, .book-pdf, .lab-links, details.hide, #searchbox"
LAB_DROPPED = ", details"  # hints: whoever wants one opens it in the lab
NAMING = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "aria-details")
REFERENCE = re.compile(r"url\(#([^)]+)\)")
PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="light" data-mode="light">
<head><meta charset="utf-8"><title>{title}</title>
{styles}
<style>{named_pages}</style></head>
<body class="paper"><main>
<div class="cover"><p class="cover-title">{title}</p><p>{author}</p><p>{edition}</p></div>
{contents}
{articles}
</main></body></html>
"""


def anchor(page: str, name: str = "") -> str:
    """Return the id in the whole document of an id on a page, or of the page's beginning.

    >>> anchor("book/ch02_conv2d", "stride")
    'book-ch02_conv2d--stride'
    """
    return page.replace("/", "-") + (f"--{name}" if name else "")


def target(page: str, href: str, known: set[str]) -> str:
    """Return where a link of a page leads: to a place in the document, to another host, or "" for nowhere.

    >>> target("book/index", "ch02_conv2d.html#stride", {"book/ch02_conv2d"})
    '#book-ch02_conv2d--stride'
    >>> target("book/index", "../_sources/book/index.md", {"book/ch02_conv2d"})
    ''
    """
    url = urlsplit(href)
    if url.scheme or url.netloc:
        return href
    there = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(url.path))) if url.path else ""
    found = there.removesuffix(".html") if there else page
    return "#" + anchor(found, unquote(url.fragment)) if found in known else ""


def rename(tag: Tag, page: str, known: set[str]) -> None:
    """Give the ids of one element, and all that names them, the name that they have in the whole document."""
    if "id" in tag.attrs:
        tag["id"] = anchor(page, str(tag["id"]))
    for name in NAMING:
        if name in tag.attrs:
            tag[name] = " ".join(anchor(page, word) for word in str(tag[name]).split())
    for name, value in list(tag.attrs.items()):
        if isinstance(value, str) and "url(#" in value:
            tag[name] = REFERENCE.sub(lambda found: f"url(#{anchor(page, found[1])})", value)
    for name in ("href", "xlink:href"):
        if name in tag.attrs:
            tag[name] = target(page, str(tag[name]), known)
            if not tag[name]:
                del tag[name]
    source = str(tag.get("src", ""))
    if source and not urlsplit(source).scheme:
        tag["src"] = "../html/" + posixpath.normpath(posixpath.join(posixpath.dirname(page), source))


@dataclass(frozen=True)
class Heading:
    """The title of an article (level 1) or of a section in it (level 2), and the id of its place."""

    level: int
    title: str
    place: str


def article(built: Path, page: str, known: set[str]) -> tuple[list[Heading], str]:
    """Return the headings of a page and its article, made ready to stand beside all others."""
    document = BeautifulSoup((built / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
    body = document.select_one("article.bd-article")
    assert body is not None and body.h1 is not None, f"{page} has no article with a title"
    for useless in body.select(DROPPED + (LAB_DROPPED if page.startswith("notebooks/") else "")):
        useless.decompose()
    for folded in body.find_all("details"):
        folded["open"] = ""
    for heading in body.select("section[id] > :is(h1, h2, h3, h4)"):
        # A heading may go to the next page, where its section begins for the reader.
        assert heading.parent is not None
        heading["id"] = heading.parent.attrs.pop("id", "")
    for tag in body.find_all(True):
        rename(tag, page, known)
    body["id"], body["style"] = anchor(page), f"page: {anchor(page)}"
    headings = [Heading(1, body.h1.get_text().strip(), anchor(page))]
    headings += [
        Heading(2, found.get_text().strip(), str(found["id"])) for found in body.select("section > h2[id]")
    ]
    return headings, str(body)


def styles(built: Path, page: str) -> str:
    """Return the links to the style sheets of a page, as seen from a folder beside that of the book."""
    document = BeautifulSoup((built / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
    base = posixpath.dirname(page)
    found = [str(link["href"]) for link in document.select("link[rel=stylesheet]")]
    paths = ["../html/" + posixpath.normpath(posixpath.join(base, href.split("?")[0])) for href in found]
    return "\n".join(f'<link rel="stylesheet" href="{escape(path)}">' for path in paths)


def contents(headings: Mapping[str, list[Heading]], numbers: Mapping[str, int]) -> str:
    """Return the table of contents, with the pages' numbers as far as they are known."""
    rows = []
    for caption, found in parts():
        rows += [f'<p class="contents-part">{escape(caption)}</p>'] if caption else []
        for heading in [heading for page in found for heading in headings[page]]:
            link = f'<a href="#{heading.place}">{escape(heading.title)}</a>'
            number = f"<span>{numbers.get(heading.place, '')}</span>"
            rows.append(f'<p class="contents-row contents-{heading.level}">{link}{number}</p>')
    return '<nav class="book-contents"><h1>Contents</h1>' + "".join(rows) + "</nav>"


def text_of_margin(text: str) -> str:
    """Return a text as a CSS string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Book:
    """The articles, read once; `document` puts them together."""

    def __init__(self, built: Path, title: str, author: str, edition: str) -> None:
        pages = [page for _, found in parts() for page in found]
        read = {page: article(built, page, set(pages)) for page in pages}
        self.headings = {page: headings for page, (headings, _) in read.items()}
        margins = "\n".join(
            f"@page {anchor(page)} {{ @top-right {{ content: {text_of_margin(headings[0].title)} }} }}"
            for page, headings in self.headings.items()
        )
        self._fixed = {
            "title": escape(title), "author": escape(author), "edition": escape(edition),
            "styles": styles(built, pages[0]), "named_pages": margins,
            "articles": "\n".join(text for _, text in read.values()),
        }  # fmt: skip

    def document(self, numbers: Mapping[str, int]) -> str:
        """Return the whole document; `numbers` are the pages on which the places named by ids stand."""
        return PAGE.format(**self._fixed, contents=contents(self.headings, numbers))
