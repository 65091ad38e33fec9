"""RoIPool and RoIAlign: published examples, plain loops, numeric gradients; and how much rounding loses."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cnncourse.detectors.quantisation import align_bins, pool_bins, quantisation_error
from cnncourse.detectors.roi_align import roi_align
from cnncourse.detectors.roi_pool import Rois, roi_pool


def rois(boxes: object, image: list[int] | None = None) -> Rois:
    given = torch.as_tensor(boxes, dtype=torch.float64).reshape(-1, 4)
    return Rois(given, torch.tensor([0] * len(given) if image is None else image, dtype=torch.long))


def random_case(seed: int) -> tuple[torch.Tensor, Rois, int, float]:
    """Maps that are not square, several images and channels, boxes across the border, regions not in order."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(3, 9, 2)
    maps = torch.from_numpy(rng.permutation(3 * 2 * height * width) / 7.0).reshape(3, 2, height, width)
    stride = float(rng.choice([1, 2, 4, 16]))
    start = rng.uniform(0, 0.7, (6, 2)) * [width, height]
    boxes = np.hstack([start, start + rng.uniform(0.1, 0.8, (6, 2)) * [width, height]]) * stride
    return maps, rois(boxes, rng.integers(0, 3, 6).tolist()), int(rng.integers(1, 4)), stride


def rounded(value: float) -> int:
    return math.floor(value + 0.5)


def plain_pool(maps: np.ndarray, given: Rois, output: int, stride: float) -> tuple[np.ndarray, np.ndarray]:
    """Return what RoIPool gives, and the gradient of its sum, bin by bin and cell by cell."""
    _, channels, height, width = maps.shape
    result, gradient = np.zeros((len(given.boxes), channels, output, output)), np.zeros(maps.shape)
    for r, (box, n) in enumerate(zip(given.boxes.tolist(), given.image.tolist(), strict=True)):
        x1, y1, x2, y2 = (rounded(edge / stride) for edge in box)
        rows, columns = max(y2 - y1 + 1, 1), max(x2 - x1 + 1, 1)
        for c in range(channels):
            for i in range(output):
                for j in range(output):
                    top, bottom = math.floor(i * rows / output), math.ceil((i + 1) * rows / output)
                    left, right = math.floor(j * columns / output), math.ceil((j + 1) * columns / output)
                    cells = [
                        (maps[n, c, y, x], y, x)
                        for y in range(y1 + top, min(y1 + bottom, height))
                        for x in range(x1 + left, min(x1 + right, width))
                    ]
                    if cells:
                        value, y, x = max(cells)
                        result[r, c, i, j] = value
                        gradient[n, c, y, x] += 1
    return result, gradient


