"""nbgrader's own commands on whole classes: the sample class on the real lab, and a class of rare cases on a tiny one."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytest.importorskip("nbgrader")

import sample_class
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from sample_answers import NEGATIVE_SLICE, RIGHT
from sample_students import CLASS, LAB

from cnncourse.grading.sandbox import trouble

ROOT = Path(__file__).resolve().parent.parent
NO_SANDBOX = ["--JudgedExecute.sandbox=False"] if trouble() else []
pytestmark = pytest.mark.nbgrader


@dataclass(frozen=True)
class Graded:
    """A graded class: where it is, what each student got, what was handed in, and what was printed meanwhile."""

    folder: Path
    results: dict[str, sample_class.Result]
    handed_in: dict[Path, bytes]
    printed: list[str]


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """The sample class, graded once."""
    folder = tmp_path_factory.mktemp("class")
    printed: list[str] = []
    sample_class.build(folder)
    handed_in = contents(folder / "submitted")
    return Graded(folder, sample_class.grade(folder, printed.append), handed_in, printed)


def contents(folder: Path) -> dict[Path, bytes]:
    """Return all files of a folder."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def grades(folder: Path, student: str, lab: str = LAB) -> dict[str, Any]:
    """Return a student's grades from the gradebook, by grade id."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        notebooks = gradebook.find_submission(lab, student).notebooks
        return {g.name: (g.auto_score, g.needs_manual_grade) for book in notebooks for g in book.grades}


def graded_notebook(folder: Path, student: str, lab: str = LAB) -> nbformat.NotebookNode:
    return nbformat.read(folder / "autograded" / student / lab / f"{lab}.ipynb", as_version=4)


@pytest.mark.parametrize("student", CLASS, ids=lambda student: f"{student.name}-{student.did}")
def test_every_student_has_the_score_that_the_work_deserves(course: Graded, student: Any) -> None:
    assert course.results[student.name].score == student.expected


def test_the_class_is_complete_and_its_table_says_so(course: Graded) -> None:
    assert set(course.results) == {student.name for student in CLASS}
    assert len(course.printed) == len(CLASS) >= 16
    assert f"{len(CLASS)} of {len(CLASS)} submissions have the score they should have" in sample_class.table(
        course.results
    )


def test_a_score_that_differs_is_marked(course: Graded) -> None:
    wrong = course.results | {"ada": sample_class.Result(3.0, [])}
    del wrong["cem"]
    shown = sample_class.table(wrong).splitlines()
    assert {line.split()[0] for line in shown if " ! " in line} == {"ada", "cem"}
    assert shown[-1].startswith(f"{len(CLASS) - 2} of {len(CLASS)} ")


@pytest.mark.parametrize(
    ("student", "note"),
    [
        ("olga", "Missing, put back: `conv2d-check`."),
        ("pavel", "More than one copy: `conv2d-check`, `im2col-answer`."),
        ("quinn", f"The notebook was handed in as `{LAB} (1).ipynb`; it was graded as `{LAB}.ipynb`."),
        (
            "rosa",
            "The file `ch02_conv2d.ipynb` could not be read: the file is cut off, or was not saved as a notebook.",
        ),
    ],
)
def test_what_was_mended_is_said_in_the_notebook(course: Graded, student: str, note: str) -> None:
    assert course.results[student].notes[0] == note
    assert note in graded_notebook(course.folder, student).cells[0].source


def test_the_others_have_no_notes(course: Graded) -> None:
    mended = {name for name, result in course.results.items() if result.notes}
    assert mended == {"olga", "pavel", "quinn", "rosa"}


def test_submissions_stay_as_they_were_handed_in(course: Graded, rare: Graded) -> None:
    for graded in (course, rare):
        assert contents(graded.folder / "submitted") == graded.handed_in


def test_partial_points_are_stored_and_the_open_question_waits_for_a_person(course: Graded) -> None:
    jana = grades(course.folder, "jana")
    assert jana["conv2d-check"] == (3.0, False)
    assert jana["open-question"] == (None, True)
    assert grades(course.folder, "mats")["open-question"] == (0.0, False)


def test_a_second_run_grades_nobody_again(course: Graded) -> None:
    status, printed = sample_class.nbgrader(course.folder, "autograde", LAB)
    assert status == 0
    assert printed.count("Skipping existing assignment") == len(CLASS)


def test_feedback_shows_the_card_and_the_notes(course: Graded) -> None:
    status, printed = sample_class.nbgrader(course.folder, "generate_feedback", LAB, "--student=[go]*")
    assert status == 0, printed
    pages = {
        name: (course.folder / "feedback" / name / LAB / f"{LAB}.html").read_text()
        for name in ("goran", "olga")
    }
    assert "The kernel is flipped before it is applied." in pages["goran"]
    assert "Missing, put back:" in pages["olga"]
    assert "Missing, put back:" not in pages["goran"]


def test_the_grades_can_be_exported(course: Graded) -> None:
    status, printed = sample_class.nbgrader(course.folder, "export")
    assert status == 0, printed
    with (course.folder / "grades.csv").open() as file:
        rows = {
            row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(file)
        }
    assert rows == {student.name: (student.expected, 12.0) for student in CLASS}


def validate(folder: Path, notebook: Path) -> str:
    """What a student's Validate button says of a notebook."""
    copied = folder / "validate" / notebook.name
    copied.parent.mkdir(exist_ok=True)
    shutil.copy(notebook, copied)
    return sample_class.nbgrader(folder, "validate", str(copied))[1]


