"""Attacks on the grading of a class: one file each in ``attacks/<group>/``, read here and never imported.

A file is the code of a student who is up to no good, in cells as IPython would run them::

    # What it tries, in a sentence or two: the first lines, up to the first field or cell.
    #
    # points: 3
    # %% pad2d-answer
    def pad2d(x, padding):
        ...
    # %% after pad2d-check
    print("tried")

``# %% <cell id>`` puts the code into that cell of the lab, ``before`` or ``after`` a cell id adds a cell there,
and ``# %% damage`` is run by the test on what is handed in: `cells`, a list of cells as in the file, and
`folder`, where further files can be left. `tests/security/README.md` names the fields and the marks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ATTACKS = Path(__file__).parent / "attacks"
LAB = "ch02_conv2d"
NAME = f"{LAB}.ipynb"
RELEASED = Path(__file__).parents[2] / "notebooks" / LAB / NAME
EXERCISES = ("pad2d", "conv2d_cost", "nhwc_to_nchw")
POINTS = {"pad2d": 1.0, "conv2d_cost": 2.0, "nhwc_to_nchw": 1.0}
HONEST = {
    "pad2d": """\
def pad2d(x, padding):
    N, C, H, W = x.shape
    out = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    out[:, :, padding : padding + H, padding : padding + W] = x
    return out""",
    "conv2d_cost": """\
def conv2d_cost(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0, bias=True):
    rows, columns = kernel_size
    H_out = (height + 2 * padding - rows) // stride + 1
    W_out = (width + 2 * padding - columns) // stride + 1
    weights = out_channels * in_channels * rows * columns
    return {
        "output_shape": (out_channels, H_out, W_out),
        "params": weights + out_channels * bool(bias),
        "macs": weights * H_out * W_out,
        "memory": 4 * out_channels * H_out * W_out,
    }""",
    "nhwc_to_nchw": """\
def nhwc_to_nchw(x):
    return x.transpose(0, 3, 1, 2)""",
}
FIELD = re.compile(r"# (points|flags|seconds|needs|memory|slow|twice): ?(.*)")

Cells = list[dict[str, Any]]


@dataclass(frozen=True)
class Attack:
    """One file of the corpus.

    Attributes
    ----------
    name : group and name, such as ``"forging/equal-to-everything"``
    about : what it tries
    fields : what is expected, as text
    parts : where code goes, and the code
    """

    name: str
    about: str
    fields: Mapping[str, str]
    parts: tuple[tuple[str, str], ...]

    @property
    def group(self) -> str:
        """The folder it is in."""
        return self.name.split("/")[0]

    @property
    def attacked(self) -> set[str]:
        """The exercises whose answers it replaces."""
        return {name for name in EXERCISES for where, _ in self.parts if where == f"{name}-answer"}

    @property
    def flags(self) -> list[str]:
        """The kinds of flags that the instructor must see."""
        return [kind.strip() for kind in self.fields.get("flags", "").split(",") if kind.strip()]

    @property
    def says_tried(self) -> bool:
        """Whether it prints, in a cell, that it got to its end."""
        return any('print("tried")' in source for _, source in self.parts)

    @property
    def points(self) -> float | None:
        """What it earns: by default the points of the answers that it leaves honest; None for any."""
        if "points" in self.fields:
            return None if self.fields["points"] == "any" else float(self.fields["points"])
        return sum(points for name, points in POINTS.items() if name not in self.attacked)


def attacks() -> list[Attack]:
    """Return the corpus."""
    return [_read(path) for path in sorted(ATTACKS.rglob("*.ipy"))]


def _read(path: Path) -> Attack:
    head, *parts = re.split(r"(?m)^# %% (.+)$\n?", path.read_text(encoding="utf-8"))
    fields = {found[1]: found[2].strip() for line in head.splitlines() if (found := FIELD.fullmatch(line))}
    about = [line.lstrip("# ") for line in head.splitlines() if not FIELD.fullmatch(line)]
    name = path.relative_to(ATTACKS).with_suffix("").as_posix()
    assert parts, f"{path}: no cell"
    return Attack(name, " ".join(about).strip(), fields, tuple(zip(parts[::2], parts[1::2], strict=True)))


def lab() -> dict[str, Any]:
    """Return the released lab: the opening cell and three exercises of chapter 2."""
    notebook: dict[str, Any] = json.loads(RELEASED.read_text(encoding="utf-8"))
    kept = {"start-2", *(f"{name}-{part}" for name in EXERCISES for part in ("task", "answer", "check"))}
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] in kept]
    return notebook


def hand_in(folder: Path, attack: Attack | None, places: Mapping[str, str]) -> None:
    """Write a submission: honest answers, and what the attack puts in their place.

    Parameters
    ----------
    folder : the student's folder for the lab
    attack : None for an honest student
    places : what stands for ``@NAME@`` in the code of an attack
    """
    folder.mkdir(parents=True)
    notebook = lab()
    cells: Cells = notebook["cells"]
    for name, answer in HONEST.items():
        _find(cells, f"{name}-answer")["source"] = answer
    for number, (where, source) in enumerate(attack.parts if attack else ()):
        for name, text in places.items():
            source = source.replace(f"@{name}@", text)
        side, _, target = where.rpartition(" ")
        if where == "damage":
            exec(compile(source, f"{attack.name} (damage)", "exec"), {"cells": cells, "folder": folder})  # type: ignore[union-attr]
        elif side:
            place = cells.index(_find(cells, target)) + (side == "after")
            cells.insert(place, code_cell(source, f"attack-{number}"))
        else:
            _find(cells, target)["source"] = source.strip("\n")
    path = folder / NAME
    if not path.exists():
        path.write_text(json.dumps(notebook), encoding="utf-8")


def code_cell(source: str, cell_id: str) -> dict[str, Any]:
    """Return a cell that a student added."""
    shape = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    return shape | {"id": cell_id, "source": source.strip("\n")}


def _find(cells: Cells, cell_id: str) -> dict[str, Any]:
    return next(cell for cell in cells if cell["id"] == cell_id)
