"""Serves the book, as it is written, and JupyterLab on this computer, until Ctrl-C."""

import os
import secrets
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

from tools.pages import BookHandler, LiveHandler, Showing
from tools.steps import BUILD, ROOT, CourseError, environment, say, venv_python
from tools.watch import rebuild_on_save

HOST = "127.0.0.1"
WORK = ROOT / "work"
QUIET = ROOT / "tools" / "jupyter"  # settings of JupyterLab: it asks no other host for news or extensions


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
def book_server(port: int, book: Path | Showing = BUILD / "html") -> Iterator[None]:
    """Serve the book while the block runs: the files of a folder, or what is shown while it is written."""
    live = isinstance(book, Showing)
    handler = partial(LiveHandler, showing=book) if live else partial(BookHandler, directory=str(book))
    with ThreadingHTTPServer((HOST, port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def lab_command(python: str | Path, folder: Path, port: int) -> list[str]:
    """Return the command that runs JupyterLab on a folder."""
    return [
        str(python), "-m", "jupyterlab", "--no-browser", f"--ip={HOST}", f"--port={port}",
        "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}", "--log-level=WARN",
        "--allow-root",  # in a container that is who one is
    ]  # fmt: skip


@contextmanager
def running(
    command: Sequence[str], folder: Path, token: str, variables: Mapping[str, str], log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a Jupyter server while the block runs, what it prints in `log`; it stops with its kernels."""
    log.parent.mkdir(parents=True, exist_ok=True)
    settings = os.pathsep.join(filter(None, [str(QUIET), variables.get("JUPYTER_CONFIG_PATH")]))
    # The token goes by the environment: a command line is there for every user of the machine to read.
    own = {"JUPYTER_TOKEN": token, "JUPYTER_CONFIG_PATH": settings}
    # A session of its own, so that Ctrl-C reaches it once, from here, as the signal it does not question.
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env={**variables, **own},
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


def wait_for_server(process: "subprocess.Popen[bytes]", port: int, log: Path, seconds: float = 60) -> None:
    """Return once a Jupyter server answers."""
    for _ in range(int(seconds * 4)):
        if process.poll() is not None:
            break
        with suppress(OSError), urllib.request.urlopen(f"http://{HOST}:{port}/api", timeout=2):
            return
        time.sleep(0.25)
    raise CourseError(f"JupyterLab did not start: {log} says why")


def serve(book_port: int, lab_port: int, build: Callable[[], bool]) -> None:
    """Serve book and JupyterLab until Ctrl-C (or SIGTERM), then end both.

    `build` builds the book, if there is something to build, whenever a file is saved.
    """
    token, log, showing = secrets.token_urlsafe(24), BUILD / "logs" / "jupyterlab.txt", Showing()
    command = lab_command(venv_python(), WORK, lab_port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with book_server(book_port, showing), running(command, ROOT, token, environment(), log) as lab:
            wait_for_server(lab, lab_port, log)
            say(f"\nThe book:   http://localhost:{book_port}   (follows what you save)")
            say(f"JupyterLab: http://localhost:{lab_port}/lab?token={token}")
            say("Your labs are in work/. Ctrl-C ends both.")
            rebuild_on_save(build, showing, ended=lambda: lab.poll() is not None)
            if lab.returncode:
                raise CourseError("JupyterLab ended: _build/logs/jupyterlab.txt says why")
    except KeyboardInterrupt:
        pass
    finally:
        showing.close()
    say("\nBook and JupyterLab have ended; your work is in work/.")
