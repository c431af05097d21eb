"""The one process that imports the libraries, and forks a child of itself for every try.

It only ever imports: no operation of a framework, which would start threads that a fork loses, and
no submission, whose text the next child would find in its memory. A try's socket goes through its
hands unread; the child reads its own job from it.
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

from . import inmate, kernel, walls
from .limits import Limits

_GLANCE = 0.1  # seconds between two looks at a try's memory
_ADAPTERS = "course_lib.frameworks"
_MODULES = {
    "matplotlib": ["matplotlib.pyplot"],
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
    except Exception as reason:
        control.send(json.dumps({"failed": f"{type(reason).__name__}: {reason}"}).encode())
        os._exit(1)
    control.send(json.dumps({"ready": True}).encode())
    _serve(control, order["writable"])
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
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page that it looks at


def _serve(control: socket.socket, writable: list[str]) -> None:
    # A descriptor of its own PID namespace, to come back to after sending a child elsewhere.
    own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY)
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 4096, 1)
        if not message:
            return
        limits = Limits(**json.loads(message))
        child = _fork(descriptors[0], limits, writable, own_pids)
        os.close(descriptors[0])
        reason = _watch(child, control, limits)
        # Whatever the child started dies with it, being in its PID namespace.
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        report = {"status": os.waitstatus_to_exitcode(status), "reason": reason}
        control.send(json.dumps(report).encode())


def _fork(descriptor: int, limits: Limits, writable: list[str], own_pids: int) -> int:
    kernel.unshare(kernel.NEW_PID)
    child = os.fork()
    if child == 0:
        try:
            os.dup2(descriptor, 3)
            os.closerange(4, 1024)
            walls.build(limits, writable)
            inmate.serve(socket.socket(fileno=3))
        finally:
            os._exit(0)
    kernel.enter(own_pids, kernel.NEW_PID)
    return child


def _watch(child: int, control: socket.socket, limits: Limits) -> str | None:
    """Keep the try's memory within limits until the trusted side has enough of it."""
    own_memory = _private_memory(os.getpid())
    reason = None
    while not select.select([control], [], [], _GLANCE)[0]:
        # Each process is held to the limit by the kernel; this is for many that share the spoils.
        if reason is None and _memory_of_all_others(own_memory) > 2 * limits.memory:
            reason = "its processes together used too much memory"
            os.kill(child, signal.SIGKILL)  # not yet waited for: the number is still its own
    if not control.recv(4096):
        os._exit(0)  # the trusted side is gone; the realm ends with this, its first process
    return reason


def _memory_of_all_others(baseline: int) -> int:
    """Bytes that the processes of this realm hold beyond what they share with the zygote."""
    own = os.getpid()
    others = (int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != own)
    return sum(max(0, _private_memory(process) - baseline) for process in others)


def _private_memory(process: int) -> int:
    try:
        with open(f"/proc/{process}/statm") as statm:
            _, resident, shared, *_ = map(int, statm.read().split())
    except OSError:  # it has just ended
        return 0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")
