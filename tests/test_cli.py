"""The command `cnncourse`: what it copies, what it keeps, and what it says when it cannot."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import cnncourse
from cnncourse import cli, doctor
from cnncourse.checking import exercise_ids, load

ROOT = Path(__file__).resolve().parent.parent
LAB = "ch02_conv2d"


@pytest.fixture
def labs(tmp_path, monkeypatch):
    """A small folder of released labs in place of the real one."""
    for slug in (LAB, "ch03_conv_family"):
        (tmp_path / "labs" / slug / "pictures").mkdir(parents=True)
        (tmp_path / "labs" / slug / f"{slug}.ipynb").write_text("released")
        (tmp_path / "labs" / slug / "pictures" / "cat.png").write_text("cat")
    monkeypatch.setattr(cli, "labs_folder", lambda: tmp_path / "labs")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "labs"


def test_the_released_labs_are_found():
    slugs = [path.name for path in cli.labs_folder().iterdir() if path.is_dir()]
    assert LAB in slugs
    assert all(cli.find_lab(slug) for slug in slugs)


def test_start_copies_a_lab_with_all_its_files(labs, capsys):
    assert cli.main(["start", LAB, "--no-open"]) == 0
    own = Path("cnncourse-labs") / LAB
    assert (own / f"{LAB}.ipynb").read_text() == "released"
    assert (own / "pictures" / "cat.png").read_text() == "cat"
    assert capsys.readouterr().out == f"{own / LAB}.ipynb: copied\n"


def test_start_never_overwrites(labs, capsys):
    notebook = Path("mine") / LAB / f"{LAB}.ipynb"
    notebook.parent.mkdir(parents=True)
    notebook.write_text("an evening's work")
    assert cli.main(["start", LAB, "--to", "mine", "--no-open"]) == 0
    assert notebook.read_text() == "an evening's work"
    assert (notebook.parent / "pictures" / "cat.png").exists()
    assert "kept as you left it" in capsys.readouterr().out


def test_start_copies_several_or_none(labs, capsys):
    assert cli.main(["start", LAB, "ch03_conv_family", "--to", "a", "--no-open"]) == 0
    assert len(list(Path("a").glob("*/*.ipynb"))) == 2
    assert cli.main(["start", LAB, "ch99", "--to", "b", "--no-open"]) == 2
    assert not Path("b").exists()


def test_an_unknown_lab_is_answered_in_one_line_with_the_closest(labs, capsys):
    assert cli.main(["start", "ch2_conv"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "cnncourse: there is no lab 'ch2_conv': did you mean ch02_conv2d? "
        "the labs are ch02_conv2d, ch03_conv_family\n"
    )


def test_start_opens_jupyterlab_on_the_copy(labs, monkeypatch):
    calls = []
    monkeypatch.setattr(cli.subprocess, "call", lambda command: calls.append(command) or 0)
    monkeypatch.setattr(cli.importlib.util, "find_spec", lambda name: object())
    assert cli.main(["start", LAB]) == 0
    assert calls[0][:3] == [sys.executable, "-m", "jupyterlab"]
    assert calls[0][-1] == str(Path("cnncourse-labs") / LAB / f"{LAB}.ipynb")


def test_start_without_jupyterlab_copies_and_names_the_command(labs, monkeypatch, capsys):
    monkeypatch.setattr(cli.importlib.util, "find_spec", lambda name: None)
    assert cli.main(["start", LAB]) == 2
    assert (Path("cnncourse-labs") / LAB / f"{LAB}.ipynb").exists()
    assert "python -m pip install jupyterlab" in capsys.readouterr().err


def test_a_folder_that_is_a_file_is_answered_in_one_line(labs, capsys):
    Path("taken").write_text("")
    assert cli.main(["start", LAB, "--to", "taken", "--no-open"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_check_gives_the_verdict_on_a_file(tmp_path, capsys):
    exercise = load(exercise_ids()[0])
    answers = tmp_path / "answers.py"
    answers.write_text(f"def {exercise.name}(*arguments):\n    return None\n")
    assert cli.main(["check", exercise.id, str(answers)]) == 1
    assert exercise.name in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "defines no function pad2d"),
        ("import no_such_module", "does not run: ModuleNotFoundError"),
        ("def pad2d(:", "does not run: SyntaxError"),
        (None, "is not a Python file"),
    ],
)
def test_check_says_in_one_line_what_is_wrong_with_the_file(tmp_path, capsys, content, says):
    answers = tmp_path / "answers.py"
    if content is not None:
        answers.write_text(content)
    assert cli.main(["check", "ch02_conv2d.pad2d", str(answers)]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert len(error.splitlines()) == 1


def test_check_of_an_unknown_exercise_names_those_there_are(capsys):
    assert cli.main(["check", "ch02_conv2d.pad", "answers.py"]) == 2
    assert "ch02_conv2d.pad2d" in capsys.readouterr().err


def test_doctor_names_the_command_for_what_is_missing(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    found = {"numpy": "2.4.6", "jupyterlab": "3.0", "ipykernel": "6.29.5", "matplotlib": "3.11.2"}

    def version(name):
        if name in found:
            return found[name]
        raise doctor.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    assert cli.main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "ok        numpy 2.4.6" in lines
    assert "MISSING   jupyterlab, for working on labs: 3.0 is older than 4.2" in lines
    assert any(line.startswith("optional  torch") and 'pip install "torch>=' in line for line in lines)
    assert any(
        line.startswith("optional  nbgrader, psutil, rich, jinja2, jupyter_server_mathjax, for")
        for line in lines
    )
    mend = (
        "python -m pip install "
        + '"jupyterlab>=4.2" "ipywidgets>=8.1" "anywidget>=0.9.18" "scikit-learn>=1.4"'
    )
    assert lines[-1] == f"Labs need more than is here. Mend it: {mend}"


def test_doctor_is_content_without_the_optional_packages(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "package_trouble", lambda name, _: "not installed" if name == "torch" else "")
    monkeypatch.setattr(doctor.metadata, "version", lambda name: "9.9")
    monkeypatch.setattr(doctor, "sandbox_trouble", lambda: None)
    assert cli.main(["doctor"]) == 0
    assert capsys.readouterr().out.endswith("All that the labs need is here.\n")


def told_of_the_sandbox(monkeypatch, capsys, tmp_path, trouble):
    """What `cnncourse doctor` says of a sandbox on a computer that has everything else."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "package_trouble", lambda *_: "")
    monkeypatch.setattr(doctor.metadata, "version", lambda name: "9.9")
    monkeypatch.setattr(doctor, "sandbox_trouble", lambda: trouble)
    assert cli.main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    place = next((i for i, line in enumerate(lines) if "a sandbox for" in line), len(lines))
    return lines[place:-2]


