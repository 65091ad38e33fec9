"""Known wrong ways to normalize the channels of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnncourse.checking import Exercise
from cnncourse.layers import batch_norm

ALL = (0, 2, 3)


def _answer(
    axes: Any = ALL,
    ddof: int = 0,
    ddof_kept: int = 1,
    inverse: Any = lambda var, eps: 1 / np.sqrt(var + eps),
    mix: Any = lambda old, new, momentum: (1 - momentum) * old + momentum * new,
    scale: bool = True,
    kept: Any = lambda var: var,
) -> Any:
    """Return the right answer with one thing disturbed."""

    def answer(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
        shape = (1, -1, 1, 1)
        mean, var = running_mean.reshape(shape), running_var.reshape(shape)
        if training:
            mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True, ddof=ddof)
            count = x.size // x.shape[1]
            found = x.var(axis=ALL) * count / (count - ddof_kept)
            running_mean = mix(running_mean, x.mean(axis=ALL), momentum)
            running_var = mix(running_var, kept(found), momentum)
        x_hat = (x - mean) * inverse(var, eps)
        out = weight.reshape(shape) * x_hat + bias.reshape(shape) if scale else x_hat
        return out, running_mean, running_var

    return answer


def _with_statistics(statistics: Any) -> Any:
    """Return an answer that gathers, and normalizes with, the statistics that a function finds."""

    def answer(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
        mean, var = (running_mean, running_var) if not training else statistics(x)
        if training:
            count = x.size // x.shape[1]
            running_mean = (1 - momentum) * running_mean + momentum * mean
            running_var = (1 - momentum) * running_var + momentum * var * count / (count - 1)
        shape = (1, -1, 1, 1)
        x_hat = (x - mean.reshape(shape)) / np.sqrt(var.reshape(shape) + eps)
        return weight.reshape(shape) * x_hat + bias.reshape(shape), running_mean, running_var

    return answer


def _not_transposed(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    flat = x.reshape(-1, x.shape[1])
    mean, var = running_mean, running_var
    if training:
        mean, var = flat.mean(axis=0), flat.var(axis=0)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * var * len(flat) / (len(flat) - 1)
    out = weight * (flat - mean) / np.sqrt(var + eps) + bias
    return out.reshape(x.shape), running_mean, running_var


def _not_transposed_in_training(
    x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5
):
    answer = _not_transposed if training else batch_norm.batch_norm2d
    return answer(x, weight, bias, running_mean, running_var, training, momentum, eps)


def _per_pixel(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    if not training:
        return batch_norm.batch_norm2d(x, weight, bias, running_mean, running_var, False, momentum, eps)
    _, *gathered = batch_norm.batch_norm2d(x, weight, bias, running_mean, running_var, True, momentum, eps)
    x_hat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)
    return weight.reshape(-1, 1, 1) * x_hat + bias.reshape(-1, 1, 1), *gathered


def _per_pixel_gathered(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    mean, var = running_mean.reshape(-1, 1, 1), running_var.reshape(-1, 1, 1)
    if training:
        mean, var, n = x.mean(axis=0), x.var(axis=0), len(x)
        running_mean = (1 - momentum) * running_mean.reshape(-1, 1, 1) + momentum * mean
        running_var = (1 - momentum) * running_var.reshape(-1, 1, 1) + momentum * var * n / max(n - 1, 1)
    x_hat = (x - mean) / np.sqrt(var + eps)
    return weight.reshape(-1, 1, 1) * x_hat + bias.reshape(-1, 1, 1), running_mean, running_var


def _bare_in_test_mode(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    found = batch_norm.batch_norm2d(x, weight, bias, running_mean, running_var, training, momentum, eps)
    if training:
        return found
    shape = (1, -1, 1, 1)
    return (x - running_mean.reshape(shape)) / np.sqrt(running_var.reshape(shape) + eps), *found[1:]


def _batch_in_test_mode(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    shape, means, variances = (1, -1, 1, 1), x.mean(axis=ALL), x.var(axis=ALL)
    x_hat = (x - means.reshape(shape)) / np.sqrt(variances.reshape(shape) + eps)
    out = weight.reshape(shape) * x_hat + bias.reshape(shape)
    if not training:
        return out, running_mean, running_var
    return out, *batch_norm.batch_norm2d(x, weight, bias, running_mean, running_var, True, momentum, eps)[1:]


def _gathered_in_test_mode(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    found = batch_norm.batch_norm2d(x, weight, bias, running_mean, running_var, training, momentum, eps)
    count = x.size // x.shape[1]
    unbiased = x.var(axis=ALL) * count / np.float64(count - 1)
    moved = (1 - momentum) * running_mean + momentum * x.mean(axis=ALL)
    return found[0], moved, (1 - momentum) * running_var + momentum * unbiased


def _running_in_training(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    if training:
        _, running_mean, running_var = batch_norm.batch_norm2d(
            x, weight, bias, running_mean, running_var, True, momentum, eps
        )
    return batch_norm.batch_norm2d(x, weight, bias, running_mean, running_var, False, momentum, eps)


def _old_running_in_training(
    x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5
):
    gathered = batch_norm.batch_norm2d(x, weight, bias, running_mean, running_var, training, momentum, eps)[
        1:
    ]
    out = batch_norm.batch_norm2d(x, weight, bias, running_mean, running_var, False, momentum, eps)[0]
    return out, *gathered


def _in_place(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    out, mean, var = batch_norm.batch_norm2d(
        x, weight, bias, running_mean, running_var, training, momentum, eps
    )
    running_mean[:], running_var[:] = mean, var
    return out, running_mean, running_var


def _nothing_gathered(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    out = batch_norm.batch_norm2d(x, weight, bias, running_mean, running_var, training, momentum, eps)[0]
    return out, running_mean, running_var


def _batch_returned(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    return batch_norm.batch_norm2d(x, weight, bias, running_mean, running_var, training, 1.0, eps)


def _momentum_fixed(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    return batch_norm.batch_norm2d(x, weight, bias, running_mean, running_var, training, 0.1, eps)


def _eps_fixed(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    return batch_norm.batch_norm2d(x, weight, bias, running_mean, running_var, training, momentum, 1e-5)


def _no_eps_in_test_mode(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    eps = eps if training else 0.0
    return batch_norm.batch_norm2d(x, weight, bias, running_mean, running_var, training, momentum, eps)


def _weight_along_columns(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    one, zero = np.ones(len(weight)), np.zeros(len(bias))
    x_hat, *gathered = batch_norm.batch_norm2d(
        x, one, zero, running_mean, running_var, training, momentum, eps
    )
    return weight * x_hat + bias, *gathered


def _bias_first(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    return batch_norm.batch_norm2d(
        x, weight, weight * bias, running_mean, running_var, training, momentum, eps
    )


def _exchanged(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    return batch_norm.batch_norm2d(x, bias, weight, running_mean, running_var, training, momentum, eps)


def _running_exchanged(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    found = batch_norm.batch_norm2d(x, weight, bias, running_mean, running_var, training, momentum, eps)
    return (found[0], *found[:0:-1])


def _not_centred(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    _, *gathered = batch_norm.batch_norm2d(
        x, weight, bias, running_mean, running_var, training, momentum, eps
    )
    shape, var = (1, -1, 1, 1), x.var(axis=ALL) if training else running_var
    return weight.reshape(shape) * x / np.sqrt(var.reshape(shape) + eps) + bias.reshape(shape), *gathered


def _in_memory_order(x: Any) -> Any:
    flat = x.reshape(-1, x.shape[1])
    return flat.mean(axis=0), flat.var(axis=0)


def _rows_in_memory_order(x: Any) -> Any:
    flat = x.reshape(x.shape[1], -1)
    return flat.mean(axis=1), flat.var(axis=1)


def _by_images(x: Any) -> Any:
    total = x.sum(axis=ALL) / len(x)
    return total, ((x - total.reshape(1, -1, 1, 1)) ** 2).sum(axis=ALL) / len(x)


def _variance_by_images(x: Any) -> Any:
    mean = x.mean(axis=ALL)
    return mean, ((x - mean.reshape(1, -1, 1, 1)) ** 2).sum(axis=ALL) / len(x)


def _mean_of_image_variances(x: Any) -> Any:
    return x.mean(axis=ALL), x.var(axis=(2, 3)).mean(axis=0)


def _unbiased_by_images(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    out, mean, var = batch_norm.batch_norm2d(
        x, weight, bias, running_mean, running_var, training, momentum, eps
    )
    if training:
        var = (1 - momentum) * running_var + momentum * x.var(axis=ALL) * len(x) / np.float64(len(x) - 1)
    return out, mean, var


NOT_TRANSPOSED = """`reshape(-1, C)` puts numbers of all channels into each column: it reads `x` in
    the order of memory, in which a channel's rows follow each other. The channels
    have to become the last axis first."""
BATCH_IN_TEST_MODE = """In test mode the statistics of the batch are used. There the running ones take
    their place: an image's result must not depend on its companions."""
