"""The error of a numerical derivative against its step, with a step that the reader drags."""

from collections.abc import Callable

import numpy as np

from course_lib import frameworks
from course_lib.figures import Figure
from course_lib.figures.differences import step_errors
from course_lib.figures.step_size_curve import step_size_curve
from course_lib.widgets.at_once import at_once
from course_lib.widgets.parts import parts
from course_lib.widgets.view import View


class StepSizeCurve(View):
    """Forward difference, central difference and complex step at one point, log-log.

    Parameters
    ----------
    f
        An elementwise function, written in NumPy so that it takes arrays, tape Variables and, for
        the complex step, complex numbers.
    x
        Where to differentiate.
    true
        ``true(x)``, the derivative; by default the tape's, which is exact to rounding.
    name
        What the function is called; by default its own name.
    exponent
        Base-10 logarithm of the step at which the view starts, from -16 to 0.

    Raises
    ------
    ValueError
        If the exponent is none of these, if `f` takes one number only, or has no derivative at `x`
        to compare with.
    """

    def __init__(
        self,
        f: Callable,
        x: float = 1.0,
        *,
        true: Callable[[float], float] | None = None,
        name: str | None = None,
        exponent: float = -8.0,
    ) -> None:
        if not -16 <= exponent <= 0:
            raise ValueError(f"The exponent is {exponent!r}; give a number from -16 to 0.")
        self._exponents = np.linspace(-16.0, 0.0, 65)
        truth = float(true(x)) if true else _tape_slope(f, x)
        if not np.isfinite(truth):
            raise ValueError(
                f"The derivative at x = {x:g} is {truth}, so there is nothing to compare with. "
                "Take an x where the function has a derivative."
            )
        with np.errstate(all="ignore"):
            steps = 10.0**self._exponents
            self.methods = step_errors(lambda at: at_once(f, at), truth, float(x), steps)
        own = getattr(f, "__name__", "f")
        called = name or ("f" if own == "<lambda>" else own)
        self._title = f"derivative of {called} at x = {x:g}".replace("-", "−")
        stage = parts().Stage(
            label=f"{self._title}: drag, or use the arrow keys, to change the step",
            value=float(exponent),
            low=-16.0,
            high=0.0,
            step=0.25,
        )
        super().__init__(self._draw(float(exponent)), stage)
        self.follow(stage, lambda: self.show(self._draw(stage.value)))

    def _draw(self, exponent: float) -> Figure:
        return step_size_curve(self.methods, self._exponents, exponent, title=self._title)


def _tape_slope(f: Callable, x: float) -> float:
    with np.errstate(all="ignore"):
        _, pullback = frameworks.get("tape").vjp(f, np.array(float(x)))
        (gradient,) = pullback(np.array(1.0))
    if gradient is None:
        raise ValueError(
            "The function's output does not depend on x on the tape, so there is no derivative to "
            "compare with. Write it in NumPy, or give true=, its derivative."
        )
    return float(gradient)
