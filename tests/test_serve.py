"""Serving the book and JupyterLab: the ports, the types of what is sent, and building again what is saved."""

import contextlib
import socket
import threading
import time
import urllib.request

import pytest

from tools import building, course, pages, serve, steps, watch


@contextlib.contextmanager
def busy_port():
    """Listen on some port."""
    with socket.socket() as busy:
        busy.bind((serve.HOST, 0))
        busy.listen()
        yield busy.getsockname()[1]


def test_a_port_in_use_is_told_in_one_line_before_anything_is_built(monkeypatch, capsys):
    monkeypatch.setattr(course, "make_venv", lambda: pytest.fail("too early"))
    with busy_port() as port:
        monkeypatch.setenv("BOOK_PORT", str(port))
        assert course.main(["course"]) == 1
    line = capsys.readouterr().out
    assert line == (
        f"course: port {port} is in use: stop what uses it, or choose another, "
        f"for example `make course BOOK_PORT={port + 1}`\n"
    )


@pytest.mark.parametrize("text", ["80 80", "0", "70000", "book"])
def test_a_wrong_port_is_told_in_one_line(text):
    with pytest.raises(steps.CourseError, match="is not a port"):
        serve.port_from({"LAB_PORT": text}, "LAB_PORT", 8888)


def test_the_book_is_served_with_the_types_that_browsers_ask_for(tmp_path):
    (tmp_path / "index.html").write_text("<p>book</p>")
    (tmp_path / "explorer.mjs").write_text("export {}")
    (tmp_path / "numpy.wasm").write_bytes(b"")
    with busy_port() as port:
        pass
    types = {}
    with serve.book_server(port, tmp_path):
        for name in ("", "explorer.mjs", "numpy.wasm"):
            with urllib.request.urlopen(f"http://localhost:{port}/{name}") as answer:
                types[name] = answer.headers.get_content_type()
    assert types == {"": "text/html", "explorer.mjs": "text/javascript", "numpy.wasm": "application/wasm"}
    serve.check_port(port, "BOOK_PORT")


def get(address):
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.read().decode()


def until(condition):
    """Return whether a condition comes true within ten seconds."""
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


@pytest.fixture
def showing(tmp_path):
    """A built book of one page, and what readers are shown of it."""
    built = tmp_path / "built"
    built.mkdir()
    (built / "index.html").write_text("<body><p>first</p></body>")
    (built / "data.json").write_text("{}")
    return pages.Showing(built, tmp_path / "shown")


@pytest.fixture
def address(showing):
    """Where it is served."""
    with busy_port() as port:
        pass
    with serve.book_server(port, showing):
        yield f"http://localhost:{port}"


def test_the_script_that_reloads_is_added_to_pages_as_they_are_sent_and_to_nothing_else(showing, address):
    for page in ("/", "/index.html", "/index.html?highlight=kernel"):
        assert get(address + page).count("<script>") == 1
    assert get(f"{address}/data.json") == "{}"
    for folder in (showing.built, showing.folder):
        assert "script" not in (folder / "index.html").read_text()


def test_readers_keep_the_last_good_build_while_the_next_one_is_made(showing, address):
    (showing.built / "index.html").unlink()
    assert "first" in get(address)
    (showing.built / "index.html").write_text("<body><p>second</p></body>")
    assert "first" in get(address)
    showing.update()
    assert "second" in get(address)
    showing.close()
    assert not showing.kept.exists()


def test_an_open_page_is_told_its_version_and_then_the_next(showing, address):
    with urllib.request.urlopen(address + pages.CHANGES, timeout=10) as stream:
        told = stream.readline().decode()
        assert told == f"data: {showing.folder.name}\n"
        assert told.split()[1] in get(address)  # the page compares it with its own
        showing.update()
        stream.readline()
        assert stream.readline().decode() == f"data: {showing.folder.name}\n" != told


