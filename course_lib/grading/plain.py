"""Values as plain data: what crosses the wall between a student's process and the grader.

Nothing is pickled. An array becomes its dtype, shape and numbers; whatever else an answer may be
made of (numbers, text, None, tuples, dicts) becomes JSON of the same form. Objects with opinions
of their own, such as one that claims to equal everything, do not survive the conversion.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_NUMBERS = 100_000
MAX_TEXT = 2_000
MAX_DEPTH = 20


class NotPlain(ValueError):
    """A value that cannot be written as numbers, or data that cannot be read as such."""


class _Unfilled:
    def __repr__(self) -> str:
        return "..."


UNFILLED = _Unfilled()
"""What `...` becomes: the blank that an exercise leaves to fill in."""


@dataclass(frozen=True)
class Code:
    """An argument that is a function, sent as source text: `Code("lambda x: np.sin(x)")`.

    Parameters
    ----------
    source : str
        A Python expression. It may use `np`, and `torch` or `tf` in a question about that
        framework.
    truth : callable, optional
        What the reference and the named mistakes receive in its place; by default the
        expression itself, which may then use `np` only.
    """

    source: str
    truth: Any = None

    def for_reference(self) -> Any:
        return self.truth if self.truth is not None else self.for_answer({})

    def for_answer(self, names: dict[str, Any]) -> Any:
        return eval(self.source, {"np": np, **names})


def to_plain(value: Any) -> Any:
    """Write a value as JSON-able data; raise NotPlain where that is impossible."""
    return _write(value, 0)


def from_plain(data: Any) -> Any:
    """Read what `to_plain` wrote, as fresh objects; raise NotPlain if it is not of that form."""
    try:
        return _read(data, 0)
    except NotPlain:
        raise
    except Exception as reason:
        raise NotPlain("the data is not an answer that this grader can read") from reason


def _write(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise NotPlain("the value is nested too deeply to be compared; return arrays or numbers")
    if value is None or type(value) in (bool, int, float):
        return _write_array(np.asarray(value)) if _is_huge(value) else value
    if value is Ellipsis or value is UNFILLED:
        return {"unfilled": True}
    if isinstance(value, str):
        return str(value)[:MAX_TEXT]
    if isinstance(value, Code):
        return {"code": value.source}
    if isinstance(value, list | tuple):
        form = "list" if isinstance(value, list) else "tuple"
        return {form: [_write(item, depth + 1) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[str(key), _write(item, depth + 1)] for key, item in value.items()]}
    return _write_array(_as_array(value))


def _is_huge(value: Any) -> bool:
    return type(value) is int and not -(2**63) <= value < 2**63


def _as_array(value: Any) -> np.ndarray:
    """The numbers of an array, of a framework's tensor, or of a tape's Variable."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    elif isinstance(getattr(value, "value", None), np.ndarray):
        value = value.value
    elif hasattr(value, "numpy") and not isinstance(value, np.ndarray | np.generic):
        value = value.numpy()
    if not isinstance(value, np.ndarray | np.generic):
        raise NotPlain(
            f"the answer is a {type(value).__name__}, which is not a number or an array of numbers"
        )
    return np.array(value, subok=False)


def _write_array(array: np.ndarray) -> dict[str, Any]:
    if array.dtype.kind not in "biufc":
        raise NotPlain(f"the answer is an array of dtype {array.dtype}; numbers are expected")
    if array.size > MAX_NUMBERS:
        raise NotPlain(f"the answer has {array.size:,} numbers, more than {MAX_NUMBERS:,}")
    plain = {"dtype": array.dtype.name, "shape": list(array.shape)}
    if array.dtype.kind == "c":
        return {**plain, "data": array.real.ravel().tolist(), "imag": array.imag.ravel().tolist()}
    return {**plain, "data": array.ravel().tolist()}


def _read(data: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise NotPlain("the data is nested too deeply")
    if data is None or isinstance(data, bool | int | float | str):
        return data
    if isinstance(data, dict):
        if "unfilled" in data:
            return UNFILLED
        if "code" in data:
            return Code(str(data["code"]))
        if "data" in data:
            return _read_array(data)
        for form, build in (("list", list), ("tuple", tuple)):
            if isinstance(data.get(form), list):
                return build(_read(item, depth + 1) for item in data[form])
        if isinstance(data.get("dict"), list):
            return {str(key): _read(item, depth + 1) for key, item in data["dict"]}
    raise NotPlain("the data is not an answer that this grader can read")


def _read_array(data: dict[str, Any]) -> np.ndarray:
    dtype = np.dtype(str(data["dtype"]))
    if dtype.kind not in "biufc":
        raise NotPlain("the data is not an array of numbers")
    array = np.empty(len(data["data"]), dtype)
    if dtype.kind == "c":
        array.real, array.imag = data["data"], data["imag"]
    else:
        array[:] = data["data"]
    if array.size > MAX_NUMBERS:
        raise NotPlain(f"the data has more than {MAX_NUMBERS:,} numbers")
    return array.reshape([int(length) for length in data["shape"]])
