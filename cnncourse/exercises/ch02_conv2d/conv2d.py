"""Exercise: the forward pass of a convolutional layer."""

from collections.abc import Iterator

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.layers import conv


def conv2d(x, weight, bias, stride=1, padding=0):
    """Slide every kernel over every image: the forward pass of a convolutional layer.

    Parameters
    ----------
    x : array, shape (N, C_in, H, W)
    weight : array, shape (C_out, C_in, K_h, K_w)
    bias : array, shape (C_out,)
    stride : int
        Pixels from one window to the next.
    padding : int
        Zeros on each of the four sides.

    Returns
    -------
    array, shape (N, C_out, H_out, W_out)
        H_out and W_out are the numbers of windows that fit.
    """
    N, C_in, H, W = x.shape
    C_out, C_in, K_h, K_w = weight.shape
    H_out = (H + 2 * padding - K_h) // stride + 1
    W_out = (W + 2 * padding - K_w) // stride + 1
    padded = np.zeros((N, C_in, H + 2 * padding, W + 2 * padding))  # (N, C_in, H + 2p, W + 2p)
    padded[:, :, padding : padding + H, padding : padding + W] = x
    out = np.zeros((N, C_out, H_out, W_out))  # (N, C_out, H_out, W_out)
    for n in range(N):
        for c in range(C_out):
            for i in range(H_out):
                for j in range(W_out):
                    top, left = i * stride, j * stride
                    window = padded[n, :, top : top + K_h, left : left + K_w]  # (C_in, K_h, K_w)
                    out[n, c, i, j] = np.sum(window * weight[c]) + bias[c]
    return out


def _layer(rng: np.random.Generator, n: int, c_in: int, h: int, w: int, c_out: int, k_h: int, k_w: int):
    x, weight = rng.normal(size=(n, c_in, h, w)), rng.normal(size=(c_out, c_in, k_h, k_w))
    return {"x": x, "weight": weight, "bias": rng.normal(size=c_out)}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """From one window to everything at once; the sizes are ones that the stride does not divide."""
    yield Case("one channel, a 3x3 kernel", _layer(rng, 1, 1, 5, 6, 1, 3, 3), "one kernel")
    yield Case("a wide kernel (2x3)", _layer(rng, 1, 1, 5, 5, 1, 2, 3), "one kernel")
    yield Case("two input channels, three kernels", _layer(rng, 1, 2, 4, 5, 3, 3, 2), "channels and batch")
    yield Case("a batch of two", _layer(rng, 2, 3, 4, 4, 2, 2, 2), "channels and batch")
    yield Case("padding 1", {**_layer(rng, 1, 2, 4, 3, 2, 3, 3), "stride": 1, "padding": 1}, "padding")
    yield Case(
        "padding 2, a tall kernel (3x1)",
        {**_layer(rng, 2, 1, 3, 4, 2, 3, 1), "stride": 1, "padding": 2},
        "padding",
    )
    yield Case("stride 2, windows overlap", {**_layer(rng, 1, 2, 6, 7, 2, 3, 3), "stride": 2}, "stride")
    yield Case(
        "stride 3, padding 1", {**_layer(rng, 2, 2, 8, 6, 2, 3, 2), "stride": 3, "padding": 1}, "stride"
    )
    whole = {
        "x": rng.integers(-9, 0, (1, 1, 3, 4)),
        "weight": rng.normal(size=(1, 1, 2, 2)),
        "bias": np.array([0.5]),
    }
    yield Case("an image of whole numbers", whole, "one kernel")


