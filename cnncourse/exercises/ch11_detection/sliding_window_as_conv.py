"""Exercise: all windows of an image classified at once, with dense layers that have become convolutions."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnncourse.checking import Case, Exercise


def sliding_window_as_conv(maps, weights, biases, window):
    """Classify every window of feature maps with dense layers, as convolutions.

    Parameters
    ----------
    maps : array, shape (C, H, W)
        The feature maps of a whole image.
    weights : list of arrays
        Of dense layers that were trained on single windows. The first has the shape (D, C * h * w): it reads
        a window as one row of numbers, channel by channel, each row by row. The next has (E, D), and so on.
    biases : list of arrays, shapes (D,), (E,) ...
    window : pair of int
        Rows and columns (h, w) of a window of the maps.

    Returns
    -------
    kernels : list of arrays
        Of the layers as convolutions: shapes (D, C, h, w), (E, D, 1, 1) ...
    scores : array, shape (last layer, H - h + 1, W - w + 1)
        What the last layer says for the window at each place; ReLU stands between the layers.
    """
    kernels = []
    size = window
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        if number:
            maps, size = np.maximum(maps, 0), (1, 1)
        kernel = weight.reshape(len(weight), len(maps), *size)  # (D, C, h, w)
        rows, columns = maps.shape[1] - size[0] + 1, maps.shape[2] - size[1] + 1
        out = np.zeros((len(weight), rows, columns)) + bias[:, None, None]  # (D, H - h + 1, W - w + 1)
        for i in range(size[0]):
            for j in range(size[1]):
                out += np.tensordot(kernel[:, :, i, j], maps[:, i : i + rows, j : j + columns], axes=1)
        kernels.append(kernel)
        maps = out
    return kernels, maps


def _crop_by_crop(maps, weights, biases, window):
    """Do what it stands for: cut out every window, and send it through the dense layers alone."""
    (h, w), (channels, height, width) = window, maps.shape
    scores = np.zeros((len(biases[-1]), height - h + 1, width - w + 1))
    for y, x in np.ndindex(scores.shape[1:]):
        units = maps[:, y : y + h, x : x + w].ravel()
        for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            units = weight @ (np.maximum(units, 0) if number else units) + bias
        scores[:, y, x] = units
    kernels = [weights[0].reshape(-1, channels, h, w), *(weight[:, :, None, None] for weight in weights[1:])]
    return kernels, scores


def _layers(rng: np.random.Generator, maps, window, *units: int) -> dict[str, Any]:
    """Draw dense layers for windows of some feature maps."""
    inputs = maps.shape[0] * window[0] * window[1]
    weights = [rng.normal(size=shape) for shape in zip(units, (inputs, *units), strict=False)]
    biases = [rng.uniform(0.5, 2, len(weight)) * rng.choice([-1, 1], len(weight)) for weight in weights]
    return {"maps": maps, "weights": weights, "biases": biases, "window": window}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Windows and maps that are not square; one window only; one layer and several; whole numbers."""
    maps = rng.normal
    single = [
        ("one window, one layer", _layers(rng, maps(size=(1, 2, 2)), (2, 2), 3)),
        ("one map, wide windows (1x3)", _layers(rng, maps(size=(1, 4, 6)), (1, 3), 2)),
        ("two maps, tall windows (3x2)", _layers(rng, maps(size=(2, 5, 7)), (3, 2), 4)),
        ("square windows of square maps", _layers(rng, maps(size=(3, 6, 6)), (3, 3), 2)),
        ("windows of one place", _layers(rng, maps(size=(3, 4, 3)), (1, 1), 2)),
        ("whole numbers", _layers(rng, rng.integers(-4, 5, (2, 6, 4)), (2, 2), 3)),
    ]
    several = [
        ("one window, two layers", _layers(rng, maps(size=(2, 3, 3)), (3, 3), 5, 2)),
        ("two layers, wide windows (2x3)", _layers(rng, maps(size=(3, 5, 7)), (2, 3), 6, 3)),
        ("three layers", _layers(rng, maps(size=(2, 7, 4)), (2, 2), 5, 4, 3)),
        ("two layers, square windows", _layers(rng, maps(size=(2, 6, 6)), (3, 3), 4, 6)),
    ]
    for why, arguments in (*single, *several):
        yield Case(f"kernels: {why}", arguments, "kernels", 0)
    for group, situations in (("one layer", single), ("several layers", several)):
        for why, arguments in situations:
            yield Case(f"scores: {why}", arguments, group, 1)


