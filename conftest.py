"""What all tests need: one thread each, and what nbval must know about the labs."""

import os

import pytest

from cnncourse.running.threads import ONE_THREAD

for name, number in ONE_THREAD.items():
    os.environ.setdefault(name, number)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Compare text only: the labs store nothing else (`tools/build_labs.py`), so nbval must not miss it."""
    if type(item).__name__ == "IPyNbCell" and "text/html" not in item.parent.skip_compare:
        item.parent.skip_compare += ("text/html", "image/svg+xml", "application/vnd.jupyter.widget-view+json")
