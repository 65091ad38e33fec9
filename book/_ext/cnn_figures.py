"""Put the SVG figures that cells draw into the page itself, so that they take its font and its colours.

An SVG behind <img> knows neither the theme nor the page's font. Inside the page, the foreground of
cnncourse/book.mplstyle becomes `currentColor`, and the alternative text its accessible name.
"""

from __future__ import annotations

import base64
import io
import re
from html import escape
from itertools import count
from pathlib import Path
from typing import Any

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

FOREGROUND = re.compile("#010203", re.IGNORECASE)
NOT_NEEDED = re.compile(r"\A.*?(?=<svg)|<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", re.DOTALL)
OPENING = re.compile(r"<svg\b[^>]*>", re.DOTALL)
VIEW_BOX = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
FAMILY = re.compile(r"font-family: [^;\"]*;? ?")
PHOTO = re.compile(r"data:image/png;base64,([^\"]*)")
SMALL = 10_000  # bytes: a matrix drawn as a picture is less, and stays as it is to the last bit


def lighter(match: re.Match[str]) -> str:
    """Return a photo, or a map as large as one, as WebP where that is smaller: a tenth of the bytes."""
    png = base64.b64decode(match[1])
    if len(png) < SMALL:
        return match[0]
    webp = io.BytesIO()
    Image.open(io.BytesIO(png)).save(webp, "webp", quality=90)
    if len(webp.getvalue()) >= len(png):
        return match[0]
    return "data:image/webp;base64," + base64.b64encode(webp.getvalue()).decode("ascii")


def inline(svg: str, alt: str, prefix: str) -> str:
    """Return an SVG document of matplotlib as an element for a page.

    Parameters
    ----------
    svg : str
    alt : str
        What the figure shows, for those who do not see it.
    prefix : str
        Makes the ids of this figure different from those of every other one on the page.
    """
    svg = FOREGROUND.sub("currentColor", NOT_NEEDED.sub("", svg))
    svg = PHOTO.sub(lighter, FAMILY.sub("", svg))
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    numbers = count(1)  # matplotlib names a picture by its content: drawn twice, it has one name twice
    svg = re.sub(r'\bid="([\w-]+-image\w+)"', lambda found: f'id="{found[1]}-{next(numbers)}"', svg)
    svg = re.sub(r'(xlink:href="#|href="#|url\(#)(?!' + re.escape(prefix) + ")", rf"\g<1>{prefix}-", svg)
    box = VIEW_BOX.search(svg)
    if box is None:
        raise ExtensionError(f"figure {prefix}: the SVG has no viewBox that starts at 0 0")
    width, height = box.groups()
    opening = (
        f'<svg class="cnn-figure" role="img" aria-label="{escape(alt)}" viewBox="0 0 {width} {height}" '
        f'style="width: {width}px" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    return OPENING.sub(lambda _: opening, svg, count=1).strip()


def replace_images(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Replace the images of one page that are SVG figures of its cells."""
    if app.builder.format != "html":
        return
    figures = [node for node in doctree.findall(nodes.image) if node["uri"].endswith(".svg")]
    for i, node in enumerate(figures, start=1):
        alt = node.get("alt", "")
        if not alt:
            raise ExtensionError(f"{docname}: figure {i} has no alternative text (mystnb: image: alt)")
        svg = (Path(app.srcdir) / node["uri"].lstrip("/")).read_text(encoding="utf-8")
        node.replace_self(nodes.raw("", inline(svg, alt, f"figure{i}"), format="html"))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("doctree-resolved", replace_images)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
