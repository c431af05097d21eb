"""The one process that imports the libraries, and forks a child of itself for every try.

It only imports, and warms up with NumPy: no operation of a framework, which would start threads
that a fork loses, and no submission, whose text the next child would find in its memory. A try's
socket goes through its hands unread; the child reads its own job from it.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from dataclasses import dataclass
from typing import NoReturn

from . import inmate, kernel, walls
from .limits import Limits

_WALLED = b"behind its walls"
_GLANCE = 0.1  # seconds between two looks at a try's memory
_ADAPTERS = "course_lib.frameworks"
_ROUNDS = 10  # after so many calls Python has rewritten its own code, which children then share
_MODULES = {
    "matplotlib": ["matplotlib.pyplot"],
    "scipy": ["scipy.linalg", "scipy.special"],
    "tape": [f"{_ADAPTERS}.tape_adapter"],
    "tensorflow": [f"{_ADAPTERS}.tensorflow_adapter"],
    # The second is what torch itself imports, for half a second, at the first backward pass.
    "torch": [f"{_ADAPTERS}.torch_adapter", "torch.fx.experimental.symbolic_shapes"],
}


def main() -> None:
    """Serve the socket that is this process's standard input, until its other end closes."""
    order = json.loads(sys.argv[1])
    control = socket.socket(fileno=os.dup(0))
    _point_standard_streams_at_nothing()
    try:
        if os.geteuid() == 0:
            walls.mount_proc()
            walls.become_nobody()
        walls.found_a_realm()
        _import(order["libraries"])
        nursery = _Nursery(order["writable"])
        nursery.child(Limits())  # proof that all its walls can be built here
    except Exception as reason:
        control.send(json.dumps({"failed": f"{type(reason).__name__}: {reason}"}).encode())
        os._exit(1)
    control.send(json.dumps({"ready": True}).encode())
    _serve(control, nursery)
    os._exit(0)


def _point_standard_streams_at_nothing() -> None:
    """Output has nowhere to go and input is at its end, as in a notebook that nobody watches."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)


def _import(libraries: list[str]) -> None:
    inmate.prepare()
    for library in ("tape", *libraries):
        for module in _MODULES[library]:
            with contextlib.suppress(ImportError):  # the answer that needs it will say so
                importlib.import_module(module)
    for _ in range(_ROUNDS):
        inmate.warm_up()
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page that it looks at


def _serve(control: socket.socket, nursery: "_Nursery") -> None:
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 4096, 1)
        if not message:
            return
        limits = Limits(**json.loads(message))
        child = nursery.child(limits)
        with child.line:
            socket.send_fds(child.line, [b"begin"], descriptors)
        os.close(descriptors[0])
        nursery.prepare(limits)
        reason = _watch(child.pid, control, limits)
        status = child.end()
        control.send(json.dumps({"status": status, "reason": reason}).encode())


@dataclass(frozen=True)
class _Child:
    """A process behind its walls, which waits on `line` for the socket of its try."""

    pid: int
    line: socket.socket
    limits: Limits

    def end(self) -> int:
        """Kill it, and whatever it started, which is in its PID namespace; return its status."""
        os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)


class _Nursery:
    """Forks children, one ahead of need: the next try then begins where its walls already stand."""

    def __init__(self, writable: list[str]) -> None:
        self._writable = writable
        # A descriptor of its own PID namespace, to come back to after sending a child elsewhere.
        self._own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY)
        self._spare: _Child | None = None

    def prepare(self, limits: Limits) -> None:
        """Have a child ready for a try with these limits."""
        self._spare = self._forked(limits)

    def _forked(self, limits: Limits) -> _Child:
        ours, theirs = socket.socketpair()
        kernel.unshare(kernel.NEW_PID)
        pid = os.fork()
        if pid == 0:
            _live(theirs, limits, self._writable)
        kernel.enter(self._own_pids, kernel.NEW_PID)
        theirs.close()
        return _Child(pid, ours, limits)

    def child(self, limits: Limits) -> _Child:
        """A child that nobody has used; raise OSError if its walls could not be built."""
        if self._spare and self._spare.limits != limits:
            self._spare.line.close()
            self._spare.end()
            self._spare = None
        child, self._spare = self._spare or self._forked(limits), None
        said = child.line.recv(400)
        if said != _WALLED:
            raise OSError(said.decode(errors="replace") or "a child ended before its try")
        return child


def _live(line: socket.socket, limits: Limits, writable: list[str]) -> NoReturn:
    """A child's whole life, from its fork to its end."""
    try:
        line = _alone(line.detach())
        try:
            walls.build(limits, writable)
        except OSError as reason:
            line.send(str(reason).encode())
        else:
            inmate.warm_up()
            line.send(_WALLED)
            _, descriptors, _, _ = socket.recv_fds(line, 16, 1)
            if descriptors:
                line.detach()
                inmate.serve(_alone(descriptors[0]))
    finally:
        os._exit(0)


def _alone(descriptor: int) -> socket.socket:
    """The socket of this descriptor, as the only one that is open besides the standard streams."""
    os.dup2(descriptor, 3)
    os.closerange(4, 1024)
    return socket.socket(fileno=3)


def _watch(child: int, control: socket.socket, limits: Limits) -> str | None:
    """Keep the try's memory within limits until the trusted side has enough of it."""
    own_memory = _private_memory(os.getpid())
    reason = None
    while not select.select([control], [], [], _GLANCE)[0]:
        if reason is None and (reason := _too_much_memory(own_memory, limits)):
            os.kill(child, signal.SIGKILL)  # not yet waited for: the number is still its own
    if not control.recv(4096):
        os._exit(0)  # the trusted side is gone; the realm ends with this, its first process
    return reason


def _too_much_memory(own: int, limits: Limits) -> str | None:
    """Each process is held to the limit by the kernel; this is for many that share the spoils."""
    if _memory_of_all_others(own) > 2 * limits.memory:
        return "its processes together used too much memory"
    if _machine_is_short_of_memory():
        return "the machine ran out of memory"
    return None


def _memory_of_all_others(baseline: int) -> int:
    """Bytes that the processes of this realm hold beyond what they share with the zygote."""
    own = os.getpid()
    others = (int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != own)
    return sum(max(0, _private_memory(process) - baseline) for process in others)


def _machine_is_short_of_memory() -> bool:
    """Better that this try ends than that the system chooses whom to end."""
    with open("/proc/meminfo") as meminfo:
        lines = [line.split() for line in meminfo]
    kilobytes = {line[0]: int(line[1]) for line in lines}
    return kilobytes["MemAvailable:"] < kilobytes["MemTotal:"] / 20


def _private_memory(process: int) -> int:
    try:
        with open(f"/proc/{process}/statm") as statm:
            _, resident, shared, *_ = map(int, statm.read().split())
    except OSError:  # it has just ended
        return 0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")
