"""Find the notebook among the files that a student handed in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cnncourse.grading.reading import SubmittedCell, UnreadableError, read_cells

HIDDEN = frozenset({".ipynb_checkpoints", "__pycache__", "__MACOSX"})


def find_notebook(folder: Path, name: str, ids: Iterable[str]) -> tuple[list[SubmittedCell], list[str]]:
    """Find and read the notebook that a student handed in for the released notebook `name`.

    A file of the released name wins; where there is none, or it cannot be read or holds none of the lab's
    cells, the file with the most of the lab's cells is taken, so that "ch02_conv2d (1).ipynb" is graded as
    well.

    Parameters
    ----------
    folder : Path
        The student's folder for this assignment.
    name : str
        File name of the released notebook.
    ids : iterable of str
        Cell ids and grade ids of the released notebook.

    Returns
    -------
    cells : list of SubmittedCell
        Empty where nothing could be read.
    notes : list of str
        What there is to say about it, one plain line each.
    """
    known = set(ids)
    readable: list[tuple[tuple[bool, bool, int, str], Path, list[SubmittedCell]]] = []
    notes: list[str] = []
    paths = _candidates(folder)
    for path in paths:
        try:
            cells = read_cells(path)
        except UnreadableError as error:
            notes.append(f"The file `{plain(path.name)}` could not be read: {error}.")
            continue
        shared = sum(cell.grade_id in known or cell.cell_id in known for cell in cells)
        readable.append(((shared > 0, path.name == name, shared, path.name), path, cells))
    if not readable:
        notes = notes or ["No notebook was handed in."]
        return [], [
            *notes,
            *_programs(folder),
            "The lab below is graded as not begun: please save your notebook and hand it in again.",
        ]
    _, chosen, cells = max(readable, key=lambda found: found[0])
    if len(paths) > 1:
        notes.append(f"There were {len(paths)} notebooks; `{plain(chosen.name)}` was graded.")
    elif chosen.name != name:
        notes.append(f"The notebook was handed in as `{plain(chosen.name)}`; it was graded as `{name}`.")
    return cells, notes + _programs(folder)


def _files(folder: Path) -> list[Path]:
    """Return a submission's files, without what Jupyter, Python and macOS put there."""
    found = []
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        own = HIDDEN.isdisjoint(parts) and not any(part.startswith("._") for part in parts)
        if own and (path.is_symlink() or path.is_file()):
            found.append(path)
    return sorted(found)


def _candidates(folder: Path) -> list[Path]:
    """Return every file that may be a notebook: also "x.ipynb.txt" and "X.IPYNB", also in folders below."""
    return [path for path in _files(folder) if ".ipynb" in path.name.lower()]


def _programs(folder: Path) -> list[str]:
    """Return a note on Python files that were handed in too; nbgrader_config.py keeps them out of grading."""
    names = [f"`{plain(path.name)}`" for path in _files(folder) if path.suffix.lower() == ".py"]
    if not names:
        return []
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return [
        f"{shown} {'was' if len(names) == 1 else 'were'} handed in too; "
        "files beside the notebook are not used: put the code into the notebook."
    ]


def plain(name: str) -> str:
    """Return a student's file name as text that is safe to show inside backquotes."""
    return "".join(char if char.isprintable() and char not in "`<>" else "?" for char in name)
