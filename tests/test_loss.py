"""The dense layer, losses and initialisers against torch, numeric gradients and statistics."""

import numpy as np
import pytest

from cnncourse.gradcheck import gradient_errors
from cnncourse.layers import init
from cnncourse.layers.linear import linear, linear_backward
from cnncourse.layers.loss import (
    cross_entropy,
    cross_entropy_backward,
    log_softmax,
    mse,
    mse_backward,
    softmax,
)


def test_linear_agrees_with_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=size) for size in ((5, 4), (3, 4), (3,))]
    tensors = [torch.tensor(value, requires_grad=True) for value in arrays]
    out = torch.nn.functional.linear(*tensors)
    np.testing.assert_allclose(linear(*arrays), out.detach().numpy(), atol=1e-13)
    grad_out = rng.normal(size=(5, 3))
    out.backward(torch.tensor(grad_out))
    for got, tensor in zip(linear_backward(grad_out, *arrays[:2]), tensors, strict=True):
        np.testing.assert_allclose(got, tensor.grad.numpy(), atol=1e-13)
    errors = gradient_errors(linear, lambda grad: linear_backward(grad, *arrays[:2]), arrays, rng)
    assert max(errors) < 1e-8


@pytest.mark.parametrize("shape", [(6, 5), (1, 3), (2, 4, 3, 2)])
@pytest.mark.parametrize("size", [1, 1000])
def test_cross_entropy_agrees_with_torch(shape, size):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    scores, labels = rng.normal(0, size, shape), rng.integers(0, shape[1], (shape[0], *shape[2:]))
    tensor = torch.tensor(scores, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(tensor, torch.tensor(labels))
    loss.backward()
    assert cross_entropy(scores, labels) == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(cross_entropy_backward(scores, labels), tensor.grad.numpy(), atol=1e-14)
    np.testing.assert_allclose(softmax(scores), torch.softmax(tensor, 1).detach().numpy(), atol=1e-14)
    np.testing.assert_allclose(log_softmax(scores), torch.log_softmax(tensor, 1).detach().numpy(), atol=1e-10)


def test_gradients_of_losses_agree_with_numeric_ones():
    rng = np.random.default_rng(2)
    scores, labels, target = rng.normal(size=(4, 3)), rng.integers(0, 3, 4), rng.normal(size=(4, 3))
    both = (
        (
            lambda s: np.array(cross_entropy(s, labels)),
            lambda g: [g * cross_entropy_backward(scores, labels)],
        ),
        (lambda s: np.array(mse(s, target)), lambda g: [g * mse_backward(scores, target)]),
    )
    for forward, backward in both:
        assert max(gradient_errors(forward, backward, [scores], rng)) < 1e-8


def test_mse_agrees_with_torch():
    torch = pytest.importorskip("torch")
    prediction, target = np.random.default_rng(0).normal(size=(2, 4, 3, 2))
    tensor = torch.tensor(prediction, requires_grad=True)
    loss = torch.nn.functional.mse_loss(tensor, torch.tensor(target))
    loss.backward()
    assert mse(prediction, target) == pytest.approx(loss.item(), rel=1e-13)
    np.testing.assert_allclose(mse_backward(prediction, target), tensor.grad.numpy(), atol=1e-15)


@pytest.mark.parametrize("shape", [(8, 3, 5, 3), (10, 84), (6, 1, 3, 3), (4, 2, 7)])
def test_fans_and_deviations_agree_with_torch(shape):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.init._calculate_fan_in_and_fan_out(torch.zeros(shape))
    assert init.fan(shape) == theirs
    gain = torch.nn.init.calculate_gain
    assert init.he_std(theirs[0]) == pytest.approx(gain("relu") / theirs[0] ** 0.5)
    assert init.he_std(theirs[0], 0.2) == pytest.approx(gain("leaky_relu", 0.2) / theirs[0] ** 0.5)


@pytest.mark.parametrize("shape", [(64, 32, 3, 3), (100, 300)])
def test_draws_have_the_deviation_they_promise(shape):
    fan_in, fan_out = init.fan(shape)
    draws = (
        (init.xavier_normal, init.xavier_std(fan_in, fan_out)),
        (init.xavier_uniform, init.xavier_std(fan_in, fan_out)),
        (init.he_normal, init.he_std(fan_in)),
        (init.he_uniform, init.he_std(fan_in)),
    )
    for draw, std in draws:
        weight = draw(shape, np.random.default_rng(0))
        assert weight.shape == shape
        assert weight.std() == pytest.approx(std, rel=0.02)
        assert abs(weight.mean()) < 0.03 * std
        assert (np.abs(weight).max() < 3**0.5 * std) == draw.__name__.endswith("uniform")
        np.testing.assert_array_equal(weight, draw(shape, np.random.default_rng(0)))


@pytest.mark.parametrize(("layers", "std"), [(30, init.he_std(100))])
def test_he_keeps_the_signal_through_many_layers_of_relu_and_xavier_loses_it(layers, std):
    rng = np.random.default_rng(0)
    signals = {std: rng.normal(size=(200, 100)), init.xavier_std(100, 100): rng.normal(size=(200, 100))}
    for deviation, start in signals.items():
        x = start
        for _ in range(layers):
            x = np.maximum(linear(x, rng.normal(0, deviation, (100, 100))), 0)
        signals[deviation] = np.mean(x**2)
    assert 0.05 < signals[std] < 20
    assert signals[init.xavier_std(100, 100)] < 1e-6


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: init.fan((5,)), r"shape \(=\(5,\)\) must have at least two axes"),
        (lambda: linear(np.ones((2, 3)), np.ones((4, 2))), r"x has shape \(2, 3\) and weight \(4, 2\)"),
        (lambda: linear(np.ones((2, 3)), np.ones((4, 3)), np.ones(3)), r"bias has shape \(3,\); 4 outputs"),
        (lambda: linear_backward(np.ones((2, 3)), np.ones((2, 3)), np.ones((4, 3))), "grad_out has shape"),
        (lambda: cross_entropy(np.ones((2, 3)), np.array([0, 3])), "labels holds 3; the classes are 0 to 2"),
        (lambda: cross_entropy(np.ones((2, 3)), np.array([0, -1])), "labels holds -1"),
        (lambda: cross_entropy(np.ones((2, 3)), np.ones((2, 3), int)), "each needs one label"),
        (lambda: cross_entropy_backward(np.ones((2, 3)), np.ones(2)), "labels has dtype float64"),
        (lambda: mse(np.ones((2, 3)), np.ones(3)), r"prediction has shape \(2, 3\) and target \(3,\)"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
