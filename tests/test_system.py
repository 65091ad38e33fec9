"""What `make test` does about bubblewrap and Chromium: where one is missing, may be installed, and what is said."""

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


@pytest.fixture
def no_browser(monkeypatch):
    """A system without Chromium; the list holds what is run there, the set names who would bring one."""
    runs, bring = [], set()

    def run(command, log):
        runs.append(command[2] if command[1] == "-m" else command[0])
        return int(runs[-1] not in bring), ""

    monkeypatch.setattr(system.os, "geteuid", lambda: 0)
    monkeypatch.setattr(system.shutil, "which", lambda name: name)
    monkeypatch.setattr(system, "run", run)
    monkeypatch.setattr(system, "must", lambda *_: "/a/chromium\n" if bring & set(runs) else "\n")
    monkeypatch.delenv("CI", raising=False)
    return runs, bring


def test_playwright_brings_a_browser(no_browser, capsys):
    runs, bring = no_browser
    bring.add("playwright")
    system.need_chromium()
    assert runs == ["playwright"]
    assert capsys.readouterr().out.splitlines()[-1] == "   /a/chromium"


def test_else_apt_get_does_for_root(no_browser):
    runs, bring = no_browser
    bring.add("apt-get")
    system.need_chromium()
    assert runs == ["playwright", "apt-get"]


def test_without_a_browser_one_line_says_what_is_skipped(no_browser, monkeypatch, capsys):
    runs, _ = no_browser
    monkeypatch.setattr(system.os, "geteuid", lambda: 1000)
    system.need_chromium()
    assert runs == ["playwright"]
    assert "tests in a browser, and the book as a PDF, are skipped: no Chromium" in capsys.readouterr().out
    monkeypatch.setenv("CI", "true")
    with pytest.raises(CourseError, match="install it by hand"):
        system.need_chromium()
