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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: conv_output_size(5, 0), r"kernel_size \(=0\) must be at least 1"),
        (lambda: conv_output_size(0, 1), r"size \(=0\)"),
        (lambda: conv2d_params(8, 4, 3, groups=3), r"groups \(=3\) must divide in_channels \(=8\)"),
        (lambda: pair((1, 2.5), "stride"), r"stride \(=\(1, 2.5\)\) must be an int or a pair"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
