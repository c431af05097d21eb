"""From functions to curves: samples on a grid, and the jumps between them found, not guessed.

A jump and a steep slope look alike on a grid. So each suspicious interval is looked at more
closely, all of them in one call: a slope flattens out under the glass, a jump stays as tall.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from course_lib.figures.curve import Curve, Jump

Probe = Callable[[np.ndarray], np.ndarray]
"""Several functions at once: points of shape ``(n,)`` to values of shape ``(k, n)``."""

_CLOSER = 24
_MOST_GAPS = 160
_STEPS = 4.0 ** np.arange(-1, 2)


@dataclass(frozen=True, slots=True)
class _Gap:
    """Row `row` steps by `height` somewhere between `left` and `right`."""

    row: int
    left: float
    right: float
    height: float


def sample(probe: Probe, low: float, high: float, points: int = 241) -> list[Curve]:
    """The curves of `probe` at `points` places on ``[low, high]``, with their jumps.

    `probe` is called once on the whole grid, and up to three times more if something there looks
    like a jump: it may be an automatic derivative, whose price is a call. At a pole, which grows
    under the glass, the curve is infinite.
    """
    grid = _grid(low, high, points)
    values = np.asarray(probe(grid), dtype=float)
    spreads = [_spread(row) for row in values]
    rows = zip(range(len(values)), values, spreads, strict=True)
    gaps = [gap for row, y, spread in rows for gap in _suspects(row, grid, y, spread)]
    gaps = sorted(gaps, key=lambda gap: -gap.height / spreads[gap.row])[:_MOST_GAPS]
    near = _narrowed(probe, gaps, beyond=1)
    nearest = _narrowed(probe, near, beyond=0)
    jumps, poles = [], []
    for far, closer, closest in zip(gaps, near, nearest, strict=True):
        if closest.height > max(2 * far.height, 0.2 * closer.height):
            poles.append(closest)
        elif closest.height > 0.8 * closer.height:
            jumps.append(closest)
    grid, values = _with_poles(grid, values, poles)
    if not jumps:
        return [Curve(grid, row) for row in values]
    return _with_jumps(probe, grid, values, jumps)


def slope(
    function: Callable[[np.ndarray], np.ndarray], x: np.ndarray, width: float = 6.0
) -> np.ndarray:
    """The derivative of an elementwise `function` at `x` by central differences.

    Of several steps, each point takes the one that agrees best with the next longer. They lie
    around the cube root of the precision in which `function` answers, which balances truncation
    and rounding (Press et al., Numerical Recipes, section 5.7), in units of a sixth of `width`,
    the stretch of `x` on which the function is looked at.

    Where the slope grows without end as the step shrinks, or differs from left to right, there is
    no derivative: NaN.
    """
    middle = np.asarray(function(x))
    precision = np.finfo(middle.dtype if middle.dtype.kind == "f" else float).eps
    step = np.cbrt(precision) * width / 6 * _STEPS[:, None]
    step = np.maximum(step, 4 * np.spacing(np.abs(x)))
    ahead, behind = x + step, x - step
    sides = np.asarray(function(np.concatenate([behind.ravel(), ahead.ravel()])), dtype=float)
    below, above = sides.reshape(2, *step.shape)
    middle = middle.astype(float)
    with np.errstate(all="ignore"):
        central = (above - below) / (ahead - behind)
        bend = np.abs((above - middle) / (ahead - x) - (middle - below) / (x - behind))
        noise = 16 * precision * np.maximum(np.abs(above), np.abs(below)) / step
        apart = np.abs(np.diff(central, axis=0))
        best = np.argmin(np.where(np.isfinite(apart), apart, np.inf), axis=0)[None]

        def pick(rows: np.ndarray, longer: int = 0) -> np.ndarray:
            return np.take_along_axis(rows, best + longer, axis=0)[0]

        found, least = pick(central), pick(noise)
        endless = np.abs(found) > 1.01 * np.abs(pick(central, 1)) + least
        # Under the glass a smooth curve straightens; a kink stays as sharp as it was.
        kink = pick(bend) > np.maximum(0.5 * pick(bend, 1), 1e-3 * np.abs(found) + least)
    return np.where(endless | kink | ~np.isfinite(pick(apart)), np.nan, found)


def _grid(low: float, high: float, points: int) -> np.ndarray:
    """Equal steps, free of rounding noise: a kink at 0 must find 0 itself on the grid."""
    decimals = 12 - math.ceil(math.log10(max(abs(low), abs(high))))
    return np.round(np.linspace(low, high, points), decimals) + 0.0


def _spread(row: np.ndarray) -> float:
    """How far the values range; below a thousandth of their size it is taken for rounding."""
    finite = row[np.isfinite(row)]
    with np.errstate(over="ignore"):
        spread = max(np.ptp(finite), 1e-3 * np.abs(finite).max()) if len(finite) else 0.0
    return float(spread) or 1.0


def _with_poles(
    grid: np.ndarray, values: np.ndarray, poles: list[_Gap]
) -> tuple[np.ndarray, np.ndarray]:
    """The grid with the poles among it, where the curves that have one are infinite."""
    places = sorted({(gap.left + gap.right) / 2 for gap in poles} - set(grid.tolist()))
    x = np.sort(np.concatenate([grid, places]))
    rows = np.array([np.interp(x, grid, row) for row in values])
    for gap in poles:
        rows[gap.row, x == (gap.left + gap.right) / 2] = np.inf
    return x, rows


def _steps(x: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of finite neighbours, at most one hole between them, and how far they step."""
    finite = np.flatnonzero(np.isfinite(row))
    height = np.abs(np.diff(row[finite]))
    height[np.diff(finite) > 2] = 0.0
    return finite, height


