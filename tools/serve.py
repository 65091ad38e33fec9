"""Serves the built book and JupyterLab on this computer, until Ctrl-C."""

import os
import secrets
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tools.steps import BUILD, ROOT, CourseError, environment, say, venv_python

HOST = "127.0.0.1"
WORK = ROOT / "work"


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


def port_from(variables: Mapping[str, str], name: str, default: int) -> int:
    """Read a port number from a variable."""
    text = variables.get(name) or str(default)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise CourseError(f"{name}={text} is not a port: choose a number from 1024 to 65535")
    return int(text)


def ports() -> tuple[int, int]:
    """Return the book's and JupyterLab's ports, both free."""
    book, lab = port_from(os.environ, "BOOK_PORT", 8000), port_from(os.environ, "LAB_PORT", 8888)
    if book == lab:
        raise CourseError(f"BOOK_PORT and LAB_PORT are both {book}: they need two different ports")
    check_port(book, "BOOK_PORT")
    check_port(lab, "LAB_PORT")
    return book, lab


def check_port(port: int, variable: str) -> None:
    """Raise CourseError where something already listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise CourseError(f"port {port} is not for this user: choose another, {variable}=8765") from None
        except OSError:
            raise CourseError(
                f"port {port} is in use: stop what uses it, or choose another, for example "
                f"`make course {variable}={port + 1}`"
            ) from None


@contextmanager
def book_server(port: int, folder: Path = BUILD / "html") -> Iterator[None]:
    """Serve the book's folder while the block runs."""
    with ThreadingHTTPServer((HOST, port), partial(BookHandler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def lab_server(port: int, token: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run JupyterLab on `work/` while the block runs; it stops with its kernels."""
    command = [
        venv_python(), "-m", "jupyterlab", "--no-browser", f"--ip={HOST}", f"--port={port}",
        "--ServerApp.port_retries=0", f"--ServerApp.root_dir={WORK}", "--log-level=WARN",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.news_url=",
        "--allow-root",  # in a container that is who one is
    ]  # fmt: skip
    log = BUILD / "logs" / "jupyterlab.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    # The token goes by the environment: a command line is there for every user of the machine to read.
    # A session of its own, so that Ctrl-C reaches it once, from here, as the signal it does not question.
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**environment(), "JUPYTER_TOKEN": token},
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_lab(process: "subprocess.Popen[bytes]", port: int, seconds: float = 60) -> None:
    """Return once JupyterLab answers."""
    for _ in range(int(seconds * 4)):
        if process.poll() is not None:
            break
        with suppress(OSError), urllib.request.urlopen(f"http://{HOST}:{port}/api", timeout=2):
            return
        time.sleep(0.25)
    raise CourseError("JupyterLab did not start: _build/logs/jupyterlab.txt says why")


def serve(book_port: int, lab_port: int) -> None:
    """Serve book and JupyterLab until Ctrl-C (or SIGTERM), then end both."""
    token = secrets.token_urlsafe(24)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with book_server(book_port), lab_server(lab_port, token) as lab:
            wait_for_lab(lab, lab_port)
            say(f"\nThe book:   http://localhost:{book_port}")
            say(f"JupyterLab: http://localhost:{lab_port}/lab?token={token}")
            say("Your labs are in work/. Ctrl-C ends both.")
            if lab.wait():
                raise CourseError("JupyterLab ended: _build/logs/jupyterlab.txt says why")
    except KeyboardInterrupt:
        pass
    say("\nBook and JupyterLab have ended; your work is in work/.")
