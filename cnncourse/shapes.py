"""Sizes and costs of layers, from their shapes alone (standard library only).

Sizes are in pixels. `kernel_size`, `stride`, `padding` and `dilation` are an int or a pair (rows, columns).
A MAC is one multiplication with its addition.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

FLOAT32_BYTES = 4

Pair = int | tuple[int, int]


class ConvCost(TypedDict):
    """What one convolutional layer costs for one image."""

    output_shape: tuple[int, int, int]  # (C_out, H_out, W_out)
    params: int
    macs: int
    memory: int  # bytes of the output in float32


class Sliding(TypedDict):
    """A layer whose window slides: convolution or pooling."""

    kernel_size: Pair
    stride: NotRequired[Pair]  # 1 unless given, for pooling too
    padding: NotRequired[Pair]  # 0 unless given
    dilation: NotRequired[Pair]  # 1 unless given


class ReceptiveField(TypedDict):
    """Which part of the network's input the units of a layer see, in pixels (rows, columns)."""

    size: tuple[int, int]
    jump: tuple[int, int]  # from the field of a unit to that of its neighbour
    start: tuple[float, float]  # the centre of the first unit's field; the centre of the first pixel is 0


Step = Sliding | Sequence[Sequence["Step"]]


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


def receptive_field(layers: Sequence[Step]) -> list[ReceptiveField]:
    """Return the receptive field behind each layer of a chain.

    Unit (i, j) sees the pixels from ``start + (i, j) * jump - (size - 1) / 2`` to ``... + (size - 1) / 2``; those
    outside the image are padding.

    Parameters
    ----------
    layers : sequence
        Each a dict with `kernel_size` and, where they are not 1, 0, 1, `stride`, `padding`, `dilation`. A list of
        chains instead of a dict is that many branches whose outputs are added or concatenated; ``[]`` among them
        is a shortcut.

    Raises
    ------
    ValueError
        If an argument is out of range, unknown or missing, or branches that meet have different strides.

    References
    ----------
    Araujo, Norris, Sim 2019, Computing Receptive Fields of Convolutional Neural Networks (Distill). Its effective
    padding is ``(size - 1) / 2 - start``.

    Examples
    --------
    >>> receptive_field([{"kernel_size": 3, "padding": 1}, {"kernel_size": 2, "stride": 2}])[-1]
    {'size': (4, 4), 'jump': (2, 2), 'start': (0.5, 0.5)}
    >>> block = [[{"kernel_size": 3, "padding": 1}, {"kernel_size": 3, "padding": 1}], []]
    >>> [field["size"] for field in receptive_field([block, block])]
    [(5, 5), (9, 9)]
    """
    return _fields(layers, {"size": (1, 1), "jump": (1, 1), "start": (0.0, 0.0)})[1:]


def _fields(layers: Sequence[Step], field: ReceptiveField) -> list[ReceptiveField]:
    """Return `field` and those behind each layer that follows it."""
    fields = [field]
    for layer in layers:
        if isinstance(layer, dict):
            fields.append(_behind(layer, fields[-1]))
        else:
            fields.append(_join([_fields(branch, fields[-1])[-1] for branch in layer]))
    return fields


def _behind(layer: Sliding, field: ReceptiveField) -> ReceptiveField:
    if "kernel_size" not in layer or set(layer) - set(Sliding.__annotations__):
        raise ValueError(f"a layer is kernel_size with stride, padding, dilation, not {', '.join(layer)}")
    stride = pair(layer.get("stride", 1), "stride", 1)
    padding = pair(layer.get("padding", 0), "padding")
    dilation = pair(layer.get("dilation", 1), "dilation", 1)
    kernel_size = pair(layer["kernel_size"], "kernel_size", 1)
    rows, columns = (
        (
            field["size"][axis] + reach * field["jump"][axis],
            field["jump"][axis] * stride[axis],
            field["start"][axis] + (reach / 2 - padding[axis]) * field["jump"][axis],
        )
        for axis, reach in enumerate(d * (k - 1) for d, k in zip(dilation, kernel_size, strict=True))
    )
    return {"size": (rows[0], columns[0]), "jump": (rows[1], columns[1]), "start": (rows[2], columns[2])}


def _join(branches: Sequence[ReceptiveField]) -> ReceptiveField:
    """Return the smallest field that holds those of all branches."""
    jumps = {branch["jump"] for branch in branches}
    if len(jumps) != 1:
        raise ValueError(f"branches that meet must have one jump, not {sorted(jumps)}")
    rows, columns = (
        (
            min(branch["start"][axis] - (branch["size"][axis] - 1) / 2 for branch in branches),
            max(branch["start"][axis] + (branch["size"][axis] - 1) / 2 for branch in branches),
        )
        for axis in (0, 1)
    )
    return {
        "size": (int(rows[1] - rows[0]) + 1, int(columns[1] - columns[0]) + 1),
        "jump": jumps.pop(),
        "start": ((rows[0] + rows[1]) / 2, (columns[0] + columns[1]) / 2),
    }


def _check_groups(in_channels: int, out_channels: int, groups: int) -> None:
    for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
        if groups < 1 or channels % groups:
            raise ValueError(f"groups (={groups}) must divide {name} (={channels})")
