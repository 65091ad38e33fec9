"""The steps behind the Makefile: what runs again, what is kept, and what is said when a step cannot go on."""

import ast
import errno
import subprocess
import sys
import venv
from collections import Counter
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tools import building, checks, course, environment, serve, steps

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A root of our own for stamps, logs and inputs."""
    for module in (steps, building, environment, serve):
        for name, path in (("ROOT", tmp_path), ("BUILD", tmp_path / "_build"), ("WORK", tmp_path / "work")):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, path)
    return tmp_path


def test_a_step_runs_again_only_when_something_changed(tree):
    runs = []
    (tree / "a.md").write_text("one")

    def step(extra=""):
        def action():
            runs.append("ran")
            (tree / "out.html").write_text("built")

        inputs, derived = ("*.md",), ("*.ipynb",)
        return steps.once("page", "builds", action, inputs, derived, needs=(tree / "out.html",), extra=extra)

    assert step()
    assert not step()
    (tree / "a.md").write_text("two")
    assert step()
    (tree / "out.html").unlink()
    assert step()
    (tree / "typed.ipynb").write_text("somebody typed into a derived file")
    assert step()
    assert step(extra="another Python")
    assert not step(extra="another Python")
    assert len(runs) == 5


def test_touching_a_file_is_no_change(tree):
    (tree / "a.md").write_text("one")
    before = steps.digest(["*.md"])
    (tree / "a.md").touch()
    assert steps.digest(["*.md"]) == before
    (tree / "a.md").rename(tree / "b.md")
    assert steps.digest(["*.md"]) != before


def test_a_step_that_fails_is_not_done(tree):
    def fails():
        raise steps.CourseError("no")

    for _ in range(2):
        with pytest.raises(steps.CourseError):
            steps.once("page", "builds", fails, ("*.md",))


def test_a_command_that_fails_shows_its_end_and_names_its_log(tree, capsys):
    with pytest.raises(steps.CourseError, match=r"status 3.*_build/logs/try\.txt"):
        steps.must([sys.executable, "-c", "print('the reason'); raise SystemExit(3)"], "try")
    assert "the reason" in capsys.readouterr().out
    assert (tree / "_build" / "logs" / "try.txt").read_text() == "the reason\n"


def test_a_full_disk_is_told_in_one_line(tree, monkeypatch, capsys):
    def full():
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setitem(course.TARGETS, "book", full)
    assert course.main(["book"]) == 1
    assert "is full: make room" in capsys.readouterr().out
    with pytest.raises(OSError, match="No space left"):
        steps.run([sys.executable, "-c", "raise SystemExit('No space left on device')"], "try")


def test_too_little_room_is_seen_before_anything_is_written(tree, monkeypatch):
    usage = type("Usage", (), {"free": 2e9})
    monkeypatch.setattr(environment.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(steps.CourseError, match=r"2\.0 GB free and this needs 6 GB"):
        environment.check_disk(first_run=True)
    environment.check_disk(first_run=False)


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 13, 1), (4, 0, 0)])
def test_new_enough(version):
    assert course.version_trouble(version) is None


def test_too_old_is_one_line_that_says_what_to_do():
    line = course.version_trouble((3, 9, 2))
    assert "Python 3.9" in line
    assert "3.11" in line
    assert "make course PYTHON=" in line
    assert "\n" not in line


def test_the_first_file_can_be_read_by_an_old_python():
    text = (ROOT / "tools" / "course.py").read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 6))
    before_the_check = text.split("sys.exit(")[0]
    assert [line for line in before_the_check.splitlines() if "import " in line] == ["import sys"]


@pytest.mark.parametrize(
    ("output", "says"),
    [
        (
            "[Errno -3] Temporary failure in name resolution\nNo matching distribution",
            "cannot reach its package index",
        ),
        ("ERROR: No matching distribution found for torch==2.13.0", "no torch==2.13.0 for Python 3"),
    ],
)
def test_what_pip_lacks_is_told_in_one_line(tree, monkeypatch, capsys, output, says):
    monkeypatch.setattr(environment, "run", lambda *_: (1, output))
    with pytest.raises(steps.CourseError, match=says) as caught:
        environment.install(tree, ["-r", "requirements.txt"], "packages")
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("failures", [0, 1, 2, 3])
def test_an_index_that_leaves_something_out_is_asked_again(tree, monkeypatch, failures):
    outputs = [(1, "ERROR: ResolutionImpossible: for help")] * failures + [(0, "")]
    slept = []
    monkeypatch.setattr(environment, "run", lambda *_: outputs.pop(0))
    monkeypatch.setattr(environment.time, "sleep", slept.append)
    if failures == 3:
        with pytest.raises(steps.CourseError, match="did not offer every pinned version just now"):
            environment.install(tree, ["-r", "requirements.txt"], "packages")
    else:
        environment.install(tree, ["-r", "requirements.txt"], "packages")
        assert outputs == []
    assert slept == [10, 60][:failures]


def test_another_failure_of_pip_is_not_called_the_networks(tree, monkeypatch):
    monkeypatch.setattr(environment, "run", lambda *_: (1, "ERROR: conflicting dependencies"))
    with pytest.raises(steps.CourseError, match="pip failed"):
        environment.install(tree, ["-r", "requirements.txt"], "packages")


def test_every_package_takes_the_first_python_that_the_course_takes():
    """Debian 12 has 3.11.2: a package that wants 3.11.5 cannot be installed there."""
    found = {package.metadata["Name"]: package.metadata.get("Requires-Python") for package in distributions()}
    assert found["cnncourse"] == ">=3.11" and len(found) > 100
    assert [name for name, wants in found.items() if wants and "3.11.0" not in SpecifierSet(wants)] == []


def test_an_environment_is_kept_where_it_was_made_and_made_anew_where_it_was_copied(tmp_path):
    assert not environment.made_here(tmp_path / "none")
    venv.create(tmp_path / "made", with_pip=False)
    assert environment.made_here(tmp_path / "made")
    (tmp_path / "made").rename(tmp_path / "moved")
    assert not environment.made_here(tmp_path / "moved")
    settings = tmp_path / "moved" / "pyvenv.cfg"
    settings.write_text(settings.read_text().replace("moved", "made").replace("version = 3", "version = 2"))
    (tmp_path / "moved").rename(tmp_path / "made")
    assert not environment.made_here(tmp_path / "made")


def test_clean_keeps_work_and_what_is_committed(tmp_path):
    kept = ["work/ch02_conv2d/lab.ipynb", "work/_build/mine.txt", "cnncourse/shapes.py", "notebooks/a.ipynb"]
    gone = ["_build/html/index.html", ".venv/bin/python", "cnncourse/__pycache__/shapes.pyc"]
    for name in (*kept, *gone):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    course.clean(tmp_path)
    assert all((tmp_path / name).exists() for name in kept)
    assert not any((tmp_path / name).exists() for name in gone)


def test_a_failed_check_does_not_stop_the_others_and_is_named_at_the_end(tree, monkeypatch, capsys):
    monkeypatch.setattr(checks, "venv_python", lambda venv: sys.executable)
    bad = "print('=== 1 failed, 2 passed in 0.1s ==='); raise SystemExit(1)"
    good = "print('=== 5 passed, 1 skipped in 0.1s ===')"
    rows = [checks.Check("first", 10, [("-c", bad)]), checks.Check("second", 10, [("-c", good)])]
    with pytest.raises(SystemExit) as ended:
        checks.run_checks(rows)
    assert ended.value.code == 1
    *_, failed, totals = capsys.readouterr().out.splitlines()
    assert failed == "failed: first"
    assert totals == "7 passed, 1 failed, 1 skipped"


def test_counts_are_read_from_the_last_summary_only():
    output = "= 9 passed in 9s =\n===== 2 passed, 1 error in 61.20s (0:01:01) =====\n"
    assert checks.pytest_counts(output) == Counter(passed=2, error=1)
    assert checks.pytest_counts("no tests here") == Counter()


def test_make_help_names_every_target():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in course.TARGETS:
        assert f"make {target} " in done.stdout
