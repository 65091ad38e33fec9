"""Exercise: the layer of chapter 2 with gaps in its kernels and its channels in groups."""

from collections.abc import Iterator

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.exercises.ch03_conv_family._mistakes import add_mistakes, cropped, framed
from cnncourse.layers import conv


def conv2d_general(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Slide kernels with gaps over images whose channels are divided into groups.

    Parameters
    ----------
    x : array, shape (N, C_in, H, W)
    weight : array, shape (C_out, C_in / groups, K_h, K_w)
    bias : array, shape (C_out,)
    stride : int
        Pixels from one window to the next.
    padding : int
        Zeros on each of the four sides.
    dilation : int
        Pixels from one weight of a kernel to its neighbour; 1 is no gap.
    groups : int
        Parts of the channels; a kernel reads the input channels of its own part only.

    Returns
    -------
    array, shape (N, C_out, H_out, W_out)
    """
    N, C_in, H, W = x.shape
    C_out, C_part, K_h, K_w = weight.shape
    cover_h, cover_w = dilation * (K_h - 1) + 1, dilation * (K_w - 1) + 1
    H_out = (H + 2 * padding - cover_h) // stride + 1
    W_out = (W + 2 * padding - cover_w) // stride + 1
    padded = np.zeros((N, C_in, H + 2 * padding, W + 2 * padding))  # (N, C_in, H + 2p, W + 2p)
    padded[:, :, padding : padding + H, padding : padding + W] = x
    out = np.zeros((N, C_out, H_out, W_out))  # (N, C_out, H_out, W_out)
    for c in range(C_out):
        first = c // (C_out // groups) * C_part  # of the input channels of this kernel's group
        part = padded[:, first : first + C_part]  # (N, C_part, H + 2p, W + 2p)
        for i in range(H_out):
            for j in range(W_out):
                top, left = i * stride, j * stride
                seen = part[:, :, top : top + cover_h : dilation, left : left + cover_w : dilation]
                out[:, c, i, j] = np.sum(seen * weight[c], axis=(1, 2, 3)) + bias[c]
    return out


def _layer(rng, shape, kernels, **how):
    x, weight = rng.normal(size=shape), rng.normal(size=kernels)
    return {"x": x, "weight": weight, "bias": rng.normal(size=kernels[0]), **how}


def _how(stride=1, padding=0, dilation=1, groups=1):
    return {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """The layer of chapter 2 first, then gaps, then groups, at last everything together."""
    old, gaps, parts = "stride and padding", "dilation", "groups"
    yield Case("no gaps, one group, a tall kernel (3x2)", _layer(rng, (1, 2, 5, 6), (3, 2, 3, 2)), old)
    yield Case(
        "stride 2, padding 1, a batch of two",
        _layer(rng, (2, 3, 6, 5), (2, 3, 3, 3), stride=2, padding=1),
        old,
    )
    yield Case("stride 3, padding 2", _layer(rng, (1, 2, 7, 6), (2, 2, 2, 3), stride=3, padding=2), old)
    whole = _layer(rng, (2, 2, 4, 5), (2, 2, 2, 2)) | {"x": rng.integers(-9, 0, (2, 2, 4, 5))}
    yield Case("whole numbers, no padding", whole, old)
    yield Case("dilation 2, one channel", _layer(rng, (1, 1, 7, 8), (1, 1, 3, 3), **_how(dilation=2)), gaps)
    yield Case(
        "dilation 2, padding 2, a wide kernel (2x3)",
        _layer(rng, (2, 2, 5, 6), (2, 2, 2, 3), **_how(1, 2, 2)),
        gaps,
    )
    yield Case(
        "dilation 3, stride 2, padding 1", _layer(rng, (1, 2, 9, 11), (2, 2, 3, 2), **_how(2, 1, 3)), gaps
    )
    yield Case(
        "2 groups, from 4 channels to 6", _layer(rng, (1, 4, 4, 5), (6, 2, 2, 3), **_how(groups=2)), parts
    )
    yield Case(
        "depthwise: as many groups as channels, padding 1",
        _layer(rng, (2, 3, 4, 3), (3, 1, 3, 3), **_how(1, 1, 1, 3)),
        parts,
    )
    yield Case(
        "depthwise, two kernels for each channel",
        _layer(rng, (1, 2, 5, 4), (4, 1, 2, 2), **_how(groups=2)),
        parts,
    )
    yield Case(
        "everything: 3 groups, dilation 2, stride 2, padding 1",
        _layer(rng, (2, 6, 7, 8), (3, 2, 3, 2), **_how(2, 1, 2, 3)),
        parts,
    )


exercise = Exercise(
    solution=conv2d_general,
    reference=conv.conv2d,
    cases=cases,
    points=3,
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
Two numbers turn the layer of chapter 2 into most of its family. `dilation` puts gaps between the weights,
so that nine of them look far. `groups` lets each kernel read a part of the channels only.

**By hand.** One row of pixels, 1 2 3 4 5 6, the kernel 1 0 -1 with `dilation=2`, bias 0. The kernel
covers five pixels and reads three of them:

```
1 . 3 . 5       ->  1*1 + 3*0 + 5*(-1) = -4
  2 . 4 . 6     ->  2*1 + 4*0 + 6*(-1) = -4
```

Four channels, `groups=2`, two kernels: kernel 0 reads channels 0 and 1, kernel 1 reads channels 2 and 3.
Each kernel has two slices, not four.

**Contract.**
- `x` is `(N, C_in, H, W)`, `weight` is `(C_out, C_in / groups, K_h, K_w)`, `bias` is `(C_out,)`; the
  result is `(N, C_out, H_out, W_out)`, where `H_out` and `W_out` count the windows that fit.
- A kernel of K weights with dilation d covers `d * (K - 1) + 1` pixels.
- `groups` divides `C_in` and `C_out`. The first `C_out / groups` kernels read the first `C_in / groups`
  channels, the next kernels the next channels, and so on.
- No flip. The bias is added once for each unit. Images and kernels need not be square.
""",
    hints=(
        "Draw a row of seven pixels and put the weights of a kernel of three on it with dilation 3. How "
        "many pixels lie between the first and the last weight, both included? Then: six kernels, four "
        "channels, two groups. Which channels does kernel 3 read?",
        "Find two numbers before any loop: how far a kernel reaches along rows and along columns. They "
        "decide how many windows fit. A slice has a third number, its step.",
        "Loop over the kernels. For each, cut its group's channels out of the padded images, then go "
        "through rows and columns as in chapter 2. What changes in the body is the slice, no more.",
    ),
    remark="With as many groups as channels it is depthwise: the next exercise counts what that costs.",
)
add_mistakes(exercise, conv.conv2d)


