"""Grading a class: what is graded and what not, the gradebook, resuming after a kill, a cluster.

Most of it runs on `pretend_grading`, which believes what a submission says it is worth.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytest.importorskip("nbgrader")

import pretend_grading
import sample_class
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from nbgrader.utils import parse_utc
from rich.console import Console
from sample_students import CLASS, LAB

from cnncourse.grading import classroom, run
from cnncourse.grading.classroom import add_parser, grade_class
from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.marks import points_of
from cnncourse.grading.pool import Ended
from cnncourse.grading.request import Request
from cnncourse.grading.scoreboard import Row, Scoreboard
from cnncourse.grading.store import Store, locked
from cnncourse.grading.verdicts import Verdict
from cnncourse.grading.work import Job

ROOT = Path(__file__).resolve().parent.parent
PRETEND = "pretend_grading:grade"
UNSAFE = {"sandbox": False}
Grades = dict[str, tuple[float | None, float | None, bool]]


def tiny() -> nbformat.NotebookNode:
    """A lab with two checks, of 2 points and of 1, and an open question of 1."""
    cells = []
    for name in ("one", "two"):
        source = f"def {name}():\n    # BEGIN SOLUTION\n    return 1\n    # END SOLUTION"
        cells += [new_code_cell(source, id=f"{name}-answer")]
        cells += [new_code_cell(f'check("tiny.{name}", {name})', id=f"{name}-check")]
    cells.append(new_markdown_cell("BEGIN SOLUTION\nBecause.\nEND SOLUTION", id="question"))
    for cell in cells:
        solution, grade = not cell.id.endswith("check"), not cell.id.endswith("answer")
        marks = {
            "grade_id": cell.id,
            "solution": solution,
            "grade": grade,
            "locked": not solution,
            "task": False,
        }
        points = {"points": 2 if cell.id == "one-check" else 1} if grade else {}
        cell.metadata["nbgrader"] = marks | points | {"schema_version": 3}
    kernel = {"name": "python3", "display_name": "", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class's folder with the lab released and nothing handed in."""
    folder = tmp_path_factory.mktemp("released")
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    (folder / "solutions" / "tiny").mkdir(parents=True)
    nbformat.write(tiny(), folder / "solutions" / "tiny" / "tiny.ipynb")
    (folder / "solutions" / "tiny" / "table.csv").write_text("the instructor's")
    status, printed = sample_class.nbgrader(folder, "generate_assignment", "tiny")
    assert status == 0, printed
    return folder


class Class:
    """A class's folder, and what one asks of it in a test."""

    def __init__(self, folder: Path, diary: Path) -> None:
        self.folder, self.diary, self.said = folder, diary, ""

    def hand_in(self, student: str, told: str = "", essay: str = "") -> Path:
        """Hand in a notebook whose answers say what they are worth."""
        notebook = json.loads((self.folder / "notebooks" / "tiny" / "tiny.ipynb").read_text())
        for cell in notebook["cells"]:
            name = cell["metadata"]["nbgrader"]["grade_id"]
            if name == "one-answer" and told:
                cell["source"] = f"def one():\n    return 1  # pretend {told}"
            if name == "question" and essay:
                cell["source"] = essay
        folder = self.folder / "submitted" / student / "tiny"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tiny.ipynb").write_text(json.dumps(notebook))
        return folder

    def grade(self, yes: bool = False, **request: Any) -> dict[str, Row]:
        """Grade the class; return the rows by student, keep what was printed."""
        said = io.StringIO()
        asked = Request("tiny", **{"workers": 1, "limits": UNSAFE} | request)
        rows = grade_class(self.folder, asked, Scoreboard(Console(file=said)), lambda: yes, PRETEND)
        self.said = said.getvalue()
        return {row.student: row for row in rows}

    def attempts(self) -> dict[str, int]:
        """How often each submission was graded."""
        return {path.name: len(path.read_text().splitlines()) for path in self.diary.iterdir()}

    def grades(self, student: str) -> Grades:
        """A student's automatic and manual scores, and whether a person should look."""
        with Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}") as gradebook:
            notebooks = gradebook.find_submission("tiny", student).notebooks
            return {
                g.name: (g.auto_score, g.manual_score, g.needs_manual_grade)
                for book in notebooks
                for g in book.grades
            }

    def everything(self) -> dict[str, Any]:
        """All that grading left."""
        return everything(self.folder)


