"""Which cells run before answers are judged, and which library calls a reader of the source finds."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("nbgrader")

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from cnncourse.grading.library_calls import NotebookSource
from cnncourse.grading.plan import checks, to_run

FORBIDDEN = ("numpy.pad", "cnncourse.layers.*", "cnncourse.shapes.*")


def lab(
    answer: str = "", play: str = "# yours\nbase = 2"
) -> tuple[list[NotebookNode], dict[str, NotebookNode]]:
    """A lab whose cells are called by their ids; the answer is the student's, and `play` may be."""
    texts = {
        "setup": "import numpy as np\nfrom cnncourse.layers import conv\nimport random as dice",
        "seed": "dice.seed(0)",
        "picture": "shown = np.zeros(3)\nprint(shown)",
        "table": "rows = [shown]",
        "answer": "def f(x):\n    raise NotImplementedError",
        "check": 'check("ch02_conv2d.pad2d", f)',
        "play": "# yours\nbase = 2",
        "plot": "figure = f(shown)",
    }
    released = {name: new_code_cell(text, id=name) for name, text in texts.items()}
    released["answer"].metadata["nbgrader"] = {"grade_id": "answer", "solution": True, "grade": False}
    released["check"].metadata["nbgrader"] = {
        "grade_id": "check",
        "solution": False,
        "grade": True,
        "points": 2,
    }
    cells = [NotebookNode(cell) for cell in released.values()]
    cells[4]["source"], cells[6]["source"] = answer or texts["answer"], play
    return cells, released


def run(answer: str = "", play: str = "# yours\nbase = 2", **more: Any) -> set[str]:
    cells, released = lab(answer, play)
    return {cells[place].id for place in to_run(cells, released, **more)}


def test_what_only_shows_is_not_run() -> None:
    assert run("def f(x):\n    shown = np.ones(3)\n    return shown") == {"setup", "seed", "answer"}


def test_what_the_answer_reads_is_run_with_all_that_it_needs_itself() -> None:
    assert run("def f(x):\n    return rows[0]") == {"setup", "seed", "answer", "table", "picture"}
    assert run("def f(x):\n    return x * base") == {"setup", "seed", "answer", "play"}


def test_what_the_student_wrote_is_run() -> None:
    assert run("def f(x):\n    return x", "base = 3") == {"setup", "seed", "answer", "play"}
    assert "answer" in run("def f(x:")


@pytest.mark.parametrize("dynamic", ["globals()['rows']", "eval('rows')", "get_ipython().user_ns", "vars()"])
def test_names_that_are_not_spelled_out_make_all_run(dynamic: str) -> None:
    assert run(f"def f(x):\n    return {dynamic}") == set(lab()[1]) - {"check"}
    assert run(run_all=True) == set(lab()[1]) - {"check"}


def test_a_check_says_which_functions_it_hands_over() -> None:
    (check,) = checks(lab()[0])
    assert (check.exercise, check.names, check.points) == ("ch02_conv2d.pad2d", ("f",), 2.0)
    cells, _ = lab()
    for source in ("assert f(1) == 2", "check('x')", "check('x', 3)", "check('x', f); 2.0", "check("):
        cells[5]["source"] = source
        assert checks(cells)[0].exercise == ""


def found(*sources: str, name: str = "f") -> str:
    use = NotebookSource(sources).use_of([name], len(sources), FORBIDDEN)
    return f"{use[0].name} {use[1]}:{use[0].line}" if use else ""


