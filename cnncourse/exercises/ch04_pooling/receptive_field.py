"""Exercise: what a unit sees of the image, through a chain of layers."""

from collections.abc import Iterator

import numpy as np

from cnncourse import shapes
from cnncourse.checking import Case, Exercise


def receptive_field(layers):
    """Say which part of the image the units behind a chain of layers see.

    Parameters
    ----------
    layers : list of dict
        From the image up, at least one. Each layer has "kernel_size", "stride", "padding" and "dilation",
        all of them pairs (rows, columns).

    Returns
    -------
    dict of pairs (rows, columns)
        "size": pixels that a unit of the last layer sees, padding included
        "jump": pixels from what one unit sees to what its neighbour sees
        "start": the centre of what the first unit sees; the centre of the first pixel is 0
    """
    size, jump, start = [1, 1], [1, 1], [0.0, 0.0]
    for layer in layers:
        for axis in (0, 1):
            reach = layer["dilation"][axis] * (layer["kernel_size"][axis] - 1)
            size[axis] += reach * jump[axis]
            start[axis] += (reach / 2 - layer["padding"][axis]) * jump[axis]
            jump[axis] *= layer["stride"][axis]
    return {"size": tuple(size), "jump": tuple(jump), "start": tuple(start)}


def _reference(layers):
    return dict(shapes.receptive_field(layers)[-1])


PARTS = ("size", "jump", "start")


def _layer(kernel_size, stride=1, padding=0, dilation=1):
    given = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}
    return {name: shapes.pair(value) for name, value in given.items()}


ALEXNET = [
    *(_layer(11, 4), _layer(3, 2), _layer(5, 1, 2), _layer(3, 2)),
    *(_layer(3, 1, 1), _layer(3, 1, 1), _layer(3, 1, 1), _layer(3, 2)),
]
CHAINS = (
    ("one 3x3 layer", [_layer(3)]),
    ("three 3x3 layers", [_layer(3)] * 3),
    ("a 2x2 pooling with stride 2, then 3x3", [_layer(2, 2), _layer(3)]),
    ("two 3x3 layers with stride 2 and padding 1", [_layer(3, 2, 1)] * 2),
    ("dilation 1, 2 and 4, padded to keep the size", [_layer(3, 1, d, d) for d in (1, 2, 4)]),
    (
        "kernels, strides and paddings that are not square",
        [_layer((3, 5), (1, 2), (0, 2)), _layer((2, 3), (3, 1), (1, 0)), _layer((1, 3), (2, 2), (0, 1))],
    ),
    (
        "an even kernel, then dilation with a stride",
        [_layer((4, 2), 1, (1, 0)), _layer(3, 2, 1, (3, 2)), _layer(3)],
    ),
    ("the first eight layers of AlexNet", ALEXNET),
)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Chains from one layer to AlexNet's and one drawn at random; each part is a group of its own."""
    drawn = [
        _layer(*((int(rng.integers(low, high)), int(rng.integers(low, high))) for low, high in ranges))
        for ranges in [((2, 6), (1, 4), (0, 3), (1, 4))] * 3
    ]
    chains = [(why, {"layers": chain}) for why, chain in (*CHAINS, ("a chain drawn at random", drawn))]
    for part in PARTS:
        for why, arguments in chains:
            yield Case(f'"{part}": {why}', arguments, part, part)


exercise = Exercise(
    solution=receptive_field,
    reference=_reference,
    cases=cases,
    points=3,
    prompt="""\
A unit of the first layer sees a window of the image. A unit of the second sees a window of units, each of
which sees a window. How far does that reach? Whether a network can know a face or only an eye depends on it,
and it follows from the layers alone.

Three numbers along each axis describe it. Before any layer a "unit" is a pixel: `size` 1, `jump` 1 and
`start` 0. Then each layer changes them.

**By hand.** Along one axis: a pooling of 2 with stride 2, then a kernel of 3 with padding 1.

```
pixels      0 1 2 3 4 5 6 7
pool        a a b b c c d d        a sees 0 and 1: size 2, start 0.5; its neighbour is 2 pixels on: jump 2
kernel    p a b                    p is padding. The first unit sees p, a, b: pixels -2 to 3
```

So behind both: `size` 6, `jump` 2, and `start` 0.5, the middle of -2 and 3. The pixels below 0 are padding
and count.

**Contract.** `layers` holds dicts with `"kernel_size"`, `"stride"`, `"padding"` and `"dilation"`, each a pair
(rows, columns). Return a dict with the pairs `"size"` and `"jump"` (ints) and `"start"` (floats), for the
units of the **last** layer. A kernel of `k` with dilation `d` reaches over `d * (k - 1)` steps. The three
parts earn their points one by one.
""",
    hints=(
        "Do one axis first, on paper, for the example. When a window has one unit more, how many pixels more "
        "does it see: one, or as many as lie between neighbouring units?",
        "A layer reads the units below it, and those are one *old* jump apart: what does that say about when "
        "to change the jump? For the start: where is the middle of the first window, counted in units below?",
        "One loop over the layers, from the image up, and three numbers an axis that it changes. The padding "
        "moves the first window outwards, half of the reach moves its middle inwards.",
    ),
    remark="AlexNet's last pooling sees 195 pixels, VGG-16's 212: both nearly the whole image.",
)


