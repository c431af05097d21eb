"""The trusted half of grading: numbers from an answer against the reference, and the verdict.

Whatever arrives here is plain data. It is read strictly: numbers of the expected form, shape and
kind, within the tolerance of the expected dtype, and nan is equal to nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeGuard

import numpy as np

from .plain import UNFILLED, NotPlain, from_plain
from .probe import MAX_MESSAGE, Probe
from .rubric import Mistake, OrderQuestion, Question

TOLERANCES = {
    np.dtype("float16"): (1e-2, 1e-3),
    np.dtype("float32"): (1e-4, 1e-6),
    np.dtype("float64"): (1e-8, 1e-10),
}
"""Relative and absolute tolerance by the dtype that is expected."""

ENOUGH_FOR_A_FACTOR = 3
KINDS = {"b": "booleans", "c": "complex numbers", "f": "numbers", "i": "integers", "u": "integers"}


class Status(StrEnum):
    """What became of a question."""

    RIGHT = "right"
    WRONG = "wrong"
    ERROR = "error"
    NOT_ATTEMPTED = "not attempted"
    REVIEW = "REVIEW"


@dataclass(frozen=True)
class Verdict:
    """The judgement of one answer.

    `message` says what happened and gives nothing away; `detail`, for the notebook only, shows
    the first wrong number beside the expected one.
    """

    question: str
    status: Status
    points: float
    max_points: float
    mistake: str | None = None
    hint: str | None = None
    message: str = ""
    detail: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The entry of a grade report."""
        return {
            "name": self.question,
            "status": str(self.status),
            "points": self.points,
            "max_points": self.max_points,
            "mistake": self.mistake,
            "hint": self.hint,
        }


@dataclass(frozen=True)
class Difference:
    """Where an answer first departs from what is expected: a fault's code, and in words."""

    code: str
    message: str
    detail: str | None = None


def judge(
    question: Question,
    probes: Sequence[Probe],
    answers: Sequence[dict[str, Any] | None],
    edited: bool = False,
) -> Verdict:
    """Judge what `run_probe` reported for each of a question's probes.

    Parameters
    ----------
    question : Question
    probes : sequence of Probe
        From `question.probes(rng)`.
    answers : sequence of dict or None
        The report for each probe, untrusted; None where the run was killed before it came.
    edited : bool
        The answer is known to be another than the one handed out, so it is an attempt even if it
        computes the same.
    """
    return _Judgement(question, probes, edited).of(answers)


