"""PASCAL VOC's annotation files: read, and in the folders of a VOC year.

VOC's boxes count pixels from 1 and include both ends: xmin = 1, xmax = 10 are the first ten columns. Here
boxes are (x1, y1, x2, y2), half-open, from 0: these ten columns are x1 = 0, x2 = 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from cnncourse.data.annotated import AnnotatedImage, Masks
from cnncourse.data.images import read_index_image

CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable",
    "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip


class VocData(NamedTuple):
    """What a list of images of PASCAL VOC names."""

    classes: tuple[str, ...]
    images: tuple[AnnotatedImage, ...]


def read_voc(folder: str | Path, image_set: str = "trainval", classes: Sequence[str] = CLASSES) -> VocData:
    """Read a list of images with their annotations.

    Parameters
    ----------
    folder : str or Path
        Of one year: ``VOCdevkit/VOC2007``.
    image_set : str
        A file of its ``ImageSets/Main``, without the ending.
    classes : sequence of str
        Their names; labels are places in this list.

    Returns
    -------
    VocData

    Raises
    ------
    FileNotFoundError
        If the list, or an annotation that it names, is missing.
    ValueError
        In one line, with the file and the value, if something is not as the format says.

    References
    ----------
    Everingham et al. 2010, "The PASCAL VOC challenge"; the development kit's documentation, section 3.
    """
    root = Path(folder)
    listed = (root / "ImageSets" / "Main" / f"{image_set}.txt").read_text(encoding="utf-8")
    names = [line.split()[0] for line in listed.splitlines() if line.strip()]
    images = tuple(read_voc_xml(root / "Annotations" / f"{name}.xml", classes) for name in names)
    return VocData(tuple(classes), images)


def read_voc_xml(file: str | Path, classes: Sequence[str] = CLASSES) -> AnnotatedImage:
    """Read the annotation of one image.

    Parameters
    ----------
    file : str or Path
        In the folder ``Annotations``; the image lies beside that folder in ``JPEGImages``, and its masks, if
        there are any, in ``SegmentationObject``.
    classes : sequence of str

    Returns
    -------
    AnnotatedImage
        ``ignored`` are the objects marked as difficult.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_voc`.
    """
    path = Path(file)
    try:
        tree = ElementTree.fromstring(path.read_bytes())
    except ElementTree.ParseError as error:
        raise ValueError(f"{path}: no XML: {error}") from None
    try:
        width, height = (int(_number(tree, f"size/{side}")) for side in ("width", "height"))
        objects = [_read_object(node, classes) for node in tree.findall("object")]
        image = path.parent.parent / "JPEGImages" / _text(tree, "filename")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    masks = path.parent.parent / "SegmentationObject" / f"{path.stem}.png"
    return AnnotatedImage(
        image,
        height,
        width,
        np.array([one.box for one in objects], dtype=float).reshape(-1, 4),
        np.array([one.label for one in objects], dtype=np.int64),
        np.array([one.difficult for one in objects], dtype=bool),
        read_masks=partial(_masks, masks, len(objects)) if masks.exists() else None,
    )


class _Object(NamedTuple):
    box: tuple[float, float, float, float]
    label: int
    difficult: bool


def _read_object(node: ElementTree.Element, classes: Sequence[str]) -> _Object:
    name = _text(node, "name")
    if name not in classes:
        raise ValueError(f"object name (={name}) is none of the {len(classes)} classes")
    # A person's head and hands have boxes of their own further down: the box right below the object is meant.
    x1, y1, x2, y2 = (_number(node, f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax"))
    if x2 < x1 or y2 < y1:
        raise ValueError(f"{name}: bndbox (={[x1, y1, x2, y2]}) ends before it begins")
    difficult = node.find("difficult") is not None and _number(node, "difficult") == 1
    return _Object((x1 - 1, y1 - 1, x2, y2), list(classes).index(name), difficult)


def _text(node: ElementTree.Element, place: str) -> str:
    found = node.findtext(place)
    if found is None or not found.strip():
        raise ValueError(f"{node.tag} has no {place}")
    return found.strip()


def _number(node: ElementTree.Element, place: str) -> float:
    text = _text(node, place)
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{place} (={text}) is no number") from None


def _masks(file: Path, count: int) -> Masks:
    """Return the mask of each object: pixels of the file are the object's number, or 255 where it is open."""
    index = read_index_image(file)
    return np.asarray(index == np.arange(1, count + 1)[:, None, None])
