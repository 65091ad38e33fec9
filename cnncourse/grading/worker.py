"""What a worker of `cnncourse.grading.pool` runs: job after job, told on stdin and answered on stdout."""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from cnncourse.grading.jobs import job_from_dict
from cnncourse.grading.store import Store
from cnncourse.grading.work import Job, Result


def work(options: Mapping[str, Any]) -> None:
    """Grade until stdin ends; a job that is under way when it ends is given up."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")  # no process that is started here inherits it
    os.dup2(2, 1)
    told: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    busy = threading.Event()
    threading.Thread(target=_listen, args=(told, busy), daemon=True).start()
    grade = function(options["grade"])
    store = Store(Path(options["folder"]), options["lab"])
    _answer(answers, {"ready": True})
    while (line := told.get()) is not None:
        busy.set()
        task = json.loads(line)
        trouble = _grade(grade, store, task["id"], job_from_dict(task["job"]))
        busy.clear()
        _answer(answers, {"trouble": trouble})


def function(name: str) -> Callable[[Job], Result]:
    """Return the function of a name such as ``"package.module:function"``."""
    module, _, attribute = name.partition(":")
    found: Callable[[Job], Result] = getattr(import_module(module), attribute)
    return found


def _listen(told: queue.SimpleQueue[str | None], busy: threading.Event) -> None:
    for line in sys.stdin:
        told.put(line)
    told.put(None)
    if busy.is_set():
        os._exit(1)


def _answer(answers: Any, answer: Mapping[str, object]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _grade(grade: Callable[[Job], Result], store: Store, job_id: str, job: Job) -> str:
    """Grade one job; return what went wrong, if anything: nothing that a student did."""
    try:
        store.save(job_id, grade(job).to_json())
    except Exception as error:
        return in_a_line(error)
    return ""


def in_a_line(error: BaseException) -> str:
    """Return an error as one line."""
    plain = type(error).__module__.startswith("cnncourse.")
    name = "" if plain else f"{type(error).__name__}: "
    return name + " ".join(str(error).split())[:300]
