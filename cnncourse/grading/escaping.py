"""Text of a student's: Markdown in which nothing is HTML, code, and names.

A graded notebook is opened in JupyterLab, in formgrader and as a page of feedback, each with a reader of
Markdown of its own; formgrader and the page pass HTML through as it stands. So the text itself is changed, in
ways that do not show: a space without width stands behind every ``<`` that could begin a tag, and before
every address that is not an ordinary one. Then the text is set as the page of feedback sets it, and what
comes out is held against a list of what Markdown makes. What does not stay within it is shown as plain text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Mapping
from urllib.parse import unquote

from cnncourse.grading.inert import COMMAND, is_inert

MAX_TEXT = 12_000  # characters of Markdown; setting it takes quadratic time for some texts
MAX_FORMULAS = 100  # of the kinds whose end is searched in all the rest of a text
MAX_PLAIN = 100_000  # characters of what is shown as plain text
ZERO = "\u200b"  # a space without width

ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff]")
TAG = re.compile(r"<(?=[A-Za-z/!?])(?!https?://[\w.~:/?#@!$&*+,;=%-]*>)")
REFERENCE = re.compile(r"&(?:#\d+|#[xX][\da-fA-F]+|[A-Za-z]\w*);?(?P<more>[#A-Za-z])?")
DIAGRAM = re.compile(r"(?i)([`~]{3}[^\S\n]*)mermaid")
SCHEME = re.compile(r"(?i)(javascript|vbscript|data(?=\s*:\s*\w+/))(?=\s*:)")
TARGET = re.compile(r"(?P<before>(?:\]\(|\]:)[\s>]*)(?P<target><?[^\s)]*)")
USUAL_TARGET = re.compile(r"<?https?://|mailto:|#|[^:\\&<]*$")
FAR_IMAGE = re.compile(r"!(?=\[[^\[\]]*\]\(\s*<?(?:https?:|/|\.\.))")
LONG_FORMULA = re.compile(r"\\\\[\[(]|\\begin\{")
CODE_OR_FORMULA = re.compile(
    r"(?s)(?P<ticks>(?<!`)`++|(?<!~)~{3,}+).*?(?<![`~])(?P=ticks)(?![`~])"
    r"|(?<!\\)\$\$.*?\$\$|(?<![$\\])\$.+?(?<![$\\])\$"
    r"|\\begin\{(?P<name>[a-z]*\*?)\}.*?\\end\{(?P=name)\}|\\\\\[.*?\\\\\]|\\\\\(.*?\\\\\)"
)


def safe_markdown(text: str, images: Mapping[str, str] | None = None, taken: Collection[str] = ()) -> str:
    """Return Markdown that looks the same, and in which nothing is HTML but what Markdown makes itself.

    An image that lies elsewhere becomes a link to it, so that opening a page asks nothing of anybody.

    Parameters
    ----------
    text : str
        Markdown that a student wrote.
    images : mapping of str to str
        What the images that are attached to the cell are called in the text, and what they are called now.
    taken : collection of str
        Names that no heading may have.
    """
    text, images = clean(text), images or {}
    if len(text) > MAX_TEXT or len(LONG_FORMULA.findall(text)) > MAX_FORMULAS:
        return as_code(text)
    for code_too in (False, True):
        safe = _escaped(FAR_IMAGE.sub("", text), images, code_too)
        if is_inert(safe, set(images.values()), taken):
            return safe
    return as_code(text)


def as_code(text: str) -> str:
    """Return Markdown that shows a text as it is."""
    text = clean(text)
    if len(text) > MAX_PLAIN:
        text = f"{text[:MAX_PLAIN]}\n... {len(text) - MAX_PLAIN:,} more characters are left out"
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}text\n{_broken(text, ZERO, {})}\n{fence}"


def safe_text(text: str, most: int = 80) -> str:
    """Return a name, of a file or of a cell, as text to stand between backticks in a note."""
    shown = "".join(char if char.isprintable() and char not in "`<>&$\\|" else "?" for char in text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def clean(text: str) -> str:
    """Return text that can be written as UTF-8, without control characters but line ends and tabs."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return CONTROLS.sub("", ESCAPES.sub("", text).replace("\r\n", "\n").replace("\r", "\n"))


def _escaped(text: str, images: Mapping[str, str], code_too: bool) -> str:
    """Break what could become more than text: in a formula with a space, elsewhere with one without width."""
    pieces, done = [], 0
    for found in CODE_OR_FORMULA.finditer(text):
        code = found["ticks"] is not None
        pieces.append(_broken(text[done : found.start()], ZERO, images))
        pieces.append(found[0] if code and not code_too else _broken(found[0], ZERO if code else " ", images))
        done = found.end()
    return "".join([*pieces, _broken(text[done:], ZERO, images)])


def _broken(text: str, space: str, images: Mapping[str, str]) -> str:
    """Break tags, addresses, characters that are spelled out, and commands that are more than formulas."""
    text = TARGET.sub(lambda found: _target(found, images), text)
    text = COMMAND.sub(lambda found: "\\" + ZERO, text)
    text = REFERENCE.sub(_reference, text)
    text = DIAGRAM.sub(r"\1text", text)
    text = SCHEME.sub(rf"\1{ZERO}", text)
    return TAG.sub("<" + space, text)


def _reference(found: re.Match[str]) -> str:
    """Break a character reference, unless what it stands for has no meaning in an address."""
    more = found["more"] or ""
    reference = found[0].removesuffix(more)
    char = html.unescape(reference)
    if char == "&":  # with what follows, a second reading would make a reference of it
        return reference + (ZERO if more else "") + more
    harmful = char != reference and re.search(r"[\x00- \\:/A-Za-z0-9]", char)
    return "&" + ZERO + found[0][1:] if harmful else found[0]


def _target(found: re.Match[str], images: Mapping[str, str]) -> str:
    """Break the address of a link or an image, unless it is of one of the usual kinds."""
    before, target = found["before"], found["target"]
    name = images.get(unquote(target.removeprefix("attachment:")))
    if target.startswith("attachment:") and name:
        return f"{before}attachment:{name}"
    return before + ("" if USUAL_TARGET.match(target) else ZERO) + target
