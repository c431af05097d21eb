"""Grade on an existing Dask cluster: every worker jails what it runs, as one machine would.

A worker needs `course_lib` installed, and nothing else: notebooks and rubrics travel with the
tasks, to the worker's trusted side. A worker that dies costs the batch it held, which another one
is given.
"""

import itertools
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from .batch import Conditions, Engine, Task, grade_task
from .graded import Graded
from .jail.rooms import House

BATCH = 10
"""Submissions a task: enough that the scheduler is not the slowest part."""

_RETRIES = 5
_own = threading.local()


class ClusterError(RuntimeError):
    """There is no cluster to grade on, or it gave up; the message says why."""


def on_cluster(address: str) -> Engine:
    """An engine on the cluster whose scheduler is at `address`, such as tcp://10.0.0.1:8786."""

    def engine(tasks: Iterable[Task], conditions: Conditions) -> Iterator[tuple[Task, Graded]]:
        client, as_completed = _connect(address)
        with client:
            queue = as_completed()
            waiting = {}
            for batch in _batched(tasks):
                future = client.submit(
                    _grade_batch, batch, conditions, pure=False, retries=_RETRIES
                )
                waiting[future.key] = batch
                queue.add(future)
            for future in queue:
                yield from zip(waiting.pop(future.key), _result(future), strict=True)

    return engine


def _connect(address: str) -> tuple[Any, Any]:
    try:
        from dask.distributed import Client, as_completed
    except ImportError as reason:
        raise ClusterError(
            "--cluster needs the package distributed: pip install 'dask[distributed]'."
        ) from reason
    try:
        return Client(address, timeout=5), as_completed
    except OSError as reason:
        raise ClusterError(
            f"No Dask scheduler answers at {address}. Start one with `dask scheduler`, and workers "
            f"with `dask worker {address}`."
        ) from reason


def _result(future: Any) -> list[Graded]:
    try:
        return future.result()
    except Exception as reason:  # of any kind: it comes from another machine
        raise ClusterError(
            f"The cluster gave up: {type(reason).__name__}: {reason} Look at a worker's log; what "
            "was graded is kept: run the same with --resume."
        ) from reason


def _batched(tasks: Iterable[Task]) -> Iterator[list[Task]]:
    iterator = iter(tasks)
    while batch := list(itertools.islice(iterator, BATCH)):
        yield batch


def _grade_batch(batch: list[Task], conditions: Conditions) -> list[Graded]:
    """Runs on a worker, in one of its threads; each thread keeps a house of its own."""
    if not hasattr(_own, "house"):
        _own.house = House(conditions.hidden)
    return [grade_task(task, _own.house, conditions.limits) for task in batch]
