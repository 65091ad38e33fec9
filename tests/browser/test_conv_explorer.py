"""ConvExplorer in a browser: its mathematics, its controls, and its state, against cnncourse."""

import numpy as np
import pytest

from cnncourse.widgets import ConvExplorer

SMALL = {"image": [[1, 2, 0, 3], [4, 1, 1, 0], [3, 0, 5, 1]], "kernel": [[1, -1], [2, 0]], "padding": 0}


def random_case(seed):
    """Any image and kernel, also not square; some for which no window fits."""
    generator = np.random.default_rng(seed)
    draw = generator.integers
    return ConvExplorer(
        image=generator.normal(size=draw(1, 13, 2)),
        kernel=generator.normal(size=draw(1, 6, 2)),
        stride=int(draw(1, 5)),
        padding=int(draw(0, 4)),
        dilation=int(draw(1, 4)),
        flipped=bool(draw(0, 2)),
    )


def output(explorer):
    """The feature map; None where no window fits."""
    try:
        return explorer.output
    except ValueError:
        return None


def as_settings(explorer):
    return {name: getattr(explorer, name) for name in ("stride", "padding", "dilation", "flipped")}


def as_explorer(page):
    """An explorer with the state of the page: what would come back to Python."""
    names = ["image", "kernel", "stride", "padding", "dilation", "flipped", "selected"]
    values = page.evaluate("names => names.map((name) => model.get(name))", names)
    return ConvExplorer(**dict(zip(names, values, strict=True)))


def cells(page, name):
    """The numbers printed in a grid, as rows of text."""
    grid = page.get_by_role("grid", name=name, exact=True)
    rows = (
        "grid => [...grid.querySelectorAll('[role=row]')].map(r => [...r.children].map(c => c.textContent))"
    )
    return grid.evaluate(rows)


def check_map(page):
    """The printed map is the one that cnncourse computes from the page's state."""
    printed = [[float(text.replace("−", "-")) for text in row] for row in cells(page, "feature map")]
    expected = as_explorer(page).output
    assert np.shape(printed) == expected.shape
    np.testing.assert_allclose(printed, expected, rtol=0.06)  # cells print as many digits as fit


def cell(page, name, row, column):
    return (
        page.get_by_role("grid", name=name, exact=True)
        .locator("[role=row]")
        .nth(row)
        .locator("[role=gridcell]")
        .nth(column)
    )


def test_mathematics(mount, call):
    page = mount(ConvExplorer())
    fits = 0
    for seed in range(50):
        explorer = random_case(seed)
        got = call(page, "convolve", explorer.image, explorer.kernel, as_settings(explorer))
        expected = output(explorer)
        if expected is None:
            assert got == []
            continue
        fits += 1
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9)
        last = [size - 1 for size in expected.shape]
        unit = call(page, "unit", explorer.image, explorer.kernel, as_settings(explorer), *last)
        assert abs(unit["sum"] - expected[*last]) < 1e-9
        assert np.shape(unit["products"]) == np.shape(explorer.kernel)
    assert 30 <= fits < 50


def test_kernels_to_choose_from(mount, call):
    page = mount(ConvExplorer())
    kernels = page.evaluate("functions.KERNELS")
    sizes = {np.shape(kernel) for kernel in kernels.values()}
    assert {(1, 2), (2, 1), (3, 3)} <= sizes
    sums = {name: np.sum(kernel) for name, kernel in kernels.items()}
    assert sums["blur"] == pytest.approx(1) and sums["identity"] == sums["sharpen"] == 1
    assert all(
        sums[name] == 0 for name in kernels if "edge" in name or "Sobel" in name or name == "Laplacian"
    )
    for name, kernel in kernels.items():
        page.get_by_role("combobox", name="kernel").select_option(name)
        ConvExplorer(kernel=page.evaluate("model.get('kernel')"))
        assert np.allclose(page.evaluate("model.get('kernel')"), kernel)
        check_map(page)


def test_keyboard(mount):
    page = mount(ConvExplorer(**SMALL))
    check_map(page)
    page.get_by_label("padding").press("ArrowRight")
    page.get_by_label("stride").press("ArrowRight")
    page.get_by_label("flip the kernel").press("Space")
    explorer = as_explorer(page)
    assert (explorer.padding, explorer.stride, explorer.flipped) == (1, 2, True)
    check_map(page)
    cell(page, "feature map", 1, 2).focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    assert as_explorer(page).selected == [0, 1]
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("row 0, column 1: ")
    page.keyboard.press("Control+End")
    assert as_explorer(page).selected == [1, 2]


