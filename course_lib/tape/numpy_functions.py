"""What NumPy functions and operators do with Variables: the names people know, onto the ops."""

import numpy as np

from . import ops
from .core import Variable, functions, record, ufuncs, value_of
from .errors import TwoDimensionsOnly


def _logsumexp(x, axis, keepdims):
    """The sum is taken relative to the largest entry, so that no exponential overflows."""
    top = x.max(axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):  # of nothing but -inf it is log(0)
        y = np.log(np.exp(x - top).sum(axis, keepdims=True)) + top
    return y if keepdims else y.squeeze(axis)


LOGSUMEXP = ops.reduction(_logsumexp, lambda y, x, axis: np.exp(x - y), "logsumexp")


def logsumexp(x, axis=-1, keepdims=False):
    """log(sum(exp(x))), without overflow.

    Parameters
    ----------
    x : Variable or array_like
    axis : int, tuple of int or None
        Along which it is summed; None is all of it.
    keepdims : bool
        Keep the axis, with length 1.
    """
    return LOGSUMEXP(x, axis, keepdims=keepdims)


def softmax(x, axis=-1):
    """exp(x) / sum(exp(x)), without overflow: positive, and 1 in all.

    Parameters
    ----------
    x : Variable or array_like
    axis : int, tuple of int or None
        Along which it is summed; None is all of it.
    """
    return np.exp(x - logsumexp(x, axis, keepdims=True))


def clip(x, a_min=None, a_max=None, *, min=None, max=None):
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    return ops.CLIP(x, -np.inf if low is None else low, np.inf if high is None else high)


def dot(a, b):
    if max(np.ndim(a), np.ndim(b)) > 2:
        raise TwoDimensionsOnly()
    return a @ b if np.ndim(a) and np.ndim(b) else a * b


def stack(arrays, axis=0):
    return np.concatenate([np.expand_dims(x, axis) for x in arrays], axis)


functions |= {
    np.concatenate: lambda arrays, axis=0: ops.CONCATENATE(*arrays, axis=axis),
    np.stack: stack,
    np.where: lambda condition, x, z: ops.WHERE(value_of(condition), x, z),
    np.clip: clip,
    np.round: lambda x, decimals=0: ops.ROUND(x, decimals),
    np.dot: dot,
}
for alias, function in {np.amax: np.max, np.amin: np.min, np.around: np.round}.items():
    functions[alias] = functions[function]


# -- operators and methods of the Variable --------------------------------------------------------


def _operators(op):
    return lambda a, b: record(op, (a, b)), lambda a, b: record(op, (b, a))


# fmt: off
arithmetic = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "pow": np.power,
    "floordiv": np.floor_divide, "mod": np.remainder, "matmul": np.matmul,
}
comparisons = {
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
    "ge": np.greater_equal,
}
methods = ["sum", "mean", "max", "min", "squeeze", "ravel", "swapaxes", "dot", "clip", "round"]
# fmt: on
for name, ufunc in arithmetic.items():
    forward, reflected = _operators(ufuncs[ufunc])
    setattr(Variable, f"__{name}__", forward)
    setattr(Variable, f"__r{name}__", reflected)
for name, ufunc in comparisons.items():
    setattr(Variable, f"__{name}__", lambda a, b, ufunc=ufunc: ufunc(a, b))
for name in methods:
    setattr(Variable, name, functions[getattr(np, name)])

for name, method in {
    "__neg__": lambda x: record(ufuncs[np.negative], (x,)),
    "__abs__": lambda x: record(ufuncs[np.absolute], (x,)),
    "__pos__": lambda x: x,
    "__getitem__": lambda x, index: ops.getitem(x, index),
    "copy": lambda x: x,
    "astype": lambda x, dtype: ops.cast(dtype)(x),
    "reshape": lambda x, *shape: np.reshape(x, shape[0] if len(shape) == 1 else shape),
    "transpose": lambda x, *axes: np.transpose(x, axes[0] if len(axes) == 1 else axes or None),
    "T": property(np.transpose),
}.items():
    setattr(Variable, name, method)
