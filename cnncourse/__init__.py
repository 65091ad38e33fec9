"""cnncourse: reference implementations and checkers for a course on convolutional neural networks."""

from cnncourse.checking import check

__version__ = "0.1.0"
__all__ = ["__version__", "check"]
