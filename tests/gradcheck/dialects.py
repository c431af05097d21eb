"""The functions that rules are written with, under one name in NumPy, TensorFlow and PyTorch.

A rule of the corpus is written once, as ``forward(F, *inputs)`` and
``backward(F, upstreams, inputs)`` with F one of these dialects, and becomes a custom gradient of
each framework.
"""

from types import SimpleNamespace

import numpy as np
from scipy.special import erf

from course_lib import tape
from course_lib.frameworks import tensorflow as tf
from course_lib.frameworks import torch

_SHARED = [
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "exp",
    "abs",
    "sign",
    "sqrt",
    "square",
    "maximum",
    "minimum",
    "where",
]


def _unbroadcast(sum_, reshape):
    def unbroadcast(g, x):
        """Sum g over the axes along which x was stretched."""
        new = len(g.shape) - len(x.shape)
        stretched = [new + i for i, n in enumerate(x.shape) if n == 1 and g.shape[new + i] != 1]
        axes = (*range(new), *stretched)
        return reshape(sum_(g, axes), tuple(x.shape)) if axes else g

    return unbroadcast


def _numpy():
    F = SimpleNamespace(**{name: getattr(np, name) for name in _SHARED})
    F.log, F.log1p, F.expm1, F.arctan, F.arcsin = np.log, np.log1p, np.expm1, np.arctan, np.arcsin
    F.erf = erf
    F.sum = lambda x, axes=None, keepdims=False: np.sum(x, axis=axes, keepdims=keepdims)
    F.max = lambda x: np.max(x)
    F.reshape, F.transpose, F.stack, F.concat = np.reshape, np.swapaxes, np.stack, np.concatenate
    F.cumsum = lambda x: np.cumsum(x, axis=-1)
    F.flip = lambda x: np.flip(x, -1)
    F.ones_like, F.zeros_like = np.ones_like, np.zeros_like
    F.full = lambda x, shape: np.broadcast_to(x, shape).copy()
    F.cast = lambda x, dtype: x.astype(dtype)
    F.inv = np.linalg.inv
    F.constant = lambda array: array
    F.stop = lambda x: tape.stop_gradient(x)
    return F


def _tensorflow():
    F = SimpleNamespace(**{name: getattr(tf, name) for name in _SHARED})
    F.log, F.log1p, F.expm1 = tf.math.log, tf.math.log1p, tf.math.expm1
    F.arctan, F.arcsin, F.erf = tf.atan, tf.asin, tf.math.erf
    F.sum = lambda x, axes=None, keepdims=False: tf.reduce_sum(x, axis=axes, keepdims=keepdims)
    F.max = tf.reduce_max
    F.reshape, F.stack = tf.reshape, tf.stack
    F.transpose = lambda x, a, b: tf.experimental.numpy.swapaxes(x, a, b)
    F.concat = lambda xs: tf.concat(xs, 0)
    F.cumsum = lambda x: tf.cumsum(x, axis=-1)
    F.flip = lambda x: tf.reverse(x, [-1])
    F.ones_like, F.zeros_like = tf.ones_like, tf.zeros_like
    F.full = tf.broadcast_to
    F.cast = tf.cast
    F.inv = tf.linalg.inv
    F.constant = tf.constant
    F.stop = tf.stop_gradient
    return F


def _torch():
    F = SimpleNamespace(**{name: getattr(torch, name) for name in _SHARED})
    F.log, F.log1p, F.expm1, F.arctan = torch.log, torch.log1p, torch.expm1, torch.arctan
    F.arcsin, F.erf = torch.arcsin, torch.erf
    F.sum = lambda x, axes=None, keepdims=False: torch.sum(x, dim=axes, keepdim=keepdims)
    F.max = torch.max
    F.reshape, F.transpose, F.stack = torch.reshape, torch.transpose, torch.stack
    F.concat = torch.cat
    F.cumsum = lambda x: torch.cumsum(x, -1)
    F.flip = lambda x: torch.flip(x, (-1,))
    F.ones_like, F.zeros_like = torch.ones_like, torch.zeros_like
    F.full = lambda x, shape: x.expand(shape).clone()
    F.cast = lambda x, dtype: x.to(getattr(torch, dtype))
    F.inv = torch.linalg.inv
    F.constant = torch.tensor
    F.stop = torch.detach
    F.maximum = lambda a, b: torch.maximum(a, torch.as_tensor(b, dtype=a.dtype))
    F.minimum = lambda a, b: torch.minimum(a, torch.as_tensor(b, dtype=a.dtype))
    return F


DIALECTS = {"tape": _numpy(), "tensorflow": _tensorflow(), "torch": _torch()}
for _F in DIALECTS.values():
    _F.unbroadcast = _unbroadcast(_F.sum, _F.reshape)


def build(framework, forward, backward):
    """The custom gradient of a framework, from a forward and a backward written in its dialect."""
    F = DIALECTS[framework]
    if framework == "tape":

        @tape.custom_gradient
        def rule(*xs):
            return forward(F, *xs), lambda *us: backward(F, us, xs)

        return rule
    if framework == "tensorflow":

        @tf.custom_gradient
        def rule(*xs):
            return forward(F, *xs), lambda *us: backward(F, us, xs)

        return rule

    class Rule(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *xs):
            tensors = [x for x in xs if isinstance(x, torch.Tensor)]
            ctx.save_for_backward(*tensors)
            ctx.others = [None if isinstance(x, torch.Tensor) else x for x in xs]
            return forward(F, *xs)

        @staticmethod
        def backward(ctx, *us):
            saved = iter(ctx.saved_tensors)
            return backward(F, us, tuple(next(saved) if x is None else x for x in ctx.others))

    return Rule.apply
