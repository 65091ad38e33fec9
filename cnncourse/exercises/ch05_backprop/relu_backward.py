"""Exercise: the gradient of ReLU."""

from collections.abc import Iterator

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.layers import activation


def relu_backward(grad_out, x):
    """Return the gradient of the loss with respect to the input of ReLU.

    Parameters
    ----------
    grad_out : array, of any shape
        The gradient of the loss with respect to the output of ReLU.
    x : array, of the same shape
        What went into ReLU.

    Returns
    -------
    array, of the same shape
    """
    return np.where(x > 0, grad_out, 0.0)


def _away_from_zero(rng: np.random.Generator, *shape: int):
    """Draw numbers of both signs, none of them near the kink."""
    return rng.choice([-1, 1], shape) * rng.uniform(0.1, 2, shape)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Both signs in the input and in the gradient; a row, maps, a batch of scores; whole numbers."""
    yield Case(
        "four numbers, both signs",
        {"grad_out": np.array([3.0, -1.0, 2.0, -4.0]), "x": np.array([0.5, 2.0, -1.0, -3.0])},
        "values",
    )
    for why, shape in (("one map", (1, 1, 3, 4)), ("a batch of maps", (2, 3, 2, 3)), ("scores", (4, 5))):
        yield Case(why, {"grad_out": rng.normal(size=shape), "x": _away_from_zero(rng, *shape)}, "values")
    yield Case(
        "the input all negative",
        {"grad_out": rng.normal(size=(2, 3)), "x": -rng.random((2, 3)) - 0.1},
        "values",
    )
    whole = {"grad_out": rng.normal(size=(3, 4)), "x": rng.choice([-3, -1, 2, 5], (3, 4))}
    yield Case("an input of whole numbers", whole, "values")


exercise = Exercise(
    solution=relu_backward,
    reference=activation.relu_backward,
    cases=cases,
    points=1,
    forbids=("torch.relu", "torch.nn.functional.relu", "torch.nn.ReLU", "torch.autograd.grad"),
    prompt="""\
`relu(x)` is `max(0, x)`. Above zero it copies its input: move the input by a little, and the output moves by
as much. Below zero it does not move at all. What does that mean for a gradient that comes from behind?

**By hand.** Four numbers, and the gradient of the loss with respect to what ReLU made of them:

```
x          0.5  2.0 -1.0 -3.0
output     0.5  2.0  0.0  0.0
grad_out   3.0 -1.0  2.0 -4.0
grad_x     3.0 -1.0  0.0  0.0
```

**Contract.** `grad_out` and `x` have the same shape, whatever it is, and so does the result. Neither is
changed. (At exactly 0, where ReLU has a corner, every number between 0 and `grad_out` may be called its
gradient; libraries take 0, and no case asks.)
""",
    hints=(
        "Cover the line `output` above. From which of the other two lines can you tell where the gradient "
        "gets through?",
        "The gradient that comes from behind may be negative and still gets through. Only the sign of "
        "what went *in* decides.",
    ),
    remark="A unit whose input is negative for every image gets no gradient, and so never learns again.",
)


@exercise.misconception(
    """The sign of `grad_out` decides what gets through. A negative gradient is as good as a positive one:
    what counts is whether the input was above zero."""
)
def _sign_of_the_gradient(grad_out, x):
    return np.where(grad_out > 0, grad_out, 0.0)


@exercise.misconception(
    """A gradient gets through only where both it and the input are above zero. That is a way to make
    clear pictures ("guided backpropagation"), not the gradient: negative gradients get through as
    well."""
)
def _guided(grad_out, x):
    return np.where((x > 0) & (grad_out > 0), grad_out, 0.0)


@exercise.misconception(
    """What comes back is the slope of ReLU, 0 or 1. The chain rule multiplies it with the gradient that
    comes from behind."""
)
def _slope_only(grad_out, x):
    return np.where(x > 0, 1.0, 0.0)


@exercise.misconception(
    """The gradient is multiplied with ReLU's output. It has to be multiplied with ReLU's slope, which is
    1 above zero, however large the number is."""
)
def _times_the_output(grad_out, x):
    return grad_out * np.maximum(x, 0)


@exercise.misconception("What comes back is ReLU of `x` itself: `grad_out` plays no part in it.")
def _forward(grad_out, x):
    return np.maximum(x, 0.0)


@exercise.misconception(
    "It is the other way round: the gradient gets through where the input was below zero."
)
def _below_zero(grad_out, x):
    return np.where(x < 0, grad_out, 0.0)


@exercise.misconception("Everything gets through, also where ReLU wrote a 0 and its output cannot move.")
def _all_through(grad_out, x):
    return 1.0 * grad_out


@exercise.misconception(
    """Below zero the gradient changes its sign. That is the gradient of `abs`; ReLU is flat there, so
    that nothing gets through."""
)
def _absolute(grad_out, x):
    return grad_out * np.sign(x)


@exercise.misconception(
    """The gradient is multiplied with `x` itself. It has to be multiplied with ReLU's slope, which is 1 above
    zero and 0 below."""
)
def _times_the_input(grad_out, x):
    return grad_out * x


@exercise.misconception(
    """Below zero a little still gets through. That is the gradient of a leaky ReLU; this one is flat there,
    and nothing gets through."""
)
def _leaky(grad_out, x):
    return grad_out * np.where(x > 0, 1.0, 0.01)
