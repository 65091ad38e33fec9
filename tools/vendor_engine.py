"""Packs the Python that runs in a page into one file, from the wheel of a kernel for JupyterLite.

The wheel holds CPython 3.11 and NumPy 1.25 as WebAssembly, each packed on its own. One file of them is
one request, one share that is there so far, and one place to look when it is not.
"""

import gzip
import io
import re
import shutil
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from tools.steps import ROOT, must, say, venv_python

LICENCES = ROOT / "tools" / "licences"  # of the libraries, whose packages in the wheel do not carry them
# What no cell of a page uses: tests, builders of extensions, windows.
LEFT_OUT = {
    "python": {"distutils", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "tkinter", "turtledemo"},
    "numpy": {"tests", "distutils", "f2py", "array_api", "_pyinstaller"},
}
TWICE = "lapack_lite"  # 2 MB, and its functions stand in _umath_linalg as well


def unpack_engine(wheel: Path, folder: Path) -> None:
    """Make `python.tar.gz`, all that a page loads to run Python, and put the licences beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        parts = {Path(name).name: name for name in archive.namelist()}
        for name in ("xpython_wasm.js", "xpython_wasm.wasm"):
            (root / name).write_bytes(archive.read(parts[name]))
        for library, left_out in LEFT_OUT.items():
            packed = next(name for name in parts if re.fullmatch(rf"{library}-\d.*\.tar\.gz", name))
            unpack_library(archive.read(parts[packed]), left_out, root)
        compile_library(root)
        pack(root, folder / "python.tar.gz")
        (folder / "LICENSE-xeus-python.txt").write_bytes(archive.read(parts["LICENSE"]))
    for library in LEFT_OUT:
        shutil.copy(LICENCES / f"{library}.txt", folder / f"LICENSE-{library}.txt")


def unpack_library(packed: bytes, left_out: set[str], root: Path) -> None:
    """Unpack what is needed of a library; NumPy lands beside Python's own modules.

    The engine makes `site-packages` itself when it starts, and fails where the folder is there already.
    """
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            path = Path(member.name.replace("/site-packages/", "/"))
            needed = path.suffix in (".py", ".so") and path.parts[0] == "lib" and TWICE not in path.name
            if member.isfile() and needed and not left_out & set(path.parts):
                target = root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content(archive, member.name))


def content(archive: tarfile.TarFile, name: str) -> bytes:
    """Return the bytes of one file of an archive."""
    file = archive.extractfile(name)
    assert file is not None, name
    return file.read()


def compile_library(root: Path) -> None:
    """Replace Python's sources by bytecode, with which the engine starts in half the time.

    Only the engine's own version of Python can write it: by another one the sources stay as they are.
    """
    if sys.version_info[:2] != (3, 11):
        say("   packed by Python 3.11, Python in the page would start in half the time")
        return
    options = ["-q", "-b", "-s", root, "-p", "/", "--invalidation-mode", "unchecked-hash"]
    must([venv_python(), "-X", "no_debug_ranges", "-m", "compileall", *options, root], "vendor-compile")
    for source in root.rglob("*.py"):
        source.unlink()


def pack(root: Path, archive: Path) -> None:
    """Pack a folder, with the same bytes each time."""
    with (
        archive.open("wb") as file,
        gzip.GzipFile("", "wb", 9, file, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            member = tarfile.TarInfo(path.relative_to(root).as_posix())
            member.size = path.stat().st_size
            with path.open("rb") as source:
                tar.addfile(member, source)
