"""Exercise: every window a column, so that a convolution is one matrix product."""

from collections.abc import Iterator

import numpy as np

from cnncourse import shapes
from cnncourse.checking import Case, Exercise
from cnncourse.layers import conv


def im2col(x, kernel_size, stride=1, padding=0):
    """Write every window of every image as one column of a matrix.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    kernel_size : pair of int
        (K_h, K_w).
    stride, padding : int
        In pixels.

    Returns
    -------
    array, shape (N, C * K_h * K_w, H_out * W_out)
        Down a column: channel, then kernel row, then kernel column. From column to column: the windows in
        reading order, left to right and then down.
    """
    N, C, H, W = x.shape
    K_h, K_w = kernel_size
    H_out = (H + 2 * padding - K_h) // stride + 1
    W_out = (W + 2 * padding - K_w) // stride + 1
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding))  # (N, C, H + 2p, W + 2p)
    padded[:, :, padding : padding + H, padding : padding + W] = x
    columns = np.zeros((N, C * K_h * K_w, H_out * W_out))  # (N, C * K_h * K_w, H_out * W_out)
    for i in range(H_out):
        for j in range(W_out):
            top, left = i * stride, j * stride
            window = padded[:, :, top : top + K_h, left : left + K_w]  # (N, C, K_h, K_w)
            columns[:, :, i * W_out + j] = window.reshape(N, C * K_h * K_w)
    return columns


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """From one channel to everything at once."""
    yield Case(
        "one channel, 2x2 windows",
        {"x": np.arange(12.0).reshape(1, 1, 3, 4), "kernel_size": (2, 2)},
        "one image",
    )
    yield Case(
        "two channels, wide windows (2x3)",
        {"x": rng.normal(size=(1, 2, 4, 5)), "kernel_size": (2, 3)},
        "one image",
    )
    yield Case("a batch of two", {"x": rng.normal(size=(2, 3, 3, 4)), "kernel_size": (2, 2)}, "batch")
    yield Case(
        "stride 2",
        {"x": rng.normal(size=(1, 2, 6, 5)), "kernel_size": (3, 2), "stride": 2},
        "stride and padding",
    )
    padded = {"x": rng.normal(size=(2, 1, 3, 4)), "kernel_size": (3, 1), "stride": 1, "padding": 1}
    yield Case("padding 1, tall windows (3x1)", padded, "stride and padding")
    both = {"x": rng.normal(size=(2, 2, 5, 8)), "kernel_size": (2, 3), "stride": 3, "padding": 2}
    yield Case("stride 3, padding 2", both, "stride and padding")
    yield Case("whole numbers", {"x": rng.integers(-9, 0, (1, 2, 3, 3)), "kernel_size": (2, 2)}, "one image")


exercise = Exercise(
    solution=im2col,
    reference=conv.im2col,
    cases=cases,
    points=2,
    forbids=("torch.nn.functional.unfold", "torch.nn.Unfold", "skimage.util.view_as_windows"),
    axes=("N", "C * K_h * K_w", "H_out * W_out"),
    prompt="""\
Four Python loops spend their time on looping. A matrix product spends it on multiplying. So we write every
window as a column of numbers; then all units of an image are one product `weight.reshape(C_out, -1) @
columns`.

**By hand.** One image, one channel, 2 x 2 windows, stride 1:

```
0 1 2      columns  0 1      first window  0 1     second  1 2
3 4 5               1 2                    3 4             4 5
                    3 4
                    4 5
```

**Contract.** The result is `(N, C * K_h * K_w, H_out * W_out)`. Down a column stand the numbers of one
window: channel by channel, each row by row, which is the order of `weight[c].reshape(-1)`. From left to
right stand the windows in reading order. `kernel_size` is a pair `(K_h, K_w)`.
""",
    hints=(
        "How many windows are there, and how many numbers has one? That is the shape of the result.",
        "One window of all channels has shape `(C, K_h, K_w)`. Flattened in that order it is one column.",
        "Two loops over output rows and columns are enough. The window at row `i`, column `j` is column "
        "number `i * W_out + j`; cut it out for all images at once.",
    ),
    remark="Every pixel is now stored up to K_h * K_w times: speed is bought with memory.",
)


