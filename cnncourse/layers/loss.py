"""Losses, each beside its gradient. Means over everything in the batch, as in torch."""

from __future__ import annotations

import numpy as np

from cnncourse.arrays import Array
from cnncourse.layers.blocks import floats
from cnncourse.layers.pieces import Part, pieces, share


def softmax(scores: Array, axis: int = 1) -> Array:
    """Turn scores into probabilities: ``exp(scores)``, divided by their sum along an axis.

    Examples
    --------
    >>> softmax(np.array([[0.0, 0.0, 0.0], [1000.0, 0.0, 0.0]])).round(3)
    array([[0.333, 0.333, 0.333],
           [1.   , 0.   , 0.   ]])
    """
    scores = floats(scores)
    out: Array = scores - scores.max(axis=axis, keepdims=True)  # the same shift above and below cancels
    np.exp(out, out=out)
    out /= out.sum(axis=axis, keepdims=True)
    return out


def log_softmax(scores: Array, axis: int = 1) -> Array:
    """Return the logarithms of `softmax`, also where a probability is too small for a number.

    Examples
    --------
    >>> log_softmax(np.array([[1000.0, 0.0]]))
    array([[    0., -1000.]])
    """
    scores = floats(scores)
    shifted = scores - scores.max(axis=axis, keepdims=True)
    out: Array = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return out


def cross_entropy(scores: Array, labels: Array) -> float:
    """Return the mean of minus the logarithm of each true class's probability.

    Parameters
    ----------
    scores : ndarray, shape (N, num_classes) or (N, num_classes, H, W)
        Before softmax.
    labels : ndarray of whole numbers, shape (N,) or (N, H, W)
        From 0 to num_classes - 1.

    Raises
    ------
    ValueError
        If the shapes do not go together, or a label is no class.

    References
    ----------
    torch.nn.CrossEntropyLoss.

    Examples
    --------
    >>> round(cross_entropy(np.zeros((4, 10)), np.array([1, 2, 3, 4])), 4)  # log(10)
    2.3026
    """
    scores, index = floats(scores), _index(scores, labels)
    losses = np.empty(index.shape, scores.dtype)

    def work(part: Part) -> None:  # -log_softmax, of the true class only
        shifted = scores[part] - scores[part].max(axis=1, keepdims=True)
        true = np.take_along_axis(shifted, index[part], axis=1)
        np.exp(shifted, out=shifted)
        losses[part] = np.log(shifted.sum(axis=1, keepdims=True)) - true

    share(work, _rows(scores))
    return float(losses.mean())


def cross_entropy_backward(scores: Array, labels: Array) -> Array:
    """Return the gradient of the scores: probabilities, minus one at the true class, over the batch.

    Parameters
    ----------
    scores, labels
        As in `cross_entropy`.

    Returns
    -------
    ndarray, shaped like `scores`

    Examples
    --------
    >>> cross_entropy_backward(np.zeros((1, 4)), np.array([2]))
    array([[ 0.25,  0.25, -0.75,  0.25]])
    """
    scores, index = floats(scores), _index(scores, labels)
    grad = np.empty(scores.shape, scores.dtype)

    def work(part: Part) -> None:
        difference = softmax(scores[part])
        true = np.take_along_axis(difference, index[part], axis=1)
        np.put_along_axis(difference, index[part], true - 1, axis=1)
        np.divide(difference, labels.size, out=grad[part])

    share(work, _rows(scores))
    return grad


def mse(prediction: Array, target: Array) -> float:
    """Return the mean of the squared differences.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> mse(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    2.0
    """
    difference = _difference(prediction, target)
    return float(np.vdot(difference, difference) / difference.size)


def mse_backward(prediction: Array, target: Array) -> Array:
    """Return the gradient of the prediction, ``2 * (prediction - target) / size``.

    Examples
    --------
    >>> mse_backward(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    array([ 0., -2.])
    """
    return _difference(prediction, target) * (2 / prediction.size)


def _index(scores: Array, labels: Array) -> Array:
    """Return the labels with an axis for the classes, after checking them."""
    if labels.shape != scores.shape[:1] + scores.shape[2:]:
        raise ValueError(f"scores has shape {scores.shape} and labels {labels.shape}; each needs one label")
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels has dtype {labels.dtype}; classes are whole numbers")
    if labels.size and not 0 <= labels.min() <= labels.max() < scores.shape[1]:
        wrong = labels.min() if labels.min() < 0 else labels.max()
        raise ValueError(f"labels holds {wrong}; the classes are 0 to {scores.shape[1] - 1}")
    return np.expand_dims(labels, 1)


def _rows(scores: Array) -> list[Part]:
    """Cut scores into parts that hold all classes of their images or pixels."""
    return pieces(scores.shape, axes=(0, *range(2, scores.ndim)))


def _difference(prediction: Array, target: Array) -> Array:
    if prediction.shape != target.shape:
        raise ValueError(f"prediction has shape {prediction.shape} and target {target.shape}")
    return floats(prediction) - floats(target)