class _Judgement:
    def __init__(self, question: Question, probes: Sequence[Probe], edited: bool) -> None:
        self.question, self.probes, self.edited = question, probes, edited

    def of(self, answers: Sequence[dict[str, Any] | None]) -> Verdict:
        reports = [answer for answer in answers if _is_report(answer)]
        if not len(answers) == len(reports) == len(self.probes):
            message = "The run of this answer was stopped before it was done; a person has to look."
            return self._verdict(Status.REVIEW, message)
        for answer in reports:
            if answer["status"] == "missing":
                message = f"Nothing here is called `{self.question.name}`."
                return self._verdict(Status.NOT_ATTEMPTED, message)
            if answer["status"] == "not attempted":
                return self._verdict(Status.NOT_ATTEMPTED)
            if answer["status"] != "ok":
                return self._error(answer)
        try:
            parts = [
                {str(name): from_plain(part) for name, part in answer["parts"].items()}
                for answer in reports
            ]
        except (NotPlain, KeyError, AttributeError):
            return self._error({"message": "The answer cannot be read as numbers."})
        if any(value is UNFILLED for each in parts for value in each.values()):
            return self._verdict(Status.NOT_ATTEMPTED)
        if isinstance(self.question, OrderQuestion):
            return self._order(self.question, parts[0].get("value"))
        return self._numbers(parts, reports)

    def _numbers(self, parts: list[dict[str, Any]], reports: Sequence[dict[str, Any]]) -> Verdict:
        differences = [
            self._difference(p, part) for p, part in zip(self.probes, parts, strict=True)
        ]
        if not any(differences):
            if any(report.get("changed") for report in reports):
                return self._overwrites()
            if any(report.get("custom") is False for report in reports):
                return self._not_by_hand()
            if any(report.get("misshapen") for report in reports):
                return self._misshapen()
            return self._right()
        first = next(difference for difference in differences if difference)
        given = self.question.given
        if given and self._is(given, parts):
            message = "This still computes what the broken version computes."
            if self.edited:
                return self._wrong(given.code, f"{message} {given.hint}", first)
            return self._verdict(Status.NOT_ATTEMPTED, message)
        for mistake in self.question.known_mistakes:
            if mistake.has_formula and self._is(mistake, parts):
                return self._wrong(mistake.code, mistake.hint, first)
        factor = self._constant_factor(parts) if first.code == "wrong-values" else None
        if factor is not None:
            hint = f"Every number is {factor:.4g} times what it should be."
            return self._wrong("wrong-scale", hint, first)
        return self._wrong(first.code, None, first)

    def _order(self, question: OrderQuestion, order: Any) -> Verdict:
        if not isinstance(order, list) or not all(isinstance(label, str) for label in order):
            return self._error({"message": "The answer is not a list of labels."})
        accepted = question.accepted
        if order in accepted:
            return self._right()
        mistake = next(m for m in self.question.known_mistakes if m.when and m.when(order))
        good = max(_common_prefix(order, right) for right in accepted)
        message = f"The first {good} of your lines are right." if good else "Not yet."
        return self._wrong(mistake.code, mistake.hint, Difference(mistake.code, message))

    def _error(self, answer: dict[str, Any]) -> Verdict:
        message = str(answer.get("message", "")).rstrip()[:MAX_MESSAGE]
        if answer.get("line"):
            message = f"{message} ({str(answer['line'])[:MAX_MESSAGE]})"
        for mistake in self.question.known_mistakes:
            if mistake.raises is not None and mistake.raises in message:
                return self._verdict(Status.ERROR, message, mistake.code, mistake.hint)
        return self._verdict(Status.ERROR, message)

    def _right(self) -> Verdict:
        return self._verdict(Status.RIGHT)

    def _overwrites(self) -> Verdict:
        hint = "Work on a copy, or write `a = a + b` in place of `a += b`."
        message = "The numbers are right, but an array that was handed in is overwritten."
        return self._verdict(Status.WRONG, message, "mutates-input", hint)

    def _not_by_hand(self) -> Verdict:
        message = "The numbers are right, but they are autodiff's own: no custom gradient was run."
        hint = "Write the backward yourself, and return what the decorator or `.apply` made of it."
        return self._verdict(Status.WRONG, message, "rule-not-run", f"{message} {hint}")

    def _misshapen(self) -> Verdict:
        message = "The numbers are right, but only because the framework reshapes a gradient."
        hint = (
            "Return each gradient in the shape of its input: one that serves many entries receives "
            "the sum of what they contribute."
        )
        return self._verdict(Status.WRONG, message, "wrong-shape", f"{message} {hint}")

    def _wrong(self, code: str, hint: str | None, first: Difference) -> Verdict:
        return self._verdict(Status.WRONG, first.message, code, hint, first.detail)

    def _verdict(
        self,
        status: Status,
        message: str = "",
        mistake: str | None = None,
        hint: str | None = None,
        detail: str | None = None,
    ) -> Verdict:
        most = self.question.points
        points = most if status is Status.RIGHT else 0
        return Verdict(self.question.name, status, points, most, mistake, hint, message, detail)

    def _is(self, mistake: Mistake, parts: list[dict[str, Any]]) -> bool:
        """Whether every number is the one that this mistake gives."""
        try:
            return not any(
                self._difference(probe, part, mistake)
                for probe, part in zip(self.probes, parts, strict=True)
            )
        except Exception:  # a wrong formula may fail where the right one does not
            return False

    def _difference(
        self, probe: Probe, parts: dict[str, Any], mistake: Mistake | None = None
    ) -> Difference | None:
        expected = self.question.expected(probe, mistake)
        for name, value in expected.items():
            if name not in parts:
                return Difference("wrong-shape", f"The {name} is missing.")
            compare = _Comparison(self.question, probe, name, nan_is_nan=mistake is not None)
            found = compare.of(parts[name], value)
            if found:
                return found
        return None

    def _constant_factor(self, parts: list[dict[str, Any]]) -> float | None:
        """The one factor between all numbers of the first wrong part and the expected ones."""
        try:
            return self._factor(parts)
        except (AttributeError, LookupError, TypeError, ValueError):
            return None  # parts of another form than expected have none

    def _factor(self, parts: list[dict[str, Any]]) -> float | None:
        expected = [self.question.expected(probe) for probe in self.probes]
        for name in expected[0]:
            pairs = [
                pair
                for part, right in zip(parts, expected, strict=True)
                for pair in _aligned(part[name], right[name])
            ]
            if not pairs:
                continue
            actual, right = (np.concatenate(side) for side in zip(*pairs, strict=True))
            if np.allclose(actual, right):
                continue
            used = right != 0
            if used.sum() < ENOUGH_FOR_A_FACTOR or not np.allclose(actual[~used], 0):
                return None
            factors = actual[used] / right[used]
            return float(factors[0]) if np.allclose(factors, factors[0], rtol=1e-6) else None
        return None


