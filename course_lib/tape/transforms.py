"""What people do with a tape: value and gradient, VJP, checkpointing."""

import functools
from collections.abc import Callable
from contextlib import nullcontext

import numpy as np

from .backward import grad
from .core import Variable, as_tuple, during, recording, tracked, value_of
from .custom import Rule


def vjp(f: Callable, *primals):
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
    kept = any(map(tracked, primals))
    with recording(True):
        xs = [x if tracked(x) else Variable(x) for x in primals]
        outputs = f(*xs)
    ys = as_tuple(outputs)

    def pullback(*upstreams):
        lifted = any(isinstance(u, Variable) for u in upstreams)
        return grad(ys, xs, upstreams or None, create_graph=lifted)

    values = ys if kept else tuple(map(value_of, ys))
    return values if isinstance(outputs, (tuple, list)) else values[0], pullback


def value_and_grad(f: Callable) -> Callable:
    """A function that returns f's value and its gradient for every argument.

    Parameters
    ----------
    f : callable
        Takes Variables, returns one.

    Returns
    -------
    callable
        ``value_and_grad(f)(*xs)`` gives ``(value, gradient)``, arrays; the gradient is a tuple if
        there are several xs.
    """

    @functools.wraps(f)
    def both(*xs):
        value, pullback = vjp(f, *xs)
        gradients = pullback()
        return value, gradients[0] if len(xs) == 1 else gradients

    return both


def checkpoint(f: Callable, rng: np.random.Generator | None = None) -> Callable:
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
        start = rng and rng.bit_generator.state

        def backward(*inputs):
            def grad_fn(*upstreams):
                rewound = during(rng.bit_generator, state=start) if rng else nullcontext()
                with rewound, recording(True):
                    xs = [Variable(x) if is_real(x) else x for x in inputs]
                    ys = as_tuple(f(*xs))
                lifted = any(isinstance(v, Variable) for v in (*upstreams, *inputs))
                gradients = iter(grad(ys, [x for x in xs if tracked(x)], upstreams, lifted))
                return [next(gradients) if tracked(x) else None for x in xs]

            return grad_fn

        return Rule(lambda *xs: (f(*xs), backward(*xs)), source=f, backward=backward)(*inputs)

    return segment


def is_real(x):
    return isinstance(x, (float, np.ndarray)) and np.asarray(x).dtype.kind == "f"
