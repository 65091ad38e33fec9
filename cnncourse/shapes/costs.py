"""What layers cost: learned values, MACs and connections for one image, bytes."""

from __future__ import annotations

from math import prod
from typing import TypedDict

from cnncourse.shapes.sizes import Pair, Triple, conv2d_output_size, conv3d_output_size, pair, triple

FLOAT32_BYTES = 4


class ConvCost(TypedDict):
    """What one convolutional layer costs for one image."""

    output_shape: tuple[int, int, int]  # (C_out, H_out, W_out)
    params: int
    macs: int
    memory: int  # bytes of the output in float32


def check_groups(in_channels: int, out_channels: int, groups: int) -> None:
    """Raise unless the channels can be divided into `groups` equal parts.

    Raises
    ------
    ValueError
        If `groups` is less than 1 or does not divide both numbers of channels.

    Examples
    --------
    >>> check_groups(8, 4, 3)
    Traceback (most recent call last):
        ...
    ValueError: groups (=3) must divide in_channels (=8)
    """
    for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
        if groups < 1 or channels % groups:
            raise ValueError(f"groups (={groups}) must divide {name} (={channels})")


def dense_params(in_features: int, out_features: int, bias: bool = True) -> int:
    """Return the number of learned values of a dense (fully connected) layer.

    Examples
    --------
    >>> dense_params(120, 84)
    10164
    """
    return out_features * (in_features + bool(bias))


