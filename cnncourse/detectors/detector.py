"""What all detectors have in common: a loss to train by, candidates, and detections without doubles."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnncourse.detectors.detections import Detections, without_doubles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cnncourse.data.scenes import Scenes

OPTIONS = "options"  # the entry of a file that holds the constructor's arguments, as JSON


class Detector(nn.Module, ABC):
    """A network that finds objects of `classes` classes in square images.

    Parameters
    ----------
    classes : how many
    size : rows and columns of an image, in pixels
    options : further arguments of the subclass, kept for `save`
    """

    learns_masks = False  # whether `loss` wants a fourth channel: which object is seen at each pixel

    def __init__(self, classes: int, size: int, **options: Any) -> None:
        super().__init__()
        if size % 16:
            raise ValueError(
                f"size (={size}) must be a multiple of 16: the coarsest map has a unit for 16 pixels"
            )
        self.classes, self.size = classes, size
        self.options = {"classes": classes, "size": size, **options}

    @abstractmethod
    def loss(self, images: Tensor, boxes: Tensor, labels: Tensor) -> Tensor:
        """Return one number to make small.

        Parameters
        ----------
        images : Tensor, shape (N, 3, size, size), from 0 to 1
            With `learns_masks`, a fourth channel holds 0 for the ground and k + 1 for object k.
        boxes, labels : Tensor, shapes (N, K, 4) and (N, K)
            Pixels, and a class or, where there is no object, -1.
        """

    @abstractmethod
    def candidates(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return every box that the network can say and its score for each class.

        Returns
        -------
        boxes, scores : Tensor, shapes (N, M, 4), in pixels, and (N, M, C)
        """

    def prepare(self, scenes: Scenes, show: Callable[[str], None] | None) -> Scenes:
        """Return the scenes as they are needed for training; `show` gets lines on how far it is."""
        return scenes

    def finish(self, scenes: Scenes, show: Callable[[str], None] | None) -> None:
        """Learn what is learned after the network, from the scenes that `prepare` returned."""

    @torch.no_grad()
    def detect(
        self,
        images: NDArray[np.uint8] | Tensor,
        score_threshold: float = 0.02,
        iou_threshold: float = 0.45,
        most: int = 100,
        batch: int = 50,
    ) -> list[Detections]:
        """Return what is found in each image, one detection for an object of a class if all goes well.

        Parameters
        ----------
        images : uint8, shape (N, 3, size, size), or float from 0 to 1
        score_threshold : float
            A low one is for average precision, which looks at every threshold; for a picture take 0.5.
        iou_threshold : float
            Of two detections of one class that overlap more, the one with the higher score is kept.
        most : int
            Candidates of an image that go into non-maximum suppression, those with the highest scores.
        batch : int
            Images at a time.
        """
        was_training = self.training
        self.eval()
        found: list[Detections] = []
        for start in range(0, len(images), batch):
            boxes, scores = self.candidates(as_images(images[start : start + batch]))
            boxes = boxes.clamp(0, self.size)
            found += [
                without_doubles(*one, score_threshold, iou_threshold, most)
                for one in zip(boxes, scores, strict=True)
            ]
        self.train(was_training)
        return found

    def draw(
        self,
        image: NDArray[np.uint8] | Tensor,
        names: Sequence[str] | None = None,
        truth: NDArray[np.float64] | None = None,
        score_threshold: float = 0.5,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw what is found in one image.

        Parameters
        ----------
        image : uint8, shape (3, size, size), or float from 0 to 1
        names : of the classes; they stand at the boxes, before the scores
        truth : boxes (K, 4) of what is there, drawn dashed
        score_threshold : what is less sure is not drawn
        ax : where to draw; a new figure by default
        """
        from cnncourse.viz import draw_boxes  # whoever draws nothing needs no matplotlib

        found = self.detect(image[None], score_threshold)[0]
        words = None if names is None else [names[label] for label in found.labels]
        return draw_boxes(np.moveaxis(np.asarray(image), 0, -1), found.boxes, words, found.scores, truth, ax)

    def save(self, path: Path | str, bits: int | None = None) -> None:
        """Write the weights and the constructor's arguments to an ``.npz`` file, without pickle.

        Parameters
        ----------
        path : where to
        bits : int, optional
            Round every parameter to so many significant bits, from 1 to 11, and write it as float16: with 8
            the file shrinks to about a third. By default parameters stay float32.

        Raises
        ------
        ValueError
            If `bits` is out of range.
        """
        arrays: dict[str, Any] = {name: tensor.numpy() for name, tensor in self.state_dict().items()}
        if bits is not None:
            for name, _ in self.named_parameters():
                arrays[name] = _rounded(arrays[name], bits)
        arrays[OPTIONS] = np.array(json.dumps(self.options))
        np.savez_compressed(path, **arrays)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        ValueError
            If the file holds another network.
        """
        with np.load(path, allow_pickle=False) as file:
            if OPTIONS not in file.files:
                raise ValueError(f"{path}: this is not the file of a detector: it has no {OPTIONS!r}")
            detector = cls(**json.loads(str(file[OPTIONS])))
            state = {name: torch.from_numpy(file[name]) for name in file.files if name != OPTIONS}
        try:
            detector.load_state_dict(state)
        except RuntimeError as error:
            raise ValueError(f"{path}: these are not the weights of a {cls.__name__}") from error
        return detector


def as_images(images: NDArray[np.uint8] | Tensor) -> Tensor:
    """Return images as float32 from 0 to 1; whole numbers are taken to go from 0 to 255."""
    tensor = torch.as_tensor(images)
    return tensor.float() if tensor.is_floating_point() else tensor.float() / 255


def _rounded(values: NDArray[np.float32], bits: int) -> NDArray[np.float16]:
    """Return float16 of so many significant bits; the others are zeros, which compression removes."""
    if not 1 <= bits <= 11:
        raise ValueError(f"bits (={bits}) must be from 1 to 11, the significant bits of float16")
    share, exponent = np.frexp(values)
    rounded: NDArray[np.float32] = np.ldexp(np.round(share * 2**bits) / 2**bits, exponent)
    return rounded.astype(np.float16)
