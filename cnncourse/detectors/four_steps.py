"""Faster R-CNN's first way of training: proposals and detection in turns, until both share one map."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor

from cnncourse.data.scenes import Scenes
from cnncourse.detectors.faster_rcnn import IN_TRAINING, FasterRCNN
from cnncourse.detectors.training import Epoch, train


def train_in_four_steps(
    detector: FasterRCNN,
    scenes: Scenes,
    epochs: tuple[int, int, int, int],
    seed: int = 0,
    show: Callable[[str], None] | None = print,
    batch: int = 32,
    learning_rate: float = 3e-3,
) -> list[list[Epoch]]:
    """Train a Faster R-CNN step by step and return what each epoch of each step reached.

    1. A region proposal network learns, with convolutions of its own.
    2. A detection network learns from its proposals, with convolutions of its own.
    3. The proposal network goes over to the convolutions of the second, which stay as they are, and learns
       to use them.
    4. The head learns from the proposals that it then makes. Nothing else does.

    Parameters
    ----------
    detector : not trained yet
    epochs : passes over the scenes in each step
    scenes, seed, show, batch, learning_rate
        As for `train`.

    References
    ----------
    Ren et al. 2015, "Faster R-CNN", section 3.2, "4-Step Alternating Training". There the convolutions have
    learned from ImageNet before steps 1 and 2.
    """
    first = deepcopy(detector)

    @torch.no_grad()
    def proposals(images: Tensor) -> list[Tensor]:
        scores, deltas = first.rpn(first.maps(images))
        return first.rpn.proposals(scores, deltas, *IN_TRAINING)

    def step(number: int, network: FasterRCNN, learns: str) -> list[Epoch]:
        network.learns = learns
        if show is not None:
            show(f"step {number}: {learns}")
        return train(
            network, scenes, epochs[number - 1], None, seed + number, batch, learning_rate, show=show
        )

    history = [step(1, first, "rpn")]
    detector.source = proposals
    history.append(step(2, detector, "head"))
    detector.source = None
    detector.rpn.load_state_dict(first.rpn.state_dict())
    detector.freeze(detector.trunk)
    history.append(step(3, detector, "rpn"))
    detector.freeze(detector.trunk, detector.rpn)
    history.append(step(4, detector, "head"))
    detector.freeze()
    detector.learns = "both"
    return history
