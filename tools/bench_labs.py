"""The classes that `bench_grading.py` has graded: everybody is right, in several ways."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
import sample_answers as wrote
from nbformat import NotebookNode
from sample_class import nbgrader
from sample_students import add_helper, find

ROOT = Path(__file__).resolve().parent.parent
JUDGED = ROOT / "tests" / "judged"
sys.path.append(str(JUDGED))
import labs  # noqa: E402

STUDENTS = "abcdefghijklmnopqrstuvwx"  # one letter each: nbgrader finds students by pattern
STOCK_CONFIG = """\
c = get_config()
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"
c.Execute.timeout = 600
"""

TRAINING = """
class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(1, {width}, 3, padding=1)
        self.conv2 = nn.Conv2d({width}, 2 * {width}, 3, stride=2, padding=1)
        self.last = nn.Linear(2 * {width} * 16, classes)

    def forward(self, x):
        hidden = torch.relu(self.conv2(torch.relu(self.conv1(x))))
        return self.last(hidden.flatten(1))

def fit(images, labels):
    x, y = torch.as_tensor(images, dtype=torch.float32), torch.as_tensor(labels)
    net = Net(int(y.max()) + 1)
    optimizer = torch.optim.{optimizer}
    for epoch in range({epochs}):
        for part in torch.randperm(len(x)).split(50):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x[part]), y[part]).backward()
            optimizer.step()
    return net

def predict(net, images):
    with torch.no_grad():
        return net(torch.as_tensor(images, dtype=torch.float32)){scores}
"""
SGD, ADAM = "SGD(net.parameters(), lr=0.1, momentum=0.9)", "Adam(net.parameters(), lr=0.003)"


@dataclass(frozen=True)
class BenchLab:
    """A lab, and the answers that are handed in for it, by exercise; submissions take turns."""

    name: str
    answers: tuple[Mapping[str, str], ...]

    def answer(self, student: str) -> Mapping[str, str]:
        """Return what a student hands in."""
        return self.answers[STUDENTS.index(student) % len(self.answers)]


CONVOLUTIONS = (wrote.LOOPS, wrote.STRIDED, wrote.WINDOWS, wrote.COLUMNS, wrote.EINSUM, wrote.LISTS)
NUMPY_LAB = BenchLab("ch02_conv2d", tuple(wrote.RIGHT | {"conv2d": answer} for answer in CONVOLUTIONS))
TORCH_LAB = BenchLab(
    "bench_fit",
    tuple(
        {"fit": TRAINING.format(width=width, optimizer=optimizer, epochs=epochs, scores=scores)}
        for width, optimizer, epochs, scores in (
            (16, SGD, 64, ""),
            (16, ADAM, 52, ".argmax(dim=1)"),
            (24, ADAM, 42, ""),
            (24, SGD, 49, ".numpy()"),
        )
    ),
)


def build(lab: BenchLab, course: Path, stock: bool) -> None:
    """Make a class's folder with the lab released, and everybody's work handed in.

    Parameters
    ----------
    stock : whether nbgrader's own preprocessors are configured, and not this course's
    """
    source = course / "solutions" / lab.name / f"{lab.name}.ipynb"
    source.parent.mkdir(parents=True)
    config = course / "nbgrader_config.py"
    if stock:
        config.write_text(STOCK_CONFIG)
    else:
        shutil.copy(ROOT / config.name, config)
    if lab is NUMPY_LAB:
        shutil.copy(ROOT / "solutions" / lab.name / source.name, source)
    else:
        nbformat.write(
            labs.lab("import numpy as np\nimport torch\nfrom torch import nn", "judged.fit"), source
        )
    status, printed = nbgrader(course, "generate_assignment", lab.name)
    if status:
        raise SystemExit(f"nbgrader could not release {lab.name}:\n{printed}")
    released = (course / "notebooks" / lab.name / source.name).read_text(encoding="utf-8")
    for student in STUDENTS:
        path = course / "submitted" / student / lab.name / source.name
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(_written(json.loads(released), lab.answer(student))), encoding="utf-8")


def _written(notebook: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    """Return the released notebook with the answers in it."""
    for name, answer in answers.items():
        cell = find(notebook, name if name == "open-question" else f"{name}-answer")
        cell["source"] = answer.strip()
    if answers.get("conv2d") == wrote.COLUMNS:
        add_helper(notebook)
    return notebook
