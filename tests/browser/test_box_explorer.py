"""Two boxes in the browser: the same numbers as cnncourse.boxes, by pointer, by keyboard and typed."""

import re

import numpy as np
import pytest

pytest.importorskip("anywidget")

from cnncourse.boxes import box_area, box_overlap
from cnncourse.widgets import BoxExplorer

RNG = np.random.default_rng(11)


def random_boxes(count, whole=False):
    start = RNG.uniform(0, 12, (count, 2))
    boxes = np.hstack([start, start + RNG.uniform(0.3, 9, (count, 2))])
    return (boxes.round() if whole else boxes).tolist()


def shown(page):
    """The cells of the table, row by row."""
    cells = "lines => lines.map((line) => [...line.children].map((cell) => cell.textContent))"
    return page.locator("tbody tr").evaluate_all(cells)


def state(page):
    names = ["truth", "prediction", "inclusive"]
    return page.evaluate("names => Object.fromEntries(names.map((name) => [name, model.get(name)]))", names)


def assert_numbers_agree(page):
    now = state(page)
    explorers = [BoxExplorer(**now | {"inclusive": inclusive}) for inclusive in (False, True)]
    rows = {row[0]: row[1:] for row in shown(page)}
    for column, explorer in enumerate(explorers):
        expected = explorer.overlap
        assert rows["IoU"][column].endswith(f"= {expected['iou']:.3f}")
        assert rows["intersection"][column].endswith(f"= {expected['intersection']:g}")
        assert rows["union"][column].endswith(f"= {expected['union']:g}")
        for name, box in (("object", now["truth"]), ("prediction", now["prediction"])):
            assert rows[name][column].endswith(f"= {box_area([box], explorer.inclusive).item():g}")
    change = explorers[1].overlap["iou"] - explorers[0].overlap["iou"]
    assert rows["change"][1] == f"{change:+.3f}".replace("-", "−")


def box(page, name):
    return page.get_by_role("button", name=re.compile(f"^{name}, x"))


def drag(page, start, right, down):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + right / 2, start[1] + down / 2)
    page.mouse.move(start[0] + right, start[1] + down)
    page.mouse.up()


def test_mathematics_agrees(mount, call):
    page = mount(BoxExplorer())
    cases = [([0, 0, 4, 4], [4, 0, 8, 4]), ([0, 0, 4, 4], [0, 6, 4, 9]), ([2, 2, 2, 5], [2, 2, 2, 5])]
    cases += zip(random_boxes(24), random_boxes(24), strict=True)
    cases += zip(random_boxes(10, whole=True), random_boxes(10, whole=True), strict=True)
    for first, second in cases:
        for inclusive in (False, True):
            found = call(page, "overlap", first, second, inclusive)
            expected = box_overlap([first], [second], inclusive)
            for name, value in expected._asdict().items():
                assert found[name] == pytest.approx(value.item(), abs=1e-9)
            area = box_area([first], inclusive).item()
            assert call(page, "boxArea", first, inclusive) == pytest.approx(area, abs=1e-9)


def test_boxes_stay_in_the_picture_and_keep_their_size(mount, call):
    page = mount(BoxExplorer())
    for x1, y1, x2, y2 in random_boxes(30):
        right, down = RNG.uniform(-30, 30, 2)
        found = call(page, "moved", [x1, y1, x2, y2], right, down, [24, 16])
        x, y = np.clip(x1 + right, 0, 24 - (x2 - x1)), np.clip(y1 + down, 0, 16 - (y2 - y1))
        np.testing.assert_allclose(found, [x, y, x + x2 - x1, y + y2 - y1], atol=1e-9)
    assert call(page, "resized", [2, 2, 6, 6], [2, 3], -9, 99, [24, 16]) == [2, 2, 3, 16]
    assert call(page, "resized", [2, 2, 6, 6], [0, 1], 9, -99, [24, 16], 2) == [4, 0, 6, 6]


def test_keyboard(mount):
    page = mount(BoxExplorer(), width=390)
    assert_numbers_agree(page)
    box(page, "prediction").focus()
    for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    assert state(page)["prediction"] == [6, 3, 17, 10]
    assert_numbers_agree(page)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowDown")
    assert state(page)["truth"] == [3, 5, 12, 13]
    assert page.evaluate("model.get('chosen')") == "truth"
    assert_numbers_agree(page)
    page.get_by_text(f"IoU {BoxExplorer(**state(page)).overlap['iou']:.3f}.").wait_for()


def test_pointer_moves_and_resizes(mount):
    page = mount(BoxExplorer())
    frame = page.locator(".cx-plane-edge").bounding_box()
    pixel = frame["width"] / 24
    around = box(page, "object").locator("rect").first.bounding_box()
    drag(page, (around["x"] + 1, around["y"] + around["height"] / 2), -2 * pixel, 3 * pixel)
    assert state(page)["truth"] == [1, 7, 10, 15]
    drag(
        page, (frame["x"] + 10 * pixel, frame["y"] + 15 * pixel), 5 * pixel, -4 * pixel
    )  # its lower right corner
    assert state(page)["truth"] == [1, 7, 15, 11]
    assert_numbers_agree(page)


def test_typed_numbers(mount):
    page = mount(BoxExplorer())
    field = page.get_by_role("group", name="prediction").get_by_label("x1")
    field.fill("5.5")
    field.press("Enter")
    assert state(page)["prediction"] == [5.5, 4, 16, 12]
    assert_numbers_agree(page)
    field.fill("20")
    field.press("Enter")
    page.get_by_text("x2 (16) must be larger than x1 (20)").wait_for()
    assert state(page)["prediction"] == [5.5, 4, 16, 12]
    assert field.input_value() == "5.5"


def test_inclusive_boxes_are_drawn_a_pixel_larger(mount):
    page = mount(BoxExplorer())
    pixel = page.locator(".cx-plane-edge").bounding_box()["width"] / 24
    line = box(page, "prediction").locator("rect").first
    before = float(line.get_attribute("width"))
    page.get_by_label("draw both end pixels").check()
    assert page.evaluate("model.get('inclusive')") is True
    assert float(line.get_attribute("width")) == pytest.approx(before + pixel, abs=0.1)
    box(page, "prediction").focus()
    page.keyboard.press("ArrowRight")
    assert state(page)["prediction"] == [8, 4, 17, 12]
    assert_numbers_agree(page)


def test_state_set_from_outside_redraws(mount):
    page = mount(BoxExplorer(truth=[0, 0, 4, 4], prediction=[4, 0, 8, 4]))
    page.get_by_text("They share no pixel: IoU 0.000. Counted with both end pixels it is 0.111.").wait_for()
    page.evaluate("model.set('prediction', [0, 0, 4, 8])")
    page.get_by_text("They share 16 of the 32 pixels").wait_for()
    assert_numbers_agree(page)
