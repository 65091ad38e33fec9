"""Plain data over a socket: no pickle, exact types, every size capped.

One message is a header of two lengths, then JSON, then the raw bytes of the arrays that the JSON refers to.
Whoever reads trusts nothing: a message that is too long, too deep or not as described is an error, and the
reader never builds anything but None, bool, int, float, str, numeric arrays, and lists, tuples and dicts of
them.
"""

from __future__ import annotations

import json
import math
import re
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from cnncourse.running.plain import MAX_BITS, MAX_DEPTH, Plain

HEADER = struct.Struct(">II")
MAX_JSON = 8_000_000  # bytes
MAX_ARRAYS = 64_000_000  # bytes of all arrays of a message
MAX_VALUES = 500_000  # things in the JSON of a message
MAX_AXES = 16
DTYPE = re.compile(r"[<>|=][biuf][1248]")
SLICE = 0.2  # seconds between two looks at whoever should answer


class WireError(Exception):
    """A message that cannot be read or sent; the text says why."""


class ClosedError(WireError):
    """The other side is gone."""


class LateError(WireError):
    """The other side did not answer in time."""


def pack(message: Plain) -> bytes:
    """Return a message as bytes.

    Raises
    ------
    WireError
        If it is larger than a message may be.
    """
    arrays: list[bytes] = []
    text = json.dumps(_outgoing(message, arrays), allow_nan=False).encode("ascii")
    size = sum(map(len, arrays))
    if len(text) > MAX_JSON or size > MAX_ARRAYS:
        raise WireError(f"{(len(text) + size) / 1e6:.0f} MB of data are too much")
    return b"".join([HEADER.pack(len(text), size), text, *arrays])


def unpack(text: bytes, arrays: bytes) -> Plain:
    """Return the message that these bytes are.

    Raises
    ------
    WireError
        If they are none.
    """
    try:
        found = json.loads(text)
        return _Incoming(arrays).read(found, 0)
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError, MemoryError) as error:
        raise WireError(f"not a message ({type(error).__name__})") from error


def _outgoing(value: Plain, arrays: list[bytes]) -> Any:
    if isinstance(value, np.ndarray):
        small = value.astype(np.float64) if value.dtype.itemsize > 8 else value
        array = np.ascontiguousarray(small).astype(small.dtype.newbyteorder("<"), copy=False)
        offset = sum(map(len, arrays))
        arrays.append(array.tobytes())
        return {"a": [array.dtype.str, list(value.shape), offset]}
    if isinstance(value, dict):
        return {"d": {key: _outgoing(item, arrays) for key, item in value.items()}}
    if isinstance(value, list | tuple):
        return {
            "l" if isinstance(value, list) else "t": [_outgoing(item, arrays) for item in value],
        }
    if isinstance(value, float) and not math.isfinite(value):
        return {"f": str(value)}
    return value


class _Incoming:
    """Reads one message, counting what it holds."""

    def __init__(self, arrays: bytes) -> None:
        self.arrays, self.left, self.room = arrays, MAX_VALUES, MAX_ARRAYS

    def read(self, found: Any, depth: int) -> Plain:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH + 4:
            raise ValueError("too much, or too deep")
        if found is None or type(found) in (bool, float, str):
            return found
        if type(found) is int:
            if found.bit_length() > MAX_BITS:
                raise ValueError("a number too long")
            return found
        ((tag, held),) = _exactly(dict, found).items()
        if tag == "a":
            return self._array(*held)
        if tag == "f":
            return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[held]
        if tag == "d":
            return {key: self.read(item, depth + 1) for key, item in _exactly(dict, held).items()}
        items = [self.read(item, depth + 1) for item in _exactly(list, held)]
        return {"l": list, "t": tuple}[tag](items)

    def _array(self, code: Any, shape: Any, offset: Any) -> Plain:
        sizes = [_exactly(int, size) for size in _exactly(list, shape)]
        if not DTYPE.fullmatch(_exactly(str, code)) or len(sizes) > MAX_AXES:
            raise ValueError("not a numeric array")
        dtype = np.dtype(code)
        if min(sizes, default=0) < 0 or _exactly(int, offset) < 0:
            raise ValueError("a negative size")
        count = math.prod(sizes)
        self.room -= count * dtype.itemsize  # the same bytes may not be named again and again
        if self.room < 0 or offset + count * dtype.itemsize > len(self.arrays):
            raise ValueError("an array beyond the message")
        flat = np.frombuffer(self.arrays, dtype, count, offset) if count else np.empty(0, dtype)
        return flat.reshape(sizes).astype(dtype.newbyteorder("="))


def _exactly(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}")
    return value


class Channel:
    """Messages over a connected stream socket."""

    def __init__(self, sock: socket.socket, watch: Callable[[], None] | None = None) -> None:
        self.socket = sock
        self.received = 0  # bytes, in all
        self.watch = watch or (lambda: None)  # called while waiting; what it raises ends the waiting

    def send(self, message: Plain, seconds: float | None = None) -> None:
        """Send a message.

        Raises
        ------
        WireError
            If it is too large, or the other side is gone or does not read it within so many seconds.
        """
        data = pack(message)
        try:
            self.socket.settimeout(seconds)
            self.socket.sendall(data)
        except TimeoutError:
            raise LateError(f"nothing was read for {seconds:g} s") from None
        except OSError as error:
            raise ClosedError("the other side is gone") from error

    def receive(self, seconds: float | None = None) -> Plain:
        """Return the next message.

        Raises
        ------
        WireError
            If there is none within so many seconds, or what comes is no message.
        """
        deadline = math.inf if seconds is None else time.monotonic() + seconds
        size, blob = HEADER.unpack(self._read(HEADER.size, deadline))
        if size > MAX_JSON or blob > MAX_ARRAYS:
            raise WireError("a message longer than messages may be")
        return unpack(self._read(size, deadline), self._read(blob, deadline))

    def close(self) -> None:
        """Close this end."""
        self.socket.close()

    def _read(self, size: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            left = deadline - time.monotonic()
            if left <= 0:
                raise LateError("no answer in time")
            try:
                self.socket.settimeout(min(SLICE, left))
                part = self.socket.recv(min(size - len(data), 1 << 20))
            except TimeoutError:
                self.watch()
                continue
            except OSError as error:
                raise ClosedError("the other side is gone") from error
            if not part:
                raise ClosedError("the other side is gone")
            data += part
            self.received += len(part)
        return bytes(data)
