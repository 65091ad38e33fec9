"""``{book-pdf}``: a link to the whole book as one PDF, with its pages and size; nothing where there is none.

The PDF is printed from the finished pages, so it is there only after them: the link is filled in where the
directive left its mark, when a build ends and when the PDF has been made.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from pypdf import PdfReader
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

NAME = "cnncourse.pdf"
MARK = re.compile(r"<!--book-pdf-->.*?<!--/book-pdf-->", re.DOTALL)
LINK = (
    '<p class="book-pdf"><a class="reference download" href="{href}">The whole book as one PDF</a> '
    "({pages} pages, {size:.1f} MB)</p>"
)


class BookPdf(SphinxDirective):
    """Marks the place of the link."""

    def run(self) -> list[nodes.Node]:
        """Return the mark."""
        return [nodes.raw("", "<!--book-pdf--><!--/book-pdf-->", format="html")]


def link_pdf(folder: Path) -> None:
    """Fill in, or take away, the links to the PDF in the finished pages of a folder."""
    pdf, values = folder / NAME, {}
    if pdf.is_file():
        values = {"pages": len(PdfReader(pdf).pages), "size": pdf.stat().st_size / 1e6}
    for path in folder.rglob("*.html"):
        before = path.read_text(encoding="utf-8")
        href = "../" * len(path.relative_to(folder).parts[1:]) + NAME
        link = LINK.format(href=href, **values) if values else ""
        after = MARK.sub(f"<!--book-pdf-->{link}<!--/book-pdf-->", before)
        if after != before:
            path.write_text(after, encoding="utf-8")


def link_when_built(app: Sphinx, error: Exception | None) -> None:
    """Do so at the end of a build."""
    if error is None and app.builder.format == "html":
        link_pdf(Path(app.outdir))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_directive("book-pdf", BookPdf)
    app.connect("build-finished", link_when_built)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
