"""Look at an archive of submissions that Canvas or Moodle made, without trusting anything in it."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from cnncourse.grading.errors import ClassroomError
from cnncourse.grading.finding import HIDDEN

MOST_ENTRIES = 20_000
MOST_BYTES = 4_000_000_000  # of all that is unpacked
LARGEST = 100_000_000  # bytes of one file
SMALL = 10_000_000  # bytes of a file that may be packed however tightly
TIGHTEST = 250  # times that a larger one may be smaller in the archive
BLOCK = 1 << 20

# lovelaceada_LATE_12345_67890_ch02_conv2d-1.ipynb: Canvas's ids of the student and of the file
CANVAS = re.compile(
    r"(?P<person>[^/]*?)(?P<late>_LATE)?_(?P<number>[0-9]+)_(?P<upload>[0-9]+)_(?P<file>[^/]+)"
)
CANVAS_ANONYMOUS = re.compile(r"(LATE_)?anon_\w+_[0-9]+_[^/]+")
# Ada Lovelace_12345_assignsubmission_file_/ch02_conv2d.ipynb, or all of it in one name: Moodle's participant
MOODLE = re.compile(
    r"(?:^|/)(?P<person>[^/_]*)_(?P<number>[0-9]+)_assignsubmission_(?P<plugin>[a-z]+)(?:_?/|_)(?P<file>.+)$"
)


@dataclass(frozen=True)
class Upload:
    """A file of an archive whose name says whose it is.

    Attributes
    ----------
    entry : the file in the archive, its name repaired in `path`
    person, number : the student's name, and Canvas's id of the student or Moodle's number of the participant
    file : what the student called it
    order : the later a file was uploaded to Canvas, the greater
    late : whether Canvas marks it so
    """

    entry: zipfile.ZipInfo
    path: str
    person: str
    number: str
    file: str
    order: int = 0
    late: bool = False

    @property
    def is_notebook(self) -> bool:
        """Whether it may be a notebook: "x.ipynb.txt" and "X.IPYNB" may too."""
        return ".ipynb" in self.file.lower()


def open_archive(path: Path) -> zipfile.ZipFile:
    """Open an archive.

    Raises
    ------
    ClassroomError
        If it is none, holds too much, or claims to hold more than its size.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ClassroomError(f"{path} cannot be opened as a zip archive: {error}") from error
    entries = archive.infolist()
    trouble = ""
    if len(entries) > MOST_ENTRIES:
        trouble = f"holds {len(entries)} files, more than {MOST_ENTRIES}"
    elif sum(entry.compress_size for entry in entries) > path.stat().st_size:
        trouble = "claims to hold more than its size: it is damaged, or made to do harm"
    elif (total := sum(entry.file_size for entry in entries if not refusal(entry))) > MOST_BYTES:
        trouble = f"would unpack to {total / 1e9:.1f} GB: hand it over in parts of {MOST_BYTES / 1e9:g} GB"
    if trouble:
        archive.close()
        raise ClassroomError(f"{path} {trouble}")
    return archive


def refusal(entry: zipfile.ZipInfo) -> str:
    """Return why a file of an archive is not unpacked; empty if it may be."""
    name = full_name(entry)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    parts = name.replace("\\", "/").split("/")
    if not name.isprintable():
        return "its name holds a line break or other signs that cannot be shown"
    if ".." in parts or name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[/\\]", name):
        return "its name points outside the archive"
    if kind == stat.S_IFLNK:
        return "it is a link, and links are not followed"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "it is no plain file"
    if entry.flag_bits & 0x1:
        return "it is encrypted"
    if entry.file_size > LARGEST:
        return f"it is too large: {entry.file_size / 1e6:.0f} MB"
    if entry.file_size > SMALL and entry.file_size > TIGHTEST * max(entry.compress_size, 1):
        return f"it would grow {entry.file_size // max(entry.compress_size, 1)} times when unpacked"
    return ""


def full_name(entry: zipfile.ZipInfo) -> str:
    """Return the name of a file of an archive; Canvas writes UTF-8 without saying so."""
    if entry.flag_bits & 0x800:
        return entry.orig_filename
    try:
        return entry.orig_filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.orig_filename


def read_names(archive: zipfile.ZipFile, source: str) -> tuple[str, list[Upload], list[tuple[str, str]]]:
    """Say for each file of an archive whose it is.

    Parameters
    ----------
    source : "canvas", "moodle" or "auto"

    Returns
    -------
    source : "canvas" or "moodle"
    uploads : the files that a student can be found for
    others : the names of the other ones, and why nobody could

    Raises
    ------
    ClassroomError
        If no name is as Canvas or Moodle writes it.
    """
    good: dict[str, zipfile.ZipInfo] = {}
    others: list[tuple[str, str]] = []
    for entry in archive.infolist():
        name = full_name(entry)
        if entry.is_dir() or _is_rubbish(name):
            continue
        if why := refusal(entry):
            others.append((name, why))
            continue
        if name in good:
            others.append((name, "the archive holds this name twice; the later one counts"))
        good[name] = entry
    tried = {
        kind: [upload for name, entry in good.items() if (upload := _upload(kind, name, entry))]
        for kind in (("moodle", "canvas") if source == "auto" else (source,))
    }
    chosen = max(tried, key=lambda kind: len(tried[kind]))
    if not tried[chosen]:
        names = " or ".join(kind.capitalize() for kind in sorted(tried))
        raise ClassroomError(f"{archive.filename} holds no file that is named as {names} names submissions")
    known = {upload.path for upload in tried[chosen]}
    return chosen, tried[chosen], others + [(name, _why(name, chosen)) for name in good if name not in known]


def copy_out(archive: zipfile.ZipFile, upload: Upload, target: Path) -> str:
    """Write a file of the archive to `target`; return why that cannot be done, empty if it could."""
    try:
        with archive.open(upload.entry) as packed, open(target, "xb") as file:
            while block := packed.read(BLOCK):
                file.write(block)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        target.unlink(missing_ok=True)
        return f"it is damaged: {error}"
    return ""


def _upload(kind: str, name: str, entry: zipfile.ZipInfo) -> Upload | None:
    if kind == "moodle":
        found = MOODLE.search(name)
        return Upload(entry, name, found["person"], found["number"], found["file"]) if found else None
    found = CANVAS.fullmatch(name.rpartition("/")[2])
    if not found:
        return None
    about = (found["person"], found["number"], found["file"], int(found["upload"]), bool(found["late"]))
    return Upload(entry, name, *about)


def _is_rubbish(name: str) -> bool:
    """Return whether an operating system put a file there."""
    *folders, last = name.split("/")
    return not HIDDEN.isdisjoint(folders) or last in (".DS_Store", "Thumbs.db") or last.startswith("._")


def _why(name: str, source: str) -> str:
    if source == "canvas" and CANVAS_ANONYMOUS.fullmatch(name.rpartition("/")[2]):
        return "the assignment is graded anonymously, and Canvas does not say whose it is"
    return f"its name does not say whose it is, as {source.capitalize()}'s names do"
