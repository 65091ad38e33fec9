"""Every attack of the corpus earns nothing, harms nothing and is over in time, and the next student gets hers."""

from __future__ import annotations

import json
import os
import re
import secrets
import site
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nbgrader")

from classroom import Classroom
from corpus import LAB, POINTS, Attack, attacks
from watch import at_most, descendants, listening, listing, little_memory, memory_watched

from cnncourse.checking import load
from cnncourse.grading import kernel, work
from cnncourse.grading.sandbox import trouble
from cnncourse.grading.settings import Settings

SETTINGS = Settings(cell_seconds=2, notebook_seconds=12, memory_mb=1024, scratch_mb=16)
SECONDS = 10.0  # for one attack, unless its file says otherwise
JUDGE_MB = 500  # that this process may grow by
ALL_MB = 2500  # that the whole computer may need more, for an attack on memory
CORPUS = attacks()


def parameters(*groups: str) -> list[Any]:
    """Return the attacks of some groups, or all, as parameters of a test."""
    found = []
    for attack in CORPUS:
        marks = [pytest.mark.slow] if "slow" in attack.fields else []
        if not groups or (attack.group in groups and attack.fields.get("needs") != "sandbox"):
            found.append(pytest.param(attack, id=attack.name, marks=marks))
    return found


@pytest.fixture(scope="module")
def sandbox() -> None:
    """Skip where there is no sandbox; in continuous integration there must be one."""
    if why := trouble():
        if os.environ.get("CI") == "true":
            pytest.fail(f"no sandbox: {why}")
        pytest.skip(f"no sandbox: {why}")


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classroom]:
    made = Classroom(tmp_path_factory.mktemp("classroom"), f"canary{secrets.token_hex(8)}")
    made.set_up()
    with listening(made.root) as made.listening, pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "GRACE_SECONDS", 1.0)
        for name in POINTS:
            patch.setattr(load(f"{LAB}.{name}"), "seconds", 1.5)
        patch.setenv("HOME", str(made.root / "home"))
        patch.setenv("CLASS_TOKEN", made.secret)
        patch.chdir(made.root / "class")
        yield made
        work.close_sandboxes()


@pytest.fixture(scope="module")
def libraries() -> Iterator[None]:
    """Nothing may be added to what is installed, over all attacks."""
    folders = [Path(sys.prefix), *map(Path, site.getsitepackages()), Path("/dev/shm")]
    before = listing(*folders)
    yield
    new = {path for path in listing(*folders) - before if "__pycache__" not in path}
    assert not new


@pytest.mark.parametrize("attack", parameters())
def test_an_attack_earns_and_harms_nothing(
    sandbox: None, libraries: None, classroom: Classroom, attack: Attack
) -> None:
    look_at(classroom, attack, SETTINGS)


@pytest.mark.parametrize("attack", parameters("forging"))
def test_a_forged_verdict_earns_nothing_without_a_sandbox(classroom: Classroom, attack: Attack) -> None:
    look_at(classroom, attack, replace(SETTINGS, sandbox=False))


def look_at(classroom: Classroom, attack: Attack, settings: Settings) -> None:
    """Grade an attack and then an honest student, and look at all that may have changed."""
    try:
        watched(classroom, attack, settings)
    except BaseException:
        work.close_sandboxes()  # one hole at a time: the next attack gets a warm process of its own
        raise


def watched(classroom: Classroom, attack: Attack, settings: Settings) -> None:
    """Do what `look_at` says."""
    warm = classroom.warm(settings)
    process = warm._process.pid
    family = descendants(process)
    classroom.hand_in(attack)
    files = classroom.files()
    if "twice" in attack.fields:  # it looks for what it has left
        classroom.grade("eve", settings)
    limit = float(attack.fields.get("seconds", SECONDS))
    with at_most(limit + 30), little_memory(4000), memory_watched() as memory:
        began = time.monotonic()
        result = classroom.grade("eve", settings)
        seconds = time.monotonic() - began
    assert_nothing_earned(attack, result)
    assert_nothing_told(classroom, result)
    assert classroom.files() == files
    assert seconds < limit, f"{seconds:.1f} s"
    assert memory.judge < JUDGE_MB, f"the judge grew by {memory.judge:.0f} MB"
    if "memory" in attack.fields:
        assert memory.everything < ALL_MB, f"{memory.everything:.0f} MB more were in use"
    assert classroom.warm(settings)._process.pid == process, "the warm process did not survive"
    assert descendants(process) == family, ("a process is left", family, descendants(process))
    following = classroom.grade("honest", settings)
    assert [verdict.points for verdict in following.verdicts] == list(POINTS.values()), following.verdicts
    assert following.notebook == classroom.honest(settings).notebook
    assert following.flags == classroom.honest(settings).flags


def assert_nothing_earned(attack: Attack, result: work.Result) -> None:
    """One verdict for each check, none for what was attacked, and the flags that the instructor should see."""
    earned = {verdict.exercise.split(".")[1]: verdict.points for verdict in result.verdicts}
    assert list(earned) == list(POINTS)
    assert attack.points in (None, sum(earned.values())), (earned, result.flags, shown(result))
    # A call that was hidden from the search may earn points; its way of hiding is shown to the instructor.
    evading = attack.points is None and attack.group == "library"
    assert evading or attack.points or not any(earned[name] for name in attack.attacked), earned
    kinds = {flag.kind for flag in result.flags}
    assert set(attack.flags) <= kinds, result.flags
    assert "not judged" not in kinds, result.flags  # that would be an error of the judge's own
    if attack.says_tried:
        assert "tried" in shown(result), f"it did not get as far as it wants to: {shown(result)}"


def assert_nothing_told(classroom: Classroom, result: work.Result) -> None:
    """Nothing of what is held back, and no sign of success, stands in what comes back."""
    text = shown(result)
    assert "BREACH" not in text, text
    assert "LEAK" not in text, text
    assert classroom.secret not in result.notebook + text
    assert classroom.held_back.isdisjoint(re.findall(r"(?=([\d.]{8}))", text))
    lines = [*result.notes, *(f"{flag.text} {flag.cell} {flag.code}" for flag in result.flags)]
    assert not [line for line in lines if not line.isprintable()], "written to the instructor's terminal"
    assert not [note for note in result.notes if "<" in note]


def shown(result: work.Result) -> str:
    """Return all that came of a submission but its own source."""
    cells = json.loads(result.notebook)["cells"]
    verdicts = [[v.text, v.html, v.reason, v.error, v.hint, v.misconception] for v in result.verdicts]
    return json.dumps([[cell.get("outputs") for cell in cells], verdicts, result.notes], ensure_ascii=False)
