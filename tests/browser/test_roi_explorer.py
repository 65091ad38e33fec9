"""RoIPool and RoIAlign in the browser: what cnncourse.roi computes, by pointer, touch, keyboard and typed."""

import re
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest

pytest.importorskip("anywidget")

from cnncourse.roi import align_places, cell_weights, pool_edges, roi_align, roi_pool
from cnncourse.widgets import RoIExplorer

NAMES = ["image", "box", "stride", "output", "samples", "half_pixel", "selected"]
WIDTH = 96


def explorer_of(page):
    """An explorer in Python with the page's state."""
    read = "names => Object.fromEntries(names.map((name) => [name, model.get(name)]))"
    return RoIExplorer(**page.evaluate(read, NAMES))


def fixed(value, digits=2):
    places = Decimal(1).scaleb(-digits)
    text = str(Decimal(float(value)).quantize(places, ROUND_HALF_UP))  # as JavaScript rounds
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", "−")


def listed(used):
    """Row or column numbers in words."""
    at = np.flatnonzero(used).tolist()
    if len(at) < 2:
        return "".join(map(str, at)) or "none"
    gapless = at[-1] - at[0] == len(at) - 1
    return f"{at[0]} to {at[-1]}" if gapless else ", ".join(map(str, at))


def whole(value):
    return f"{value:.0f}".replace("-", "−")


def assert_numbers_agree(page):
    """What the page shows against the package; of a box in whole pixels."""
    explorer = explorer_of(page)
    readings = [explorer.pool, explorer.align]
    shown = page.get_by_role("gridcell").all_text_contents()
    assert shown == [fixed(value) for reading in readings for value in reading.values.ravel()]
    cells = "lines => lines.map((line) => [...line.children].slice(1).map((cell) => cell.textContent))"
    rows, columns, counts, values, regions, moves, ious, apart = page.locator("tbody tr").evaluate_all(cells)
    row, column = (min(place, explorer.output - 1) for place in explorer.selected)
    names = ["maximum", f"mean of {explorer.samples**2}:"]
    assert values == [
        f"{name} {fixed(each.values[row, column])}" for name, each in zip(names, readings, strict=True)
    ]
    for index, each in enumerate(readings):
        if each.cells.any():
            read = [listed(each.cells.any(axis=1)), listed(each.cells.any(axis=0))]
            assert [rows[index], columns[index]] == read
    assert [text.split(" = ")[1] for text in counts] == [str(each.cells.sum()) for each in readings]
    assert regions == [", ".join(map(whole, each.region)) for each in readings]
    far = [(each.region - explorer.box).tolist() for each in readings]
    assert moves == [", ".join(f"{'+' * (edge > 0)}{whole(edge)}" for edge in each) for each in far]
    assert ious == [fixed(each.iou, 3) for each in readings]
    assert apart == [fixed(each.apart) for each in readings]
    x1, y1, x2, y2 = map(whole, explorer.pool.region)
    page.get_by_text(f"RoIPool reads x {x1} to {x2}, y {y1} to {y2}: IoU {ious[0]} with the box.").wait_for()


def box(page, way="RoIPool"):
    return page.get_by_role("group", name=f"{way}: an image").get_by_role(
        "button", name=re.compile("^box, x")
    )


