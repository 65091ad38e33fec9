"""Lab 5: four ways to hand it in."""

from handed_in import Submission

RELU = """
def relu_backward(grad_out, x):
    return grad_out * (x > 0)
"""

CONV = """
def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    H, W = x.shape[2:]
    K_h, K_w = weight.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    grad_padded, grad_weight = np.zeros(padded.shape), np.zeros(weight.shape)
    for n, c, i, j in np.ndindex(grad_out.shape):
        top, left = i * stride, j * stride
        grad_padded[n, :, top:top + K_h, left:left + K_w] += grad_out[n, c, i, j] * weight[c]
        grad_weight[c] += grad_out[n, c, i, j] * padded[n, :, top:top + K_h, left:left + K_w]
    grad_x = grad_padded[:, :, padding:padding + H, padding:padding + W]
    return grad_x, grad_weight, grad_out.sum(axis=(0, 2, 3))
"""

MAX = """
def max_pool2d_backward(grad_out, x, kernel_size, stride, padding=0):
    (K_h, K_w), (H, W) = kernel_size, x.shape[2:]
    grad_x = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(grad_out.shape):
        top, left = i * stride - padding, j * stride - padding
        places = [(r, q) for r in range(top, top + K_h) for q in range(left, left + K_w) if 0 <= r < H and 0 <= q < W]
        row, column = max(places, key=lambda place: x[n, c, place[0], place[1]])
        grad_x[n, c, row, column] += grad_out[n, c, i, j]
    return grad_x
"""

AVG = """
def avg_pool2d_backward(grad_out, x, kernel_size, stride, padding=0):
    (K_h, K_w), (N, C, H, W) = kernel_size, x.shape
    grad_padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for n, c, i, j in np.ndindex(grad_out.shape):
        top, left = i * stride, j * stride
        grad_padded[n, c, top:top + K_h, left:left + K_w] += grad_out[n, c, i, j] / (K_h * K_w)
    return grad_padded[:, :, padding:padding + H, padding:padding + W]
"""

TRAIN = """
def forward(p, x):
    a = layers.conv2d(x, p["k1"], p["b1"], padding=1)
    b = layers.max_pool2d(layers.relu(a), (2, 2), 2)
    c = layers.conv2d(b, p["k2"], p["b2"], padding=1)
    d = layers.max_pool2d(layers.relu(c), (2, 2), 2)
    return x, a, b, c, d, layers.linear(d.reshape(len(d), -1), p["w"], p["b"])


def train_lenet(images, labels):
    rng = np.random.default_rng(1)
    classes = labels.max() + 1
    p = {"k1": rng.normal(0, 0.47, (8, 1, 3, 3)), "b1": np.zeros(8), "k2": rng.normal(0, 0.17, (16, 8, 3, 3)),
         "b2": np.zeros(16), "w": rng.normal(0, 0.17, (classes, 64)), "b": np.zeros(classes)}
    v = {name: 0.0 for name in p}
    for step in range(max(250, len(images) // 4)):
        part = rng.choice(len(images), 32)
        x, a, b, c, d, scores = forward(p, images[part])
        g = layers.cross_entropy_backward(scores, labels[part])
        grads = {}
        g, grads["w"], grads["b"] = layers.linear_backward(g, d.reshape(len(d), -1), p["w"])
        g = layers.max_pool2d_backward(g.reshape(d.shape), layers.relu(c), (2, 2), 2)
        g, grads["k2"], grads["b2"] = layers.conv2d_backward(layers.relu_backward(g, c), b, p["k2"], padding=1)
        g = layers.max_pool2d_backward(g, layers.relu(a), (2, 2), 2)
        _, grads["k1"], grads["b1"] = layers.conv2d_backward(layers.relu_backward(g, a), x, p["k1"], padding=1)
        for name in p:
            v[name] = 0.9 * v[name] - 0.05 * grads[name]
            p[name] = p[name] + v[name]
    return p


def predict(model, images):
    return forward(model, images)[-1]
"""

RIGHT = {
    "relu_backward": RELU,
    "conv2d_backward": CONV,
    "max_pool2d_backward": MAX,
    "avg_pool2d_backward": AVG,
    "train_lenet": TRAIN,
}
POINTS = {
    "relu_backward": 1.0,
    "conv2d_backward": 5.0,
    "max_pool2d_backward": 2.0,
    "avg_pool2d_backward": 1.0,
    "train_lenet": 3.0,
}

