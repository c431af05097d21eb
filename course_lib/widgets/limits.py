"""The stretch of x that a view shows, as the reader gave it."""

import numpy as np

from course_lib.figures.panel import Limits


def limits(xlim: Limits) -> Limits:
    """`xlim` as two finite numbers, the lower first; otherwise a ValueError that says so."""
    try:
        low, high = map(float, xlim)
    except (TypeError, ValueError):
        low = high = np.nan
    if not low < high or np.isinf([low, high]).any():
        raise ValueError(f"xlim is {xlim!r}; give two numbers, the lower first, such as (-3, 3).")
    return low, high
