"""A class folder and a home folder with secrets in them, and grading what is handed in there."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from corpus import LAB, NAME, POINTS, Attack, hand_in, lab
from watch import fingerprint

from cnncourse.checking import load
from cnncourse.grading import work
from cnncourse.grading.rounds import seeds
from cnncourse.grading.sandbox import PACKAGE, Sandbox
from cnncourse.grading.settings import Settings

SECRET_FILES = (
    "class/gradebook.db",
    "class/.cnncourse/secret",
    f"class/solutions/{LAB}/{NAME}",
    f"class/submitted/mia/{LAB}/{NAME}",
    f"class/autograded/mia/{LAB}/{NAME}",
    "home/.ssh/id_ed25519",
    "home/.bash_history",
    "home/.config/token",
)


@dataclass
class Classroom:
    """A class.

    Attributes
    ----------
    root : holds ``class`` and ``home``
    secret : stands in every file that no student may see, and in the environment
    listening : where this process listens: ``PORT``, ``SOCKET``, ``ABSTRACT``
    """

    root: Path
    secret: str
    listening: dict[str, str] = field(default_factory=dict)
    baselines: dict[Settings, work.Result] = field(default_factory=dict)

    def set_up(self) -> None:
        """Write the secrets, release the lab, and hand in the work of an honest student."""
        for path in SECRET_FILES:
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(f"{self.secret} of {path}", encoding="utf-8")
        self.released.parent.mkdir(parents=True)
        self.released.write_text(json.dumps(lab()), encoding="utf-8")
        hand_in(self.submission("honest"), None, {})

    @property
    def released(self) -> Path:
        """The released notebook."""
        return self.root / "class" / "notebooks" / LAB / NAME

    def submission(self, student: str) -> Path:
        """Return a student's folder for the lab."""
        return self.root / "class" / "submitted" / student / LAB

    def hand_in(self, attack: Attack) -> None:
        """Hand in an attack as the work of the student Eve; what she handed in before is gone."""
        folder = self.submission("eve")
        shutil.rmtree(folder, ignore_errors=True)
        places = {
            "CLASS": str(self.root / "class"),
            "HOME": str(self.root / "home"),
            "PACKAGE": str(PACKAGE),
            "PREFIX": sys.prefix,
            "SUBMISSION": str(folder),
            "JUDGE": str(os.getpid()),
            **self.listening,
        }
        hand_in(folder, attack, places)

    def grade(self, student: str, settings: Settings) -> work.Result:
        """Grade what a student handed in."""
        drawn = {f"{LAB}.{name}": self.seeds(name) for name in POINTS}
        folder = str(self.submission(student))
        return work.grade_submission(
            work.Job(student, LAB, NAME, folder, str(self.released), 1, drawn, settings)
        )

    def honest(self, settings: Settings) -> work.Result:
        """Return what the honest student got before any attack."""
        if settings not in self.baselines:
            self.baselines[settings] = self.grade("honest", settings)
        return self.baselines[settings]

    def warm(self, settings: Settings) -> Sandbox:
        """Return the warm process, which the honest student's work has started if there was none."""
        self.honest(settings)
        if not any(key[0] == settings for key in work._warm):
            self.grade("honest", settings)
        [(_, sandbox)] = work._warm.items()
        return sandbox

    def files(self) -> dict[str, str]:
        """Return what stands in all files in which nothing may change."""
        return fingerprint([self.root, PACKAGE])

    def seeds(self, exercise: str) -> tuple[int, ...]:
        """Return the seeds of an exercise."""
        return seeds(self.secret.encode(), f"{LAB}.{exercise}", 1)

    @cached_property
    def held_back(self) -> set[str]:
        """The numbers that answers are tried with, as they begin when they are written out: 8 signs of each."""
        numbers: set[str] = set()
        for name in POINTS:
            exercise = load(f"{LAB}.{name}")
            for case in (c for seed in self.seeds(name) for c in exercise.cases(np.random.default_rng(seed))):
                arrays = [value for value in case.arguments.values() if isinstance(value, np.ndarray)]
                floats = [abs(float(value)) for array in arrays for value in array.ravel() if value % 1]
                numbers |= {f"{value:.12f}"[:8] for value in floats if value > 0.01}
        return numbers
