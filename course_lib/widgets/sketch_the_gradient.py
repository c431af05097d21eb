"""A derivative to draw by hand, and then to compare with the truth."""

from collections.abc import Callable

import ipywidgets
import numpy as np

from course_lib import figures
from course_lib.figures import Figure
from course_lib.figures.limits import curve_limits
from course_lib.figures.panel import Limits
from course_lib.figures.sketch import Sketch, sketch_figure
from course_lib.figures.ticks import comfortable, round_step
from course_lib.widgets.dialects import dialects
from course_lib.widgets.limits import limits
from course_lib.widgets.parts import parts
from course_lib.widgets.view import View


class SketchTheGradient(View):
    """The reader moves knots until they look like the derivative, then reveals it.

    With the mouse: press and draw. With the keyboard: left and right choose a knot, up and down
    move it.

    Parameters
    ----------
    f
        An elementwise function of the tape (or of NumPy).
    xlim
        Where the curve begins and ends.
    knots
        How many there are, at equal distances.
    true
        ``true(x)``, the derivative in NumPy; by default `f` is differentiated numerically.
    name
        What the function is called; by default its own name.

    Raises
    ------
    ValueError
        If there are fewer than two knots, or no derivative anywhere in `xlim`.
    """

    def __init__(
        self,
        f: Callable,
        xlim: Limits = (-3.0, 3.0),
        knots: int = 9,
        *,
        true: Callable[[np.ndarray], np.ndarray] | None = None,
        name: str | None = None,
    ) -> None:
        if not isinstance(knots, int) or knots < 2:
            raise ValueError(f"{knots!r} knots were asked for; a sketch needs two or more.")
        (dialect,), _ = dialects(f)

        def forward(x: np.ndarray) -> np.ndarray:
            return dialect.value(x, {})

        def probe(x: np.ndarray) -> np.ndarray:
            with np.errstate(all="ignore"):
                slope = true(x) if true else figures.slope(forward, x, high - low)
                return np.array([forward(x), np.broadcast_to(slope, x.shape)])

        low, high = limits(xlim)
        self._forward, self._truth = figures.sample(probe, low, high)
        self._x = np.linspace(low, high, knots)
        self._reach = _reach(self._truth.y)
        self._title = f"{name or dialect.called}(x)"
        self.revealed = False
        stage = parts().Stage(
            label=(
                f"Sketch the derivative of {self._title}: left and right choose a knot, "
                "up and down move it"
            ),
            value=0.0,
            low=0.0,
            high=knots - 1.0,
            step=1.0,
            levels=[0.0] * knots,
            reach=self._reach,
            level_step=round_step((self._reach[1] - self._reach[0]) / 60),
        )
        self.stage = stage
        self.reveal = ipywidgets.Button(description="Reveal")
        super().__init__(self._draw(), stage, [self.reveal])
        self.follow(stage, lambda: self.show(self._draw()), ["value", "levels"])
        self.reveal.on_click(lambda _button: self.attempt(self._turn))

    def _turn(self) -> None:
        """Show the truth, or hide it again for another try."""
        self.revealed = not self.revealed
        self.reveal.description = "Hide" if self.revealed else "Reveal"
        self.show(self._draw())

    def _draw(self) -> Figure:
        return sketch_figure(
            self._forward,
            Sketch(self._x, np.array(self.stage.levels)),
            self._reach,
            round(self.stage.value),
            self._truth if self.revealed else None,
            title=self._title,
        )


def _reach(truth: np.ndarray) -> Limits:
    """Room for the truth, for zero, and for being wrong in either direction."""
    if not np.isfinite(truth).any():
        raise ValueError(
            "The function has no derivative anywhere between the limits, so there is nothing to "
            "sketch. Choose an xlim where it has one."
        )
    low, high = curve_limits([truth])
    return comfortable(min(low, 0.0), max(high, 0.0), 0.24)