def everything(folder: Path, lab: str = "tiny") -> dict[Any, Any]:
    """Every row of the gradebook that counts, and the graded folders."""
    found: dict[Any, Any] = {}
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        for submitted in gradebook.assignment_submissions(lab):
            student = submitted.student.id
            found[student] = submitted.timestamp
            for book in submitted.notebooks:
                found[student, "late"] = book.late_submission_penalty
                for g in book.grades:
                    found[student, g.name] = (g.auto_score, g.manual_score, g.needs_manual_grade)
                for c in book.comments:
                    found[student, c.name, "comment"] = (c.auto_comment, c.manual_comment)
    for path in sorted((folder / "autograded").rglob("*")):
        if path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


class SameProcess:
    """Does what a pool of workers does, without starting any."""

    def __init__(self, folder: Path, lab: str, workers: int, grade: str) -> None:
        self.store = Store(folder, lab)

    def run(self, jobs: Iterable[tuple[str, Job]]) -> Iterator[Ended]:
        for job_id, job in jobs:
            self.store.save(job_id, pretend_grading.grade(job).to_json())
            yield Ended(job_id)


@pytest.fixture
def lab(pool: Class, monkeypatch: pytest.MonkeyPatch) -> Class:
    """A class of its own for each test, graded by pretence and in this process."""
    monkeypatch.setattr(run, "Pool", SameProcess)
    return pool


@pytest.fixture
def pool(released: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Class:
    """A class of its own for each test, graded by pretence in worker processes."""
    shutil.copytree(released, tmp_path / "class")
    (tmp_path / "diary").mkdir()
    monkeypatch.setenv("PRETEND_DIARY", str(tmp_path / "diary"))
    monkeypatch.delenv("PRETEND_CHECKER", raising=False)
    monkeypatch.setattr(run, "sources_digest", str)
    return Class(tmp_path / "class", tmp_path / "diary")


def test_a_class_is_graded_and_told(lab: Class) -> None:
    lab.hand_in("ada", "one=2 two=1", essay="Because it is so.")
    lab.hand_in("ben", "one=1.5 flag=1")
    lab.hand_in("cem")
    rows = lab.grade(workers=2)
    assert {name: (row.state, row.score) for name, row in rows.items()} == {
        "ada": ("graded", (3.0, 3.0)),
        "ben": ("graded", (1.5, 3.0)),
        "cem": ("graded", (0.0, 3.0)),
    }
    assert lab.grades("ada") == {
        "one-check": (2.0, None, False),
        "two-check": (1.0, None, False),
        "question": (None, None, True),
    }
    assert lab.grades("cem")["question"] == (0.0, None, False)
    left = lab.everything()
    assert left["ada", "one-answer", "comment"] == (None, None)
    assert left["ada", "two-answer", "comment"] == ("No response.", None)
    assert rows["ben"].flags == ("evasion",)
    for text in ("ben      1.5 of 3  1.5    0", "evasion", "1 answer waits", "generate_feedback tiny"):
        assert text in lab.said, lab.said


def test_the_graded_folder_is_complete_and_holds_what_nbgrader_puts_there(lab: Class) -> None:
    folder = lab.hand_in("ada", "one=2")
    (folder / "plot.png").write_bytes(b"png")
    (folder / "table.csv").write_text("the student's")
    (folder / "numpy.py").write_text("evil")
    (folder / "timestamp.txt").write_text("2026-03-01 12:00:00 UTC")
    (folder / "second.ipynb").write_text("{}")
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "data.csv").write_text("1")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.txt").write_text("1")
    (folder / "passwords").symlink_to("/etc/passwd")
    (folder / "folder").symlink_to("/etc")
    os.mkfifo(folder / "pipe")
    (folder / "huge.csv").touch()
    os.truncate(folder / "huge.csv", 60_000_000)
    handed_in = sorted(os.listdir(folder))
    lab.grade()
    graded = lab.folder / "autograded" / "ada" / "tiny"
    there = {str(path.relative_to(graded)) for path in graded.rglob("*") if path.is_file()}
    assert there == {"tiny.ipynb", "plot.png", "table.csv", "timestamp.txt", "deep/er/data.csv"}
    assert (graded / "table.csv").read_text() == "the instructor's"
    assert not any(path.is_symlink() for path in graded.rglob("*"))
    assert {oct(path.stat().st_mode & 0o777) for path in graded.rglob("*") if path.is_file()} == {"0o444"}
    assert "ada: too large to be copied to autograded/: huge.csv (60.0 MB)" in lab.said
    assert sorted(os.listdir(folder)) == handed_in
    with Gradebook(f"sqlite:///{lab.folder / 'gradebook.db'}") as gradebook:
        assert gradebook.find_submission("tiny", "ada").timestamp == parse_utc("2026-03-01 12:00:00 UTC")


