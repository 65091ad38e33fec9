"""Exercise: the gradients of a convolutional layer's input, kernels and bias."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.layers import conv


def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    """Return the gradients of the loss with respect to a convolution's input, kernels and bias.

    Parameters
    ----------
    grad_out : array, shape (N, C_out, H_out, W_out)
        The gradient of the loss with respect to what the layer put out.
    x : array, shape (N, C_in, H, W)
        What went into the layer.
    weight : array, shape (C_out, C_in, K_h, K_w)
    stride, padding : int

    Returns
    -------
    grad_x : array, shape (N, C_in, H, W)
    grad_weight : array, shape (C_out, C_in, K_h, K_w)
    grad_bias : array, shape (C_out,)
    """
    N, C_in, H, W = x.shape
    K_h, K_w = weight.shape[2:]
    padded = np.zeros((N, C_in, H + 2 * padding, W + 2 * padding))  # (N, C_in, H + 2p, W + 2p)
    padded[:, :, padding : padding + H, padding : padding + W] = x
    grad_padded = np.zeros(padded.shape)  # (N, C_in, H + 2p, W + 2p)
    grad_weight = np.zeros(weight.shape)  # (C_out, C_in, K_h, K_w)
    for i in range(grad_out.shape[2]):
        for j in range(grad_out.shape[3]):
            rows = slice(i * stride, i * stride + K_h)
            columns = slice(j * stride, j * stride + K_w)
            grad = grad_out[:, :, i, j]  # (N, C_out)
            window = padded[:, :, rows, columns]  # (N, C_in, K_h, K_w)
            grad_weight += np.tensordot(grad, window, axes=(0, 0))  # (C_out, C_in, K_h, K_w)
            grad_padded[:, :, rows, columns] += np.tensordot(grad, weight, axes=1)  # (N, C_in, K_h, K_w)
    grad_x = grad_padded[:, :, padding : padding + H, padding : padding + W]  # (N, C_in, H, W)
    return grad_x, grad_weight, grad_out.sum(axis=(0, 2, 3))


def _layer(rng: np.random.Generator, n: int, c_in: int, size, c_out: int, kernel, stride=1, padding=0):
    x, weight = rng.normal(size=(n, c_in, *size)), rng.normal(size=(c_out, c_in, *kernel))
    shape = conv.conv2d(x, weight, None, stride, padding).shape
    arguments = {"grad_out": rng.normal(size=shape), "x": x, "weight": weight}
    return arguments | ({"stride": stride, "padding": padding} if (stride, padding) != (1, 0) else {})


def _situations(rng: np.random.Generator) -> Iterator[tuple[str, str, dict[str, Any]]]:
    whole = _layer(rng, 1, 1, (4, 5), 2, (2, 2))
    whole["x"] = rng.integers(-9, 9, (1, 1, 4, 5))
    yield "one channel, a 2x2 kernel", "", _layer(rng, 1, 1, (4, 5), 1, (2, 2))
    yield "one image, a wide kernel (2x3)", "", _layer(rng, 1, 1, (5, 6), 1, (2, 3))
    yield "two input channels, three kernels", "", _layer(rng, 1, 2, (4, 5), 3, (3, 2))
    yield "a batch of two", "", _layer(rng, 2, 3, (5, 4), 2, (2, 2))
    yield "an image of whole numbers", "", whole
    moved = ", stride and padding"
    yield "padding 1", moved, _layer(rng, 1, 2, (4, 3), 2, (3, 3), 1, 1)
    yield "padding 2, a batch", moved, _layer(rng, 2, 1, (4, 5), 2, (3, 3), 1, 2)
    yield "stride 2, windows overlap, a row is left over", moved, _layer(rng, 1, 2, (8, 7), 2, (3, 3), 2)
    yield "stride 3, no overlap", moved, _layer(rng, 2, 1, (8, 9), 2, (2, 3), 3)
    yield "stride 2, padding 1, a tall kernel (3x2)", moved, _layer(rng, 2, 2, (6, 7), 3, (3, 2), 2, 1)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """From one window to everything at once; each of the three gradients is graded for itself."""
    for why, more, arguments in _situations(rng):
        yield Case(f"{why}: grad_x", arguments, f"input{more}", part=0)
        yield Case(f"{why}: grad_weight", arguments, f"kernels{more}", part=1)
        yield Case(f"{why}: grad_bias", arguments, "bias", part=2)


exercise = Exercise(
    solution=conv2d_backward,
    reference=conv.conv2d_backward,
    cases=cases,
    points=5,
    forbids=(
        "torch.autograd.grad",
        "torch.nn.grad.conv2d_input",
        "torch.nn.grad.conv2d_weight",
        "torch.nn.functional.conv_transpose2d",
        "torch.nn.functional.conv2d",
        "scipy.signal.convolve2d",
        "scipy.signal.correlate2d",
        "cnncourse.gradcheck.*",
    ),
    prompt="""\
