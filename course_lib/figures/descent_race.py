"""Gradient descents from the same start, side by side: what a modified gradient costs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from course_lib.figures.figure import Figure
from course_lib.figures.legend import legend, paragraph
from course_lib.figures.lettering import wrap
from course_lib.figures.marks import Mark, Path
from course_lib.figures.palette import LINES
from course_lib.figures.panel import Panel, side_by_side
from course_lib.figures.ticks import brief, comfortable, plain

_WIDTH = 760.0
_TOP, _HEIGHT = 34.0, 260.0
_BELOW = _TOP + _HEIGHT + 30
_CONTOURS = 9
_FINE = {1: 161, 2: 41}


@dataclass(frozen=True)
class Runner:
    """One descent.

    Attributes
    ----------
    label
        Whose gradient it follows.
    path
        Where it is at each step, shape ``(steps + 1, d)``, d = 1 or 2.
    losses
        The loss there, shape ``(steps + 1,)``.
    """

    label: str
    path: np.ndarray
    losses: np.ndarray


@dataclass(frozen=True)
class Race:
    """Up to three runners on one loss, of one or two variables.

    `loss` takes a point, shape ``(d,)``, and gives a number.
    """

    runners: Sequence[Runner]
    loss: Callable[[np.ndarray], float]

    @property
    def steps(self) -> int:
        return len(self.runners[0].losses) - 1

    @property
    def dimensions(self) -> int:
        return self.runners[0].path.shape[1]

    @cached_property
    def window(self) -> list[tuple[float, float]]:
        """Limits of each variable: about twice as far as the best runner gets while it gains."""
        start = self.runners[0].path[0]
        paths = np.concatenate([runner.path for runner in self.runners])
        best = min(self.runners, key=lambda runner: np.nan_to_num(runner.losses[-1], nan=np.inf))
        gained = best.path[best.losses <= best.losses[0]]
        reach = 2 * max(float(np.abs(gained - start).max(initial=0.0)), 0.25)
        near = paths[(np.abs(paths - start) <= reach).all(axis=1)]
        return [comfortable(lo, hi, 0.15) for lo, hi in zip(near.min(0), near.max(0), strict=True)]

    @cached_property
    def ground(self) -> tuple[list[np.ndarray], np.ndarray]:
        """A grid over the window, an axis a variable, and the loss on it."""
        axes = [np.linspace(low, high, _FINE[self.dimensions]) for low, high in self.window]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        losses = np.array([self.loss(p) for p in points.reshape(-1, self.dimensions)])
        return axes, losses.reshape(points.shape[:-1])


def descent_race(race: Race, step: int) -> Figure:
    """The race at `step`: the landscape with the paths so far, and the losses so far."""
    return race_ground(race).under(race_at(race, step))


def race_ground(race: Race) -> Figure:
    """What stays while the race is on: axes, landscape and legend."""
    left, right = _panels(race)
    marks: list[Mark] = [*left.axes(_title(race)), *right.axes("loss at each step")]
    marks += _contours(race, left) if race.dimensions == 2 else _profile(race, left)
    key, used = _key(race, left)
    lines = len(_readout(race, race.steps, _WIDTH - left.left))
    return Figure(
        _WIDTH,
        _BELOW + used + 20 * lines + 8,
        (*marks, *key),
        alt=f"A race of {len(race.runners)} descents.",
        tracks=((right.left, right.width),),
    )


def race_at(race: Race, step: int) -> Figure:
    """What moves: where each runner has been by `step`, and the losses in words; no background."""
    left, right = _panels(race)
    _, used = legend(
        [("line", "tape", r.label) for r in race.runners], left.left, 0, _WIDTH - left.left
    )
    marks: list[Mark] = [right.upright(step)]
    for ink, runner in zip(LINES, race.runners, strict=False):
        been = _places(runner, race.dimensions)[: step + 1]
        marks.append(_trace(left, been, ink))
        marks += [dot for x, y in been[:-1] for dot in left.dot(x, y, ink, ink, 2.2)]
        marks.append(_trace(right, _history(runner)[: step + 1], ink))
    for ink, runner in zip(LINES, race.runners, strict=False):
        for panel, places in ((left, _places(runner, race.dimensions)), (right, _history(runner))):
            x, y = places[step]
            marks += panel.dot(x, y, ink, "page")
    readout = _readout(race, step, _WIDTH - left.left)
    words, tall = paragraph(readout, left.left, _BELOW + used)
    return Figure(
        _WIDTH,
        _BELOW + used + tall + 8,
        (*marks, *words),
        alt=" ".join(readout).rstrip(".") + ".",
        tracks=((right.left, right.width),),
        page=False,
    )


def _key(race: Race, left: Panel) -> tuple[list[Mark], float]:
    entries = [("line", ink, r.label) for ink, r in zip(LINES, race.runners, strict=False)]
    return legend(entries, left.left, _BELOW, _WIDTH - left.left)


def _title(race: Race) -> str:
    return "the loss and the way down" if race.dimensions == 1 else "the way down, from above"


def _panels(race: Race) -> tuple[Panel, Panel]:
    losses = np.concatenate([runner.losses for runner in race.runners])
    losses = losses[np.isfinite(losses)]
    # A runner that climbs out of sight must not flatten the others.
    top = min(float(losses.max()), 4 * max(r.losses[0] for r in race.runners) + 1e-9)
    heights = comfortable(min(float(losses.min()), 0.0), max(top, float(losses.min())))
    left_limits = race.window[1] if race.dimensions == 2 else _ground_limits(race)
    steps = (0.0, float(max(race.steps, 1)))
    return side_by_side(_WIDTH, _TOP, _HEIGHT, (race.window[0], left_limits), (steps, heights))


def _ground_limits(race: Race) -> tuple[float, float]:
    _, losses = race.ground
    finite = losses[np.isfinite(losses)]
    return comfortable(float(finite.min()), float(finite.max()))


def _profile(race: Race, panel: Panel) -> Iterable[Mark]:
    (x,), losses = race.ground
    yield panel.line(x, losses, "edge")


def _contours(race: Race, panel: Panel) -> Iterable[Mark]:
    from contourpy import contour_generator

    (x, y), losses = race.ground
    finite = losses[np.isfinite(losses)]
    lines: Any = contour_generator(x, y, np.ma.masked_invalid(losses.T))
    # Levels by quantile: a valley shows as many lines as the slopes above it.
    for level in np.quantile(finite, np.linspace(0.02, 0.95, _CONTOURS)):
        for line in lines.lines(level):
            yield panel.line(line[:, 0], line[:, 1], "frame")


def _places(runner: Runner, dimensions: int) -> np.ndarray:
    """Points of the left panel: position and loss, or the two coordinates."""
    return runner.path if dimensions == 2 else np.column_stack([runner.path, runner.losses])


def _history(runner: Runner) -> np.ndarray:
    return np.column_stack([np.arange(len(runner.losses)), runner.losses])


def _trace(panel: Panel, points: np.ndarray, ink: str) -> Mark:
    seen = points[np.isfinite(points).all(axis=1)]
    far = np.clip(seen[:, 0], 2 * panel.xlim[0] - panel.xlim[1], 2 * panel.xlim[1] - panel.xlim[0])
    return Path(np.column_stack([panel.across(far), panel.down(seen[:, 1])]), ink, clip=panel.clip)


def _readout(race: Race, step: int, room: float) -> list[str]:
    told = "; ".join(
        f"{runner.label}: loss {brief(float(runner.losses[step]))} at {_point(runner.path[step])}"
        for runner in race.runners
    )
    return wrap(f"Step {step} of {race.steps}: {told}.", room)


def _point(place: np.ndarray) -> str:
    numbers = [plain(x) if abs(x) < 1e5 else brief(x) for x in place.tolist()]
    return f"x = {numbers[0]}" if len(numbers) == 1 else f"({', '.join(numbers)})"
