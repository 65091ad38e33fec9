"""A small book with cells to try, built with the course's own extension, for the tests of both."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENDORED = ROOT / "_build" / "vendor"

CONF = """
import sys
sys.path.insert(0, {extensions!r})
extensions = ["myst_parser", "cnn_access", "cnn_try_it"]
html_theme = "sphinx_book_theme"
html_static_path = [{assets!r}, {vendored!r}]
html_css_files = ["book.css"]
html_context = {{"default_mode": "auto"}}
html_favicon = {assets!r} + "/favicon.svg"
try_it_lab = "labs"
"""
PAGE = """# Cells

```{toctree}
labs
```

```{try-it}
:name: numbers
import numpy as np

x = np.arange(6).reshape(2, 3)
print("sum", x.sum())
x - 2
```

```{try-it}
:name: frame
from cnncourse import check


def pad2d(x, padding):
    return np.zeros(x.shape)


check("ch02_conv2d.pad2d", pad2d)
```

```{try-it}
:name: free
1 + 1
```
"""


def build(folder: Path, page: str = PAGE, vendored: Path = VENDORED) -> subprocess.CompletedProcess[str]:
    """Build a book of one page with cells, and one about the labs, into `folder`/html."""
    source = folder / "source"
    source.mkdir()
    names = {
        "extensions": ROOT / "book" / "_ext",
        "assets": ROOT / "book" / "_assets",
        "vendored": vendored / "static",
    }
    (source / "conf.py").write_text(
        CONF.format(**{name: str(path) for name, path in names.items()}), encoding="utf-8"
    )
    (source / "index.md").write_text(page, encoding="utf-8")
    (source / "labs.md").write_text("# The labs\n\nInstall the package.\n", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-n",
        "-q",
        str(source),
        str(folder / "html"),
    ]
    return subprocess.run(command, capture_output=True, text=True)
