"""Cells to try, as the book is built: what is refused, and what of the package is packed for the page."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from small_book import ROOT, build

sys.path.insert(0, str(ROOT / "book" / "_ext"))

from cnn_try_it import pack

BAD = """# Bad cells

```{try-it}
1 + 1
```

```{try-it}
:name: two
1 + 1
```

```{try-it}
:name: two
2 + 2
```

```{try-it}
:name: typo
x = 1
for i in range(3) print(i)
```

```{try-it}
:name: plot
import matplotlib.pyplot as plt
```

```{try-it}
:name: torch
from cnncourse.viz import Grid
```
"""


def test_what_cannot_work_is_told_when_the_book_is_built(tmp_path: Path) -> None:
    done = build(tmp_path, BAD)
    assert done.returncode != 0
    assert "a try-it cell needs a :name:" in done.stderr
    assert "two try-it cells of this page are named 'two'" in done.stderr
    assert "try-it cell 'typo': line 2" in done.stderr
    assert "matplotlib is not there in a page" in done.stderr
    assert "cnncourse.viz.Grid is not packed for the page" in done.stderr


def test_a_book_without_the_engine_is_not_built_silently(tmp_path: Path) -> None:
    (tmp_path / "empty" / "static").mkdir(parents=True)
    done = build(tmp_path, vendored=tmp_path / "empty")
    assert done.returncode != 0
    assert "run `make vendor`" in done.stderr


def test_the_package_is_packed_anew_whenever_it_changes(tmp_path: Path) -> None:
    package = tmp_path / "cnncourse"
    (package / "layers").mkdir(parents=True)
    (package / "grading").mkdir()
    for name in ("__init__.py", "layers/__init__.py", "layers/conv.py", "grading/secret.py", "viz.py"):
        (package / name).write_text("one = 1\n")
    first, second, changed = (tmp_path / f"{name}.zip" for name in ("first", "second", "changed"))
    pack(first, tmp_path)
    os.utime(package / "layers" / "conv.py", (1, 1))
    pack(second, tmp_path)
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as zipped:
        assert zipped.namelist() == [
            "cnncourse/__init__.py",
            "cnncourse/layers/__init__.py",
            "cnncourse/layers/conv.py",
        ]
    (package / "layers" / "conv.py").write_text("one = 2\n")
    pack(changed, tmp_path)
    assert changed.read_bytes() != first.read_bytes()


def test_what_is_packed_needs_nothing_else(tmp_path: Path) -> None:
    archive = tmp_path / "cnncourse.zip"
    pack(archive)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import importlib, pkgutil, cnncourse\n"
        "from cnncourse.checking import exercise_ids\n"
        "assert cnncourse.__file__.startswith(sys.argv[1]), cnncourse.__file__\n"
        "for module in pkgutil.walk_packages(cnncourse.__path__, 'cnncourse.'): importlib.import_module(module.name)\n"
        "assert not {'IPython', 'matplotlib', 'sklearn', 'torch'} & set(sys.modules)\n"
        "print(len(exercise_ids()))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code, str(archive)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 5
