"""How much a try may use before it is stopped."""

import resource
from dataclasses import asdict, dataclass
from typing import Any

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """The limits of one try.

    Parameters
    ----------
    cell_seconds, question_seconds : float
        Wall-clock time of a cell, and of all the probes of a question together.
    submission_seconds : float
        Wall-clock time of a submission, all its tries together. What is not answered by then
        is marked REVIEW.
    memory : int
        Bytes that each of its processes may use beyond the libraries; all together, twice that.
    disk : int
        Bytes of its temporary folder, and of each file.
    processes : int
        Processes and threads together.
    """

    cell_seconds: float = 10.0
    question_seconds: float = 10.0
    submission_seconds: float = 120.0
    memory: int = 1024 * MEBIBYTE
    disk: int = 64 * MEBIBYTE
    processes: int = 64

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def confine(limits: Limits) -> None:
    """Hold this process, and all that it starts, to the limits.

    The time limits are kept by the other side, which does not share a clock with the submission;
    the limit on processor time is there for what outlives it where nothing is isolated.
    """
    ceilings = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: int(limits.submission_seconds) + 1,
        resource.RLIMIT_FSIZE: limits.disk,
        resource.RLIMIT_NOFILE: 512,
        resource.RLIMIT_AS: _address_space() + limits.memory,
        resource.RLIMIT_NPROC: limits.processes,
    }
    for what, wanted in ceilings.items():
        _, hard = resource.getrlimit(what)
        ceiling = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(what, (ceiling, ceiling))
        except (OSError, ValueError):  # macOS knows RLIMIT_AS by name only
            continue


def _address_space() -> int:
    """Bytes of address space in use: the libraries, which are not the submission's to pay for."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:  # no /proc: allow what TensorFlow's import has been seen to take
        return 8 << 30
