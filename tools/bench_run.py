"""What `bench_grading.py` measures, each in a process of its own, in a class's folder.

    python bench_run.py grade LAB PATTERN    as `cnncourse grade`, with one worker for each core
    python bench_run.py alone LAB STUDENTS   the students' code, called on the same inputs, and no grading

The last line is JSON.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnncourse.grading.starting import start_quickly

start_quickly()  # as `cnncourse grade` does

from cnncourse.checking import LocalCandidate, judge, load
from cnncourse.grading.classroom import grade_class
from cnncourse.grading.gradebook import Writer
from cnncourse.grading.nodes import read_notebook
from cnncourse.grading.plan import checks, to_run
from cnncourse.grading.request import Request
from cnncourse.grading.rounds import class_secret, seeds
from cnncourse.grading.store import Store
from cnncourse.grading.work import Result
from cnncourse.running.answer import Outcome
from cnncourse.running.plain import Plain

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "judged"))
import labs


def grade(lab: str, students: str) -> dict[str, Any]:
    """Grade students of the class; return the share of points of each, and where the time went."""
    labs.register()
    writing, write = [], Writer.write

    def timed(*arguments: Any) -> Any:
        began = time.perf_counter()
        written = write(*arguments)
        writing.append(time.perf_counter() - began)
        return written

    Writer.write = timed  # type: ignore[method-assign]
    rows = grade_class(Path.cwd(), Request(lab, students=students), grade="labs:grade")
    store = Store(Path.cwd(), lab)
    results = [store.load(job) for jobs in store.recorded().values() for job in jobs.values()]
    return {
        "points": [row.score[0] / max(row.score[1], 1) for row in rows],
        "seconds": [_parts(result) for result in results if result],
        "gradebook": sum(writing),
    }


def _parts(result: Result) -> dict[str, float]:
    student, seconds = sum(verdict.seconds for verdict in result.verdicts), result.seconds
    return {
        "read": seconds["read"],
        "imports": seconds["start"],
        "kernel": seconds["cells"],
        "student's code": student,
        "judge": seconds["judge"] - student,
    }


class Timed(LocalCandidate):
    """Answers in this process, and how long they take."""

    wall = cpu = 0.0

    def call(self, arguments: dict[str, Plain], seconds: float) -> Outcome:
        """Call, and add up."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            return super().call(arguments, seconds)
        finally:
            self.wall += time.perf_counter() - wall
            self.cpu += time.process_time() - cpu

    def use_of(self, forbidden: Sequence[str]) -> None:
        """Look for nothing: that is the judge's work."""


def alone(lab: str, students: str) -> dict[str, tuple[float, float]]:
    """Call students' functions, by one thread; return wall and core-seconds of each student's."""
    labs.register()
    released = {cell["id"]: cell for cell in read_notebook(Path("notebooks", lab, f"{lab}.ipynb")).cells}
    found = {}
    for student in students:
        cells = read_notebook(Path("submitted", student, lab, f"{lab}.ipynb")).cells
        scope: dict[str, Any] = {"__name__": "__main__"}
        for place in sorted(to_run(cells, released)):
            exec(cells[place].source, scope)
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(1)
            importlib.import_module("torch._dynamo")  # seconds, once: a warm process has it
        wall = cpu = 0.0
        for check in checks(cells):
            exercise = load(check.exercise)
            timed = Timed(*(scope[name] for name in check.names), way=exercise.way)
            report = judge(exercise, timed, *seeds(class_secret(Path.cwd()), check.exercise, 1))
            assert report.passed, report.text()
            wall, cpu = wall + timed.wall, cpu + timed.cpu
        found[student] = (wall, cpu)
    return found


if __name__ == "__main__":
    print(json.dumps({"grade": grade, "alone": alone}[sys.argv[1]](*sys.argv[2:])))
