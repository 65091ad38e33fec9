"""Exercise: group normalization."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.layers import norm


def group_norm(x, num_groups, weight, bias, eps=1e-5):
    """Normalize every image by itself, over the channels of each group and all pixels.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    num_groups : int
        Divides C. The first C / num_groups channels are the first group, and so on.
    weight, bias : arrays, shape (C,)
        What each channel is multiplied with, and what is added, after it is normalized.
    eps : float

    Returns
    -------
    array, shape (N, C, H, W)
    """
    N, C, H, W = x.shape
    groups = x.reshape(N, num_groups, C // num_groups, H, W)  # (N, G, C / G, H, W)
    mean = groups.mean(axis=(2, 3, 4), keepdims=True)  # (N, G, 1, 1, 1)
    var = groups.var(axis=(2, 3, 4), keepdims=True)  # (N, G, 1, 1, 1)
    x_hat = ((groups - mean) / np.sqrt(var + eps)).reshape(N, C, H, W)
    return weight.reshape(1, -1, 1, 1) * x_hat + bias.reshape(1, -1, 1, 1)  # (N, C, H, W)


def _layer(
    rng: np.random.Generator, shape, num_groups: int, size: float = 1.0, **more: Any
) -> dict[str, Any]:
    """Draw images and channels that all differ in mean and spread."""
    N, C, *_ = shape
    spread, mean = rng.uniform(0.5, 3, (N, C, 1, 1)), rng.uniform(-3, 3, (N, C, 1, 1))
    weight = rng.uniform(0.5, 2, C) * rng.choice([-1, 1], C)
    x = size * (rng.normal(size=shape) * spread + mean)
    return {"x": x, "num_groups": num_groups, "weight": weight, "bias": rng.uniform(1, 3, C)} | more


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Several groups; one group and as many as channels; other eps, small numbers, no spread."""
    yield Case("one image, 4 channels in 2 groups", _layer(rng, (1, 4, 2, 3), 2), "groups")
    yield Case("three images, 6 channels in 2 groups", _layer(rng, (3, 6, 3, 2), 2), "groups")
    yield Case("two images, 6 channels in 3 groups", _layer(rng, (2, 6, 2, 4), 3), "groups")
    yield Case("as many columns as channels", _layer(rng, (2, 8, 3, 8), 4), "groups")
    yield Case("maps of one pixel, 8 channels in 2 groups", _layer(rng, (3, 8, 1, 1), 2), "groups")
    yield Case("9 channels in 3 groups", _layer(rng, (2, 9, 2, 2), 3), "groups")
    small = _layer(rng, (2, 4, 3, 3), 2, size=0.003)
    yield Case("numbers so small that eps counts", small, "groups")
    yield Case("one group: layer norm", _layer(rng, (2, 4, 3, 2), 1), "extremes")
    yield Case("as many groups as channels: instance norm", _layer(rng, (2, 3, 2, 4), 3), "extremes")
    yield Case("eps 0.5", _layer(rng, (2, 6, 2, 3), 3, eps=0.5), "extremes")
    yield Case("eps 0.1, one row", _layer(rng, (2, 4, 1, 4), 2, eps=0.1), "extremes")
    whole = _layer(rng, (2, 4, 2, 3), 2)
    whole["x"] = rng.integers(-9, 10, (2, 4, 2, 3))
    yield Case("whole numbers", whole, "extremes")
    flat = _layer(rng, (2, 4, 2, 2), 2)
    flat["x"][0, :2] = 4.0
    yield Case("a group where all numbers are equal", flat, "extremes")


