"""Every kind of convolution against torch, against numeric gradients, and against what it is defined as."""

from itertools import product

import numpy as np
import pytest

from cnncourse.gradcheck import numeric_gradient
from cnncourse.layers import signals
from cnncourse.layers.conv import col2im, conv2d, conv2d_backward, im2col, slide2d
from cnncourse.layers.conv1d import conv1d, conv1d_backward
from cnncourse.layers.conv3d import conv3d, conv3d_backward
from cnncourse.layers.conv_transpose import conv_transpose2d, conv_transpose2d_backward
from cnncourse.layers.correlate import correlate_grad_weight, correlate_grad_x
from cnncourse.layers.local import local_conv2d, local_conv2d_backward
from cnncourse.layers.separable import (
    depthwise_conv2d,
    depthwise_conv2d_backward,
    depthwise_separable_conv2d,
    depthwise_separable_conv2d_backward,
    spatially_separable_conv2d,
)
from cnncourse.layers.shuffle import channel_shuffle, channel_shuffle_backward
from cnncourse.layers.tiled import tiled_conv2d, tiled_conv2d_backward

# Strides that divide and that do not, pairs, dilation and groups: each with each padding.
SETTINGS = [
    {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    for stride, padding, (dilation, groups) in product(
        (1, 2, 3, (2, 1)), (0, 1, 2), ((1, 1), (2, 1), ((1, 2), 2), (1, 4))
    )
]
ONE_AXIS = [s for s in SETTINGS if not any(isinstance(value, tuple) for value in s.values())]
AXES = {1: (11,), 2: (9, 11), 3: (7, 9, 8)}
KERNEL = {1: (3,), 2: (3, 2), 3: (2, 3, 3)}


def drawn(axes, groups=1, dtype=float, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, 4, *AXES[axes]))
    weight, bias = rng.normal(size=(8, 4 // groups, *KERNEL[axes])), rng.normal(size=8)
    return [value.astype(dtype) for value in (x, weight, bias)]


def torch_and_gradients(name, arrays, grad_seed=1, **setting):
    """Run a function of torch; return its output, a gradient for it, and the gradients of the arrays."""
    torch = pytest.importorskip("torch")
    tensors = [torch.tensor(value, requires_grad=True) for value in arrays]
    out = getattr(torch.nn.functional, name)(*tensors, **setting)
    grad_out = torch.tensor(np.random.default_rng(grad_seed).normal(size=out.shape))
    out.backward(grad_out)
    return out.detach().numpy(), grad_out.numpy(), [tensor.grad.numpy() for tensor in tensors]


def all_close(got, expected, atol=1e-11):
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, atol=atol)


def agrees_with_numeric(forward, backward, arrays):
    """Hold every gradient that `backward` returns against the numeric one of the same argument."""
    grad_out = np.random.default_rng(3).normal(size=forward(*arrays).shape)
    for position, analytic in enumerate(backward(grad_out)):

        def loss(value, position=position):
            return np.sum(grad_out * forward(*arrays[:position], value, *arrays[position + 1 :]))

        np.testing.assert_allclose(analytic, numeric_gradient(loss, arrays[position]), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("setting", ONE_AXIS, ids=str)
def test_conv1d_and_its_gradients(setting):
    x, weight, bias = drawn(1, setting["groups"])
    out, grad_out, grads = torch_and_gradients("conv1d", (x, weight, bias), **setting)
    all_close([conv1d(x, weight, bias, **setting)], [out])
    all_close(conv1d_backward(grad_out, x, weight, **setting), grads)


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_conv2d_and_its_gradients(setting):
    x, weight, bias = drawn(2, setting["groups"])
    out, grad_out, grads = torch_and_gradients("conv2d", (x, weight, bias), **setting)
    all_close([conv2d(x, weight, bias, **setting)], [out])
    all_close(conv2d_backward(grad_out, x, weight, **setting), grads)


@pytest.mark.parametrize("setting", [*ONE_AXIS[::3], {"stride": (1, 2, 3), "padding": (0, 2, 1)}], ids=str)
def test_conv3d_and_its_gradients(setting):
    x, weight, bias = drawn(3, setting.get("groups", 1))
    out, grad_out, grads = torch_and_gradients("conv3d", (x, weight, bias), **setting)
    all_close([conv3d(x, weight, bias, **setting)], [out])
    all_close(conv3d_backward(grad_out, x, weight, **setting), grads)


@pytest.mark.parametrize(
    ("setting", "more"), [*product(SETTINGS[::3], [0]), *product(SETTINGS[1::2], [1])], ids=str
)
def test_conv_transpose2d_and_its_gradients(setting, more):
    stride = np.broadcast_to(setting["stride"], 2)
    setting = {**setting, "output_padding": tuple(min(more, int(s) - 1) for s in stride)}
    rng = np.random.default_rng(2)
    x, bias = rng.normal(size=(2, 4, 5, 4)), rng.normal(size=8)
    weight = rng.normal(size=(4, 8 // setting["groups"], 3, 4))
    out, grad_out, grads = torch_and_gradients("conv_transpose2d", (x, weight, bias), **setting)
    all_close([conv_transpose2d(x, weight, bias, **setting)], [out])
    all_close(conv_transpose2d_backward(grad_out, x, weight, **setting), grads)


@pytest.mark.parametrize("setting", SETTINGS[::5], ids=str)
def test_the_transposed_convolution_is_the_adjoint(setting):
    """<conv(x), y> = <x, conv_transpose(y)>, for the output padding that brings back the size of x."""
    x, weight, _ = drawn(2, setting["groups"])
    y = np.random.default_rng(6).normal(size=conv2d(x, weight, **setting).shape)
    small = conv_transpose2d(y, weight, **setting)
    missing = tuple(n - m for n, m in zip(x.shape[2:], small.shape[2:], strict=True))
    back = conv_transpose2d(y, weight, output_padding=missing, **setting)
    assert np.sum(conv2d(x, weight, **setting) * y) == pytest.approx(np.sum(x * back), rel=1e-12)


@pytest.mark.parametrize(("axes", "layer"), [(1, conv1d), (2, conv2d), (3, conv3d)])
def test_blocks_change_nothing(monkeypatch, axes, layer):
    """The same numbers whether one block holds several images, one image, or one row."""
    x, weight, bias = drawn(axes)
    whole = layer(x, weight, bias, padding=1)
    for numbers in (1, 500, 5000):
        monkeypatch.setattr("cnncourse.layers.blocks.BLOCK", numbers)
        np.testing.assert_allclose(layer(x, weight, bias, padding=1), whole, atol=1e-12)


@pytest.mark.parametrize("stride", [1, 2, (2, 3)])
def test_blocks_change_no_gradient(monkeypatch, stride):
    x, weight, _ = drawn(2)
    grad_out = np.random.default_rng(1).normal(size=conv2d(x, weight, None, stride, 1).shape)
    whole = conv2d_backward(grad_out, x, weight, stride, 1)
    for numbers in (1, 500, 5000):
        monkeypatch.setattr("cnncourse.layers.blocks.BLOCK", numbers)
        all_close(conv2d_backward(grad_out, x, weight, stride, 1), whole, 1e-12)


@pytest.mark.parametrize("setting", [{**s, "groups": 1} for s in SETTINGS[::4]], ids=str)
def test_col2im_is_the_transpose_of_im2col(setting):
    torch = pytest.importorskip("torch")
    del setting["groups"]
    x = drawn(2)[0]
    columns = im2col(x, (3, 2), **setting)
    unfolded = torch.nn.functional.unfold(torch.tensor(x), (3, 2), **setting)
    np.testing.assert_array_equal(columns, unfolded.numpy())
    folded = torch.nn.functional.fold(unfolded, x.shape[2:], (3, 2), **setting).numpy()
    np.testing.assert_allclose(col2im(columns, x.shape[2:], (3, 2), **setting), folded, atol=1e-12)
    other = np.random.default_rng(8).normal(size=columns.shape)
    back = col2im(other, x.shape[2:], (3, 2), **setting)
    assert np.sum(columns * other) == pytest.approx(np.sum(x * back), rel=1e-12)


@pytest.mark.parametrize("layer", [conv2d, conv_transpose2d])
def test_whole_numbers_count_as_float64(layer):
    x = np.random.default_rng(0).integers(0, 256, (1, 2, 5, 6)).astype(np.uint8)
    weight = np.random.default_rng(1).integers(-9, 9, (2, 2, 3, 3)).astype(np.int8)
    got = layer(x, weight, np.array([1, 2]))
    assert got.dtype == np.float64
    np.testing.assert_array_equal(got, layer(x.astype(float), weight.astype(float), np.array([1.0, 2.0])))


def test_float32_stays_float32():
    x, weight, bias = drawn(2, dtype=np.float32)
    grad = np.ones((2, 8, 7, 10), np.float32)
    assert conv2d(x, weight, bias).dtype == np.float32
    assert correlate_grad_x(grad, weight, x.shape[2:], slide2d()).dtype == np.float32
    assert correlate_grad_weight(grad, x, (3, 2), slide2d()).dtype == np.float32
    assert conv2d(x, weight, bias.astype(np.float64)).dtype == np.float64


@pytest.mark.parametrize("n", [1, 4, 9])
@pytest.mark.parametrize("k", [1, 2, 3, 6])
def test_signals_agree_with_numpy(n, k):
    rng = np.random.default_rng(n + k)
    x, kernel = rng.normal(size=n), rng.normal(size=k)
    both = [np.convolve(x, kernel), np.correlate(x, kernel, "full")]
    got = [signals.convolve1d(x, kernel), signals.cross_correlate1d(x, kernel, padding="full")]
    all_close(got, both, 1e-12)
    all_close([signals.convolve1d(kernel, x)], [both[0]], 1e-12)  # it commutes
    if k <= n:
        all_close([signals.convolve1d(x, kernel, "valid")], [np.convolve(x, kernel, "valid")], 1e-12)
        if k % 2:
            all_close([signals.convolve1d(x, kernel, "same")], [np.convolve(x, kernel, "same")], 1e-12)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("stride", "padding"), [(1, "same"), *product((1, 2, 3), (0, 2, "valid"))]
)  # torch has no "same" with a stride
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
def test_cross_correlate1d_agrees_with_torch(k, padding, stride):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(k)
    x, kernel = rng.normal(size=9), rng.normal(size=k)
    tensors = [torch.tensor(value)[None, None] for value in (x, kernel)]
    expected = torch.nn.functional.conv1d(*tensors, stride=stride, padding=padding)[0, 0].numpy()
    all_close([signals.cross_correlate1d(x, kernel, stride, padding)], [expected], 1e-12)


@pytest.mark.parametrize("padding", [0, 2, "same", "valid", "full"])
@pytest.mark.parametrize("k", [2, 3])
def test_gradients_of_signals(padding, k):
    rng = np.random.default_rng(k)
    arrays = [rng.normal(size=7), rng.normal(size=k)]
    for stride in (1, 2, 3):
        agrees_with_numeric(
            lambda x, kernel, stride=stride: signals.cross_correlate1d(x, kernel, stride, padding),
            lambda grad, stride=stride: signals.cross_correlate1d_backward(grad, *arrays, stride, padding),
            arrays,
        )
    agrees_with_numeric(
        lambda x, kernel: signals.convolve1d(x, kernel, padding),
        lambda grad: signals.convolve1d_backward(grad, *arrays, padding),
        arrays,
    )


@pytest.mark.parametrize("stride", [1, 2, (3, 2)])
@pytest.mark.parametrize("padding", [0, 1, (2, 1)])
def test_local_layer_is_a_convolution_if_all_kernels_are_equal(stride, padding):
    x, weight, bias = drawn(2)
    expected = conv2d(x, weight, bias, stride, padding)
    size = expected.shape[2:]
    kernels = np.broadcast_to(weight[:, None, None], (8, *size, 4, 3, 2))
    biases = np.broadcast_to(bias[:, None, None], (8, *size))
    all_close([local_conv2d(x, kernels, biases, stride, padding)], [expected])


@pytest.mark.parametrize("stride", [1, 2, (3, 2)])
@pytest.mark.parametrize("padding", [0, 1, (2, 1)])
@pytest.mark.parametrize("tile", [(1, 1), (2, 3), (20, 30)])
def test_tiled_layer_is_a_local_one_whose_kernels_repeat(stride, padding, tile):
    rng = np.random.default_rng(4)
    x, weight, bias = (
        rng.normal(size=(2, 3, 6, 7)),
        rng.normal(size=(2, *tile, 3, 3, 2)),
        rng.normal(size=(2, *tile)),
    )
    size = conv2d(x, weight[:, 0, 0], None, stride, padding).shape[2:]
    rows, columns = np.arange(size[0])[:, None] % tile[0], np.arange(size[1]) % tile[1]
    expected = local_conv2d(x, weight[:, rows, columns], bias[:, rows, columns], stride, padding)
    all_close([tiled_conv2d(x, weight, bias, stride, padding)], [expected])


@pytest.mark.parametrize("stride", [1, (2, 3)])
@pytest.mark.parametrize("padding", [0, (2, 1)])
def test_gradients_of_local_and_tiled_layers(stride, padding):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(2, 2, 5, 4))
    size = conv2d(x, np.zeros((1, 2, 3, 2)), None, stride, padding).shape[2:]
    layers = ((local_conv2d, local_conv2d_backward, size), (tiled_conv2d, tiled_conv2d_backward, (2, 3)))
    for forward, backward, kernels in layers:
        arrays = [x, rng.normal(size=(2, *kernels, 2, 3, 2)), rng.normal(size=(2, *kernels))]
        agrees_with_numeric(
            lambda *values, f=forward: f(*values, stride, padding),
            lambda grad, b=backward, a=arrays: b(grad, a[0], a[1], stride, padding),
            arrays,
        )


@pytest.mark.parametrize("setting", [{"stride": s, "padding": p} for s in (1, 2, (1, 3)) for p in (0, 1, 2)])
def test_depthwise_separable_is_two_convolutions_of_torch(setting):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(7)
    arrays = [rng.normal(size=size) for size in ((2, 3, 7, 6), (6, 1, 3, 2), (5, 6, 1, 1), (5,))]
    x, depthwise, pointwise, bias = tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    middle = torch.nn.functional.conv2d(x, depthwise, groups=3, **setting)
    out = torch.nn.functional.conv2d(middle, pointwise, bias)
    grad_out = rng.normal(size=out.shape)
    out.backward(torch.tensor(grad_out))
    all_close([depthwise_conv2d(*arrays[:2], **setting)], [middle.detach().numpy()])
    all_close([depthwise_separable_conv2d(*arrays, **setting)], [out.detach().numpy()])
    got = depthwise_separable_conv2d_backward(grad_out, *arrays[:3], **setting)
    all_close(got, [tensor.grad.numpy() for tensor in tensors])
    (grad_middle,) = torch.autograd.grad(
        torch.nn.functional.conv2d(middle, pointwise, bias), middle, torch.tensor(grad_out)
    )
    got = depthwise_conv2d_backward(grad_middle.numpy(), *arrays[:2], **setting)
    all_close(got, [x.grad.numpy(), depthwise.grad.numpy()])


@pytest.mark.parametrize("stride", [1, 2, (1, 3)])
@pytest.mark.parametrize("padding", [0, (2, 1)])
def test_column_then_row_is_their_outer_product(stride, padding):
    x, rng = drawn(2)[0], np.random.default_rng(1)
    column, row = rng.normal(size=3), rng.normal(size=2)
    kernels = np.broadcast_to(np.outer(column, row), (4, 1, 3, 2))
    expected = depthwise_conv2d(x, kernels, stride, padding)
    all_close([spatially_separable_conv2d(x, column, row, stride, padding)], [expected])


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_channel_shuffle(groups):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(2, 6, 3, 2))
    shuffled = channel_shuffle(x, groups)
    expected = torch.nn.functional.channel_shuffle(torch.tensor(x), groups).numpy()
    np.testing.assert_array_equal(shuffled, expected)
    np.testing.assert_array_equal(channel_shuffle_backward(shuffled, groups), x)


@pytest.mark.parametrize("setting", SETTINGS[::6], ids=str)
def test_gradients_against_numeric_ones(setting):
    """A second opinion that needs no torch."""
    rng = np.random.default_rng(9)
    groups = setting["groups"]
    x, weight = rng.normal(size=(2, 4, 5, 6)), rng.normal(size=(4, 4 // groups, 2, 2))
    agrees_with_numeric(
        lambda *arrays: conv2d(*arrays, **setting),
        lambda grad: conv2d_backward(grad, x, weight, **setting),
        [x, weight, rng.normal(size=4)],
    )
    y = rng.normal(size=(1, 4, 3, 4))
    agrees_with_numeric(
        lambda *arrays: conv_transpose2d(*arrays, **setting),
        lambda grad: conv_transpose2d_backward(grad, y, weight, **setting),
        [y, weight, rng.normal(size=4)],
    )


def test_inputs_are_not_changed():
    rng = np.random.default_rng(0)
    x, weight, bias = drawn(2)
    grad = rng.normal(size=(2, 8, 9, 12))
    arrays = [x, weight, bias, grad]
    kept = [array.copy() for array in arrays]
    conv2d(x, weight, bias, padding=1)
    correlate_grad_x(grad, weight, x.shape[2:], slide2d(padding=1))
    correlate_grad_weight(grad, x, (3, 2), slide2d(padding=1))
    conv_transpose2d(grad, weight, rng.normal(size=4))
    channel_shuffle(x, 2)
    for array, before in zip(arrays, kept, strict=True):
        np.testing.assert_array_equal(array, before)


X = np.zeros((1, 8, 5, 5))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: conv2d(X, np.zeros((4, 2, 3, 3)), groups=3),
            r"groups \(=3\) must divide in_channels \(=8\)",
        ),
        (
            lambda: conv2d(X, np.zeros((6, 2, 3, 3)), groups=4),
            r"groups \(=4\) must divide out_channels \(=6\)",
        ),
        (lambda: conv2d(X, np.zeros((4, 8, 3, 3)), groups=2), r"weight is for 16 input channels .*groups=2"),
        (lambda: conv2d(X[0], np.zeros((4, 8, 3, 3))), r"x has shape \(8, 5, 5\) .* both need 4 axes"),
        (lambda: conv2d(X, np.zeros((4, 8, 3, 3)), dilation=3), "the kernel covers 7 pixels"),
        (lambda: conv2d(X, np.zeros((4, 8, 3, 3)), np.zeros(3)), r"bias has shape \(3,\); 4 output channels"),
        (
            lambda: correlate_grad_x(np.zeros((1, 4, 5, 5)), np.zeros((4, 8, 3, 3)), (5, 5), slide2d()),
            r"grad_out has shape \(1, 4, 5, 5\); .* \(1, 4, 3, 3\)",
        ),
        (
            lambda: conv_transpose2d(X, np.zeros((8, 4, 3, 3)), stride=2, output_padding=2),
            r"output_padding \(=2\) .* stride \(=2\)",
        ),
        (lambda: conv_transpose2d(X, np.zeros((4, 8, 3, 3))), "weight is for 4 input channels"),
        (lambda: conv_transpose2d(X, np.zeros((8, 4, 1, 1)), padding=3), r"padding \(=3\) leaves nothing"),
        (
            lambda: conv_transpose2d_backward(np.zeros((1, 4, 5, 5)), X, np.zeros((8, 4, 3, 3))),
            r"grad_out has shape",
        ),
        (lambda: conv3d(X[None], np.zeros((1, 1, 2, 2, 2)), stride=(1, 2)), r"stride \(=\(1, 2\)\) must be"),
        (lambda: local_conv2d(X, np.zeros((2, 5, 5, 8, 3, 3))), r"kernels for \(5, 5\) places; .* \(3, 3\)"),
        (lambda: local_conv2d(X, np.zeros((2, 3, 3, 4, 3, 3))), "weight is for 4 input channels"),
        (lambda: tiled_conv2d(X, np.zeros((2, 2, 2, 8, 3, 3)), np.zeros(2)), r"bias has shape \(2,\)"),
        (lambda: channel_shuffle(X, 3), r"groups \(=3\) must divide"),
        (lambda: col2im(np.zeros((1, 9, 8)), (5, 5), 3), r"columns has shape \(1, 9, 8\)"),
        (lambda: signals.cross_correlate1d(X, np.ones(3)), "a signal has one axis"),
        (lambda: signals.cross_correlate1d(np.ones(3), np.ones(4)), "the kernel covers 4 pixels"),
        (lambda: signals.cross_correlate1d(np.ones(3), np.ones(2), padding="all"), r"padding \(='all'\)"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
