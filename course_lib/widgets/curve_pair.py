"""The view of the course: a rule's curve and the gradient it claims, side by side."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from numbers import Real
from typing import Any

import ipywidgets
import numpy as np

from course_lib import figures
from course_lib.figures import Figure, Strand, Truth
from course_lib.figures.curve_pair import (
    forward_limits,
    gradient_limits,
    pair_at,
    pair_ground,
)
from course_lib.figures.panel import Limits
from course_lib.figures.ticks import round_step
from course_lib.widgets.dialects import Dialect, dialects
from course_lib.widgets.limits import limits
from course_lib.widgets.parts import parts
from course_lib.widgets.view import View

Range = tuple[float, float, float]


class CurvePair(View):
    """Forward curves on the left, gradients on the right, and a point that the reader drags.

    Each rule's own value and gradient are shown, next to the true derivative of the forward curve.
    Where they differ the gap is shaded, and the largest difference is told.

    Parameters
    ----------
    rules
        ``{"tape": square_tape, "tensorflow": square_tf, "torch": square_torch}``, or any part of
        it, or one rule of the tape. A rule is elementwise and is called as ``rule(x, **params)``
        with its framework's own tensor. If its framework is not installed it is left out, and the
        view says so.
    params
        A slider each: ``{"alpha": (10, 1, 30)}`` starts at 10 and goes from 1 to 30. A single
        number is passed on as it is, without a slider.
    xlim
        Where the curves begin and end.
    x
        Where the point starts.
    true
        ``true(x, **params)``, the derivative to compare with, in NumPy. By default the forward
        curve is differentiated numerically.
    name
        What the function is called; by default the name of the first rule.

    Raises
    ------
    ValueError
        If no rule can be drawn, if a rule's output has not the shape of its input, or if limits
        or parameters are not as described.
    """

    _page: Figure

    def __init__(
        self,
        rules: Mapping[str, Callable[..., Any] | None] | Callable[..., Any],
        params: Mapping[str, float | Range] | None = None,
        xlim: Limits = (-3.0, 3.0),
        *,
        x: float | None = None,
        true: Callable[..., np.ndarray] | None = None,
        name: str | None = None,
    ) -> None:
        low, high = limits(xlim)
        self._dialects, self._missing = dialects(rules)
        self._true = true
        self._name = name or self._dialects[0].called
        self._xlim = low, high
        self._ylim: Limits | None = None
        self._glim: Limits | None = None
        given: dict[str, Any] = dict(params or {})
        self._fixed = {key: p for key, p in given.items() if isinstance(p, Real)}
        self.dials = {key: _dial(key, p) for key, p in given.items() if key not in self._fixed}
        self.toggles = {d.name: _toggle(d) for d in self._dialects}
        step = round_step((high - low) / 200)
        start = low + 0.6 * (high - low) if x is None else float(x)
        if not np.isfinite(start):
            raise ValueError(f"x is {x!r}; give a number from {low:g} to {high:g}.")
        start = _nearest(start, low, high, step)
        stage = parts().Stage(
            label=f"{self._name}: drag, or use the arrow keys, to move x",
            value=start,
            low=low,
            high=high,
            step=step,
        )
        self.stage = stage
        here = self._evaluate()
        controls = [*self.dials.values(), *(self.toggles.values() if len(self.toggles) > 1 else ())]
        super().__init__(self._page, stage, controls)
        self._draw(here)
        self.follow(stage, self._move)
        for control in controls:
            self.follow(control, self._change)

    @property
    def params(self) -> dict[str, float]:
        """The parameters as the sliders stand."""
        return self._fixed | {key: dial.value for key, dial in self.dials.items()}

    def _shown(self) -> list[Dialect]:
        shown = [d for d in self._dialects if self.toggles[d.name].value]
        if not shown:
            raise ValueError("Every framework is switched off; switch at least one on.")
        return shown

    def _move(self) -> None:
        self._draw(self._probe(np.array([self.stage.value]))[:, 0])

    def _change(self) -> None:
        self._draw(self._evaluate())

    def _draw(self, here: np.ndarray) -> None:
        """The picture, with its point where the curves have the values `here`."""
        strands, truth = self._strands(here)
        x, note = self.stage.value, _absence(self._missing)
        over = pair_at(self._ground, strands, truth, x, title=self._title(), note=note)
        if self._page.height != over.height:
            self._page = replace(self._ground.figure, height=over.height)
        self.show(self._page, over)

    def _probe(self, x: np.ndarray) -> np.ndarray:
        """The true derivative, then value and gradient of each rule: shape ``(1 + 2k, n)``."""
        params, shown = self.params, self._shown()
        with np.errstate(all="ignore"):
            if self._true is None:
                truth = figures.slope(lambda at: shown[0].value(at, params), x, np.ptp(self._xlim))
            else:
                truth = np.broadcast_to(self._true(x, **params), x.shape)
            return np.vstack([truth, *(d.value_and_gradient(x, params) for d in shown)])

    def _evaluate(self) -> np.ndarray:
        """The curves anew, on axes that only ever grow: a curve is seen to move, not its axes.

        Their values at the point are found along the way, since it is calls that take time.
        """
        here = np.empty(0)

        def probe(x: np.ndarray) -> np.ndarray:
            nonlocal here
            found = self._probe(np.append(x, self.stage.value))
            here = found[:, -1]
            return found[:, :-1]

        self._curves = figures.sample(probe, *self._xlim)
        strands, truth = self._strands(np.zeros(len(self._curves)))
        self._ylim = _union(self._ylim, forward_limits(strands))
        self._glim = _union(self._glim, gradient_limits(strands, truth))
        self._ground = pair_ground(
            strands,
            truth,
            title=self._title(),
            xlim=self._xlim,
            ylim=self._ylim,
            glim=self._glim,
        )
        self._page = self._ground.figure
        return here

    def _strands(self, here: np.ndarray) -> tuple[list[Strand], Truth]:
        """The curves with their values `here`, in the order of `_probe`."""
        true_curve, *curves = self._curves
        true_slope, *values = here.tolist()
        strands = [
            Strand(d.label, d.name, forward, gradient, value, slope)
            for d, forward, gradient, value, slope in zip(
                self._shown(), curves[::2], curves[1::2], values[::2], values[1::2], strict=True
            )
        ]
        return strands, Truth(true_curve, true_slope)

    def _title(self) -> str:
        params = [f"{key}={value:.4g}".replace("-", "−") for key, value in self.params.items()]
        return f"{self._name}({', '.join(['x', *params])})"


def _dial(name: str, given: Range):
    try:
        start, low, high = map(float, given)
    except (TypeError, ValueError):
        start = low = high = np.nan
    if not low <= start <= high or low == high:
        raise ValueError(
            f"The parameter {name!r} is {given!r}; give (start, lowest, highest), such as "
            "(10, 1, 30), or a single number to keep it fixed."
        )
    step = _step(start, low, high)
    digits = max(0, -int(np.floor(np.log10(step))))
    return parts().Dial(name=name, value=start, low=low, high=high, step=step, digits=digits)


def _step(start: float, low: float, high: float) -> float:
    """About a hundredth of the way, such that steps from `low` reach `start`."""
    rough = round_step((high - low) / 100)
    for step in (round_step(rough / finer) for finer in (1, 2, 4, 10, 20)):
        if np.isclose((start - low) / step, round((start - low) / step), rtol=0, atol=1e-6):
            return step
    return rough


def _toggle(dialect: Dialect) -> ipywidgets.Checkbox:
    return ipywidgets.Checkbox(
        value=True,
        description=dialect.label,
        indent=False,
        layout={"width": "auto", "margin": "2px 16px 2px 0"},
    )


def _nearest(x: float, low: float, high: float, step: float) -> float:
    return float(np.clip(round(low + round((x - low) / step) * step, 10), low, high))


def _union(old: Limits | None, new: Limits) -> Limits:
    return new if old is None else (min(old[0], new[0]), max(old[1], new[1]))


def _absence(missing: list[str]) -> str:
    if not missing:
        return ""
    verb = "is" if len(missing) == 1 else "are"
    return f"{' and '.join(missing)} {verb} not installed and left out"