exercise = Exercise(
    solution=sliding_window_as_conv,
    reference=_crop_by_crop,
    cases=cases,
    points=3,
    forbids=("torch.nn.*", "torch.conv2d", "scipy.signal.*", "scipy.ndimage.*"),
    axes=("units", "rows", "columns"),
    prompt="""\
A network that knows one window can search a whole image: cut out a window, classify it, go one step on, cut
out the next. But neighbouring windows share nearly all of their pixels, and the convolutions compute them
again for each. So let those run over the *whole image*, once. And the dense layers behind them? They too do
the same at every place, with the same weights. There is a name for that.

**By hand.** Two feature maps of 2 x 3, windows of 2 x 2, one dense layer with one unit:

```
maps      1 2 3      0 1 0        weight   1 0 0 -1   2 0 0 0       read as    1  0     2 0
          4 5 6      1 0 2                 (map 0)    (map 1)                  0 -1     0 0
                                  bias     10

left window     1*1 + 5*(-1) + 0*2 + 10 = 6
right window    2*1 + 6*(-1) + 1*2 + 10 = 8
kernels   [array of shape (1, 2, 2, 2)]        scores    6 8      shape (1, 1, 2)
```

**Contract.**
- Return two things: the list of kernels, `(D, C, h, w)` for the first layer and `(E, D, 1, 1)` for each one
  after it, and the scores, `(units of the last layer, H - h + 1, W - w + 1)`.
- A dense layer reads its window as `window.ravel()` does: map by map, each row by row. Nothing is flipped.
- The windows lie one step of the maps apart, and none reaches beyond them: no padding.
- ReLU stands between two layers, and not behind the last one. The bias is added before ReLU.
- Scores must be those of each window alone. Kernels and scores earn their points one by one.
""",
    hints=(
        "The row of a weight has one number for each number of a window. In which shape would row and window "
        "lie on top of each other? And what is a window of the *second* layer's input?",
        "With `(D, C, h, w)` in your hands it is the convolution of lab 2, with stride 1 and without "
        "padding; what you wrote there will do here. The second layer looks at one place of D maps.",
        "One loop over the layers: ReLU on what comes in (not on the first), the kernels, the convolution, "
        "the bias. Instead of walking over places, you can walk over the kernel: its number at row `i`, "
        "column `j` meets the maps shifted by `i` and `j`, at all places at once.",
    ),
    remark="OverFeat did this in 2013. Nothing of it needs a network made for it: only the shape of the "
    "weights changes.",
)


def _slide(maps, kernel, bias, short=0):
    """Convolve maps (C, H, W) with kernels (D, C, h, w); leave out some rows and columns at the end."""
    h, w = kernel.shape[2:]
    rows, columns = maps.shape[1] - h + 1 - short, maps.shape[2] - w + 1 - short
    out = np.zeros((len(kernel), rows, columns)) + bias[:, None, None]  # (D, rows, columns)
    for i in range(h):
        for j in range(w):
            out += np.tensordot(kernel[:, :, i, j], maps[:, i : i + rows, j : j + columns], axes=1)
    return out


def _answer(
    shape: Any = lambda weight, channels, size: weight.reshape(len(weight), channels, *size),
    apply: Any = lambda maps, kernel, bias, number: _slide(maps, kernel, bias),
    between: Any = lambda maps: np.maximum(maps, 0),
    after: Any = lambda scores: scores,
) -> Any:
    """Return the right answer with one thing disturbed."""

    def answer(maps, weights, biases, window):
        kernels = []
        for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            maps = between(maps) if number else maps
            kernel = shape(weight, len(maps), (1, 1) if number else window)
            maps = apply(maps, kernel, bias, number)
            kernels.append(kernel)
        return kernels, after(maps)

    return answer


def _channels_last(weight, channels, size):
    return weight.reshape(len(weight), *size, channels).transpose(0, 3, 1, 2)


def _columns_first(weight, channels, size):
    return weight.reshape(len(weight), channels, *size[::-1]).transpose(0, 1, 3, 2)


def _swapped(weight, channels, size):
    return weight.reshape(len(weight), channels, *size[::-1])


