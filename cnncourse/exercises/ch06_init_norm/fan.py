"""Exercise: how many inputs a unit reads, and how many units read an input."""

from collections.abc import Iterator
from math import prod

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.layers import init


def fan(shape):
    """Return how many inputs a unit reads, and how many units read an input.

    Parameters
    ----------
    shape : tuple of int
        The shape of a weight: (out_features, in_features) of a dense layer, (C_out, C_in, K_h, K_w) of a
        convolution, (C_out, C_in, K) of one along a signal.

    Returns
    -------
    fan_in, fan_out : int
    """
    places = 1
    for size in shape[2:]:
        places *= size
    return shape[1] * places, shape[0] * places


SHAPES = (
    ("a dense layer, 5 inputs and 3 outputs", (3, 5), "dense"),
    ("a dense layer with one output", (1, 20), "dense"),
    ("a dense layer, more outputs than inputs", (120, 84), "dense"),
    ("a kernel of 3x3", (16, 8, 3, 3), "kernels"),
    ("a tall kernel, 5x2", (4, 6, 5, 2), "kernels"),
    ("a kernel of 1x1", (32, 16, 1, 1), "kernels"),
    ("a wide kernel on one channel, 1x7", (10, 1, 1, 7), "kernels"),
    ("along a signal, 9 places", (12, 5, 9), "kernels"),
    ("through a volume, 3x2x5", (4, 3, 3, 2, 5), "kernels"),
)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Dense layers; kernels of one, two and three axes, square and not; one drawn of each."""
    for why, shape, group in SHAPES:
        yield Case(why, {"shape": shape}, group)
    for axes, group in ((2, "dense"), (4, "kernels")):
        drawn = (
            *rng.choice(np.arange(11, 60), 2, replace=False),
            *rng.choice(np.arange(2, 9), 2, replace=False),
        )
        some = tuple(int(size) for size in drawn[:axes])
        yield Case(f"drawn at random ({group})", {"shape": some}, group)


exercise = Exercise(
    solution=fan,
    reference=init.fan,
    cases=cases,
    points=1,
    forbids=("torch.nn.init._calculate_fan_in_and_fan_out", "torch.nn.init._calculate_correct_fan"),
    prompt="""\
How large should a weight be at the start? That depends on how many numbers are added up in a unit. So count
them first: `fan_in` is how many inputs one unit reads. The gradient comes the other way, and there the same
question is: how many units read one input? That is `fan_out`.

**By hand.** A layer with 2 input channels, 4 output channels and kernels of 3 x 3 (stride 1, away from the
border):

```
a unit reads      a window of 3 x 3 in each of 2 channels     fan_in  = 2 * 9 = 18
an input is read  by 4 kernels, from each of 3 x 3 places     fan_out = 4 * 9 = 36
```

**Contract.**
- `shape` is a weight's: outputs first, then inputs, then the size of the kernel along 0, 1, 2 or 3 axes.
  A dense layer, `(out_features, in_features)`, has none.
- Return two ints, `fan_in` and `fan_out`. Biases do not count.
""",
    hints=(
        "Draw one output unit of a convolution with kernels of 1 x 3 and count its inputs. Then mark one "
        "input and count the units whose window it lies in.",
        "Both numbers have the number of places in a kernel as a factor. For a dense layer that factor is "
        "1: the product of no numbers.",
    ),
    remark="With stride s, only about one in s * s of these units reads an input: libraries ignore that.",
)


@exercise.misconception(
    """`fan_in` and `fan_out` have changed places. A weight's first axis counts outputs, its second inputs,
    and a unit reads inputs."""
)
def _swapped(shape):
    return init.fan(shape)[::-1]


@exercise.misconception(
    """The size of the kernel is missing: channels alone are counted. A unit reads a whole window of each
    channel."""
)
def _channels_only(shape):
    return shape[1], shape[0]


@exercise.misconception(
    """The size of the kernel is missing, and inputs and outputs have changed places: a weight's first axis
    counts outputs. A unit reads a whole window of each channel."""
)
def _channels_only_swapped(shape):
    return shape[0], shape[1]


@exercise.misconception(
    """`fan_out` lacks the size of the kernel. An input lies in several windows of each kernel, once at each
    of its places."""
)
def _fan_out_without_places(shape):
    return init.fan(shape)[0], shape[0]


@exercise.misconception(
    """`fan_in` lacks the size of the kernel. A unit adds up a whole window of each input channel."""
)
def _fan_in_without_places(shape):
    return shape[1], init.fan(shape)[1]


@exercise.misconception(
    """One side of the kernel is squared. Kernels need not be square: multiply all their sides."""
)
def _square_by_height(shape):
    places = shape[2] ** (len(shape) - 2) if len(shape) > 2 else 1
    return shape[1] * places, shape[0] * places


@exercise.misconception(
    """One side of the kernel is squared. Kernels need not be square: multiply all their sides."""
)
def _square_by_width(shape):
    places = shape[-1] ** (len(shape) - 2) if len(shape) > 2 else 1
    return shape[1] * places, shape[0] * places


@exercise.misconception("""The sides of the kernel are added up. A kernel of 3 x 5 has 15 places, not 8.""")
def _sides_added(shape):
    places = sum(shape[2:]) if len(shape) > 2 else 1
    return shape[1] * places, shape[0] * places


@exercise.misconception(
    """Only the first side of the kernel counts. A kernel has as many places as all its sides multiplied."""
)
def _height_only(shape):
    places = shape[2] if len(shape) > 2 else 1
    return shape[1] * places, shape[0] * places


@exercise.misconception(
    """Both numbers are the number of all weights. A unit uses only the weights of its own kernel, and an
    input only those that it is multiplied with."""
)
def _all_weights(shape):
    return prod(shape), prod(shape)


@exercise.misconception(
    """`fan_in` is the number of all weights. One unit uses the weights of one kernel: those of the other
    outputs have no part in it."""
)
def _weights_in(shape):
    return prod(shape), init.fan(shape)[1]


@exercise.misconception("""The bias is counted. It is added, but it is no input that a unit reads.""")
def _bias_counted(shape):
    fan_in, fan_out = init.fan(shape)
    return fan_in + 1, fan_out


@exercise.misconception(
    """The kernel's size stands at the end of `shape`, behind outputs and inputs; here its last two axes are
    taken for channels."""
)
def _kernel_first(shape):
    places = prod(shape[:-2])
    return shape[-2] * places, shape[-1] * places
