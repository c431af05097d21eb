"""The processes of jails, as they are seen from outside."""

import os
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process, by its number here and in its own PID namespace.

    `depth` counts the PID namespaces between it and us: a zygote's jail, its realm, a try.
    """

    pid: int
    inner_pid: int
    depth: int

    @property
    def in_a_try(self):
        return self.depth == 3


def jailed_processes(under=None):
    """Zygotes, and what they forked, of a process: of this one, if no other is named.

    Other tests, running at the same time, have jails of their own.
    """
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        folder = Path("/proc") / name
        try:
            is_python = "bwrap" not in os.readlink(folder / "exe")
            if is_python and "jail import zygote" in (folder / "cmdline").read_text():
                numbers = _numbers(name)
                if (under or os.getpid()) in _ancestors(name):
                    found.append(Process(int(name), numbers[-1], len(numbers) - len(_numbers())))
        except OSError:  # it has just ended
            continue
    return found


def _ancestors(process):
    found = []
    while process := int(_status(process, "PPid")[0]):
        found.append(process)
    return found


def _numbers(process="self"):
    """Its number in each PID namespace, outermost first."""
    return [int(number) for number in _status(process, "NSpid")]


def _status(process, field):
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return line.split()[1:]
    raise ProcessLookupError(process)


def wait_until(condition, seconds=10.0):
    """Wait for something that need not be so at once."""
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come true")
