"""Rules that the diagnosis was not developed with: mistakes as people make them, written by hand.

Each is written in the dialect of its framework, none is made from another one by a formula.
"""

import numpy as np
from scipy import special

from course_lib.frameworks import tensorflow as tf
from course_lib.frameworks import torch
from course_lib.tape import Function, custom_gradient, custom_vjp, register_custom_gradient

rng = np.random.default_rng(77)
V = np.array([0.6, -1.1, 0.25, 1.9])
W = np.array([1.2, 0.4, -0.8, 0.7])
M = rng.normal(size=(4, 3))
Q = rng.normal(size=(3, 3)) + 2 * np.eye(3)

RIGHT: list[tuple] = []
WRONG: list[tuple] = []


def right(framework, *inputs, **options):
    def note(rule):
        RIGHT.append((framework, rule, inputs, options))
        return rule

    return note


def wrong(code, framework, *inputs, **options):
    def note(rule):
        WRONG.append((code, framework, rule, inputs, options))
        return rule

    return note


def torch_rule(code, *inputs, **options):
    """A Function, noted by its apply; right if there is no code."""

    def note(cls):
        if code:
            WRONG.append((code, "torch", cls.apply, inputs, options))
        else:
            RIGHT.append(("torch", cls.apply, inputs, options))
        return cls

    return note


# -- right ones -----------------------------------------------------------------------------------


@right("tape", V, order=2)
@custom_gradient
def log1pexp(x):
    return np.logaddexp(0, x), lambda g: g / (1 + np.exp(-x))


@right("tape", np.array([800.0, -800.0, 0.0]))
@custom_gradient
def stable_softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), lambda g: g * special.expit(x)


@right("tape", np.array([0.1, 2.4, 5.0]))
@custom_gradient
def bessel(x):
    return special.j0(x), lambda g: -g * special.j1(x)


@right("tape", Q, rng.normal(size=3))
class Solve(Function):
    @staticmethod
    def forward(ctx, a, b):
        x = np.linalg.solve(a, b)
        ctx.save_for_backward(a, x)
        return x

    @staticmethod
    def backward(ctx, g):
        a, x = ctx.saved_tensors
        gb = np.linalg.solve(a.T, g)
        return -np.outer(gb, x), gb


RIGHT[-1] = ("tape", Solve.apply, *RIGHT[-1][2:])


@custom_vjp
def hypot(x, y):
    return np.sqrt(x * x + y * y)


hypot.defvjp(
    lambda x, y: (np.sqrt(x * x + y * y), (x, y)),
    lambda saved, g: (g * saved[0] / np.hypot(*saved), g * saved[1] / np.hypot(*saved)),
)
RIGHT.append(("tape", hypot, (V, W), {"order": 1}))


@right("tape", V, surrogate=lambda g, x: -g)
@custom_gradient
def reverse(x):
    return x.copy(), lambda g: -g


@right("tape", V, surrogate=lambda g, x: np.clip(g, -1, 1))
@custom_gradient
def clip_gradient(x):
    return x.copy(), lambda g: np.clip(g, -1, 1)


@right("tape", V, surrogate=lambda g, x: g)
@custom_gradient
def straight_through(x):
    return np.round(x), lambda g: g


@right("tensorflow", V, order=2)
@tf.custom_gradient
def cube_tf(x):
    return x**3, lambda g: g * 3 * x**2


@right("tensorflow", M)
@tf.custom_gradient
def row_norms_tf(x):
    n = tf.norm(x, axis=1)
    return n, lambda g: (g / n)[:, None] * x


@right("tensorflow", V.astype("float32"))
@tf.custom_gradient
def gelu_tf(x):
    phi = 0.5 * (1 + tf.math.erf(x / np.float32(np.sqrt(2))))
    return (
        x * phi,
        lambda g: g * (phi + x * tf.exp(-x * x / 2) * np.float32(1 / np.sqrt(2 * np.pi))),
    )


@right("tensorflow", V)
@tf.custom_gradient
def erf_tf(x):
    y = tf.numpy_function(special.erf, [x], tf.float64)
    return tf.ensure_shape(y, x.shape), lambda g: g * 2 / np.sqrt(np.pi) * tf.exp(-x * x)


