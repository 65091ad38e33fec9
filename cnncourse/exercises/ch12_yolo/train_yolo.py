"""Exercise: a detector of one's own learns to find shapes."""

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np

from cnncourse.boxes import batched_nms
from cnncourse.checking import Case, Exercise
from cnncourse.exercises.ch12_yolo import yolo_decode, yolo_encode, yolo_filter_boxes
from cnncourse.exercises.ch12_yolo._scenes import accept_mean_ap, scene_cases

# In the lab: the student's own functions, and suppression class by class, which is given there.
tools = SimpleNamespace(
    encode=yolo_encode.yolo_encode,
    decode=yolo_decode.yolo_decode,
    filter_boxes=yolo_filter_boxes.yolo_filter_boxes,
    nms=batched_nms,
)


def train_yolo(images, boxes, labels):
    """Train a small YOLO for at most 15 seconds.

    Parameters
    ----------
    images : array of float32, shape (N, 3, 32, 32)
    boxes : array, shape (N, K, 4)
        x1, y1, x2, y2 in pixels; zeros where there is no object.
    labels : array of int, shape (N, K)
        Classes, numbered from 0; -1 where there is no object.

    Returns
    -------
    model : of any kind
        Whatever `predict` needs.
    """
    import torch.nn.functional
    from torch import nn

    C, there = int(labels.max()) + 1, labels >= 0
    encoded = [
        tools.encode(box[own], label[own], (4, 4), (32, 32), C)
        for box, label, own in zip(boxes, labels, there, strict=True)
    ]
    targets = torch.tensor(np.array(encoded), dtype=torch.float32)  # (N, 4, 4, 5 + C)
    anchor = (boxes[there][:, 2:] - boxes[there][:, :2]).mean(axis=0)  # one for all
    pixels = torch.tensor(images)
    mean, spread = pixels.mean(), pixels.std()

    def block(i, o, stride=1):
        return nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU())

    network = nn.Sequential(  # 32 pixels a side become 16, 8, 8, 4, 4
        *(block(3, 16, 2), block(16, 32, 2), block(32, 64), nn.MaxPool2d(2), block(64, 64)),
        nn.Conv2d(64, 5 + C, 1),
    )
    batch, epochs = 32, 18
    steps = epochs * (len(images) // batch)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, steps)
    for step in range(steps):
        if step % (len(images) // batch) == 0:
            order = torch.randperm(len(images))
        part, order = order[:batch], order[batch:]
        x, y = (pixels[part] - mean) / spread, targets[part].clone()
        for axis in (0, 1):  # mirror half of the batches left to right, and upside down
            if torch.rand(()) < 0.5:
                x, y = x.flip(3 - axis), y.flip(2 - axis)
                y[..., axis] = y[..., 4] * (1 - y[..., axis])
        if torch.rand(()) < 0.5:  # over the diagonal
            x, y = x.transpose(2, 3), y.transpose(1, 2)[..., [1, 0, 3, 2, *range(4, 5 + C)]]
        said = network(x.contiguous(memory_format=torch.channels_last)).permute(0, 2, 3, 1)
        full = y[..., 4] == 1
        own, wanted = said[full], y[full]  # cells with an object
        sizes = torch.log(wanted[:, 2:4] * 32 / torch.tensor(anchor))
        loss = (
            5 * torch.sum((own[:, :2].sigmoid() - wanted[:, :2]) ** 2)
            + 2 * torch.sum((own[:, 2:4] - sizes) ** 2)
            + nn.functional.binary_cross_entropy_with_logits(said[..., 4], y[..., 4], reduction="sum")
            + nn.functional.cross_entropy(own[:, 5:], wanted[:, 5:], reduction="sum")
        )
        optimizer.zero_grad()
        (loss / batch).backward()
        optimizer.step()
        schedule.step()
    return network.eval(), mean, spread, anchor


def predict(model, images):
    """Return what is found in each image.

    Parameters
    ----------
    model
        What `train_yolo` has returned.
    images : array of float32, shape (N, 3, 32, 32)

    Returns
    -------
    list of N tuples (boxes, scores, labels)
        Arrays of shapes (M, 4), (M,) and (M,), in pixels, in any order.
    """
    import torch.nn.functional

    network, mean, spread, anchor = model
    with torch.no_grad():
        said = network((torch.tensor(images) - mean) / spread).permute(0, 2, 3, 1)[:, :, :, None]
        confidence, classes = said[..., 4].sigmoid().numpy(), said[..., 5:].softmax(dim=-1).numpy()
    found = []
    for numbers, sure, kinds in zip(said[..., :4].numpy(), confidence, classes, strict=True):
        boxes = tools.decode(numbers, anchor[None], 8)  # (4, 4, 1, 4)
        boxes, scores, labels = tools.filter_boxes(boxes, sure, kinds, 0.02)
        kept = tools.nms(boxes, scores, labels, 0.45)
        found.append((boxes[kept], scores[kept], labels[kept]))
    return found


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """One training, measured against three numbers."""
    asked = {
        "finds some shapes: mAP 0.3": 0.3,
        "finds half of them: mAP 0.5": 0.5,
        "finds most: mAP 0.7": 0.7,
    }
    return scene_cases(rng, asked)


exercise = Exercise(
    solution=train_yolo,
    companions=(predict,),
    cases=cases,
    points=3,
    way="training",
    accept=accept_mean_ap,
    draws=1,
    seconds=25.0,  # 15 are promised: a computer that grades a class has other work too
    forbids=("cnncourse.data.*", "torch.load", "torch.hub.*", "torchvision.*"),
    prompt="""\
Now everything is there: targets, a loss, boxes from numbers, a filter. Between them belongs a network. Make
one, and let it learn on small scenes: 500 images of 32 by 32 pixels, with one or two of five shapes each.

**By hand.** A layer with stride 2, or a pooling of 2, halves 32 pixels to 16. Three of them leave 32 / 2 / 2
/ 2 = 4 by 4 units, and each of them stands for a cell of 8 by 8 pixels. A last convolution of size 1 gives
every cell its `5 + C` numbers:

```
images        halved three times    1x1 convolution     said, as your targets lie
(N,3,32,32)   (N,64,4,4)            (N,5+C,4,4)         (N,4,4,5+C)
```

**Contract.**
- `train_yolo(images, boxes, labels)` returns a model: a network, a tuple, whatever you like. `predict(model,
  images)` returns a list with one `(boxes, scores, labels)` for each image.
- Build with torch, and with `tools.encode`, `tools.decode`, `tools.filter_boxes`, `tools.nms`, as in the
  cell above. No network that was trained before.
- The check draws scenes of its own and trains once, for at most 15 seconds on one thread. Then it looks at
  200 new scenes and computes the mean average precision at an IoU of 0.5 itself: for 0.3, 0.5 and 0.7 there
  is a point each. All scenes are mirrored, turned and recoloured alike, and classes are numbered as it
  pleases. All boxes with a score count, so let `predict` return weak ones, too (from 0.02 on).
""",
    hints=(
        "Before you train: send your targets of ten images through `predict`'s second half. Do the boxes "
        "come back? Then train on 32 images only, until the loss is nearly 0. If that fails, no time will "
        "help.",
        "The loss in torch is what `yolo_loss` says, with `B = 1`. It learns faster with what later versions "
        "changed: a sigmoid for x, y and confidence, `log` of the size against an anchor, cross-entropies "
        "for confidence and classes. Only cells with an object have a place, a size and a class to learn.",
        "Four blocks of convolution, batch norm and ReLU, with 16 to 64 channels; Adam with a rate of about "
        "0.005 that falls to 0; about 20 passes in batches of 32. Mirrored images (with mirrored targets) "
        "are new images for nothing, and they matter more than anything else.",
    ),
    remark="The course's own YOLO v1 is this with a larger network, and trains for minutes, not seconds.",
)
