"""Synthetic scenes: what is said about them is what is seen, and colour alone does not find it."""

import time
from dataclasses import replace

import numpy as np
import pytest

from cnncourse.data.scene_shapes import SHAPES, keypoints
from cnncourse.data.scenes import CLASSES, CROWDED, MEDIUM, SETTINGS, SPARSE, Setting, make_scenes
from cnncourse.metrics import mean_average_precision

SHARE_OF_CIRCLE = {"disc": 1, "square": 0.624, "triangle": 0.413, "cross": 0.611, "ring": 0.75}


@pytest.fixture(scope="module", params=["sparse", "medium", "crowded"])
def scenes(request):
    return make_scenes(60, (48, 80), request.param, seed=3)


def test_shapes_and_types(scenes):
    assert scenes.images.shape == (60, 3, 48, 80) and scenes.images.dtype == np.uint8
    assert scenes.instances.shape == (60, 48, 80)
    assert len(scenes) == 60 and scenes.boxes.shape[:2] == scenes.labels.shape == scenes.keypoints.shape[:2]
    there = scenes.labels >= 0
    assert not scenes.boxes[~there].any() and not scenes.keypoints[~there].any()
    assert (np.diff(there.astype(int), axis=1) <= 0).all()  # first the objects, then the empty places


def test_boxes_hold_what_is_seen_and_little_else(scenes):
    """The visible part lies in the box, and a shape that nobody covers touches all four sides of it."""
    touched = 0
    for number, (boxes, _) in enumerate(scenes.objects()):
        masks = scenes.masks(number)
        assert masks.shape == (len(boxes), 48, 80) and (masks.sum(axis=0) <= 1).all()
        for (x1, y1, x2, y2), mask, points in zip(
            boxes.astype(int), masks, scenes.keypoints[number], strict=False
        ):
            assert 0 <= x1 < x2 <= 80 and 0 <= y1 < y2 <= 48
            outside = mask.copy()
            outside[y1:y2, x1:x2] = False
            assert mask.any() and not outside.any()
            if len(boxes) == 1:
                rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
                assert (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1) == (x1, y1, x2, y2)
                touched += 1
            found = points[points[:, 2] > 0, :2]
            assert (found >= np.array([x1, y1]) - 2).all() and (
                found <= np.array([x2, y2]) + 2
            ).all()  # tips are thin
    assert touched or len(scenes.boxes[0]) > 4


def test_a_scene_depends_on_seed_and_number_alone():
    many, few = make_scenes(12, 32, "crowded", seed=5), make_scenes(4, 32, "crowded", seed=5)
    for name in ("images", "boxes", "labels", "instances", "keypoints"):
        np.testing.assert_array_equal(getattr(many[:4], name), getattr(few, name))
    assert (make_scenes(4, 32, "crowded", seed=6).images != few.images).any()
    assert len({image.tobytes() for image in many.images}) == 12
    assert make_scenes(0).images.shape == (0, 3, 64, 64) and make_scenes(0).objects() == []


def visible_shares(scenes):
    """Yield which share of each whole shape is seen; its area follows from its class and its keypoints."""
    to_corner = {"square": np.sqrt(2) * 0.7, "cross": 0.95}  # of the radius
    for number, (_, labels) in enumerate(scenes.objects()):
        centre, corner = scenes.keypoints[number, :, 0, :2], scenes.keypoints[number, :, 1, :2]
        distances = np.linalg.norm(corner - centre, axis=1)[: len(labels)]
        for mask, label, distance in zip(scenes.masks(number), labels, distances, strict=True):
            radius = distance / to_corner.get(CLASSES[label], 1)
            yield mask.sum() / (np.pi * radius**2 * SHARE_OF_CIRCLE[CLASSES[label]])


def test_settings_go_from_sparse_to_crowded():
    shares = {}
    for name, setting in SETTINGS.items():
        scenes = make_scenes(80, 64, name, seed=1)
        counts = (scenes.labels >= 0).sum(axis=1)
        assert counts.max() <= setting.objects[1] and counts.min() >= 1
        shares[name] = np.array(list(visible_shares(scenes)))
        assert shares[name].min() > setting.visible - 0.12  # counted in pixels
        assert counts.mean() > sum(setting.objects) / 2 - 1
    assert [np.mean(shares[name] < 0.9) > 0.02 for name in ("sparse", "medium", "crowded")] == [
        False,
        True,
        True,
    ]
    assert np.mean(shares["crowded"] < 0.9) > 2 * np.mean(shares["medium"] < 0.9)


