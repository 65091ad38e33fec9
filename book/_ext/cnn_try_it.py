"""``{try-it}``: Python to edit and run in the page; without JavaScript, on paper and as PDF a code block."""

from __future__ import annotations

import ast
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# What of the package runs in a browser: its part that needs NumPy alone (tests/test_imports.py).
PARTS = (
    "__init__", "anchors", "arrays", "boxes", "checking", "colors", "data", "exercises", "gradcheck",
    "layers", "matching", "metrics", "running", "shapes",
)  # fmt: skip
ENGINE = "vendor/python/python.tar.gz"  # by `make vendor`
log = logging.getLogger(__name__)


class TryIt(SphinxDirective):
    """A cell. All of a page share their names, as in a notebook; the reader's text is kept under `:name:`."""

    has_content = True
    option_spec = {"name": directives.unchanged_required}  # noqa: RUF012  (the base class's attribute)

    def run(self) -> list[nodes.Node]:
        """Return the code block in an element that the page's script finds."""
        name, code = self.options.get("name", ""), "\n".join(self.content)
        if not NAME.fullmatch(name):
            raise self.error(f"a try-it cell needs a :name: of small letters, digits, dashes, not {name!r}")
        names = self.env.temp_data.setdefault("try_it", set())
        if name in names:
            raise self.error(f"two try-it cells of this page are named {name!r}")
        names.add(name)
        if trouble := code_trouble(code):
            raise self.error(f"try-it cell {name!r}: {trouble}")
        block = nodes.literal_block(code, code, language="python")
        self.set_source_info(block)
        return [nodes.container("", block, ids=[f"try-it-{name}"], classes=["cnn-try-it"])]


def code_trouble(code: str) -> str:
    """Return why a cell's code cannot run in a page, or an empty text."""
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    for module in imported(tree):
        root, _, part = module.partition(".")
        if root == "cnncourse" and part and part.split(".")[0] not in (*PARTS, "check"):
            return f"{module} is not packed for the page; there are {', '.join(PARTS[1:])}"
        if root not in {"cnncourse", "numpy", "IPython", *sys.stdlib_module_names}:
            return f"{root} is not there in a page: Python's own modules, NumPy and cnncourse are"
    return ""


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the full names that a program imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def cells(doctree: nodes.document) -> list[nodes.container]:
    """Return the cells of a page."""
    return [node for node in doctree.findall(nodes.container) if "cnn-try-it" in node["classes"]]


def add_assets(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Load style and script where there are cells, and only there."""
    if doctree is None or not cells(doctree):
        return
    if not any((Path(app.confdir) / folder / ENGINE).is_file() for folder in app.config.html_static_path):
        log.warning("its cells find no Python: run `make vendor`", location=page, type="try_it")
    lab = app.config.try_it_lab
    address = app.builder.get_relative_uri(page, lab) if lab in app.env.found_docs else ""
    app.add_css_file("try_it/try_it.css")
    app.add_js_file("try_it/try_it.js", type="module", **{"data-lab": address})


def pack_course(app: Sphinx, error: Exception | None) -> None:
    """Put the part of the package that runs in a page beside its script."""
    if error is None and app.builder.format == "html":
        pack(Path(app.outdir) / "_static" / "try_it" / "cnncourse.zip")


def pack(archive: Path, root: Path = ROOT) -> None:
    """Write the package's part to a ZIP file, with the same bytes each time."""
    package = root / "cnncourse"
    files = [path for part in PARTS for path in (package / f"{part}.py", *(package / part).rglob("*.py"))]
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in sorted(path for path in files if path.is_file()):
            member = zipfile.ZipInfo(path.relative_to(root).as_posix())
            zipped.writestr(member, path.read_bytes(), zipfile.ZIP_DEFLATED)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_config_value("try_it_lab", "book/how_to_use", "html")  # the page about running the labs
    app.add_directive("try-it", TryIt)
    app.connect("html-page-context", add_assets)
    app.connect("build-finished", pack_course)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
