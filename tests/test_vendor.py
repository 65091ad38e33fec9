"""What is fetched for the pages: only what is pinned, once, and one clear line where it cannot be had."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import steps, vendor, vendor_engine


def tar(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def wheel() -> bytes:
    library = "lib/python3.11/"
    python = {
        f"{library}os.py": b"import abc\n",
        f"{library}idlelib/gui.py": b"no = 1\n",
        "etc/x.py": b"no = 1\n",
    }
    numpy = {
        f"{library}site-packages/numpy/__init__.py": b"version = 1\n",
        f"{library}site-packages/numpy/core.so": b"\0asm",
        f"{library}site-packages/numpy/linalg/lapack_lite.so": b"no",
        f"{library}site-packages/numpy/tests/test_x.py": b"no = 1\n",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("data/xpython_wasm.js", "var createXeusModule;")
        archive.writestr("data/xpython_wasm.wasm", b"\0asm")
        archive.writestr("data/python-3.11.3-h.tar.gz", tar(python))
        archive.writestr("data/numpy-1.25.2-py.tar.gz", tar(numpy))
        archive.writestr("x.dist-info/licenses/LICENSE", "BSD")
    return packed.getvalue()


CONTENT = {
    vendor.PYTHON: wheel(),
    vendor.STIX: tar(
        {"package/files/stix-two-math-latin-400-normal.woff2": b"wOF2", "package/LICENSE": b"OFL"}
    ),
    vendor.AXE_CORE: tar(
        {f"package/{n}": b"axe" for n in ("axe.min.js", "LICENSE", "LICENSE-3RD-PARTY.txt")}
    ),
}


class Clients:
    """In place of npm and pip: they write what they are told to, and remember what they were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status, self.output = 0, ""
        self.content = {package.file: content for package, content in CONTENT.items()}

    def run(self, command: list[object], log: str) -> tuple[int, str]:
        words = [str(word) for word in command]
        self.asked.append(next(word for word in words if re.search(r"[a-z](@|==)\d", word)))
        if self.status == 0:
            file = log.removeprefix("vendor-")
            folder = Path(words[words.index("--dest" if "--dest" in words else "--pack-destination") + 1])
            (folder / file).write_bytes(self.content[file])
        return self.status, self.output


@pytest.fixture
def clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clients:
    """A root of its own, pins of small packages, and no network."""
    fake = Clients()
    build = tmp_path / "_build"
    folders = ("VENDOR", "DOWNLOADS", "PUBLISHED", "ENGINE", "FONTS", "AXE")
    for name in folders:
        monkeypatch.setattr(vendor, name, build / getattr(vendor, name).relative_to(vendor.BUILD))
    monkeypatch.setattr(steps, "BUILD", build)
    for name, package in (("PYTHON", vendor.PYTHON), ("STIX", vendor.STIX), ("AXE_CORE", vendor.AXE_CORE)):
        sha256 = hashlib.sha256(CONTENT[package]).hexdigest()
        small = vendor.Package(package.client, package.name, package.version, package.file, sha256)
        monkeypatch.setattr(vendor, name, small)
    monkeypatch.setattr(vendor, "run", fake.run)
    monkeypatch.setattr(vendor, "npm", lambda: "npm")
    monkeypatch.setattr(vendor_engine, "compile_library", lambda root: None)
    return fake


def test_every_package_is_pinned_by_version_and_checksum() -> None:
    for package in (vendor.PYTHON, vendor.STIX, vendor.AXE_CORE):
        assert re.fullmatch(r"\d+\.\d+\.\d+", package.version)
        assert re.fullmatch(r"[0-9a-f]{64}", package.sha256)
        assert package.version in package.file


def test_what_the_pages_need_lies_where_they_look_for_it(clients: Clients) -> None:
    vendor.make_vendor()
    pinned = ["jupyterlite-xeus-python==1.0.0", "@fontsource/stix-two-math@5.3.0", "axe-core@4.14.1"]
    assert clients.asked == pinned
    published = {
        path.relative_to(vendor.PUBLISHED).as_posix()
        for path in vendor.PUBLISHED.rglob("*")
        if path.is_file()
    }
    assert published == {
        "vendor/fonts/LICENSE.txt",
        "vendor/fonts/stix-two-math.woff2",
        "vendor/python/LICENSE-numpy.txt",
        "vendor/python/LICENSE-python.txt",
        "vendor/python/LICENSE-xeus-python.txt",
        "vendor/python/python.tar.gz",
    }, "nothing that only tests use is published, and each part has its licence"
    assert {path.name for path in vendor.AXE.iterdir()} == {"axe.min.js", "LICENSE", "LICENSE-3RD-PARTY.txt"}


