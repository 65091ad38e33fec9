"""What the guides tell people to type exists: commands, options, settings, and the tests that hold a promise."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnncourse import cli

ROOT = Path(__file__).resolve().parents[1]
GUIDES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("book/*.md"))]
PLAIN_COMMANDS = ("start", "check", "doctor")


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yield each `cnncourse` command that a guide shows in full, and the guide."""
    for guide in GUIDES:
        text = guide.read_text(encoding="utf-8")
        blocks = re.findall(r"^```(?:bash|powershell)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
        lines = [line for block in blocks for line in block.splitlines()]
        lines += [code for code in re.findall(r"`([^`\n]+)`", text) if len(code.split()) > 2]
        for line in lines:
            if line.startswith("cnncourse "):
                yield guide.name, shlex.split(line, comments=True)[1:]


def test_the_guides_show_commands() -> None:
    assert {words[0] for _, words in commands()} >= {"start", "grade", "report", "export", "collect"}


@pytest.mark.parametrize(("guide", "words"), list(commands()), ids=lambda value: str(value)[:60])
def test_a_command_of_a_guide_is_understood(guide: str, words: list[str]) -> None:
    if words[0] not in PLAIN_COMMANDS:
        pytest.importorskip("nbgrader")
    chosen = words[0] if words[0] in cli.CLASS_COMMANDS else ""
    try:
        cli.build_parser(chosen).parse_args(words)
    except SystemExit:
        pytest.fail(f"{guide}: cnncourse {' '.join(words)}")


def test_the_settings_that_the_guides_name_exist() -> None:
    pytest.importorskip("nbgrader")
    from cnncourse.grading.execute import JudgedExecute

    named = {
        name for guide in GUIDES for name in re.findall(r"JudgedExecute\.(\w+)", guide.read_text("utf-8"))
    }
    assert {"run_all", "cell_seconds"} <= named <= set(JudgedExecute.class_trait_names(config=True))


def test_the_tests_that_hold_a_promise_exist() -> None:
    text = (ROOT / "book" / "threat_model.md").read_text(encoding="utf-8")
    files = {f"{name}.py" for name in re.findall(r"\btest_\w+", text)} | {"security"}
    groups = {f"security/attacks/{name}" for name in re.findall(r"(?<!/)\bsecurity/(\w+)\b", text)}
    others = {name.removeprefix("tests/") for name in re.findall(r"`(tests/[\w./]+)`", text)}
    assert len(files) > 8 and len(groups) > 8
    assert not [name for name in sorted(files | groups | others) if not (ROOT / "tests" / name).exists()]
