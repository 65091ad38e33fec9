"""Exercise: a kernel that also moves along the depth of a volume, or the time of a film."""

from collections.abc import Iterator

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.exercises.ch03_conv_family._mistakes import add_mistakes, framed
from cnncourse.layers import conv3d as layers


def conv3d(x, weight, bias, stride=1, padding=0):
    """Slide every kernel through every volume: along its depth, its rows and its columns.

    Parameters
    ----------
    x : array, shape (N, C_in, D, H, W)
        D is the depth of a volume, or the number of frames of a film.
    weight : array, shape (C_out, C_in, K_d, K_h, K_w)
    bias : array, shape (C_out,)
    stride : int
        Places from one window to the next, along all three axes.
    padding : int
        Zeros at both ends of all three axes.

    Returns
    -------
    array, shape (N, C_out, D_out, H_out, W_out)
    """
    N, C_in, D, H, W = x.shape
    C_out, C_in, K_d, K_h, K_w = weight.shape
    p = padding
    padded = np.zeros((N, C_in, D + 2 * p, H + 2 * p, W + 2 * p))  # (N, C_in, D + 2p, H + 2p, W + 2p)
    padded[:, :, p : p + D, p : p + H, p : p + W] = x
    D_out = (D + 2 * p - K_d) // stride + 1
    H_out = (H + 2 * p - K_h) // stride + 1
    W_out = (W + 2 * p - K_w) // stride + 1
    out = np.zeros((N, C_out, D_out, H_out, W_out))  # (N, C_out, D_out, H_out, W_out)
    for d in range(D_out):
        for i in range(H_out):
            for j in range(W_out):
                near, top, left = d * stride, i * stride, j * stride
                block = padded[:, :, near : near + K_d, top : top + K_h, left : left + K_w]
                for c in range(C_out):
                    out[:, c, d, i, j] = np.sum(block * weight[c], axis=(1, 2, 3, 4)) + bias[c]
    return out


def _layer(rng, shape, kernels, **how):
    x, weight = rng.normal(size=shape), rng.normal(size=kernels)
    return {"x": x, "weight": weight, "bias": rng.normal(size=kernels[0]), **how}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """One channel first; depth, height and width differ everywhere."""
    one, many, how = "one kernel", "channels and batch", "stride and padding"
    yield Case("one channel, a 2x2x2 kernel", _layer(rng, (1, 1, 3, 4, 5), (1, 1, 2, 2, 2)), one)
    yield Case("a flat kernel (1x3x2)", _layer(rng, (1, 1, 3, 4, 4), (1, 1, 1, 3, 2)), one)
    yield Case("a kernel along the depth (3x1x2)", _layer(rng, (1, 1, 5, 3, 4), (1, 1, 3, 1, 2)), one)
    yield Case("two channels, three kernels", _layer(rng, (1, 2, 4, 3, 5), (3, 2, 2, 3, 2)), many)
    yield Case("a batch of two", _layer(rng, (2, 3, 3, 4, 3), (2, 3, 2, 3, 1)), many)
    whole = _layer(rng, (2, 2, 3, 3, 4), (2, 2, 2, 1, 2)) | {"x": rng.integers(-9, 0, (2, 2, 3, 3, 4))}
    yield Case("whole numbers", whole, many)
    yield Case("stride 2 that does not divide", _layer(rng, (1, 2, 6, 5, 7), (2, 2, 3, 2, 2), stride=2), how)
    yield Case("padding 1", _layer(rng, (1, 1, 3, 4, 2), (2, 1, 3, 3, 2), stride=1, padding=1), how)
    yield Case("stride 3, padding 2", _layer(rng, (2, 2, 4, 5, 6), (2, 2, 2, 3, 4), stride=3, padding=2), how)


