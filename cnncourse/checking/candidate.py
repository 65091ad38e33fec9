"""Where an answer runs: a checker sends it plain data, gets plain data back, and knows nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from cnncourse.checking.forbidden import Use, find_use
from cnncourse.running.answer import Outcome, call_answer
from cnncourse.running.plain import Plain

SLACK = 3.0  # on a student's computer other programs compute too; a class is graded without slack


class Candidate(Protocol):
    """An answer to an exercise, wherever it runs: in this process, in another one, in a browser."""

    def call(self, arguments: dict[str, Plain], seconds: float) -> Outcome:
        """Call the answer with these arguments, for at most so many seconds."""

    def use_of(self, forbidden: Sequence[str]) -> Use | None:
        """Return the first place where the answer uses one of these library functions."""


class LocalCandidate:
    """A function in this process, or several that are one answer."""

    def __init__(self, *answers: Any, way: str = "function") -> None:
        self.answers, self.way = answers, way

    def call(self, arguments: dict[str, Plain], seconds: float) -> Outcome:
        """Call the answer on copies of the arguments; catch all that it raises, prints and changes."""
        return call_answer(self.answers, self.way, arguments, seconds, SLACK)

    def use_of(self, forbidden: Sequence[str]) -> Use | None:
        """Look for the library functions in the source of the answer and of the functions that it calls."""
        return next((use for answer in self.answers if (use := find_use(answer, forbidden))), None)