def test_what_cannot_be_graded_is_named_and_the_others_are_graded(lab: Class) -> None:
    lab.hand_in("ada", "one=2")
    submitted = lab.folder / "submitted"
    (submitted / "ben" / "Tiny").mkdir(parents=True)
    (submitted / "cem").symlink_to(submitted / "ada")
    (submitted / "dana").mkdir()
    (submitted / "dana" / "tiny").symlink_to(submitted / "ada" / "tiny")
    (submitted / "two\nlines" / "tiny").mkdir(parents=True)
    os.mkdir(os.fsencode(submitted) + b"/\xff")
    (submitted / ".DS_Store").touch()
    (submitted / "readme.txt").touch()
    (submitted / "emil" / "tiny" / "a\nname.ipynb").mkdir(parents=True)
    rows = lab.grade()
    assert set(rows) == {"ada", "emil"}
    assert lab.grades("emil")["one-check"] == (0.0, None, False)
    lines = [line for line in lab.said.splitlines() if "not graded, " in line]
    assert len(lines) == 5
    assert "ben: not graded, there is no folder tiny; it holds Tiny" in lines
    assert sum("is a link to another one" in line for line in lines) == 2
    assert any(line.startswith("two?lines: not graded, the folder's name holds signs") for line in lines)


def test_unchanged_work_is_not_graded_again(lab: Class) -> None:
    for name in ("ada", "ben", "cem"):
        lab.hand_in(name, "one=2", essay="Because.")
    lab.grade()
    with Gradebook(f"sqlite:///{lab.folder / 'gradebook.db'}") as gradebook:
        grade = gradebook.find_grade("question", "tiny", "tiny", "ada")
        grade.manual_score, grade.needs_manual_grade = 1.0, False
        gradebook.db.commit()
    before = lab.everything()
    rows = lab.grade()
    assert {row.state for row in rows.values()} == {"unchanged"}
    assert "3 unchanged since the last run" in lab.said
    assert lab.attempts() == {"ada": 1, "ben": 1, "cem": 1}
    assert lab.everything() == before

    lab.hand_in("ben", "one=1", essay="Because.")
    (lab.folder / "submitted" / "cem" / "tiny" / "tiny.ipynb").touch()
    lab.grade(dry_run=True)
    assert "3 submissions: 1 to grade, 2 unchanged" in lab.said
    assert lab.attempts()["ben"] == 1
    lab.grade()
    assert lab.attempts() == {"ada": 1, "ben": 2, "cem": 1}
    assert "ben: one-check 2 -> 1" in lab.said

    lab.grade(new_round=True, students="[ab]*")
    assert lab.attempts() == {"ada": 2, "ben": 3, "cem": 1}