def test_validate_passes_on_the_solved_lab(course: Graded) -> None:
    solved = ROOT / "solutions" / LAB / f"{LAB}.ipynb"
    assert "Success! Your notebook passes all the tests." in validate(course.folder, solved)


@pytest.fixture
def formgrader(course: Graded) -> Iterator[Callable[..., Any]]:
    """A Jupyter server in the course folder; the function asks nbgrader's formgrader for one of its addresses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token=t"]
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(course.folder / ".jupyter")}
    log = course.folder / "server.log"
    ask = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def answer(path: str, method: str = "GET") -> str:
        address = f"http://127.0.0.1:{port}/formgrader/{path}"
        request = urllib.request.Request(address, headers={"Authorization": "token t"}, method=method)
        with ask.open(request, timeout=60) as response:
            return response.read().decode()

    with log.open("w") as printed:
        command = [sys.executable, "-m", "jupyter", "server", *options]
        server = subprocess.Popen(command, cwd=course.folder, env=environment, stdout=printed, stderr=printed)
    try:
        for _ in range(120):
            with contextlib.suppress(urllib.error.URLError):
                answer("api/status")
                break
            assert server.poll() is None, log.read_text()
            time.sleep(0.5)
        yield answer
    finally:
        server.terminate()
        server.wait(timeout=30)


def test_the_formgrader_shows_the_class_and_grades_again(
    course: Graded, formgrader: Callable[..., Any]
) -> None:
    listed = json.loads(formgrader(f"api/submissions/{LAB}"))
    assert {row["student"]: row["code_score"] for row in listed} == {s.name: s.expected for s in CLASS}
    again = json.loads(formgrader(f"api/submission/{LAB}/rosa/autograde", "POST"))
    assert again["success"], again
    book = json.loads(formgrader(f"api/notebooks/{LAB}"))
    assert [row["name"] for row in book] == [LAB]
    pages = json.loads(formgrader(f"api/submitted_notebooks/{LAB}/{LAB}"))
    olga = next(row["id"] for row in pages if row["student"] == "olga")
    assert "Notes from grading" in formgrader(f"submissions/{olga}/")


# Rare cases, on a lab of two checks and a question: `pad2d` is worth 2 points, `nhwc_to_nchw` 1.


def answer(pad2d: str, above: str = "") -> Callable[[Path, dict[str, Any]], None]:
    """Hand in the lab with this answer to `pad2d`, a right one to `nhwc_to_nchw`, and a cell above them."""

    def hand_in(folder: Path, notebook: dict[str, Any]) -> None:
        cells = {cell["id"]: cell for cell in notebook["cells"]}
        cells["pad2d-answer"]["source"] = pad2d.strip()
        cells["nhwc_to_nchw-answer"]["source"] = RIGHT["nhwc_to_nchw"].strip()
        added = {"cell_type": "code", "metadata": {}, "source": above, "id": "above", "outputs": []}
        notebook["cells"][1:1] = [added] if above else []
        (folder / "tiny.ipynb").write_text(json.dumps(notebook))

    return hand_in


def file(name: str, content: bytes) -> Callable[[Path, dict[str, Any]], None]:
    return lambda folder, notebook: (folder / name).write_bytes(content) and None


def right(folder: Path, notebook: dict[str, Any], name: str = "tiny.ipynb", **changes: Any) -> None:
    answer(RIGHT["pad2d"])(folder, notebook | changes)
    (folder / "tiny.ipynb").rename(folder / name)


def skipping(folder: Path, notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["skip-execution"]
    answer("pad2d = None")(folder, notebook)


def messy(folder: Path, notebook: dict[str, Any]) -> None:
    """All right but for quit(), 3 MB shown, the essay in a cell of its own, and what lies beside it."""
    essay = {"cell_type": "markdown", "metadata": {}, "source": "Because.", "id": "essay"}
    notebook["cells"].append(essay | {"attachments": {"\ud800": {"image/\ud800": "aGk="}}})
    answer(f"quit()\nprint('x' * 3_000_000)\n{RIGHT['pad2d']}")(folder, notebook)
    (folder / "lost.png").symlink_to("nowhere")
    (folder / "timestamp.txt").write_text("next Tuesday, perhaps")
    (folder / "my_answers.py").write_text("print(1)")


DIES = "import os\nos._exit(1)"
WARNS = RIGHT["pad2d"].strip() + "\nimport sys\nprint('careful', file=sys.stderr)"
RARE: dict[str, tuple[Callable[[Path, dict[str, Any]], None], float, str]] = {
    "right": (right, 3.0, ""),
    "partly": (answer(NEGATIVE_SLICE), 2.0, "padding 0"),
    "kernel-dies": (answer(DIES), 1.0, "This cell stopped Python itself"),
    "dies-above": (answer(RIGHT["pad2d"], DIES), 3.0, "This cell stopped Python itself"),
    "dies-in-the-call": (
        answer(f"def pad2d(x, padding):\n    {DIES.replace(chr(10), '; ')}"),
        1.0,
        "stopped Python",
    ),
    "never-ends": (answer("while True: pass"), 1.0, "TimeUp"),
    "no-number": (answer("def pad2d(x, padding):\n    return 'full marks'"), 1.0, "0 of 2"),
    "prints-points": (answer("def pad2d(x, padding): pass", "print(2.0); 2.0"), 1.0, "0 of 2"),
    "warns": (answer(WARNS), 3.0, "careful"),
    "skips": (skipping, 1.0, "Points, locks or tags changed, restored"),
    "no-file": (lambda folder, notebook: None, 0.0, "No notebook was handed in."),
    "an-essay": (file("essay.pdf", b"%PDF"), 0.0, "No notebook was handed in."),
    "empty": (file("tiny.ipynb", b""), 0.0, "could not be read: the file is empty"),
    "a-web-page": (file("tiny.ipynb", b"<html></html>"), 0.0, "could not be read"),
    "bytes": (file("tiny.ipynb", b"\xff\x00"), 0.0, "could not be read"),
    "a-list": (file("tiny.ipynb", b"[]"), 0.0, "there are no cells in it"),
    "another-lab": (file("tiny.ipynb", b'{"cells": [{"source": "x"}]}'), 0.0, "has none of this lab's cells"),
    "format-99": (lambda folder, notebook: right(folder, notebook, nbformat=99), 3.0, ""),
    "text-file": (
        lambda folder, notebook: right(folder, notebook, "my tiny.ipynb.txt"),
        3.0,
        "was handed in as",
    ),
    "a-mess": (messy, 3.0, "`my_answers.py` was handed in too; files beside the notebook are not used"),
}


def tiny() -> nbformat.NotebookNode:
    """The instructor's notebook of the tiny lab."""
    setup = new_code_cell("import numpy as np\n\nfrom cnncourse import check", id="setup")
    cells = [setup]
    for name in ("pad2d", "nhwc_to_nchw"):
        solved = f"{RIGHT[name].strip().splitlines()[0]}\n    # BEGIN SOLUTION\n    pass\n    # END SOLUTION"
        cells.append(new_code_cell(solved, id=f"{name}-answer"))
        cells.append(new_code_cell(f'check("{LAB}.{name}", {name})', id=f"{name}-check"))
    cells.append(new_markdown_cell("BEGIN SOLUTION\nBecause.\nEND SOLUTION", id="question"))
    for cell in cells:
        solution = cell.id.endswith(("answer", "question"))
        grade = cell.id.endswith(("check", "question"))
        points = {"points": 2 if cell.id.startswith("pad2d") else 1} if grade else {}
        roles = {
            "grade_id": cell.id,
            "solution": solution,
            "grade": grade,
            "locked": not solution,
            "task": False,
        }
        cell.metadata["nbgrader"] = roles | points | {"schema_version": 3}
    return new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "", "language": "python"}}
    )


