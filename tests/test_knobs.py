"""Sliders on a student's own functions: shown when those are right, and a plain line, never a traceback, before."""

import sys
import types

import numpy as np
import pytest

from cnncourse.knobs import knobs
from cnncourse.layers import conv

EXERCISE = "ch02_conv2d.pad2d"


def notebook(pad2d=None):
    """Return a drawing function whose names are those of a notebook, and what it has drawn."""
    names = {"drawn": []}
    if pad2d is not None:
        names["pad2d"] = pad2d
    exec("def look(padding=2, fill=0):\n    drawn.append(pad2d(ones, padding).shape)", names)
    names["ones"] = np.ones((1, 1, 2, 2))
    return names["look"], names["drawn"]


def right(x, padding):
    N, C, H, W = x.shape
    out = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    out[:, :, padding : padding + H, padding : padding + W] = x
    return out


@pytest.fixture
def sliders(monkeypatch):
    """Stand in for ipywidgets; return what it was asked to show."""
    asked = []
    fake = types.ModuleType("ipywidgets")
    fake.interact = lambda draw, **controls: asked.append((draw, controls))
    monkeypatch.setitem(sys.modules, "ipywidgets", fake)
    return asked


def test_right_answers_get_sliders_that_call_the_students_function(sliders):
    look, drawn = notebook(right)
    knobs(look, EXERCISE, padding=(0, 8))
    ((draw, controls),) = sliders
    assert controls == {"padding": (0, 8)}
    draw(padding=3)
    assert drawn == [(1, 1, 8, 8)]


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "pad2d is not defined yet: run the cell with your answer, then this one.\n"),
        (lambda x, padding: x, "The sliders come when pad2d is right: its check says what is missing.\n"),
        (conv.pad2d, "The sliders come when pad2d is right: its check says what is missing.\n"),
    ],
    ids=["missing", "wrong", "the library's"],
)
def test_before_an_answer_is_right_a_line_says_what_is_missing(sliders, capsys, answer, line):
    look, drawn = notebook(answer)
    knobs(look, EXERCISE, padding=(0, 8))
    assert capsys.readouterr().out == line
    assert not sliders and not drawn


def test_without_ipywidgets_the_picture_is_drawn_once(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    look, drawn = notebook(right)
    knobs(look, EXERCISE, padding=(0, 8))
    assert drawn == [(1, 1, 6, 6)]
    said = capsys.readouterr().out
    assert "pip install ipywidgets" in said and "look(padding=2, fill=0)" in said


def test_an_error_under_a_slider_is_a_line(sliders, capsys):
    look, _ = notebook(right)
    knobs(look, EXERCISE, padding=(0, 8))
    sliders[0][0](padding=-3)
    said = capsys.readouterr()
    assert said.out.startswith("ValueError: ") and said.out.count("\n") == 1
    assert not said.err


def test_where_a_class_is_graded_nothing_is_drawn(monkeypatch, sliders, capsys):
    stub = types.ModuleType("cnncourse.checking")  # what stands there for the checks
    stub.check = lambda *_: 0.0
    monkeypatch.setitem(sys.modules, "cnncourse.checking", stub)
    look, drawn = notebook(right)
    knobs(look, EXERCISE, padding=(0, 8))
    assert not sliders and not drawn and not capsys.readouterr().out