def test_what_is_lost_is_written_again_from_the_results(lab: Class) -> None:
    for name in ("ada", "ben", "cem"):
        lab.hand_in(name, "one=2")
    lab.grade()
    before = lab.everything()
    shutil.rmtree(lab.folder / "autograded" / "ada")
    with Gradebook(f"sqlite:///{lab.folder / 'gradebook.db'}") as gradebook:
        gradebook.remove_submission("tiny", "ben")
    store = Store(lab.folder, "tiny")
    [job_id] = store.recorded()["cem"].values()
    store.save(job_id, "{")
    rows = lab.grade()
    assert {name: row.state for name, row in rows.items()} == dict.fromkeys(("ada", "ben", "cem"), "graded")
    assert lab.attempts() == {"ada": 1, "ben": 1, "cem": 2}
    assert lab.everything() == before


def test_what_a_person_entered_survives(lab: Class) -> None:
    lab.hand_in("ada", "one=2", essay="Because.")
    lab.grade()
    with Gradebook(f"sqlite:///{lab.folder / 'gradebook.db'}") as gradebook:
        where = ("tiny", "tiny", "ada")
        gradebook.find_grade("one-check", *where).manual_score = 0.5
        gradebook.find_grade("question", *where).manual_score = 1.0
        gradebook.find_grade("question", *where).extra_credit = 0.25
        gradebook.find_comment("question", *where).manual_comment = "Well said."
        gradebook.db.commit()
    lab.hand_in("ada", "one=1 two=1", essay="Because.")
    lab.grade()
    assert lab.grades("ada") == {
        "one-check": (1.0, 0.5, True),
        "two-check": (1.0, None, False),
        "question": (None, 1.0, True),
    }
    assert lab.everything()["ada", "question", "comment"] == (None, "Well said.")


@pytest.mark.filterwarnings("ignore:Object of type <Submitted")
def test_late_work_is_penalized_as_configured(lab: Class) -> None:
    with open(lab.folder / "nbgrader_config.py", "a") as file:
        file.write("\nc.LateSubmissionPlugin.penalty_method = 'zero'\n")
    with Gradebook(f"sqlite:///{lab.folder / 'gradebook.db'}") as gradebook:
        gradebook.update_or_create_assignment("tiny", duedate=parse_utc("2026-03-01 12:00:00 UTC"))
    for name, stamp in {
        "ada": "2026-03-01 12:00:01 UTC",
        "ben": "2026-03-01 11:00:00 UTC",
        "cem": "2026-03-02 11:00:00 UTC",
        "dana": "yesterday evening",
    }.items():
        (lab.hand_in(name, "one=2 two=1") / "timestamp.txt").write_text(stamp)
    (lab.hand_in("emil", "one=2") / "timestamp.txt").symlink_to("/dev/zero")
    os.mkfifo(lab.hand_in("fatma", "one=2") / "timestamp.txt")
    with Gradebook(f"sqlite:///{lab.folder / 'gradebook.db'}") as gradebook:
        gradebook.add_student("cem")
        gradebook.add_submission("tiny", "cem", extension=timedelta(days=1))
    lab.grade()
    late = {key[0]: value for key, value in lab.everything().items() if key[1:] == ("late",)}
    assert late == {"ada": 3.0} | dict.fromkeys(("ben", "cem", "dana", "emil", "fatma"))
    assert "late -3" in lab.said


def test_a_check_without_one_verdict_counts_nothing_and_is_named(lab: Class) -> None:
    lab.hand_in("ada", "one=2 two=1 forget=two-check")
    lab.grade()
    assert lab.grades("ada")["two-check"] == (0.0, None, False)
    assert "ada: two-check has no verdict, so it counts 0" in lab.said


