"""Lab 4: four ways to hand it in."""

from handed_in import Submission

POOL = """
def NAME(x, kernel_size, stride, padding=0):
    kh, kw = kernel_size
    n, c, h, w = x.shape
    big = np.full((n, c, h + 2 * padding, w + 2 * padding), FRAME)
    big[:, :, padding:padding + h, padding:padding + w] = x
    tops = range(0, big.shape[2] - kh + 1, stride)
    lefts = range(0, big.shape[3] - kw + 1, stride)
    out = np.zeros((n, c, len(tops), len(lefts)))
    for i, t in enumerate(tops):
        for j, l in enumerate(lefts):
            for a in range(n):
                for b in range(c):
                    out[a, b, i, j] = np.KIND(big[a, b, t:t + kh, l:l + kw])
    return out
"""


def pooling(name: str, kind: str, frame: str) -> str:
    """Return the loops of a pooling."""
    return POOL.replace("NAME", name).replace("KIND", kind).replace("FRAME", frame)


SHIFT = """
def shift_test(features, features_of_shifted, shift):
    H, W = features.shape[2:]
    down, right = shift
    rows = [i for i in range(H) if 0 <= i + down < H]
    columns = [j for j in range(W) if 0 <= j + right < W]
    expected = features[:, :, rows][:, :, :, columns]
    landed = features_of_shifted[:, :, [i + down for i in rows]][:, :, :, [j + right for j in columns]]

    def length(numbers):
        return np.sqrt((numbers.astype(float) ** 2).sum())

    return {
        "equivariance": length(landed - expected) / length(expected),
        "invariance": length(features_of_shifted - features) / length(features),
    }
"""

GLOBAL = """
def global_avg_pool2d(x):
    n, c, h, w = x.shape
    out = np.zeros((n, c))
    for a in range(n):
        for b in range(c):
            out[a, b] = x[a, b].sum() / (h * w)
    return out
"""

PYRAMID = """
import math

def spatial_pyramid_pool(x, levels):
    n_images, channels, H, W = x.shape
    numbers = []
    for n in levels:
        for c in range(channels):
            for i in range(n):
                for j in range(n):
                    cell = x[:, c, math.floor(i * H / n):math.ceil((i + 1) * H / n),
                             math.floor(j * W / n):math.ceil((j + 1) * W / n)]
                    numbers.append(cell.max(axis=(1, 2)))
    return np.stack(numbers, axis=1)
"""

FIELD = """
def receptive_field(layers):
    found = {"size": [], "jump": [], "start": []}
    for axis in (0, 1):
        r, j, c = 1, 1, 0.0
        for layer in layers:
            k, d, p = (layer[name][axis] for name in ("kernel_size", "dilation", "padding"))
            r, c = r + d * (k - 1) * j, c + (d * (k - 1) / 2 - p) * j
            j = j * layer["stride"][axis]
        found["size"].append(r)
        found["jump"].append(j)
        found["start"].append(c)
    return found
"""

RIGHT = {
    "max_pool2d": pooling("max_pool2d", "max", "-np.inf"),
    "avg_pool2d": pooling("avg_pool2d", "mean", "0.0"),
    "shift_test": SHIFT,
    "global_avg_pool2d": GLOBAL,
    "spatial_pyramid_pool": PYRAMID,
    "receptive_field": FIELD,
}
POINTS = {
    "max_pool2d": 2.0,
    "avg_pool2d": 1.0,
    "shift_test": 1.0,
    "global_avg_pool2d": 1.0,
    "spatial_pyramid_pool": 2.0,
    "receptive_field": 3.0,
}

