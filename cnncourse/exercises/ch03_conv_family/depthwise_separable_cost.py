"""Exercise: what is saved when a layer looks at neighbours and channels one after the other."""

from collections.abc import Iterator

import numpy as np

from cnncourse import shapes
from cnncourse.checking import Case, Exercise


def depthwise_separable_cost(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0):
    """Compare a convolution with a depthwise one followed by a pointwise one.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size : pair of int
        (K_h, K_w) of the standard and of the depthwise layer.
    height, width : int
        Of the input, in pixels.
    stride, padding : int
        Of the standard and of the depthwise layer.

    Returns
    -------
    dict of
        "standard": (parameters, MACs)
        "depthwise": (parameters, MACs)
        "pointwise": (parameters, MACs)
        "ratio": MACs of depthwise and pointwise together, divided by those of standard
    """
    K_h, K_w = kernel_size
    H_out = (height + 2 * padding - K_h) // stride + 1
    W_out = (width + 2 * padding - K_w) // stride + 1
    places = H_out * W_out
    standard = out_channels * in_channels * K_h * K_w
    depthwise = in_channels * K_h * K_w
    pointwise = out_channels * in_channels
    return {
        "standard": (standard, standard * places),
        "depthwise": (depthwise, depthwise * places),
        "pointwise": (pointwise, pointwise * places),
        "ratio": (depthwise + pointwise) / standard,
    }


PARTS = ("standard", "depthwise", "pointwise", "ratio")
LAYERS = (
    ("3x3, from 4 channels to 8", (4, 8, (3, 3), 10, 10, 1, 0)),
    ("a wide image, 3x5 kernels", (6, 4, (3, 5), 8, 15, 1, 0)),
    ("stride 2, padding 1", (3, 7, (3, 3), 12, 9, 2, 1)),
    ("stride 3, padding 2", (8, 5, (5, 2), 9, 14, 3, 2)),
)
NAMES = ("in_channels", "out_channels", "kernel_size", "height", "width", "stride", "padding")


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Four layers and one drawn at random; each part of the answer is a group of its own."""
    channels, size = (int(rng.integers(9, 17)), int(rng.integers(17, 33))), (int(rng.integers(20, 30)), 35)
    drawn = ("a layer drawn at random", (*channels, (3, 4), *size, 2, 1))
    for part in PARTS:
        for why, layer in (*LAYERS, drawn):
            yield Case(f'"{part}": {why}', dict(zip(NAMES, layer, strict=True)), part, part)


def _cost(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0):
    size = (height, width)
    after = shapes.conv2d_output_size(*size, kernel_size, stride, padding)
    layers = {
        "standard": ((in_channels, out_channels, kernel_size), (*size, stride, padding), 1),
        "depthwise": ((in_channels, in_channels, kernel_size), (*size, stride, padding), in_channels),
        "pointwise": ((in_channels, out_channels, 1), (*after, 1, 0), 1),
    }
    cost = {
        name: (shapes.conv2d_params(*kind, groups, bias=False), shapes.conv2d_macs(*kind, *where, 1, groups))
        for name, (kind, where, groups) in layers.items()
    }
    ratio = (cost["depthwise"][1] + cost["pointwise"][1]) / cost["standard"][1]
    return {**cost, "ratio": ratio}


exercise = Exercise(
    solution=depthwise_separable_cost,
    reference=_cost,
    cases=cases,
    points=1,
    prompt="""\
A convolution does two jobs at once: it looks at neighbours, and it mixes channels. Do them one after the
other and pay less. The *depthwise* layer looks at neighbours, each channel for itself, with one kernel a
channel. The *pointwise* layer then mixes the channels of every pixel with 1x1 kernels. How much less is
it?

**By hand.** 2 channels in, 3 out, kernels of 3x3, an image of 5x5, stride 1, no padding: windows fit at
3x3 places.

| | parameters | MACs |
|---|---:|---:|
| standard | 3 · 2 · 9 = 54 | 54 · 9 = 486 |
| depthwise | 2 · 9 = 18 | 18 · 9 = 162 |
| pointwise | 3 · 2 = 6 | 6 · 9 = 54 |

The ratio is (162 + 54) / 486 = 0.444...

