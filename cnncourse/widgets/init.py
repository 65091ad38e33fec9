"""A deep network at its start: how large the numbers are that it hands on, and its gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import traitlets

from cnncourse.arrays import Array
from cnncourse.layers.activation import relu, relu_backward, sigmoid, sigmoid_backward, tanh, tanh_backward
from cnncourse.widgets.explorer import Choice, Explorer, Real, Whole

UNITS, IMAGES = 64, 32  # of every layer; in the batch
BINS = 21

Activation = tuple[Callable[[Array], Array], Callable[[Array, Array], Array]]
ACTIVATIONS: dict[str, Activation] = {
    "ReLU": (relu, relu_backward),
    "tanh": (tanh, tanh_backward),
    "sigmoid": (sigmoid, sigmoid_backward),
    "none": (lambda x: x, lambda grad_out, x: grad_out),
}


class InitExplorer(Explorer):
    """Start a deep network with weights of a chosen size, and follow a signal forward and a gradient back.

    Every layer is dense, with 64 inputs and 64 units, and its weights are drawn evenly from an interval
    around 0. A batch of 32 inputs of size 1 goes forward, a gradient of size 1 comes back. The size of
    numbers is the root of their mean square.

    Parameters
    ----------
    activation : 'ReLU', 'tanh', 'sigmoid' or 'none'
    factor : float
        The variance of a weight, times the inputs of a unit: 1 is Xavier's rule here, 2 is He's.
    depth : int
        Number of layers.
    layer : int
        The layer whose numbers are shown; 0 is the input.
    seed : int

    Examples
    --------
    >>> sizes = InitExplorer(factor=2.0).sizes
    >>> bool(0.3 < sizes["signal"][-1] < 3), bool(0.3 < sizes["gradient"][0] < 3)
    (True, True)
    """

    module = "init.js"
    parts = ("panel.js",)
    styles = ("tables.css",)
    shows = (
        "A network of many dense layers as it is before training. A chart shows the size of the numbers "
        "behind each layer and of the gradient that arrives there, a second one how the numbers of one layer "
        "are spread. One chooses the activation function, the number of layers and how large weights start."
    )
    height = (930, 1040)
    question = traitlets.Unicode(
        "With ReLU, which factor hands the signal through 30 layers at its size, and which the gradient? "
        "And with tanh?"
    ).tag(sync=True)
    activation = Choice("ReLU", tuple(ACTIVATIONS))
    factor = Real(1.0, 0.1, 8)
    depth = Whole(30, 2, 60)
    layer = Whole(30, 0, 60)
    seed = Whole(1, 0, 9999)

    @property
    def sizes(self) -> dict[str, list[float]]:
        """The size of the signal and of the gradient at the input and behind every layer."""
        signals, gradients = self._run()
        return {"signal": list(map(_size, signals)), "gradient": list(map(_size, gradients))}

    @property
    def histogram(self) -> list[int]:
        """How many numbers of the chosen layer lie in each of 21 parts between plus and minus the largest."""
        values = self._run()[0][min(self.layer, self.depth)].ravel()
        limit = float(np.abs(values).max()) or 1.0
        places = np.floor((values / limit + 1) / 2 * BINS).astype(int)
        counts: list[int] = np.bincount(np.minimum(places, BINS - 1), minlength=BINS).tolist()
        return counts

    def _run(self) -> tuple[list[Array], list[Array]]:
        """Return the signals and the gradients, each from the input on."""
        drawn = uniform(self.seed, 2 * IMAGES * UNITS + self.depth * UNITS**2)
        spread = np.sqrt(3) * (2 * drawn - 1)  # mean 0, variance 1
        signal, gradient = spread[: 2 * IMAGES * UNITS].reshape(2, IMAGES, UNITS)
        weights = np.sqrt(self.factor / UNITS) * spread[2 * IMAGES * UNITS :].reshape(-1, UNITS, UNITS)
        forward, backward = ACTIVATIONS[self.activation]
        signals, sums, gradients = [signal], [], [gradient]
        for weight in weights:
            sums.append(signals[-1] @ weight.T)  # (IMAGES, UNITS)
            signals.append(forward(sums[-1]))
        for weight, given in zip(weights[::-1], sums[::-1], strict=True):
            gradients.append(backward(gradients[-1], given) @ weight)
        return signals, gradients[::-1]


def uniform(seed: int, count: int) -> Array:
    """Return numbers drawn evenly from 0 to 1: the generator mulberry32, which JavaScript computes alike.

    Examples
    --------
    >>> uniform(1, 2).round(4)
    array([0.6271, 0.0027])
    """
    state = np.uint32(seed) + np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)
    mixed = (state ^ (state >> np.uint32(15))) * (state | np.uint32(1))
    mixed ^= mixed + (mixed ^ (mixed >> np.uint32(7))) * (mixed | np.uint32(61))
    drawn: Array = (mixed ^ (mixed >> np.uint32(14))) / 2.0**32
    return drawn


def _size(numbers: Array) -> float:
    return float(np.sqrt(np.mean(numbers**2)))
