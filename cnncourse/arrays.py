"""The one name for "a NumPy array of numbers" in type hints."""

from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
