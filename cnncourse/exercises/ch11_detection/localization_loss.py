"""Exercise: the loss of a network that says whether there is an object, where, and of which class."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnncourse.checking import Case, Exercise


def localization_loss(prediction, target):
    """Return the loss of classification with localization: only what there is to learn counts.

    Parameters
    ----------
    prediction : array, shape (N, 5 + K)
        For each image: how sure the network is of an object, four numbers of its box, K class scores.
    target : array, shape (N, 5 + K)
        1 or 0: there is an object, or there is none; its box; 1 for its class and 0 for the others. Where
        there is none, the other numbers say nothing, whatever they are.

    Returns
    -------
    float
        The mean over the images of the sum of the squared differences that count.
    """
    squares = (prediction - target) ** 2  # (N, 5 + K)
    there = target[:, 0] == 1  # (N,)
    each = np.where(there, squares.sum(axis=1), squares[:, 0])  # (N,)
    return float(each.mean())


def _images(rng: np.random.Generator, present: str, classes: int, leftovers: float = 2.0) -> dict[str, Any]:
    """Return what a network says, and what is true, of images with (1) and without (0) an object."""
    there = np.array([letter == "1" for letter in present])
    target = np.zeros((len(there), 5 + classes))
    target[:, 0] = there
    target[:, 1:5] = rng.uniform(0.1, 0.9, (len(there), 4))
    target[np.arange(len(there)), 5 + rng.integers(0, classes, len(there))] = 1
    target[~there, 1:] = rng.normal(0, leftovers, (int((~there).sum()), 4 + classes))
    prediction = rng.uniform(0.05, 0.95, target.shape) * (1, 1, 1, 1, 1, *([1.5] * classes))
    prediction[:, 0] = rng.permutation(np.linspace(0.1, 0.9, len(there)) if len(there) > 1 else [0.3])
    return {"prediction": prediction, "target": target}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """An object, none, and both in one batch; one class and many; what says nothing may be anything."""
    yield Case("one image with an object, three classes", _images(rng, "1", 3), "objects")
    yield Case("three images with an object, two classes", _images(rng, "111", 2), "objects")
    yield Case("four images with an object, one class", _images(rng, "1111", 1), "objects")
    yield Case("two images with an object, seven classes", _images(rng, "11", 7), "objects")
    whole = {name: np.round(2 * array).astype(int) for name, array in _images(rng, "11", 3).items()}
    whole["target"][:, 0] = 1
    yield Case("whole numbers", whole, "objects")
    yield Case("one image without an object", _images(rng, "0", 3), "nothing there")
    yield Case("three images without an object", _images(rng, "000", 2), "nothing there")
    yield Case("an object, then none", _images(rng, "10", 3), "nothing there")
    yield Case("six images, two with an object", _images(rng, "010010", 4), "nothing there")
    yield Case("five images, and zeros where nothing is", _images(rng, "11010", 3, 0), "nothing there")
    yield Case("huge numbers where nothing is", _images(rng, "0110", 5, 1000), "nothing there")


exercise = Exercise(
    solution=localization_loss,
    cases=cases,
    points=2,
    prompt="""\
Before many objects, one. A network looks at a picture and answers with a row of numbers: is there an object,
where is it, what is it? For three classes that are eight numbers:

```
sure   x1  y1  x2  y2   disc  square  triangle
```

If there is an object, all of them should be right. If there is none, what should the box be? There is no
right answer, so there must be no wrong one: whatever the network says there costs nothing. Only its "sure"
counts.

**By hand.** Two pictures, one class. In the second there is nothing; what its target holds behind the 0 was
left over from somewhere:

```
prediction   0.8   0.1 0.2 0.6 0.5   0.9         target   1   0.1 0.3 0.6 0.7   1
             0.4   0.3 0.3 0.9 0.9   0.7                  0   5   5   5   5     1

first        0.04 + 0 + 0.01 + 0 + 0.04 + 0.01 = 0.10
second       0.16
loss         (0.10 + 0.16) / 2 = 0.13
```

**Contract.**
- Number 0 of a row is presence, numbers 1 to 4 are the box, all others are the classes. There may be one
  class or many.
- An image with an object (target 1) adds the squared differences of *all* its numbers; an image without
  (target 0) adds that of number 0 alone.
