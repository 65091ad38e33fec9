"""Lab 12: four ways to hand it in."""

from handed_in import Submission

ENCODE = """
def yolo_encode(boxes, labels, grid, image_size, num_classes):
    rows, columns = grid
    height, width = image_size
    cell_h, cell_w = height / rows, width / columns
    target = np.zeros((rows, columns, 5 + num_classes))
    for k in range(len(boxes)):
        x1, y1, x2, y2 = boxes[k]
        cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
        i, j = int(cy // cell_h), int(cx // cell_w)
        if target[i, j, 4] > 0:
            continue
        target[i, j, 0] = cx / cell_w - j
        target[i, j, 1] = cy / cell_h - i
        target[i, j, 2] = (x2 - x1) / width
        target[i, j, 3] = (y2 - y1) / height
        target[i, j, 4] = 1
        target[i, j, 5 + labels[k]] = 1
    return target
"""

LOSS = """
def overlap(a, b):
    w = min(a[0] + a[2] / 2, b[0] + b[2] / 2) - max(a[0] - a[2] / 2, b[0] - b[2] / 2)
    h = min(a[1] + a[3] / 2, b[1] + b[3] / 2) - max(a[1] - a[3] / 2, b[1] - b[3] / 2)
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / (a[2] * a[3] + b[2] * b[3] - w * h)


def yolo_loss(predicted, target, lambda_coord=5.0, lambda_noobj=0.5):
    N, rows, columns, D = target.shape
    C = D - 5
    B = (predicted.shape[-1] - C) // 5
    box = obj = noobj = cls = 0.0
    for n in range(N):
        for i in range(rows):
            for j in range(columns):
                t, p = target[n, i, j], predicted[n, i, j]
                found = [p[5 * b:5 * b + 5] for b in range(B)]
                best, iou = -1, 0.0
                if t[4] == 1:
                    true = (t[0] / columns, t[1] / rows, t[2], t[3])
                    ious = [overlap((f[0] / columns, f[1] / rows, f[2], f[3]), true) for f in found]
                    iou = max(ious)
                    best = ious.index(iou)
                    f = found[best]
                    box += (f[0] - t[0]) ** 2 + (f[1] - t[1]) ** 2
                    box += (f[2] ** 0.5 - t[2] ** 0.5) ** 2 + (f[3] ** 0.5 - t[3] ** 0.5) ** 2
                    obj += (f[4] - iou) ** 2
                    cls += sum((p[5 * B + c] - t[5 + c]) ** 2 for c in range(C))
                for b in range(B):
                    if b != best:
                        noobj += found[b][4] ** 2
    return {"box": lambda_coord * box / N, "object": obj / N, "no_object": lambda_noobj * noobj / N, "class": cls / N}
"""

KMEANS = """
def kmeans_anchors(sizes, first):
    anchors = [tuple(map(float, a)) for a in first]
    for step in range(200):
        groups = [[] for a in anchors]
        for w, h in sizes:
            best = []
            for a, b in anchors:
                both = min(w, a) * min(h, b)
                best.append(both / (w * h + a * b - both))
            groups[int(np.argmax(best))].append((w, h))
        moved = [tuple(np.mean(g, axis=0)) if g else a for g, a in zip(groups, anchors)]
        if moved == anchors:
            break
        anchors = moved
    return np.array(anchors)
"""

DECODE = """
def yolo_decode(raw, anchors, stride):
    rows, columns, A, _ = raw.shape
    out = np.zeros((rows, columns, A, 4))
    for i in range(rows):
        for j in range(columns):
            for a in range(A):
                tx, ty, tw, th = raw[i, j, a]
                x = (j + 1 / (1 + np.exp(-tx))) * stride
                y = (i + 1 / (1 + np.exp(-ty))) * stride
                w = anchors[a, 0] * np.exp(tw)
                h = anchors[a, 1] * np.exp(th)
                out[i, j, a] = x - w / 2, y - h / 2, x + w / 2, y + h / 2
    return out
"""

FILTER = """
def yolo_filter_boxes(boxes, confidence, class_probs, threshold=0.5):
    scores = confidence[:, :, :, np.newaxis] * class_probs
    labels = np.argmax(scores, axis=3)
    best = np.max(scores, axis=3)
    mask = best >= threshold
    return boxes[mask], best[mask], labels[mask]
"""

