"""COCO's annotation files: read, and synthetic scenes written as such.

COCO says x, y, width, height, with the first pixel at 0; an object's class is the id of a category, and the
ids have gaps. Here boxes are (x1, y1, x2, y2), half-open, and labels count the categories from 0, in the
order of their ids.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnncourse.data.annotated import AnnotatedImage, Masks
from cnncourse.data.rle import segmentation_to_mask


class CocoData(NamedTuple):
    """What a file of COCO holds."""

    classes: tuple[str, ...]
    category_ids: tuple[int, ...]  # the file's number of each class
    images: tuple[AnnotatedImage, ...]
    image_ids: tuple[int, ...]  # the file's number of each image


def read_coco(file: str | Path, folder: str | Path) -> CocoData:
    """Read a file of instances or of keypoints, such as ``annotations/instances_val2017.json``.

    Parameters
    ----------
    file : str or Path
    folder : str or Path
        Where the images lie, such as ``val2017``. They are opened only when they are asked for.

    Returns
    -------
    CocoData

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        In one line, with the file, the annotation and the value, if something is not as the format says.

    References
    ----------
    https://cocodataset.org/#format-data
    """
    content = _content(Path(file))
    try:
        categories = sorted(content["categories"], key=lambda category: category["id"])
        ids = {category["id"]: label for label, category in enumerate(categories)}
        points = max((len(category.get("keypoints", ())) for category in categories), default=0)
        of_image = _by_image(content, ids)
        images = [
            _image(entry, of_image[entry["id"]], ids, points, Path(folder)) for entry in content["images"]
        ]
    except KeyError as error:
        raise ValueError(f"{file}: {error} is missing") from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"{file}: {error}") from None
    names = tuple(category["name"] for category in categories)
    return CocoData(names, tuple(ids), tuple(images), tuple(entry["id"] for entry in content["images"]))


def _content(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: no JSON: {error}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{file}: an object with images, annotations and categories is needed, not a list")
    return content


def _by_image(content: Mapping[str, Any], ids: Mapping[int, int]) -> dict[int, list[dict[str, Any]]]:
    """Return the annotations of each image; a file of test images has none."""
    known = {entry["id"] for entry in content["images"]}
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for place, annotation in enumerate(content.get("annotations", ())):
        for name in ("id", "image_id", "category_id", "bbox"):
            if name not in annotation:
                raise ValueError(f"annotations[{place}] has no {name}")
        for name, values in (("image_id", known), ("category_id", ids)):
            if annotation[name] not in values:
                raise ValueError(
                    f"annotation {annotation['id']}: {name} (={annotation[name]}) is not in the file"
                )
        found[annotation["image_id"]].append(annotation)
    return found


def _image(
    entry: Mapping[str, Any],
    annotations: Sequence[Mapping[str, Any]],
    ids: Mapping[int, int],
    points: int,
    folder: Path,
) -> AnnotatedImage:
    height, width = entry["height"], entry["width"]
    masks = all("segmentation" in annotation for annotation in annotations)
    return AnnotatedImage(
        folder / entry["file_name"],
        height,
        width,
        np.array([_box(annotation) for annotation in annotations], dtype=float).reshape(-1, 4),
        np.array([ids[annotation["category_id"]] for annotation in annotations], dtype=np.int64),
        np.array([annotation.get("iscrowd", 0) for annotation in annotations], dtype=bool),
        _keypoints(annotations, points) if points else None,
        partial(_masks, annotations, height, width) if masks else None,
    )


def _box(annotation: Mapping[str, Any]) -> list[float]:
    box = annotation["bbox"]
    numbers = (
        isinstance(box, list) and len(box) == 4 and all(isinstance(value, (int, float)) for value in box)
    )
    if not numbers or not np.isfinite(box).all() or box[2] < 0 or box[3] < 0:
        raise ValueError(f"annotation {annotation['id']}: bbox (={box}) must be x, y, width, height")
    x, y, width, height = box
    return [x, y, x + width, y + height]


def _keypoints(annotations: Sequence[Mapping[str, Any]], points: int) -> NDArray[np.float64]:
    found = np.zeros((len(annotations), points, 3))
    for number, annotation in enumerate(annotations):
        values = annotation.get("keypoints", [])
        if len(values) % 3 or len(values) > 3 * points:
            raise ValueError(
                f"annotation {annotation['id']}: keypoints has {len(values)} numbers, not {points} x, y, v"
            )
        found[number, : len(values) // 3] = np.reshape(values, (-1, 3))
    return found


def _masks(annotations: Sequence[Mapping[str, Any]], height: int, width: int) -> Masks:
    masks = np.zeros((len(annotations), height, width), dtype=bool)
    for number, annotation in enumerate(annotations):
        try:
            masks[number] = segmentation_to_mask(annotation["segmentation"], height, width)
        except ValueError as error:
            raise ValueError(f"annotation {annotation['id']}: {error}") from None
    return masks
