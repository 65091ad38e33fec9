"""What the outcome of grading depends on, besides the work and the checks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Limits for one submission.

    Attributes
    ----------
    sandbox : whether the student's code runs in a sandbox; without one it has the rights of whoever grades
    cell_seconds : time for one cell
    notebook_seconds : time for all cells of a notebook, and as much again for judging its answers
    memory_mb : memory of all processes of a submission together
    scratch_mb : size of the one folder that can be written to
    processes : how many processes and threads there may be at once
    run_all : also run those cells of the course's own that nothing of the student's depends on
    """

    sandbox: bool = True
    cell_seconds: float = 30.0
    notebook_seconds: float = 600.0
    memory_mb: int = 4096
    scratch_mb: int = 64
    processes: int = 64
    run_all: bool = False
