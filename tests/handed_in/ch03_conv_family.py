"""Lab 3: four ways to hand it in."""

from handed_in import Submission

GENERAL = """
def conv2d_general(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    N, C_in, H, W = x.shape
    C_out, part, K_h, K_w = weight.shape
    reach_h, reach_w = dilation * (K_h - 1), dilation * (K_w - 1)
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    H_out = (x.shape[2] - reach_h - 1) // stride + 1
    W_out = (x.shape[3] - reach_w - 1) // stride + 1
    out = np.zeros((N, C_out, H_out, W_out))
    per_group = C_out // groups
    for n in range(N):
        for c in range(C_out):
            g = c // per_group
            for i in range(H_out):
                for j in range(W_out):
                    window = x[n, g * part:(g + 1) * part,
                               i * stride:i * stride + reach_h + 1:dilation,
                               j * stride:j * stride + reach_w + 1:dilation]
                    out[n, c, i, j] = (window * weight[c]).sum() + bias[c]
    return out
"""

COST = """
def depthwise_separable_cost(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0):
    K_h, K_w = kernel_size
    rows = (height + 2 * padding - K_h) // stride + 1
    columns = (width + 2 * padding - K_w) // stride + 1
    counts = {
        "standard": in_channels * out_channels * K_h * K_w,
        "depthwise": in_channels * K_h * K_w,
        "pointwise": in_channels * out_channels,
    }
    cost = {name: (count, count * rows * columns) for name, count in counts.items()}
    cost["ratio"] = (cost["depthwise"][1] + cost["pointwise"][1]) / cost["standard"][1]
    return cost
"""

SHUFFLE = """
def channel_shuffle(x, groups):
    N, C, H, W = x.shape
    x = x.reshape(N, groups, C // groups, H, W)
    return x.swapaxes(1, 2).reshape(N, C, H, W)
"""

TRANSPOSED = """
def conv_transpose2d(x, weight, bias, stride=1, padding=0):
    N, C_in, H, W = x.shape
    _, C_out, K_h, K_w = weight.shape
    out = np.zeros((N, C_out, (H - 1) * stride + K_h, (W - 1) * stride + K_w))
    for n in range(N):
        for c in range(C_in):
            for i in range(H):
                for j in range(W):
                    out[n, :, i * stride:i * stride + K_h, j * stride:j * stride + K_w] += x[n, c, i, j] * weight[c]
    out = out[:, :, padding:out.shape[2] - padding, padding:out.shape[3] - padding]
    return out + bias[:, None, None]
"""

VOLUME = """
def conv3d(x, weight, bias, stride=1, padding=0):
    p = padding
    x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p), (p, p)))
    K_d, K_h, K_w = weight.shape[2:]
    D, H, W = [(n - k) // stride + 1 for n, k in zip(x.shape[2:], weight.shape[2:])]
    out = np.zeros((len(x), len(weight), D, H, W))
    for n in range(len(x)):
        for c in range(len(weight)):
            for d in range(D):
                for i in range(H):
                    for j in range(W):
                        a, b, e = d * stride, i * stride, j * stride
                        window = x[n, :, a:a + K_d, b:b + K_h, e:e + K_w]
                        out[n, c, d, i, j] = (window * weight[c]).sum() + bias[c]
    return out
"""

RIGHT = {
    "conv2d_general": GENERAL,
    "depthwise_separable_cost": COST,
    "channel_shuffle": SHUFFLE,
    "conv_transpose2d": TRANSPOSED,
    "conv3d": VOLUME,
}
POINTS = {
    "conv2d_general": 3.0,
    "depthwise_separable_cost": 1.0,
    "channel_shuffle": 1.0,
    "conv_transpose2d": 3.0,
    "conv3d": 2.0,
}

