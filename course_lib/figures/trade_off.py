"""One quantity against another, point by point: what an accuracy costs, what a saving costs."""

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib.figures.figure import Figure
from course_lib.figures.legend import legend
from course_lib.figures.marks import Mark
from course_lib.figures.palette import LINES
from course_lib.figures.panel import Panel
from course_lib.figures.ticks import Tick, brief, comfortable, decade_ticks, round_ticks

_WIDTH = 640.0
_LEFT, _TOP, _HEIGHT = 64.0, 56.0, 280.0


def trade_off(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], across: str, up: str, title: str
) -> Figure:
    """Measured points, joined in the order in which they are given.

    Parameters
    ----------
    lines
        At most three, ``{"adjoint": (xs, ys), ...}``, the points of each.
    across, up
        What the two axes show, with its unit. An axis whose values are positive and span more than
        a factor of 50 is logarithmic.
    title
        What is compared.
    """
    if not 1 <= len(lines) <= len(LINES):
        raise ValueError(f"trade_off draws one to {len(LINES)} lines, but was given {len(lines)}.")
    xs, ys = (
        np.concatenate([np.asarray(line[k], float) for line in lines.values()]) for k in (0, 1)
    )
    x_scale, y_scale = _scale(xs), _scale(ys)
    xlim, ylim = (comfortable(*_ends(scale(v))) for scale, v in ((x_scale, xs), (y_scale, ys)))
    panel = Panel(_LEFT, _TOP, _WIDTH - _LEFT - 20, _HEIGHT, xlim, ylim)
    marks: list[Mark] = [
        *panel.axes(title, _ticks(x_scale, xlim), _ticks(y_scale, ylim), across=across, up=up)
    ]
    for ink, (x, y) in zip(LINES, lines.values(), strict=False):
        places, heights = x_scale(np.asarray(x, float)), y_scale(np.asarray(y, float))
        marks.append(panel.line(places, heights, ink))
        for place, height in zip(places, heights, strict=True):
            marks += panel.dot(float(place), float(height), ink, "page", radius=4.0)
    below = _TOP + _HEIGHT + 46
    entries = [("line", ink, label) for ink, label in zip(LINES, lines, strict=False)]
    key, tall = legend(entries, _LEFT, below, _WIDTH - _LEFT)
    said = "; ".join(
        f"{label} from {brief(x[0])}, {brief(y[0])} to {brief(x[-1])}, {brief(y[-1])}"
        for label, (x, y) in lines.items()
    )
    alt = f"{title}, {up} against {across}: {said}."
    return Figure(_WIDTH, below + tall + 8, (*marks, *key), alt=alt)


def _scale(values: np.ndarray):
    logarithmic = values.min() > 0 and values.max() > 50 * values.min()
    return np.log10 if logarithmic else np.asarray


def _ends(values: np.ndarray) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _ticks(scale, limits: tuple[float, float]) -> list[Tick]:
    return decade_ticks(*limits) if scale is np.log10 else round_ticks(*limits)
