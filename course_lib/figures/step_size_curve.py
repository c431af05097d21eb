"""How the error of a numerical derivative depends on its step."""

from collections.abc import Sequence

import numpy as np

from course_lib.figures.curve import Curve
from course_lib.figures.differences import LEAST_ERROR, Method
from course_lib.figures.figure import Figure
from course_lib.figures.legend import legend, paragraph
from course_lib.figures.lettering import wrap
from course_lib.figures.marks import Mark
from course_lib.figures.palette import LINES
from course_lib.figures.panel import Panel
from course_lib.figures.ticks import decade_ticks

_WIDTH = 760.0
_LEFT, _TOP = 46.0, 56.0
_HEIGHT = 270.0


def step_size_curve(
    methods: Sequence[Method], exponents: np.ndarray, at: float, *, title: str
) -> Figure:
    """Error against step on two logarithmic axes, with a line at the step ``10**at``.

    Parameters
    ----------
    methods
        At most three, with an error for each of `exponents`.
    exponents
        Base-10 logarithms of the steps, ascending, shape ``(n,)``.
    title
        What is differentiated, and where; also how the picture's sentence begins.
    """
    logs = [_log(method.errors) for method in methods]
    finite = np.concatenate([log[np.isfinite(log)] for log in logs])
    bottom, top = np.log10(LEAST_ERROR) - 0.5, max(float(finite.max(initial=0.0)), 0.0) + 0.6
    xlim = float(exponents[0]), float(exponents[-1])
    panel = Panel(_LEFT, _TOP, _WIDTH - _LEFT - 20, _HEIGHT, xlim, (bottom, top))
    here = int(np.argmin(np.abs(exponents - at)))
    marks: list[Mark] = [
        *panel.axes(
            title,
            decade_ticks(*xlim, about=9),
            decade_ticks(bottom, top, about=7),
            across="step h",
            up="relative error",
        )
    ]
    for ink, log in zip(LINES, logs, strict=False):
        marks += panel.curve(Curve(exponents, log), ink)
    marks.append(panel.upright(at))
    for ink, log in zip(LINES, logs, strict=False):
        marks += panel.dot(float(exponents[here]), float(log[here]), ink, "page")
    below = _TOP + _HEIGHT + 46
    room = _WIDTH - _LEFT
    entries = [("line", ink, m.label) for ink, m in zip(LINES, methods, strict=False)]
    key, used = legend(entries, _LEFT, below, room)
    readout = _readout(methods, exponents, here)
    words, tall = paragraph(
        [line for text in readout for line in wrap(text, room)], _LEFT, below + used
    )
    return Figure(
        _WIDTH,
        below + used + tall + 8,
        (*marks, *key, *words),
        alt=f"{title}: {'; '.join(readout)}.",
        tracks=((panel.left, panel.width),),
    )


def _log(errors: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.log10(np.maximum(errors, LEAST_ERROR))


def _readout(methods: Sequence[Method], exponents: np.ndarray, here: int) -> tuple[str, str]:
    now = ", ".join(f"{m.label} {_size(_typical(m.errors)[here])}" for m in methods)
    best = ", ".join(f"{m.label} {_size(_least(m.errors))}" for m in methods)
    return f"error at h = {_step(exponents[here])}: {now}", f"smallest error: {best}"


def _typical(errors: np.ndarray) -> np.ndarray:
    """The middle of five neighbours: a rounding error is luck, its size is not."""
    padded = np.pad(np.maximum(errors, LEAST_ERROR), 2, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)


def _least(errors: np.ndarray) -> float:
    typical = _typical(errors)
    return float(np.min(typical, where=np.isfinite(typical), initial=np.inf))


def _step(exponent: float) -> str:
    """A step with at most two digits: 1e−8, 5.6e−9."""
    mantissa, power = f"{10**exponent:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(power)}".replace("-", "−")


def _size(value: float) -> str:
    """The order of magnitude."""
    if not np.isfinite(value):
        return "undefined"
    if value < LEAST_ERROR * 10:
        return "below 1e−16"
    return f"1e{round(float(np.log10(value)))}".replace("-", "−")
