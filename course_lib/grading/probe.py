"""One experiment on an answer, and the half of grading that runs where the answer runs.

A probe is data: what to call, with which numbers. `run_probe` carries it out in the namespace that
the student's cells left behind and reports numbers, or the error. It knows no reference, so it can
run in a jail; `compare.judge` is the other half, and runs on the trusted side.
"""

import linecache
import warnings
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np

from .plain import Code, NotPlain, from_plain, to_plain

MAX_MESSAGE = 400


@dataclass(frozen=True)
class Probe:
    """What to ask of an answer, as data.

    Parameters
    ----------
    target : str
        The name to look up in the student's namespace; also the name of the question.
    kind : {"function", "rule", "order"}
        Call it; differentiate it; or read its value.
    framework : {"tape", "tensorflow", "torch"}, optional
        Whose tensors it takes.
    args : tuple
        Arrays, numbers, text, tuples and `Code`.
    upstreams, directions : tuple
        For a rule: the upstream of each output; for its second derivative, the direction of
        each gradient (None for what has no gradient).
    watched : bool
        For a rule: report, too, whether a custom gradient was run, and whether what it returned
        had the shapes of its inputs.
    """

    target: str
    kind: str
    framework: str | None = None
    args: tuple = ()
    upstreams: tuple = ()
    directions: tuple = ()
    watched: bool = False

    def as_json(self) -> dict[str, Any]:
        """The probe as JSON-able data, as `run_probe` takes it."""
        return {
            "target": self.target,
            "kind": self.kind,
            "framework": self.framework,
            "args": to_plain(self.args),
            "upstreams": to_plain(self.upstreams),
            "directions": to_plain(self.directions),
            "watched": self.watched,
        }


def run_probe(namespace: dict[str, Any], probe: dict[str, Any]) -> dict[str, Any]:
    """Carry out one probe, and report what came back as JSON-able data.

    Parameters
    ----------
    namespace : dict
        What the student's cells defined.
    probe : dict
        What `Probe.as_json` wrote. The arguments are read afresh each time.

    Returns
    -------
    dict
        `status` is "ok" (then `parts`: part name to plain data, and `changed`: the arguments
        that were overwritten), "missing" (nothing has that name), "not attempted", or "error"
        (then `type`, `message`, and `line`: the student's own line, where one is to blame).
        Only an Exception is reported; whatever else a jail raises to stop an answer passes.
    """
    if probe["target"] not in namespace:
        return {"status": "missing"}
    answer = namespace[probe["target"]]
    if answer is Ellipsis:
        return {"status": "not attempted"}
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            report = _EXPERIMENTS[probe["kind"]](answer, probe)
    except NotImplementedError as reason:
        blank = _is_blank(reason, namespace)
        return {"status": "not attempted"} if blank else _error(reason, namespace)
    except (Exception, SystemExit) as reason:
        return _error(reason, namespace)
    return {"status": "ok", **report}


def _call(answer: Any, probe: dict[str, Any]) -> dict[str, Any]:
    args, names = _arguments(probe), {}
    if probe["framework"]:
        adapter, names = _adapter(probe["framework"]), _framework_names(probe["framework"])
        args = tuple(adapter.tensor(a) if isinstance(a, np.ndarray) else a for a in args)
    args = tuple(a.for_answer(names) if isinstance(a, Code) else a for a in args)
    before = _copies(args)
    value = answer(*args)
    return {"parts": {"value": to_plain(value)}, "changed": _changed(args, before)}


