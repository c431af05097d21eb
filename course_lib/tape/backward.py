"""Walking the tape backwards: reverse mode."""

from heapq import heappop, heappush

import numpy as np

from . import errors
from .core import Tape, Variable, as_numbers, as_tuple, during, recording, tracked, value_of
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
    """Carry the seeds from ys down to xs, each node once, the latest first.

    A node's moment is its place in time: when its turn comes, everything that used it has had its
    turn. Nothing older than the oldest x can depend on an x.
    """
    wanted = {x.node.moment for x in xs}
    oldest, arrived, heap = min(wanted), {}, []  # arrived: moment -> (node, one upstream an output)
    inputs, gradients = ys, seeds
    while True:
        for x, g in zip(inputs, gradients, strict=True):
            if g is None or (moment := x.node.moment) < oldest:
                continue
            if moment in arrived:
                upstreams = arrived[moment][1]
                before = upstreams[x.index]
                upstreams[x.index] = g if before is None else before + g
            else:
                upstreams = [None] * len(x.node.values)
                upstreams[x.index] = g
                arrived[moment] = x.node, upstreams
                heappush(heap, -moment)
        if not heap:
            break
        moment = -heappop(heap)
        node, upstreams = arrived[moment] if moment in wanted else arrived.pop(moment)
        inputs, gradients = (), ()
        if node.op and moment > oldest:
            inputs, gradients = node.inputs, node.op.pullback(node, upstreams, lifted)
            for watch in Tape.watchers:
                watch(node, upstreams, gradients)
    found = ((arrived.get(x.node.moment), x.index) for x in xs)
    return [entry[1][i] if entry else None for entry, i in found]


def on_backward(watch):
    """Call ``watch(node, upstreams, gradients)`` at every step of the backward passes in a block.

    node has .name, .inputs, .values and .params; upstreams holds one gradient an output (None where
    the output was not used), gradients one an input as the rule gave them (None for constants).
    """
    return during(Tape, watchers=(*Tape.watchers, watch))


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
