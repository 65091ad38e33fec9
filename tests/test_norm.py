"""Normalisation and switching off, with their gradients, against torch, numeric gradients and statistics."""

import numpy as np
import pytest

from cnncourse.gradcheck import gradient_errors
from cnncourse.layers import dropout as drop
from cnncourse.layers.batch_norm import batch_norm2d, batch_norm2d_backward
from cnncourse.layers.norm import (
    group_norm,
    group_norm_backward,
    instance_norm2d,
    instance_norm2d_backward,
    layer_norm,
    layer_norm_backward,
)
from cnncourse.layers.response_norm import local_response_norm, local_response_norm_backward

SHAPES = [(4, 6, 5, 3), (1, 6, 2, 2), (2, 6, 1, 1)]


def drawn(shape):
    rng = np.random.default_rng(3)
    x = rng.normal(2, 3, size=shape)
    weight, bias, mean = (rng.normal(size=shape[1]) for _ in range(3))
    return x, weight, bias, mean, rng.uniform(0.5, 2, shape[1]), rng.normal(size=shape)


def close(got, expected, atol=1e-11):
    np.testing.assert_allclose(got, expected.detach().numpy(), atol=atol)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("momentum", "eps"), [(0.1, 1e-5), (0.6, 1e-2)])
def test_batch_norm_agrees_with_torch(shape, training, momentum, eps):
    torch = pytest.importorskip("torch")
    x, weight, bias, mean, var, grad_out = drawn(shape)
    t = [torch.tensor(value) for value in (x, mean, var, weight, bias)]
    for position in (0, 3, 4):
        t[position].requires_grad_()
    theirs = torch.nn.functional.batch_norm(*t, training=training, momentum=momentum, eps=eps)
    out, new_mean, new_var = batch_norm2d(x, weight, bias, mean, var, training, momentum, eps)
    close(out, theirs)
    close(new_mean, t[1])  # torch moves its running statistics in place
    close(new_var, t[2])
    theirs.backward(torch.tensor(grad_out))
    got = batch_norm2d_backward(grad_out, x, weight, mean, var, training, eps)
    for one, other in zip(got, (t[0].grad, t[3].grad, t[4].grad), strict=True):
        close(one, other)


