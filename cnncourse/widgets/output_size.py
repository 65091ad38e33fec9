"""One axis of an image: where the windows fall, which numbers none of them reads, what padding adds."""

from __future__ import annotations

import traitlets

from cnncourse.shapes import conv_output_size
from cnncourse.widgets.explorer import Explorer, Whole


class OutputSizeExplorer(Explorer):
    """Lay windows along one axis and count them.

    Parameters
    ----------
    size, kernel_size, stride, padding, dilation : int
        In pixels, along one axis.
    selected : int
        The window that is shown; the last one where there are fewer.

    Examples
    --------
    >>> explorer = OutputSizeExplorer(size=6, kernel_size=3, stride=2)
    >>> explorer.output_size, explorer.windows, explorer.never_read
    (2, [[0, 1, 2], [2, 3, 4]], [5])
    """

    module = "output_size.js"
    height = (556, 697)
    shows = (
        "A row of pixels with its padding, below it one bar for each window that fits, and a dashed one for "
        "the first that does not. Numbers that no window reads are crossed out. Size, kernel size, stride, "
        "padding and dilation can be changed; the formula for the output size stands below with its numbers."
    )
    question = traitlets.Unicode(
        "Choose padding 1. At which sizes does the floor drop a number, and is it a pixel or a zero?"
    ).tag(sync=True)
    size = Whole(6, 1, 16)
    kernel_size = Whole(3, 1, 7)
    stride = Whole(2, 1, 5)
    padding = Whole(0, 0, 4)
    dilation = Whole(1, 1, 4)
    selected = Whole(0, 0, 23)

    @property
    def output_size(self) -> int:
        """How many windows fit.

        Raises
        ------
        ValueError
            If none does.
        """
        return conv_output_size(self.size, self.kernel_size, self.stride, self.padding, self.dilation)

    @property
    def windows(self) -> list[list[int]]:
        """The positions that each window reads; those below 0, or from `size` on, are padding."""
        starts = [i * self.stride - self.padding for i in range(self.output_size)]
        return [[start + i * self.dilation for i in range(self.kernel_size)] for start in starts]

    @property
    def never_read(self) -> list[int]:
        """The positions that no window reads, padding included."""
        read = {position for window in self.windows for position in window}
        return [i for i in range(-self.padding, self.size + self.padding) if i not in read]
