"""Truncated SVD: a dense layer as two thin ones, with fewer weights and nearly the same output."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Saving(NamedTuple):
    """What a dense layer costs, whole and cut to a rank. Weights are also its MACs for each region."""

    whole: int
    cut: int
    error: float  # of the weights: root of the squares that are cut off, over that of all


def truncated_svd(layer: nn.Linear, rank: int) -> nn.Sequential:
    """Return two dense layers in a row that compute nearly the same as one.

    W = U S V, with the singular values S in falling order. Of these only the first `rank` are kept: the first
    layer, without bias, is S V, the second is U. No matrix of this rank is nearer to W.

    Parameters
    ----------
    layer : with weights (v, u)
    rank : from 1 to the lesser of u and v

    Returns
    -------
    nn.Sequential
        Weights (rank, u) and (v, rank), in place of v u.

    Raises
    ------
    ValueError
        If `rank` is out of range.

    References
    ----------
    Girshick 2015, "Fast R-CNN", section 3.1, equation 5.
    """
    outputs, inputs = layer.weight.shape
    if not 1 <= rank <= min(outputs, inputs):
        raise ValueError(
            f"rank (={rank}) must be from 1 to {min(outputs, inputs)}, for weights ({outputs}, {inputs})"
        )
    left, values, right = torch.linalg.svd(layer.weight.detach(), full_matrices=False)
    first = nn.Linear(inputs, rank, bias=False)
    second = nn.Linear(rank, outputs, bias=layer.bias is not None)
    first.weight = nn.Parameter((values[:, None] * right)[:rank].contiguous())
    second.weight = nn.Parameter(left[:, :rank].contiguous())
    if layer.bias is not None:
        second.bias = nn.Parameter(layer.bias.detach().clone())
    return nn.Sequential(first, second)


def saving(layer: nn.Linear, rank: int) -> Saving:
    """Return what `truncated_svd` saves, and how far its weights are off.

    Examples
    --------
    >>> saving(nn.Linear(1600, 128), rank=32)[:2]
    (204800, 55296)
    """
    outputs, inputs = layer.weight.shape
    squares: Tensor = torch.linalg.svdvals(layer.weight.detach()) ** 2
    error = (squares[rank:].sum() / squares.sum()).sqrt()
    return Saving(outputs * inputs, rank * (outputs + inputs), float(error))


def shorten(layers: nn.Sequential, ranks: dict[int, int]) -> nn.Sequential:
    """Return layers in a row, of which some dense ones are cut to a rank.

    Parameters
    ----------
    layers : such as the dense layers of a `BoxHead`
    ranks : for each layer to cut, its place among `layers` and the rank
    """
    return nn.Sequential(
        *(truncated_svd(layer, ranks[i]) if i in ranks else layer for i, layer in enumerate(layers))  # type: ignore[arg-type]
    )
