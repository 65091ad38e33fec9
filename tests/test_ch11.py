"""Chapter 11: the lab's dense layers as convolutions are those of the package's detector."""

import numpy as np
import pytest

from cnncourse.checking import load

torch = pytest.importorskip("torch")


def test_the_lab_and_the_detector_slide_alike():
    from cnncourse.detectors.sliding import fully_convolutional

    torch.manual_seed(0)
    dense = [torch.nn.Linear(3 * 4 * 4, 5), torch.nn.ReLU(), torch.nn.Linear(5, 2)]
    network = fully_convolutional(torch.nn.Sequential(torch.nn.Flatten(), *dense), window=4)
    image = np.random.default_rng(0).normal(size=(3, 6, 9))
    weights, biases = (
        [p.detach().numpy() for p in (getattr(dense[0], n), getattr(dense[2], n))] for n in ("weight", "bias")
    )
    kernels, scores = load("ch11_detection.sliding_window_as_conv").solution(image, weights, biases, (4, 4))
    with torch.no_grad():
        expected = network(torch.as_tensor(image, dtype=torch.float32)[None])[0].numpy()
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    for kernel, layer in zip(kernels, network[::2], strict=True):
        np.testing.assert_array_equal(kernel, layer.weight.detach().numpy())