def test_kernel_is_typed_in(mount):
    page = mount(ConvExplorer(**SMALL))
    cell(page, "kernel", 0, 0).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.type("-2.5")
    page.keyboard.press("Enter")
    assert as_explorer(page).kernel == [[1, -1], [-2.5, 0]]
    check_map(page)
    page.keyboard.type("9")  # the focus is back on the cell
    page.keyboard.press("Escape")
    assert as_explorer(page).kernel == [[1, -1], [-2.5, 0]]
    cell(page, "kernel", 0, 1).click()
    page.keyboard.type("7")
    page.get_by_label("stride").focus()
    assert as_explorer(page).kernel == [[1, 7], [-2.5, 0]]
    page.get_by_label("kernel columns").press("ArrowRight")
    assert as_explorer(page).kernel == [[1, 7, 0], [-2.5, 0, 0]]
    check_map(page)


def test_hover_shows_how_the_unit_came_about(mount):
    page = mount(ConvExplorer(**SMALL, selected=[0, 0]))
    cell(page, "feature map", 1, 2).hover()
    assert as_explorer(page).selected == [1, 2]
    assert page.get_by_text("Row 1, column 2: 1·1 + 0·(−1) + 5·2 + 1·0 = 11").is_visible()
    assert cells(page, "products") == [["1", "0"], ["10", "0"]]
    window = page.get_by_role("grid", name="input", exact=True).locator(".cx-window").first
    box, corner = window.bounding_box(), cell(page, "input", 1, 2).bounding_box()
    assert abs(box["x"] - corner["x"]) < 6 and abs(box["y"] - corner["y"]) < 6
    assert box["width"] == pytest.approx(2 * corner["width"], abs=8)


def test_drawing(mount):
    page = mount(ConvExplorer(**SMALL | {"padding": 1}))
    page.get_by_role("button", name="Clear the image").click()
    assert np.sum(as_explorer(page).image) == 0 and page.get_by_label("draw on the image").is_checked()
    start, end = (cell(page, "input", 2, column).bounding_box() for column in (1, 3))
    page.mouse.move(start["x"] + 9, start["y"] + 9)
    page.mouse.down()
    page.mouse.move(end["x"] + 9, end["y"] + 9, steps=12)
    page.mouse.up()
    assert as_explorer(page).image == [[0, 0, 0, 0], [16, 16, 16, 0], [0, 0, 0, 0]]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    assert as_explorer(page).image[2] == [0, 0, 16, 0]
    cell(page, "input", 0, 0).click()  # padding is not to be drawn on
    assert np.sum(as_explorer(page).image) == 64
    check_map(page)
    assert page.get_by_role("combobox", name="image").input_value() == "own"
    page.get_by_role("combobox", name="image").select_option("digit 7")
    page.get_by_label("draw on the image").uncheck()
    assert as_explorer(page).image == ConvExplorer().pictures[2][1]


def test_state_from_outside(mount):
    page = mount(ConvExplorer(**SMALL))
    page.evaluate("model.set({ kernel: [[0, 0, 1]], padding: 0, selected: [2, 1] })")
    assert cells(page, "feature map") == [["0", "3"], ["1", "0"], ["5", "1"]]
    assert page.get_by_text("Row 2, column 1: 0·0 + 5·0 + 1·1 = 1").is_visible()
    assert page.get_by_label("kernel rows").input_value() == "1"
    page.evaluate("model.set('question', 'Why?')")
    assert page.get_by_text("Why?").is_visible()


def test_no_window_fits(mount):
    page = mount(ConvExplorer(**SMALL))
    page.evaluate("model.set({ kernel: Array(4).fill([1, 1, 1, 1]) })")
    page.get_by_text("No window fits: the kernel covers 4 × 4 pixels, the padded input has 3 × 4.").wait_for()
    assert not page.get_by_role("grid", name="feature map").is_visible()
    page.get_by_label("padding").press("ArrowRight")
    check_map(page)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_fits_the_page(mount, screenshot, width, dark):
    page = mount(ConvExplorer(padding=3, dilation=2), width=width, dark=dark)
    screenshot(page, f"conv-{width}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sizes = page.evaluate(
        "[...document.querySelectorAll('.cx text, .cx label, .cx p')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 12
    assert cell(page, "input", 0, 0).bounding_box()["width"] >= 24


@pytest.mark.parametrize(("width", "which"), [(704, 0), (374, 1)])
def test_the_height_kept_free_is_right(mount, width, which):
    page = mount(ConvExplorer(), width=width)
    height = page.locator(".cx").bounding_box()["height"] + 24  # and its margins
    assert abs(height - ConvExplorer.height[which]) <= 40