@right("tensorflow", V)
@tf.function
@tf.custom_gradient
def graph_tf(x):
    return tf.sin(x), lambda g: g * tf.cos(x)


@right("tensorflow", rng.normal(size=(5, 2)), np.array([3, 0, 3]))
def rows_tf(x, index):
    @tf.custom_gradient
    def pick(x):
        def grad(g):
            return tf.tensor_scatter_nd_add(tf.zeros_like(x), index[:, None], g)

        return tf.gather(x, index), grad

    return pick(x)


@torch_rule(None, V, order=2)
class Sinh(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sinh(x)

    @staticmethod
    def backward(ctx, g):
        return g * torch.cosh(ctx.saved_tensors[0])


@torch_rule(None, V, 3.0)
class Power(torch.autograd.Function):
    @staticmethod
    def forward(x, p):
        return torch.sign(x) * torch.abs(x) ** p

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.x, ctx.p = inputs

    @staticmethod
    def backward(ctx, g):
        return g * ctx.p * torch.abs(ctx.x) ** (ctx.p - 1), None


@torch_rule(None, M, rng.normal(size=(2, 3)), rng.normal(size=2))
class Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w)
        return x @ w.T + b

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g @ w, g.T @ x, g.sum(0)


@torch_rule(None, rng.normal(size=(2, 1, 6, 5)))
class AveragePool(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return torch.nn.functional.avg_pool2d(x, (2, 5))

    @staticmethod
    def backward(ctx, g):
        return g.repeat_interleave(2, -2).repeat_interleave(5, -1) / 10


@torch_rule(None, rng.normal(size=7).astype("float32"))
class SortDown(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y, ctx.order = torch.sort(x, descending=True)
        return y

    @staticmethod
    def backward(ctx, g):
        return torch.zeros_like(g).scatter(0, ctx.order, g)


@torch_rule(None, V)
class Both(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.min(), x.max()

    @staticmethod
    def backward(ctx, a, b):
        (x,) = ctx.saved_tensors
        return a * (x == x.min()) + b * (x == x.max())


RIGHT.append(("torch", lambda x: Sinh.apply(2 * x) + x.sum(), (V,), {}))
RIGHT.append(("tape", lambda x: log1pexp(x) * x, (V,), {}))

# -- wrong ones on the tape -----------------------------------------------------------------------


@wrong("upstream-ignored", "tape", V)
@custom_gradient
def derivative_only(x):
    return np.sin(x), lambda g: np.cos(x)


@wrong("upstream-ignored", "tape", V)
@custom_gradient
def second_upstream_taken_for_one(x):
    return (x**2, np.exp(x)), lambda g, h: 2 * x * g + np.exp(x)


@wrong("wrong-scale", "tape", V)
@custom_gradient
def mean_without_n(x):
    return np.mean(x), lambda g: g * np.ones_like(x)


@wrong("wrong-scale", "tape", M)
@custom_gradient
def degrees(x):
    return np.sin(np.radians(x)), lambda g: g * np.cos(np.radians(x))


@wrong("wrong-sign", "tape", V)
@custom_gradient
def cosine(x):
    return np.cos(x), lambda g: g * np.sin(x)


@wrong("wrong-sign", "tape", V, W)
@custom_gradient
def subtract(x, y):
    return x - y, lambda g: (g, g)


@wrong("wrong-sign", "tape", V, W + 2)
@custom_gradient
def ratio(x, y):
    return x / y, lambda g: (g / y, g * x / y**2)


@wrong("wrong-arity", "tape", V, W)
@custom_gradient
def one_for_two(x, y):
    return x * y, lambda g: g * y


@wrong("wrong-arity", "tape", V)
class Extra(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.exp(x)

    @staticmethod
    def backward(ctx, g):
        return ctx.saved_tensors[0], g * np.exp(ctx.saved_tensors[0])


WRONG[-1] = (*WRONG[-1][:2], Extra.apply, *WRONG[-1][3:])


@wrong("wrong-shape", "tape", V)
@custom_gradient
def dot_with_upstream(x):
    return x**2, lambda g: g @ (2 * x)


@wrong("wrong-shape", "tape", V)
@custom_gradient
def whole_jacobian(x):
    return x**2, lambda g: np.diag(2 * x * g)


@wrong("wrong-shape", "tape", M)
@custom_gradient
def flat_gradient(x):
    return np.tanh(x), lambda g: (g * (1 - np.tanh(x) ** 2)).ravel()


@wrong("not-unbroadcast", "tape", M, V[:3])
@custom_gradient
def layer_bias(x, b):
    return np.tanh(x + b), lambda g: (g * (1 - np.tanh(x + b) ** 2),) * 2


@wrong("not-unbroadcast", "tape", np.array(0.7), V)
@custom_gradient
def temperature(t, x):
    return x / t, lambda g: (-g * x / t**2, g / t)


@wrong("transposed", "tape", Q, rng.normal(size=3))
@custom_gradient
def matvec(a, x):
    return a @ x, lambda g: (np.outer(x, g), a.T @ g)


@wrong("transposed", "tape", Q, rng.normal(size=3))
@custom_gradient
def solve_without_transpose(a, b):
    x = np.linalg.solve(a, b)

    def grad(g):
        gb = np.linalg.solve(a.T, g)
        return -np.outer(x, gb), gb

    return x, grad


@wrong("transposed", "tape", Q, Q[::-1])
@custom_gradient
def matmul_first_principles(a, b):
    return a @ b, lambda g: (g @ b, a.T @ g)


@wrong("inputs-swapped", "tape", V, W)
@custom_gradient
def order_of_return(x, y):
    return x * np.exp(y), lambda g: (g * x * np.exp(y), g * np.exp(y))


@wrong("inputs-swapped", "tape", V, W, V + W)
@custom_gradient
def rotated_order(x, y, z):
    return x * y + np.sin(z), lambda g: (g * np.cos(z), g * y, g * x)


@wrong("output-ignored", "tape", V)
@custom_gradient
def value_and_norm(x):
    n = np.sqrt((x**2).sum())
    return (x / n, n), lambda g, h: g / n - x * (g @ x) / n**3


@wrong("output-ignored", "tape", V, W)
@custom_gradient
def polar(r, a):
    return (r * np.cos(a), r * np.sin(a)), lambda g, h: (g * np.cos(a), -g * r * np.sin(a))


_BUFFER = np.empty(4)


@wrong("overwrites", "tape", V)
@custom_gradient
def into_a_buffer(x):
    def grad(g):
        np.multiply(g, 2 * x, out=_BUFFER)
        return _BUFFER

    return x**2, grad


@wrong("nonlinear-upstream", "tape", V)
@custom_gradient
def clipped_quietly(x):
    return x**2, lambda g: np.clip(2 * x * g, -5, 5)


@wrong("nonlinear-upstream", "tape", V)
@custom_gradient
def weight_decay(x):
    return np.sin(x), lambda g: g * np.cos(x) + 0.01 * x


@wrong("nonlinear-upstream", "tape", V)
@custom_gradient
def normalised(x):
    return np.sin(x), lambda g: g * np.cos(x) / np.linalg.norm(g)


@wrong("mutates-input", "tape", V)
@custom_gradient
def relu_in_place(x):
    x[x < 0] = 0
    return x * 1.0, lambda g: g * (x > 0)


@wrong("mutates-upstream", "tape", V)
@custom_gradient
def relu_backward_in_place(x):
    def grad(g):
        g[x < 0] = 0
        return g

    return np.maximum(x, 0), grad


@wrong("missing-gradient", "tape", V)
@custom_gradient
def no_return(x):
    def grad(g):
        g * 2 * x

    return x**2, grad


@wrong("missing-gradient", "tape", V, W)
@custom_gradient
def forgot_second(x, y):
    return x * y, lambda g: (g * y, np.zeros_like(y))


_latest = {}


@wrong("stale-state", "tape", V)
@custom_gradient
def remembers_globally(x):
    _latest["x"] = x
    return x**3, lambda g: 3 * _latest["x"] ** 2 * g


@wrong("stale-state", "tape", V)
@custom_gradient
def default_argument(x, seen=[]):  # noqa: B006  the mistake itself
    seen.append(x)
    return np.exp(x), lambda g: g * np.exp(seen[0]) * len(seen)


@wrong("stale-state", "tape", V)
@custom_gradient
def dropout(x):
    mask = np.random.default_rng().random(x.shape) < 0.5
    return x * mask, lambda g: g * mask


@wrong("not-elementwise", "tape", V)
@custom_gradient
def summed_upstream(x):
    return x**2, lambda g: g.sum() / 4 * 2 * x


@wrong("not-elementwise", "tape", V)
@custom_gradient
def cumulated_product_as_if_elementwise(x):
    return np.cumsum(x), lambda g: g * np.arange(4, 0, -1)


@wrong("wrong-at-kink", "tape", np.array([0.0, -2.0, 1.5]))
@custom_gradient
def absolute(x):
    return np.abs(x), lambda g: g * np.where(x > 0, 1, np.where(x < 0, -1, 7))


@wrong("unstable", "tape", np.array([0.0, 3.0]))
@custom_gradient
def sinc(x):
    return np.where(
        x == 0, 1.0, np.sin(x) / np.where(x == 0, 1, x)
    ), lambda g: g * (np.cos(x) * x - np.sin(x)) / x**2


@wrong("unstable", "tape", np.array([0.3, 900.0]))
@custom_gradient
def naive_sigmoid(x):
    return special.expit(x), lambda g: g * np.exp(x) / (1 + np.exp(x)) ** 2


@wrong("unstable", "tape", np.zeros(3))
@custom_gradient
def norm_at_zero(x):
    n = np.linalg.norm(x)
    return n, lambda g: g * x / n


@wrong("wrong-dtype", "tape", V)
@custom_gradient
def half_precision(x):
    return x**2, lambda g: (2 * x * g).astype(np.float16)


@wrong("second-order", "tape", V, order=2)
@custom_gradient
def numpy_backward(x):
    return np.sin(x), lambda g: g * np.cos(np.asarray(getattr(x, "value", x)))


@wrong("rule-not-run", "tape", V)
def plain_forward(x):
    return np.tanh(x)


register_custom_gradient(plain_forward, lambda g, x: 7 * g)


@wrong("rule-not-run", "tape", V, surrogate=lambda g, x: 7 * g)
def plain_forward_with_surrogate(x):
    return np.sin(x)


@wrong("rule-raises", "tape", V)
@custom_gradient
def typo(x):
    return np.sin(x), lambda g: g * np.cos(y)  # noqa: F821


@wrong("wrong-values", "tape", V)
@custom_gradient
def wrong_formula(x):
    return np.tanh(x), lambda g: g * (1 - x**2)


@wrong("wrong-values", "tape", M)
@custom_gradient
def softmax_diagonal_only(x):
    s = special.softmax(x, axis=1)
    return s, lambda g: g * s * (1 - s)


# -- wrong ones in TensorFlow ---------------------------------------------------------------------


@wrong("upstream-ignored", "tensorflow", V)
@tf.custom_gradient
def relu_tf(x):
    return tf.nn.relu(x), lambda g: tf.cast(x > 0, x.dtype)


@wrong("wrong-scale", "tensorflow", V)
@tf.custom_gradient
def half_tf(x):
    return tf.reduce_sum(x**2), lambda g: g * x


@wrong("wrong-scale", "tensorflow", V, W)
@tf.custom_gradient
def mse_tf(p, t):
    d = p - t
    return tf.reduce_mean(d**2), lambda g: (g * 2 * d, -g * 2 * d)


@wrong("wrong-sign", "tensorflow", V + 3)
@tf.custom_gradient
def reciprocal_tf(x):
    return 1 / x, lambda g: g / x**2


@wrong("wrong-arity", "tensorflow", V, 2.0)
@tf.custom_gradient
def constant_forgotten_tf(x, p):
    return x * p, lambda g: g * p


@wrong("wrong-shape", "tensorflow", V)
@tf.custom_gradient
def reduced_tf(x):
    return x**2, lambda g: tf.reduce_sum(g * 2 * x)


@wrong("not-unbroadcast", "tensorflow", M, V[:3])
@tf.custom_gradient
def scale_tf(x, s):
    return x * s, lambda g: (g * s, g * x)


@wrong("transposed", "tensorflow", Q, Q.T @ Q)
@tf.custom_gradient
def matmul_tf(a, b):
    return a @ b, lambda g: (tf.matmul(g, b, transpose_b=True), tf.matmul(a, g))


@wrong("inputs-swapped", "tensorflow", V, W)
@tf.custom_gradient
def swapped_tf(x, y):
    return x * y + x, lambda g: (g * x, g * (y + 1))


@wrong("output-ignored", "tensorflow", V)
@tf.custom_gradient
def moments_tf(x):
    m = tf.reduce_mean(x)
    return (m, tf.reduce_mean(x**2)), lambda g, h: g * tf.ones_like(x) / 4


@wrong("nonlinear-upstream", "tensorflow", V)
@tf.custom_gradient
def clip_norm_tf(x):
    return x * 1.0, lambda g: tf.clip_by_norm(g, 1.0)


@wrong("missing-gradient", "tensorflow", V, W)
@tf.custom_gradient
def none_tf(x, y):
    return x * y, lambda g: (g * y, None)


_seen_tf = []


@wrong("stale-state", "tensorflow", V)
@tf.custom_gradient
def list_of_inputs_tf(x):
    _seen_tf.append(x)
    return x**2, lambda g: 2 * _seen_tf[-1] * g


@wrong("not-elementwise", "tensorflow", V)
@tf.custom_gradient
def mean_tf(x):
    return tf.exp(x), lambda g: tf.reduce_mean(g) * tf.exp(x)


@wrong("wrong-at-kink", "tensorflow", np.array([0.0, 1.0]))
@tf.custom_gradient
def relu_two_tf(x):
    return tf.nn.relu(
        x
    ), lambda g: g * tf.where(x == 0, 2.0 * tf.ones_like(x), tf.cast(x > 0, x.dtype))


@wrong("unstable", "tensorflow", np.array([0.0, 4.0]))
def where_nan_tf(x):
    return tf.where(x > 0, x * tf.math.log(x), tf.zeros_like(x) - 0.1)


@wrong("wrong-dtype", "tensorflow", V)
@tf.custom_gradient
def single_tf(x):
    return x**2, lambda g: tf.cast(2 * x * g, tf.float32)


@wrong("second-order", "tensorflow", V, order=2)
@tf.custom_gradient
def numpy_in_backward_tf(x):
    return x**3, lambda g: g * tf.constant(3 * x.numpy() ** 2)


@wrong("rule-not-run", "tensorflow", V)
def out_of_the_graph_tf(x):
    return tf.constant(np.square(x.numpy()))


@wrong("rule-raises", "tensorflow", V)
@tf.custom_gradient
def shape_error_tf(x):
    return x**2, lambda g: g * tf.ones(7, tf.float64)


@wrong("wrong-values", "tensorflow", V)
@tf.custom_gradient
def wrong_formula_tf(x):
    return tf.sigmoid(x), lambda g: g * tf.sigmoid(x) * (1 + tf.sigmoid(x))


# -- wrong ones in PyTorch ------------------------------------------------------------------------


def function(code, forward, backward, *inputs, name=None, **options):
    """A Function that saves its tensors."""

    class Rule(torch.autograd.Function):
        pass

    def forward_(ctx, *xs):
        ctx.save_for_backward(*(x for x in xs if isinstance(x, torch.Tensor)))
        return forward(*xs)

    Rule.forward = staticmethod(forward_)
    Rule.backward = staticmethod(lambda ctx, *g: backward(*ctx.saved_tensors, *g))
    Rule.__name__ = name or code.replace("-", " ").title().replace(" ", "")
    WRONG.append((code, "torch", Rule.apply, inputs, options))


def in_place(x, g):
    g.mul_(2 * x)
    return g


def overwritten_input(x):
    return x.exp_() + 0


def leaky_assignment(x, g):
    g = g.clone()
    g[x <= 0] = 0.01
    return g


function("upstream-ignored", torch.exp, lambda x, g: torch.exp(x), V)
function("upstream-ignored", torch.relu, leaky_assignment, V)
function("wrong-scale", lambda x: x**3, lambda x, g: x**2 * g, V)
function("wrong-scale", lambda x: torch.log10(x), lambda x, g: g / x, V + 2)
function(
    "wrong-sign",
    lambda x, y: torch.atan2(x, y),
    lambda x, y, g: (-g * y / (x * x + y * y), g * x / (x * x + y * y)),
    V,
    W,
)
function("wrong-arity", lambda x, p: x * p, lambda x, g: g, V, 2.0)
function("wrong-shape", lambda x: x**2, lambda x, g: torch.outer(g, 2 * x), V)
function(
    "not-unbroadcast",
    lambda x, b: torch.sigmoid(x + b),
    lambda x, b, g: (g * torch.sigmoid(x + b) * (1 - torch.sigmoid(x + b)),) * 2,
    M,
    V[:3],
)
function("transposed", lambda x, w: x @ w.T, lambda x, w, g: (g @ w.T, g.T @ x), Q, Q @ Q)
function(
    "transposed", lambda x, w: x @ w.T, lambda x, w, g: (g @ w, x.T @ g), M, rng.normal(size=(2, 3))
)
function("inputs-swapped", lambda x, y: x / y, lambda x, y, g: (-g * x / y**2, g / y), V, W)
function("output-ignored", lambda x: (x.sum(), (x**2).sum()), lambda x, g, h: h * 2 * x, V)
function("nonlinear-upstream", torch.tanh, lambda x, g: torch.sign(g) * (1 - torch.tanh(x) ** 2), V)
function(
    "nonlinear-upstream", torch.tanh, lambda x, g: (g * (1 - torch.tanh(x) ** 2)).clamp(-2, 2), V
)
function("mutates-upstream", lambda x: x**2, in_place, V)
function("mutates-input", overwritten_input, lambda x, g: g * x, V)
function("missing-gradient", lambda x, y: x * y, lambda x, y, g: (None, g * x), V, W)
function("missing-gradient", lambda x: x**2, lambda x, g: torch.zeros_like(x), V)
function("not-elementwise", lambda x: x**2, lambda x, g: g.mean() * 2 * x, M)
function("not-elementwise", lambda x: torch.flip(x, (0,)), lambda x, g: g, V)
function(
    "wrong-at-kink",
    torch.abs,
    lambda x, g: g * torch.where(x == 0, -2.0, torch.sign(x)),
    np.array([0.0, 1.0, -3.0]),
)
function(
    "unstable",
    lambda x: torch.nn.functional.softplus(x),
    lambda x, g: g * torch.exp(x) / (1 + torch.exp(x)),
    np.array([1.0, 1000.0]),
)
function("wrong-dtype", lambda x: x**2, lambda x, g: (2 * x * g).half(), V)
function("second-order", lambda x: x**4, lambda x, g: 4 * x.detach() ** 3 * g, V, order=2)
function("rule-raises", lambda x: x**2, lambda x, g: 2 * x @ g.unsqueeze(0), V)
function("wrong-values", torch.tanh, lambda x, g: g * (1 - x), V)
function("wrong-values", lambda x, y: x * y + y**2, lambda x, y, g: (g * y, g * (x + y)), V, W)

WRONG.append(("rule-not-run", "torch", lambda x: Sinh.apply(x.detach()), (V,), {}))
WRONG.append(("rule-not-run", "torch", lambda x: torch.sinh(x), (V,), {}))


@torch_rule("stale-state", V)
class OnTheClass(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        OnTheClass.x = x.detach().clone()
        return torch.sin(x)

    @staticmethod
    def backward(ctx, g):
        return g * torch.cos(OnTheClass.x)


@torch_rule("overwrites", V)
class Reused(torch.autograd.Function):
    result = torch.zeros(4, dtype=torch.float64)

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, g):
        torch.mul(g, 2 * ctx.saved_tensors[0], out=Reused.result)
        return Reused.result


@torch_rule("second-order", V, order=2)
class SavedIntermediate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        e = torch.exp(x)
        ctx.save_for_backward(e)
        return e * e

    @staticmethod
    def backward(ctx, g):
        (e,) = ctx.saved_tensors
        return 2 * e * e * g
