"""Sizes and costs against published numbers, torch, and counting."""

import pytest

from cnncourse.shapes import (
    conv2d_connections,
    conv2d_cost,
    conv2d_macs,
    conv2d_output_size,
    conv2d_params,
    conv_output_size,
    dense_params,
    pair,
    receptive_field,
)


def counted(size, kernel_size, stride, padding, dilation):
    last = size + 2 * padding - dilation * (kernel_size - 1) - 1
    return sum(1 for start in range(0, last + 1) if start % stride == 0)


@pytest.mark.parametrize("size", [1, 5, 7, 12])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
def test_output_size_counts_the_windows(size, kernel_size, stride, padding, dilation):
    expected = counted(size, kernel_size, stride, padding, dilation)
    if expected:
        assert conv_output_size(size, kernel_size, stride, padding, dilation) == expected
    else:
        with pytest.raises(ValueError, match="more than the padded input has"):
            conv_output_size(size, kernel_size, stride, padding, dilation)


def test_lenet5_as_published():
    """LeCun et al. 1998, section II.B: layers C1, C5 and F6."""
    assert conv2d_params(1, 6, 5) == 156
    assert conv2d_connections(1, 6, 5, 32, 32) == 122_304
    assert conv2d_connections(16, 120, 5, 5, 5) == 48_120
    assert dense_params(120, 84) == 10_164


def test_costs_agree_with_torch():
    torch = pytest.importorskip("torch")
    for groups, bias in ((1, True), (2, False), (4, True)):
        module = torch.nn.Conv2d(
            4, 8, (3, 5), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=groups, bias=bias
        )
        assert conv2d_params(4, 8, (3, 5), groups, bias) == sum(p.numel() for p in module.parameters())
        out = module(torch.zeros(1, 4, 17, 20))
        assert tuple(out.shape[2:]) == conv2d_output_size(17, 20, (3, 5), (2, 1), (1, 2), (1, 2))
        macs = conv2d_macs(4, 8, (3, 5), 17, 20, (2, 1), (1, 2), (1, 2), groups)
        assert macs == out.numel() * 4 // groups * 15


def test_cost_holds_what_the_single_functions_say():
    cost = conv2d_cost(3, 64, (7, 7), 224, 224, stride=2, padding=3, bias=False)
    assert cost == {
        "output_shape": (64, 112, 112),
        "params": 9408,
        "macs": 118_013_952,
        "memory": 64 * 112 * 112 * 4,
    }


