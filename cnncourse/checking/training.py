"""Exercises in which something is trained: disguised data to train on, and what must be reached.

The judge does not believe a loss or an accuracy that it is told. It calls ``train`` and ``predict`` on images
and labels of its own and counts for itself. All images of a case have gone through one and the same symmetry,
and the classes are numbered anew: who learns from the images that are given has the same task as before, who
looks labels up in a copy of a public data set finds nothing. What no disguise can hide is what survives it,
such as all copies of a small data set under all symmetries; where that would be worth somebody's while, let
the exercise draw its images itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cnncourse.arrays import Array
from cnncourse.checking.compare import Problem, Rung, describe
from cnncourse.checking.exercise import Case
from cnncourse.running.plain import Plain

SCALES = 0.8, 1.25  # of brightness
SHIFT = 0.1  # of brightness, as a share of the range of the images


@dataclass(frozen=True)
class Missed(Problem):
    """An accuracy or a cross-entropy that was not reached; its text holds the judge's own numbers alone."""


def disguise(
    images: Array, labels: Array, new_images: Array, new_labels: Array, rng: np.random.Generator
) -> tuple[Array, Array, Array, Array]:
    """Return data that is as hard to learn from as before, and that nobody has seen.

    One symmetry for all images: mirrored and, where they are square, turned (never left as they are), the
    channels in another order, the brightness scaled and shifted. Classes are numbered from 0 in a random
    order. The images of each set are shuffled.

    Parameters
    ----------
    images, new_images : ndarray, shape (N, H, W) or (N, C, H, W)
    labels, new_labels : ndarray of int, shape (N,)

    Raises
    ------
    ValueError
        If images have another number of axes.

    Examples
    --------
    >>> images, labels = np.arange(8.0).reshape(2, 1, 2, 2), np.array([7, 4])
    >>> hidden, numbered, *_ = disguise(images, labels, images, labels, np.random.default_rng(0))
    >>> hidden.shape, sorted(numbered.tolist())
    ((2, 1, 2, 2), [0, 1])
    """
    if images.ndim not in (3, 4):
        raise ValueError(f"images of shape {images.shape}: expected (N, H, W) or (N, C, H, W)")
    classes = np.unique(np.concatenate([labels, new_labels]))
    numbers = rng.permutation(len(classes)).astype(np.int64)
    square = images.shape[-1] == images.shape[-2]
    flip = int(rng.integers(1, 8 if square else 4))
    channels = rng.permutation(images.shape[1]) if images.ndim == 4 else None
    scale, shift = rng.uniform(*SCALES), rng.uniform(-SHIFT, SHIFT) * float(np.ptp(images))

    def hide(some: Array, known: Array) -> tuple[Array, Array]:
        order = rng.permutation(len(some))
        turned = some[order].swapaxes(-1, -2) if flip & 4 else some[order]
        turned = turned[..., :: -1 if flip & 1 else 1, :: -1 if flip & 2 else 1]
        turned = turned if channels is None else turned[:, channels]
        dtype = some.dtype if some.dtype.kind == "f" else np.dtype(np.float64)
        hidden = np.ascontiguousarray(turned * scale + shift, dtype)
        return hidden, numbers[np.searchsorted(classes, known[order])]

    return *hide(images, labels), *hide(new_images, new_labels)


def training_case(
    why: str,
    data: tuple[Array, Array, Array, Array],
    rng: np.random.Generator,
    accuracy: float,
    cross_entropy: float | None = None,
    group: str = "",
) -> Case:
    """Return a case for an exercise with ``way="training"`` and ``accept=accept_accuracy``.

    Parameters
    ----------
    why : the situation, such as ``"learns 2 classes from 40 images"``
    data : images, labels, new_images, new_labels, as they are; they are disguised here
    accuracy : the share of new images whose class must be right; well above what guessing gives, and well
        below what the solution reaches
    cross_entropy : the most that the mean over new images may be, in nats; then scores are asked for
    group : cases of one group earn their share of the points together
    """
    images, labels, new_images, new_labels = disguise(*data, rng)
    arguments = {"images": images, "labels": labels, "new_images": new_images}
    held = {"labels": new_labels, "classes": len(np.unique([*labels, *new_labels])), "accuracy": accuracy}
    asked = {} if cross_entropy is None else {"cross_entropy": cross_entropy}
    return Case(why, arguments, group, held=held | asked)