@exercise.misconception(
    """Windows stand in the rows and their numbers in the columns: the last two axes are exchanged."""
)
def _windows_as_rows(x, kernel_size, stride=1, padding=0):
    return conv.im2col(x, kernel_size, stride, padding).transpose(0, 2, 1)


@exercise.misconception(
    """Down a column the channels change fastest. All numbers of the first channel come first, then
    the second channel's: the order of `weight[c].reshape(-1)`."""
)
def _channels_last(x, kernel_size, stride=1, padding=0):
    N, C = x.shape[:2]
    columns = conv.im2col(x, kernel_size, stride, padding)
    return columns.reshape(N, C, -1, columns.shape[2]).transpose(0, 2, 1, 3).reshape(columns.shape)


@exercise.misconception(
    """Down a column each window is read column by column. It is read row by row, as in
    `weight[c].reshape(-1)`."""
)
def _window_transposed(x, kernel_size, stride=1, padding=0):
    columns = conv.im2col(x, kernel_size, stride, padding)
    parts = columns.reshape(len(x), x.shape[1], *kernel_size, columns.shape[2])
    return parts.transpose(0, 1, 3, 2, 4).reshape(columns.shape)


@exercise.misconception(
    """The windows are taken down first and then to the right. They come in reading order: left to
    right, then down."""
)
def _windows_down_first(x, kernel_size, stride=1, padding=0):
    h_out, w_out = shapes.conv2d_output_size(x.shape[2], x.shape[3], kernel_size, stride, padding)
    columns = conv.im2col(x, kernel_size, stride, padding)
    parts = columns.reshape(*columns.shape[:2], h_out, w_out)
    return parts.transpose(0, 1, 3, 2).reshape(columns.shape)


@exercise.misconception(
    """The numbers are cut anew with `reshape` where axes had to change their order: what stands in
    one column comes from several windows."""
)
def _reshape_for_transpose(x, kernel_size, stride=1, padding=0):
    windows = conv.windows2d(conv.pad2d(x, padding), kernel_size, stride)
    return windows.reshape(conv.im2col(x, kernel_size, stride, padding).shape)


@exercise.misconception(
    """The result does not change when `stride` changes: window `i` starts at row `i * stride`."""
)
def _stride_ignored(x, kernel_size, stride=1, padding=0):
    return conv.im2col(x, kernel_size, 1, padding)


@exercise.misconception(
    """The result does not change when `padding` changes: the windows slide over the image with its
    frame."""
)
def _padding_ignored(x, kernel_size, stride=1, padding=0):
    return conv.im2col(x, kernel_size, stride, 0)


@exercise.misconception(
    """`kernel_size` is read as (width, height). It is `(K_h, K_w)`: rows first, as everywhere in
    this course."""
)
def _kernel_size_swapped(x, kernel_size, stride=1, padding=0):
    return conv.im2col(x, kernel_size[::-1], stride, padding)


@exercise.misconception(
    """Window number `i * W_out + j` is counted with the height of the output instead of its width,
    so that columns overwrite each other or land in the wrong place."""
)
def _counted_with_the_height(x, kernel_size, stride=1, padding=0):
    h_out, w_out = shapes.conv2d_output_size(x.shape[2], x.shape[3], kernel_size, stride, padding)
    right = conv.im2col(x, kernel_size, stride, padding)
    columns = np.zeros_like(right)
    for i, j in np.ndindex(h_out, w_out):
        columns[:, :, i * h_out + j] = right[:, :, i * w_out + j]
    return columns


@exercise.misconception(
    """Each window is flipped before it is written down. Nothing is flipped in a convolutional
    layer."""
)
def _window_flipped(x, kernel_size, stride=1, padding=0):
    columns = conv.im2col(x, kernel_size, stride, padding)
    return columns.reshape(len(x), x.shape[1], -1, columns.shape[2])[:, :, ::-1].reshape(columns.shape)


