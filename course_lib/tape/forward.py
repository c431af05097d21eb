"""Walking the tape forwards: tangents from the inputs to the outputs."""

from collections.abc import Callable

import numpy as np

from .backward import as_variable, fitted, history
from .core import Variable, as_tuple, recording, tracked, value_of


def jvp(f: Callable, primals, tangents):
    """The Jacobian-vector product: how f's output moves when its inputs move along the tangents.

    Parameters
    ----------
    f : callable
        Takes one Variable for each primal, returns a Variable or a tuple of them.
    primals, tangents : array_like, or tuple of array_like
        Where, and in which direction; a tangent has the shape of its primal. Variables among them
        make the result differentiable.

    Returns
    -------
    value, tangent
        Arrays, or tuples of arrays if f returns a tuple (Variables if a primal or tangent was one).

    Raises
    ------
    TapeError
        If a tangent does not fit its primal, or what f does cannot be recorded.
    """
    if not isinstance(primals, tuple):
        primals, tangents = (primals,), (tangents,)
    lifted = any(isinstance(v, Variable) for v in (*primals, *tangents))
    with recording(True):
        xs = [as_variable(x) for x in primals]
        outputs = f(*xs)
    ys = as_tuple(outputs)
    with recording(lifted):
        moving = pushforward(ys, xs, fitted(tangents, xs, "tangent", "primal"), lifted)
        values = ys if lifted else tuple(map(value_of, ys))
        moving = tuple(map(as_variable if lifted else np.array, moving))
    return (values, moving) if isinstance(outputs, (tuple, list)) else (values[0], moving[0])


def pushforward(ys, xs, tangents, lifted=False):
    """Carry the tangents from xs up to ys, through each step between them, the earliest first."""
    moving = {x.moment: t for x, t in zip(xs, tangents, strict=True)}  # of each step
    given = set(moving)
    for node in history(ys, since=min(given)):
        incoming = [moving.get(x.moment) if tracked(x) else None for x in node.inputs]
        if node.moment not in given and any(t is not None for t in incoming):
            moving[node.moment] = node.op.pushforward(node, incoming, lifted)
    found = (moving.get(y.moment) if tracked(y) else None for y in ys)
    return [np.zeros(np.shape(y)) if t is None else t for t, y in zip(found, ys, strict=True)]
