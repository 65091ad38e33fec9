"""Putting a student's answers into the released lab: no damage to a submission changes what is asked and graded."""

from __future__ import annotations

import copy
import json
import logging
import random
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytest.importorskip("nbgrader")

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.utils import is_locked

from cnncourse.grading.finding import find_notebook
from cnncourse.grading.nodes import node
from cnncourse.grading.notes import NOTE_ID, add_notes
from cnncourse.grading.reading import UnreadableError, read_cells
from cnncourse.grading.rebuild import rebuild, released_ids
from cnncourse.grading.tolerance import tolerate

STUB = "def {}():\n    # YOUR CODE HERE\n    raise NotImplementedError()"
Cells = list[dict[str, Any]]


def marks(name: str, **roles: Any) -> dict[str, Any]:
    plain = {"schema_version": 3, "grade": False, "locked": False, "solution": False, "task": False}
    return {"nbgrader": plain | {"grade_id": name} | roles}


def released() -> nbformat.NotebookNode:
    """A lab of two exercises, an open question and a cell to play with."""
    cells = [new_markdown_cell("# A lab", id="start-1", metadata=marks("start-1", locked=True))]
    cells += [new_code_cell("import math", id="start-2", metadata=marks("start-2", locked=True))]
    for name, points in (("one", 2), ("two", 3)):
        answer, check = f"{name}-answer", f"{name}-check"
        cells += [
            new_markdown_cell(
                f"Write {name}.", id=f"{name}-task", metadata=marks(f"{name}-task", locked=True)
            ),
            new_code_cell(STUB.format(name), id=answer, metadata=marks(answer, solution=True)),
            new_code_cell(
                f"{name}()", id=check, metadata=marks(check, grade=True, locked=True, points=points)
            ),
        ]
    question = marks("question", grade=True, solution=True, points=1)
    cells += [
        new_code_cell("# yours to change", id="play"),
        new_markdown_cell("YOUR ANSWER HERE", id="question"),
    ]
    cells[-1].metadata = node(**question)
    return new_notebook(cells=cells)


def submitted(**answers: str) -> Cells:
    """The cells of a submission with these answers, as JSON."""
    cells: Cells = json.loads(nbformat.writes(released()))["cells"]
    for name, source in answers.items():
        by_id(cells, f"{name}-answer")["source"] = source
    return cells


def by_id(cells: Cells, cell_id: str) -> dict[str, Any]:
    return next(cell for cell in cells if cell.get("id") == cell_id)


def code(source: str, cell_id: str = "x1") -> dict[str, Any]:
    return {"cell_type": "code", "id": cell_id, "metadata": {}, "source": source, "outputs": []}


@pytest.fixture
def regrade(tmp_path: Path) -> Any:
    """Write the cells to a file, read them back and rebuild: what grading does with a submission."""

    def run(cells: Any) -> tuple[nbformat.NotebookNode, list[str]]:
        path = tmp_path / "lab.ipynb"
        path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
        notebook, notes = rebuild(released(), read_cells(path))
        nbformat.validate(notebook)
        return notebook, notes

    return run


def is_added(cell: nbformat.NotebookNode) -> bool:
    return cell.id.startswith("added-by-student")


def assert_as_released(notebook: nbformat.NotebookNode) -> None:
    """Apart from answers and added cells, the notebook is the released one, cell by cell."""
    own = [cell for cell in notebook.cells if not is_added(cell)]
    assert [cell.id for cell in own] == [cell.id for cell in released().cells]
    for cell, original in zip(own, released().cells, strict=True):
        assert (cell.cell_type, cell.metadata) == (original.cell_type, original.metadata)
        assert not is_locked(original) or cell.source == original.source
    assert all(not cell.metadata and not cell.get("outputs") for cell in notebook.cells if is_added(cell))


def sources(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells]


