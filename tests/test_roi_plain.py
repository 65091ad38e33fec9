"""RoIPool and RoIAlign in NumPy: published examples, the detectors' own, and what is refused."""

import numpy as np
import pytest

from cnncourse.roi import roi_align, roi_pool


def test_pool_agrees_with_a_published_example():
    """Android's neural networks API, test ROI_POOLING_1: four boxes, and one outside the map."""
    features = [[[-10, -1, 4, -5], [-8, -2, 9, 1], [7, -2, 3, -7], [-2, 10, -3, 5]]]
    boxes = [[2, 2, 4, 4], [0, 0, 6, 6], [2, 0, 4, 6], [0, 2, 6, 4], [8, 8, 8, 8]]
    wanted = [[-2, 9, -2, 3], [-1, 9, 10, 5], [-1, 9, 10, 3], [-2, 9, 7, 3], [0, 0, 0, 0]]
    assert roi_pool(features, boxes, 2, stride=2).reshape(5, 4).tolist() == wanted


def test_align_gives_the_middles_of_bins_on_a_slope():
    """On a map whose value is its cell's middle in pixels, a bin's mean is the middle of the bin."""
    stride, size = 8, 12
    middles = (np.arange(size) + 0.5) * stride
    features = np.stack([np.tile(middles, (size, 1)), np.tile(middles[:, None], size)])  # x, y
    x, y = roi_align(features, [[21, 30, 77, 90]], 4, stride)[0]
    np.testing.assert_allclose(x, np.tile([28, 42, 56, 70], (4, 1)))
    np.testing.assert_allclose(y, np.tile([37.5, 52.5, 67.5, 82.5], (4, 1)).T)


@pytest.mark.parametrize("seed", range(8))
def test_both_agree_with_the_detectors(seed):
    """Boxes across the border, and of no size; edges in the middle of a cell."""
    torch = pytest.importorskip("torch")
    from cnncourse.detectors import roi_align as aligning
    from cnncourse.detectors import roi_pool as pooling

    rng = np.random.default_rng(seed)
    features = rng.normal(size=(3, *rng.integers(2, 9, 2)))
    stride, output, samples = int(rng.choice([4, 8, 16])), int(rng.integers(1, 8)), int(rng.integers(1, 4))
    start = rng.integers(-2 * stride, 60, (6, 2))
    boxes = np.hstack([start, start + rng.integers(0, 90, (6, 2))]).astype(float)
    maps, image = torch.from_numpy(features)[None], torch.zeros(6, dtype=torch.long)
    rois = pooling.Rois(torch.from_numpy(boxes), image)
    theirs = pooling.roi_pool(maps, rois, output, stride).numpy()
    np.testing.assert_array_equal(roi_pool(features, boxes, output, stride), theirs)
    for half_pixel in (True, False):
        how = (output, stride, samples, half_pixel)
        theirs = aligning.roi_align(maps, rois, *how).numpy()
        np.testing.assert_allclose(roi_align(features, boxes, *how), theirs, atol=1e-12)


@pytest.mark.parametrize("pool", [roi_pool, roi_align])
@pytest.mark.parametrize(
    ("features", "boxes", "output", "stride", "message"),
    [
        (np.ones((4, 4)), [[0, 0, 1, 1]], 2, 1, r"features have shape \(4, 4\)"),
        (np.ones((1, 4, 4)), [[0, 0, 1, 1]], 0, 1, r"output \(=0\)"),
        (np.ones((1, 4, 4)), [[0, 0, 1, 1]], 2, 0, r"stride \(=0\)"),
        (np.ones((1, 4, 4)), [[2, 0, 1, 1]], 2, 1, "ends before it begins"),
    ],
)
def test_what_does_not_fit_is_refused(pool, features, boxes, output, stride, message):
    with pytest.raises(ValueError, match=message):
        pool(features, boxes, output, stride)


def test_align_without_points_is_refused():
    with pytest.raises(ValueError, match=r"samples \(=0\)"):
        roi_align(np.ones((1, 4, 4)), [[0, 0, 1, 1]], 2, 1, samples=0)


def test_no_boxes_give_nothing():
    for pool in (roi_pool, roi_align):
        assert pool(np.ones((3, 4, 5)), [], 2, 4).shape == (0, 3, 2, 2)