def linux(monkeypatch, tmp_path, programs=(), settings=(), files=()):
    """A Linux with these programs, these settings and these files, and no others."""
    monkeypatch.setattr(doctor.sys, "platform", "linux")
    monkeypatch.setattr(doctor.shutil, "which", lambda name: f"/usr/bin/{name}" if name in programs else None)
    for name, value in settings:
        path = tmp_path / "sys" / name.replace(".", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")
    for name in files:
        (tmp_path / name).touch()
    monkeypatch.setattr(doctor, "SETTINGS", tmp_path / "sys")
    monkeypatch.setattr(doctor, "UBUNTUS_PROFILE", tmp_path / "profile")
    monkeypatch.setattr(doctor, "CONTAINER_MARKS", (tmp_path / ".dockerenv",))


def test_doctor_tries_the_sandbox_and_says_so(monkeypatch, capsys, tmp_path):
    told = told_of_the_sandbox(monkeypatch, capsys, tmp_path, "")
    assert told == ["ok        a sandbox for students' code, tried just now"]
    assert told_of_the_sandbox(monkeypatch, capsys, tmp_path, None) == []


@pytest.mark.parametrize(
    ("programs", "settings", "files", "mends"),
    [
        (["apt-get"], [], [], ["sudo apt-get install bubblewrap"]),
        (["dnf"], [], [], ["sudo dnf install bubblewrap"]),
        ([], [], [], ["install the package bubblewrap"]),
        (
            ["bwrap"],
            [("kernel.apparmor_restrict_unprivileged_userns", 1), ("user.max_user_namespaces", 96365)],
            [],
            ["sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0", "/etc/sysctl.d/"],
        ),
        (
            ["bwrap"],
            [("kernel.unprivileged_userns_clone", 0), ("kernel.apparmor_restrict_unprivileged_userns", 0)],
            [],
            ["sudo sysctl -w kernel.unprivileged_userns_clone=1", "/etc/sysctl.d/"],
        ),
        (["bwrap"], [], ["profile"], ["; sudo apparmor_parser -R"]),
        (["bwrap"], [], [".dockerenv"], ["--security-opt systempaths=unconfined"]),
        (["bwrap"], [], [], ["book/grading.md"]),
    ],
)
def test_doctor_says_what_to_do_about_a_missing_sandbox(
    monkeypatch, capsys, tmp_path, programs, settings, files, mends
):
    linux(monkeypatch, tmp_path, programs, settings, files)
    told = told_of_the_sandbox(monkeypatch, capsys, tmp_path, "bwrap: No permissions")
    assert told[0] == "optional  a sandbox for students' code, for grading a class: bwrap: No permissions"
    assert len(told) == 1 + len(mends)
    assert all(mend in line for mend, line in zip(mends, told[1:], strict=True))


def test_doctor_names_other_ways_where_there_is_no_linux(monkeypatch):
    monkeypatch.setattr(doctor.sys, "platform", "darwin")
    (mend,) = doctor.sandbox_mends()
    assert "WSL" in mend and "container" in mend


def test_doctor_works_without_the_packages_for_grading(monkeypatch):
    monkeypatch.setattr(doctor, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "cnncourse.grading.sandbox", None)
    assert doctor.sandbox_trouble() is None


def test_doctor_tries_no_sandbox_for_a_student(monkeypatch):
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    assert doctor.sandbox_trouble() is None


def test_doctor_says_why_there_is_no_sandbox_and_no_more(monkeypatch):
    pytest.importorskip("nbgrader")
    sandbox = pytest.importorskip("cnncourse.grading.sandbox")
    monkeypatch.setattr(sandbox, "trouble", lambda: "bwrap: No permissions")
    assert doctor.sandbox_trouble() == "bwrap: No permissions"


def test_doctor_sees_a_full_disk(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: doctor.shutil._ntuple_diskusage(9, 8, 10**8))
    assert "0.1 GB free" in doctor.folder_trouble(tmp_path)


def test_doctor_asks_for_what_the_extras_ask_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    needed = {f"{name}>={oldest}" for name, oldest, _ in doctor.NEEDED}
    optional = {f"{name}>={oldest}" for packages in doctor.OPTIONAL.values() for name, oldest in packages}
    assert needed == {*project["dependencies"], *extras["labs"]}
    asked = {*extras["torch"], *extras["grading"], *extras["cluster"]} - {"cnncourse[grading]"}
    assert optional == asked


def test_the_module_is_the_command():
    command = [sys.executable, "-m", "cnncourse", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == f"cnncourse {cnncourse.__version__}\n"
