"""Stop Python code that runs too long, on every system and in any thread."""

from __future__ import annotations

import contextlib
import ctypes
import threading
import time
from collections.abc import Callable, Iterator

AGAIN = 0.1  # seconds between attempts, for code that swallows the first


class TimeUp(BaseException):
    """Raised inside code whose time is up. No `except Exception` of a student's catches it."""


def thread_clock() -> Callable[[], float]:
    """Return a clock of the seconds that this thread computes, for any thread to read.

    Not of the whole process: libraries start threads that compute, or wait busily, on every processor.
    Systems without such a clock (macOS, Windows) get that on the wall.
    """
    try:
        clock = time.pthread_getcpuclockid(threading.get_ident())
    except (AttributeError, OSError):
        return time.monotonic
    return lambda: time.clock_gettime(clock)


@contextlib.contextmanager
def time_limit(seconds: float, slack: float = 1) -> Iterator[None]:
    """Raise `TimeUp` in this thread if the block is not done in time.

    With slack, the time is up when this thread has computed for so many seconds, or when `slack` times as
    many have passed: other programs that compute at the same time then make no answer too slow. A call into
    compiled code is interrupted only when it comes back. Where no thread can be started, as in a browser,
    there is no limit.
    """
    target, clock = ctypes.c_ulong(threading.get_ident()), thread_clock()
    began, computed = time.monotonic(), clock()
    done, lock, sent = threading.Event(), threading.Lock(), threading.Event()

    def left() -> float:
        """Return how long it may go on, if it computes all the time."""
        waits = slack * seconds - (time.monotonic() - began)
        return min(waits, seconds - (clock() - computed))

    def interrupt() -> None:
        wait = seconds
        while not done.wait(wait):
            if left() > 0:
                wait = max(left(), AGAIN)
                continue
            with lock:
                if not done.is_set():
                    sent.set()
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(target, ctypes.py_object(TimeUp))
            wait = AGAIN

    def stop() -> None:
        with lock:
            done.set()
        # One that was sent but has not arrived arrives here. It is not withdrawn: after that, Python 3.11
        # hangs in the first traced function.
        for _ in range(20 * sent.is_set()):
            time.sleep(0)

    try:
        threading.Thread(target=interrupt, daemon=True).start()
    except RuntimeError:
        yield
        return
    try:
        yield
    finally:
        try:
            stop()
        except TimeUp:  # it arrived here; the next would come after AGAIN
            stop()
            raise
