"""The labs: up to date, without answers, worth their points, and stopping where a student has to go on."""

from __future__ import annotations

import json
import re
import sys
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from cnncourse.checking import exercise_ids, load
from cnncourse.checking.source import body_lines
from cnncourse.grading.plan import to_run

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import build_labs  # noqa: E402
from lab_cells import NOTEBOOK_METADATA, LabError, expand, graded  # noqa: E402
from lab_outputs import keep_text  # noqa: E402

TEXTS = build_labs.texts()
FRIENDLY = "This function is still to be written: put your code in its cell, run it, then run its check."
LONG_ENOUGH = 12  # characters of a line that would give something away

each_lab = pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)


def committed(text: Path) -> tuple[NotebookNode, NotebookNode]:
    """Return the instructor's and the student's notebook as they stand in the tree."""
    solved, released = build_labs.notebook_paths(text.stem)
    return nbformat.read(solved, as_version=4), nbformat.read(released, as_version=4)


def names(text: Path) -> list[str]:
    """Return the names of the chapter's functions, in order."""
    return [load(exercise_id).name for exercise_id in exercise_ids(text.stem)]


def by_id(notebook: NotebookNode) -> dict[str, NotebookNode]:
    return {cell["id"]: cell for cell in notebook.cells}


# derived files


# That the committed notebooks are what the texts give is seen by `tools/build_labs.py --check`, another check.
@pytest.mark.parametrize("which", [0, 1])
def test_an_edited_notebook_is_named_with_the_command(which, tmp_path, monkeypatch):
    text = tmp_path / "solutions" / TEXTS[0].name
    text.parent.mkdir()
    text.write_text(TEXTS[0].read_text(encoding="utf-8"), encoding="utf-8")
    released = committed(TEXTS[0])[1]
    monkeypatch.setattr(build_labs, "release", lambda solved, root: dict.fromkeys(solved, released))
    paths = build_labs.notebook_paths(text.stem, tmp_path)
    for notebook, path in zip(committed(TEXTS[0]), paths, strict=True):
        path.parent.mkdir(parents=True)
        path.write_text(build_labs.as_text(notebook), encoding="utf-8")
    assert build_labs.differences([text], tmp_path) == []

    edited = paths[which].read_text(encoding="utf-8").replace("photo", "picture")
    paths[which].write_text(edited, encoding="utf-8")
    (line,) = build_labs.differences([text], tmp_path)
    assert str(paths[which].relative_to(tmp_path)) in line
    assert "make labs" in line


def test_notebooks_belong_to_a_text():
    known = {path for text in TEXTS for path in build_labs.notebook_paths(text.stem)}
    found = {path for folder in ("solutions", "notebooks") for path in (ROOT / folder).rglob("*.ipynb")}
    assert {path for path in found if ".ipynb_checkpoints" not in path.parts} == known


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("ch02_conv2d.pad2d", "ch02_conv2d.pad3d"),
            r"no exercise 'ch02_conv2d\.pad3d'; ch02_conv2d has ch02_",
        ),
        (("ch02_conv2d.im2col", "ch02_conv2d.pad2d"), r"'ch02_conv2d\.pad2d' is used twice"),
        (("[exercise]\nch02_conv2d.pad2d", "[play]\nNone"), r"no cell uses ch02_conv2d\.pad2d"),
        (('"points": 2', '"point": 2'), r"an open question is markdown with .points."),
        (("## Turn the kernel", "## The open question"), r"two cells would be called the-open-question-1"),
    ],
    ids=["unknown", "twice", "not used", "open question", "same heading"],
)
def test_a_mistake_in_a_text_is_one_line(change, message, tmp_path):
    text = tmp_path / "ch02_conv2d.md"
    content = (ROOT / "solutions" / text.name).read_text(encoding="utf-8")
    for old, new in zip(change[::2], change[1::2], strict=True):
        assert old in content
        content = content.replace(old, new)
    text.write_text(content, encoding="utf-8")
    with pytest.raises(LabError, match=message) as error:
        expand(text)
    assert "\n" not in str(error.value)


# what students get


