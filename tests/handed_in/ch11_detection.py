"""Lab 11: four ways to hand it in."""

from handed_in import Submission

IOU = """
def box_iou(boxes1, boxes2):
    x1 = np.maximum(boxes1[:, None, 0], boxes2[None, :, 0])
    y1 = np.maximum(boxes1[:, None, 1], boxes2[None, :, 1])
    x2 = np.minimum(boxes1[:, None, 2], boxes2[None, :, 2])
    y2 = np.minimum(boxes1[:, None, 3], boxes2[None, :, 3])
    inter = np.clip(x2 - x1, 0, None) * np.clip(y2 - y1, 0, None)
    area1 = (boxes1[:, 2] - boxes1[:, 0]) * (boxes1[:, 3] - boxes1[:, 1])
    area2 = (boxes2[:, 2] - boxes2[:, 0]) * (boxes2[:, 3] - boxes2[:, 1])
    return inter / (area1[:, None] + area2[None, :] - inter)
"""

LOSS = """
def localization_loss(prediction, target):
    difference = (prediction - target) ** 2
    mask = np.ones(target.shape)
    mask[:, 1:] = target[:, :1]
    return (difference * mask).sum(axis=1).mean()
"""

CONV = """
def sliding_window_as_conv(maps, weights, biases, window):
    kernels = []
    out = maps
    for k, (w, b) in enumerate(zip(weights, biases)):
        size = window if k == 0 else (1, 1)
        kernel = w.reshape(w.shape[0], out.shape[0], size[0], size[1])
        kernels.append(kernel)
        every = np.lib.stride_tricks.sliding_window_view(out, size, axis=(1, 2))
        out = np.einsum("chwij,dcij->dhw", every, kernel) + b[:, None, None]
        if k < len(weights) - 1:
            out = np.maximum(out, 0)
    return kernels, out
"""

# With the student's own box_iou, as most will write it.
NMS = """
def nms(boxes, scores, iou_threshold):
    order = np.argsort(scores)[::-1]
    keep = []
    while len(order) > 0:
        best = order[0]
        keep.append(best)
        iou = box_iou(boxes[best:best + 1], boxes[order[1:]])[0]
        order = order[1:][iou <= iou_threshold]
    return np.array(keep)
"""

MATCH = """
def match_detections(boxes, scores, truth, iou_threshold):
    hits = np.zeros(len(boxes), dtype=bool)
    if len(truth) == 0:
        return hits
    taken = set()
    iou = box_iou(boxes, truth)
    for i in np.argsort(-scores):
        j = int(iou[i].argmax())
        if iou[i, j] >= iou_threshold and j not in taken:
            taken.add(j)
            hits[i] = True
    return hits
"""

AP = """
def average_precision(scores, hit, num_objects):
    tp = np.cumsum(hit[np.argsort(-scores)])
    recall = np.concatenate([[0], tp / num_objects])
    precision = tp / (np.arange(len(tp)) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return np.sum((recall[1:] - recall[:-1]) * precision)
"""

RIGHT = {
    "box_iou": IOU,
    "localization_loss": LOSS,
    "sliding_window_as_conv": CONV,
    "nms": NMS,
    "match_detections": MATCH,
    "average_precision": AP,
}
POINTS = {
    "box_iou": 3.0,
    "localization_loss": 2.0,
    "sliding_window_as_conv": 3.0,
    "nms": 3.0,
    "match_detections": 2.0,
    "average_precision": 3.0,
}