@pytest.mark.parametrize(
    ("points", "counted", "said"),
    [
        ([1.5], 1.5, ""),
        ([0.0], 0.0, ""),
        ([], 0.0, "no verdict"),
        ([2.0, 2.0], 0.0, "2 verdicts"),
        ([float("nan")], 0.0, "no number"),
        ([float("inf")], 0.0, "no number"),
        ([-1.0], 0.0, "outside"),
        ([99.0], 2.0, "outside"),
    ],
)
def test_points_are_finite_and_within_those_of_the_check(
    points: list[float], counted: float, said: str
) -> None:
    verdicts = [Verdict("one-check", "tiny.one", number, 2.0, "right", "") for number in points]
    other = Verdict("two-check", "tiny.two", 1.0, 1.0, "right", "")
    found, line = points_of([*verdicts, other], "one-check", 2.0)
    assert found == counted
    assert said in line and bool(said) == bool(line)


def test_a_worker_that_dies_is_replaced_and_its_job_is_tried_again(pool: Class) -> None:
    pool.hand_in("ada", "one=2")
    pool.hand_in("ben", "one=2 dies=1")
    pool.hand_in("cem", "one=2 raises=1")
    pool.hand_in("dana", "one=2 dies=99")
    pool.hand_in("emil", "one=2 raises=99")
    pool.hand_in("fatma", "one=2")
    rows = pool.grade()
    assert {name for name, row in rows.items() if row.state == "graded"} == {"ada", "ben", "cem", "fatma"}
    assert pool.attempts() == {"ada": 1, "ben": 2, "cem": 2, "dana": 3, "emil": 3, "fatma": 1}
    assert "dana: failed, not the student's doing: the worker ended by signal SIGKILL" in pool.said
    assert "emil: failed, not the student's doing: RuntimeError: the computer is tired" in pool.said
    assert "Run `cnncourse grade tiny` again" in pool.said
    assert not (pool.folder / "autograded" / "dana").exists()


def test_where_writing_fails_nothing_of_that_submission_is_written(lab: Class) -> None:
    (lab.folder / "penalty.py").write_text(
        "from nbgrader.plugins import LateSubmissionPlugin\n"
        "class Penalty(LateSubmissionPlugin):\n"
        "    def late_submission_penalty(self, student_id, score, total_seconds_late):\n"
        "        return 1 / (student_id != 'ben')\n"
    )
    with open(lab.folder / "nbgrader_config.py", "a") as file:
        file.write(f"\nimport sys; sys.path.insert(0, {str(lab.folder)!r})\n")
        file.write("c.AssignLatePenalties.plugin_class = 'penalty.Penalty'\n")
    with Gradebook(f"sqlite:///{lab.folder / 'gradebook.db'}") as gradebook:
        gradebook.update_or_create_assignment("tiny", duedate=parse_utc("2026-03-01 12:00:00 UTC"))
    for name in ("ada", "ben", "cem"):
        (lab.hand_in(name, "one=2") / "timestamp.txt").write_text("2026-03-02 12:00:00 UTC")
    rows = lab.grade()
    assert rows["ben"].trouble == "ZeroDivisionError: division by zero"
    left = lab.everything()
    assert {key[0] for key in left if isinstance(key, tuple)} == {"ada", "cem"}
    assert left["cem", "late"] == 1.0