def conv(kernel_size, stride=1, padding=0, dilation=1):
    return {"kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}


# The table of Araujo, Norris and Sim (google-research/receptive_field, RECEPTIVE_FIELD_TABLE.md): size, effective
# stride and effective padding of alexnet_v2 and vgg_16 of TF-Slim, at the end-points that it lists.
ALEXNET = {
    "conv1": (conv(11, 4), (11, 4, 0)),
    "pool1": (conv(3, 2), (19, 8, 0)),
    "conv2": (conv(5, padding=2), (51, 8, 16)),
    "pool2": (conv(3, 2), None),
    "conv3": (conv(3, padding=1), (99, 16, 32)),
    "conv4": (conv(3, padding=1), (131, 16, 48)),
    "conv5": (conv(3, padding=1), (163, 16, 64)),
    "pool5": (conv(3, 2), (195, 32, 64)),
}
VGG16 = {
    "conv1_1": (conv(3, padding=1), (3, 1, 1)),
    "conv1_2": (conv(3, padding=1), None),
    "pool1": (conv(2, 2), (6, 2, 2)),
    "conv2_1": (conv(3, padding=1), (10, 2, 4)),
    "conv2_2": (conv(3, padding=1), None),
    "pool2": (conv(2, 2), (16, 4, 6)),
    "conv3_1": (conv(3, padding=1), (24, 4, 10)),
    "conv3_2": (conv(3, padding=1), (32, 4, 14)),
    "conv3_3": (conv(3, padding=1), None),
    "pool3": (conv(2, 2), (44, 8, 18)),
    "conv4_1": (conv(3, padding=1), (60, 8, 26)),
    "conv4_2": (conv(3, padding=1), (76, 8, 34)),
    "conv4_3": (conv(3, padding=1), None),
    "pool4": (conv(2, 2), (100, 16, 42)),
    "conv5_1": (conv(3, padding=1), (132, 16, 58)),
    "conv5_2": (conv(3, padding=1), (164, 16, 74)),
    "conv5_3": (conv(3, padding=1), None),
    "pool5": (conv(2, 2), (212, 32, 90)),
}


@pytest.mark.parametrize("network", [ALEXNET, VGG16], ids=["AlexNet", "VGG-16"])
def test_receptive_fields_as_published(network):
    fields = receptive_field([layer for layer, _ in network.values()])
    for field, (_, published) in zip(fields, network.values(), strict=True):
        if published:
            size, jump, padding = published
            start = (size - 1) / 2 - padding
            assert field == {"size": (size, size), "jump": (jump, jump), "start": (start, start)}


def test_branches_as_published():
    """The same table, resnet_v1_50 at 224 pixels, behind each of its four stages.

    TF-Slim puts the stride into a stage's last block; the zero that the first pooling needs stands at the end.
    """

    def block(stride=1, shortcut=()):
        return [[conv(1), conv(3, stride, 1), conv(1)], list(shortcut)]

    layers, published = (
        [conv(7, 2, 3), conv(3, 2)],
        [(35, 8, 15), (99, 16, 47), (291, 32, 143), (483, 32, 239)],
    )
    for (size, jump, padding), blocks, stride in zip(published, (3, 4, 6, 3), (2, 2, 2, 1), strict=True):
        layers += [block()] * (blocks - 1) + [block(stride, [conv(1, stride)])]
        start = (size - 1) / 2 - padding
        assert receptive_field(layers)[-1] == {
            "size": (size,) * 2,
            "jump": (jump,) * 2,
            "start": (start,) * 2,
        }


def seen(layers, unit):
    """The pixels along one axis that can reach a unit: follow every connection back."""
    reached = {unit}
    for layer in reversed(layers):
        if isinstance(layer, dict):
            k, s, p, d = (layer[name] for name in ("kernel_size", "stride", "padding", "dilation"))
            reached = {i * s - p + d * a for i in reached for a in range(k)}
        else:
            reached = set().union(*(seen(branch, i) for branch in layer for i in reached))
    return reached


@pytest.mark.parametrize("unit", [0, 3])
@pytest.mark.parametrize(
    "layers",
    [
        [conv(3), conv(2, 2), conv(3, 2, 1)],
        [conv(3, 1, 1, 1), conv(3, 1, 2, 2), conv(3, 1, 4, 4)],
        [conv(4, 3, 2), conv(1, 2), conv(5, 1, 0, 3)],
        [conv(3, 2, 1), [[conv(3, 1, 1), conv(5, 2, 2)], [conv(1, 2)], [conv(2, 2, 0, 3)]], conv(2)],
        [[[conv(3, 1, 1), [[conv(3, 1, 1)], []]], []]],
    ],
)
def test_a_receptive_field_is_what_can_reach_the_unit(layers, unit):
    field = receptive_field(layers)[-1]
    centre = field["start"][0] + unit * field["jump"][0]
    pixels = seen(layers, unit)
    assert (min(pixels) + max(pixels)) / 2 == centre
    assert max(pixels) - min(pixels) + 1 == field["size"][0]


def test_rows_and_columns_have_fields_of_their_own():
    layers = [conv((3, 5), (1, 2), (1, 0)), conv((1, 3), (2, 1), 0, (1, 4))]
    assert receptive_field(layers) == [
        {"size": (3, 5), "jump": (1, 2), "start": (0, 2)},
        {"size": (3, 21), "jump": (2, 2), "start": (0, 10)},
    ]
    assert receptive_field([]) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: receptive_field([{"stride": 2}]), "a layer is kernel_size with .*, not stride"),
        (lambda: receptive_field([{"kernel_size": 2, "pad": 1}]), "not kernel_size, pad"),
        (lambda: receptive_field([conv(3, 0)]), r"stride \(=0\) must be at least 1"),
        (lambda: receptive_field([[[conv(3, 2)], []]]), r"must have one jump, not \[\(1, 1\), \(2, 2\)\]"),
        (lambda: conv_output_size(5, 0), r"kernel_size \(=0\) must be at least 1"),
        (lambda: conv_output_size(0, 1), r"size \(=0\)"),
        (lambda: conv2d_params(8, 4, 3, groups=3), r"groups \(=3\) must divide in_channels \(=8\)"),
        (lambda: pair((1, 2.5), "stride"), r"stride \(=\(1, 2.5\)\) must be an int or a pair"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
