"""The layers against torch, against plain loops, and against their own shapes."""

import numpy as np
import pytest

from cnncourse.checking import exercise_ids, load
from cnncourse.layers.conv import conv2d, conv2d_backward, im2col, pad2d, windows2d
from cnncourse.layers.layout import nchw_to_nhwc, nhwc_to_nchw

SETTINGS = [
    {"stride": 1, "padding": 0},
    {"stride": 2, "padding": 1},
    {"stride": (3, 2), "padding": (0, 2)},
    {"stride": (1, 4), "padding": (2, 1)},
]


def layer(dtype=np.float64):
    rng = np.random.default_rng(5)
    x, weight, bias = rng.normal(size=(2, 3, 8, 11)), rng.normal(size=(4, 3, 3, 2)), rng.normal(size=4)
    return x.astype(dtype), weight.astype(dtype), bias.astype(dtype)


@pytest.mark.parametrize("setting", SETTINGS)
def test_conv2d_and_im2col_agree_with_torch(setting):
    torch = pytest.importorskip("torch")
    x, weight, bias = layer()
    tensors = [torch.tensor(value) for value in (x, weight, bias)]
    np.testing.assert_allclose(
        conv2d(x, weight, bias, **setting),
        torch.nn.functional.conv2d(*tensors, **setting).numpy(),
        atol=1e-12,
    )
    unfolded = torch.nn.functional.unfold(tensors[0], (3, 2), **setting).numpy()
    np.testing.assert_array_equal(im2col(x, (3, 2), **setting), unfolded)


@pytest.mark.parametrize("setting", SETTINGS)
def test_conv2d_agrees_with_the_definition(setting):
    x, weight, _ = layer()
    (s_h, s_w), (p_h, p_w) = ((v, v) if isinstance(v, int) else v for v in setting.values())
    out = conv2d(x, weight, **setting)
    padded = np.zeros((2, 3, 8 + 2 * p_h, 11 + 2 * p_w))
    padded[:, :, p_h : p_h + 8, p_w : p_w + 11] = x
    for n, c, i, j in np.ndindex(out.shape):
        window = padded[n, :, i * s_h : i * s_h + 3, j * s_w : j * s_w + 2]
        assert out[n, c, i, j] == pytest.approx((window * weight[c]).sum(), abs=1e-12)


@pytest.mark.parametrize("setting", SETTINGS)
def test_gradients_of_conv2d_agree_with_torch(setting):
    torch = pytest.importorskip("torch")
    x, weight, bias = layer()
    tensors = [torch.tensor(value, requires_grad=True) for value in (x, weight, bias)]
    out = torch.nn.functional.conv2d(*tensors, **setting)
    grad_out = np.random.default_rng(6).normal(size=out.shape)
    out.backward(torch.tensor(grad_out))
    for ours, tensor in zip(conv2d_backward(grad_out, x, weight, **setting), tensors, strict=True):
        np.testing.assert_allclose(ours, tensor.grad.numpy(), atol=1e-11)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(("groups", "dilation"), [(2, 1), (1, (1, 3)), (4, 2)])
def test_gradients_of_grouped_and_dilated_conv2d_agree_with_torch(setting, groups, dilation):
    torch = pytest.importorskip("torch")
    rng, setting = np.random.default_rng(5), {**setting, "groups": groups, "dilation": dilation}
    x, weight = rng.normal(size=(2, 4, 8, 11)), rng.normal(size=(8, 4 // groups, 3, 2))
    tensors = [torch.tensor(value, requires_grad=True) for value in (x, weight)]
    out = torch.nn.functional.conv2d(*tensors, **setting)
    np.testing.assert_allclose(conv2d(x, weight, **setting), out.detach().numpy(), atol=1e-12)
    grad_out = rng.normal(size=out.shape)
    out.backward(torch.tensor(grad_out))
    *found, grad_bias = conv2d_backward(grad_out, x, weight, **setting)
    for ours, tensor in zip(found, tensors, strict=True):
        np.testing.assert_allclose(ours, tensor.grad.numpy(), atol=1e-11)
    np.testing.assert_allclose(grad_bias, grad_out.sum(axis=(0, 2, 3)), atol=1e-11)


@pytest.mark.parametrize("setting", SETTINGS)
def test_gradients_of_conv2d_agree_with_differences(setting):
    """A convolution is linear in each argument, so that central differences are exact up to rounding."""
    arguments = layer()
    arguments = (arguments[0][:1], *arguments[1:])
    grad_out = np.random.default_rng(6).normal(size=conv2d(*arguments, **setting).shape)
    for place, found in enumerate(conv2d_backward(grad_out, *arguments[:2], **setting)):
        for at in list(np.ndindex(found.shape))[::7]:
            up, down = [[value.copy() for value in arguments] for _ in range(2)]
            up[place][at] += 0.5
            down[place][at] -= 0.5
            change = ((conv2d(*up, **setting) - conv2d(*down, **setting)) * grad_out).sum()
            assert found[at] == pytest.approx(change, abs=1e-11)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1])
