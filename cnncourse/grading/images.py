"""Images that are images: nothing else is shown as one."""

from __future__ import annotations

import base64
import binascii
from typing import Any

MAX_IMAGES = 5_000_000  # bytes of the images of a Markdown cell, as base64
IMAGES = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}


def safe_image(kind: str, data: Any) -> str | None:
    """Return an image as base64 on one line, or None if the data are no image of that kind."""
    if not isinstance(data, str):
        return None
    try:
        image = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    return base64.b64encode(image).decode("ascii") if image.startswith(IMAGES[kind]) else None


def attached_images(given: Any) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Return a cell's attached images under names of ours, and these by what they were called."""
    images: dict[str, dict[str, str]] = {}
    names: dict[str, str] = {}
    room = MAX_IMAGES
    for name, bundle in given.items() if isinstance(given, dict) else ():
        if not isinstance(bundle, dict):
            continue
        found = ((kind, safe_image(kind, bundle.get(kind))) for kind in IMAGES)
        kind, image = next(((kind, image) for kind, image in found if image), ("", ""))
        if image and len(image) <= room:
            room -= len(image)
            names[name] = f"image-{len(names) + 1}.{kind.removeprefix('image/')}"
            images[names[name]] = {kind: image}
    return images, names
