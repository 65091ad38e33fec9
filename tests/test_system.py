"""What `make test` does about bubblewrap: where it is missing, where it may be installed, and what is said."""

import pytest

from tools import system
from tools.steps import CourseError


@pytest.fixture
def computer(monkeypatch):
    """A Linux without bubblewrap; the list holds what is run there, and bubblewrap comes with apt-get."""
    runs, programs = [], {"apt-get"}

    def run(command, log):
        runs.append(" ".join(command))
        ready = "apt-get update" in runs
        if command[1] == "install" and ready:
            programs.add("bwrap")
        return int(command[1] == "install" and not ready), ""

    monkeypatch.setattr(system.sys, "platform", "linux")
    monkeypatch.setattr(system.os, "geteuid", lambda: 0)
    monkeypatch.setattr(system.shutil, "which", lambda name: name if name in programs else None)
    monkeypatch.setattr(system, "run", run)
    monkeypatch.setattr(system, "must", lambda *_: "" if "bwrap" in programs else "bwrap is not installed\n")
    monkeypatch.delenv("CI", raising=False)
    return runs, programs


def test_bubblewrap_is_installed_for_root_on_debian(computer, capsys):
    runs, _ = computer
    system.need_sandbox()
    assert [line.split()[1] for line in runs] == ["install", "update", "install"]
    assert capsys.readouterr().out.splitlines()[-1] == "   a sandbox stands"


def test_nothing_is_installed_where_it_is_there(computer):
    runs, programs = computer
    programs.add("bwrap")
    system.need_sandbox()
    assert runs == []


def test_others_are_told_in_one_line_and_go_on(computer, monkeypatch, capsys):
    runs, _ = computer
    monkeypatch.setattr(system.os, "geteuid", lambda: 1000)
    system.need_sandbox()
    assert runs == []
    (line,) = capsys.readouterr().out.splitlines()
    assert "skipped: no sandbox: bwrap is not installed;" in line and "doctor" in line


def test_a_run_that_nobody_watches_fails(computer, monkeypatch):
    monkeypatch.setattr(system.os, "geteuid", lambda: 1000)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(CourseError, match="bwrap is not installed"):
        system.need_sandbox()


def test_without_linux_the_tests_are_skipped_everywhere(computer, monkeypatch, capsys):
    runs, _ = computer
    monkeypatch.setattr(system.sys, "platform", "darwin")
    monkeypatch.setenv("CI", "true")
    system.need_sandbox()
    assert runs == []
    assert len(capsys.readouterr().out.splitlines()) == 1
