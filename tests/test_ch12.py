"""Lab 12: its answers are the package's, and detections are judged by what they are."""

import re

import numpy as np
import pytest

from cnncourse.checking import load
from cnncourse.checking.compare import Rung
from cnncourse.checking.training import Missed
from cnncourse.exercises.ch12_yolo._scenes import accept_mean_ap, hidden_scenes, scene_cases
from cnncourse.exercises.ch12_yolo.kmeans_anchors import kmeans_anchors
from cnncourse.exercises.ch12_yolo.yolo_decode import yolo_decode
from cnncourse.exercises.ch12_yolo.yolo_encode import yolo_encode
from cnncourse.exercises.ch12_yolo.yolo_loss import yolo_loss


@pytest.mark.parametrize("seed", range(5))
def test_anchors_are_those_of_the_package(seed):
    from cnncourse.detectors.anchor_sizes import kmeans_anchors as package

    sizes = np.random.default_rng(seed).uniform(4, 40, (60, 2))
    first = sizes[np.random.default_rng(seed).choice(60, 3, replace=False)]  # as the package chooses them
    found = kmeans_anchors(sizes, first)
    np.testing.assert_allclose(found[np.argsort(found.prod(axis=1))], package(sizes, 3, seed))


def test_targets_and_loss_are_those_of_the_package(monkeypatch):
    torch = pytest.importorskip("torch")
    from cnncourse.data.scenes import make_scenes
    from cnncourse.detectors import yolo1

    monkeypatch.setattr(yolo1, "SIZE_WEIGHT", 1.0)  # as in the paper
    torch.manual_seed(0)
    detector, scenes = yolo1.YOLO1(width=4).eval(), make_scenes(6, 64, "sparse", seed=2)
    images = torch.from_numpy(scenes.images).float() / 255
    with torch.no_grad():
        said, confidence, classes = detector(images)
        wanted = detector.loss(
            images, torch.from_numpy(scenes.boxes).float(), torch.from_numpy(scenes.labels)
        )
    shares = torch.cat([said[..., :2], said[..., 2:] ** 2, confidence.sigmoid()[..., None]], dim=-1)
    predicted = torch.cat([shares.flatten(3), classes.softmax(dim=-1)], dim=-1).double().numpy()
    target = np.array([yolo_encode(*each, (8, 8), (64, 64), 5) for each in scenes.objects()])
    assert target[..., 4].sum() == (scenes.labels >= 0).sum()  # no two in a cell: nothing is left out
    parts = yolo_loss(predicted, target, yolo1.BOX_WEIGHT, yolo1.EMPTY_WEIGHT)
    assert sum(parts.values()) == pytest.approx(wanted.item(), rel=1e-4)


def test_boxes_are_those_of_the_package():
    torch = pytest.importorskip("torch")
    from cnncourse.detectors.yolo2 import BEYOND, in_pixels

    raw = np.random.default_rng(0).normal(size=(3, 5, 2, 4))
    anchors = np.array([[10.0, 20.0], [30.0, 8.0]])
    package = in_pixels(torch.tensor(raw)[None], torch.tensor(anchors), 8)[0].numpy()
    mine, sigmoid = yolo_decode(raw, anchors, 8), 1 / (1 + np.exp(-raw[..., :2]))
    shift = 8 * BEYOND * (2 * sigmoid - 1)  # the package lets a centre lie a little outside its cell
    np.testing.assert_allclose(mine + np.concatenate([shift, shift], axis=-1), package, atol=1e-5)


# ------------------------------------------------------------------------------------------- judging detections


@pytest.fixture(scope="module")
def case():
    return list(scene_cases(np.random.default_rng(0), {"few": 0.3, "many": 0.7}))[-1]


@pytest.fixture
def truth(case):
    """The right answer, with the highest scores."""
    there = case.held["labels"] >= 0
    pairs = zip(case.held["boxes"], case.held["labels"], there, strict=True)
    return [(boxes[own], np.ones(own.sum()), labels[own]) for boxes, labels, own in pairs]


