"""What all tests need: one thread each, and what nbval must know about the labs."""

import os

import pytest

# Tests run beside each other. Two of them that start a thread for every processor wait for each other most of
# the time: a check of 1 s then takes 8. NumPy and torch read this when they are first imported.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Compare text only: the labs store nothing else (`tools/build_labs.py`), so nbval must not miss it."""
    if type(item).__name__ == "IPyNbCell" and "text/html" not in item.parent.skip_compare:
        item.parent.skip_compare += ("text/html", "image/svg+xml", "application/vnd.jupyter.widget-view+json")
