"""The checks that `make test` runs, all of them even when one fails, and the table of their times."""

import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.environment import OLD_NUMPY, OLD_VENV, make_old_venv
from tools.steps import VENV, CourseError, run, say, venv_python
from tools.system import need_chromium, need_sandbox

TOTAL_BUDGET = 1500  # seconds, on two cores
PYTEST = ("-m", "pytest")
WORKERS = ("-n", "2", "--dist", "loadfile")

# What must hold with NumPy alone, 1.25 included: it runs in the reader's browser. Tests that need torch skip.
NUMPY_PART = (
    "tests/test_shapes.py", "tests/test_layers.py", "tests/test_checking.py", "tests/test_exercises.py",
    "tests/test_plain.py", "tests/test_wire.py", "tests/test_feedback.py", "tests/test_cli.py",
    "tests/test_layers_family.py", "tests/test_layers_pieces.py", "tests/test_shapes_family.py",
    "tests/test_pool.py", "tests/test_norm.py",
    "tests/test_activation.py", "tests/test_loss.py", "tests/test_gradcheck.py",
    "tests/test_boxes.py", "tests/test_anchors.py", "cnncourse/gradcheck.py", "cnncourse/boxes",
    "tests/test_nms.py", "tests/test_matching.py", "tests/test_metrics.py", "tests/test_scenes.py",
    "tests/test_rle.py", "cnncourse/matching", "cnncourse/metrics", "cnncourse/mask_metrics.py",
    "cnncourse/data/rle.py",
    "cnncourse/data/scenes.py", "cnncourse/data/scene_shapes.py",
    "cnncourse/anchors.py", "cnncourse/shapes", "cnncourse/layers", "cnncourse/running",
    "cnncourse/checking", "cnncourse/exercises",
)  # fmt: skip


@dataclass
class Check:
    """One row of the closing table: something to prepare, then commands for the Python of `venv`."""

    name: str
    budget: int  # seconds
    commands: Sequence[Sequence[str]] = ()
    prepare: Callable[[], None] | None = None
    venv: Path = VENV
    seconds: float = 0.0
    passed: bool = False
    counts: Counter[str] = field(default_factory=Counter)


def lint() -> Check:
    """Ruff's rules and layout, and mypy's types."""
    commands = (("-m", "ruff", "check", "."), ("-m", "ruff", "format", "--check", "."), ("-m", "mypy"))
    return Check("lint", 60, commands)


def quick_tests() -> Check:
    """Every test and doctest but those of the built book and of nbgrader at work."""
    return Check("tests", 120, [(*PYTEST, *WORKERS, "-m", "not (book or nbgrader or slow)")])


def numpy_part() -> Check:
    """Return the NumPy part on the oldest NumPy; that has no packages for a Python later than 3.11."""
    name = f"NumPy {OLD_NUMPY}"
    if sys.version_info[:2] > (3, 11):
        return Check(name, 120, prepare=lambda: say(f"   left out: NumPy {OLD_NUMPY} needs Python 3.11"))
    return Check(name, 180, [(*PYTEST, *WORKERS, *NUMPY_PART)], make_old_venv, OLD_VENV)


def all_checks(build_book: Callable[[], None], print_book: Callable[[], None]) -> list[Check]:
    """Every check, the quick ones first."""
    return [
        lint(),
        Check("labs are derived", 30, [("tools/build_labs.py", "--check")]),
        Check("solved labs", 120, [(*PYTEST, *WORKERS, "--nbval", "solutions")]),
        Check("sandbox", 60, prepare=need_sandbox),
        Check("browser", 120, prepare=need_chromium),
        Check("book", 300, prepare=build_book),
        Check("book as a PDF", 90, prepare=print_book),
        Check("tests", 840, [(*PYTEST, *WORKERS, "--durations=25")]),
        numpy_part(),
    ]


def pytest_counts(output: str) -> Counter[str]:
    """Read how many tests passed, failed and so on from the last summary in pytest's output."""
    summaries = re.findall(r"^=+ (.*) in [\d.]+s.*=+$", output, flags=re.MULTILINE)
    found = re.findall(r"(\d+) (passed|failed|skipped|error)", summaries[-1]) if summaries else []
    return Counter({word: int(number) for number, word in found})


def perform(check: Check) -> None:
    """Run one check to its end and note what came of it."""
    say(f"\n== {check.name}")
    start, passed = time.monotonic(), True
    try:
        if check.prepare:
            check.prepare()
        for number, command in enumerate(check.commands):
            say("   " + " ".join(command))
            log = f"test-{re.sub('[^a-z0-9]+', '-', check.name.lower())}-{number}"
            status, output = run([venv_python(check.venv), *command], log, check.venv, echo=True)
            check.counts += pytest_counts(output)
            passed = passed and status == 0
    except CourseError as trouble:
        say(f"course: {trouble}")
        passed = False
    check.seconds, check.passed = time.monotonic() - start, passed


def closing_table(checks: Sequence[Check]) -> str:
    """Return the seconds and budget of each check, the names of those that failed, and the tests' totals."""
    rows = [f"{'check':<20}{'seconds':>9}{'budget':>9}"]
    for check in checks:
        verdict = "passed" if check.passed else "FAILED"
        late = ", over budget" if check.seconds > check.budget else ""
        rows.append(f"{check.name:<20}{check.seconds:>9.0f}{check.budget:>9}  {verdict}{late}")
    seconds = sum(check.seconds for check in checks)
    rows.append(f"{'all':<20}{seconds:>9.0f}{TOTAL_BUDGET:>9}")
    failed = [check.name for check in checks if not check.passed]
    rows.append(f"failed: {', '.join(failed)}" if failed else "every check passed")
    counts = sum((check.counts for check in checks), Counter[str]())
    if counts:
        passed, broken, skipped = counts["passed"], counts["failed"] + counts["error"], counts["skipped"]
        rows.append(f"{passed} passed, {broken} failed, {skipped} skipped")
    return "\n".join(rows)


def run_checks(checks: Sequence[Check]) -> None:
    """Run every check, print the closing table, and end this program with 1 if one failed."""
    for check in checks:
        perform(check)
    say("\n" + closing_table(checks))
    if not all(check.passed for check in checks):
        raise SystemExit(1)
