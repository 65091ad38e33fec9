"""Run the cells of a page again also when the package or a pinned version has changed."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config


def fingerprint(root: Path) -> str:
    """Return a short hash of everything behind the pages that can change a result or a figure."""
    package, digest = root / "cnncourse", hashlib.sha256()
    sources = [*package.rglob("*.py"), *package.rglob("*.mplstyle"), root / "requirements.txt"]
    for source in sorted(sources):
        digest.update(source.relative_to(root).as_posix().encode() + source.read_bytes())
    return digest.hexdigest()[:16]


def choose_cache(app: Sphinx, config: Config) -> None:
    """Keep executed pages in a folder named after the state of the package."""
    kept, state = Path(app.outdir).parent / ".jupyter_cache", fingerprint(Path(app.srcdir))
    for outdated in kept.glob("*"):
        if outdated.name != state:
            shutil.rmtree(outdated, ignore_errors=True)
    config.nb_execution_cache_path = str(kept / state)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("config-inited", choose_cache)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
