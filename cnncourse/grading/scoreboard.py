"""What the instructor sees while a class is graded, and afterwards: progress, a table, where to go next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from cnncourse.grading.finding import plain
from cnncourse.grading.marks import Written
from cnncourse.grading.work import Result

WIDE, PER_EXERCISE = 60, 12  # columns of text: for a table without exercises, and for each exercise
NOT_A_TERMINAL = 160


@dataclass(frozen=True)
class Row:
    """What came of one student's submission.

    Attributes
    ----------
    state : ``"graded"``, ``"unchanged"`` or, with the reason in `trouble`, ``"failed"``
    points : for each exercise, points and most points
    seconds : how long it took
    flags : what the instructor should look at, in a word or two each
    written : what changed in the gradebook
    """

    student: str
    state: str
    trouble: str = ""
    points: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    seconds: float = 0.0
    flags: tuple[str, ...] = ()
    written: Written = field(default_factory=Written)

    @property
    def score(self) -> tuple[float, float]:
        """Points and most points of all checks."""
        return sum(got for got, _ in self.points.values()), sum(most for _, most in self.points.values())

    def __str__(self) -> str:
        got, most = self.score
        what = f"{got:g} of {most:g}" if self.points else self.trouble
        return f"{plain(self.student)} {what}".strip()


def row(student: str, state: str, results: Sequence[Result], written: Written) -> Row:
    """Return the row of a submission that was graded."""
    verdicts = [verdict for result in results for verdict in result.verdicts]
    names = [verdict.exercise or verdict.grade_id for verdict in verdicts]
    points = {name: (got.points, got.max_points) for name, got in zip(names, verdicts, strict=True)}
    kinds = [flag.kind for result in results for flag in result.flags]
    late = [f"late -{written.late:g}"] if written.late else []
    seconds = sum(result.seconds.get("total", 0.0) for result in results)
    return Row(student, state, "", points, seconds, (*dict.fromkeys(kinds), *late), written)


class Scoreboard:
    """Writes to a terminal, or plain lines to anything else."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        if not self.console.is_terminal:
            self.console.width = NOT_A_TERMINAL

    def line(self, text: str) -> None:
        """Write a line."""
        self.console.print(Text(text), soft_wrap=True)

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[str], None]]:
        """Show how far it is; the function that this gives is called with each student who is done."""
        if not self.console.is_terminal:
            done = 0

            def say(text: str) -> None:
                nonlocal done
                done += 1
                self.line(f"{done} of {total}: {text}")

            yield say
            return
        student = TextColumn("{task.description}", markup=False)
        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), student)
        with Progress(*columns, console=self.console, transient=True) as progress:
            task = progress.add_task("", total=total)
            yield lambda text: progress.update(task, advance=1, description=text)

    def table(self, rows: Sequence[Row]) -> None:
        """Write the class as a table."""
        exercises = list(dict.fromkeys(name for each in rows for name in each.points))
        if self.console.width < WIDE + PER_EXERCISE * len(exercises):
            exercises = []
        table = Table(box=None, padding=(0, 2, 0, 0))
        for name in ("student", "score", *(name.rpartition(".")[2] for name in exercises), "seconds"):
            table.add_column(Text(name), justify="left" if name == "student" else "right", no_wrap=True)
        table.add_column("look at")
        for each in sorted(rows, key=lambda row: row.student):
            got, most = each.score
            cells = [plain(each.student), f"{got:g} of {most:g}" if each.points else "-"]
            cells += [f"{each.points[name][0]:g}" if name in each.points else "-" for name in exercises]
            cells += [
                f"{each.seconds:.1f}" if each.points else "-",
                "failed, see below" if each.trouble else ", ".join(each.flags),
            ]
            table.add_row(*map(Text, cells))
        self.console.print(table)

    def changes(self, changed: Mapping[str, Mapping[tuple[str, str], tuple[float, float]]]) -> None:
        """Write whose score changes, from what to what."""
        for student, checks in sorted(changed.items()):
            for (_, grade_id), (old, new) in checks.items():
                self.line(f"{plain(student)}: {grade_id} {old:g} -> {new:g}")

    def summary(self, lab: str, rows: Sequence[Row], skipped: Sequence[str]) -> None:
        """Write what the table does not show, and where to go next."""
        count = Counter(row.state for row in rows)
        parts = [f"{count['graded']} graded"] if count["graded"] else []
        parts += [f"{count['unchanged']} unchanged since the last run"] if count["unchanged"] else []
        parts += [f"{count['failed']} failed"] if count["failed"] else []
        self.line(f"{len(rows)} submissions: {', '.join(parts)}.")
        for text in skipped:
            self.line(text)
        for each in rows:
            for text in each.written.lines:
                self.line(text)
        changed = {each.student: each.written.changed for each in rows if each.written.changed}
        if changed:
            self.line("Scores that were others before:")
            self.changes(changed)
        for each in rows:
            if each.trouble:
                self.line(f"{plain(each.student)}: failed, not the student's doing: {each.trouble}")
        by_hand = sum(each.written.by_hand for each in rows)
        if by_hand:
            waits = "answers wait" if by_hand > 1 else "answer waits"
            self.line(f"{by_hand} {waits} for a person: formgrader shows them.")
        if count["failed"]:
            self.line(f"Run `cnncourse grade {lab}` again for those that failed.")
        self.line(f"Next: `nbgrader generate_feedback {lab}`, `cnncourse report {lab}`.")