def answers(text: Path) -> list[str]:
    """Return the lines that no student may see: the bodies of the solutions, and the model answer."""
    lines = [line for exercise_id in exercise_ids(text.stem) for line in body_lines(load(exercise_id))]
    model = re.search(r"BEGIN SOLUTION -->(.*)<!-- END SOLUTION", text.read_text(encoding="utf-8"), re.DOTALL)
    assert model
    lines += model[1].splitlines()
    return [line.strip() for line in lines if len(line.strip()) >= LONG_ENOUGH]


@each_lab
def test_no_answer_is_released(text):
    secrets = [json.dumps(line, ensure_ascii=False)[1:-1] for line in answers(text)]
    assert len(secrets) > 20
    files = [path for path in (ROOT / "notebooks").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".ipynb"}
    for path in files:
        content = path.read_text(encoding="utf-8")
        assert "SOLUTION" not in content
        assert [line for line in secrets if line in content] == []


@each_lab
def test_every_exercise_is_in_the_lab_with_its_points(text):
    for notebook in committed(text):
        cells = by_id(notebook)
        graded = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
        checks = [f"{name}-check" for name in names(text)]
        assert [cell["id"] for cell in graded] == [*checks, "open-question"]
        for exercise_id in exercise_ids(text.stem):
            exercise = load(exercise_id)
            check = cells[f"{exercise.name}-check"]
            assert check.source == f'check("{exercise_id}", {", ".join(exercise.names)})'
            assert check.metadata.nbgrader.points == exercise.points
            assert exercise.prompt.strip() in cells[f"{exercise.name}-task"].source
            assert all(hint.strip() in cells[f"{exercise.name}-hints"].source for hint in exercise.hints)
        total = sum(cell.metadata.nbgrader.points for cell in graded)
        assert f"{total} points" in notebook.cells[0].source


@each_lab
def test_nbgrader_metadata(text):
    for notebook in committed(text):
        ours = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
        assert all(cell.metadata.nbgrader.schema_version == 3 for cell in ours)
        assert all(cell.metadata.nbgrader.grade_id == cell["id"] for cell in ours)
        assert len(by_id(notebook)) == len(notebook.cells)
        plain = [cell for cell in notebook.cells if cell not in ours]
        assert all("play" in cell.metadata.tags for cell in plain)
        cells = by_id(notebook)
        for role in ("task", "hints", "check"):
            assert all(cells[f"{name}-{role}"].metadata.nbgrader.locked for name in names(text))
        for cell in (*(cells[f"{name}-answer"] for name in names(text)), cells["open-question"]):
            assert (cell.metadata.nbgrader.solution, cell.metadata.nbgrader.locked) == (True, False)


@each_lab
@pytest.mark.parametrize("missing", ["sklearn", "cnncourse"])
def test_the_first_code_cell_names_the_install_command(text, missing, monkeypatch):
    source = next(cell.source for cell in committed(text)[1].cells if cell.cell_type == "code")
    exec(source, {})
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ModuleNotFoundError, match=rf"^{missing} is not installed here\. .*doctor") as error:
        exec(source, {})
    assert 'pip install ".[labs]"' in str(error.value)


@each_lab
def test_the_cell_after_a_check_uses_the_function(text):
    code = [cell for cell in committed(text)[1].cells if cell.cell_type == "code"]
    following = {cell["id"]: after.source for cell, after in pairwise(code)}
    assert [name for name in names(text) if f"{name}(" not in following[f"{name}-check"]] == []


def rehearsal(text: Path) -> NotebookNode:
    """Return a student's way through the lab as one notebook.

    At each exercise the released answer cell, its check and the cell that uses it run first (tagged `unsolved`),
    then the solved answer and what follows. So "Run All" meets each exercise once with all before it solved.
    Of what follows, only that is kept which later cells need: nbval runs the solved lab whole, with its checks.
    """
    solved, released = (
        [cell for cell in notebook.cells if cell.cell_type == "code"] for notebook in committed(text)
    )
    for cell in (*solved, *released):
        cell.metadata, cell.outputs = nbformat.from_dict({"tags": []}), []
    cells: list[NotebookNode] = []
    last = f"{names(text)[-1]}-answer"
    for i, cell in enumerate(solved):
        if cell["id"].endswith("-answer"):
            for unsolved in released[i : i + 3]:
                unsolved.metadata.tags.append("unsolved")
                cells.append(unsolved)
        if cell["id"] == last:
            break
        cells.append(cell)
    for number, cell in enumerate(cells):
        cell.metadata["cell"], cell["id"] = cell["id"], f"step-{number}"
    ours = {cell["id"]: cell for cell in cells if not cell.metadata["cell"].endswith("-answer")}
    kept = to_run(cells, {name: cell for name, cell in ours.items() if not cell.metadata.tags})
    return nbformat.v4.new_notebook(cells=[cells[i] for i in sorted(kept)], metadata=NOTEBOOK_METADATA)


