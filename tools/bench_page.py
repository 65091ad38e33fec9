"""How long Python in a page lets a reader wait, on this computer and from it, as shares of what is promised.

    python tools/bench_page.py [folder of a built book]

Ends with 1 if a limit is passed. What is measured is the first cell of the book's first page that has any, in
a browser that has fetched nothing yet.
"""

from __future__ import annotations

import sys
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from playwright.sync_api import Browser, Page

from tools.chromium import chromium
from tools.pages import BookHandler

BUILT = Path(__file__).resolve().parents[1] / "_build" / "html"
FIRST, LATER = 6.0, 0.2  # seconds, for two cores that do nothing else
REPEATS = 3  # the shortest time counts: what else the computer did is left out
RUN = """() => new Promise((end) => {
  const cell = document.querySelector(".cnn-try-it");
  const status = cell.querySelector("[role=status]");
  const start = performance.now();
  new MutationObserver((_, observer) => {
    if (!/^(Done in|Ended with)/.test(status.textContent)) return;
    observer.disconnect();
    end(performance.now() - start);
  }).observe(status, { childList: true });
  cell.querySelector(".try-it-run").click();
})"""


def page_with_cells(built: Path) -> Path:
    """Return the first page with a cell to run.

    Raises
    ------
    SystemExit
        If there is none.
    """
    for path in sorted(built.rglob("*.html")):
        if 'class="cnn-try-it' in path.read_text(encoding="utf-8"):
            return path.relative_to(built)
    raise SystemExit(f"no page in {built} has a cell to run: `make book` first")


def run(page: Page) -> float:
    """Run the first cell and return the seconds until its result stands there."""
    return float(page.evaluate(RUN)) / 1000


def visit(browser: Browser, address: str) -> tuple[float, float]:
    """Return the seconds of a new reader's first run, and of the same run once more."""
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(address)
        page.wait_for_function("document.documentElement.dataset.tryIt")
        return run(page), min(run(page) for _ in range(REPEATS))
    finally:
        context.close()


def main(built: Path) -> int:
    """Print both times; return 1 if one is over its limit."""
    path = page_with_cells(built)
    handler = partial(BookHandler, directory=str(built))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, chromium() as browser:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/{path.as_posix()}"
        visits = [visit(browser, address) for _ in range(REPEATS)]
        server.shutdown()
    first, later = (min(times) for times in zip(*visits, strict=True))
    print(f"{'first result in the page':<32}{first / FIRST:8.2f} of {FIRST:g} s")
    print(f"{'a later run in the page':<32}{later / LATER:8.2f} of {LATER:g} s")
    return int(first > FIRST or later > LATER)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else BUILT))
