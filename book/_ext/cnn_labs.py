"""Ways to a lab: its page, its download, JupyterLab; Colab and Binder where there is a public repository.

A chapter says ``{lab-links}`` with the name of its lab. A released lab that _toc.yml lists as a page gets
the same links under its title, and a line on what the page is.
"""

from __future__ import annotations

import os
import re
from html import escape
from typing import Any
from urllib.parse import quote

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

LAB = re.compile(r"notebooks/(?P<slug>(?P<chapter>ch\d\d)\w*)/(?P=slug)")
COLAB = "https://colab.research.google.com/github/{repository}/blob/{ref}/{path}"
BINDER = "https://mybinder.org/v2/gh/{repository}/{ref}?labpath={quoted}"


def lab_page(slug: str) -> str:
    """Return the name of a lab's page, which is its path without `.ipynb`."""
    return f"notebooks/{slug}/{slug}"


def know_repository(app: Sphinx, config: Config) -> None:
    """Take the public repository and its branch from where GitHub's workflows name them."""
    config.cnn_repository = config.cnn_repository or os.environ.get("GITHUB_REPOSITORY", "")
    config.cnn_ref = config.cnn_ref or os.environ.get("GITHUB_REF_NAME", "") or "main"


def outside_links(repository: str, ref: str, slug: str) -> list[tuple[str, str]]:
    """Return the names and addresses of the services that open a lab from its public repository.

    >>> outside_links("", "main", "ch02_conv2d")
    []
    >>> [name for name, address in outside_links("someone/cnncourse", "main", "ch02_conv2d")]
    ['Open in Colab', 'Open in Binder']
    """
    if not repository:
        return []
    path = f"{lab_page(slug)}.ipynb"
    where = {
        "repository": repository,
        "ref": quote(ref, safe=""),
        "path": path,
        "quoted": quote(path, safe=""),
    }
    return [("Open in Colab", COLAB.format(**where)), ("Open in Binder", BINDER.format(**where))]


def link_row(env: BuildEnvironment, slug: str, here: str) -> nodes.bullet_list:
    """Return the row of links to a lab for the page `here`, without a link to that page itself."""
    page = lab_page(slug)
    links: list[nodes.Element] = []
    if page in env.found_docs and page != here:
        links.append(_page_link(page, "Read the lab", here))
    if (chapter := chapter_of(env, slug)) and chapter != here:
        links.append(_page_link(chapter, "Read the chapter", here))
    links.append(_download(f"/{page}.ipynb", "Download the notebook", here))
    config = env.config
    for text, address in outside_links(config.cnn_repository, config.cnn_ref, slug):
        links.append(nodes.reference("", text, refuri=address, internal=False))
    items = [nodes.list_item("", nodes.paragraph("", "", link)) for link in links]
    return nodes.bullet_list("", *items, classes=["lab-links"])


def chapter_of(env: BuildEnvironment, slug: str) -> str:
    """Return the page of the chapter that a lab belongs to, or an empty text."""
    start = f"book/{slug[:4]}"
    return next((page for page in sorted(env.found_docs) if page.startswith(start)), "")


def _page_link(page: str, text: str, here: str) -> nodes.Element:
    target = {
        "refdomain": "std",
        "reftype": "doc",
        "reftarget": f"/{page}",
        "refexplicit": True,
        "refdoc": here,
    }
    return addnodes.pending_xref("", nodes.inline("", text), refwarn=True, **target)


def _download(path: str, text: str, here: str) -> nodes.Element:
    return addnodes.download_reference("", "", nodes.inline("", text), reftarget=path, refdoc=here)


def _code(text: str, language: str) -> nodes.literal_block:
    return nodes.literal_block(text, text, language=language)


def introduction(env: BuildEnvironment, slug: str, here: str) -> list[nodes.Node]:
    """Return what stands under the title of a lab's page."""
    parts: list[nodes.Node] = [
        nodes.paragraph(
            "",
            "This page is the lab as it is handed out: to read, with nothing run and nothing solved. "
            "To work on it, open it in JupyterLab:",
        ),
        _code(f"cnncourse start {slug}", "bash"),
        link_row(env, slug, here),
    ]
    if env.config.cnn_repository:
        package = f"git+https://github.com/{env.config.cnn_repository}@{env.config.cnn_ref}"
        parts += [
            nodes.paragraph("", "Colab does not have the course's package. There, run this in a cell first:"),
            _code(f"%pip install {package}", "ipython3"),
        ]
    return [nodes.container("", *parts, classes=["lab-introduction"])]


class LabLinks(SphinxDirective):
    """``{lab-links} ch02_conv2d``: the row of links to a lab."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the row."""
        slug = self.arguments[0]
        self.env.note_dependency(f"{lab_page(slug)}.ipynb")
        return [link_row(self.env, slug, self.env.docname)]


class LabPages(SphinxTransform):
    """Puts the introduction under the title of a lab's page."""

    default_priority = 200

    def apply(self, **_: Any) -> None:
        """Insert it; other pages stay as they are."""
        here = self.env.docname
        found, title = LAB.fullmatch(here), next(self.document.findall(nodes.title), None)
        if found and title is not None:
            at = title.parent.index(title) + 1
            title.parent[at:at] = introduction(self.env, found["slug"], here)


def describe(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Describe a lab's page; a notebook has no place for that."""
    if LAB.fullmatch(page):
        text = f"{context['title']}: the lab as it is handed out, to read, download and open in JupyterLab."
        context["metatags"] += f'<meta name="description" content="{escape(text)}" />\n'


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_config_value("cnn_repository", "", "env")
    app.add_config_value("cnn_ref", "", "env")
    app.add_directive("lab-links", LabLinks)
    app.add_transform(LabPages)
    app.connect("config-inited", know_repository)
    app.connect("html-page-context", describe)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
