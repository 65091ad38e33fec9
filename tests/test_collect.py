"""Downloads of all submissions from Canvas and Moodle: `cnncourse collect` on small archives, kind and hostile."""

from __future__ import annotations

import csv
import shutil
import stat
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nbgrader")

from small_class import LAB, Student, make, run

from cnncourse.grading import download
from cnncourse.grading.errors import ClassroomError

NAME = f"{LAB}.ipynb"
ADA = f"lovelaceada_901_5001_{NAME}"
BELA = f"bartókbéla_LATE_902_5002_{LAB}-1.ipynb"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("class"))


@pytest.fixture
def course(empty: Path, tmp_path: Path) -> Path:
    return shutil.copytree(empty, tmp_path / "class")


def pack(path: Path, files: dict[str, str] | list[tuple[Any, str]]) -> Path:
    """Make an archive; a name may be a ZipInfo."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that is there twice
        for name, content in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, content)
    return path


def roster(path: Path, header: list[str], *rows: list[str]) -> Path:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def submitted(course: Path) -> dict[str, str]:
    """Return what lies in submitted/, by path."""
    folder = course / "submitted"
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def others(folder: Path, course: Path) -> list[Path]:
    """Return all files outside of submitted/, to see that nothing was written elsewhere."""
    return sorted(path for path in folder.rglob("*") if course / "submitted" not in path.parents)


def test_canvas(course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = pack(tmp_path / "submissions.zip", {ADA: "ada", BELA: "bela"})
    assert run("collect", course, archive) == 0
    assert submitted(course) == {f"901/{LAB}/{NAME}": "ada", f"902/{LAB}/{NAME}": "bela"}
    printed = capsys.readouterr().out
    assert "2 submissions collected (2 new, 0 replaced, 0 unchanged)" in printed
    assert "2 students are named by Canvas's user ids" in printed
    assert "late, as Canvas says: 902" in printed


def test_canvas_with_a_roster(course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Essay (1)"]
    table = roster(
        tmp_path / "c.csv",
        header,
        ["    Points Possible", "", "", "", "", "5"],
        ["L", "901", "s", "ada", "", ""],
    )
    archive = pack(tmp_path / "submissions.zip", {ADA: "ada", BELA: "bela"})
    assert run("collect", course, archive, "--roster", table) == 1
    assert submitted(course) == {f"ada/{LAB}/{NAME}": "ada"}
    printed = capsys.readouterr().out
    assert "1 students are named by the login names of c.csv" in printed
    assert f"{BELA}: c.csv has no such student" in printed


def test_the_gradebooks_own_names_are_kept(tmp_path: Path) -> None:
    students = [Student("ada", None, lms="901"), Student("bela", None, email="b@uni.example")]
    known = make(tmp_path / "class", students)
    assert run("collect", known, pack(tmp_path / "x.zip", {ADA: "ada", BELA: "bela"})) == 0
    assert set(submitted(known)) == {f"ada/{LAB}/{NAME}", f"902/{LAB}/{NAME}"}
    table = roster(
        tmp_path / "m.csv",
        ["Identifier", "Full name", "Email address"],
        ["Participant 7", "B", "B@uni.example"],
    )
    moodle = pack(tmp_path / "y.zip", {f"B_7_assignsubmission_file_/{NAME}": "bela"})
    assert run("collect", known, moodle, "--roster", table) == 0
    assert f"bela/{LAB}/{NAME}" in submitted(known)


@pytest.mark.parametrize(
    "name",
    [
        "Béla Bartók_123_assignsubmission_file_/My Lab.ipynb",
        "Béla Bartók_123_assignsubmission_file/sub/My Lab.ipynb",
        f"Group 1-Béla Bartók_123_assignsubmission_file_{NAME}",
        f"download/Participant_123_assignsubmission_file_/{NAME}",
        f"Béla Bartók_123_assignsubmission_file_/Ada_1_assignsubmission_file_/{NAME}",
        f"Béla Bartók_123_assignsubmission_file_/a_1_2_{NAME}",
    ],
)
def test_moodle(course: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("collect", course, pack(tmp_path / "m.zip", {name: "x"})) == 0
    assert submitted(course) == {f"123/{LAB}/{NAME}": "x"}
    assert "1 students are named by Moodle's participant numbers" in capsys.readouterr().out


def test_moodle_with_a_roster_takes_the_login_else_the_address(course: Path, tmp_path: Path) -> None:
    archive = pack(tmp_path / "m.zip", {f"Ada_{n}_assignsubmission_file_/{NAME}": "x" for n in (1, 2)})
    table = roster(
        tmp_path / "m.csv",
        ["Identifier", "Full name", "Username", "Email address"],
        ["Participant 1", "Ada", "ada", "a@uni.example"],
        ["Participant 2", "Bela", "", "b@uni.example"],
    )
    assert run("collect", course, archive, "--roster", table) == 0
    assert set(submitted(course)) == {f"ada/{LAB}/{NAME}", f"b@uni.example/{LAB}/{NAME}"}


def test_names_that_canvas_wrote_as_utf8_without_saying_so(course: Path, tmp_path: Path) -> None:
    archive = pack(tmp_path / "x.zip", {f"bart\u00f3k_901_5001_{NAME}": "x"})
    data = archive.read_bytes()
    with zipfile.ZipFile(archive) as opened:
        assert opened.infolist()[0].flag_bits & 0x800
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.index(signature) + at
        data = data[:place] + b"\0\0" + data[place + 2 :]
    archive.write_bytes(data)
    with zipfile.ZipFile(archive) as opened:
        assert download.full_name(opened.infolist()[0]) == f"bart\u00f3k_901_5001_{NAME}"
    assert run("collect", course, archive) == 0
    assert submitted(course) == {f"901/{LAB}/{NAME}": "x"}


def test_the_newest_upload_counts(course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {f"ada_901_{5000 + i}_{LAB}{end}.ipynb": str(i) for i, end in enumerate(["-1", "-2", "", " (1)"])}
    assert run("collect", course, pack(tmp_path / "x.zip", dict(reversed(files.items())))) == 0
    assert submitted(course) == {f"901/{LAB}/{NAME}": "3"}
    assert capsys.readouterr().out.count("left out, a newer upload counts") == 3


def test_several_notebooks_keep_their_names(course: Path, tmp_path: Path) -> None:
    canvas = {f"ada_901_5001_{LAB}-3.ipynb": "lab", "ada_901_5002_scratch:1.ipynb": "scratch"}
    moodle = {
        "Ada_1_assignsubmission_file_/": "",
        **{f"Ada_1_assignsubmission_file_/{n}/{NAME}": n for n in "ab"},
    }
    assert run("collect", course, pack(tmp_path / "x.zip", canvas)) == 0
    assert run("collect", course, pack(tmp_path / "y.zip", moodle)) == 0
    assert submitted(course) == {
        f"901/{LAB}/{NAME}": "lab",
        f"901/{LAB}/scratch_1.ipynb": "scratch",
        f"1/{LAB}/{NAME}": "a",
        f"1/{LAB}/{LAB}-2.ipynb": "b",
    }


def test_what_is_no_notebook_is_named(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {
        ADA: "x",
        "cem_903_5003_photo.pdf": "x",
        "dana_904_text.html": "x",
        f"LATE_anon_aB3dE_77_{NAME}": "x",
        f"__MACOSX/._{ADA}": "x",
        ".DS_Store": "x",
    }
    assert run("collect", course, pack(tmp_path / "x.zip", files)) == 1
    assert set(submitted(course)) == {f"901/{LAB}/{NAME}"}
    printed = capsys.readouterr().out
    assert "Not placed, 3 files:" in printed
    assert "cem_903_5003_photo.pdf: it is no notebook" in printed
    assert "dana_904_text.html: its name does not say whose it is, as Canvas's names do" in printed
    assert "the assignment is graded anonymously" in printed


def test_a_notebook_with_another_ending_is_still_one(course: Path, tmp_path: Path) -> None:
    assert run("collect", course, pack(tmp_path / "x.zip", {f"ada_901_5001_{LAB}.IPYNB.txt": "x"})) == 0
    assert submitted(course) == {f"901/{LAB}/{NAME}": "x"}


def test_an_earlier_submission_is_kept(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = pack(tmp_path / "1.zip", {ADA: "one"}), pack(tmp_path / "2.zip", {ADA: "two", BELA: "b"})
    assert run("collect", course, first) == 0
    folder = course / "submitted" / "901" / LAB
    (folder / "timestamp.txt").write_text("2026-03-01 10:00:00 UTC")
    assert run("collect", course, first) == 0
    assert "1 unchanged" in capsys.readouterr().out
    assert run("collect", course, second) == 1
    assert (
        "901 has an earlier submission, and this one differs: --force replaces it" in capsys.readouterr().out
    )
    assert (folder / NAME).read_text() == "one" and (course / "submitted" / "902").is_dir()
    assert run("collect", course, second, "--force") == 0
    assert [path.name for path in folder.iterdir()] == [NAME] and (folder / NAME).read_text() == "two"
    (kept,) = (course / ".cnncourse" / "replaced" / LAB / "901").iterdir()
    assert {path.name: path.read_text() for path in kept.iterdir()} == {
        NAME: "one",
        "timestamp.txt": "2026-03-01 10:00:00 UTC",
    }


def test_a_dry_run_says_all_and_changes_nothing(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("collect", course, pack(tmp_path / "1.zip", {ADA: "one"}))
    archive = pack(tmp_path / "2.zip", {ADA: "two", BELA: "b", "c_903_5_x.pdf": ""})
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    capsys.readouterr()
    assert run("collect", course, archive, "--force", "--dry-run") == 1
    assert "2 submissions would be collected (1 new, 1 replaced, 0 unchanged)" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def info(name: str, mode: int = 0) -> zipfile.ZipInfo:
    """Return an entry whose name is taken as it is."""
    entry = zipfile.ZipInfo("x")
    entry.filename = entry.orig_filename = name
    entry.external_attr = mode << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


@pytest.mark.parametrize(
    ("entry", "content", "why"),
    [
        (info(f"../../evil_902_5002_{NAME}"), "x", "points outside the archive"),
        (info(f"/tmp/evil_902_5002_{NAME}"), "x", "points outside the archive"),
        (info(f"..\\evil_902_5002_{NAME}"), "x", "points outside the archive"),
        (info(f"C:\\evil_902_5002_{NAME}"), "x", "points outside the archive"),
        (info(f"evil_902_5002_{NAME}", stat.S_IFLNK | 0o777), "/etc/passwd", "it is a link"),
        (info(f"evil_902_5002_{NAME}", stat.S_IFIFO | 0o777), "", "it is no plain file"),
        (info(f"evil_902_5002_a\n{NAME}"), "x", "line break"),
        (info(f"evil_902_5002_\x1b[2J{NAME}"), "x", "cannot be shown"),
        (info(f"evil_902_5002_{NAME}"), "0" * 1_000_000, "it would grow"),
        (info(f"evil_902_5002_{NAME}"), "0" * 3_000_001, "it is too large: 3 MB"),
    ],
)
def test_a_hostile_entry_is_named_and_the_others_are_collected(
    course: Path,
    tmp_path: Path,
    entry: zipfile.ZipInfo,
    content: str,
    why: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    archive = pack(tmp_path / "x.zip", [(ADA, "ada"), (entry, content)])
    (course / ".cnncourse").mkdir(exist_ok=True)
    monkeypatch.setattr(download, "SMALL", 100_000)
    monkeypatch.setattr(download, "LARGEST", 3_000_000)
    before = others(tmp_path, course)
    assert run("collect", course, archive) == 1
    assert submitted(course) == {f"901/{LAB}/{NAME}": "ada"}
    assert set(others(tmp_path, course)) - set(before) <= {course / "submitted"}
    last = capsys.readouterr().out.splitlines()[-1]
    assert why in last and "Not placed" not in last


@pytest.mark.parametrize("name", ["..", "a/b", "a*", " a", ".a", "a\\b", "x" * 200, "[a]"])
def test_a_login_that_is_no_name_of_a_folder_is_refused(course: Path, tmp_path: Path, name: str) -> None:
    table = roster(
        tmp_path / "c.csv", ["Student", "ID", "SIS Login ID", "Section"], ["A", "901", f"{name}", ""]
    )
    before = others(tmp_path / "class", course)
    status = run("collect", course, pack(tmp_path / "x.zip", {ADA: "x"}), "--roster", table)
    if name == " a":  # spaces around a cell are the table's
        assert status == 0 and submitted(course) == {f"a/{LAB}/{NAME}": "x"}
        return
    assert status == 1 and not submitted(course)
    assert [path for path in others(tmp_path / "class", course) if path not in before] in (
        [],
        [course / ".cnncourse"],
    )


def test_two_students_with_one_login_are_both_refused(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [["A", "901", "ada", ""], ["B", "902", "ADA", ""]]
    table = roster(tmp_path / "c.csv", ["Student", "ID", "SIS Login ID", "Section"], *rows)
    assert run("collect", course, pack(tmp_path / "x.zip", {ADA: "x", BELA: "y"}), "--roster", table) == 1
    assert not submitted(course)
    assert "2 students of the archive would be ada here" in capsys.readouterr().out


def damaged(path: Path, **flags: int) -> Path:
    """Make an archive whose second entry is not what it says it is."""
    pack(path, [(ADA, "ada"), (f"bela_902_5002_{NAME}", "b" * 1000)])
    data = bytearray(path.read_bytes())
    local, central = data.rindex(b"PK\x03\x04"), data.rindex(b"PK\x01\x02")
    if "encrypted" in flags:
        data[local + 6] |= 1
        data[central + 8] |= 1
    elif "method" in flags:
        data[local + 8] = data[central + 10] = flags["method"]
    else:
        data[data.index(b"PK\x01\x02") - 3] ^= 0xFF
    path.write_bytes(bytes(data))
    return path


@pytest.mark.parametrize(
    ("flags", "why"),
    [({"encrypted": 1}, "it is encrypted"), ({"method": 99}, "it is damaged"), ({}, "it is damaged")],
)
def test_a_damaged_entry_is_named_and_the_others_are_collected(
    course: Path, tmp_path: Path, flags: dict[str, int], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("collect", course, damaged(tmp_path / "x.zip", **flags)) == 1
    assert submitted(course) == {f"901/{LAB}/{NAME}": "ada"}
    assert why in capsys.readouterr().out


def test_of_a_name_that_is_there_twice_the_later_one_counts(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("collect", course, pack(tmp_path / "x.zip", [(ADA, "one"), (ADA, "two")])) == 1
    assert submitted(course) == {f"901/{LAB}/{NAME}": "two"}
    assert "holds this name twice" in capsys.readouterr().out


def test_an_archive_of_something_else_is_refused(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "no.zip").write_text("no archive")
    with pytest.raises(ClassroomError, match="cannot be opened as a zip archive"):
        run("collect", course, tmp_path / "no.zip")
    with pytest.raises(ClassroomError, match="cannot be opened"):
        run("collect", course, tmp_path / "missing.zip")
    archive = pack(tmp_path / "x.zip", {"holiday.jpg": "x", f"ada_{NAME}": "x"})
    with pytest.raises(ClassroomError, match="no file that is named as Canvas or Moodle names submissions"):
        run("collect", course, archive)
    archive = pack(tmp_path / "y.zip", {ADA: "x" * 1000, BELA: "y"})
    with pytest.raises(ClassroomError, match="named as Moodle names"):
        run("collect", course, archive, "--from", "moodle")
    monkeypatch.setattr(download, "MOST_ENTRIES", 1)
    with pytest.raises(ClassroomError, match="holds 2 files, more than 1"):
        run("collect", course, archive)
    monkeypatch.setattr(download, "MOST_ENTRIES", 9)
    monkeypatch.setattr(download, "MOST_BYTES", 1000)
    with pytest.raises(ClassroomError, match="would unpack to"):
        run("collect", course, archive)
    assert not submitted(course)


def test_an_archive_whose_entries_share_their_bytes_is_refused(course: Path, tmp_path: Path) -> None:
    archive = pack(tmp_path / "x.zip", {f"a{i}_{900 + i}_5000_{NAME}": "x" * 50 for i in range(3)})
    data = bytearray(archive.read_bytes())
    place = -1
    while (place := data.find(b"PK\x01\x02", place + 1)) >= 0:
        data[place + 20 : place + 24] = (len(data) // 2).to_bytes(4, "little")
    archive.write_bytes(bytes(data))
    with pytest.raises(ClassroomError, match="claims to hold more than its size"):
        run("collect", course, archive)


def test_a_lab_that_was_not_released_is_refused(course: Path, tmp_path: Path) -> None:
    (course / "notebooks" / LAB / NAME).unlink()
    with pytest.raises(ClassroomError, match="no released notebook"):
        run("collect", course, pack(tmp_path / "x.zip", {ADA: "x"}))
