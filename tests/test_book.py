"""The built book: what a reader would trip over. The pages are those of _toc.yml, the build is `make book`."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag

from book._ext.cnn_head import lighter, used_icons
from book._ext.cnn_labs import outside_links
from cnncourse.checking import exercise_ids, load
from tools.contents import pages

ROOT = Path(__file__).resolve().parents[1]
BUILT = ROOT / "_build" / "html"


PAGES = pages()
CHAPTERS = [page for page in PAGES if re.match(r"book/ch\d\d", page)]
LABS = sorted(path.parent.name for path in ROOT.glob("notebooks/*/*.ipynb"))
HEAVIEST = 1_500_000  # bytes of a page's HTML, with the figures and explorers that stand in it
MADE = ["search", "genindex"]  # pages that Sphinx adds
HEADINGS = [
    "After this chapter you can",
    "Where notes go wrong",
    "In practice",
    "Where it came from",
    "The lab",
    "Test yourself",
    "Further reading",
]
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|TBD)\b|lorem ipsum|coming soon|placeholder", re.IGNORECASE)
UNRESOLVED = re.compile(
    r"\{(cite|glue|numref|ref|term|doc)[:}]|\?\?\?|np\.\w+\(|undefined label|\bWARNING\b|<\w+ object at"
)

pytestmark = pytest.mark.book


@pytest.fixture(scope="session")
def built() -> Path:
    if not (BUILT / "index.html").is_file():
        pytest.fail(
            f"there is no built book in {BUILT.relative_to(ROOT)}: run `make book` first", pytrace=False
        )
    return BUILT


@cache
def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def labs_of(page: str) -> list[str]:
    """The labs of a chapter: ch12_yolo has ch12_yolo, ch13_rcnn has ch13a_... and ch13b_..."""
    number = page.removeprefix("book/")[:4]
    found = [slug for slug in LABS if re.match(rf"{number}[a-z]?_", slug)]
    assert found, f"{page} has no lab"
    return found


def article(built: Path, page: str) -> Tag:
    found = soup(built / f"{page}.html").select_one("article")
    assert found is not None, f"{page} has no article"
    return found


def section(built: Path, page: str, heading: str) -> Tag:
    for title in article(built, page).find_all("h2"):
        if title.get_text().rstrip("#").strip() == heading:
            return title.parent
    raise AssertionError(f"{page} has no section {heading!r}")


@pytest.mark.parametrize("page", PAGES)
def test_figures_say_what_they_show_and_have_a_caption(built: Path, page: str) -> None:
    for image in article(built, page).find_all(["img", "svg"]):
        if image.get("aria-hidden") == "true" or image.find_parent("svg"):
            continue
        text = image.get("alt") or image.get("aria-label") or ""
        if image.find_parent(attrs={"role": "group"}):  # a card of the checker: small pictures side by side
            assert text, page
            continue
        assert len(text) >= 40, f"{page}: a figure whose alternative text is {text!r}"
        caption = image.find_parent("figure").find("figcaption") if image.find_parent("figure") else None
        assert caption and len(caption.get_text().split()) >= 8, f"{page}: no caption: {text!r}"


@pytest.mark.parametrize("page", PAGES)
def test_figures_take_the_colours_and_ids_of_the_page(built: Path, page: str) -> None:
    figures = article(built, page).select("svg.cnn-figure")
    assert not [figure for figure in figures if "#010203" in str(figure)]
    ids = [tag["id"] for tag in soup(built / f"{page}.html").find_all(id=True)]
    assert sorted(set(ids)) == sorted(ids), [name for name in set(ids) if ids.count(name) > 1]


@pytest.mark.parametrize("page", PAGES)
def test_internal_links_resolve(built: Path, page: str) -> None:
    here = built / f"{page}.html"
    for link in soup(here).find_all("a", href=True):
        url = urlsplit(link["href"])
        if url.scheme or url.netloc:
            continue
        target = (here.parent / unquote(url.path)).resolve() if url.path else here
        assert target.exists(), f"{page}: {link['href']}"
        if url.fragment and target.suffix == ".html":
            anchor = unquote(url.fragment)
            assert soup(target).find(id=anchor), f"{page}: no {anchor!r} in {target.name}"


@pytest.mark.parametrize("page", PAGES)
def test_pages_ask_no_other_host(built: Path, page: str) -> None:
    document = soup(built / f"{page}.html")
    asked = [tag["src"] for tag in document.find_all(src=True)]
    asked += [tag["href"] for tag in document.find_all("link", href=True) if tag.get("rel") != ["canonical"]]
    assert not [url for url in asked if urlsplit(url).netloc]


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_left_unresolved(built: Path, page: str) -> None:
    body = article(built, page)
    text = "\n".join(piece for piece in body.find_all(string=True) if not piece.find_parent(["pre", "code"]))
    found = UNRESOLVED.search(text)
    assert not found, f"{page}: {text[max(0, found.start() - 60) : found.end() + 60]}"
    glued = [span.get_text() for span in body.select("span.pasted-text")]
    assert not [value for value in glued if value in ("", "None", "nan")], page
    assert not body.select("merror, .system-message, .problematic"), page
    assert not [cite for cite in body.select(".bibtex-citation") if cite.get_text() == "[]"], page


@pytest.mark.parametrize("page", PAGES)
def test_labels_and_roles_hide_no_text(built: Path, page: str) -> None:
    document = soup(built / f"{page}.html")
    assert not document.select(
        "summary[aria-label]:not(:has(> .toctree-toggle)), .search-button-field[aria-label], .theme-switch[title]"
    )
    assert not document.select("[role=doc-biblioentry], .citation-list[role]")
    assert not document.select("div.math:not([tabindex])"), (
        "a wide formula scrolls: the keyboard has to reach it"
    )


def test_the_first_file_says_where_the_book_is(built: Path) -> None:
    entry = soup(built / "index.html")
    assert entry.html is not None and entry.html.get("lang") and entry.title and entry.title.get_text()
    target = entry.select_one("main a[href]")
    assert target is not None and (built / str(target["href"])).is_file()


@pytest.mark.parametrize("page", [*PAGES, *MADE])
def test_pages_are_described(built: Path, page: str) -> None:
    description = soup(built / f"{page}.html").find("meta", attrs={"name": "description"})
    assert description and 40 <= len(description["content"]) <= 320, page


@pytest.mark.parametrize("page", [*PAGES, *MADE])
def test_pages_load_what_they_use(built: Path, page: str) -> None:
    document = soup(built / f"{page}.html")
    scripts = " ".join(tag["src"] for tag in document.select("script[src]"))
    assert "fontawesome" not in scripts and "thebe" not in scripts
    assert ("searchindex.js" in scripts) == (page == "search")
    assert ("copybutton.js" in scripts) == bool(document.select("pre"))
    styles = (built / "_static" / "styles" / "pydata-sphinx-theme.css").read_text(encoding="utf-8")
    icons = [
        name for tag in document.select("i, span") for name in tag.get("class", []) if name.startswith("fa-")
    ]
    drawn = [name for name in icons if name not in ("fa-solid", "fa-regular", "fa-lg")]
    assert drawn and not [name for name in drawn if f".{name}:before" not in styles]


@pytest.mark.parametrize("page", [*PAGES, *MADE])
def test_pages_are_not_heavy(built: Path, page: str) -> None:
    assert (built / f"{page}.html").stat().st_size < HEAVIEST


@pytest.mark.parametrize("page", [*PAGES, *MADE])
def test_pages_name_an_address_only_where_one_is_known(built: Path, page: str) -> None:
    canonical = soup(built / f"{page}.html").find("link", rel="canonical")
    if address := os.environ.get("BOOK_URL"):
        assert canonical is not None and canonical["href"].startswith(address.rstrip("/"))
    else:
        assert canonical is None


def test_scripts_and_icons_stay_where_a_page_uses_them() -> None:
    loaded = '<script src="../_static/copybutton.js?v=1"></script>'
    assert lighter(f"{loaded}<p>text</p>") == "<p>text</p>"
    assert lighter(f"{loaded}<pre>code</pre>").startswith("<script defer src=")
    assert lighter('<script src="own.js"></script>') == '<script src="own.js"></script>'
    css = '.a{b:c}.fa-sun:before{content:"1"}.fa-bug:before,.fa-ant:before{content:"2"}'
    assert used_icons(css, ["fa-ant"]) == '.a{b:c}.fa-bug:before,.fa-ant:before{content:"2"}'


@pytest.mark.parametrize("slug", LABS)
def test_lab_is_a_page_with_its_notebook_and_without_an_answer(built: Path, slug: str) -> None:
    page = f"notebooks/{slug}/{slug}"
    body = article(built, page)
    assert f"cnncourse start {slug}" in body.get_text()
    download = body.select_one("a.download")
    assert download is not None
    given = ((built / page).parent / unquote(download["href"])).resolve()
    assert given.read_bytes() == (ROOT / f"{page}.ipynb").read_bytes()
    code = "\n".join(cell.get_text() for cell in body.select(".cell_input pre"))
    for name in exercise_ids(slug):
        source = inspect.getsource(load(name).solution)
        answer = [line for line in source.splitlines() if len(line.strip()) > 30 and " = " in line]
        assert not [line for line in answer if line in code], name
    assert code.count("# YOUR CODE HERE") >= len(exercise_ids(slug))
    assert not body.select(".cell_output"), "a released lab has run nowhere"
    assert [found for found in body.select("details > summary") if found.get_text().startswith("Hint 1")]


@pytest.mark.parametrize("page", CHAPTERS)
def test_chapter_leads_to_its_labs(built: Path, page: str) -> None:
    part = section(built, page, "The lab")
    links = [link["href"] for link in part.select(".lab-links a")]
    for slug in labs_of(page):
        assert [link for link in links if link.endswith(f"{slug}/{slug}.html")]
        assert [link for link in links if link.endswith(f"{slug}.ipynb")]
        assert f"cnncourse start {slug}" in part.get_text()


@pytest.mark.parametrize("slug", LABS)
def test_colab_and_binder_are_offered_where_there_is_a_public_repository(built: Path, slug: str) -> None:
    repository = os.environ.get("GITHUB_REPOSITORY", "")
    offered = [link["href"] for link in article(built, f"notebooks/{slug}/{slug}").select(".lab-links a")]
    offered = [address for address in offered if urlsplit(address).netloc]
    assert offered == [
        address for _, address in outside_links(repository, os.environ.get("GITHUB_REF_NAME") or "main", slug)
    ]


def test_addresses_of_colab_and_binder() -> None:
    assert outside_links("", "main", "ch02_conv2d") == []
    colab, binder = (address for _, address in outside_links("someone/course", "a/b", "ch02_conv2d"))
    path = "notebooks/ch02_conv2d/ch02_conv2d.ipynb"
    assert colab == f"https://colab.research.google.com/github/someone/course/blob/a%2Fb/{path}"
    assert binder == f"https://mybinder.org/v2/gh/someone/course/a%2Fb?labpath={path.replace('/', '%2F')}"


@pytest.mark.parametrize("page", CHAPTERS)
def test_chapter_has_every_part_in_order(built: Path, page: str) -> None:
    body = article(built, page)
    titles = [title.get_text().rstrip("#").strip() for title in body.find_all("h2")]
    assert [title for title in titles if title in HEADINGS] == HEADINGS
    opening = body.find("h1").find_next(["h2", "figure"])
    assert opening.name == "figure", "a chapter opens with a picture"
    number = page.split("/")[-1].split("_")[0]
    assert body.select_one(f"figure#fig-{number}-turn, .cnn-explorer"), "no parameter to turn"
    assert body.select("div.math") and body.select(".cell_input")
    assert body.select(".admonition.example"), "no box `Try it`"
    assert 1 <= len(section(built, page, "Where notes go wrong").select(".admonition.warning")) <= 3
    assert section(built, page, "In practice").select(".admonition.tip")
    assert section(built, page, "Where it came from").select('a[href*="references.html#"]')
    assert len(section(built, page, "Test yourself").select("details")) == 5
    assert section(built, page, "Further reading").select("li")


@pytest.mark.parametrize("page", CHAPTERS)
def test_cells_that_a_reader_can_open_run_by_themselves(built: Path, page: str) -> None:
    cells = article(built, page).select(".cell_input pre")
    code = "\n\n".join(cell.get_text() for cell in cells)
    command = [sys.executable, "-W", "ignore", "-c", "import matplotlib; matplotlib.use('agg')\n" + code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("page", CHAPTERS)
def test_each_outcome_is_tested_by_an_exercise_of_a_lab(built: Path, page: str) -> None:
    labs = [importlib.import_module(f"cnncourse.exercises.{slug}") for slug in labs_of(page)]
    exercises = [name for lab in labs for name in lab.EXERCISES]
    outcomes = section(built, page, HEADINGS[0]).select("ol > li")
    assert 3 <= len(outcomes) <= 5
    for outcome in outcomes:
        assert outcome.find("code").get_text() in exercises, outcome.get_text()


@pytest.mark.parametrize("page", CHAPTERS)
def test_chapter_has_the_length_of_a_chapter(page: str) -> None:
    text = (ROOT / f"{page}.md").read_text(encoding="utf-8")
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    text = re.sub(r"^(```+)\{code-cell\}.*?^\1$|^\$\$.*?^\$\$$", "", text, flags=re.DOTALL | re.MULTILINE)
    words = re.sub(r"^(:::|```).*$|\{[\w:]+\}(?=`)", "", text, flags=re.MULTILINE).split()
    assert 2500 <= len(words) <= 4000, f"{page}: {len(words)} words"


@pytest.mark.parametrize(
    "source", sorted([*ROOT.glob("book/*.md"), *ROOT.glob("solutions/*.md")]), ids=lambda p: p.stem
)
def test_sources_are_finished(source: Path) -> None:
    found = UNFINISHED.search(source.read_text(encoding="utf-8"))
    assert not found, f"{source.name}: {found}"
