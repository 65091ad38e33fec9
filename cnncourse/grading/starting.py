"""What the programs that grade do before they import anything else."""

import sys


def start_quickly() -> None:
    """Leave out a grammar of web addresses: its import takes two seconds, and nbformat checks links by it.

    For a process of ours alone: whoever else imports jsonschema there does without it too.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