def _chain(layers, size=None, jump=None, start=None):
    """Walk up the layers with one of the three rules replaced; it gets old values and one axis's layer."""
    found: dict[str, list[float]] = {"size": [], "jump": [], "start": []}
    for axis in (0, 1):
        s, j, c = 1, 1, 0.0
        for layer in layers:
            one = {name: pair[axis] for name, pair in layer.items()}
            reach = one["dilation"] * (one["kernel_size"] - 1)
            new_s = size(s, j, reach, one) if size else s + reach * j
            c = start(c, j, reach, one) if start else c + (reach / 2 - one["padding"]) * j
            j = jump(j, one) if jump else j * one["stride"]
            s = new_s
        for name, value in (("size", s), ("jump", j), ("start", c)):
            found[name].append(value)
    return {name: tuple(pair) for name, pair in found.items()}


@exercise.misconception(
    """`"size"` grows by the reach of each kernel, as if no layer had a stride. Behind a stride, one unit
    more is as many pixels more as the jump says."""
)
def _jump_ignored(layers):
    return _chain(layers, size=lambda s, j, reach, one: s + reach)


@exercise.misconception(
    """`"size"` uses the jump after the layer's own stride. A layer reads the units below it, and its own
    stride says nothing about how far those are apart."""
)
def _jump_changed_too_early(layers):
    return _chain(layers, size=lambda s, j, reach, one: s + reach * j * one["stride"])


@exercise.misconception(
    """`"size"` adds up the kernels. Two windows of 3 with stride 1 see 5 pixels, not 6: they share one."""
)
def _kernels_added_up(layers):
    return _chain(layers, size=lambda s, j, reach, one: (0 if s == 1 else s) + one["kernel_size"])


@exercise.misconception(
    """`"size"` multiplies the kernels. Two windows of 3 with stride 1 see 5 pixels, not 9."""
)
def _kernels_multiplied(layers):
    return _chain(layers, size=lambda s, j, reach, one: s * one["kernel_size"])


@exercise.misconception("""`"size"` starts from 0. Before any layer a unit is a pixel, and sees one.""")
def _size_starts_at_zero(layers):
    found = _chain(layers)
    return found | {"size": tuple(size - 1 for size in found["size"])}


@exercise.misconception(
    """`"size"` adds the whole kernel at each layer. A kernel of k reaches k - 1 units further than one."""
)
def _minus_one_forgotten(layers):
    return _chain(layers, size=lambda s, j, reach, one: s + one["dilation"] * one["kernel_size"] * j)


@exercise.misconception(
    """`"size"` adds the whole kernel at each layer, and the dilation plays no part. A kernel of k with
    dilation d reaches over d * (k - 1) steps."""
)
def _minus_one_and_dilation_forgotten(layers):
    return _chain(layers, size=lambda s, j, reach, one: s + one["kernel_size"] * j)


@exercise.misconception(
    """`"size"` loses the padding. What lies outside counts: a unit sees as many places as without padding,
    some of them filled with zeros."""
)
def _padding_taken_off_the_size(layers):
    return _chain(layers, size=lambda s, j, reach, one: s + (reach - 2 * one["padding"]) * j)


@exercise.misconception(
    """The dilation plays no part in `"size"`. A kernel of k with dilation d reaches over d * (k - 1)
    steps."""
)
def _dilation_ignored(layers):
    return _chain(layers, size=lambda s, j, reach, one: s + (one["kernel_size"] - 1) * j)


@exercise.misconception(
    """`"size"` takes a dilated kernel to be d * k wide, so that it reaches over d * k - 1 steps. Between k
    weights there are k - 1 gaps: it reaches over d * (k - 1)."""
)
def _dilated_kernel_too_wide(layers):
    return _chain(layers, size=lambda s, j, reach, one: s + (one["dilation"] * one["kernel_size"] - 1) * j)


@exercise.misconception(
    """`"size"` gets the padding on top. Padding adds numbers to the map; what a unit sees is as large as
    before, only part of it lies outside."""
)
def _padding_in_the_size(layers):
    return _chain(layers, size=lambda s, j, reach, one: s + (reach + 2 * one["padding"]) * j)


@exercise.misconception(
    """`"size"` comes out as if the layers stood in the other order. (size - 1) * stride + kernel is a rule
    for walking from the last layer down to the image; from the image up, use the jump."""
)
def _rule_for_the_other_direction(layers):
    return _chain(layers, size=lambda s, j, reach, one: (s - 1) * one["stride"] + reach + 1)