class _Comparison:
    """One part of an answer against what is expected there.

    Nan equals nothing, but a mistake may be recognised by the nan that it gives.
    """

    def __init__(
        self, question: Question, probe: Probe, part: str, nan_is_nan: bool = False
    ) -> None:
        self.question, self.probe, self.part = question, probe, part
        self.nan_is_nan = nan_is_nan

    def of(self, actual: Any, expected: Any, where: str | None = None) -> Difference | None:
        where = where or f"the {'answer' if self.part == 'value' else self.part}"
        if isinstance(expected, str):
            return None if actual == expected else self._differ("wrong-values", where, "differs")
        if isinstance(expected, dict):
            return self._of_dict(actual, expected, where)
        if isinstance(expected, list | tuple):
            return self._of_sequence(actual, expected, where)
        return self._of_numbers(actual, expected, where)

    def _of_dict(self, actual: Any, expected: dict, where: str) -> Difference | None:
        names = {str(name): value for name, value in expected.items()}
        if not isinstance(actual, dict) or set(actual) != set(names):
            wanted = f"should be a dict with the keys {', '.join(names)}"
            return self._differ("wrong-arity", where, wanted)
        found = (self.of(actual[name], names[name], f"{where} [{name!r}]") for name in names)
        return next(filter(None, found), None)

    def _of_sequence(self, actual: Any, expected: Sequence, where: str) -> Difference | None:
        if isinstance(actual, np.ndarray) and actual.ndim and self.part == "value":
            actual = list(actual)
        if not isinstance(actual, list | tuple) or len(actual) != len(expected):
            got = len(actual) if isinstance(actual, list | tuple) else 1
            return self._differ(
                "wrong-arity", where, f"should have {len(expected)} parts, not {got}"
            )
        found = (
            self.of(one, right, self._numbered(where, position, len(expected)))
            for position, (one, right) in enumerate(zip(actual, expected, strict=True))
        )
        return next(filter(None, found), None)

    def _numbered(self, where: str, position: int, count: int) -> str:
        if count == 1:
            return where
        of_what = "of input" if "gradient" in self.part else "number"
        return f"{where} {of_what} {position + 1}"

    def _of_numbers(self, actual: Any, expected: Any, where: str) -> Difference | None:
        if "gradient" in self.part and (actual is None or expected is None):
            return self._of_missing(actual, expected, where)
        actual, expected = _as_numbers(actual), _as_numbers(expected)
        if expected is None:
            return None if actual is None else self._differ("wrong-values", where, "should be None")
        if actual is None:
            return self._differ("wrong-shape", where, "is not a number or an array of numbers")
        if actual.shape != expected.shape:
            shapes = f"has shape {actual.shape}, where {expected.shape} is expected"
            return self._differ("wrong-shape", where, shapes)
        if not _same_kind(actual, expected):
            got, wanted = KINDS[actual.dtype.kind], KINDS[expected.dtype.kind]
            return self._differ("wrong-dtype", where, f"is made of {got}; {wanted} are expected")
        return self._of_entries(actual, expected, where)

    def _of_missing(self, actual: Any, expected: Any, where: str) -> Difference | None:
        present = _as_numbers(actual if expected is None else expected)
        if present is None or not present.any():
            return None
        if actual is None:
            return self._differ("missing-gradient", where, "is None, where numbers are expected")
        return self._differ("wrong-values", where, "should be None: that input is a constant")

    def _of_entries(
        self, actual: np.ndarray, expected: np.ndarray, where: str
    ) -> Difference | None:
        rtol, atol = TOLERANCES.get(expected.dtype, TOLERANCES[np.dtype(float)])
        rtol = rtol if self.question.rtol is None else self.question.rtol
        atol = atol if self.question.atol is None else self.question.atol
        with np.errstate(all="ignore"):
            error = np.abs(_signed(actual) - _signed(expected))
            close = (error <= atol + rtol * np.abs(expected)) & np.isfinite(error)
        close |= actual == expected
        if self.nan_is_nan:
            close |= np.isnan(actual) & np.isnan(expected)
        if close.all():
            return None
        error = np.where(close, -1.0, np.where(np.isnan(error), np.inf, error))
        worst = np.unravel_index(np.argmax(error), error.shape)
        if not np.isfinite(actual[worst]) and np.isfinite(expected[worst]):
            found = self._differ("unstable", where, "is nan or infinite, where it should be finite")
        elif actual.dtype.kind == "f" and actual.dtype.itemsize < expected.dtype.itemsize:
            precision = f"has only the precision of {actual.dtype}"
            found = self._differ("wrong-dtype", where, precision)
        else:
            found = self._differ("wrong-values", where, "has wrong numbers")
        numbers = f"{actual[worst]:.6g} where {expected[worst]:.6g} is expected"
        place = f" at index {tuple(map(int, worst))}" if actual.ndim else ""
        return Difference(found.code, found.message, f"{self._call()}: {numbers}{place}.")

    def _differ(self, code: str, where: str, what: str) -> Difference:
        message = f"{where[0].upper()}{where[1:]} {what}."
        return Difference(code, message, f"{self._call()}.")

    def _call(self) -> str:
        call = f"{self.question.name}({', '.join(map(_short, self.probe.args))})"
        if not self.probe.upstreams:
            return call
        return f"{call} with upstream {', '.join(map(_short, self.probe.upstreams))}"


