"""Pages that ask no other host for anything: formulas as MathML, which browsers draw, and no Thebe."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

WORD = re.compile(r"_\{([a-z]{2,})\}")
BARS = re.compile(r"<mo>([|∥‖])</mo>")  # without \left and \right they keep the height of letters, as in TeX


def mathml(tex: str, block: bool) -> str:
    """Return a formula as MathML; a subscript of several letters, as in C_{out}, is a word and upright."""
    try:
        found = tex2mathml(WORD.sub(r"_{\\mathrm{\1}}", tex), as_block=block)
        return BARS.sub(r'<mo stretchy="false">\1</mo>', found)
    except MathError as error:
        raise ExtensionError(f"cannot turn into MathML: {tex}: {error}") from error


def visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula in a line."""
    self.body.append(mathml(node.astext(), block=False))
    raise nodes.SkipNode


def visit_block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, with its number if it has a label."""
    reach = {"tabindex": "0", "role": "group", "aria-label": "Formula"}  # where it is wide it scrolls
    self.body.append(self.starttag(node, "div", CLASS="math", **reach))
    if node.get("number"):
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(mathml(node.astext(), block=True) + "</div>\n")
    raise nodes.SkipNode


def drop_thebe(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Leave out the scripts of Thebe, which Jupyter Book puts on every page, used or not."""
    context["script_files"] = [
        script
        for script in context["script_files"]
        if "thebe" not in (str(script.filename or "") + str(script.attributes.get("body") or "")).lower()
    ]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.connect("html-page-context", drop_thebe, priority=999)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
