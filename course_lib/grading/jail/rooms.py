"""The trusted side's handle on places to run a try: in a jail or, where there is none, outside."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

import course_lib

from . import bars
from .bars import CannotIsolate
from .limits import Limits
from .wire import Wire

PRELOADABLE = frozenset({"matplotlib", "scipy", "tensorflow", "torch"})
"""What takes long to import, and makes every fork dearer: ready only where it is needed."""

_LIGHT = frozenset({"matplotlib", "scipy"})

JAIL_ENDED = "its jail ended"
"""Why a try ended that is not to blame for it: somebody, or the system, killed the zygote."""

_START_SECONDS = 120.0  # a cold disk reads TensorFlow slowly
_ZYGOTE = "from course_lib.grading.jail import zygote; zygote.main()"
_OPEN = "from course_lib.grading.jail import in_the_open; in_the_open.main()"


class Try:
    """One run of a submission, in a room that nobody has been in before.

    `wire` leads to its process. After the try, `how_it_ended()` says, in words, why it was ended
    from outside or how its process ended; None if it was well until it was told to stop.
    """

    def __init__(self, wire: Wire, how_it_ended: Callable[[], str | None]) -> None:
        self.wire, self.how_it_ended = wire, how_it_ended


class Rooms(Protocol):
    """Where tries are held. Each `with rooms.a_try(limits) as a_try` is a room of its own."""

    isolated: bool

    def a_try(self, limits: Limits) -> contextlib.AbstractContextManager[Try]: ...

    def close(self) -> None: ...


class JailedRooms:
    """Rooms behind bubblewrap, forked off a zygote that has imported the libraries.

    Parameters
    ----------
    libraries : iterable of str
        Those of `PRELOADABLE` to import beforehand.
    hidden : iterable of Path
        What must not be seen, wherever it lies.

    Raises
    ------
    CannotIsolate
        This machine offers no jail.
    """

    isolated = True

    def __init__(self, libraries: Iterable[str] = (), hidden: Iterable[Path] = ()) -> None:
        self._libraries, self._hidden = sorted(libraries), list(hidden)
        self._start()

    def _start(self) -> None:
        behind = bars.around(["-c", _ZYGOTE], self._hidden)
        order = {"libraries": self._libraries, "writable": behind.writable}
        command = [*behind.command, json.dumps(order)]
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with tempfile.TemporaryFile() as said:
            self._jail = subprocess.Popen(
                command, stdin=theirs.fileno(), stdout=said, stderr=said, env=behind.environment
            )
            theirs.close()
            self._control.settimeout(_START_SECONDS)
            self._ending = False
            report = self._read()
            if "ready" not in report:
                self.close()
                said.seek(0)
                words = said.read().decode(errors="replace").strip().splitlines()
                reason = report.get("failed") or (words[-1] if words else "it did not start")
                raise CannotIsolate(f"the jail cannot be built here: {reason}")
        self._control.settimeout(None)

    def _read(self) -> dict:
        try:
            return json.loads(self._control.recv(4096) or b"{}")
        except OSError:
            return {}

    @contextlib.contextmanager
    def a_try(self, limits: Limits) -> Iterator[Try]:
        ours, theirs = socket.socketpair()
        with ours:
            self._hand_over(theirs, limits)
            try:
                yield Try(Wire(ours), self._how_it_ended)
            finally:
                with contextlib.suppress(OSError):
                    self._control.send(b"end")
                # Ending a room takes the zygote milliseconds, which need not be waited for here.
                self._ending = True

    def _hand_over(self, theirs: socket.socket, limits: Limits) -> None:
        if self._ending:
            self._how_it_ended()
        with theirs:
            message = json.dumps(limits.as_json()).encode()
            try:
                socket.send_fds(self._control, [message], [theirs.fileno()])
            except OSError:  # the zygote is gone, killed by the system or by a person: a new one
                self.close()
                self._start()
                socket.send_fds(self._control, [message], [theirs.fileno()])

    def _how_it_ended(self) -> str | None:
        report, self._ending = self._read(), False
        if "status" not in report:  # the zygote is gone, and the try with it
            self.close()
            self._start()
            return JAIL_ENDED
        return report.get("reason") or _in_words(report["status"])

    def close(self) -> None:
        """End the zygote; whatever is left in the jail ends with it."""
        self._control.close()
        try:
            self._jail.wait(5)
        except subprocess.TimeoutExpired:
            self._jail.kill()
            self._jail.wait()


class House:
    """Rooms for every kind of submission; each kind of zygote is started when first needed.

    `isolated` is false where no jail can be built; `why_not` then says what is missing.
    """

    def __init__(self, hidden: Iterable[Path] = ()) -> None:
        self._hidden = list(hidden)
        self._rooms: dict[frozenset[str], Rooms] = {}
        self.why_not: str | None = None
        self.rooms_for(())

    @property
    def isolated(self) -> bool:
        return self.why_not is None

    def rooms_for(self, libraries: Iterable[str]) -> Rooms:
        """Rooms where these libraries are ready."""
        wanted = frozenset(libraries) & PRELOADABLE if self.isolated else frozenset()
        if wanted:
            wanted |= _LIGHT  # or there would be a zygote for every mixture
        if wanted not in self._rooms:
            self._rooms[wanted] = self._open(wanted)
        return self._rooms[wanted]

    def _open(self, libraries: frozenset[str]) -> Rooms:
        try:
            return JailedRooms(libraries, self._hidden)
        except CannotIsolate as reason:
            self.why_not = str(reason)
            return OpenRooms()

    def close(self) -> None:
        for rooms in self._rooms.values():
            rooms.close()
        self._rooms.clear()

    def __enter__(self) -> "House":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class OpenRooms:
    """Rooms without walls, for where there is no jail: a fresh process each, with limits only."""

    isolated = False

    @contextlib.contextmanager
    def a_try(self, limits: Limits) -> Iterator[Try]:
        ours, theirs = socket.socketpair()
        course = str(Path(course_lib.__file__).parent.parent)
        with ours, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
            process = subprocess.Popen(
                [sys.executable, "-c", _OPEN, json.dumps(limits.as_json())],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=bars.environment(home, course),
                cwd=home,
                start_new_session=True,
            )
            theirs.close()
            ended: int | None = None
            try:
                yield Try(Wire(ours), lambda: _in_words(ended))
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                ended = process.wait()

    def close(self) -> None:
        """Nothing is kept between tries."""


def _in_words(status: int | None) -> str | None:
    """How a process ended by itself, if it did."""
    if status in (None, -signal.SIGKILL):
        return None
    if status < 0:
        return f"its process was ended by {signal.Signals(-status).name}"
    return f"its process ended itself (exit code {status})"