exercise = Exercise(
    solution=conv2d,
    reference=conv.conv2d,
    cases=cases,
    points=4,
    forbids=(
        "torch.nn.functional.conv2d",
        "torch.conv2d",
        "torch.nn.Conv2d",
        "scipy.signal.correlate",
        "scipy.signal.correlate2d",
        "scipy.signal.convolve",
        "scipy.signal.convolve2d",
        "scipy.signal.fftconvolve",
        "scipy.ndimage.correlate",
        "scipy.ndimage.convolve",
    ),
    axes=("N", "C_out", "H_out", "W_out"),
    prompt="""\
This is the layer that gives convolutional networks their name. Each kernel looks at one window at a time,
multiplies number by number, adds everything up, adds its bias, and writes one number, a *unit* of its
feature map. Then it moves on.

**By hand.** One image, one channel, stride 1, no padding, bias 10:

```
1 2 0       kernel   1  0
0 1 3                0 -1
2 1 1

first window   1 2   ->  1*1 + 2*0 + 0*0 + 1*(-1) + 10 = 10
               0 1
result         10  9
                9 10
```

**Contract.**
- `x` is `(N, C_in, H, W)`, `weight` is `(C_out, C_in, K_h, K_w)`, `bias` is `(C_out,)`; the result is `(N,
  C_out, H_out, W_out)` with `H_out = floor((H + 2 * padding - K_h) / stride) + 1`, and `W_out` likewise.
- One kernel covers **all** input channels of its window: the products of all channels go into one sum.
- The kernel is not flipped. The bias is added once for each unit.
- Images and kernels need not be square.
""",
    hints=(
        "Start with one image, one kernel and one unit. Which rows and columns of the padded image belong"
        " to output row `i` and column `j`? Try `i = 1` with `stride = 2` on paper.",
        "One unit is the sum over a block of shape `(C_in, K_h, K_w)`: cut that block out of the padded "
        "image, multiply it with one kernel of the same shape, add it all up. The number of windows comes"
        " from the padded size.",
        "Four loops are fine: image `n`, kernel `c`, row `i`, column `j`. In the body: where the window "
        "starts, the window, one sum, one bias. No loop over input channels or over the kernel is needed.",
    ),
    remark="With four Python loops it is slow; the last exercise of this lab is about that.",
)


@exercise.misconception(
    """The kernel is flipped before it is applied. That is the convolution of mathematics; a
    convolutional layer multiplies window and kernel as they lie, which mathematics calls
    cross-correlation."""
)
def _kernel_flipped(x, weight, bias, stride=1, padding=0):
    return conv.conv2d(x, weight[:, :, ::-1, ::-1], bias, stride, padding)


@exercise.misconception("The bias is missing: every value of an output channel is off by the same amount.")
def _bias_forgotten(x, weight, bias, stride=1, padding=0):
    return conv.conv2d(x, weight, None, stride, padding)


@exercise.misconception(
    """The bias is added once for every product. It belongs outside the sum: once for each output
    number."""
)
def _bias_added_per_term(x, weight, bias, stride=1, padding=0):
    return conv.conv2d(x, weight, bias * weight[0].size, stride, padding)


@exercise.misconception(
    """The bias is added once for every input channel. It belongs after the sum over the channels:
    once for each unit."""
)
def _bias_added_per_channel(x, weight, bias, stride=1, padding=0):
    return conv.conv2d(x, weight, bias * weight.shape[1], stride, padding)


@exercise.misconception("Every unit gets the first kernel's bias. Output channel `c` has its own: `bias[c]`.")
def _first_bias_for_all(x, weight, bias, stride=1, padding=0):
    return conv.conv2d(x, weight, np.full_like(bias, bias[0]), stride, padding)


@exercise.misconception(
    """Only the first input channel is used. A kernel covers all channels of its window; their
    products go into one sum."""
)
def _first_channel_only(x, weight, bias, stride=1, padding=0):
    return conv.conv2d(x[:, :1], weight[:, :1], bias, stride, padding)


@exercise.misconception(
    """Only the last input channel counts: each channel overwrites what the one before it left.
    Their sums must be added up."""
)
def _last_channel_only(x, weight, bias, stride=1, padding=0):
    return conv.conv2d(x[:, -1:], weight[:, -1:], bias, stride, padding)


@exercise.misconception(
    """The products are averaged. A convolution adds them up and does not divide by their number."""
)
def _mean_for_sum(x, weight, bias, stride=1, padding=0):
    return conv.conv2d(x, weight / weight[0].size, bias, stride, padding)


@exercise.misconception(
    """The kernel's height is used for its width as well: `weight.shape[2]` is K_h,
    `weight.shape[3]` is K_w."""
)
def _height_for_width(x, weight, bias, stride=1, padding=0):
    k_h = weight.shape[2]
    return _loops(x, weight, bias, stride, padding, k_h, k_h)


