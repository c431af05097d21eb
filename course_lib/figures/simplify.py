"""Fewer points for the same picture: what keeps a step of a live view small."""

import numpy as np


def simplified(points: np.ndarray, tolerance: float = 0.15) -> np.ndarray:
    """The points (shape ``(n, 2)``, x ascending, pixels) without those that a line would hide.

    A line from the last point kept may turn only within the cone through the points skipped since,
    each widened by `tolerance`. One pass (Reumann and Witkam's idea, with Sklansky's cone).
    """
    if len(points) < 3:
        return points
    kept = [0]
    lowest, highest = -np.inf, np.inf
    (x0, y0), *others = points.tolist()
    for k, (x, y) in enumerate(others, start=1):
        run = x - x0 or 1e-9
        slope = (y - y0) / run
        if not lowest <= slope <= highest:
            kept.append(k - 1)
            x0, y0 = points[k - 1].tolist()
            run = x - x0 or 1e-9
            slope = (y - y0) / run
            lowest, highest = -np.inf, np.inf
        play = tolerance / run
        if slope - play > lowest:
            lowest = slope - play
        if slope + play < highest:
            highest = slope + play
    kept.append(len(points) - 1)
    return points[kept]
