"""Exercise: the layer that makes maps larger."""

from collections.abc import Iterator

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.layers import conv, conv_transpose


def conv_transpose2d(x, weight, bias, stride=1, padding=0):
    """Let every number paint its kernel into a larger map, and add up what overlaps.

    Parameters
    ----------
    x : array, shape (N, C_in, H, W)
    weight : array, shape (C_in, C_out, K_h, K_w)
        Input channels first.
    bias : array, shape (C_out,)
    stride : int
        Pixels of the output from one painted kernel to the next.
    padding : int
        Rows and columns to take away on each of the four sides at the end.

    Returns
    -------
    array, shape (N, C_out, (H - 1) * stride + K_h - 2 * padding, (W - 1) * stride + K_w - 2 * padding)
    """
    N, _, H, W = x.shape
    _, C_out, K_h, K_w = weight.shape
    H_all, W_all = (H - 1) * stride + K_h, (W - 1) * stride + K_w
    canvas = np.zeros((N, C_out, H_all, W_all))  # (N, C_out, H_all, W_all)
    for i in range(H):
        for j in range(W):
            top, left = i * stride, j * stride
            painted = np.einsum("nc,cokl->nokl", x[:, :, i, j], weight)  # (N, C_out, K_h, K_w)
            canvas[:, :, top : top + K_h, left : left + K_w] += painted
    out = canvas[:, :, padding : H_all - padding, padding : W_all - padding]  # (N, C_out, H_out, W_out)
    return out + bias[:, None, None]


def _layer(rng, shape, kernels, **how):
    x, weight = rng.normal(size=shape), rng.normal(size=kernels)
    return {"x": x, "weight": weight, "bias": rng.normal(size=kernels[1]), **how}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """One kernel without overlap first, then overlaps, channels, strides and padding."""
    paint, more, cut = "stride and overlap", "channels and batch", "padding"
    alone = _layer(rng, (1, 1, 2, 3), (1, 1, 2, 2), stride=2)
    yield Case("stride 2, a 2x2 kernel: no overlap", alone, paint)
    yield Case("stride 1, a 3x3 kernel", _layer(rng, (1, 1, 3, 4), (1, 1, 3, 3)), paint)
    yield Case("stride 2, a tall kernel (4x3)", _layer(rng, (1, 1, 3, 2), (1, 1, 4, 3), stride=2), paint)
    yield Case("stride 3, a wide kernel (2x4)", _layer(rng, (1, 1, 2, 3), (1, 1, 2, 4), stride=3), paint)
    yield Case("three channels in, two out", _layer(rng, (1, 3, 3, 2), (3, 2, 2, 3), stride=2), more)
    yield Case("two channels in, two out, a batch of two", _layer(rng, (2, 2, 2, 3), (2, 2, 3, 2)), more)
    yield Case(
        "one channel in, three out, three images", _layer(rng, (3, 1, 2, 2), (1, 3, 3, 3), stride=2), more
    )
    whole = _layer(rng, (2, 2, 3, 3), (2, 1, 2, 2)) | {"x": rng.integers(-9, 0, (2, 2, 3, 3))}
    yield Case("whole numbers", whole, more)
    yield Case("padding 1, stride 2", _layer(rng, (1, 2, 3, 4), (2, 2, 4, 4), stride=2, padding=1), cut)
    yield Case("padding 2, stride 1", _layer(rng, (1, 1, 4, 5), (1, 2, 3, 5), stride=1, padding=2), cut)
    yield Case("padding 1, stride 3", _layer(rng, (2, 2, 2, 3), (2, 2, 5, 4), stride=3, padding=1), cut)


exercise = Exercise(
    solution=conv_transpose2d,
    reference=conv_transpose.conv_transpose2d,
    cases=cases,
    points=3,
    forbids=(
        "torch.nn.functional.conv_transpose2d",
        "torch.conv_transpose2d",
        "torch.nn.ConvTranspose2d",
        "torch.nn.functional.fold",
        "torch.nn.Fold",
        "scipy.signal.convolve",
        "scipy.signal.convolve2d",
        "scipy.signal.fftconvolve",
        "scipy.ndimage.convolve",
    ),
    axes=("N", "C_out", "H_out", "W_out"),
    prompt="""\
A convolution gathers: many numbers become one unit. This layer scatters: each number paints a whole
kernel, its own multiple of it, into a larger map. Where painted kernels overlap, they add up. That is how
networks draw, and how they get from small maps back to the size of the image.

**By hand.** A row of two numbers, 1 and 10, the kernel 1 2 3, stride 2, bias 0:

```
1  2  3           1 paints at place 0
      10 20 30    10 paints at place 2
1  2  13 20 30    added up
```

With `padding=1` the first and the last column go: 2 13 20.

**Contract.**
- `x` is `(N, C_in, H, W)`, `weight` is `(C_in, C_out, K_h, K_w)`: the channels that come in are on the
  **first** axis.
- The number at row i, column j of channel c paints `weight[c]`, once for each output channel, with its
  upper left corner at row `i * stride`, column `j * stride`. What all channels paint goes into one sum.
- `padding` takes that many rows and columns away on each side. `padding=0` takes nothing away.
- The kernel is painted as it is, not flipped. The bias is added once for each unit of the result.
""",
    hints=(
        "Take the example above and ask for each number of the result: who painted here? Then the size: "
        "where does the last kernel start, and where does it end?",
        "Make the canvas at its full size first, paint, and cut only at the end. Painting adds to what is "
        "there. An end counted from the back means something else when `padding` is 0.",
        "Two loops over the input's rows and columns are enough. In the body: one block of the canvas, and "
        "what is added to it, of shape `(N, C_out, K_h, K_w)`. The sum over input channels happens there.",
    ),
    remark="The same numbers as the gradient of a convolution's input: chapter 5 meets this function again.",
)