@exercise.misconception(
    """The kernel's width is used for its height as well: `weight.shape[2]` is K_h,
    `weight.shape[3]` is K_w."""
)
def _width_for_height(x, weight, bias, stride=1, padding=0):
    k_w = weight.shape[3]
    return _loops(x, weight, bias, stride, padding, k_w, k_w)


@exercise.misconception(
    """The result changes places: its rows are where its columns should be. `H_out` comes from `H`
    and `K_h`, `W_out` from `W` and `K_w`."""
)
def _rows_and_columns_swapped(x, weight, bias, stride=1, padding=0):
    return conv.conv2d(x, weight, bias, stride, padding).transpose(0, 1, 3, 2)


@exercise.misconception(
    """The result does not change when `stride` changes: the windows move by one pixel each time.
    Output row `i` looks at the window that starts at row `i * stride`."""
)
def _stride_ignored(x, weight, bias, stride=1, padding=0):
    return conv.conv2d(x, weight, bias, 1, padding)


@exercise.misconception(
    """The size of the result takes `stride` into account, the windows do not: output row `i` looks
    at row `i`. Its window starts at row `i * stride`."""
)
def _stride_only_in_the_size(x, weight, bias, stride=1, padding=0):
    out = conv.conv2d(x, weight, bias, stride, padding)
    return conv.conv2d(x, weight, bias, 1, padding)[:, :, : out.shape[2], : out.shape[3]]


@exercise.misconception(
    """The windows move by the size of the kernel, so that they never overlap. They move by `stride`
    pixels."""
)
def _kernel_size_for_stride(x, weight, bias, stride=1, padding=0):
    return conv.conv2d(x, weight, bias, weight.shape[2:], padding)


@exercise.misconception(
    """The result does not change when `padding` changes. The windows slide over the image with its
    frame of zeros."""
)
def _padding_ignored(x, weight, bias, stride=1, padding=0):
    return conv.conv2d(x, weight, bias, stride, 0)


@exercise.misconception(
    """Zeros stand only above and left of the image. `padding` puts them on all four sides."""
)
def _padded_before_only(x, weight, bias, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, 0), (padding, 0)))
    return conv.conv2d(x, weight, bias, stride, 0)