@each_lab
def test_run_all_stops_in_the_section_of_the_first_unsolved_exercise(text, tmp_path):
    notebook = rehearsal(text)
    client = NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        allow_errors=True,
        extra_arguments=["--IPKernelApp.log_level=40"],
        resources={"metadata": {"path": str(tmp_path)}},
    )
    client.execute()
    stops = []
    for cell in notebook.cells:
        errors = [(output.ename, output.evalue) for output in cell.outputs if output.output_type == "error"]
        if errors:
            stops.append((cell.metadata["cell"], "unsolved" in cell.metadata.tags, errors))
        if cell.metadata["cell"].endswith("-check") and "unsolved" in cell.metadata.tags:
            shown, points = (output.data["text/plain"] for output in cell.outputs)
            assert ("not written yet" in shown, points) == (True, "0.0")
    expected = [("NotImplementedError", FRIENDLY)]
    assert [name.rsplit("-", 1)[0] for name, _, _ in stops] == names(text)
    assert all(unsolved and errors == expected for _, unsolved, errors in stops)


# what is stored


@each_lab
def test_stored_outputs_are_text(text):
    solved, released = committed(text)
    code = [cell for cell in solved.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {"stream", "display_data", "execute_result"}
    assert {kind for output in outputs for kind in output.get("data", {})} == {"text/plain"}
    assert {output.name for output in outputs if output.output_type == "stream"} == {"stdout"}
    assert all(cell.outputs == [] for cell in code if "nbval-ignore-output" in cell.metadata.get("tags", []))
    assert all("execution" not in cell.metadata for cell in code)
    assert all(cell.outputs == [] for cell in released.cells if cell.cell_type == "code")
    assert solved.metadata == released.metadata == NOTEBOOK_METADATA


def test_an_output_that_differs_elsewhere_is_refused():
    cell = nbformat.v4.new_code_cell("thing", id="thing")
    cell.outputs = [nbformat.v4.new_output("stream", text="<object at 0x7f3a5c0b9d10>\n")]
    with pytest.raises(LabError, match="cell thing prints '0x7f3a5c0b9d10'"):
        keep_text(nbformat.v4.new_notebook(cells=[cell]))


def test_a_solution_that_does_not_earn_its_points_is_refused():
    cell = graded(nbformat.v4.new_code_cell("check(...)"), "thing-check", locked=True, points=4)
    cell.outputs = [nbformat.v4.new_output("execute_result", data={"text/plain": "3.0"}, execution_count=1)]
    with pytest.raises(LabError, match=r"check thing-check gives \['3\.0'\], not its 4 points"):
        keep_text(nbformat.v4.new_notebook(cells=[cell]))


def test_a_warning_in_a_solved_lab_is_refused():
    cell = nbformat.v4.new_code_cell("thing", id="thing")
    cell.outputs = [nbformat.v4.new_output("stream", name="stderr", text="RuntimeWarning: overflow\n")]
    with pytest.raises(LabError, match="cell thing writes to stderr: RuntimeWarning: overflow"):
        keep_text(nbformat.v4.new_notebook(cells=[cell]))


def test_what_is_printed_is_one_piece_however_it_arrives():
    cell = nbformat.v4.new_code_cell("thing", id="thing")
    picture = nbformat.v4.new_output("display_data", data={"text/plain": "<Figure>", "image/png": "..."})
    before, after = (nbformat.v4.new_output("stream", text=text) for text in "ab")
    cell.outputs = [before, picture, after]
    (kept,) = keep_text(nbformat.v4.new_notebook(cells=[cell])).cells
    assert kept.outputs[0].text == "ab"
    assert [output.data for output in kept.outputs[1:]] == [{"text/plain": "<Figure>"}]
