"""What is handed back on a graded answer: what helps its author, and nothing of what it was tried with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from html import escape
from typing import Literal

from cnncourse.checking.card import State, aside, frame, hint_box, prose, situations
from cnncourse.checking.compare import Rung
from cnncourse.checking.report import CaseResult, Report
from cnncourse.checking.wording import error_class, meaning_of, own_line, what_is_wrong

Status = Literal["right", "partly right", "wrong", "not written", "not counted", "too slow"]

MOST_KINDS = 2  # of problems that are spoken about
OTHER_NUMBERS = (
    "Grading tries the situations of the check with other numbers. "
    "Run the check in your notebook: it shows what comes back and what is expected."
)
STATES: tuple[State, ...] = ("right", "not tried", "not yet")  # one case that is not right speaks for all
LABELS: dict[State, str] = {
    "right": "right",
    "not yet": "not yet right",
    "not tried": "not tried after that",
}

# How a note of the report begins, and what is said of it here.
NOTES = (
    ("It printed", "It prints while it is called: remove the print."),
    ("It caused a warning", "It causes a warning: call it in a cell of its own and read the warning."),
    (
        "The same call ends differently",
        "The same call ends differently the second time: something is kept from call to call.",
    ),
)


@dataclass(frozen=True)
class Feedback:
    """What is handed back on one exercise.

    Attributes
    ----------
    text, html : for the student, plain and as a card
    reason : one plain line
    status : in one word or two
    error : the class of the error that the answer raised, where it is one of Python's or NumPy's
    """

    text: str
    html: str
    reason: str
    status: Status
    error: str


@dataclass(frozen=True)
class _Said:
    """One kind of problem: in which situations, what is wrong, the student's line, what an error means."""

    at: str
    what: str
    code: str
    meaning: str

    @property
    def first(self) -> str:
        return f"{self.at}: {self.what}" if self.at else self.what[0].upper() + self.what[1:]

    def text(self) -> list[str]:
        code = [f"in your line: {self.code}"] if self.code else []
        return [self.first, *code, *([self.meaning] if self.meaning else [])]

    def html(self) -> str:
        code = f"<div>in your line: <code>{escape(self.code)}</code></div>" if self.code else ""
        meaning = f"<div>{prose(self.meaning)}</div>" if self.meaning else ""
        return f'<div style="margin-top:.3em">{prose(self.first)}</div>{code}{meaning}'


def feedback(report: Report, own_lines: Collection[str]) -> Feedback:
    """Return what is handed back on an answer that was judged with inputs that are held back.

    Parameters
    ----------
    report : Report
        Its cases may come from several seeds; cases with the same `why` are one situation.
    own_lines : collection of str
        The lines of the submission's code, stripped. No other code is repeated.
    """
    tried = _situations(report)
    status = _status(report)
    share = _share(report, status, tried)
    said = _said(report, own_lines)
    headline = f"{share}, {report.points:g} of {report.max_points:g} point{'s' * (report.max_points != 1)}"
    headline += f". {report.remark}" if report.passed else ""
    notes = _notes(report)
    raised = [r.problem for r in report.results if r.problem and r.problem.rung is Rung.RAISED]
    return Feedback(
        text=_text(report, headline, tried, said, notes),
        html=_html(report, headline, tried, said, notes),
        reason=f"{share}: {said[0].what}".rstrip(".") if said else share,
        status=status,
        error=error_class(raised[0]) if raised and raised[0].error else "",
    )


def _situations(report: Report) -> dict[str, State]:
    """Return how the answer did in each situation, over all seeds."""
    tried: dict[str, State] = {}
    for result in report.results:
        state: State = "not tried" if not result.tried else "right" if result.right else "not yet"
        tried[result.case.why] = max(tried.get(result.case.why, "right"), state, key=STATES.index)
    return tried


def _status(report: Report) -> Status:
    rungs = {result.problem.rung for result in report.results if result.problem}
    if report.passed:
        return "right"
    if report.unwritten:
        return "not written"
    if Rung.FORBIDDEN in rungs:
        return "not counted"
    if rungs == {Rung.TOO_SLOW}:
        return "too slow"
    return "partly right" if report.points else "wrong"


def _share(report: Report, status: Status, tried: dict[str, State]) -> str:
    right, of = list(tried.values()).count("right"), len(tried)
    match status:
        case "right":
            return f"right in all {of} situations"
        case "not written" | "not counted":
            return status if status == "not counted" else "not written yet"
        case "too slow":
            some = any(result.right for result in report.results)
            return "right so far, but too slow" if some else "too slow"
    if not report.about_cases:
        return "nothing to try"
    return f"right in {right or 'none'} of {of} situations"


def _said(report: Report, own_lines: Collection[str]) -> list[_Said]:
    """Say what is wrong, the lowest rungs of the ladder first; the first case of a rung speaks for it."""
    kinds: dict[Rung, list[CaseResult]] = {}
    for result in report.results:
        if result.problem:
            kinds.setdefault(result.problem.rung, []).append(result)
    wrong = {result.case.why for results in kinds.values() for result in results}
    said = []
    for rung in sorted(kinds)[: MOST_KINDS if report.about_cases else 1]:
        result = kinds[rung][0]
        assert result.problem is not None
        whys = list(dict.fromkeys(result.case.why for result in kinds[rung]))
        more = f" and {len(whys) - 1} more" if len(whys) > 1 else ""
        at = "" if set(whys) == wrong else f'"{whys[0]}"{more}'
        what = what_is_wrong(report.name, result, own_lines) + _where(kinds[rung])
        meaning = "" if report.hint else meaning_of(result.problem)
        said.append(_Said(at, what, own_line(result.problem, own_lines), meaning))
    return said


def _where(results: list[CaseResult]) -> str:
    """Say where wrong values lie, if they lie somewhere special in one of the cases."""
    found = [(result.case.why, result.problem.where) for result in results if result.problem]
    why, where = next((pair for pair in found if pair[1]), ("", ""))
    return f' With "{why}" they are {where}.' if where else ""


def _notes(report: Report) -> list[str]:
    notes = [text for start, text in NOTES if any(note.startswith(start) for note in report.notes)]
    if report.about_cases:
        groups: dict[str, bool] = {}
        for result in report.results:
            groups[result.case.group] = groups.get(result.case.group, True) and result.right
        if any(groups.values()) and not all(groups.values()):
            missing = ", ".join(group for group, right in groups.items() if not right)
            notes.append(f"Situations earn points together; not yet earned: {missing}.")
        notes.append(OTHER_NUMBERS)
    return notes


def _text(report: Report, headline: str, tried: dict[str, State], said: list[_Said], notes: list[str]) -> str:
    lines = [f"{report.name}: {headline}"]
    for state in ("right", "not yet", "not tried") if report.about_cases else ():
        whys = [why for why, found in tried.items() if found == state]
        if 0 < len(whys) < len(tried):
            lines.append(f"  {LABELS[state]}: {'; '.join(whys)}")
    lines += [f"    {line}" for part in said for line in part.text()]
    lines += [f"  Hint: {report.hint}"] if report.hint else []
    return "\n".join([*lines, *(f"  {note}" for note in notes)])


def _html(report: Report, headline: str, tried: dict[str, State], said: list[_Said], notes: list[str]) -> str:
    parts = [situations(tried.items())] if report.passed or report.about_cases else []
    parts += [part.html() for part in said]
    parts += [hint_box(report.hint)] if report.hint else []
    parts += [aside(note) for note in notes]
    return frame(report, headline, parts)
