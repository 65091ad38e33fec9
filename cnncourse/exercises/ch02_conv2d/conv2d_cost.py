"""Exercise: what a layer costs, from its shapes alone."""

from collections.abc import Iterator

import numpy as np

from cnncourse import shapes
from cnncourse.checking import Case, Exercise


def conv2d_cost(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0, bias=True):
    """Say what a convolutional layer costs for one image.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size : pair of int
        (K_h, K_w).
    height, width : int
        Of the input image, in pixels.
    stride, padding : int
        In pixels, the same for rows and columns.
    bias : bool
        Whether every kernel has a bias.

    Returns
    -------
    dict of
        "output_shape": (C_out, H_out, W_out)
        "params": number of learned values
        "macs": multiplications (each with its addition); the bias is not counted
        "memory": bytes of the output, 4 for each number
    """
    K_h, K_w = kernel_size
    H_out = (height + 2 * padding - K_h) // stride + 1
    W_out = (width + 2 * padding - K_w) // stride + 1
    units = out_channels * H_out * W_out
    window = in_channels * K_h * K_w
    return {
        "output_shape": (out_channels, H_out, W_out),
        "params": out_channels * (window + (1 if bias else 0)),
        "macs": units * window,
        "memory": 4 * units,
    }


PARTS = ("output_shape", "params", "macs", "memory")
LAYERS = (
    ("5x5 kernels", {"in_channels": 1, "out_channels": 6, "kernel_size": (5, 5), "height": 32, "width": 32}),
    (
        "wide image, 2x3 kernels",
        {"in_channels": 3, "out_channels": 4, "kernel_size": (2, 3), "height": 9, "width": 14},
    ),
    (
        "stride 2 that does not divide, padding 1",
        {
            "in_channels": 2,
            "out_channels": 5,
            "kernel_size": (3, 3),
            "height": 12,
            "width": 9,
            "stride": 2,
            "padding": 1,
        },
    ),
    (
        "stride 3, padding 1, no bias",
        {"in_channels": 3, "out_channels": 2, "kernel_size": (3, 4), "height": 8, "width": 11}
        | {"stride": 3, "padding": 1, "bias": False},
    ),
)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Four layers and one drawn at random; each part of the answer is a group of its own."""
    drawn = {
        "in_channels": int(rng.integers(2, 9)),
        "out_channels": int(rng.integers(2, 9)),
        "kernel_size": (int(rng.integers(2, 4)), 5),
        "height": int(rng.integers(20, 30)),
        "width": int(rng.integers(31, 40)),
        "stride": 2,
        "padding": 1,
        "bias": False,
    }
    for part in PARTS:
        for why, layer in (*LAYERS, ("a layer drawn at random", drawn)):
            yield Case(f'"{part}": {why}', layer, part, part)


exercise = Exercise(
    solution=conv2d_cost,
    reference=shapes.conv2d_cost,
    cases=cases,
    points=2,
    prompt="""\
Before you train a layer you want to know whether it fits. All of it follows from the shapes, with no image
in sight.

**By hand.** One input channel, 2 kernels of 3 x 3 with bias, an image of 5 x 5, stride 2, no padding:
windows fit at 2 x 2 places. So the output is `(2, 2, 2)`, 8 numbers, and in float32 they take 32 bytes.
Each kernel has 9 weights and 1 bias: 20 parameters. Each of the 8 numbers takes 9 multiplications: 72 MACs.

