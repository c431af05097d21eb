"""What people do with a tape: value and gradient, VJP, checkpointing."""

import functools
from contextlib import contextmanager

import numpy as np

from .backward import grad
from .core import Variable, recording, tracked, value_of
from .custom import Rule


def vjp(f, *primals):
    """Run f once, and return what carries upstream gradients back through it.

    Parameters
    ----------
    f : callable
        Takes one Variable for each primal, returns a Variable or a tuple of them.
    *primals : array_like or Variable
        Where. Variables that are on the tape stay on it.

    Returns
    -------
    outputs
        f's output as an array, or a tuple of them (Variables if a primal was one).
    pullback : callable
        ``pullback(*upstreams)`` gives a tuple with the gradient for each primal. It can be called
        again and again; with Variables as upstreams its result can be differentiated.
    """
    with recording(True):
        xs = [x if tracked(x) else Variable(x) for x in primals]
        outputs = f(*xs)
    ys = outputs if isinstance(outputs, (tuple, list)) else (outputs,)

    def pullback(*upstreams):
        lifted = any(isinstance(u, Variable) for u in upstreams)
        return grad(ys, xs, upstreams or None, create_graph=lifted)

    kept = any(tracked(x) for x in primals)
    values = tuple(y if kept else value_of(y) for y in ys)
    return values if isinstance(outputs, (tuple, list)) else values[0], pullback


def value_and_grad(f):
    """A function that returns f's value and its gradient for every argument.

    ``value_and_grad(f)(*xs)`` gives ``(value, gradient)``, arrays; the gradient is a tuple if there
    are several arguments.
    """

    @functools.wraps(f)
    def both(*xs):
        value, pullback = vjp(f, *xs)
        gradients = pullback()
        return value, gradients[0] if len(xs) == 1 else tuple(gradients)

    return both


def checkpoint(f, rng=None):
    """f, which keeps only its inputs and computes the rest again in the backward pass.

    Parameters
    ----------
    f : callable
        Takes Variables (and constants) and returns a Variable or a tuple. Variables that it uses
        from outside would lose their gradient and are refused: pass them as arguments.
    rng : numpy.random.Generator, optional
        If f draws from it, its state is restored for the second run, which so draws the same.
    """

    @functools.wraps(f)
    def segment(*inputs):
        start = rng.bit_generator.state if rng else None

        def backward(*inputs):
            def grad_fn(*upstreams):
                with _rewound(rng, start), recording(True):
                    xs = [_differentiable(x) for x in inputs]
                    ys = f(*xs)
                ys = ys if isinstance(ys, (tuple, list)) else (ys,)
                lifted = any(isinstance(u, Variable) for u in upstreams)
                wanted = [x for x in xs if tracked(x)]
                found = iter(grad(ys, wanted, upstreams, create_graph=lifted))
                return [next(found) if tracked(x) else None for x in xs]

            return grad_fn

        return Rule(lambda *xs: (f(*xs), backward(*xs)), source=f, backward=backward)(*inputs)

    return segment


def _differentiable(x):
    floats = isinstance(x, (float, np.ndarray)) and np.asarray(x).dtype.kind == "f"
    return Variable(x) if floats else x


@contextmanager
def _rewound(rng, state):
    """Draw again what was drawn from ``state``, then go on as if nothing had happened."""
    if rng is None:
        yield
        return
    now, rng.bit_generator.state = rng.bit_generator.state, state
    try:
        yield
    finally:
        rng.bit_generator.state = now