@exercise.misconception(
    """The jump adds the strides up. Every second of every second unit is every fourth: it multiplies."""
)
def _strides_added(layers):
    return _chain(layers, jump=lambda j, one: j + one["stride"])


@exercise.misconception(
    """`"jump"` is the sum of all strides. Every second of every second unit is every fourth: it
    multiplies."""
)
def _sum_of_strides(layers):
    total = tuple(sum(layer["stride"][axis] for layer in layers) for axis in (0, 1))
    return _chain(layers) | {"jump": total}


@exercise.misconception(
    """The jump is the stride of the last layer alone, and what the layers below it did to it is lost. Their
    strides count too."""
)
def _jump_set_to_the_stride(layers):
    return _chain(layers, jump=lambda j, one: one["stride"])


@exercise.misconception("""`"jump"` leaves out the last layer's own stride.""")
def _own_stride_left_out(layers):
    return _chain(layers) | {"jump": _chain(layers[:-1])["jump"]}


@exercise.misconception(
    """The jump multiplies with the dilation too. Dilation spreads the weights of a window, not the
    windows."""
)
def _dilation_in_the_jump(layers):
    return _chain(layers, jump=lambda j, one: j * one["stride"] * one["dilation"])


@exercise.misconception(
    """`"start"` takes no notice of the padding, which moves the first window outwards."""
)
def _padding_ignored(layers):
    return _chain(layers, start=lambda c, j, reach, one: c + reach / 2 * j)


@exercise.misconception(
    """`"start"` moves inwards by the padding. Padding stands before the first pixel and moves the first
    window outwards."""
)
def _padding_inwards(layers):
    return _chain(layers, start=lambda c, j, reach, one: c + (reach / 2 + one["padding"]) * j)


@exercise.misconception(
    """`"start"` does not take the jump into account: half of the reach and the padding are counted in units
    below, and those are several pixels apart."""
)
def _start_without_jump(layers):
    return _chain(layers, start=lambda c, j, reach, one: c + reach / 2 - one["padding"])


@exercise.misconception(
    """`"start"` uses the jump after the layer's own stride. The first window lies on the units below, and
    the layer's own stride moves only the windows after it."""
)
def _start_with_the_new_jump(layers):
    return _chain(layers, start=lambda c, j, reach, one: c + (reach / 2 - one["padding"]) * j * one["stride"])


@exercise.misconception(
    """Half of the reach is rounded down in `"start"`. With an even kernel the centre lies between two pixels,
    and `start` is no whole number."""
)
def _half_rounded_down(layers):
    return _chain(layers, start=lambda c, j, reach, one: c + (reach // 2 - one["padding"]) * j)


@exercise.misconception(
    """`"start"` takes the padding of the last layer only, and counts it in pixels. Each layer's padding moves
    the first window outwards, by as many of the units below it."""
)
def _last_padding_only(layers):
    found, last = _chain(layers), layers[-1]["padding"]
    starts = ((size - 1) / 2 - p for size, p in zip(found["size"], last, strict=True))
    return found | {"start": tuple(starts)}


@exercise.misconception(
    """`"start"` takes half of the kernel. From the first to the last of k weights there are k - 1 steps: the
    middle lies half of those from the begin."""
)
def _half_the_kernel(layers):
    return _chain(layers, start=lambda c, j, reach, one: c + ((reach + 1) / 2 - one["padding"]) * j)


@exercise.misconception(
    """`"start"` is too large by half a pixel: the centre of the first pixel is 0 here, not 0.5."""
)
def _half_a_pixel_off(layers):
    found = _chain(layers)
    return found | {"start": tuple(start + 0.5 for start in found["start"])}


@exercise.misconception(
    """`"start"` is where the first unit's field begins. The contract asks for its centre."""
)
def _begin_for_centre(layers):
    return _chain(layers, start=lambda c, j, reach, one: c - one["padding"] * j)


@exercise.misconception(
    """`"start"` does not take the dilation into account: the middle of the first window lies half of
    d * (k - 1) from its begin."""
)
def _start_without_dilation(layers):
    return _chain(
        layers, start=lambda c, j, reach, one: c + ((one["kernel_size"] - 1) / 2 - one["padding"]) * j
    )


@exercise.misconception(
    """The numbers of the rows are used for the columns as well: every entry of a layer is a pair."""
)
def _rows_for_both(layers):
    return {name: (pair[0], pair[0]) for name, pair in _chain(layers).items()}


@exercise.misconception("Rows and columns are exchanged: the rows come first in every pair.")
def _rows_and_columns_swapped(layers):
    return {name: pair[::-1] for name, pair in _chain(layers).items()}


@exercise.misconception("Only the last layer counts. What its units see, they see through those below.")
def _last_layer_only(layers):
    return _chain(layers[-1:])
