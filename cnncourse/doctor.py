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
    wanted = []
    for name, oldest, use in (*NEEDED, *OPTIONAL):
        trouble = package_trouble(name, oldest)
        if not trouble:
            print(f"ok        {name} {metadata.version(name)}")
        elif (name, oldest, use) in NEEDED:
            wanted.append(f'"{name}>={oldest}"')
            print(f"MISSING   {name}, for {use}: {trouble}")
        else:
            print(f'optional  {name}, for {use}: {trouble} (python -m pip install "{name}>={oldest}")')
    trouble = folder_trouble(Path.cwd())
    verdict, reason = ("MISSING ", f": {trouble}") if trouble else ("ok      ", "")
    print(f"{verdict}  this folder ({Path.cwd()}){reason}")
    if wanted:
        print(f"Labs need more than is here. Mend it: python -m pip install {' '.join(wanted)}")
    elif not trouble:
        print("All that the labs need is here.")
    return int(bool(wanted or trouble))
