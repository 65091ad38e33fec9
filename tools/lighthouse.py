"""Lighthouse on a chapter of the built book, with its desktop settings: four scores, and what it found."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from http.server import ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

from tools.chromium import FLAGS, MISSING, find_chromium
from tools.pages import BookHandler
from tools.steps import BUILD, CourseError, environment, must
from tools.vendor import npm

VERSION = "12.8.2"  # the last that runs on Node 18 and 20
FOLDER = BUILD / "lighthouse"
CLI = FOLDER / "node_modules" / "lighthouse" / "cli" / "index.js"
PAGE = "book/ch02_conv2d.html"
BUSY = 1000  # what Lighthouse measures on a laptop of 2016 with nothing else to do
TEXT = (".html", ".css", ".js", ".svg", ".json")
LEAST = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}


def install() -> None:
    """Fetch Lighthouse with npm, once; no package runs a script of its own."""
    stamp = FOLDER / "version"
    if stamp.is_file() and stamp.read_text() == VERSION and CLI.is_file():
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    options = ["--prefix", FOLDER, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    must([npm(), "install", *options, f"lighthouse@{VERSION}"], "lighthouse-install")
    stamp.write_text(VERSION)


@cache
def compressed(path: Path) -> bytes:
    """Return a file's bytes as hosts of static pages send them."""
    return gzip.compress(path.read_bytes())


class HostHandler(BookHandler):
    """The book as a host of static pages serves it: text compressed."""

    def send_head(self) -> Any:
        """Send the headers and return the body."""
        path = Path(self.translate_path(self.path))
        if path.suffix not in TEXT or not path.is_file():
            return super().send_head()
        body = compressed(path)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return BytesIO(body)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of this computer while the block runs; yield its address."""
    handler = partial(HostHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def measure(address: str) -> dict[str, Any]:
    """Run Lighthouse on a page and return its report."""
    chromium = find_chromium()
    if not chromium:
        raise CourseError(MISSING)
    report = FOLDER / "report.json"
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    flags = " ".join(["--headless=new", *FLAGS, *(["--no-sandbox"] if root else [])])
    path = environment()["PATH"]
    subprocess.run(
        [
            shutil.which("node", path=path) or "node", CLI, address, "--preset=desktop", "--quiet",
            "--output=json", f"--output-path={report}", "--no-enable-error-reporting",
            f"--chrome-flags={flags}",
        ],
        env={**environment(), "CHROME_PATH": chromium}, cwd=FOLDER, check=True, timeout=300,
    )  # fmt: skip
    return dict(json.loads(report.read_text(encoding="utf-8")))


def findings(report: dict[str, Any], category: str) -> list[str]:
    """Return what cost points in a category, the most expensive first."""
    rows = []
    for audit in report["categories"][category]["auditRefs"]:
        result = report["audits"][audit["id"]]
        if audit["weight"] and result["score"] is not None and result["score"] < 0.995:
            cost = audit["weight"] * (1 - result["score"])
            rows.append((cost, f"{result['title']} ({result.get('displayValue') or result['score']})"))
    return [text for _, text in sorted(rows, reverse=True)]


def main() -> int:
    """Print the scores and what was found; 1 if one is below its target."""
    install()
    with served(BUILD / "html") as address:
        report = measure(f"{address}/{PAGE}")
    missed = False
    speed = round(report["environment"]["benchmarkIndex"])
    print(f"Lighthouse {VERSION}, desktop, {PAGE}; benchmark index of the machine: {speed}")
    if speed < BUSY:
        print(f"    below {BUSY} the machine, not the page, decides the performance")
    for category, least in LEAST.items():
        score = round(100 * report["categories"][category]["score"])
        missed = missed or score < least
        print(f"{category:<16}{score:>4}   at least {least}{'' if score >= least else '   MISSED'}")
        for finding in findings(report, category):
            print(f"    {finding}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
