"""The detectors: their boxes agree with the NumPy ones, they learn, and are stored and loaded as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cnncourse.boxes import apply_deltas, box_deltas, box_giou, box_iou
from cnncourse.data.scenes import CLASSES, SPARSE, Scenes, make_scenes
from cnncourse.detectors import tensors
from cnncourse.detectors.anchor_sizes import kmeans_anchors, size_iou
from cnncourse.detectors.augment import augment
from cnncourse.detectors.detector import Detector
from cnncourse.detectors.recipes import ALL_RECIPES, SHIPPED, trained, weights_file
from cnncourse.detectors.ssd import SSD, decode, encode
from cnncourse.detectors.training import evaluate, train
from cnncourse.detectors.yolo1 import YOLO1
from cnncourse.detectors.yolo2 import YOLO2, best_anchor
from cnncourse.detectors.yolo3 import YOLO3
from cnncourse.detectors.yolo8 import YOLO8

ALL = (YOLO1, YOLO2, YOLO3, YOLO8, SSD)
SIZE = 64
each = pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)


def random_boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    start = rng.uniform(0, 40, (count, 2))
    return np.hstack([start, start + rng.uniform(1, 24, (count, 2))])


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    return make_scenes(32, SIZE, SPARSE, seed=3)


def batch(scenes: Scenes) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    images = torch.from_numpy(scenes.images).float() / 255
    return images, torch.from_numpy(scenes.boxes).float(), torch.from_numpy(scenes.labels)


# boxes as tensors


def test_overlaps_and_giou_are_those_of_numpy():
    rng = np.random.default_rng(0)
    first, second = random_boxes(rng, 20), random_boxes(rng, 30)
    found = tensors.overlaps(torch.from_numpy(first), torch.from_numpy(second))
    np.testing.assert_allclose(found.numpy(), box_iou(first, second), atol=1e-7)
    loss = tensors.giou_loss(torch.from_numpy(first), torch.from_numpy(second[:20]))
    np.testing.assert_allclose(1 - loss.numpy(), np.diag(box_giou(first, second[:20])), atol=1e-6)


def test_encode_and_decode_are_those_of_numpy_and_undo_each_other():
    rng = np.random.default_rng(1)
    boxes, anchors = random_boxes(rng, 50), random_boxes(rng, 50)
    deltas = encode(torch.from_numpy(boxes), torch.from_numpy(anchors))
    np.testing.assert_allclose(deltas.numpy(), box_deltas(anchors, boxes), atol=1e-12)
    back = decode(deltas, torch.from_numpy(anchors))
    np.testing.assert_allclose(back.numpy(), apply_deltas(anchors, deltas.numpy()), atol=1e-9)
    np.testing.assert_allclose(back.numpy(), boxes, atol=1e-9)


def test_cells_count_columns_first_on_a_grid_that_is_not_square():
    grid = tensors.cells(2, 3)
    assert grid.shape == (2, 3, 2)
    assert grid[1, 2].tolist() == [2, 1]


# augmentation


def test_boxes_move_with_what_is_in_them():
    """A rectangle is found again where its box says, whatever was done to the image."""
    generator = torch.Generator().manual_seed(0)
    seen = set()
    for _ in range(40):
        images = torch.full((2, 3, 16, 16), 0.4)
        images[0, :, 2:5, 6:14], images[1, :, 1:12, 3:4] = 0.9, 0.9
        boxes = torch.tensor([[[6.0, 2, 14, 5]], [[3.0, 1, 4, 12]]])
        moved, where = augment(images, boxes, torch.zeros(2, 1, dtype=torch.long), generator)
        for image, (box,) in zip(moved, where, strict=True):
            values, counts = image[0].unique(return_counts=True)
            rows, columns = torch.nonzero(image[0] != values[counts.argmax()], as_tuple=True)
            found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert [int(edge) for edge in found] == box.tolist()
        seen.add(tuple(where[0, 0].tolist()))
    assert len(seen) == 8, "not all symmetries of the square"


def test_where_there_is_no_object_the_box_stays():
    boxes = torch.zeros(3, 2, 4)
    nothing = torch.full((3, 2), -1)
    for seed in range(8):
        _, moved = augment(torch.rand(3, 3, 8, 8), boxes, nothing, torch.Generator().manual_seed(seed))
        assert not moved.any()


# anchors from data


def test_kmeans_finds_the_sizes_that_there_are():
    rng = np.random.default_rng(2)
    true = np.array([[8, 8], [12, 30], [30, 12]])
    sizes = np.concatenate([true[i] * rng.uniform(0.9, 1.1, (60, 2)) for i in range(3)])
    found = kmeans_anchors(sizes, 3, seed=1)
    assert (size_iou(true, found).max(axis=1) > 0.9).all(), found


@pytest.mark.parametrize(
    ("sizes", "k", "message"),
    [([[1, 2]], 2, "number of boxes, 1"), ([[1, 0]], 1, "above 0"), ([1, 2, 3], 1, r"\(3,\)")],
)
def test_kmeans_says_what_is_wrong(sizes, k, message):
    with pytest.raises(ValueError, match=message):
        kmeans_anchors(sizes, k)


# every detector


@each
def test_it_learns_a_few_scenes_by_heart(kind: type[Detector], scenes: Scenes):
    torch.manual_seed(0)
    detector = kind(width=8)
    before = evaluate(detector, scenes).mean
    history = train(detector, scenes, epochs=50, batch=16, learning_rate=6e-3, show=None)
    assert history[-1].loss < 0.5 * history[0].loss
    assert evaluate(detector, scenes).mean > before + 0.1


@each
def test_a_file_gives_the_same_detector_back(kind: type[Detector], scenes: Scenes, tmp_path: Path):
    torch.manual_seed(1)
    detector = kind(width=4)
    detector.save(tmp_path / "weights.npz")
    loaded = kind.load(tmp_path / "weights.npz")
    first, second = detector.detect(scenes.images[:4]), loaded.detect(scenes.images[:4])
    for one, other in zip(first, second, strict=True):
        for values, others in zip(one, other, strict=True):
            np.testing.assert_array_equal(values, others)
    with np.load(tmp_path / "weights.npz", allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)


@each
def test_a_rounded_file_is_small_and_nearly_the_same(kind: type[Detector], tmp_path: Path):
    """With 8 significant bits no parameter is off by more than 1 in 256, and what is no parameter stays."""
    torch.manual_seed(6)
    detector = kind(width=8)
    detector.save(tmp_path / "full.npz")
    detector.save(tmp_path / "rounded.npz", bits=8)
    assert (tmp_path / "rounded.npz").stat().st_size < 0.45 * (tmp_path / "full.npz").stat().st_size
    loaded = kind.load(tmp_path / "rounded.npz")
    parameters = dict(detector.named_parameters())
    for name, tensor in loaded.state_dict().items():
        before = detector.state_dict()[name]
        assert tensor.dtype == before.dtype
        torch.testing.assert_close(tensor, before, rtol=1 / 256 if name in parameters else 0, atol=1e-6)


@pytest.mark.parametrize("bits", [0, 12])
def test_a_float16_has_no_more_than_11_bits(bits: int, tmp_path: Path):
    with pytest.raises(ValueError, match="from 1 to 11"):
        SSD(width=4).save(tmp_path / "weights.npz", bits=bits)


def test_a_file_of_something_else_is_refused(tmp_path: Path):
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(ValueError, match="not the file of a detector"):
        SSD.load(tmp_path / "other.npz")


@each
def test_detections_lie_in_the_image_with_the_best_first(kind: type[Detector], scenes: Scenes):
    torch.manual_seed(2)
    for found in kind(width=4).detect(scenes.images[:4], score_threshold=0.0):
        assert len(found.boxes) == len(found.scores) == len(found.labels) > 0
        assert found.boxes.min() >= 0 and found.boxes.max() <= SIZE
        assert (np.diff(found.scores) <= 0).all()
        assert set(found.labels.tolist()) <= set(range(len(CLASSES)))


@each
def test_a_batch_without_any_object_has_a_finite_loss_and_gradient(kind: type[Detector]):
    torch.manual_seed(3)
    detector = kind(width=4)
    loss = detector.loss(torch.rand(2, 3, SIZE, SIZE), torch.zeros(2, 3, 4), torch.full((2, 3), -1))
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in detector.parameters() if p.grad is not None)


@each
def test_an_object_that_is_not_there_changes_nothing(kind: type[Detector], scenes: Scenes):
    """Places that hold no object are there because arrays have a fixed shape."""
    torch.manual_seed(4)
    detector = kind(width=4).eval()
    images, boxes, labels = batch(scenes[:4])
    more = torch.cat([boxes, torch.zeros(4, 2, 4)], dim=1)
    empty = torch.cat([labels, torch.full((4, 2), -1)], dim=1)
    with torch.no_grad():
        assert torch.isclose(detector.loss(images, boxes, labels), detector.loss(images, more, empty))


@each
def test_the_loss_falls_when_what_is_said_comes_nearer(kind: type[Detector], scenes: Scenes):
    """One step against the gradient, on the same batch."""
    torch.manual_seed(5)
    detector = kind(width=4).eval()
    given = batch(scenes[:8])
    loss = detector.loss(*given)
    loss.backward()
    with torch.no_grad():
        norm = torch.sqrt(sum((p.grad**2).sum() for p in detector.parameters() if p.grad is not None))
        for parameter in detector.parameters():
            if parameter.grad is not None:
                parameter -= 1e-3 * parameter.grad / norm
        assert detector.loss(*given) < loss


def test_yolo1_says_boxes_in_pixels_from_shares_of_cell_and_image():
    """Row 2, column 5, the middle of the cell, a quarter of the image wide and a ninth high."""
    detector = YOLO1()
    numbers = torch.zeros(1, 8, 8, 2, 4)
    numbers[0, 2, 5, 0] = torch.tensor([0.5, 0.5, 0.5, 1 / 3])
    x1, y1, x2, y2 = detector.in_pixels(numbers)[0, 2, 5, 0].tolist()
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == pytest.approx((44, 20))
    assert (x2 - x1, y2 - y1) == pytest.approx((16, 64 / 9))


def test_yolo2_gives_an_object_to_the_anchor_of_its_shape():
    anchors = torch.tensor([[8.0, 24], [24, 8], [16, 16]])
    truth = torch.tensor([[0.0, 0, 20, 7], [30, 30, 47, 46], [5, 9, 14, 40]])
    assert best_anchor(truth, anchors).tolist() == [1, 2, 0]


def test_ssd_gives_every_object_at_least_one_box():
    """Also one that no default box overlaps by half."""
    boxes = torch.tensor([[[2.0, 20, 60, 27], [30, 30, 39, 39]]])
    matched, who = SSD().match(boxes)
    assert set(who[matched].tolist()) == {0, 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [({"batch": 64}, "less than one batch of 64"), ({"epochs": 1, "size": 32}, "64x64")],
)
def test_training_says_what_does_not_fit(change, message, scenes: Scenes):
    size = change.pop("size", SIZE)
    with pytest.raises(ValueError, match=message):
        train(SSD(size=size, width=4), scenes, **({"epochs": 1} | change), show=None)


def test_a_size_that_no_map_divides_is_refused():
    with pytest.raises(ValueError, match="multiple of 16"):
        YOLO1(size=60)


# those that are trained ahead


@pytest.mark.parametrize(
    ("name", "half", "strict"),
    [
        ("YOLO v1", 0.9, 0.7),
        ("YOLO v2", 0.91, 0.77),
        ("YOLO v3", 0.91, 0.77),
        ("SSD", 0.93, 0.81),
        ("Faster R-CNN", 0.94, 0.85),
    ],
)
def test_the_trained_detectors_are_there_and_find_what_they_promise(name: str, half: float, strict: float):
    """A little less is asked for than of the recipes: here are fewer scenes."""
    assert weights_file(name).stat().st_size < 1_200_000
    with np.load(weights_file(name), allow_pickle=False) as file:
        assert all(file[entry].dtype != object for entry in file.files)
    detector, test = trained(name), make_scenes(150, SIZE, seed=12)
    assert not detector.training
    assert evaluate(detector, test).mean > half
    assert evaluate(detector, test, 0.75).mean > strict


@pytest.mark.parametrize("name", ["YOLO v9", *sorted(ALL_RECIPES.keys() - set(SHIPPED))])
def test_every_detector_that_is_shipped_is_there_and_others_are_refused(name: str):
    assert all(weights_file(one).is_file() for one in SHIPPED)
    with pytest.raises(ValueError, match="must be one of YOLO v1, YOLO v2"):
        trained(name)
