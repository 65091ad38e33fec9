"""The command `cnncourse`: labs for students, grading for instructors, and what this computer lacks."""

from __future__ import annotations

import argparse
import difflib
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import cnncourse
from cnncourse.checking import check, load
from cnncourse.doctor import doctor
from cnncourse.grading.starting import start_quickly

OWN_FOLDER = Path("cnncourse-labs")
# For instructors, in modules of their own, because importing nbgrader takes a second: module and purpose.
CLASS_COMMANDS = {
    "grade": ("classroom", "grade a class, in a sandbox and in parallel"),
    "report": ("report", "make a page about a graded class"),
    "export": ("export", "write a class's grades for a spreadsheet, Canvas or Moodle"),
    "collect": ("collect", "unpack a download of submissions"),
}


class UsageError(Exception):
    """What was asked for cannot be done; its text is one line that says what can."""


def labs_folder() -> Path:
    """Return where the released labs are: inside an installed package, or in `notebooks/` of a checkout."""
    package = Path(cnncourse.__file__).parent
    for folder in (package / "labs", package.parent / "notebooks"):
        if folder.is_dir():
            return folder
    raise UsageError("this installation holds no labs: install cnncourse from a wheel or work in a checkout")


def find_lab(slug: str) -> Path:
    """Return the folder of a released lab.

    Raises
    ------
    UsageError
        If there is none; the message names the labs there are and the closest.
    """
    released = sorted(labs_folder().glob("*/*.ipynb"))
    known = {path.stem: path.parent for path in released if path.stem == path.parent.name}
    if slug in known:
        return known[slug]
    close = difflib.get_close_matches(slug, known, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]}? " if close else ""
    raise UsageError(f"there is no lab {slug!r}: {hint}the labs are {', '.join(known) or 'none'}")


def copy_lab(slug: str, folder: Path) -> tuple[Path, bool]:
    """Copy a released lab into a student's folder; nothing that is there is overwritten.

    Returns
    -------
    (Path, bool)
        The student's notebook, and whether it is new.
    """
    lab, own = find_lab(slug), folder / slug
    notebook = own / f"{slug}.ipynb"
    new = not notebook.exists()
    for source in sorted(path for path in lab.rglob("*") if path.is_file()):
        target = own / source.relative_to(lab)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copyfile(source, target)
    return notebook, new


def start(slugs: Sequence[str], folder: Path, open_it: bool) -> int:
    """Copy labs into a folder and open JupyterLab on the first."""
    for slug in slugs:
        find_lab(slug)
    notebooks = []
    for slug in slugs:
        notebook, new = copy_lab(slug, folder)
        notebooks.append(notebook)
        print(f"{notebook}: {'copied' if new else 'here already, kept as you left it'}", flush=True)
    if not open_it:
        return 0
    if importlib.util.find_spec("jupyterlab") is None:
        raise UsageError("JupyterLab is not installed: python -m pip install jupyterlab, then run this again")
    # JupyterLab refuses to run for root, which is who one is in most containers.
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    try:
        quiet = "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"  # asks no other host
        return subprocess.call([sys.executable, "-m", "jupyterlab", *root, quiet, str(notebooks[0])])
    except KeyboardInterrupt:
        return 0


def load_file(path: Path) -> ModuleType:
    """Run a Python file and return what it defines."""
    spec = importlib.util.spec_from_file_location("answers", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UsageError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules["answers"] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UsageError(f"{path} does not run: {type(error).__name__}: {error}") from error
    return module


def check_file(exercise_id: str, path: Path) -> int:
    """Check the function of a file; return 0 if it earns all points."""
    try:
        exercise = load(exercise_id)
    except ValueError as error:
        raise UsageError(str(error)) from error
    answer = getattr(load_file(path), exercise.name, None)
    if answer is None:
        raise UsageError(f"{path} defines no function {exercise.name}")
    return 0 if check(exercise_id, answer) == exercise.points else 1


def class_command(name: str) -> ModuleType:
    """Return the module of a command for instructors.

    Raises
    ------
    UsageError
        If what it stands on is not installed.
    """
    start_quickly()
    try:
        return importlib.import_module(f"cnncourse.grading.{CLASS_COMMANDS[name][0]}")
    except ModuleNotFoundError as error:
        install = 'python -m pip install "cnncourse[grading]"'
        raise UsageError(f"`{name}` needs {error.name}, which is not installed: {install}") from error


def build_parser(chosen: str = "") -> argparse.ArgumentParser:
    """Return the parser of the command line; of the commands for instructors, the chosen one in full."""
    parser = argparse.ArgumentParser(prog="cnncourse", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--version", action="version", version=f"cnncourse {cnncourse.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    one = commands.add_parser("start", help="copy a lab into a folder of yours and open it")
    one.add_argument("slugs", nargs="+", metavar="LAB", help="such as ch02_conv2d")
    one.add_argument("--to", type=Path, default=OWN_FOLDER, metavar="DIR", help="(default: %(default)s)")
    one.add_argument("--no-open", action="store_true", help="copy only")
    two = commands.add_parser("check", help="check the function of a Python file")
    two.add_argument("exercise", metavar="EXERCISE", help="such as ch02_conv2d.conv2d")
    two.add_argument("file", type=Path, metavar="FILE.py")
    commands.add_parser("doctor", help="see what is missing on this computer, and how to mend it")
    for name, (_, purpose) in CLASS_COMMANDS.items():
        if name == chosen:
            class_command(name).add_parser(commands)
        else:
            commands.add_parser(name, help=purpose, add_help=False)
    return parser


def run_class_command(options: argparse.Namespace) -> int:
    """Run a command for instructors; what they can mend is said in one line."""
    from cnncourse.grading.errors import ClassroomError

    try:
        status: int = class_command(options.command).run(options)
    except ClassroomError as error:
        raise UsageError(str(error)) from error
    return status


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    chosen = words[0] if words and words[0] in CLASS_COMMANDS else ""
    try:
        options = build_parser(chosen).parse_args(words)
        if options.command in CLASS_COMMANDS:
            return run_class_command(options)
        if options.command == "start":
            return start(options.slugs, options.to, not options.no_open)
        if options.command == "check":
            return check_file(options.exercise, options.file)
        return doctor()
    except UsageError as error:
        print(f"cnncourse: {error}", file=sys.stderr)
    except OSError as error:
        print(f"cnncourse: {error.strerror}: {error.filename}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
