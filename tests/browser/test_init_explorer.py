"""InitExplorer in a browser: its network is NumPy's, and what it shows is what it computed."""

from __future__ import annotations

import re

import numpy as np
import pytest
from traitlets import TraitError

from cnncourse.widgets import InitExplorer
from cnncourse.widgets.init import ACTIVATIONS, uniform

NAMES = ("activation", "factor", "depth", "layer", "seed")


def some_explorers(count):
    """Networks that do not blow rounding errors up: a saturated tanh does, in many layers."""
    rng = np.random.default_rng(6)
    for number in range(count):
        activation = list(ACTIVATIONS)[number % 4]
        depth = int(rng.integers(2, 61))
        most = 1.5 if activation == "tanh" else 8
        yield InitExplorer(
            activation=activation,
            factor=float(rng.uniform(0.1, most)),
            depth=depth,
            layer=int(rng.integers(0, 61)),
            seed=int(rng.integers(0, 10000)),
        )


def state_of(explorer):
    return {name: getattr(explorer, name) for name in NAMES}


def read_from(page):
    return InitExplorer(**{name: page.evaluate("name => model.get(name)", name) for name in NAMES})


def row(page, name):
    """Return the signal and the gradient that the table shows for a layer."""
    return page.get_by_role("row", name=re.compile(rf"^{name}\b")).get_by_role("cell").all_inner_texts()


def check_page(page, call):
    """The sentence and the table show what NumPy finds for the state of the page."""
    explorer = read_from(page)
    signal, gradient = explorer.sizes.values()
    page.wait_for_timeout(300)  # a sentence waits until the knobs rest
    says = page.get_by_role("status").inner_text()
    assert f"Behind layer {explorer.depth} the signal has size {call(page, 'sized', signal[-1])}," in says
    assert says.count(f"comes back to the input with {call(page, 'sized', gradient[0])}.") == 1
    at = min(explorer.layer, explorer.depth)
    shown = row(page, f"layer {at}" if at else "input")
    assert shown == [call(page, "sized", signal[at]), call(page, "sized", gradient[at])]


def test_the_network_is_the_same_in_both_languages(mount, call):
    page = mount(InitExplorer())
    for seed in (0, 1, 7, 9999):
        assert np.array_equal(call(page, "uniform", seed, 500), uniform(seed, 500))
    for explorer in some_explorers(32):
        found = call(page, "sizes", state_of(explorer))
        for name in ("signal", "gradient"):
            assert np.allclose(found[name], explorer.sizes[name], rtol=1e-9, atol=0), (
                name,
                state_of(explorer),
            )
        counts = call(page, "histogram", state_of(explorer))
        assert sum(counts) == 32 * 64 and np.abs(np.subtract(counts, explorer.histogram)).sum() <= 2


def test_sizes_in_words(mount, call):
    page = mount(InitExplorer(depth=2))
    for value, words in {
        1: "1",
        0: "0",
        0.5678: "0.57",
        1234.5: "1235",
        3.2e-10: "3.2·10⁻¹⁰",
        4.04e12: "4·10¹²",
        9.99e-5: "1·10⁻⁴",
    }.items():
        assert call(page, "sized", value) == words


def test_keyboard(mount, call):
    page = mount(InitExplorer())
    check_page(page, call)
    for label, key in [
        ("factor", "ArrowRight"),
        ("layers", "ArrowLeft"),
        ("show layer", "Home"),
        ("show layer", "ArrowRight"),
        ("factor", "End"),
    ]:
        page.get_by_label(label, exact=label != "factor").press(key)
        check_page(page, call)
    assert state_of(read_from(page)) == {
        "activation": "ReLU",
        "factor": 4,
        "depth": 29,
        "layer": 1,
        "seed": 1,
    }
    page.get_by_label("activation function").select_option("tanh")
    page.get_by_label("factor").press("Home")
    page.get_by_role("button", name="Draw other weights").press("Enter")
    check_page(page, call)
    assert state_of(read_from(page)) == {
        "activation": "tanh",
        "factor": 0.1,
        "depth": 29,
        "layer": 1,
        "seed": 2,
    }


def test_mouse(mount, call):
    page = mount(InitExplorer())
    chart = page.get_by_role("img", name="Size of the signal").bounding_box()
    page.mouse.move(chart["x"] + chart["width"] - 12, chart["y"] + 60)
    assert page.evaluate("model.get('layer')") == 30
    page.mouse.move(chart["x"] + 46, chart["y"] + 60)
    assert page.evaluate("model.get('layer')") == 0
    assert page.get_by_text("the numbers of the input").is_visible()
    check_page(page, call)


def test_state_from_outside(mount, call):
    page = mount(InitExplorer())
    page.evaluate("model.set({ activation: 'sigmoid', factor: 2, depth: 10, layer: 20 })")
    check_page(page, call)
    assert page.get_by_label("show layer").get_attribute("max") == "10"
    assert "lie within 0.01 of 0 or 1" in page.get_by_role("status").inner_text()


def test_the_question_has_an_answer():
    """He's factor keeps ReLU's signal and gradient in the order of 1, and Xavier's loses both."""
    signal, gradient = InitExplorer(factor=2.0).sizes.values()
    assert 0.2 < signal[-1] < 5 and 0.2 < gradient[0] < 5
    signal, gradient = InitExplorer(factor=1.0).sizes.values()
    assert signal[-1] < 1e-3 and gradient[0] < 1e-3


def test_wrong_values():
    with pytest.raises(TraitError, match=r"factor .* must be a number from 0\.1 to 8"):
        InitExplorer(factor=0.0)
    with pytest.raises(TraitError, match=r"activation .* must be one of 'ReLU', 'tanh'"):
        InitExplorer(activation="relu")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_fits_the_page(mount, screenshot, width, dark):
    page = mount(InitExplorer(factor=4.0), width=width, dark=dark)
    screenshot(page, f"init-{width}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("width", "which"), [(704, 0), (374, 1)])
def test_the_height_kept_free_is_right(mount, width, which):
    page = mount(InitExplorer(), width=width)
    height = page.locator(".cx").bounding_box()["height"] + 24  # and its margins
    assert abs(height - InitExplorer.height[which]) <= 40