def accept_accuracy(case: Case, value: Plain) -> Problem | None:
    """Return what is wrong with predictions for the new images of a `training_case`, or None.

    Predictions are class numbers, shape (N,), or scores before the softmax, shape (N, K).
    """
    labels, classes = case.held["labels"], case.held["classes"]
    found = _numbers(value, len(labels), classes, scores_asked="cross_entropy" in case.held)
    if isinstance(found, Problem):
        return found
    chosen = found.argmax(axis=1) if found.ndim == 2 else found
    accuracy = float(np.mean(chosen == labels))
    asked = case.held["accuracy"]
    if accuracy < asked:
        guessing = float(np.bincount(labels).max() / len(labels))
        shown = np.floor(1000 * accuracy) / 10  # rounded up it could look like enough
        text = f"accuracy {shown:g}% on {len(labels)} new images, at least {100 * asked:g}% is asked for"
        return Missed(Rung.VALUE, text + _why_so_low(chosen, accuracy, guessing))
    if "cross_entropy" not in case.held:
        return None
    reached, asked = cross_entropy(found, labels), case.held["cross_entropy"]
    if reached <= asked:
        return None
    text = f"cross-entropy {reached:.3f} on {len(labels)} new images, at most {asked:g} is asked for"
    return Missed(Rung.VALUE, f"{text}; enough classes are right, but not by enough, or a few are very wrong")


def cross_entropy(scores: Array, labels: Array) -> float:
    """Return the mean cross-entropy, in nats, of scores before the softmax.

    Parameters
    ----------
    scores : ndarray, shape (N, K)
    labels : ndarray of int, shape (N,)

    Examples
    --------
    >>> round(cross_entropy(np.zeros((3, 2)), np.array([0, 1, 1])), 4)
    0.6931
    """
    shifted = scores - scores.max(axis=1, keepdims=True)  # (N, K)
    log_sums = np.log(np.exp(shifted).sum(axis=1))  # (N,)
    return float(np.mean(log_sums - shifted[np.arange(len(labels)), labels]))


def _numbers(value: Plain, images: int, classes: int, scores_asked: bool) -> Array | Problem:
    """Return class numbers or scores as an array of floats, or what keeps them from being that."""
    shapes: list[tuple[int, ...]] = [(images, classes)]
    expected = f"expected scores of shape {(images, classes)}"
    if not scores_asked:
        shapes.append((images,))
        expected += f" or class numbers of shape {(images,)}"
    try:
        array = np.asarray(value)
    except ValueError:
        return Problem(Rung.TYPE, f"the prediction is a list whose parts have different lengths; {expected}")
    if array.dtype.kind not in "biuf" or array.ndim == 0:
        return Problem(Rung.TYPE, f"the prediction is {describe(value)}; {expected}")
    if array.shape not in shapes:
        axes = "the number of images" if len(array) != images else "the number of classes"
        axes = axes if array.ndim in map(len, shapes) else "the number of axes"
        return Problem(Rung.SHAPE, f"the prediction has shape {array.shape}; {expected}", axes=axes)
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        count = int((~np.isfinite(array)).sum())
        return Problem(Rung.DTYPE, f"{count} of the {array.size} predicted values are nan or infinite")
    return array


def _why_so_low(chosen: Array, accuracy: float, guessing: float) -> str:
    if len(np.unique(chosen)) == 1:
        return (
            "; it is the same class for all of them: nothing was learned, or `predict` does not look at them"
        )
    if accuracy < guessing / 4:
        return f"; guessing gives {guessing:.0%}: the largest score is that of the likeliest class"
    if accuracy <= guessing + 0.1:
        return f"; guessing gives {guessing:.0%}, as if nothing had been learned from these labels"
    return ""
