"""What `tools/bench_layers.py` times: each layer of the package beside the same layer of torch."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from cnncourse.layers import activation, gated, loss, norm, pool, response_norm
from cnncourse.layers.batch_norm import batch_norm2d, batch_norm2d_backward
from cnncourse.layers.conv import col2im, conv2d, conv2d_backward, im2col
from cnncourse.layers.conv1d import conv1d
from cnncourse.layers.conv3d import conv3d, conv3d_backward
from cnncourse.layers.conv_transpose import conv_transpose2d, conv_transpose2d_backward
from cnncourse.layers.dropout import dropout
from cnncourse.layers.linear import linear, linear_backward
from cnncourse.layers.local import local_conv2d
from cnncourse.layers.shuffle import channel_shuffle

Call = Callable[[], object]
Row = tuple[str, Call, Call]  # name, ours, torch's
F = torch.nn.functional


def gradient(theirs: Callable[..., torch.Tensor], *tensors: torch.Tensor) -> tuple[np.ndarray, Call]:
    """Return a gradient for the output of torch's layer, and the call of its backward pass alone."""
    leaves = [tensor.clone().requires_grad_() for tensor in tensors]
    out = theirs(*leaves)
    grad = torch.rand_like(out)
    return grad.numpy(), lambda: torch.autograd.grad(out, leaves, grad, retain_graph=True)


class Drawn:
    """Random arrays of one dtype, each also as a tensor on the same memory."""

    def __init__(self, dtype: str) -> None:
        self.dtype, self.rng = dtype, np.random.default_rng(0)

    def __call__(self, *shape: int) -> tuple[np.ndarray, torch.Tensor]:
        array = self.rng.normal(size=shape).astype(self.dtype)
        return array, torch.from_numpy(array)


def convolutions(draw: Drawn) -> Iterator[Row]:
    """Yield the layers that slide a kernel, forward and backward, the one with a limit of its own first."""
    (x, tx), (w, tw) = draw(8, 64, 56, 56), draw(64, 64, 3, 3)
    yield "conv2d 3x3", lambda: conv2d(x, w, padding=1), lambda: F.conv2d(tx, tw, padding=1)
    grad, theirs = gradient(lambda x, w: F.conv2d(x, w, padding=1), tx, tw)
    yield "conv2d 3x3 backward", lambda: conv2d_backward(grad, x, w, padding=1), theirs
    yield "conv2d stride 2", lambda: conv2d(x, w, None, 2, 1), lambda: F.conv2d(tx, tw, None, 2, 1)
    yield "conv2d dilation 2", lambda: conv2d(x, w, None, 1, 2, 2), lambda: F.conv2d(tx, tw, None, 1, 2, 2)
    one, t_one = draw(64, 64, 1, 1)
    yield "conv2d 1x1", lambda: conv2d(x, one), lambda: F.conv2d(tx, t_one)
    wg, twg = draw(64, 16, 3, 3)
    yield "conv2d 4 groups", lambda: conv2d(x, wg, groups=4), lambda: F.conv2d(tx, twg, groups=4)
    wd, twd = draw(64, 1, 3, 3)
    yield "conv2d depthwise", lambda: conv2d(x, wd, groups=64), lambda: F.conv2d(tx, twd, groups=64)
    grad_d, theirs_d = gradient(lambda x, w: F.conv2d(x, w, groups=64), tx, twd)
    yield "depthwise backward", lambda: conv2d_backward(grad_d, x, wd, groups=64), theirs_d
    yield "im2col", lambda: im2col(x, 3, 1, 1), lambda: F.unfold(tx, 3, padding=1)
    columns = F.unfold(tx, 3, padding=1)
    yield (
        "col2im",
        lambda: col2im(columns.numpy(), (56, 56), 3, 1, 1),
        lambda: F.fold(columns, 56, 3, padding=1),
    )
    (s, ts) = draw(8, 64, 28, 28)
    up = {"stride": 2, "padding": 1, "output_padding": 1}
    yield "conv_transpose2d", lambda: conv_transpose2d(s, w, **up), lambda: F.conv_transpose2d(ts, tw, **up)
    grad_t, theirs_t = gradient(lambda x, w: F.conv_transpose2d(x, w, **up), ts, tw)
    yield "conv_transpose2d backward", lambda: conv_transpose2d_backward(grad_t, s, w, **up), theirs_t


def other_axes(draw: Drawn) -> Iterator[Row]:
    """Yield signals, volumes, local layers and dense ones."""
    (s, ts), (k, tk) = draw(16, 16, 4000), draw(32, 16, 9)
    yield "conv1d", lambda: conv1d(s, k), lambda: F.conv1d(ts, tk)
    (v, tv), (w, tw) = draw(2, 16, 16, 28, 28), draw(32, 16, 3, 3, 3)
    yield "conv3d", lambda: conv3d(v, w, padding=1), lambda: F.conv3d(tv, tw, padding=1)
    grad, theirs = gradient(lambda v, w: F.conv3d(v, w, padding=1), tv, tw)
    yield "conv3d backward", lambda: conv3d_backward(grad, v, w, padding=1), theirs
    (x, tx), (kernels, tkernels) = draw(16, 8, 20, 20), draw(8, 18, 18, 8, 3, 3)

    def unfolded() -> torch.Tensor:  # torch has no local layer: windows and one sum, as its users write it
        windows = tx.unfold(2, 3, 1).unfold(3, 3, 1)  # (N, C_in, H_out, W_out, K_h, K_w)
        return torch.einsum("nchwij,ohwcij->nohw", windows, tkernels)

    yield "local_conv2d", lambda: local_conv2d(x, kernels), unfolded
    (a, ta), (m, tm) = draw(256, 1024), draw(512, 1024)
    yield "linear", lambda: linear(a, m), lambda: F.linear(ta, tm)
    grad_l, theirs_l = gradient(F.linear, ta, tm)
    yield "linear backward", lambda: linear_backward(grad_l, a, m), theirs_l


