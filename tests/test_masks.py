"""Masks there and back, their IoU and average precision, and what Mask Scoring learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from detection_cases import drawn

from cnncourse.data.scenes import SPARSE, make_scenes
from cnncourse.detectors.mask_rcnn import MaskRCNN
from cnncourse.detectors.mask_scoring import cut_mask_iou
from cnncourse.detectors.masks import cut_masks, paste_mask
from cnncourse.detectors.training import train
from cnncourse.mask_metrics import mask_average_precision, mask_iou
from cnncourse.metrics import mean_average_precision


def test_a_mask_that_is_cut_out_and_pasted_is_where_it_was():
    masks = torch.zeros(2, 40, 50)
    masks[0, 8:20, 10:34], masks[1, 5:37, 3:19] = 1, 1
    boxes = torch.tensor([[10.0, 8, 34, 20], [3, 5, 35, 37]])  # the second object fills half of its box
    pasted = paste_mask(cut_masks(masks, boxes, 16), boxes, 40, 50) >= 0.5
    np.testing.assert_array_equal(pasted.numpy(), masks.numpy() > 0)


def test_a_pasted_slope_lies_between_the_middles_of_its_cells():
    """Cells of 2x4 pixels: a pixel's middle is a quarter, an eighth ... of a cell away from theirs."""
    mask = torch.tensor([[[0.0, 1.0], [0.0, 1.0]]])
    pasted = paste_mask(mask, torch.tensor([[2.0, 1.0, 10.0, 5.0]]), height=6, width=12)[0]
    assert pasted[1].tolist() == [0, 0, 0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1, 0, 0]
    assert not pasted[0].any()
    assert not pasted[5].any()


def test_masks_of_rectangles_have_the_average_precision_of_boxes():
    for seed in range(20):
        detections, objects = drawn(np.random.default_rng(seed), crowds=False)
        detections = [(np.clip(boxes, 0, 90), *rest) for boxes, *rest in detections]
        filled = [(rectangles(boxes), *rest) for boxes, *rest in detections]
        truth = [(rectangles(boxes), labels) for boxes, labels, _ in objects]
        for rule, points in (("voc", None), ("coco", 101)):
            wanted = mean_average_precision(detections, objects, [0.5, 0.75], points, rule, num_classes=3)
            found = mask_average_precision(filled, truth, [0.5, 0.75], 3, points, rule)
            np.testing.assert_allclose(found.ap, wanted.ap, atol=1e-12)


def rectangles(boxes: np.ndarray) -> np.ndarray:
    masks = np.zeros((len(boxes), 90, 90), dtype=bool)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.astype(int), strict=True):
        mask[y1:y2, x1:x2] = True
    return masks


def test_mask_iou_is_that_of_pycocotools():
    coder = pytest.importorskip("pycocotools.mask")
    masks = np.random.default_rng(0).random((7, 20, 30)) < np.linspace(0.1, 0.9, 7)[:, None, None]
    coded = [coder.encode(np.asfortranarray(mask.astype(np.uint8))) for mask in masks]
    wanted = coder.iou(coded[:3], coded[3:], [0] * 4)
    np.testing.assert_allclose(mask_iou(masks[:3], masks[3:]), wanted, atol=1e-12)


def test_masks_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"\(1, 2, 2\) and \(1, 2, 3\)"):
        mask_iou(np.ones((1, 2, 2)), np.ones((1, 2, 3)))
    with pytest.raises(ValueError, match="one number for each mask"):
        mask_average_precision([(np.ones((1, 2, 2)), [0.5, 0.4], [0])], [(np.ones((1, 2, 2)), [0])])
    with pytest.raises(ValueError, match="objects of 2"):
        mask_average_precision([], [(np.ones((1, 2, 2)), [0])] * 2)


def test_the_iou_that_mask_scoring_learns_is_that_of_whole_masks():
    """A box whose cells are pixels, and an object of which a part lies outside."""
    truth = torch.zeros(1, 30, 30, dtype=torch.bool)
    truth[0, 4:20, 6:26] = True
    said = torch.rand(1, 14, 14, generator=torch.Generator().manual_seed(0)) > 0.3
    box = torch.tensor([[2.0, 3, 16, 17]])
    whole = np.zeros((1, 30, 30), dtype=bool)
    whole[0, 3:17, 2:16] = said[0].numpy()
    assert float(cut_mask_iou(said, box, truth)) == pytest.approx(float(mask_iou(whole, truth.numpy())[0, 0]))


def test_labels_of_masks_are_whole_numbers_from_zero():
    mask = np.ones((1, 2, 2))
    for found, truth, classes in ((0, -1, None), (0.5, 0, None), (3, 0, 3)):
        with pytest.raises(ValueError, match="labels are whole numbers"):
            mask_average_precision([(mask, [0.5], [found])], [(mask, [truth])], num_classes=classes)


def test_masks_are_not_learned_from_a_mosaic():
    with pytest.raises(ValueError, match=r"mosaic \(=0.5\)"):
        train(MaskRCNN(width=4), make_scenes(4, 64, SPARSE), epochs=1, batch=4, mosaic=0.5, show=None)