@exercise.misconception(
    """Only the first channel's numbers are in the columns, or only one channel at a time is kept."""
)
def _first_channel_only(x, kernel_size, stride=1, padding=0):
    return conv.im2col(x[:, :1], kernel_size, stride, padding)


@exercise.misconception(
    """The number of columns takes `stride` into account, the windows do not: the window of output
    row `i` starts at row `i * stride`."""
)
def _stride_only_in_the_size(x, kernel_size, stride=1, padding=0):
    size = x.shape[2], x.shape[3]
    h_out, w_out = shapes.conv2d_output_size(*size, kernel_size, stride, padding)
    h_all, w_all = shapes.conv2d_output_size(*size, kernel_size, 1, padding)
    columns = conv.im2col(x, kernel_size, 1, padding)
    parts = columns.reshape(*columns.shape[:2], h_all, w_all)[:, :, :h_out, :w_out]
    return parts.reshape(*columns.shape[:2], h_out * w_out)


@exercise.misconception(
    """There are too few windows: between the first and the last start there are `(H + 2p - K_h) //
    stride` steps, and so one window more than steps."""
)
def _plus_one_forgotten(x, kernel_size, stride=1, padding=0):
    h_out, w_out = shapes.conv2d_output_size(x.shape[2], x.shape[3], kernel_size, stride, padding)
    columns = conv.im2col(x, kernel_size, stride, padding)
    parts = columns.reshape(*columns.shape[:2], h_out, w_out)[:, :, :-1, :-1]
    return parts.reshape(*columns.shape[:2], -1)


@exercise.misconception(
    """The images of a batch stand in one matrix, `(N * H_out * W_out, C * K_h * K_w)`, as in
    several books. Here each image has its own matrix, and its windows are the columns: `(N, C * K_h
    * K_w, H_out * W_out)`."""
)
def _one_matrix_of_rows(x, kernel_size, stride=1, padding=0):
    columns = conv.im2col(x, kernel_size, stride, padding)
    return columns.transpose(0, 2, 1).reshape(-1, columns.shape[1])


@exercise.misconception(
    """The windows stand on the first axis, as they were appended. They belong on the last, and the
    images on the first."""
)
def _windows_first(x, kernel_size, stride=1, padding=0):
    return conv.im2col(x, kernel_size, stride, padding).transpose(2, 0, 1)


@exercise.misconception(
    """Down a column the channels change fastest, then the rows, as `order="F"` does. A window is
    read channel by channel, each row by row."""
)
def _fortran_order(x, kernel_size, stride=1, padding=0):
    columns = conv.im2col(x, kernel_size, stride, padding)
    parts = columns.reshape(len(x), x.shape[1], *kernel_size, columns.shape[2])
    return parts.transpose(0, 3, 2, 1, 4).reshape(columns.shape)


@exercise.misconception(
    """Every row of windows starts again at column 0 and overwrites the row before it. The window at
    row `i`, column `j` is column number `i * W_out + j`."""
)
def _counter_reset(x, kernel_size, stride=1, padding=0):
    _, w_out = shapes.conv2d_output_size(x.shape[2], x.shape[3], kernel_size, stride, padding)
    columns = conv.im2col(x, kernel_size, stride, padding)
    out = np.zeros_like(columns)
    out[:, :, :w_out] = columns[:, :, -w_out:]
    return out


@exercise.misconception(
    """The windows are taken from the padded image but counted on the image without its frame: with
    padding p there are H + 2p rows to slide over."""
)
def _counted_without_the_frame(x, kernel_size, stride=1, padding=0):
    h_out, w_out = ((n - k) // stride + 1 for n, k in zip(x.shape[2:], kernel_size, strict=True))
    windows = conv.windows2d(conv.pad2d(x, padding), kernel_size, stride)[:, :, :h_out, :w_out]
    return windows.transpose(0, 1, 4, 5, 2, 3).reshape(len(x), -1, h_out * w_out)
