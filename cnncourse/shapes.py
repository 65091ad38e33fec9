"""Sizes and costs of layers, from their shapes alone (standard library only).

Sizes are in pixels. `kernel_size`, `stride`, `padding` and `dilation` are an int or a pair (rows, columns).
A MAC is one multiplication with its addition.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NotRequired, TypedDict

FLOAT32_BYTES = 4

Pair = int | tuple[int, int]
Triple = int | tuple[int, int, int]


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
Span = tuple[int, int, int]  # the first and the last pixel that the first unit sees, and the jump


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


def triple(value: Triple, name: str = "value", least: int = 0) -> tuple[int, int, int]:
    """Return `value` as (depth, rows, columns).

    Raises
    ------
    ValueError
        If it is neither an int nor three ints, or if one is less than `least`.

    Examples
    --------
    >>> triple(3), triple((1, 3, 5))
    ((3, 3, 3), (1, 3, 5))
    """
    every = (value, value, value) if isinstance(value, int) else tuple(value)
    if len(every) != 3 or not all(isinstance(v, int) for v in every):
        raise ValueError(f"{name} (={value!r}) must be an int or three of them (depth, rows, columns)")
    if min(every) < least:
        raise ValueError(f"{name} (={value!r}) must be at least {least}")
    return every


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
    _check_ranges(size, kernel_size, stride, padding, dilation)
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


def same_padding(size: int, kernel_size: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Return how many zeros before and behind an axis give ceil(size / stride) windows.

    Where the number of zeros is odd, one more goes behind.

    References
    ----------
    TensorFlow, "SAME"; torch.nn.Conv2d, ``padding="same"``, which has stride 1 only.

    Examples
    --------
    >>> same_padding(5, 3), same_padding(5, 2), same_padding(6, 3, stride=2)
    ((1, 1), (0, 1), (0, 1))
    """
    _check_ranges(size, kernel_size, stride, 0, dilation)
    covered = dilation * (kernel_size - 1) + 1
    zeros = max((-(-size // stride) - 1) * stride + covered - size, 0)
    return zeros // 2, zeros - zeros // 2


def conv_transpose_output_size(
    size: int, kernel_size: int, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> int:
    """Return the size of a transposed convolution's output along one axis.

    With `output_padding` 0 it is the smallest size that a convolution with these settings maps to `size`.

    Raises
    ------
    ValueError
        If an argument is out of range, `output_padding` is not smaller than `stride`, or nothing is left.

    References
    ----------
    Dumoulin, Visin 2016, relationship 14; torch.nn.ConvTranspose2d, section "Shape".

    Examples
    --------
    >>> conv_transpose_output_size(28, 3, stride=2, padding=1, output_padding=1)
    56
    """
    _check_ranges(size, kernel_size, stride, padding, dilation)
    if not 0 <= output_padding < stride:
        raise ValueError(f"output_padding (={output_padding}) must be from 0 to under stride (={stride})")
    out = (size - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1
    if out < 1:
        raise ValueError(
            f"padding (={padding}) leaves nothing of the {out + 2 * padding} pixels of the output"
        )
    return out


def conv_transpose2d_output_size(
    height: int,
    width: int,
    kernel_size: Pair,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    dilation: Pair = 1,
) -> tuple[int, int]:
    """Return (H_out, W_out) of a two-dimensional transposed convolution.

    Examples
    --------
    >>> conv_transpose2d_output_size(4, 5, (3, 2), stride=2)
    (9, 10)
    """
    rows, columns = zip(
        pair(kernel_size, "kernel_size", 1),
        pair(stride, "stride", 1),
        pair(padding, "padding"),
        pair(output_padding, "output_padding"),
        pair(dilation, "dilation", 1),
        strict=True,
    )
    return conv_transpose_output_size(height, *rows), conv_transpose_output_size(width, *columns)


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


def conv3d_output_size(
    depth: int,
    height: int,
    width: int,
    kernel_size: Triple,
    stride: Triple = 1,
    padding: Triple = 0,
    dilation: Triple = 1,
) -> tuple[int, int, int]:
    """Return (D_out, H_out, W_out) of a three-dimensional convolution.

    Examples
    --------
    >>> conv3d_output_size(16, 112, 112, (3, 5, 5), padding=(1, 2, 2))
    (16, 112, 112)
    """
    deep, rows, columns = zip(
        triple(kernel_size, "kernel_size", 1),
        triple(stride, "stride", 1),
        triple(padding, "padding"),
        triple(dilation, "dilation", 1),
        strict=True,
    )
    return conv_output_size(depth, *deep), conv_output_size(height, *rows), conv_output_size(width, *columns)


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

    Unit (i, j) sees the pixels up to ``(size - 1) / 2`` on either side of ``start + (i, j) * jump``; those
    outside the image are padding.

    Parameters
    ----------
    layers : sequence
        Each a dict with `kernel_size` and, where they are not 1, 0 and 1, `stride`, `padding` and `dilation`.
        A list of chains instead of a dict is that many branches whose outputs meet, added or side by side;
        ``[]`` among them is a shortcut.

    Raises
    ------
    ValueError
        If an argument is missing, unknown or out of range, or branches that meet have different jumps.

    References
    ----------
    Araujo, Norris, Sim 2019, Computing Receptive Fields of Convolutional Neural Networks (Distill); their
    effective padding is ``(size - 1) / 2 - start``.

    Examples
    --------
    >>> receptive_field([{"kernel_size": 3, "padding": 1}, {"kernel_size": 2, "stride": 2}])[-1]
    {'size': (4, 4), 'jump': (2, 2), 'start': (0.5, 0.5)}
    >>> block = [[{"kernel_size": 3, "padding": 1}, {"kernel_size": 3, "padding": 1}], []]
    >>> [field["size"] for field in receptive_field([block, block])]
    [(5, 5), (9, 9)]
    """
    fields: list[ReceptiveField] = []
    for rows, columns in _spans(layers, ((0, 0, 1), (0, 0, 1)))[1:]:
        fields.append(
            {
                "size": (rows[1] - rows[0] + 1, columns[1] - columns[0] + 1),
                "jump": (rows[2], columns[2]),
                "start": ((rows[0] + rows[1]) / 2, (columns[0] + columns[1]) / 2),
            }
        )
    return fields


def _spans(layers: Sequence[Step], before: tuple[Span, Span]) -> list[tuple[Span, Span]]:
    """Return what the first unit sees before and behind each layer, along the rows and along the columns."""
    spans = [before]
    for layer in layers:
        if isinstance(layer, dict):
            spans.append(_behind(layer, spans[-1]))
            continue
        ends = [_spans(branch, spans[-1])[-1] for branch in layer]
        jumps = {(rows[2], columns[2]) for rows, columns in ends}
        if len(jumps) != 1:
            raise ValueError(f"branches that meet must have one jump, not {sorted(jumps)}")
        rows, columns = (
            (min(end[axis][0] for end in ends), max(end[axis][1] for end in ends), ends[0][axis][2])
            for axis in (0, 1)
        )
        spans.append((rows, columns))
    return spans


def _behind(layer: Sliding, before: tuple[Span, Span]) -> tuple[Span, Span]:
    if set(layer) - set(Sliding.__annotations__) or "kernel_size" not in layer:
        raise ValueError(f"a layer is kernel_size with stride, padding, dilation, not {', '.join(layer)}")
    kernel_size, stride = (
        pair(layer["kernel_size"], "kernel_size", 1),
        pair(layer.get("stride", 1), "stride", 1),
    )
    padding, dilation = (
        pair(layer.get("padding", 0), "padding"),
        pair(layer.get("dilation", 1), "dilation", 1),
    )
    rows, columns = (
        (first - p * jump, last + (d * (k - 1) - p) * jump, jump * s)
        for (first, last, jump), k, s, p, d in zip(
            before, kernel_size, stride, padding, dilation, strict=True
        )
    )
    return rows, columns


def _check_ranges(size: int, kernel_size: int, stride: int, padding: int, dilation: int) -> None:
    for name, value, least in (
        ("size", size, 1),
        ("kernel_size", kernel_size, 1),
        ("stride", stride, 1),
        ("padding", padding, 0),
        ("dilation", dilation, 1),
    ):
        if value < least:
            raise ValueError(f"{name} (={value}) must be at least {least}")


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