def test_a_stopped_run_is_gone_on_with(lab: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by SIGKILL between any two steps of writing: the next run ends in the same state."""
    for name in ("ada", "ben"):
        lab.hand_in(name, "one=2", essay="Because.")
    lab.grade()
    expected = lab.everything()
    steps: list[tuple[Any, str]] = [
        (run.Store, "record"),
        (classroom.Writer, "_penalize"),
        (sys.modules["cnncourse.grading.graded"].os, "rename"),
        (sys.modules["cnncourse.grading.graded"], "_copy_students"),
    ]
    for owner, name in steps:
        lab.hand_in("ben", "one=1", essay="Because.")
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, _stop)
            with pytest.raises(KeyboardInterrupt):
                lab.grade()
        lab.hand_in("ben", "one=2", essay="Because.")
        lab.grade()
        assert lab.everything() == expected, name
        assert not list((lab.folder / "autograded" / "ben").glob(".*"))


def _stop(*arguments: object) -> None:
    raise KeyboardInterrupt


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    """Run `cnncourse grade tiny` in a process of its own."""
    program = (
        "import os, sys; from pathlib import Path; from cnncourse.grading.classroom import grade_class;"
        "from cnncourse.grading import run; run.sources_digest = str;"
        "from cnncourse.grading.request import Request;"
        f"grade_class(Path(sys.argv[1]), Request('tiny', {UNSAFE!r}, 2), grade={PRETEND!r})"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tools")])}
    command = [sys.executable, "-c", program, str(folder), *options]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def wait(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    """Return the ids of a process's children."""
    text = Path(f"/proc/{pid}/task/{pid}/children")
    threads = [*Path(f"/proc/{pid}/task").iterdir()] if text.exists() else []
    return [int(child) for thread in threads for child in (thread / "children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc")
def test_workers_and_coordinator_may_be_killed_and_the_gradebook_is_the_same(pool: Class) -> None:
    names = [f"s{number}" for number in range(8)]
    for name in names:
        pool.hand_in(name, "one=2 seconds=0.4", essay="Because.")
    running = start(pool.folder)
    wait(lambda: len(pool.attempts()) >= 2)
    workers = children(running.pid)
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    wait(lambda: len(Store(pool.folder, "tiny").recorded()) >= 3)
    assert running.poll() is None
    workers = children(running.pid)
    running.kill()
    running.communicate()
    wait(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() and _is_alive(pid) for pid in workers), 10)
    recorded = set(Store(pool.folder, "tiny").recorded())
    assert 3 <= len(recorded) < 8
    attempts = pool.attempts()
    rows = pool.grade(workers=2)
    assert {name for name, row in rows.items() if row.state == "unchanged"} == recorded
    assert all(pool.attempts()[name] == attempts[name] for name in recorded)
    interrupted = pool.everything()
    shutil.rmtree(pool.folder / "autograded")
    shutil.rmtree(pool.folder / ".cnncourse" / "results")
    with Gradebook(f"sqlite:///{pool.folder / 'gradebook.db'}") as gradebook:
        for name in names:
            gradebook.remove_submission("tiny", name)
    pool.grade(workers=2)
    assert pool.everything() == interrupted


def _is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_two_runs_in_one_folder_do_not_meet(lab: Class) -> None:
    lab.hand_in("ada", "one=2")
    message = r"^`cnncourse grade other` \(process \d+ on .*\) is at work in this folder: wait until it has"
    with locked(lab.folder, "other"), pytest.raises(ClassroomError, match=message):
        lab.grade()
    lab.grade()


def test_a_torn_line_of_the_journal_is_passed_over(lab: Class) -> None:
    store = Store(lab.folder, "tiny")
    store.record("ada", {"tiny.ipynb": "1"})
    with open(store.journal, "ab") as file:
        file.write(b'{"student": "ben", "jobs": {"ti')
    store.record("cem", {"tiny.ipynb": "3"})
    store.record("ada", {"tiny.ipynb": "4"})
    assert store.recorded() == {"ada": {"tiny.ipynb": "4"}, "cem": {"tiny.ipynb": "3"}}


def no_gradebook(folder: Path) -> None:
    (folder / "gradebook.db").unlink()


def another_version(folder: Path) -> None:
    path = folder / "notebooks" / "tiny" / "tiny.ipynb"
    path.write_text(path.read_text().replace('"points": 2', '"points": 5'))


def unknown_lab(folder: Path) -> None:
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        gradebook.remove_assignment("tiny")


def bad_setting(folder: Path) -> None:
    (folder / "nbgrader_config.py").write_text(
        "c = get_config()\nc.Autograde.exporter_class = 'no.such.thing'\n"
    )


def syntax_error(folder: Path) -> None:
    (folder / "nbgrader_config.py").write_text("c = (\n")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "nbgrader_config.py").unlink(), "run this in your class's folder"),
        (lambda folder: shutil.rmtree(folder / "notebooks"), "run `nbgrader generate_assignment tiny` first"),
        (no_gradebook, "there is no gradebook at .*: run `nbgrader generate_assignment tiny --force`"),
        (unknown_lab, "the gradebook does not know tiny: run `nbgrader generate_assignment tiny --force`"),
        (another_version, "another version of tiny than was released"),
        (bad_setting, "nbgrader_config.py does not run"),
        (syntax_error, "nbgrader_config.py does not run"),
        (lambda folder: shutil.rmtree(folder / "submitted"), "nothing was handed in"),
    ],
)
def test_what_the_instructor_can_mend_is_said_in_one_line(
    lab: Class, spoil: Callable[[Path], None], said: str
) -> None:
    lab.hand_in("ada", "one=2")
    spoil(lab.folder)
    with pytest.raises(ClassroomError, match=said) as raised:
        lab.grade()
    assert "\n" not in str(raised.value)
    assert not lab.attempts()


