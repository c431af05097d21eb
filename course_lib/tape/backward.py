"""Walking the tape backwards: reverse mode."""

from contextlib import contextmanager
from heapq import heappop, heappush

import numpy as np

from .core import Tape, Variable, recording, tracked
from .errors import TapeError, describe


def grad(y, x, upstream=None, create_graph=False):
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
    ys, xs = _on_tape(y, "differentiate"), _on_tape(x, "differentiate with respect to")
    upstreams = _upstreams(upstream, ys, many=isinstance(y, (tuple, list)))
    seeds = [_seed(y, u) for y, u in zip(ys, upstreams, strict=True)]
    with recording(create_graph):
        if create_graph:
            seeds = [u if isinstance(u, Variable) else Variable(u) for u in seeds]
        else:
            seeds = [u.value if isinstance(u, Variable) else u for u in seeds]
        adjoints = backward(ys, seeds, xs, create_graph)
        own = _as_variable if create_graph else _Own()
        gradients = tuple(own(g, x) for g, x in zip(adjoints, xs, strict=True))
    return gradients if isinstance(x, (tuple, list)) else gradients[0]


def backward(ys, seeds, xs, lifted=False):
    """Carry the seeds from ys down to xs, each node once, the latest first.

    A node's moment is its place in time: when its turn comes, everything that used it has had its
    turn. Nothing older than the oldest x can depend on an x.
    """
    oldest = min(x.node.moment for x in xs)
    wanted = {x.node.moment for x in xs}
    pending, heap = {}, []  # moment -> (node, its upstream gradients, one an output)

    def receive(variable, g):
        node, i = variable.node, variable.index
        if node.moment < oldest:
            return
        if node.moment not in pending:
            pending[node.moment] = node, [None] * len(node.values)
            heappush(heap, -node.moment)
        upstreams = pending[node.moment][1]
        upstreams[i] = g if upstreams[i] is None else upstreams[i] + g

    for y, seed in zip(ys, seeds, strict=True):
        receive(y, seed)
    while heap:
        moment = -heappop(heap)
        node, upstreams = pending[moment] if moment in wanted else pending.pop(moment)
        if node.op is None:
            continue
        gradients = node.op.pullback(node, upstreams, lifted)
        for watch in Tape.watchers:
            watch(node, upstreams, gradients)
        for x, g in zip(node.inputs, gradients, strict=True):
            if g is not None and tracked(x):
                receive(x, g)
    found = ((pending.get(x.node.moment), x.index) for x in xs)
    return [entry[1][i] if entry else None for entry, i in found]


@contextmanager
def on_backward(watch):
    """Call ``watch(node, upstreams, gradients)`` at every step of the backward passes in a block.

    node has .name, .inputs, .values and .params; upstreams holds one gradient an output (None where
    the output was not used), gradients one an input as the rule gave them (None for constants).
    """
    before = Tape.watchers
    Tape.watchers = (*before, watch)
    try:
        yield
    finally:
        Tape.watchers = before


# -- what goes in and what comes out --------------------------------------------------------------


def _on_tape(given, verb):
    variables = list(given) if isinstance(given, (tuple, list)) else [given]
    if not variables:
        raise TapeError(f"grad was given nothing to {verb}.")
    for v in variables:
        if not isinstance(v, Variable):
            raise TapeError(
                f"grad can only {verb} Variables, but was given {describe(v)}. If it came out of a"
                " computation, it left the tape there (.value, stop_gradient, another library)."
            )
        if v.node is None:
            raise TapeError(
                f"grad was asked to {verb} a constant: this Variable was made under no_grad or by"
                " stop_gradient, so nothing was recorded."
            )
    return variables


def _upstreams(upstream, ys, many):
    if upstream is None:
        return [None] * len(ys)
    given = list(upstream) if many and isinstance(upstream, (tuple, list)) else [upstream]
    if len(given) != len(ys):
        raise TapeError(f"grad was given {len(given)} upstream gradients for {len(ys)} outputs.")
    return given


def _seed(y, upstream):
    if upstream is None:
        return np.ones(y.shape, y.dtype)
    u = upstream if isinstance(upstream, Variable) else np.array(upstream, y.dtype)  # ours to freeze
    if u.shape != y.shape:
        raise TapeError(
            f"The upstream gradient has shape {u.shape}, but the output has shape {y.shape}. Give"
            " one number for each entry of the output."
        )
    return u


def _as_variable(g, x):
    """A gradient that can be differentiated again, also if it is constant."""
    if g is None:
        g = np.zeros(x.shape, x.dtype)
    return g if tracked(g) else Variable(g)


class _Own:
    """Hands out arrays that are the caller's to change: no two of them share memory."""

    def __init__(self):
        self.given = set()

    def __call__(self, g, x):
        if g is None:
            return np.zeros(x.shape, x.dtype)
        g = np.asarray(g)
        shared = id(g) in self.given or not g.flags.owndata or not g.flags.writeable
        self.given.add(id(g))
        return g.copy() if shared else g
