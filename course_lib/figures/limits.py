"""Limits of an axis, from the curves that it shows."""

from collections.abc import Iterable

import numpy as np

from course_lib.figures.ticks import comfortable


def curve_limits(rows: Iterable[np.ndarray], noise: float = 0.0) -> tuple[float, float]:
    """All of the values; but most of them where some run away to infinity."""
    everything = np.concatenate(list(rows))
    values = everything[np.isfinite(everything)]
    if not len(values):
        return comfortable(np.nan, np.nan)
    low, high = float(values.min()), float(values.max())
    if np.isinf(everything).any():
        core_low, core_high = map(float, np.percentile(values, [3, 97]))
        if core_high - core_low < 0.2 * (high - low):
            low, high = core_low, core_high
    return comfortable(low, high, noise=noise)
