"""What a page says about itself, and what it loads: a description, and nothing that it does not use."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

# Pages that no text of ours describes.
DESCRIPTIONS = {
    "search": "Search the chapters, labs and glossary of this course on convolutional neural networks.",
    "genindex": "Index of the course on convolutional neural networks: every term that the glossary defines.",
}
FOLDED = re.compile(r'class="[^"]*(?<![\w-])(toggle|dropdown admonition|admonition dropdown)(?![\w-])')
# Scripts and style sheets that the tools put on every page, and the sign of a page that uses them.
ASSETS = {
    "fontawesome.js": None,  # 1.5 MB that draw icons which the theme's web font draws already
    "sphinx-thebe.css": None,
    "sphinx-design.min.css": re.compile(r'class="[^"]*\bsd-'),
    "design-tabs.js": re.compile(r'class="[^"]*\bsd-tab-set'),
    "togglebutton.js": FOLDED,
    "togglebutton.css": FOLDED,
    "clipboard.min.js": re.compile("<pre"),
    "copybutton.js": re.compile("<pre"),
    "copybutton.css": re.compile("<pre"),
    # They search on the search page only, as long as results are not shown while one types.
    "searchtools.js": re.compile('id="search-results"'),
    "language_data.js": re.compile('id="search-results"'),
    "searchindex.js": re.compile('id="search-results"'),
}
LOADED = re.compile(
    r'<(?:script|link)\b[^>]*?(?:src|href)="(?:[^"]*/)?([\w.-]+\.(?:js|css))[^>]*>(?:</script>)?\s*'
)
# These wait for the whole page anyway: it need not wait for them.
WAITING = "clipboard.min|copybutton|sphinx-book-theme|design-tabs"
DEFERRED = re.compile(rf"<script(?! defer)(?= [^>]*(?:{WAITING})\.js)")
THEME_CSS = "styles/pydata-sphinx-theme.css"
ICON = re.compile(r'((?:\.fa-[\w-]+:before,?)+)\{content:"[^"]*"\}')
ICON_NAME = re.compile(r"fa-[\w-]+")


def know_address(app: Sphinx, config: Config) -> None:
    """Take the book's public address from BOOK_URL; without one no page names a canonical address."""
    if address := os.environ.get("BOOK_URL"):
        config.html_baseurl = address.rstrip("/") + "/"


def describe(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Describe a page that Sphinx makes."""
    if page in DESCRIPTIONS:
        context["metatags"] = f'<meta name="description" content="{escape(DESCRIPTIONS[page])}" />\n'


def lighter(page: str) -> str:
    """Return the HTML of a page without scripts and style sheets that it does not use; more scripts wait."""
    unused = {name for name, sign in ASSETS.items() if sign is None or not sign.search(page)}
    return DEFERRED.sub("<script defer", LOADED.sub(lambda tag: "" if tag[1] in unused else tag[0], page))


def used_icons(css: str, used: Iterable[str]) -> str:
    """Return the theme's style sheet with the icons of these names only; it brings 1,900."""
    names = {f".{name}:before" for name in used}
    return ICON.sub(lambda rule: rule[0] if names & set(rule[1].split(",")) else "", css)


def lighten(app: Sphinx, error: Exception | None) -> None:
    """Take out of the finished pages and of the theme's style sheet what no page uses."""
    if error is not None or app.builder.format != "html":
        return
    out, used = Path(app.outdir), set()
    for path in [*out.rglob("*.html"), *out.glob("_static/**/*.js"), *out.glob("_static/*.css")]:
        before = path.read_text(encoding="utf-8")
        after = lighter(before) if path.suffix == ".html" else before
        used |= set(ICON_NAME.findall(after)) if path.name != "fontawesome.js" else set()
        if after != before:
            path.write_text(after, encoding="utf-8")
    for folder in app.builder.theme.get_theme_dirs():  # type: ignore[attr-defined]
        whole = Path(folder) / "static" / THEME_CSS
        if whole.is_file():
            css = used_icons(whole.read_text(encoding="utf-8"), used)
            (out / "_static" / THEME_CSS).write_text(css, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("config-inited", know_address)
    app.connect("html-page-context", describe)
    app.connect("build-finished", lighten)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
