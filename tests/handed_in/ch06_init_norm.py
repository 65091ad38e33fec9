"""Lab 6: four ways to hand it in."""

from handed_in import Submission

FAN = """
def fan(shape):
    places = 1
    for k in shape[2:]:
        places = places * k
    return shape[1] * places, shape[0] * places
"""

XAVIER = """
def xavier_std(fan_in, fan_out):
    return (2 / (fan_in + fan_out)) ** 0.5
"""

HE = """
def he_std(fan_in, negative_slope=0.0):
    return (2 / ((1 + negative_slope**2) * fan_in)) ** 0.5
"""

BATCH = """
def batch_norm2d(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    N, C, H, W = x.shape
    if training:
        mean = x.mean(axis=(0, 2, 3))
        var = x.var(axis=(0, 2, 3))
        n = N * H * W
        new_mean = (1 - momentum) * running_mean + momentum * mean
        new_var = (1 - momentum) * running_var + momentum * var * n / (n - 1)
    else:
        mean, var, new_mean, new_var = running_mean, running_var, running_mean, running_var
    xhat = (x - mean[None, :, None, None]) / np.sqrt(var[None, :, None, None] + eps)
    out = xhat * weight[None, :, None, None] + bias[None, :, None, None]
    return out, new_mean, new_var
"""

BACKWARD = """
def batch_norm2d_backward(grad_out, x, weight, eps=1e-5):
    axes = (0, 2, 3)
    std = np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    xhat = (x - x.mean(axis=axes, keepdims=True)) / std
    g = grad_out * weight.reshape(1, -1, 1, 1)
    dx = (g - g.mean(axis=axes, keepdims=True) - xhat * (g * xhat).mean(axis=axes, keepdims=True)) / std
    return dx, (grad_out * xhat).sum(axis=axes), grad_out.sum(axis=axes)
"""

GROUP = """
def group_norm(x, num_groups, weight, bias, eps=1e-5):
    N, C, H, W = x.shape
    flat = x.reshape(N, num_groups, -1)
    flat = (flat - flat.mean(axis=2, keepdims=True)) / np.sqrt(flat.var(axis=2, keepdims=True) + eps)
    return flat.reshape(N, C, H, W) * weight.reshape(C, 1, 1) + bias.reshape(C, 1, 1)
"""

RIGHT = {
    "fan": FAN,
    "xavier_std": XAVIER,
    "he_std": HE,
    "batch_norm2d": BATCH,
    "batch_norm2d_backward": BACKWARD,
    "group_norm": GROUP,
}
POINTS = {
    "fan": 1.0,
    "xavier_std": 1.0,
    "he_std": 1.0,
    "batch_norm2d": 3.0,
    "batch_norm2d_backward": 3.0,
    "group_norm": 2.0,
}

OTHERWISE = {
    "fan": """
def fan(shape):
    outputs, inputs, *sides = shape
    return [int(np.prod([inputs, *sides])), int(np.prod([outputs, *sides]))]
""",
    "xavier_std": """
def xavier_std(fan_in, fan_out):
    wish = (fan_in + fan_out) / 2
    return np.sqrt(1 / wish)
""",
    "he_std": """
def he_std(fan_in, negative_slope=0.0):
    gain = np.sqrt(2.0 / (1 + negative_slope * negative_slope))
    return gain / np.sqrt(fan_in)
""",
    "batch_norm2d": """
def batch_norm2d(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    out = np.zeros(x.shape)
    kept_mean, kept_var = np.array(running_mean, float), np.array(running_var, float)
    for c in range(x.shape[1]):
        numbers = x[:, c].astype(float)
        m, v = running_mean[c], running_var[c]
        if training:
            m, v = numbers.mean(), numbers.var()
            kept_mean[c] += momentum * (m - kept_mean[c])
            kept_var[c] += momentum * (numbers.var(ddof=1) - kept_var[c])
        out[:, c] = weight[c] * (numbers - m) * (v + eps) ** -0.5 + bias[c]
    return [out, kept_mean, kept_var]
""",
    # Step by step through the graph of the forward pass.
    "batch_norm2d_backward": """
def batch_norm2d_backward(grad_out, x, weight, eps=1e-5):
    N, C, H, W = x.shape
    rows = x.transpose(0, 2, 3, 1).reshape(-1, C)
    g = grad_out.transpose(0, 2, 3, 1).reshape(-1, C)
    M = len(rows)
    mu = rows.mean(axis=0)
    centred = rows - mu
    var = (centred ** 2).mean(axis=0)
    inv = 1 / np.sqrt(var + eps)
    dxhat = g * weight
    dvar = (dxhat * centred).sum(axis=0) * -0.5 * inv ** 3
    dmu = -(dxhat * inv).sum(axis=0) + dvar * (-2 * centred).mean(axis=0)
    dx = dxhat * inv + dvar * 2 * centred / M + dmu / M
    return dx.reshape(N, H, W, C).transpose(0, 3, 1, 2), (g * centred * inv).sum(axis=0), g.sum(axis=0)
""",
    "group_norm": """
def group_norm(x, num_groups, weight, bias, eps=1e-5):
    out = np.empty(x.shape)
    size = x.shape[1] // num_groups
    for n in range(len(x)):
        for first in range(0, x.shape[1], size):
            part = x[n, first:first + size]
            out[n, first:first + size] = (part - np.mean(part)) / np.sqrt(np.var(part) + eps)
    return np.einsum("nchw,c->nchw", out, weight) + bias[:, None, None]
""",
}