**Contract.** Return a dict with the keys `"output_shape"` (a tuple of three ints), `"params"`, `"macs"`,
`"memory"` (ints), for **one** image. Do not count the bias as a MAC. `kernel_size` is a pair `(K_h, K_w)`;
the image need not be square. Where the stride does not divide, the last pixels are not looked at. The four
parts earn their points one by one.
""",
    hints=(
        "Write the numbers of the example above on paper and name each factor: which of them belong to "
        "the kernel, and which to the places where it is laid?",
        "Parameters do not depend on the image: no height, no width, no stride. MACs do: every unit costs"
        " one window.",
        "Count the units first (three factors), then the numbers in one window (three factors). "
        "Parameters, MACs and memory are each one line from those two.",
    ),
    remark="A layer's parameters do not depend on the image, its MACs do: twice the width, twice the work.",
)


def _changed(arguments, **changes):
    return shapes.conv2d_cost(**{**arguments, **changes})


@exercise.misconception(
    """`"params"` leaves out the input channels: a kernel has K_h * K_w weights for each of them."""
)
def _params_without_in_channels(**layer):
    return {
        **_changed(layer),
        "params": shapes.conv2d_params(
            1, layer["out_channels"], layer["kernel_size"], bias=layer.get("bias", True)
        ),
    }


@exercise.misconception(
    """`"params"` leaves out the biases: one for each kernel, where the layer has them."""
)
def _bias_not_counted(**layer):
    return {**_changed(layer), "params": _changed(layer, bias=False)["params"]}


@exercise.misconception("""`"params"` counts a bias for every kernel even where `bias` is False.""")
def _bias_always_counted(**layer):
    return {**_changed(layer), "params": _changed(layer, bias=True)["params"]}


@exercise.misconception(
    """`"params"` has one bias in all. Every kernel has its own, so there are `out_channels` of
    them."""
)
def _one_bias_for_all(**layer):
    cost = _changed(layer, bias=False)
    return {**cost, "params": cost["params"] + bool(layer.get("bias", True))}


@exercise.misconception(
    """`"params"` grows with the image. The same kernels are laid at every place: parameters do not
    know height or width."""
)
def _params_of_every_place(**layer):
    cost = _changed(layer)
    return {**cost, "params": cost["params"] * cost["output_shape"][1] * cost["output_shape"][2]}


@exercise.misconception(
    """The sizes are rounded up. A window that does not fit whole is left out: `//` rounds down."""
)
def _ceil_for_floor(**layer):
    (k_h, k_w), s, p = layer["kernel_size"], layer.get("stride", 1), layer.get("padding", 0)
    h = -(-(layer["height"] + 2 * p - k_h) // s) + 1
    w = -(-(layer["width"] + 2 * p - k_w) // s) + 1
    return _with_size(layer, h, w)


@exercise.misconception(
    """The sizes are one too small: between the first and the last start of a window there are `(H +
    2p - K_h) // stride` steps, and one window more than steps."""
)
def _plus_one_forgotten(**layer):
    _, h, w = _changed(layer)["output_shape"]
    return _with_size(layer, h - 1, w - 1)


@exercise.misconception("The sizes are one too large: 5 pixels hold a window of 3 at 3 places. Count them.")
def _one_too_many(**layer):
    _, h, w = _changed(layer)["output_shape"]
    return _with_size(layer, h + 1, w + 1)


@exercise.misconception(
    """`padding` is counted once along each axis. It stands on both sides, so an axis grows by `2 *
    padding`."""
)
def _padding_on_one_side(**layer):
    (k_h, k_w), s, p = layer["kernel_size"], layer.get("stride", 1), layer.get("padding", 0)
    return _with_size(layer, (layer["height"] + p - k_h) // s + 1, (layer["width"] + p - k_w) // s + 1)


@exercise.misconception(
    """Height and width of the output are exchanged: `output_shape` is `(C_out, H_out, W_out)`."""
)
def _height_and_width_swapped(**layer):
    cost = _changed(layer)
    c, h, w = cost["output_shape"]
    return {**cost, "output_shape": (c, w, h)}


@exercise.misconception(
    """`"macs"` counts the pixels of the input. It is the units that each cost a window; with a
    stride there are fewer."""
)
def _macs_of_the_input_size(**layer):
    k_h, k_w = layer["kernel_size"]
    macs = layer["out_channels"] * layer["height"] * layer["width"] * layer["in_channels"] * k_h * k_w
    return {**_changed(layer), "macs": macs}


@exercise.misconception("""`"macs"` leaves out the input channels: one unit multiplies over all of them.""")
def _macs_without_in_channels(**layer):
    return {**_changed(layer), "macs": _changed(layer, in_channels=1)["macs"]}


@exercise.misconception(
    """`"macs"` counts the bias too. Adding it is no multiplication; leave it out, as the contract
    says."""
)
def _macs_with_bias(**layer):
    cost = _changed(layer)
    return {**cost, "macs": cost["macs"] + cost["memory"] // 4 * bool(layer.get("bias", True))}


@exercise.misconception(
    """`"macs"` is twice too large: a multiplication and its addition are one MAC (and two FLOPs)."""
)
def _flops_for_macs(**layer):
    cost = _changed(layer)
    return {**cost, "macs": 2 * cost["macs"]}


@exercise.misconception("""`"memory"` is a number of values. Each takes 4 bytes in float32.""")
def _values_for_bytes(**layer):
    cost = _changed(layer)
    return {**cost, "memory": cost["memory"] // 4}


@exercise.misconception(
    """`"memory"` has 8 bytes for each number. That is float64; here it is float32, 4 bytes."""
)
def _float64_bytes(**layer):
    cost = _changed(layer)
    return {**cost, "memory": cost["memory"] * 2}


@exercise.misconception(
    """The 1 is added before the division by the stride. `(H + 2p - K_h) // stride` counts the
    steps; there is one window more than steps, whatever the stride."""
)
def _one_added_before_dividing(**layer):
    (k_h, k_w), s, p = layer["kernel_size"], layer.get("stride", 1), layer.get("padding", 0)
    return _with_size(
        layer, (layer["height"] + 2 * p - k_h + 1) // s, (layer["width"] + 2 * p - k_w + 1) // s
    )


@exercise.misconception("The sizes do not change when `padding` changes: the image grows by `2 * padding`.")
def _padding_ignored(**layer):
    _, h, w = _changed(layer, padding=0)["output_shape"]
    return _with_size(layer, h, w)


@exercise.misconception(
    """`kernel_size` is read as (width, height). It is `(K_h, K_w)`: rows first, as everywhere in
    this course."""
)
def _kernel_size_swapped(**layer):
    return _changed(layer, kernel_size=layer["kernel_size"][::-1])


@exercise.misconception("The kernel's height is used for its width as well: `kernel_size[1]` is K_w.")
def _square_kernel(**layer):
    return _changed(layer, kernel_size=(layer["kernel_size"][0],) * 2)


@exercise.misconception("The image's height is used for its width as well. The image need not be square.")
def _square_image(**layer):
    return _changed(layer, width=layer["height"]) | {"params": _changed(layer)["params"]}


@exercise.misconception(
    """The channels stand last, as in an image file. `output_shape` is `(C_out, H_out, W_out)`."""
)
def _channels_last(**layer):
    cost = _changed(layer)
    c, h, w = cost["output_shape"]
    return {**cost, "output_shape": (h, w, c)}


@exercise.misconception(
    """`"params"` has a bias for every input channel. Each kernel, that is each output channel, has
    one."""
)
def _bias_for_each_input(**layer):
    cost = _changed(layer, bias=False)
    return {**cost, "params": cost["params"] + layer["in_channels"] * bool(layer.get("bias", True))}


@exercise.misconception("""`"memory"` is that of the input image. Asked for is the output's.""")
def _memory_of_the_input(**layer):
    return {**_changed(layer), "memory": 4 * layer["in_channels"] * layer["height"] * layer["width"]}


def _with_size(layer, h, w):
    """What follows for a layer whose output is taken to be h by w."""
    (k_h, k_w), c_out = layer["kernel_size"], layer["out_channels"]
    macs = c_out * h * w * layer["in_channels"] * k_h * k_w
    return {**_changed(layer), "output_shape": (c_out, h, w), "macs": macs, "memory": 4 * c_out * h * w}
