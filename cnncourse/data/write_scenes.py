"""Synthetic scenes as files of COCO and of PASCAL VOC, for programs that read these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from cnncourse.data.images import write_image
from cnncourse.data.rle import mask_to_counts
from cnncourse.data.scenes import CLASSES, KEYPOINTS, Scenes


def write_coco(folder: str | Path, scenes: Scenes) -> Path:
    """Write scenes as COCO does: ``images/*.png`` and ``annotations/instances.json``.

    Boxes are those of whole shapes; masks and areas are of what is seen. Masks are written as runs.

    Returns
    -------
    Path
        Of the JSON file.

    Examples
    --------
    ``read_coco(write_coco("scenes", scenes), "scenes/images")`` reads them again.
    """
    root, (height, width) = Path(folder), scenes.images.shape[2:]
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, image in enumerate(scenes.images, start=1):
        name = f"{number:012}.png"
        write_image(root / "images" / name, image)
        images.append({"id": number, "file_name": name, "height": height, "width": width})
        for annotation in _annotations(scenes, number - 1):
            annotations.append({"id": len(annotations) + 1, "image_id": number, **annotation})
    categories = [
        {"id": i, "name": name, "supercategory": "shape", "keypoints": list(KEYPOINTS), "skeleton": []}
        for i, name in enumerate(CLASSES, start=1)
    ]
    info = {"description": "Synthetic scenes"}
    content = {"info": info, "images": images, "annotations": annotations, "categories": categories}
    path = root / "annotations" / "instances.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def _annotations(scenes: Scenes, number: int) -> list[dict[str, Any]]:
    found = []
    for k, mask in enumerate(scenes.masks(number)):
        x1, y1, x2, y2 = scenes.boxes[number, k].tolist()
        points = scenes.keypoints[number, k]
        found.append(
            {
                "category_id": int(scenes.labels[number, k]) + 1,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": int(mask.sum()),
                "iscrowd": 0,
                "segmentation": {"size": list(mask.shape), "counts": mask_to_counts(mask)},
                "keypoints": points.round(2).ravel().tolist(),
                "num_keypoints": int((points[:, 2] > 0).sum()),
            }
        )
    return found


def write_voc(folder: str | Path, scenes: Scenes, image_set: str = "trainval") -> Path:
    """Write scenes as PASCAL VOC does: images, annotations, masks and a list of them.

    Images are JPEG, as there: pixels change a little. VOC knows no keypoints.

    Returns
    -------
    Path
        The folder.

    Examples
    --------
    ``read_voc(write_voc("scenes", scenes), classes=CLASSES)`` reads them again.
    """
    root = Path(folder)
    names = [f"{number:06}" for number in range(1, len(scenes) + 1)]
    for number, name in enumerate(names):
        write_image(root / "JPEGImages" / f"{name}.jpg", scenes.images[number])
        instances = scenes.instances[number]
        write_image(root / "SegmentationObject" / f"{name}.png", instances)
        class_of = np.append(0, scenes.labels[number] + 1).astype(np.uint8)
        write_image(root / "SegmentationClass" / f"{name}.png", class_of[instances])
        path = root / "Annotations" / f"{name}.xml"
        path.parent.mkdir(exist_ok=True)
        tree = _tree(f"{name}.jpg", scenes, number)
        ElementTree.indent(tree, "\t")
        path.write_text(ElementTree.tostring(tree, encoding="unicode") + "\n", encoding="utf-8")
    listed = root / "ImageSets" / "Main" / f"{image_set}.txt"
    listed.parent.mkdir(parents=True, exist_ok=True)
    listed.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    return root


def _tree(file_name: str, scenes: Scenes, number: int) -> ElementTree.Element:
    height, width = scenes.instances.shape[1:]
    tree = ElementTree.Element("annotation")
    _add(tree, folder="scenes", filename=file_name)
    _add(ElementTree.SubElement(tree, "size"), width=width, height=height, depth=3)
    _add(tree, segmented=1)
    boxes, labels = scenes.objects()[number]
    for (x1, y1, x2, y2), label in zip(boxes.astype(int), labels, strict=True):
        one = ElementTree.SubElement(tree, "object")
        _add(one, name=CLASSES[label], pose="Unspecified", truncated=0, difficult=0)
        _add(ElementTree.SubElement(one, "bndbox"), xmin=x1 + 1, ymin=y1 + 1, xmax=x2, ymax=y2)
    return tree


def _add(node: ElementTree.Element, **values: object) -> None:
    """Add an element for each value."""
    for name, value in values.items():
        ElementTree.SubElement(node, name).text = str(value)
