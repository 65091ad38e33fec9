"""A headless Chromium for the tests of pages, explorers and JupyterLab; whatever asks another host is noted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Browser, Page, Request

from tools.chromium import MISSING, chromium, find_chromium
from tools.pages import BookHandler

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "_build" / "html"
SHOTS = ROOT / "_build" / "screenshots"  # kept by continuous integration
HARNESS = """<!DOCTYPE html>
<html lang="en" data-theme="light"><head><meta charset="utf-8"><title>One explorer</title>
<meta name="viewport" content="width=device-width"></head>
<body><main><h1>One explorer</h1><div id="explorer"></div></main>
<script type="module">
import explorer from "./explorer.js";
import * as functions from "./explorer.js";
import { Model, mount } from "./widgets.js";
window.functions = functions;
const state = await (await fetch("./state.json")).json();
window.model = new Model(state);
await mount(explorer, window.model, document.querySelector("#explorer"), state._css);
document.documentElement.dataset.ready = "yes";
</script></body></html>
"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium; where there is none its tests are skipped, and fail in continuous integration."""
    if not find_chromium():
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING, pytrace=False)
        pytest.skip(MISSING)
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Path], str]]:
    """Serve a folder on a free port of this computer, and return its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(folder: Path) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(BookHandler, directory=str(folder)))
        Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    with ThreadPoolExecutor(max_workers=len(servers) or 1) as together:  # each looks twice a second
        list(together.map(ThreadingHTTPServer.shutdown, servers))
    for server in servers:
        server.server_close()


@pytest.fixture(scope="session")
def site(serve: Callable[[Path], str]) -> str:
    """The built book's address."""
    if not (BUILT / "index.html").is_file():
        pytest.fail("there is no built book in _build/html: run `make book` first", pytrace=False)
    return serve(BUILT)


@dataclass
class Visit:
    """A page in the browser, and what went wrong on it."""

    page: Page
    outside: list[str] = field(default_factory=list)  # addresses of other hosts, all refused
    errors: list[str] = field(default_factory=list)  # of the page, and on its console

    @property
    def trouble(self) -> list[str]:
        """Everything that a page should never do."""
        return [*self.outside, *self.errors]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Open an address: ``visit(url, width=1280, dark=False, **context)``; other hosts are refused and noted."""
    contexts = []

    def open_page(url: str, width: int = 1280, dark: bool = False, **settings: Any) -> Visit:
        settings = {"viewport": {"width": width, "height": 900}} | settings
        context = browser.new_context(color_scheme="dark" if dark else "light", **settings)
        contexts.append(context)
        seen = Visit(context.new_page())
        home = url.split("/")[2]

        def route(handler: Any, request: Request) -> None:
            if request.url.split("/")[2] == home:
                handler.continue_()
            else:
                seen.outside.append(request.url)
                handler.abort()

        context.route("http*://**/*", route)
        seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
        seen.page.on(
            "console",
            lambda said: seen.errors.append(said.text) if said.type in ("error", "warning") else None,
        )
        seen.page.goto(url)
        return seen

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def mount(visit: Callable[..., Visit], serve: Callable[[Path], str], tmp_path: Path) -> Callable[..., Page]:
    """Show one explorer alone, by the book's own loader: ``mount(ConvExplorer(stride=2), width=390)``.

    The page has `window.model` (its state, with get, set and on) and `window.functions` (what its module
    exports). A page with an error fails the test at its end.
    """

    def show(explorer: Any, **settings: Any) -> Page:
        state = explorer.get_state()
        (tmp_path / "explorer.js").write_text(state["_esm"], encoding="utf-8")
        (tmp_path / "widgets.js").write_text(
            (ROOT / "book" / "_assets" / "widgets.js").read_text(encoding="utf-8"), encoding="utf-8"
        )
        kept = {name: value for name, value in state.items() if name != "_esm"}
        (tmp_path / "state.json").write_text(json.dumps(kept), encoding="utf-8")
        (tmp_path / "index.html").write_text(HARNESS, encoding="utf-8")
        seen = visit(serve(tmp_path) + "/index.html", **settings)
        seen.page.wait_for_function("document.documentElement.dataset.ready")
        assert not seen.trouble, seen.trouble
        return seen.page

    return show


def call(page: Page, function: str, *arguments: Any) -> Any:
    """Call a function that the explorer's module exports, and return its result."""
    return page.evaluate("([name, given]) => window.functions[name](...given)", [function, list(arguments)])


@pytest.fixture(name="call")
def call_fixture() -> Callable[..., Any]:
    """See `call`."""
    return call


@pytest.fixture
def screenshot(request: pytest.FixtureRequest) -> Callable[[Page, str], Path]:
    """Keep a picture of a page in _build/screenshots."""

    def keep(page: Page, name: str) -> Path:
        SHOTS.mkdir(parents=True, exist_ok=True)
        path = SHOTS / f"{name}.png"
        page.screenshot(path=str(path), full_page=True)
        return path

    return keep
