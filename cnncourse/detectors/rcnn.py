"""R-CNN: every region is warped to one size and goes through the network alone; SVMs judge what comes out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, max_pool2d

from cnncourse.data.scenes import Scenes
from cnncourse.detectors.detector import as_images
from cnncourse.detectors.fast_rcnn import HIDDEN
from cnncourse.detectors.roi_align import roi_align
from cnncourse.detectors.roi_sampling import Plan, sample_rois
from cnncourse.detectors.rois import Rois, together
from cnncourse.detectors.searched import Searched
from cnncourse.detectors.ssd import decode
from cnncourse.detectors.svm_heads import fit_regressor, fit_svms, lessons, put
from cnncourse.detectors.two_stage import Trunk

CROP = 32  # pixels that a region is warped to; 227 in the paper
CONTEXT = 32 / 28  # a crop shows this much more than the region, in each direction; 227 / 195 in the paper
STEEP = 2.0  # how fast a score goes from 0 to 1 around the SVM's border
FITTED = 1000  # scenes that SVMs and regressor are fitted on, at most
AT_ONCE = 50  # scenes in memory, while they are


class ThreeTrainings(Searched):
    """What R-CNN and SPPnet share: network, SVMs and regressor are trained one after the other.

    First the network learns to classify regions, with a softmax (`loss`). Then that last layer is replaced by
    a linear SVM for each class, and the box of a region is corrected by a ridge regression (`finish`).

    Parameters
    ----------
    pooled : numbers of a region after the convolutions; the regressor has these
    """

    plan = Plan(total=16, share=0.25)
    fitted: Tensor

    def __init__(self, classes: int, size: int, width: int, pooled: int, **options: Any) -> None:
        super().__init__(classes, size, width=width, **options)
        self.trunk = Trunk(width)
        self.dense = nn.Sequential(nn.Linear(pooled, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU())
        self.softmax = nn.Linear(HIDDEN, classes + 1)
        self.svms = nn.Linear(HIDDEN, classes)
        self.regressor = nn.Linear(pooled, 4 * classes)
        self.register_buffer("fitted", torch.zeros((), dtype=torch.bool))

    @abstractmethod
    def describe(self, maps: Tensor, rois: Rois) -> Tensor:
        """Return what the convolutions make of each region, (R, pooled)."""

    def loss(self, images: Tensor, boxes: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of the class of a sample of the proposals; the last class is for no object."""
        proposals, boxes, labels = self.apart(boxes, labels)
        sample = sample_rois(proposals, boxes, labels, self.classes, self.plan)
        vectors = self.describe(self.maps(images), sample.rois)
        return cross_entropy(self.softmax(self.dense(vectors)), sample.labels)

    def judge(self, vectors: Tensor, rois: Rois) -> tuple[Tensor, Tensor]:
        """A score is the SVM's margin, bent to lie from 0 to 1; before there are SVMs, a probability."""
        hidden = self.dense(vectors)
        if not self.fitted:
            chances = self.softmax(hidden).softmax(dim=1)[:, : self.classes]
            return rois.boxes[:, None].expand(-1, self.classes, -1), chances
        deltas = self.regressor(vectors).unflatten(1, (self.classes, 4))
        return decode(deltas, rois.boxes[:, None]), (STEEP * self.svms(hidden)).sigmoid()

    @torch.no_grad()
    def finish(self, scenes: Scenes, show: Callable[[str], None] | None) -> None:
        """Fit the SVMs and the regressor on the vectors of all objects and proposals of some scenes."""
        facts: list[tuple[Tensor, ...]] = []
        for start in range(0, min(len(scenes), FITTED), AT_ONCE):
            facts += self._facts(scenes[start : start + AT_ONCE])
        hidden, kinds, vectors, labels, deltas = (torch.cat(one).numpy() for one in zip(*facts, strict=True))
        put(fit_svms(hidden, kinds, self.classes), self.svms)
        put(fit_regressor(vectors, labels, deltas, self.classes), self.regressor)
        self.fitted.fill_(True)
        if show is not None:
            show(f"{self.classes} SVMs on {len(hidden)} regions, a regressor on {len(vectors)}")

    def _facts(self, scenes: Scenes) -> list[tuple[Tensor, ...]]:
        """Return for each scene what SVMs see and what they are to say, and the same for the regressor."""
        boxes, labels = torch.from_numpy(scenes.boxes).float(), torch.from_numpy(scenes.labels)
        proposals, boxes, labels = self.apart(boxes, labels)
        objects = [one[label >= 0] for one, label in zip(boxes, labels, strict=True)]
        rois = together([torch.cat(one) for one in zip(objects, proposals, strict=True)])
        vectors = self.describe(self.maps(as_images(scenes.images)), rois)
        hidden = self.dense(vectors)
        facts = []
        for number, (one, label) in enumerate(zip(objects, labels, strict=True)):
            own = rois.image == number
            kinds, near, *target = lessons(rois.boxes[own], one, label[label >= 0], self.classes)
            facts.append((hidden[own], kinds, vectors[own][near], *target))
        return facts


class RCNN(ThreeTrainings):
    """Regions with CNN features.

    References
    ----------
    Girshick et al. 2014, "Rich feature hierarchies for accurate object detection", section 2. There the
    network has learned from ImageNet before; here it begins with random weights.
    """

    def __init__(self, classes: int = 5, size: int = 64, width: int = 16) -> None:
        super().__init__(classes, size, width, pooled=4 * width * (CROP // 8) ** 2)

    def maps(self, images: Tensor) -> Tensor:
        """Regions share nothing but the pixels."""
        return images

    def describe(self, maps: Tensor, rois: Rois) -> Tensor:
        """Every region is warped, with a little of what is around it, and goes through all convolutions.

        What lies outside the image is grey.
        """
        crops = roi_align(maps - 0.5, Rois(widened(rois.boxes, CONTEXT), rois.image), CROP, stride=1) + 0.5
        return max_pool2d(self.trunk(crops), 2).flatten(1)


def widened(boxes: Tensor, times: float) -> Tensor:
    """Return boxes (R, 4) so many times as wide and as high, around the same middle."""
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2 * times
    return torch.cat([middle - half, middle + half], dim=1)
