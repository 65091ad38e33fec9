"""Images on disk, with Pillow, as arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def read_image(path: str | Path) -> NDArray[np.uint8]:
    """Return an image file as an array of colours.

    Parameters
    ----------
    path : str or Path
        JPEG, PNG or whatever else Pillow reads; grey images become colour ones.

    Returns
    -------
    ndarray, shape (3, H, W), uint8

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no image.
    """
    return np.ascontiguousarray(np.moveaxis(_pixels(path, "RGB"), -1, 0))


def read_index_image(path: str | Path) -> NDArray[np.uint8]:
    """Return an image of palette indices as it is stored, shape (H, W): PASCAL VOC's masks are such images.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_image`.
    """
    return _pixels(path, None)


def write_image(path: str | Path, image: NDArray[np.uint8]) -> None:
    """Write an image to a PNG or JPEG file.

    Parameters
    ----------
    path : str or Path
        Its ending decides the format; its folder is made. PNG keeps every pixel, JPEG does not.
    image : ndarray, shape (3, H, W) or (H, W), uint8
        Colours, or indices of PASCAL VOC's palette.
    """
    from PIL import Image

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    if image.ndim == 3:
        Image.fromarray(np.moveaxis(image, 0, -1)).save(path, quality=95, subsampling=0)
        return
    picture = Image.fromarray(image)
    picture.putpalette(voc_palette().ravel().tolist())
    picture.save(path)


def voc_palette() -> NDArray[np.uint8]:
    """Return PASCAL VOC's 256 colours, shape (256, 3): the index's bits, spread over red, green and blue.

    Examples
    --------
    >>> voc_palette()[[0, 1, 2, 3, 255]].tolist()
    [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [224, 224, 192]]
    """
    index = np.arange(256)[:, None]
    channel = np.arange(3)
    colours = sum(((index >> (3 * bit + channel)) & 1) << (7 - bit) for bit in range(3))
    return np.asarray(colours, dtype=np.uint8)


def _pixels(path: str | Path, mode: str | None) -> NDArray[np.uint8]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return np.array(picture.convert(mode) if mode else picture, dtype=np.uint8)
    except UnidentifiedImageError:
        raise ValueError(f"{path}: no image that Pillow can read") from None
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"{path}: {error}") from None
