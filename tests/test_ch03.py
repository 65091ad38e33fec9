"""What chapter 3 adds beside its exercises: the diagram of connections, and volumes."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from cnncourse import viz
from cnncourse.data.volumes import film, scan


@pytest.fixture(autouse=True)
def no_window() -> Iterator[None]:
    matplotlib.use("agg")
    yield
    plt.close("all")


def wires(ax):
    """Return for each line between units its ends, its style and its strength."""
    lines = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_linestyle() != "None"]
    return [
        (tuple(line.get_xdata()), line.get_color(), line.get_linestyle(), line.get_alpha()) for line in lines
    ]


def test_wiring_draws_a_line_for_each_weight_and_a_style_for_equal_ones():
    shared = np.array([[1, 2, 0], [0, 1, 2], [1, 0, 2]])
    (ax,) = viz.wiring([("shared", [shared])], columns=1)
    lines = wires(ax)
    assert ax.get_title() == "shared" and len(lines) == 6
    assert len({(color, style) for _, color, style, _ in lines}) == 2
    strong = [ends for ends, _, _, alpha in lines if alpha == 1]
    assert len(strong) == 2 and {upper for _, upper in strong} == {1.0}, "the middle output"


def test_wiring_draws_weights_that_are_used_once_in_the_colour_of_the_text():
    (ax,) = viz.wiring([("own", [np.arange(1, 7).reshape(2, 3)])], columns=1)
    assert {color for _, color, _, _ in wires(ax)} == {plt.rcParams["text.color"]}


def test_wiring_follows_one_output_down_through_all_stages():
    first, second = np.array([[1, 0, 0], [0, 2, 0], [0, 0, 3]]), np.array([[1, 0, 2], [0, 3, 4], [5, 0, 6]])
    (ax,) = viz.wiring([("two", [first, second])], columns=1)
    strong = [ends for ends, _, _, alpha in wires(ax) if alpha == 1]
    assert len(strong) == 2 + 2, "the middle output reads two units, and each of these one input"


def test_the_vessel_winds_and_the_noise_is_added_to_it():
    volume, vessel = scan(noise=0.0)
    assert np.array_equal(volume, vessel) and not np.array_equal(scan()[0], vessel)
    places = [np.unravel_index(one.argmax(), one.shape) for one in vessel]
    assert max(np.abs(np.diff(places, axis=0)).max(axis=1)) <= 2, "it goes on in the next slice"


def test_discs_of_the_film_move_apart_and_look_alike():
    _, clean = film(noise=0.0)
    right = [int(frame[8].argmax()) for frame in clean]
    left = [int(frame[23].argmax()) for frame in clean]
    assert np.all(np.diff(right) == 1) and np.all(np.diff(left) == -1)
    assert np.isclose(clean[:, :16].max(), clean[:, 16:].max(), rtol=1e-6)