def test_without_a_sandbox_nothing_is_run_unless_asked_for(
    lab: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.hand_in("ada", "one=2")
    monkeypatch.setattr(classroom.sandbox, "trouble", lambda: "there is no sandbox here: do this")
    with pytest.raises(ClassroomError, match="there is no sandbox here: do this"):
        lab.grade(limits={})
    assert not lab.attempts()
    lab.grade(limits=UNSAFE)
    assert lab.attempts() == {"ada": 1}


def test_one_exercise_is_judged_again_and_no_other_score_changes(
    lab: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.hand_in("ada", "one=2 two=1", essay="Because.")
    lab.hand_in("ben", "one=0.5")
    lab.grade()
    lab.hand_in("cem", "one=2")
    before = lab.everything()
    monkeypatch.setattr(run, "sources_digest", lambda: "a new checker")
    monkeypatch.setenv("PRETEND_CHECKER", "one=0.5 two=0.25")
    with pytest.raises(ClassroomError, match=r"tiny has no exercise three: it has tiny.one, tiny.two"):
        lab.grade(exercise="three")
    lab.grade(exercise="one")
    assert "tiny.one: the score of 1 changes.\nada: one-check 2 -> 0.5\n" in lab.said
    assert "Nothing was written" in lab.said
    assert lab.everything() == before
    lab.grade(exercise="tiny.one", yes=True)
    assert "cem: not graded before" in lab.said
    assert lab.attempts() == {"ada": 2, "ben": 2}
    after = lab.everything()
    changed = {key for key in after if after[key] != before.get(key)}
    assert changed == {("ada", "one-check"), "autograded/ada/tiny/tiny.ipynb"}
    assert lab.grades("ada")["one-check"] == (0.5, None, False)
    shown = json.loads(after["autograded/ada/tiny/tiny.ipynb"])
    outputs = {c["metadata"]["nbgrader"]["grade_id"]: c.get("outputs") for c in shown["cells"]}
    assert [outputs[f"{name}-check"][0]["data"]["text/plain"] for name in ("one", "two")] == [
        ["0.5"],
        ["1.0"],
    ]

    lab.grade()
    assert lab.grades("ada")["two-check"] == (0.25, None, False)
    assert lab.attempts() == {"ada": 2, "ben": 2, "cem": 1}


@pytest.fixture
def scheduler() -> Iterator[str]:
    """A Dask cluster of two workers in this process."""
    distributed = pytest.importorskip("distributed")
    options = {"processes": False, "dashboard_address": None, "protocol": "tcp", "silence_logs": False}
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, **options) as cluster:
        yield cluster.scheduler_address


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_same_grades(lab: Class, scheduler: str) -> None:
    for number in range(6):
        lab.hand_in(f"s{number}", f"one={number / 4} two=1", essay="Because.")
    odd = lab.hand_in("odd", "one=2")
    (odd / "tiny.ipynb").rename(odd / "my tiny.ipynb")
    (odd / "a link.ipynb").symlink_to("/etc/passwd")
    (odd / "numpy.py").write_text("evil")
    (odd / "a\nname.ipynb").write_text("{")
    (odd / "huge.ipynb").touch()
    os.truncate(odd / "huge.ipynb", 65_000_000)
    lab.grade(scheduler=scheduler)
    there = lab.everything()
    assert len(lab.attempts()) == 7
    for name in ("results", "journal"):
        shutil.rmtree(lab.folder / ".cnncourse" / name)
    lab.grade()
    assert set(lab.attempts().values()) == {2}
    assert lab.everything() == there


@pytest.mark.filterwarnings("ignore")
def test_no_scheduler_is_one_line(lab: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.hand_in("ada", "one=2")
    monkeypatch.setattr("cnncourse.grading.cluster.CONNECT", 0.5)
    with pytest.raises(ClassroomError, match=r"no Dask scheduler answers at tcp://127.0.0.1:9 "):
        lab.grade(scheduler="tcp://127.0.0.1:9")


def test_what_travels_to_a_cluster_holds_no_secret_and_no_other_file(lab: Class) -> None:
    from cnncourse.grading.cluster import pack
    from cnncourse.grading.settings import Settings
    from cnncourse.grading.work import Job

    folder = lab.hand_in("ada", "one=2")
    (folder / "diary.txt").write_text("private")
    lab.grade()
    secret = (lab.folder / ".cnncourse" / "secret").read_text().strip()
    path = lab.folder / "notebooks" / "tiny" / "tiny.ipynb"
    job = Job("ada", "tiny", "tiny.ipynb", str(folder), str(path), 1, {"tiny.one": (1, 2)}, Settings())
    packed = repr(pack(job))
    assert secret not in packed
    assert "diary.txt" in packed and "private" not in packed


@pytest.mark.nbgrader
@pytest.mark.slow
def test_nbgrader_autograde_gives_the_same_grades_and_notebooks(tmp_path: Path) -> None:
    """The real lab, judged for real, by both commands on one class."""
    sample_class.build(tmp_path)
    chosen = {"ada", "ivo", "mats", "nuri", "pavel", "quinn", "rosa"}
    for folder in (tmp_path / "submitted").iterdir():
        if folder.name not in chosen:
            shutil.rmtree(folder)
    (tmp_path / "submitted" / "ada" / LAB / "timestamp.txt").write_text("2026-03-01 12:00:00 UTC")
    limits = {}
    if classroom.sandbox.trouble():
        limits = UNSAFE
        with open(tmp_path / "nbgrader_config.py", "a") as file:
            file.write("\nc.JudgedExecute.sandbox = False\n")
    rows = grade_class(tmp_path, Request(LAB, limits), Scoreboard(Console(file=io.StringIO())))
    assert {row.student: row.score[0] for row in rows} == {
        s.name: s.expected for s in CLASS if s.name in chosen
    }
    ours = everything(tmp_path, LAB)
    shutil.rmtree(tmp_path / "autograded")
    (tmp_path / "gradebook.db").unlink()
    assert sample_class.nbgrader(tmp_path, "generate_assignment", LAB, "--force")[0] == 0
    status, printed = sample_class.nbgrader(tmp_path, "autograde", LAB)
    assert status == 0, printed
    assert everything(tmp_path, LAB) == ours


def test_the_command_line() -> None:
    import argparse

    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    options = parser.parse_args(["grade", "tiny", "--jobs", "3", "--no-sandbox", "--student", "a*"])
    assert (options.lab, options.jobs, options.no_sandbox, options.student) == ("tiny", 3, True, "a*")
