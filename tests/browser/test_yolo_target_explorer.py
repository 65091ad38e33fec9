"""YOLO's targets in the browser: the cells and numbers of the package, by pointer, touch, keyboard and typed."""

import math
import re
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest

pytest.importorskip("anywidget")

from cnncourse.exercises.ch12_yolo.yolo_decode import yolo_decode
from cnncourse.exercises.ch12_yolo.yolo_encode import yolo_encode
from cnncourse.widgets import YOLOTargetExplorer

NAMES = ["rows", "columns", "objects", "chosen", "anchors", "anchor"]
WIDTH, HEIGHT = 96, 64


def explorer_of(page):
    """An explorer in Python with the page's state."""
    read = "names => Object.fromEntries(names.map((name) => [name, model.get(name)]))"
    return YOLOTargetExplorer(**page.evaluate(read, NAMES))


def three(value):
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = str(Decimal(value).quantize(Decimal("0.001"), ROUND_HALF_UP))  # as JavaScript rounds
    return text.replace("-0.000", "0.000").replace("-", "−")


def tables(page):
    """The cells of both tables, row by row."""
    cells = "lines => lines.map((line) => [...line.children].map((cell) => cell.textContent))"
    return [table.locator("tbody tr").evaluate_all(cells) for table in page.locator("table").all()]


def assert_numbers_agree(page):
    explorer = explorer_of(page)
    numbers, objects = tables(page)
    target = explorer.targets[min(explorer.chosen, len(explorer.objects) - 1)]
    assert [row[0] for row in numbers] == ["x", "y", "w", "h"]
    for (_, first, later), v1, v2, is_place in zip(numbers, target.v1, target.v2, (1, 1, 0, 0), strict=True):
        assert first.endswith(f"= {three(v1)}" if is_place else f"= {three(v1)}, root {three(v1**0.5)}")
        assert (
            later == f"sigmoid({three(v2)}) = {three(v1)}" if is_place else later.endswith(f"= {three(v2)}")
        )
    for row, each in zip(objects, explorer.targets, strict=True):
        later = f"anchor {each.anchor}" + ("" if each.in_v2 else ", forgotten")
        first = "learned" if each.in_v1 else "forgotten"
        assert row[1:] == [f"{each.row}, {each.column}", str(each.index), first, later]
    text = f"cell {target.row} × {explorer.columns} + {target.column} = {target.index}."
    page.get_by_text(text).wait_for()


def thing(page, letter):
    return page.get_by_role("button", name=re.compile(f"^object {letter}, "))


def test_what_the_package_says_about_random_objects():
    """The numbers of version 1 are those that lab 12 encodes; decoded, those of version 2 give the box again."""
    rng = np.random.default_rng(3)
    for _ in range(30):
        start = rng.uniform(0, (60, 40), (3, 2))
        boxes = np.hstack([start, start + rng.uniform(4, (36, 24), (3, 2))])
        rows, columns = (int(n) for n in rng.integers(1, 9, 2))
        targets = YOLOTargetExplorer(rows=rows, columns=columns, objects=boxes).targets
        encoded = yolo_encode(boxes, [0, 1, 2], (rows, columns), (HEIGHT, WIDTH), 3)
        assert encoded[..., 4].sum() == sum(each.in_v1 for each in targets)
        for each in targets:
            if each.in_v1:
                np.testing.assert_allclose(encoded[each.row, each.column, :4], each.v1, atol=1e-12)
    explorer = YOLOTargetExplorer(anchor="1")  # cells of 16 by 16 pixels
    for box, each in zip(explorer.objects, explorer.targets, strict=True):
        raw = np.zeros((4, 6, 1, 4))
        raw[each.row, each.column, 0] = each.v2
        decoded = yolo_decode(raw, np.array(explorer.anchors[1:2]), 16)[each.row, each.column, 0]
        np.testing.assert_allclose(decoded, box, atol=1e-9)


def test_mathematics_agrees(mount, call):
    page = mount(YOLOTargetExplorer())
    rng = np.random.default_rng(5)
    for case in range(30):
        start = rng.uniform(0, (60, 40), (4, 2))
        boxes = np.hstack([start, start + rng.uniform(4, (36, 24), (4, 2))])
        boxes = boxes.round() if case % 3 == 0 else boxes  # centres on lines, and several in one cell
        explorer = YOLOTargetExplorer(
            rows=int(rng.integers(1, 9)), columns=int(rng.integers(1, 9)), objects=boxes,
            anchors=rng.uniform(5, 50, (int(rng.integers(1, 5)), 2)), anchor=("best", "0", "3")[case % 3],
        )  # fmt: skip
        state = (explorer.objects, explorer.rows, explorer.columns, explorer.anchors, explorer.anchor)
        for found, each in zip(call(page, "targetsOf", *state), explorer.targets, strict=True):
            assert [found[name] for name in ("row", "column", "index", "anchor")] == [
                each.row,
                each.column,
                each.index,
                each.anchor,
            ]
            assert (found["inV1"], found["inV2"]) == (each.in_v1, each.in_v2)
            np.testing.assert_allclose(found["v1"], each.v1, atol=1e-9)
            np.testing.assert_allclose(found["v2"], each.v2, atol=1e-9)


