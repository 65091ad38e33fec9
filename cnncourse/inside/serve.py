"""The student's side of the conversation: run cells, fork snapshots, call answers, as told over sockets."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Sequence
from typing import Any

from cnncourse.inside.shell import Shell, run_cell
from cnncourse.running.answer import Outcome, call_answer
from cnncourse.running.failure import Failure
from cnncourse.running.wire import Channel, ClosedError, WireError

MISSING = object()


def serve(shell: Shell, descriptors: Sequence[int]) -> None:
    """Do what comes over the first socket until it closes; each other one is for one snapshot.

    A snapshot is a fork that keeps the state as it is after some cell: the judge tries answers there, after
    all cells have run, so that nothing that an answer sees while it is judged can show up in an output.
    """
    channels = [Channel(socket.socket(fileno=number)) for number in descriptors]
    own = channels[0]
    own.send({"ready": True})
    while True:
        try:
            message = own.receive()
        except ClosedError:
            return
        if message["op"] == "run":
            outputs = run_cell(shell, message["source"], message["seconds"])
            try:
                own.send({"outputs": outputs})
            except WireError:
                own.send({"outputs": []})
        elif os.fork() == 0:
            chosen = channels[message["snapshot"]]
            for channel in channels:
                if channel is not chosen:
                    channel.close()
            _answer_calls(shell, chosen)
            return
        else:
            channels[message["snapshot"]].close()
            own.send({"forked": True})


def _answer_calls(shell: Shell, channel: Channel) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    while True:
        try:
            message = channel.receive()
        except ClosedError:
            return
        outcome = _call(shell, message)
        reply = {"number": message["number"], **_told(outcome)}
        try:
            channel.send(reply)
        except WireError as error:
            failure = Failure("not plain", f"more than can be read: {error}")
            channel.send({"number": message["number"], **_told(Outcome(failure=failure))})


def _call(shell: Shell, message: dict[str, Any]) -> Outcome:
    found = [shell.user_ns.get(name, MISSING) for name in message["names"]]
    for name, answer in zip(message["names"], found, strict=True):
        if answer is MISSING:
            return Outcome(failure=Failure("undefined", f"there is no `{name}`"))
    return call_answer(found, message["way"], message["arguments"], message["seconds"])


def _told(outcome: Outcome) -> dict[str, Any]:
    failure = outcome.failure
    return {
        "value": outcome.value,
        "failure": [failure.kind, failure.message, failure.line, failure.code] if failure else None,
        "printed": bool(outcome.printed.strip()),
        "warned": bool(outcome.warned),
        "changed": list(outcome.changed),
    }
