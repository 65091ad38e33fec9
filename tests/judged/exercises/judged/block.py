"""Exercise: a torch module of two layers."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from cnncourse.checking import Case, Exercise


class Block(nn.Module):
    """Convolution, batch norm, ReLU, and a second convolution that keeps the size."""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)

    def forward(self, x):
        return self.conv2(torch.relu(self.norm(self.conv1(x))))


def _case(rng: np.random.Generator, why: str, sizes: tuple[int, ...], training: bool, group: str) -> Case:
    n, c_in, c_out, h, w = sizes
    state = [
        *(rng.normal(size=(c_out, c_in, 3, 3)), rng.normal(size=c_out)),
        *(rng.normal(size=c_out), rng.normal(size=c_out)),
        *(rng.normal(size=c_out), rng.uniform(0.5, 2, c_out), np.array(7)),
        *(rng.normal(size=(c_out, c_out, 3, 3)), rng.normal(size=c_out)),
    ]
    arguments = {
        "init": {"in_channels": c_in, "out_channels": c_out},
        "state": [array.astype(np.float32) if array.dtype.kind == "f" else array for array in state],
        "inputs": [rng.normal(size=(n, c_in, h, w)).astype(np.float32)],
        "training": training,
    }
    return Case(why, arguments, group)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Evaluation and training, one image and several, wide and tall."""
    yield _case(rng, "one image, evaluation", (1, 1, 2, 4, 5), False, "evaluation")
    yield _case(rng, "a batch of tall images, evaluation", (3, 2, 3, 5, 4), False, "evaluation")
    yield _case(rng, "a batch, training", (4, 1, 2, 4, 4), True, "training")
    yield _case(rng, "a batch of wide images, training", (3, 3, 2, 3, 6), True, "training")


exercise = Exercise(
    solution=Block,
    cases=cases,
    points=2,
    way="module",
    axes=("N", "C", "H", "W"),
    prompt="Write the block.",
    hints=("Look at each layer.",),
    remark="Batch norm does two different things.",
)


@exercise.misconception("There is no ReLU between the layers: without it two layers can do no more than one.")
class _NoRelu(Block):
    def forward(self, x):
        return self.conv2(self.norm(self.conv1(x)))


@exercise.misconception("Batch norm uses the statistics of the batch in evaluation too.")
class _AlwaysTraining(Block):
    def forward(self, x):
        self.norm.train()
        return super().forward(x)


@exercise.misconception("Batch norm uses its running statistics in training too.")
class _NeverTraining(Block):
    def forward(self, x):
        self.norm.eval()
        return super().forward(x)