exercise = Exercise(
    solution=conv3d,
    reference=layers.conv3d,
    cases=cases,
    points=2,
    forbids=(
        "torch.nn.functional.conv3d",
        "torch.conv3d",
        "torch.nn.Conv3d",
        "scipy.signal.correlate",
        "scipy.signal.convolve",
        "scipy.signal.fftconvolve",
        "scipy.ndimage.correlate",
        "scipy.ndimage.convolve",
    ),
    axes=("N", "C_out", "D_out", "H_out", "W_out"),
    prompt="""\
A scan of a body is a stack of pictures, and so is a film. What is next to a pixel may lie in the next
picture. A kernel with a depth of its own sees that: it is a small block of weights, and it moves along
three axes.

**By hand.** Three frames of one row with two pixels each, a kernel of depth 2 that subtracts a frame from
the next, bias 0:

```
frames   1 5     kernel   -1     result   1 1     (2 - 1, 6 - 5)
         2 6               1              7 0     (9 - 2, 6 - 6)
         9 6
```

Three frames and a depth of 2: the kernel fits at two places.

**Contract.**
- `x` is `(N, C_in, D, H, W)`, `weight` is `(C_out, C_in, K_d, K_h, K_w)`, `bias` is `(C_out,)`; the
  result is `(N, C_out, D_out, H_out, W_out)`.
- Channels and depth are two things. A kernel covers **all** channels of its window, and `K_d` of the `D`
  places.
- `stride` and `padding` hold for all three axes: zeros stand before the first and behind the last frame
  too.
- No flip. The bias is added once for each unit.
""",
    hints=(
        "Write down the shape of the result for `x` of shape `(2, 3, 5, 7, 9)` and four kernels of shape "
        "`(3, 2, 3, 3)`, with stride 2 and padding 1, before you write code.",
        "Everything that your function for images does along rows and columns, it now does along the depth "
        "as well: padding, counting, starting, cutting out.",
        "One loop more than before. One window has the shape `(C_in, K_d, K_h, K_w)`, the shape of one "
        "kernel. With a batch in front of it, the sum runs over the last four axes.",
    ),
    remark="Three axes, and nothing else is new. The price: K_d times the MACs of the same kernel in two.",
)
add_mistakes(exercise, layers.conv3d)


@exercise.misconception(
    """The frame of zeros is missing along the depth: only rows and columns were padded. `padding` holds
    for all three axes."""
)
def _depth_not_padded(x, weight, bias, stride=1, padding=0):
    return layers.conv3d(x, weight, bias, stride, (0, padding, padding))


@exercise.misconception(
    "Along the depth the windows move by one place whatever `stride` is. It holds for all three axes."
)
def _depth_without_stride(x, weight, bias, stride=1, padding=0):
    return layers.conv3d(x, weight, bias, (1, stride, stride), padding)


@exercise.misconception("""`stride` is in force along the depth only. It holds for all three axes.""")
def _stride_along_the_depth_only(x, weight, bias, stride=1, padding=0):
    return layers.conv3d(x, weight, bias, (stride, 1, 1), padding)


@exercise.misconception(
    """Only the first slice of each kernel is used: one frame at a time, as in two dimensions. A kernel
    covers `K_d` places of the depth, and all of them go into one sum."""
)
def _first_slice_only(x, weight, bias, stride=1, padding=0):
    first = weight.copy()
    first[:, :, 1:] = 0
    return layers.conv3d(x, first, bias, stride, padding)


@exercise.misconception(
    """The kernel does not move along the depth: the result is that of the first window. `D_out` is the
    number of windows that fit along the depth."""
)
def _depth_does_not_move(x, weight, bias, stride=1, padding=0):
    return layers.conv3d(x, weight, bias, stride, padding)[:, :, :1]


@exercise.misconception(
    """The depth stands last: `(N, C_out, H_out, W_out, D_out)`. It belongs between the channels and the
    rows."""
)
def _depth_last(x, weight, bias, stride=1, padding=0):
    return layers.conv3d(x, weight, bias, stride, padding).transpose(0, 1, 3, 4, 2)


@exercise.misconception(
    """Depth and channels of the result are exchanged: `(N, D_out, C_out, H_out, W_out)`. The channels
    come second."""
)
def _depth_before_the_channels(x, weight, bias, stride=1, padding=0):
    return layers.conv3d(x, weight, bias, stride, padding).swapaxes(1, 2)


@exercise.misconception(
    "The kernel is reversed along the depth only. It is applied as it lies, along all three axes."
)
def _flipped_in_depth(x, weight, bias, stride=1, padding=0):
    return layers.conv3d(x, weight[:, :, ::-1], bias, stride, padding)


@exercise.misconception(
    "The kernel's depth is taken for its height as well. `weight.shape` is `(C_out, C_in, K_d, K_h, K_w)`."
)
def _depth_for_height(x, weight, bias, stride=1, padding=0):
    K_d, _, K_w = weight.shape[2:]
    return _loops(x, weight, bias, stride, padding, (K_d, K_d, K_w))


@exercise.misconception(
    """The kernel's height is taken for all three of its sides. `weight.shape` is `(C_out, C_in, K_d, K_h,
    K_w)`."""
)
def _a_cube(x, weight, bias, stride=1, padding=0):
    return _loops(x, weight, bias, stride, padding, (weight.shape[3],) * 3)


def _loops(x, weight, bias, stride, padding, kernel_size):
    """The loops, with a kernel taken to be of another size."""
    x = framed(x, padding)
    size = [(n - k) // stride + 1 for n, k in zip(x.shape[2:], kernel_size, strict=True)]
    out = np.zeros((len(x), len(weight), *size))
    for n, c, *place in np.ndindex(out.shape):
        window = tuple(slice(s * stride, s * stride + k) for s, k in zip(place, kernel_size, strict=True))
        out[(n, c, *place)] = np.sum(x[(n, slice(None), *window)] * weight[c]) + bias[c]
    return out