OTHERWISE = {
    "max_pool2d": """
from numpy.lib.stride_tricks import sliding_window_view

def max_pool2d(x, kernel_size, stride, padding=0):
    sides = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    big = np.pad(x.astype(float), sides, constant_values=-np.inf)
    return sliding_window_view(big, kernel_size, axis=(2, 3))[:, :, ::stride, ::stride].max(axis=(4, 5))
""",
    "avg_pool2d": """
def avg_pool2d(x, kernel_size, stride, padding=0):
    kh, kw = kernel_size
    sums = np.pad(x, ((0, 0), (0, 0), (padding + 1, padding), (padding + 1, padding))).cumsum(2).cumsum(3)
    t = np.arange(0, sums.shape[2] - kh, stride)[:, None]
    l = np.arange(0, sums.shape[3] - kw, stride)
    corners = sums[:, :, t + kh, l + kw] - sums[:, :, t, l + kw] - sums[:, :, t + kh, l] + sums[:, :, t, l]
    return corners / (kh * kw)
""",
    "shift_test": """
def shift_test(features, features_of_shifted, shift):
    expected = np.full(features.shape, np.nan)
    for i, j in np.ndindex(features.shape[2:]):
        a, b = i - shift[0], j - shift[1]
        if 0 <= a < features.shape[2] and 0 <= b < features.shape[3]:
            expected[:, :, i, j] = features[:, :, a, b]
    along = np.nansum((features_of_shifted - expected) ** 2) / np.nansum(expected ** 2)
    stayed = np.linalg.norm((features_of_shifted - features).ravel()) / np.linalg.norm(features.ravel())
    return {"invariance": float(stayed), "equivariance": float(along ** 0.5)}
""",
    "global_avg_pool2d": """
def global_avg_pool2d(x):
    return np.einsum("nchw->nc", x) / x[0, 0].size
""",
    "spatial_pyramid_pool": """
def spatial_pyramid_pool(x, levels):
    N, C, H, W = x.shape
    grids = []
    for n in levels:
        # every pixel n times, so that all cells are of one size
        fine = np.repeat(np.repeat(x, n, axis=2), n, axis=3)
        grids.append(fine.reshape(N, C, n, H, n, W).max(axis=(3, 5)).reshape(N, -1))
    return np.hstack(grids)
""",
    "receptive_field": """
def receptive_field(layers):
    first, last, jump = np.zeros(2, int), np.zeros(2, int), np.ones(2, int)
    for layer in layers:
        kernel, stride, padding, dilation = (
            np.array(layer[name]) for name in ("kernel_size", "stride", "padding", "dilation"))
        first, last = first - padding * jump, last + (dilation * (kernel - 1) - padding) * jump
        jump = jump * stride
    return {"size": tuple(last - first + 1), "jump": tuple(jump), "start": tuple((first + last) / 2)}
""",
}

# The frame holds zeros: 3 of 4 groups. Cells end too early: 2 of 4. The padding is left out of the start: 2 of 3.
HALF = {
    "max_pool2d": pooling("max_pool2d", "max", "0.0"),
    "spatial_pyramid_pool": PYRAMID.replace("math.ceil", "math.floor"),
    "receptive_field": FIELD.replace("/ 2 - p)", "/ 2)"),
}

WRONG = {
    "max_pool2d": pooling("max_pool2d", "max", "-np.inf").replace("big[a, b, t", "big[a, :, t"),
    "avg_pool2d": pooling("avg_pool2d", "sum", "0.0"),
    "shift_test": """
def shift_test(features, features_of_shifted, shift):
    moved = np.roll(features, shift, axis=(2, 3))
    def relative(should):
        return np.linalg.norm(features_of_shifted - should) / np.linalg.norm(should)
    return {"equivariance": relative(moved), "invariance": relative(features)}
""",
    "global_avg_pool2d": """
def global_avg_pool2d(x):
    return x.mean(axis=(1, 2))
""",
    "spatial_pyramid_pool": PYRAMID,
    "receptive_field": """
def receptive_field(layers):
    found = {"size": [], "jump": [], "start": []}
    for axis in (0, 1):
        r, j, c = 1, 1, 0.0
        for layer in layers:
            k, d, p = (layer[name][axis] for name in ("kernel_size", "dilation", "padding"))
            j = j * layer["stride"][axis]
            r, c = r + d * (k - 1) * j, c + (d * (k - 1) / 2 - p) * j
        found["size"].append(r)
        found["jump"].append(j)
        found["start"].append(c)
    return found
""",
}

SUBMISSIONS = (
    Submission("right", RIGHT, POINTS),
    Submission("right in another way", OTHERWISE, POINTS),
    Submission(
        "half",
        HALF,
        {"max_pool2d": 1.5, "spatial_pyramid_pool": 1.0, "receptive_field": 2.0},
        {
            "max_pool2d": "frame_of_zeros",
            "spatial_pyramid_pool": "end_rounded_down",
            "receptive_field": "padding_ignored",
        },
    ),
    Submission(
        "wrong by a misconception",
        WRONG,
        {"shift_test": 0.5, "spatial_pyramid_pool": 2.0, "receptive_field": 1.0},
        {
            "max_pool2d": "over_the_channels",
            "avg_pool2d": "sum",
            "shift_test": "moved_round",
            "global_avg_pool2d": "channels_last",
            "receptive_field": "jump_changed_too_early",
        },
    ),
)