def test_the_question_is_answered_by_keyboard(mount):
    page = mount(YOLOTargetExplorer(), width=390)
    assert_numbers_agree(page)
    page.get_by_text("Every object has a cell of its own.").wait_for()
    thing(page, "B").focus()
    for key in ["ArrowLeft"] * 25 + ["ArrowUp"] * 8:
        page.keyboard.press(key)
    assert explorer_of(page).chosen == 1
    page.get_by_text(
        "version 1 learns A and forgets B, versions 2 and 3 learn both, with different anchors."
    ).wait_for()
    assert_numbers_agree(page)
    for key in ["Shift+ArrowLeft"] * 22 + ["Shift+ArrowDown"] * 18 + ["ArrowRight"] * 11 + ["ArrowUp"] * 9:
        page.keyboard.press(key)
    page.get_by_text("and so do versions 2 and 3, for an anchor learns one object.").wait_for()
    assert_numbers_agree(page)


def test_pointer_drags_resizes_and_drops(mount):
    page = mount(YOLOTargetExplorer(objects=[[25, 8, 43, 52]]))
    frame = page.locator(".cx-plane-edge").bounding_box()
    pixel = frame["width"] / WIDTH

    def drag(x, y, right, down):
        page.mouse.move(frame["x"] + x * pixel, frame["y"] + y * pixel)
        page.mouse.down()
        page.mouse.move(frame["x"] + (x + right) * pixel, frame["y"] + (y + down) * pixel)
        page.mouse.up()

    drag(34, 30, 20, 5)
    assert explorer_of(page).objects == [[45, 13, 63, 57]]
    drag(63, 57, 12, -20)
    assert explorer_of(page).objects == [[45, 13, 75, 37]]
    assert_numbers_agree(page)
    page.mouse.click(frame["x"] + 20 * pixel, frame["y"] + 50 * pixel)  # where no object is
    assert explorer_of(page).objects == [[5, 38, 35, 62]]
    assert_numbers_agree(page)


def test_touch(mount):
    page = mount(YOLOTargetExplorer(objects=[[25, 8, 43, 52]]), width=390, has_touch=True)
    frame = page.locator(".cx-plane-edge").bounding_box()
    pixel = frame["width"] / WIDTH
    page.touchscreen.tap(frame["x"] + 80 * pixel, frame["y"] + 30 * pixel)
    assert explorer_of(page).objects == [[71, 8, 89, 52]]
    assert_numbers_agree(page)


def test_settings_and_typed_numbers(mount):
    page = mount(YOLOTargetExplorer())
    page.get_by_label("rows").press("End")
    page.get_by_label("columns").press("Home")
    assert (explorer_of(page).rows, explorer_of(page).columns) == (8, 1)
    assert_numbers_agree(page)
    page.get_by_label("compared with").select_option("2")
    assert explorer_of(page).anchor == "2"
    assert_numbers_agree(page)
    field = page.get_by_role("group", name="chosen object").get_by_label("x2")
    field.fill("60.5")
    field.press("Enter")
    assert explorer_of(page).objects[0] == [25, 8, 60.5, 52]
    assert_numbers_agree(page)


def test_a_centre_on_a_line(mount):
    """Its offset is 0, which no sigmoid reaches."""
    page = mount(YOLOTargetExplorer(objects=[[24, 10, 40, 20]]))
    assert "sigmoid(−∞) = 0.000" in tables(page)[0][0]
    assert_numbers_agree(page)


def test_state_set_from_outside_redraws(mount):
    page = mount(YOLOTargetExplorer())
    page.evaluate("model.set({ rows: 2, columns: 3, anchors: [[10, 10], [30, 40]], anchor: '1', chosen: 1 })")
    assert_numbers_agree(page)
    assert page.get_by_label("compared with").locator("option").count() == 3
    page.evaluate("model.set('objects', [])")
    page.get_by_text("There is no object: every cell is to say 0.").wait_for()
    assert tables(page) == [[], []]