**Contract.** Return a dict with `"standard"`, `"depthwise"` and `"pointwise"`, each a tuple (parameters,
MACs) of two ints for **one** image, and `"ratio"`, a float. No layer has a bias. Stride and padding
belong to the standard and to the depthwise layer; the pointwise layer has stride 1 and no padding, and
works on what the depthwise layer put out. The four parts earn their points one by one.
""",
    hints=(
        "For each of the three layers, ask of one unit of its output: how many numbers does it read? And how "
        "many kernels does the layer have?",
        "All three layers put out maps of the same size. MACs are parameters times places here, because "
        "every weight is used once at every place.",
        "Count the places once. Then three products of two to four factors are the parameters; find "
        "which factors each layer leaves out.",
    ),
    remark="The ratio is 1 / C_out + 1 / (K_h K_w), whatever the image: for 3x3 kernels about one ninth.",
)


@exercise.misconception(
    """`"depthwise"` has a kernel for each output channel. It has one for each *input* channel; the
    channels out come from the pointwise layer."""
)
def _depthwise_of_output_channels(**layer):
    return _replaced(layer, depthwise=layer["out_channels"] * _area(layer))


@exercise.misconception(
    """`"depthwise"` lets every kernel read all channels: that is a standard layer from C_in to C_in
    channels. A depthwise kernel reads one channel."""
)
def _depthwise_reads_all_channels(**layer):
    return _replaced(layer, depthwise=layer["in_channels"] ** 2 * _area(layer))


@exercise.misconception(
    """`"depthwise"` has a single kernel, the same for all channels. Every channel has a kernel of its
    own."""
)
def _one_depthwise_kernel(**layer):
    return _replaced(layer, depthwise=_area(layer))


@exercise.misconception(
    """`"standard"` leaves out the input channels. Each kernel of a standard layer reads all of them."""
)
def _standard_without_in_channels(**layer):
    return _replaced(layer, standard=layer["out_channels"] * _area(layer))


@exercise.misconception(
    """`"pointwise"` still has the kernel's rows and columns in it. Its kernels are 1x1: they read one
    pixel, in all channels."""
)
def _pointwise_with_the_kernel(**layer):
    return _replaced(layer, pointwise=layer["in_channels"] * layer["out_channels"] * _area(layer))


@exercise.misconception(
    """`"pointwise"` counts one weight for each output channel. Each of its kernels reads all input
    channels."""
)
def _pointwise_without_in_channels(**layer):
    return _replaced(layer, pointwise=layer["out_channels"])


@exercise.misconception(
    """`"pointwise"` counts one weight for each input channel. There is one such kernel for each output
    channel."""
)
def _pointwise_without_out_channels(**layer):
    return _replaced(layer, pointwise=layer["in_channels"])


@exercise.misconception(
    """The pointwise layer's MACs are counted on the input image. It works on the output of the depthwise
    layer, which is smaller."""
)
def _pointwise_on_the_input(**layer):
    right = _cost(**layer)
    macs = right["pointwise"][0] * layer["height"] * layer["width"]
    return right | {"pointwise": (right["pointwise"][0], macs)}


@exercise.misconception(
    """The MACs are counted at every pixel of the input. It is the units of the output that cost
    something; stride and missing padding make them fewer."""
)
def _macs_of_the_input_size(**layer):
    return _at(layer, layer["height"] * layer["width"])


@exercise.misconception(
    """The sizes are one too small along each axis: between the first and the last window there are so
    many steps, and one window more than steps."""
)
def _plus_one_forgotten(**layer):
    h, w = _size(layer)
    return _at(layer, (h - 1) * (w - 1))


@exercise.misconception("The sizes do not change when `padding` changes: the image grows by `2 * padding`.")
def _padding_ignored(**layer):
    h, w = _size({**layer, "padding": 0})
    return _at(layer, h * w)


@exercise.misconception(
    "The sizes do not change when `stride` changes: fewer windows fit when they are further apart."
)
def _stride_ignored(**layer):
    h, w = _size({**layer, "stride": 1})
    return _at(layer, h * w)


@exercise.misconception(
    """`"ratio"` is upside down: standard divided by separable. Asked for is the part that remains, a
    number below 1."""
)
def _ratio_upside_down(**layer):
    right = _cost(**layer)
    return right | {"ratio": 1 / right["ratio"]}


@exercise.misconception(
    """`"ratio"` is the part that is saved. Asked for is what remains: the new MACs divided by the old."""
)
def _ratio_of_the_saving(**layer):
    right = _cost(**layer)
    return right | {"ratio": 1 - right["ratio"]}


@exercise.misconception(
    """`"ratio"` leaves out the pointwise layer. The two layers together do the work of the standard one."""
)
def _ratio_of_depthwise_alone(**layer):
    right = _cost(**layer)
    return right | {"ratio": right["depthwise"][1] / right["standard"][1]}


@exercise.misconception(
    """`"ratio"` depends on the input channels. They are a factor of all three layers, so they cancel; the
    channels that come out do not."""
)
def _ratio_of_in_channels(**layer):
    return _cost(**layer) | {"ratio": 1 / layer["in_channels"] + 1 / _area(layer)}


@exercise.misconception(
    "Parameters count a bias for each output channel. No layer has a bias here, as the contract says."
)
def _with_biases(**layer):
    right, c_in, c_out = _cost(**layer), layer["in_channels"], layer["out_channels"]
    extra = {"standard": c_out, "depthwise": c_in, "pointwise": c_out}
    return right | {name: (right[name][0] + more, right[name][1]) for name, more in extra.items()}


@exercise.misconception("""The tuples are in the wrong order: parameters come first, then MACs.""")
def _macs_first(**layer):
    right = _cost(**layer)
    return right | {name: right[name][::-1] for name in PARTS[:3]}


@exercise.misconception("The MACs are twice too many: a multiplication and its addition are one MAC.")
def _flops_for_macs(**layer):
    right = _cost(**layer)
    return right | {name: (right[name][0], 2 * right[name][1]) for name in PARTS[:3]}


@exercise.misconception("The kernel's height is used for its width as well: `kernel_size[1]` is K_w.")
def _square_kernel(**layer):
    return _cost(**{**layer, "kernel_size": (layer["kernel_size"][0],) * 2})


def _area(layer):
    return layer["kernel_size"][0] * layer["kernel_size"][1]


def _size(layer):
    return shapes.conv2d_output_size(
        layer["height"], layer["width"], layer["kernel_size"], layer.get("stride", 1), layer.get("padding", 0)
    )


def _at(layer, places):
    """What follows if the output is taken to have so many places."""
    right = _cost(**layer)
    return right | {name: (right[name][0], right[name][0] * places) for name in PARTS[:3]}


def _replaced(layer, **params):
    """What follows if a layer is taken to have so many parameters."""
    h, w = _size(layer)
    return _cost(**layer) | {name: (count, count * h * w) for name, count in params.items()}
