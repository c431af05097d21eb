"""JSON lines on a socket, with a deadline on every message and a limit on their size.

Both sides use it. On the trusted side whatever arrives is a stranger's: it may be late, endless or
no JSON at all, and each of these ends the try with an error that says so, never the grader.
"""

import json
import socket
import time
from typing import Any

MAX_CONVERSATION = 16 << 20
"""Bytes that a try may send in all: the most numbers that an answer may have take 2 MB."""

_AT_ONCE = 1 << 16

# Made beforehand: a submission may replace json.dumps, and run on.
_encode = json.JSONEncoder().encode
_decode = json.JSONDecoder().decode


class WireError(Exception):
    """The other side is late, gone, or not making sense; the message says which."""


class Late(WireError):
    """Nothing complete arrived in time."""


class Gone(WireError):
    """The other side closed the socket, or its process ended."""


class Nonsense(WireError):
    """What arrived is no message, or not the one that was waited for, or far too much of it."""

    def __init__(self, what: str = "it sent something that is not an answer") -> None:
        super().__init__(what)


class Wire:
    """One end of a conversation; each message is a JSON object."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._unread = bytearray()
        self._received = 0

    def send(self, message: dict[str, Any], seconds: float | None = None) -> None:
        """Send a message; with `seconds`, raise `Late` if the other side does not take it."""
        self._end.settimeout(seconds)
        try:
            self._end.sendall(_encode(message).encode() + b"\n")
        except TimeoutError as reason:
            raise Late("it stopped listening") from reason
        except OSError as reason:
            raise Gone("its process ended") from reason

    def receive(self, seconds: float | None = None) -> dict[str, Any]:
        """The next message, which has to be complete within `seconds`."""
        deadline = None if seconds is None else time.monotonic() + seconds
        searched = 0
        while (end := self._unread.find(b"\n", searched)) < 0:
            searched = len(self._unread)
            self._unread += self._read_some(deadline)
        line = bytes(self._unread[:end])
        del self._unread[: end + 1]
        return _parse(line)

    def _read_some(self, deadline: float | None) -> bytes:
        # What has arrived in time is read, even if this side was kept from looking.
        self._end.settimeout(None if deadline is None else max(0, deadline - time.monotonic()))
        try:
            data = self._end.recv(_AT_ONCE)
        except (TimeoutError, BlockingIOError) as reason:
            raise Late("it took too long") from reason
        except OSError as reason:
            raise Gone("its process ended") from reason
        if not data:
            raise Gone("its process ended")
        self._received += len(data)
        if self._received > MAX_CONVERSATION:
            raise Nonsense("it sent far more than an answer can hold")
        return data

    def close(self) -> None:
        self._end.close()


def _parse(line: bytes) -> dict[str, Any]:
    try:
        message = _decode(line.decode())
    except (ValueError, RecursionError) as reason:
        raise Nonsense from reason
    if not isinstance(message, dict):
        raise Nonsense
    return message