@exercise.misconception(
    """The result does not change when `dilation` changes: the weights lie side by side. With dilation d
    they lie d pixels apart."""
)
def _dilation_ignored(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    return conv.conv2d(x, weight, bias, stride, padding, 1, groups)


@exercise.misconception(
    """The size of the result takes `dilation` into account, the windows do not: their pixels lie side by
    side. With dilation d the pixels that a kernel reads lie d apart."""
)
def _dilation_only_in_the_size(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    size = conv.conv2d(x, weight, bias, stride, padding, dilation, groups).shape[2:]
    return cropped(conv.conv2d(x, weight, bias, stride, padding, 1, groups), size)


@exercise.misconception(
    """The windows have gaps, but the size of the result is that of a kernel without gaps: the last
    windows reach beyond the image. A kernel of K weights covers d * (K - 1) + 1 pixels."""
)
def _dilation_not_in_the_size(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    size = conv.conv2d(x, weight, bias, stride, padding, 1, groups).shape[2:]
    return _loops(x, weight, bias, stride, padding, dilation, groups, size=size)


@exercise.misconception(
    """The kernel is taken to cover d * K pixels, so that windows are missing at the end. Behind the last
    weight there is no gap: it covers d * (K - 1) + 1."""
)
def _gap_behind_the_last_weight(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    size = [
        (x.shape[a] + 2 * padding - dilation * weight.shape[a]) // stride + 1 for a in (2, 3)
    ]  # (H_out, W_out), too small
    return cropped(conv.conv2d(x, weight, bias, stride, padding, dilation, groups), size)


@exercise.misconception(
    """`dilation` is taken as the number of pixels left out between two weights. It is the distance from
    one to the next: 1 is no gap."""
)
def _dilation_counts_the_gap(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    return conv.conv2d(x, weight, bias, stride, padding, dilation + 1, groups)


@exercise.misconception(
    """The windows themselves move by `dilation` as well. Dilation belongs inside a window; from one
    window to the next it is `stride` pixels."""
)
def _dilation_moves_the_windows(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    return conv.conv2d(x, weight, bias, stride * dilation, padding, dilation, groups)


@exercise.misconception(
    "Every kernel reads the first `C_in / groups` channels. Each group of kernels has channels of its own."
)
def _first_channels_for_all(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    return conv.conv2d(x[:, : weight.shape[1]], weight, bias, stride, padding, dilation)


@exercise.misconception(
    """The kernels are dealt out to the groups in turns, `c % groups`. They go in blocks: the first `C_out
    / groups` kernels belong to the first group."""
)
def _kernels_in_turns(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    return _loops(x, weight, bias, stride, padding, dilation, groups, group_of=lambda c: c % groups)


@exercise.misconception(
    """The input channels are dealt out to the groups in turns, one in every `groups`. They go in blocks
    of neighbours."""
)
def _channels_in_turns(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    order = [c for g in range(groups) for c in range(g, x.shape[1], groups)]
    return conv.conv2d(x[:, order], weight, bias, stride, padding, dilation, groups)


@exercise.misconception(
    """Kernel `c` is taken to read the channels from `c` on. All kernels of a group read the same
    channels, and the groups do not overlap."""
)
def _sliding_channels(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    return _loops(x, weight, bias, stride, padding, dilation, groups, first_of=lambda c: c)


@exercise.misconception(
    """The group of kernel `c` is found from the number of input channels. A group has `C_out / groups`
    kernels, and that number tells which kernel belongs to it."""
)
def _group_from_the_input_channels(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    part = weight.shape[1]
    return _loops(x, weight, bias, stride, padding, dilation, groups, group_of=lambda c: c // part)


@exercise.misconception(
    "The results of the groups are added up. They stand side by side: there are `C_out` channels in all."
)
def _groups_added(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    out = conv.conv2d(x, weight, bias, stride, padding, dilation, groups)
    return out.reshape(len(x), groups, -1, *out.shape[2:]).sum(axis=1)


@exercise.misconception(
    """Only the last group's channels are filled; the others are 0. The array for the result has to be
    made once, before the groups."""
)
def _last_group_only(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    out = conv.conv2d(x, weight, bias, stride, padding, dilation, groups)
    out[:, : -(len(weight) // groups)] = 0
    return out


@exercise.misconception(
    """Every group gets the biases of the first group. `bias` has one number for each of the `C_out`
    channels."""
)
def _biases_of_the_first_group(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    first = np.tile(bias[: len(bias) // groups], groups)
    return conv.conv2d(x, weight, first, stride, padding, dilation, groups)


@exercise.misconception(
    """Every group is convolved with the kernels of the first group. The next group has the next `C_out /
    groups` kernels."""
)
def _kernels_of_the_first_group(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    first = np.concatenate([weight[: len(weight) // groups]] * groups)
    return conv.conv2d(x, first, bias, stride, padding, dilation, groups)


@exercise.misconception(
    """`groups` makes no difference: each kernel is laid over all channels, and it has too few slices for
    that. It reads `C_in / groups` of them."""
)
def _groups_ignored(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    return _loops(x, weight, bias, stride, padding, dilation, 1, all_channels=True)


@exercise.misconception(
    "The kernel's height is used for its width as well: `weight.shape[2]` is K_h, `weight.shape[3]` is K_w."
)
def _height_for_width(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    return _loops(x, weight, bias, stride, padding, dilation, groups, kernel_size=(weight.shape[2],) * 2)


def _loops(
    x, weight, bias, stride, padding, dilation, groups,
    size=None, group_of=None, first_of=None, all_channels=False, kernel_size=None,
):  # fmt: skip
    """The four loops, with one thing out of place."""
    K_h, K_w = kernel_size or weight.shape[2:]
    part = x.shape[1] if all_channels else weight.shape[1]
    x = framed(x, padding)
    cover = dilation * (K_h - 1) + 1, dilation * (K_w - 1) + 1
    size = size or [(n - k) // stride + 1 for n, k in zip(x.shape[2:], cover, strict=True)]
    out = np.zeros((len(x), len(weight), *size))
    for n, c, i, j in np.ndindex(out.shape):
        group = group_of(c) if group_of else c // (len(weight) // groups)
        first = first_of(c) if first_of else group * part
        top, left = i * stride, j * stride
        window = x[
            n, first : first + part, top : top + cover[0] : dilation, left : left + cover[1] : dilation
        ]
        out[n, c, i, j] = np.sum(window * weight[c]) + bias[c]
    return out
