"""The errors of the tape: what was given, what was expected, what to do."""

import numpy as np


class TapeError(ValueError):
    """Something cannot be recorded or differentiated; the message says what to do about it."""


def describe(x):
    """A value in a few words: ``array of shape (3,)``, ``str 'a'``, ``2.0``."""
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        return f"{type(x).__name__} of shape {tuple(x.shape)}"
    if isinstance(x, (int, float, bool, type(None))):
        return repr(x)
    if isinstance(x, (tuple, list)):
        return f"{type(x).__name__} of {len(x)}"
    return f"{type(x).__name__} {x!r:.40}"


def left_the_tape(what):
    return TapeError(
        f"{what} would leave the tape, and its gradient would be lost without a word. Use .value"
        " (a plain array) or stop_gradient if that is meant, or a custom gradient if it is not."
    )


def no_rule(function):
    name = getattr(function, "__name__", str(function))
    example = f"elementwise(np.{name}, lambda g, y, x: g * (the derivative of {name} at x))"
    return TapeError(
        f"{name} has no rule on the tape. Add one, for instance `{example}` from course_lib.tape,"
        " or write a custom gradient; or leave the tape with .value or stop_gradient."
    )


def does_not_fit(name, inputs, error):
    given = " and ".join(describe(x) for x in inputs)
    return TapeError(f"{name} was given {given}, which do not fit together: {error}. Check the shapes.")


def wrong_gradient(rule, argument, expected, actual):
    """The gradient of a custom rule has another shape than its input: name the likely repair."""
    if actual == ():
        repair = "multiply elementwise by the upstream gradient instead of reducing it to a number"
    elif _broadcasts(expected, actual):
        repair = f"the input was broadcast, so sum it back: unbroadcast(gradient, {argument})"
    elif sorted(expected) == sorted(actual):
        repair = "transpose it"
    else:
        repair = "a gradient has one entry for each entry of its input"
    return TapeError(
        f"{rule}: the gradient for {argument} has shape {actual}, but {argument} has shape"
        f" {expected}. Likely repair: {repair}."
    )


def _broadcasts(small, large):
    try:
        return np.broadcast_shapes(small, large) == large
    except ValueError:
        return False
