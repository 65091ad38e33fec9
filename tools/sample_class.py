"""Grade a sample class, and say where a score is not what it should be.

    python tools/sample_class.py            builds and grades the class in _build/sample_class
    python tools/sample_class.py FOLDER     in a folder of your choice, which must be new or of an earlier run

The submissions are made from the released lab, as students would leave them: right in six ways, wrong in the
ways that the exercises know, unfinished, damaged. Everything else is what an instructor does: ``nbgrader
generate_assignment``, then ``cnncourse grade``, with ``nbgrader_config.py``. Where there is no sandbox the
class is graded without one, because all of its code is our own. Exit status 1: a score differs from the
expected one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import sample_answers as wrote
from sample_students import CLASS, LAB, Notebook, Student, find

from cnncourse.doctor import sandbox_trouble

ROOT = Path(__file__).resolve().parent.parent
MARK = ".sample_class"  # a folder that holds this file may be emptied
UNGUARDED = """
# There is no sandbox on this computer, and the code of the sample class is the course's own.
c.JudgedExecute.sandbox = False
"""


@dataclass(frozen=True)
class Result:
    """What the gradebook and the graded notebook hold for one student."""

    score: float
    notes: list[str]


def build(course: Path, root: Path = ROOT, students: Sequence[Student] = CLASS) -> None:
    """Make a course folder with the lab released and the submissions of these students in it.

    Raises
    ------
    SystemExit
        If `course` holds something that this program did not make.
    """
    if course.exists() and any(course.iterdir()) and not (course / MARK).exists():
        raise SystemExit(f"{course} holds something else; name a new folder")
    shutil.rmtree(course, ignore_errors=True)
    course.mkdir(parents=True)
    (course / MARK).touch()
    configuration = (root / "nbgrader_config.py").read_text(encoding="utf-8")
    configuration += UNGUARDED if sandbox_trouble() else ""
    (course / "nbgrader_config.py").write_text(configuration, encoding="utf-8")
    shutil.copytree(root / "solutions" / LAB, course / "solutions" / LAB)
    status, printed = nbgrader(course, "generate_assignment", LAB)
    if status:
        raise SystemExit(f"nbgrader could not release {LAB}:\n{printed}")
    released = (root / "notebooks" / LAB / f"{LAB}.ipynb").read_text(encoding="utf-8")
    for student in students:
        folder = course / "submitted" / student.name / LAB
        folder.mkdir(parents=True)
        text = json.dumps(submission(json.loads(released), student), indent=1)
        (folder / student.filename).write_text(text[: int(len(text) * student.cut)], encoding="utf-8")


def submission(notebook: Notebook, student: Student) -> Notebook:
    """Return the released notebook as the student left it."""
    for name, answer in (wrote.RIGHT | student.answers).items():
        if answer is not None:
            cell = find(notebook, name if name == "open-question" else f"{name}-answer")
            cell["source"] = answer.strip()
    student.damage(notebook)
    return notebook


def grade(course: Path, say: Callable[[str], None] = print) -> dict[str, Result]:
    """Run ``cnncourse grade`` on the class and return what each student got.

    Raises
    ------
    SystemExit
        If it reports an error.
    """

    def progress(line: str) -> None:
        if re.match(r"\d+ of \d+: ", line):
            say(f"grading {line.strip()}")

    status, printed = command(course, "cnncourse", "grade", LAB, each_line=progress)
    if status:
        raise SystemExit(f"cnncourse grade ended with status {status}:\n{printed[-4000:]}")
    return results(course)


def nbgrader(course: Path, *arguments: str) -> tuple[int, str]:
    """Run an nbgrader command in the course folder; return its exit status and all that it printed."""
    return command(course, "nbgrader", *arguments)


def command(
    course: Path, module: str, *arguments: str, each_line: Callable[[str], object] = len
) -> tuple[int, str]:
    """Run a module as a command in the course folder; return its exit status and all that it printed."""
    # nbgrader calls alembic by its name, and a configuration of the user's own would change the grades.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = os.environ | {"PATH": path, "JUPYTER_CONFIG_DIR": str(course / ".jupyter")}
    lines = []
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=course,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            each_line(line)
    return process.returncode, "".join(lines)


def results(course: Path) -> dict[str, Result]:
    """Read the scores from the gradebook and the notes from the graded notebooks."""
    from nbgrader.api import Gradebook

    found = {}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        for submitted in gradebook.assignment_submissions(LAB):
            name = submitted.student.id
            score = sum(
                grade.auto_score or 0.0 for notebook in submitted.notebooks for grade in notebook.grades
            )
            path = course / "autograded" / name / LAB / f"{LAB}.ipynb"
            metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
            found[name] = Result(round(score, 2), metadata.get("cnncourse", {}).get("notes", []))
    return found


def table(found: dict[str, Result]) -> str:
    """Return the class as a table: who did what, the score expected and got, why, and what was mended."""
    lines = [f"{'student':8} {'what they did':22} {'expected':>8} {'got':>6}   why"]
    wrong = 0
    for student in CLASS:
        result = found.get(student.name, Result(float("nan"), ["has no score at all"]))
        sign = " " if result.score == student.expected else "!"
        wrong += sign == "!"
        row = (
            f"{student.name:8} {student.did:22} {student.expected:8g} {result.score:6g} {sign} {student.why}"
        )
        lines += [row, *(f"{'':8} - {note}" for note in result.notes)]
    lines.append(f"{len(CLASS) - wrong} of {len(CLASS)} submissions have the score they should have")
    return "\n".join(lines)


def main() -> int:
    """Build the class, grade it, print the table."""
    course = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "_build" / "sample_class"
    if why := sandbox_trouble():
        print(f"This sample class, all of it our own code, is graded without a sandbox: {why}", flush=True)
    print(f"releasing {LAB} and writing {len(CLASS)} submissions", flush=True)
    build(course.resolve())
    found = grade(course.resolve(), lambda line: print(line, flush=True))
    print(table(found))
    return any(found.get(s.name) is None or found[s.name].score != s.expected for s in CLASS)


if __name__ == "__main__":
    sys.exit(main())
