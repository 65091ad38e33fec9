"""Exercise: deal the channels out anew between two grouped layers."""

from collections.abc import Iterator

import numpy as np

from cnncourse.checking import Case, Exercise
from cnncourse.layers import shuffle


def channel_shuffle(x, groups):
    """Deal the channels out anew, so that each group hears from all groups.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    groups : int
        Divides C. The channels of a group stand side by side.

    Returns
    -------
    array, shape (N, C, H, W)
        First the first channel of each group, then the second of each, and so on.
    """
    N, C, H, W = x.shape
    by_group = x.reshape(N, groups, C // groups, H, W)  # (N, groups, C / groups, H, W)
    dealt = by_group.transpose(0, 2, 1, 3, 4)  # (N, C / groups, groups, H, W)
    return dealt.reshape(N, C, H, W)  # (N, C, H, W)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Groups of another size than their number, one group, groups of one, several images, whole numbers."""
    six = np.arange(6.0).reshape(1, 6, 1, 1)
    yield Case("channels 0 to 5, 2 groups", {"x": six, "groups": 2}, "one image")
    yield Case("8 channels, 4 groups", {"x": rng.normal(size=(1, 8, 2, 3)), "groups": 4}, "one image")
    yield Case("two images, 3 groups of 4", {"x": rng.normal(size=(2, 12, 3, 2)), "groups": 3}, "batch")
    yield Case("three images, 2 groups of 4", {"x": rng.normal(size=(3, 8, 2, 2)), "groups": 2}, "batch")
    yield Case("one group changes nothing", {"x": rng.normal(size=(2, 3, 2, 2)), "groups": 1}, "one image")
    whole = {"x": rng.integers(0, 9, (1, 10, 2, 1)), "groups": 5}
    yield Case("whole numbers, 5 groups of 2", whole, "one image")


exercise = Exercise(
    solution=channel_shuffle,
    reference=shuffle.channel_shuffle,
    cases=cases,
    points=1,
    forbids=("torch.nn.functional.channel_shuffle", "torch.channel_shuffle", "torch.nn.ChannelShuffle"),
    axes=("N", "C", "H", "W"),
    prompt="""\
Two grouped layers in a row are two networks side by side: what stands in group 0 never hears of group 1.
Deal the channels out like cards before the second layer, and every group of it gets something from each
group of the first.

**By hand.** Six channels, two groups:

```
before   0 1 2 | 3 4 5
after    0 3 1 | 4 2 5
```

**Contract.** `x` is `(N, C, H, W)` and `groups` divides `C`. First come the first channels of all groups,
in the order of the groups, then the second channels of all groups, and so on. Rows, columns and images
stay where they are. A view is as good as a copy.
""",
    hints=(
        "Write the numbers 0 to 11 in three rows of four, one row a group. In which direction do you read "
        "them to get the new order?",
        "One axis of C numbers can be read as two axes. Which of the two counts the groups, and which the "
        "channels of a group? Then those two have to change places.",
        "Three steps: from four axes to five, two of them exchanged, back to four. Say the shape after each "
        "step before you write it.",
    ),
    remark="It costs no parameter and no MAC. The way back is the same function with `C // groups` groups.",
)


@exercise.misconception(
    """This is the shuffle back: it takes every `groups`-th channel as one group. Before the shuffle, the
    channels of a group stand side by side, so the axis of the groups comes first."""
)
def _shuffled_back(x, groups):
    return shuffle.channel_shuffle(x, x.shape[1] // groups)


@exercise.misconception(
    """The channels come back in their old order: between cutting the axis in two and joining it again,
    the two parts have to change places."""
)
def _nothing_shuffled(x, groups):
    return 1 * x


@exercise.misconception(
    "The result has five axes: the channels are still cut in two. Join them again to `(N, C, H, W)`."
)
def _five_axes(x, groups):
    N, C, H, W = x.shape
    return x.reshape(N, groups, C // groups, H, W).swapaxes(1, 2)


@exercise.misconception(
    """Images of a batch get mixed: the batch was joined with the groups when the axes were cut. The first
    axis stays as it is, in every step."""
)
def _images_mixed(x, groups):
    return x.reshape(groups, -1, *x.shape[2:]).swapaxes(0, 1).reshape(x.shape)


@exercise.misconception(
    """The groups have changed their order and stayed whole. Each new group needs a channel from every old
    one."""
)
def _groups_reversed(x, groups):
    N, C, H, W = x.shape
    return x.reshape(N, groups, C // groups, H, W)[:, ::-1].reshape(x.shape)


@exercise.misconception(
    """The channels were moved on by one group: each group is still whole, only elsewhere. Each new group
    needs a channel from every old one."""
)
def _groups_rolled(x, groups):
    return np.roll(x, x.shape[1] // groups, axis=1)


@exercise.misconception(
    """The order is reversed inside each group, and no channel has left its group. Each new group needs a
    channel from every old one."""
)
def _reversed_in_the_groups(x, groups):
    N, C, H, W = x.shape
    return x.reshape(N, groups, C // groups, H, W)[:, :, ::-1].reshape(x.shape)


@exercise.misconception(
    """The axes are in the right order for a moment, but the numbers were cut anew: rows and columns have
    moved too. Only the two parts of the channel axis change places."""
)
def _pixels_scrambled(x, groups):
    N, C, H, W = x.shape
    return x.reshape(N, groups, C // groups, H, W).transpose(0, 2, 3, 4, 1).reshape(x.shape)


@exercise.misconception("All channels are in reverse order, and neighbours are still neighbours.")
def _all_reversed(x, groups):
    return x[:, ::-1]


@exercise.misconception("Only the first image of the batch comes back. The first axis counts images.")
def _first_image_only(x, groups):
    return shuffle.channel_shuffle(x[:1], groups)
