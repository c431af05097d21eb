"""One pair of axes: from the numbers of the data to the pixels of the page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from course_lib.figures.curve import Curve
from course_lib.figures.lettering import fit, text_width
from course_lib.figures.marks import Box, Clip, Dot, Mark, Path, Text
from course_lib.figures.simplify import simplified
from course_lib.figures.ticks import Tick, round_ticks

Limits = tuple[float, float]

_OVERHANG = 16.0  # pixels by which the label of a tick may leave its panel
_MOST_DOTTED = 30


@dataclass(frozen=True)
class Panel:
    """A rectangle on the page (pixels) that shows the rectangle `xlim` × `ylim` of the data."""

    left: float
    top: float
    width: float
    height: float
    xlim: Limits
    ylim: Limits

    @property
    def clip(self) -> Clip:
        return self.left, self.top, self.width, self.height

    def across(self, x):
        """Data to pixels, sideways."""
        low, high = self.xlim
        return self.left + (np.asarray(x, dtype=float) - low) / (high - low) * self.width

    def down(self, y):
        """Data to pixels, downwards; what lies far outside is kept just outside."""
        low, high = self.ylim
        with np.errstate(over="ignore"):
            share = (high - np.asarray(y, dtype=float)) / (high - low)
        return self.top + np.clip(share, -1.0, 2.0) * self.height

    def axes(
        self,
        title: str = "",
        xticks: Sequence[Tick] | None = None,
        yticks: Sequence[Tick] | None = None,
        *,
        across: str = "",
        up: str = "",
    ) -> Iterable[Mark]:
        """Grid, frame, tick labels, title, and names of both axes: `up` has the row above."""
        bottom, right = self.top + self.height, self.left + self.width
        for tick in self._fitting_ticks() if xticks is None else xticks:
            x = float(self.across(tick.at))
            yield Path(np.array([[x, self.top], [x, bottom]]), "grid")
            yield Text(self._middle(tick), bottom + 17, tick.label, "quiet", "middle", size=12)
        for tick in round_ticks(*self.ylim) if yticks is None else yticks:
            y = float(self.down(tick.at))
            yield Path(np.array([[self.left, y], [right, y]]), "grid")
            yield Text(self.left - 6, y + 4, tick.label, "quiet", "end", size=12)
        yield Box(self.left, self.top, self.width, self.height, stroke="frame")
        if title:
            text = fit(title, self.width, size=14, bold=True)
            raised = self.top - (32 if up else 10)
            yield Text(self.left + self.width / 2, raised, text, "text", "middle", True, 14)
        if across:
            text = fit(across, self.width)
            yield Text(self.left + self.width / 2, bottom + 36, text, "quiet", "middle")
        if up:
            yield Text(8, self.top - 10, fit(up, right - 8), "quiet")

    def _fitting_ticks(self) -> list[Tick]:
        """As many round numbers as there is room for below the panel."""
        for about in range(7, 1, -1):
            ticks = round_ticks(*self.xlim, about)
            if all(b - a >= 5 for (_, a), (b, _) in pairwise(map(self._span, ticks))):
                return ticks
        return ticks[:1]

    def _span(self, tick: Tick) -> tuple[float, float]:
        """Where the label of a tick begins and ends."""
        half = text_width(tick.label, 12) / 2
        return self._middle(tick) - half, self._middle(tick) + half

    def _middle(self, tick: Tick) -> float:
        """Where the label of a tick is centred: below it, but never far outside the panel."""
        half = text_width(tick.label, 12) / 2 - _OVERHANG
        first, last = self.left + half, self.left + self.width - half
        return min(max(first, float(self.across(tick.at))), last)

    def line(self, x, y, ink: str) -> Mark:
        """One unbroken line."""
        points = np.column_stack([self.across(x), self.down(y)])
        return Path(points, stroke=ink, clip=self.clip)

    def curve(self, curve: Curve, ink: str) -> Iterable[Mark]:
        """A curve, broken at its jumps."""
        for piece in curve.pieces:
            if len(piece) > 1:
                points = np.column_stack([self.across(piece[:, 0]), self.down(piece[:, 1])])
                yield Path(simplified(points), stroke=ink, clip=self.clip)

    def dots(self, curve: Curve, ink: str) -> Iterable[Mark]:
        """Open and closed dots at the curve's jumps, as long as there is room for them."""
        if len(curve.jumps) > _MOST_DOTTED:
            return
        for places, fill in ((curve.open_dots, "page"), (curve.closed_dots, ink)):
            for x, y in places:
                if self.shows(x, y):
                    yield Dot(float(self.across(x)), float(self.down(y)), 3.6, ink, fill)

    def dot(self, x: float, y: float, ink: str, fill: str, radius: float = 5.0) -> Iterable[Mark]:
        """One dot, where it can be seen."""
        if self.shows(x, y):
            yield Dot(float(self.across(x)), float(self.down(y)), radius, ink, fill)

    def band(self, x: np.ndarray, low: np.ndarray, high: np.ndarray, ink: str) -> Iterable[Mark]:
        """The stretch between two lines, where both exist and differ."""
        both = np.isfinite(low) & np.isfinite(high)
        x, low, high = x[both], low[both], high[both]
        # At a kink there is no derivative: the band runs on across it. A wide hole ends it.
        near = np.diff(x) < 0.03 * (self.xlim[1] - self.xlim[0])
        apart = np.abs(high - low) > 1e-3 * (self.ylim[1] - self.ylim[0])
        # A step belongs to the band if either of its ends does: there the two lines meet.
        for run in _runs(near & (apart[:-1] | apart[1:])):
            there = np.column_stack([self.across(x[run]), self.down(high[run])])
            back = np.column_stack([self.across(x[run]), self.down(low[run])])
            outline = np.concatenate([simplified(there), simplified(back)[::-1]])
            yield Path(outline, fill=ink, closed=True, clip=self.clip)

    def upright(self, x: float, ink: str = "cursor") -> Mark:
        """A vertical line through the whole panel."""
        at = float(self.across(x))
        return Path(np.array([[at, self.top], [at, self.top + self.height]]), ink, clip=self.clip)

    def shows(self, x: float, y: float) -> bool:
        """Whether a point of the data lies on the panel."""
        inside = self.xlim[0] <= x <= self.xlim[1] and self.ylim[0] <= y <= self.ylim[1]
        return bool(inside)


def side_by_side(
    width: float,
    top: float,
    height: float,
    left: tuple[Limits, Limits],
    right: tuple[Limits, Limits],
) -> tuple[Panel, Panel]:
    """Two panels on a page of `width`, each for its ``(xlim, ylim)``, with room for its ticks."""
    margins = [
        max(text_width(tick.label, 12) for tick in round_ticks(*ylim)) + 14
        for _, ylim in (left, right)
    ]
    each = (width - sum(margins) - 12 - _OVERHANG) / 2
    first = Panel(margins[0], top, each, height, *left)
    return first, Panel(first.left + each + 12 + margins[1], top, each, height, *right)


def _runs(steps: np.ndarray) -> Iterable[slice]:
    """The points at both ends of each unbroken stretch of marked steps."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], steps, [False]]).astype(int)))
    return (slice(first, last + 1) for first, last in edges.reshape(-1, 2))