class Author:
    """Somebody who saves files, and a stand-in for the build that notes what it was given to build."""

    def __init__(self, folder, showing):
        self.folder, self.showing = folder, showing
        self.built, self.trouble, self.stopped, self.busy = [], "", False, threading.Event()
        self._looked = threading.Event()
        self.busy.set()
        (folder / "chapter").mkdir()
        self.save("chapter/page.md", "first")
        self._loop = threading.Thread(target=self._watch)
        self._loop.start()
        assert self._looked.wait(10)  # at the files as they are

    def _watch(self):
        watch.rebuild_on_save(self.build, self.showing, self._ended, [self.folder], pause=0.02)

    def _ended(self):
        self._looked.set()
        return self.stopped

    def save(self, name, text):
        (self.folder / name).write_text(text)

    def build(self):
        text = (self.folder / "chapter" / "page.md").read_text()
        self.built.append(text)
        self.busy.wait(10)
        if self.trouble:
            raise steps.CourseError(self.trouble)
        (self.showing.built / "index.html").write_text(f"<body>{text}</body>")
        return True

    def sees(self, page, address):
        """Return whether a reader does, soon."""
        return until(lambda: page in get(address))

    def stop(self):
        self.stopped = True
        self.busy.set()
        self._loop.join()


@pytest.fixture
def author(showing, tmp_path):
    (tmp_path / "text").mkdir()
    someone = Author(tmp_path / "text", showing)
    yield someone
    someone.stop()


def test_a_file_that_is_saved_is_built_and_shown(author, address, capsys):
    author.save("chapter/page.md", "second")
    assert author.sees("second", address)
    assert author.built == ["second"]
    assert "saved: " in capsys.readouterr().out


def test_several_quick_saves_are_one_build_and_saves_during_a_build_are_one_more(author, address):
    author.busy.clear()
    author.save("chapter/page.md", "second")
    assert until(lambda: author.built)
    for number in range(5):
        author.save("chapter/page.md", f"later {number}")
        author.save(f"new-{number}.md", "")
    author.busy.set()
    assert author.sees("later 4", address)
    time.sleep(0.2)
    assert author.built == ["second", "later 4"]


def test_a_build_that_fails_is_told_in_a_few_lines_and_the_old_page_stays(author, address, capsys):
    author.trouble = "page.md:3: no such figure"
    author.save("chapter/page.md", "broken")
    assert until(lambda: author.built)
    time.sleep(0.1)
    assert "first" in get(address)
    said = capsys.readouterr().out
    assert "course: page.md:3: no such figure\n" in said and said.count("\n") <= 5
    author.trouble = ""
    author.save("chapter/page.md", "mended")
    assert author.sees("mended", address)


def test_what_editors_leave_beside_a_file_is_no_reason_to_build(author):
    for name in (".page.md.swp", "page.md~", "#page.md#", "chapter/.#page.md", "module.pyc"):
        author.save(name, "")
    (author.folder / "__pycache__").mkdir()
    author.save("__pycache__/module.txt", "")
    (author.folder / "chapter" / ".ipynb_checkpoints").mkdir()
    author.save("chapter/.ipynb_checkpoints/page.md", "")
    time.sleep(0.3)
    assert author.built == []


def test_a_file_that_is_deleted_is_a_change(author):
    author.save("chapter/other.md", "")
    assert until(lambda: author.built)
    (author.folder / "chapter" / "other.md").unlink()
    assert until(lambda: len(author.built) == 2)


PRINTED = """\x1b[01mreading sources... \x1b[39;49;00m[ 50%] book/a
\x1b[31m/home/x/book/a.md:7: WARNING: undefined label: 'nowhere' [ref.ref]\x1b[39;49;00m
/home/x/book/b.md:12: ERROR: a cell of this page fails: ZeroDivisionError: division by zero
----> 2     return 1 / x
Traceback (most recent call last):
  File "jupyter-book", line 8, in <module>
"""


def test_what_is_wrong_with_the_book_is_said_in_a_line_each_and_in_full_with_the_cell():
    brief = building.problems(PRINTED, brief=True)
    assert brief.splitlines() == [
        "/home/x/book/a.md:7: WARNING: undefined label: 'nowhere' [ref.ref]",
        "/home/x/book/b.md:12: ERROR: a cell of this page fails: ZeroDivisionError: division by zero",
    ]
    in_full = building.problems(PRINTED, brief=False)
    assert in_full == f"{brief}\n----> 2     return 1 / x"
    assert building.problems("out of memory\n", brief=True) == "out of memory"
