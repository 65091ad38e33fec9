"""Activation functions and their gradients against torch and against numeric gradients."""

import numpy as np
import pytest

from cnncourse.gradcheck import gradient_errors
from cnncourse.layers import activation, gated

# Ours, and torch.nn.functional's with its further arguments.
PAIRS = {
    "sigmoid": (activation, "sigmoid", {}),
    "tanh": (activation, "tanh", {}),
    "relu": (activation, "relu", {}),
    "leaky_relu": (activation, "leaky_relu", {}),
    "relu6": (activation, "relu6", {}),
    "swish": (gated, "silu", {}),
    "h_swish": (gated, "hardswish", {}),
    "gelu_tanh": (gated, "gelu", {"approximate": "tanh"}),
    "mish": (gated, "mish", {}),
}
KINKS = np.array([-3.0, 0.0, 3.0, 6.0])
FAR = np.array([-800.0, -90.0, -20.0, 20.0, 90.0, 800.0])


def ours(name):
    module = PAIRS[name][0]
    return getattr(module, name), getattr(module, f"{name}_backward")


def inputs():
    return np.random.default_rng(0).normal(scale=4, size=(2, 3, 5, 4))


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("x", [inputs(), FAR, np.arange(-7, 9)], ids=["drawn", "far out", "whole numbers"])
def test_values_and_gradients_agree_with_torch(name, x):
    torch = pytest.importorskip("torch")
    forward, backward = ours(name)
    _, theirs, setting = PAIRS[name]
    tensor = torch.tensor(x.astype(float), requires_grad=True)
    out = getattr(torch.nn.functional, theirs)(tensor, **setting)
    np.testing.assert_allclose(forward(x), out.detach().numpy(), rtol=1e-12, atol=1e-15)
    grad_out = np.random.default_rng(1).normal(size=x.shape)
    out.backward(torch.tensor(grad_out))
    smooth = ~np.isin(x, KINKS) if name in ("relu6", "h_swish") else np.ones(x.shape, bool)
    got, expected = backward(grad_out, x), tensor.grad.numpy()
    np.testing.assert_allclose(got[smooth], expected[smooth], rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("name", PAIRS)
def test_gradients_agree_with_numeric_ones(name):
    forward, backward = ours(name)
    x = inputs()
    (error,) = gradient_errors(forward, lambda grad: [backward(grad, x)], [x], np.random.default_rng(2))
    assert error < 1e-7


@pytest.mark.parametrize("slope", [0.01, 0.2, 1.5])
def test_leaky_relu_with_other_slopes(slope):
    torch = pytest.importorskip("torch")
    x = torch.tensor(inputs(), requires_grad=True)
    out = torch.nn.functional.leaky_relu(x, slope)
    out.sum().backward()
    np.testing.assert_allclose(activation.leaky_relu(inputs(), slope), out.detach().numpy(), atol=1e-14)
    got = activation.leaky_relu_backward(np.ones(x.shape), inputs(), slope)
    np.testing.assert_allclose(got, x.grad.numpy(), atol=1e-14)


def test_swish_with_a_large_beta_is_nearly_relu():
    x = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(gated.swish(x, beta=1e4), activation.relu(x), atol=1e-4)
    (error,) = gradient_errors(
        lambda v: gated.swish(v, 1.7),
        lambda grad: [gated.swish_backward(grad, x, 1.7)],
        [x],
        np.random.default_rng(0),
    )
    assert error < 1e-7


def test_the_tanh_form_is_near_gelu_and_is_not_it():
    torch = pytest.importorskip("torch")
    x = np.linspace(-6, 6, 1001)
    exact = torch.nn.functional.gelu(torch.tensor(x)).numpy()
    assert 1e-4 < np.abs(gated.gelu_tanh(x) - exact).max() < 5e-4


@pytest.mark.parametrize("name", PAIRS)
def test_what_comes_in_decides_the_dtype_and_is_not_changed(name):
    forward, backward = ours(name)
    x = inputs().astype(np.float32)
    kept, grad = x.copy(), np.ones_like(x)
    assert forward(x).dtype == backward(grad, x).dtype == np.float32
    np.testing.assert_array_equal(x, kept)
    np.testing.assert_array_equal(grad, 1)
    assert forward(x.astype(int)).dtype == np.float64


@pytest.mark.parametrize("name", PAIRS)
def test_float32_agrees_with_float64(name):
    forward, backward = ours(name)
    x = np.concatenate([inputs().ravel(), FAR / 10])
    narrow = x.astype(np.float32)
    np.testing.assert_allclose(forward(narrow), forward(narrow.astype(float)), rtol=2e-5, atol=1e-6)
    grad = np.ones_like(narrow)
    np.testing.assert_allclose(backward(grad, narrow), backward(grad, narrow.astype(float)), atol=1e-5)


def test_h_swish_passes_all_or_nothing_of_the_gradient_far_from_zero():
    far = np.array([-np.inf, -1e300, 1e300, np.inf])
    assert gated.h_swish_backward(np.full(4, 2.0), far).tolist() == [0, 0, 2, 2]
