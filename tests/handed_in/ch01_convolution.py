"""Lab 1: four ways to hand it in."""

from handed_in import Submission

SIZE = """
def conv_output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    reach = dilation * (kernel_size - 1)
    return (size + 2 * padding - reach - 1) // stride + 1
"""

CORRELATE = """
def cross_correlate1d(x, kernel, stride=1, padding=0):
    k = len(kernel)
    padded = np.concatenate([np.zeros(padding), x, np.zeros(padding)])
    results = np.zeros(conv_output_size(len(x), k, stride, padding))
    for i in range(len(results)):
        for j in range(k):
            results[i] += padded[i * stride + j] * kernel[j]
    return results
"""

CONVOLVE = """
def convolve1d(x, kernel):
    result = np.zeros(len(x) + len(kernel) - 1)
    for m, number in enumerate(x):
        result[m:m + len(kernel)] += number * kernel
    return result
"""

SAME = """
def same_padding(size, kernel_size, stride=1):
    windows = -(-size // stride)
    zeros = max((windows - 1) * stride + kernel_size - size, 0)
    return zeros // 2, zeros - zeros // 2
"""

COST = """
def dense_vs_conv_cost(rows, columns, kernel_size):
    width = conv_output_size(columns, kernel_size)
    inputs, outputs = rows * columns, rows * width
    return {
        "output_shape": (rows, width),
        "convolution": (kernel_size, kernel_size * outputs),
        "sparse": (kernel_size * outputs, kernel_size * outputs),
        "dense": (inputs * outputs, inputs * outputs),
    }
"""

RIGHT = {
    "conv_output_size": SIZE,
    "cross_correlate1d": CORRELATE,
    "convolve1d": CONVOLVE,
    "same_padding": SAME,
    "dense_vs_conv_cost": COST,
}
POINTS = {
    "conv_output_size": 2.0,
    "cross_correlate1d": 2.0,
    "convolve1d": 1.0,
    "same_padding": 1.0,
    "dense_vs_conv_cost": 2.0,
}

OTHERWISE = {
    "conv_output_size": """
import math

def conv_output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return math.ceil((size + 2 * padding - dilation * (kernel_size - 1)) / stride)
""",
    "cross_correlate1d": """
from numpy.lib.stride_tricks import sliding_window_view

def cross_correlate1d(x, kernel, stride=1, padding=0):
    return sliding_window_view(np.pad(x, padding), len(kernel))[::stride] @ kernel
""",
    "convolve1d": """
def convolve1d(x, kernel):
    size = len(x) + len(kernel) - 1
    return np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(kernel, size), size)
""",
    "same_padding": """
def same_padding(size, kernel_size, stride=1):
    starts = range(0, size, stride)
    missing = max(starts[-1] + kernel_size - size, 0)
    return [missing // 2, (missing + 1) // 2]
""",
    "dense_vs_conv_cost": """
def dense_vs_conv_cost(rows, columns, kernel_size):
    windows = sliding_window_view(np.zeros((rows, columns)), kernel_size, axis=1)
    outputs = windows.shape[0] * windows.shape[1]
    dense = outputs * rows * columns
    return dict(output_shape=windows.shape[:2], convolution=(kernel_size, windows.size),
                sparse=(windows.size, windows.size), dense=(dense, dense))
""",
}

# No dilation: 3 of 4 groups. No stride in the window: 2 of 4. Only the stored numbers of the dense matrix are wrong.
HALF = {
    "conv_output_size": """
def conv_output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size - kernel_size + 2 * padding) // stride + 1
""",
    "cross_correlate1d": """
def cross_correlate1d(x, kernel, stride=1, padding=0):
    padded = np.pad(x, padding)
    out = np.zeros((len(padded) - len(kernel)) // stride + 1)
    for i in range(len(out)):
        out[i] = np.sum(padded[i:i + len(kernel)] * kernel)
    return out
""",
    "dense_vs_conv_cost": COST.replace('"dense": (inputs * outputs,', '"dense": (inputs * inputs,'),
}

FLIPPED = {
    "conv_output_size": SIZE.replace(") // stride + 1", ") / stride + 1"),
    "cross_correlate1d": CORRELATE.replace("* kernel[j]", "* kernel[k - 1 - j]"),
    "convolve1d": CONVOLVE.replace("+=", "="),
    "same_padding": """
def same_padding(size, kernel_size, stride=1):
    return (kernel_size - 1) // 2, (kernel_size - 1) // 2
""",
    "dense_vs_conv_cost": """
def dense_vs_conv_cost(rows, columns, kernel_size):
    width = columns
    inputs, outputs = rows * columns, rows * width
    work = kernel_size * outputs
    return {"output_shape": (rows, width), "convolution": (kernel_size, work), "sparse": (work, work),
            "dense": (inputs * outputs, inputs * outputs)}
""",
}

SUBMISSIONS = (
    Submission("right", RIGHT, POINTS),
    Submission("right in another way", OTHERWISE, POINTS),
    Submission(
        "half",
        HALF,
        {"conv_output_size": 1.5, "cross_correlate1d": 1.0, "dense_vs_conv_cost": 1.5},
        {"conv_output_size": "dilation_ignored", "cross_correlate1d": "stride_only_in_the_size"},
    ),
    Submission(
        "wrong by a misconception",
        FLIPPED | {"conv_output_size": SIZE},
        {"conv_output_size": 2.0, "same_padding": 0.33},
        {
            "cross_correlate1d": "kernel_flipped",
            "convolve1d": "overwritten_by_signal",
            "same_padding": "half_of_k_minus_one",
            "dense_vs_conv_cost": "width_kept",
        },
    ),
)
