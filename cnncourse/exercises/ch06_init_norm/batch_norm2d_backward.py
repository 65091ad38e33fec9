"""Exercise: the gradients of batch normalization."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.layers import batch_norm


def batch_norm2d_backward(grad_out, x, weight, eps=1e-5):
    """Return the gradients of the loss with respect to the input, the weight and the bias of batch norm.

    The layer was in training: it normalized with the mean and the variance of the batch itself.

    Parameters
    ----------
    grad_out : array, shape (N, C, H, W)
        The gradient of the loss with respect to what the layer put out.
    x : array, shape (N, C, H, W)
        What went into the layer.
    weight : array, shape (C,)
    eps : float

    Returns
    -------
    grad_x : array, shape (N, C, H, W)
    grad_weight, grad_bias : arrays, shape (C,)
    """
    axes = (0, 2, 3)
    mean = x.mean(axis=axes, keepdims=True)  # (1, C, 1, 1)
    std = np.sqrt(x.var(axis=axes, keepdims=True) + eps)  # (1, C, 1, 1)
    x_hat = (x - mean) / std  # (N, C, H, W)
    grad_weight = (grad_out * x_hat).sum(axis=axes)  # (C,)
    grad_bias = grad_out.sum(axis=axes)  # (C,)
    grad_hat = grad_out * weight.reshape(1, -1, 1, 1)  # (N, C, H, W)
    through_mean = grad_hat.mean(axis=axes, keepdims=True)  # (1, C, 1, 1)
    through_std = x_hat * (grad_hat * x_hat).mean(axis=axes, keepdims=True)  # (N, C, H, W)
    return (grad_hat - through_mean - through_std) / std, grad_weight, grad_bias


def _reference(grad_out, x, weight, eps=1e-5):
    return batch_norm.batch_norm2d_backward(grad_out, x, weight, eps=eps)


def _layer(rng: np.random.Generator, shape, size: float = 1.0, **more: Any) -> dict[str, Any]:
    """Draw gradients whose mean is not 0, and channels that differ in mean and spread."""
    C = shape[1]
    spread, mean = rng.uniform(0.5, 2, (C, 1, 1)), rng.uniform(-3, 3, (C, 1, 1))
    x = size * (rng.normal(size=shape) * spread + mean)
    weight = rng.uniform(0.5, 2, C) * rng.choice([-1, 1], C)
    return {"grad_out": rng.normal(1, 1, shape), "x": x, "weight": weight} | more


def _situations(rng: np.random.Generator) -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield "one image, one channel, 2x3 pixels", "one channel", _layer(rng, (1, 1, 2, 3))
    yield "two images of one channel", "one channel", _layer(rng, (2, 1, 2, 3))
    yield "three images, wide maps", "one channel", _layer(rng, (3, 1, 2, 5))
    yield "one channel of small numbers, where eps counts", "one channel", _layer(rng, (2, 1, 3, 3), 0.004)
    yield "one image of three channels", "many channels", _layer(rng, (1, 3, 4, 2))
    yield "a batch of four, three channels", "many channels", _layer(rng, (4, 3, 2, 3))
    yield "as many channels as columns", "many channels", _layer(rng, (3, 4, 2, 4))
    yield "maps of one pixel", "many channels", _layer(rng, (6, 2, 1, 1))
    yield "eps 0.5", "many channels", _layer(rng, (2, 3, 3, 2), eps=0.5)
    yield "eps 0.1, maps of one row", "many channels", _layer(rng, (3, 2, 1, 4), eps=0.1)
    whole = _layer(rng, (2, 2, 3, 4))
    whole["x"] = rng.integers(-5, 6, (2, 2, 3, 4))
    yield "an input of whole numbers", "many channels", whole


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Each gradient graded for itself, that of the input in two steps."""
    for why, group, arguments in _situations(rng):
        yield Case(f"{why}: grad_x", arguments, f"input, {group}", part=0)
        yield Case(f"{why}: grad_weight", arguments, "weight and bias", part=1)
        yield Case(f"{why}: grad_bias", arguments, "weight and bias", part=2)


