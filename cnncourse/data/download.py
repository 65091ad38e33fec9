"""Fetches the archives of CIFAR-10, PASCAL VOC and COCO: only when it is called, and never twice.

A download that was cut off goes on where it stopped; what comes is compared with its SHA-256 before it is
unpacked.
"""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

CHUNK = 1 << 18  # bytes
WAIT = 60  # seconds without an answer
PARTIAL = 206  # the answer of a server that goes on where it was asked to
COCO, VOC = "http://images.cocodataset.org", "http://host.robots.ox.ac.uk/pascal/VOC"


@dataclass(frozen=True)
class Archive:
    """One file on the net, and what it must be."""

    url: str
    size: int  # bytes
    sha256: str
    folder: str  # that it makes when unpacked

    @property
    def name(self) -> str:
        """Its file name."""
        return self.url.rsplit("/", 1)[-1]


# Sizes and checksums are those that TensorFlow Datasets records for these files.
ARCHIVES = {
    "cifar10": Archive(
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        170_052_171,
        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        "cifar-10-batches-bin",
    ),
    "voc2007-trainval": Archive(
        f"{VOC}/voc2007/VOCtrainval_06-Nov-2007.tar",
        460_032_000,
        "7d8cd951101b0957ddfd7a530bdc8a94f06121cfc1e511bb5937e973020c7508",
        "VOCdevkit/VOC2007",
    ),
    "voc2007-test": Archive(
        f"{VOC}/voc2007/VOCtest_06-Nov-2007.tar",
        451_020_800,
        "6836888e2e01dca84577a849d339fa4f73e1e4f135d312430c4856b5609b4892",
        "VOCdevkit/VOC2007",
    ),
    "voc2012-trainval": Archive(
        f"{VOC}/voc2012/VOCtrainval_11-May-2012.tar",
        1_999_639_040,
        "e14f763270cf193d0b5f74b169f44157a4b0c6efa708f4dd0ff78ee691763bcb",
        "VOCdevkit/VOC2012",
    ),
    "coco2017-val": Archive(
        f"{COCO}/zips/val2017.zip",
        815_585_330,
        "4f7e2ccb2866ec5041993c9cf2a952bbed69647b115d0f74da7ce8f4bef82f05",
        "val2017",
    ),
    "coco2017-train": Archive(
        f"{COCO}/zips/train2017.zip",
        19_336_861_798,
        "69a8bb58ea5f8f99d24875f21416de2e9ded3178e903f1f7603e283b9e06d929",
        "train2017",
    ),
    "coco2017-annotations": Archive(
        f"{COCO}/annotations/annotations_trainval2017.zip",
        252_907_541,
        "113a836d90195ee1f884e704da6304dfaaecff1f023f49b6ca93c4aaae470268",
        "annotations",
    ),
}


def fetch(archive: str | Archive, folder: str | Path) -> Path:
    """Download an archive, unless it is there, and unpack it.

    Parameters
    ----------
    archive : str or Archive
        A name of `ARCHIVES`: "cifar10", "voc2007-trainval", "voc2007-test", "voc2012-trainval",
        "coco2017-val", "coco2017-train" (19 GB), "coco2017-annotations".
    folder : str or Path
        Where archives and what is in them are put.

    Returns
    -------
    Path
        The folder that was unpacked.

    Raises
    ------
    ValueError
        If there is no such archive, or what came is not what it should be.
    OSError
        If the net or the disk fails. Calling it again goes on with the same download.
    """
    if isinstance(archive, str):
        if archive not in ARCHIVES:
            raise ValueError(f"archive (={archive!r}) must be one of {', '.join(ARCHIVES)}")
        archive = ARCHIVES[archive]
    root = Path(folder)
    done = root / f".{archive.name}.unpacked"
    if not done.exists():
        unpack(download(archive, root), root)
        done.touch()
    return root / archive.folder


def download(archive: Archive, folder: str | Path) -> Path:
    """Download an archive, go on with one that was cut off, or return the one that is there.

    Raises
    ------
    ValueError, OSError
        As `fetch`.
    """
    path = Path(folder) / archive.name
    if path.exists() and path.stat().st_size == archive.size:
        return path
    part = path.with_name(f"{path.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    have = part.stat().st_size if part.exists() else 0
    if have < archive.size:
        _receive(archive, part, have)
    _compare(archive, part)
    part.replace(path)
    return path


def unpack(path: Path, folder: Path) -> None:
    """Unpack a .zip or .tar archive; a member that would land outside the folder is an error."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as zipped:
            zipped.extractall(folder)  # makes names such as ../x harmless by itself
        return
    with tarfile.open(path) as tarred:
        tarred.extractall(folder, filter="data")


def _receive(archive: Archive, part: Path, have: int) -> None:
    """Append what is still lacking to the part that is there."""
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    request = Request(archive.url, headers={"Range": f"bytes={have}-"} if have else {})
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    try:
        with urlopen(request, timeout=WAIT) as answer, Progress("{task.description}", *columns) as progress:
            goes_on = answer.status == PARTIAL  # else the server sends all of it again
            bar = progress.add_task(archive.name, total=archive.size, completed=have if goes_on else 0)
            with part.open("ab" if goes_on else "wb") as file:
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
                    progress.advance(bar, len(chunk))
    except (URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise OSError(f"{archive.url}: {reason}; what has come is kept: call it again to go on") from None
    if (size := part.stat().st_size) < archive.size:
        raise OSError(f"{archive.url}: cut off after {size} of {archive.size} bytes: call it again to go on")


def _compare(archive: Archive, part: Path) -> None:
    """Delete what came, and say so, if it is not what it should be."""
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != archive.sha256:
        part.unlink()
        raise ValueError(
            f"{archive.url}: what came is not the archive that is known (sha256 {found[:12]}..., not "
            f"{archive.sha256[:12]}...): it was deleted"
        )