def _paint(x, weight, bias, stride=1, step=None, size=None, add=True, bias_each=False):
    """Paint on a canvas, with one thing out of place; no padding."""
    step, (K_h, K_w) = step or stride, weight.shape[2:]
    H_all, W_all = size or ((n - 1) * step + k for n, k in zip(x.shape[2:], (K_h, K_w), strict=True))
    canvas = np.zeros((len(x), weight.shape[1], H_all, W_all))
    for i, j in np.ndindex(x.shape[2:]):
        block = canvas[:, :, i * step : i * step + K_h, j * step : j * step + K_w]
        painted = np.einsum("nc,cokl->nokl", x[:, :, i, j], weight)
        painted = painted + bias[:, None, None] if bias_each else painted
        block[...] = block + painted if add else painted
    return canvas if bias_each else canvas + bias[:, None, None]


def _cut(canvas, padding):
    H, W = canvas.shape[2:]
    return canvas[:, :, padding : H - padding, padding : W - padding]


@exercise.misconception("""Where painted kernels overlap, the later one replaces the earlier. They add up.""")
def _overlap_replaced(x, weight, bias, stride=1, padding=0):
    return _cut(_paint(x, weight, bias, stride, add=False), padding)


@exercise.misconception(
    """What is painted replaces what was there: where kernels overlap, and where two input channels paint on
    the same map. Everything adds up."""
)
def _all_replaced(x, weight, bias, stride=1, padding=0):
    last = _paint(x[:, -1:], weight[-1:], bias, stride, add=False)
    return _cut(last, padding)


@exercise.misconception(
    """The kernel is painted flipped. This happens when zeros are put between the numbers and the kernel
    then slides over them as in a convolution: there it would have to be turned first."""
)
def _kernel_flipped(x, weight, bias, stride=1, padding=0):
    return conv_transpose.conv_transpose2d(x, weight[:, :, ::-1, ::-1], bias, stride, padding)


@exercise.misconception(
    """The result does not change when `stride` changes: kernels are painted one pixel apart. The number
    at row i paints from row `i * stride` on."""
)
def _stride_ignored(x, weight, bias, stride=1, padding=0):
    return _cut(_paint(x, weight, bias, 1), padding)


@exercise.misconception(
    """The canvas has the right size, but the kernels are painted one pixel apart: the number at row i
    paints from row `i * stride` on."""
)
def _stride_only_in_the_size(x, weight, bias, stride=1, padding=0):
    size = [(n - 1) * stride + k for n, k in zip(x.shape[2:], weight.shape[2:], strict=True)]
    return _cut(_paint(x, weight, bias, step=1, size=size), padding)


@exercise.misconception(
    """The kernels lie `stride + 1` pixels apart: `stride` zeros were put between the numbers. With stride
    2 there is one pixel between two starts."""
)
def _one_zero_too_many(x, weight, bias, stride=1, padding=0):
    return _cut(_paint(x, weight, bias, stride + 1), padding)


@exercise.misconception(
    """The kernels lie side by side, each where the one before it ends. They start `stride` pixels apart
    and may overlap."""
)
def _kernel_size_for_stride(x, weight, bias, stride=1, padding=0):
    (H, W), (K_h, K_w) = x.shape[2:], weight.shape[2:]
    painted = np.einsum("nchw,cokl->nohkwl", x, weight)  # (N, C_out, H, K_h, W, K_w)
    canvas = painted.reshape(len(x), weight.shape[1], H * K_h, W * K_w)
    return _cut(canvas + bias[:, None, None], padding)


@exercise.misconception(
    """`padding` makes the result larger. Here it takes rows and columns away: it is the padding of the
    convolution that goes the other way."""
)
def _padding_added(x, weight, bias, stride=1, padding=0):
    canvas = _paint(x, weight, 0 * bias, stride)
    return conv.pad2d(canvas, padding) + bias[:, None, None]


@exercise.misconception(
    """The result does not change when `padding` changes. It takes that many rows and columns away on each
    side."""
)
def _padding_ignored(x, weight, bias, stride=1, padding=0):
    return _paint(x, weight, bias, stride)


@exercise.misconception(
    """With padding 0 the slice `[p:-p]` is `[0:0]`, which holds nothing. Count the end from the start of
    the axis."""
)
def _empty_slice(x, weight, bias, stride=1, padding=0):
    return _paint(x, weight, bias, stride)[:, :, padding:-padding, padding:-padding]