exercise = Exercise(
    solution=group_norm,
    reference=norm.group_norm,
    cases=cases,
    points=2,
    forbids=(
        "torch.nn.functional.group_norm",
        "torch.nn.GroupNorm",
        "torch.group_norm",
        "torch.nn.functional.layer_norm",
        "torch.nn.functional.instance_norm",
    ),
    axes=("N", "C", "H", "W"),
    prompt="""\
Batch norm needs a batch. With two images its mean and variance are guesses, and in test mode it needs
others than in training. Group norm asks no other image: it takes mean and variance over one image's
channels, a group of neighbours at a time.

**By hand.** One image, four channels of one pixel, two groups, `weight` 1, `bias` 0, `eps` 0:

```
channel   0  1 |  2  3         group 0: mean  2, standard deviation  1
x         1  3 | 10 30         group 1: mean 20, standard deviation 10
out      -1  1 | -1  1
```

**Contract.**
- `num_groups` divides the number of channels. Neighbours form a group: with 6 channels in 2 groups,
  channels 0 to 2 and 3 to 5.
- Mean and biased variance of each image and each group, over its channels, rows and columns; `eps` under
  the root.
- `weight` and `bias` hold one number for each *channel*, not for each group.
- There are no running statistics and no modes.
""",
    hints=(
        "In which shape would the numbers that share a mean be those that differ along the last axes only? "
        "NumPy can split one axis into two without moving a number.",
        "With an axis for the groups, it is the exercise before with other axes. Afterwards the two axes "
        "become one again, and weight and bias find their channels.",
    ),
    remark="One group is layer norm, as many groups as channels is instance norm: three layers in one.",
)


def _answer(
    split: Any = lambda x, G: x.reshape(x.shape[0], G, -1, *x.shape[2:]),
    axes: Any = (2, 3, 4),
    ddof: int = 0,
    inverse: Any = lambda var, eps: 1 / np.sqrt(var + eps),
    join: Any = lambda parts, shape: parts.reshape(shape),
    scale: bool = True,
) -> Any:
    """Return the right answer with one thing disturbed."""

    def answer(x, num_groups, weight, bias, eps=1e-5):
        parts = split(x, num_groups)
        mean, var = parts.mean(axis=axes, keepdims=True), parts.var(axis=axes, keepdims=True, ddof=ddof)
        x_hat = join((parts - mean) * inverse(var, eps), x.shape)
        return weight.reshape(-1, 1, 1) * x_hat + bias.reshape(-1, 1, 1) if scale else x_hat

    return answer


def _dealt(x: Any, G: int) -> Any:
    """Deal the channels out to the groups in turns."""
    return x.reshape(x.shape[0], -1, G, *x.shape[2:]).swapaxes(1, 2)


def _back(parts: Any, shape: Any) -> Any:
    return parts.swapaxes(1, 2).reshape(shape)