def _is_report(answer: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(answer, dict) and isinstance(answer.get("status"), str)


def _as_numbers(value: Any) -> np.ndarray | None:
    """An array, a number, or a list of them, as an array; None for anything else."""
    if value is None or isinstance(value, str | dict):
        return None
    try:
        array = np.asarray(value)
    except ValueError:
        return None
    return array if array.dtype.kind in KINDS else None


def _same_kind(actual: np.ndarray, expected: np.ndarray) -> bool:
    """Integers may stand for floating numbers and back; booleans and complex numbers may not."""
    number = "fiu"
    if expected.dtype.kind in number:
        return actual.dtype.kind in number
    return actual.dtype.kind == expected.dtype.kind


def _signed(array: np.ndarray) -> np.ndarray:
    """The same numbers in a dtype that can be subtracted without surprise."""
    return array.astype(float) if array.dtype.kind in "bu" else array


def _aligned(actual: Any, expected: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The flat arrays of two values of the same form."""
    if isinstance(expected, dict):
        expected = {str(name): value for name, value in expected.items()}
        for name in expected:
            yield from _aligned(actual[name], expected[name])
    elif isinstance(expected, list | tuple):
        for one, right in zip(actual, expected, strict=True):
            yield from _aligned(one, right)
    else:
        given, right = _as_numbers(actual), _as_numbers(expected)
        if given is not None and right is not None:
            yield np.ravel(_signed(given)), np.ravel(_signed(right))


def _common_prefix(one: Sequence[str], other: Sequence[str]) -> int:
    same = (a == b for a, b in zip(one, other, strict=False))
    return next((count for count, equal in enumerate(same) if not equal), min(len(one), len(other)))


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=4, threshold=12, separator=", ").replace("\n", "")
    return value.source if hasattr(value, "source") else repr(value)