def _differentiate(answer: Any, probe: dict[str, Any]) -> dict[str, Any]:
    adapter = _adapter(probe["framework"])
    rule = answer.apply if isinstance(answer, type) and hasattr(answer, "apply") else answer
    args, upstreams = _arguments(probe), from_plain(probe["upstreams"])
    before = _copies(args)
    outputs, pullback = adapter.vjp(rule, *args)
    if len(outputs) != len(upstreams):
        return {"parts": {"output": to_plain(tuple(outputs))}, "changed": []}
    parts = {"output": tuple(outputs), "gradient": tuple(pullback(*upstreams))}
    if directions := from_plain(probe["directions"]):
        parts["second gradient"] = tuple(
            adapter.second_vjp(rule, _arguments(probe), from_plain(probe["upstreams"]), directions)
        )
    report = {
        "parts": {name: to_plain(part) for name, part in parts.items()},
        "changed": _changed(args, before),
    }
    if probe.get("watched"):
        watched = adapter.watch(rule, *_arguments(probe))
        watched.pullback(*from_plain(probe["upstreams"]))
        report["custom"] = watched.custom
        report["misshapen"] = _misshapen(watched.steps, args)
    return report


def _misshapen(steps: list, args: tuple) -> list[int]:
    """The arguments whose gradient came back in another shape, before PyTorch summed it."""
    return [
        position
        for step in steps
        for position, gradient in zip(step.positions, step.returned, strict=False)
        if position is not None
        and gradient is not None
        and np.shape(gradient) != np.shape(args[position])
    ]


def _read_order(answer: Any, probe: dict[str, Any]) -> dict[str, Any]:
    if isinstance(answer, str):
        answer = answer.replace(",", " ").split()
    if not isinstance(answer, list | tuple):
        raise TypeError(
            f"{probe['target']} is a {type(answer).__name__}; a list of labels is expected, "
            'such as ["A", "C"]'
        )
    return {"parts": {"value": to_plain([str(label) for label in answer])}, "changed": []}


_EXPERIMENTS = {"function": _call, "rule": _differentiate, "order": _read_order}


def _arguments(probe: dict[str, Any]) -> tuple:
    return from_plain(probe["args"])


def _copies(args: tuple) -> tuple:
    return tuple(arg.copy() if isinstance(arg, np.ndarray) else None for arg in args)


def _changed(args: tuple, before: tuple) -> list[int]:
    """The positions of array arguments that no longer hold what was handed over."""
    return [
        position
        for position, (arg, original) in enumerate(zip(args, before, strict=True))
        if isinstance(arg, np.ndarray) and not np.array_equal(arg, original, equal_nan=True)
    ]


def _adapter(framework: str) -> Any:
    from course_lib import frameworks

    return frameworks.get(framework)


def _framework_names(framework: str) -> dict[str, Any]:
    """What `Code` may use besides np in a question about this framework."""
    from course_lib import frameworks

    if framework == "torch":
        return {"torch": frameworks.torch}
    return {"tf": frameworks.tensorflow} if framework == "tensorflow" else {}


def _is_blank(reason: NotImplementedError, namespace: dict[str, Any]) -> bool:
    """Whether the error is that of an unfilled stub, and not, say, of a framework's missing op."""
    last = reason.__traceback__
    while last and last.tb_next:
        last = last.tb_next
    return last is not None and last.tb_frame.f_globals is namespace


def _error(reason: BaseException, namespace: dict[str, Any]) -> dict[str, Any]:
    message = "" if isinstance(reason, NotPlain) else f"{type(reason).__name__}: "
    return {
        "status": "error",
        "type": type(reason).__name__,
        "message": (message + " ".join(str(reason).split()))[:MAX_MESSAGE],
        "line": _students_line(reason.__traceback__, namespace),
    }


def _students_line(trace: TracebackType | None, namespace: dict[str, Any]) -> str | None:
    """The innermost line that the student wrote, as `line 3: return x +`, if there is one."""
    found = None
    while trace:
        if trace.tb_frame.f_globals is namespace:
            found = trace
        trace = trace.tb_next
    if found is None:
        return None
    text = linecache.getline(found.tb_frame.f_code.co_filename, found.tb_lineno).strip()
    return f"line {found.tb_lineno}: {text}" if text else f"line {found.tb_lineno}"