The loss comes back as one number for each unit: `grad_out[n, c, i, j]` says by how much the loss grows if
that unit grows by one. Each unit was a sum of products, a pixel times a weight, plus a bias. So each unit
sends a message to everything that it was made of.

**By hand.** One image, one channel, a kernel of 1 x 2, stride 1:

```
x = 1 2 3        weight = 10 1       output = 10*1 + 1*2, 10*2 + 1*3 = 12 23
grad_out = 1 100

unit 0 says 1:    to its window (pixels 0, 1)   1 * (10 1)      to the kernel   1 * (1 2)
unit 1 says 100:  to its window (pixels 1, 2) 100 * (10 1)      to the kernel 100 * (2 3)

grad_x = 10  1+1000  100  =  10 1001 100      grad_weight = 1+200  2+300  =  201 302      grad_bias = 101
```

Pixel 1 lies in both windows and hears both units: **what arrives at one place adds up.**

**Contract.**
- Returned are three arrays, in this order: `grad_x`, `grad_weight`, `grad_bias`, shaped like `x`, `weight`
  and the bias `(C_out,)`.
- The layer is the `conv2d` of lab 2: the unit in row `i`, column `j` reads the window of the padded image
  that starts at row `i * stride`, column `j * stride`.
- Nothing is averaged: the mean over a batch belongs to the loss and is in `grad_out` already.
- Each of the three is graded for itself. Begin with the easiest, which is the bias.
""",
    hints=(
        "How often, and with which factor, does the bias of kernel `c` occur in all that the layer puts out? "
        "Then the same question for one weight, and for one pixel.",
        "Walk over the units as the forward pass does. At each unit: the kernel's gradient gets the window, "
        "the window's gradient gets the kernel, each times what the unit says. Both are `+=`. Work on the "
        "padded image, and take the frame off at the end.",
        "Two loops, over rows and columns of `grad_out`; all images and kernels of a place at once, by "
        "`np.tensordot` or `np.einsum`. (Four loops are right too, and slower.) A frame is taken off by "
        "counting from the start: `[p:-p]` is empty when `p` is 0.",
    ),
    remark="It costs two matrix products where the forward pass costs one: training triples the work.",
)


def _walk(grad_out, x, weight, stride, padding, step_x=None, step_w=None, add_x=True, add_w=True):
    """Walk over the units; the steps of the windows and how messages arrive can be disturbed."""
    K_h, K_w = weight.shape[2:]
    step_x, step_w = step_x or stride, step_w or stride
    padded = conv.pad2d(1.0 * x, padding)
    grad_padded, grad_weight = np.zeros(padded.shape), np.zeros(weight.shape)
    for n, c, i, j in np.ndindex(grad_out.shape):
        grad = grad_out[n, c, i, j]
        there = n, slice(None), slice(i * step_x, i * step_x + K_h), slice(j * step_x, j * step_x + K_w)
        window = padded[n, :, i * step_w : i * step_w + K_h, j * step_w : j * step_w + K_w]
        grad_padded[there] = add_x * grad_padded[there] + grad * weight[c]
        grad_weight[c] = add_w * grad_weight[c] + grad * window
    return grad_padded, grad_weight, grad_out.sum(axis=(0, 2, 3))


def _cut(grad_padded, x, padding):
    return grad_padded[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]]


@exercise.misconception(
    """With padding 0 the slice `[p:-p]` is `[0:0]`, and nothing of `grad_x` is left. Count the end from
    the start: the image ends at row `padding + H`."""
)
def _empty_slice(grad_out, x, weight, stride=1, padding=0):
    grad_padded, *others = _walk(grad_out, x, weight, stride, padding)
    return grad_padded[:, :, padding:-padding, padding:-padding], *others


@exercise.misconception(
    """With padding 0 the slice `[p:-p]` is `[0:0]`: nothing of the padded gradient is left to be put into
    `grad_x`. Count the end from the start: the image ends at row `padding + H`."""
)
def _empty_slice_assigned(grad_out, x, weight, stride=1, padding=0):
    grad_padded, *others = _walk(grad_out, x, weight, stride, padding)
    grad_x = np.zeros(x.shape)
    for n in range(len(x)):
        grad_x[n] = grad_padded[n, :, padding:-padding, padding:-padding]
    return grad_x, *others


@exercise.misconception(
    """With padding 0 the slice `[p:-p]` is `[0:0]`: nothing of the padded gradient is left to be put into
    `grad_x`. Count the end from the start: the image ends at row `padding + H`."""
)
def _empty_slice_assigned_at_once(grad_out, x, weight, stride=1, padding=0):
    grad_padded, *others = _walk(grad_out, x, weight, stride, padding)
    grad_x = np.zeros(x.shape)
    grad_x[:, :, :, :] = grad_padded[:, :, padding:-padding, padding:-padding]
    return grad_x, *others


@exercise.misconception(
    """`grad_x` still has its frame: the gradients of the zeros around the image are part of it. Nobody
    wants them; take them off."""
)
def _frame_left_on(grad_out, x, weight, stride=1, padding=0):
    return _walk(grad_out, x, weight, stride, padding)


@exercise.misconception(
    """The frame is cut off below and to the right only, so `grad_x` is shifted. Pixel `[i, j]` of the
    image lies at `[i + padding, j + padding]` of the padded gradient."""
)
def _cut_from_the_corner(grad_out, x, weight, stride=1, padding=0):
    grad_padded, *others = _walk(grad_out, x, weight, stride, padding)
    return grad_padded[:, :, : x.shape[2], : x.shape[3]], *others


@exercise.misconception(
    """Where windows overlap, the last unit overwrites what the others sent to `grad_x`. What arrives at
    one pixel adds up: `+=`, not `=`."""
)
def _overlap_overwritten(grad_out, x, weight, stride=1, padding=0):
    grad_padded, *others = _walk(grad_out, x, weight, stride, padding, add_x=False)
    return _cut(grad_padded, x, padding), *others


@exercise.misconception(
    """Only the last window counts in `grad_weight`: each one overwrites the one before. A weight is used
    at every place of every image, and all of them add up."""
)
def _last_window_only(grad_out, x, weight, stride=1, padding=0):
    grad_padded, *others = _walk(grad_out, x, weight, stride, padding, add_w=False)
    return _cut(grad_padded, x, padding), *others


@exercise.misconception(
    """The stride is missing in `grad_x`: the message of unit `(i, j)` goes to the window at row `i`. It
    belongs to the window that the unit has read, which starts at row `i * stride`."""
)
def _no_stride_in_grad_x(grad_out, x, weight, stride=1, padding=0):
    grad_padded, *others = _walk(grad_out, x, weight, stride, padding, step_x=1)
    return _cut(grad_padded, x, padding), *others


@exercise.misconception(
    """The stride is missing in `grad_weight`: it takes the window at row `i` for unit `(i, j)`, which has
    read the one that starts at row `i * stride`."""
)
def _no_stride_in_grad_weight(grad_out, x, weight, stride=1, padding=0):
    grad_padded, *others = _walk(grad_out, x, weight, stride, padding, step_w=1)
    return _cut(grad_padded, x, padding), *others


@exercise.misconception(
    """The kernel is flipped once too often in `grad_x`. Walking over the units, a unit's message to its
    window is the kernel as it lies; the flip belongs to the other way of writing it, as a full
    convolution."""
)
def _kernel_flipped(grad_out, x, weight, stride=1, padding=0):
    grad_x = conv.conv2d_backward(grad_out, x, weight[:, :, ::-1, ::-1], stride, padding)[0]
    return grad_x, *conv.conv2d_backward(grad_out, x, weight, stride, padding)[1:]


@exercise.misconception(
    """`grad_weight` is flipped. It is a correlation of the input with `grad_out`, as both lie: only the
    input's gradient, written as a convolution, has a flipped kernel in it."""
)
def _grad_weight_flipped(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = conv.conv2d_backward(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight[:, :, ::-1, ::-1], grad_bias


@exercise.misconception(
    """`grad_x` and `grad_weight` have changed places. Asked for are, in this order, the gradients of the
    input, of the kernels and of the bias."""
)
def _other_order(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = conv.conv2d_backward(grad_out, x, weight, stride, padding)
    return grad_weight, grad_x, grad_bias


@exercise.misconception(
    """The gradient is divided by the number of images. A mean over the batch is a matter of the loss, and
    is in `grad_out` already: here everything adds up."""
)
def _averaged_over_the_batch(grad_out, x, weight, stride=1, padding=0):
    return tuple(g / len(x) for g in conv.conv2d_backward(grad_out, x, weight, stride, padding))


def _with_bias(grad_bias):
    def answer(grad_out, x, weight, stride=1, padding=0):
        return *conv.conv2d_backward(grad_out, x, weight, stride, padding)[:2], grad_bias(grad_out)

    return answer


for _name, _grad_bias, _hint in (
    (
        "bias_not_over_images",
        lambda g: g.sum(axis=(2, 3)),
        """`grad_bias` has one row for each image. The images share one bias: what they send adds up, over
        the first axis as well.""",
    ),
    (
        "bias_not_over_places",
        lambda g: g.sum(axis=0),
        """`grad_bias` has one number for each place. All places share the bias of their feature map: what
        they send adds up, over rows and columns too.""",
    ),
    (
        "bias_over_channels",
        lambda g: g.sum(axis=(1, 2, 3)),
        """`grad_bias` adds up over the channels and keeps the images apart. It is the other way round:
        each output channel, the second axis, has a bias of its own.""",
    ),
    (
        "bias_one_number",
        lambda g: g.sum(),
        """`grad_bias` is one number for the whole layer. Each output channel has a bias of its own, and
        so a gradient of its own.""",
    ),
    (
        "bias_of_the_last_unit",
        lambda g: g[-1, :, -1, -1],
        """`grad_bias` is what the last unit of the last image says: each overwrites the one before. All of
        them add up: `+=`, not `=`.""",
    ),
    (
        "bias_averaged",
        lambda g: g.mean(axis=(0, 2, 3)),
        """`grad_bias` is a mean. The bias is added at every place of every image, so it hears all of
        them: the sum.""",
    ),
    (
        "bias_kept_dims",
        lambda g: g.sum(axis=(0, 2, 3), keepdims=True),
        """`grad_bias` has four axes, three of them of length 1. Asked for is an array of shape
        `(C_out,)`, like the bias itself.""",
    ),
):
    _answer = _with_bias(_grad_bias)
    _answer.__name__ = f"_{_name}"
    exercise.misconception(_hint)(_answer)


@exercise.misconception(
    """Only the first image of the batch is worked on; what the others say is lost. The kernels hear all
    images, and each image has a gradient of its own."""
)
def _first_image_only(grad_out, x, weight, stride=1, padding=0):
    grad_out = grad_out.copy()
    grad_out[1:] = 0
    return conv.conv2d_backward(grad_out, x, weight, stride, padding)


@exercise.misconception(
    """Only the last output channel reaches `grad_x`. Every kernel has read the same pixels: what all of
    them say adds up, over the output channels."""
)
def _last_channel_only(grad_out, x, weight, stride=1, padding=0):
    only = np.zeros_like(grad_out)
    only[:, -1] = grad_out[:, -1]
    grad_x = conv.conv2d_backward(only, x, weight, stride, padding)[0]
    return grad_x, *conv.conv2d_backward(grad_out, x, weight, stride, padding)[1:]


@exercise.misconception(
    """`grad_weight` is the same for every kernel: what the units of all output channels say is added up
    first. Kernel `c` hears the units of channel `c` alone."""
)
def _kernels_share_a_gradient(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = conv.conv2d_backward(grad_out, x, weight, stride, padding)
    return grad_x, np.repeat(grad_weight.sum(axis=0, keepdims=True), len(weight), axis=0), grad_bias


@exercise.misconception(
    """The windows for `grad_weight` are taken from an image with its frame above and left of it only, or
    shifted by `padding`: the image stands in a corner of the padded one. It belongs in the middle."""
)
def _image_in_the_corner(grad_out, x, weight, stride=1, padding=0):
    shifted = np.pad(x, ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding)))
    grad_weight = conv.conv2d_backward(grad_out, shifted, weight, stride)[1]
    grad_x, _, grad_bias = conv.conv2d_backward(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight, grad_bias
