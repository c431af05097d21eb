"""A curve as it is drawn: pieces without a jump, and the dots at the ends of the pieces."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Jump:
    """A jump at `at`, somewhere in ``[left, right]``, where the curve's own value is `value`."""

    left: float
    right: float
    at: float
    value: float


@dataclass(frozen=True)
class Curve:
    """Samples ``(x, y)`` of a function, shapes ``(n,)``, with its jumps.

    Where `y` is not finite there is no curve. No line is ever drawn across a jump.
    """

    x: np.ndarray
    y: np.ndarray
    jumps: tuple[Jump, ...] = ()

    @cached_property
    def pieces(self) -> list[np.ndarray]:
        """The points of each unbroken piece, arrays of shape ``(k, 2)``."""
        breaks = {int(np.searchsorted(self.x, jump.left, side="right")) for jump in self.jumps}
        holes = np.flatnonzero(~np.isfinite(self.y))
        cuts = sorted(breaks | {int(k) for k in holes} | {int(k) + 1 for k in holes})
        points = np.column_stack([self.x, self.y])
        pieces = np.split(points, [cut for cut in cuts if 0 < cut < len(self.x)])
        return [piece for piece in pieces if np.isfinite(piece).all() and len(piece)]

    @cached_property
    def closed_dots(self) -> list[Point]:
        """Where a jump begins or ends and the function has that value."""
        own = {(jump.at, jump.value) for jump in self.jumps if np.isfinite(jump.value)}
        return sorted(own)

    @cached_property
    def open_dots(self) -> list[Point]:
        """Where a piece ends at a jump but the function has another value, or none."""
        dots = set()
        for jump in self.jumps:
            for end in self._limits(jump):
                if np.isfinite(end) and not self._same(end, jump.value):
                    dots.add((jump.at, end))
        return sorted(dots)

    def _limits(self, jump: Jump) -> tuple[float, float]:
        """The curve's values just before and just after the jump."""
        after = int(np.searchsorted(self.x, jump.right, side="left"))
        before = int(np.searchsorted(self.x, jump.left, side="right")) - 1
        return float(self.y[before]), float(self.y[after])

    def _same(self, a: float, b: float) -> bool:
        finite = self.y[np.isfinite(self.y)]
        return bool(abs(a - b) <= 1e-2 * np.ptp(finite)) if len(finite) else False
