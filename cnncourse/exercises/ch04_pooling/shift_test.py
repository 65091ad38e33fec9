"""Exercise: how far a layer is from equivariant and from invariant."""

from collections.abc import Iterator

import numpy as np

from cnncourse.checking import Case, Exercise


def shift_test(features, features_of_shifted, shift):
    """Measure what became of features when the image moved.

    Parameters
    ----------
    features : array, shape (N, C, H, W)
        The maps of the image.
    features_of_shifted : array, shape (N, C, H, W)
        The maps of the moved image.
    shift : pair of int
        By how many rows down and columns right an equivariant map would have moved; negative is up and left.

    Returns
    -------
    dict of
        "equivariance": 0.0 if the maps have moved along, where both can be compared
        "invariance": 0.0 if the maps are still the same
        Each is the length of the difference, divided by the length of what `features` says it should be.
    """
    H, W = features.shape[2:]
    down, right = shift
    stays = features[:, :, max(-down, 0) : H - max(down, 0), max(-right, 0) : W - max(right, 0)]
    lands = features_of_shifted[:, :, max(down, 0) : H + min(down, 0), max(right, 0) : W + min(right, 0)]
    return {
        "equivariance": float(np.sqrt(((lands - stays) ** 2).sum() / (stays**2).sum())),
        "invariance": float(np.sqrt(((features_of_shifted - features) ** 2).sum() / (features**2).sum())),
    }


PARTS = ("equivariance", "invariance")


def _moved(rng, features, down, right):
    """The maps moved, with other numbers coming in."""
    out = rng.normal(size=features.shape)
    H, W = features.shape[2:]
    out[:, :, max(down, 0) : H + min(down, 0), max(right, 0) : W + min(right, 0)] = features[
        :, :, max(-down, 0) : H - max(down, 0), max(-right, 0) : W - max(right, 0)
    ]
    return out


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Moved along, unchanged, neither; down, up, right, left and not at all; a batch, whole numbers."""
    small, wide, batch = (rng.normal(size=size) for size in ((1, 1, 4, 5), (1, 2, 3, 6), (2, 3, 5, 4)))
    whole = rng.integers(1, 9, (1, 2, 4, 4))
    tried = [
        ("moved down by one, and along", small, _moved(rng, small, 1, 0), (1, 0)),
        ("moved right by two, and nothing changed", wide, wide.copy(), (0, 2)),
        ("moved down and right, and something changed", batch, rng.normal(size=batch.shape), (1, 2)),
        ("moved up and left, and along", batch, _moved(rng, batch, -2, -1), (-2, -1)),
        ("moved up and right, twice as strong", wide, 2 * _moved(rng, wide, -1, 2), (-1, 2)),
        ("moved left by three, and something changed", wide, wide + rng.normal(size=wide.shape), (0, -3)),
        ("not moved, and something changed", small, rng.normal(size=small.shape), (0, 0)),
        ("whole numbers, moved down by two", whole, rng.integers(1, 9, whole.shape), (2, 0)),
        ("very small numbers", 1e-4 * batch, 1e-4 * _moved(rng, batch, 1, -1) + 2e-5, (1, -1)),
    ]
    for part in PARTS:
        for why, before, after, shift in tried:
            arguments = {"features": before, "features_of_shifted": after, "shift": shift}
            yield Case(f'"{part}": {why}', arguments, part, part)


exercise = Exercise(
    solution=shift_test,
    cases=cases,
    points=1,
    prompt="""\
"Convolution is equivariant, pooling makes it invariant": how much of that is true can be measured. Compute
the maps of an image, move the image, compute them again. What would you expect the second maps to be?

- **Equivariance:** the first maps, moved. At one edge something comes in that nobody can know beforehand;
  compare only where a number of the first maps has landed.
- **Invariance:** the first maps, as they were. Compare everywhere.

**By hand.** One map of one row, moved right by one:

```
features                3 4 0 5
features_of_shifted     9 3 4 2

equivariance   3 4 0   should have landed as   3 4 0   and is   3 4 2
               difference 0 0 2, its length 2;  length of 3 4 0 is 5;  2 / 5 = 0.4
invariance     difference 6 -1 4 -3, its length sqrt(62);  length of 3 4 0 5 is sqrt(50);  1.114
```

The length of a list of numbers is the root of the sum of their squares, over all of `(N, C, H, W)` at once.

