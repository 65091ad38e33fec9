"""Explorers on pages: the loader where a page has one, and a description in words where none can run.

myst-nb writes the state of a page's widgets into it as data, and marks each one's place. `widgets.js`, which
only such pages load, shows them; until then, and without JavaScript, the description stands there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from docutils import nodes
from myst_nb.core.render import sanitize_script_content
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx
from sphinx.config import Config

VIEW = "application/vnd.jupyter.widget-view+json"
LOADER = {"widgets.js": {"type": "module"}}
HELD = re.compile(r'"IPY_MODEL_(\w+)"')  # how the state of one names another
HEIGHT = (0, 0)  # kept free for a widget that does not say how high it is: pixels, wide and narrow


def choose_loader(app: Sphinx, config: Config) -> None:
    """Load our own small module on pages with widgets, instead of require.js and Jupyter's html-manager."""
    config.nb_ipywidgets_js = LOADER


def describe(app: Sphinx, doctree: nodes.document) -> None:
    """Put what a widget is, as text, where it will be shown; of the page's widgets keep those that are."""
    script = _script(app)
    states = json.loads(script["body"])["state"] if script else {}
    shown = set()
    for bundle in list(doctree.findall(_is_bundle)):
        kinds = {kind["mime_type"]: kind for kind in bundle.children}
        if VIEW in kinds and "text/plain" in kinds:
            words = nodes.paragraph("", " ".join(kinds["text/plain"].astext().split()))
            view = kinds[VIEW].children
            model = _model(view)
            wide, narrow = states.get(model, {}).get("state", {}).get("_height", HEIGHT)
            style = f"--height: {wide}px; --height-narrow: {narrow}px"
            opening = nodes.raw("", f'<div class="cnn-explorer" style="{style}">', format="html")
            kinds[VIEW].children = []
            kinds[VIEW] += [opening, words, *view, nodes.raw("", "</div>", format="html")]
            shown.add(model)
    if script:
        whole = json.loads(script["body"]) | {"state": reachable(states, shown)}
        script["body"] = sanitize_script_content(json.dumps(whole))


def reachable(states: dict[str, dict[str, Any]], shown: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the states of these widgets and of those that they hold.

    Cells also make widgets only to ask them for a number; each would bring its script into the page.
    """
    kept: set[str] = set()
    waiting = states.keys() & shown
    while waiting:
        kept.add(model := waiting.pop())
        held = HELD.findall(json.dumps(states[model]["state"]))
        waiting |= (states.keys() & held) - kept
    return {model: state for model, state in states.items() if model in kept}


def _script(app: Sphinx) -> dict[str, str]:
    """Return what the page that is being read has as its script of widgets; empty without one."""
    files = NbMetadataCollector.get_js_files(app.env, app.env.docname)
    return files.get("ipywidgets_state", (None, {}))[1]


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