def test_the_medium_setting_is_fixed():
    """What detectors must reach is asked on it: whoever changes it measures them all again."""
    assert replace(MEDIUM) == Setting("medium", (1, 4), (0.08, 0.25), 0.5, 0.3, 0.16, (0.18, 0.10), 0.03)
    assert SPARSE.visible == 1 and CROWDED.visible < MEDIUM.visible and CROWDED.objects[0] > MEDIUM.objects[1]


def test_every_class_comes_as_often():
    labels = make_scenes(400, 32, seed=2).labels
    counts = np.bincount(labels[labels >= 0], minlength=len(CLASSES))
    assert len(CLASSES) >= 5 and counts.min() > 0.75 * counts.mean()


def test_keypoints_by_hand():
    """A square turned by 45 degrees stands on a corner: the uppermost first, then clockwise."""
    square = keypoints(SHAPES[CLASSES.index("square")], 50, 40, 10, np.pi / 4)
    reach = 7 * np.sqrt(2)
    np.testing.assert_allclose(
        square, [[50, 40], [50, 40 - reach], [50 + reach, 40], [50, 40 + reach], [50 - reach, 40]]
    )
    triangle = keypoints(SHAPES[CLASSES.index("triangle")], 0, 0, 2, np.pi)
    np.testing.assert_allclose(triangle, [[0, 0], [-np.sqrt(3), -1], [np.sqrt(3), -1], [0, 2]], atol=1e-9)
    disc = keypoints(SHAPES[CLASSES.index("disc")], 0, 0, 2, 1.234)
    np.testing.assert_allclose(disc, [[0, 0], [0, -2], [2, 0], [0, 2], [-2, 0]], atol=1e-9)


def test_keypoints_say_whether_they_are_seen():
    scenes = make_scenes(40, 64, "crowded", seed=4)
    hidden = 0
    for number, (boxes, _) in enumerate(scenes.objects()):
        for k in range(len(boxes)):
            for x, y, state in scenes.keypoints[number, k]:
                if state == 0:
                    continue
                seen = int(scenes.instances[number, min(int(y), 63), min(int(x), 63)])
                assert state == (2 if seen <= k + 1 else 1)
                hidden += state == 1
    assert hidden > 20
    triangles = scenes.keypoints[scenes.labels == CLASSES.index("triangle")]
    assert len(triangles) and (triangles[:, 4] == 0).all() and (triangles[:, :4, 2] > 0).all()


def test_shapes_differ_from_the_ground_by_more_than_noise():
    """Where an object is seen, the image is not that of the ground: what is drawn and what is said agree."""
    plain = replace(MEDIUM, noise=0, ground=(0.0, 0.0), texture=0)
    for scene in (make_scenes(30, 64, plain, seed=9),):
        for image, instances in zip(scene.images, scene.instances, strict=True):
            ground = np.median(image[:, instances == 0], axis=1)
            off = np.abs(image - ground[:, None, None]).max(axis=0)
            assert (off[instances > 0] > 20).mean() > 0.9
            assert (off[instances == 0] > 20).mean() < 0.1  # edges are smooth


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_scenes(1, 8), r"size \(=8\)"),
        (lambda: make_scenes(-1), r"n \(=-1\)"),
        (lambda: make_scenes(1, 64, "full"), r"setting \(='full'\) must be one of sparse, medium, crowded"),
        (lambda: replace(MEDIUM, objects=(3, 2)), r"objects \(=\(3, 2\)\)"),
        (lambda: replace(MEDIUM, radius=(0.2, 0.6)), "radius"),
        (lambda: replace(MEDIUM, visible=2), "visible"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("size", [16, 17, (16, 40)])
def test_small_scenes(size):
    for name in SETTINGS:
        assert ((make_scenes(10, size, name, seed=1).labels >= 0).sum(axis=1) >= 1).all()


def test_a_thousand_scenes_take_less_than_five_seconds():
    start = time.process_time()
    make_scenes(1000, 64, MEDIUM, seed=1)
    assert time.process_time() - start < 5


def test_blobs_of_colour_are_not_enough():
    """A detector that looks for blobs of one colour stays below half of what the networks must reach."""
    detector = pytest.importorskip("cnncourse.detectors.blobs", reason="needs SciPy")
    known, scenes = detector.known_outlines(), make_scenes(200, 64, MEDIUM, seed=12)
    found = [detector.detect(image, known) for image in scenes.images]
    reached = mean_average_precision(found, scenes.objects()).mean
    assert 0.1 < reached < 0.46
