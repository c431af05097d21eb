"""The view of the course: forward curves on the left, their gradients on the right."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from course_lib.figures.curve import Curve
from course_lib.figures.figure import Figure
from course_lib.figures.legend import legend, paragraph
from course_lib.figures.lettering import text_width, wrap
from course_lib.figures.limits import curve_limits
from course_lib.figures.marks import Mark
from course_lib.figures.panel import Limits, Panel, side_by_side
from course_lib.figures.ticks import brief, plain, to_scale

_WIDTH = 760.0
_HEIGHT = 232.0
_TOP = 34.0


@dataclass(frozen=True)
class Strand:
    """One framework's version of a rule.

    Attributes
    ----------
    label, ink
        Its name in the legend and its colour and dash.
    forward, gradient
        The curves of its value and of the gradient that its rule gives.
    value, slope
        Both, at the point that is being looked at.
    """

    label: str
    ink: str
    forward: Curve
    gradient: Curve
    value: float
    slope: float


@dataclass(frozen=True)
class Truth:
    """The true derivative of the forward curve: its `curve`, its `slope` at the point looked at."""

    curve: Curve
    slope: float


def curve_pair(
    strands: Sequence[Strand],
    truth: Truth,
    x: float,
    *,
    title: str,
    xlim: Limits,
    ylim: Limits | None = None,
    glim: Limits | None = None,
    note: str = "",
) -> Figure:
    """Forward curves beside gradients, over the same `xlim`, with a point at `x`.

    Where a gradient and the truth differ the gap is shaded, and the largest difference is told.

    Parameters
    ----------
    strands
        At least one, drawn over each other. They share the grid of `truth.curve`.
    title
        How the function is called, with its parameters.
    ylim, glim
        Limits of the two vertical axes; by default what `forward_limits` and `gradient_limits` say.
    note
        A last remark, for instance which framework was left out.
    """
    ground = pair_ground(strands, truth, title=title, xlim=xlim, ylim=ylim, glim=glim)
    return ground.figure.under(pair_at(ground, strands, truth, x, title=title, note=note))


@dataclass(frozen=True)
class Ground:
    """What stays while the point moves: axes, curves and legend."""

    figure: Figure
    left: Panel
    right: Panel


def pair_ground(
    strands: Sequence[Strand],
    truth: Truth,
    *,
    title: str,
    xlim: Limits,
    ylim: Limits | None = None,
    glim: Limits | None = None,
) -> Ground:
    """The part of `curve_pair` that does not depend on `x`."""
    ylim = ylim or forward_limits(strands)
    glim = glim or gradient_limits(strands, truth)
    left, right = side_by_side(_WIDTH, _TOP, _HEIGHT, (xlim, ylim), (xlim, glim))
    entries = [("line", strand.ink, strand.label) for strand in strands]
    entries += [
        ("line", "truth", "true derivative"),
        ("line", "tangent", "tangent"),
        ("area", "mismatch", "mismatch"),
    ]
    top = _TOP + _HEIGHT + 30
    key, used = legend(entries, left.left, top, _WIDTH - left.left)
    heading = f"forward: {title}"
    marks = (
        *left.axes(heading if text_width(heading, 14, bold=True) <= left.width else title),
        *right.axes("gradient"),
        *_shade(right, strands, truth),
        *(mark for s in strands for mark in left.curve(s.forward, s.ink)),
        *(mark for s in strands for mark in right.curve(s.gradient, s.ink)),
        *right.curve(truth.curve, "truth"),
        *(mark for s in strands for mark in left.dots(s.forward, s.ink)),
        *right.dots(truth.curve, "truth"),
        *(mark for s in strands for mark in right.dots(s.gradient, s.ink)),
        *key,
    )
    tracks = ((left.left, left.width), (right.left, right.width))
    return Ground(Figure(_WIDTH, top + used + 4, marks, title, tracks), left, right)


def pair_at(
    ground: Ground, strands: Sequence[Strand], truth: Truth, x: float, *, title: str, note: str = ""
) -> Figure:
    """The part of `curve_pair` that moves with `x`, to be laid over its ground."""
    left, right = ground.left, ground.right
    readout = _readout(ground, strands, truth, x)
    room = _WIDTH - left.left
    lines = [line for text in (*readout, note) for line in wrap(text, room)]
    words, tall = paragraph(lines, left.left, ground.figure.height)
    marks = (
        left.upright(x),
        right.upright(x),
        *_tangents(left, strands, x),
        *_points(left, right, strands, x),
        *words,
    )
    return Figure(
        width=_WIDTH,
        height=ground.figure.height + tall + 6,
        marks=marks,
        alt=_sentence(title, readout, note),
        tracks=ground.figure.tracks,
        page=False,
    )


def forward_limits(strands: Sequence[Strand]) -> Limits:
    """Limits that show all forward curves."""
    return curve_limits([strand.forward.y for strand in strands])


def gradient_limits(strands: Sequence[Strand], truth: Truth) -> Limits:
    """Limits that show all gradients and the truth, but not the rounding of the truth."""
    values = np.concatenate([strand.forward.y for strand in strands])
    size = np.abs(values[np.isfinite(values)]).max(initial=0.0)
    noise = 1e-7 * float(size) / float(np.ptp(truth.curve.x))
    return curve_limits([*(strand.gradient.y for strand in strands), truth.curve.y], noise)


def largest_difference(strand: Strand, truth: Truth) -> tuple[float, float]:
    """The largest ``|gradient − truth|`` where both exist, and where it is.

    A truth found numerically has about six digits: what agrees in five does not differ.
    """
    with np.errstate(invalid="ignore"):
        gap = np.abs(strand.gradient.y - truth.curve.y)
        gap[gap <= 1e-5 * np.abs(truth.curve.y)] = 0.0
    if not np.isfinite(gap).any():
        return float("nan"), float("nan")
    worst = int(np.nanargmax(np.where(np.isfinite(gap), gap, np.nan)))
    return float(gap[worst]), float(truth.curve.x[worst])


def _shade(panel: Panel, strands: Sequence[Strand], truth: Truth) -> Iterable[Mark]:
    rows = np.array([strand.gradient.y for strand in strands] + [truth.curve.y])
    yield from panel.band(truth.curve.x, rows.min(axis=0), rows.max(axis=0), "mismatch")


def _tangents(panel: Panel, strands: Sequence[Strand], x: float) -> Iterable[Mark]:
    reach = 0.16 * (panel.xlim[1] - panel.xlim[0])
    across = np.array([x - reach, x + reach])
    for value, slope in dict.fromkeys((strand.value, strand.slope) for strand in strands):
        if np.isfinite([value, slope]).all():
            yield _straight(panel, across, value + slope * (across - x))


def _straight(panel: Panel, x: np.ndarray, y: np.ndarray) -> Mark:
    """A line that keeps its slope even where it leaves the panel."""
    fine = np.linspace(0.0, 1.0, 65)
    xs, ys = x[0] + fine * (x[1] - x[0]), y[0] + fine * (y[1] - y[0])
    low, high = panel.ylim
    seen = np.flatnonzero((ys >= low - (high - low)) & (ys <= high + (high - low)))
    ends = seen[[0, -1]] if len(seen) else seen
    return panel.line(xs[ends], ys[ends], "tangent")


def _points(left: Panel, right: Panel, strands: Sequence[Strand], x: float) -> Iterable[Mark]:
    for strand in strands:
        yield from left.dot(x, strand.value, "text", "page")
        yield from right.dot(x, strand.slope, "text", "page")


def _readout(ground: Ground, strands: Sequence[Strand], truth: Truth, x: float) -> tuple[str, str]:
    xlim, ylim, glim = ground.left.xlim, ground.left.ylim, ground.right.ylim
    values = _agreeing(strands, lambda strand: to_scale(strand.value, ylim))
    slopes = _agreeing(strands, lambda strand: to_scale(strand.slope, glim))
    worst = max(strands, key=lambda strand: np.nan_to_num(largest_difference(strand, truth)[0]))
    gap, where = largest_difference(worst, truth)
    here = f"x = {_place(x, xlim)}: value {values}, gradient {slopes}, "
    here += f"true derivative {to_scale(truth.slope, glim)}"
    told = to_scale(gap, glim)
    far = f"largest difference from the true derivative {told}"
    if np.isfinite(gap) and told.strip("0."):
        far += f" at x = {_place(where, xlim)}"
        far += f" ({worst.label})" if len(strands) > 1 else ""
    return here, far


def _place(x: float, xlim: Limits) -> str:
    """`x` to a two-hundredth of the axis, with two decimals at least."""
    finest = math.floor(math.log10((xlim[1] - xlim[0]) / 200))
    return plain(x, max(2, -finest)) if finest > -7 else brief(x)


def _agreeing(strands: Sequence[Strand], tell: Callable[[Strand], str]) -> str:
    """One number if all say the same, else each number with who says so."""
    said: dict[str, list[str]] = {}
    for strand in strands:
        said.setdefault(tell(strand), []).append(strand.label)
    if len(said) == 1:
        return next(iter(said))
    return ", ".join(f"{number} ({', '.join(who)})" for number, who in said.items())


def _sentence(title: str, readout: tuple[str, str], note: str) -> str:
    here, far = readout
    return f"{title} at {here}; {far}{f'; {note}' if note else ''}."
