"""What `make course` builds, each step only where its inputs changed: labs, book, the sample class, work/."""

import re
import shutil

from tools.serve import WORK
from tools.steps import BUILD, COLOURS, ROOT, CourseError, digest, must, once, run, say, venv_python

CODE = ("cnncourse/**/*.py", "cnncourse/**/*.mplstyle", "cnncourse/**/*.js", "cnncourse/**/*.css")
LABS = ("notebooks/**/*", "solutions/**/*.ipynb")
PRINTING = ("tools/pdf.py", "tools/paper.py", "tools/contents.py")
PROBLEM = re.compile(r"^.*: (?:WARNING|ERROR|CRITICAL): .*$", re.MULTILINE)


def make_labs() -> None:
    """Derive both notebooks of every lab from its text."""
    once(
        "labs",
        "deriving the notebooks from solutions/*.md, running each once (15 s each)",
        lambda: print(must([venv_python(), "tools/build_labs.py"], "labs"), end=""),
        inputs=("solutions/*.md", "tools/*lab*.py", "nbgrader_config.py", "requirements.txt", *CODE),
        derived=LABS,
    )


def make_book(brief: bool = False) -> bool:
    """Build the book if something of it has changed, and return whether; a warning is an error."""
    shell = (
        "_config.yml", "book/_ext/**/*", "book/_assets/**/*", "requirements.txt", "tools/vendor*.py", *CODE,
    )  # fmt: skip

    def build() -> None:
        # Sphinx reads a page again when its text changes, and not when what stands behind all pages does.
        # (Results of cells are kept apart from that: book/_ext/cnn_cache.py says for how long.)
        stamp, code = BUILD / "stamps" / "book-code", digest(shell)
        if not (stamp.exists() and stamp.read_text() == code):
            for folder in (".doctrees", "html"):
                shutil.rmtree(BUILD / folder, ignore_errors=True)
        try:
            command = [venv_python(), "tools/start_jupyter_book.py", "build", ".", "-n", "-W", "--keep-going"]
            status, output = run(command, "book")
            if status:
                say(problems(output, brief))
                raise CourseError("the book was not built (all that was printed: _build/logs/book.txt)")
        except BaseException:
            # An unfinished build keeps and has written pages whose warnings the next one would not repeat.
            shutil.rmtree(BUILD / ".doctrees", ignore_errors=True)
            (BUILD / "stamps" / "book").unlink(missing_ok=True)
            raise
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(code)

    return once(
        "book",
        "building into _build/html; pages without a result run (up to a minute)",
        build,
        inputs=("_toc.yml", "book/**/*", "tools/sample_*.py", "nbgrader_config.py", *shell, *LABS),
        needs=(BUILD / "html" / "index.html",),
    )


def problems(output: str, brief: bool) -> str:
    """Return what Sphinx found wrong: a line for each problem; in full, with cells and tracebacks."""
    text = COLOURS.sub("", output)
    lines = PROBLEM.findall(text)
    if not lines:
        return "\n".join(text.splitlines()[-10:])
    if brief:
        return "\n".join([*lines[:8], *([f"... and {len(lines) - 8} more"] if lines[8:] else [])])
    in_full = text[text.index(lines[0]) :].split("\nTraceback (most recent call last):\n")[0]
    return "\n".join(in_full.splitlines()[:200])


def make_pdf() -> None:
    """Print the built book as one PDF."""
    once(
        "pdf",
        "printing the book into _build/html/cnncourse.pdf (half a minute)",
        lambda: print(must([venv_python(), "tools/pdf.py"], "pdf"), end=""),
        inputs=("_config.yml", "_toc.yml", "book/**/*", "requirements.txt", *PRINTING, *LABS, *CODE),
        needs=(BUILD / "html" / "cnncourse.pdf",),
    )


def make_class() -> None:
    """Grade the sample class and print its scores (again, where nothing changed)."""
    once(
        "sample class",
        "grading a few submissions with nbgrader",
        lambda: must([venv_python(), "tools/sample_class.py"], "sample_class") and None,
        inputs=("tools/sample_*.py", "nbgrader_config.py", "requirements.txt", *LABS, *CODE),
        needs=(BUILD / "logs" / "sample_class.txt",),
    )
    printed = (BUILD / "logs" / "sample_class.txt").read_text(encoding="utf-8")
    print(re.sub(r"^(releasing|grading) .*\n", "", printed, flags=re.MULTILINE), end="")


def fill_work() -> None:
    """Copy the released labs into work/; what is there stays."""
    slugs = sorted(path.name for path in (ROOT / "notebooks").iterdir() if path.is_dir())
    command = [venv_python(), "-m", "cnncourse", "start", *slugs, "--to", WORK, "--no-open"]
    print(must(command, "work"), end="")