def test_mathematics_agrees(mount, call):
    page = mount(RoIExplorer())
    rng = np.random.default_rng(5)
    for case in range(30):
        stride, output, samples = int(rng.choice([4, 8, 16, 32])), int(rng.integers(1, 8)), case % 4 + 1
        explorer = RoIExplorer(image=rng.normal(size=(16, 24)), stride=stride)
        features = explorer.features
        np.testing.assert_allclose(call(page, "featureMap", explorer.image, stride // 4), features, atol=1e-9)
        start = rng.uniform(0, [90, 60]) if case % 2 else rng.integers(0, [90, 60])
        x1, y1, x2, y2 = region = [*start.tolist(), *rng.uniform(start, [96, 64]).tolist()]
        edges = pool_edges(x1, x2, output, stride)
        assert call(page, "poolEdges", x1, x2, output, stride) == edges.tolist()
        found = call(page, "roiPool", features.tolist(), region, output, stride)
        np.testing.assert_allclose(found, roi_pool(features[None], [region], output, stride)[0, 0], atol=1e-9)
        how = (output, stride, samples, case % 3 > 0)
        places = align_places(y1, y2, *how)
        np.testing.assert_allclose(call(page, "alignPlaces", y1, y2, *how), places, atol=1e-9)
        at = rng.uniform(-2, 6)
        np.testing.assert_allclose(call(page, "cellWeights", at, 4), cell_weights(np.array(at), 4), atol=1e-9)
        found = call(page, "roiAlign", features.tolist(), region, *how)
        np.testing.assert_allclose(found, roi_align(features[None], [region], *how)[0, 0], atol=1e-9)


def test_the_question_is_answered_by_keyboard(mount):
    """RoIPool changes after seven pixels, RoIAlign after one."""
    page = mount(RoIExplorer(), width=390)
    assert_numbers_agree(page)
    page.get_by_text("RoIAlign reads the box itself.").wait_for()
    first = explorer_of(page)
    box(page).focus()
    for pixel in range(1, 8):
        page.keyboard.press("ArrowRight")
        now = explorer_of(page)
        assert now.box == [17 + pixel, 13, 65 + pixel, 45]
        assert (now.pool.values == first.pool.values).all() == (pixel < 7)
        assert not np.allclose(now.align.values, first.align.values, atol=0.01)
    assert_numbers_agree(page)
    page.keyboard.press("Shift+ArrowDown")
    assert explorer_of(page).box == [24, 13, 72, 46]
    assert_numbers_agree(page)


@pytest.mark.parametrize("way", ["RoIPool", "RoIAlign"])
def test_pointer_drags_and_resizes_in_both_pictures(mount, way):
    page = mount(RoIExplorer())
    frame = page.get_by_role("group", name=f"{way}: an image").locator(".cx-plane-edge").bounding_box()
    pixel = frame["width"] / WIDTH

    def drag(x, y, right, down):
        page.mouse.move(frame["x"] + x * pixel, frame["y"] + y * pixel)
        page.mouse.down()
        page.mouse.move(frame["x"] + (x + right) * pixel, frame["y"] + (y + down) * pixel)
        page.mouse.up()

    drag(41, 30, 20, 10)
    assert explorer_of(page).box == [37, 23, 85, 55]
    drag(85, 55, -12, 9)
    assert explorer_of(page).box == [37, 23, 73, 64]
    assert_numbers_agree(page)


def test_bins_by_keyboard_and_pointer(mount):
    page = mount(RoIExplorer())
    pool, align = page.get_by_role("grid").all()
    pool.get_by_role("gridcell", name=re.compile("^bin in row 0, column 1: ")).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert explorer_of(page).selected == [1, 2]
    assert_numbers_agree(page)
    for grid in (pool, align):
        chosen = grid.locator("[aria-selected=true]")
        assert re.match("bin in row 1, column 2: ", chosen.get_attribute("aria-label"))
    align.get_by_role("gridcell", name=re.compile("^bin in row 2, column 0: ")).hover()
    assert explorer_of(page).selected == [2, 0]
    assert_numbers_agree(page)


def test_settings_and_typed_numbers(mount):
    page = mount(RoIExplorer())
    for stride in ("4", "8", "32"):
        page.get_by_label("stride").select_option(stride)
        assert explorer_of(page).stride == int(stride)
        assert_numbers_agree(page)
    page.get_by_label("bins a side").press("End")
    page.get_by_label("points a side").press("ArrowRight")
    assert (explorer_of(page).output, explorer_of(page).samples) == (7, 3)
    assert_numbers_agree(page)
    page.get_by_label("half pixel").uncheck()
    page.get_by_text("RoIAlign reads half a cell, 16 pixels, further right and down").wait_for()
    assert_numbers_agree(page)
    page.get_by_label("image", exact=True).select_option("texture")
    assert explorer_of(page).image == dict(RoIExplorer().pictures)["texture"]
    field = page.get_by_role("group", name="box", exact=True).get_by_label("x2")
    field.fill("96")
    field.press("Enter")
    assert explorer_of(page).box == [17, 13, 96, 45]
    assert_numbers_agree(page)


def test_a_bin_outside_the_map_and_one_that_skips_cells(mount):
    page = mount(RoIExplorer(box=[90, 0, 96, 64], stride=32, output=2, selected=[0, 0], samples=1))
    assert explorer_of(page).pool.region.tolist() == [96, 0, 128, 96]
    assert page.locator("tbody tr").nth(1).locator("td").all_text_contents() == ["none", "2"]
    assert_numbers_agree(page)
    page.evaluate("model.set({ box: [0, 0, 96, 64], stride: 8, output: 1, samples: 2 })")
    assert page.locator("tbody tr").nth(1).locator("td").all_text_contents() == ["0 to 11", "2, 3, 8, 9"]


def test_state_set_from_outside_redraws(mount):
    page = mount(RoIExplorer())
    page.evaluate("model.set({ box: [0, 8, 30, 60], stride: 8, output: 2, selected: [6, 6], samples: 4 })")
    assert_numbers_agree(page)
    page.evaluate("model.set('image', model.get('image').map((row) => row.map((_, column) => -column)))")
    assert page.get_by_label("image", exact=True).input_value() == "own"
    assert_numbers_agree(page)


def test_touch(mount):
    """A finger on the box moves it; the page does not scroll under it."""
    page = mount(RoIExplorer(), width=390, has_touch=True)
    picture = page.get_by_role("group", name="RoIAlign: an image")
    picture.scroll_into_view_if_needed()
    stopped = """(svg, [x, y]) => {
      const { left, top, width } = svg.querySelector(".cx-plane-edge").getBoundingClientRect();
      const pixel = width / 96;
      const at = { identifier: 1, target: svg, clientX: left + x * pixel, clientY: top + y * pixel };
      const touch = { touches: [new Touch(at)], cancelable: true, bubbles: true };
      return !svg.dispatchEvent(new TouchEvent("touchstart", touch));
    }"""
    assert picture.evaluate(stopped, [41, 30])
    assert not picture.evaluate(stopped, [90, 5])


@pytest.mark.parametrize(("width", "which"), [(704, 0), (374, 1)])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_and_the_height_kept_free_is_right(mount, width, which, dark):
    page = mount(RoIExplorer(), width=width, dark=dark, reduced_motion="reduce")
    assert page.evaluate("document.getAnimations().length") == 0
    texts = "[...document.querySelectorAll('.cx text, .cx label, .cx p, .cx td, .cx th')]"
    assert (
        page.evaluate(f"Math.min(...{texts}.map((each) => parseFloat(getComputedStyle(each).fontSize)))")
        >= 12
    )
    height = page.locator(".cx").bounding_box()["height"] + 24  # and its margins
    assert abs(height - RoIExplorer.height[which]) <= 40
    assert page.evaluate("document.documentElement.scrollWidth") <= width
