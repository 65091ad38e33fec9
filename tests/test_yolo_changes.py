"""What YOLO v4 to v8 changed: each switch does what its name says, learns, and is kept in the file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.patches import Rectangle

from cnncourse.boxes import box_ciou
from cnncourse.data.scenes import CLASSES, SPARSE, Scenes, make_scenes
from cnncourse.detectors.detector import Detections
from cnncourse.detectors.heads import DecoupledHead, Head
from cnncourse.detectors.mosaic import LEAST, join_four
from cnncourse.detectors.necks import SPP, BottomUp, TopDown
from cnncourse.detectors.tensors import ciou_loss
from cnncourse.detectors.three_maps import STRIDES, Changes, ThreeMaps
from cnncourse.detectors.training import evaluate, train
from cnncourse.detectors.yolo3 import YOLO3
from cnncourse.detectors.yolo8 import LARGEST, YOLO8, around, distances, middles

SIZE = 64
SWITCHES = [field.name for field in fields(Changes)]
ALL_ON = dict.fromkeys(SWITCHES, True)
each = pytest.mark.parametrize("switch", SWITCHES)
both = pytest.mark.parametrize("kind", [YOLO3, YOLO8])


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    return make_scenes(32, SIZE, SPARSE, seed=3)


@pytest.fixture(autouse=True)
def no_window() -> Iterator[None]:
    matplotlib.use("agg")
    yield
    plt.close("all")


def learns(detector: ThreeMaps, scenes: Scenes, **settings: float) -> None:
    before = evaluate(detector, scenes).mean
    history = train(detector, scenes, epochs=50, batch=16, learning_rate=6e-3, show=None, **settings)
    assert history[-1].loss < 0.5 * history[0].loss
    assert evaluate(detector, scenes).mean > before + 0.1


# every switch


@each
def test_with_a_switch_it_learns_a_few_scenes_by_heart(switch: str, scenes: Scenes):
    torch.manual_seed(0)
    learns(YOLO3(width=8, **{switch: True}), scenes)


def test_with_all_of_them_it_learns_without_anchors(scenes: Scenes):
    torch.manual_seed(0)
    learns(YOLO8(width=8, **ALL_ON), scenes)


def test_it_learns_from_four_scenes_in_one(scenes: Scenes):
    torch.manual_seed(0)
    learns(YOLO3(width=8), scenes, mosaic=0.5)


@both
@each
def test_a_switch_is_kept_in_the_file(switch: str, kind: type[ThreeMaps], scenes: Scenes, tmp_path: Path):
    torch.manual_seed(1)
    detector = kind(width=4, **{switch: True})
    detector.save(tmp_path / "weights.npz")
    loaded = kind.load(tmp_path / "weights.npz")
    assert loaded.options == detector.options and loaded.options[switch] is True
    assert [type(one) for one in loaded.modules()] == [type(one) for one in detector.modules()]
    assert loaded.box_loss is detector.box_loss
    for one, other in zip(detector.detect(scenes.images[:4]), loaded.detect(scenes.images[:4]), strict=True):
        for values, others in zip(one, other, strict=True):
            np.testing.assert_array_equal(values, others)


@pytest.mark.parametrize("changes", [{}, *({name: True} for name in SWITCHES), ALL_ON], ids=str)
@pytest.mark.parametrize(("kind", "boxes"), [(YOLO3, 2), (YOLO8, 1)])
def test_each_map_says_its_boxes(kind: type[ThreeMaps], boxes: int, changes: dict[str, bool]):
    for stride, said in zip(STRIDES, kind(width=4, **changes)(torch.rand(2, 3, SIZE, SIZE)), strict=True):
        shape = (2, SIZE // stride, SIZE // stride, boxes)
        assert [tuple(one.shape) for one in said] == [(*shape, 4), shape, (*shape, 5)]


@both
def test_a_switch_that_there_is_not_is_refused(kind: type[ThreeMaps]):
    with pytest.raises(TypeError, match="pam"):
        kind(pam=True)


# box loss


def test_ciou_is_that_of_numpy():
    rng = np.random.default_rng(0)
    start = rng.uniform(0, 40, (2, 50, 2))
    first, second = np.concatenate([start, start + rng.uniform(1, 24, start.shape)], axis=2)
    loss = ciou_loss(torch.from_numpy(first), torch.from_numpy(second))
    np.testing.assert_allclose(1 - loss.numpy(), np.diag(box_ciou(first, second)), atol=1e-6)


def test_ciou_pulls_a_box_that_does_not_touch_and_leaves_the_right_one():
    boxes = torch.tensor([[0.0, 0, 4, 8], [30, 30, 40, 36]], requires_grad=True)
    ciou_loss(boxes, torch.tensor([[20.0, 0, 24, 8], [30, 30, 40, 36]])).sum().backward()
    assert boxes.grad[0, 0] + boxes.grad[0, 2] < 0, "to the right"
    assert torch.isfinite(boxes.grad).all()
    only_right = ciou_loss(boxes[1:], boxes[1:].detach())
    assert only_right.item() == pytest.approx(0, abs=1e-6)


# necks


def test_what_a_fine_map_saw_reaches_the_coarsest_one_by_pan_alone():
    torch.manual_seed(0)
    down, up = TopDown(2).eval(), BottomUp(2).eval()
    maps = torch.rand(1, 8, 16, 16), torch.rand(1, 16, 8, 8), torch.rand(1, 16, 4, 4)
    other = torch.rand(1, 8, 16, 16), *maps[1:]
    assert torch.equal(down(maps)[2], down(other)[2])
    assert not torch.equal(up(down(maps))[2], up(down(other))[2])
    assert [one.shape for one in up(down(maps))] == [one.shape for one in maps]


def test_pooling_in_windows_lets_one_corner_see_the_other():
    torch.manual_seed(0)
    block = SPP(16).eval()
    maps = torch.rand(1, 16, 4, 4)
    brighter = maps.clone()
    brighter[..., 0, 0] += 10
    assert block(maps).shape == maps.shape
    assert not torch.equal(block(maps)[..., 3, 3], block(brighter)[..., 3, 3])


# heads


def test_a_decoupled_head_gives_the_numbers_in_the_order_of_the_plain_one():
    """With all else 0 only the first biases are left: those of objectness and classes are low."""
    for kind in (Head, DecoupledHead):
        head = kind(8, 3, 5).eval()
        numbers = head(torch.zeros(1, 8, 2, 2)).unflatten(1, (3, 10))
        assert torch.allclose(numbers[:, :, :4], torch.zeros(()), atol=1e-5)
        assert (numbers[:, :, 4:] < -3).all()


def test_what_an_object_is_teaches_nothing_to_the_layers_for_where_it_is():
    head = DecoupledHead(8, 2, 5)
    head(torch.rand(4, 8, 4, 4)).unflatten(1, (2, 10))[:, :, 5:].sum().backward()
    assert all(p.grad is None or not p.grad.any() for p in head.where.parameters())
    assert any(p.grad is not None and p.grad.any() for p in head.what.parameters())


# without anchors


def random_objects(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    sides = rng.uniform(6, 34, (*shape, 2))
    start = rng.uniform(0, SIZE - sides)
    labels = rng.integers(-1, 5, shape)
    boxes = np.concatenate([start, start + sides], axis=-1) * (labels >= 0)[..., None]
    return torch.from_numpy(boxes).float(), torch.from_numpy(labels)


def test_distances_and_boxes_undo_each_other():
    boxes, _ = random_objects(np.random.default_rng(0), (5, 8))
    points = middles(8, 8)[2, 5]  # row 2, column 5
    assert points.tolist() == [44, 20]
    torch.testing.assert_close(around(points, distances(points, boxes)), boxes)
    assert distances(points, torch.tensor([40.0, 18, 60, 28])).tolist() == [4, 2, 16, 8]


def test_who_answers_can_say_the_box():
    boxes, labels = random_objects(np.random.default_rng(1), (16, 3))
    detector = YOLO8(width=4)
    for level, told in enumerate(detector.told(boxes, labels)):
        side = SIZE // STRIDES[level]
        image, row, column, box = told.at
        assert len(image) > 0 and not box.any()
        numbers = torch.zeros(16, side, side, 1, 4)
        reach = distances(middles(side, STRIDES[level])[row, column], told.boxes)
        numbers[told.at] = (reach / STRIDES[level]).log()
        nearest = math.exp(-LARGEST) * STRIDES[level]  # no side is nearer than that
        torch.testing.assert_close(
            detector.in_pixels(numbers, level)[told.at], told.boxes, rtol=0, atol=nearest
        )


def test_the_cells_near_its_middle_answer_for_an_object():
    """Compared with a loop over cells; of two objects at one cell the smaller one has it."""
    boxes, labels = random_objects(np.random.default_rng(2), (20, 4))
    expected = set()
    for n in range(20):
        for level, stride in enumerate(STRIDES):
            for row, column in np.ndindex(SIZE // stride, SIZE // stride):
                x, y = (column + 0.5) * stride, (row + 0.5) * stride
                claims = []
                for k in range(4):
                    x1, y1, x2, y2 = boxes[n, k].tolist()
                    root = ((x2 - x1) * (y2 - y1)) ** 0.5
                    own = 0 if root <= 16 else 1 if root <= 24 else 2
                    near = max(abs(x - (x1 + x2) / 2), abs(y - (y1 + y2) / 2)) < 1.5 * stride
                    if labels[n, k] >= 0 and own == level and near and x1 < x < x2 and y1 < y < y2:
                        claims.append((root, k))
                if claims:
                    k = min(claims)[1]
                    expected.add((level, n, row, column, int(labels[n, k]), round(boxes[n, k, 0].item(), 3)))
    found = set()
    for level, told in enumerate(YOLO8(width=4).told(boxes, labels)):
        image, row, column, _ = told.at
        values = [one.tolist() for one in (image, row, column, told.labels, told.boxes[:, 0])]
        found |= {(level, *rest, round(x1, 3)) for *rest, x1 in zip(*values, strict=True)}
    assert found == expected


# mosaic


def test_boxes_of_four_in_one_are_those_of_what_is_left():
    """Compared with a plain loop over masks; a second channel tells from which scene a pixel is."""
    scenes = make_scenes(6, SIZE, SPARSE, seed=5)
    images = torch.zeros(6, 3, SIZE, SIZE)
    images[:, 0] = torch.from_numpy(scenes.instances)
    images[:, 1] = torch.arange(6)[:, None, None]
    boxes, labels = torch.from_numpy(scenes.boxes), torch.from_numpy(scenes.labels)
    kept = dropped = 0
    for seed in range(10):
        joined, found, names = join_four(images, boxes, labels, torch.Generator().manual_seed(seed))
        assert found.shape == (6, 8, 4) and not found[names < 0].any()
        for n in range(6):
            expected = []
            for other in joined[n, 1].unique().int().tolist():
                piece = (joined[n, 1] == other).numpy()
                np.testing.assert_array_equal(joined[n, 0][piece], scenes.instances[other][piece])
                for mask, label in zip(scenes.masks(other), scenes.objects()[other][1], strict=True):
                    left = filled(mask) & piece
                    if left.any() and left.sum() >= LEAST * filled(mask).sum():
                        expected.append((*edges(left), label))
                    dropped += 0 < left.sum() < LEAST * filled(mask).sum()
            there = names[n] >= 0
            given = np.column_stack([found[n, there].numpy(), names[n, there].numpy()]).tolist()
            assert sorted(map(tuple, given)) == sorted(expected)
            kept += len(given)
    assert kept > 50 and dropped > 5, "too little was tried"


def edges(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Return the box of what is marked."""
    rows, columns = np.nonzero(mask)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def filled(mask: np.ndarray) -> np.ndarray:
    """Return the box of what is marked, as a mask."""
    x1, y1, x2, y2 = edges(mask)
    box = np.zeros_like(mask)
    box[y1:y2, x1:x2] = True
    return box