# Version 1 as it is: shares of the image through a sigmoid, roots compared, squared errors; mirrored images.
TRAIN = """
def train_yolo(images, boxes, labels):
    torch.manual_seed(1)
    C = int(labels.max()) + 1
    goal = np.stack([tools.encode(b[l >= 0], l[l >= 0], (4, 4), (32, 32), C) for b, l in zip(boxes, labels)])
    goal = torch.from_numpy(goal).float()
    x = torch.from_numpy(images)
    nn = torch.nn

    def block(i, o, stride=1):
        return nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU())

    model = nn.Sequential(block(3, 16, 2), block(16, 32, 2), block(32, 64), nn.MaxPool2d(2), block(64, 64), nn.Conv2d(64, 5 + C, 1))
    steps = EPOCHS * (len(x) // 32)
    opt = torch.optim.Adam(model.parameters(), lr=0.006)
    rates = torch.optim.lr_scheduler.OneCycleLR(opt, 0.006, total_steps=steps)
    for epoch in range(EPOCHS):
        for part in torch.randperm(len(x))[:len(x) // 32 * 32].split(32):
            a, t = x[part] - 0.5, goal[part].clone()
            if torch.rand(1) < 0.5:
                a, t = a.flip(3), t.flip(2)
                t[..., 0] = t[..., 4] * (1 - t[..., 0])
            if torch.rand(1) < 0.5:
                a, t = a.flip(2), t.flip(1)
                t[..., 1] = t[..., 4] * (1 - t[..., 1])
            if torch.rand(1) < 0.5:
                a, t = a.transpose(2, 3).contiguous(), t.transpose(1, 2)
                t = torch.cat([t[..., 1:2], t[..., 0:1], t[..., 3:4], t[..., 2:3], t[..., 4:]], dim=-1)
            p = model(a).permute(0, 2, 3, 1)
            m = t[..., 4] == 1
            loss = 5 * ((p[m][:, :2].sigmoid() - t[m][:, :2]) ** 2).sum()
            loss = loss + 10 * ((p[m][:, 2:4].sigmoid().sqrt() - t[m][:, 2:4].sqrt()) ** 2).sum()
            loss = loss + nn.functional.binary_cross_entropy_with_logits(p[..., 4], t[..., 4], reduction="sum")
            loss = loss + nn.functional.cross_entropy(p[m][:, 5:], t[m][:, 5:].argmax(dim=1), reduction="sum")
            opt.zero_grad()
            (loss / 32).backward()
            opt.step()
            rates.step()
    model.eval()
    return model


def predict(model, images):
    with torch.no_grad():
        p = model(torch.from_numpy(images) - 0.5).permute(0, 2, 3, 1)
        xywh, sure, kinds = p[..., :4].sigmoid().numpy(), p[..., 4].sigmoid().numpy(), p[..., 5:].softmax(-1).numpy()
    answers = []
    for n in range(len(images)):
        boxes, scores, classes = [], [], []
        for i in range(4):
            for j in range(4):
                x, y, w, h = xywh[n, i, j] * (8, 8, 32, 32)
                x, y = x + 8 * j, y + 8 * i
                for c in range(kinds.shape[-1]):
                    if sure[n, i, j] * kinds[n, i, j, c] > 0.02:
                        boxes.append([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
                        scores.append(sure[n, i, j] * kinds[n, i, j, c])
                        classes.append(c)
        boxes, scores, classes = np.array(boxes).reshape(-1, 4), np.array(scores), np.array(classes)
        kept = tools.nms(boxes, scores, classes)
        answers.append((boxes[kept], scores[kept], classes[kept]))
    return answers
""".replace("EPOCHS", "18")

RIGHT = {
    "yolo_encode": ENCODE,
    "yolo_loss": LOSS,
    "kmeans_anchors": KMEANS,
    "yolo_decode": DECODE,
    "yolo_filter_boxes": FILTER,
    "train_yolo": TRAIN,
}
POINTS = {
    "yolo_encode": 3.0,
    "yolo_loss": 4.0,
    "kmeans_anchors": 2.0,
    "yolo_decode": 2.0,
    "yolo_filter_boxes": 2.0,
    "train_yolo": 3.0,
}