OTHERWISE = {
    "relu_backward": """
def relu_backward(grad_out, x):
    grad_x = grad_out.copy()
    grad_x[x <= 0] = 0
    return grad_x
""",
    "conv2d_backward": """
def conv2d_backward(grad_out, x, weight, stride=1, padding=0):
    s, p, (K_h, K_w), (H, W) = stride, padding, weight.shape[2:], x.shape[2:]
    A, B = grad_out.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    back, grad_weight = np.zeros(padded.shape), np.zeros(weight.shape)
    for u in range(K_h):
        for v in range(K_w):
            there = np.s_[:, :, u:u + s * (A - 1) + 1:s, v:v + s * (B - 1) + 1:s]
            grad_weight[:, :, u, v] = np.tensordot(grad_out, padded[there], ([0, 2, 3], [0, 2, 3]))
            back[there] += np.einsum("ncij,cm->nmij", grad_out, weight[:, :, u, v])
    return [back[:, :, p:H + p, p:W + p], grad_weight, np.einsum("ncij->c", grad_out)]
""",
    "max_pool2d_backward": """
def max_pool2d_backward(grad_out, x, kernel_size, stride, padding=0):
    (K_h, K_w), p, (H, W) = kernel_size, padding, x.shape[2:]
    padded = np.pad(x.astype(float), ((0, 0), (0, 0), (p, p), (p, p)), constant_values=-np.inf)
    views = np.lib.stride_tricks.sliding_window_view(padded, kernel_size, axis=(2, 3))[:, :, ::stride, ::stride]
    equal = views == views.max(axis=(4, 5), keepdims=True)  # tied numbers share
    shares = equal / equal.sum(axis=(4, 5), keepdims=True) * grad_out[..., None, None]
    back = np.zeros(padded.shape)
    for i, j in np.ndindex(grad_out.shape[2:]):
        back[:, :, i * stride:i * stride + K_h, j * stride:j * stride + K_w] += shares[:, :, i, j]
    return back[:, :, p:p + H, p:p + W]
""",
    "avg_pool2d_backward": """
def avg_pool2d_backward(grad_out, x, kernel_size, stride, padding=0):
    def reach(size, count, k):
        starts = stride * np.arange(count) - padding
        pixels = np.arange(size)[:, None]
        return ((pixels >= starts) & (pixels < starts + k)) / k

    rows = reach(x.shape[2], grad_out.shape[2], kernel_size[0])
    columns = reach(x.shape[3], grad_out.shape[3], kernel_size[1])
    return rows @ grad_out @ columns.T
""",
    # With other random numbers, and class numbers as the answer.
    "train_lenet": TRAIN.replace(
        "forward(model, images)[-1]", "forward(model, images)[-1].argmax(axis=1)"
    ).replace("default_rng(1)", "default_rng(3)"),
}

# The stride is missing in both gradients: 3 of 5 groups. Ties all get the gradient: 3 of 4. No training.
HALF = {
    "relu_backward": RELU,
    "conv2d_backward": CONV.replace("i * stride, j * stride", "i, j"),
    "max_pool2d_backward": OTHERWISE["max_pool2d_backward"].replace(
        " / equal.sum(axis=(4, 5), keepdims=True)", ""
    ),
    "avg_pool2d_backward": AVG,
}

WRONG = {
    "relu_backward": RELU.replace("x > 0", "grad_out > 0"),
    "conv2d_backward": CONV.replace(
        "padding:padding + H, padding:padding + W", "padding:-padding, padding:-padding"
    ),
    "max_pool2d_backward": MAX.replace("+=", "="),
    "avg_pool2d_backward": AVG.replace(" / (K_h * K_w)", ""),
    "train_lenet": TRAIN.replace("- 0.05 *", "+ 0.05 *"),
}

SUBMISSIONS = (
    Submission("right", RIGHT, POINTS),
    Submission("right in another way", OTHERWISE, POINTS),
    Submission(
        "half",
        HALF,
        {
            "relu_backward": 1.0,
            "conv2d_backward": 3.0,
            "max_pool2d_backward": 1.5,
            "avg_pool2d_backward": 1.0,
        },
        {"conv2d_backward": "no_stride_in_grad_x", "max_pool2d_backward": "all_tied"},
    ),
    Submission(
        "wrong by a misconception",
        WRONG,
        {"conv2d_backward": 3.0, "max_pool2d_backward": 0.5},
        {
            "relu_backward": "sign_of_the_gradient",
            "conv2d_backward": "empty_slice",
            "max_pool2d_backward": "overwritten_at_its_place",
            "avg_pool2d_backward": "not_divided",
        },
    ),
)
