"""The tape: a Variable is a step of the computation, and remembers the inputs of that step.

Reading order: ``core`` (what is recorded), ``backward`` (how it is walked), ``ops`` (the table of
rules), ``custom`` (rules of your own), ``forward`` (tangents instead of adjoints).
"""

from contextlib import contextmanager
from inspect import signature
from itertools import count
from operator import attrgetter

import numpy as np

from . import errors
from .errors import describe


class Tape:
    """What is done right now."""

    recording = True  # off inside no_grad and inside custom rules
    replaying = False  # on while a custom rule's forward is run again for a second derivative
    watchers = ()  # called at each step of a backward pass, see on_backward


tape = Tape()
ufuncs: dict = {}  # np.sin -> Op: what __array_ufunc__ finds
functions: dict = {}  # np.sum -> a function of Variables: what __array_function__ finds
flat: set = set()  # np.greater, np.argmax, ...: their results carry no gradient
moments = count()  # each step's place in time
NOTHING: dict = {}  # shared by all steps without parameters


class Op:
    """A primitive function with its derivative rules.

    Parameters
    ----------
    fun : callable
        ``fun(*inputs, **params)`` computes the output y from arrays.
    vjp : callable
        ``vjp(i, g, y, *inputs, **params)`` is the gradient for input i, of its shape, when y
        receives the upstream gradient g.
    jvp : callable
        ``jvp(i, t, y, *inputs, **params)`` is the tangent of y when input i moves along t. It and
        vjp are written with NumPy functions, and so serve arrays and Variables alike.
    name : str, optional
        What messages and pictures call it; the name of fun if not given.
    """

    def __init__(self, fun, vjp, jvp, name=None):
        self.fun, self.vjp, self.jvp, self.name = fun, vjp, jvp, name or fun.__name__

    def __call__(self, *inputs, **params):
        return record(self, inputs, params)

    def pullback(self, node, g, lifted):
        """The gradients of ``node`` for its inputs, None for constants; g is its upstream."""
        y, *xs = (node, *node.inputs) if lifted else node.plain
        return [
            self.vjp(i, g, y, *xs, **node.params) if tracked(x) else None
            for i, x in enumerate(node.inputs)
        ]

    def pushforward(self, node, tangents, lifted):
        """The tangent of ``node``; ``tangents`` has None for inputs that stand still."""
        y, *xs = (node, *node.inputs) if lifted else node.plain
        moving = [(i, t) for i, t in enumerate(tangents) if t is not None]
        parts = [self.jvp(i, t, y, *xs, **node.params) for i, t in moving]
        return np.broadcast_to(sum(parts[1:], parts[0]), y.shape).astype(y.dtype)


class Pick:
    """The op whose output is one of those that a custom rule has, number i."""

    name = "output"

    def __init__(self, i):
        self.i = i

    def pullback(self, node, g, lifted):
        return [Parts(g if i == self.i else None for i in range(len(node.inputs[0].values)))]

    def pushforward(self, node, tangents, lifted):
        return tangents[0][self.i]


