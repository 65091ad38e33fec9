"""Finds the browser in which pages are tried and printed: the system's, or playwright's own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# A closed network refuses each request of a browser's own; root in a container has no use for its sandbox.
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
MISSING = "no Chromium: install the system's package, or run `python -m playwright install chromium`"


def find_chromium() -> str:
    """Return the path of a Chromium, or an empty text where there is none."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else ""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a headless Chromium.

    Raises
    ------
    FileNotFoundError
        If there is none; the text says how to get one.
    """
    path = find_chromium()
    if not path:
        raise FileNotFoundError(MISSING)
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*FLAGS, *(["--no-sandbox"] if root else [])]
        )
        try:
            yield browser
        finally:
            browser.close()
