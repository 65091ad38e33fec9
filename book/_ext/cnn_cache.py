"""Keep the results of pages for the state of the package behind them, and make those that are missing.

Sphinx reads one page after the other, and each would wait for its own cells. So the pages without a result
run before it begins to read, one on each core; Sphinx then finds the results of all of them.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst_nb.core.execute import create_client
from myst_nb.core.execute.cache import NotebookClientCache
from myst_nb.core.read import create_nb_reader
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging

FAILURES = (CellExecutionError, CellTimeoutError, DeadKernelError)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
logger = logging.getLogger(__name__)
BEHIND = {".py", ".mplstyle", ".js", ".css", ".npz"}  # files of the package that pages use


def fingerprint(root: Path) -> str:
    """Return a short hash of everything behind the pages that can change a result or a figure."""
    package, digest = root / "cnncourse", hashlib.sha256()
    code = (file for file in package.rglob("*.*") if file.suffix in BEHIND)
    for source in sorted([*code, root / "requirements.txt"]):
        digest.update(source.relative_to(root).as_posix().encode() + source.read_bytes())
    return digest.hexdigest()[:16]


def choose_cache(app: Sphinx, config: Config) -> None:
    """Keep executed pages in a folder named after the state of the package."""
    kept, state = Path(app.outdir).parent / ".jupyter_cache", fingerprint(Path(app.srcdir))
    for outdated in kept.glob("*"):
        if outdated.name != state:
            shutil.rmtree(outdated, ignore_errors=True)
    config.nb_execution_cache_path = str(kept / state)


@dataclass
class Page:
    """A page whose cells are to run; afterwards its notebook holds their outputs."""

    name: str
    path: Path
    notebook: NotebookNode
    settings: Any  # myst-nb's
    cell: int = 0  # the last one that was started
    seconds: float = 0.0

    async def run(self, turns: asyncio.Semaphore) -> None:
        """Run the cells when it is this page's turn."""
        async with turns:
            start = time.monotonic()
            client = NotebookClient(
                self.notebook,
                timeout=self.settings.execution_timeout,
                allow_errors=self.settings.execution_allow_errors,
                resources={"metadata": {"path": str(self.path.parent)}},
                extra_arguments=["--IPKernelApp.log_level=40"],  # no remark on the kernel's transport
                record_timing=False,  # the cache knows a page by its cells, their metadata included
                on_cell_start=self._note,
            )
            await client.async_execute()
            self.seconds = time.monotonic() - start

    def _note(self, cell: NotebookNode, cell_index: int) -> None:
        self.cell = cell_index

    @property
    def line(self) -> int:
        """The line of the page where the last cell that was started begins."""
        lines = self.notebook.metadata.get("source_map", [])
        return lines[self.cell] + 1 if self.cell < len(lines) else 1


def find_page(env: BuildEnvironment, name: str) -> Page | None:
    """Return a page that is run and whose results are kept by the book's settings, else None."""
    path, settings = Path(env.doc2path(name)), env.mystnb_config
    text = path.read_text(encoding="utf-8")
    reader = create_nb_reader(str(path), env.myst_config, settings, text)
    notebook = reader.read(text) if reader else None
    if notebook is None or settings.metadata_key in notebook.metadata:  # settings of its own: left to myst-nb
        return None
    client = create_client(notebook, str(path), settings, logger, reader.read_fmt)
    return Page(name, path, notebook, settings) if isinstance(client, NotebookClientCache) else None


def run_missing(app: Sphinx, env: BuildEnvironment, names: Sequence[str]) -> None:
    """Run the pages that will be read and have no result yet, as many at once as there are cores.

    Raises
    ------
    ExtensionError
        If a cell fails; page, cell and traceback of each have been logged as errors.
    """
    cache = get_cache(app.config.nb_execution_cache_path)
    known = {record.hashkey for record in cache.list_cache_records()}
    found = [page for name in names if (page := find_page(env, name))]
    pages = [page for page in found if cache.create_hashed_notebook(page.notebook)[1] not in known]
    cores, failed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(), 0
    if pages:
        logger.info("running pages: %d, at once: %d", len(pages), min(len(pages), cores or 1))
    for page, failure in run_together(pages, cores or 1):
        if failure is None:
            result = CacheBundleIn(page.notebook, str(page.path), data={"execution_seconds": page.seconds})
            cache.cache_notebook_bundle(result, check_validity=False, overwrite=True)
            logger.info("ran %s in %.0f s", page.name, page.seconds)
        else:
            failed += 1
            logger.error(describe(failure), location=(page.name, page.line))
    if failed:
        raise ExtensionError(f"pages with a cell that fails: {failed}, named above")


def describe(failure: Exception) -> str:
    """Return what happened in a line, then the cell and the traceback."""
    named = isinstance(failure, CellExecutionError)
    what = f"{failure.ename}: {failure.evalue}" if named else type(failure).__name__
    return f"a cell of this page fails: {COLOURS.sub('', what)}\n{COLOURS.sub('', str(failure)).strip()}"


def run_together(pages: Sequence[Page], at_once: int) -> Iterator[tuple[Page, Exception | None]]:
    """Run pages, `at_once` of them at a time; give each as it ends, with what made it fail or None."""
    with event_loop() as loop:
        turns = asyncio.Semaphore(at_once)
        started = {asyncio.run_coroutine_threadsafe(page.run(turns), loop): page for page in pages}
        for done in as_completed(started):
            failure = done.exception()
            if failure is not None and not isinstance(failure, FAILURES):
                raise failure
            yield started[done], failure


@contextmanager
def event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Run an event loop in a thread of its own, for in the main one nbclient takes Ctrl-C for itself.

    What still runs at the end is cancelled, and ends its kernel.
    """
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def cancel_all() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(cancel_all(), loop).result(timeout=30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("config-inited", choose_cache)
    app.connect("env-before-read-docs", run_missing)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
