"""Every exercise and every known wrong answer at many seeds (part of `make bench`)."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEEDS = 10

if __name__ == "__main__":
    pytest = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal"]
    command = [*pytest, "tests/test_exercises.py"]
    sys.exit(subprocess.call(command, cwd=ROOT, env=os.environ | {"SEEDS": str(SEEDS)}))
