"""The students of the sample class: what each handed in, and the points that the checks must give."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sample_answers as wrote

LAB = "ch02_conv2d"
Notebook = dict[str, Any]


@dataclass(frozen=True)
class Student:
    """One submission and the points that its checks must give.

    `answers` replace the right ones; None leaves a cell as it was released. `damage` changes the notebook,
    `cut` what is written to the file.
    """

    name: str
    did: str
    expected: float
    why: str
    answers: dict[str, str | None]
    damage: Callable[[Notebook], None] = lambda notebook: None
    filename: str = f"{LAB}.ipynb"
    cut: float = 1.0


def find(notebook: Notebook, name: str) -> Notebook:
    """Return the cell with this grade id."""
    return next(c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == name)


def add_helper(notebook: Notebook) -> None:
    """Write a helper into a new cell above the answer that calls it."""
    place = notebook["cells"].index(find(notebook, "conv2d-answer"))
    helper = {"cell_type": "code", "id": "f3a9", "metadata": {}, "execution_count": 3, "outputs": []}
    notebook["cells"].insert(place, helper | {"source": wrote.COLUMNS_HELPER.strip()})


def delete_check(notebook: Notebook) -> None:
    """Delete the check of the exercise that is worth most."""
    notebook["cells"].remove(find(notebook, "conv2d-check"))


def duplicate(notebook: Notebook) -> None:
    """Copy a check cell and an answer cell, as Jupyter does: everything the same but the id."""
    for name in ("conv2d-check", "im2col-answer"):
        cell = find(notebook, name)
        place = notebook["cells"].index(cell)
        notebook["cells"].insert(place, json.loads(json.dumps(cell)) | {"id": f"copy-{place}"})


NOTHING = dict.fromkeys(wrote.RIGHT)
HALF = dict.fromkeys(("conv2d_cost", "nhwc_to_nchw", "im2col", "open-question"))

# The checks: pad2d 1, conv2d 4 (one each for one kernel, channels and batch, padding, stride), conv2d_cost 2,
# nhwc_to_nchw 1, im2col 2. The open question is graded by hand.
IVO = "padding 0 fails: pad2d 1 of 2 groups, conv2d 1 of 4, im2col none"
CLASS = [
    Student("ada", "four loops", 10, "all right", {}),
    Student("bela", "as_strided", 10, "all right", {"conv2d": wrote.STRIDED}),
    Student("cem", "sliding_window_view", 10, "all right", {"conv2d": wrote.WINDOWS}),
    Student("dana", "columns, helper cell", 10, "all right", {"conv2d": wrote.COLUMNS}, add_helper),
    Student("emil", "einsum", 10, "all right", {"conv2d": wrote.EINSUM}),
    Student("fatma", "float32, nested lists", 10, "all right", {"conv2d": wrote.LISTS}),
    Student("goran", "kernel flipped", 6, "conv2d 0 of 4", {"conv2d": wrote.FLIPPED}),
    Student("hana", "bias in the sum", 6, "conv2d 0 of 4", {"conv2d": wrote.BIAS_IN_THE_SUM}),
    Student("ivo", "pads with [p:-p]", 4.5, IVO, {"pad2d": wrote.NEGATIVE_SLICE}),
    Student(
        "jana", "stride only in size", 9, "conv2d 3 of 4: its stride", {"conv2d": wrote.STRIDE_FORGOTTEN}
    ),
    Student("kofi", "H and W swapped", 6, "conv2d 0 of 4", {"conv2d": wrote.SWAPPED}),
    Student("lea", "half done", 5, "pad2d 1, conv2d 4", HALF),
    Student("mats", "untouched", 0, "nothing written", NOTHING),
    Student("nuri", "a syntax error", 6, "all but conv2d", {"conv2d": wrote.MISSING_BRACKET}),
    Student("olga", "check cell deleted", 10, "it is put back", {}, delete_check),
    Student("pavel", "cells duplicated", 10, "each is graded once", {}, duplicate),
    Student("quinn", "notebook renamed", 10, "it is found", {}, filename=f"{LAB} (1).ipynb"),
    Student("rosa", "not saved to the end", 0, "cannot be read", {}, cut=0.6),
]
