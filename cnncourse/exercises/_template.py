"""Copy this file to `chNN_topic/<name>.py`, replace everything, add the name to EXERCISES in its package."""

from collections.abc import Iterator

import numpy as np

from cnncourse.checking import Case, Exercise


def relu(x):
    """Replace every negative number by 0.

    Parameters
    ----------
    x : array, of any shape

    Returns
    -------
    array, of the same shape
    """
    return np.where(x > 0, x, 0.0)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Say what the cases cover; the simplest comes first, and each names its situation."""
    yield Case("both signs", {"x": rng.normal(size=(2, 3))}, "values")
    yield Case("all negative", {"x": -rng.random((1, 4)) - 0.1}, "values")
    yield Case("whole numbers", {"x": rng.integers(-5, 5, (3, 3))}, "dtype")


exercise = Exercise(
    solution=relu,
    cases=cases,
    points=1,
    forbids=("numpy.maximum", "torch.relu", "torch.nn.functional.relu"),
    prompt="""\
Why it is needed, in two or three sentences.

**By hand.** `relu([-1, 2])` is `[0, 2]`.

**Contract.** Shapes, conventions, what happens at the edges.
""",
    hints=("What to look at.", "What must be true.", "The shape of the loop; never the line itself."),
    remark="One thing worth knowing for those who have it right.",
)


@exercise.misconception("The signs are exchanged: what is positive has become 0.")
def _sign(x):
    return np.where(x < 0, x, 0.0)


@exercise.misconception("Negative numbers lose their sign; they should become 0.")
def _absolute(x):
    return np.abs(x)


@exercise.misconception("Nothing has changed: the negative numbers are still there.")
def _unchanged(x):
    return 1 * x
