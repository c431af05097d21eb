"""The half of the conversation that is held in the jail, in the same process as the submission.

Everything here may be overheard, replaced or imitated by the submission: it knows no reference and
no right answer, so there is nothing to gain. What the trusted side makes of it is in `sitting`.
"""

import builtins
import contextlib
import functools
import json
import os
import signal
import socket
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from .. import probe as _probe
from .notebook import Notebook, TimeIsUp, with_deadline
from .wire import Wire, WireError

_MAX_MESSAGE = 400

_originals = {module: dict(vars(module)) for module in (builtins, np)}


@functools.cache
def _notebook() -> Notebook:
    """The notebook that runs in this process: forked from the zygote's, where there is one."""
    return Notebook()


def prepare() -> None:
    """Import what nearly every submission needs, before the first one is forked."""
    _notebook()


def warm_up() -> None:
    """Run a cell and two probes: a child copies now, while nobody waits for it, what it will need.

    Most of a try's time goes into the memory pages that it shares with the zygote until it first
    writes to them, if only to count a reference.
    """
    one = (np.ones(1),)
    function = _probe.Probe("double", "function", args=one)
    rule = _probe.Probe("double", "rule", "tape", args=one, upstreams=one)
    _notebook().run("def double(x):\n    return 2 * x", seconds=10)
    probes = json.loads(json.dumps([function.as_json(), rule.as_json()]))
    json.dumps(_answer_all(_notebook(), probes, seconds=10))
    _notebook().run("del double", seconds=10)


def _put_back(module: ModuleType) -> None:
    """Undo what cells replaced in a module; what they added stays.

    A cell that replaced `isinstance` or `np.array` is no part of an answer, but what runs the next
    cell, and what carries answers out of here, would trip over it.
    """
    now = module.__dict__
    for name, original in _originals[module].items():
        if now.get(name) is not original:
            now[name] = original


def serve(end: socket.socket) -> None:
    """Run cells and answer probes, as asked, until the other side closes the socket."""
    wire, notebook = Wire(end), _notebook()
    original = os.getpid()

    def say(mark: str, **message: Any) -> None:
        _end_unless(original)
        wire.send({**message, "mark": mark})

    with contextlib.suppress(WireError):
        while True:
            match wire.receive():
                case {"cells": list(cells), "seconds": seconds, "past_errors": past_errors}:
                    for cell in cells:
                        tell = functools.partial(say, cell["mark"])
                        _run(notebook, cell, seconds, past_errors, tell)
                case {"questions": list(questions), "seconds": seconds}:
                    for question in questions:
                        _put_back(np)
                        answers = _answer_all(notebook, question["probes"], seconds)
                        say(question["mark"], answers=answers)


def _run(
    notebook: Notebook, cell: dict[str, Any], seconds: float, past_errors: bool, say: Callable
) -> None:
    omitted = cell["omitted"]
    error = notebook.run(cell["source"], seconds, omitted, lambda at: say(at=at), past_errors)
    if isinstance(error, TimeIsUp):
        _end_all_others()
    _put_back(builtins)
    say(error=_in_words(error), late=isinstance(error, TimeIsUp))


def _end_unless(original: int) -> None:
    """End a copy of this process that the submission forked, and that came back from there."""
    if os.getpid() != original:
        os._exit(0)


def _end_all_others() -> None:
    """What a cell started must not weigh on the cells below it when its time is up."""
    if os.getpid() == 1:  # or these would be everybody's processes, where nothing is isolated
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)


def _answer_all(
    notebook: Notebook, probes: list[dict[str, Any]], seconds: float
) -> list[dict[str, Any]]:
    """Answer the probes of a question, which share its time; what is late is the last."""
    end, answers, original = time.monotonic() + seconds, [], os.getpid()
    for probe in probes:
        answers.append(_answer(notebook, probe, max(end - time.monotonic(), 0.001)))
        _end_unless(original)
        if answers[-1]["status"] == "late":
            break
    return answers


def _answer(notebook: Notebook, probe: dict[str, Any], seconds: float) -> dict[str, Any]:
    try:
        return with_deadline(seconds, lambda: _probe.run_probe(notebook.namespace, probe))
    except TimeIsUp:
        return {"status": "late"}
    except BaseException as reason:  # an error whose own text cannot be read, for one
        return {"status": "error", "type": type(reason).__name__, "message": _in_words(reason)}


def _in_words(error: BaseException | None) -> str:
    if error is None:
        return ""
    try:
        said = " ".join(str(error).split())
    except BaseException:
        said = ""
    return f"{type(error).__name__}: {said}"[:_MAX_MESSAGE].removesuffix(": ")
