"""Masks as runs and as polygons: there and back, by hand, and beside pycocotools."""

import numpy as np
import pytest

from cnncourse.data.rle import counts_to_mask, mask_to_counts, polygons_to_mask, text_to_counts

# pycocotools hands its masks to NumPy as one did before NumPy 2.
before_numpy2 = pytest.mark.filterwarnings("ignore:__array__ implementation doesn:DeprecationWarning")


def random_masks():
    rng = np.random.default_rng(0)
    for _ in range(40):
        height, width = rng.integers(1, 30, 2)
        yield rng.random((height, width)) < rng.random()
    yield np.zeros((3, 5), bool)
    yield np.ones((3, 5), bool)


def test_runs_there_and_back():
    for mask in random_masks():
        np.testing.assert_array_equal(counts_to_mask(mask_to_counts(mask), *mask.shape), mask)
    assert mask_to_counts(np.ones((2, 3), bool)) == [0, 6]


def test_compressed_runs_are_those_of_pycocotools():
    coder = pytest.importorskip("pycocotools.mask")
    large = np.zeros((700, 900), bool)
    large[300:, 5:800] = True
    for mask in [*random_masks(), large]:
        text = coder.encode(np.asfortranarray(mask, dtype=np.uint8))["counts"].decode()
        assert text_to_counts(text) == mask_to_counts(mask)


@before_numpy2
def test_polygons_fill_what_pycocotools_fills():
    """Only pixels at the outline differ."""
    coder = pytest.importorskip("pycocotools.mask")
    rng = np.random.default_rng(1)
    for _ in range(20):
        angles = np.sort(rng.uniform(0, 2 * np.pi, 7))
        corners = np.array([30, 22]) + rng.uniform(8, 20, (7, 1)) * np.stack(
            [np.cos(angles), np.sin(angles)], axis=1
        )
        polygon = corners.ravel().tolist()
        theirs = coder.decode(coder.merge(coder.frPyObjects([polygon], 45, 60))).astype(bool)
        ours = polygons_to_mask([polygon], 45, 60)
        padded = np.pad(theirs, 1)
        inner = np.logical_and.reduce([np.roll(padded, step, axis) for step in (-1, 1) for axis in (0, 1)])
        assert not (inner[1:-1, 1:-1] & ~ours).any()
        assert (ours & theirs).sum() / (ours | theirs).sum() > 0.9


def test_polygons_by_hand():
    """Of a triangle at the diagonal, pixels whose centre lies within; a polygon beyond the image is cut."""
    triangle = polygons_to_mask([[0, 0, 4.2, 4.2, 0, 4.2]], 4, 4)
    np.testing.assert_array_equal(triangle, np.tri(4, k=-1) > 0)
    assert polygons_to_mask([[-5, -5, 50, -5, 50, 50, -5, 50]], 4, 6).all()
    assert polygons_to_mask([[0, 0, 2, 0, 2, 2, 0, 2], [1, 1, 3, 1, 3, 3, 1, 3]], 3, 3).sum() == 7  # together