def pools(draw: Drawn) -> Iterator[Row]:
    """Yield pooling, forward and backward."""
    x, tx = draw(8, 64, 56, 56)
    yield "max_pool2d", lambda: pool.max_pool2d(x, 2), lambda: F.max_pool2d(tx, 2)
    grad_m, theirs_m = gradient(lambda x: F.max_pool2d(x, 2), tx)
    yield "max_pool2d backward", lambda: pool.max_pool2d_backward(grad_m, x, 2), theirs_m
    yield "avg_pool2d", lambda: pool.avg_pool2d(x, 2), lambda: F.avg_pool2d(tx, 2)
    grad_a, theirs_a = gradient(lambda x: F.avg_pool2d(x, 2), tx)
    yield "avg_pool2d backward", lambda: pool.avg_pool2d_backward(grad_a, x, 2), theirs_a


def norms(draw: Drawn) -> Iterator[Row]:
    """Yield the norms, forward and backward."""
    x, tx = draw(8, 64, 56, 56)
    (w, tw), (b, tb), (mean, tmean) = draw(64), draw(64), draw(64)
    var, tvar = np.ones_like(b), torch.ones_like(tb)
    yield (
        "batch_norm2d",
        lambda: batch_norm2d(x, w, b, mean, var),
        lambda: F.batch_norm(tx, tmean, tvar, tw, tb, training=True),
    )
    yield (
        "batch_norm2d in test mode",
        lambda: batch_norm2d(x, w, b, mean, var, training=False),
        lambda: F.batch_norm(tx, tmean, tvar, tw, tb),
    )
    grad_b, theirs_b = gradient(lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), tx, tw, tb)
    yield "batch_norm2d backward", lambda: batch_norm2d_backward(grad_b, x, w), theirs_b
    yield "group_norm", lambda: norm.group_norm(x, 8, w, b), lambda: F.group_norm(tx, 8, tw, tb)
    grad_g, theirs_g = gradient(lambda x, w, b: F.group_norm(x, 8, w, b), tx, tw, tb)
    yield "group_norm backward", lambda: norm.group_norm_backward(grad_g, x, 8, w), theirs_g
    yield "layer_norm", lambda: norm.layer_norm(x), lambda: F.layer_norm(tx, tx.shape[1:])
    yield "instance_norm2d", lambda: norm.instance_norm2d(x), lambda: F.instance_norm(tx)
    yield (
        "local_response_norm",
        lambda: response_norm.local_response_norm(x),
        lambda: F.local_response_norm(tx, 5, 5e-4, k=2.0),
    )
    grad_r, theirs_r = gradient(lambda x: F.local_response_norm(x, 5, 5e-4, k=2.0), tx)
    yield (
        "local_response_norm backward",
        lambda: response_norm.local_response_norm_backward(grad_r, x),
        theirs_r,
    )


def others(draw: Drawn) -> Iterator[Row]:
    """Yield dropout, the shuffle and a loss."""
    x, tx = draw(8, 64, 56, 56)
    yield "dropout", lambda: dropout(x, 0.5, draw.rng), lambda: F.dropout(tx, 0.5)
    yield "channel_shuffle", lambda: channel_shuffle(x, 4), lambda: F.channel_shuffle(tx, 4)
    scores, tscores = draw(4096, 100)
    labels = draw.rng.integers(0, 100, 4096)
    tlabels = torch.from_numpy(labels)
    yield (
        "cross_entropy",
        lambda: loss.cross_entropy(scores, labels),
        lambda: F.cross_entropy(tscores, tlabels),
    )
    _, theirs_c = gradient(lambda s: F.cross_entropy(s, tlabels), tscores)
    yield "cross_entropy backward", lambda: loss.cross_entropy_backward(scores, labels), theirs_c


def activations(draw: Drawn) -> Iterator[Row]:
    """Yield the activation functions, forward and backward."""
    x, tx = draw(8, 64, 56, 56)
    pairs = {
        (activation, "sigmoid"): torch.sigmoid,
        (activation, "tanh"): torch.tanh,
        (activation, "relu"): torch.relu,
        (activation, "leaky_relu"): F.leaky_relu,
        (activation, "relu6"): F.relu6,
        (gated, "swish"): F.silu,
        (gated, "h_swish"): F.hardswish,
        (gated, "gelu_tanh"): lambda x: F.gelu(x, approximate="tanh"),
        (gated, "mish"): F.mish,
    }
    for (module, name), theirs in pairs.items():
        forward, backward = getattr(module, name), getattr(module, f"{name}_backward")
        grad, their_backward = gradient(theirs, tx)
        yield name, lambda f=forward: f(x), lambda t=theirs: t(tx)
        yield f"{name} backward", lambda b=backward, g=grad: b(g, x), their_backward


KINDS = (convolutions, other_axes, pools, norms, others, activations)
