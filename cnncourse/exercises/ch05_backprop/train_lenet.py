"""Exercise: a LeNet of one's own layers learns to read digits."""

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.checking.training import accept_accuracy, training_case
from cnncourse.data.digits import digits
from cnncourse.layers import activation, conv, loss, pool
from cnncourse.layers import linear as dense

# In the lab: forward functions that are given there, and the student's own backward functions.
layers = SimpleNamespace(
    conv2d=conv.conv2d,
    conv2d_backward=conv.conv2d_backward,
    relu=activation.relu,
    relu_backward=activation.relu_backward,
    max_pool2d=pool.max_pool2d,
    max_pool2d_backward=pool.max_pool2d_backward,
    linear=dense.linear,
    linear_backward=dense.linear_backward,
    cross_entropy_backward=loss.cross_entropy_backward,
)


def train_lenet(images, labels):
    """Train a small LeNet by gradient descent on batches.

    Parameters
    ----------
    images : array, shape (N, 1, 8, 8)
    labels : array of int, shape (N,)
        Classes, numbered from 0.

    Returns
    -------
    model : of any kind
        Whatever `predict` needs.
    """
    draw = np.random.default_rng(7)
    shapes = [(8, 1, 3, 3), (16, 8, 3, 3), (labels.max() + 1, 64)]
    weights = [draw.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape) for shape in shapes]
    model = [parameter for weight in weights for parameter in (weight, np.zeros(len(weight)))]
    speeds = [np.zeros(parameter.shape) for parameter in model]
    mean = images.mean()
    for _ in range(max(8, 5000 // len(images))):
        order = draw.permutation(len(images))
        for start in range(0, len(order), 32):
            part = order[start : start + 32]
            x = images[part] - mean  # (N, 1, 8, 8)
            a = layers.conv2d(x, model[0], model[1], padding=1)  # (N, 8, 8, 8)
            b = layers.max_pool2d(layers.relu(a), (2, 2), 2)  # (N, 8, 4, 4)
            c = layers.conv2d(b, model[2], model[3], padding=1)  # (N, 16, 4, 4)
            d = layers.max_pool2d(layers.relu(c), (2, 2), 2)  # (N, 16, 2, 2)
            flat = d.reshape(len(d), -1)  # (N, 64)
            scores = layers.linear(flat, model[4], model[5])  # (N, classes)
            grad = layers.cross_entropy_backward(scores, labels[part])  # (N, classes)
            grad, *last = layers.linear_backward(grad, flat, model[4])  # (N, 64)
            grad = layers.max_pool2d_backward(grad.reshape(d.shape), layers.relu(c), (2, 2), 2)
            grad = layers.relu_backward(grad, c)  # (N, 16, 4, 4)
            grad, *second = layers.conv2d_backward(grad, b, model[2], padding=1)  # (N, 8, 4, 4)
            grad = layers.max_pool2d_backward(grad, layers.relu(a), (2, 2), 2)
            grad = layers.relu_backward(grad, a)  # (N, 8, 8, 8)
            _, *first = layers.conv2d_backward(grad, x, model[0], padding=1)
            for i, gradient in enumerate((*first, *second, *last)):
                speeds[i] = 0.9 * speeds[i] - 0.05 * gradient
                model[i] = model[i] + speeds[i]
    return mean, model


def predict(model, images):
    """Return the scores of each image for each class.

    Parameters
    ----------
    model
        What `train_lenet` has returned.
    images : array, shape (N, 1, 8, 8)

    Returns
    -------
    array, shape (N, classes)
        Scores before the softmax; or the class numbers themselves, shape (N,).
    """
    mean, (kernels_1, bias_1, kernels_2, bias_2, weight, bias) = model
    maps = layers.relu(layers.conv2d(images - mean, kernels_1, bias_1, padding=1))  # (N, 8, 8, 8)
    maps = layers.max_pool2d(maps, (2, 2), 2)  # (N, 8, 4, 4)
    maps = layers.relu(layers.conv2d(maps, kernels_2, bias_2, padding=1))  # (N, 16, 4, 4)
    maps = layers.max_pool2d(maps, (2, 2), 2)  # (N, 16, 2, 2)
    return layers.linear(maps.reshape(len(maps), -1), weight, bias)  # (N, classes)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Three classes from few images, then all ten, from few and from many."""
    images, labels = digits()
    few = rng.permutation(np.flatnonzero(np.isin(labels, rng.choice(10, 3, replace=False))))
    every = rng.permutation(len(labels))
    for why, chosen, number, accuracy in (
        ("tells 3 digits apart, from 90 images", few, 90, 0.85),
        ("reads all ten digits, from 400 images", every, 400, 0.75),
        ("reads all ten digits, from 1000 images", every, 1000, 0.9),
    ):
        train, test = chosen[:number], chosen[number : number + 400]
        data = images[train], labels[train], images[test], labels[test]
        yield training_case(why, data, rng, accuracy, group=why)


exercise = Exercise(
    solution=train_lenet,
    companions=(predict,),
    cases=cases,
    points=3,
    way="training",
    accept=accept_accuracy,
    draws=1,
    seconds=8.0,  # 5 are promised: a computer that grades a class has other work too
    forbids=("torch.*", "sklearn.*", "cnncourse.data.*"),
    prompt="""\
Now everything is there: layers that compute, and gradients for all of them. Put them into a network and let
it learn. It is a small LeNet: twice convolution, ReLU and pooling, then one dense layer.

**By hand.** One step of gradient descent with the learning rate 0.1, for one weight: it is 0.5 and its
gradient is 2. Growing by a little would make the loss grow by twice as much, so it shrinks, by 0.1 * 2: it
becomes 0.3.

```
images      conv      ReLU, pool    conv       ReLU, pool    reshape    dense
(N,1,8,8)   (N,8,8,8) (N,8,4,4)     (N,16,4,4) (N,16,2,2)    (N,64)     (N,classes)
```

**Contract.**
- `train_lenet(images, labels)` returns a model: a list of arrays, a dict, whatever you like. `predict(model,
  images)` returns the scores of every image for every class, or the class numbers.
- Functions to build with: `layers.conv2d`, `layers.conv2d_backward` and so on, as in the cell above. Where
  your backward functions are right, `layers` calls the package's fast ones in their place.
- The check trains on digits of its own, three times: 3 classes from 90 images, 10 classes from 400 and from
  1000, each at most 5 seconds. New digits must be read with an accuracy of 85 %, 75 % and 90 %. They are
  turned or mirrored, darker or brighter, all alike, and their classes are numbered from 0 as it pleases.
""",
    hints=(
        "Write the forward pass first and print the shape after every step. Keep what the backward pass will "
        "ask for: what went into each layer. Start weights small and random, with a standard deviation of "
        "about `sqrt(2 / inputs of a unit)`; biases at 0.",
        "The backward pass is the forward pass read from the end: each layer's backward function takes the "
        "gradient that the one behind it returned, and what went into that layer. Before you train, try to "
        "drive the loss of 20 images to almost 0. If that fails, a gradient is wrong.",
        "One loop over epochs, one over batches of about 32 images in a new random order: forward, backward, "
        "then every parameter takes a step against its gradient. A learning rate of 0.05 to 0.1 learns; with "
        "momentum 0.9 (a running sum of steps) about 10 epochs are enough for 1000 images.",
    ),
    remark="Change the layers and it learns something else; this loop stays to the end of the course.",
)
