"""What this computer has of what the labs need, and the command that mends what is missing."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path

FREE_GB = 1.0

# Distribution, oldest version, what for: the dependencies and extras of pyproject.toml.
NEEDED = (
    ("numpy", "1.25", "all of it"),
    ("jupyterlab", "4.2", "working on labs"),
    ("ipykernel", "6.29", "running cells"),
    ("ipywidgets", "8.1", "sliders"),
    ("matplotlib", "3.8", "pictures"),
    ("scikit-learn", "1.4", "digits and photos"),
)
OPTIONAL = (
    ("torch", "2.2", "the cells marked In practice"),
    ("nbgrader", "0.9.5", "grading a class"),
)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def package_trouble(name: str, oldest: str) -> str:
    """Return what is wrong with an installed package, or an empty text."""
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
    return "" if _numbers(version) >= _numbers(oldest) else f"{version} is older than {oldest}"


def folder_trouble(folder: Path) -> str:
    """Return why labs cannot be kept in a folder, or an empty text."""
    free = shutil.disk_usage(folder).free / 1e9
    if free < FREE_GB:
        return f"{free:.1f} GB free, labs and their packages need {FREE_GB:g}: make room on this disk"
    try:
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError:
        return "you may not write here: go to a folder of your own and run this again"


def doctor() -> int:
    """Print what is here and what is missing, with the command that mends it; return 1 if labs cannot run."""
    print(f"ok        Python {sys.version.split()[0]} ({sys.executable})")
    broken = False
    for needed, packages in ((True, NEEDED), (False, OPTIONAL)):
        for name, oldest, use in packages:
            trouble = package_trouble(name, oldest)
            if not trouble:
                print(f"ok        {name} {metadata.version(name)}")
                continue
            broken = broken or needed
            mend = f'python -m pip install "{name}>={oldest}"'
            print(f"{'MISSING ' if needed else 'optional'}  {name}, for {use}: {trouble}. Mend it: {mend}")
    trouble = folder_trouble(Path.cwd())
    broken = broken or bool(trouble)
    print(
        f"{'MISSING ' if trouble else 'ok      '}  this folder ({Path.cwd()})" + (trouble and f": {trouble}")
    )
    print("Something that labs need is missing." if broken else "All that the labs need is here.")
    return int(broken)