# The kernel's size, the slope, the unbiased variance, the ways through the statistics, and eps are left out.
HALF = {
    "fan": """
def fan(shape):
    return shape[1], shape[0]
""",
    "xavier_std": XAVIER,
    "he_std": HE.replace("(1 + negative_slope**2) * fan_in", "fan_in"),
    "batch_norm2d": BATCH.replace(" * n / (n - 1)", ""),
    "batch_norm2d_backward": BACKWARD.replace(
        "(g - g.mean(axis=axes, keepdims=True) - xhat * (g * xhat).mean(axis=axes, keepdims=True))", "g"
    ),
    "group_norm": GROUP.replace("+ eps", "+ 1e-5"),
}

WRONG = {
    "fan": FAN.replace("shape[1] * places, shape[0] * places", "shape[0] * places, shape[1] * places"),
    "xavier_std": XAVIER.replace(" ** 0.5", ""),
    "he_std": HE.replace("0.5\n", "0.25\n"),
    "batch_norm2d": BATCH.replace(
        "    out = xhat *", "    if not training:\n        return xhat, new_mean, new_var\n    out = xhat *"
    ),
    "batch_norm2d_backward": BACKWARD.replace(" - xhat * (g * xhat).mean(axis=axes, keepdims=True)", ""),
    "group_norm": GROUP.replace(
        "x.reshape(N, num_groups, -1)",
        "x.reshape(N, -1, num_groups, H, W).swapaxes(1, 2).reshape(N, num_groups, -1)",
    ).replace(
        "flat.reshape(N, C, H, W)", "flat.reshape(N, num_groups, -1, H, W).swapaxes(1, 2).reshape(N, C, H, W)"
    ),
}

SUBMISSIONS = (
    Submission("right", RIGHT, POINTS),
    Submission("right in another way", OTHERWISE, POINTS),
    Submission(
        "half",
        HALF,
        {
            "fan": 0.5,
            "xavier_std": 1.0,
            "he_std": 0.5,
            "batch_norm2d": 2.0,
            "batch_norm2d_backward": 1.0,
            "group_norm": 1.0,
        },
        {
            "fan": "channels_only",
            "he_std": "slope_ignored",
            "batch_norm2d": "running_variance_biased",
            "batch_norm2d_backward": "statistics_as_constants",
            "group_norm": "eps_fixed",
        },
    ),
    Submission(
        "wrong by a misconception",
        WRONG,
        {"batch_norm2d": 2.0, "batch_norm2d_backward": 1.0},
        {
            "fan": "swapped",
            "xavier_std": "variance",
            "he_std": "root_taken_twice",
            "batch_norm2d": "bare_in_test_mode",
            "batch_norm2d_backward": "variance_as_constant",
            "group_norm": "dealt_out_in_turns",
        },
    ),
)
