"""Random detections and objects, for the tests of matching and of average precision."""

import numpy as np


def drawn(rng, images=6, classes=3, crowds=True):
    """Return random detections and objects: close and far ones, doubles, ties, images with nothing."""
    detections, objects = [], []
    for _ in range(images):
        m = rng.integers(0, 7)
        start = rng.integers(0, 40, (m, 2))
        truth = np.hstack([start, start + rng.integers(3, 25, (m, 2))]).astype(float)
        labels = rng.integers(0, classes, m)
        flags = (rng.random(m) < 0.2) & crowds
        objects.append((truth, labels, flags))
        again = rng.integers(0, max(m, 1), rng.integers(0, 15) if m else 0)
        moved = truth[again] + rng.integers(-3, 4, (len(again), 4))
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
        start = rng.integers(0, 40, (rng.integers(0, 5), 2)).astype(float)
        far = np.hstack([start, start + rng.integers(3, 25, start.shape)])
        boxes = np.vstack([moved, far])
        kinds = np.append(
            np.where(rng.random(len(again)) < 0.9, labels[again], 0), rng.integers(0, classes, len(far))
        )
        detections.append((boxes, rng.integers(0, 20, len(boxes)) / 20, kinds.astype(int)))
    return detections, objects
