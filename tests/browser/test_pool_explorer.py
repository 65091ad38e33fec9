"""PoolExplorer in a browser: its arithmetic is the course's, and what it shows is what it computed."""

from __future__ import annotations

import numpy as np
import pytest

from cnncourse.widgets import PoolExplorer


def some_explorers(count):
    rng = np.random.default_rng(11)
    for place in range(count):
        kernel_size, stride = (int(v) for v in rng.integers(1, 5, size=2))
        image = rng.normal(size=rng.integers(4, 13, size=2)) - (place % 3)  # some mostly below zero
        down, right = (int(v) for v in rng.integers(-3, 4, size=2))
        kind = ("max", "average", "L2")[place % 3]
        yield PoolExplorer(
            image=image, kind=kind, kernel_size=kernel_size, stride=stride, down=down, right=right
        )


def test_arithmetic_is_the_courses(mount, call):
    page = mount(PoolExplorer())
    for explorer in some_explorers(36):
        window = explorer.kind, explorer.kernel_size, explorer.stride
        image = call(page, "moved", explorer.image, explorer.down, explorer.right)
        before, after = (call(page, "pooled", x, *window) for x in (explorer.image, image))
        np.testing.assert_allclose(before, explorer.before, atol=1e-9)
        np.testing.assert_allclose(after, explorer.after, atol=1e-9)
        difference = explorer.after - explorer.before
        found = call(page, "changes", before, after)
        assert found["units"] == difference.size
        assert found["changed"] == np.count_nonzero(np.abs(difference) > 1e-9)
        assert found["mean"] == pytest.approx(np.abs(difference).mean())
        assert found["largest"] == pytest.approx(np.abs(difference).max())
        assert found["share"] == pytest.approx(np.linalg.norm(difference) / np.linalg.norm(explorer.before))


def shown(page, label):
    cells = page.get_by_role("grid", name=label, exact=True).locator("[role=gridcell]")
    labels = cells.evaluate_all("cells => cells.map((cell) => cell.getAttribute('aria-label'))")
    return [float(text.split(": ")[1].replace("−", "-")) for text in labels]


def explorer_of(page):
    state = page.evaluate(
        "Object.fromEntries(['image','kind','kernel_size','stride','down','right'].map((n) => [n, model.get(n)]))"
    )
    return PoolExplorer(**state)


def test_controls_by_keyboard(mount):
    page = mount(PoolExplorer())
    for label, key, name, value in (
        ("window size", "ArrowRight", "kernel_size", 3),
        ("stride", "ArrowLeft", "stride", 1),
        ("move right", "ArrowRight", "right", 2),
        ("move down", "ArrowLeft", "down", -1),
    ):
        page.get_by_label(label).press(key)
        assert page.evaluate("name => model.get(name)", name) == value
        now = explorer_of(page)
        np.testing.assert_allclose(shown(page, "output before"), now.before.ravel(), rtol=6e-3)
        np.testing.assert_allclose(shown(page, "output after"), now.after.ravel(), rtol=6e-3)
    page.get_by_label("pooling", exact=True).select_option("L2")
    now = explorer_of(page)
    assert now.kind == "L2"
    changed = np.count_nonzero(np.abs(now.after - now.before) > 1e-9)
    row = page.get_by_role("row", name="L2")
    assert f"{changed} of {now.before.size}" in row.inner_text()
    page.get_by_text(f"{changed} of {now.before.size} units changed").wait_for()


def test_a_pixel_typed_and_a_unit_pointed_at(mount):
    explorer = PoolExplorer(image=np.arange(16.0).reshape(4, 4), right=1, kind="average")
    page = mount(explorer, width=390)
    cell = page.get_by_role("grid", name="image, moved").locator("[role=gridcell]").nth(5)
    cell.click()
    page.keyboard.type("-7")
    page.keyboard.press("Enter")
    assert page.evaluate("model.get('image')")[1] == [-7, 5, 6, 7]
    np.testing.assert_allclose(shown(page, "output after"), explorer_of(page).after.ravel(), rtol=6e-3)
    page.get_by_role("grid", name="output after").locator("[role=gridcell]").nth(2).hover()
    assert page.evaluate("model.get('selected')") == [1, 0]
    page.get_by_text("average of 0, 8, 0, 12 = 5").wait_for()
    assert page.get_by_label("image", exact=True).input_value() == "own"


def test_state_set_from_outside_is_drawn(mount):
    page = mount(PoolExplorer())
    page.evaluate("model.set({ right: 0, down: 0 })")
    page.get_by_text("The image has not moved.").wait_for()
    page.evaluate("model.set({ right: 2 })")
    page.get_by_text("only moved along, 1 unit right: equivariance").wait_for()
    image = np.zeros((6, 6), dtype=int)
    image[0, 0] = 4
    page.evaluate("image => model.set({ image, right: 1 })", image.tolist())
    page.get_by_text("No output of max pooling changed: invariance.").wait_for()
    assert shown(page, "output after") == [4] + [0] * 8


def test_what_was_said_is_not_said_again(mount):
    page = mount(PoolExplorer())
    page.evaluate("""() => {
      window.said = 0;
      const count = () => (window.said += 1);
      new MutationObserver(count).observe(document.querySelector("[role=status]"), { childList: true });
    }""")
    page.locator("[role=grid]").nth(1).locator("[tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
        page.wait_for_timeout(300)
    assert page.evaluate("window.said") == 0
    page.get_by_label("move right").press("ArrowRight")
    page.wait_for_function("window.said === 1")
