"""Output sizes of layers whose window slides, along one axis, two or three."""

from __future__ import annotations

Pair = int | tuple[int, int]
Triple = int | tuple[int, int, int]


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