def test_batch_norm_does_not_change_what_it_is_given():
    arrays = drawn(SHAPES[0])
    kept = [array.copy() for array in arrays]
    x, weight, bias, mean, var, grad_out = arrays
    for training in (True, False):
        batch_norm2d(x, weight, bias, mean, var, training)
        batch_norm2d_backward(grad_out, x, weight, mean, var, training)
    for array, before in zip(arrays, kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_batch_norm_of_a_channel_of_equal_numbers_is_its_bias():
    x, one = np.full((2, 1, 3, 3), 7.0), np.ones(1)
    out, _, var = batch_norm2d(x, one, 5 * one, 0 * one, one)
    np.testing.assert_allclose(out, 5.0)
    assert var == pytest.approx(0.9)


@pytest.mark.parametrize("shape", [(4, 6, 5, 3), (1, 6, 2, 2), (3, 6, 4)])
@pytest.mark.parametrize("groups", [1, 2, 3, 6])
@pytest.mark.parametrize("scaled", [True, False])
def test_group_norm_agrees_with_torch(shape, groups, scaled):
    torch = pytest.importorskip("torch")
    x, weight, bias, _, _, grad_out = drawn(shape)
    t = [torch.tensor(value, requires_grad=True) for value in (x, weight, bias)]
    theirs = torch.nn.functional.group_norm(t[0], groups, *(t[1:] if scaled else (None, None)))
    ours = (weight, bias) if scaled else (None, None)
    close(group_norm(x, groups, *ours), theirs)
    theirs.backward(torch.tensor(grad_out))
    got = group_norm_backward(grad_out, x, groups, ours[0])
    for one, other in zip(got, t, strict=True):
        if other.grad is not None:
            close(one, other.grad)


@pytest.mark.parametrize("eps", [1e-5, 1e-2])
def test_layer_and_instance_norm_agree_with_torch(eps):
    torch = pytest.importorskip("torch")
    x, weight, bias, _, _, grad_out = drawn(SHAPES[0])
    big = [np.random.default_rng(n).normal(size=x.shape[1:]) for n in (1, 2)]
    layers = (
        (layer_norm, layer_norm_backward, big, lambda *t: torch.layer_norm(t[0], x.shape[1:], *t[1:], eps)),
        (
            instance_norm2d,
            instance_norm2d_backward,
            [weight, bias],
            lambda *t: torch.nn.functional.instance_norm(t[0], weight=t[1], bias=t[2], eps=eps),
        ),
    )
    for forward, backward, parameters, theirs in layers:
        t = [torch.tensor(value, requires_grad=True) for value in (x, *parameters)]
        out = theirs(*t)
        close(forward(x, *parameters, eps=eps), out)
        out.backward(torch.tensor(grad_out))
        for one, other in zip(backward(grad_out, x, parameters[0], eps), t, strict=True):
            close(one, other.grad)


@pytest.mark.parametrize(("size", "channels"), [(5, 7), (3, 2), (1, 4), (9, 4), (5, 1)])
def test_response_norm_agrees_with_torch(size, channels):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, grad_out = rng.normal(0, 5, size=(2, 2, channels, 3, 4))
    setting = {"beta": 0.6, "k": 1.5}
    t = torch.tensor(x, requires_grad=True)
    theirs = torch.nn.functional.local_response_norm(t, size, alpha=0.02 * size, **setting)
    close(local_response_norm(x, size, 0.02, **setting), theirs)
    theirs.backward(torch.tensor(grad_out))
    close(local_response_norm_backward(grad_out, x, size, 0.02, **setting), t.grad)


def test_response_norm_has_the_values_of_alexnet():
    x = np.zeros((1, 7, 1, 1))
    x[0, 2] = 100.0
    out = local_response_norm(x).ravel()
    assert out[2] == pytest.approx(100 / (2 + 1e-4 * 100**2) ** 0.75)
    assert local_response_norm(np.ones((1, 7, 1, 1)))[0, 3, 0, 0] == pytest.approx((2 + 5e-4) ** -0.75)


def test_gradients_agree_with_numeric_ones():
    x, weight, bias, mean, var, _ = drawn((3, 4, 3, 2))
    layers = [
        (
            lambda *a: batch_norm2d(*a, mean, var)[0],
            lambda g: batch_norm2d_backward(g, x, weight),
            [x, weight, bias],
        ),
        (
            lambda *a: group_norm(a[0], 2, *a[1:]),
            lambda g: group_norm_backward(g, x, 2, weight),
            [x, weight, bias],
        ),
        (layer_norm, lambda g: layer_norm_backward(g, x, x[0]), [x, x[0], x[1]]),
        (
            lambda a: local_response_norm(a, 3, 0.1),
            lambda g: [local_response_norm_backward(g, x, 3, 0.1)],
            [x],
        ),
    ]
    for forward, backward, arrays in layers:
        assert max(gradient_errors(forward, backward, arrays, np.random.default_rng(1))) < 1e-7


def test_float32_stays_float32():
    x, weight, bias, mean, var, grad = (array.astype(np.float32) for array in drawn(SHAPES[0]))
    results = [*batch_norm2d(x, weight, bias, mean, var), *batch_norm2d_backward(grad, x, weight)]
    results += [group_norm(x, 2, weight, bias), *group_norm_backward(grad, x, 2, weight)]
    results += [local_response_norm(x), local_response_norm_backward(grad, x)]
    results += [layer_norm(x), *drop.dropout(x, 0.5, np.random.default_rng(0))]
    results += [*drop.drop_block2d(x, 0.2, 2, np.random.default_rng(0))]
    assert {result.dtype for result in results} == {np.dtype(np.float32)}


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9])
def test_dropout_switches_off_the_share_it_says_and_keeps_the_mean(p):
    x = np.random.default_rng(0).uniform(1, 2, (50, 40, 10))
    out, mask = drop.dropout(x, p, np.random.default_rng(1))
    assert np.mean(out == 0) == pytest.approx(p, abs=0.02)
    np.testing.assert_allclose(out[out != 0], x[out != 0] / (1 - p))
    assert out.mean() == pytest.approx(x.mean(), rel=0.05)
    np.testing.assert_array_equal(drop.dropout_backward(np.ones_like(x), mask), mask)


