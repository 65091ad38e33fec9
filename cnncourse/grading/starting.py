"""What the programs that grade do before they import anything else."""

import sys


def start_quickly() -> None:
    """Leave out a grammar of web addresses, which nbformat would check links with: its import takes two seconds.

    For a process of ours alone: whoever else imports jsonschema there does without it too.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
