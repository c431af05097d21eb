"""What NumPy functions and operators do with Variables: the names people know, onto the ops."""

import numpy as np

from . import ops
from .core import Variable, functions, record, stop_gradient, value_of
from .errors import TapeError


def implements(*numpy_functions):
    """Register a function of Variables as what these NumPy functions do."""

    def register(ours):
        for function in numpy_functions:
            functions[function] = ours
        return ours

    return register


# -- reductions -----------------------------------------------------------------------------------


@implements(np.sum)
def sum(x, axis=None, keepdims=False):
    return ops.SUM(x, axis=axis, keepdims=keepdims)


@implements(np.mean)
def mean(x, axis=None, keepdims=False):
    total = sum(x, axis, keepdims)
    return total / (x.size / max(total.size, 1))


@implements(np.max, np.amax)
def maximum_of(x, axis=None, keepdims=False):
    return ops.MAX(x, axis=axis, keepdims=keepdims)


@implements(np.min, np.amin)
def minimum_of(x, axis=None, keepdims=False):
    return ops.MIN(x, axis=axis, keepdims=keepdims)


@implements(np.linalg.norm)
def norm(x, ord=None, axis=None, keepdims=False):
    if ord is not None:
        raise TapeError(f"norm on the tape is the 2-norm (Frobenius for a matrix), not ord={ord!r}.")
    return ops.NORM(x, axis=axis, keepdims=keepdims)


def logsumexp(x, axis=-1, keepdims=False):
    """log(sum(exp(x))) along axis, shifted by the maximum so that nothing overflows."""
    top = np.max(stop_gradient(x), axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), value_of(top), 0.0)
    total = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.squeeze(total, axis)


def softmax(x, axis=-1):
    """exp(x) / sum(exp(x)) along axis, shifted by the maximum so that nothing overflows."""
    e = np.exp(x - np.max(stop_gradient(x), axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


# -- shape ----------------------------------------------------------------------------------------


@implements(np.reshape)
def reshape(x, shape):
    return ops.RESHAPE(x, shape=shape)


@implements(np.ravel)
def ravel(x):
    return reshape(x, (-1,))


@implements(np.squeeze)
def squeeze(x, axis=None):
    return reshape(x, np.squeeze(x.value, axis).shape)


@implements(np.expand_dims)
def expand_dims(x, axis):
    return reshape(x, np.expand_dims(x.value, axis).shape)


@implements(np.broadcast_to)
def broadcast_to(x, shape):
    return ops.BROADCAST(x, shape=shape)


@implements(np.transpose)
def transpose(x, axes=None):
    return ops.TRANSPOSE(x, axes=axes)


@implements(np.swapaxes)
def swapaxes(x, axis1, axis2):
    order = list(range(x.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(x, order)


@implements(np.concatenate)
def concatenate(arrays, axis=0):
    return ops.CONCATENATE(*arrays, axis=axis)


@implements(np.stack)
def stack(arrays, axis=0):
    return concatenate([np.expand_dims(x, axis) for x in arrays], axis)


# -- choosing and multiplying ---------------------------------------------------------------------


@implements(np.where)
def where(condition, *choices):
    if len(choices) != 2:
        raise TapeError("np.where on the tape takes a condition and both choices: np.where(c, x, y).")
    return ops.where(value_of(condition))(*choices)


@implements(np.clip)
def clip(x, a_min=None, a_max=None, *, min=None, max=None):
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    return ops.CLIP(x, -np.inf if low is None else low, np.inf if high is None else high)


@implements(np.round, np.around)
def round(x, decimals=0):
    return ops.ROUND(x, decimals)


@implements(np.dot)
def dot(a, b):
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return ops.MULTIPLY(a, b)
    if np.ndim(a) > 2 or np.ndim(b) > 2:
        raise TapeError("np.dot on the tape takes vectors and matrices; use np.matmul or np.einsum.")
    return ops.MATMUL(a, b)


@implements(np.einsum)
def einsum(subscripts, *operands):
    text = subscripts.replace(" ", "")
    if "." in text or any(len(set(term)) < len(term) for term in text.split("->")[0].split(",")):
        raise TapeError(
            f"einsum on the tape takes neither an ellipsis nor an index twice in one operand:"
            f" {subscripts!r}. Use several steps."
        )
    if "->" not in text:
        letters = text.replace(",", "")
        text += "->" + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    return ops.EINSUM(*operands, subscripts=text)


# -- operators and methods of the Variable --------------------------------------------------------


def _binary(op):
    return lambda a, b: record(op, (a, b)), lambda a, b: record(op, (b, a))


def _comparison(ufunc):
    return lambda a, b: ufunc(a, b)


for name, op in {
    "add": ops.ADD,
    "sub": ops.SUBTRACT,
    "mul": ops.MULTIPLY,
    "truediv": ops.DIVIDE,
    "pow": ops.POWER,
    "matmul": ops.MATMUL,
}.items():
    forward, reflected = _binary(op)
    setattr(Variable, f"__{name}__", forward)
    setattr(Variable, f"__r{name}__", reflected)

for name, ufunc in {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}.items():
    setattr(Variable, f"__{name}__", _comparison(ufunc))

Variable.__neg__ = lambda x: record(ops.NEGATIVE, (x,))
Variable.__pos__ = lambda x: x
Variable.__abs__ = lambda x: record(ops.ABSOLUTE, (x,))
Variable.__getitem__ = lambda x, index: ops.GETITEM(x, index=index)
Variable.sum, Variable.mean = sum, mean
Variable.max, Variable.min = maximum_of, minimum_of
Variable.dot, Variable.clip, Variable.ravel = dot, clip, ravel
Variable.astype = lambda x, dtype: ops.CAST(x, dtype=np.dtype(dtype))
Variable.reshape = lambda x, *shape: reshape(x, shape[0] if len(shape) == 1 else shape)
Variable.transpose = lambda x, *axes: transpose(x, axes[0] if len(axes) == 1 else axes or None)
Variable.T = property(transpose)
