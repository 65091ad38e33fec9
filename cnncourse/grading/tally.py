"""Count what a class's results say: the numbers of the report, before they are put on a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Literal

from cnncourse.grading.sheet import Cell, Row, Sheet, number
from cnncourse.grading.verdicts import Flag, Status, Verdict
from cnncourse.grading.work import Result

STATUSES: tuple[Status, ...] = (
    "right",
    "partly right",
    "too slow",
    "wrong",
    "not counted",
    "not written",
    "no verdict",
)
UNTRIED = frozenset({"not written", "not counted", "no verdict"})  # answers whose situations say nothing
MANY = 6  # different numbers of points between none and all that are shown one by one
WIDTHS = (0.5, 1, 2, 5, 10, 20, 50, 100)  # in points, of the bars for all exercises
ROUNDING = 1e-9
MOST_FLAGS = 20  # of one student
LONGEST_CODE = 600  # characters of a flagged line

Kind = Literal["all", "some", "none", "total"]
Results = Mapping[str, Sequence[Result]]  # by student; a lab may have several notebooks


@dataclass(frozen=True)
class Bar:
    """How many students have so many points; `width` is a share of the longest bar beside it."""

    label: str
    count: int
    share: float
    width: float
    kind: Kind


@dataclass(frozen=True)
class Exercise:
    """The points and the verdicts of a class in one exercise."""

    name: str
    most: float
    mean: float
    bars: Sequence[Bar]
    statuses: Sequence[tuple[str, int]]
    by_hand: int
    waiting: int


@dataclass(frozen=True)
class Held:
    """A misconception, and who holds it; `share` is of all whose answers were judged."""

    exercise: str
    name: str
    hint: str
    students: Sequence[str]
    share: float


@dataclass(frozen=True)
class Failing:
    """A group of situations: how many answers are wrong in it, of how many that were tried."""

    exercise: str
    group: str
    wrong: int
    tried: int

    @property
    def share(self) -> float:
        """The wrong ones, as a share."""
        return self.wrong / self.tried


@dataclass(frozen=True)
class Raised:
    """Flags of one student, and how many more there are."""

    student: str
    flags: Sequence[Flag]
    more: int


@dataclass(frozen=True)
class Slow:
    """Where the time of a submission went."""

    student: str
    seconds: Mapping[str, float]
    answer: str
    answer_seconds: float


@dataclass(frozen=True)
class Tally:
    """All numbers of the report.

    Attributes
    ----------
    graded : students with points
    judged : how many of them have a stored result, which says more than the points
    rounds : how many results there are of each grading round
    unsandboxed : students whose code ran without a sandbox
    """

    graded: Sequence[Row]
    judged: int
    mean: float
    median: float
    totals: Sequence[Bar]
    rounds: Mapping[int, int]
    unsandboxed: Sequence[str]
    waiting: Sequence[str]
    exercises: Sequence[Exercise]
    held: Sequence[Held]
    failing: Sequence[Failing]
    slowest: Sequence[Slow]
    flagged: Sequence[Raised]
    unreadable: Sequence[Raised]
    flags: Mapping[str, int] = field(default_factory=dict)


def tally(sheet: Sheet, results: Results) -> Tally:
    """Count everything for the students of the sheet who have points."""
    graded = [row for row in sheet.rows if row.handed_in]
    found = {row.student: results[row.student] for row in graded if results.get(row.student)}
    every = [result for several in found.values() for result in several]
    totals = sorted(row.total for row in graded)
    flagged = _raised(found, lambda flag: flag.kind not in ("unreadable", "no sandbox"))
    return Tally(
        graded=graded,
        judged=len(found),
        mean=sum(totals) / len(totals) if totals else 0.0,
        median=(totals[(len(totals) - 1) // 2] + totals[len(totals) // 2]) / 2 if totals else 0.0,
        totals=_total_bars(totals, sheet.max_points),
        rounds=dict(sorted(Counter(result.round for result in every).items())),
        unsandboxed=[name for name, several in found.items() if not all(one.sandbox for one in several)],
        waiting=[row.student for row in graded if row.waiting],
        exercises=[_exercise(sheet, cell, graded, found) for cell in sheet.cells],
        held=_held(sheet, found),
        failing=_failing(sheet, found),
        slowest=_slowest(found),
        flagged=flagged,
        unreadable=_raised(found, lambda flag: flag.kind == "unreadable"),
        flags={raised.student: len(raised.flags) + raised.more for raised in flagged},
    )


def _bars(counts: Sequence[tuple[str, int, Kind]]) -> list[Bar]:
    total = sum(count for _, count, _ in counts) or 1
    most = max((count for _, count, _ in counts), default=0) or 1
    return [Bar(label, count, count / total, count / most, kind) for label, count, kind in counts]


def _total_bars(totals: Sequence[float], most: float) -> list[Bar]:
    """Return up to ten bars of equal, round width, the best first; that one includes all points, and more."""
    if not most:
        return []
    width = next((width for width in WIDTHS if most / width <= 10), most / 10)
    last = ceil(most / width - ROUNDING) - 1
    counts = Counter(min(last, int(total / width + ROUNDING)) for total in totals)
    below: list[tuple[str, int, Kind]] = [
        (f"{number(i * width)} to under {number((i + 1) * width)}", counts[i], "total")
        for i in reversed(range(last))
    ]
    return _bars([(f"{number(last * width)} to {number(most)}", counts[last], "total"), *below])


def _point_bars(points: Sequence[float], most: float) -> list[Bar]:
    """Return a bar for each number of points that somebody has; where they are many, for each fifth."""
    full, none = [v for v in points if v >= most - ROUNDING], [v for v in points if v <= 0 < most]
    some = [round(value, 2) for value in points if 0 < value < most - ROUNDING]
    between: list[tuple[str, int, Kind]]
    if len(set(some)) <= MANY:
        counts = Counter(some)
        between = [(number(value), counts[value], "some") for value in sorted(counts, reverse=True)]
    else:
        fifths = Counter(int(5 * value / most + ROUNDING) for value in some)
        ends = [number(i * most / 5) for i in range(6)]
        labels = [f"above {ends[0]} to under {ends[1]}"]
        labels += [f"{ends[i]} to under {ends[i + 1]}" for i in range(1, 5)]
        between = [(labels[i], fifths[i], "some") for i in reversed(range(5))]
    return _bars([(number(most), len(full), "all"), *between, ("0", len(none), "none")])


def _verdicts(several: Iterable[Result]) -> dict[Cell, Verdict]:
    return {
        (result.name.removesuffix(".ipynb"), verdict.grade_id): verdict
        for result in several
        for verdict in result.verdicts
    }


def _exercise(sheet: Sheet, cell: Cell, graded: Sequence[Row], results: Results) -> Exercise:
    marks = [row.marks[cell] for row in graded if cell in row.marks]
    settled = [mark.points for mark in marks if not mark.waiting]
    verdicts = [found for several in results.values() if (found := _verdicts(several).get(cell))]
    counts = Counter(verdict.status for verdict in verdicts)
    return Exercise(
        name=sheet.cells[cell],
        most=sheet.most[cell],
        mean=sum(settled) / len(settled) if settled else 0.0,
        bars=_point_bars(settled, sheet.most[cell]),
        statuses=[(status, counts[status]) for status in STATUSES if counts[status]],
        by_hand=sum(mark.by_hand for mark in marks),
        waiting=sum(mark.waiting for mark in marks),
    )


def _held(sheet: Sheet, results: Results) -> list[Held]:
    who: dict[tuple[Cell, str, str], list[str]] = {}
    for student, several in results.items():
        for cell, verdict in _verdicts(several).items():
            if verdict.misconception and cell in sheet.cells:
                who.setdefault((cell, verdict.misconception, verdict.hint), []).append(student)
    held = [
        Held(sheet.cells[cell], name.replace("_", " "), hint, students, len(students) / len(results))
        for (cell, name, hint), students in who.items()
    ]
    order = list(sheet.cells.values())
    return sorted(held, key=lambda one: (-len(one.students), order.index(one.exercise), one.name))


def _failing(sheet: Sheet, results: Results) -> list[Failing]:
    """Return the groups of situations in which an answer is wrong, those that fail most first."""
    tried: Counter[tuple[Cell, str]] = Counter()
    wrong: Counter[tuple[Cell, str]] = Counter()
    for several in results.values():
        for cell, verdict in _verdicts(several).items():
            if verdict.status not in UNTRIED and cell in sheet.cells:
                tried.update((cell, group) for group in verdict.groups)
                wrong.update((cell, group) for group, right in verdict.groups.items() if not right)
    found = [
        Failing(sheet.cells[cell], group, count, tried[cell, group]) for (cell, group), count in wrong.items()
    ]
    return sorted(found, key=lambda one: (-one.share, -one.wrong, one.exercise, one.group))


def _raised(results: Results, wanted: Callable[[Flag], bool]) -> list[Raised]:
    raised = []
    for student, several in results.items():
        flags = [_short(flag) for result in several for flag in result.flags if wanted(flag)]
        if flags:
            raised.append(Raised(student, flags[:MOST_FLAGS], max(0, len(flags) - MOST_FLAGS)))
    return raised


def _short(flag: Flag) -> Flag:
    code = flag.code if len(flag.code) <= LONGEST_CODE else flag.code[:LONGEST_CODE] + " …"
    return replace(flag, code=code.rstrip())


def _slowest(results: Results, most: int = 10) -> list[Slow]:
    slow = []
    for student, several in results.items():
        seconds = {name: sum(one.seconds.get(name, 0.0) for one in several) for name in ("cells", "judge")}
        seconds["total"] = own_seconds(several)
        answers = [verdict for verdict in _verdicts(several).values() if verdict.seconds > 0]
        worst = max(answers, key=lambda verdict: verdict.seconds, default=None)
        name = worst.grade_id.removesuffix("-check") if worst else ""
        slow.append(Slow(student, seconds, name, worst.seconds if worst else 0.0))
    return sorted(slow, key=lambda one: -one.seconds["total"])[:most]


def own_seconds(several: Iterable[Result]) -> float:
    """Return how long a submission took, without the start of a sandbox that others use after it."""
    return sum(result.seconds.get("total", 0.0) - result.seconds.get("start", 0.0) for result in several)
