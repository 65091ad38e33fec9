"""Derive each lab's two notebooks from its text (`make labs`).

``solutions/chNN.md`` becomes ``solutions/chNN/chNN.ipynb``, the instructor's notebook, executed once.
nbgrader makes ``notebooks/chNN/chNN.ipynb`` of it, the student's. Nothing else is written into the tree, and
two runs write the same bytes.

    python tools/build_labs.py                     derive all labs
    python tools/build_labs.py --only ch02_conv2d  derive one
    python tools/build_labs.py --check             execute nothing; fail if a notebook is out of date
"""

from __future__ import annotations

import argparse
import copy
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from lab_cells import NOTEBOOK_METADATA, LabError, expand, plural
from lab_outputs import execute, keep_text
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent


def texts(root: Path = ROOT, only: str | None = None) -> list[Path]:
    """Return the texts of the labs, in the order of the chapters."""
    found = sorted((root / "solutions").glob("*.md"))
    chosen = [path for path in found if only in (None, path.stem)]
    if not chosen:
        raise LabError(f"no lab {only!r}; there are: {', '.join(path.stem for path in found) or 'none'}")
    return chosen


def notebook_paths(slug: str, root: Path = ROOT) -> tuple[Path, Path]:
    """Return where the instructor's and the student's notebook of a lab stand."""
    return root / "solutions" / slug / f"{slug}.ipynb", root / "notebooks" / slug / f"{slug}.ipynb"


def release(solved: dict[str, NotebookNode], root: Path = ROOT) -> dict[str, NotebookNode]:
    """Return the students' notebooks, made by one nbgrader in a temporary course without a gradebook.

    Parameters
    ----------
    solved : the instructor's notebooks, by slug; the result has the same keys
    """
    made = {}
    with TemporaryDirectory() as folder:
        for slug, notebook in solved.items():
            source, _ = notebook_paths(slug, Path(folder))
            source.parent.mkdir(parents=True)
            source.write_text(as_text(notebook), encoding="utf-8")
        shutil.copy(root / "nbgrader_config.py", folder)
        command = [sys.executable, "-m", "nbgrader", "generate_assignment", "*", "--no-db"]
        path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
        environment = os.environ | {"JUPYTER_CONFIG_DIR": folder, "PYTHONPATH": path}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        for slug in solved:
            _, released = notebook_paths(slug, Path(folder))
            if done.returncode or not released.exists():
                raise LabError(f"nbgrader could not release {slug}:\n{done.stderr.strip()}")
            made[slug] = nbformat.read(released, as_version=4)
            made[slug].metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    return made


def without_outputs(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook as it is before it runs."""
    bare = copy.deepcopy(notebook)
    for cell in bare.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return bare


def as_text(notebook: NotebookNode) -> str:
    """Return a notebook as the text of its file, the same for the same cells."""
    return str(nbformat.writes(notebook, version=4)).rstrip("\n") + "\n"


def build(text: Path, root: Path = ROOT) -> None:
    """Write both notebooks of a lab."""
    solved_path, released_path = notebook_paths(text.stem, root)
    print(f"{text.stem}: reading the text", flush=True)
    derived = expand(text)
    print(f"{text.stem}: executing the solved lab ({plural(len(derived.cells), 'cell')})", flush=True)
    solved = keep_text(execute(derived))
    print(f"{text.stem}: making the student's notebook with nbgrader", flush=True)
    released = release({text.stem: derived}, root)[text.stem]
    for path, notebook in ((solved_path, solved), (released_path, released)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(as_text(notebook), encoding="utf-8")
        print(f"{text.stem}: wrote {path.relative_to(root)}", flush=True)


def differences(labs: Sequence[Path], root: Path = ROOT) -> list[str]:
    """Return one line for each committed notebook that is not what its text gives; nothing is executed."""
    derived = {text.stem: expand(text) for text in labs}
    released = release(derived, root)
    lines = []
    for text in labs:
        wanted = (as_text(derived[text.stem]), as_text(released[text.stem]))
        for path, want, is_solved in zip(notebook_paths(text.stem, root), wanted, (True, False), strict=True):
            if not path.exists():
                lines.append(f"{path.relative_to(root)} does not exist: run `make labs`")
                continue
            committed = nbformat.read(path, as_version=4)
            have = as_text(without_outputs(committed)) if is_solved else path.read_text(encoding="utf-8")
            if have != want:
                lines.append(f"{path.relative_to(root)} is not what {text.name} gives: run `make labs`")
    return lines


def main() -> int:
    """Derive, or compare with what is committed."""
    parser = argparse.ArgumentParser(description="Derive each lab's notebooks from its text.")
    parser.add_argument(
        "--check", action="store_true", help="execute nothing; fail if a notebook is out of date"
    )
    parser.add_argument("--only", metavar="SLUG", help="one lab, such as ch02_conv2d")
    options = parser.parse_args()
    try:
        labs = texts(only=options.only)
        if not options.check:
            for text in labs:
                build(text)
            return 0
        lines = differences(labs)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if lines:
        print("\n".join(lines), file=sys.stderr)
        return 1
    print(f"{plural(len(labs), 'lab')} up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