def test_four_in_one_changes_nothing_that_it_is_given(scenes: Scenes):
    images, boxes = torch.rand(4, 3, SIZE, SIZE), torch.from_numpy(scenes.boxes[:4])
    labels = torch.from_numpy(scenes.labels[:4])
    before = images.clone(), boxes.clone(), labels.clone()
    join_four(images, boxes, labels, torch.Generator().manual_seed(0))
    assert all(torch.equal(one, other) for one, other in zip((images, boxes, labels), before, strict=True))


# drawing


def test_what_is_found_is_drawn_with_its_name(scenes: Scenes, monkeypatch: pytest.MonkeyPatch):
    detector = YOLO3(width=4)
    found = Detections(np.array([[3.0, 4, 20, 30]]), np.array([0.87]), np.array([2]))
    asked = []

    def detect(images: np.ndarray, threshold: float) -> list[Detections]:
        asked.append((images.shape, threshold))
        return [found]

    monkeypatch.setattr(detector, "detect", detect)
    ax = detector.draw(scenes.images[0], CLASSES, truth=scenes.objects()[0][0])
    assert asked == [((1, 3, SIZE, SIZE), 0.5)]
    assert [text.get_text() for text in ax.texts] == [f"{CLASSES[2]} 0.87"]
    assert (3, 4) in [one.get_xy() for one in ax.patches if isinstance(one, Rectangle)]


def test_an_untrained_detector_draws_a_picture_without_boxes(scenes: Scenes):
    assert not YOLO3(width=4).draw(scenes.images[0]).patches
