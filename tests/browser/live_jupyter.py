"""JupyterLab on a folder, for tests in a browser: as `make serve` runs it, but with nothing of the user's own."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cnncourse
from tools.serve import lab_command, running, wait_for_server

# All cells are in the page, also those that are scrolled out; and light or dark as the browser asks for.
SETTINGS = {
    "notebook-extension/tracker": '{"windowingMode": "none"}',
    "apputils-extension/themes": '{"adaptive-theme": true}',
}
# What is said on the console all the same: how JupyterLab shows other pages, that a computer is busy, and that
# MathJax asked for a font at about:blank. (What is asked of another host is noted apart, not on the console.)
REMARKS = (
    "An iframe which has both allow-scripts and allow-same-origin",
    "to activate",
    "Access to font at 'about:blank'",
    "net::ERR_FAILED",
)


@dataclass(frozen=True)
class Jupyter:
    """A running server: its address, and the word that lets one in."""

    address: str
    token: str

    def url(self, path: str) -> str:
        """Return the address of a page."""
        return f"{self.address}/{path}?token={self.token}"


def trouble(seen: Any) -> list[str]:
    """Return what a visit asked of other hosts and what went wrong, without those remarks."""
    return [line for line in seen.trouble if not any(remark in line for remark in REMARKS)]


@contextmanager
def live_jupyter(folder: Path, aside: Path) -> Iterator[Jupyter]:
    """Run JupyterLab on `folder` while the block runs, its settings and what it prints in `aside`."""
    for name, text in SETTINGS.items():
        path = aside / "config" / "lab" / "user-settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    own = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "IPYTHONDIR": "ipython"}
    own |= {"JUPYTER_RUNTIME_DIR": "run"}
    variables = {**os.environ, **{name: str(aside / place) for name, place in own.items()}}
    # What the package installs into share/jupyter; and nbgrader calls alembic by its name.
    variables["JUPYTER_PATH"] = str(Path(cnncourse.__file__).parent / "grading" / "share")
    variables["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), variables.get("PATH", "")])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token, log = secrets.token_urlsafe(12), aside / "log.txt"
    command = lab_command(sys.executable, folder, port)
    with running(command, folder, token, variables, log) as process:
        wait_for_server(process, port, log)
        yield Jupyter(f"http://127.0.0.1:{port}", token)