def plain_align(maps: np.ndarray, given: Rois, output: int, stride: float, samples: int) -> np.ndarray:
    """Return what RoIAlign gives, point by point, each between its four cells."""
    _, channels, height, width = maps.shape
    result = np.zeros((len(given.boxes), channels, output, output))
    for r, (box, n) in enumerate(zip(given.boxes.tolist(), given.image.tolist(), strict=True)):
        x1, y1, x2, y2 = (edge / stride - 0.5 for edge in box)
        for i in range(output * samples):
            for j in range(output * samples):
                y = y1 + (i + 0.5) / (output * samples) * (y2 - y1)
                x = x1 + (j + 0.5) / (output * samples) * (x2 - x1)
                if not (-1 <= y <= height and -1 <= x <= width):
                    continue
                y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
                for a in (math.floor(y), math.floor(y) + 1):
                    for b in (math.floor(x), math.floor(x) + 1):
                        weight = max(0, 1 - abs(y - a)) * max(0, 1 - abs(x - b))
                        if weight:
                            result[r, :, i // samples, j // samples] += weight * maps[n, :, a, b]
    return result / samples**2


def test_pool_agrees_with_a_published_example():
    """Android's neural networks API, test ROI_POOLING_1: four regions, and one outside the map."""
    maps = torch.tensor([[-10.0, -1, 4, -5], [-8, -2, 9, 1], [7, -2, 3, -7], [-2, 10, -3, 5]])[None, None]
    given = rois([[2, 2, 4, 4], [0, 0, 6, 6], [2, 0, 4, 6], [0, 2, 6, 4], [8, 8, 8, 8]])
    wanted = [[-2, 9, -2, 3], [-1, 9, 10, 5], [-1, 9, 10, 3], [-2, 9, 7, 3], [0, 0, 0, 0]]
    assert roi_pool(maps, given, 2, stride=2).flatten(1).tolist() == wanted


# ONNX, operator RoiAlign, cases test_roialign_aligned_true and _false: a map of 10x10 and three regions.
ONNX_MAP = """
.2764 .7150 .1958 .3416 .4638 .0259 .2963 .6518 .4856 .7250
.9637 .0895 .2919 .6753 .0234 .6132 .8085 .5324 .8992 .4467
.3265 .8479 .9698 .2471 .9336 .1878 .4766 .4308 .3400 .2162
.0206 .1720 .2155 .4394 .0653 .3406 .7724 .3921 .2541 .5799
.4062 .2194 .4473 .4687 .7109 .9327 .9815 .6320 .1728 .6119
.3097 .1283 .4984 .5068 .4279 .0173 .4388 .0430 .4671 .7119
.1011 .8477 .4726 .1777 .9923 .4042 .1869 .7795 .9946 .9689
.1366 .3671 .7011 .6234 .9867 .5585 .6985 .5609 .8788 .9928
.5697 .8511 .6711 .9406 .8751 .7496 .1650 .1049 .1559 .2514
.7012 .4056 .7879 .3461 .0415 .2998 .5094 .3727 .5482 .0502
"""
ONNX_BOXES = [[0, 0, 9, 9], [0, 5, 4, 9], [5, 5, 9, 9]]
ONNX_RESULTS = {
    True: """
    .5178 .3434 .3229 .4474 .6344 .4031 .5366 .4428 .4861 .4023 .2512 .4002 .5155 .6954 .3465
    .3350 .4601 .5881 .3439 .6849 .4932 .7141 .8217 .4719 .4039
    .3070 .2187 .3337 .4880 .4870 .1871 .4914 .5561 .4192 .3686 .1433 .4608 .5971 .5310 .4982
    .2788 .4386 .6022 .7000 .7524 .5774 .7024 .7251 .7338 .8163
    .2393 .4075 .3379 .2525 .4743 .3671 .2702 .4105 .6419 .8308 .5556 .4543 .5564 .7502 .9300
    .6626 .5617 .4813 .4954 .6663 .6636 .3721 .2056 .1928 .2478""",
    False: """
    .4664 .4466 .3405 .5688 .6068 .3714 .4296 .3835 .5562 .3510 .2768 .4883 .5222 .5528 .4171
    .4713 .4844 .6904 .4920 .8774 .6239 .7125 .6289 .3355 .3495
    .3022 .4305 .4696 .3978 .5423 .3656 .7050 .5165 .3172 .7015 .2912 .5059 .6476 .6235 .8299
    .5916 .7389 .7048 .8372 .8893 .6227 .6153 .7097 .6154 .4585
    .2384 .3379 .3717 .6100 .7601 .3767 .3785 .7147 .9243 .9727 .5749 .5826 .5709 .7619 .8770
    .5355 .2566 .2141 .2796 .3600 .4365 .3504 .2887 .3661 .2349""",
}


def numbers(text: str, *shape: int) -> np.ndarray:
    return np.array(text.split(), dtype=float).reshape(shape)


@pytest.mark.parametrize("half_pixel", [True, False])
def test_align_agrees_with_a_published_example(half_pixel: bool):
    maps = torch.from_numpy(numbers(ONNX_MAP, 1, 1, 10, 10))
    found = roi_align(maps, rois(ONNX_BOXES), 5, stride=1, samples=2, half_pixel=half_pixel)
    np.testing.assert_allclose(found.numpy(), numbers(ONNX_RESULTS[half_pixel], 3, 1, 5, 5), atol=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_pool_and_its_gradient_are_those_of_the_plain_loop(seed: int):
    maps, given, output, stride = random_case(seed)
    maps.requires_grad_()
    found = roi_pool(maps, given, output, stride)
    found.sum().backward()
    wanted, gradient = plain_pool(maps.detach().numpy(), given, output, stride)
    np.testing.assert_array_equal(found.detach().numpy(), wanted)
    np.testing.assert_allclose(maps.grad.numpy(), gradient)


@pytest.mark.parametrize("seed", range(6))
def test_align_is_that_of_the_plain_loop(seed: int):
    maps, given, output, stride = random_case(seed)
    found = roi_align(maps, given, output, stride, samples=3)
    np.testing.assert_allclose(found.numpy(), plain_align(maps.numpy(), given, output, stride, 3), atol=1e-12)


@pytest.mark.parametrize("pool", [roi_pool, roi_align])
def test_gradients_are_those_of_central_differences(pool):
    maps, given, output, stride = random_case(11)
    assert torch.autograd.gradcheck(
        lambda values: pool(values, given, output, stride), (maps.requires_grad_(),), eps=1e-4
    )


def test_a_maximum_of_two_regions_gets_both_gradients():
    maps = torch.zeros(1, 1, 4, 4, dtype=torch.float64)
    maps[0, 0, 2, 1] = 5
    maps.requires_grad_()
    pooled = roi_pool(maps, rois([[0, 0, 3, 3], [1, 1, 2, 2]]), 1, stride=1)
    (pooled * torch.tensor([2.0, 3.0])[:, None, None, None]).sum().backward()
    assert maps.grad[0, 0, 2, 1] == 5
    assert maps.grad.sum() == 5


@pytest.mark.parametrize("pool", [roi_pool, roi_align])
def test_the_memory_of_a_map_does_not_matter(pool):
    maps, given, output, stride = random_case(3)
    other = maps.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(pool(maps, given, output, stride), pool(other, given, output, stride))


@pytest.mark.parametrize("pool", [roi_pool, roi_align])
def test_no_regions_give_nothing(pool):
    assert pool(torch.rand(2, 3, 4, 5), rois([]), 2, 4.0).shape == (0, 3, 2, 2)


@pytest.mark.parametrize("pool", [roi_pool, roi_align])
@pytest.mark.parametrize(
    ("boxes", "image", "output", "message"),
    [
        ([[0, 0, 1, 1]], [0, 0], 2, r"\(R,\)"),
        ([[0, 0, 1, 1]], [1], 2, "1 maps"),
        ([[0, 0, 1, 1]], [-1], 2, "from -1"),
        ([[0, 0, 1, 1]], [0], 0, "output"),
    ],
)
def test_what_does_not_fit_is_refused(pool, boxes, image, output, message):
    with pytest.raises(ValueError, match=message):
        pool(torch.rand(1, 1, 4, 4), rois(boxes, image), output, 1.0)


def test_align_without_points_is_refused():
    with pytest.raises(ValueError, match=r"samples \(=0\)"):
        roi_align(torch.rand(1, 1, 4, 4), rois([[0, 0, 1, 1]]), 2, 1.0, samples=0)


# what rounding loses


def test_align_reads_a_slope_exactly_and_pool_does_not():
    """On a map whose value is its cell's middle in pixels, a bin's mean is the middle of the bin."""
    stride = 8
    middles = (torch.arange(16, dtype=torch.float64) + 0.5) * stride
    maps = middles.expand(1, 1, 16, 16)
    given = rois([[21, 30, 77, 90]])
    meant = align_bins(given.boxes, 4)[..., [0, 2]].mean(dim=-1).double()  # (1, 4, 4)
    torch.testing.assert_close(roi_align(maps, given, 4, stride)[:, 0], meant)
    seen = pool_bins(given.boxes, 4, stride)
    assert (roi_pool(maps, given, 4, stride)[:, 0] == seen[..., 2] - stride / 2).all()


def test_the_error_of_rounding_grows_with_the_stride_and_not_with_the_box():
    rng = np.random.default_rng(0)
    start, side = rng.uniform(0, 200, (400, 2)), rng.uniform(0.5, 1.5, (400, 2))
    means = {
        (stride, size): float(
            quantisation_error(torch.from_numpy(np.hstack([start, start + size * side])), 7, stride).mean()
        )
        for stride in (4, 16)
        for size in (100, 200)
    }
    assert means[16, 100] > 3 * means[4, 100]
    assert means[16, 200] == pytest.approx(means[16, 100], rel=0.1)