**Contract.** Return a dict with two floats, each the length of a difference divided by the length of what
`features` says it should be. `shift` is in pixels *of the maps*: behind a layer with stride 2, an image that
moved by 4 pixels should have moved them by 2. It may be negative or 0, and rows come first. What should be
there is never all 0. The two parts earn their points one by one.
""",
    hints=(
        "For the example above, write down which columns of `features` have landed, and in which columns of "
        "`features_of_shifted`. Do the same for a shift of -1, and of 0.",
        "Two blocks of the same shape are compared, one of each array. A shift of 0 must leave all rows in "
        "both: an end counted from the back, as in `[:-0]`, leaves none.",
        "Along one axis of size `H` with shift `s`, number `i` lands at `i + s`. Which `i` land between 0 "
        "and `H`? It is enough to find where they begin and where they end; the columns go the same way.",
    ),
    remark="A layer is equivariant or invariant to what it was tried on; two images are better than one.",
)


def _blocks(features, after, shift):
    """What has landed, of the first and of the second maps."""
    (H, W), (down, right) = features.shape[2:], shift
    stays = features[:, :, max(-down, 0) : H - max(down, 0), max(-right, 0) : W - max(right, 0)]
    lands = after[:, :, max(down, 0) : H + min(down, 0), max(right, 0) : W + min(right, 0)]
    return np.float64(stays), np.float64(lands)


def _relative(should, is_):
    return float(np.linalg.norm(np.float64(is_) - should) / np.linalg.norm(should))


def _both(features, after, shift, measure=_relative):
    return {
        "equivariance": measure(*_blocks(features, after, shift)),
        "invariance": measure(np.float64(features), after),
    }


@exercise.misconception(
    """The maps are moved round: what leaves at one edge comes in at the other, as `np.roll` does it. Compare
    only where a number of the first maps has landed."""
)
def _moved_round(features, features_of_shifted, shift):
    rolled = np.roll(features, shift, axis=(2, 3))
    return _both(features, features_of_shifted, shift) | {
        "equivariance": _relative(rolled, features_of_shifted)
    }


@exercise.misconception(
    """Zeros are expected where something new came in, and compared with what is there. Nobody can know it:
    compare only where a number of the first maps has landed."""
)
def _zeros_expected(features, features_of_shifted, shift):
    expected = np.zeros(features.shape)
    (H, W), (down, right) = features.shape[2:], shift
    expected[:, :, max(down, 0) : H + min(down, 0), max(right, 0) : W + min(right, 0)] = _blocks(
        features, features_of_shifted, shift
    )[0]
    return _both(features, features_of_shifted, shift) | {
        "equivariance": _relative(expected, features_of_shifted)
    }


@exercise.misconception(
    """The shift is used the other way round: a positive one moves down and to the right, so that number `i`
    lands at `i + shift`."""
)
def _other_direction(features, features_of_shifted, shift):
    moved = _both(features, features_of_shifted, (-shift[0], -shift[1]))
    return _both(features, features_of_shifted, shift) | {"equivariance": moved["equivariance"]}


@exercise.misconception("Rows and columns of the shift are exchanged: `shift` is (down, right).")
def _rows_and_columns_swapped(features, features_of_shifted, shift):
    return _both(features, features_of_shifted, shift[::-1])


@exercise.misconception("The two parts are exchanged: equivariance is about maps that moved along.")
def _parts_swapped(features, features_of_shifted, shift):
    found = _both(features, features_of_shifted, shift)
    return {"equivariance": found["invariance"], "invariance": found["equivariance"]}


@exercise.misconception(
    """The length of the difference is not divided by anything: maps with large numbers differ by more."""
)
def _not_relative(features, features_of_shifted, shift):
    return _both(
        features, features_of_shifted, shift, lambda should, is_: float(np.linalg.norm(is_ - should))
    )


@exercise.misconception(
    """The squares are divided, and the root is missing: the result is the square of what is asked for."""
)
def _root_missing(features, features_of_shifted, shift):
    return _both(features, features_of_shifted, shift, lambda should, is_: _relative(should, is_) ** 2)


@exercise.misconception(
    """Sums of absolute values are divided. The length of a list of numbers is the root of the sum of their
    squares."""
)
def _sums_of_absolute_values(features, features_of_shifted, shift):
    return _both(
        features,
        features_of_shifted,
        shift,
        lambda should, is_: float(np.abs(is_ - should).sum() / np.abs(should).sum()),
    )


@exercise.misconception(
    """The length of the difference is divided by that of `features_of_shifted`. Divide by the length of what
    should be there, which `features` says."""
)
def _divided_by_the_second(features, features_of_shifted, shift):
    return _both(
        features,
        features_of_shifted,
        shift,
        lambda should, is_: float(np.linalg.norm(is_ - should) / np.linalg.norm(is_)),
    )


@exercise.misconception(
    """The difference is the one where numbers have landed, but it is divided by the length of all of
    `features`. Divide by the length of those that have landed."""
)
def _divided_by_all(features, features_of_shifted, shift):
    stays, lands = _blocks(features, features_of_shifted, shift)
    found = float(np.linalg.norm(lands - stays) / np.linalg.norm(features))
    return _both(features, features_of_shifted, shift) | {"equivariance": found}


@exercise.misconception(
    """Invariance too is measured only where numbers have landed. It is about all of the maps: nothing should
    have changed anywhere."""
)
def _invariance_of_a_part(features, features_of_shifted, shift):
    (H, W), (down, right) = features.shape[2:], shift
    rows, columns = (
        slice(max(down, 0), H + min(down, 0)),
        slice(max(right, 0), W + min(right, 0)),
    )
    part = features[:, :, rows, columns], features_of_shifted[:, :, rows, columns]
    return _both(features, features_of_shifted, shift) | {"invariance": _relative(*part)}


@exercise.misconception(
    """Negative shifts are treated as if they were positive. A negative one moves up or to the left."""
)
def _sign_ignored(features, features_of_shifted, shift):
    return _both(features, features_of_shifted, (abs(shift[0]), abs(shift[1])))


@exercise.misconception("The largest difference is taken, divided by the largest number. Here it is lengths.")
def _largest_difference(features, features_of_shifted, shift):
    return _both(
        features,
        features_of_shifted,
        shift,
        lambda should, is_: float(np.abs(is_ - should).max() / np.abs(should).max()),
    )


@exercise.misconception(
    """The root of the mean of the squared differences is taken, and nothing is divided by the length of what
    should be there."""
)
def _root_mean_square(features, features_of_shifted, shift):
    return _both(
        features, features_of_shifted, shift, lambda should, is_: float(np.sqrt(np.mean((is_ - should) ** 2)))
    )


@exercise.misconception(
    """The mean of the absolute differences is taken, and nothing is divided by the length of what should be
    there."""
)
def _mean_absolute(features, features_of_shifted, shift):
    return _both(
        features, features_of_shifted, shift, lambda should, is_: float(np.mean(np.abs(is_ - should)))
    )


@exercise.misconception(
    """It is measured image by image, and the mean taken. The length of all differences, of all images at
    once, is divided by the length of all numbers."""
)
def _image_by_image(features, features_of_shifted, shift):
    def measure(should, is_):
        return float(np.mean([_relative(a, b) for a, b in zip(should, is_, strict=True)]))

    return _both(features, features_of_shifted, shift, measure)


@exercise.misconception(
    """The slices begin at `shift`, which is right where the maps moved down and right. For a negative shift
    it counts from the back, and two blocks of different sizes meet."""
)
def _positive_shifts_only(features, features_of_shifted, shift):
    (H, W), (down, right) = features.shape[2:], shift
    stays, lands = features[:, :, : H - down, : W - right], features_of_shifted[:, :, down:, right:]
    return {"equivariance": _relative(stays, lands), "invariance": _relative(features, features_of_shifted)}


@exercise.misconception(
    """The slices end at `-shift`, counted from the back, and with a shift of 0 that leaves nothing. Count
    the end from the start."""
)
def _end_counted_from_the_back(features, features_of_shifted, shift):
    down, right = shift
    stays, lands = features[:, :, :-down, :-right], features_of_shifted[:, :, down:, right:]
    return {"equivariance": _relative(stays, lands), "invariance": _relative(features, features_of_shifted)}


@exercise.misconception(
    """The mean of the squared differences is taken, and nothing is divided by the length of what should be
    there."""
)
def _mean_square(features, features_of_shifted, shift):
    return _both(
        features, features_of_shifted, shift, lambda should, is_: float(np.mean((is_ - should) ** 2))
    )