def _suspects(row: int, x: np.ndarray, y: np.ndarray, spread: float) -> list[_Gap]:
    """Intervals where one curve steps much further than it does around them."""
    finite, height = _steps(x, y)
    if len(height) < 3:
        return []
    around = np.lib.stride_tricks.sliding_window_view(np.pad(height, 3), 7)
    median = np.partition(around, 3, axis=1)[:, 3]
    tall = (height > 3 * median) & (height > 0.003 * spread)
    return [
        _Gap(row, float(x[finite[k]]), float(x[finite[k + 1]]), float(height[k]))
        for k in np.flatnonzero(tall)
    ]


def _narrowed(probe: Probe, gaps: list[_Gap], beyond: int) -> list[_Gap]:
    """Each gap shrunk to its tallest step among `_CLOSER` equal parts, all in one call.

    And to so many parts `beyond` its larger end: a pole may be on either side of it.
    """
    if not gaps:
        return []
    grids = np.array([np.linspace(gap.left, gap.right, _CLOSER + 1) for gap in gaps])
    values = np.asarray(probe(grids.ravel()), dtype=float).reshape(-1, *grids.shape)
    narrowed = []
    for k, gap in enumerate(gaps):
        finite, height = _steps(grids[k], values[gap.row, k])
        if len(height) == 0 or not height.any():
            narrowed.append(_Gap(gap.row, gap.left, gap.right, 0.0))
            continue
        tallest = int(np.argmax(height))
        below, above = np.abs(values[gap.row, k, finite[[tallest, tallest + 1]]])
        first = max(tallest - beyond * (below > above), 0)
        last = min(tallest + 1 + beyond * (above > below), len(finite) - 1)
        left, right = grids[k, finite[[first, last]]]
        narrowed.append(_Gap(gap.row, float(left), float(right), float(height[tallest])))
    return narrowed


def _with_jumps(
    probe: Probe, grid: np.ndarray, values: np.ndarray, gaps: list[_Gap]
) -> list[Curve]:
    """Curves on the grid refined at the jumps, whose place is the roundest number in the gap."""
    places = np.array([_roundest(gap.left, gap.right) for gap in gaps])
    ends = np.array([end for gap in gaps for end in (gap.left, gap.right)])
    extra = np.concatenate([places, ends])
    found = np.asarray(probe(extra), dtype=float)
    own, limits = found[:, : len(places)], found[:, len(places) :]
    x, first = np.unique(np.concatenate([grid, ends]), return_index=True)
    y = np.concatenate([values, limits], axis=1)[:, first]
    jumps: list[list[Jump]] = [[] for _ in values]
    for k, gap in enumerate(gaps):
        jumps[gap.row].append(Jump(gap.left, gap.right, float(places[k]), float(own[gap.row, k])))
    return [Curve(x, row, tuple(its)) for row, its in zip(y, jumps, strict=True)]


def _roundest(low: float, high: float) -> float:
    """The number with the fewest decimals in ``[low, high]``: 0.37, not 0.3700021."""
    for digits in range(16):
        candidate = round((low + high) / 2, digits) + 0.0
        if low <= candidate <= high:
            return candidate
    return (low + high) / 2