def release(folder: Path, lab: nbformat.NotebookNode) -> dict[str, Any]:
    """Release a lab in a course folder and return the students' notebook."""
    (folder / "solutions" / "tiny").mkdir(parents=True)
    nbformat.write(lab, folder / "solutions" / "tiny" / "tiny.ipynb")
    status, printed = sample_class.nbgrader(folder, "generate_assignment", "tiny")
    assert status == 0, printed
    released: dict[str, Any] = json.loads((folder / "notebooks" / "tiny" / "tiny.ipynb").read_text())
    return released


@pytest.fixture(scope="session")
def rare(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """The class of rare cases, graded by nbgrader's own command with a short limit on each cell."""
    folder = tmp_path_factory.mktemp("rare")
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    released = release(folder, tiny())
    for name, (hand_in, _, _) in RARE.items():
        (folder / "submitted" / name / "tiny").mkdir(parents=True)
        hand_in(folder / "submitted" / name / "tiny", json.loads(json.dumps(released)))
    (folder / "submitted" / "wrong-folder" / "Tiny").mkdir(parents=True)
    handed_in = contents(folder / "submitted")
    status, printed = sample_class.nbgrader(
        folder, "autograde", "tiny", "--JudgedExecute.cell_seconds=2", *NO_SANDBOX
    )
    assert status == 0, printed[-4000:]
    return Graded(folder, {}, handed_in, printed.splitlines())


@pytest.mark.parametrize("student", RARE)
def test_a_rare_case_is_graded_and_explained(rare: Graded, student: str) -> None:
    _, expected, said = RARE[student]
    found = grades(rare.folder, student, "tiny")
    assert set(found) == {"pad2d-check", "nhwc_to_nchw-check", "question"}
    assert sum(score or 0.0 for score, _ in found.values()) == expected
    assert said in json.dumps(graded_notebook(rare.folder, student, "tiny"))


def test_every_check_ends_in_one_result_that_nbgrader_reads_alike(rare: Graded) -> None:
    from nbgrader.utils import determine_grade

    for student in RARE:
        notebook = graded_notebook(rare.folder, student, "tiny")
        checks = {cell.id: cell for cell in notebook.cells if cell.id.endswith("-check")}
        for name, cell in checks.items():
            assert [output.output_type for output in cell.outputs] == ["display_data", "execute_result"]
            stored = grades(rare.folder, student, "tiny")[name][0]
            assert determine_grade(cell)[0] == stored


def test_an_essay_beside_the_answer_cell_goes_to_manual_grading(rare: Graded) -> None:
    assert grades(rare.folder, "a-mess", "tiny")["question"] == (None, True)
    copied = {path.name for path in (rare.folder / "autograded" / "a-mess" / "tiny").iterdir()}
    assert copied == {"tiny.ipynb", "timestamp.txt"}


def test_a_graded_notebook_stays_small(rare: Graded) -> None:
    assert len(json.dumps(graded_notebook(rare.folder, "a-mess", "tiny"))) < 2_100_000


def test_the_instructor_is_told_of_wrong_folders_and_times(rare: Graded) -> None:
    said = [line for line in rare.printed if "Not graded" in line or "holds no time" in line]
    assert len(said) == 2
    assert "wrong-folder has no folder tiny; it holds Tiny." in "".join(said)
    assert "no-file, tiny: No notebook was handed in." in "\n".join(rare.printed)


def test_what_the_kernel_did_is_said_at_the_top(rare: Graded) -> None:
    top = graded_notebook(rare.folder, "kernel-dies", "tiny").cells[0].source
    assert top.startswith("**Notes from grading**")
    assert "`pad2d-answer` stopped Python itself. It is left out; the other cells were run again" in top


def test_without_a_release_the_instructor_is_told_what_to_run(tmp_path: Path) -> None:
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    (tmp_path / "submitted" / "ada" / "tiny").mkdir(parents=True)
    (tmp_path / "submitted" / "ada" / "tiny" / "tiny.ipynb").write_text("{}")
    status, printed = sample_class.nbgrader(tmp_path, "autograde", "tiny")
    assert status == 1
    assert "Run `nbgrader generate_assignment tiny` first" in printed
    assert "Traceback" not in printed


def test_without_a_sandbox_nobodys_work_is_run(tmp_path: Path, rare: Graded) -> None:
    for name in ("nbgrader_config.py", "solutions", "notebooks", "gradebook.db"):
        copy = shutil.copytree if (rare.folder / name).is_dir() else shutil.copy
        copy(rare.folder / name, tmp_path / name)
    shutil.copytree(rare.folder / "submitted" / "right", tmp_path / "submitted" / "right")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "bwrap").write_text(
        "#!/bin/sh\necho 'No permissions to make a namespace' >&2\nexit 1\n"
    )
    (tmp_path / "bin" / "bwrap").chmod(0o755)
    path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", path)
        status, printed = sample_class.nbgrader(tmp_path, "autograde", "tiny")
    assert status == 1
    assert "No permissions to make a namespace" in printed
    assert "cnncourse doctor" in printed
    assert "Traceback" not in printed
    assert not (tmp_path / "autograded").exists()


