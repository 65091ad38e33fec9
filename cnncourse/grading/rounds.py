"""Seeds that no student can know: an HMAC of the class's secret, the exercise and the grading round."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

from cnncourse.checking import load
from cnncourse.grading.errors import ClassroomError

FOLDER = ".cnncourse"


def class_secret(course: Path) -> bytes:
    """Return the class's secret; it is made when it is first asked for, readable by its owner alone.

    Raises
    ------
    ClassroomError
        If the file holds something else.
    """
    path = course / FOLDER / "secret"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        made = path.with_name(f"secret.{os.getpid()}")
        made.touch(mode=0o600)
        made.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
        try:
            os.link(made, path)  # of two that begin at once, one wins
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            os.replace(made, path)
        made.unlink(missing_ok=True)
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) < 16:
        raise ClassroomError(f"{path} holds no secret: put the old file back, or delete it and grade anew")
    return secret


def current_round(course: Path, lab: str) -> int:
    """Return the number of a lab's grading round, from 1."""
    rounds = _rounds(course)
    return rounds.get(lab, 1)


def new_round(course: Path, lab: str) -> int:
    """Begin a new round, with other seeds, and return its number."""
    rounds = _rounds(course) | {lab: current_round(course, lab) + 1}
    path = course / FOLDER / "rounds.json"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = path.with_name(f"rounds.{os.getpid()}")
    made.write_text(json.dumps(rounds, indent=1) + "\n", encoding="utf-8")
    os.replace(made, path)
    return rounds[lab]


def _rounds(course: Path) -> dict[str, int]:
    path = course / FOLDER / "rounds.json"
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(lab): int(number) for lab, number in found.items()}
    except (ValueError, AttributeError, TypeError):
        raise ClassroomError(
            f"{path} is not what was written there: put the old file back or delete it"
        ) from None


def seeds(secret: bytes, exercise: str, number: int) -> tuple[int, ...]:
    """Return the seeds for an exercise in a round: the same for the whole class and for a resumed run."""
    try:
        draws = load(exercise).draws
    except ValueError:
        return ()
    return tuple(_seed(secret, f"{exercise}:{number}:{draw}") for draw in range(draws))


def _seed(secret: bytes, message: str) -> int:
    return int.from_bytes(hmac.new(secret, message.encode(), hashlib.sha256).digest()[:8], "big")
