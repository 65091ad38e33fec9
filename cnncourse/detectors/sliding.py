"""Detection by sliding a classifier over the image: crop by crop, and all crops at once by convolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate

WINDOW, STRIDE = 24, 8  # pixels of a window, and between two; the stride is what the network's poolings give


class Place(NamedTuple):
    """Where windows lie: the first at the corner, `stride` pixels apart in the image."""

    rows: int
    columns: int
    window: float  # pixels
    stride: float  # pixels

    def boxes(self) -> NDArray[np.float64]:
        """Return the windows (rows * columns, 4), row by row."""
        y, x = np.mgrid[: self.rows, : self.columns] * self.stride
        return np.stack([x, y, x + self.window, y + self.window], axis=-1).reshape(-1, 4)


def window_classifier(classes: int, width: int = 16) -> nn.Sequential:
    """Return a classifier of crops of 24x24 pixels: `classes` classes, and a last one for none of them.

    No convolution is padded. With padding a crop would see zeros at its border where the image goes on, and
    the convolutional form would give other numbers than the crops.
    """
    return nn.Sequential(
        nn.Conv2d(3, width, 3),  # 22
        nn.ReLU(),
        nn.MaxPool2d(2),  # 11
        nn.Conv2d(width, 2 * width, 4),  # 8
        nn.ReLU(),
        nn.MaxPool2d(2),  # 4
        nn.MaxPool2d(2),  # 2
        nn.Flatten(),
        nn.Linear(2 * width * 2 * 2, 8 * width),
        nn.ReLU(),
        nn.Linear(8 * width, classes + 1),
    )


def fully_convolutional(classifier: nn.Sequential, window: int = WINDOW) -> nn.Sequential:
    """Return the same network with its dense layers as convolutions, so that it takes images of any size.

    The first dense layer sees a map of (C, h, w) in a row: it is a convolution whose kernels are that large.
    Every later one is a 1x1 convolution. The weights are the same numbers in another shape, and for an image
    of one window so is the output.

    Parameters
    ----------
    classifier : layers in a row, with one `nn.Flatten` before the dense ones
    window : pixels of the crops that the classifier takes

    Raises
    ------
    ValueError
        If a dense layer does not follow what is flattened.

    References
    ----------
    Sermanet et al. 2014, "OverFeat", section 3.5; Long, Shelhamer, Darrell 2015, section 3.1.
    """
    layers: list[nn.Module] = []
    shape = torch.Size((1, 3, window, window))
    for layer in classifier:
        if isinstance(layer, nn.Flatten):
            continue
        if isinstance(layer, nn.Linear):
            layer = _as_convolution(layer, shape)
        layers.append(layer)
        with torch.no_grad():
            shape = layer(torch.zeros(shape)).shape
    return nn.Sequential(*layers)


def _as_convolution(layer: nn.Linear, shape: torch.Size) -> nn.Conv2d:
    _, channels, height, width = shape
    if channels * height * width != layer.in_features:
        raise ValueError(
            f"a dense layer takes {layer.in_features} numbers, but a map of {tuple(shape[1:])} comes"
        )
    convolution = nn.Conv2d(channels, layer.out_features, (height, width))
    weight = layer.weight.detach().reshape(
        convolution.weight.shape
    )  # (out, C, h, w), row by row as flattened
    convolution.weight = nn.Parameter(weight.clone())
    convolution.bias = nn.Parameter(layer.bias.detach().clone())
    return convolution


@torch.no_grad()
def classify_crops(
    classifier: nn.Module, image: Tensor, window: int = WINDOW, stride: int = STRIDE
) -> tuple[Tensor, Place]:
    """Return the logits of every window, one crop after the other: the naive way.

    Parameters
    ----------
    image : Tensor, shape (3, H, W)

    Returns
    -------
    logits : Tensor, shape (rows, columns, C + 1)
    place : where the windows are
    """
    _, height, width = image.shape
    tops, lefts = range(0, height - window + 1, stride), range(0, width - window + 1, stride)
    rows = [
        torch.cat([classifier(image[None, :, y : y + window, x : x + window]) for x in lefts]) for y in tops
    ]
    return torch.stack(rows), Place(len(tops), len(lefts), window, stride)


@torch.no_grad()
def classify_at_once(
    network: nn.Module, image: Tensor, window: int = WINDOW, stride: int = STRIDE, scale: float = 1.0
) -> tuple[Tensor, Place]:
    """Return the same logits by one pass of the convolutional form, which shares what windows have in common.

    Parameters
    ----------
    image : Tensor, shape (3, H, W)
    scale : float
        By how much the image is made larger first: a window then covers fewer of its own pixels.
    """
    resized = image[None] if scale == 1 else interpolate(image[None], scale_factor=scale, mode="bilinear")
    logits = network(resized)[0].permute(1, 2, 0)  # (rows, columns, C + 1)
    rows, columns, _ = logits.shape
    return logits, Place(rows, columns, window / scale, stride / scale)


def detect_at_scales(
    network: nn.Module, image: Tensor, scales: Sequence[float], least: float = 0.5
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return windows of all scales that hold a class with a probability of at least `least`.

    Returns
    -------
    boxes, scores, labels : ndarray, shapes (M, 4), (M,) and (M,)
    """
    boxes, scores, labels = [np.zeros((0, 4))], [np.zeros(0)], [np.zeros(0, dtype=np.int64)]
    for scale in scales:
        logits, place = classify_at_once(network, image, scale=scale)
        chances = logits.softmax(dim=-1)[..., :-1].flatten(0, 1).numpy().astype(np.float64)  # (R, C)
        label = chances.argmax(axis=1)
        score = chances.max(axis=1)
        seen = score >= least
        boxes.append(place.boxes()[seen])
        scores.append(score[seen])
        labels.append(label[seen])
    return np.concatenate(boxes), np.concatenate(scores), np.concatenate(labels)
