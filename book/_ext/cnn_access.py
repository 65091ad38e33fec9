"""Mend in the finished pages what the tools leave in the way of keyboards and screen readers."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from sphinx.application import Sphinx

MENDS = (
    # A label that hides the text on the element from those who hear it, or name it to speak to it.
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
    (re.compile(r'(<button class="btn search-button-field[^>]*?) aria-label="[^"]*"'), r"\1"),
    (re.compile(r'(<i class="theme-switch[^>]*?)\s+title="[^"]*"'), r"\1"),
    # A button of the table of contents that says nothing: only an arrow stands in it. It is below its page.
    (
        re.compile(r'(>([^<>]+)</a><details[^<>]*>)<summary>(?=<span class="toctree-toggle")'),
        r'\1<summary aria-label="Pages below: \2">',
    ),
    # Roles that are withdrawn, or whose children would need one: the text says enough.
    (re.compile(r'<div role="list" class="citation-list">'), '<div class="citation-list">'),
    (re.compile(r' role="doc-biblioentry"'), ""),
    # A header cell without a word is none.
    (re.compile(r'<th class="head[^"]*">(?:<p>\s*</p>)?</th>'), "<td></td>"),
    # Everything on a page stands in a landmark; the sidebar holds the way to the first page and the search.
    (re.compile(r'(<div id="pst-primary-sidebar") class='), r'\1 role="region" aria-label="Book" class='),
)
ENTRY = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta http-equiv="refresh" content="0; url={target}">
</head>
<body>
<main><h1>{title}</h1><p><a href="{target}">Open the book</a></p></main>
</body>
</html>
"""


def mend(page: str) -> str:
    """Return the HTML of a page with every mend applied."""
    for pattern, replacement in MENDS:
        page = pattern.sub(replacement, page)
    return page


def mend_pages(app: Sphinx, error: Exception | None) -> None:
    """Mend every page, and write the one that leads to the first."""
    if error is not None or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        before = path.read_text(encoding="utf-8")
        after = mend(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
    target = app.builder.get_target_uri(app.config.root_doc)
    if target != "index.html":
        values = {"language": app.config.language, "title": app.config.html_title, "target": target}
        entry = ENTRY.format(**{name: escape(value) for name, value in values.items()})
        (Path(app.outdir) / "index.html").write_text(entry, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool | str]:
    """Register with Sphinx."""
    app.add_js_file("keyboard.js", type="module")
    app.connect("build-finished", mend_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
