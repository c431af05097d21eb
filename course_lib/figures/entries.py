"""An array of numbers beside the array that was expected."""

import numpy as np

from course_lib.figures.figure import Figure
from course_lib.figures.legend import legend
from course_lib.figures.lettering import text_width
from course_lib.figures.marks import Dot, Mark, Path, Text
from course_lib.figures.panel import Panel
from course_lib.figures.ticks import Tick, brief, comfortable, round_ticks

_WIDTH, _HEIGHT = 560.0, 170.0
_TOP = 34.0
_MOST = 48


def entries(
    expected: np.ndarray, actual: np.ndarray, worst: tuple[int, ...] | None, title: str
) -> Figure:
    """Each entry of `expected` as a ring and of `actual` as a dot, with the distance between.

    Arrays may have any shape; entries are in C order. Of more than 48 those around the `worst` are
    shown. Where one array has no entry, or one that is not finite, there is no mark. The `title`
    is also how the picture's sentence begins.
    """
    wanted, given = np.ravel(expected).astype(float), np.ravel(actual).astype(float)
    count = max(len(wanted), len(given))
    at = _position(worst, np.shape(expected))
    first = int(np.clip((at or 0) - _MOST // 2, 0, max(count - _MOST, 0)))
    shown = range(first, min(first + _MOST, count))
    panel = _panel(wanted, given, shown)
    marks: list[Mark] = [*panel.axes(title, xticks=_places(shown))]
    for k in shown:
        right, found = (v[k] if k < len(v) else np.nan for v in (wanted, given))
        marks += _entry(panel, k, right, found, marked=k == at)
    below = _TOP + _HEIGHT + 28
    keys, used = legend([("area", "mismatch", "mismatch")], panel.left + 210, below, _WIDTH)
    marks += [
        Dot(panel.left + 8, below + 10, 5, "truth", "page"),
        Text(panel.left + 20, below + 14, "expected"),
        Dot(panel.left + 112, below + 10, 3.4, "tape", "tape"),
        Text(panel.left + 124, below + 14, "actual"),
        *keys,
    ]
    return Figure(
        _WIDTH, below + used + 6, tuple(marks), alt=_sentence(title, wanted, given, at, worst)
    )


def _position(worst: tuple[int, ...] | None, shape: tuple[int, ...]) -> int | None:
    """Where an index stands in C order; None if there is none or it is not in the array."""
    if worst is None or len(worst) != len(shape):
        return None
    if not all(0 <= k < size for k, size in zip(worst, shape, strict=True)):
        return None
    return int(np.ravel_multi_index(worst, shape)) if shape else 0


def _panel(wanted: np.ndarray, given: np.ndarray, shown: range) -> Panel:
    part = slice(shown.start, shown.stop)
    values = np.concatenate([wanted[part], given[part], [0.0]])
    values = values[np.isfinite(values)]
    ylim = comfortable(float(values.min()), float(values.max()), 0.12)
    left = max(text_width(tick.label, 12) for tick in round_ticks(*ylim)) + 14
    xlim = shown.start - 0.7, max(shown.stop, 1) - 0.3
    return Panel(left, _TOP, _WIDTH - left - 12, _HEIGHT, xlim, ylim)


def _places(shown: range) -> list[Tick]:
    step = max(1, len(shown) // 12)
    return [Tick(k, str(k)) for k in shown if k % step == 0]


def _entry(panel: Panel, k: int, wanted: float, given: float, marked: bool) -> list[Mark]:
    marks: list[Mark] = []
    if np.isfinite([wanted, given]).all():
        x, top, bottom = float(panel.across(k)), *sorted(panel.down([wanted, given]).tolist())
        half = 4.0
        corners = [[x - half, top], [x + half, top], [x + half, bottom], [x - half, bottom]]
        marks.append(Path(np.array(corners), fill="mismatch", closed=True, clip=panel.clip))
    marks += panel.dot(k, wanted, "truth", "page", 5.0)
    marks += panel.dot(
        k, given, "active" if marked else "tape", "active" if marked else "tape", 3.4
    )
    return marks


def _sentence(
    title: str, wanted: np.ndarray, given: np.ndarray, at: int | None, worst: tuple[int, ...] | None
) -> str:
    count = "one entry" if len(given) == 1 else f"{len(given)} entries"
    if at is None or at >= min(len(wanted), len(given)):
        alike = wanted.shape == given.shape and np.allclose(wanted, given, rtol=1e-3, atol=1e-6)
        return f"{title}: {count}, {'as' if alike else 'not as'} expected."
    where = f"the worst, at {list(worst)}, " if worst else ""
    return f"{title}: {count}; {where}expected {brief(wanted[at])}, actual {brief(given[at])}."
