"""The reader's own sketch of a derivative, under the function that it belongs to."""

from dataclasses import dataclass

import numpy as np

from course_lib.figures.curve import Curve
from course_lib.figures.figure import Figure
from course_lib.figures.legend import legend, paragraph
from course_lib.figures.lettering import text_width, wrap
from course_lib.figures.limits import curve_limits
from course_lib.figures.marks import Mark
from course_lib.figures.panel import Panel
from course_lib.figures.ticks import plain, round_ticks, to_scale

_WIDTH = 620.0
_TOP, _HEIGHT, _GAP = 34.0, 190.0, 54.0


@dataclass(frozen=True)
class Sketch:
    """A derivative drawn by hand: `levels` at the places `x`, both of shape ``(k,)``."""

    x: np.ndarray
    levels: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The sketch between its knots: straight lines."""
        return np.interp(x, self.x, self.levels)


def score(sketch: Sketch, truth: Curve) -> int:
    """How good a sketch is, from 0 to 100.

    100 minus the mean distance from the truth in per cent of a quarter of the truth's range (of its
    size, if it is level): a level line through the middle of a straight truth is worth nothing.
    """
    known = np.isfinite(truth.y)
    y = truth.y[known]
    size = float(np.abs(y).max())
    span = float(np.ptp(y))
    quarter = (span if span > 1e-3 * size else size or 1.0) / 4
    distance = float(np.mean(np.abs(sketch(truth.x[known]) - y)))
    return round(100 * max(0.0, 1.0 - distance / quarter))


def sketch_figure(
    forward: Curve,
    sketch: Sketch,
    reach: tuple[float, float],
    chosen: int,
    truth: Curve | None = None,
    *,
    title: str,
) -> Figure:
    """The function above, the sketch below with knot `chosen` marked; with `truth`, the verdict.

    Parameters
    ----------
    forward
        The function, under its `title`.
    reach
        Limits of the lower vertical axis: how far a knot can be moved.
    """
    ylim = curve_limits([forward.y])
    labels = [tick.label for limits in (ylim, reach) for tick in round_ticks(*limits)]
    left = max(text_width(label, 12) for label in labels) + 14
    first, last = float(sketch.x[0]), float(sketch.x[-1])
    # Room at both ends, where a knot would hide the labels of the ticks.
    xlim = first - 0.03 * (last - first), last + 0.03 * (last - first)
    width = _WIDTH - left - 16
    above = Panel(left, _TOP, width, _HEIGHT, xlim, ylim)
    below = Panel(left, _TOP + _HEIGHT + _GAP, width, _HEIGHT, xlim, reach)
    place, level = float(sketch.x[chosen]), float(sketch.levels[chosen])
    marks: list[Mark] = [
        *above.axes(f"forward: {title}"),
        *below.axes("your gradient"),
        *above.curve(forward, "tape"),
        *above.dots(forward, "tape"),
        above.upright(place),
        below.upright(place),
    ]
    if truth is not None:
        drawn = sketch(truth.x)
        marks += below.band(
            truth.x, np.minimum(drawn, truth.y), np.maximum(drawn, truth.y), "mismatch"
        )
        marks += [*below.curve(truth, "truth"), *below.dots(truth, "truth")]
    marks.append(below.line(sketch.x, sketch.levels, "active"))
    for k, (x, y) in enumerate(zip(sketch.x, sketch.levels, strict=True)):
        ink = "text" if k == chosen else "active"
        # A knot at the end of its reach is still a knot to see.
        marks += below.dot(x, float(np.clip(y, *reach)), ink, "active", 8.0 if k == chosen else 6.0)
    entries = [("line", "active", "your sketch")]
    if truth is not None:
        entries += [("line", "truth", "true derivative"), ("area", "mismatch", "mismatch")]
    bottom = below.top + _HEIGHT + 28
    key, used = legend(entries, left, bottom, width)
    said = f"knot {chosen + 1} of {len(sketch.x)} at x = {plain(place, 2)}: "
    said += f"slope {to_scale(level, reach, 2)}"
    if truth is not None:
        true = to_scale(float(np.interp(place, truth.x, truth.y)), reach, 2)
        said += f", true derivative {true}; score {score(sketch, truth)} of 100"
    words, tall = paragraph(wrap(said, _WIDTH - left), left, bottom + used)
    return Figure(
        _WIDTH,
        bottom + used + tall + 8,
        (*marks, *key, *words),
        alt=f"Sketch of the derivative of {title}: {said}.",
        tracks=((float(below.across(first)), float(below.across(last) - below.across(first))),),
        field=(below.top, below.height),
    )
