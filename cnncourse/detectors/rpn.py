"""The region proposal network: a small convolution says at every cell which anchors hold an object."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, smooth_l1_loss

from cnncourse.anchors import NEGATIVE, POSITIVE, anchor_grid, assign_anchors, generate_anchors
from cnncourse.detectors.backbone import conv_block
from cnncourse.detectors.roi_sampling import draw
from cnncourse.detectors.ssd import decode, encode
from cnncourse.detectors.tensors import survivors

HIGH, LOW = 0.7, 0.3  # IoU from which an anchor is positive, below which it is negative
COUNT = 64  # anchors of an image that count, at most half of them positive; 256 in the paper
BALANCE = 4.0  # weight of the boxes
BETA = 1 / 9  # from where on smooth L1 grows linearly
RARE = -3.0  # first bias of a score: most anchors hold no object
LEAST = 3.0  # pixels: a side of a proposal, at least
DOUBLE = 0.7  # IoU above which of two proposals one goes


class RPN(nn.Module):
    """A 3x3 convolution, and after it two 1x1 ones: A scores and 4 A deltas at every cell.

    A score is a logit for "object"; the paper has two numbers and a softmax instead, which is the same
    distribution with one number too many, so its outputs are 2 A and 4 A.

    Parameters
    ----------
    channels : of the map
    rows : as many as columns
    stride : pixels of a cell
    scales, ratios : of the anchors, see `cnncourse.anchors.generate_anchors`

    References
    ----------
    Ren et al. 2015, "Faster R-CNN", sections 3.1 and 3.1.3.
    """

    anchors: Tensor  # (rows * columns * A, 4)

    def __init__(
        self, channels: int, rows: int, stride: int, scales: Sequence[float], ratios: Sequence[float]
    ) -> None:
        super().__init__()
        shapes = generate_anchors(scales, ratios)  # (A, 4)
        anchors = anchor_grid(shapes, rows, rows, stride).reshape(-1, 4)
        self.register_buffer("anchors", torch.from_numpy(anchors).float(), persistent=False)
        self.size = rows * stride
        self.hidden = conv_block(channels, channels)
        self.scores = nn.Conv2d(channels, len(shapes), 1)
        self.deltas = nn.Conv2d(channels, 4 * len(shapes), 1)
        for layer, bias in ((self.scores, RARE), (self.deltas, 0.0)):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.constant_(layer.bias, bias)  # type: ignore[arg-type]

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, anchors) and deltas (N, anchors, 4), in the order of `anchors`."""
        hidden = self.hidden(maps)
        scores = self.scores(hidden).permute(0, 2, 3, 1).flatten(1)
        return scores, self.deltas(hidden).permute(0, 2, 3, 1).reshape(len(maps), -1, 4)

    def loss(self, scores: Tensor, deltas: Tensor, boxes: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of the anchors drawn, plus smooth L1 of the positive ones' deltas; over all drawn.

        Parameters
        ----------
        scores, deltas : as `forward` returns them
        boxes, labels : Tensor, shapes (N, K, 4) and (N, K)
            Pixels, and -1 where there is no object. Which class an object has does not matter.
        """
        image, anchor, goal = self.targets(boxes, labels)
        there = goal[:, 2] > goal[:, 0]  # positive: there is a box to become
        wrong = binary_cross_entropy_with_logits(scores[image, anchor], there.float(), reduction="sum")
        image, anchor, goal = image[there], anchor[there], goal[there]
        wanted = encode(goal, self.anchors[anchor])
        moved = smooth_l1_loss(deltas[image, anchor], wanted, beta=BETA, reduction="sum")
        return (wrong + BALANCE * moved) / max(len(there), 1)

    def targets(self, boxes: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Draw the anchors that count, at most `COUNT` of an image and half of them positive.

        Anchors that are neither positive nor negative are left out.

        Returns
        -------
        image, anchor, goal : Tensor, shapes (S,), (S,) and (S, 4)
            The box that a positive anchor is to become; zeros for a negative one.
        """
        states, goals = [], []
        for truth, label in zip(boxes, labels, strict=True):
            known = torch.cat([truth[label >= 0], truth.new_zeros(1, 4)])  # the last: for a match of -1
            found = assign_anchors(self.anchors.numpy(), known[:-1].numpy(), HIGH, LOW)
            states.append(torch.from_numpy(found.label))
            goals.append(known[torch.from_numpy(found.match)])
        state, goal = torch.stack(states), torch.stack(goals)  # (N, anchors), (N, anchors, 4)
        hit = draw(state == POSITIVE, torch.full((len(state),), COUNT // 2))
        miss = draw(state == NEGATIVE, COUNT - hit.sum(dim=1))
        image, anchor = (hit | miss).nonzero(as_tuple=True)
        return image, anchor, torch.where(hit[image, anchor, None], goal[image, anchor], 0.0)

    @torch.no_grad()
    def proposals(self, scores: Tensor, deltas: Tensor, before: int, after: int) -> list[Tensor]:
        """Return the best boxes of each image, cut at its border, without tiny ones and without doubles.

        Parameters
        ----------
        scores, deltas : as `forward` returns them
        before, after : how many boxes of an image go into non-maximum suppression, and come out, at most
            (out come 2,000 in the paper's training, and 300 at its test)

        Returns
        -------
        list of Tensor, shapes (P, 4)
            In pixels, the best first.
        """
        place = scores.topk(min(before, scores.shape[1]), dim=1).indices
        chosen = deltas.gather(1, place[..., None].expand(-1, -1, 4))
        boxes = decode(chosen, self.anchors[place]).clamp(0, self.size)  # (N, before, 4)
        large = (boxes[..., 2:] - boxes[..., :2]).amin(dim=2) >= LEAST
        kept = survivors(boxes, large, DOUBLE)
        return [one[own][:after] for one, own in zip(boxes, kept, strict=True)]
