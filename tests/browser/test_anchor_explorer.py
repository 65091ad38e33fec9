"""Anchors in the browser: the same boxes and labels as cnncourse.anchors."""

import re

import numpy as np
import pytest

pytest.importorskip("anywidget")

from cnncourse.anchors import anchor_grid, assign_anchors, generate_anchors
from cnncourse.widgets import AnchorExplorer

NAMES = ["rows", "columns", "stride", "scales", "ratios", "object", "positive", "negative", "cell"]
LABELS = {1: "positive", 0: "negative", -1: "ignored"}


def explorer_of(page):
    """An explorer in Python with the page's state."""
    read = "names => Object.fromEntries(names.map((name) => [name, model.get(name)]))"
    return AnchorExplorer(**page.evaluate(read, NAMES))


def assert_numbers_agree(page):
    explorer = explorer_of(page)
    shapes = explorer.anchors.shape[:3]
    iou, label = explorer.labels.iou.reshape(shapes), explorer.labels.label.reshape(shapes)
    highest = [f"{value:.2f}" for value in iou.max(axis=2).ravel()]
    assert page.get_by_role("gridcell").all_text_contents() == highest
    row, column = explorer.cell
    cells = "lines => lines.map((line) => [...line.children].slice(1).map((cell) => cell.textContent))"
    found = page.locator("tbody tr").evaluate_all(cells)
    assert [line[1] for line in found] == [f"{value:.3f}" for value in iou[row, column]]
    assert [line[2] for line in found] == [LABELS[value] for value in label[row, column].tolist()]
    x1, y1, x2, y2 = explorer.anchors[row, column].T
    sizes = [f"{high:.1f} × {wide:.1f}" for high, wide in zip(y2 - y1, x2 - x1, strict=True)]
    assert [line[0] for line in found] == sizes
    counts = [f"{(label == kind).sum()} {LABELS[kind]}" for kind in (1, -1, 0)]
    page.get_by_text(f"{label.size} anchors: {', '.join(counts)}.").wait_for()
    page.get_by_text(f"The best: IoU {iou.max():.3f}").wait_for()


def box(page):
    return page.get_by_role("button", name=re.compile("^object, x"))


def test_mathematics_agrees(mount, call):
    page = mount(AnchorExplorer())
    rng = np.random.default_rng(5)
    for case in range(30):
        scales = rng.uniform(8, 60, int(rng.integers(1, 4))).tolist()
        ratios = rng.uniform(0.2, 4, int(rng.integers(1, 4))).tolist()
        rows, columns, stride = (int(rng.integers(low, high)) for low, high in ((1, 7), (1, 9), (8, 33)))
        anchors = generate_anchors(scales, ratios)
        found = call(page, "generateAnchors", scales, ratios)
        np.testing.assert_allclose(found, anchors, atol=1e-9)
        boxes = anchor_grid(anchors, rows, columns, stride).reshape(-1, 4)
        found = call(page, "anchorGrid", anchors.tolist(), rows, columns, stride)
        np.testing.assert_allclose(found, boxes, atol=1e-9)
        start = rng.uniform(0, 100, 2)
        thing = np.hstack([start, start + rng.uniform(4, 60, 2)])
        if case % 3 == 0:  # in the middle between cells: ties
            middle = np.array([columns, rows, columns, rows]) * stride / 2
            thing = middle + np.array([-10, -10, 10, 10])
        positive, negative = ((0.7, 0.3), (0.5, 0.4), (0.2, 0.2))[case % 3]
        labels = assign_anchors(boxes, [thing], positive, negative)
        found = call(page, "assignAnchors", boxes.tolist(), thing.tolist(), positive, negative)
        assert found["label"] == labels.label.tolist()
        np.testing.assert_allclose(found["iou"], labels.iou, atol=1e-9)

    anchors = [[0, 0, 10, 10], [0, 0, 10, 5], [0, 0, 5, 5]]  # IoU 1, 1/2, 1/4: the thresholds themselves
    assert call(page, "assignAnchors", anchors, anchors[0], 0.5, 0.25)["label"] == [1, 1, -1]


def test_object_by_keyboard(mount):
    page = mount(AnchorExplorer(), width=390)
    assert_numbers_agree(page)
    page.get_by_text("It matches only because no other is better.").wait_for()
    box(page).focus()
    for _ in range(7):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    assert explorer_of(page).object == [32, 22, 50, 58]
    assert_numbers_agree(page)
    assert explorer_of(page).labels.iou.max() > 0.7
    assert page.get_by_text("It matches only because").count() == 0
    page.keyboard.press("Shift+ArrowRight")
    assert explorer_of(page).object == [32, 22, 51, 58]
    assert_numbers_agree(page)


def test_cell_by_keyboard_and_pointer(mount):
    page = mount(AnchorExplorer())
    page.get_by_role("gridcell", name=re.compile("^row 1, column 2")).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert explorer_of(page).cell == [2, 3]
    assert_numbers_agree(page)
    frame = page.locator(".cx-plane-edge").bounding_box()
    page.mouse.click(frame["x"] + frame["width"] * 5.5 / 6, frame["y"] + frame["height"] * 0.5 / 4)
    assert explorer_of(page).cell == [0, 5]
    assert_numbers_agree(page)


def test_drag_a_corner(mount):
    page = mount(AnchorExplorer())
    pixel = page.locator(".cx-plane-edge").bounding_box()["width"] / 96
    around = box(page).locator("rect").first.bounding_box()
    page.mouse.move(around["x"] + 1.5, around["y"] + 1.5)
    page.mouse.down()
    page.mouse.move(around["x"] + 1.5 - 10 * pixel, around["y"] + 1.5 + 5 * pixel)
    page.mouse.up()
    assert explorer_of(page).object == [23, 20, 51, 51]
    assert_numbers_agree(page)


def test_settings(mount):
    """A map of other size, scales and ratios; the object stays in the image; one threshold pushes the other."""
    page = mount(AnchorExplorer())
    page.get_by_label("rows").press("Home")
    assert explorer_of(page).object == [33, 0, 51, 16]
    page.get_by_label("columns").press("ArrowRight")
    page.get_by_label("16", exact=True).check()
    page.get_by_label("1/2", exact=True).uncheck()
    explorer = explorer_of(page)
    assert (explorer.rows, explorer.columns, explorer.scales, explorer.ratios) == (1, 7, [16, 24, 40], [1, 2])
    page.evaluate("model.set('cell', [0, 2])")
    assert_numbers_agree(page)
    page.get_by_label("positive from").press("Home")
    assert (explorer_of(page).positive, explorer_of(page).negative) == (0, 0)
    page.get_by_label("negative below").press("End")
    assert (explorer_of(page).positive, explorer_of(page).negative) == (1, 1)
    assert_numbers_agree(page)


def test_no_anchor_and_none_that_touches(mount):
    page = mount(AnchorExplorer(scales=[]))
    page.get_by_text("There is no anchor without a scale and a ratio.").wait_for()
    page.evaluate("model.set({ scales: [8], ratios: [1], object: [0, 0, 3, 3] })")
    page.get_by_text(
        "24 anchors: 0 positive, 0 ignored, 24 negative. No anchor touches the object."
    ).wait_for()


def test_state_set_from_outside_redraws(mount):
    page = mount(AnchorExplorer())
    page.evaluate("model.set({ rows: 2, columns: 3, stride: 32, object: [0, 0, 40, 40], cell: [1, 1] })")
    assert_numbers_agree(page)
