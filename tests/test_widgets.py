"""Explorers without a browser: their traits, what they say about a wrong value, and the module they send."""

import re
import subprocess
import sys

import numpy as np
import pytest
from traitlets import TraitError

import cnncourse.widgets
from cnncourse.colors import COLORS, NEGATIVE, POSITIVE
from cnncourse.widgets import ConvExplorer, OutputSizeExplorer
from cnncourse.widgets.explorer import HERE, SHARED, Explorer

ALL = [name for name, module in cnncourse.widgets.EXPLORERS.items() if HERE.joinpath(f"{module}.py").exists()]
VIEW = "application/vnd.jupyter.widget-view+json"


def made(name):
    return getattr(cnncourse.widgets, name)()


def own_traits(name):
    return getattr(cnncourse.widgets, name).class_own_traits(sync=True)


def test_names_are_found_when_asked_for():
    code = (
        "import sys\nfrom cnncourse.widgets import OutputSizeExplorer\n"
        "print(*sorted(name for name in sys.modules if name.startswith('cnncourse.widgets.')))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["cnncourse.widgets.explorer", "cnncourse.widgets.output_size"]
    with pytest.raises(AttributeError, match="no explorer named 'Other'"):
        _ = cnncourse.widgets.Other
    assert dir(cnncourse.widgets) == sorted(cnncourse.widgets.EXPLORERS)


@pytest.mark.parametrize("name", ALL)
def test_the_module_is_one_file_that_needs_no_other(name):
    source = made(name).get_state()["_esm"]
    assert all(HERE.joinpath(part).read_text(encoding="utf-8") in source for part in SHARED)
    code = re.sub(r"/\*[\s\S]*?\*/|(?m:^\s*//.*$)", "", source)
    assert not re.findall(
        r"(?m)^\s*import\b|\bimport\(|\bfetch\(|require\(|XMLHttpRequest|localStorage", code
    )
    assert set(re.findall(r"[a-z]+://[^\"' ]+", code)) <= {
        "http://www.w3.org/2000/svg"
    }  # a name, not a request
    assert re.findall(r"export default .*", code) == ["export default { render };"]
    assert "innerHTML" not in code  # what stands in a state is text, never markup
    defined = re.findall(r"(?m)^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", code)
    assert len(defined) == len(set(defined)), "something is defined twice"


@pytest.mark.parametrize("name", ALL)
def test_what_stands_where_no_explorer_can_run(name):
    explorer = made(name)
    bundle, _ = explorer._repr_mimebundle_()
    assert set(bundle) == {VIEW, "text/plain"}
    words = " ".join(bundle["text/plain"].split())
    assert explorer.question in words and type(explorer).shows in words
    assert max(map(len, bundle["text/plain"].splitlines())) < 90
    assert explorer.question.rstrip().endswith(("?", ".")) and len(type(explorer).shows.split()) >= 20


@pytest.mark.parametrize("name", ALL)
def test_state_is_plain_data(name):
    first, second = made(name), made(name)
    state = {key: value for key, value in first.get_state().items() if not key.startswith("_")}
    for key in own_traits(name):
        assert_plain(state[key])
        if isinstance(state[key], list) and key != "pictures":
            assert getattr(first, key) is not getattr(second, key)


def assert_plain(value):
    if isinstance(value, list | tuple):
        for item in value:
            assert_plain(item)
    elif isinstance(value, dict):
        for item in value.values():
            assert_plain(item)
    else:
        assert type(value) in (int, float, str, bool)


@pytest.mark.parametrize("name", ALL)
def test_every_own_trait_says_what_is_wrong(name):
    explorer = made(name)
    for key in own_traits(name):
        before = getattr(explorer, key)
        with pytest.raises(TraitError) as caught:
            setattr(explorer, key, object())
        assert key in str(caught.value) and "\n" not in str(caught.value)
        assert getattr(explorer, key) == before


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("stride", 0, "stride (=0) must be a whole number from 1 to 4"),
        ("stride", True, "stride (=True) must be a whole number from 1 to 4"),
        ("stride", 1.0, "stride (=1.0) must be a whole number from 1 to 4"),
        ("padding", -1, "padding (=-1) must be a whole number from 0 to 3"),
        ("flipped", 1, "flipped (=1) must be True or False"),
        ("selected", [0], "selected (=[0]) must be a row and a column, whole numbers from 0"),
        ("kernel", [[1, 2], [3]], "kernel (=[[1, 2], [3]]) must be rows of numbers, all of one length"),
        ("kernel", [], "kernel (=[]) must be rows of numbers, all of one length"),
        ("kernel", [1, 2], "kernel (=[1, 2]) must be rows of numbers, all of one length"),
        ("kernel", [[np.nan]], "kernel (=[[nan]]) must hold finite numbers only"),
        ("kernel", [["1"]], "kernel (=[['1']]) must hold finite numbers only"),
        ("kernel", [[1] * 6], "kernel (=[[1, 1, 1, 1, 1, 1]]) has 6 columns; there may be 1 to 5"),
        ("image", np.zeros((17, 2)), " has 17 rows; there may be 1 to 16"),
    ],
)
def test_wrong_values(trait, value, message):
    with pytest.raises(TraitError) as caught:
        ConvExplorer(**{trait: value})
    assert message in str(caught.value)
    assert len(str(caught.value)) < 140


