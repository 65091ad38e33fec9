"""Plain data over a socket: what gets through unchanged, and what is refused before anything is built of it."""

from __future__ import annotations

import json
import math
import pickle
import socket
import threading
from typing import Any

import numpy as np
import pytest

from cnncourse.running import wire
from cnncourse.running.plain import same
from cnncourse.running.wire import HEADER, Channel, ClosedError, LateError, WireError, pack, unpack


def through(message: Any) -> Any:
    data = pack(message)
    size, _ = HEADER.unpack(data[: HEADER.size])
    text = data[HEADER.size :]
    return unpack(text[:size], text[size:])


@pytest.mark.parametrize(
    "message",
    [
        None,
        True,
        3,
        2**1000,
        0.1,
        math.nan,
        -math.inf,
        "text \ud800",
        [1, (2.0, [None]), {"a": {"b": "c"}}],
        {"l": 1, "a": [2]},
        np.arange(6.0).reshape(2, 3),
        np.zeros((0, 3), np.int8),
        np.asfortranarray(np.eye(3, dtype=np.float32))[:, ::2],
        np.array([True, False]),
        [np.arange(3, dtype=np.uint16), {"x": np.ones(2, ">f8")}],
    ],
    ids=str,
)
def test_plain_data_arrives_as_it_was(message: Any) -> None:
    arrived = through(message)
    swapped = (
        [message[0], {"x": message[1]["x"].astype("f8")}]
        if type(message) is list and len(message) == 2
        else message
    )
    assert same(arrived, swapped)


def test_wide_floats_become_float64() -> None:
    assert through(np.ones(2, np.longdouble)).dtype == np.float64


DEEP: Any = 0
for _ in range(wire.MAX_DEPTH + 6):
    DEEP = {"l": [DEEP]}


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"\xff",
        b"[1]",
        b"[" * 100_000,
        b'{"l": [1], "t": [2]}',
        b'{"l": 3}',
        b'{"d": [1]}',
        b'{"x": [1]}',
        b'{"f": "1"}',
        b"1" * 400,
        b"NaN0",
        json.dumps(DEEP).encode(),
        json.dumps({"l": [0] * (wire.MAX_VALUES + 1)}).encode(),
        b'{"a": ["<f8", [2], 0]}',
        b'{"a": ["<f8", [1], 1]}',
        b'{"a": ["<f8", [1], -8]}',
        b'{"a": ["<f8", [-1, -1], 0]}',
        b'{"a": ["<f8", [true], 0]}',
        b'{"a": ["|O", [1], 0]}',
        b'{"a": ["S8", [1], 0]}',
        b'{"a": ["f8,f8", [0], 0]}',
        b'{"a": ["<f8", [4611686018427387904, 4], 0]}',
        b'{"a": ["<f8", [0, 4611686018427387904, 4611686018427387904], 0]}',
        pickle.dumps([1]),
    ],
    ids=lambda told: repr(told[:30]),
)
def test_what_is_no_message_is_refused(told: bytes) -> None:
    with pytest.raises(WireError):
        unpack(told, b"\0" * 8)


def test_too_much_is_not_sent() -> None:
    with pytest.raises(WireError, match="too much"):
        pack("x" * (wire.MAX_JSON + 1))
    with pytest.raises(WireError, match="too much"):
        pack(np.zeros(wire.MAX_ARRAYS // 8 + 1))


@pytest.fixture
def ends() -> Any:
    ours, theirs = socket.socketpair()
    yield Channel(ours), theirs
    ours.close()
    theirs.close()


def test_messages_follow_each_other(ends: Any) -> None:
    channel, theirs = ends
    other = Channel(theirs)
    for number in range(3):
        other.send({"number": number, "x": np.full(2, number)})
    assert [channel.receive(5)["number"] for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("header", [(wire.MAX_JSON + 1, 0), (1, wire.MAX_ARRAYS + 1), (2**32 - 1, 2**32 - 1)])
def test_a_long_message_is_refused_at_its_header(ends: Any, header: tuple[int, int]) -> None:
    channel, theirs = ends
    theirs.sendall(HEADER.pack(*header))
    with pytest.raises(WireError, match="longer"):
        channel.receive(5)


def test_silence_and_half_a_message_end_in_time(ends: Any) -> None:
    channel, theirs = ends
    with pytest.raises(LateError):
        channel.receive(0.1)
    theirs.sendall(pack([1, 2])[:-1])
    with pytest.raises(LateError):
        channel.receive(0.3)


def test_a_reader_that_does_not_read_is_given_up(ends: Any) -> None:
    channel, _ = ends
    with pytest.raises(LateError):
        channel.send(np.zeros(1_000_000), 0.2)


def test_the_other_side_gone_is_said(ends: Any) -> None:
    channel, theirs = ends
    theirs.close()
    with pytest.raises(ClosedError):
        channel.receive(5)
    with pytest.raises(ClosedError):
        channel.send(1)


def test_waiting_can_be_ended_by_who_watches() -> None:
    ours, theirs = socket.socketpair()

    def watch() -> None:
        raise MemoryError

    threading.Timer(3, theirs.close).start()
    with pytest.raises(MemoryError):
        Channel(ours, watch).receive(2)
    ours.close()
