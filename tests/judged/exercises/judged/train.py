"""Exercise: a softmax classifier, trained."""

from collections.abc import Iterator

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.checking.training import accept_accuracy, training_case
from cnncourse.data.digits import digits


def train(images, labels):
    """Learn one weight for each pixel and class, and a bias for each class, by gradient descent.

    Parameters
    ----------
    images : array, shape (N, C, H, W)
    labels : array of int, shape (N,)

    Returns
    -------
    tuple
        Whatever `predict` needs.
    """
    x = images.reshape(len(images), -1)  # (N, C * H * W)
    wanted = np.eye(labels.max() + 1)[labels]  # (N, K)
    mean = x.mean(axis=0)
    weight, bias = np.zeros((x.shape[1], wanted.shape[1])), np.zeros(wanted.shape[1])
    for _ in range(150):
        scores = (x - mean) @ weight + bias  # (N, K)
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        slope = (odds / odds.sum(axis=1, keepdims=True) - wanted) / len(x)  # (N, K)
        weight -= 1.5 * (x - mean).T @ slope
        bias -= 1.5 * slope.sum(axis=0)
    return mean, weight, bias


def predict(model, images):
    """Return the scores of each image for each class."""
    mean, weight, bias = model
    return (images.reshape(len(images), -1) - mean) @ weight + bias  # (N, K)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Two classes from few images, then all ten."""
    images, labels = digits()
    classes = rng.choice(10, 2, replace=False)
    few = rng.permutation(np.flatnonzero(np.isin(labels, classes)))[:140]
    yield training_case(
        "learns 2 classes from 40 images",
        (images[few[:40]], labels[few[:40]], images[few[40:]], labels[few[40:]]),
        rng,
        accuracy=0.8,
        group="2 classes",
    )
    many = rng.permutation(len(labels))[:1300]
    yield training_case(
        "learns 10 classes from 1000 images",
        (images[many[:1000]], labels[many[:1000]], images[many[1000:]], labels[many[1000:]]),
        rng,
        accuracy=0.85,
        group="10 classes",
    )


exercise = Exercise(
    solution=train,
    companions=(predict,),
    cases=cases,
    points=2,
    way="training",
    accept=accept_accuracy,
    seconds=4.0,
    prompt="Train a classifier.",
    hints=("Start from zeros.",),
    remark="A softmax classifier has no hidden layer.",
)
