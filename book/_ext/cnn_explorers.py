"""Explorers on pages: the loader where a page has one, and a description in words where none can run.

myst-nb writes the state of a page's widgets into it as data, and marks each one's place. `widgets.js`, which
only such pages load, shows them; until then, and without JavaScript, the description stands there.
"""

from __future__ import annotations

import json
import re
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx
from sphinx.config import Config

VIEW = "application/vnd.jupyter.widget-view+json"
LOADER = {"widgets.js": {"type": "module"}}
HEIGHT = (0, 0)  # kept free for a widget that does not say how high it is: pixels, wide and narrow


def choose_loader(app: Sphinx, config: Config) -> None:
    """Load our own small module on pages with widgets, instead of require.js and Jupyter's html-manager."""
    config.nb_ipywidgets_js = LOADER


def describe(app: Sphinx, doctree: nodes.document) -> None:
    """Put what a widget is, as text, in the place where it will be shown."""
    states = widget_states(app)
    for bundle in list(doctree.findall(_is_bundle)):
        kinds = {kind["mime_type"]: kind for kind in bundle.children}
        if VIEW in kinds and "text/plain" in kinds:
            words = nodes.paragraph("", " ".join(kinds["text/plain"].astext().split()))
            view = kinds[VIEW].children
            wide, narrow = states.get(_model(view), {}).get("_height", HEIGHT)
            style = f"--height: {wide}px; --height-narrow: {narrow}px"
            opening = nodes.raw("", f'<div class="cnn-explorer" style="{style}">', format="html")
            kinds[VIEW].children = []
            kinds[VIEW] += [opening, words, *view, nodes.raw("", "</div>", format="html")]


def widget_states(app: Sphinx) -> dict[str, dict[str, Any]]:
    """Return the state of each widget of the page that is being read, by its model's id."""
    files = NbMetadataCollector.get_js_files(app.env, app.env.docname)
    if "ipywidgets_state" not in files:
        return {}
    _, attributes = files["ipywidgets_state"]
    return {model: held["state"] for model, held in json.loads(attributes["body"])["state"].items()}


def _model(view: list[nodes.Node]) -> str:
    found = re.search(r'"model_id": "(\w+)"', view[0].astext())
    return found.group(1) if found else ""


def _is_bundle(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"


def setup(app: Sphinx) -> dict[str, bool | str]:
    """Register with Sphinx."""
    app.connect("config-inited", choose_loader)
    app.connect("doctree-read", describe)
    app.add_css_file("explorers.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
