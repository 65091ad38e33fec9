"""Selective search: similarities by hand, merging against counting again, and what it finds in scenes."""

import numpy as np
import pytest

pytest.importorskip("skimage")

from cnncourse.data.photos import photo
from cnncourse.data.scenes import make_scenes
from cnncourse.detectors.proposals import best_overlaps, mean_average_best_overlap, recall
from cnncourse.detectors.regions import find_regions, neighbours
from cnncourse.detectors.selective_search import MODES, in_colour_space, merge_all, selective_search

# Three regions of an image 4 high and 10 wide: 0 on the left, 1 on the right, 2 a spot within 1.
LABELS = np.array([[0, 0, 0, 0, 1, 1, 1, 1, 1, 1]] * 4)
LABELS[1:3, 6:8] = 2


def test_size_and_fill_by_hand():
    regions = find_regions(np.zeros((4, 10, 3)), LABELS)
    assert regions.size == [16, 20, 4]
    assert regions.box == [(0, 0, 4, 4), (4, 0, 10, 4), (6, 1, 8, 3)]
    assert regions.similarity(1, 2, "S") == pytest.approx(1 - 24 / 40)
    assert regions.similarity(1, 2, "F") == pytest.approx(1)  # the spot fills the hole of the other exactly
    assert regions.similarity(0, 2, "F") == pytest.approx(1 - (8 * 4 - 20) / 40)
    assert regions.similarity(0, 2, "SF") == pytest.approx(1 - 20 / 40 + 1 - 12 / 40)


def test_colour_by_hand():
    """Half of one region has the colour of the other: they share half."""
    image = np.zeros((4, 10, 1))
    image[:2, :4] = 0.5
    regions = find_regions(image, np.where(LABELS == 0, 0, 1))
    assert regions.similarity(0, 1, "C") == pytest.approx(0.5)
    assert regions.similarity(0, 0, "C") == pytest.approx(1)


