"""One submission's kernel, seen from outside: run cells, take snapshots, call answers.

Nothing that it says is trusted.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from typing import Any, get_args

from cnncourse.checking.forbidden import Use
from cnncourse.grading.sandbox import Sandbox, SandboxError
from cnncourse.running.answer import Outcome
from cnncourse.running.failure import MAX_MESSAGE, Failure, Kind
from cnncourse.running.plain import Plain
from cnncourse.running.wire import Channel, ClosedError, LateError, WireError

START_SECONDS = 30.0
GRACE_SECONDS = 2.0  # for a kernel that stops a cell or a call itself, before it is killed
MOST_RETURNED = 200_000_000  # bytes that one answer may send back over all its calls, which are kept
KINDS = frozenset(get_args(Kind))


class KernelError(Exception):
    """The kernel is of no use any more; the text says why, as the end of a sentence about a cell."""


class Kernel:
    """A kernel forked for one submission.

    Parameters
    ----------
    sandbox : what it is forked from
    snapshots : how many snapshots may be taken of it
    seconds : for all that it is asked, until `allow` gives it more

    Raises
    ------
    SandboxError
        If it does not start.
    """

    def __init__(self, sandbox: Sandbox, snapshots: int, seconds: float) -> None:
        self.sandbox = sandbox
        self.allow(seconds)
        pairs = [socket.socketpair() for _ in range(snapshots + 1)]
        self._channels = [Channel(ours, self._watch) for ours, _ in pairs]
        try:
            sandbox.fork([theirs.fileno() for _, theirs in pairs])
        except SandboxError:
            for channel in self._channels:
                channel.close()
            raise
        finally:
            for _, theirs in pairs:
                theirs.close()
        self._number = 0
        try:
            self._ask(self._channels[0], None, START_SECONDS)
        except KernelError as error:
            raise SandboxError(f"a kernel {error} before it was given a cell") from None

    def run(self, source: str, seconds: float) -> list[Any]:
        """Run a cell and return its outputs, as claimed by the kernel.

        Raises
        ------
        KernelError
            If the kernel dies, hangs, or says something that is no answer.
        """
        allowed = max(min(seconds, self._deadline - time.monotonic()), 0.1)
        message = {"op": "run", "source": source, "seconds": allowed}
        outputs = self._ask(self._channels[0], message, allowed + GRACE_SECONDS).get("outputs")
        return outputs if type(outputs) is list else []

    def snapshot(self, place: int) -> None:
        """Keep the state that the kernel is in, for calls later.

        Raises
        ------
        KernelError
            As `run` does.
        """
        left = max(self._deadline - time.monotonic(), 0.1) + GRACE_SECONDS
        self._ask(self._channels[0], {"op": "fork", "snapshot": place + 1}, min(START_SECONDS, left))

    def call(
        self, place: int, names: Sequence[str], way: str, arguments: dict[str, Plain], seconds: float
    ) -> Outcome:
        """Call functions of a snapshot and return what they did, as claimed by the kernel.

        Raises
        ------
        KernelError
            As `run` does; the snapshot is of no use after that.
        """
        self._number += 1
        allowed = max(min(seconds, self._deadline - time.monotonic()), 0.1)
        message = {"number": self._number, "names": list(names), "way": way}
        message |= {"arguments": arguments, "seconds": allowed}
        reply = self._ask(self._channels[place + 1], message, allowed + GRACE_SECONDS)
        if self._channels[place + 1].received > MOST_RETURNED:
            raise KernelError(f"sent more than {MOST_RETURNED / 1e6:g} MB")
        if reply.get("number") != self._number:
            raise KernelError("answered what it was not asked")
        return _outcome(reply)

    def close(self) -> None:
        """Kill it with all that it started."""
        for channel in self._channels:
            channel.close()
        self.sandbox.kill()

    def allow(self, seconds: float) -> None:
        """Set how long all that follows may take."""
        self._deadline = time.monotonic() + seconds

    @property
    def out_of_time(self) -> bool:
        """Whether that time is up."""
        return time.monotonic() > self._deadline

    def _ask(self, channel: Channel, message: Plain, seconds: float) -> dict[str, Any]:
        try:
            if message is not None:
                channel.send(message, seconds)
            reply = channel.receive(seconds)
        except LateError:
            raise KernelError(
                f"ran longer than {seconds - GRACE_SECONDS:g} seconds and did not stop"
            ) from None
        except ClosedError:
            raise KernelError("stopped Python itself") from None
        except WireError as error:
            raise KernelError(f"sent something that cannot be read ({error})") from None
        if type(reply) is not dict:
            raise KernelError("sent something that is no answer")
        return reply

    def _watch(self) -> None:
        settings = self.sandbox.settings
        if self.sandbox.memory_mb() > settings.memory_mb:
            raise KernelError(f"used more than {settings.memory_mb} MB of memory")


class RemoteCandidate:
    """An answer in a snapshot of a kernel.

    Parameters
    ----------
    kernel, place : the kernel, and which of its snapshots
    names, way : the functions that are the answer, and how they are called
    use : the library call found in the notebook's source, if there is one
    """

    def __init__(
        self, kernel: Kernel, place: int, names: Sequence[str], way: str, use: Use | None = None
    ) -> None:
        self.kernel, self.place, self.names, self.way, self.use = kernel, place, names, way, use
        self.seconds = 0.0
        self._ended: Failure | None = None

    def call(self, arguments: dict[str, Plain], seconds: float) -> Outcome:
        """Call the answer in the snapshot; once that is gone, every call says why."""
        if self._ended:
            return Outcome(failure=self._ended)
        began = time.monotonic()
        try:
            return self.kernel.call(self.place, self.names, self.way, arguments, seconds)
        except KernelError as error:
            slow = "did not stop" in str(error)
            self._ended = Failure("too slow" if slow else "died", f"it {error}")
            if slow:
                self._ended = Failure("too slow", f"still running after {seconds:g} s")
            return Outcome(failure=self._ended)
        finally:
            self.seconds += time.monotonic() - began

    def use_of(self, forbidden: Sequence[str]) -> Use | None:
        """Return what was found in the source."""
        return self.use


def _outcome(reply: dict[str, Any]) -> Outcome:
    """Read what a kernel claims; what is not as agreed is left out, which earns nothing."""
    failure = None
    match reply.get("failure"):
        case [str(kind), str(message), None | int() as line, str(code)] if kind in KINDS:
            failure = Failure(kind, message[:MAX_MESSAGE], line, code[:200])  # type: ignore[arg-type]
        case None:
            pass
        case _:
            failure = Failure("died", "it sent something that is no answer")
    changed = reply.get("changed")
    return Outcome(
        reply.get("value"),
        failure,
        "something" if reply.get("printed") is True else "",
        "something" if reply.get("warned") is True else "",
        tuple(name[:50] for name in changed if type(name) is str) if type(changed) is list else (),
    )