@exercise.misconception(
    """Rows and columns are taken away at the upper and left side only. `padding` is for each of the four
    sides."""
)
def _cut_before_only(x, weight, bias, stride=1, padding=0):
    return _paint(x, weight, bias, stride)[:, :, padding:, padding:]


@exercise.misconception(
    """Rows and columns are taken away at the lower and right side only. `padding` is for each of the four
    sides."""
)
def _cut_behind_only(x, weight, bias, stride=1, padding=0):
    canvas = _paint(x, weight, bias, stride)
    return canvas[:, :, : canvas.shape[2] - padding, : canvas.shape[3] - padding]


@exercise.misconception(
    """All rows and columns that `padding` takes away are taken below and on the right. Half of them
    belong to the upper and left side."""
)
def _all_cut_behind(x, weight, bias, stride=1, padding=0):
    canvas = _paint(x, weight, bias, stride)
    return canvas[:, :, : canvas.shape[2] - 2 * padding, : canvas.shape[3] - 2 * padding]


@exercise.misconception(
    """`padding` puts zeros around the input, which then paint nothing. It takes rows and columns away
    from the result."""
)
def _input_padded(x, weight, bias, stride=1, padding=0):
    return _paint(conv.pad2d(x, padding), weight, bias, stride)


@exercise.misconception(
    """The first two axes of `weight` are read the wrong way round. Here it is `(C_in, C_out, K_h, K_w)`:
    the channels that come in stand first."""
)
def _weight_axes_swapped(x, weight, bias, stride=1, padding=0):
    C_out, C_in, K_h, K_w = weight.shape
    N, _, H, W = x.shape
    canvas = np.zeros((N, C_out, (H - 1) * stride + K_h, (W - 1) * stride + K_w))
    for n, o, c, i, j in np.ndindex(N, C_out, C_in, H, W):
        top, left = i * stride, j * stride
        canvas[n, o, top : top + K_h, left : left + K_w] += x[n, c, i, j] * weight[o, c]
    return _cut(canvas, padding) + bias[:, None, None]


@exercise.misconception(
    """The bias is painted with every kernel, so that it counts several times where kernels overlap. It is
    added once to each unit, at the end."""
)
def _bias_painted(x, weight, bias, stride=1, padding=0):
    return _cut(_paint(x, weight, bias, stride, bias_each=True), padding)


@exercise.misconception("The bias is missing: every unit of an output channel is off by the same amount.")
def _bias_forgotten(x, weight, bias, stride=1, padding=0):
    return conv_transpose.conv_transpose2d(x, weight, None, stride, padding)


@exercise.misconception(
    """Only the first input channel paints. Every channel paints kernels of its own, and all of it goes
    into one sum."""
)
def _first_channel_only(x, weight, bias, stride=1, padding=0):
    return conv_transpose.conv_transpose2d(x[:, :1], weight[:1], bias, stride, padding)


@exercise.misconception(
    """Only the last input channel is seen: what each channel paints replaces what the one before it left.
    All of it goes into one sum."""
)
def _last_channel_only(x, weight, bias, stride=1, padding=0):
    return conv_transpose.conv_transpose2d(x[:, -1:], weight[-1:], bias, stride, padding)


@exercise.misconception(
    "Where kernels overlap, the mean is taken. They add up, and nothing is divided by their number."
)
def _overlap_averaged(x, weight, bias, stride=1, padding=0):
    ones = np.ones((1, 1, *weight.shape[2:]))
    count = _paint(np.ones((1, 1, *x.shape[2:])), ones, np.zeros(1), stride)
    mean = _paint(x, weight, 0 * bias, stride) / np.maximum(count, 1)
    return _cut(mean, padding) + bias[:, None, None]


@exercise.misconception(
    """This is a convolution: the result is smaller than the input. Here every number paints a kernel, and
    the result grows."""
)
def _ordinary_convolution(x, weight, bias, stride=1, padding=0):
    return conv.conv2d(x, weight.transpose(1, 0, 2, 3), bias, stride, padding)


@exercise.misconception(
    """The result has changed places: its rows are where its columns should be. `H_out` comes from `H` and
    `K_h`."""
)
def _rows_and_columns_swapped(x, weight, bias, stride=1, padding=0):
    return conv_transpose.conv_transpose2d(x, weight, bias, stride, padding).transpose(0, 1, 3, 2)


@exercise.misconception(
    """Only the first image of the batch is worked on, and all get its result. The first axis of `x`
    counts images."""
)
def _first_image_for_all(x, weight, bias, stride=1, padding=0):
    out = conv_transpose.conv_transpose2d(x[:1], weight, bias, stride, padding)
    return np.repeat(out, len(x), axis=0)


@exercise.misconception(
    """Only the first image of the batch is worked on; the results of the others stay 0. Look where the
    loop over the images ends, and how far the `return` is indented."""
)
def _other_images_stay_zero(x, weight, bias, stride=1, padding=0):
    out = conv_transpose.conv_transpose2d(x, weight, bias, stride, padding)
    out[1:] = 0
    return out