@exercise.misconception(
    """The loops stop at the size of the image without its frame: with padding p there are H + 2p
    rows to slide over, so the last rows and columns of the result stay 0."""
)
def _loops_end_at_the_unpadded_size(x, weight, bias, stride=1, padding=0):
    out = np.zeros_like(conv.conv2d(x, weight, bias, stride, padding))
    h_out, w_out = ((x.shape[a] - weight.shape[a]) // stride + 1 for a in (2, 3))
    out[:, :, : max(h_out, 0), : max(w_out, 0)] = conv.conv2d(x, weight, bias, stride, padding)[
        :, :, : max(h_out, 0), : max(w_out, 0)
    ]
    return out


@exercise.misconception(
    """The result has one row and one column too few: between the first and the last start of a
    window there are `(H + 2p - K_h) // stride` steps, and so one window more than steps."""
)
def _plus_one_forgotten(x, weight, bias, stride=1, padding=0):
    return conv.conv2d(x, weight, bias, stride, padding)[:, :, :-1, :-1]


@exercise.misconception(
    """Only the first image of the batch is worked on. The first axis of `x` counts images, and each
    gets its own result."""
)
def _first_image_only(x, weight, bias, stride=1, padding=0):
    return np.repeat(conv.conv2d(x[:1], weight, bias, stride, padding), len(x), axis=0)


@exercise.misconception(
    """Each kernel is transposed: its rows are used as columns. On kernels that are not square the
    shapes do not even fit."""
)
def _kernel_transposed(x, weight, bias, stride=1, padding=0):
    return _loops(x, weight.transpose(0, 1, 3, 2), bias, stride, padding, *weight.shape[2:])


@exercise.misconception(
    """Only the first image of the batch is worked on; the results of the others stay 0. Look where
    the loop over the images ends, and how far the `return` is indented."""
)
def _other_images_stay_zero(x, weight, bias, stride=1, padding=0):
    out = conv.conv2d(x, weight, bias, stride, padding)
    out[1:] = 0
    return out


@exercise.misconception(
    """The last row and the last column of the result stay 0: the loops end one step too early.
    `range(n)` already stops before `n`."""
)
def _loops_end_one_early(x, weight, bias, stride=1, padding=0):
    out = conv.conv2d(x, weight, bias, stride, padding)
    out[:, :, -1] = 0
    out[:, :, :, -1] = 0
    return out


@exercise.misconception(
    """The frame is there, but the result has the size that it has without the frame: with padding p
    the windows slide over H + 2p rows."""
)
def _size_without_the_frame(x, weight, bias, stride=1, padding=0):
    h_out, w_out = ((x.shape[a] - weight.shape[a]) // stride + 1 for a in (2, 3))
    return conv.conv2d(x, weight, bias, stride, padding)[:, :, :h_out, :w_out]


@exercise.misconception(
    """The sizes are rounded up where the stride does not divide. A window that does not fit whole
    is left out: `//` rounds down."""
)
def _rounded_up(x, weight, bias, stride=1, padding=0):
    x = np.pad(conv.pad2d(x, padding), ((0, 0), (0, 0), (0, stride - 1), (0, stride - 1)))
    return conv.conv2d(x, weight, bias, stride, 0)


@exercise.misconception(
    """The 1 is added before the division by the stride. `(H + 2p - K_h) // stride` counts the
    steps; there is one window more than steps, whatever the stride."""
)
def _one_added_before_dividing(x, weight, bias, stride=1, padding=0):
    h_out, w_out = ((x.shape[a] + 2 * padding - weight.shape[a] + 1) // stride for a in (2, 3))
    return conv.conv2d(x, weight, bias, stride, padding)[:, :, :h_out, :w_out]


@exercise.misconception(
    """With padding 0 the slice `[p:-p]` is `[0:0]`, which has room for nothing: the image does not
    fit in. Count the end from the start."""
)
def _empty_slice(x, weight, bias, stride=1, padding=0):
    N, C_in, H, W = x.shape
    padded = np.zeros((N, C_in, H + 2 * padding, W + 2 * padding))
    padded[:, :, padding:-padding, padding:-padding] = x
    return conv.conv2d(padded, weight, bias, stride, 0)


@exercise.misconception(
    """A window starts at `i * stride` but ends at `i + K_h`, so with a stride it is too small or
    empty. It ends `K_h` rows after its own start."""
)
def _window_end_without_stride(x, weight, bias, stride=1, padding=0):
    x, (k_h, k_w) = conv.pad2d(x, padding), weight.shape[2:]
    out = conv.conv2d(x, weight, bias, stride, 0)
    for i, j in np.ndindex(out.shape[2:]):
        window = x[:, None, :, i * stride : i + k_h, j * stride : j + k_w]
        out[:, :, i, j] = np.sum(window * weight, axis=(2, 3, 4)) + bias
    return out


@exercise.misconception(
    """The stride moves the windows down but not to the right: column `j` of the result looks at
    column `j`. Its window starts at column `j * stride`."""
)
def _stride_for_rows_only(x, weight, bias, stride=1, padding=0):
    w_out = conv.conv2d(x, weight, bias, stride, padding).shape[3]
    return conv.conv2d(x, weight, bias, (stride, 1), padding)[:, :, :, :w_out]


def _loops(x, weight, bias, stride, padding, k_h, k_w):
    """The loops of the solution, with a kernel size of the caller's choice."""
    N, _, H, W = x.shape
    h_out, w_out = (H + 2 * padding - k_h) // stride + 1, (W + 2 * padding - k_w) // stride + 1
    padded = conv.pad2d(x, padding)
    out = np.zeros((N, weight.shape[0], h_out, w_out))
    for i, j in np.ndindex(h_out, w_out):
        window = padded[:, None, :, i * stride : i * stride + k_h, j * stride : j * stride + k_w]
        out[:, :, i, j] = np.sum(window * weight, axis=(2, 3, 4)) + bias
    return out
