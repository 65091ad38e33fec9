"""Who may import whom: the table of the package's layers, held by reading the sources and by a fresh interpreter."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "cnncourse"
HEAVY = {
    "torch",
    "IPython",
    "matplotlib",
    "sklearn",
    "skimage",
    "scipy",
    "PIL",
    "rich",
    "nbgrader",
    "nbformat",
    "jupyter_client",
}

# Part of the package: the other parts that it may import, and the libraries beside NumPy and Python's own.
MAY_IMPORT = {
    "arrays": (set(), set()),
    "colors": (set(), set()),
    "shapes": ({"shapes"}, set()),
    "layers": ({"arrays", "shapes", "layers"}, set()),
    "gradcheck": ({"arrays"}, set()),
    "given": ({"arrays", "layers"}, set()),
    "boxes": ({"arrays", "boxes"}, set()),
    "matching": ({"arrays", "boxes", "matching"}, set()),
    "metrics": ({"arrays", "boxes", "matching", "metrics"}, set()),
    "mask_metrics": ({"arrays", "matching", "metrics"}, set()),
    "anchors": ({"arrays", "boxes", "shapes"}, set()),
    "roi": ({"arrays", "boxes"}, set()),
    "running": ({"arrays", "running"}, {"torch"}),
    "inside": ({"running", "inside"}, {"IPython", "traitlets"}),
    "checking": ({"arrays", "colors", "running", "checking"}, {"IPython"}),
    "exercises": (
        {"arrays", "shapes", "layers", "boxes", "matching", "metrics", "checking", "data", "exercises"},
        {"torch"},
    ),
    "data": ({"arrays", "data"}, {"sklearn", "PIL", "rich"}),
    "detectors": (
        {"anchors", "arrays", "boxes", "data", "detectors", "mask_metrics", "metrics", "viz"},
        {"matplotlib", "scipy", "skimage", "sklearn", "torch"},
    ),
    "widgets": (
        {"arrays", "boxes", "anchors", "colors", "data", "layers", "roi", "shapes", "widgets"},
        {"anywidget", "traitlets"},
    ),
    "viz": ({"arrays", "boxes", "colors", "shapes", "layers", "viz"}, {"matplotlib", "matplotlib_inline"}),
    "grading": (
        {"running", "checking", "grading", "colors", "__init__"},
        {
            "nbgrader",
            "nbformat",
            "nbconvert",
            "traitlets",
            "IPython",
            "psutil",
            "rich",
            "jinja2",
            "distributed",
            "sqlalchemy",
        },
    ),
    "knobs": ({"checking"}, set()),
    "doctor": ({"grading"}, set()),
    "cli": ({"__init__", "checking", "doctor", "grading"}, set()),
    "__main__": ({"cli"}, set()),
    "__init__": ({"checking"}, set()),
}
NUMPY_FREE = {"shapes", "colors"}


def modules():
    return sorted(path for path in PACKAGE.rglob("*.py"))


def part(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_part_has_its_row():
    assert {part(path) for path in modules()} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_obey_the_table(path):
    parts, libraries = MAY_IMPORT[part(path)]
    for name in imported(path):
        root, *rest = name.split(".")
        if root == "cnncourse":
            inner = rest[0] if rest and rest[0] in MAY_IMPORT else "__init__"
            assert inner in parts, f"{name} may not be imported here"
        elif root == "numpy":
            assert part(path) not in NUMPY_FREE, f"{path.name} is to be free of NumPy"
        elif root not in sys.stdlib_module_names:
            assert root in libraries, f"{name} may not be imported here"


def fresh(code):
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    return run.stdout


def test_importing_the_package_loads_numpy_only():
    loaded = fresh("import cnncourse, sys; print(*{name.split('.')[0] for name in sys.modules})").split()
    others = {name for name in loaded if name not in sys.stdlib_module_names and not name.startswith("_")}
    assert others == {"cnncourse", "numpy"}
    assert not HEAVY & set(loaded)


def test_checking_an_answer_loads_nothing_more():
    code = (
        "import cnncourse, sys\n"
        "cnncourse.check('ch02_conv2d.conv2d', lambda x, weight, bias, stride=1, padding=0: x)\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    assert not HEAVY & set(fresh(code).splitlines()[-1].split())


def test_importing_the_package_loads_little():
    """A bound on what is loaded, not on time: 0.2 s on a slow laptop is NumPy and a dozen small modules."""
    before = int(fresh("import numpy, sys; print(len(sys.modules))"))
    after = int(fresh("import cnncourse, sys; print(len(sys.modules))"))
    assert after - before < 60
