"""Explorers: live figures for the book's pages and for JupyterLab; importing one loads no other."""

from __future__ import annotations

from importlib import import_module
from typing import Any

EXPLORERS = {
    "ConvExplorer": "conv",
    "OutputSizeExplorer": "output_size",
    "ReceptiveFieldExplorer": "receptive_field",
    "PoolExplorer": "pool",
    "BackpropExplorer": "backprop",
    "InitExplorer": "init",
    "BoxExplorer": "box",
    "NMSExplorer": "nms",
    "AnchorExplorer": "anchor",
    "YOLOTargetExplorer": "yolo_target",
    "RoIExplorer": "roi",
}


def __getattr__(name: str) -> Any:
    if name not in EXPLORERS:
        raise AttributeError(
            f"cnncourse.widgets has no explorer named {name!r}; it has {', '.join(EXPLORERS)}"
        )
    return getattr(import_module(f"cnncourse.widgets.{EXPLORERS[name]}"), name)


def __dir__() -> list[str]:
    return sorted(EXPLORERS)
