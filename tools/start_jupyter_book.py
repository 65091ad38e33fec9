"""Starts jupyter-book without a grammar that it would compile for two seconds and never use."""

import sys

sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # jsonschema then leaves a few formats unchecked

from jupyter_book.cli.main import main  # noqa: E402

if __name__ == "__main__":
    main(prog_name="jupyter-book")
