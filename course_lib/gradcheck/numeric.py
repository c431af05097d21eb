"""A numeric derivative that can be trusted: the truth that a rule is measured against.

Central differences at two steps are extrapolated to step zero (Richardson), which leaves an error
of the fourth order and gives, for free, an estimate of it. Where the estimate is poor, other steps
are tried and the best is kept, at last a complex step. Where the slopes to the left and to the
right differ there is a kink, and everything between them counts as true.

If each output entry depends on its own input entry alone, all entries are moved at once: a rule on
a million entries takes no more evaluations than a rule on one. Otherwise they are moved one by one,
and of large inputs a sample.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

Arrays = Sequence[np.ndarray]
Function = Callable[[Arrays], Arrays]

EVERY_ENTRY = 1000
"""An input with more entries than this is sampled, unless the function is elementwise."""
_LARGEST_JACOBIAN = 2_000_000
_COMPLEX_STEP = 1e-40


@dataclass(frozen=True)
class Truth:
    """What the gradient of one input should be, for one upstream gradient.

    `low` and `high` bound it (they differ at a kink); `tolerance` is how far a right rule may be
    from them, infinite where nothing is known. All have the input's shape.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    tolerance: np.ndarray

    @property
    def known(self) -> np.ndarray:
        return np.isfinite(self.tolerance)

    @property
    def kinked(self) -> np.ndarray:
        return self.low < self.high

    def excess(self, actual: np.ndarray) -> np.ndarray:
        """How far `actual` is outside what counts as true; nan where it is not a number."""
        outside = np.maximum(self.low - actual, actual - self.high)
        return np.where(self.known, np.maximum(outside - self.tolerance, 0.0), 0.0)

    def rejects(self, actual: np.ndarray) -> np.ndarray:
        """Where `actual` is wrong."""
        return ~(self.excess(actual) <= 0.0)

    @classmethod
    def exactly(cls, value: np.ndarray, relative: float) -> "Truth":
        """A truth that was given and not measured."""
        known = np.isfinite(value)
        size = np.abs(np.where(known, value, 0.0))
        tolerance = relative * (size + 1e-3 * size.max(initial=0.0))
        return cls(value, value, value, np.where(known, tolerance, np.inf))


@dataclass
class Slopes:
    """How fast outputs change when entries of the input move, with shape ``(entries, outputs)``."""

    value: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def take(
        self, rows: np.ndarray, other: "Slopes", where: np.ndarray | bool | None = None
    ) -> None:
        """Put `other` in the place of `rows`: where it is more certain, or `where` told to."""
        if where is None:
            mine = self.doubt[rows], _or_infinite(self.error[rows])
            theirs = other.doubt, _or_infinite(other.error)
            where = (theirs[0] < mine[0]) | ((theirs[0] == mine[0]) & (theirs[1] < mine[1]))
        for field in fields(self):
            old = getattr(self, field.name)
            old[rows] = np.where(where, getattr(other, field.name), old[rows])

    @property
    def doubt(self) -> np.ndarray:
        """The relative error, at most 1. (A step across a pole finds a tiny slope, tiny errors.)"""
        return np.minimum(_or_infinite(self.error / np.abs(self.value)), 1.0)

    def poor(self, relative: float) -> np.ndarray:
        """Where the error matters beside the slope."""
        size = np.abs(self.value)
        largest = np.max(size, axis=1, keepdims=True, initial=0.0, where=np.isfinite(size))
        matters = (self.error > relative * size) & (self.error > 1e-10 * largest)
        return matters | ~np.isfinite(self.value + self.error)


