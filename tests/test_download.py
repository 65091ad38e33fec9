"""Archives from a server on this computer: whole, cut off and gone on with, wrong; and CIFAR-10's files."""

import hashlib
import http.server
import io
import re
import tarfile
import threading
import zipfile

import numpy as np
import pytest

from cnncourse.data.cifar10 import read_cifar10
from cnncourse.data.download import ARCHIVES, Archive, download, fetch

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("things/one.txt", "one")
        archive.writestr("things/noise.bin", np.random.default_rng(0).bytes(700_000))
    return buffer.getvalue()


CONTENT = zipped()


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT, from the byte that is asked for, and stops after `most` bytes."""

    daemon_threads = True
    most, ranges, resumes = len(CONTENT), None, True


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/things.zip":
            return self.send_error(404)
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and self.server.resumes else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        return self.wfile.write(CONTENT[start : self.server.most])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server(("127.0.0.1", 0), Handler) as server:
        server.ranges = []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def archive(server, name="things.zip", content=CONTENT):
    address = f"http://127.0.0.1:{server.server_address[1]}/{name}"
    return Archive(address, len(content), hashlib.sha256(content).hexdigest(), "things")


def test_a_whole_download_is_unpacked_once(server, tmp_path, capsys):
    folder = fetch(archive(server), tmp_path / "data")
    assert folder == tmp_path / "data" / "things" and (folder / "one.txt").read_text() == "one"
    assert "things.zip" in capsys.readouterr().out  # the bar
    (tmp_path / "data" / "things.zip").unlink()  # whoever needs the room
    assert fetch(archive(server), tmp_path / "data") == folder
    assert server.ranges == [None]


def test_a_download_that_is_there_is_not_fetched_again(server, tmp_path):
    path = download(archive(server), tmp_path)
    assert download(archive(server), tmp_path) == path and path.read_bytes() == CONTENT
    assert server.ranges == [None]


def test_a_download_goes_on_where_it_was_cut_off(server, tmp_path):
    server.most = 300_000
    with pytest.raises(OSError, match=r"things.zip: cut off after 300000 of \d+ bytes: call it again"):
        fetch(archive(server), tmp_path)
    assert not (tmp_path / "things").exists() and not (tmp_path / "things.zip").exists()
    server.most = len(CONTENT)
    fetch(archive(server), tmp_path)
    assert server.ranges == [None, "bytes=300000-"]
    assert (tmp_path / "things.zip").read_bytes() == CONTENT


def test_a_server_that_starts_again_is_no_harm(server, tmp_path):
    (tmp_path / "things.zip.part").write_bytes(CONTENT[:1000])
    server.resumes = False
    assert download(archive(server), tmp_path).read_bytes() == CONTENT


def test_a_wrong_archive_is_deleted(server, tmp_path):
    (tmp_path / "things.zip.part").write_bytes(b"x" * 1000)
    with pytest.raises(ValueError, match="not the archive that is known"):
        download(archive(server), tmp_path)
    assert not list(tmp_path.iterdir())
    assert download(archive(server), tmp_path).read_bytes() == CONTENT


def test_no_server_and_no_file(server, tmp_path):
    with pytest.raises(OSError, match=r"other.zip: Not Found; what has come is kept"):
        download(archive(server, "other.zip"), tmp_path)
    gone = Archive("http://127.0.0.1:9/things.zip", 5, "", "things")
    with pytest.raises(OSError, match=r"127.0.0.1:9/things.zip: .*; what has come is kept"):
        download(gone, tmp_path)
    with pytest.raises(ValueError, match=r"archive \(='mnist'\) must be one of cifar10, "):
        fetch("mnist", tmp_path)


def test_no_member_lands_outside_the_folder(server, tmp_path):
    with tarfile.open(tmp_path / "things.tar", "w") as tarred:
        member = tarfile.TarInfo("../outside.txt")
        member.size = 3
        tarred.addfile(member, io.BytesIO(b"out"))
    content = (tmp_path / "things.tar").read_bytes()
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "things.tar").write_bytes(content)
    with pytest.raises(tarfile.OutsideDestinationError):
        fetch(archive(server, "things.tar", content), inner)
    assert not (tmp_path / "outside.txt").exists()


def test_the_known_archives():
    for one in ARCHIVES.values():
        assert re.fullmatch("[0-9a-f]{64}", one.sha256) and one.size > 1e8
        assert one.name.endswith((".zip", ".tar", ".tar.gz"))
    assert len({one.sha256 for one in ARCHIVES.values()}) == len(ARCHIVES)


def write_cifar10(folder, each=3):
    """Write files of the binary version, small ones: a label, then 1,024 bytes of red, green and blue."""
    rng, written = np.random.default_rng(0), {}
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        labels, pixels = rng.integers(0, 10, each), rng.integers(0, 256, (each, 3, 32, 32))
        records = b"".join(
            bytes([k]) + bytes(p.ravel().tolist()) for k, p in zip(labels.tolist(), pixels, strict=True)
        )
        (folder / f"{name}.bin").write_bytes(records)
        written[name] = labels, pixels
    (folder / "batches.meta.txt").write_text("\n".join(CLASSES) + "\n\n")
    return written


def test_cifar10(tmp_path):
    written = write_cifar10(tmp_path)
    data = read_cifar10(tmp_path)
    assert data.classes == tuple(CLASSES)
    assert data.train_images.shape == (15, 3, 32, 32) and data.train_images.dtype == np.uint8
    np.testing.assert_array_equal(data.train_images[3:6], written["data_batch_2"][1])
    np.testing.assert_array_equal(data.train_labels[12:], written["data_batch_5"][0])
    np.testing.assert_array_equal(data.test_images, written["test_batch"][1])
    np.testing.assert_array_equal(data.test_labels, written["test_batch"][0])


def test_what_is_wrong_with_cifar10(tmp_path):
    write_cifar10(tmp_path)
    file = tmp_path / "data_batch_4.bin"
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with pytest.raises(ValueError, match=r"data_batch_4.bin: 9218 bytes are not a number of images of 3073"):
        read_cifar10(tmp_path)
    file.write_bytes(content[:3073] + bytes([10]) + content[3074:])
    with pytest.raises(ValueError, match=r"data_batch_4.bin: image 1 has label 10, but there are 10 classes"):
        read_cifar10(tmp_path)
    file.unlink()
    with pytest.raises(FileNotFoundError):
        read_cifar10(tmp_path)