exercise = Exercise(
    solution=batch_norm2d_backward,
    reference=_reference,
    cases=cases,
    points=3,
    forbids=(
        "torch.autograd.grad",
        "torch.nn.functional.batch_norm",
        "torch.nn.BatchNorm2d",
        "torch.native_batch_norm",
        "cnncourse.gradcheck.*",
    ),
    axes=("N", "C", "H", "W"),
    prompt="""\
To train through batch norm, its gradient has to be known. The new thing is that the mean and the variance
are no constants: each number of a channel has a part in them, and so has a part in what *every other*
number of the channel becomes. Raise one pixel, and all others fall.

**By hand.** One channel of three numbers, `weight` 1, `eps` 0, and a gradient for the first output only:

```
x        -1 0 1     mean 0, standard deviation 0.816     x_hat  -1.22  0  1.22
grad_out  1 0 0

straight through                 1      0      0
minus the mean of grad_out       1/3    1/3    1/3
minus x_hat * mean of (grad_out * x_hat):   the mean is -0.408
                                 0.5    0     -0.5        x_hat times -0.408
left                             0.167 -0.333  0.167
divided by 0.816                 0.204 -0.408  0.204      = grad_x
```

It adds up to 0: if all three numbers grow alike, the output does not change. And it adds up to 0 when
multiplied with `x`: if all are stretched alike, the output does not change either.

**Contract.**
- The layer was in training: mean and biased variance are those of `x`, over images, rows and columns.
- Returned are `grad_x`, `grad_weight`, `grad_bias`, shaped like `x` and like `weight`.
- Nothing is averaged over the batch: that belongs to the loss and is in `grad_out` already.
- Each of the three is graded for itself. Begin with the last.
""",
    hints=(
        "Write `out = weight * x_hat + bias`. How often does one bias occur in it, and with which factor? "
        "One weight? Then `grad_hat`, the gradient of `x_hat`, is one multiplication away.",
        "From `grad_hat` to `grad_x` there are three ways: straight, through the mean, through the "
        "variance. The last two take away what would change all numbers of a channel alike: a common shift "
        "and a common stretch.",
        "Compute `x_hat` as in the forward pass, one mean and one root for each channel. From `grad_hat` "
        "take its mean, and `x_hat` times the mean of their product; all means over the same three axes. "
        "Divide at the end.",
    ),
    remark=(
        "Multiply x by 10 and grad_x becomes a tenth: how large the weights in front are no longer matters."
    ),
)

ALL = (0, 2, 3)


def _answer(
    axes: Any = ALL,
    ddof: int = 0,
    mean_part: float = 1.0,
    std_part: float = 1.0,
    share: Any = lambda array, axes: array.mean(axis=axes, keepdims=True),
    root: Any = lambda var, eps: np.sqrt(var + eps),
    finish: Any = lambda grad, std: grad / std,
    weigh: Any = lambda grad_out, weight: grad_out * weight.reshape(1, -1, 1, 1),
    collect: Any = lambda array: array.sum(axis=ALL),
) -> Any:
    """Return the right answer with one thing disturbed."""

    def answer(grad_out, x, weight, eps=1e-5):
        std = root(x.var(axis=axes, keepdims=True, ddof=ddof), eps)
        x_hat = (x - x.mean(axis=axes, keepdims=True)) / std
        grad = weigh(grad_out, weight)
        along = x_hat * share(grad * x_hat, axes)
        grad_x = finish(grad - mean_part * share(grad, axes) - std_part * along, std)
        return grad_x, collect(grad_out * x_hat), collect(grad_out)

    return answer


def _not_transposed(grad_out, x, weight, eps=1e-5):
    flat, grad = (array.reshape(-1, x.shape[1])[:, :, None, None] for array in (x, grad_out))
    grad_x, grad_weight, grad_bias = _reference(grad, flat, weight, eps)
    return grad_x.reshape(x.shape), grad_weight, grad_bias


def _eps_fixed(grad_out, x, weight, eps=1e-5):
    return _reference(grad_out, x, weight)


