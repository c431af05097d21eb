"""Walking the tape backwards: reverse mode."""

import numpy as np

from . import core, errors
from .core import Parts, Variable, as_numbers, as_tuple, recording, tape, tracked, value_of
from .errors import describe


def grad(y, x, upstream=None, create_graph: bool = False):
    """The gradient of y with respect to x: the vector-Jacobian product with the upstream gradient.

    Parameters
    ----------
    y : Variable or tuple of Variables
        One output or many; many are summed, as if the loss were the sum of them all.
    x : Variable or tuple of Variables
        What to differentiate with respect to; inputs or intermediate results.
    upstream : array_like or tuple, optional
        The upstream gradient of each y, of y's shape. Ones if not given.
    create_graph : bool
        Record the backward pass, so that its result can be differentiated again.

    Returns
    -------
    numpy.ndarray, or a tuple of them if x is a tuple or list
        Of the shape and dtype of x; Variables if create_graph. Zeros where y does not depend on x.

    Raises
    ------
    TapeError
        If y or x is not on the tape, an upstream does not fit, or a custom rule misbehaves.
    """
    ys, xs = on_tape(y, "differentiate"), on_tape(x, "differentiate with respect to")
    given = as_tuple(upstream) if isinstance(y, (tuple, list)) else (upstream,)
    ones = [np.ones(y.shape, y.dtype) for y in ys]
    seeds = ones if upstream is None else fitted(given, ys, "upstream gradient", "output")
    with recording(create_graph):
        found = backward(ys, seeds, xs, create_graph)
        found = [np.zeros_like(x) if g is None else g for g, x in zip(found, xs, strict=True)]
        gradients = tuple(map(as_variable, found)) if create_graph else own(found)
    return gradients if isinstance(x, (tuple, list)) else gradients[0]


def backward(ys, seeds, xs, lifted=False):
    """Carry the seeds from ys down to xs, through each step between them, the latest first.

    A step's moment is its place in time: when its turn comes, everything that used it has had its
    turn. Nothing older than the oldest x can depend on an x.
    """
    given = {x.moment for x in xs}
    arrived = {}  # moment of a step -> its upstream gradient, so far
    arrive(arrived, ys, seeds)
    for node in reversed(history(ys, since=min(given))):
        moment = node.moment
        if moment in arrived and node.op:
            upstream = arrived[moment] if moment in given else arrived.pop(moment)
            gradients = node.op.pullback(node, upstream, lifted)
            arrive(arrived, node.inputs, gradients)
            if tape.watchers and type(node.op) is not core.Pick:
                for watch in tape.watchers:
                    watch(node, upstream if type(upstream) is Parts else (upstream,), gradients)
    return [arrived.get(x.moment) for x in xs]


def arrive(arrived, steps, gradients):
    """Add gradients to what has arrived at these steps."""
    for x, g in zip(steps, gradients):
        if g is not None:
            moment = x.moment
            arrived[moment] = arrived[moment] + g if moment in arrived else g


def history(ys, since):
    """All steps later than the moment ``since`` that ys were made from, in the order of time."""
    found, stack = {}, list(ys)
    while stack:
        x = stack.pop()
        if type(x) is Variable and x.moment > since and x.moment not in found:
            found[x.moment] = x
            stack += x.inputs
    return [found[moment] for moment in sorted(found)]


def on_backward(watch):
    """A context in which a backward pass can be watched, step by step.

    Parameters
    ----------
    watch : callable
        ``watch(node, upstreams, gradients)`` is called at every step. node has .name, .inputs,
        .values and .params; upstreams holds one gradient an output (None where the output was not
        used), gradients one an input as the rule gave them (None for constants).
    """
    return core.during(tape, watchers=(*tape.watchers, watch))


# -- what goes in and what comes out --------------------------------------------------------------


def on_tape(given, verb):
    """The given Variable or Variables as a tuple, all of them on the tape."""
    variables = as_tuple(given)
    if not variables or not all(map(tracked, variables)):
        raise errors.NotOnTheTape(verb=verb, given=describe(*variables) or "none")
    return variables


def fitted(given, partners, what, partner):
    """One upstream gradient or tangent for each partner, of its shape and dtype."""
    if len(given) != len(partners):
        counts = {"given": len(given), "expected": len(partners)}
        raise errors.WrongCount(what=what, partner=partner, **counts)
    numbers = [g if isinstance(g, Variable) else as_numbers(g, f"the {what}") for g in given]
    for g, p in zip(numbers, partners, strict=True):
        if g.shape != p.shape:
            raise errors.WrongShape(what=what, given=g.shape, partner=partner, expected=p.shape)
    pairs = zip(numbers, partners, strict=True)
    return [g if isinstance(g, Variable) else np.array(g, p.dtype) for g, p in pairs]


def as_variable(g):
    """A Variable that can be differentiated, also if g is constant."""
    return g if tracked(g) else Variable(g)


def own(gradients):
    """Arrays that are the caller's to change: no two of them share memory."""
    owned = []
    for g in map(np.asarray, map(value_of, gradients)):
        free = g.flags.owndata and g.flags.writeable and not any(g is other for other in owned)
        owned.append(g if free else g.copy())
    return tuple(owned)
