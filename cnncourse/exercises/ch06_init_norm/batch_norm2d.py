"""Exercise: batch normalization of feature maps, in training and in test mode."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.exercises.ch06_init_norm._batch_norm_mistakes import add_mistakes
from cnncourse.layers import batch_norm


def batch_norm2d(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    """Normalize every channel of a batch; in test mode, with statistics gathered in training.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    weight, bias : arrays, shape (C,)
        What each channel is multiplied with, and what is added, after it is normalized (gamma and beta).
    running_mean, running_var : arrays, shape (C,)
        Mean and variance of each channel, gathered so far.
    training : bool
        True: use the mean and the variance of this batch, and move the running ones towards them.
        False: use the running ones.
    momentum : float
        The share of the new statistics in the running ones.
    eps : float
        Added to the variance before its root is taken.

    Returns
    -------
    out : array, shape (N, C, H, W)
    running_mean, running_var : arrays, shape (C,)
    """
    each = (1, -1, 1, 1)  # one number for each channel, beside (N, C, H, W)
    mean, var = running_mean, running_var  # (C,)
    if training:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
        count = x.shape[0] * x.shape[2] * x.shape[3]
        unbiased = var * count / (count - 1)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * unbiased
    x_hat = (x - mean.reshape(each)) / np.sqrt(var.reshape(each) + eps)  # (N, C, H, W)
    out = weight.reshape(each) * x_hat + bias.reshape(each)
    return out, running_mean, running_var


def _layer(rng: np.random.Generator, shape, whole: bool = False, size: float = 1.0) -> dict[str, Any]:
    """Draw a batch whose channels differ in mean and spread, and a layer for it."""
    C = shape[1]
    spread, mean = rng.uniform(0.5, 4, (C, 1, 1)), rng.uniform(-5, 5, (C, 1, 1))
    x = size * (rng.normal(size=shape) * spread + mean)
    x = rng.integers(-9, 10, shape) if whole else x
    return {
        "x": x,
        "weight": rng.uniform(0.5, 2, C) * rng.choice([-1, 1], C),
        "bias": rng.uniform(1, 3, C),
        "running_mean": size * rng.normal(size=C),
        "running_var": size**2 * rng.uniform(0.5, 3, C),
    }


def _situations(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "one image, one channel", _layer(rng, (1, 1, 2, 3))
    yield "two images of one channel", _layer(rng, (2, 1, 3, 2))
    yield "one image of three channels", _layer(rng, (1, 3, 4, 2))
    yield "a batch of four, three channels", _layer(rng, (4, 3, 2, 5))
    yield "as many channels as columns", _layer(rng, (3, 4, 2, 4))
    yield "maps of one pixel", _layer(rng, (6, 2, 1, 1))
    yield "whole numbers", _layer(rng, (2, 2, 3, 4), whole=True)
    yield "numbers so small that eps counts", _layer(rng, (3, 2, 3, 3), size=0.003)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Both modes, each result graded for itself; channels that differ, other eps and momentum, no spread."""
    for why, arguments in _situations(rng):
        yield Case(f"training, {why}: output", arguments, "output in training", part=0)
        yield Case(f"training, {why}: running mean", arguments, "running statistics", part=1)
        yield Case(f"training, {why}: running variance", arguments, "running statistics", part=2)
    set_otherwise = {"training": True, "momentum": 0.3, "eps": 0.5}
    other = _layer(rng, (2, 3, 3, 2)) | set_otherwise
    again = _layer(rng, (3, 2, 1, 4)) | set_otherwise | {"momentum": 0.75}
    yield Case("training, eps 0.5: output", other, "output in training", part=0)
    yield Case("training, momentum 0.3: running mean", other, "running statistics", part=1)
    yield Case("training, momentum 0.3: running variance", other, "running statistics", part=2)
    yield Case("training, momentum 0.75: running mean", again, "running statistics", part=1)
    yield Case("training, momentum 0.75: running variance", again, "running statistics", part=2)
    flat = _layer(rng, (2, 2, 3, 3))
    flat["x"][:, 1] = 4.0
    yield Case("training, a channel where all numbers are equal: output", flat, "output in training", part=0)
    for why, arguments in _situations(rng):
        test = arguments | {"training": False}
        yield Case(f"test mode, {why}: output", test, "test mode", part=0)
    unused = _layer(rng, (2, 3, 2, 2)) | {"training": False, "momentum": 0.3, "eps": 0.5}
    yield Case("test mode, eps 0.5: output", unused, "test mode", part=0)
    yield Case("test mode: the running mean stays", unused, "test mode", part=1)
    yield Case("test mode: the running variance stays", unused, "test mode", part=2)
    one = _layer(rng, (1, 2, 1, 1)) | {"training": False}
    yield Case("test mode, one image of one pixel: output", one, "test mode", part=0)
    yield Case("test mode, one pixel: the running mean stays", one, "test mode", part=1)
    yield Case("test mode, one pixel: the running variance stays", one, "test mode", part=2)


exercise = Exercise(
    solution=batch_norm2d,
    reference=batch_norm.batch_norm2d,
    cases=cases,
    points=3,
    forbids=(
        "torch.nn.functional.batch_norm",
        "torch.nn.BatchNorm2d",
        "torch.batch_norm",
        "torch.native_batch_norm",
    ),
    axes=("N", "C", "H", "W"),
    prompt="""\
Your initialization gives every layer inputs of the right size, at the start. After the first step of
training it is no longer the start. Batch norm makes the size right in every step: from each channel it
subtracts the mean and divides by the standard deviation. Both are taken over everything in the batch that
went through the same kernel: all images, all rows, all columns. Then each channel gets a scale and a
shift of its own, which are learned.

**By hand.** Two images of one channel and 1 x 2 pixels, `weight` 10, `bias` 1, `eps` 0:

```
x         1 3   and   5 7        mean 4      variance (9 + 1 + 1 + 9) / 4 = 5
x_hat     -1.34 -0.45  0.45 1.34             (x - 4) / sqrt(5)
out       -12.4 -3.47  5.47 14.4             10 * x_hat + 1
```

Later one image comes alone, and there is no batch to take a mean of. For that, training keeps a *running*
mean and variance. Here, with both 0 so far and `momentum` 0.1:

```
running_mean   0.9 * 0 + 0.1 * 4    = 0.4
running_var    0.9 * 0 + 0.1 * 20/3 = 0.667       20/3: the unbiased variance, divided by 4 - 1
```

**Contract.**
- Returned are three arrays: `out`, `running_mean`, `running_var`. None that was given is changed.
- In training, normalize with the biased variance (divided by the count), and gather the unbiased one.
- In test mode (`training=False`), normalize with the running statistics, and return them as they are.
  `weight` and `bias` serve in both modes.
- `eps` stands under the root. `momentum` is the share of what is *new*, as in torch.
""",
    hints=(
        "Two numbers share a mean: along which of the four axes of `x` may they differ? A mean over "
        "those axes leaves one number for each channel. How must it be shaped to be subtracted from "
        "`(N, C, H, W)`?",
        "The two modes differ in where mean and variance come from, and in what happens to the running "
        "ones. All the rest is the same for both: write it once.",
        "In training: mean and variance, over three axes at once; then two new running arrays, each a "
        "mixture of old and new, the variance with `count - 1`. Afterwards, in either mode: subtract, "
        "divide by the root, multiply, add.",
    ),
    remark="In training an image's result depends on its companions in the batch; in test mode it does not.",
)

add_mistakes(exercise)
