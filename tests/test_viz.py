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


def box_frames(ax: Axes) -> list[tuple[str, str, tuple[float, ...]]]:
    """Colour, line style and x1, y1, x2, y2 of each rectangle."""
    return [
        (
            to_hex(frame.get_edgecolor()).upper(),
            "solid" if frame.get_linestyle() in ("-", "solid") else "dashed",
            tuple(float(value) for value in frame.get_bbox().extents),
        )
        for frame in ax.patches
        if isinstance(frame, Rectangle)
    ]


def test_boxes_are_solid_for_predictions_and_dashed_for_truth_in_pixels_that_begin_at_zero() -> None:
    ax = viz.draw_boxes(
        np.zeros((48, 64, 3), np.uint8), [[8, 4, 30, 40]], ["disc"], [0.876], truth=[[10, 5, 28, 44]]
    )
    assert texts(ax) == ["disc 0.88"]
    assert box_frames(ax) == [
        ("#FFFFFF", "solid", (10, 5, 28, 44)),
        (COLORS["truth"], "dashed", (10, 5, 28, 44)),
        (COLORS["prediction"], "solid", (8, 4, 30, 40)),
    ]
    assert ax.get_xlim() == (0, 64)
    assert ax.get_ylim() == (48, 0)
    assert tuple(ax.images[0].get_extent()) == (0, 64, 48, 0)


def test_boxes_take_grey_pictures_names_or_scores_alone_and_no_box_at_all() -> None:
    _, axes = plt.subplots(1, 3)
    grey = np.full((20, 20), 0.5)
    assert viz.draw_boxes(grey, [[0, 0, 5, 5], [5, 5, 9, 9]], ["a", "b"], ax=axes[0]) is axes[0]
    assert texts(axes[0]) == ["a", "b"]
    assert texts(viz.draw_boxes(grey, [[0, 0, 5, 5]], scores=[-0.5], ax=axes[1])) == ["−0.50"]
    assert box_frames(viz.draw_boxes(grey, [], ax=axes[2])) == []
    np.testing.assert_allclose(axes[2].images[0].get_array(), 0.5)
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize(
    ("image", "given", "message"),
    [
        (np.zeros((3, 20, 20)), {}, r"shape \(3, 20, 20\).*moveaxis"),
        (np.zeros((20, 20, 4)), {}, r"shape \(20, 20, 4\)"),
        (np.zeros((20, 20)), {"names": ["a", "b"]}, "1 boxes, but 2 names"),
        (np.zeros((20, 20)), {"scores": []}, "1 boxes, but 0 scores"),
        (np.zeros((20, 20)), {"truth": [[1, 2, 3]]}, r"truth has shape \(1, 3\)"),
    ],
)
def test_boxes_say_what_does_not_fit(image: np.ndarray, given: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        viz.draw_boxes(image, [[1, 1, 5, 5]], **given)  # type: ignore[arg-type]


def test_names_stay_within_the_picture_and_off_each_other() -> None:
    whole = [[30, 0, 40, 9], [0, 31, 9, 40], [0, 33, 12, 40], [25, 25, 40, 40]]
    ax = viz.draw_boxes(np.zeros((40, 40)), whole, ["top", "low", "double", "corner"])
    ax.figure.canvas.draw()
    picture = ax.get_window_extent()
    places = [text.get_window_extent() for text in ax.texts]
    assert [text.get_text() for text in ax.texts] == ["top", "low", "double", "corner"]
    for i, place in enumerate(places):
        assert picture.x0 - 1 <= place.x0 < place.x1 <= picture.x1 + 1
        assert picture.y0 - 1 <= place.y0 < place.y1 <= picture.y1 + 1
        assert not any(place.overlaps(other) for other in places[:i])
