"""What R-CNN and SPPnet learn after their network: a linear SVM for each class, and a regressor of boxes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnncourse.detectors.ssd import encode
from cnncourse.detectors.tensors import overlaps

ROUNDS = 2  # of fitting: after each but the last come hard negatives
EASY = 2000  # negatives of the first round
HARD = 2000  # negatives that a further round adds, those with the highest scores
PENALTY = 0.01  # C of the SVM
POSITIVE_WEIGHT = 2.0
RIDGE = 1.0  # on the regressor's squared weights, for each region
NEGATIVE, NEAR = 0.3, 0.6  # IoU below which a region is an SVM's negative; from which the regressor learns


class Linear(NamedTuple):
    """One linear function for each class."""

    weight: NDArray[np.float64]  # (C, F)
    bias: NDArray[np.float64]  # (C,)


def fit_svms(features: NDArray[np.float32], kinds: NDArray[np.int64], classes: int, seed: int = 0) -> Linear:
    """Return a linear SVM for each class, found with hard negative mining.

    The first negatives are drawn by chance. Then all others are scored, the worst mistakes join, and the SVM
    is fitted again.

    Parameters
    ----------
    features : ndarray, shape (R, F)
        A vector for each region.
    kinds : ndarray, shape (R, C)
        1 where a region is a positive of a class, -1 where it is a negative, 0 where it does not count.
    classes : how many
    seed : which negatives come first

    Returns
    -------
    Linear
        A class without positives gets weights 0 and bias -1: it is never found.

    References
    ----------
    Girshick et al. 2014, "Rich feature hierarchies", section 2.3 and appendix B.
    """
    from sklearn.svm import LinearSVC

    rng = np.random.default_rng(seed)
    weight, bias = np.zeros((classes, features.shape[1])), np.full(classes, -1.0)
    for label in range(classes):
        positive = np.flatnonzero(kinds[:, label] == 1)
        negative = np.flatnonzero(kinds[:, label] == -1)
        if not len(positive) or not len(negative):
            continue
        used = rng.permutation(negative)[:EASY]
        for turn in range(ROUNDS):
            machine = LinearSVC(C=PENALTY, dual=False, class_weight={1: POSITIVE_WEIGHT})
            sides = np.append(np.ones(len(positive)), -np.ones(len(used)))
            machine.fit(features[np.append(positive, used)], sides)
            if turn < ROUNDS - 1:
                left = np.setdiff1d(negative, used)
                worst = np.argsort(-machine.decision_function(features[left]))[:HARD] if len(left) else left
                used = np.append(used, left[worst])
        weight[label], bias[label] = machine.coef_[0], machine.intercept_[0]
    return Linear(weight, bias)


def fit_regressor(
    features: NDArray[np.float32], labels: NDArray[np.int64], targets: NDArray[np.float32], classes: int
) -> Linear:
    """Return ridge regressions from the vector of a region to its deltas, four for each class.

    Parameters
    ----------
    features : ndarray, shape (R, F)
        Of regions that lie near an object.
    labels : ndarray, shape (R,)
        The object's class.
    targets : ndarray, shape (R, 4)
        What turns the region into the object's box.

    Returns
    -------
    Linear
        weight (4 C, F) and bias (4 C,), class by class; zeros for a class that has no region.

    References
    ----------
    Girshick et al. 2014, "Rich feature hierarchies", appendix C; there the ridge is 1000 in all.
    """
    weight, bias = np.zeros((classes, 4, features.shape[1])), np.zeros((classes, 4))
    for label in range(classes):
        own = labels == label
        if not own.any():
            continue
        x, t = features[own].astype(float), targets[own].astype(float)
        middle, mean = x.mean(axis=0), t.mean(axis=0)
        gram = (x - middle).T @ (x - middle) + RIDGE * len(x) * np.eye(x.shape[1])
        weight[label] = np.linalg.solve(gram, (x - middle).T @ (t - mean)).T
        bias[label] = mean - weight[label] @ middle
    return Linear(weight.reshape(4 * classes, -1), bias.ravel())


def put(linear: Linear, layer: torch.nn.Linear) -> None:
    """Write what was fitted into a dense layer."""
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(linear.weight))
        layer.bias.copy_(torch.from_numpy(linear.bias))


class Lessons(NamedTuple):
    """What P regions of one image teach."""

    kinds: Tensor  # (P, C) what a region is to each class's SVM: 1 an example, -1 a counterexample, 0 neither
    near: Tensor  # (Q,) the regions from which the regressor learns
    labels: Tensor  # (Q,) the class of the object that each of them is near
    deltas: Tensor  # (Q, 4) what turns it into the object's box


def lessons(regions: Tensor, boxes: Tensor, labels: Tensor, classes: int) -> Lessons:
    """Return what the regions of one image teach the SVMs and the regressor.

    Examples of a class are its objects' own boxes, counterexamples are regions whose IoU with each of them is
    below `NEGATIVE`: so are the boxes of other objects. The regressor learns from proposals whose IoU with an
    object is at least `NEAR`.

    Parameters
    ----------
    regions : Tensor, shape (P, 4)
        First the objects' boxes, then the proposals.
    boxes, labels : Tensor, shapes (M, 4) and (M,)
        The objects.
    classes : how many

    References
    ----------
    Girshick et al. 2014, "Rich feature hierarchies", section 2.3 and appendices B and C.
    """
    overlap = overlaps(regions, boxes)  # (P, M)
    highest = overlap.new_zeros(len(regions), classes)
    for label in labels.unique().tolist():
        highest[:, label] = overlap[:, labels == label].amax(dim=1)
    kinds = torch.where(highest < NEGATIVE, -1, 0)
    kinds[torch.arange(len(boxes)), labels] = 1
    best, who = torch.cat([overlap, overlap.new_zeros(len(regions), 1)], dim=1).max(dim=1)
    near = (best >= NEAR).nonzero()[:, 0]
    near = near[near >= len(boxes)]
    return Lessons(kinds, near, labels[who[near]], encode(boxes[who[near]], regions[near]))
