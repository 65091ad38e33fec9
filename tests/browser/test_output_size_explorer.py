"""OutputSizeExplorer in a browser: its mathematics, its controls, and its state, against cnncourse."""

import numpy as np
import pytest

from cnncourse.shapes import conv_output_size
from cnncourse.widgets import OutputSizeExplorer

NAMES = ("size", "kernel_size", "stride", "padding", "dilation")


def random_case(seed):
    generator = np.random.default_rng(seed)
    most = {"size": 16, "kernel_size": 7, "stride": 5, "padding": 4, "dilation": 4}
    least = {name: 0 if name == "padding" else 1 for name in NAMES}
    return {name: int(generator.integers(least[name], most[name] + 1)) for name in NAMES}


def read_from(page):
    return {name: page.evaluate("name => model.get(name)", name) for name in NAMES}


def check_page(page):
    """The page shows as many windows, and crosses out the numbers, that cnncourse finds."""
    explorer = OutputSizeExplorer(**read_from(page))
    units = page.get_by_role("grid", name="output: one unit for each window")
    assert units.get_by_role("gridcell").count() == explorer.output_size
    crossed = page.evaluate(
        "[...document.querySelectorAll('.cx-cross')].map((e, i) => e.style.display ? null : i).filter(i => i !== null)"
    )
    in_input = [i - explorer.padding for i in crossed if i < explorer.size + 2 * explorer.padding]
    assert in_input == explorer.never_read
    shown = page.locator(".cx-formula").nth(1).inner_text()
    assert shown.endswith(f"= {explorer.output_size}")


def test_mathematics(mount, call):
    page = mount(OutputSizeExplorer())
    fits = 0
    for seed in range(80):
        state = random_case(seed)
        explorer = OutputSizeExplorer(**state)
        got = call(page, "windows", state)
        assert call(page, "outputSize", *(state[name] for name in NAMES)) == len(got)
        try:
            expected = conv_output_size(**state)
        except ValueError:
            assert got == []
            continue
        fits += 1
        assert len(got) == expected
        assert got == explorer.windows
        assert call(page, "neverRead", state) == explorer.never_read
        reach = (expected - 1) * state["stride"] + state["dilation"] * (state["kernel_size"] - 1) + 1
        assert call(page, "dropped", state) == state["size"] + 2 * state["padding"] - reach
    assert 30 <= fits < 80


def test_keyboard(mount):
    page = mount(OutputSizeExplorer())
    check_page(page)
    for label, key in [
        ("padding", "ArrowRight"),
        ("size", "End"),
        ("kernel size", "ArrowRight"),
        ("stride", "ArrowRight"),
        ("dilation", "ArrowRight"),
        ("size", "ArrowLeft"),
    ]:
        page.get_by_label(label, exact=True).press(key)
        check_page(page)
    assert read_from(page) == {"size": 15, "kernel_size": 4, "stride": 3, "padding": 1, "dilation": 2}
    page.get_by_role("gridcell", name="window 0: ").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("model.get('selected')") == 1
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label == "window 1: reads pixels 2, 4, 6 and 8"


def test_mouse(mount):
    page = mount(OutputSizeExplorer(size=9, stride=1))
    page.get_by_role("gridcell", name="window 3: ").hover()
    assert page.evaluate("model.get('selected')") == 3
    bars = page.locator(".cx-bars").bounding_box()
    page.mouse.move(bars["x"] + 20, bars["y"] + 17 * 5 + 8)
    assert page.evaluate("model.get('selected')") == 5
    window = page.get_by_role("grid", name="input").locator(".cx-window").bounding_box()
    cell = page.get_by_role("gridcell", name="pixel 5: ").bounding_box()
    assert abs(window["x"] - cell["x"]) < 6 and window["width"] == pytest.approx(3 * cell["width"], abs=8)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({}, "2 windows fit. The floor drops pixel 5 at the end."),
        ({"size": 7}, "3 windows fit. Nothing is left over at the end."),
        (
            {"padding": 1},
            "3 windows fit. The floor drops 1 zero of the padding at the end. Padding adds 1 window: without it there would be 2.",
        ),
        (
            {"size": 8, "kernel_size": 2, "stride": 3},
            "3 windows fit. Nothing is left over at the end. Between its steps no window reads pixels 2 and 5.",
        ),
        (
            {"size": 3, "kernel_size": 4},
            "No window fits: the kernel covers 4 pixels, the input has 3.",
        ),
    ],
)
def test_sentence(mount, state, says):
    page = mount(OutputSizeExplorer(**state))
    assert page.get_by_role("status").inner_text() == says


def test_state_from_outside(mount):
    page = mount(OutputSizeExplorer())
    page.evaluate("model.set({ size: 12, stride: 3, padding: 2, selected: 2 })")
    check_page(page)
    assert page.get_by_label("size", exact=True).input_value() == "12"
    assert "pixels 4, 5 and 6" in page.get_by_role("gridcell", selected=True).get_attribute("aria-label")
    page.evaluate("model.set({ size: 2, padding: 0 })")
    page.get_by_text("so no window fits").wait_for()
    assert not page.get_by_role("grid", name="output").is_visible()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_fits_the_page(mount, screenshot, width, dark):
    page = mount(OutputSizeExplorer(size=16, padding=4), width=width, dark=dark)
    screenshot(page, f"output-size-{width}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("width", "which"), [(704, 0), (374, 1)])
def test_the_height_kept_free_is_right(mount, width, which):
    page = mount(OutputSizeExplorer(), width=width)
    height = page.locator(".cx").bounding_box()["height"] + 24  # and its margins
    assert abs(height - OutputSizeExplorer.height[which]) <= 40
