"""The sandbox and the kernel in it, from outside: what is there, what is not, what is said where it cannot be."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("nbgrader")

from cnncourse.checking import judge, load
from cnncourse.grading import sandbox as module
from cnncourse.grading.kernel import Kernel, KernelError, RemoteCandidate
from cnncourse.grading.sandbox import Sandbox, SandboxError, trouble
from cnncourse.grading.settings import Settings

needs_sandbox = pytest.mark.skipif(bool(trouble()), reason=trouble())
SMALL = Settings(cell_seconds=3, notebook_seconds=60, memory_mb=300, scratch_mb=8, processes=24)


@pytest.fixture(
    scope="module", params=[pytest.param(True, marks=needs_sandbox), False], ids=["walls", "none"]
)
def box(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    made = Sandbox(Settings(request.param, 3, 60, 300, 8, 24))
    yield made
    made.close()


@pytest.fixture
def kernel(box: Sandbox) -> Iterator[Callable[..., str]]:
    with contextlib.closing(Kernel(box, 2, 60)) as made:

        def run(source: str) -> str:
            return "".join(str(output) for output in made.run(source, 3))

        run.kernel = made  # type: ignore[attr-defined]
        yield run


def test_cells_run_and_show_what_they_show(kernel: Callable[..., Any]) -> None:
    assert "hello" in kernel("x = 3\nprint('hello')")
    assert "{'text/plain': '4'}" in kernel("x + 1")
    assert "image/png" in kernel(
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()"
    )
    assert "'text/plain': '<b>'" in kernel(
        "from IPython.display import HTML, display\ndisplay('<b>')"
    ).replace('"', "")
    assert "text/html" not in kernel("display(HTML('<b>'))")
    assert "TimeUp" in kernel("while True:\n    pass")
    assert "ZeroDivisionError" in (shown := kernel("def f():\n    return 1 / 0\nf()"))
    assert "f, line 2: return 1 / 0" in shown
    assert "site-packages" not in shown
    assert "invalid syntax" in kernel("def f(:\n    pass")
    assert kernel("quit()") == kernel("import sys; sys.exit(1)") == ""
    assert "{'text/plain': '3'}" in kernel("x")


def test_check_says_that_it_is_not_here(kernel: Callable[..., Any]) -> None:
    shown = kernel("from cnncourse import check\ncheck('ch02_conv2d.pad2d', len)")
    assert "is checked after all cells have run" in shown
    assert "'0.0'" in shown


def test_the_answers_are_not_here_and_were_never_imported(kernel: Callable[..., Any], box: Sandbox) -> None:
    assert "ModuleNotFoundError" in kernel("import cnncourse.checking.judge")
    names = kernel("import sys\n[n for n in sys.modules if n.startswith(('cnncourse.ex', 'cnncourse.gr'))]")
    assert "[]" in names
    if box.settings.sandbox:
        assert "ModuleNotFoundError" in kernel("import cnncourse.exercises")
        assert "ModuleNotFoundError" in kernel("import cnncourse.grading")


def test_snapshots_keep_their_state_and_are_apart(kernel: Callable[..., Any]) -> None:
    k: Kernel = kernel.kernel  # type: ignore[attr-defined]
    kernel("def f(x):\n    global n\n    n += x\n    return n\nn = 10")
    k.snapshot(0)
    kernel("n = 20")
    k.snapshot(1)
    assert k.call(0, ["f"], "function", {"x": 1}, 3).value == 11
    assert k.call(1, ["f"], "function", {"x": 1}, 3).value == 21
    assert k.call(0, ["f"], "function", {"x": 1}, 3).value == 12
    assert "20" in kernel("n")
    missing = k.call(1, ["g"], "function", {}, 3).failure
    assert missing is not None and missing.kind == "undefined"


def test_a_snapshot_that_dies_takes_nothing_with_it(kernel: Callable[..., Any]) -> None:
    k: Kernel = kernel.kernel  # type: ignore[attr-defined]
    kernel("import os\ndef f(x):\n    os._exit(3)\ndef g(x):\n    return x")
    k.snapshot(0)
    k.snapshot(1)
    with pytest.raises(KernelError, match="stopped Python itself"):
        k.call(0, ["f"], "function", {"x": 1}, 3)
    assert k.call(1, ["g"], "function", {"x": 5}, 3).value == 5


def test_an_answer_is_judged_from_outside_as_it_is_inside(kernel: Callable[..., Any]) -> None:
    exercise = load("ch02_conv2d.pad2d")
    kernel(
        "import numpy as np\ndef pad2d(x, padding):\n"
        "    p = padding\n    return np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))"
    )
    k: Kernel = kernel.kernel  # type: ignore[attr-defined]
    k.snapshot(0)
    report = judge(exercise, RemoteCandidate(k, 0, ["pad2d"], "function"), 1, 2, 3)
    assert (report.passed, report.points, len(report.results)) == (True, 1.0, 18)


def test_what_a_kernel_uses_is_bounded(kernel: Callable[..., Any], box: Sandbox) -> None:
    with pytest.raises(KernelError, match="used more than 300 MB of memory"):
        kernel("x = bytearray(600_000_000)\nimport time\ntime.sleep(3)")


@needs_sandbox
def test_the_wall_holds_libraries_and_a_scratch_and_nothing_else() -> None:
    with contextlib.closing(Sandbox(SMALL)) as walls, contextlib.closing(Kernel(walls, 0, 60)) as k:

        def run(source: str) -> str:
            return "".join(str(output) for output in k.run(source, 3))

        assert "'/scratch', []" in run("import os\nos.getcwd(), os.listdir('.')")
        assert "[]" in run("os.listdir('/proc')")
        assert "Read-only file system" in run("open('/here', 'w')")
        assert "PermissionError" in run("import socket\nsocket.create_connection(('192.0.2.1', 80), 2)")
        assert "too large" in run("open('big', 'wb').write(bytes(20_000_000))") or "No space" in run(
            "open('big', 'wb').write(bytes(20_000_000))"
        )
        assert "{'text/plain': '0'}" in run("open('kept', 'w').write('')")
        assert "True" in run("'SECRET' not in os.environ and os.environ['HOME'] == '/scratch'")
        k.close()
        with contextlib.closing(Kernel(walls, 0, 60)) as again:
            assert "[]" in "".join(map(str, again.run("import os; os.listdir('.')", 3)))


@pytest.mark.parametrize("missing", ["bwrap", "namespaces"])
def test_where_there_is_none_it_says_why(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if missing == "bwrap":
        monkeypatch.setattr(module.shutil, "which", lambda name: None)
        said = "bubblewrap (bwrap) is not installed"
    else:
        monkeypatch.setattr(module, "outer_wall", lambda: ["sh", "-c", "echo No permissions >&2; exit 1"])
        said = "No permissions"
    with pytest.raises(SandboxError) as caught:
        Sandbox(SMALL)
    assert str(caught.value) == said