def test_gradients_of_conv2d_are_convolutions(stride, padding):
    """The input's: flipped kernels slide over the spread gradient. The kernel's: the spread gradient slides, unflipped."""
    x, weight, _ = layer()
    grad_out = np.random.default_rng(6).normal(size=conv2d(x, weight, None, stride, padding).shape)
    grad_x, grad_weight, _ = conv2d_backward(grad_out, x, weight, stride, padding)

    N, C_out, h_out, w_out = grad_out.shape
    padded = pad2d(x, padding)
    spread = np.zeros((N, C_out, padded.shape[2] - 3 + 1, padded.shape[3] - 2 + 1))
    spread[:, :, : stride * h_out : stride, : stride * w_out : stride] = grad_out
    flipped = weight[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    full = conv2d(np.pad(spread, ((0, 0), (0, 0), (2, 2), (1, 1))), flipped)
    np.testing.assert_allclose(grad_x, full[:, :, padding : 8 + padding, padding : 11 + padding], atol=1e-11)
    slid = conv2d(padded.transpose(1, 0, 2, 3), spread.transpose(1, 0, 2, 3)).transpose(1, 0, 2, 3)
    np.testing.assert_allclose(grad_weight, slid, atol=1e-11)


def test_the_dtype_stays():
    x, weight, bias = layer(np.float32)
    out = conv2d(x, weight, bias, padding=1)
    assert {array.dtype for array in (out, *conv2d_backward(out, x, weight, padding=1))} == {
        np.dtype(np.float32)
    }


def test_inputs_are_not_changed():
    arrays = layer()
    before = [array.copy() for array in arrays]
    out = conv2d(*arrays, stride=2, padding=1)
    conv2d_backward(out, *arrays[:2], stride=2, padding=1)
    im2col(arrays[0], (3, 2), padding=1)
    for array, kept in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, kept)


def test_windows_are_a_view():
    x = np.arange(60.0).reshape(1, 1, 6, 10)
    windows = windows2d(x, (2, 3), stride=(2, 3))
    assert windows.shape == (1, 1, 3, 3, 2, 3)
    assert np.shares_memory(windows, x)


def test_layouts_are_each_others_inverse():
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    np.testing.assert_array_equal(nhwc_to_nchw(nchw_to_nhwc(x)), x)
    assert np.shares_memory(nchw_to_nhwc(x), x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: conv2d(np.zeros((1, 3, 4, 4)), np.zeros((1, 2, 2, 2))), "weight is for 2 input channels"),
        (lambda: conv2d(np.zeros((1, 1, 2, 4)), np.zeros((1, 1, 3, 3))), r"covers 3 pixels \(kernel_size=3"),
        (
            lambda: conv2d(np.zeros((1, 1, 4, 4)), np.zeros((1, 1, 2, 2)), stride=0),
            r"stride \(=0\) must be at least 1",
        ),
        (
            lambda: conv2d_backward(np.zeros((1, 1, 2, 2)), np.zeros((1, 1, 4, 4)), np.zeros((1, 1, 2, 2))),
            r"grad_out has shape \(1, 1, 2, 2\); the output of this convolution has \(1, 1, 3, 3\)",
        ),
        (lambda: pad2d(np.zeros((1, 1, 4, 4)), -1), r"padding \(=-1\) must be at least 0"),
        (
            lambda: pad2d(np.zeros((1, 1, 4, 4)), (1, 2, 3)),
            r"padding \(=\(1, 2, 3\)\) must be an int or a pair",
        ),
        (lambda: nhwc_to_nchw(np.zeros((4, 4, 3))), r"x has shape \(4, 4, 3\)"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


WITH_REFERENCE = [name for name in exercise_ids() if load(name).reference is not None]


@pytest.mark.parametrize("exercise_id", WITH_REFERENCE)
def test_taught_solutions_equal_the_library(exercise_id):
    exercise = load(exercise_id)
    for case in exercise.cases(np.random.default_rng(9)):
        taught, library = exercise.solution(**case.arguments), exercise.reference(**case.arguments)
        if isinstance(library, dict):
            assert taught == library
            continue
        for ours, theirs in zip(arrays(taught), arrays(library), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-12)


def arrays(result):
    """Yield the arrays of a result, which may be one, or some in tuples and lists."""
    if isinstance(result, tuple | list):
        for part in result:
            yield from arrays(part)
    else:
        yield result
