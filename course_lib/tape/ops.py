"""The table of rules: each op beside its derivative.

In every formula g is the upstream gradient (for the VJP) or the tangent (for the JVP), y the output
and x, z the inputs. Elementwise ops need one formula an input, which serves both directions: their
Jacobian is diagonal, so it is its own transpose.
"""

import operator
from collections.abc import Callable

import numpy as np

from . import errors
from .core import Op, Variable, flat, functions, kept, record, ufuncs


def elementwise(fun: Callable, *formulas: Callable | None, name: str | None = None) -> Op:
    """Give an elementwise function its rule: ``elementwise(np.cbrt, lambda g, y, x: g / (3 * y * y))``.

    Parameters
    ----------
    fun : numpy.ufunc or callable
        Computes y from arrays x, z, ... that broadcast against each other.
    *formulas : callable
        ``formula(g, y, x, z, ...)`` for each input: g times the partial derivative, in NumPy
        functions that the tape knows (then higher derivatives come free). None for an input that
        is never a Variable.
    name : str, optional
        What messages and pictures call it; the name of fun if not given.

    Returns
    -------
    Op
        Call it with Variables. If fun is a ufunc, NumPy does so by itself from now on.

    Raises
    ------
    TapeError
        If there is not one formula for each input: here for a ufunc, otherwise when it is called.
    """
    op = Elementwise(fun, formulas, name)
    if isinstance(fun, np.ufunc):
        op.takes(fun.nin)
        ufuncs[fun] = op
    return op


class Elementwise(Op):
    """An op whose Jacobian is diagonal: one formula an input is its VJP and its JVP."""

    def __init__(self, fun, formulas, name):
        super().__init__(fun, formulas, lambda i, t, y, *xs: formulas[i](t, y, *xs), name)

    def __call__(self, *inputs):
        self.takes(len(inputs))
        return record(self, inputs)

    def takes(self, count):
        if count != len(self.vjp):
            raise errors.WrongFormulas(name=self.name, given=len(self.vjp), expected=count)

    def pullback(self, node, g, lifted):
        gradients, seen = [], (node, *node.inputs) if lifted else node.plain
        for formula, x in zip(self.vjp, node.inputs):
            if type(x) is Variable and x.moment >= 0:
                part, value = formula(g, *seen), x._value
                fits = part.shape == value.shape and part.dtype is value.dtype
                gradients.append(part if fits else unbroadcast(part, x))
            else:
                gradients.append(None)
        return gradients


def unbroadcast(g, x):
    """Sum g over the axes along which x was broadcast, so that it fits x again.

    Parameters
    ----------
    g : numpy.ndarray or Variable
        A gradient, of the shape that x was broadcast to.
    x : numpy.ndarray or Variable

    Returns
    -------
    numpy.ndarray or Variable
        Of the shape and dtype of x.
    """
    if g.shape != x.shape:
        new = g.ndim - x.ndim
        stretched = (new + i for i, n in enumerate(x.shape) if n == 1)
        g = _shaped(g.sum(axis=(*range(new), *stretched)), x)
    return g if g.dtype == x.dtype else g.astype(x.dtype)


def _shaped(g, x):
    """g, which has as many entries as x, in the shape of x; no view of itself without need."""
    return g if g.shape == x.shape else g.reshape(x.shape)


def _wins(x, z, beats):
    """The part of the gradient that x gets where it competes with z; half of it in a tie."""
    return np.where(np.equal(x, z), 0.5, beats(x, z))


def _power(x, p):
    """The derivative of x**p by x; for p = 0 without 0 * inf."""
    return p * x ** np.where(np.equal(p, 0), 1, p - 1)


def _log(x):
    return np.log(np.where(np.equal(x, 0), 1, x))  # beside a factor that is 0 at 0


def _flat(g, *_):
    return np.zeros_like(g)


