"""What this computer has of what labs and grading need, and the command that mends what is missing."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

FREE_GB = 1.0

# Distribution, oldest version, what for: the dependencies and extras of pyproject.toml.
NEEDED = (
    ("numpy", "1.25", "all of it"),
    ("jupyterlab", "4.2", "working on labs"),
    ("ipykernel", "6.29", "running cells"),
    ("ipywidgets", "8.1", "sliders"),
    ("anywidget", "0.9.18", "explorers"),
    ("matplotlib", "3.8", "pictures"),
    ("scikit-learn", "1.4", "digits and photos"),
)
OPTIONAL = {
    "the cells marked In practice": (("torch", "2.2"),),
    "grading a class": (
        ("nbgrader", "0.9.5"),
        ("psutil", "5.9"),
        ("rich", "13.7"),
        ("jinja2", "3.1"),
        ("jupyter_server_mathjax", "0.2.6"),
    ),
    "grading a class on several machines": (("distributed", "2024.5"),),
}

# Program that installs packages, and what to tell it.
INSTALLERS = (
    ("apt-get", "sudo apt-get install bubblewrap"),
    ("dnf", "sudo dnf install bubblewrap"),
    ("pacman", "sudo pacman -S bubblewrap"),
    ("zypper", "sudo zypper install bubblewrap"),
)
# Setting of Linux, the value at which it refuses user namespaces, and one at which it does not.
SWITCHES = (
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "15000"),
)
SETTINGS = Path("/proc/sys")
UBUNTUS_PROFILE = Path("/etc/apparmor.d/bwrap-userns-restrict")
CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
IN_CONTAINER = "seccomp=unconfined systempaths=unconfined apparmor=unconfined"


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


def sandbox_trouble() -> str | None:
    """Return why a class cannot be graded in a sandbox here, or an empty text; None without nbgrader."""
    if find_spec("nbgrader") is None:  # a student's computer
        return None
    try:
        from cnncourse.grading.sandbox import trouble
    except ImportError:
        return None
    return trouble()


def sandbox_mends() -> list[str]:
    """Return what to do where there is no sandbox: a line for each cause that is found."""
    if not sys.platform.startswith("linux"):
        return [
            "grade on Linux: in WSL 2 on Windows, in a container on macOS (book/grading.md has the command)"
        ]
    if shutil.which("bwrap") is None:
        known = [command for program, command in INSTALLERS if shutil.which(program)]
        return known[:1] or ["install the package bubblewrap, as this system installs packages"]
    mends = []
    for name, refusing, allowing in SWITCHES:
        setting = SETTINGS / name.replace(".", "/")
        if setting.is_file() and setting.read_text(encoding="ascii").strip() == refusing:
            mends.append(f"sudo sysctl -w {name}={allowing}   (until the next start of this computer)")
            keep = "sudo tee -a /etc/sysctl.d/60-cnncourse.conf"
            mends.append(f"echo {name}={allowing} | {keep}   (from then on)")
    if UBUNTUS_PROFILE.exists():
        mends.append(
            f"sudo ln -s {UBUNTUS_PROFILE} /etc/apparmor.d/disable/; "
            f"sudo apparmor_parser -R {UBUNTUS_PROFILE}   (it forbids the sandbox's inner wall)"
        )
    if any(mark.exists() for mark in CONTAINER_MARKS):
        options = " ".join(f"--security-opt {option}" for option in IN_CONTAINER.split())
        mends.append(f"start this container with {options}, and grade in it as a user other than root")
    return mends or ["book/grading.md, under A sandbox, lists what can stand in its way"]


def _print_optional(use: str, packages: Sequence[tuple[str, str]]) -> None:
    missing = [(name, oldest) for name, oldest in packages if package_trouble(name, oldest)]
    for name, _ in (package for package in packages if package not in missing):
        print(f"ok        {name} {metadata.version(name)}")
    if missing:
        names = ", ".join(name for name, _ in missing)
        mend = " ".join(f'"{name}>={oldest}"' for name, oldest in missing)
        print(f"optional  {names}, for {use}: not here, or too old (python -m pip install {mend})")


def _print_sandbox() -> None:
    trouble = sandbox_trouble()
    if trouble is None:
        return
    if not trouble:
        print("ok        a sandbox for students' code, tried just now")
        return
    print(f"optional  a sandbox for students' code, for grading a class: {trouble}")
    for mend in sandbox_mends():
        print(f"          {mend}")


def doctor() -> int:
    """Print what is here and what is missing, with the command that mends it; return 1 if labs cannot run.

    Whether a class can be graded here is printed too, and does not count.
    """
    print(f"ok        Python {sys.version.split()[0]} ({sys.executable})")
    wanted = []
    for name, oldest, use in NEEDED:
        if trouble := package_trouble(name, oldest):
            wanted.append(f'"{name}>={oldest}"')
            print(f"MISSING   {name}, for {use}: {trouble}")
        else:
            print(f"ok        {name} {metadata.version(name)}")
    for use, packages in OPTIONAL.items():
        _print_optional(use, packages)
    _print_sandbox()
    trouble = folder_trouble(Path.cwd())
    verdict, reason = ("MISSING ", f": {trouble}") if trouble else ("ok      ", "")
    print(f"{verdict}  this folder ({Path.cwd()}){reason}")
    if wanted:
        print(f"Labs need more than is here. Mend it: python -m pip install {' '.join(wanted)}")
    elif not trouble:
        print("All that the labs need is here.")
    return int(bool(wanted or trouble))
