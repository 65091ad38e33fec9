"""A warm process: it has imported what a lab imports, and forks a kernel for each submission.

Started as a script, never imported: ``python -I zygote.py '{"control": 3, "walls": true, ...}'``. It must
stay free of threads, because a fork copies only one, and of anything that a student may not know, because a
fork copies all memory: the checks and the exercises are never imported here, and `check` is a stub.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import types
from pathlib import Path
from typing import Any

MOST_SOCKETS = 120


def put_stub() -> None:
    """Let ``from cnncourse import check`` work without the checks."""
    stub = types.ModuleType("cnncourse.checking", "Verdicts are formed elsewhere.")

    def check(exercise_id: str, *answers: Any) -> float:
        print(f"{exercise_id} is checked after all cells have run, outside this process.")
        return 0.0

    stub.check = check  # type: ignore[attr-defined]
    stub.__path__ = []
    sys.modules["cnncourse.checking"] = stub


def warm(modules: list[str]) -> None:
    """Import what submissions will import; what is not installed here is left out."""
    os.environ["MPLBACKEND"] = "agg"
    for name in ("cnncourse", *modules):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        torch.set_num_threads(1)
        torch.ones(64, 64) @ torch.ones(64, 64)  # MKL reads /proc at its first product; without, it is slower
        with contextlib.suppress(Exception):
            importlib.import_module("torch._dynamo")  # seconds; the first optimizer of a process imports it


def main(options: dict[str, Any]) -> None:
    """Fork and kill kernels as told over the control socket, one at a time, until it closes."""
    control = socket.socket(fileno=options["control"])
    if options["walls"] and os.getuid() == 0:
        from cnncourse.inside.walls import become_nobody

        become_nobody()
    from cnncourse.inside.shell import make_shell

    warm(options["modules"])
    shell = make_shell()
    gc.collect()
    gc.freeze()
    threads = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1
    control.sendall(json.dumps({"ready": True, "threads": threads}).encode() + b"\n")
    kernel: tuple[int, int] | None = None  # the process to wait for, and the one to kill
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 4096, MOST_SOCKETS)
        if kernel is not None:
            _end(*kernel)
            kernel = None
        if not message:
            return
        if json.loads(message)["op"] == "fork":
            kernel = _fork(options, control, shell, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        reply = {"forked": kernel is not None and kernel[1] > 0}
        control.sendall(json.dumps(reply).encode() + b"\n")


def _fork(
    options: dict[str, Any], control: socket.socket, shell: Any, descriptors: list[int]
) -> tuple[int, int]:
    """Fork a kernel; return the process to wait for and the one to kill (0: it did not start)."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            control.close()
            os.close(reading)
            os.setsid()
            _become_kernel(options, shell, descriptors, writing)
        except BaseException as error:  # nothing of a student's reaches this far
            with contextlib.suppress(OSError):
                os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(0)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], 20)
    number = os.read(reading, 32) if ready else b""
    os.close(reading)
    return child, int(number or 0)


def _become_kernel(options: dict[str, Any], shell: Any, descriptors: list[int], started: int) -> None:
    from cnncourse.inside import serve

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if options["walls"]:
        from cnncourse.inside import walls

        walls.shut_in(options["limits"], started)
    else:
        os.chdir(options["scratch"])
        os.write(started, b"%d\n" % os.getpid())
    os.close(started)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    _reseed()
    serve.serve(shell, descriptors)


def _reseed() -> None:
    """Give the fork random numbers of its own, as a fresh kernel would have."""
    import random

    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    if "torch" in sys.modules:
        sys.modules["torch"].seed()


def _end(child: int, kernel: int) -> None:
    """Kill a kernel with everything it started, and wait until it is gone."""
    with contextlib.suppress(OSError):
        os.kill(kernel or child, signal.SIGKILL)
        if kernel == child:  # no walls: the kernel leads a group of processes
            os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.waitpid(child, 0)  # behind walls, it waits for the last process of the kernel's namespace


if __name__ == "__main__":
    root = str(Path(__file__).resolve().parents[2])
    if root not in sys.path:
        sys.path.append(root)
    put_stub()
    main(json.loads(sys.argv[1]))