UNDER_THE_ROOT = """`eps` stands outside of the root: the divisor is `sqrt(var) + eps`. It is added
    to the variance before the root is taken."""

MISTAKES: tuple[tuple[str, Any, str], ...] = (
    ("reshaped_without_transposing", _not_transposed, NOT_TRANSPOSED),
    ("reshaped_without_transposing_in_training", _not_transposed_in_training, NOT_TRANSPOSED),
    ("statistics_without_transposing", _with_statistics(_in_memory_order), NOT_TRANSPOSED),
    (
        "statistics_of_rows_without_transposing",
        _with_statistics(_rows_in_memory_order),
        """`reshape(C, -1)` puts numbers of all channels into each row as soon as there is more than one
        image: it reads `x` in the order of memory. The channels have to become the first axis before
        that.""",
    ),
    (
        "per_pixel_statistics",
        _per_pixel,
        """Every pixel is normalized with a mean and a variance of its own, over the images alone. All
        pixels of a channel share one mean and one variance.""",
    ),
    (
        "per_pixel_statistics_gathered",
        _per_pixel_gathered,
        """Every pixel is normalized with a mean and a variance of its own, over the images alone. All
        pixels of a channel share one mean and one variance.""",
    ),
    (
        "eps_missing",
        _answer(inverse=lambda var, eps: 1 / np.sqrt(var)),
        """`eps` plays no part. Added to the variance, it keeps a channel whose numbers are all equal from
        being divided by 0.""",
    ),
    ("eps_outside_the_root", _answer(inverse=lambda var, eps: 1 / (np.sqrt(var) + eps)), UNDER_THE_ROOT),
    (
        "eps_fixed",
        _eps_fixed,
        """The result does not change when `eps` changes: 1e-5 is only its default.""",
    ),
    (
        "no_eps_in_test_mode",
        _no_eps_in_test_mode,
        """In test mode `eps` is missing. The layer has to do the same in both modes, with other
        statistics.""",
    ),
    (
        "bare_in_test_mode",
        _bare_in_test_mode,
        """In test mode `weight` and `bias` are missing. They belong to the layer in both modes: the next
        layer has learned with what they make.""",
    ),
    (
        "never_scaled",
        _answer(scale=False),
        """`weight` and `bias` play no part: the result is the normalized `x`. Each channel is then
        multiplied with its weight, and its bias is added.""",
    ),
    (
        "divided_by_images",
        _with_statistics(_by_images),
        """The sums over images, rows and columns are divided by the number of images. A channel of the
        batch has `N * H * W` numbers.""",
    ),
    (
        "variance_divided_by_images",
        _with_statistics(_variance_by_images),
        """The sum of squares is divided by the number of images. A channel of the batch has `N * H * W`
        numbers.""",
    ),
    (
        "mean_of_the_images_variances",
        _with_statistics(_mean_of_image_variances),
        """The variance is the mean of the images' own variances. That leaves out by how much the images'
        means differ: take all numbers of a channel together.""",
    ),
    (
        "momentum_of_the_old",
        _answer(mix=lambda old, new, momentum: momentum * old + (1 - momentum) * new),
        """`momentum` is taken for the share of the *old* statistics. Both conventions are in use; here, as
        in torch, it is the share of the new ones.""",
    ),
    (
        "momentum_fixed",
        _momentum_fixed,
        """The running statistics do not depend on `momentum`: 0.1 is only its default.""",
    ),
    (
        "running_variance_biased",
        _answer(ddof_kept=0),
        """The running variance gathers the biased variance, divided by the count. What is gathered stands
        for images that were not in the batch: divide by `count - 1`.""",
    ),
    (
        "unbiased_by_images",
        _unbiased_by_images,
        """The running variance is made unbiased with the number of images. The count is that of a channel's
        numbers, `N * H * W`.""",
    ),
    (
        "normalized_with_the_unbiased",
        _answer(ddof=1),
        """In training, the output is normalized with the unbiased variance. There the numbers themselves
        are meant: divide by their count. The unbiased one is for the running variance alone.""",
    ),
    (
        "running_standard_deviation",
        _answer(kept=np.sqrt),
        """The running variance gathers standard deviations. Gather variances; the root is taken when they
        are used.""",
    ),
    ("batch_statistics_in_test_mode", _batch_in_test_mode, BATCH_IN_TEST_MODE),
    (
        "gathered_in_test_mode",
        _gathered_in_test_mode,
        """In test mode the running statistics move on. What a network answers must not depend on what it
        was asked before: there they stay as they are.""",
    ),
    (
        "running_statistics_in_training",
        _running_in_training,
        """In training, the output is normalized with the running statistics. They are gathered for later:
        in training the batch's own are used.""",
    ),
    (
        "old_running_statistics_in_training",
        _old_running_in_training,
        """In training, the output is normalized with the running statistics. They are gathered for later:
        in training the batch's own are used.""",
    ),
    (
        "changed_in_place",
        _in_place,
        """The running statistics that were given are overwritten. Make new arrays for the new ones: whoever
        called may still need the old.""",
    ),
    (
        "nothing_gathered",
        _nothing_gathered,
        """In training the running statistics stay as they were. They have to move towards the batch's, or
        test mode will know nothing.""",
    ),
    (
        "batch_statistics_returned",
        _batch_returned,
        """The statistics of this batch come back as the running ones. One batch moves them only by the
        share `momentum`.""",
    ),
    (
        "one_mean_for_all_channels",
        _answer(axes=None),
        """All channels share one mean and one variance. Each channel is normalized by itself.""",
    ),
    (
        "each_image_by_itself",
        _answer(axes=(2, 3)),
        """Each image is normalized by itself, and the batch plays no part: that is instance norm. The
        images of a batch share their statistics.""",
    ),
    (
        "each_image_over_its_channels",
        _answer(axes=(1, 2, 3)),
        """Each image is normalized over all its channels: that is layer norm. Here images share their
        statistics, and channels do not.""",
    ),
    (
        "variance_for_its_root",
        _answer(inverse=lambda var, eps: 1 / (var + eps)),
        """The numbers are divided by the variance. Divide by its root, the standard deviation, and their
        spread is 1.""",
    ),
    (
        "weight_along_the_columns",
        _weight_along_columns,
        """`weight` and `bias` are laid along the last axis, the columns, which fits only if there are as
        many columns as channels. Their numbers belong to the second axis.""",
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
        "running_ones_exchanged",
        _running_exchanged,
        """The running mean and the running variance have changed places: the output comes first, then the
        mean, then the variance.""",
    ),
    (
        "not_centred",
        _not_centred,
        """The mean is not subtracted. Normalized numbers lie around 0.""",
    ),
)


def add_mistakes(exercise: Exercise) -> None:
    """Register them all."""
    for name, answer, hint in MISTAKES:
        answer.__name__ = f"_{name}"
        exercise.misconception(hint)(answer)
