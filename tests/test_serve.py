"""Serving the book and JupyterLab: the ports, and the types of what is sent."""

import contextlib
import socket
import urllib.request

import pytest

from tools import course, serve, steps


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