OTHERWISE = {
    "conv2d_general": """
from numpy.lib.stride_tricks import sliding_window_view

def conv2d_general(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cover = [dilation * (k - 1) + 1 for k in weight.shape[2:]]
    seen = sliding_window_view(x, cover, axis=(2, 3))[:, :, ::stride, ::stride, ::dilation, ::dilation]
    parts = [
        np.einsum("nchwij,ocij->nohw", s, w)
        for s, w in zip(np.split(seen, groups, axis=1), np.split(weight, groups))
    ]
    return np.concatenate(parts, axis=1) + bias.reshape(1, -1, 1, 1)
""",
    "depthwise_separable_cost": """
def depthwise_separable_cost(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0):
    area = kernel_size[0] * kernel_size[1]
    places = 1
    for n, k in zip((height, width), kernel_size):
        places *= len(range(0, n + 2 * padding - k + 1, stride))
    weights = [in_channels * out_channels * area, in_channels * area, in_channels * out_channels]
    cost = dict(zip(("standard", "depthwise", "pointwise"), ([w, w * places] for w in weights)))
    return cost | {"ratio": 1 / out_channels + 1 / area}
""",
    "channel_shuffle": """
def channel_shuffle(x, groups):
    order = np.arange(x.shape[1]).reshape(groups, -1).T.ravel()
    return x[:, order]
""",
    "conv_transpose2d": """
def conv_transpose2d(x, weight, bias, stride=1, padding=0):
    N, C, H, W = x.shape
    K_h, K_w = weight.shape[2:]
    apart = np.zeros((N, C, (H - 1) * stride + 2 * K_h - 1, (W - 1) * stride + 2 * K_w - 1))
    apart[:, :, K_h - 1:K_h + (H - 1) * stride:stride, K_w - 1:K_w + (W - 1) * stride:stride] = x
    turned = weight[:, :, ::-1, ::-1].swapaxes(0, 1)
    out = conv2d_general(apart, turned, bias)
    return out[:, :, padding:out.shape[2] - padding, padding:out.shape[3] - padding]
""",
    "conv3d": """
def conv3d(x, weight, bias, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), *((padding, padding),) * 3))
    depth = weight.shape[2]
    frames = [
        sum(conv2d_general(x[:, :, d + t], weight[:, :, t], 0 * bias, stride) for t in range(depth))
        for d in range(0, x.shape[2] - depth + 1, stride)
    ]
    return np.stack(frames, axis=2) + bias[:, None, None, None]
""",
}

# Groups, padding and padding along the depth are missing: 2 of 3 parts each. The ratio is no ratio: 3 of 4.
HALF = {
    "conv2d_general": GENERAL.replace("g * part:(g + 1) * part", ":"),
    "conv_transpose2d": TRANSPOSED.replace(
        "    out = out[:, :, padding:out.shape[2] - padding, padding:out.shape[3] - padding]\n", ""
    ),
    "conv3d": VOLUME.replace("(p, p), (p, p), (p, p)))", "(0, 0), (p, p), (p, p)))"),
    "depthwise_separable_cost": COST.replace(
        '"pointwise"][1]) / cost["standard"][1]', '"pointwise"][1]) / 1'
    ),
}

MISTAKEN = {
    "conv2d_general": GENERAL.replace("g = c // per_group", "g = c % groups"),
    "depthwise_separable_cost": COST.replace(
        '"depthwise": in_channels * K_h', '"depthwise": out_channels * K_h'
    ),
    "channel_shuffle": SHUFFLE.replace("groups, C // groups, H", "C // groups, groups, H"),
    "conv_transpose2d": TRANSPOSED.replace("+= x[n, c, i, j]", "= x[n, c, i, j]"),
    "conv3d": VOLUME.replace("(p, p), (p, p), (p, p)))", "(0, 0), (p, p), (p, p)))"),
}

SUBMISSIONS = (
    Submission("right", RIGHT, POINTS),
    Submission("right in another way", OTHERWISE, POINTS),
    Submission(
        "half",
        HALF,
        {"conv2d_general": 2.0, "depthwise_separable_cost": 0.75, "conv_transpose2d": 2.0, "conv3d": 1.33},
        {
            "conv2d_general": "groups_ignored",
            "conv_transpose2d": "padding_ignored",
            "conv3d": "depth_not_padded",
        },
    ),
    Submission(
        "wrong by a misconception",
        MISTAKEN,
        {"conv2d_general": 2.0, "depthwise_separable_cost": 0.5, "conv3d": 1.33},
        {
            "conv2d_general": "kernels_in_turns",
            "depthwise_separable_cost": "depthwise_of_output_channels",
            "channel_shuffle": "shuffled_back",
            "conv_transpose2d": "all_replaced",
            "conv3d": "depth_not_padded",
        },
    ),
)