class Parts(tuple):
    """The upstream gradients of a rule with many outputs, None where there is none yet."""

    def __add__(self, other):
        return Parts(b if a is None else a if b is None else a + b for a, b in zip(self, other))


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

    Notes
    -----
    It is a step on the tape: the ``op`` that was applied (None at a leaf), its ``inputs`` (the
    Variables, and constants as numbers or read-only arrays), the ``params`` it was given besides,
    and the ``moment`` when that was. ``plain`` has the output and the inputs as arrays, which is
    what the op's rule sees in a plain backward pass. Where a custom rule has many outputs, the step
    is one Variable with the tuple of their values, and each output is picked from it.
    """

    __slots__ = ("_value", "inputs", "moment", "op", "params", "plain")

    def __init_subclass__(cls):
        raise errors.NoSubclass(name=cls.__name__)

    def __init__(self, value):
        self._value, self.moment = as_value(value), next(moments)
        self.op, self.inputs, self.params, self.plain = None, (), NOTHING, ()

    # fmt: off
    value = property(attrgetter("_value"), doc="The array, read-only.")
    shape = property(attrgetter("_value.shape"))
    ndim  = property(attrgetter("_value.ndim"))
    size  = property(attrgetter("_value.size"))
    dtype = property(attrgetter("_value.dtype"))

    # the step that made it (None if it is a constant), and which of that step's outputs it is
    node    = property(lambda x: x.inputs[0] if type(x.op) is Pick else x if tracked(x) else None)
    index   = property(lambda x: x.op.i if type(x.op) is Pick else 0)
    name    = property(lambda x: x.op.name if x.op else "leaf")
    values  = property(lambda x: as_tuple(x._value))
    outputs = property(lambda x: picked(x) if type(x._value) is tuple else (x,))

    __hash__ = object.__hash__
    def __len__(self):  return len(self._value)
    def __iter__(self): return (self[i] for i in range(len(self)))
    def __repr__(self): return "Variable" + repr(self._value).removeprefix("array")

    # leaving the tape is never silent
    def __float__(self): return float(np.asarray(self))
    def __int__(self):   return int(np.asarray(self))
    def __bool__(self):  return bool(np.asarray(self))
    def __setitem__(self, index, value): raise errors.NeverInPlace()
    def __getattr__(self, name): raise errors.NoAttribute(name=name)
    # fmt: on

    def __array__(self, dtype=None, copy=None):
        if tape.recording and tracked(self):
            raise errors.LeftTheTape()
        return np.array(self._value, dtype, copy=copy)

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        op = ufuncs.get(ufunc)
        if op and method == "__call__" and not options:
            return record(op, inputs)
        if tape.recording and (method != "__call__" or options):
            raise errors.CannotRecord(name=f"np.{ufunc.__name__}", how=", ".join(options) or method)
        return without_rule(ufunc, inputs, options, getattr(ufunc, method))

    def __array_function__(self, function, types, args, options):
        if function not in functions:
            return without_rule(function, args, options, function)
        try:
            return functions[function](*args, **options)
        except TypeError as error:
            name, form = function.__name__, signature(functions[function])
            reason = str(error).rpartition("() ")[2]  # without the name of our own function
            raise errors.WrongCall(name=name, form=form, reason=reason) from error


def made(value, op, inputs, params=NOTHING, plain=(), new=object.__new__):
    """A Variable that came out of a computation; a constant if op is None."""
    x = new(Variable)
    x._value, x.op, x.inputs, x.params, x.plain = value, op, inputs, params, plain
    x.moment = next(moments) if op else -1  # before all: no gradient comes this far
    return x


def stop_gradient(x):
    """x as a constant: the same values, through which no gradient flows back.

    Parameters
    ----------
    x : Variable or anything else
        What is not a Variable is returned as it is.
    """
    return constant(x._value) if type(x) is Variable else x


# fmt: off
def constant(v): return made(v, None, ())
def picked(x):   return tuple([made(y, Pick(i), (x,)) for i, y in enumerate(x._value)])
def tracked(x):  return type(x) is Variable and x.moment >= 0
def value_of(x): return x._value if type(x) is Variable else x
def as_tuple(x): return tuple(x) if isinstance(x, (tuple, list)) else (x,)
def plain(x):    return type(x)(map(plain, x)) if type(x) in (tuple, list) else value_of(x)
# fmt: on


# -- values that nobody changes -------------------------------------------------------------------


def as_value(value, *role):
    """A frozen array of real floating-point numbers, or an error that says why not."""
    array = as_numbers(value, *(role or ["the value of a Variable"]))
    if array.dtype.kind in "iu" and np.any(np.abs(array.astype(float)) >= 2**53):
        raise errors.TooLarge()
    return kept(array if array.dtype.kind == "f" else array.astype(float))


def as_numbers(given, *role):
    """An array of real numbers; ``role`` says what it is for, should it be none."""
    try:
        array = np.asarray(value_of(given))
        if array.dtype.kind in "fiub":
            return array
        reason = f"dtype {array.dtype}"
    except (ValueError, TypeError) as error:
        reason = error
    raise errors.NotNumbers(role=" ".join(role), given=describe(given), reason=reason)


def kept(x, ours=False):
    """x as it is now, its arrays read-only: copied, or frozen in place if they are ours."""
    if isinstance(x, np.ndarray):
        if ours and x.base is None:
            x.setflags(False)  # as freeze does: it is called for every value of a rule
            return x
        return x if settled(x) else freeze(x.copy())
    if type(x) in (tuple, list):
        return type(x)([kept(part, ours) for part in x])
    return {name: kept(part, ours) for name, part in x.items()} if type(x) is dict else x


def settled(x):
    """Whether x is an array that nobody can change, nor one that it is a view of."""
    owned = isinstance(x, np.ndarray) and not x.flags.writeable
    return owned and (x.base is None or settled(x.base))


def freeze(array):
    array.setflags(False)  # write=False; by position it takes a third of the time
    return array


# -- recording ------------------------------------------------------------------------------------


def record(op, inputs, params=NOTHING):
    """Apply ``op`` to the values of ``inputs``; note it on the tape if one of them is tracked.

    Arrays among the inputs are constants, kept as they are now: a copy, unless they are read-only.
    """
    arguments, recorded = [], False
    for x in inputs:
        if type(x) is Variable:
            recorded = recorded or x.moment >= 0
            arguments.append(x._value)
        elif type(x) is float or type(x) is int:
            arguments.append(x)
        else:
            i, x = len(arguments), kept(as_numbers(x, "an argument of", op.name))
            inputs = (*inputs[:i], x, *inputs[i + 1 :])
            arguments.append(x)
    try:
        y = op.fun(*arguments, **params)
    except (ValueError, TypeError, IndexError) as error:
        raise errors.DoesNotFit(name=op.name, given=describe(*inputs), reason=error) from error
    if type(y) is not np.ndarray:
        y = np.asarray(y)
    y.setflags(False)  # as freeze does
    if recorded and tape.recording:
        return made(y, op, inputs, params, (y, *arguments))
    return constant(y) if Variable in map(type, inputs) else y


def without_rule(function, args, options, call):
    """A NumPy function that the tape has no rule for."""

    def refuse(*_, **__):
        raise errors.RawIntermediate(name=function.__name__)

    if function in flat or not tape.recording:
        return call(*plain(args), **options)
    if tape.replaying:  # legal as long as nobody asks for its gradient
        return record(Op(call, refuse, refuse, function.__name__), args, options)
    raise errors.NoRule(name=function.__name__)


@contextmanager
def during(holder, /, **changes):
    """Attributes of ``holder``, changed for a block."""
    before = {name: getattr(holder, name) for name in changes}
    try:
        for name, value in changes.items():
            setattr(holder, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(holder, name, value)


def recording(on, replaying=False):
    """A context in which the tape records, or does not."""
    return during(tape, recording=on, replaying=replaying)


def no_grad():
    """A context in which nothing is recorded: results are constants."""
    return recording(False)
