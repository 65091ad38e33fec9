"""BackpropExplorer in a browser: its gradients are the course's, and what it shows is what it computed."""

from __future__ import annotations

import numpy as np
import pytest

from cnncourse.widgets import BackpropExplorer

NAMES = ["layer", "image", "kernel", "stride", "padding", "gradient", "selected", "pixel", "alone"]


def some_explorers(count):
    """Convolutions on any numbers; max poolings on few, so that there are ties."""
    rng = np.random.default_rng(12)
    for place in range(count):
        pooling = place % 2 == 1
        image = rng.normal(size=rng.integers(3, 8, size=2))
        yield BackpropExplorer(
            layer="max pooling" if pooling else "convolution",
            image=np.floor(image) if pooling else image,
            kernel=rng.normal(size=rng.integers(1, 4, size=2)),
            stride=int(rng.integers(1, 4)),
            padding=int(rng.integers(0, 2)),
            gradient=rng.normal(size=rng.integers(1, 10, size=2)),
            selected=rng.integers(0, 9, size=2),
            alone=place % 3 == 0,
        )


def state_of(explorer):
    return {name: getattr(explorer, name) for name in NAMES}


def test_arithmetic_is_the_courses(mount, call):
    page = mount(BackpropExplorer())
    for explorer in some_explorers(40):
        state, expected = state_of(explorer), explorer.gradients
        np.testing.assert_allclose(call(page, "output", state), explorer.output, atol=1e-9)
        found = call(page, "gradients", state)
        np.testing.assert_allclose(found["input"], expected["input"], atol=1e-9)
        if expected["kernel"] is None:
            assert found["kernel"] is None
        else:
            np.testing.assert_allclose(found["kernel"], expected["kernel"], atol=1e-9)


def shown(page, label):
    cells = page.get_by_role("grid", name=label, exact=True).locator("[role=gridcell]")
    labels = cells.evaluate_all("cells => cells.map((cell) => cell.getAttribute('aria-label'))")
    return [float(text.split(": ")[1].replace("−", "-")) for text in labels]


def explorer_of(page):
    return BackpropExplorer(
        **page.evaluate("names => Object.fromEntries(names.map((n) => [n, model.get(n)]))", NAMES)
    )


def check_page(page):
    explorer = explorer_of(page)
    found = explorer.gradients
    np.testing.assert_allclose(shown(page, "output"), explorer.output.ravel())
    np.testing.assert_allclose(shown(page, "gradient of the input"), found["input"].ravel())
    kernel = page.get_by_role("grid", name="gradient of the kernel")
    assert kernel.is_visible() == (found["kernel"] is not None)
    if found["kernel"] is not None:
        np.testing.assert_allclose(shown(page, "gradient of the kernel"), found["kernel"].ravel())


def test_by_keyboard(mount):
    page = mount(BackpropExplorer(), width=390)
    check_page(page)
    given = page.get_by_role("grid", name="gradient of the output (press)")
    given.locator("[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.evaluate("model.get('selected')") == [1, 1]
    assert page.evaluate("model.get('gradient')") == [[1, 0, 0], [0, 1, 1], [0, 0, 0]]
    check_page(page)
    page.keyboard.press("Space")
    assert page.evaluate("model.get('gradient')")[1] == [0, 0, 1]
    page.get_by_role("button", name="All gradients 1").press("Enter")
    for label, key in (("stride", "ArrowRight"), ("padding", "ArrowRight"), ("window size", "ArrowLeft")):
        page.get_by_label(label).press(key)
        check_page(page)
    assert [page.evaluate(f"model.get('{name}')") for name in ("stride", "padding")] == [2, 1]
    page.get_by_label("layer").select_option("max pooling")
    check_page(page)
    page.get_by_label("only the chosen").press("Space")
    check_page(page)
    assert np.count_nonzero(explorer_of(page).gradients["input"]) == 1


def test_by_pointer(mount):
    page = mount(BackpropExplorer(image=np.ones((3, 3)), kernel=[[1, 2], [3, 4]], gradient=np.ones((2, 2))))
    page.get_by_role("grid", name="gradient of the input").locator("[role=gridcell]").nth(4).hover()
    assert page.evaluate("model.get('pixel')") == [1, 1]
    page.get_by_text(
        "lies in 4 windows. Its gradient: 1 · 4 from (0, 0) + 1 · 3 from (0, 1) + 1 · 2"
    ).wait_for()
    page.get_by_role("grid", name="gradient of the output (press)").locator("[role=gridcell]").nth(3).click()
    assert page.evaluate("model.get('gradient')") == [[1, 1], [1, 0]]
    check_page(page)
    page.get_by_role("grid", name="kernel", exact=True).locator("[role=gridcell]").nth(0).click()
    page.keyboard.type("-5")
    page.keyboard.press("Enter")
    assert page.evaluate("model.get('kernel')") == [[-5, 2], [3, 4]]
    check_page(page)


def test_state_set_from_outside_is_drawn(mount):
    page = mount(BackpropExplorer())
    page.evaluate("model.set({ layer: 'max pooling', selected: [0, 0] })")
    page.get_by_text("goes to pixel (0, 1), the largest of the window: 2 pixels are tied").wait_for()
    page.evaluate("model.set({ gradient: [[0, 2], [3, 0]], stride: 2, question: 'Where?' })")
    check_page(page)
    page.get_by_text("Where?").wait_for()


@pytest.mark.parametrize(
    ("pixel", "says"), [([4, 4], "lies in no window"), ([0, 0], "none sends it a gradient")]
)
def test_pixels_that_get_nothing(mount, pixel, says):
    page = mount(
        BackpropExplorer(
            image=np.zeros((5, 5)), kernel=[[1, 1], [1, 1]], stride=2, gradient=[[0]], pixel=pixel
        )
    )
    page.get_by_text(says).wait_for()


def test_a_window_that_lies_in_the_padding_alone_is_not_marked_on_the_image(mount):
    page = mount(BackpropExplorer(kernel=[[2]], padding=1, selected=[0, 0]))  # an error of the page fails
    page.get_by_label("stride", exact=True).press("ArrowRight")
    widths = page.locator(".cx-marks rect").evaluate_all(
        "all => all.map((each) => +each.getAttribute('width'))"
    )
    assert all(width > 0 for width in widths)
