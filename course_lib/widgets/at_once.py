"""A view calls a function with many points at once: one that was written for a number says so."""

from collections.abc import Callable
from typing import Any

import numpy as np


def at_once(function: Callable[[np.ndarray], Any], x: np.ndarray) -> Any:
    """``function(x)``, for points `x` of shape ``(n,)``.

    Raises
    ------
    ValueError
        If that fails, but would not for the first point alone.
    """
    try:
        return function(x)
    except Exception as error:
        try:
            function(x[0, ...])
        except Exception:
            raise error from None
        raise ValueError(
            f"The function takes one number, but a view calls it with {len(x)} points at once "
            f"({error}). Write it for arrays: where(x > 0, a, b) in place of an if, and np.sin, "
            "tf.sin or torch.sin in place of math.sin."
        ) from error