def test_the_engine_is_one_archive_of_what_a_page_uses(clients: Clients) -> None:
    vendor.make_vendor()
    packed = vendor.ENGINE / "python.tar.gz"
    with tarfile.open(packed) as archive:
        assert sorted(archive.getnames()) == [
            "lib/python3.11/numpy/__init__.py",
            "lib/python3.11/numpy/core.so",
            "lib/python3.11/os.py",
            "xpython_wasm.js",
            "xpython_wasm.wasm",
        ]
    before = packed.read_bytes()
    vendor.unpack_all()
    assert packed.read_bytes() == before, "the same bytes each time"


def test_it_is_fetched_again_only_when_a_pin_changes(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.make_vendor()
    clients.asked.clear()
    vendor.make_vendor()
    assert clients.asked == [], "unchanged"
    vendor.unpack_all()
    assert clients.asked == [], "what was downloaded is kept"
    other = tar({f"package/{n}": b"new" for n in ("axe.min.js", "LICENSE", "LICENSE-3RD-PARTY.txt")})
    clients.content["axe-core-9.9.9.tgz"] = other
    new = vendor.Package("npm", "axe-core", "9.9.9", "axe-core-9.9.9.tgz", hashlib.sha256(other).hexdigest())
    monkeypatch.setattr(vendor, "AXE_CORE", new)
    vendor.unpack_all()
    assert clients.asked == ["axe-core@9.9.9"]
    assert (vendor.AXE / "axe.min.js").read_bytes() == b"new"


def test_a_package_that_is_not_the_pinned_one_is_not_used(clients: Clients) -> None:
    vendor.make_vendor()
    before = (vendor.AXE / "axe.min.js").read_bytes()
    (vendor.DOWNLOADS / vendor.AXE_CORE.file).write_bytes(b"changed on the disk")
    clients.content[vendor.AXE_CORE.file] = b"changed on the way"
    with pytest.raises(
        steps.CourseError, match=r"axe-core 4\.14\.1 is not the file that tools/vendor\.py pins"
    ) as told:
        vendor.unpack_all()
    assert "\n" not in str(told.value)
    assert not (vendor.DOWNLOADS / vendor.AXE_CORE.file).exists()
    assert (vendor.AXE / "axe.min.js").read_bytes() == before, "what was there before stays"


@pytest.mark.parametrize(
    ("package", "output", "says"),
    [
        (
            vendor.AXE_CORE,
            "npm error code ENOTFOUND\nnpm error network request failed",
            "npm cannot reach its registry",
        ),
        (vendor.STIX, "npm error code EAI_AGAIN", "npm cannot reach its registry"),
        (
            vendor.PYTHON,
            "NewConnectionError: Temporary failure in name resolution",
            "pip cannot reach its package index",
        ),
        (
            vendor.AXE_CORE,
            "npm error code E404",
            r"did not fetch axe-core 4\.14\.1 .*_build/logs/vendor-axe-core",
        ),
    ],
    ids=["npm-offline", "npm-no-names", "pip-offline", "gone"],
)
def test_what_cannot_be_fetched_is_told_in_one_line(
    clients: Clients, package: vendor.Package, output: str, says: str
) -> None:
    clients.status, clients.output = 1, output
    with pytest.raises(steps.CourseError, match=says) as told:
        vendor.fetch(package)
    assert "\n" not in str(told.value)


def test_npm_is_installed_where_the_machine_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[object] = []
    found: Callable[..., str | None] = lambda name, path: "/venv/bin/npm" if installed else None  # noqa: E731
    monkeypatch.setattr(vendor.shutil, "which", found)
    monkeypatch.setattr(vendor, "install", lambda venv, what, log: installed.extend(what))
    assert vendor.npm() == "/venv/bin/npm"
    assert installed == [vendor.NODE]
    assert vendor.npm() == "/venv/bin/npm"
    assert len(installed) == 1
