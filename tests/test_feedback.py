"""What is handed back on a graded answer: it helps, and it holds nothing of what the answer was tried with."""

from __future__ import annotations

import functools
import itertools
import linecache
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from cnncourse.checking import LocalCandidate, judge, load
from cnncourse.checking.compare import Problem, Rung
from cnncourse.checking.exercise import Case
from cnncourse.checking.feedback import Feedback, feedback
from cnncourse.checking.report import CaseResult, Report

RIGHT = """\
import numpy as np
def conv2d(x, weight, bias, stride=1, padding=0):
    N, C_in, H, W = x.shape
    C_out, C_in, K_h, K_w = weight.shape
    H_out = (H + 2 * padding - K_h) // stride + 1
    W_out = (W + 2 * padding - K_w) // stride + 1
    padded = np.zeros((N, C_in, H + 2 * padding, W + 2 * padding))
    padded[:, :, padding : padding + H, padding : padding + W] = x
    out = np.zeros((N, C_out, H_out, W_out))
    for n, c, i, j in np.ndindex(out.shape):
        top, left = i * stride, j * stride
        window = padded[n, :, top : top + K_h, left : left + K_w]
        out[n, c, i, j] = np.sum(window * weight[c]) + bias[c]
    return out
"""
SEEDS = ((11, 12, 13), (21, 22, 23))
counter = itertools.count()


def changed(old: str, new: str) -> str:
    assert old in RIGHT
    return RIGHT.replace(old, new)


def returning(returned: str, before: str = "pass") -> str:
    return changed("    return out\n", f"    {before}\n    return {returned}\n")


def function(source: str, name: str = "conv2d"):
    """The function of a cell, with its source where Python looks for it."""
    file = f"<cell {next(counter)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    scope: dict = {}
    exec(compile(source, file, "exec"), scope)
    return scope[name]


@functools.cache
def told(source: str, seeds: tuple[int, ...] = SEEDS[0], own: frozenset[str] | None = None) -> Feedback:
    """What is handed back on a `conv2d`; `own` are the lines that may be repeated, by default all of them."""
    quick = replace(load("ch02_conv2d.conv2d"), seconds=1.0)
    report = judge(quick, LocalCandidate(function(source)), *seeds)
    return feedback(report, {line.strip() for line in source.splitlines()} if own is None else own)


class Words(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags = "", []
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)


