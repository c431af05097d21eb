"""Numerical derivatives, and how far each is from the truth as its step shrinks."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LEAST_ERROR = 1e-17
"""Errors below this, exact answers among them, are shown as this."""


@dataclass(frozen=True)
class Method:
    """A way to differentiate numerically: its name and its errors, one a step."""

    label: str
    errors: np.ndarray


def step_errors(
    function: Callable[[np.ndarray], np.ndarray], truth: float, x: float, steps: np.ndarray
) -> list[Method]:
    """The relative error of three methods at `x` for each of `steps` (absolute if `truth` is 0).

    The complex step needs an analytic `function` that takes complex numbers (Squire and Trapp,
    1998); it is left out where `function` raises on them or answers with reals.
    """
    ahead, behind, here = function(x + steps), function(x - steps), function(np.full_like(steps, x))
    found = {
        "forward difference": (ahead - here) / steps,
        "central difference": (ahead - behind) / (2 * steps),
    }
    try:
        imaginary = function(x + 1j * steps)
    except Exception:
        # Whatever the function has against complex numbers, the other two methods remain.
        imaginary = ahead
    if np.iscomplexobj(imaginary):
        found["complex step"] = imaginary.imag / steps
    scale = abs(truth) or 1.0
    return [Method(label, np.abs(slopes - truth) / scale) for label, slopes in found.items()]