def conv2d_params(
    in_channels: int, out_channels: int, kernel_size: Pair, groups: int = 1, bias: bool = True
) -> int:
    """Return the number of learned values of a convolutional layer.

    Examples
    --------
    >>> conv2d_params(1, 6, 5)  # C1 of LeNet-5
    156
    """
    k_h, k_w = pair(kernel_size, "kernel_size", 1)
    check_groups(in_channels, out_channels, groups)
    return out_channels * (in_channels // groups * k_h * k_w + bool(bias))


def conv2d_macs(
    in_channels: int,
    out_channels: int,
    kernel_size: Pair,
    height: int,
    width: int,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> int:
    """Return the MACs of a convolutional layer for one image, the padding's zeros included.

    Examples
    --------
    >>> conv2d_macs(1, 6, 5, 32, 32)
    117600
    """
    k_h, k_w = pair(kernel_size, "kernel_size", 1)
    check_groups(in_channels, out_channels, groups)
    h_out, w_out = conv2d_output_size(height, width, kernel_size, stride, padding, dilation)
    return out_channels * h_out * w_out * (in_channels // groups) * k_h * k_w


def conv2d_connections(
    in_channels: int,
    out_channels: int,
    kernel_size: Pair,
    height: int,
    width: int,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
    bias: bool = True,
) -> int:
    """Return the number of connections: for each unit, the numbers in its window and its bias.

    References
    ----------
    LeCun et al. 1998, section II.B: layer C1 of LeNet-5 has 122,304.

    Examples
    --------
    >>> conv2d_connections(1, 6, 5, 32, 32)
    122304
    """
    h_out, w_out = conv2d_output_size(height, width, kernel_size, stride, padding, dilation)
    macs = conv2d_macs(
        in_channels, out_channels, kernel_size, height, width, stride, padding, dilation, groups
    )
    return macs + out_channels * h_out * w_out * bool(bias)


def conv2d_cost(
    in_channels: int,
    out_channels: int,
    kernel_size: Pair,
    height: int,
    width: int,
    stride: Pair = 1,
    padding: Pair = 0,
    bias: bool = True,
) -> ConvCost:
    """Return output shape, parameters, MACs and output memory (bytes, float32) for one image.

    Examples
    --------
    >>> conv2d_cost(1, 6, 5, 32, 32)
    {'output_shape': (6, 28, 28), 'params': 156, 'macs': 117600, 'memory': 18816}
    """
    h_out, w_out = conv2d_output_size(height, width, kernel_size, stride, padding)
    return {
        "output_shape": (out_channels, h_out, w_out),
        "params": conv2d_params(in_channels, out_channels, kernel_size, bias=bias),
        "macs": conv2d_macs(in_channels, out_channels, kernel_size, height, width, stride, padding),
        "memory": FLOAT32_BYTES * out_channels * h_out * w_out,
    }


def conv3d_params(
    in_channels: int, out_channels: int, kernel_size: Triple, groups: int = 1, bias: bool = True
) -> int:
    """Return the number of learned values of a three-dimensional convolutional layer.

    Examples
    --------
    >>> conv3d_params(3, 64, 3)
    5248
    """
    check_groups(in_channels, out_channels, groups)
    return out_channels * (in_channels // groups * prod(triple(kernel_size, "kernel_size", 1)) + bool(bias))


def conv3d_macs(
    in_channels: int,
    out_channels: int,
    kernel_size: Triple,
    size: tuple[int, int, int],
    stride: Triple = 1,
    padding: Triple = 0,
    dilation: Triple = 1,
    groups: int = 1,
) -> int:
    """Return the MACs of a three-dimensional convolutional layer for one volume of this size (D, H, W).

    Examples
    --------
    >>> conv3d_macs(1, 1, 2, (3, 3, 3))
    64
    """
    weights = conv3d_params(in_channels, out_channels, kernel_size, groups, bias=False)
    return weights * prod(conv3d_output_size(*size, kernel_size, stride, padding, dilation))


def conv_transpose2d_macs(
    in_channels: int, out_channels: int, kernel_size: Pair, height: int, width: int, groups: int = 1
) -> int:
    """Return the MACs of a transposed convolution: each input number meets each place of its kernels.

    Those that padding takes away again are counted. The parameters are those of `conv2d_params`.

    Examples
    --------
    >>> conv_transpose2d_macs(64, 32, 4, 28, 28)
    25690112
    """
    return height * width * conv2d_params(in_channels, out_channels, kernel_size, groups, bias=False)


def depthwise_separable_params(
    in_channels: int, out_channels: int, kernel_size: Pair, bias: bool = True
) -> int:
    """Return the learned values of a depthwise convolution (no bias) and the pointwise one behind it.

    Examples
    --------
    >>> depthwise_separable_params(32, 64, 3), conv2d_params(32, 64, 3)
    (2400, 18496)
    """
    depthwise = conv2d_params(in_channels, in_channels, kernel_size, groups=in_channels, bias=False)
    return depthwise + conv2d_params(in_channels, out_channels, 1, bias=bias)


def depthwise_separable_macs(
    in_channels: int,
    out_channels: int,
    kernel_size: Pair,
    height: int,
    width: int,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
) -> int:
    """Return the MACs of a depthwise convolution and the pointwise one behind it.

    Of those of a standard convolution it is the part ``1 / out_channels + 1 / (K_h * K_w)``.

    References
    ----------
    Howard et al. 2017, section 3.1.

    Examples
    --------
    >>> depthwise_separable_macs(32, 64, 3, 112, 112, padding=1)
    29302784
    """
    rest = (height, width, stride, padding, dilation)
    depthwise = conv2d_macs(in_channels, in_channels, kernel_size, *rest, groups=in_channels)
    h_out, w_out = conv2d_output_size(height, width, kernel_size, stride, padding, dilation)
    return depthwise + conv2d_macs(in_channels, out_channels, 1, h_out, w_out)


def tiled_conv2d_params(
    in_channels: int, out_channels: int, kernel_size: Pair, tile: Pair, bias: bool = True
) -> int:
    """Return the learned values of a tiled layer; its MACs are those of `conv2d_macs`.

    With `tile` 1 it is a convolution, with the output's size a local layer.

    Examples
    --------
    >>> tiled_conv2d_params(1, 6, 5, tile=1), tiled_conv2d_params(1, 6, 5, tile=28)
    (156, 122304)
    """
    return prod(pair(tile, "tile", 1)) * conv2d_params(in_channels, out_channels, kernel_size, bias=bias)


def memory(*shapes: tuple[int, ...], bytes_each: int = FLOAT32_BYTES) -> int:
    """Return the bytes that arrays of these shapes take.

    Examples
    --------
    >>> memory((64, 112, 112))  # one feature map for each of 64 kernels, in float32
    3211264
    """
    return bytes_each * sum(prod(shape) for shape in shapes)
