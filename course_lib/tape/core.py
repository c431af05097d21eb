"""The tape: Variables remember the Node that made them, Nodes remember their inputs.

Reading order: ``core`` (what is recorded), ``backward`` (how it is walked), ``ops`` (the table of
rules), ``custom`` (rules of your own), ``forward`` (tangents instead of adjoints).
"""

from contextlib import contextmanager
from itertools import count

import numpy as np

from .errors import TapeError, describe, does_not_fit, left_the_tape, no_rule


class Tape:
    """What the tape is doing right now."""

    recording = True  # off inside no_grad and inside custom rules
    replaying = False  # on while a custom rule's forward is run again for a second derivative
    watchers = ()  # called at each step of a backward pass, see on_backward


ufuncs = {}  # np.sin -> Op: what __array_ufunc__ finds
functions = {}  # np.sum -> a function of Variables: what __array_function__ finds
flat = set()  # np.greater, np.argmax, ...: their results carry no gradient
moments = count()  # each node's place in time
NOTHING = {}  # shared by all nodes without parameters


class Op:
    """A primitive function with its derivative rules.

    ``vjp(i, g, y, *inputs, **params)`` is the gradient for input i when the output y receives the
    upstream gradient g; ``jvp(i, t, y, *inputs, **params)`` the tangent of y when input i moves
    along t. Both are written with NumPy functions, so they serve arrays and Variables alike.
    """

    __slots__ = ("fun", "jvp", "name", "vjp")

    def __init__(self, fun, vjp, jvp, name=None):
        self.fun, self.vjp, self.jvp, self.name = fun, vjp, jvp, name or fun.__name__

    def __call__(self, *inputs, **params):
        return record(self, inputs, params)

    def pullback(self, node, upstreams, lifted):
        """The gradients of ``node`` for its inputs, None for constants."""
        xs = node.inputs
        y, *values = (node.output(), *xs) if lifted else (node.values[0], *map(value_of, xs))
        return [
            self.vjp(i, upstreams[0], y, *values, **node.params) if tracked(x) else None
            for i, x in enumerate(xs)
        ]

    def pushforward(self, node, tangents, lifted):
        """The tangents of the outputs of ``node``; ``tangents`` holds None for what stands still."""
        xs = node.inputs
        y, *values = (node.output(), *xs) if lifted else (node.values[0], *map(value_of, xs))
        moved = [
            self.jvp(i, t, y, *values, **node.params) for i, t in enumerate(tangents) if t is not None
        ]
        return [np.broadcast_to(sum(moved[1:], moved[0]), y.shape)]


class Node:
    """One step on the tape: an op, its inputs, the values it gave, and when that was."""

    __slots__ = ("inputs", "moment", "op", "params", "values")

    def __init__(self, op, inputs, params, values):
        self.op, self.inputs, self.params, self.values = op, inputs, params, values
        self.moment = next(moments)

    @property
    def name(self):
        return self.op.name if self.op else "leaf"

    def output(self, i=0):
        """Output i as a Variable. (The node does not keep it: that would be a reference cycle.)"""
        return Variable._made(self.values[i], self, i)


class Variable:
    """An array whose history is recorded, so that it can be differentiated.

    NumPy speaks to it: ``np.sin(x)``, ``x @ w``, ``x[1:]``, ``x.sum(axis=0)`` record themselves.
    Its value is a read-only copy: nothing can overwrite it between forward and backward.

    Parameters
    ----------
    value : array_like
        Real numbers of any shape. Integers and booleans become float64; float16, float32 and
        longdouble keep their dtype.

    Raises
    ------
    TapeError
        If value does not consist of real numbers, or has integers that float64 cannot hold.
    """

    __slots__ = ("_value", "index", "node")
    __hash__ = object.__hash__

    def __init__(self, value):
        self._value = as_value(value)
        self.node, self.index = Node(None, (), NOTHING, (self._value,)), 0

    @classmethod
    def _made(cls, value, node, index=0):
        self = object.__new__(cls)
        self._value, self.node, self.index = value, node, index
        return self

    @property
    def value(self):
        """The array, read-only."""
        return self._value

    @value.setter
    def value(self, new):
        raise TapeError(
            "The value of a Variable was recorded and cannot be replaced. Make a new one:"
            " x = Variable(new_value)."
        )

    shape = property(lambda self: self._value.shape)
    ndim = property(lambda self: self._value.ndim)
    size = property(lambda self: self._value.size)
    dtype = property(lambda self: self._value.dtype)

    def __len__(self):
        return len(self._value)

    def __repr__(self):
        text = np.array2string(self._value, separator=", ", prefix="Variable(")
        return f"Variable({text})"

    # -- leaving the tape is never silent ---------------------------------------------------

    def _leave(self, what):
        if Tape.recording and self.node is not None:
            raise left_the_tape(what)
        return self._value

    def __array__(self, dtype=None, copy=None):
        value = self._leave("Turning a Variable into a NumPy array")
        return np.array(value, dtype=dtype, copy=copy)

    def __float__(self):
        return float(self._leave("float() of a Variable"))

    def __int__(self):
        return int(self._leave("int() of a Variable"))

    def __bool__(self):
        return bool(self._leave("The truth value of a Variable"))

    def __setitem__(self, index, value):
        raise TapeError(
            "A Variable is never changed in place. Build a new one with np.where, np.concatenate"
            " or np.stack."
        )

    # -- NumPy speaks to it -----------------------------------------------------------------

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if method != "__call__" or kwargs:
            extra = f".{method}" if method != "__call__" else f" with {', '.join(kwargs)}="
            raise TapeError(
                f"np.{ufunc.__name__}{extra} cannot be recorded. Write it without in-place"
                " assignment or options, for instance a = a + x instead of a += x, np.sum(x)"
                " instead of np.add.reduce(x)."
            )
        op = ufuncs.get(ufunc)
        return record(op, inputs) if op else without_rule(ufunc, inputs, kwargs)

    def __array_function__(self, function, types, args, kwargs):
        ours = functions.get(function)
        return ours(*args, **kwargs) if ours else without_rule(function, args, kwargs)


