"""Figures draw what they are given, and change no setting of matplotlib."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from cnncourse import viz
from cnncourse.colors import COLORS
from cnncourse.viz import Grid


@pytest.fixture(autouse=True)
def settings_stay() -> Iterator[None]:
    matplotlib.use("agg")
    before = dict(plt.rcParams)
    yield
    after = dict(plt.rcParams)
    plt.close("all")
    assert after == before


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def frames(ax: Axes) -> list[str]:
    return [
        to_hex(box.get_edgecolor()).upper()
        for box in ax.patches
        if isinstance(box, Rectangle) and box.get_linewidth() == 3
    ]


def test_equation_prints_every_number_and_sign() -> None:
    ax = viz.equation(
        [
            Grid([[1, -2], [0.5, 3]], "input", "in"),
            "⋆",
            Grid([[7]], "kernel"),
            "=",
            Grid([[-7]], "output", "out"),
        ]
    )
    assert isinstance(ax, Axes)
    assert [text for text in texts(ax) if text] == ["1", "−2", "0.5", "3", "in", "⋆", "7", "=", "−7", "out"]
    assert frames(ax) == [COLORS[role] for role in ("input", "kernel", "output")]


def test_equation_marks_the_window_and_hatches_the_padding() -> None:
    ax = viz.equation([Grid(np.zeros((3, 3)), window=(1, 0, 2, 2), hatched=[(0, 0), (0, 1)])])
    marked = [box for box in ax.patches if to_hex(box.get_edgecolor()).upper() == COLORS["window"]]
    assert [(round(box.get_x()), round(box.get_y()), round(box.get_width())) for box in marked] == [(0, 1, 2)]
    assert len([box for box in ax.patches if box.get_hatch()]) == 2


def test_equation_draws_into_axes_it_is_given() -> None:
    _, ax = plt.subplots()
    assert viz.equation([Grid([[1]])], ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_grid_refuses_what_is_no_matrix() -> None:
    with pytest.raises(ValueError, match=r"values has shape \(2,\)"):
        Grid([1, 2]).array()


def test_signed_colours_are_centred_on_zero() -> None:
    rgba = viz.signed_rgba([[-2.0, 0.0, 1.0]])
    np.testing.assert_allclose(rgba[0, :, 3], [1, 0, 0.5])
    assert rgba[0, 0, 0] > rgba[0, 0, 2]  # red below zero
    assert rgba[0, 2, 2] > rgba[0, 2, 0]  # blue above
    np.testing.assert_allclose(viz.signed_rgba([[1.0, 9.0]], limit=2)[0, :, 3], [0.5, 1])
    assert not viz.signed_rgba(np.zeros((2, 2)))[..., 3].any()


@pytest.mark.parametrize(
    ("size", "kernel_size", "stride", "padding", "count"), [(5, 3, 1, 0, 3), (6, 3, 2, 0, 2), (5, 3, 1, 1, 5)]
)
def test_windows_draws_every_window_and_the_first_that_does_not_fit(
    size: int, kernel_size: int, stride: int, padding: int, count: int
) -> None:
    ax = viz.windows(size, kernel_size, stride, padding)
    assert texts(ax)[-count - 1 :] == [*map(str, range(1, count + 1)), "does not fit"]
    assert [round(line.get_xdata()[0]) for line in ax.lines] == [i * stride for i in range(count + 1)]
    assert len([box for box in ax.patches if box.get_hatch()]) == 2 * padding


def test_images_shows_photos_and_maps_with_their_labels() -> None:
    axes = viz.images(
        [("photo", np.full((3, 4, 5), 0.5)), ("map", -np.ones((4, 5))), ("zero", np.zeros((4, 5)))], limit=2
    )
    assert [ax.get_title() for ax in axes] == ["photo", "map", "zero"]
    photo, negative, zero = (ax.images[0].get_array() for ax in axes)
    assert photo.shape == (4, 5, 3)
    np.testing.assert_allclose(negative[..., 3], 0.5)
    assert not zero[..., 3].any()


def test_memory_shows_the_cells_in_their_order() -> None:
    ax = viz.memory([("NCHW", ["R0", "R1", "G0"]), ("NHWC", ["R0", "G0", "R1"])], classes="RG")
    assert texts(ax) == ["NCHW", "R0", "R1", "G0", "NHWC", "R0", "G0", "R1"]
    filled = [to_hex(box.get_facecolor()) for box in ax.patches if box.get_facecolor()[3]]
    assert filled[0] == filled[1] == filled[5] != filled[2]


def test_the_book_style_draws_text_as_text_on_a_clear_ground_and_the_same_each_time(tmp_path: object) -> None:
    with plt.style.context("cnncourse.book"):
        drawn = []
        for i in range(2):
            path = f"{tmp_path}/{i}.svg"
            viz.equation([Grid([[1]], "input", "label")]).figure.savefig(path, metadata={"Date": None})
            with open(path, encoding="utf-8") as file:
                drawn.append(file.read())
    assert drawn[0] == drawn[1]
    assert ">label</text>" in drawn[0]
    assert "fill: #ffffff" not in drawn[0]
