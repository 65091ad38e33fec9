"""CIFAR-10: 60,000 small colour photos of ten kinds of things, in its binary version."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SIDE = 32  # pixels
RECORD = 1 + 3 * SIDE * SIDE  # bytes: the label, then red, green and blue, row by row
TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST = ("test_batch.bin",)


class Cifar10(NamedTuple):
    """Images (N, 3, 32, 32), uint8, and labels (N,), int64: places in `classes`."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    classes: tuple[str, ...]


def read_cifar10(folder: str | Path) -> Cifar10:
    """Read CIFAR-10 from its binary files.

    The other version, for Python, is pickled: whoever opens such a file runs what is in it.

    Parameters
    ----------
    folder : str or Path
        ``cifar-10-batches-bin``, with ``data_batch_1.bin`` to 5, ``test_batch.bin`` and ``batches.meta.txt``.
        ``download.fetch("cifar10", ...)`` brings it.

    Returns
    -------
    Cifar10

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        In one line, if a file is not as long as whole images, or a label has no name.

    References
    ----------
    Krizhevsky 2009, "Learning multiple layers of features from tiny images";
    https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
    """
    root = Path(folder)
    classes = tuple((root / "batches.meta.txt").read_text(encoding="utf-8").split())
    parts = [_batches([root / name for name in names], len(classes)) for names in (TRAIN, TEST)]
    return Cifar10(*parts[0], *parts[1], classes)


def _batches(files: list[Path], classes: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    records = np.concatenate([_records(file, classes) for file in files])  # (N, 3073)
    return records[:, 1:].reshape(-1, 3, SIDE, SIDE), records[:, 0].astype(np.int64)


def _records(file: Path, classes: int) -> NDArray[np.uint8]:
    content = np.fromfile(file, dtype=np.uint8)
    if content.size % RECORD or not content.size:
        raise ValueError(f"{file}: {content.size} bytes are not a number of images of {RECORD} bytes each")
    records = content.reshape(-1, RECORD)
    if records[:, 0].max() >= classes:
        worst = int(records[:, 0].argmax())
        raise ValueError(
            f"{file}: image {worst} has label {records[worst, 0]}, but there are {classes} classes"
        )
    return records