def tracked(x):
    return isinstance(x, Variable) and x.node is not None


def value_of(x):
    return x._value if isinstance(x, Variable) else x


def as_value(value):
    """A frozen array of real floating-point numbers, or a TapeError that says why not."""
    if isinstance(value, Variable):
        return value._value
    try:
        array = np.array(value)
    except (ValueError, TypeError) as error:
        raise TapeError(
            f"A Variable holds an array of numbers, but was given {describe(value)}: {error}."
        ) from error
    if array.dtype.kind in "iub":
        exact = array.astype(np.float64)
        if array.dtype.kind != "b" and np.any(np.abs(exact) > 2**53):
            raise TapeError(
                "These integers are too large for float64, which holds them exactly up to 2**53."
                " Convert them yourself if rounding is meant: Variable(x.astype(float))."
            )
        array = exact
    if array.dtype.kind != "f":
        raise TapeError(
            f"A Variable holds real numbers, but was given {describe(value)}"
            f" (dtype {array.dtype}). Convert it first, for instance with np.asarray(x, float)."
        )
    return freeze(array)


def freeze(array):
    array.flags.writeable = False
    return array


def record(op, inputs, params=NOTHING):
    """Apply ``op`` to the values of ``inputs``; note it on the tape if one of them is tracked."""
    values, recorded = [], False
    for x in inputs:
        if isinstance(x, Variable):
            recorded = recorded or x.node is not None
            values.append(x._value)
        else:
            values.append(np.asarray(x) if isinstance(x, (list, tuple)) else x)
    try:
        y = op.fun(*values, **params)
    except (ValueError, TypeError, IndexError) as error:
        raise does_not_fit(op.name, inputs, error) from error
    y = freeze(np.asarray(y))
    recorded = recorded and Tape.recording
    return Variable._made(y, Node(op, tuple(inputs), params, (y,)) if recorded else None)


def without_rule(function, args, kwargs):
    """A NumPy function that the tape has no rule for."""
    if function in flat or not Tape.recording:
        return function(*_plain(args), **kwargs)
    if Tape.replaying:  # legal as long as no second derivative asks for its gradient
        y = freeze(np.asarray(function(*_plain(args), **kwargs)))
        return Variable._made(y, Node(opaque(function), tuple(args), NOTHING, (y,)))
    raise no_rule(function)


def _plain(args):
    return [[*_plain(a)] if isinstance(a, (list, tuple)) else value_of(a) for a in args]


def opaque(function):
    def refuse(*_, **__):
        raise TapeError(
            f"A second derivative passes through {function.__name__}, an intermediate value of a"
            " custom rule that the tape has no rule for. Give it a custom gradient of its own, or"
            " let the backward use the inputs only."
        )

    return Op(function, refuse, refuse)


@contextmanager
def recording(on, replaying=False):
    """Switch recording on or off for a block."""
    before = Tape.recording, Tape.replaying
    Tape.recording, Tape.replaying = on, replaying
    try:
        yield
    finally:
        Tape.recording, Tape.replaying = before


def no_grad():
    """A context in which nothing is recorded: results are constants."""
    return recording(False)


def stop_gradient(x):
    """The same values as a constant: no gradient flows back through it."""
    return Variable._made(x._value, None) if isinstance(x, Variable) else x
