"""A small book of two pages, one with explorers: what is loaded, what is shown, and what stands there without JavaScript."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = f"""
import sys
sys.path.insert(0, {str(ROOT / "book" / "_ext")!r})
extensions = ["myst_nb", "cnn_explorers"]
html_theme = "basic"
html_static_path = [{str(ROOT / "book" / "_assets")!r}]
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
html_theme_options = {{"nosidebar": True}}
"""
PAGE = """---
file_format: mystnb
kernelspec:
  name: python3
  display_name: Python 3
---
# With explorers

```{toctree}
plain
```

```{code-cell} ipython3
from cnncourse.widgets import OutputSizeExplorer

shown = OutputSizeExplorer(size=9)
shown
```

```{code-cell} ipython3
asked = [OutputSizeExplorer(size=size).never_read for size in (5, 6)]
OutputSizeExplorer(size=4, question="What is left over?")
```

```{code-cell} ipython3
shown
```

The text after.
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The built pages; built twice, so that the cells come from the cache."""
    source, built = tmp_path_factory.mktemp("book"), tmp_path_factory.mktemp("built")
    (source / "conf.py").write_text(SETTINGS, encoding="utf-8")
    (source / "index.md").write_text(PAGE, encoding="utf-8")
    (source / "plain.md").write_text("# Without\n\nNothing moves here.\n", encoding="utf-8")
    for extra in ([], ["-E"]):
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", *extra, str(source), str(built)]
        run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        assert run.returncode == 0, run.stderr
    return built


def test_only_pages_with_explorers_load_the_loader(folder):
    page, plain = ((folder / f"{name}.html").read_text(encoding="utf-8") for name in ("index", "plain"))
    assert page.count("widgets.js") == 1 and 'type="module"' in page
    assert "widgets.js" not in plain and "widget-state" not in plain
    assert "require" not in page and "html-manager" not in page
    assert "What is left over? (Interactive figure. A row of pixels" in page


def test_a_page_holds_only_the_widgets_that_it_shows(folder):
    page = (folder / "index.html").read_text(encoding="utf-8")
    held = re.search(r'widget-state\+json">(.*?)</script>', page, re.DOTALL)
    kinds = [model["model_name"] for model in json.loads(held.group(1))["state"].values()]
    assert sorted(kinds) == ["AnyModel", "AnyModel", "LayoutModel", "LayoutModel"]


def test_shown(folder, serve, visit):
    seen = visit(serve(folder) + "/index.html")
    seen.page.wait_for_selector("html[data-widgets=ready]", state="attached")
    assert not seen.trouble
    explorers = seen.page.locator(".cx")
    assert explorers.count() == 3
    assert (
        explorers.nth(0).get_by_role("status").inner_text()
        == "4 windows fit. Nothing is left over at the end."
    )
    assert explorers.nth(1).get_by_text("What is left over?").is_visible()
    assert not seen.page.get_by_text("Interactive figure").count()
    explorers.nth(0).get_by_label("size", exact=True).press("ArrowRight")  # one explorer, shown twice
    assert explorers.nth(2).get_by_label("size", exact=True).input_value() == "10"
    assert explorers.nth(1).get_by_label("size", exact=True).input_value() == "4"


def test_without_javascript(folder, serve, visit):
    seen = visit(serve(folder) + "/index.html", java_script_enabled=False)
    words = seen.page.get_by_text("What is left over? (Interactive figure. A row of pixels")
    assert words.is_visible()
    gap = seen.page.get_by_text("The text after.").bounding_box()["y"] - words.bounding_box()["y"]
    assert gap < 500  # nothing is kept free for what will not come


@pytest.mark.parametrize(
    "what", [("function windows(", "function windows)"), ("return ui.end;", "throw ui.end;")]
)
def test_an_explorer_that_cannot_start_leaves_its_words(folder, serve, visit, what):
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert what[0] in text
    broken = folder / "broken.html"
    broken.write_text(text.replace(*what), encoding="utf-8")
    page = visit(serve(folder) + "/broken.html").page
    page.wait_for_selector("html[data-widgets=ready]", state="attached")
    assert page.get_by_text("What is left over? (Interactive figure.").is_visible()
    assert page.get_by_text("The text after.").is_visible()
