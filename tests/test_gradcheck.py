"""Numeric gradients against gradients known in closed form, and what the check says of wrong ones."""

import numpy as np
import pytest

from cnncourse.gradcheck import gradient_errors, numeric_gradient, relative_error
from cnncourse.layers.conv import conv2d, conv2d_backward


@pytest.mark.parametrize(
    ("function", "gradient"),
    [
        (lambda x: np.sum(x**3), lambda x: 3 * x**2),
        (lambda x: np.prod(x), lambda x: np.prod(x) / x),
        (
            lambda x: np.exp(x).sum() * x[0, 0],
            lambda x: np.exp(x) * x[0, 0] + np.exp(x).sum() * (x == x[0, 0]),
        ),
    ],
)
def test_agrees_with_the_closed_form(function, gradient):
    x = np.random.default_rng(0).normal(size=(2, 3))
    np.testing.assert_allclose(numeric_gradient(function, x), gradient(x), rtol=1e-8, atol=1e-9)


def test_a_step_too_small_is_as_bad_as_one_too_large():
    x = np.array([1.3])
    errors = {
        step: relative_error(numeric_gradient(lambda v: np.sin(v).sum(), x, step), np.cos(x))
        for step in (1e-1, 1e-5, 1e-13)
    }
    assert errors[1e-5] < 1e-9 < 1e-4 < min(errors[1e-1], errors[1e-13])


def test_whole_numbers_and_float32_are_moved_in_float64():
    for dtype in (int, np.float32):
        got = numeric_gradient(lambda x: (x * x).sum(), np.arange(3).astype(dtype))
        np.testing.assert_allclose(got, [0, 2, 4], atol=1e-9)


def test_the_point_stays_and_the_function_may_do_what_it_likes_with_its_copy():
    x = np.array([1.0, 2.0])

    def careless(v):
        v *= 2
        return v.sum()

    np.testing.assert_allclose(numeric_gradient(careless, x), [2, 2])
    np.testing.assert_array_equal(x, [1, 2])


def test_right_and_wrong_gradients_are_told_apart():
    rng = np.random.default_rng(1)
    arrays = [rng.normal(size=(2, 2, 5, 4)), rng.normal(size=(3, 2, 3, 2)), rng.normal(size=3)]

    def forward(x, weight, bias):
        return conv2d(x, weight, bias, stride=2, padding=1)

    def backward(grad):
        return conv2d_backward(grad, *arrays[:2], stride=2, padding=1)

    def flipped(grad):
        return backward(grad)[0], backward(grad)[1][:, :, ::-1, ::-1], backward(grad)[2] / 2

    assert max(gradient_errors(forward, backward, arrays, rng)) < 1e-8
    errors = gradient_errors(forward, flipped, arrays, rng)
    assert errors[0] < 1e-8
    assert min(errors[1:]) > 0.1


def test_relative_error_of_zeros_is_zero():
    assert relative_error(np.zeros(3), np.zeros(3)) == 0.0
    assert relative_error(np.zeros(3), np.array([0, 1e-30, 0])) == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: numeric_gradient(lambda x: x, np.ones(3)), r"returned an array of shape \(3,\)"),
        (lambda: relative_error(np.ones(3), np.ones((1, 3))), r"the gradient has shape \(3,\)"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