def _weight_of_x(grad_out, x, weight, eps=1e-5):
    grad_x, _, grad_bias = _reference(grad_out, x, weight, eps)
    return grad_x, (grad_out * x).sum(axis=ALL), grad_bias


def _weight_without_gradient(grad_out, x, weight, eps=1e-5):
    grad_x, _, grad_bias = _reference(grad_out, x, weight, eps)
    x_hat = (x - x.mean(axis=ALL, keepdims=True)) / np.sqrt(x.var(axis=ALL, keepdims=True) + eps)
    return grad_x, x_hat.sum(axis=ALL), grad_bias


def _weight_times_weight(grad_out, x, weight, eps=1e-5):
    grad_x, grad_weight, grad_bias = _reference(grad_out, x, weight, eps)
    return grad_x, grad_weight * weight, grad_bias


def _bias_times_weight(grad_out, x, weight, eps=1e-5):
    grad_x, grad_weight, grad_bias = _reference(grad_out, x, weight, eps)
    return grad_x, grad_weight, grad_bias * weight


def _exchanged(grad_out, x, weight, eps=1e-5):
    grad_x, grad_weight, grad_bias = _reference(grad_out, x, weight, eps)
    return grad_x, grad_bias, grad_weight


def _over_images(grad_out, x, weight, eps=1e-5):
    grad_x, grad_weight, grad_bias = _reference(grad_out, x, weight, eps)
    return grad_x / len(x), grad_weight / len(x), grad_bias / len(x)


def _parameters_over_images(grad_out, x, weight, eps=1e-5):
    grad_x, grad_weight, grad_bias = _reference(grad_out, x, weight, eps)
    return grad_x, grad_weight / len(x), grad_bias / len(x)


def _over_the_batch_only(grad_out, x, weight, eps=1e-5):
    grad_x, _, _ = _reference(grad_out, x, weight, eps)
    x_hat = (x - x.mean(axis=ALL, keepdims=True)) / np.sqrt(x.var(axis=ALL, keepdims=True) + eps)
    return grad_x, (grad_out * x_hat).sum(axis=0), grad_out.sum(axis=0)


def _by_images(array: Any, axes: Any) -> Any:
    return array.sum(axis=axes, keepdims=True) / len(array)


SHARED_BY_ALL = (
    "A channel of the batch has `N * H * W` numbers, and that many share its mean and its variance."
)

