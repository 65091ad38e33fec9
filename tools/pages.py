"""The book over HTTP: its files as they are, or live, to be seen while it is written."""

import shutil
import time
from http.server import SimpleHTTPRequestHandler
from io import BytesIO
from pathlib import Path
from threading import Condition
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from tools.steps import BUILD

CHANGES = "/changes-of-the-book"
# Only a page that is looked at listens: a browser has few connections for one server, however many its tabs.
SCRIPT = """<script>
(() => {
  let stream;
  const listen = () => {
    stream?.close();
    if (document.hidden) return;
    stream = new EventSource("%s");
    stream.onmessage = ({ data }) => data === "%s" || location.reload();
  };
  document.addEventListener("visibilitychange", listen);
  listen();
})();
</script>
"""


class BookHandler(SimpleHTTPRequestHandler):
    """Static files, their types set here (a system's own table may be wrong), never cached."""

    extensions_map = {  # noqa: RUF012  (the base class's attribute, of this type)
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the terminal quiet."""


class Showing:
    """What readers get: a copy of the last good build, never half of one or one that failed."""

    def __init__(self, built: Path = BUILD / "html", kept: Path = BUILD / "shown") -> None:
        self.built, self.kept = built, kept
        self._changed = Condition()
        shutil.rmtree(kept, ignore_errors=True)
        self.update()

    def update(self) -> None:
        """Show what has been built."""
        folder = self.kept / str(time.time_ns())
        shutil.copytree(self.built, folder)
        with self._changed:
            self.folder = folder
            self._changed.notify_all()
        for older in sorted(self.kept.iterdir())[:-2]:  # the last one may still be read
            shutil.rmtree(older, ignore_errors=True)

    def wait(self, version: str, seconds: float) -> str:
        """Return the version that is shown, which its folder is named after, once it is not the one given."""
        with self._changed:
            self._changed.wait_for(lambda: self.folder.name != version, seconds)
            return self.folder.name

    def close(self) -> None:
        """Remove the copies."""
        shutil.rmtree(self.kept, ignore_errors=True)


class LiveHandler(BookHandler):
    """The book's files, to each page a script added that loads it again when there is a new version."""

    def __init__(self, *arguments: Any, showing: Showing) -> None:
        self.showing = showing
        super().__init__(*arguments, directory=str(showing.folder))

    def do_GET(self) -> None:
        if urlsplit(self.path).path == CHANGES:
            self._tell_changes()
        else:
            super().do_GET()

    def send_head(self) -> BytesIO | BinaryIO | None:
        folder = urlsplit(self.path).path.endswith("/")
        page = Path(self.translate_path(self.path)) / ("index.html" if folder else "")
        if page.suffix != ".html" or not page.is_file():
            return super().send_head()
        script = (SCRIPT % (CHANGES, Path(self.directory).name)).encode()
        text = page.read_bytes().replace(b"</body>", script + b"</body>", 1)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        return BytesIO(text)

    def _tell_changes(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        told = ""
        try:
            while True:
                version = self.showing.wait(told, seconds=15)
                said = ": still here" if version == told else f"data: {version}"
                self.wfile.write(f"{said}\n\n".encode())
                told = version
        except OSError:  # the page is gone
            return