HONEST = {
    "flipped": (changed("weight[c])", "weight[c, :, ::-1, ::-1])"), "wrong", "The kernel is flipped"),
    "frame on two sides": (changed("padding : padding + H, padding : padding + W", ":H, :W"), "partly right", "the shape is right, values are wrong"),
    "last row": (returning("out", "out[:, :, -1] += 1"), "wrong", "they are all at one index of H_out"),
    "index": (changed("out[n, c, i, j] =", "out[n, c, i + padding, j] ="), "partly right", "runs past the end of an axis"),
    "too small": (changed("// stride + 1", "// stride"), "wrong", "the shape of the result is wrong in H_out and W_out"),
    "turned": (returning("out.transpose(0, 1, 3, 2)"), "wrong", "in the wrong order: H_out and W_out are mixed up"),
    "an axis less": (returning("out[0]"), "wrong", "more or fewer axes"),
    "nan": (returning("out", "out[0, 0, 0, 0] = np.nan"), "wrong", "`nan` or infinite"),
    "whole numbers": (changed("W_out))", "W_out), dtype=int)"), "wrong", "array of whole numbers"),
    "none": (changed("    return out\n", ""), "wrong", "it returned `None`: its last line must `return`"),
    "in place": (returning("out", "x += 0.1"), "wrong", "changes its input `x` in place"),
    "a dict": (returning("{'out': out}"), "wrong", "another kind of thing"),
    "unwritten": ("def conv2d(x, weight, bias, stride=1, padding=0):\n    raise NotImplementedError()", "not written", "still raises `NotImplementedError`"),
    "no function": ("conv2d = 5", "wrong", "`conv2d` is not a function"),
    "first line": ("def conv2d(a):\n    return a", "wrong", "keep that line"),
    "own error": (returning("out", "class Odd(Exception): pass\n    if padding: raise Odd"), "partly right", "an error of its own class"),
    "own layers": ("from cnncourse.layers import conv\ndef conv2d(x, weight, bias, stride=1, padding=0):\n    return conv.conv2d(x, weight, bias, stride, padding)", "not counted", "conv.conv2d"),
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_a_mistake_is_named_in_the_courses_own_words(name):
    source, status, words = HONEST[name]
    found = told(source)
    assert found.status == status
    assert words.lower() in found.text.lower()
    shown = Words(found.html)
    assert words.lower().replace("`", "") in shown.text.lower()
    assert len(found.reason.splitlines()) == 1 and found.reason


@pytest.mark.parametrize("name", HONEST)
def test_other_numbers_give_the_same_words(name):
    one, other = (told(HONEST[name][0], seeds) for seeds in SEEDS)
    assert one == other


def test_a_right_answer_gets_one_quiet_line():
    found = told(RIGHT)
    assert (found.status, found.reason, found.error) == ("right", "right in all 9 situations", "")
    assert found.text == (
        "conv2d: right in all 9 situations, 4 of 4 points. "
        "With four Python loops it is slow; the last exercise of this lab is about that."
    )


def test_situations_of_all_seeds_are_one():
    source = HONEST["frame on two sides"][0]
    found = told(source)
    assert "right in 6 of 9 situations, 2 of 4 points" in found.text
    assert "  not yet right: padding 1; padding 2, a tall kernel (3x1); stride 3, padding 1\n" in found.text
    assert "not yet earned: padding, stride." in found.text
    assert Words(found.html).tags.count("li") == 9
    assert found == told(source, (*SEEDS[0], *SEEDS[1]))


def test_an_error_is_named_with_the_students_line():
    found = told(HONEST["index"][0])
    assert found.error == "IndexError"
    line = "out[n, c, i + padding, j] = np.sum(window * weight[c]) + bias[c]"
    assert f"in your line: {line}" in found.text
    assert f"<code>{line}</code>" in found.html
    assert "out of bounds" not in found.text, "the message is not repeated"


def test_a_line_that_is_not_of_the_submission_is_not_repeated():
    found = told(HONEST["index"][0], own=frozenset({"return out"}))
    assert "in your line" not in found.text
    assert "padding, j" not in found.text + found.html + found.reason
    found = told(HONEST["own layers"][0], own=frozenset())
    assert "conv.conv2d" not in found.text and "a library function" in found.text


def test_right_so_far_but_too_slow():
    found = told(changed("    out = np", "    while stride > 2: pass\n    out = np"))
    assert found.status == "too slow"
    assert found.text.startswith("conv2d: right so far, but too slow, ")
    assert "in your line: while stride > 2: pass" in found.text
    assert "ran too long" in found.reason
    wrong = told(
        changed("    out = np", "    while stride > 2: pass\n    x = 2 * x\n    padded *= 2\n    out = np")
    )
    assert wrong.status == "wrong"
    assert "ran too long" in wrong.text and "values are wrong" in wrong.text


def test_a_float_for_an_int_is_explained():
    cost = replace(load("ch02_conv2d.conv2d_cost"), forbids=())
    source = """\
from cnncourse.exercises.ch02_conv2d.conv2d_cost import conv2d_cost as right
def conv2d_cost(**given):
    return {key: value / 1 if key == "macs" else value for key, value in right(**given).items()}
"""
    found = feedback(judge(cost, Trusting(function(source, "conv2d_cost")), 1, 2), [])
    assert "`//` keeps ints" in found.text
    assert found.status == "partly right"


class Trusting(LocalCandidate):
    def use_of(self, forbidden):
        return None


def test_habits_are_mentioned_without_what_was_said():
    source = returning("out", "import warnings; print('held', x[0]); warnings.warn(f'held {x[0]}')")
    found = told(source)
    assert "remove the print" in found.text and "causes a warning" in found.text
    assert "held" not in found.text + found.html
    counting = "calls = []\n" + returning("out + len(calls)", "calls.append(1)")
    assert "kept from call to call" in told(counting).text


SECRET = "'held-back ' + str(x.ravel()[:3]) + str(x.shape)"
HOSTILE = {
    "message": returning("out", f"raise ValueError({SECRET})"),
    "message like a known one": returning("out", f"raise IndexError('index 7 is out of bounds ' + {SECRET})"),
    "class": returning("out", f"raise type({SECRET}, (Exception,), {{}})()"),
    "class like a builtin": returning("out", f"raise type('ValueError ' + {SECRET}, (ValueError,), {{}})()"),
    "text": returning(SECRET),
    "keys": returning(f"{{{SECRET}: 1}}"),
    "an int": returning("int(abs(x.sum()) * 1e6)"),
    "shape": returning("np.zeros((int(abs(x.sum()) * 1e6) % 97, 3))"),
    "axes": returning("np.zeros((1,) * (7 + int(abs(x.sum()) * 1e6) % 9))"),
    "values": returning("out + x.sum()"),
    "printed": returning("out", f"print({SECRET})"),
    "warned": returning("out", f"import warnings; warnings.warn({SECRET})"),
    "line": returning("out", "exec(compile('\\n' * 40 + 'raise ValueError', 'f', 'exec'), {})"),
    "source line": returning(
        "out",
        f"import linecache; linecache.cache['g'] = (1, None, ['raise ValueError # ' + {SECRET}], 'g');"
        " exec(compile('raise ValueError', 'g', 'exec'), {})",
    ),
    "traceback": returning("out", f"e = ValueError(); e.__notes__ = [{SECRET}]; raise e"),
    "none": "def conv2d(*arguments, **keywords):\n    return None",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_of_the_inputs_comes_back(name):
    one, other = (told(HOSTILE[name], seeds) for seeds in SEEDS)
    assert one == other, "the words do not depend on what was drawn"
    assert "held-back [" not in str(one), "no text was made of it"
    assert not any(line in one.text for line in ("# held", "Traceback"))


def test_an_error_of_its_own_class_is_not_named():
    for name in ("class", "class like a builtin"):
        assert told(HOSTILE[name]).error == "an error of its own class"
    assert told(returning("out", "np.linalg.inv(np.zeros((2, 2)))")).error == "LinAlgError"
    assert told(returning("out", "raise KeyboardInterrupt2")).error == "NameError"


def test_what_a_student_wrote_is_escaped():
    line = "raise ValueError  # <script>alert(1)</script> `<b>` " + "x" * 500
    found = told(returning("out", line))
    assert "<script>" not in found.html and "<b>" not in found.html
    assert set(Words(found.html).tags) <= {"div", "ul", "li", "span", "code", "strong"}
    assert len(found.text) < 2000


def problem(rung: Rung) -> Problem:
    held = np.full((2, 3, 4, 4), 123.456)
    text = "the answer uses a.b" if rung is Rung.FORBIDDEN else "123.456 (2, 3, 4, 4) held"
    return Problem(rung, text, held, held, (0, 0, 0, 0), "held", "Held", 123456, "held", "", "H_out")


@pytest.mark.parametrize("rung", Rung)
def test_every_rung_has_words_of_its_own(rung):
    cases = [Case(why, {"x": np.zeros(3)}, why) for why in ("one", "two")]
    results = (CaseResult(cases[0], problem(rung)), CaseResult(cases[1], None))
    report = Report("c.f", "f", 1.0, 2, results, "", ("a note that is not known",), "")
    found = feedback(report, ["other"])
    for text in (found.text, found.html, found.reason):
        assert "held" not in text.lower() and "123" not in text and "note" not in text.replace("notebook", "")
    assert found.text.count("\n") >= 1
    assert found.html.count("<div") == found.html.count("</div>")


def test_a_kernel_that_died_is_said():
    results = (CaseResult(Case("one", {}), Problem(Rung.RAISED, "held")),)
    found = feedback(Report("c.f", "f", 0.0, 2, results, "", (), ""), [])
    assert "it stopped Python itself" in found.reason and found.error == ""