def _size_for_number(x: Any, G: int) -> Any:
    """Take `num_groups` for the channels in a group."""
    C = x.shape[1]
    return x.reshape(x.shape[0], C // G, G, *x.shape[2:])


def _mean_of_the_variances(x, num_groups, weight, bias, eps=1e-5):
    parts = x.reshape(x.shape[0], num_groups, -1, *x.shape[2:])
    var = parts.var(axis=(3, 4), keepdims=True).mean(axis=2, keepdims=True)
    x_hat = ((parts - parts.mean(axis=(2, 3, 4), keepdims=True)) / np.sqrt(var + eps)).reshape(x.shape)
    return weight.reshape(-1, 1, 1) * x_hat + bias.reshape(-1, 1, 1)


def _not_centred(x, num_groups, weight, bias, eps=1e-5):
    parts = x.reshape(x.shape[0], num_groups, -1, *x.shape[2:])
    x_hat = (parts / np.sqrt(parts.var(axis=(2, 3, 4), keepdims=True) + eps)).reshape(x.shape)
    return weight.reshape(-1, 1, 1) * x_hat + bias.reshape(-1, 1, 1)


def _batch_norm(x, num_groups, weight, bias, eps=1e-5):
    mean, var = x.mean(axis=(0, 2, 3), keepdims=True), x.var(axis=(0, 2, 3), keepdims=True)
    return weight.reshape(-1, 1, 1) * (x - mean) / np.sqrt(var + eps) + bias.reshape(-1, 1, 1)


def _eps_fixed(x, num_groups, weight, bias, eps=1e-5):
    return norm.group_norm(x, num_groups, weight, bias)


def _exchanged(x, num_groups, weight, bias, eps=1e-5):
    return norm.group_norm(x, num_groups, bias, weight, eps)


def _bias_first(x, num_groups, weight, bias, eps=1e-5):
    return norm.group_norm(x, num_groups, weight, weight * bias, eps)


def _weight_along_columns(x, num_groups, weight, bias, eps=1e-5):
    return weight * norm.group_norm(x, num_groups, None, None, eps) + bias


def _first_weights_repeated(x, num_groups, weight, bias, eps=1e-5):
    size = x.shape[1] // num_groups
    weight, bias = (np.repeat(values[:num_groups], size) for values in (weight, bias))
    return norm.group_norm(x, num_groups, weight, bias, eps)


for _name, _wrong, _hint in (
    (
        "dealt_out_in_turns",
        _answer(_dealt, join=_back),
        """Channels are dealt out to the groups in turns, 0, 2, 4 and 1, 3, 5. Neighbours belong together:
        the axis of the groups stands before that of their channels.""",
    ),
    (
        "size_for_number",
        _answer(_size_for_number),
        """`num_groups` is taken for the number of channels in a group. It is the number of groups.""",
    ),
    (
        "over_the_batch",
        _answer(axes=(0, 2, 3, 4)),
        """The images of the batch share their statistics. Each image is normalized by itself, so that it
        does not matter who else is in the batch.""",
    ),
    (
        "groups_of_the_whole_batch",
        _answer(lambda x, G: x.reshape(G, -1), axes=1),
        """The whole batch is cut into `num_groups` parts, so that a group holds numbers of several images.
        Each image has `num_groups` groups of its own: keep the first axis.""",
    ),
    (
        "batch_norm",
        _batch_norm,
        """This is batch norm: images share their statistics, and `num_groups` plays no part. Here each
        image is normalized by itself.""",
    ),
    (
        "layer_norm",
        _answer(lambda x, G: x, axes=(1, 2, 3)),
        """`num_groups` plays no part: all channels of an image share one mean and one variance. Each group
        has its own.""",
    ),
    (
        "instance_norm",
        _answer(lambda x, G: x, axes=(2, 3)),
        """`num_groups` plays no part: each channel has a mean and a variance of its own. The channels of a
        group share them.""",
    ),
    (
        "per_pixel_statistics",
        _answer(axes=2),
        """Every pixel has a mean and a variance of its own, over the channels of its group. All pixels of a
        group share them.""",
    ),
    (
        "eps_missing",
        _answer(inverse=lambda var, eps: 1 / np.sqrt(var)),
        """`eps` plays no part. Added to the variance, it keeps a group whose numbers are all equal from
        being divided by 0.""",
    ),
    (
        "eps_outside_the_root",
        _answer(inverse=lambda var, eps: 1 / (np.sqrt(var) + eps)),
        """`eps` stands outside of the root: the divisor is `sqrt(var) + eps`. It is added to the variance
        before the root is taken.""",
    ),
    ("eps_fixed", _eps_fixed, """The result does not change when `eps` changes: 1e-5 is only its default."""),
    (
        "unbiased_variance",
        _answer(ddof=1),
        """The variance is the unbiased one, divided by one number fewer. Here the numbers themselves are
        meant: divide by their count.""",
    ),
    (
        "variance_for_its_root",
        _answer(inverse=lambda var, eps: 1 / (var + eps)),
        """The numbers are divided by the variance. Divide by its root, the standard deviation, and their
        spread is 1.""",
    ),
    (
        "mean_of_the_variances",
        _mean_of_the_variances,
        """The variance of a group is the mean of its channels' own variances. That leaves out by how much
        the channels' means differ: take all numbers of the group together.""",
    ),
    (
        "never_scaled",
        _answer(scale=False),
        """`weight` and `bias` play no part: the result is the normalized `x`. Each channel is then
        multiplied with its weight, and its bias is added.""",
    ),
    (
        "not_centred",
        _not_centred,
        """The mean is not subtracted. Normalized numbers lie around 0.""",
    ),
    (
        "bias_multiplied_too",
        _bias_first,
        """`bias` is added before the multiplication, so that it is scaled, too. First multiply, then
        add.""",
    ),
    (
        "weight_and_bias_exchanged",
        _exchanged,
        """`weight` and `bias` have changed places: the normalized numbers are multiplied with `weight`, and
        `bias` is added.""",
    ),
    (
        "weight_along_the_columns",
        _weight_along_columns,
        """`weight` and `bias` are laid along the last axis, the columns, which fits only if there are as
        many columns as channels. Their numbers belong to the second axis.""",
    ),
    (
        "weight_for_each_group",
        _first_weights_repeated,
        """The channels of a group share one number of `weight` and one of `bias`. Mean and variance are
        shared; weight and bias are each channel's own.""",
    ),
):
    _wrong.__name__ = f"_{_name}"
    exercise.misconception(_hint)(_wrong)
