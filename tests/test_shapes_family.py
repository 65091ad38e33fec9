"""Sizes and costs of the other convolutions, against torch and against counting."""

import pytest

from cnncourse.shapes import (
    conv2d_connections,
    conv2d_macs,
    conv2d_params,
    conv3d_macs,
    conv3d_output_size,
    conv3d_params,
    conv_output_size,
    conv_transpose2d_macs,
    conv_transpose2d_output_size,
    conv_transpose_output_size,
    depthwise_separable_macs,
    depthwise_separable_params,
    memory,
    same_padding,
    tiled_conv2d_params,
    triple,
)


@pytest.mark.parametrize("size", [1, 5, 8, 13])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 6])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_padding_gives_a_window_for_each_stride(size, kernel_size, stride, dilation):
    before, after = same_padding(size, kernel_size, stride, dilation)
    assert before <= after <= before + 1
    assert conv_output_size(size + before + after, kernel_size, stride, 0, dilation) == -(-size // stride)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
def test_transposing_leads_back_to_every_size(stride, padding, dilation):
    for size in range(6, 16):
        small = conv_output_size(size, 3, stride, padding, dilation)
        back = [
            conv_transpose_output_size(small, 3, stride, padding, more, dilation) for more in range(stride)
        ]
        assert size in back
        assert all(conv_output_size(n, 3, stride, padding, dilation) == small for n in back)


def test_transposed_convolution_agrees_with_torch():
    torch = pytest.importorskip("torch")
    setting = {"stride": (3, 2), "padding": (0, 1), "output_padding": (2, 1), "dilation": (2, 1)}
    module = torch.nn.ConvTranspose2d(4, 6, (3, 5), groups=2, **setting)
    out = module(torch.zeros(1, 4, 5, 7))
    assert tuple(out.shape[2:]) == conv_transpose2d_output_size(5, 7, (3, 5), **setting)
    assert conv2d_params(4, 6, (3, 5), groups=2) == sum(p.numel() for p in module.parameters())
    assert conv_transpose2d_macs(4, 6, (3, 5), 5, 7, groups=2) == 5 * 7 * module.weight.numel()


@pytest.mark.parametrize("groups", [1, 2])
def test_three_dimensions_agree_with_torch(groups):
    torch = pytest.importorskip("torch")
    setting = {"stride": (1, 2, 3), "padding": (1, 0, 2), "dilation": (1, 2, 1)}
    module = torch.nn.Conv3d(4, 8, (3, 2, 5), groups=groups, **setting)
    out = module(torch.zeros(1, 4, 9, 10, 11))
    assert tuple(out.shape[2:]) == conv3d_output_size(9, 10, 11, (3, 2, 5), **setting)
    assert conv3d_params(4, 8, (3, 2, 5), groups) == sum(p.numel() for p in module.parameters())
    macs = conv3d_macs(4, 8, (3, 2, 5), (9, 10, 11), groups=groups, **setting)
    assert macs == out.numel() * 4 // groups * 30


def test_depthwise_separable_costs_what_mobilenet_says():
    """Howard et al. 2017, section 3.1: 1 / N + 1 / D_K^2 of a standard convolution."""
    torch = pytest.importorskip("torch")
    modules = (torch.nn.Conv2d(32, 32, 3, groups=32, bias=False), torch.nn.Conv2d(32, 64, 1))
    assert depthwise_separable_params(32, 64, 3) == sum(p.numel() for m in modules for p in m.parameters())
    for setting in ({"padding": 1}, {"stride": 2, "padding": 1}, {"dilation": 2}):
        standard = conv2d_macs(32, 64, 3, 14, 15, **setting)
        assert depthwise_separable_macs(32, 64, 3, 14, 15, **setting) == standard * (1 / 64 + 1 / 9)


def test_a_tile_as_large_as_the_output_has_a_parameter_for_each_connection():
    assert tiled_conv2d_params(3, 8, (3, 5), 1) == conv2d_params(3, 8, (3, 5))
    assert tiled_conv2d_params(3, 8, (3, 5), (12, 11)) == conv2d_connections(3, 8, (3, 5), 14, 15)


def test_memory_counts_bytes():
    assert memory((2, 3), (4,)) == 40
    assert memory((2, 3), bytes_each=8) == 48


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: triple((1, 2), "stride"), r"stride \(=\(1, 2\)\) must be an int or three of them"),
        (lambda: triple(0, "stride", 1), r"stride \(=0\) must be at least 1"),
        (lambda: conv_transpose_output_size(4, 3, 2, 0, 2), r"output_padding \(=2\) .* stride \(=2\)"),
        (lambda: conv_transpose_output_size(1, 1, 1, 1), r"padding \(=1\) leaves nothing"),
        (lambda: conv_transpose_output_size(0, 3), r"size \(=0\)"),
        (lambda: same_padding(5, 3, 0), r"stride \(=0\)"),
        (lambda: conv3d_params(4, 6, 3, groups=4), r"groups \(=4\) must divide out_channels \(=6\)"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
