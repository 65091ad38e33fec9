"""ReceptiveFieldExplorer in a browser: its arithmetic is the course's, and what it shows is what it computed."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets

from cnncourse.widgets import ReceptiveFieldExplorer
from cnncourse.widgets.receptive_field import layer, presets


def some_explorers(count):
    rng = np.random.default_rng(13)
    for _ in range(count):
        layers = [
            layer(
                f"l{i}",
                *(
                    int(v)
                    for v in (
                        rng.integers(1, 6),
                        rng.integers(1, 4),
                        *rng.integers(0, 3, size=1),
                        rng.integers(1, 4),
                    )
                ),
            )
            for i in range(rng.integers(1, 6))
        ]
        selected = [int(rng.integers(0, 8)), int(rng.integers(0, 60))]
        yield ReceptiveFieldExplorer(layers=layers, input_size=int(rng.integers(1, 90)), selected=selected)


def published():
    for _, input_size, layers in presets():
        yield ReceptiveFieldExplorer(layers=layers, input_size=input_size, selected=[len(layers), 0])


def test_arithmetic_is_the_courses(mount, call):
    page = mount(ReceptiveFieldExplorer())
    for explorer in (*some_explorers(40), *published()):
        found = call(page, "receptiveFields", explorer.layers)
        assert [(field["size"],) * 2 for field in found] == [field["size"] for field in explorer.fields]
        assert [(field["jump"],) * 2 for field in found] == [field["jump"] for field in explorer.fields]
        assert [(field["start"],) * 2 for field in found] == [field["start"] for field in explorer.fields]
        assert call(page, "sizesOf", explorer.input_size, explorer.layers) == explorer.sizes
        level, unit = call(page, "nearest", explorer.selected, explorer.sizes)
        assert call(page, "reached", explorer.input_size, explorer.layers, level, unit) == explorer.reached
        first, last = call(page, "spans", explorer.layers, level, unit)[-1]
        if level:
            field = explorer.fields[level - 1]
            assert last - first + 1 == field["size"][0]
            assert (first + last) / 2 == field["start"][0] + unit * field["jump"][0]


def state_of(page):
    state = page.evaluate(
        "({ layers: model.get('layers'), input_size: model.get('input_size'), selected: model.get('selected') })"
    )
    return ReceptiveFieldExplorer(**state)


def check_table(page):
    """The table's rows are the course's numbers, from the input up."""
    explorer = state_of(page)
    rows = [row.locator("td").all_text_contents() for row in page.locator("tbody tr").all()]
    fields = [{"size": (1, 1), "jump": (1, 1), "start": (0.0, 0.0)}, *explorer.fields]
    expected = [
        [size, field["jump"][0], field["start"][0], field["size"][0]]
        for size, field in zip(explorer.sizes, fields, strict=True)
    ]
    assert [[float(cell.replace("−", "-")) for cell in row[1:]] for row in rows] == expected
    return explorer


def test_by_keyboard(mount):
    page = mount(ReceptiveFieldExplorer(), width=390)
    check_table(page)
    page.get_by_role("slider", name="conv3").focus()
    for key, selected in (
        ("ArrowRight", [3, 5]),
        ("ArrowDown", [2, 6]),
        ("Home", [2, 0]),
        ("ArrowLeft", [2, 0]),
        ("End", [2, 11]),
        ("ArrowDown", [1, 12]),
        ("ArrowDown", [0, 13]),
        ("ArrowDown", [0, 13]),
        ("ArrowUp", [1, 12]),
    ):
        page.keyboard.press(key)
        assert page.evaluate("model.get('selected')") == selected
        assert page.evaluate("document.activeElement.getAttribute('aria-valuenow')") == str(selected[1])
    for label, name, value in (
        ("stride", "stride", 2),
        ("padding", "padding", 1),
        ("dilation", "dilation", 2),
    ):
        page.get_by_label(label).press("ArrowRight")
        assert check_table(page).layers[0][name] == value
    page.get_by_role("button", name="Add a layer above").press("Enter")
    page.get_by_label("kernel size").press("ArrowRight")
    assert [given["kernel_size"] for given in check_table(page).layers] == [3, 4, 3, 3]
    page.get_by_role("button", name="Remove this layer").press("Enter")
    assert [given["name"] for given in check_table(page).layers] == ["conv1", "conv2", "conv3"]
    assert page.get_by_label("layers", exact=True).input_value() == "own"
    for left in (2, 1, 1):
        page.keyboard.press("Enter")  # the focus stays on the button, also where nothing more can be removed
        assert len(check_table(page).layers) == left


def test_presets_and_pointer(mount):
    page = mount(ReceptiveFieldExplorer())
    page.get_by_label("layers", exact=True).select_option("AlexNet")
    explorer = check_table(page)
    assert explorer.fields[-1]["size"] == (195, 195)
    page.get_by_text("Unit 2 of pool5 sees 195 × 195 pixels, along this axis from 0 to 194.").wait_for()
    frame = page.locator("[data-level='8'] .cx-units").bounding_box()
    page.mouse.move(frame["x"] + frame["width"] / 12, frame["y"] + frame["height"] / 2)
    assert page.evaluate("model.get('selected')") == [8, 0]
    page.get_by_text("from −64 to 130, 64 of them outside the image, where padding stands in").wait_for()
    page.get_by_label("layers", exact=True).select_option("dilation 2, 2, 2")
    page.get_by_text("only 7 of 13 reach it").wait_for()
    check_table(page)


def test_state_set_from_outside_is_drawn(mount):
    page = mount(ReceptiveFieldExplorer())
    page.evaluate(
        "layers => model.set({ layers, input_size: 9, selected: [1, 0] })",
        [layer("wide", 9), layer("top", 2)],
    )
    check_table(page)
    page.get_by_text("Unit 0 of wide sees 9 × 9 pixels").wait_for()
    page.get_by_text("The window of top does not fit: 1 unit below it.").wait_for()
    assert page.get_by_role("slider", name="top").count() == 0
    page.evaluate("model.set({ input_size: 10, selected: [2, 0] })")
    page.get_by_text("Unit 0 of top sees 10 × 10 pixels").wait_for()


@pytest.mark.parametrize(
    ("layers", "says"),
    [
        ([], "must be a list of 1 to 20 layers"),
        ([{"kernel_size": 3}], "item 0 is none"),
        ([layer("a", 3, 0)], "has stride 0 in item 0; it may be 1 to 4"),
        ([layer("a", 3), layer("", 3)], "has the name '' in item 1"),
    ],
)
def test_wrong_layers_are_named(layers, says):
    with pytest.raises(traitlets.TraitError, match=says):
        ReceptiveFieldExplorer(layers=layers)
