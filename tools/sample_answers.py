"""What the students of the sample class wrote into their answer cells, in their own words."""

PAD2D = """
def pad2d(x, padding):
    N, C, H, W = x.shape
    big = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=x.dtype)
    big[:, :, padding:padding + H, padding:padding + W] = x
    return big
"""

COST = """
def conv2d_cost(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0, bias=True):
    rows, cols = kernel_size
    h = (height + 2 * padding - rows) // stride + 1
    w = (width + 2 * padding - cols) // stride + 1
    weights = in_channels * rows * cols * out_channels
    params = weights
    if bias:
        params += out_channels
    return {"output_shape": (out_channels, h, w), "params": params, "macs": weights * h * w,
            "memory": out_channels * h * w * 4}
"""

LAYOUT = """
def nhwc_to_nchw(x):
    return np.moveaxis(x, -1, 1)
"""

IM2COL = """
def im2col(x, kernel_size, stride=1, padding=0):
    kh, kw = kernel_size
    x = pad2d(x, padding)
    N, C, H, W = x.shape
    cols = []
    for top in range(0, H - kh + 1, stride):
        for left in range(0, W - kw + 1, stride):
            cols.append(x[:, :, top:top + kh, left:left + kw].reshape(N, -1))
    return np.stack(cols, axis=2)
"""

LOOPS = """
def conv2d(x, weight, bias, stride=1, padding=0):
    xp = pad2d(x, padding)
    N, C, H, W = xp.shape
    F, C, kh, kw = weight.shape
    Ho = (H - kh) // stride + 1
    Wo = (W - kw) // stride + 1
    y = np.zeros((N, F, Ho, Wo))
    for n in range(N):
        for f in range(F):
            for i in range(Ho):
                for j in range(Wo):
                    patch = xp[n, :, i * stride:i * stride + kh, j * stride:j * stride + kw]
                    y[n, f, i, j] = (patch * weight[f]).sum() + bias[f]
    return y
"""

STRIDED = """
from numpy.lib.stride_tricks import as_strided

def conv2d(x, weight, bias, stride=1, padding=0):
    xp = np.ascontiguousarray(pad2d(x, padding))
    N, C, H, W = xp.shape
    F, _, kh, kw = weight.shape
    sn, sc, sh, sw = xp.strides
    view = as_strided(
        xp,
        shape=(N, C, (H - kh) // stride + 1, (W - kw) // stride + 1, kh, kw),
        strides=(sn, sc, sh * stride, sw * stride, sh, sw),
        writeable=False,
    )
    return np.tensordot(view, weight, axes=([1, 4, 5], [1, 2, 3])).transpose(0, 3, 1, 2) + bias[:, None, None]
"""

WINDOWS = """
def conv2d(x, weight, bias, stride=1, padding=0):
    windows = np.lib.stride_tricks.sliding_window_view(pad2d(x, padding), weight.shape[2:], axis=(2, 3))
    windows = windows[:, None, :, ::stride, ::stride]          # N, 1, C, Ho, Wo, kh, kw
    kernels = weight[None, :, :, None, None]                   # 1, F, C, 1, 1, kh, kw
    return (windows * kernels).sum(axis=(2, 5, 6)) + bias.reshape(1, -1, 1, 1)
"""

COLUMNS_HELPER = """
def all_windows(img, kh, kw, s):
    rows = range(0, img.shape[2] - kh + 1, s)
    cols = range(0, img.shape[3] - kw + 1, s)
    all_of_them = [img[:, :, r:r + kh, c:c + kw].reshape(len(img), -1) for r in rows for c in cols]
    return np.array(all_of_them), len(rows), len(cols)
"""

COLUMNS = """
def conv2d(x, weight, bias, stride=1, padding=0):
    F, C, kh, kw = weight.shape
    windows, Ho, Wo = all_windows(pad2d(x, padding), kh, kw, stride)     # Ho*Wo, N, C*kh*kw
    y = windows @ weight.reshape(F, -1).T + bias                         # Ho*Wo, N, F
    return y.transpose(1, 2, 0).reshape(len(x), F, Ho, Wo)
"""

EINSUM = """
def conv2d(x, weight, bias, stride=1, padding=0):
    x = pad2d(x, padding)
    F, C, kh, kw = weight.shape
    Ho, Wo = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    y = 0
    for a in range(kh):
        for b in range(kw):
            part = x[:, :, a:a + stride * (Ho - 1) + 1:stride, b:b + stride * (Wo - 1) + 1:stride]
            y = y + np.einsum("nchw,fc->nfhw", part, weight[:, :, a, b])
    return y + np.einsum("f,nhw->nfhw", bias, np.ones((len(x), Ho, Wo)))
"""

LISTS = """
def conv2d(x, weight, bias, stride=1, padding=0):
    x = pad2d(x, padding).astype(np.float32)
    w = weight.astype(np.float32)
    kh, kw = w.shape[2], w.shape[3]
    out = []
    for img in x:
        maps = []
        for k, b in zip(w, bias):
            maps.append([[float((img[:, i:i + kh, j:j + kw] * k).sum() + b)
                          for j in range(0, img.shape[2] - kw + 1, stride)]
                         for i in range(0, img.shape[1] - kh + 1, stride)])
        out.append(maps)
    return out
"""

FLIPPED = LOOPS.replace("(patch * weight[f]).sum()", "(patch * weight[f, :, ::-1, ::-1]).sum()")

BIAS_IN_THE_SUM = LOOPS.replace("(patch * weight[f]).sum() + bias[f]", "(patch * weight[f] + bias[f]).sum()")

NEGATIVE_SLICE = """
def pad2d(x, padding):
    p = padding
    N, C, H, W = x.shape
    out = np.zeros((N, C, H + 2 * p, W + 2 * p))
    out[:, :, p:-p, p:-p] = x
    return out
"""

STRIDE_FORGOTTEN = LOOPS.replace(
    "i * stride:i * stride + kh, j * stride:j * stride + kw", "i:i + kh, j:j + kw"
)

SWAPPED = LOOPS.replace("y = np.zeros((N, F, Ho, Wo))", "y = np.zeros((N, F, Wo, Ho))").replace(
    "y[n, f, i, j]", "y[n, f, j, i]"
)

MISSING_BRACKET = LOOPS.replace("Ho = (H - kh) // stride + 1", "Ho = (H - kh // stride + 1")

ESSAY = (
    "One column per window: 64 * 3 * 3 = 576 numbers for each of 224 * 224 windows, 3.7 GB for the batch. "
    "I would build the columns for one image at a time."
)

RIGHT = {
    "pad2d": PAD2D,
    "conv2d": LOOPS,
    "conv2d_cost": COST,
    "nhwc_to_nchw": LAYOUT,
    "im2col": IM2COL,
    "open-question": ESSAY,
}
