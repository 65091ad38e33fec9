"""Exercise: the standard deviation of He (Kaiming) initialization."""

from collections.abc import Iterator
from math import sqrt

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.layers import init


def he_std(fan_in, negative_slope=0.0):
    """Return the standard deviation of the weights in He's initialization.

    Parameters
    ----------
    fan_in : int
        How many inputs a unit reads.
    negative_slope : float
        Of the activation function before this layer, below zero: 0 is ReLU, more is leaky ReLU.

    Returns
    -------
    float
    """
    kept = (1 + negative_slope**2) / 2
    return float(np.sqrt(1 / (kept * fan_in)))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """ReLU; leaky ReLU with small and large slopes, and with none of its kink left."""
    for why, fan_in in (("200 inputs", 200), ("one input", 1), ("a kernel of 3x3 on 8 channels", 72)):
        yield Case(f"ReLU, {why}", {"fan_in": fan_in}, "ReLU")
    yield Case("ReLU, drawn", {"fan_in": int(rng.integers(20, 4000))}, "ReLU")
    for fan_in, slope in ((50, 0.5), (72, 0.25), (147, 2.0), (600, 1.0)):
        why = "no kink at all: the identity" if slope == 1 else f"slope {slope} below zero"
        yield Case(why, {"fan_in": fan_in, "negative_slope": slope}, "leaky ReLU")
    drawn = {"fan_in": int(rng.integers(20, 400)), "negative_slope": round(float(rng.uniform(0.3, 0.8)), 3)}
    yield Case("leaky ReLU, drawn", drawn, "leaky ReLU")


exercise = Exercise(
    solution=he_std,
    reference=init.he_std,
    cases=cases,
    points=1,
    forbids=(
        "torch.nn.init.kaiming_normal_",
        "torch.nn.init.kaiming_uniform_",
        "torch.nn.init.calculate_gain",
    ),
    prompt="""\
Behind a ReLU half of the numbers are 0. So of the mean *square* of what a layer put out only half is
left, and the next layer has less to add up. Weights that are a little larger make up for it:

```
variance of the next layer = fan_in * v * (mean square of what ReLU lets through)
                           = fan_in * v * 1/2 * (variance of this layer)
```

He and others choose `v` so that the factor in front is 1. Then thirty layers change nothing, and a hundred
neither.

**By hand.** 8 inputs, ReLU: `8 * v / 2 = 1`, so `v = 1/4` and the standard deviation is `0.5`. A *leaky*
ReLU multiplies what is below zero with `a`, so that of its square `a * a` is left: together
`(1 + a * a) / 2`. With `a = 1` nothing is lost: 4 inputs then make `4 * v = 1`, and again `0.5`.

**Contract.** An int and a slope in, one float out. `negative_slope` is not negative.
""",
    hints=(
        "Begin with ReLU. What is the mean square of 3, -3, 1, -1, and what is it after ReLU? Then let what "
        "is below zero through by half.",
        "First the share of the mean square that the activation function keeps; it is 1/2 for ReLU and 1 "
        "for the identity. Then `v`, so that inputs times `v` times that share is 1. Then the root.",
    ),
    remark=(
        "With the root of 1 / fan_in, each ReLU would halve the mean square: thirty layers, a billion times "
        "less."
    ),
)


@exercise.misconception(
    """What comes back is the variance. A random generator is given the standard deviation, which is its
    root."""
)
def _variance(fan_in, negative_slope=0.0):
    return init.he_std(fan_in, negative_slope) ** 2


@exercise.misconception(
    """The root is taken twice. It is the *standard deviation* that is the root of 2 over the inputs; the
    variance is 2 over the inputs. Some notes have it the wrong way."""
)
def _root_taken_twice(fan_in, negative_slope=0.0):
    return sqrt(init.he_std(fan_in, negative_slope))


@exercise.misconception(
    """The 2 is missing: this keeps the variance where nothing is lost. ReLU loses half of the mean
    square."""
)
def _no_relu(fan_in, negative_slope=0.0):
    return sqrt(1 / fan_in)


@exercise.misconception(
    """The 2 is missing: with ReLU the result is too small by the root of 2. Of the mean square, ReLU keeps
    one half."""
)
def _half_forgotten(fan_in, negative_slope=0.0):
    return sqrt(1 / ((1 + negative_slope**2) * fan_in))


@exercise.misconception(
    """The result does not change with `negative_slope`. A leaky ReLU lets more through than ReLU, so
    weights are smaller."""
)
def _slope_ignored(fan_in, negative_slope=0.0):
    return sqrt(2 / fan_in)


@exercise.misconception(
    """The slope is not squared. Numbers shrink by the slope, and their squares by its square."""
)
def _slope_not_squared(fan_in, negative_slope=0.0):
    return sqrt(2 / ((1 + negative_slope) * fan_in))


@exercise.misconception(
    """The slope has the wrong sign in the formula: with it the weights become larger. What gets through
    below zero adds to the mean square, so that weights may be smaller."""
)
def _slope_subtracted(fan_in, negative_slope=0.0):
    return sqrt(2 / (abs(1 - negative_slope**2) * fan_in)) if negative_slope != 1 else float("inf")


@exercise.misconception(
    """The slope's factor is in the numerator: with it the weights become larger. What gets through below
    zero adds to the mean square, so that weights may be smaller."""
)
def _slope_in_the_numerator(fan_in, negative_slope=0.0):
    return sqrt(2 * (1 + negative_slope**2) / fan_in)


@exercise.misconception(
    """This is the half width of an interval to draw evenly from. The standard deviation of such numbers is
    smaller by the root of 3, and that is what is asked for."""
)
def _bound(fan_in, negative_slope=0.0):
    return sqrt(3) * init.he_std(fan_in, negative_slope)


@exercise.misconception("""The root is taken of the 2 alone. All of the fraction stands under it.""")
def _root_of_two_only(fan_in, negative_slope=0.0):
    return sqrt(2) / ((1 + negative_slope**2) * fan_in)


@exercise.misconception(
    """The root is taken of the inputs alone. All of the fraction, its 2 too, stands under it."""
)
def _root_of_the_inputs_only(fan_in, negative_slope=0.0):
    return 2 / sqrt((1 + negative_slope**2) * fan_in)


@exercise.misconception(
    """The slope's factor stands outside of the root. It belongs to the variance: the root comes last."""
)
def _slope_outside_the_root(fan_in, negative_slope=0.0):
    return sqrt(2 / fan_in) / (1 + negative_slope**2)


@exercise.misconception(
    """ReLU is taken to keep twice the mean square instead of half of it: the result is too small by a
    factor of 2."""
)
def _doubled(fan_in, negative_slope=0.0):
    return init.he_std(fan_in, negative_slope) / 2


@exercise.misconception(
    """The fraction is upside down: more inputs make this number larger. They must make weights smaller."""
)
def _upside_down(fan_in, negative_slope=0.0):
    return sqrt((1 + negative_slope**2) * fan_in / 2)