def _inputs_first(weight, channels, size):
    return np.moveaxis(weight.reshape(channels, *size, len(weight)), -1, 0)


def _side_by_side(maps, kernel, bias, number):
    return _slide(maps, kernel, bias)[:, :: kernel.shape[2], :: kernel.shape[3]]


def _flipped(maps, kernel, bias, number):
    return _slide(maps, kernel[:, :, ::-1, ::-1], bias)


def _one_short(maps, kernel, bias, number):
    return _slide(maps, kernel, bias, short=0 if number else 1)


def _without_bias(maps, kernel, bias, number):
    return _slide(maps, kernel, 0 * bias)


def _turned(weight, channels, size):
    return weight.reshape(len(weight), channels, *size)[:, :, ::-1, ::-1]


def _rectified_first(maps, weights, biases, window):
    return _answer()(np.maximum(maps, 0), weights, biases, window)


def _padded(maps, kernel, bias, number):
    h, w = kernel.shape[2:]
    return _slide(np.pad(maps, ((0, 0), ((h - 1) // 2, h // 2), ((w - 1) // 2, w // 2))), kernel, bias)


for _name, _wrong, _hint in (
    (
        "channels_last",
        _answer(shape=_channels_last),
        """A row of the weight is read as rows, columns, channels. The window was laid out map by map: first
        all numbers of map 0, then all of map 1.""",
    ),
    (
        "columns_first",
        _answer(shape=_columns_first),
        """Each map of a window is read column by column. It was laid out row by row; where windows are
        square, only the numbers tell.""",
    ),
    (
        "rows_and_columns_swapped",
        _answer(shape=_swapped),
        """The kernels have as many rows as the window has columns. `window` is (rows, columns), and so are
        the last two axes of a kernel.""",
    ),
    (
        "inputs_first",
        _answer(shape=_inputs_first),
        """The weight is read as if its first axis were the inputs. It is `(D, C * h * w)`: each row belongs
        to one unit.""",
    ),
    (
        "side_by_side",
        _answer(apply=_side_by_side),
        """The windows lie side by side. They overlap: from one to the next it is one step of the maps.""",
    ),
    (
        "flipped",
        _answer(apply=_flipped),
        """The kernels are turned before they are applied. A dense layer multiplies the first weight with the
        first number of the window.""",
    ),
    (
        "kernels_flipped",
        _answer(shape=_turned),
        """The kernels are turned by half a turn. Nothing is flipped here: the first weight of a map meets the
        first number of that map's window.""",
    ),
    (
        "last_row_and_column_missing",
        _answer(apply=_one_short),
        """The last row and the last column of windows are missing: between the first and the last start there
        are `H - h` steps, and so one window more.""",
    ),
    (
        "bias_missing",
        _answer(apply=_without_bias),
        """The biases are missing. Each unit of a dense layer has one, and adds it at every place.""",
    ),
    (
        "padded",
        _answer(apply=_padded),
        """There are as many scores as places in the maps: windows reach over the edge and see zeros there.
        The network has never seen such windows.""",
    ),
    (
        "relu_missing",
        _answer(between=lambda maps: maps),
        """There is no ReLU between the layers: two dense layers without anything between are no more than
        one.""",
    ),
    (
        "relu_on_the_maps",
        _rectified_first,
        """ReLU is taken of the maps before the first layer. It stands between two layers: what is negative in
        the maps counts.""",
    ),
    (
        "relu_at_the_end",
        _answer(after=lambda scores: np.maximum(scores, 0)),
        """No score is below 0: ReLU stands behind the last layer too. It stands between layers only.""",
    ),
    (
        "softmax_at_the_end",
        _answer(after=lambda scores: np.exp(scores) / np.exp(scores).sum(axis=0)),
        """The scores have become probabilities. Asked for is what the last layer says, as it is.""",
    ),
    (
        "turned_round",
        _answer(after=lambda scores: scores.transpose(0, 2, 1)),
        """Rows and columns of the scores are exchanged: `scores[:, i, j]` belongs to the window that begins
        at row `i` and column `j`.""",
    ),
    (
        "units_last",
        _answer(after=lambda scores: scores.transpose(1, 2, 0)),
        """The units stand on the last axis. Scores are maps, `(units, rows, columns)`, as all maps are.""",
    ),
):
    _wrong.__name__ = f"_{_name}"
    exercise.misconception(_hint)(_wrong)
