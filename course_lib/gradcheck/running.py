"""Faults that show when the rule is run once, before any number is compared.

Each function looks for one kind of fault and returns it, or None.
"""

from collections.abc import Iterator

import numpy as np

from course_lib.frameworks import BadOutput
from course_lib.gradcheck.case import Case
from course_lib.gradcheck.faults import Fault


def raises_in_forward(case: Case) -> Fault | None:
    """The forward itself raises, or returns what is no output."""
    error = case.first.error
    if error is None or case.first.outputs:
        return None
    if isinstance(error, BadOutput):
        return Fault("rule-raises", str(error), hint="Let the forward return its result.")
    if is_read_only(error):
        return Fault(
            "mutates-input", f"{case.name} tries to change an input in place: {_said(error)}"
        )
    return Fault("rule-raises", f"{case.name} raises on these inputs: {_said(error)}")


def is_random(case: Case) -> Fault | None:
    """Two runs on the same inputs give different outputs."""
    if case.first.error is not None or not case.again.outputs or case.first.overwritten:
        return None
    for k, (once, again) in enumerate(zip(case.first.outputs, case.again.outputs, strict=False)):
        if not np.array_equal(once, again, equal_nan=True):
            return Fault(
                "stale-state",
                f"{case.name} is not deterministic: two runs on the same inputs give different"
                " outputs, so its gradient cannot be checked.",
                hint="Draw random numbers outside and pass them in as an argument, and keep nothing"
                " from one call to the next.",
                output=k,
            )
    return None


def changes_input(case: Case) -> Fault | None:
    """The caller's array is another one after the rule was run."""
    for i in case.first.overwritten:
        return Fault(
            "mutates-input",
            f"{case.name} changes {case.argument(i)} in place: after it ran, its caller's array"
            " holds other numbers.",
            input=i,
        )
    return None


def changes_upstream(case: Case) -> Fault | None:
    """The upstream gradient is another one after the backward was run."""
    error = case.first.error
    changed = any(step.upstream_changed for step in case.first.steps)
    refused = error is not None and is_read_only(error) and case.adapter.name == "tensorflow"
    if changed or refused:
        return Fault(
            "mutates-upstream",
            f"The backward of {case.name} changes its upstream gradient in place, which others may"
            " still need.",
        )
    return None


def returns_nothing(case: Case) -> Fault | None:
    """The backward forgot to return, or gives None where the framework takes no None."""
    for step in case.first.steps:
        wanted = [p for p in step.positions if p in case.places]
        if wanted and len(step.returned) == 1 and step.returned[0] is None:
            return Fault(
                "missing-gradient",
                f"The backward of {case.name} returns None instead of a gradient. Did it forget"
                " `return`?",
                input=wanted[0],
            )
        for p, g in zip(step.positions, step.returned, strict=False):
            if p in wanted and g is None and case.first.error is not None:
                return Fault(
                    "missing-gradient",
                    f"The backward of {case.name} gives None for {case.argument(p)}.",
                    input=p,
                )
    return None


def counts_wrong(case: Case) -> Fault | None:
    """The backward returns too many gradients, or too few."""
    for step in case.first.steps:
        expected, given = len(step.positions), len(step.returned)
        surplus, missing = step.returned[expected:], step.positions[given:]
        wrong = any(g is not None for g in surplus) or any(p in case.places for p in missing)
        refused = given != expected and case.first.error is not None
        if wrong or refused:
            return Fault(
                "wrong-arity",
                f"The backward of {case.name} returns {given} gradient{'s' * (given != 1)}, but its"
                f" forward takes {expected} argument{'s' * (expected != 1)}.",
                expected=expected,
                actual=given,
            )
    return None


def has_wrong_shape(case: Case) -> Fault | None:
    """A gradient has another shape than its input; which one tells what was forgotten."""
    for i, raw in _gradients_as_given(case):
        shape, actual = np.shape(case.inputs[i]), np.shape(raw)
        if actual == shape:
            continue
        kind, story = _story_of_shape(case, i, raw)
        return Fault(
            kind,
            f"The gradient for {case.argument(i)} has shape {actual}, but the input has shape"
            f" {shape}{story}",
            input=i,
            expected=shape,
            actual=actual,
        )
    return None


