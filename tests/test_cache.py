"""The book's cells: run side by side before Sphinx reads, run once, and told with page, line and traceback if they fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("myst_nb")

EXTENSIONS = Path(__file__).parents[1] / "book" / "_ext"
HEAD = "---\njupytext:\n  text_representation:\n    format_name: myst\nkernelspec:\n  display_name: Python 3\n  language: python\n  name: python3\n---\n"
CONF = f"""
import sys
sys.path.insert(0, {str(EXTENSIONS)!r})
extensions = ["myst_nb", "cnn_cache"]
exclude_patterns = ["built"]
nb_execution_mode = "cache"
nb_execution_timeout = 60
nb_execution_raise_on_error = True
nb_execution_excludepatterns = ["left_out*"]
"""
# Each of two pages waits for the other to begin, so that they pass only side by side.
MEET = """
import time
from pathlib import Path

with Path("times-{me}.txt").open("a") as file:
    print("run", file=file)
end = time.monotonic() + 40
while not Path("times-{other}.txt").exists() and time.monotonic() < end:
    time.sleep(0.05)
print("met" if Path("times-{other}.txt").exists() else "alone")
"""
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.cpu_count() == 1, reason="two pages need two cores")]


def page(*cells: str) -> str:
    return HEAD + "# A page\n" + "".join(f"\nText.\n\n```{{code-cell}}\n{cell}\n```\n" for cell in cells)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A book of two pages that meet and one that is never run."""
    (tmp_path / "cnncourse").mkdir()
    (tmp_path / "requirements.txt").write_text("")
    (tmp_path / "conf.py").write_text(CONF)
    (tmp_path / "index.md").write_text("# Book\n\n```{toctree}\n:glob:\n*\n```\n")
    (tmp_path / "one.md").write_text(page(MEET.format(me="one", other="two")))
    (tmp_path / "two.md").write_text(page(MEET.format(me="two", other="one")))
    (tmp_path / "left_out.md").write_text(page("1 / 0"))
    return tmp_path


def build(book: Path) -> tuple[int, str]:
    """Build the book; return the exit status and what was printed."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-b", "html", ".", "built/html"]
    done = subprocess.run(command, cwd=book, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def times(book: Path, name: str) -> int:
    return len((book / f"times-{name}.txt").read_text().splitlines())


def test_pages_run_side_by_side_and_each_once_until_its_cells_change(book: Path) -> None:
    status, printed = build(book)
    assert status == 0, printed
    for name in ("one", "two"):
        assert "met" in (book / "built" / "html" / f"{name}.html").read_text()
        assert times(book, name) == 1
    text = (book / "one.md").read_text()
    (book / "one.md").write_text(text.replace("Text.", "Another text."))
    status, printed = build(book)
    assert status == 0, printed
    assert "Another text." in (book / "built" / "html" / "one.html").read_text()
    (book / "one.md").write_text(text.replace("import time", "import time  # changed"))
    assert build(book)[0] == 0
    assert (times(book, "one"), times(book, "two")) == (2, 1)


def test_cells_that_fail_are_told_with_page_line_and_traceback_and_the_others_keep_their_results(
    book: Path,
) -> None:
    failing = page("a = 0", "def f(x):\n    return 1 / x\n\nf(a)")
    (book / "three.md").write_text(failing)
    (book / "four.md").write_text(page("import os\nos._exit(1)"))
    status, printed = build(book)
    assert status != 0
    line = failing[: failing.index("def f")].count("\n") + 1
    assert (
        f"three.md:{line}: ERROR: a cell of this page fails: ZeroDivisionError: division by zero" in printed
    )
    assert "----> 2     return 1 / x" in printed
    assert "four.md:" in printed and "DeadKernelError" in printed
    assert not (book / "built" / "html" / "one.html").exists()
    for name in ("three", "four"):
        (book / f"{name}.md").unlink()
    status, printed = build(book)
    assert status == 0, printed
    assert (times(book, "one"), times(book, "two")) == (1, 1)
