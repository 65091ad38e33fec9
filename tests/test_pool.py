"""Pooling against torch, against numeric gradients, and against what a definition says."""

import numpy as np
import pytest

from cnncourse.gradcheck import numeric_gradient
from cnncourse.layers import adaptive_pool, pool, stochastic_pool
from cnncourse.layers.adaptive_pool import (
    adaptive_avg_pool2d,
    adaptive_avg_pool2d_backward,
    adaptive_max_pool2d,
    adaptive_max_pool2d_backward,
    spatial_pyramid_pool,
    spatial_pyramid_pool_backward,
)
from cnncourse.layers.pool import (
    avg_pool2d,
    avg_pool2d_backward,
    global_avg_pool2d,
    global_avg_pool2d_backward,
    lp_pool2d,
    lp_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
)
from cnncourse.layers.stochastic_pool import (
    stochastic_pool2d,
    stochastic_pool2d_backward,
    weighted_pool2d,
    weighted_pool2d_backward,
)

SETTINGS = [  # kernel_size, stride, padding
    (2, None, 0),  # side by side
    (3, 1, 1),  # overlapping
    (3, 2, 0),  # a row and a column are left over
    ((2, 3), (3, 1), (1, 0)),  # not square
    ((1, 4), 3, (0, 2)),
    (4, (1, 3), 2),
]
OUTPUT_SIZES = [1, 2, 3, (5, 2), (8, 11), (9, 13)]


def images(dtype=np.float64, seed=3):
    return np.random.default_rng(seed).normal(size=(2, 3, 8, 11)).astype(dtype)


def differences(function, x, grad_out):
    """The gradient of sum(function(x) * grad_out), by central differences."""
    return numeric_gradient(lambda x: (function(x) * grad_out).sum(), x)


def check_with_torch(theirs, ours, backward, x):
    """Compare values and gradients; `theirs` takes a tensor, `ours` an array, `backward` grad and array."""
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(x, requires_grad=True)
    expected = theirs(torch.nn.functional, tensor)
    np.testing.assert_allclose(ours(x), expected.detach().numpy(), atol=1e-12)
    grad = np.random.default_rng(8).normal(size=expected.shape)
    expected.backward(torch.tensor(grad))
    np.testing.assert_allclose(backward(grad, x), tensor.grad.numpy(), atol=1e-12)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("shift", [0, -5])
def test_max_pool_agrees_with_torch(setting, shift):
    """With -5 all numbers are negative: a frame of zeros would win."""
    check_with_torch(
        lambda functional, x: functional.max_pool2d(x, *setting),
        lambda x: max_pool2d(x, *setting),
        lambda grad, x: max_pool2d_backward(grad, x, *setting),
        images() + shift,
    )


@pytest.mark.parametrize("setting", SETTINGS)
def test_average_pool_agrees_with_torch(setting):
    check_with_torch(
        lambda functional, x: functional.avg_pool2d(x, *setting),
        lambda x: avg_pool2d(x, *setting),
        lambda grad, x: avg_pool2d_backward(grad, x, *setting),
        images(),
    )


@pytest.mark.parametrize("setting", [setting for setting in SETTINGS if setting[2] == 0])
def test_l2_pool_agrees_with_torch(setting):
    kernel_size, stride, _ = setting
    check_with_torch(
        lambda functional, x: functional.lp_pool2d(x, 2, kernel_size, stride),
        lambda x: lp_pool2d(x, 2, kernel_size, stride),
        lambda grad, x: lp_pool2d_backward(grad, x, 2, kernel_size, stride),
        images(),
    )


@pytest.mark.parametrize("output_size", OUTPUT_SIZES)
@pytest.mark.parametrize("kind", ["avg", "max"])
def test_adaptive_pools_agree_with_torch(output_size, kind):
    forward, backward = (getattr(adaptive_pool, f"adaptive_{kind}_pool2d{end}") for end in ("", "_backward"))
    check_with_torch(
        lambda functional, x: getattr(functional, f"adaptive_{kind}_pool2d")(x, output_size),
        lambda x: forward(x, output_size),
        lambda grad, x: backward(grad, x, output_size),
        images(),
    )


