"""Which regions a second stage learns from: a few of each image, a fixed share of them with an object."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from cnncourse.detectors.rois import Rois
from cnncourse.detectors.tensors import overlaps


class Plan(NamedTuple):
    """How regions are drawn.

    References
    ----------
    Girshick 2015, "Fast R-CNN", section 2.3, "Mini-batch sampling": 64 of an image, a quarter from an IoU of
    0.5 on, the others from 0.1 to 0.5, as examples that are hard to tell. Here images are small.
    """

    total: int = 32  # of an image
    share: float = 0.5  # of them with an object, at most
    positive: float = 0.5  # IoU from which on a region holds the object
    least: float = 0.0  # IoU that a region without an object has at least


class Sample(NamedTuple):
    """The regions drawn, and what each is to say."""

    rois: Rois
    labels: Tensor  # (R,) the class; the number of classes where there is no object
    boxes: Tensor  # (R, 4) of the object in pixels; zeros where there is none
    who: Tensor  # (R,) the place of the object among those of its image; -1 where there is none


def draw(mask: Tensor, most: Tensor) -> Tensor:
    """Return which of the places of each row where a mask is true are drawn, by chance.

    Parameters
    ----------
    mask : Tensor of bool, shape (N, P)
    most : Tensor of int, shape (N,)
        How many places of each row are drawn, or all there are.

    Returns
    -------
    Tensor of bool, shape (N, P)
    """
    lots = torch.where(mask, torch.rand(mask.shape), -1.0)
    value, place = lots.topk(min(int(most.max()), mask.shape[1]), dim=1)
    drawn = (value >= 0) & (torch.arange(value.shape[1]) < most[:, None])
    return torch.zeros_like(mask).scatter(1, place, drawn)


def sample_rois(
    proposals: list[Tensor], boxes: Tensor, labels: Tensor, classes: int, plan: Plan | None = None
) -> Sample:
    """Draw regions of each image, with an object and without.

    Parameters
    ----------
    proposals : boxes (P, 4) for each image
        The true boxes are added to them, so that every object is among those that can be drawn.
    boxes, labels : Tensor, shapes (N, K, 4) and (N, K)
        A label of -1 says that there is no object.
    classes : how many
    plan : by default ``Plan()``

    Returns
    -------
    Sample
        Image by image.
    """
    plan = plan or Plan()
    there = labels >= 0  # (N, K)
    truth = torch.where(there[..., None], boxes, 0.0)  # a box without area overlaps nothing
    count = torch.tensor([len(one) for one in proposals])
    found = pad_sequence(proposals, batch_first=True)  # (N, P, 4)
    real = torch.arange(found.shape[1]) < count[:, None]  # (N, P)
    regions, real = torch.cat([found, truth], dim=1), torch.cat([real, there], dim=1)
    best, who = overlaps(regions, truth).max(dim=2)  # (N, P + K)
    hit = draw(real & (best >= plan.positive), torch.full_like(count, int(plan.share * plan.total)))
    miss = draw(real & (best < plan.positive) & (best >= plan.least), plan.total - hit.sum(dim=1))
    image, place = (hit | miss).nonzero(as_tuple=True)
    hit, who = hit[image, place], who[image, place]  # (R,)
    label = torch.where(hit, labels[image, who], classes)
    goal = torch.where(hit[:, None], truth[image, who], 0.0)
    return Sample(Rois(regions[image, place], image), label, goal, torch.where(hit, who, -1))