@pytest.mark.parametrize("p", [0.1, 0.25])
@pytest.mark.parametrize("block_size", [1, 3, 5])
def test_drop_block_takes_whole_blocks_and_about_the_share_it_says(p, block_size):
    out, mask = drop.drop_block2d(np.ones((40, 4, 20, 15)), p, block_size, np.random.default_rng(2))
    gone = out == 0
    assert gone.mean() == pytest.approx(p, rel=0.3)  # blocks overlap, so it is a little less
    assert mask.mean() == pytest.approx(1)
    blocks = np.lib.stride_tricks.sliding_window_view(gone, (block_size, block_size), axis=(2, 3)).all(
        axis=(4, 5)
    )
    covered = np.zeros_like(gone)
    for n, c, i, j in np.argwhere(blocks):
        covered[n, c, i : i + block_size, j : j + block_size] = True
    np.testing.assert_array_equal(covered, gone)


def test_stochastic_depth_keeps_or_drops_whole_images():
    x = np.random.default_rng(0).normal(size=(2000, 3, 2, 2))
    out, mask = drop.stochastic_depth(x, 0.3, np.random.default_rng(1))
    assert mask.shape == (2000, 1, 1, 1)
    assert np.mean(mask == 0) == pytest.approx(0.3, abs=0.04)
    np.testing.assert_allclose(out, x * mask)
    np.testing.assert_allclose(mask[mask != 0], 1 / 0.7)


@pytest.mark.parametrize(
    "layer", [drop.dropout, drop.stochastic_depth, lambda *a: drop.drop_block2d(*a[:2], 2, *a[2:])]
)
def test_switching_off_in_test_mode_and_with_the_same_seed(layer):
    x = np.random.default_rng(0).normal(size=(3, 2, 4, 4))
    out, mask = layer(x, 0.5, np.random.default_rng(1), False)
    np.testing.assert_array_equal(out, x)
    np.testing.assert_array_equal(mask, 1)
    first, second = (layer(x, 0.5, np.random.default_rng(1), True)[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (first != layer(x, 0.5, np.random.default_rng(2), True)[0]).any()


X, ONE = np.zeros((2, 6, 3, 3)), np.ones(6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: group_norm(X, 4), r"num_groups \(=4\) must divide the number of channels \(=6\)"),
        (lambda: group_norm(X, 2, np.ones(3)), r"weight has shape \(3,\); it needs \(6,\)"),
        (lambda: layer_norm(X, ONE), r"weight has shape \(6,\); it needs \(6, 3, 3\)"),
        (
            lambda: batch_norm2d(X[:1, :, :1, :1], ONE, ONE, ONE, ONE),
            "one number for each channel has no variance",
        ),
        (lambda: batch_norm2d(X, ONE, ONE, np.ones(2), ONE), r"shape \(2,\) cannot serve the 6 channels"),
        (lambda: batch_norm2d(X[0], ONE, ONE, ONE, ONE), "a batch of images has four axes"),
        (
            lambda: batch_norm2d_backward(X, X, ONE, training=False),
            "running_mean and running_var must be given",
        ),
        (lambda: batch_norm2d_backward(X[:1], X, ONE), "grad_out has shape"),
        (lambda: local_response_norm(X, 4), r"size \(=4\) must be odd"),
        (lambda: drop.dropout(X, 1.0, np.random.default_rng(0)), r"p \(=1.0\) must be from 0 to less than 1"),
        (lambda: drop.drop_block2d(X, 0.1, 4, np.random.default_rng(0)), r"block_size \(=4\) .* \(3, 3\)"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