OTHERWISE = {
    "box_iou": """
def box_iou(boxes1, boxes2):
    def one(a, b):
        width = min(a[2], b[2]) - max(a[0], b[0])
        height = min(a[3], b[3]) - max(a[1], b[1])
        if width <= 0 or height <= 0:
            return 0.0
        both = width * height
        return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)

    out = np.zeros((len(boxes1), len(boxes2)))
    for i, a in enumerate(boxes1):
        for j, b in enumerate(boxes2):
            out[i, j] = one(a, b)
    return out
""",
    "localization_loss": """
def localization_loss(prediction, target):
    total = 0
    for said, true in zip(prediction, target):
        numbers = len(true) if true[0] else 1
        for k in range(numbers):
            total += (said[k] - true[k]) ** 2
    return total / len(target)
""",
    "sliding_window_as_conv": """
def sliding_window_as_conv(maps, weights, biases, window):
    h, w = window
    C, H, W = maps.shape
    kernels = [weights[0].reshape(-1, C, h, w)] + [weight[:, :, None, None] for weight in weights[1:]]
    columns = []
    for i in range(H - h + 1):
        for j in range(W - w + 1):
            columns.append(maps[:, i:i + h, j:j + w].flatten())
    units = np.array(columns).T
    for n in range(len(weights)):
        units = weights[n] @ units + biases[n].reshape(-1, 1)
        if n + 1 < len(weights):
            units[units < 0] = 0
    return kernels, units.reshape(-1, H - h + 1, W - w + 1)
""",
    # All pairs at once, then one walk down the list.
    "nms": """
def nms(boxes, scores, iou_threshold):
    x1, y1, x2, y2 = np.asarray(boxes, float).T
    areas = (x2 - x1) * (y2 - y1)
    dropped = [False] * len(boxes)
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: scores[i], reverse=True):
        if dropped[i]:
            continue
        kept.append(i)
        for j in range(len(boxes)):
            w = max(0, min(x2[i], x2[j]) - max(x1[i], x1[j]))
            h = max(0, min(y2[i], y2[j]) - max(y1[i], y1[j]))
            if w * h / (areas[i] + areas[j] - w * h) > iou_threshold:
                dropped[j] = True
    return kept
""",
    "match_detections": """
def match_detections(boxes, scores, truth, iou_threshold):
    free = list(range(len(truth)))
    hits = [False] * len(boxes)
    for n in sorted(range(len(boxes)), key=lambda n: scores[n])[::-1]:
        best, closest = -1.0, None
        for m, (a, b, c, d) in enumerate(truth):
            x1, y1, x2, y2 = boxes[n]
            w, h = min(c, x2) - max(a, x1), min(d, y2) - max(b, y1)
            both = w * h if w > 0 and h > 0 else 0.0
            iou = both / ((x2 - x1) * (y2 - y1) + (c - a) * (d - b) - both)
            if iou > best:
                best, closest = iou, m
        if best >= iou_threshold and closest in free:
            free.remove(closest)
            hits[n] = True
    return hits
""",
    "average_precision": """
def average_precision(scores, hit, num_objects):
    ranked = [h for _, h in sorted(zip(scores, hit), reverse=True)]
    heights, found = [], 0
    for place, right in enumerate(ranked, 1):
        if right:
            found += 1
            heights.append(found / place)
    area, best = 0.0, 0.0
    for height in reversed(heights):
        best = max(best, height)
        area += best / num_objects
    return area
""",
}

# Apart, nothing there, ReLU, another threshold, doubles, and precision that rises again are left out.
HALF = {
    "box_iou": IOU.replace("np.clip(x2 - x1, 0, None) * np.clip(y2 - y1, 0, None)", "(x2 - x1) * (y2 - y1)"),
    "localization_loss": LOSS.replace("target[:, :1]", "1"),
    "sliding_window_as_conv": CONV.replace("np.maximum(out, 0)", "out"),
    "nms": OTHERWISE["nms"].replace("> iou_threshold", "> 0.5"),
    "match_detections": OTHERWISE["match_detections"].replace("            free.remove(closest)\n", ""),
    "average_precision": AP.replace("    precision = np.maximum.accumulate(precision[::-1])[::-1]\n", ""),
}

WRONG = {
    "box_iou": IOU.replace("area2[None, :] - inter", "area1[:, None] - inter"),
    "localization_loss": LOSS.replace("target[:, :1]", "prediction[:, :1] > 0.5"),
    "sliding_window_as_conv": CONV.replace("size[0], size[1])", "size[1], size[0]).transpose(0, 1, 3, 2)"),
    "nms": """
def nms(boxes, scores, iou_threshold):
    boxes = boxes[np.argsort(-scores)].astype(float)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left, keep = np.arange(len(boxes)), []
    while len(left):
        best, left = left[0], left[1:]
        keep.append(int(best))
        corner = np.maximum(boxes[best, :2], boxes[left, :2])
        other = np.minimum(boxes[best, 2:], boxes[left, 2:])
        both = np.prod(np.maximum(other - corner, 0), axis=1)
        left = left[both / (areas[best] + areas[left] - both) <= iou_threshold]
    return keep
""",
    "match_detections": OTHERWISE["match_detections"].replace(
        "    return hits", "        elif closest in free:\n            free.remove(closest)\n    return hits"
    ),
    "average_precision": AP.replace("tp / num_objects", "tp / max(tp.max(initial=0), 1)"),
}

SUBMISSIONS = (
    Submission("right", RIGHT, POINTS),
    Submission("right in another way", OTHERWISE, POINTS),
    Submission(
        "half",
        HALF,
        {
            "box_iou": 1.0,
            "localization_loss": 1.0,
            "sliding_window_as_conv": 2.0,
            "nms": 2.0,
            "match_detections": 1.0,
            "average_precision": 1.0,
        },
        {
            "box_iou": "not_cut_off",
            "localization_loss": "everything_counts",
            "sliding_window_as_conv": "relu_missing",
            "nms": "threshold_ignored",
            "match_detections": "duplicates_are_hits",
            "average_precision": "dips_not_filled",
        },
    ),
    Submission(
        "wrong by a misconception",
        WRONG,
        {"box_iou": 1.0, "match_detections": 1.0},
        {
            "box_iou": "second_area_copied",
            "localization_loss": "the_prediction_decides",
            "sliding_window_as_conv": "columns_first",
            "nms": "places_in_the_sorted_list",
            "match_detections": "taken_by_a_miss",
            "average_precision": "objects_found_only",
        },
    ),
)