OTHERWISE = {
    # From the last to the first, so that the first stays.
    "yolo_encode": """
def yolo_encode(boxes, labels, grid, image_size, num_classes):
    target = np.zeros((*grid, 5 + num_classes))
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 * np.array(grid[::-1]) / np.array(image_size[::-1])
    shares = (boxes[:, 2:] - boxes[:, :2]) / np.array(image_size[::-1])
    for centre, share, label in reversed(list(zip(centres, shares, labels))):
        j, i = np.floor(centre).astype(int)
        target[i, j] = np.concatenate([centre - (j, i), share, [1], np.eye(num_classes)[label]])
    return target
""",
    "yolo_loss": """
def yolo_loss(predicted, target, lambda_coord=5.0, lambda_noobj=0.5):
    N, rows, columns, D = target.shape
    B = (predicted.shape[-1] - D + 5) // 5
    boxes = predicted[..., :5 * B].reshape(N, rows, columns, B, 5)
    full = target[..., 4] == 1
    said, true = boxes[full], target[full][:, None, :4]  # (M, B, 5), (M, 1, 4)
    scale = np.array([columns, rows])
    near = [b[..., :2] / scale - b[..., 2:4] / 2 for b in (said, true)]
    far = [b[..., :2] / scale + b[..., 2:4] / 2 for b in (said, true)]
    both = np.clip(np.minimum(*far) - np.maximum(*near), 0, None).prod(-1)
    iou = both / (said[..., 2:4].prod(-1) + true[..., 2:4].prod(-1) - both)
    who = np.arange(len(said)), iou.argmax(axis=1)
    own = said[who]
    place = (own[:, :2] - true[:, 0, :2]) ** 2
    size = (np.sqrt(own[:, 2:4]) - np.sqrt(true[:, 0, 2:])) ** 2
    return dict(
        box=lambda_coord * (place.sum() + size.sum()) / N,
        object=((own[:, 4] - iou[who]) ** 2).sum() / N,
        no_object=lambda_noobj * ((boxes[..., 4] ** 2).sum() - (own[:, 4] ** 2).sum()) / N,
        **{"class": ((predicted[full][:, 5 * B:] - target[full][:, 5:]) ** 2).sum() / N},
    )
""",
    "kmeans_anchors": """
def kmeans_anchors(sizes, first):
    sizes, anchors, old = 1.0 * sizes, 1.0 * first, None
    while True:
        w, h = (np.minimum.outer(sizes[:, d], anchors[:, d]) for d in (0, 1))
        distance = 1 - w * h / (np.add.outer(sizes.prod(1), anchors.prod(1)) - w * h)
        now = distance.argmin(axis=1)
        if old is not None and (now == old).all():
            return anchors
        for j in np.unique(now):
            anchors[j] = sizes[now == j].mean(0)
        old = now
""",
    "yolo_decode": """
def yolo_decode(raw, anchors, stride):
    raw = torch.tensor(raw, dtype=torch.float64)
    y, x = torch.meshgrid(torch.arange(raw.shape[0]), torch.arange(raw.shape[1]), indexing="ij")
    centre = stride * (torch.stack([x, y], dim=2).unsqueeze(2) + torch.sigmoid(raw[..., 0:2]))
    size = torch.tensor(anchors) * torch.exp(raw[..., 2:4])
    return torch.cat([centre - 0.5 * size, centre + 0.5 * size], dim=3)
""",
    "yolo_filter_boxes": """
def yolo_filter_boxes(boxes, confidence, class_probs, threshold=0.5):
    kept, values, names = [], [], []
    for i, j, a in np.ndindex(confidence.shape):
        score = confidence[i, j, a] * class_probs[i, j, a]
        c = int(np.argmax(score))
        if not score[c] < threshold:
            kept.append(boxes[i, j, a])
            values.append(score[c])
            names.append(c)
    return np.reshape(kept, (-1, 4)), np.array(values), np.array(names, dtype=int)
""",
    # With another start and a few passes more.
    "train_yolo": TRAIN.replace("manual_seed(1)", "manual_seed(2)")
    .replace("range(18)", "range(20)")
    .replace("steps = 18", "steps = 20"),
}

# Overwritten where two centres meet; all boxes responsible; anchors without objects; at the threshold; 4 passes.
HALF = {
    "yolo_encode": ENCODE.replace(
        "        if target[i, j, 4] > 0:\n            continue\n", "        target[i, j] = 0\n"
    ),
    "yolo_loss": LOSS.replace("iou = max(ious)", "iou = 1.0")
    .replace("ious.index(iou)", "ious.index(max(ious))")
    .replace("if b != best:", "if best < 0:"),
    "kmeans_anchors": KMEANS.replace(
        "tuple(np.mean(g, axis=0)) if g else a", "tuple(np.mean(g, axis=0)) if g else (0.0, 0.0)"
    ),
    "yolo_decode": DECODE,
    "yolo_filter_boxes": FILTER.replace(">=", ">"),
}

WRONG = {
    "yolo_encode": ENCODE.replace("target[i, j", "target[j, i"),
    "yolo_loss": LOSS.replace("f[2] ** 0.5 - t[2] ** 0.5", "f[2] - t[2]").replace(
        "f[3] ** 0.5 - t[3] ** 0.5", "f[3] - t[3]"
    ),
    "kmeans_anchors": KMEANS.replace("both / (w * h + a * b - both)", "-(w - a) ** 2 - (h - b) ** 2"),
    "yolo_decode": DECODE.replace("* np.exp(tw)", "* tw").replace("* np.exp(th)", "* th"),
    "yolo_filter_boxes": FILTER.replace("mask = best", "mask = confidence"),
    "train_yolo": TRAIN.replace("opt.step()", "pass").replace("rates.step()", "break"),
}

SUBMISSIONS = (
    Submission("right", RIGHT, POINTS),
    Submission("right in another way", OTHERWISE, POINTS),
    Submission(
        "half",
        HALF,
        {
            "yolo_encode": 2.0,
            "yolo_loss": 2.0,
            "kmeans_anchors": 1.0,
            "yolo_decode": 2.0,
            "yolo_filter_boxes": 1.0,
        },
        {
            "yolo_encode": "last_stays",
            "yolo_loss": "confidence_towards_1",
            "kmeans_anchors": "alone_becomes_zero",
            "yolo_filter_boxes": "above_only",
        },
    ),
    Submission(
        "wrong by a misconception",
        WRONG,
        {"yolo_loss": 3.0},
        {
            "yolo_encode": "row_and_column_exchanged",
            "yolo_loss": "no_root",
            "kmeans_anchors": "euclid",
            "yolo_decode": "no_exp",
            "yolo_filter_boxes": "confidence_above_the_threshold",
        },
    ),
)