- The loss is the mean over all images, a float.
""",
    hints=(
        "Which numbers of the prediction could change without changing the loss? Mark them in the example.",
        "Who says whether there is an object, the network or the truth? And what may stand in the target "
        "where there is none?",
        "Square all differences first, `(N, 5 + K)`. Each image then adds either the sum of its row or the "
        "first number of it. A loop with an `if` will do, and so will a choice between two arrays `(N,)`.",
    ),
    remark="Most detectors since weigh these terms and take logistic losses for presence and class; what "
    "counts where nothing is has stayed.",
)


def _answer(
    there: Any = lambda prediction, target: target[:, :1] == 1,
    cost: Any = np.square,
    counts: Any = lambda there, columns: np.where(np.arange(columns) == 0, True, there),
    add: Any = lambda costs, there: costs.sum(axis=1).mean(),
) -> Any:
    """Return the right answer with one thing disturbed."""

    def answer(prediction, target):
        present = there(prediction, target)  # (N, 1)
        counted = counts(present, target.shape[1])  # (N, 5 + K)
        return float(add(np.where(counted, cost(prediction - target), 0), present))

    return answer


def _first(columns: int) -> Any:
    """Return what counts if a row ended after some columns."""
    return lambda there, width: np.where(np.arange(width) == 0, True, there) & (np.arange(width) < columns)


def _by_objects(costs, there):
    return costs[:, 0].mean() + costs[:, 1:].sum() / max(there.sum(), 1)


def _towards_zero(prediction, target):
    return float(np.square(prediction - target * (target[:, :1] == 1)).sum(axis=1).mean())


def _mean_of_a_row(prediction, target):
    squares = np.square(prediction - target)
    return float(np.where(target[:, 0] == 1, squares.mean(axis=1), squares[:, 0]).mean())


for _name, _wrong, _hint in (
    (
        "everything_counts",
        _answer(counts=lambda there, columns: np.ones((len(there), columns), dtype=bool)),
        """Box and classes count in every image. Where there is no object they cannot be right or wrong: only
        number 0 counts there.""",
    ),
    (
        "nothing_there_costs_nothing",
        _answer(counts=lambda there, columns: np.repeat(there, columns, axis=1)),
        """An image without an object adds nothing at all. Then a network that always sees something pays
        nothing for it: number 0 counts in every image.""",
    ),
    (
        "compared_with_zeros",
        _towards_zero,
        """Where there is no object the target's other numbers are set to 0, and the network pays for all that
        it says there. What it says there costs nothing: only number 0 counts.""",
    ),
    (
        "classes_count_always",
        _answer(counts=lambda there, columns: np.isin(np.arange(columns), range(1, 5), invert=True) | there),
        """The box counts only where there is an object, and the classes count everywhere. Where nothing is
        there is no class to learn: only number 0 counts there.""",
    ),
    (
        "presence_only_where_nothing_is",
        _answer(counts=lambda there, columns: there ^ (np.arange(columns) == 0)),
        """Where there is an object number 0 does not count. It has to be right in every image.""",
    ),
    (
        "presence_left_out",
        _answer(counts=lambda there, columns: there & (np.arange(columns) > 0)),
        """Number 0, presence, never counts. It is what the network has to learn in every image.""",
    ),
    (
        "the_prediction_decides",
        _answer(there=lambda prediction, target: prediction[:, :1] > 0.5),
        """Whether box and classes count depends on what the network says. The truth decides: `target` knows
        whether there is an object.""",
    ),
    (
        "mean_of_all_numbers",
        _answer(add=lambda costs, there: costs.mean()),
        """The squares are averaged over all numbers. They are added up within an image; the mean is over the
        images only.""",
    ),
    (
        "mean_within_an_image",
        _mean_of_a_row,
        """Where there is an object the squares are averaged over the numbers of its row. They are added up
        within an image; the mean is over the images only.""",
    ),
    (
        "sum_over_the_images",
        _answer(add=lambda costs, there: costs.sum()),
        """The images are added up. The loss is their mean, so that it does not grow with the batch.""",
    ),
    (
        "box_over_the_objects",
        _answer(add=_by_objects),
        """Box and classes are divided by the number of objects, presence by the number of images. That is a
        sensible loss too; here all of it is divided by the number of images.""",
    ),
    (
        "images_with_objects_only",
        _answer(add=lambda costs, there: costs.sum() / max(there.sum(), 1)),
        """The sum is divided by the number of images with an object. The mean is over all images.""",
    ),
    (
        "not_squared",
        _answer(cost=np.abs),
        """The differences lose their sign and are added. They are squared here, so that a large mistake
        counts more than many small ones.""",
    ),
    (
        "root",
        _answer(add=lambda costs, there: np.sqrt(costs.sum(axis=1)).mean()),
        """The root of each sum is taken: that is a distance. Here the squares themselves are added up.""",
    ),
    (
        "half",
        _answer(add=lambda costs, there: costs.sum(axis=1).mean() / 2),
        """Everything is half as large: a factor 1/2, as some texts have it. This loss has none.""",
    ),
    (
        "classes_left_out",
        _answer(counts=_first(5)),
        """The class scores never count. They begin behind the box, at number 5.""",
    ),
    (
        "box_left_out",
        _answer(
            counts=lambda there, columns: (
                np.where(np.arange(columns) == 0, True, there)
                & ((np.arange(columns) < 1) | (np.arange(columns) > 4))
            ),
        ),
        """The four numbers of the box never count. Where there is an object, they have to be right, too.""",
    ),
    (
        "three_classes_only",
        _answer(counts=_first(8)),
        """Rows are cut off after eight numbers, which fits three classes. There may be more.""",
    ),
):
    _wrong.__name__ = f"_{_name}"
    exercise.misconception(_hint)(_wrong)
