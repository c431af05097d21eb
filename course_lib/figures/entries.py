"""A gradient beside what it should be, entry by entry, with the worst one marked."""

from collections.abc import Iterable

import numpy as np

from course_lib.figures.figure import Figure
from course_lib.figures.legend import legend, paragraph
from course_lib.figures.lettering import text_width, wrap
from course_lib.figures.marks import Mark
from course_lib.figures.panel import Panel
from course_lib.figures.ticks import Tick, comfortable, round_ticks

_WIDTH = 560.0
_HEIGHT = 170.0
_TOP = 34.0
_SHOWN = 60


def entries(
    expected: np.ndarray,
    actual: np.ndarray,
    worst: tuple[int, ...] | None = None,
    title: str = "gradient",
) -> Figure:
    """Expected entries as open dots, actual ones as filled dots, the gap between them as a line.

    Parameters
    ----------
    expected, actual
        Arrays of the same shape; entries that are not finite have no dot.
    worst
        Index of the entry to mark.
    title
        Whose entries they are.

    Notes
    -----
    Of many entries the 60 around the worst are shown, in the order of memory.
    """
    wanted, given = np.ravel(expected).astype(float), np.ravel(actual).astype(float)
    place = None
    if worst is not None:  # a 0-d array has the one entry ()
        place = int(np.ravel_multi_index(worst, np.shape(expected))) if worst else 0
    shown = _window(len(wanted), place)
    panel = _panel(shown, wanted, given)
    marks = [
        *panel.axes(title, _index_ticks(shown, np.shape(expected)), None),
        *([panel.upright(place)] if place is not None else []),
        *_gaps(panel, shown, wanted, given),
        *(mark for k in shown for mark in _dot(panel, k, wanted[k], "truth", "page", 6.0)),
        *(mark for k in shown for mark in _dot(panel, k, given[k], *_ink(k == place), 3.0)),
    ]
    sentence = _sentence(title, wanted, given, worst, place)
    below = _TOP + _HEIGHT + 26
    room = _WIDTH - panel.left - 8
    swatches = [("line", "truth", "expected (open)"), ("line", "tape", "actual (filled)")]
    swatches += [("line", "active", "worst entry")] if place is not None else []
    key, used = legend(swatches, panel.left, below, room)
    words, tall = paragraph(wrap(sentence, room), panel.left, below + used + 4)
    return Figure(
        width=_WIDTH,
        height=below + used + 4 + tall + 6,
        marks=(*marks, *key, *words),
        alt=sentence,
    )


def _window(size: int, place: int | None) -> range:
    """The entries that are shown: all, or those around the worst."""
    first = max(0, min((place or 0) - _SHOWN // 2, size - _SHOWN))
    return range(first, min(size, first + _SHOWN))


def _panel(shown: range, wanted: np.ndarray, given: np.ndarray) -> Panel:
    values = np.concatenate([wanted[shown.start : shown.stop], given[shown.start : shown.stop]])
    values = values[np.isfinite(values)]
    ylim = comfortable(values.min(), values.max(), 0.1) if values.size else (-1.0, 1.0)
    margin = max(text_width(tick.label, 12) for tick in round_ticks(*ylim)) + 14
    xlim = (shown.start - 0.7, max(shown.stop - 0.3, shown.start + 0.7))
    return Panel(margin, _TOP, _WIDTH - margin - 8, _HEIGHT, xlim, ylim)


def _index_ticks(shown: range, shape: tuple[int, ...]) -> list[Tick]:
    """The indices, as many as stand beside each other."""
    if not shape:
        return [Tick(0, "the only entry")]
    labels = [str([int(i) for i in np.unravel_index(k, shape)]) for k in shown]
    room = (_WIDTH - 80) / max(text_width(label, 12) + 10 for label in labels)
    step = max(1, int(np.ceil(len(labels) / room)))
    return [Tick(k, label) for k, label in zip(shown, labels, strict=True)][::step]


def _gaps(panel: Panel, shown: range, wanted: np.ndarray, given: np.ndarray) -> Iterable[Mark]:
    for k in shown:
        if np.isfinite(wanted[k]) and np.isfinite(given[k]):
            yield panel.line([k, k], [wanted[k], given[k]], "tangent")


def _dot(panel: Panel, k: int, value: float, ink: str, fill: str, radius: float) -> Iterable[Mark]:
    return panel.dot(k, value, ink, fill, radius) if np.isfinite(value) else ()


def _ink(is_worst: bool) -> tuple[str, str]:
    return ("active", "active") if is_worst else ("tape", "tape")


def _sentence(
    title: str, wanted: np.ndarray, given: np.ndarray, worst: tuple | None, place: int | None
) -> str:
    count = f"{len(wanted)} {'entry' if len(wanted) == 1 else 'entries'}"
    if place is None:
        with np.errstate(invalid="ignore"):
            gap = np.abs(wanted - given)
        gap = gap[np.isfinite(gap)]
        largest = f"{gap.max():.2g}" if gap.size else "undefined"
        return f"{title}, {count}: expected and actual differ by at most {largest}."
    where = str([int(i) for i in worst]) if worst else "the only one"
    sentence = f"{title}, {count}: the worst is {where}, expected {wanted[place]:.6g}"
    return f"{sentence}, actual {given[place]:.6g}.".replace("-", "−")
