"""Whether Markdown, set as HTML, holds nothing but what Markdown makes."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from html.parser import HTMLParser

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

# Commands of MathJax that make links, attributes or elements, or load something.
COMMAND = re.compile(
    r"\\(?=(?:href|url|class|style|cssId|unicode|require|data|texttip|mathtip|tooltip|toggle|action"
    r"|mmlToken|includegraphics|html[A-Za-z]*)(?![A-Za-z]))"
)
DATA_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif);base64,[A-Za-z0-9+/=]*")
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


def is_inert(text: str, images: Collection[str] = (), taken: Collection[str] = ()) -> bool:
    """Set Markdown as the page of feedback does, and look at each tag and attribute that comes out.

    Parameters
    ----------
    text : str
        Markdown.
    images : collection of str
        Names of the images that are attached to the cell.
    taken : collection of str
        nbgrader's names of cells. Formgrader finds its fields by them, so no heading may have one.
    """
    renderer = IPythonRenderer(escape=False, attachments={name: {"image/png": ""} for name in images})
    try:
        page = MarkdownWithMath(renderer=renderer).render(text)
    except Exception:  # such as an image that is missing, or a list that is nested too deep
        return False
    reader = _Reader()
    reader.feed(page)
    reader.close()
    used = {f"{name}{end}" for name in taken for end in ("", "-comment", "_extra_credit")}
    return not reader.foreign and not reader.ids & used


class _Reader(HTMLParser):
    """Reads a page and notes whether anything in it is not on the list."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.foreign = False
        self.ids: set[str] = set()
        self.code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.code += tag in ("pre", "code")
        allowed = MADE.get(tag)
        self.foreign |= allowed is None
        for name, value in attrs:
            fits = (allowed or {}).get(name)
            self.foreign |= fits is None or not fits(value or "")
            if name == "id" and value:
                self.ids.add(value)

    def handle_endtag(self, tag: str) -> None:
        self.code -= tag in ("pre", "code")

    def handle_data(self, data: str) -> None:
        self.foreign |= not self.code and COMMAND.search(data) is not None

    def handle_comment(self, data: str) -> None:
        self.foreign = True

    def handle_decl(self, decl: str) -> None:
        self.foreign = True

    def handle_pi(self, data: str) -> None:
        self.foreign = True

    def unknown_decl(self, data: str) -> None:
        self.foreign = True


def _address(value: str) -> tuple[str, str]:
    """Return an address as a browser reads it, and its scheme."""
    address = re.sub(r"[\t\n\r]", "", value.strip("".join(map(chr, range(33)))))
    scheme = SCHEME.match(address)
    return address, scheme[1].lower() if scheme else ""


def _link(value: str) -> bool:
    return _address(value)[1] in ("", "http", "https", "mailto")


def _image(value: str) -> bool:
    """Whether nothing is loaded but a part of the notebook or a file beside it."""
    address, scheme = _address(value)
    beside = not scheme and not address.startswith(("/", "\\")) and ".." not in address
    return beside or DATA_IMAGE.fullmatch(address) is not None


def _any(value: str) -> bool:
    return True


def _class(value: str) -> bool:
    return "mermaid" not in value.lower() and "mathjax" not in value.lower()


def _one_of(*values: str) -> Callable[[str], bool]:
    return lambda value: value in values


ALIGNED = {"style": _one_of("text-align:left", "text-align:center", "text-align:right")}
MADE: dict[str, dict[str, Callable[[str], bool]]] = {
    **{tag: {"id": _any} for tag in ("h1", "h2", "h3", "h4", "h5", "h6")},
    **{tag: {} for tag in ("p", "em", "strong", "del", "br", "hr", "blockquote", "ul", "dl", "dt", "dd")},
    **{tag: {} for tag in ("table", "thead", "tbody", "tr")},
    **{tag: {"class": _class} for tag in ("div", "pre", "code", "span", "li")},
    "a": {"href": _link, "title": _any, "class": _one_of("anchor-link")},
    "img": {"src": _image, "alt": _any, "title": _any},
    "input": {
        "class": _any,
        "type": _one_of("checkbox"),
        "disabled": _one_of("", "disabled"),
        "checked": _any,
    },
    "ol": {"start": str.isdecimal},
    "th": ALIGNED,
    "td": ALIGNED,
}