def _story_of_shape(case: Case, i: int, raw: np.ndarray) -> tuple[str, str]:
    shape, actual = np.shape(case.inputs[i]), np.shape(raw)
    truth = case.truth("random", i)
    if _is_stretched(case, i, actual) and not truth.rejects(_summed_to(raw, shape)).any():
        silent = " PyTorch sums it without a word; nobody else does."
        return "not-unbroadcast", (
            ": summed over the axes along which the input was stretched, it would be right."
            + silent * (case.adapter.name == "torch")
        )
    for j in case.places:
        fits = j != i and np.shape(case.inputs[j]) == actual
        if fits and not case.truth("random", j).rejects(raw).any():
            return "inputs-swapped", f": it is the gradient for {case.argument(j)}."
    for a, b in _pairs_of_axes(len(actual)):
        turned = np.swapaxes(raw, a, b)
        if turned.shape == shape and not truth.rejects(turned).any():
            return "transposed", ": it is the right gradient, transposed."
    if actual == ():
        return "wrong-shape", ": one number for all of its entries."
    return "wrong-shape", "."


def raises_in_backward(case: Case) -> Fault | None:
    """The backward raises, and none of the above explains it."""
    error = case.first.error
    if error is None:
        return None
    if is_read_only(error):
        return Fault(
            "stale-state",
            f"The backward of {case.name} changes a value in place that its forward saved, so it"
            " would be wrong when called again.",
        )
    return Fault("rule-raises", f"The backward of {case.name} raises: {_said(error)}")


def has_wrong_dtype(case: Case) -> Fault | None:
    """A gradient has another dtype than its input."""
    for i, raw in _gradients_as_given(case):
        dtype, actual = case.inputs[i].dtype, np.asarray(raw).dtype
        # NumPy widens float32 by itself when a float64 scalar is near; no digit is lost by that.
        widened = (
            case.adapter.name == "tape" and actual.kind == "f" and actual.itemsize > dtype.itemsize
        )
        if actual == dtype or widened:
            continue
        then = {
            "tape": "the tape converts it, and what was rounded away is lost",
            "torch": "PyTorch converts it without a word, and what was rounded away is lost",
            "tensorflow": "TensorFlow takes it as it is, and the next op may fail",
        }[case.adapter.name]
        return Fault(
            "wrong-dtype",
            f"The gradient for {case.argument(i)} is {actual}, but the input is {dtype}: {then}.",
            input=i,
            expected=str(dtype),
            actual=str(actual),
        )
    return None


# -- small things -------------------------------------------------------------------------------


def _gradients_as_given(case: Case) -> Iterator[tuple[int, np.ndarray]]:
    """Each gradient as the rule returned it; as the framework did if the rule passes it on."""
    for i in case.places:
        given = [
            g
            for step in case.first.steps
            for p, g in zip(step.positions, step.returned, strict=False)
            if p == i and g is not None
        ]
        if not given and case.first.gradients and case.first.gradients[i] is not None:
            given = [case.first.gradients[i]]
        yield from ((i, np.asarray(g)) for g in given)


def _is_stretched(case: Case, i: int, large: tuple) -> bool:
    """Whether `large` is the shape that input i has among the others, or in an output."""
    small = case.inputs[i].shape
    found = [y.shape for y in case.first.outputs] + [
        _broadcast([x.shape for x in case.inputs if isinstance(x, np.ndarray)])
    ]
    return large in found and small != large and _broadcast([small, large]) == large


def _broadcast(shapes: list[tuple]) -> tuple | None:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return None


def _summed_to(g: np.ndarray, shape: tuple) -> np.ndarray:
    new = g.ndim - len(shape)
    stretched = (new + axis for axis, n in enumerate(shape) if n == 1)
    return g.sum(axis=(*range(new), *stretched)).reshape(shape)


def _pairs_of_axes(ndim: int) -> Iterator[tuple[int, int]]:
    return ((a, b) for a in range(ndim) for b in range(a + 1, ndim))


def is_read_only(error: BaseException | None) -> bool:
    """Whether NumPy refused to write into an array that is shared."""
    while error is not None:
        if isinstance(error, ValueError) and (
            "read-only" in str(error) or "not writeable" in str(error)
        ):
            return True
        error = error.__cause__
    return False


def _said(error: BaseException) -> str:
    first_line = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__
