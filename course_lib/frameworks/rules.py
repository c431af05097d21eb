"""Rules as they are given: functions of a framework's tensors, and what they return."""

from collections.abc import Callable
from typing import Any

import numpy as np


class BadOutput(TypeError):
    """A rule returned something that is neither a tensor nor a tuple of tensors."""


def is_differentiable(x: Any) -> bool:
    """Whether an input `x` is differentiated (a floating-point array) or passed on as it is."""
    return isinstance(x, np.ndarray) and x.dtype.kind in "fc"


def rule_name(rule: Callable) -> str:
    """What to call a rule in a sentence: for ``Square.apply``, ``Square``."""
    name = getattr(rule, "__name__", type(rule).__name__)
    owner = getattr(rule, "__self__", None)
    if name == "apply" and isinstance(owner, type):
        return owner.__name__
    return "the rule" if name == "<lambda>" else name


def as_outputs(result: Any, rule: Callable, label: str, is_tensor: Callable) -> tuple:
    """What a rule returned, as a tuple of tensors, arrays or numbers.

    Raises
    ------
    BadOutput
        If it is, or holds, anything else.
    """
    outputs = tuple(result) if isinstance(result, (tuple, list)) else (result,)
    for output in outputs or (None,):
        if is_tensor(output):
            continue
        if output is None:
            raise BadOutput(
                f"{rule_name(rule)} returned nothing where {label} expects an output. Does its"
                " forward end in `return`?"
            )
        if not isinstance(output, (np.ndarray, np.generic, int, float)):
            raise BadOutput(
                f"{rule_name(rule)} returned {describe(output)}. A rule returns a tensor of"
                f" {label}, or a tuple of them."
            )
    return outputs


def describe(x: Any) -> str:
    """A value in a few words, for a message."""
    text = repr(x)
    article = "an" if type(x).__name__[0] in "aeiou" else "a"
    return f"{article} {type(x).__name__} ({text if len(text) <= 40 else text[:37] + '...'})"
