"""The wheel: what a student installs holds the labs, the style of the figures, and no answers."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_holds_every_released_lab(wheel):
    released = {path.stem for path in (ROOT / "notebooks").glob("*/*.ipynb")}
    assert released
    assert {f"cnncourse/labs/{slug}/{slug}.ipynb" for slug in released} <= set(wheel.namelist())


def test_the_wheel_holds_the_whole_package(wheel):
    found = (path for path in (ROOT / "cnncourse").rglob("*") if path.is_file())
    files = {path for path in found if "__pycache__" not in path.parts}
    assert any(path.suffix == ".mplstyle" for path in files)
    assert {path.relative_to(ROOT).as_posix() for path in files} <= set(wheel.namelist())


def test_the_wheel_holds_nothing_else(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith((".dist-info", ".data"))} == {"cnncourse"}
    installed = [name.partition(".data/data/")[2] for name in wheel.namelist() if ".data/" in name]
    assert installed == ["share/jupyter/nbconvert/templates/formgrade/mathjax.html.j2"]


def test_installing_needs_numpy_only(wheel):
    metadata = wheel.read(next(name for name in wheel.namelist() if name.endswith("METADATA"))).decode()
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:")]
    assert [line for line in required if "extra ==" not in line] == ["Requires-Dist: numpy>=1.25"]
    assert "Requires-Python: >=3.11" in metadata
