"""Walking the tape forwards: tangents from the inputs to the outputs."""

import numpy as np

from .core import Variable, recording, tracked, value_of
from .errors import TapeError, describe


def jvp(f, primals, tangents):
    """The Jacobian-vector product: how f's output moves when its inputs move along the tangents.

    Parameters
    ----------
    f : callable
        Takes one Variable for each primal, returns a Variable or a tuple of them.
    primals, tangents : tuple of array_like
        Where, and in which direction; a tangent has the shape of its primal. Variables among them
        make the result differentiable.

    Returns
    -------
    value, tangent
        Arrays, or tuples of arrays if f returns a tuple (Variables if a primal or tangent was one).
    """
    primals, tangents = _tuple(primals), _tuple(tangents)
    lifted = any(isinstance(v, Variable) for v in (*primals, *tangents))
    with recording(True):
        xs = [v if tracked(v) else Variable(v) for v in primals]
        outputs = f(*xs)
    ys = _tuple(outputs)
    with recording(lifted):
        moving = pushforward(ys, xs, [_fit(t, x) for t, x in zip(tangents, xs, strict=True)], lifted)
    values = tuple(y if lifted else value_of(y) for y in ys)
    if not isinstance(outputs, (tuple, list)):
        return values[0], moving[0]
    return values, tuple(moving)


def pushforward(ys, xs, tangents, lifted=False):
    """Carry the tangents from xs up to ys, through each node between them, the earliest first."""
    moving = {x.node.moment: {x.index: t} for x, t in zip(xs, tangents, strict=True)}
    for node in _history(ys, oldest=min(moving)):
        incoming = [
            moving.get(x.node.moment, {}).get(x.index) if tracked(x) else None for x in node.inputs
        ]
        if node.moment not in moving and any(t is not None for t in incoming):
            moving[node.moment] = dict(enumerate(node.op.pushforward(node, incoming, lifted)))
    found = [moving.get(y.node.moment, {}).get(y.index) if tracked(y) else None for y in ys]
    return [np.zeros(np.shape(y)) if t is None else t for t, y in zip(found, ys, strict=True)]


def _history(ys, oldest):
    """All nodes that ys were made from, no older than ``oldest``, in the order of time."""
    found, stack = {}, [y.node for y in ys if tracked(y)]
    while stack:
        node = stack.pop()
        if node.moment >= oldest and node.moment not in found:
            found[node.moment] = node
            stack.extend(x.node for x in node.inputs if tracked(x))
    return [found[moment] for moment in sorted(found)]


def _tuple(x):
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def _fit(tangent, x):
    t = tangent if isinstance(tangent, Variable) else np.asarray(tangent, x.dtype)
    if t.shape != x.shape:
        raise TapeError(
            f"The tangent is {describe(t)}, but the primal has shape {x.shape}. Give one number"
            " for each entry of the primal."
        )
    return t