class Jacobian:
    """The derivatives of all outputs of a function with respect to one of its inputs.

    Parameters
    ----------
    function
        Takes the list of inputs, returns a sequence of arrays.
    inputs
        Floating-point arrays. Their precision is the one in which to work.
    index
        Which input.
    rng
        Chooses the directions, and the sample.
    quick
        Where entries are moved one by one, look twice at each instead of four times if the function
        bends so little that this should do. Before accusing anybody, measure again without.
    """

    def __init__(
        self,
        function: Function,
        inputs: Arrays,
        index: int,
        rng: np.random.Generator,
        quick: bool = False,
    ) -> None:
        self._function, self._inputs, self._index = function, list(inputs), index
        self._quick = quick
        self._x = self._inputs[index].ravel()
        self.shape = self._inputs[index].shape
        outputs = function(self._inputs)
        self._base = _flat(outputs)
        self._eps = float(max(np.finfo(a.dtype).eps for a in (self._x, *outputs) if _is_float(a)))
        self._find_structure(outputs, rng)

    @property
    def sampled(self) -> bool:
        """Whether only some of the entries were looked at."""
        return len(self.entries) < self._x.size

    def pull(self, upstreams: Arrays, relative: float) -> Truth:
        """The gradient for these upstreams; a right rule may be off by `relative` in each term."""
        u = _flat(upstreams)[self._reach]
        terms = self.slopes.value * u
        ends = [np.where(u == 0, 0.0, end * u) for end in (self.slopes.low, self.slopes.high)]
        low, high = np.minimum(*ends).sum(axis=1), np.maximum(*ends).sum(axis=1)
        noise = np.where(u == 0, 0.0, 5 * self.slopes.error * np.abs(u))
        tolerance = (noise + relative * np.abs(terms)).sum(axis=1)
        unknown = np.isnan(tolerance) | np.isnan(low) | np.isnan(high)
        rows = terms.sum(axis=1), low, high, np.where(unknown, np.inf, tolerance)
        return Truth(*(self._placed(row, 0.0 if i < 3 else np.inf) for i, row in enumerate(rows)))

    def _placed(self, rows: np.ndarray, elsewhere: float) -> np.ndarray:
        whole = np.full(self._x.size, elsewhere)
        whole[self.entries] = rows
        return whole.reshape(self.shape)

    # -- which entries are moved, and which outputs they reach ------------------------------------

    def _find_structure(self, outputs: Arrays, rng: np.random.Generator) -> None:
        n, m = self._x.size, self._base.size
        self.entries = np.arange(n)
        if n > 1 and m and all(y.shape == self.shape for y in outputs):
            self._reach = self.entries[:, None] + n * np.arange(len(outputs))
            self.elementwise = True
            self.slopes, again = (self._measure(rng.uniform(0.5, 1.0, n)) for _ in range(2))
            if _agree(self.slopes, again):
                return
        self.elementwise = False
        room = min(EVERY_ENTRY, max(20, _LARGEST_JACOBIAN // max(m, 1)))
        if n > room:
            self.entries = np.sort(rng.choice(n, room, replace=False))
        self._reach = np.broadcast_to(np.arange(m), (len(self.entries), m))
        self.slopes = self._measure(np.ones(len(self.entries)))

    def _moved(self, rows: np.ndarray, by: np.ndarray) -> np.ndarray:
        """The outputs that each row reaches when its entry has moved `by` so much."""
        entries, reach = self.entries[rows], self._reach[rows]
        x = self._x.astype(np.complex128 if by.dtype.kind == "c" else self._x.dtype)
        if self.elementwise:
            x[entries] += by
            return self._outputs(x)[reach]
        result = np.empty(reach.shape, x.dtype if x.dtype.kind == "c" else np.float64)
        for row, (entry, step) in enumerate(zip(entries, by, strict=True)):
            kept = x[entry]
            x[entry] = kept + step
            result[row] = self._outputs(x)[reach[row]]
            x[entry] = kept
        return result

    def _outputs(self, x: np.ndarray) -> np.ndarray:
        inputs = self._inputs.copy()
        if x.dtype.kind == "c":
            inputs = [a.astype(x.dtype) for a in inputs]
        inputs[self._index] = x.reshape(self.shape)
        try:
            outputs = _flat(self._function(inputs))
        except Exception:  # a rule may refuse what is outside its domain, each in its own way
            return np.full(self._base.shape, np.nan)
        return outputs if outputs.shape == self._base.shape else np.full(self._base.shape, np.nan)

    # -- slopes -----------------------------------------------------------------------------------

    def _measure(self, weights: np.ndarray) -> Slopes:
        """The slopes along each entry; the weights only vary the steps of different entries."""
        size = np.abs(self._x[self.entries]).astype(float)
        everywhere = np.abs(self._x[np.isfinite(self._x)])
        typical = float(everywhere.mean()) if everywhere.any() else 1.0
        scale = np.maximum(size, typical)
        own = np.where(size > 0, size, scale)
        best = self._eps**0.2 * weights  # where the errors of the formula and of rounding meet
        factors = (scale, own, 1.0, 1e2 * scale, 1e-2 * own, 1e-4 * own)
        steps = [best * factor for factor in factors]
        everything = np.arange(len(own))
        if self._quick and not self.elementwise:
            slopes = self._two_sided(everything, self._eps ** (1 / 3) * scale)
            if len(rows := _rows(slopes.poor(1e-5))):
                slopes.take(rows, self._differences(rows, steps[0][rows]), True)
        else:
            slopes = self._differences(everything, steps[0])
        for step in steps[1:]:
            if len(rows := _rows(slopes.poor(1e-5))) == 0:
                return slopes
            slopes.take(rows, self._differences(rows, step[rows]))
        if len(rows := _rows(slopes.poor(1e-5))):
            slopes.take(rows, self._complex_step(rows, slopes))
        hopeless = slopes.poor(1e-2)
        if len(rows := _rows(hopeless)):
            sides = self._each_side(rows, steps[4][rows])
            better = sides.error < _or_infinite(slopes.error[rows])
            unbounded = np.isinf(sides.low) | np.isinf(sides.high)
            slopes.take(rows, sides, hopeless[rows] & (better | unbounded))
        return slopes

    def _two_sided(self, rows: np.ndarray, step: np.ndarray) -> Slopes:
        """One central difference, trusted as far as the slopes on both sides agree."""
        x = self._x[self.entries[rows]]
        h = ((x + step.astype(x.dtype)) - x).astype(float)[:, None]
        base = self._base[self._reach[rows]]
        right, left = self._moved(rows, h[:, 0]), self._moved(rows, -h[:, 0])
        value, bend = (right - left) / (2 * h), np.abs(right - 2 * base + left) / h
        noise = 2 * self._eps * np.maximum(np.abs(right), np.abs(left)) / h
        error = np.where(bend <= 8 * noise, 0.0, bend**2 / np.abs(value)) + noise
        return Slopes(value, error, value.copy(), value.copy())

    def _differences(self, rows: np.ndarray, step: np.ndarray) -> Slopes:
        x = self._x[self.entries[rows]]
        h = ((x + step.astype(x.dtype)) - x).astype(float)[:, None]  # the step that is really made
        base = self._base[self._reach[rows]]
        right, left = self._moved(rows, h[:, 0]), self._moved(rows, -h[:, 0])
        near_right, near_left = self._moved(rows, h[:, 0] / 2), self._moved(rows, -h[:, 0] / 2)
        wide, narrow = (right - left) / (2 * h), (near_right - near_left) / h
        value = (4 * narrow - wide) / 3
        noise = 2 * self._eps * np.maximum(np.abs(right), np.abs(left)) / h
        error = np.abs(value - narrow) + noise

        after, before = (right - base) / h, (base - left) / h
        near_after, near_before = (near_right - base) * 2 / h, (base - near_left) * 2 / h
        slope_after, slope_before = 2 * near_after - after, 2 * near_before - before
        bend = np.abs(near_after - after) + np.abs(near_before - before)
        gap = np.abs(slope_after - slope_before)
        kink = gap > 2 * bend + 50 * noise + 1e-6 * np.abs(value)
        low = np.where(kink, np.minimum(slope_after, slope_before), value)
        high = np.where(kink, np.maximum(slope_after, slope_before), value)
        return Slopes(value, error, low, high)

    def _complex_step(self, rows: np.ndarray, slopes: Slopes) -> Slopes:
        """No difference, so no cancellation; but only analytic functions obey, so it must agree."""
        moved = self._moved(rows, np.full(len(rows), 1j * _COMPLEX_STEP))
        value = moved.imag / _COMPLEX_STEP
        smooth = slopes.low[rows] == slopes.high[rows]
        agrees = smooth & (np.abs(value - slopes.value[rows]) <= 5 * slopes.error[rows])
        # A rule rounds as well: more than one digit beyond differences would be asked of no rule.
        error = np.maximum(0.1 * slopes.error[rows], 10 * self._eps * np.abs(value))
        return Slopes(value, np.where(agrees, error, np.inf), value, value)

    def _each_side(self, rows: np.ndarray, step: np.ndarray) -> Slopes:
        """What each side says by itself: at a jump, an infinite slope, the edge of the domain.

        A slope that keeps growing as the step shrinks is infinite: that side sets no bound.
        """
        base = self._base[self._reach[rows]]
        noise = 16 * self._eps * np.abs(base) / step[:, None]
        slopes, errors = [], []
        for way in (step, -step):
            far = (self._moved(rows, way) - base) / way[:, None]
            near = (self._moved(rows, way / 8) - base) * 8 / way[:, None]
            slope = (8 * near - far) / 7
            grows = np.abs(near) > 1.2 * np.abs(far) + noise
            slopes.append(np.where(grows, np.sign(near) * np.inf, slope))
            errors.append(np.where(grows | np.isnan(slope), 0.0, np.abs(slope - near) + noise))
        low, high = np.fmin(*slopes), np.fmax(*slopes)
        value = np.where(np.isfinite(low), low, high)
        error = np.where(np.isfinite(value), np.maximum(*errors), np.inf)
        smooth, middle = high - low <= 2 * error, (low + high) / 2
        value, low, high = (np.where(smooth, middle, end) for end in (value, low, high))
        return Slopes(value, error, low, high)


def along(function: Function, inputs: Arrays, directions: Arrays, rng) -> Jacobian:
    """The derivative of a function along a direction through all of its inputs at once."""

    def moved(at: Arrays) -> Arrays:
        steps = (at[0][0] * d for d in directions)
        return function([np.asarray(x + s) for x, s in zip(inputs, steps, strict=True)])

    return Jacobian(moved, [np.zeros(1)], 0, rng)


def _agree(a: Slopes, b: Slopes) -> bool:
    """Whether two measurements in different directions found the same slopes of single entries."""
    if len(_rows(a.poor(1e-3))) > len(a.value) / 2:
        return False
    both = np.isfinite(a.value) & np.isfinite(b.value)
    largest = np.max(np.abs(a.value), initial=0.0, where=both)
    near = np.abs(a.value - b.value) <= 10 * (a.error + b.error) + 1e-9 * largest
    return bool(np.all(near | ~both))


def _rows(mask: np.ndarray) -> np.ndarray:
    return np.flatnonzero(mask.any(axis=1))


def _flat(arrays: Arrays) -> np.ndarray:
    if len(arrays) == 1 and arrays[0].dtype == np.float64:  # the common case, thousands of times
        return arrays[0].ravel()
    kind = np.complex128 if any(np.iscomplexobj(a) for a in arrays) else np.float64
    return (
        np.concatenate([np.ravel(a).astype(kind) for a in arrays]) if len(arrays) else np.zeros(0)
    )


def _is_float(a: np.ndarray) -> bool:
    return np.asarray(a).dtype.kind == "f"


def _or_infinite(error: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(error), np.inf, error)