# fmt: off
#           fun                         d/dx                                    d/dz
elementwise(np.add,                     lambda g, y, x, z: g,                  lambda g, y, x, z: g)
elementwise(np.subtract,                lambda g, y, x, z: g,                  lambda g, y, x, z: -g)
elementwise(np.multiply,                lambda g, y, x, z: g * z,              lambda g, y, x, z: g * x)
elementwise(np.true_divide,             lambda g, y, x, z: g / z,              lambda g, y, x, z: -g * y / z)
POWER    = elementwise(operator.pow,    lambda g, y, x, z: g * _power(x, z),   lambda g, y, x, z: g * y * _log(x), name="power")
elementwise(np.floor_divide,            _flat,                                 _flat)
elementwise(np.remainder,               lambda g, y, x, z: g,                  lambda g, y, x, z: -g * (x // z))
elementwise(np.negative,                lambda g, y, x: -g)
elementwise(np.absolute,                lambda g, y, x: g * np.sign(x))
elementwise(np.square,                  lambda g, y, x: g * (2 * x))
elementwise(np.reciprocal,              lambda g, y, x: -g * y * y)
elementwise(np.sqrt,                    lambda g, y, x: g / (2 * y))
elementwise(np.cbrt,                    lambda g, y, x: g / (3 * y * y))
elementwise(np.exp,                     lambda g, y, x: g * y)
elementwise(np.exp2,                    lambda g, y, x: g * y * np.log(2.0))
elementwise(np.expm1,                   lambda g, y, x: g * (y + 1))
elementwise(np.log,                     lambda g, y, x: g / x)
elementwise(np.log2,                    lambda g, y, x: g / (x * np.log(2.0)))
elementwise(np.log10,                   lambda g, y, x: g / (x * np.log(10.0)))
elementwise(np.log1p,                   lambda g, y, x: g / (1 + x))
elementwise(np.sin,                     lambda g, y, x: g * np.cos(x))
elementwise(np.cos,                     lambda g, y, x: -g * np.sin(x))
elementwise(np.tan,                     lambda g, y, x: g * (1 + y * y))
elementwise(np.arcsin,                  lambda g, y, x: g / np.sqrt(1 - x * x))
elementwise(np.arccos,                  lambda g, y, x: -g / np.sqrt(1 - x * x))
elementwise(np.arctan,                  lambda g, y, x: g / (1 + x * x))
elementwise(np.sinh,                    lambda g, y, x: g * np.cosh(x))
elementwise(np.cosh,                    lambda g, y, x: g * np.sinh(x))
elementwise(np.tanh,                    lambda g, y, x: g * (1 - y * y))
elementwise(np.arcsinh,                 lambda g, y, x: g / np.sqrt(x * x + 1))
elementwise(np.arccosh,                 lambda g, y, x: g / np.sqrt(x * x - 1))
elementwise(np.arctanh,                 lambda g, y, x: g / (1 - x * x))
elementwise(np.arctan2,                 lambda g, y, x, z: g * z / (x * x + z * z),         lambda g, y, x, z: -g * x / (x * x + z * z))
elementwise(np.logaddexp,               lambda g, y, x, z: g * np.exp(x - y),               lambda g, y, x, z: g * np.exp(z - y))
elementwise(np.maximum,                 lambda g, y, x, z: g * _wins(x, z, np.greater),     lambda g, y, x, z: g * _wins(z, x, np.greater))
elementwise(np.minimum,                 lambda g, y, x, z: g * _wins(x, z, np.less),        lambda g, y, x, z: g * _wins(z, x, np.less))
WHERE    = elementwise(np.where, None,  lambda g, y, c, x, z: np.where(c, g, 0),            lambda g, y, c, x, z: np.where(c, 0, g))
CLIP     = elementwise(np.clip,         lambda g, y, x, low, high: g * ((low <= x) & (x <= high)),
                                        lambda g, y, x, low, high: g * ((x < low) & (low <= high)),
                                        lambda g, y, x, low, high: g * (np.maximum(x, low) > high))
ROUND    = elementwise(np.round,        _flat,                                 None)
for step in (np.sign, np.floor, np.ceil, np.rint, np.trunc):  # constant almost everywhere
    elementwise(step, _flat)
# fmt: on
ufuncs[np.power] = POWER


def cast(dtype):
    return elementwise(lambda x: x.astype(dtype), lambda g, y, x: g, name="astype")


flat |= {np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal}
flat |= {np.logical_and, np.logical_or, np.logical_not, np.isnan, np.isinf, np.isfinite, np.signbit}
flat |= {np.shape, np.ndim, np.size, np.result_type, np.zeros_like, np.ones_like, np.full_like}
flat |= {np.argmax, np.argmin, np.argsort, np.any, np.all, np.count_nonzero, np.nonzero}
flat |= {np.allclose, np.isclose, np.array_equal, np.array2string, np.array_repr, np.array_str}


# -- moving entries: a gradient goes back to where its entry came from ----------------------------


def rearrangement(fun, name=None):
    """The rule of a NumPy function whose result has entries of x in other places."""

    def move(x, args, options):
        return fun(x, *args, **options)

    def vjp(i, g, y, x, args, options):
        origin = fun(np.arange(x.size).reshape(x.shape), *args, **options)
        return np.reshape(scatter(g, origin, (x.size,)), x.shape)

    def jvp(i, t, y, x, args, options):
        return fun(t, *args, **options)

    op = Op(move, vjp, jvp, name or fun.__name__)
    return lambda x, *args, **options: op(x, args=kept(args), options=kept(options))


def scatter(g, index, shape):
    """Zeros, with g added at the index; an entry may be there more than once."""
    if isinstance(g, Variable):
        return SCATTER(g, index=index, shape=shape)
    z = np.zeros(shape, g.dtype)
    np.add.at(z, index, g)
    return z


SCATTER = Op(
    scatter,
    lambda i, g, y, x, index, shape: g[index],
    lambda i, t, y, x, index, shape: scatter(t, index, shape),
)
getitem = rearrangement(lambda x, index: x[index], "getitem")
# fmt: off
for fun in (
    np.reshape, np.ravel, np.squeeze, np.expand_dims, np.broadcast_to, np.transpose, np.swapaxes,
    np.moveaxis, np.flip, np.roll, np.repeat, np.tile, np.diagonal,
):
    functions[fun] = rearrangement(fun)
# fmt: on


def _piece(i, y, xs, axis):
    """Where in y = concatenate(xs) the input i is."""
    start = sum(np.shape(x)[axis] for x in xs[:i])
    return (slice(None),) * (axis % y.ndim) + (slice(start, start + xs[i].shape[axis]),)


CONCATENATE = Op(
    lambda *xs, axis: np.concatenate(xs, axis),
    lambda i, g, y, *xs, axis: g[_piece(i, y, xs, axis)],
    lambda i, t, y, *xs, axis: scatter(t, _piece(i, y, xs, axis), y.shape),
    "concatenate",
)


# -- reductions and products ----------------------------------------------------------------------


def reduction(fun, slope, name=None):
    """A rule for ``fun(x, axis)``; ``slope(y, x, axis)`` is the derivative of y by each entry of x."""

    def vjp(i, g, y, x, axis, keepdims):
        if axis is not None and not keepdims:
            g, y = _spread(g, x, axis), _spread(y, x, axis)
        return unbroadcast(g * slope(y, x, axis), x)

    def jvp(i, t, y, x, axis, keepdims):
        if axis is not None and not keepdims:
            y = _spread(y, x, axis)
        return np.sum(t * slope(y, x, axis), axis=axis, keepdims=keepdims)

    op = Op(fun, vjp, jvp, name)
    return lambda x, axis=None, *, keepdims=False: op(x, axis=axis, keepdims=keepdims)


def _spread(y, x, axis):
    """y, which x was reduced to along axis, as it broadcasts against x."""
    shape = list(x.shape)
    for k in axis if type(axis) is tuple else (axis,):
        shape[k] = 1
    return y.reshape(shape)


def _even_share(y, x, axis):
    """1 for the entry that is the extremum; entries that tie share it evenly."""
    winners = np.equal(x, y)
    return winners / np.sum(winners, axis=axis, keepdims=True)


# fmt: off
functions[np.sum]  = reduction(np.add.reduce, lambda y, x, axis: np.ones(x.shape, x.dtype), "sum")
functions[np.mean] = reduction(np.mean,       lambda y, x, axis: np.full_like(x, y.size / max(x.size, 1)))
functions[np.max]  = reduction(np.max,        _even_share)
functions[np.min]  = reduction(np.min,        _even_share)
norm = reduction(np.linalg.norm, lambda y, x, axis: x / np.where(np.equal(y, 0), np.inf, y))
functions[np.linalg.norm] = lambda x, *, axis=None, keepdims=False: norm(x, axis, keepdims=keepdims)
# fmt: on


def _matmul_vjp(i, g, y, a, b):
    if a.ndim == b.ndim == 2:
        return unbroadcast(g @ b.T, a) if i == 0 else unbroadcast(a.T @ g, b)
    # vectors become matrices with one row or one column; what was broadcast is summed
    A, B = np.expand_dims(a, 0) if a.ndim == 1 else a, np.expand_dims(b, 1) if b.ndim == 1 else b
    G = np.expand_dims(g, -1) if b.ndim == 1 else g
    G = np.expand_dims(G, -2) if a.ndim == 1 else G
    if i == 0:
        return _shaped(unbroadcast(G @ np.swapaxes(B, -1, -2), A), a)
    return _shaped(unbroadcast(np.swapaxes(A, -1, -2) @ G, B), b)


ufuncs[np.matmul] = Op(np.matmul, _matmul_vjp, lambda i, t, y, a, b: t @ b if i == 0 else a @ t)