def run_all(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """Run the code cells in one namespace, as Run all does; return what the check cells gave."""
    space: dict[str, Any] = {}
    given: dict[str, Any] = {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        try:
            if cell.id.endswith("-check"):
                given[cell.id] = eval(cell.source, space)
            else:
                exec(cell.source, space)
        except Exception as error:
            given[cell.id] = type(error).__name__
    return given


def test_an_untouched_and_an_answered_notebook_need_no_mending(regrade: Any) -> None:
    notebook, notes = regrade(submitted())
    assert notebook == released()
    assert notes == []
    notebook, notes = regrade(submitted(one="def one(): return 2.0"))
    assert_as_released(notebook)
    assert notes == []
    assert run_all(notebook)["one-check"] == 2.0


def test_deleted_cells_are_put_back(regrade: Any) -> None:
    cells = [c for c in submitted(two="def two(): return 3.0") if c["id"] not in ("two-check", "one-answer")]
    notebook, notes = regrade(cells)
    assert_as_released(notebook)
    assert notes == ["Missing, put back: `one-answer`, `two-check`."]
    assert run_all(notebook) == {"one-check": "NotImplementedError", "two-check": 3.0}


def test_a_duplicated_check_counts_once(regrade: Any) -> None:
    cells = submitted(one="def one(): return 2.0")
    cells.append(copy.deepcopy(by_id(cells, "one-check")) | {"id": "copy"})
    notebook, notes = regrade(cells)
    assert_as_released(notebook)
    assert not any(is_added(cell) for cell in notebook.cells)
    assert notes == ["More than one copy: `one-check`."]


@pytest.mark.parametrize(
    ("first", "second", "at_check"),
    [
        (
            "def one(): return 1.0",
            "def one(): return 2.0",
            2.0,
        ),  # both above the check: the later one is in force
        ("def one(): return 1.0", STUB.format("one"), 1.0),  # a copy that is still the stub
        (STUB.format("one"), "def one(): return 2.0", 2.0),
        ("", "def one(): return 2.0", 2.0),
        ("helper = 2.0", "def one(): return helper", 2.0),  # a cell that was split keeps its id in both parts
    ],
)
def test_of_a_duplicated_answer_the_definition_in_force_counts(
    regrade: Any, first: str, second: str, at_check: float
) -> None:
    cells = submitted(one=first)
    place = cells.index(by_id(cells, "one-answer"))
    cells.insert(place + 1, copy.deepcopy(cells[place]) | {"id": "copy", "source": second})
    notebook, notes = regrade(cells)
    assert_as_released(notebook)
    assert notes == ["More than one copy: `one-answer`."]
    assert run_all(notebook)["one-check"] == at_check


def test_a_copy_below_the_check_does_not_reach_it(regrade: Any) -> None:
    cells = submitted(one="def one(): return 1.0")
    copied = copy.deepcopy(by_id(cells, "one-answer")) | {"id": "copy", "source": "def one(): return 2.0"}
    notebook, _ = regrade([*cells, copied])
    assert run_all(notebook)["one-check"] == 1.0
    assert sources(notebook)[-1] == "def one(): return 2.0"


def test_moved_cells_return_to_their_places(regrade: Any) -> None:
    cells = submitted(one="def one(): return 2.0", two="def two(): return one() + 1")
    notebook, notes = regrade(cells[::-1])
    assert_as_released(notebook)
    assert notes == ["The cells stood in another order; they are graded in the lab's own order."]
    assert run_all(notebook) == {"one-check": 2.0, "two-check": 3.0}


def test_retyped_cells_are_changed_back(regrade: Any) -> None:
    cells = submitted(one="def one(): return 2.0")
    for name, cell_type in (("one-answer", "markdown"), ("one-check", "raw"), ("two-check", "markdown")):
        by_id(cells, name)["cell_type"] = cell_type
    notebook, notes = regrade(cells)
    assert_as_released(notebook)
    assert notes == ["Of another type, changed back: `one-answer`, `one-check`, `two-check`."]
    assert run_all(notebook)["one-check"] == 2.0


@pytest.mark.parametrize(
    "change",
    [
        {"tags": ["skip-execution"]},
        {"nbgrader": {"grade_id": "one-check", "points": 100, "grade": True, "locked": True}},
        {"nbgrader": {"grade_id": "one-check", "solution": True, "grade": True, "points": 2}},
        {"nbgrader": None},
        {"nbgrader": {"grade_id": ["one-check"]}},
    ],
)
def test_forged_metadata_changes_nothing(regrade: Any, change: dict[str, Any]) -> None:
    cells = submitted()
    by_id(cells, "one-check")["metadata"] |= change
    notebook, notes = regrade(cells)
    assert notebook == released()
    assert notes == ["Points, locks or tags changed, restored: `one-check`."]


def test_all_metadata_gone_changes_nothing(regrade: Any) -> None:
    cells = submitted(one="def one(): return 2.0")
    for cell in cells:
        cell["metadata"] = {}
    notebook, notes = regrade(cells)
    assert_as_released(notebook)
    assert run_all(notebook)["one-check"] == 2.0
    assert notes == [
        "Points, locks or tags changed, restored: `start-1`, `start-2`, `one-task`, `one-answer`, `one-check`, "
        "`two-task` and 3 more."
    ]


def test_cells_without_ids_are_known_by_their_text(regrade: Any) -> None:
    cells = submitted(one="def one(): return 2.0")
    for cell in cells:
        del cell["id"]
    notebook, notes = regrade(cells)
    assert_as_released(notebook)
    assert notes == []
    assert not any(is_added(cell) for cell in notebook.cells)


@pytest.mark.parametrize("source", ["2.0", "one = lambda: 2.0\n2.0", "", "%%script true"])
def test_an_edited_check_is_the_released_one_again(regrade: Any, source: str) -> None:
    cells = submitted()
    by_id(cells, "one-check")["source"] = source
    notebook, notes = regrade(cells)
    assert notebook == released()
    assert notes == ["Locked, but edited; graded as released: `one-check`."]


def test_an_edited_locked_cell_is_restored_and_the_edit_kept_as_an_added_cell(regrade: Any) -> None:
    cells = submitted(one="def one(): return root(4.0)")
    by_id(cells, "start-2")["source"] = "from math import sqrt as root"
    notebook, notes = regrade(cells)
    assert_as_released(notebook)
    assert notes == ["Locked, but edited; graded as released: `start-2`."]
    assert run_all(notebook)["one-check"] == 2.0


def test_cells_that_are_the_students_to_change_are_taken_as_they_are(regrade: Any) -> None:
    cells = submitted()
    by_id(cells, "play")["source"] = "mine = 1"
    by_id(cells, "question")["source"] = "Because."
    notebook, notes = regrade(cells)
    assert notes == []
    assert sources(notebook)[-2:] == ["mine = 1", "Because."]


@pytest.mark.parametrize("follows", ["start-2", "one-task", "one-answer"])
def test_a_helper_in_a_cell_of_its_own_is_kept(regrade: Any, follows: str) -> None:
    cells = submitted(one="def one(): return helper()")
    helper = code("def helper(): return 2.0") | {"metadata": {"tags": ["raises-exception"], "nbgrader": {}}}
    cells.insert(cells.index(by_id(cells, follows)) + 1, helper)
    notebook, notes = regrade(cells)
    assert_as_released(notebook)
    assert notes == []
    assert run_all(notebook)["one-check"] == 2.0


@pytest.mark.parametrize("gone", [["one-answer"], ["one-task", "one-answer"], ["one-answer", "one-check"]])
def test_an_answer_typed_into_a_new_cell_is_graded(regrade: Any, gone: list[str]) -> None:
    cells = submitted()
    place = cells.index(by_id(cells, "one-answer"))
    cells[place] = code("def one(): return 2.0")
    notebook, _ = regrade([cell for cell in cells if cell.get("id") not in gone])
    assert_as_released(notebook)
    assert run_all(notebook)["one-check"] == 2.0


def test_images_pasted_into_an_answer_are_kept(regrade: Any) -> None:
    cells = submitted()
    good = {"a.png": {"image/png": "aGk="}}
    by_id(cells, "question").update(
        source="![](attachment:a.png)", attachments=good | {"b": 3, "c": {"x": 1}}
    )
    notebook, _ = regrade(cells)
    assert notebook.cells[-1].attachments == good


def markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


MOVED = "The answer to the open question stood in a cell of its own; it was put in its place."


@pytest.mark.parametrize("where", ["behind", "above", "instead", "without ids"])
def test_an_essay_in_cells_of_its_own_is_put_where_the_question_asks_for_it(regrade: Any, where: str) -> None:
    cells = submitted()
    place = len(cells) - 1 + (where == "behind")
    image = {"a.png": {"image/png": "aGk="}}
    cells[place:place] = [markdown("Because."), code("# a sum"), markdown("And so.") | {"attachments": image}]
    if where in ("instead", "without ids"):
        cells.remove(by_id(cells, "question"))
    if where == "without ids":
        cells = [{**cell, "id": None, "metadata": {}} for cell in cells]
    notebook, notes = regrade(cells)
    assert_as_released(notebook)
    question = next(cell for cell in notebook.cells if cell.id == "question")
    assert (question.source, question.attachments) == ("Because.\n\nAnd so.", image)
    assert [cell.source for cell in notebook.cells if is_added(cell)] == ["# a sum"]
    assert notes[-1] == MOVED


@pytest.mark.parametrize("answer", ["My answer.", ""])
def test_only_an_untouched_question_is_filled(regrade: Any, answer: str) -> None:
    cells = submitted()
    by_id(cells, "question")["source"] = answer
    notebook, notes = regrade([*cells, markdown("More.")])
    question = next(cell for cell in notebook.cells if cell.id == "question")
    assert question.source == (answer or "More.")
    assert (MOVED in notes) is not bool(answer)


def test_ids_that_occur_more_than_once_say_nothing(regrade: Any) -> None:
    cells = [cell | {"id": "one-check", "metadata": {}} for cell in submitted(one="def one(): return 2.0")]
    notebook, _ = regrade(cells)
    assert_as_released(notebook)
    assert run_all(notebook)["one-check"] == 2.0


def test_halves_of_characters_are_replaced(regrade: Any) -> None:
    cells = submitted()
    question = by_id(cells, "question")
    question.update(source="\ud800", attachments={"\ud800": {"image/\ud800": "\ud800"}}, id="\ud800")
    notebook, _ = regrade(cells)
    assert notebook.cells[-1].attachments == {"?": {"image/?": "?"}}


def test_a_notebook_of_something_else_gets_one_line(regrade: Any) -> None:
    notebook, notes = regrade([code("print('my homework for another course')")])
    assert_as_released(notebook)
    assert notes == [
        "The notebook that was handed in has none of this lab's cells: no answer was found in it."
    ]


def mutate(cells: Cells, chance: random.Random) -> None:
    """Do one of the things that happen to notebooks, to a random cell."""
    place = chance.randrange(len(cells))
    cell = cells[place]
    match chance.randrange(8):
        case 0:
            del cells[place]
        case 1:
            cells.insert(chance.randrange(len(cells)), copy.deepcopy(cell) | {"id": f"c{chance.random()}"})
        case 2:
            cells.insert(chance.randrange(len(cells)), cells.pop(place))
        case 3:
            cell["cell_type"] = chance.choice(["code", "markdown", "raw", "heading", 3])
        case 4:
            cell["metadata"] = chance.choice(
                [{}, {"tags": ["skip-execution"]}, marks("two-check"), {"nbgrader": 1}]
            )
        case 5:
            cell["source"] = chance.choice(["# new\n", ["# a\n", "# list"], "", "\ud800"])
        case 6:
            cells.insert(place, code(f"# added {chance.random()}", f"a{place}"))
        case 7:
            cell.pop(chance.choice(["id", "metadata", "source", "cell_type"]), None)


@pytest.mark.parametrize("seed", range(100))
def test_whatever_is_done_to_a_notebook_the_lab_stays_the_lab(regrade: Any, seed: int) -> None:
    chance = random.Random(seed)
    cells = submitted(one="def one(): return 2.0", two="def two(): return 3.0")
    for _ in range(chance.randrange(1, 9)):
        mutate(cells, chance)
        cells = cells or [code("# nothing else left")]
    notebook, _ = regrade(cells)
    assert_as_released(notebook)
    kept = "\n".join(sources(notebook))
    for (
        cell
    ) in cells:  # a cell that was made to look like a check is taken for one, and a check is never kept
        if "# added" in str(cell.get("source")) and "two-check" not in str(cell.get("metadata")):
            assert cell["source"] in kept


def test_notes_stand_at_the_top_and_in_the_metadata() -> None:
    notebook = released()
    add_notes(notebook, [])
    assert notebook == released()
    add_notes(notebook, ["first", "second"])
    nbformat.validate(notebook)
    assert notebook.cells[0].id == NOTE_ID
    assert notebook.cells[0].source == "**Notes from grading**\n\n- first\n- second"
    assert notebook.metadata["cnncourse"] == {"notes": ["first", "second"]}
    add_notes(notebook, ["third"])
    assert [cell.id for cell in notebook.cells].count(NOTE_ID) == 1
    assert notebook.cells[0].source.endswith("- second\n- third")
    assert notebook.metadata["cnncourse"] == {"notes": ["first", "second", "third"]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b'{"cells": [{"cell_type": "co', "cut off"),
        (b"<html>not found</html>", "not saved as a notebook"),
        (b"\xff\xfe\x00\xd8", "opened as text"),
        (b"\xff\x00", "opened as text"),
        (b"[1, 2]", "no cells"),
        (b'{"cells": "none"}', "no cells"),
        (b'{"cells": [3, {"source": 4}]}', "no cells"),
        (b"[" * 100_000, "cut off"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "lab.ipynb").write_bytes(content)
    with pytest.raises(UnreadableError, match=reason):
        read_cells(tmp_path / "lab.ipynb")
    cells, notes = find_notebook(tmp_path, "lab.ipynb", set())
    assert cells == []
    assert "`lab.ipynb` could not be read" in notes[0]
    assert "hand it in again" in notes[1]


@pytest.mark.parametrize(
    "notebook",
    [
        {"nbformat": 99, "cells": [code("a = 1")]},
        {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": "a = 1"}]}]},
        {"cells": [{"cell_type": "code", "source": ["a ", "= 1"]}]},
    ],
)
def test_other_formats_are_read(tmp_path: Path, notebook: dict[str, Any]) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "lab.ipynb").write_text(json.dumps(notebook), encoding=encoding)
        assert [(cell.cell_type, cell.source) for cell in read_cells(tmp_path / "lab.ipynb")] == [
            ("code", "a = 1")
        ]


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "solution.ipynb").write_text(json.dumps({"cells": submitted(one="the answer")}))
    (tmp_path / "handed in").mkdir()
    (tmp_path / "handed in" / "lab.ipynb").symlink_to(tmp_path / "solution.ipynb")
    cells, notes = find_notebook(tmp_path / "handed in", "lab.ipynb", released_ids(released()))
    assert cells == []
    assert "links are not followed" in notes[0]


def test_what_nbgrader_would_stop_at_is_ignored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.utils import find_all_files

    (tmp_path / "data.csv").touch()
    (tmp_path / "lost [1].png").symlink_to("nowhere")
    (tmp_path / "passwords.txt").symlink_to("/etc/passwd")
    coursedir = CourseDirectory()
    for content in ("next Tuesday, perhaps", "9" * 40, "2026-11-20 12:00:00 Nowhere/Else Never"):
        (tmp_path / "timestamp.txt").write_text(content)
        caplog.clear()
        tolerate(coursedir, [str(tmp_path)], logging.getLogger("grading"))
        assert coursedir.get_existing_timestamp(str(tmp_path)) is None
        assert [r.getMessage() for r in caplog.records] == [
            f"{tmp_path / 'timestamp.txt'} holds no time; it is not used."
        ]
    (tmp_path / "timestamp.txt").write_text("2026-11-20 12:00:00 UTC")
    assert coursedir.get_existing_timestamp(str(tmp_path)).hour == 12
    copied = find_all_files(str(tmp_path), coursedir.ignore)
    assert {Path(name).name for name in copied} == {"data.csv", "timestamp.txt"}


@pytest.mark.parametrize(
    ("files", "chosen", "note"),
    [
        ({"lab.ipynb": "right"}, "right", []),
        ({"lab (1).ipynb": "right"}, "right", ["handed in as `lab (1).ipynb`"]),
        ({"LAB.IPYNB.txt": "right"}, "right", ["handed in as `LAB.IPYNB.txt`"]),
        ({"folder/lab.ipynb": "right"}, "right", []),
        ({"lab.ipynb": "right", "lab (1).ipynb": "other"}, "right", ["2 notebooks; `lab.ipynb`"]),
        (
            {"lab.ipynb": None, "lab (1).ipynb": "right"},
            "right",
            ["could not be read", "`lab (1).ipynb` was"],
        ),
        ({"a.ipynb": "foreign", "b.ipynb": "right"}, "right", ["2 notebooks; `b.ipynb`"]),
        ({".ipynb_checkpoints/lab.ipynb": "old", "b`<i>.ipynb": "right"}, "right", ["as `b??i?.ipynb`"]),
        ({"__MACOSX/lab.ipynb": "other", "._lab.ipynb": None, "b.ipynb": "right"}, "right", ["as `b.ipynb`"]),
        (
            {"lab.ipynb": "right", "my.py": "x", "__pycache__/b.py": "x"},
            "right",
            ["`my.py` was handed in too"],
        ),
        ({"a.py": "x", "b.py": "x"}, None, ["No notebook", "`a.py`, `b.py` were handed in too", "not begun"]),
        ({"essay.pdf": "right"}, None, ["No notebook was handed in.", "graded as not begun"]),
    ],
)
def test_the_notebook_is_found_under_any_name(
    tmp_path: Path, files: dict[str, str | None], chosen: str | None, note: list[str]
) -> None:
    for name, source in files.items():
        cells = submitted(one=source or "") if source != "foreign" else [code("foreign")]
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps({"cells": cells})[: 50 if source is None else None])
    cells, notes = find_notebook(tmp_path, "lab.ipynb", released_ids(released()))
    assert len(notes) == len(note)
    assert all(part in line for part, line in zip(note, notes, strict=True))
    assert next((c.source for c in cells if c.grade_id == "one-answer"), None) == chosen
