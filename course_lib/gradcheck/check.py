"""check_gradient: the questions that are put to a rule, in the order in which they make sense."""

import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from course_lib import frameworks
from course_lib.gradcheck import running, second, state, values, whole
from course_lib.gradcheck.case import Case
from course_lib.gradcheck.faults import Fault
from course_lib.gradcheck.report import GradientReport, measure

_WHEN_RUN = (
    running.raises_in_forward,
    running.changes_input,
    running.is_random,
    running.returns_nothing,
    running.counts_wrong,
    running.changes_upstream,
    running.has_wrong_shape,
    running.raises_in_backward,
    running.has_wrong_dtype,
)
_IN_THE_NUMBERS = (
    whole.leads_nowhere,
    state.remembers_other_calls,
    whole.is_unstable,
    whole.is_bypassed,
    values.wrong_values,
    whole.wrong_along_directions,
    whole.loses_precision,
    state.does_not_accumulate,
    whole.was_not_run,
)


def check_gradient(
    rule: Callable,
    *inputs: Any,
    framework: str = "tape",
    surrogate: Callable | None = None,
    order: Literal[1, 2] = 1,
    seed: int = 0,
) -> GradientReport:
    """Is this rule's gradient right, and if not, which mistake is it?

    The rule is run with many upstream gradients (random, ones, zeros, negative, scaled, one output
    at a time), repeatedly, with its calls interleaved and its inputs used twice, and compared with
    numeric derivatives of its own forward.

    Parameters
    ----------
    rule
        Takes tensors of the framework, returns one or a tuple of them.
    *inputs
        Floating-point NumPy arrays, of any shape. Whatever is not one (a number, a string, an array
        of integers) is passed on as a constant.
    framework : {"tape", "tensorflow", "torch"}
        Whose tensors the rule takes.
    surrogate
        ``surrogate(*upstreams, *inputs)``, in NumPy: the gradient that the rule means to give, if
        it is not the true derivative. One array for each array input. If it is nonlinear in the
        upstream (clipping), the rule may be so too.
    order : {1, 2}
        2 also checks the derivative of the gradient.
    seed
        Of the random upstream gradients.

    Returns
    -------
    GradientReport
        True if the rule is right; ``report.faults[0]`` is the most likely mistake. Whatever the
        rule does wrong is reported, never raised.

    Raises
    ------
    ValueError
        If there is no array among the inputs, the order is neither 1 nor 2, the framework is
        unknown, or the surrogate does not fit the inputs.
    TypeError
        If the rule or the surrogate cannot be called.
    FrameworkMissing
        If the framework is not installed.
    """
    adapter = frameworks.get(framework)
    _refuse_what_cannot_be_checked(rule, inputs, surrogate, order)
    case = Case(rule, inputs, adapter, surrogate, seed)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        faults = _first_answer(case, _WHEN_RUN)
        runs = not faults
        faults = faults or _first_answer(case, _IN_THE_NUMBERS)
        if faults and runs and case.look_closer():
            faults = _first_answer(case, _IN_THE_NUMBERS)
        if order == 2 and not faults:
            faults = _first_answer(case, (second.wrong_second_order,))
        return GradientReport(
            rule=case.name,
            framework=adapter.label,
            faults=tuple(faults),
            order=order,
            surrogate=surrogate is not None,
            comparisons=measure(case, faults) if runs else (),
        )


def _first_answer(case: Case, questions: tuple) -> list[Fault]:
    """What the first question finds that finds anything; later ones would only repeat it."""
    for question in questions:
        found = question(case)
        if found:
            return found if isinstance(found, list) else [found]
    return []


def _refuse_what_cannot_be_checked(rule: Any, inputs: tuple, surrogate: Any, order: int) -> None:
    if not callable(rule):
        raise TypeError(
            f"check_gradient was given a {type(rule).__name__} as its rule. Give the function"
            " itself, check_gradient(square, x), not its result square(x)."
        )
    if surrogate is not None and not callable(surrogate):
        raise TypeError(
            f"surrogate is a {type(surrogate).__name__}, but must be a function in NumPy:"
            " surrogate(*upstreams, *inputs) returns the gradients that the rule means to give."
        )
    if order not in (1, 2):
        raise ValueError(
            f"order is {order!r}, but must be 1 (the gradient) or 2 (its derivative too)."
        )
    if not any(frameworks.is_differentiable(x) and x.dtype.kind == "f" for x in inputs):
        given = ", ".join(_kind(x) for x in inputs) or "nothing"
        raise ValueError(
            f"check_gradient was given {given} as inputs, but needs at least one floating-point"
            " NumPy array to differentiate, such as np.array([1.0, 2.0])."
        )
    for x in inputs:
        if frameworks.is_differentiable(x) and not np.isfinite(x).all():
            raise ValueError(
                "An input holds nan or infinite numbers, where no derivative can be compared. Give"
                " finite ones."
            )


def _kind(x: Any) -> str:
    if isinstance(x, np.ndarray):
        return f"an array of {x.dtype}"
    return f"a {type(x).__name__}"