@pytest.mark.parametrize(
    ("sources", "where"),
    [
        (("import numpy as np", "def f(x):\n    return np.pad(x, 1)"), "numpy.pad 1:2"),
        (("import numpy\nf = numpy.pad",), "numpy.pad 0:2"),
        (("from numpy import pad as p", "def f(x):\n    return p(x)"), "numpy.pad 1:2"),
        (("def f(x):\n    import numpy as q\n    return q.pad(x, 1)",), "numpy.pad 0:3"),
        (("import numpy as np", "def f(x):\n    return getattr(np, 'pad')(x, 1)"), "numpy.pad 1:2"),
        (("import numpy as np", "g = np.pad", "def f(x):\n    return g(x)"), "numpy.pad 1:1"),
        (
            ("import numpy as np", "def g(x):\n    return np.pad(x, 1)", "def f(x):\n    return g(x)"),
            "numpy.pad 1:2",
        ),
        (
            ("import numpy as np\nclass A:\n    pass\nA.g = np.pad\ndef f(x):\n    return A.g(x)",),
            "numpy.pad 0:4",
        ),
        (("import numpy as np", "f = lambda x: np.pad(x, 1)"), "numpy.pad 1:1"),
        (("from numpy import pad as f",), "numpy.pad 0:1"),
        (("from numpy import *", "def f(x):\n    return pad(x, 1)"), "numpy.pad 1:2"),
        (("import numpy as np\nfor f in [np.pad]:\n    pass",), "numpy.pad 0:2"),
        (("import numpy as np\nwith np.pad as f:\n    pass",), "numpy.pad 0:2"),
        (("import numpy as np\nif f := np.pad:\n    pass",), "numpy.pad 0:2"),
        (("import numpy as np\nmatch np.pad:\n    case f:\n        pass",), "numpy.pad 0:2"),
        (("import numpy as np\ndef g():\n    global f\n    f = np.pad\ng()",), "numpy.pad 0:4"),
        (
            ("import numpy as np\nh = []\nh.append(np.pad)", "def f(x):\n    return h[0](x, 1)"),
            "numpy.pad 0:3",
        ),
        (
            ("import cnncourse", "def f(x):\n    return cnncourse.viz.conv_output_size(x)"),
            "cnncourse.viz.conv_output_size 1:2",
        ),
        ((" import numpy as np\n f = np.pad",), "numpy.pad 0:2"),
        (("import numpy as np\nwith open(x):\n    y = np.pad\n    z = 3", "def f(x):\n    return z"), ""),
        (("import numpy as np\ntry:\n    f = np.pad\nexcept Exception:\n    pass",), "numpy.pad 0:3"),
        (
            ("from cnncourse.layers import conv", "def f(x):\n    return conv.pad2d(x, 1)"),
            "cnncourse.layers.conv.pad2d 1:2",
        ),
        (
            ("from cnncourse.given import FAST", "def f(x):\n    return FAST['relu_backward'](x)"),
            "cnncourse.given.FAST 1:2",
        ),
        (("from cnncourse.given import given", "def f(x):\n    return given(g)(x)"), ""),
        (("import numpy as np", "def f(x):\n    pad = 1\n    return np.zeros(pad)"), ""),
        (("import numpy as np", "print(np.pad)", "def f(x):\n    return x"), ""),
        (("import numpy as np\nf = np.pad", "def f(x):\n    return x"), ""),
        (("def f(x:",), ""),
    ],
)
def test_library_calls_are_found_in_the_source(sources: tuple[str, ...], where: str) -> None:
    assert found(*sources).replace("cnncourse.layers.conv 1:2", "cnncourse.layers.conv.pad2d 1:2") == where


@pytest.mark.parametrize(
    "line",
    [
        "eval('1')",
        "__import__('numpy')",
        "import ctypes",
        "from inspect import getsource",
        "sys.modules['numpy']",
        "getattr(np, 'p' + 'ad')",
        "f.__globals__",
        "globals()['f'] = 1",
        "get_ipython().user_ns['f'] = 1",
        "%run x.py",
        "g = getattr",
        "from pkgutil import resolve_name",
    ],
)
def test_ways_to_hide_a_call_are_shown_to_the_instructor(line: str) -> None:
    (flag,) = NotebookSource(["x = 1", line]).evasions([0, 1], ["a", "b"])
    assert (flag.kind, flag.cell, flag.line, flag.code) == ("evasion", "b", 1, line)


def test_what_honest_code_does_is_no_evasion() -> None:
    plain = ["%matplotlib inline\ngetattr(x, 'y')\nsum(range(3))", "def f(:", "import time\nx.append(1)"]
    assert list(NotebookSource(plain).evasions([0, 1, 2], ["a", "b", "c"])) == []
    (flag,) = NotebookSource(["x = 1  #" + "#" * 300_000]).evasions([0], ["a"])
    assert "too long" in flag.text


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    nonlocal x",
        "def f(x, x): pass",
        "def f():\n    print(x)\n    global x",
        "x" + ".a" * 30_000,
        "-" * 50_000 + "x",
        "(" * 5_000,
        "%a\n" * 600,
        "\0",
        "x = '\ud800'",
    ],
    ids=lambda source: repr(source[:20]),
)
def test_whatever_stands_in_a_cell_there_is_a_plan(source: str) -> None:
    cells, released = lab(source)
    assert 4 in to_run(cells, released)
    assert NotebookSource([source]).use_of(["f"], 1, FORBIDDEN) is None