def test_arrays_and_numpy_numbers_are_taken():
    explorer = ConvExplorer(image=np.eye(3), kernel=np.array([[1, 2]]), stride=np.int64(2))
    assert explorer.image == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    assert explorer.kernel == [[1, 2]] and type(explorer.stride) is int


def test_a_list_given_is_not_kept():
    kernel = [[1, 2]]
    explorer = ConvExplorer(kernel=kernel)
    kernel[0][0] = 9
    assert explorer.kernel == [[1, 2]]


def test_conv_output_by_definition():
    """The property against the definition, one sum at a time."""
    generator = np.random.default_rng(2)
    explorer = ConvExplorer(
        image=generator.normal(size=(9, 7)),
        kernel=generator.normal(size=(2, 3)),
        stride=2,
        padding=1,
        dilation=2,
        flipped=True,
    )
    x, w = np.pad(explorer.image, 1), np.flip(explorer.kernel)
    for (i, j), unit in np.ndenumerate(explorer.output):
        window = x[2 * i : 2 * i + 3 : 2, 2 * j : 2 * j + 5 : 2]
        assert abs(unit - (window * w).sum()) < 1e-12
    assert explorer.output.shape == (5, 3)


def test_pictures_have_contrast():
    for name, rows in ConvExplorer().pictures:
        values = np.array(rows)
        assert values.min() <= 1 and 10 <= values.max() <= 16, name
        assert np.array_equal(values, values.astype(int))


def test_output_size_where_none_fits():
    explorer = OutputSizeExplorer(size=3, kernel_size=5)
    with pytest.raises(ValueError, match="the kernel covers 5 pixels"):
        _ = explorer.output_size


def test_output_size_with_gaps():
    explorer = OutputSizeExplorer(size=8, kernel_size=2, stride=4, padding=1)
    assert explorer.windows == [[-1, 0], [3, 4], [7, 8]]
    assert explorer.never_read == [1, 2, 5, 6]


def test_colours_are_the_courses():
    source = HERE.joinpath("shared.js").read_text(encoding="utf-8")
    style = HERE.joinpath("shared.css").read_text(encoding="utf-8")
    for name, value in COLORS.items():
        value = "currentColor" if name == "truth" else value
        assert f".cx-{name} {{ stroke: {value}; --cx-color: {value}; }}".lower() in style.lower()
    assert str(list(NEGATIVE)) in source and str(list(POSITIVE)) in source


def test_a_subclass_shares_the_style():
    assert issubclass(ConvExplorer, Explorer)
    assert made("ConvExplorer").get_state()["_css"] == HERE.joinpath("shared.css").read_text(encoding="utf-8")
