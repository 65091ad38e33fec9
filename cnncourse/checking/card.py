"""The report as a small HTML card that reads well on light and dark ground, alone and in a notebook."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Literal

import numpy as np

from cnncourse.arrays import Array
from cnncourse.checking.report import CaseResult, Report
from cnncourse.colors import COLORS, NEGATIVE, POSITIVE

MAX_SIDE = 12  # rows and columns of a map that is drawn
CELL = 26  # pixels
STRONGEST = 0.7  # of the full colour, so that a number on it can be read

HIDDEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"  # but read aloud
RIGHT, WRONG, UNTRIED = COLORS["output"], COLORS["gradient"], "#808080"

State = Literal["right", "not yet", "not tried"]
MARKS: dict[State, tuple[str, str]] = {
    "right": ("✓", RIGHT),
    "not yet": ("✗", WRONG),
    "not tried": ("–", UNTRIED),
}


@np.errstate(all="ignore")
def card(report: Report) -> str:
    """Return the card: one headline, the cases, the problem, the hint, and a picture where a map is wrong."""
    parts = []
    if report.passed or report.about_cases:
        parts.append(situations((result.case.why, _state(result)) for result in report.results))
    if report.about_cases:
        parts.append(f'<div style="margin-top:.4em"><code>{escape(report.call())}</code></div>')
    parts += [f"<div>{prose(line)}</div>" for line in report.explanation()]
    if report.worst:
        parts.append(_pictures(report.worst))
    parts += [hint_box(report.hint)] if report.hint else []
    parts += [aside(note) for note in report.notes]
    return frame(report, report.headline(), parts)


def frame(report: Report, headline: str, parts: Iterable[str]) -> str:
    """Return a card: the name of the function and the headline, then the parts, which are HTML."""
    color = RIGHT if report.passed else UNTRIED if report.unwritten else WRONG
    first = f'<div style="font-weight:600"><code>{escape(report.name)}</code>: {prose(headline)}</div>'
    return (
        f'<div role="group" aria-label="Check of {escape(report.name)}" style="border-left:4px solid {color};'
        f'padding:.4em .8em;margin:.3em 0;line-height:1.45;max-width:48em">{first}{"".join(parts)}</div>'
    )


def situations(tried: Iterable[tuple[str, State]]) -> str:
    """Return the list of situations, each with a mark and, for those who listen, a word."""
    items = []
    for why, state in tried:
        mark, color = MARKS[state]
        items.append(
            f'<li style="display:inline-block;margin-right:1em;white-space:nowrap">'
            f'<span aria-hidden="true" style="color:{color};font-weight:700">{mark}</span>'
            f'<span style="{HIDDEN}">{state}: </span> {escape(why)}</li>'
        )
    return f'<ul style="list-style:none;padding:0;margin:.3em 0;font-size:.9em">{"".join(items)}</ul>'


def hint_box(hint: str) -> str:
    """Return the hint in a box; a word between asterisks is stressed."""
    words = re.sub(r"(?<![\w*])\*(\w[\w ]*)\*(?![\w*])", r"<em>\1</em>", prose(hint))
    return (
        f'<div style="border:1px solid {COLORS["input"]};border-radius:4px;padding:.3em .6em;margin:.4em 0">'
        f"<strong>Hint.</strong> {words}</div>"
    )


def aside(note: str) -> str:
    """Return a line that is less important than the others."""
    return f'<div style="opacity:.8">{prose(note)}</div>'


def prose(text: str) -> str:
    """Escape, then set what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _state(result: CaseResult) -> State:
    return "not tried" if not result.tried else "right" if result.right else "not yet"


def _pictures(result: CaseResult) -> str:
    """Draw what came back, what was expected and the difference, for the map that holds the worst value."""
    problem = result.problem
    if problem is None or problem.got is None or problem.want is None or problem.got.ndim < 2:
        return ""
    if max(problem.want.shape[-2:]) > MAX_SIDE or not problem.worst:
        return ""
    index = problem.worst[:-2]
    got, want = problem.got[index].astype(float), problem.want[index].astype(float)
    scale = float(np.max(np.abs(want), initial=1e-12, where=np.isfinite(want)))
    place = f" at [{', '.join(map(str, index))}]" if index else ""
    maps = [("got" + place, got), ("expected", want), ("difference", got - want)]
    at = problem.worst[-2:]
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:12px;margin-top:.4em">'
        + "".join(_map(t, v, scale, at) for t, v in maps)
        + "</div>"
    )


def _map(title: str, values: Array, scale: float, at: tuple[int, ...]) -> str:
    """Draw one map as SVG, its numbers in the cells, the worst one framed."""
    rows, columns = values.shape
    width, height = columns * CELL, rows * CELL
    cells = "".join(
        f'<rect x="{j * CELL}" y="{i * CELL}" width="{CELL}" height="{CELL}" '
        f'fill="{_color(values[i, j], scale)}"/>'
        f'<text x="{(j + 0.5) * CELL}" y="{(i + 0.5) * CELL + 3}">{_cell_text(values[i, j])}</text>'
        for i in range(rows)
        for j in range(columns)
    )
    frame = (
        f'<rect x="{at[1] * CELL + 1}" y="{at[0] * CELL + 1}" width="{CELL - 2}" height="{CELL - 2}" '
        'fill="none" stroke="#111" stroke-width="2"/>'
    )
    label = f"{escape(title)}: {rows} by {columns} values, the worst at row {at[0]}, column {at[1]}"
    return (
        f'<figure style="margin:0"><figcaption style="font-size:.85em">{escape(title)}</figcaption>'
        f'<svg role="img" aria-label="{label}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">'
        f'<g font-size="9" text-anchor="middle" fill="#111">{cells}</g>{frame}</svg></figure>'
    )


def _cell_text(value: float) -> str:
    if not np.isfinite(value):
        return str(value)
    text = f"{value:.2f}" if abs(value) < 10 else f"{value:.0f}"
    return text if len(text) <= 5 else f"{value:.0e}"


def _color(value: float, scale: float) -> str:
    """One diverging map centred on zero: red below, white, blue above; grey where there is no number."""
    if not np.isfinite(value):
        return "#bbbbbb"
    share = STRONGEST * float(np.clip(abs(value) / scale, 0, 1))
    end = NEGATIVE if value < 0 else POSITIVE
    return "#" + "".join(f"{round(255 + (c - 255) * share):02x}" for c in end)
