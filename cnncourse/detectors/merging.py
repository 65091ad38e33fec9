"""Many windows for one object become one box: merging instead of suppression, as OverFeat did (NumPy)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cnncourse.arrays import Array
from cnncourse.boxes import as_boxes, box_iou


def greedy_merge(boxes: ArrayLike, scores: ArrayLike, least_iou: float = 0.5) -> tuple[Array, Array]:
    """Merge the two boxes that overlap most into their mean, again and again, until none overlap enough.

    Non-maximum suppression throws the weaker boxes away. Merging lets them vote: the place is the mean of all
    that were merged, and the score their sum, so that what many windows saw beats what one saw by accident.

    Parameters
    ----------
    boxes : array_like, shape (N, 4)
        Of one class.
    scores : array_like, shape (N,)
        Weights of the boxes in the means.
    least_iou : float
        Two boxes that overlap less stay apart.

    Returns
    -------
    boxes, scores : ndarray, shapes (M, 4) and (M,)
        The highest sum first.

    Raises
    ------
    ValueError
        If boxes and scores differ in number, or a score is not above 0.

    References
    ----------
    Sermanet et al. 2014, "OverFeat", section 4.3. There the match is a sum of the distance of the centres
    and the intersection's area; here it is the IoU.

    Examples
    --------
    >>> boxes, scores = greedy_merge([[0, 0, 10, 10], [2, 0, 12, 10], [50, 50, 60, 60]], [0.5, 0.5, 0.8])
    >>> boxes.tolist(), scores.tolist()
    ([[1.0, 0.0, 11.0, 10.0], [50.0, 50.0, 60.0, 60.0]], [1.0, 0.8])
    """
    found, weights = as_boxes(boxes).copy(), np.array(scores, dtype=float)
    if weights.shape != (len(found),) or not (weights > 0).all():
        raise ValueError(f"scores must be {len(found)} numbers above 0, one for each box")
    while len(found) > 1:
        overlap = np.triu(box_iou(found, found), k=1)  # (M, M), each pair once
        first, second = np.unravel_index(overlap.argmax(), overlap.shape)
        if overlap[first, second] < least_iou:
            break
        pair = [first, second]
        found[first] = np.average(found[pair], axis=0, weights=weights[pair])
        weights[first] = weights[pair].sum()
        found, weights = np.delete(found, second, axis=0), np.delete(weights, second)
    order = np.argsort(-weights, kind="stable")
    return found[order], weights[order]
