"""The table of rules: each op beside its derivative.

In every formula g is the upstream gradient (for the VJP) or the tangent (for the JVP), y the output
and x, z the inputs. Elementwise ops need one formula an input, which serves both directions: their
Jacobian is diagonal, so it is its own transpose.
"""

import operator

import numpy as np

from .core import Op, Variable, flat, ufuncs


def elementwise(fun, *formulas, name=None):
    """Give an elementwise function its rule: ``elementwise(np.cbrt, lambda g, y, x: g / (3 * y * y))``.

    Parameters
    ----------
    fun : numpy.ufunc or callable
        Computes y from arrays x, z, ... that broadcast against each other.
    *formulas : callable
        ``formula(g, y, x, z, ...)`` for each input: g times the partial derivative, in NumPy
        functions that the tape knows (then higher derivatives come free).

    Returns
    -------
    Op
        Call it with Variables. If fun is a ufunc, NumPy does so by itself from now on.
    """

    def vjp(i, g, y, *xs):
        return unbroadcast(formulas[i](g, y, *xs), xs[i])

    def jvp(i, t, y, *xs):
        return formulas[i](t, y, *xs)

    op = Op(fun, vjp, jvp, name)
    if isinstance(fun, np.ufunc):
        ufuncs[fun] = op
    return op


def unbroadcast(g, x):
    """Sum ``g`` over the axes along which ``x`` was broadcast, so that it fits x again."""
    shape = np.shape(x)
    if g.shape != shape:
        new = g.ndim - len(shape)
        stretched = (new + i for i, n in enumerate(shape) if n == 1)
        g = g.sum(axis=(*range(new), *stretched)).reshape(shape)
    return g if g.dtype == x.dtype else g.astype(x.dtype)


def _share(x, z, wins):
    """The part of the gradient that x gets where it competes with z; half of it in a tie."""
    return np.where(x == z, 0.5, wins(x, z))


def _pow_base(g, y, x, p):
    still = np.equal(p, 0)  # x**0 is constant, also at 0, where p * x**(p - 1) is 0 * inf
    return g * np.where(still, 0.0, p * x ** np.where(still, 1.0, p - 1)) if np.any(still) else (
        g * (p * x ** (p - 1))
    )


def _pow_exponent(g, y, x, p):
    return g * y * np.log(np.where(x == 0, 1.0, x))


def _none(g, *_):
    return np.zeros_like(g)


# fmt: off
#                            fun            d/dx                                     d/dz
ADD      = elementwise(np.add,         lambda g, y, x, z: g,                    lambda g, y, x, z: g)
SUBTRACT = elementwise(np.subtract,    lambda g, y, x, z: g,                    lambda g, y, x, z: -g)
MULTIPLY = elementwise(np.multiply,    lambda g, y, x, z: g * z,                lambda g, y, x, z: g * x)
DIVIDE   = elementwise(np.true_divide, lambda g, y, x, z: g / z,                lambda g, y, x, z: -g * y / z)
POWER    = elementwise(operator.pow,   _pow_base,                               _pow_exponent, name="power")
NEGATIVE = elementwise(np.negative,    lambda g, y, x: -g)
ABSOLUTE = elementwise(np.absolute,    lambda g, y, x: g * np.sign(x))
elementwise(np.positive,               lambda g, y, x: g)
elementwise(np.square,                 lambda g, y, x: g * (2 * x))
elementwise(np.reciprocal,             lambda g, y, x: -g * y * y)
elementwise(np.sqrt,                   lambda g, y, x: g / (2 * y))
elementwise(np.cbrt,                   lambda g, y, x: g / (3 * y * y))
elementwise(np.exp,                    lambda g, y, x: g * y)
elementwise(np.exp2,                   lambda g, y, x: g * y * np.log(2.0))
elementwise(np.expm1,                  lambda g, y, x: g * (y + 1))
elementwise(np.log,                    lambda g, y, x: g / x)
elementwise(np.log2,                   lambda g, y, x: g / (x * np.log(2.0)))
elementwise(np.log10,                  lambda g, y, x: g / (x * np.log(10.0)))
elementwise(np.log1p,                  lambda g, y, x: g / (1 + x))
elementwise(np.sin,                    lambda g, y, x: g * np.cos(x))
elementwise(np.cos,                    lambda g, y, x: -g * np.sin(x))
elementwise(np.tan,                    lambda g, y, x: g * (1 + y * y))
elementwise(np.arcsin,                 lambda g, y, x: g / np.sqrt(1 - x * x))
elementwise(np.arccos,                 lambda g, y, x: -g / np.sqrt(1 - x * x))
elementwise(np.arctan,                 lambda g, y, x: g / (1 + x * x))
elementwise(np.sinh,                   lambda g, y, x: g * np.cosh(x))
elementwise(np.cosh,                   lambda g, y, x: g * np.sinh(x))
elementwise(np.tanh,                   lambda g, y, x: g * (1 - y * y))
elementwise(np.arcsinh,                lambda g, y, x: g / np.sqrt(x * x + 1))
elementwise(np.arccosh,                lambda g, y, x: g / np.sqrt(x * x - 1))
elementwise(np.arctanh,                lambda g, y, x: g / (1 - x * x))
elementwise(np.arctan2,                lambda g, y, x, z: g * z / (x * x + z * z), lambda g, y, x, z: -g * x / (x * x + z * z))
elementwise(np.logaddexp,              lambda g, y, x, z: g * np.exp(x - y),    lambda g, y, x, z: g * np.exp(z - y))
elementwise(np.maximum,                lambda g, y, x, z: g * _share(x, z, np.greater), lambda g, y, x, z: g * _share(z, x, np.greater))
elementwise(np.minimum,                lambda g, y, x, z: g * _share(x, z, np.less),    lambda g, y, x, z: g * _share(z, x, np.less))
CLIP     = elementwise(np.clip,        lambda g, y, x, a, b: g * ((x >= a) & (x <= b)),
                                       lambda g, y, x, a, b: g * (x < a),       lambda g, y, x, a, b: g * (x > b))
