"""One kernel over one image: every unit can be asked which numbers it was computed from."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import traitlets

from cnncourse.arrays import Array
from cnncourse.data.digits import digits
from cnncourse.data.photos import photo
from cnncourse.layers.conv import conv2d
from cnncourse.widgets.explorer import Explorer, Flag, Matrix, Position, Whole

WHITE = 16  # the digits' levels of grey; the photo has the same
SOBEL = [[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]]
DIGITS = {"digit 3": 3, "digit 0": 0, "digit 7": 7}  # name, place in the data


@cache
def pictures() -> list[tuple[str, list[list[float]]]]:
    """Return the images to choose from, with their names: rows of whole numbers from 0 to 16."""
    images, _ = digits()
    flower = photo("flower", height=13).mean(axis=0)[:, 4:16]  # (12, 12)
    arrays = {name: images[place, 0] for name, place in DIGITS.items()} | {"flower (photo)": flower}
    return [(name, np.rint(array * WHITE).tolist()) for name, array in arrays.items()]


class ConvExplorer(Explorer):
    """Slide a kernel over an image and see, for each unit, its window, the products and their sum.

    Parameters
    ----------
    image : matrix, shape (H, W), at most 16 by 16
    kernel : matrix, shape (K_h, K_w), at most 5 by 5
    stride, padding, dilation : int
        In pixels, the same for rows and columns.
    flipped : bool
        Turn the kernel by 180 degrees before it slides: convolution as mathematics defines it.
    selected : (row, column)
        The unit whose window is shown.
    drawing : bool
        Whether a press on the image draws.

    Examples
    --------
    >>> image = [[1, 2, 0, 3], [4, 1, 1, 0], [3, 0, 5, 1]]
    >>> explorer = ConvExplorer(image=image, kernel=[[1, -1], [2, 0]], padding=0)
    >>> explorer.output
    array([[ 7.,  4., -1.],
           [ 9.,  0., 11.]])
    """

    module = "conv.js"
    height = (662, 1378)
    shows = (
        "Left an image, in the middle a kernel of a few numbers, right the feature map that the kernel makes "
        "of the image. One chooses a unit of the map and sees its window in the image, each pixel times "
        "its weight, and the sum. Image, kernel, stride, padding and dilation can be changed, "
        "and the kernel can be flipped."
    )
    question = traitlets.Unicode(
        "Flip each of the kernels. For which ones does nothing change, and why?"
    ).tag(sync=True)
    image = Matrix([[0.0]], rows=(1, 16), columns=(1, 16))
    kernel = Matrix(SOBEL, rows=(1, 5), columns=(1, 5))
    stride = Whole(1, 1, 4)
    padding = Whole(1, 0, 3)
    dilation = Whole(1, 1, 3)
    flipped = Flag(False)
    selected = Position([3, 4])
    drawing = Flag(False)
    pictures: traitlets.List[Any] = traitlets.List().tag(sync=True)

    @traitlets.default("pictures")
    def _pictures(self) -> list[tuple[str, list[list[float]]]]:
        return pictures()

    @traitlets.default("image")
    def _image(self) -> Any:
        return self.pictures[0][1]

    @property
    def output(self) -> Array:
        """The feature map, shape (H_out, W_out), computed by the course's `conv2d`.

        Raises
        ------
        ValueError
            If no window fits.
        """
        weight = np.array(self.kernel, dtype=np.float64)  # (K_h, K_w)
        weight = dilate(weight[::-1, ::-1] if self.flipped else weight, self.dilation)
        image = np.array(self.image, dtype=np.float64)  # (H, W)
        batch, weights = image[None, None], weight[None, None]  # (1, 1, H, W), (1, 1, K_h, K_w)
        map_: Array = conv2d(batch, weights, stride=self.stride, padding=self.padding)[0, 0]  # (H_out, W_out)
        return map_


def dilate(kernel: Array, dilation: int) -> Array:
    """Return the kernel with zeros between its weights, as it lies on the image.

    Examples
    --------
    >>> dilate(np.array([[1.0, 2.0]]), 2)
    array([[1., 0., 2.]])
    """
    wide = np.zeros([dilation * (side - 1) + 1 for side in kernel.shape])
    wide[::dilation, ::dilation] = kernel
    return wide
