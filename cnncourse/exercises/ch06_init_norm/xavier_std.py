"""Exercise: the standard deviation of Xavier (Glorot) initialization."""

from collections.abc import Iterator
from math import sqrt

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.layers import init


def xavier_std(fan_in, fan_out):
    """Return the standard deviation of the weights in Xavier's initialization.

    Parameters
    ----------
    fan_in : int
        How many inputs a unit reads.
    fan_out : int
        How many units read an input.

    Returns
    -------
    float
    """
    return float(np.sqrt(2 / (fan_in + fan_out)))


FANS = (
    ("150 in, 50 out", 150, 50),
    ("one input, one output", 1, 1),
    ("as many inputs as outputs", 72, 72),
    ("more outputs than inputs", 27, 288),
    ("many inputs, few outputs", 3136, 10),
    ("a first layer", 147, 3136),
)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """More inputs, more outputs, as many of both; one of each drawn."""
    for why, fan_in, fan_out in FANS:
        yield Case(why, {"fan_in": fan_in, "fan_out": fan_out}, "both fans")
    for why, low, high in (("drawn, more outputs", 5, 60), ("drawn, more inputs", 300, 900)):
        arguments = {
            "fan_in": int(rng.integers(low, low + 50)),
            "fan_out": int(rng.integers(high, high + 99)),
        }
        yield Case(why, arguments, "both fans")


exercise = Exercise(
    solution=xavier_std,
    reference=init.xavier_std,
    cases=cases,
    points=1,
    forbids=("torch.nn.init.xavier_normal_", "torch.nn.init.xavier_uniform_"),
    prompt="""\
A unit adds up `fan_in` products. If inputs have mean 0 and variance 1, and weights have mean 0 and
variance `v`, the unit has variance `fan_in * v`. The gradient that comes back to an input adds up
`fan_out` products and has variance `fan_out * v`. One wants both to be 1, and only one number `v` is
there to choose. Glorot and Bengio take the *mean* of the two factors and make it 1:

```
(fan_in * v + fan_out * v) / 2 = 1
```

Solve that for `v`. What a random generator wants to know is not `v` but its root, the standard deviation.

**By hand.** With 6 inputs and 2 outputs: `8 * v / 2 = 1`, so `v = 1/4` and the standard deviation is `0.5`.

**Contract.** Two ints in, one float out. The formula is for layers whose activation function is, near 0,
like the identity: tanh, for example.
""",
    hints=(
        "Put 6 and 2 into the equation above and do it step by step. Which of your numbers is a variance, "
        "and which a standard deviation?",
        "Both fans are added up; neither alone decides. A variance of 1/4 means numbers that are typically "
        "1/2 away from 0.",
    ),
    remark=(
        "Drawn evenly from -a to a, numbers have variance a * a / 3: so for that, a is sqrt(3) times this."
    ),
)


@exercise.misconception(
    """What comes back is the variance. A random generator is given the standard deviation, which is its
    root."""
)
def _variance(fan_in, fan_out):
    return 2 / (fan_in + fan_out)


@exercise.misconception(
    """`fan_out` plays no part: only the signal that goes forward keeps its variance. Xavier's rule is a
    compromise with the gradient that comes back, and takes both fans."""
)
def _forward_only(fan_in, fan_out):
    return sqrt(1 / fan_in)


@exercise.misconception(
    """`fan_in` plays no part: only the gradient keeps its variance. Xavier's rule is a compromise with the
    signal that goes forward, and takes both fans."""
)
def _backward_only(fan_in, fan_out):
    return sqrt(1 / fan_out)


@exercise.misconception(
    """This is He's rule, for layers with ReLU: `fan_out` plays no part in it. Xavier's takes both fans."""
)
def _he(fan_in, fan_out):
    return sqrt(2 / fan_in)


@exercise.misconception(
    """The result is too small by the root of 2. The *mean* of the two factors is to be 1, so their sum is
    2."""
)
def _sum_for_mean(fan_in, fan_out):
    return sqrt(1 / (fan_in + fan_out))


@exercise.misconception(
    """This is the half width of an interval to draw evenly from, the root of 6 over both fans. The standard
    deviation of such numbers is smaller by the root of 3, and that is what is asked for."""
)
def _bound(fan_in, fan_out):
    return sqrt(6 / (fan_in + fan_out))


@exercise.misconception("""The root is taken of the 2 alone. All of the fraction stands under it.""")
def _root_of_two_only(fan_in, fan_out):
    return sqrt(2) / (fan_in + fan_out)


@exercise.misconception(
    """The root is taken of the fans alone. All of the fraction, its 2 too, stands under it."""
)
def _root_of_the_fans_only(fan_in, fan_out):
    return 2 / sqrt(fan_in + fan_out)


@exercise.misconception(
    """The variances that the two sides ask for, `1 / fan_in` and `1 / fan_out`, are averaged. Glorot and
    Bengio average the factors, `fan_in * v` and `fan_out * v`: solve for `v` after that."""
)
def _mean_of_variances(fan_in, fan_out):
    return sqrt((1 / fan_in + 1 / fan_out) / 2)


@exercise.misconception(
    """The standard deviations that the two sides ask for are averaged. The equation is about variances: the
    mean of the factors is 1, and the root comes last."""
)
def _mean_of_stds(fan_in, fan_out):
    return (sqrt(1 / fan_in) + sqrt(1 / fan_out)) / 2


@exercise.misconception(
    """The fans are multiplied: their geometric mean decides. In the equation they are added up."""
)
def _geometric(fan_in, fan_out):
    return (fan_in * fan_out) ** -0.25


@exercise.misconception(
    """The fraction is upside down: more inputs make this number larger. They must make weights smaller."""
)
def _upside_down(fan_in, fan_out):
    return sqrt((fan_in + fan_out) / 2)


@exercise.misconception(
    """The difference of the fans is taken in place of their sum, or a bracket is missing: only one fan is
    divided by. Both stand in the divisor."""
)
def _bracket_missing(fan_in, fan_out):
    return sqrt(2 / fan_in + fan_out)
