"""Sizes and costs of layers, from their shapes alone (standard library only).

Sizes are in pixels. `kernel_size`, `stride`, `padding` and `dilation` are an int or a pair (rows, columns).
A MAC is one multiplication with its addition.
"""

from __future__ import annotations

from typing import TypedDict

FLOAT32_BYTES = 4

Pair = int | tuple[int, int]


class ConvCost(TypedDict):
    """What one convolutional layer costs for one image."""

    output_shape: tuple[int, int, int]  # (C_out, H_out, W_out)
    params: int
    macs: int
    memory: int  # bytes of the output in float32


def pair(value: Pair, name: str = "value", least: int = 0) -> tuple[int, int]:
    """Return `value` as (rows, columns).

    Raises
    ------
    ValueError
        If it is neither an int nor a pair of ints, or if one is less than `least`.

    Examples
    --------
    >>> pair(3), pair((3, 5))
    ((3, 3), (3, 5))
    """
    both = (value, value) if isinstance(value, int) else tuple(value)
    if len(both) != 2 or not all(isinstance(v, int) for v in both):
        raise ValueError(f"{name} (={value!r}) must be an int or a pair (rows, columns)")
    if min(both) < least:
        raise ValueError(f"{name} (={value!r}) must be at least {least}")
    return both


def conv_output_size(
    size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """Return how many windows fit along one axis.

    A dilated kernel covers ``dilation * (kernel_size - 1) + 1`` pixels; the last start that still fits is
    rounded down to a multiple of the stride.

    Raises
    ------
    ValueError
        If the kernel is larger than the padded input, or an argument is out of range.

    References
    ----------
    torch.nn.Conv2d, section "Shape".

    Examples
    --------
    >>> conv_output_size(5, 3)
    3
    >>> conv_output_size(6, 3, stride=2, padding=1)
    3
    """
    for name, value, least in (
        ("size", size, 1),
        ("kernel_size", kernel_size, 1),
        ("stride", stride, 1),
        ("padding", padding, 0),
        ("dilation", dilation, 1),
    ):
        if value < least:
            raise ValueError(f"{name} (={value}) must be at least {least}")
    covered = dilation * (kernel_size - 1) + 1
    if covered > size + 2 * padding:
        raise ValueError(
            f"the kernel covers {covered} pixels (kernel_size={kernel_size}, dilation={dilation}), "
            f"more than the padded input has (size={size}, padding={padding}: {size + 2 * padding})"
        )
    return (size + 2 * padding - covered) // stride + 1


def conv2d_output_size(
    height: int, width: int, kernel_size: Pair, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
) -> tuple[int, int]:
    """Return (H_out, W_out) of a two-dimensional convolution.

    Examples
    --------
    >>> conv2d_output_size(227, 227, 11, stride=4)
    (55, 55)
    """
    rows, columns = zip(
        pair(kernel_size, "kernel_size", 1),
        pair(stride, "stride", 1),
        pair(padding, "padding"),
        pair(dilation, "dilation", 1),
        strict=True,
    )
    return conv_output_size(height, *rows), conv_output_size(width, *columns)


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
    _check_groups(in_channels, out_channels, groups)
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
    _check_groups(in_channels, out_channels, groups)
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


def dense_params(in_features: int, out_features: int, bias: bool = True) -> int:
    """Return the number of learned values of a dense (fully connected) layer.

    Examples
    --------
    >>> dense_params(120, 84)
    10164
    """
    return out_features * (in_features + bool(bias))


def _check_groups(in_channels: int, out_channels: int, groups: int) -> None:
    for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
        if groups < 1 or channels % groups:
            raise ValueError(f"groups (={groups}) must divide {name} (={channels})")
