"""Which part of the image the units of a layer see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from cnncourse.shapes.sizes import Pair, pair


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