for _name, _wrong, _hint in (
    (
        "statistics_as_constants",
        _answer(mean_part=0, std_part=0),
        """Mean and variance are treated as constants. They are made of the very numbers that the gradient
        is asked for: raise one pixel, and both change, and with them every other output of the channel.""",
    ),
    (
        "variance_as_constant",
        _answer(std_part=0),
        """The way through the mean is there, that through the variance is missing. A number far from the
        mean stretches the whole channel, and shrinks all other outputs.""",
    ),
    (
        "mean_as_constant",
        _answer(mean_part=0),
        """The way through the variance is there, that through the mean is missing. Raise one pixel, and the
        mean rises: every output of the channel falls a little.""",
    ),
    (
        "mean_added",
        _answer(mean_part=-1),
        """The way through the mean has the wrong sign. A higher mean makes every output smaller.""",
    ),
    (
        "variance_added",
        _answer(std_part=-1),
        """The way through the variance has the wrong sign. A larger spread makes every output smaller.""",
    ),
    (
        "divided_by_images",
        _answer(share=_by_images),
        "The shares of the mean and the variance are sums divided by the number of images. " + SHARED_BY_ALL,
    ),
    (
        "sums_for_means",
        _answer(share=lambda array, axes: array.sum(axis=axes, keepdims=True)),
        "The ways through the mean and the variance take away sums where means belong. " + SHARED_BY_ALL,
    ),
    (
        "weight_forgotten",
        _answer(weigh=lambda grad_out, weight: grad_out),
        """`weight` plays no part in `grad_x`. The layer multiplied `x_hat` with it, so the gradient is
        multiplied, too.""",
    ),
    (
        "never_divided",
        _answer(finish=lambda grad, std: grad),
        """`grad_x` lacks the division by the standard deviation. `x` was divided by it, so its gradient is,
        too.""",
    ),
    (
        "multiplied_with_the_deviation",
        _answer(finish=lambda grad, std: grad * std),
        """`grad_x` is multiplied with the standard deviation. `x` was divided by it, and the gradient of a
        division is divided, too.""",
    ),
    (
        "divided_by_the_variance",
        _answer(finish=lambda grad, std: grad / std**2),
        """`grad_x` is divided by the variance. `x` was divided by its root.""",
    ),
    (
        "eps_missing",
        _answer(root=lambda var, eps: np.sqrt(var)),
        """`eps` plays no part. It stood under the root in the forward pass, and belongs to every standard
        deviation here.""",
    ),
    (
        "eps_outside_the_root",
        _answer(root=lambda var, eps: np.sqrt(var) + eps),
        """`eps` stands outside of the root: the divisor is `sqrt(var) + eps`. It is added to the variance
        before the root is taken.""",
    ),
    ("eps_fixed", _eps_fixed, """The result does not change when `eps` changes: 1e-5 is only its default."""),
    (
        "unbiased_variance",
        _answer(ddof=1),
        """The unbiased variance is used. The forward pass normalized with the biased one, divided by the
        count.""",
    ),
    (
        "reshaped_without_transposing",
        _not_transposed,
        """`reshape(-1, C)` puts numbers of all channels into each column: it reads `x` in the order of
        memory. The channels have to become the last axis first.""",
    ),
    (
        "per_pixel_statistics",
        _answer(axes=(0,)),
        """Every pixel has a mean and a variance of its own, over the images alone. All pixels of a channel
        share them.""",
    ),
    (
        "each_image_by_itself",
        _answer(axes=(2, 3)),
        """Each image has a mean and a variance of its own: that is instance norm. The images of a batch
        share them.""",
    ),
    (
        "one_mean_for_all_channels",
        _answer(axes=(0, 1, 2, 3)),
        """All channels share one mean and one variance. Each channel was normalized by itself.""",
    ),
    (
        "each_image_over_its_channels",
        _answer(axes=(1, 2, 3)),
        """Each image is taken over all its channels: that is layer norm. Images share a channel's
        statistics, and channels do not.""",
    ),
    (
        "parameters_averaged_over_the_batch",
        _parameters_over_images,
        """`grad_weight` and `grad_bias` are divided by the number of images. A mean over the batch is a
        matter of the loss, and is in `grad_out` already.""",
    ),
    (
        "averaged_over_the_batch",
        _over_images,
        """All gradients are divided by the number of images. A mean over the batch is a matter of the loss,
        and is in `grad_out` already.""",
    ),
    (
        "means_for_sums",
        _answer(collect=lambda array: array.mean(axis=ALL)),
        """`grad_weight` and `grad_bias` are means. A weight is used at every pixel of every image, and what
        it hears from all of them adds up.""",
    ),
    (
        "weight_meets_x",
        _weight_of_x,
        """`grad_weight` is made with `x`. The weight was multiplied with the normalized `x_hat`.""",
    ),
    (
        "weight_without_the_gradient",
        _weight_without_gradient,
        """`grad_weight` is a sum of `x_hat` alone, which is always 0. Each term is multiplied with its
        `grad_out`.""",
    ),
    (
        "weight_times_weight",
        _weight_times_weight,
        """`grad_weight` is multiplied with `weight` itself: it is made with `grad_hat`, which is one step
        too far back.""",
    ),
    (
        "bias_times_weight",
        _bias_times_weight,
        """`grad_bias` is multiplied with `weight`. The bias is added last, behind the multiplication.""",
    ),
    (
        "weight_and_bias_exchanged",
        _exchanged,
        """`grad_weight` and `grad_bias` have changed places. Asked for are, in this order, those of the
        input, of the weight and of the bias.""",
    ),
    (
        "parameters_for_each_pixel",
        _over_the_batch_only,
        """`grad_weight` and `grad_bias` are added up over the images only. One number serves a whole
        channel: add up its pixels, too.""",
    ),
):
    _wrong.__name__ = f"_{_name}"
    exercise.misconception(_hint)(_wrong)