def test_global_average_and_pyramid_agree_with_torch():
    check_with_torch(
        lambda functional, x: functional.adaptive_avg_pool2d(x, 1).flatten(1),
        global_avg_pool2d,
        global_avg_pool2d_backward,
        images(),
    )
    torch = pytest.importorskip("torch")
    levels = (3, (1, 2), 1)
    check_with_torch(
        lambda functional, x: torch.cat([functional.adaptive_max_pool2d(x, n).flatten(1) for n in levels], 1),
        lambda x: spatial_pyramid_pool(x, levels),
        lambda grad, x: spatial_pyramid_pool_backward(grad, x, levels),
        images(),
    )


GRADIENTS = {
    "max": (max_pool2d, max_pool2d_backward, (3, 2, 1)),
    "average": (avg_pool2d, avg_pool2d_backward, ((2, 3), 1, 1)),
    "L1": (lambda x, *s: lp_pool2d(x, 1, *s), lambda g, x, *s: lp_pool2d_backward(g, x, 1, *s), (3, 2, 1)),
    "L2": (lambda x, *s: lp_pool2d(x, 2, *s), lambda g, x, *s: lp_pool2d_backward(g, x, 2, *s), (2, 1, 1)),
    "L3.5": (lambda x, *s: lp_pool2d(x, 3.5, *s), lambda g, x, *s: lp_pool2d_backward(g, x, 3.5, *s), (3, 2)),
    "global": (global_avg_pool2d, global_avg_pool2d_backward, ()),
    "adaptive average": (adaptive_avg_pool2d, adaptive_avg_pool2d_backward, ((3, 2),)),
    "adaptive maximum": (adaptive_max_pool2d, adaptive_max_pool2d_backward, ((3, 2),)),
    "pyramid": (spatial_pyramid_pool, spatial_pyramid_pool_backward, ((3, 1),)),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_agree_with_differences(name):
    forward, backward, setting = GRADIENTS[name]
    x = images()[:1, :2, :5, :6]
    grad = np.random.default_rng(1).normal(size=forward(x, *setting).shape)
    expected = differences(lambda x: forward(x, *setting), x, grad)
    np.testing.assert_allclose(backward(grad, x, *setting), expected, atol=1e-7)


@pytest.mark.parametrize("setting", SETTINGS)
def test_of_tied_maxima_one_gets_all(setting):
    """Each window's gradient, sent alone, arrives whole at a single pixel that is a maximum of that window."""
    x = np.random.default_rng(4).integers(0, 2, size=(1, 1, 8, 11)).astype(float)
    out = max_pool2d(x, *setting)
    for at in np.ndindex(out.shape):
        grad = np.zeros_like(out)
        grad[at] = 3
        sent = max_pool2d_backward(grad, x, *setting)
        assert np.count_nonzero(sent) == 1
        assert sent.sum() == 3
        assert x[sent != 0] == out[at]
    sent = max_pool2d_backward(np.ones_like(out), np.zeros_like(x), *setting)
    assert sent.sum() == out.size  # nothing lost in the frame


def test_l2_pool_of_zeros_has_gradient_zero():
    x = np.zeros((1, 1, 2, 4))
    assert not lp_pool2d_backward(np.ones((1, 1, 1, 2)), x, 2, 2).any()


def test_large_power_comes_near_to_the_maximum():
    x = images()
    np.testing.assert_allclose(lp_pool2d(x, 60, 2), max_pool2d(np.abs(x), 2), rtol=0.03)


def test_whole_numbers_are_taken():
    x = np.random.default_rng(2).integers(-9, 0, size=(1, 2, 5, 6))
    np.testing.assert_array_equal(max_pool2d(x, 3, 2, 1), max_pool2d(x.astype(float), 3, 2, 1))
    np.testing.assert_array_equal(avg_pool2d(x, 3, 2, 1), avg_pool2d(x.astype(float), 3, 2, 1))
    np.testing.assert_allclose(adaptive_avg_pool2d(x, 2), adaptive_avg_pool2d(x.astype(float), 2))


def test_the_dtype_stays():
    x = images(np.float32)
    for name in ("max_pool2d", "avg_pool2d"):
        out = getattr(pool, name)(x, 3, 2, 1)
        assert out.dtype == getattr(pool, f"{name}_backward")(out, x, 3, 2, 1).dtype == np.float32
    assert lp_pool2d(x, 2, 2).dtype == adaptive_avg_pool2d(x, 3).dtype == np.float32
    assert adaptive_max_pool2d(x, 3).dtype == global_avg_pool2d(x).dtype == np.float32


def test_inputs_are_not_changed():
    x = np.abs(images())
    before = x.copy()
    for forward, backward, setting in GRADIENTS.values():
        out = forward(x, *setting)
        kept = out.copy()
        backward(out, x, *setting)
        np.testing.assert_array_equal(out, kept)
    stochastic_pool2d(x, 2, np.random.default_rng(0))
    weighted_pool2d_backward(weighted_pool2d(x, 2), x, 2)
    np.testing.assert_array_equal(x, before)


def test_a_pyramid_is_as_long_for_any_image_that_is_not_empty():
    for height, width in ((1, 1), (3, 2), (13, 13), (24, 7)):
        assert spatial_pyramid_pool(np.zeros((2, 5, height, width)), (4, 2, 1)).shape == (2, 105)


def test_stochastic_pool_draws_in_proportion():
    """20,000 windows with the same four numbers; three standard deviations of a share are at most 0.0107."""
    x = np.tile([[1.0, 2.0], [0.0, 5.0]], (1, 1, 100, 200))
    out, places = stochastic_pool2d(x, 2, np.random.default_rng(0))
    shares = np.bincount(places.ravel(), minlength=4) / places.size
    np.testing.assert_allclose(shares, [1 / 8, 2 / 8, 0, 5 / 8], atol=0.0107)
    assert shares[2] == 0
    np.testing.assert_array_equal(out, np.array([1.0, 2.0, 0.0, 5.0])[places])
    np.testing.assert_allclose(weighted_pool2d(x, 2), 30 / 8)
    assert out.mean() == pytest.approx(30 / 8, abs=0.04)


def test_stochastic_pool_is_decided_by_its_generator():
    x = np.abs(images())
    first, again, other = (stochastic_pool2d(x, (2, 3), np.random.default_rng(s), 1)[1] for s in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(("kernel_size", "stride"), [(2, None), ((2, 3), 1), (3, (2, 1))])
def test_what_was_drawn_gets_the_gradient(kernel_size, stride):
    x = np.abs(images())
    out, places = stochastic_pool2d(x, kernel_size, np.random.default_rng(1), stride)
    grad = np.random.default_rng(2).normal(size=out.shape)

    def drawn(x):
        windows = list(stochastic_pool.places2d(x, kernel_size, kernel_size if stride is None else stride))
        return np.choose(places, windows)

    np.testing.assert_array_equal(drawn(x), out)
    expected = differences(drawn, x, grad)
    np.testing.assert_allclose(
        stochastic_pool2d_backward(grad, x, places, kernel_size, stride), expected, atol=1e-7
    )
    expected = differences(lambda x: weighted_pool2d(x, kernel_size, stride), x, grad)
    np.testing.assert_allclose(weighted_pool2d_backward(grad, x, kernel_size, stride), expected, atol=1e-6)


def test_a_window_of_zeros_is_zero():
    x = np.zeros((1, 1, 2, 2))
    assert stochastic_pool2d(x, 2, np.random.default_rng(0))[0] == weighted_pool2d(x, 2) == 0
    assert not weighted_pool2d_backward(np.ones((1, 1, 1, 1)), x, 2).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: max_pool2d(x, 3, 1, 2), r"padding \(=2\) must be at most half of kernel_size \(=3\)"),
        (lambda x: avg_pool2d(x, (2, 4), 1, 2), r"padding \(=2\) must be at most half of kernel_size"),
        (lambda x: max_pool2d(x, 9), r"covers 9 pixels \(kernel_size=9"),
        (lambda x: avg_pool2d(x, 2, 0), r"stride \(=0\) must be at least 1"),
        (lambda x: lp_pool2d(x, 0.5, 2), r"norm_type \(=0.5\) must be at least 1"),
        (
            lambda x: max_pool2d_backward(x, x, 2),
            r"grad_out has shape \(2, 3, 8, 11\); .* has \(2, 3, 4, 5\)",
        ),
        (lambda x: avg_pool2d_backward(x, x, 2), r"grad_out has shape \(2, 3, 8, 11\)"),
        (lambda x: global_avg_pool2d_backward(x, x), r"the output of this pooling has \(2, 3\)"),
        (lambda x: stochastic_pool2d(x, 2, np.random.default_rng(0)), "x holds -3.*not negative"),
        (lambda x: weighted_pool2d(x, 2), "x holds -3.*not negative"),
        (lambda x: adaptive_max_pool2d(x, 0), r"output_size \(=0\) must be at least 1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(images())