def test_texture_tells_stripes_from_stripes_across():
    rows, columns = np.indices((24, 48))
    image = np.where(columns < 24, rows // 3 % 2, columns // 3 % 2)[..., None].astype(float)
    regions = find_regions(image, np.searchsorted([12, 24, 36], columns, side="right"))
    along, across = regions.similarity(0, 1, "T"), regions.similarity(1, 2, "T")
    assert along > 0.9 and across < 0.8


def test_merged_regions_are_as_if_counted_again():
    rng = np.random.default_rng(0)
    image, labels = rng.random((20, 30, 3)), np.repeat(np.repeat(np.arange(6).reshape(2, 3), 10, 0), 10, 1)
    regions = find_regions(image, labels)
    new = regions.merge(1, 4)
    again = find_regions(image, np.where(labels == 4, 1, np.where(labels == 5, 4, labels)))
    assert new == 6 and regions.size[new] == again.size[1] and regions.box[new] == again.box[1]
    np.testing.assert_allclose(regions.colour[new], again.colour[1])
    np.testing.assert_allclose(regions.texture[new], again.texture[1])


def test_neighbours_touch_by_an_edge():
    assert neighbours(LABELS).tolist() == [[0, 1], [1, 2]]
    assert neighbours(np.array([[0, 1], [1, 0]])).tolist() == [[0, 1]]
    assert neighbours(np.zeros((3, 3), int)).tolist() == []


def test_everything_is_merged_most_similar_first():
    regions = find_regions(np.zeros((4, 10, 3)), LABELS)
    merge_all(regions, neighbours(LABELS), "F")
    assert len(regions.size) == 2 * 3 - 1
    assert regions.size[3:] == [24, 40] and regions.box[-1] == (0, 0, 10, 4)


@pytest.fixture(scope="module")
def scenes():
    return make_scenes(12, 64, "medium", seed=21)


@pytest.fixture(scope="module")
def fast(scenes):
    return [selective_search(image, "fast") for image in scenes.images]


def test_proposals_are_boxes_in_the_image(fast, scenes):
    for boxes in fast:
        assert (
            (boxes[:, :2] >= 0).all() and (boxes[:, 2:] <= 64).all() and (boxes[:, :2] < boxes[:, 2:]).all()
        )
        assert len(np.unique(boxes, axis=0)) == len(boxes)
        assert [0, 0, 64, 64] in boxes.tolist()
    np.testing.assert_array_equal(selective_search(scenes.images[0], "fast"), fast[0])
    other = selective_search(scenes.images[0], "fast", seed=1)
    assert (other != fast[0]).any() and sorted(other.tolist()) == sorted(fast[0].tolist())
    np.testing.assert_array_equal(selective_search(scenes.images[0] / 255, "fast"), fast[0])


def test_it_finds_objects_that_as_many_random_boxes_miss(fast, scenes):
    rng = np.random.default_rng(0)
    objects, labels = zip(*scenes.objects(), strict=True)
    chance = [np.sort(rng.uniform(0, 64, (len(boxes), 2, 2)), axis=1).reshape(-1, 4) for boxes in fast]
    assert recall(fast, objects) > 0.8 > recall(chance, objects)
    overlap = mean_average_best_overlap(fast, objects, labels)
    assert overlap > 0.65 and overlap > mean_average_best_overlap(chance, objects, labels) + 0.1
    rates = [recall(fast, objects, first=first) for first in (1, 10, 50, None)]
    assert rates == sorted(rates) and rates[0] < rates[-1]


def test_more_hierarchies_find_more(scenes):
    few, objects = scenes[:3], [boxes for boxes, _ in scenes[:3].objects()]
    counts, overlaps = [], []
    for mode in MODES:
        boxes = [selective_search(image, mode) for image in few.images]
        counts.append(sum(len(one) for one in boxes))
        overlaps.append(best_overlaps(boxes, objects).mean())
    assert counts == sorted(counts) and counts[2] > 3 * counts[0]
    assert overlaps == sorted(overlaps)


def test_a_real_photo():
    boxes = selective_search(photo("flower", height=140), "single")
    assert 50 < len(boxes) < 2000
    flower = [[[80, 30, 180, 125]]]  # about
    assert best_overlaps([boxes], flower).item() > 0.5


def test_colour_spaces():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (3, 5, 7), dtype=np.uint8)
    for space, channels in {"hsv": 3, "lab": 3, "rgi": 3, "h": 1, "i": 1, "rgb": 3}.items():
        converted = in_colour_space(image, space)
        assert converted.shape == (5, 7, channels) and converted.min() >= 0 and converted.max() <= 1
    darker = in_colour_space(image / 510, "rgi")
    np.testing.assert_allclose(darker[..., :2], in_colour_space(image, "rgi")[..., :2])  # without brightness


def test_measures_by_hand():
    proposals = [[[0, 0, 4, 4], [5, 0, 9, 4]], []]
    objects = [[[0, 0, 4, 2], [5, 0, 9, 4]], [[1, 1, 2, 2]]]
    assert best_overlaps(proposals, objects).tolist() == [0.5, 1, 0]
    assert best_overlaps(proposals, objects, first=1).tolist() == [0.5, 0, 0]
    assert recall(proposals, objects, 0.5) == pytest.approx(2 / 3)
    assert recall(proposals, objects, 0.6) == pytest.approx(1 / 3)
    assert mean_average_best_overlap(proposals, objects, [[0, 0], [1]]) == pytest.approx((0.75 + 0) / 2)
    assert np.isnan(recall([[]], [[]])) and np.isnan(mean_average_best_overlap([[]], [[]], [[]]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: selective_search(np.zeros((8, 8, 3))), r"image has shape \(8, 8, 3\)"),
        (lambda: selective_search(np.zeros((3, 8, 8)), "slow"), r"mode \(='slow'\)"),
        (lambda: in_colour_space(np.zeros((3, 8, 8)), "cmyk"), r"colour space \(='cmyk'\)"),
        (lambda: recall([], [[]]), "proposals of 0 images, but objects of 1"),
        (lambda: mean_average_best_overlap([[]], [[[0, 0, 1, 1]]], [[]]), "1 objects, but 0 labels"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
