"""What nbval needs to know about the labs; pytest reads this for every folder."""

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Compare text only: the labs store nothing else (`tools/build_labs.py`), so nbval must not miss it."""
    if type(item).__name__ == "IPyNbCell" and "text/html" not in item.parent.skip_compare:
        item.parent.skip_compare += ("text/html", "image/svg+xml", "application/vnd.jupyter.widget-view+json")
