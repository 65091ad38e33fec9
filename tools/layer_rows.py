"""What `tools/bench_layers.py` times: each layer of the package beside the same layer of torch."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from cnncourse.layers import activation, gated, loss, norm, pool, response_norm
from cnncourse.layers.batch_norm import batch_norm2d, batch_norm2d_backward
from cnncourse.layers.conv import col2im, conv2d, conv2d_backward, im2col
from cnncourse.layers.conv1d import conv1d, conv1d_backward
from cnncourse.layers.conv3d import conv3d, conv3d_backward
from cnncourse.layers.conv_transpose import conv_transpose2d, conv_transpose2d_backward
from cnncourse.layers.dropout import dropout
from cnncourse.layers.linear import linear, linear_backward
from cnncourse.layers.local import local_conv2d, local_conv2d_backward
from cnncourse.layers.shuffle import channel_shuffle

Call = Callable[[], object]
Row = tuple[str, Call, Call]  # name, ours, torch's
F = torch.nn.functional


def both(
    name: str,
    ours: Call,
    our_backward: Callable[[np.ndarray], object],
    theirs: Callable[..., torch.Tensor],
    *tensors: torch.Tensor,
) -> Iterator[Row]:
    """Yield a layer, and the layer with its gradients, as one step of training takes them."""
    leaves = [tensor.clone().requires_grad_() for tensor in tensors]
    grad = torch.rand_like(theirs(*tensors))
    yield name, ours, lambda: theirs(*tensors)
    yield (
        f"{name} with gradients",
        lambda: (ours(), our_backward(grad.numpy())),
        lambda: torch.autograd.grad(theirs(*leaves), leaves, grad),
    )


class Drawn:
    """Random arrays of one dtype, each also as a tensor on the same memory."""

    def __init__(self, dtype: str) -> None:
        self.dtype, self.rng = dtype, np.random.default_rng(0)

    def __call__(self, *shape: int) -> tuple[np.ndarray, torch.Tensor]:
        array = self.rng.normal(size=shape).astype(self.dtype)
        return array, torch.from_numpy(array)


def convolutions(draw: Drawn) -> Iterator[Row]:
    """Yield the layers that slide a kernel over images, the one with a limit of its own first."""
    (x, tx), (w, tw) = draw(8, 64, 56, 56), draw(64, 64, 3, 3)
    for name, groups, setting in (
        ("conv2d 3x3", 1, {"padding": 1}),
        ("conv2d stride 2", 1, {"padding": 1, "stride": 2}),
        ("conv2d dilation 2", 1, {"padding": 2, "dilation": 2}),
        ("conv2d 4 groups", 4, {"padding": 1}),
        ("conv2d depthwise", 64, {"padding": 1}),
    ):
        kernels = w[:, : 64 // groups]
        setting = {**setting, "groups": groups}
        yield from both(
            name,
            lambda k=kernels, s=setting: conv2d(x, k, **s),
            lambda grad, k=kernels, s=setting: conv2d_backward(grad, x, k, **s),
            lambda x, w, s=setting: F.conv2d(x, w, **s),
            tx,
            tw[:, : 64 // groups],
        )
    one, t_one = draw(64, 64, 1, 1)
    yield "conv2d 1x1", lambda: conv2d(x, one), lambda: F.conv2d(tx, t_one)
    yield "im2col", lambda: im2col(x, 3, 1, 1), lambda: F.unfold(tx, 3, padding=1)
    cols = F.unfold(tx, 3, padding=1)
    yield "col2im", lambda: col2im(cols.numpy(), (56, 56), 3, 1, 1), lambda: F.fold(cols, 56, 3, padding=1)
    small, t_small = draw(8, 64, 28, 28)
    up = {"stride": 2, "padding": 1, "output_padding": 1}
    yield from both(
        "conv_transpose2d",
        lambda: conv_transpose2d(small, w, **up),
        lambda grad: conv_transpose2d_backward(grad, small, w, **up),
        lambda x, w: F.conv_transpose2d(x, w, **up),
        t_small,
        tw,
    )


def other_axes(draw: Drawn) -> Iterator[Row]:
    """Yield signals, volumes, local layers and dense ones."""
    (s, ts), (k, tk) = draw(16, 16, 4000), draw(32, 16, 9)
    yield from both(
        "conv1d", lambda: conv1d(s, k), lambda grad: conv1d_backward(grad, s, k), F.conv1d, ts, tk
    )
    (v, tv), (w, tw) = draw(2, 16, 16, 28, 28), draw(32, 16, 3, 3, 3)
    yield from both(
        "conv3d", lambda: conv3d(v, w), lambda grad: conv3d_backward(grad, v, w), F.conv3d, tv, tw
    )
    (x, tx), (kernels, t_kernels) = draw(16, 8, 20, 20), draw(8, 18, 18, 8, 3, 3)

    def local(x: torch.Tensor, kernels: torch.Tensor) -> torch.Tensor:
        windows = x.unfold(2, 3, 1).unfold(3, 3, 1)  # (N, C_in, H_out, W_out, K_h, K_w)
        return torch.einsum("nchwij,ohwcij->nohw", windows, kernels)  # torch has no layer for it

    yield from both(
        "local_conv2d",
        lambda: local_conv2d(x, kernels),
        lambda grad: local_conv2d_backward(grad, x, kernels),
        local,
        tx,
        t_kernels,
    )
    (a, ta), (m, tm) = draw(256, 1024), draw(512, 1024)
    yield from both(
        "linear", lambda: linear(a, m), lambda grad: linear_backward(grad, a, m), F.linear, ta, tm
    )


def pools(draw: Drawn) -> Iterator[Row]:
    """Yield pooling."""
    x, tx = draw(8, 64, 56, 56)
    for name in ("max_pool2d", "avg_pool2d"):
        ours, backward, theirs = getattr(pool, name), getattr(pool, f"{name}_backward"), getattr(F, name)
        yield from both(
            name, lambda f=ours: f(x, 2), lambda g, b=backward: b(g, x, 2), lambda x, t=theirs: t(x, 2), tx
        )


def norms(draw: Drawn) -> Iterator[Row]:
    """Yield the norms."""
    x, tx = draw(8, 64, 56, 56)
    (w, tw), (b, tb), (mean, t_mean) = draw(64), draw(64), draw(64)
    var, t_var = np.ones_like(b), torch.ones_like(tb)
    yield from both(
        "batch_norm2d",
        lambda: batch_norm2d(x, w, b, mean, var),
        lambda grad: batch_norm2d_backward(grad, x, w),
        lambda x, w, b: F.batch_norm(x, t_mean, t_var, w, b, training=True),
        *(tx, tw, tb),
    )
    yield (
        "batch_norm2d in test mode",
        lambda: batch_norm2d(x, w, b, mean, var, training=False),
        lambda: F.batch_norm(tx, t_mean, t_var, tw, tb),
    )
    yield from both(
        "group_norm",
        lambda: norm.group_norm(x, 8, w, b),
        lambda grad: norm.group_norm_backward(grad, x, 8, w),
        lambda x, w, b: F.group_norm(x, 8, w, b),
        *(tx, tw, tb),
    )
    (big_w, t_big_w), (big_b, t_big_b) = draw(64, 56, 56), draw(64, 56, 56)
    yield from both(
        "layer_norm",
        lambda: norm.layer_norm(x, big_w, big_b),
        lambda grad: norm.layer_norm_backward(grad, x, big_w),
        lambda x, w, b: F.layer_norm(x, x.shape[1:], w, b),
        *(tx, t_big_w, t_big_b),
    )
    yield from both(
        "instance_norm2d",
        lambda: norm.instance_norm2d(x, w, b),
        lambda grad: norm.instance_norm2d_backward(grad, x, w),
        lambda x, w, b: F.instance_norm(x, weight=w, bias=b),
        *(tx, tw, tb),
    )
    yield from both(
        "local_response_norm",
        lambda: response_norm.local_response_norm(x),
        lambda grad: response_norm.local_response_norm_backward(grad, x),
        lambda x: F.local_response_norm(x, 5, 5e-4, k=2.0),
        tx,
    )


def others(draw: Drawn) -> Iterator[Row]:
    """Yield dropout, the shuffle and a loss."""
    x, tx = draw(8, 64, 56, 56)
    yield "dropout", lambda: dropout(x, 0.5, draw.rng), lambda: F.dropout(tx, 0.5)
    yield "channel_shuffle", lambda: channel_shuffle(x, 4), lambda: F.channel_shuffle(tx, 4)
    (scores, t_scores), labels = draw(4096, 100), draw.rng.integers(0, 100, 4096)
    yield from both(
        "cross_entropy",
        lambda: loss.cross_entropy(scores, labels),
        lambda grad: loss.cross_entropy_backward(scores, labels),
        lambda s: F.cross_entropy(s, torch.from_numpy(labels)),
        t_scores,
    )


def activations(draw: Drawn) -> Iterator[Row]:
    """Yield the activation functions."""
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
        ours, backward = getattr(module, name), getattr(module, f"{name}_backward")
        yield from both(name, lambda f=ours: f(x), lambda g, b=backward: b(g, x), theirs, tx)


KINDS = (convolutions, other_axes, pools, norms, others, activations)