def test_the_truth_is_accepted_in_any_form(case, truth):
    assert accept_mean_ap(case, truth) is None
    assert accept_mean_ap(case, [tuple(part.tolist() for part in one) for one in truth]) is None
    assert accept_mean_ap(case, tuple([b, s, k.astype(float)] for b, s, k in truth)) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda b, s, k: (b[:, [1, 0, 3, 2]], s, k), "rows and columns have changed places"),
        (lambda b, s, k: (b, s, (k + 1) % 5), "boxes are better than classes"),
        (lambda b, s, k: (b + 6, s, k), "objects are found, boxes fit badly"),
        (
            lambda b, s, k: (np.repeat(b, 6, axis=0), np.repeat(s, 6), np.repeat(k, 6)),
            "suppress boxes that overlap",
        ),
        (lambda b, s, k: (b[:0], s[:0], k[:0]), "there is no detection in any of them"),
        (lambda b, s, k: (b / 32, s, k), "with boxes 32 times as large it would be 1.00"),
        (lambda b, s, k: (b[:1] * 0 + (0, 0, 1, 1), s[:1], k[:1]), "as if nothing had been learned"),
    ],
)
def test_what_keeps_a_result_low_is_named(case, truth, change, words):
    problem = accept_mean_ap(case, [change(*one) for one in truth])
    assert isinstance(problem, Missed) and problem.rung is Rung.VALUE
    assert re.match(r"mAP [\d.]+ on 200 new scenes, at least 0\.7 is asked for; ", problem.text)
    assert words in problem.text


@pytest.mark.parametrize(
    ("value", "rung", "words"),
    [
        ("boxes", Rung.TYPE, "the text 'boxes'; expected a list"),
        ([], Rung.SHAPE, "has 0 items; expected one (boxes, scores, labels) for each image, 200"),
        ([(1, 2)] * 200, Rung.TYPE, "an item of the prediction is a tuple of 2 items"),
        ([("a", 1, 2)] * 200, Rung.TYPE, "must be arrays of numbers"),
        ([(np.ones((2, 4)), [1], [1, 1])] * 200, Rung.SHAPE, "shapes (2, 4), (1,) and (2,)"),
        ([([[0, 0, 1, np.nan]], [1], [1])] * 200, Rung.DTYPE, "nan or infinite"),
        ([([[4, 0, 1, 1]], [1], [1])] * 200, Rung.VALUE, "ends before it begins"),
        ([([[0, 0, 1, 1]], [1], [7])] * 200, Rung.VALUE, "they go from 0 to 4"),
    ],
)
def test_the_lower_rungs_speak_first(case, value, rung, words):
    problem = accept_mean_ap(case, value)
    assert problem is not None and problem.rung is rung and words in problem.text


def test_one_training_for_all_points_and_nothing_given_away():
    cases = list(load("ch12_yolo.train_yolo").cases(np.random.default_rng(1)))
    assert len(cases) == 3 and all(each.arguments is cases[0].arguments for each in cases)
    assert list(cases[0].arguments) == ["images", "boxes", "labels", "new_images"]
    assert sum(array.nbytes for array in cases[0].arguments.values()) < 16_000_000


@pytest.mark.parametrize("seed", range(6))
def test_boxes_are_disguised_as_their_images_are(seed):
    """Inside the right box pixels differ most; mirrored or turned boxes hold more of the ground."""
    (images, boxes, labels), (new, *_) = hidden_scenes(np.random.default_rng(seed))
    assert images.shape == (500, 3, 32, 32) and new.shape == (200, 3, 32, 32) and images.dtype == np.float32
    assert set(np.unique(labels)) == {-1, 0, 1, 2, 3, 4} and not boxes[labels < 0].any()
    alone = (labels >= 0).sum(axis=1) == 1
    images, boxes = images[alone], boxes[alone][labels[alone] >= 0]
    across, down = boxes * (-1, 1, -1, 1) + (32, 0, 32, 0), boxes * (1, -1, 1, -1) + (0, 32, 0, 32)
    others = across[:, [2, 1, 0, 3]], down[:, [0, 3, 2, 1]], boxes[:, [1, 0, 3, 2]]
    right, *wrong = (
        np.mean(
            [
                image[:, y1:y2, x1:x2].std()
                for image, (x1, y1, x2, y2) in zip(images, each.astype(int), strict=True)
            ]
        )
        for each in (boxes, *others)
    )
    assert right > max(wrong)
