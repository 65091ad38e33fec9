"""Large arrays are worked on in pieces and by several threads: the same results, no thread left, errors seen."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from cnncourse.layers import activation, gated, pieces
from cnncourse.layers.batch_norm import batch_norm2d, batch_norm2d_backward
from cnncourse.layers.conv import conv2d, conv2d_backward
from cnncourse.layers.loss import cross_entropy, cross_entropy_backward
from cnncourse.layers.norm import group_norm, group_norm_backward, layer_norm, layer_norm_backward
from cnncourse.layers.pool import max_pool2d, max_pool2d_backward

SMALL = 64  # numbers in a piece here, so that small arrays are cut


def drawn(*shape, dtype=float):
    return np.random.default_rng(0).normal(size=shape).astype(dtype)


X, G, W, B = drawn(3, 8, 7, 5), drawn(3, 8, 7, 5)[::-1], drawn(8), drawn(8)[::-1]
LABELS = np.random.default_rng(1).integers(0, 8, (3, 7, 5))
KERNELS = drawn(8, 1, 3, 2)
CALLS = {
    "sigmoid": lambda: activation.sigmoid(X),
    "sigmoid_backward": lambda: activation.sigmoid_backward(G, X),
    "leaky_relu": lambda: activation.leaky_relu(X, negative_slope=0.2),
    "leaky_relu of whole numbers": lambda: activation.leaky_relu((4 * X).astype(int), 0.2),
    "swish": lambda: gated.swish(X, 1.5),
    "swish, a beta for each channel": lambda: gated.swish(X, W.reshape(8, 1, 1)),
    "swish_backward, a beta for each channel": lambda: gated.swish_backward(G, X, W.reshape(8, 1, 1)),
    "h_swish_backward": lambda: gated.h_swish_backward(G, X),
    "leaky_relu_backward": lambda: activation.leaky_relu_backward(G, X, 0.2),
    "gelu_tanh_backward": lambda: gated.gelu_tanh_backward(G, X),
    "float32": lambda: gated.mish(X.astype(np.float32)),
    "an array in another order": lambda: activation.tanh(X.transpose(3, 1, 0, 2)),
    "batch_norm2d": lambda: batch_norm2d(X, W, B, B, W**2),
    "batch_norm2d in test mode": lambda: batch_norm2d(X, W, B, B, W**2, training=False),
    "batch_norm2d_backward": lambda: batch_norm2d_backward(G, X, W),
    "group_norm": lambda: group_norm(X, 4, W, B),
    "group_norm_backward": lambda: group_norm_backward(G, X, 4, W),
    "layer_norm": lambda: layer_norm(X, X[0], X[1]),
    "layer_norm_backward": lambda: layer_norm_backward(G, X, X[0]),
    "layer_norm of vectors": lambda: layer_norm(X[:, :, 0, 0], W, B),
    "layer_norm_backward of vectors, no weight": lambda: layer_norm_backward(G[:, :, 0, 0], X[:, :, 0, 0]),
    "group_norm_backward, no weight": lambda: group_norm_backward(G, X, 2),
    "cross_entropy": lambda: cross_entropy(X, LABELS),
    "cross_entropy_backward": lambda: cross_entropy_backward(X, LABELS),
    "max_pool2d_backward": lambda: max_pool2d_backward(max_pool2d(G, 3, 2, 1), X, 3, 2, 1),
    "depthwise": lambda: conv2d(X, KERNELS, B, padding=1, dilation=2, groups=8),
    "depthwise, gradients": lambda: conv2d_backward(
        conv2d(X, KERNELS, padding=1, groups=8), X, KERNELS, padding=1, groups=8
    ),
}


def numbers(result):
    return [np.asarray(one) for one in (result if isinstance(result, tuple) else (result,))]


@pytest.mark.parametrize("processors", [1, 3])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_pieces_give_what_the_whole_gives(call, processors, monkeypatch):
    whole = numbers(call())
    monkeypatch.setattr(pieces, "PIECE", SMALL)
    monkeypatch.setattr(pieces, "processors", lambda: processors)
    before = set(threading.enumerate())
    for got, expected in zip(numbers(call()), whole, strict=True):
        assert got.dtype == expected.dtype
        assert got.shape == expected.shape
        np.testing.assert_allclose(got, expected, rtol=1e-6 if got.dtype == np.float32 else 1e-11, atol=1e-14)
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1), (1, 0), (0, 2)])
@pytest.mark.parametrize("shape", [(5, 6, 7), (1, 40, 2), (100, 1, 3), (2, 3, 0)])
def test_the_parts_cover_everything_once_and_are_small(axes, shape, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE", SMALL)
    seen = np.zeros(shape, int)
    least = np.prod([n for axis, n in enumerate(shape) if axis not in axes])
    for part in pieces.pieces(shape, axes):
        seen[part] += 1
        assert seen[part].size <= max(SMALL, least)
    np.testing.assert_array_equal(seen, 1)


def test_several_threads_share_the_work(monkeypatch):
    monkeypatch.setattr(pieces, "processors", lambda: 3)
    meet = threading.Barrier(3, timeout=20)  # passed only if three work at the same time
    workers = set()

    def work(part):
        meet.wait()
        workers.add(threading.get_ident())

    pieces.share(work, [(slice(n, n + 1),) for n in range(6)])
    assert len(workers) == 3


def test_where_no_thread_can_be_started_one_does_everything(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(pieces, "processors", lambda: 4)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    done = []
    pieces.share(done.append, [(slice(n, n + 1),) for n in range(20)])
    assert len(done) == 20


@pytest.mark.parametrize("error", [ValueError, RuntimeError, IndexError])
def test_an_error_in_a_piece_is_raised(error, monkeypatch):
    monkeypatch.setattr(pieces, "processors", lambda: 2)

    def work(part):
        if part[0].start == 13:
            raise error("thirteen")

    for _ in range(20):
        with pytest.raises(error, match="thirteen"):
            pieces.share(work, [(slice(n, n + 1),) for n in range(20)])
    assert not any("ThreadPool" in thread.name for thread in threading.enumerate())


def test_threads_keep_numpys_settings_for_errors(monkeypatch):
    monkeypatch.setattr(pieces, "PIECE", SMALL)
    monkeypatch.setattr(pieces, "processors", lambda: 3)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        pieces.in_pieces(lambda out, x: np.multiply(x, x, out=out), np.full(10 * SMALL, 1e300))


@pytest.mark.parametrize(
    ("setting", "expected"), [("1", 1), ("1000", None), ("", None), ("x", None), ("0", None)]
)
def test_the_environment_lowers_the_number_of_threads(setting, expected, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", setting)
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert pieces.processors() == (expected or there)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_may_fork_afterwards():
    code = (
        "import os, numpy as np\n"
        "from cnncourse.layers import activation, pieces\n"
        "pieces.processors = lambda: 3\n"
        "x = np.ones(10 * pieces.PIECE)\n"
        "activation.sigmoid(x)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    activation.sigmoid(x)\n"
        "    os._exit(7)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "7\n"


FAR = np.array([-np.inf, -1e4, -800.0, 800.0, 1e4, np.inf, np.nan])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_far_out_are_as_the_formulas_say(dtype):
    x, one = FAR.astype(dtype), np.ones(len(FAR), dtype)
    nan = np.nan
    for got, expected in (
        (activation.sigmoid(x), [0, 0, 0, 1, 1, 1, nan]),
        (activation.sigmoid_backward(one, x), [0, 0, 0, 0, 0, 0, nan]),
        (activation.leaky_relu(x, 0.5), [-np.inf, -5e3, -400, 800, 1e4, np.inf, nan]),
        (activation.leaky_relu_backward(one, x, 0.5), [0.5, 0.5, 0.5, 1, 1, 1, 0.5]),
        (gated.swish(x[1:]), [0, 0, 800, 1e4, np.inf, nan]),
        (gated.h_swish(x[1:]), [0, 0, 800, 1e4, np.inf, nan]),
    ):
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, np.array(expected, dtype))


def test_sigmoid_keeps_its_digits_where_it_is_nearly_zero():
    x = np.array([-700.0, -40.0, -5.0])
    np.testing.assert_allclose(activation.sigmoid(x), np.exp(x) / (1 + np.exp(x)), rtol=1e-14)


@pytest.mark.parametrize("shape", [(0, 6, 3, 3), (0,)])
def test_nothing_in_nothing_out(shape):
    x = np.zeros(shape)
    for layer in (activation.sigmoid, activation.leaky_relu, gated.swish, gated.h_swish):
        assert layer(x).shape == shape
    if len(shape) == 4:
        assert group_norm(x, 2).shape == layer_norm(x).shape == shape
        grads = layer_norm_backward(x, x)
        assert [grad.shape for grad in grads] == [shape, shape[1:], shape[1:]]


@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_norms_in_float32_are_as_exact_far_from_zero(shift):
    """The mean is taken away before squares are added up: of x ** 2 nothing would be left at 1e4."""
    x = (drawn(4, 8, 20, 20) + shift).astype(np.float32)
    for norm in (
        lambda x: group_norm(x, 2),
        layer_norm,
        lambda x: batch_norm2d(x, *np.ones((4, 8), x.dtype))[0],
    ):
        np.testing.assert_allclose(norm(x), norm(x.astype(float)), atol=2e-6 * max(1, shift))
