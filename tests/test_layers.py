"""The layers against torch, against plain loops, and against their own shapes."""

import numpy as np
import pytest

from cnncourse.checking import exercise_ids, load
from cnncourse.layers.conv import conv2d, im2col, pad2d, windows2d
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


def test_the_dtype_stays():
    x, weight, bias = layer(np.float32)
    assert conv2d(x, weight, bias, padding=1).dtype == np.float32


def test_inputs_are_not_changed():
    arrays = layer()
    before = [array.copy() for array in arrays]
    conv2d(*arrays, stride=2, padding=1)
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


@pytest.mark.parametrize("exercise_id", exercise_ids())
def test_taught_solutions_equal_the_library(exercise_id):
    exercise = load(exercise_id)
    assert exercise.reference is not None
    for case in exercise.cases(np.random.default_rng(9)):
        taught, library = exercise.solution(**case.arguments), exercise.reference(**case.arguments)
        if isinstance(library, dict):
            assert taught == library
        else:
            np.testing.assert_allclose(taught, library, atol=1e-12)