ROUND    = elementwise(np.round,       _none, _none)
for step in (np.sign, np.floor, np.ceil, np.rint, np.trunc):  # constant almost everywhere
    elementwise(step, _none)
# fmt: on
ufuncs[np.power] = POWER


def where(condition):
    """The elementwise op that takes x where the (constant) condition holds and z elsewhere."""
    return elementwise(
        lambda x, z: np.where(condition, x, z),
        lambda g, y, x, z: np.where(condition, g, 0.0),
        lambda g, y, x, z: np.where(condition, 0.0, g),
        name="where",
    )


flat |= {np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal}
flat |= {np.logical_and, np.logical_or, np.logical_not, np.isnan, np.isinf, np.isfinite, np.signbit}
flat |= {np.shape, np.ndim, np.size, np.result_type, np.zeros_like, np.ones_like, np.full_like}
flat |= {np.argmax, np.argmin, np.argsort, np.any, np.all, np.count_nonzero, np.nonzero}
flat |= {np.allclose, np.isclose, np.array_equal, np.array2string, np.array_repr, np.array_str}


# -- linear ops: the tangent of the output is the op itself, applied to the tangent ---------------


def linear(fun, vjp, name):
    """An op ``fun(x, **params)`` that is linear in x, with ``vjp(g, x, **params)``."""
    return Op(
        fun,
        lambda i, g, y, x, **params: vjp(g, x, **params),
        lambda i, t, y, x, **params: fun(t, **params),
        name,
    )


def _spread(g, x, axis, keepdims):
    """Undo a reduction's change of shape: g as it broadcasts against x."""
    return g if keepdims or axis is None else np.expand_dims(g, axis)


def _scatter(g, index, shape):
    if isinstance(g, Variable):
        return SCATTER(g, index=index, shape=shape)
    z = np.zeros(shape, g.dtype)
    np.add.at(z, index, g)  # an entry may be taken more than once
    return z


# fmt: off
SUM       = linear(np.sum,          lambda g, x, axis, keepdims: np.broadcast_to(_spread(g, x, axis, keepdims), x.shape), "sum")
BROADCAST = linear(np.broadcast_to, lambda g, x, shape: unbroadcast(g, x),                                     "broadcast_to")
RESHAPE   = linear(np.reshape,      lambda g, x, shape: g.reshape(x.shape),                                    "reshape")
TRANSPOSE = linear(np.transpose,    lambda g, x, axes: np.transpose(g, axes and np.argsort(np.arange(x.ndim)[list(axes)])), "transpose")
CAST      = linear(lambda x, dtype: x.astype(dtype), lambda g, x, dtype: g.astype(x.dtype),                    "astype")
GETITEM   = linear(lambda x, index: x[index],        lambda g, x, index: _scatter(g, index, x.shape),          "getitem")
SCATTER   = linear(_scatter,                         lambda g, x, index, shape: g[index],                      "scatter")
# fmt: on