def test_stock_nbgrader_stores_partial_points_and_its_validator_fails_on_them(tmp_path: Path) -> None:
    """`check` returns a plain float, which nbgrader reads as it is, without anything of ours."""
    (tmp_path / "nbgrader_config.py").write_text(
        "c = get_config()\n"
        "c.CourseDirectory.source_directory, c.CourseDirectory.release_directory = 'solutions', 'notebooks'\n"
    )
    lab = tiny()
    released = release(tmp_path, lab)
    first = next(cell for cell in released["cells"] if cell["id"] == "pad2d-answer")
    first["source"] = NEGATIVE_SLICE.strip()
    handed_in = tmp_path / "submitted" / "ada" / "tiny" / "tiny.ipynb"
    handed_in.parent.mkdir(parents=True)
    handed_in.write_text(json.dumps(released))
    status, printed = sample_class.nbgrader(tmp_path, "autograde", "tiny")
    assert status == 0, printed
    found = grades(tmp_path, "ada", "tiny")
    assert (found["pad2d-check"], found["nhwc_to_nchw-check"]) == ((0.5, False), (0.0, False))
    said = validate(tmp_path, handed_in)
    assert "VALIDATION FAILED ON 3 CELL(S)!" in said  # and the open question
    assert said.count("Partial credit") == 2


def test_a_folder_that_holds_something_else_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(SystemExit, match="holds something else"):
        sample_class.build(tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_without_a_sandbox_the_sample_class_alone_is_graded_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_class, "nbgrader", lambda *_: (0, ""))
    asked = "c.JudgedExecute.sandbox = False"
    for folder, why in (("guarded", ""), ("unguarded", "bwrap is not installed")):
        monkeypatch.setattr(sample_class, "sandbox_trouble", lambda why=why: why)
        sample_class.build(tmp_path / folder)
        assert (asked in (tmp_path / folder / "nbgrader_config.py").read_text()) == bool(why)
    assert asked not in (ROOT / "nbgrader_config.py").read_text()
