"""Seeds: the same for a class and a resumed run, others in the next round and in another class."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

pytest.importorskip("nbgrader")

from cnncourse.grading import sources
from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.rounds import class_secret, current_round, new_round, seeds

PAD = "ch02_conv2d.pad2d"


def test_the_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    secret = class_secret(tmp_path)
    assert len(secret) == 32
    assert class_secret(tmp_path) == secret != class_secret(tmp_path / "other")
    assert stat.S_IMODE((tmp_path / ".cnncourse" / "secret").stat().st_mode) == 0o600
    assert sorted(path.name for path in (tmp_path / ".cnncourse").iterdir()) == ["secret"]


def test_a_broken_secret_is_named(tmp_path: Path) -> None:
    class_secret(tmp_path)
    (tmp_path / ".cnncourse" / "secret").write_text("hello")
    with pytest.raises(ClassroomError, match="holds no secret"):
        class_secret(tmp_path)


def test_rounds_are_recorded_for_each_lab(tmp_path: Path) -> None:
    assert current_round(tmp_path, "a") == 1
    assert new_round(tmp_path, "a") == 2
    assert (current_round(tmp_path, "a"), current_round(tmp_path, "b")) == (2, 1)
    (tmp_path / ".cnncourse" / "rounds.json").write_text("[")
    with pytest.raises(ClassroomError, match=r"rounds\.json"):
        current_round(tmp_path, "a")


def test_what_is_left_out_of_the_name_of_a_result_exists() -> None:
    left_out = [*sources.BESIDE, *(f"grading/{name}.py" for name in sources.AFTERWARDS)]
    assert [name for name in left_out if not (sources.PACKAGE / name).exists()] == []
    assert len(sources.sources_digest()) == 64


def test_seeds_depend_on_secret_exercise_and_round() -> None:
    mine = seeds(b"a" * 32, PAD, 1)
    assert mine == seeds(b"a" * 32, PAD, 1)
    assert len(set(mine)) == 3
    others = [seeds(b"b" * 32, PAD, 1), seeds(b"a" * 32, PAD, 2), seeds(b"a" * 32, "ch02_conv2d.im2col", 1)]
    assert not set(mine) & {seed for other in others for seed in other}
    assert seeds(b"a" * 32, "ch99.none", 1) == ()
