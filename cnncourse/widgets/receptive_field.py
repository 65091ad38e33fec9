"""A stack of layers along one axis: what each unit sees of the layers below and of the input."""

from __future__ import annotations

from typing import Any

import traitlets

from cnncourse.shapes import ReceptiveField, conv_output_size, receptive_field
from cnncourse.widgets.explorer import Checked, Explorer, Position, Whole

Layer = dict[str, Any]
MOST = {"kernel_size": 11, "stride": 4, "padding": 5, "dilation": 8}
LEAST = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
MOST_LAYERS = 20


def layer(name: str, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Layer:
    """Return a layer as the explorer holds it."""
    return {
        "name": name, "kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation,
    }  # fmt: skip


def presets() -> list[tuple[str, int, list[Layer]]]:
    """Return the stacks to choose from: name, size of the input, layers.

    References
    ----------
    LeCun et al. 1998, section II.B (LeNet-5); Krizhevsky, Sutskever, Hinton 2012, section 3.5 (AlexNet);
    Simonyan, Zisserman 2015, Table 1 (VGG-16); He et al. 2016, Table 1 (ResNet-18).
    """
    vgg = [
        step
        for block, convolutions in enumerate((2, 2, 3), 1)
        for step in (
            *(layer(f"conv{block}_{i}", 3, 1, 1) for i in range(1, convolutions + 1)),
            layer(f"pool{block}", 2, 2),
        )
    ]
    alexnet = [
        *(layer("conv1", 11, 4), layer("pool1", 3, 2), layer("conv2", 5, 1, 2), layer("pool2", 3, 2)),
        *(layer(f"conv{i}", 3, 1, 1) for i in (3, 4, 5)),
        layer("pool5", 3, 2),
    ]
    lenet = [layer("C1", 5), layer("S2", 2, 2), layer("C3", 5), layer("S4", 2, 2), layer("C5", 5)]
    resnet = [
        layer("conv1", 7, 2, 3),
        layer("pool", 3, 2, 1),
        *(layer(f"conv2_{i}", 3, 1, 1) for i in range(1, 5)),
    ]
    return [
        ("three 3×3", 16, [layer(f"conv{i}", 3) for i in (1, 2, 3)]),
        ("one 7×7", 16, [layer("conv1", 7)]),
        ("3×3, stride 2", 32, [layer(f"conv{i}", 3, 2, 1) for i in (1, 2, 3)]),
        ("dilation 1, 2, 4", 32, [layer(f"conv{i}", 3, 1, 2 ** (i - 1), 2 ** (i - 1)) for i in (1, 2, 3)]),
        ("dilation 2, 2, 2", 32, [layer(f"conv{i}", 3, 1, 2, 2) for i in (1, 2, 3)]),
        ("LeNet-5", 32, lenet),
        ("AlexNet", 227, alexnet),
        ("VGG-16 start", 224, vgg),
        ("ResNet-18 start", 224, resnet),
    ]


class Layers(Checked):
    """A list of layers, each a name and the geometry of its window."""

    def make_dynamic_default(self) -> list[Layer]:
        """Return a copy, so that no two explorers share one list."""
        return self.plain(self.default_value)

    def check(self, value: Any) -> str:
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= MOST_LAYERS:
            return f"must be a list of 1 to {MOST_LAYERS} layers"
        for place, given in enumerate(value):
            if not isinstance(given, dict) or set(given) != {"name", *MOST}:
                return f"must hold dicts with name, {', '.join(MOST)}; item {place} is none"
            for name, most in MOST.items():
                if type(given[name]) is not int or not LEAST[name] <= given[name] <= most:
                    return f"has {name} {given[name]!r} in item {place}; it may be {LEAST[name]} to {most}"
            if not isinstance(given["name"], str) or not 1 <= len(given["name"]) <= 8:
                return f"has the name {given['name']!r} in item {place}; a name has 1 to 8 characters"
        return ""

    def plain(self, value: Any) -> list[Layer]:
        return [dict(given) for given in value]


class ReceptiveFieldExplorer(Explorer):
    """Stack layers whose windows slide, and see what each unit sees, down to the input.

    One axis is shown; the other is the same.

    Parameters
    ----------
    layers : list of dicts
        From the input up, each with `name`, `kernel_size`, `stride`, `padding` and `dilation`.
    input_size : int
        Pixels along the axis.
    selected : (level, unit)
        The chosen unit; level 0 is the input.

    Examples
    --------
    >>> layers = [layer("conv", 3, padding=1), layer("pool", 2, stride=2)]
    >>> explorer = ReceptiveFieldExplorer(input_size=8, layers=layers, selected=[2, 0])
    >>> explorer.sizes
    [8, 8, 4]
    >>> explorer.fields[-1]["size"], explorer.reached
    ((4, 4), [[0], [0, 1], [-1, 0, 1, 2]])
    """

    module = "receptive_field.js"
    parts = ("strips.js",)
    styles = ("tables.css", "strips.css")
    shows = (
        "Layers one above the other, each a row of units, the input at the bottom. One chooses a unit and "
        "sees the units that it is computed from in each layer below, down to its receptive field in the "
        "input, and a table of each layer's units and of the jump, start and size of its receptive fields. "
        "Layers can be changed, added and removed."
    )
    question = traitlets.Unicode(
        "How large must one kernel be to see as much as three 3×3 kernels? And if the first has stride 2?"
    ).tag(sync=True)
    layers = Layers([layer(f"conv{i}", 3) for i in (1, 2, 3)])
    input_size = Whole(16, 1, 256)
    selected = Position([3, 4])
    presets: Any = traitlets.List().tag(sync=True)

    @traitlets.default("presets")
    def _presets(self) -> list[tuple[str, int, list[Layer]]]:
        return presets()

    @property
    def fields(self) -> list[ReceptiveField]:
        """The receptive field behind each layer, as `cnncourse.shapes.receptive_field` finds it."""
        chain: list[Any] = [{name: given[name] for name in MOST} for given in self.layers]
        return receptive_field(chain)

    @property
    def sizes(self) -> list[int]:
        """How many units the input and each layer have; 0 from the first layer whose window does not fit."""
        sizes = [self.input_size]
        for given in self.layers:
            try:
                sizes.append(conv_output_size(sizes[-1], *(given[name] for name in MOST)))
            except ValueError:
                break
        return sizes + [0] * (len(self.layers) + 1 - len(sizes))

    @property
    def reached(self) -> list[list[int]]:
        """The units that the chosen unit is computed from: its own level first, the input last.

        Those below zero, or from the level's size on, are padding, and come from nothing below.
        """
        level, unit = self.selected
        level = min(level, max(place for place, size in enumerate(self.sizes) if size))
        found = [[min(unit, self.sizes[level] - 1)]]
        for above in range(level, 0, -1):
            given = self.layers[above - 1]
            computed = (unit for unit in found[-1] if 0 <= unit < self.sizes[above])
            starts = [given["stride"] * unit - given["padding"] for unit in computed]
            steps = range(0, given["dilation"] * given["kernel_size"], given["dilation"])
            found.append(sorted({start + step for start in starts for step in steps}))
        return found
