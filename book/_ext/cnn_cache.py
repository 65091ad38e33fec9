"""Run the cells of a page again when the package has changed, and not only when the page has."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config


def fingerprint(package: Path) -> str:
    """Return a short hash of everything in the package that can change a result or a figure."""
    digest = hashlib.sha256()
    for source in sorted([*package.rglob("*.py"), *package.rglob("*.mplstyle")]):
        digest.update(source.relative_to(package).as_posix().encode() + source.read_bytes())
    return digest.hexdigest()[:16]


def choose_cache(app: Sphinx, config: Config) -> None:
    """Keep executed pages in a folder named after the state of the package."""
    state = fingerprint(Path(app.srcdir) / "cnncourse")
    config.nb_execution_cache_path = str(Path(app.outdir).parent / ".jupyter_cache" / state)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("config-inited", choose_cache)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