def _concatenate_vjp(i, g, y, *xs, axis):
    start, length = sum(np.shape(x)[axis] for x in xs[:i]), np.shape(xs[i])[axis]
    return g[(slice(None),) * (axis % y.ndim) + (slice(start, start + length),)]


def _concatenate_jvp(i, t, y, *xs, axis):
    others = [np.zeros(np.shape(x)) for x in xs]
    return np.concatenate([*others[:i], t, *others[i + 1 :]], axis=axis)


CONCATENATE = Op(
    lambda *xs, axis: np.concatenate(xs, axis=axis),
    _concatenate_vjp,
    _concatenate_jvp,
    "concatenate",
)


# -- products: linear in each input, so the JVP swaps that input for its tangent ------------------


def multilinear(fun, vjp, name):
    """An op that is linear in each of its inputs, with ``vjp(i, g, y, *inputs, **params)``."""

    def jvp(i, t, y, *xs, **params):
        return fun(*xs[:i], t, *xs[i + 1 :], **params)

    return Op(fun, vjp, jvp, name)


def _matmul_vjp(i, g, y, a, b):
    # vectors become matrices with one row or one column, then it is G Bᵀ and Aᵀ G
    row, column = np.ndim(a) == 1, np.ndim(b) == 1
    A, B = np.expand_dims(a, 0) if row else a, np.expand_dims(b, 1) if column else b
    G = np.expand_dims(g, -1) if column else g
    G = np.expand_dims(G, -2) if row else G
    if i == 0:
        return unbroadcast(G @ np.swapaxes(B, -1, -2), A).reshape(a.shape)
    return unbroadcast(np.swapaxes(A, -1, -2) @ G, B).reshape(b.shape)


def _einsum(*operands, subscripts):
    return np.einsum(subscripts, *operands)


def _einsum_vjp(i, g, y, *xs, subscripts):
    terms, out = subscripts.split("->")
    terms = terms.split(",")
    others = [(term, x) for j, (term, x) in enumerate(zip(terms, xs, strict=True)) if j != i]
    # an index that stands in operand i alone was summed away: spread it with ones
    alone = "".join(c for c in terms[i] if c not in out + "".join(term for term, _ in others))
    ones = np.ones([xs[i].shape[terms[i].index(c)] for c in alone], y.dtype)
    spread = [(alone, ones)] if alone else []
    names, arrays = zip((out, g), *others, *spread, strict=True)
    return np.einsum(f"{','.join(names)}->{terms[i]}", *arrays)


MATMUL = ufuncs[np.matmul] = multilinear(np.matmul, _matmul_vjp, "matmul")
EINSUM = multilinear(_einsum, _einsum_vjp, "einsum")


# -- reductions that pick or measure --------------------------------------------------------------


def extremum(fun, name):
    """max or min over axes; entries that tie share the gradient evenly."""

    def weights(y, x, axis, keepdims):
        winners = np.equal(x, _spread(y, x, axis, keepdims))
        return winners / np.sum(winners, axis=axis, keepdims=True)

    def vjp(i, g, y, x, axis, keepdims):
        return unbroadcast(_spread(g, x, axis, keepdims) * weights(y, x, axis, keepdims), x)

    def jvp(i, t, y, x, axis, keepdims):
        return np.sum(t * weights(y, x, axis, keepdims), axis=axis, keepdims=keepdims)

    return Op(fun, vjp, jvp, name)


def _norm_slope(y, x, axis, keepdims):
    length = _spread(y, x, axis, keepdims)
    return x / np.where(np.equal(length, 0), 1.0, length)  # 0 at 0, a subgradient


MAX, MIN = extremum(np.max, "max"), extremum(np.min, "min")
NORM = Op(
    lambda x, axis, keepdims: np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims)),
    lambda i, g, y, x, axis, keepdims: (
        _spread(g, x, axis, keepdims) * _norm_slope(y, x, axis, keepdims)
    ),
    lambda i, t, y, x, axis, keepdims: np.sum(
        t * _norm_slope(y, x, axis, keepdims), axis=axis, keepdims=keepdims
    ),
    "norm",
)
