"""More than sixty right rules: a forward, its backward, and inputs that are hard in some way."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RightRule:
    """``forward(F, *inputs)`` and ``backward(F, upstreams, inputs)``, which gives a tuple."""

    name: str
    forward: Callable
    backward: Callable
    inputs: tuple
    kinds: frozenset[str] = frozenset()


rng = np.random.default_rng(20)
X = rng.uniform(0.3, 1.8, 5) * np.array([1, -1, 1, 1, -1])
POSITIVE = np.array([0.4, 1.3, 2.2, 0.9])
INSIDE = np.array([-0.7, 0.2, 0.55])
MATRIX = rng.normal(size=(3, 4))
SQUARE = rng.normal(size=(3, 3))
OTHER_SQUARE = rng.normal(size=(3, 3))
CUBE = rng.normal(size=(2, 3, 4))

RIGHT_RULES: list[RightRule] = []


def rule(name, forward, backward, *inputs, kinds=""):
    RIGHT_RULES.append(RightRule(name, forward, backward, inputs, frozenset(kinds.split())))


def elementwise(name, f, slope, x, kinds=""):
    """y = f(x), with slope(F, x) = f'(x)."""
    rule(name, f, lambda F, us, xs: (us[0] * slope(F, *xs),), x, kinds=f"elementwise {kinds}")


# -- elementwise ----------------------------------------------------------------------------------

elementwise("square", lambda F, x: x * x, lambda F, x: 2 * x, X)
elementwise("cube", lambda F, x: x * x * x, lambda F, x: 3 * x * x, X)
elementwise("sin", lambda F, x: F.sin(x), lambda F, x: F.cos(x), X)
elementwise("cos", lambda F, x: F.cos(x), lambda F, x: -F.sin(x), X)
elementwise("tan", lambda F, x: F.tan(x), lambda F, x: 1 + F.tan(x) * F.tan(x), INSIDE)
elementwise("exp", lambda F, x: F.exp(x), lambda F, x: F.exp(x), X)
elementwise("expm1", lambda F, x: F.expm1(x), lambda F, x: F.exp(x), X)
elementwise("log", lambda F, x: F.log(x), lambda F, x: 1 / x, POSITIVE)
elementwise("log1p", lambda F, x: F.log1p(x), lambda F, x: 1 / (1 + x), POSITIVE)
elementwise("sqrt", lambda F, x: F.sqrt(x), lambda F, x: 0.5 / F.sqrt(x), POSITIVE)
elementwise("reciprocal", lambda F, x: 1 / x, lambda F, x: -1 / (x * x), X)
elementwise("tanh", lambda F, x: F.tanh(x), lambda F, x: 1 - F.tanh(x) * F.tanh(x), X)
elementwise("sinh", lambda F, x: F.sinh(x), lambda F, x: F.cosh(x), X)
elementwise("arctan", lambda F, x: F.arctan(x), lambda F, x: 1 / (1 + x * x), X)
elementwise("arcsin", lambda F, x: F.arcsin(x), lambda F, x: 1 / F.sqrt(1 - x * x), INSIDE)
elementwise("erf", lambda F, x: F.erf(x), lambda F, x: 1.1283791670955126 * F.exp(-x * x), X)


def sigmoid(F, x):
    return 1 / (1 + F.exp(-x))


def sigmoid_slope(F, x):
    return sigmoid(F, x) * (1 - sigmoid(F, x))


elementwise("sigmoid", sigmoid, sigmoid_slope, X)
elementwise(
    "swish",
    lambda F, x: x * sigmoid(F, x),
    lambda F, x: sigmoid(F, x) + x * sigmoid_slope(F, x),
    X,
)
elementwise("matrix square", lambda F, x: x * x, lambda F, x: 2 * x, MATRIX)
elementwise("cube of a cube", lambda F, x: x * x * x, lambda F, x: 3 * x * x, CUBE)
elementwise("one number", lambda F, x: x * x * x, lambda F, x: 3 * x * x, np.array(1.7))
elementwise("one entry", lambda F, x: F.exp(x), lambda F, x: F.exp(x), np.array([0.3]))
elementwise("linear", lambda F, x: 3 * x + 1, lambda F, x: 3 + 0 * x, X)
elementwise("constant", lambda F, x: 0 * x + 4, lambda F, x: 0 * x, X, "flat")
elementwise("whole numbers", lambda F, x: x * x, lambda F, x: 2 * x, np.arange(-3.0, 4.0))
elementwise("three hundred", lambda F, x: F.sin(x), lambda F, x: F.cos(x), rng.normal(size=300))
elementwise("many", lambda F, x: x * x, lambda F, x: 2 * x, rng.normal(size=20_000), "large")

# -- kinks, at and near which every subgradient is right ------------------------------------------

KINKED = np.array([-1.5, 0.0, 0.7, 2.0, 1e-7, -1e-4])
elementwise("abs", lambda F, x: F.abs(x), lambda F, x: F.sign(x), KINKED, "kinked")
elementwise(
    "relu",
    lambda F, x: F.maximum(x, 0.0),
    lambda F, x: F.where(x > 0, 1 + 0 * x, 0 * x),
    KINKED,
    "kinked",
)
elementwise(
    "relu with one at zero",
    lambda F, x: F.maximum(x, 0.0),
    lambda F, x: F.where(x >= 0, 1 + 0 * x, 0 * x),
    KINKED,
    "kinked",
)
elementwise(
    "relu with a half at zero",
    lambda F, x: F.maximum(x, 0.0),
    lambda F, x: 0.5 + 0.5 * F.sign(x),
    KINKED,
    "kinked",
)
elementwise(
    "leaky relu",
    lambda F, x: F.where(x > 0, x, 0.1 * x),
    lambda F, x: F.where(x > 0, 1 + 0 * x, 0.1 + 0 * x),
    KINKED,
    "kinked",
)
elementwise(
    "two slopes",
    lambda F, x: F.where(x > 0, 2 * x, x / 2),
    lambda F, x: F.where(x > 0, 2 + 0 * x, 0.5 + 0 * x),
    KINKED,
    "kinked",
)
elementwise(
    "clip",
    lambda F, x: F.minimum(F.maximum(x, -1.0), 1.0),
    lambda F, x: F.where(F.abs(x) <= 1, 1 + 0 * x, 0 * x),
    np.array([-2.0, -1.0, 0.3, 1.0, 5.0]),
    "kinked",
)
elementwise(
    "hinge squared",
    lambda F, x: F.maximum(x, 0.0) * F.maximum(x, 0.0),
    lambda F, x: 2 * F.maximum(x, 0.0),
    KINKED,
)
elementwise("sign", lambda F, x: F.sign(x), lambda F, x: 0 * x, KINKED, "flat")
rule(
    "maximum of two",
    lambda F, x, y: F.maximum(x, y),
    lambda F, us, xs: (
        F.where(xs[0] >= xs[1], us[0], 0 * us[0]),
        F.where(xs[0] >= xs[1], 0 * us[0], us[0]),
    ),
    np.array([1.0, 2.0, -1.0]),
    np.array([1.0, 0.5, 3.0]),
    kinds="kinked two",
)
rule(
    "largest",
    lambda F, x: F.max(x),
    lambda F, us, xs: (us[0] * F.where(xs[0] == F.max(xs[0]), 1 + 0 * xs[0], 0 * xs[0]),),
    np.array([0.3, 2.5, -1.0]),
    kinds="scalar",
)


def safe_norm_gradient(F, us, xs):
    norm = F.sqrt(F.sum(xs[0] * xs[0]))
    return (F.where(norm > 0, us[0] * xs[0] / F.where(norm > 0, norm, 1 + norm), 0 * xs[0]),)


rule(
    "norm at zero",
    lambda F, x: F.sqrt(F.sum(x * x)),
    safe_norm_gradient,
    np.zeros(3),
    kinds="kinked scalar",
)

# -- precision and scale --------------------------------------------------------------------------

elementwise(
    "square in float32", lambda F, x: x * x, lambda F, x: 2 * x, X.astype("float32"), "float32"
)
elementwise(
    "tanh in float32",
    lambda F, x: F.tanh(x),
    lambda F, x: 1 - F.tanh(x) * F.tanh(x),
    np.array([-9.0, -0.2, 0.9, 4.0], "float32"),
    "float32",
)
elementwise(
    "exp in float32",
    lambda F, x: F.exp(x),
    lambda F, x: F.exp(x),
    np.array([-30.0, 0.1, 20.0], "float32"),
    "float32",
)
elementwise(
    "three hundred in float32",
    lambda F, x: F.sin(x),
    lambda F, x: F.cos(x),
    rng.normal(size=300).astype("float32"),
    "float32",
)
rule(
    "product in float32",
    lambda F, x, y: x * y,
    lambda F, us, xs: (us[0] * xs[1], us[0] * xs[0]),
    X.astype("float32"),
    (X + 1).astype("float32"),
    kinds="float32 two",
)
elementwise("huge", lambda F, x: x * x, lambda F, x: 2 * x, np.array([1e8, -3e9, 2e7]))
elementwise("tiny", lambda F, x: F.sin(x), lambda F, x: F.cos(x), np.array([1e-9, -3e-12]))
elementwise("tiny and huge", lambda F, x: F.log(x), lambda F, x: 1 / x, np.array([1e-8, 1.0, 1e8]))
elementwise("fast", lambda F, x: F.sin(100 * x), lambda F, x: 100 * F.cos(100 * x), X)
elementwise(
    "flat and steep",
    lambda F, x: F.tanh(x),
    lambda F, x: 1 - F.tanh(x) * F.tanh(x),
    np.array([20.0, 0.0, -19.0, 0.4]),
)
elementwise("far from zero", lambda F, x: 1e6 + F.sin(x), lambda F, x: F.cos(x), X)
elementwise("empty", lambda F, x: x * x, lambda F, x: 2 * x, np.zeros(0), "empty")
elementwise("empty rows", lambda F, x: F.sin(x), lambda F, x: F.cos(x), np.zeros((0, 3)), "empty")
rule(
    "empty sum",
    lambda F, x: F.sum(x),
    lambda F, us, xs: (F.full(us[0], tuple(xs[0].shape)),),
    np.zeros(0),
    kinds="empty",
)

# -- two inputs, broadcasting ---------------------------------------------------------------------


def two(name, f, gradients, x, y, kinds=""):
    """z = f(x, y), with gradients(F, u, x, y), summed back where an input was stretched."""

    def backward(F, us, xs):
        raw = gradients(F, us[0], *xs)
        return tuple(F.unbroadcast(g, x) for g, x in zip(raw, xs, strict=True))

    rule(name, f, backward, x, y, kinds=f"two {kinds}")


Y = X[::-1] + 2.5
two("sum of two", lambda F, x, y: x + y, lambda F, u, x, y: (u, u), X, Y)
two("difference", lambda F, x, y: x - y, lambda F, u, x, y: (u, -u), X, Y)
two("product", lambda F, x, y: x * y, lambda F, u, x, y: (u * y, u * x), X, Y)
two("quotient", lambda F, x, y: x / y, lambda F, u, x, y: (u / y, -u * x / (y * y)), X, Y)
two("x²y", lambda F, x, y: x * x * y, lambda F, u, x, y: (2 * u * x * y, u * x * x), X, Y)
two(
    "squared error",
    lambda F, x, y: (x - y) * (x - y),
    lambda F, u, x, y: (2 * u * (x - y), -2 * u * (x - y)),
    X,
    Y,
)
two(
    "bias",
    lambda F, x, b: x + b,
    lambda F, u, x, b: (u, u),
    MATRIX,
    rng.normal(size=4),
    "stretched",
)
two(
    "column times row",
    lambda F, x, y: x * y,
    lambda F, u, x, y: (u * y, u * x),
    rng.normal(size=(3, 1)),
    rng.normal(size=(1, 4)),
    "stretched",
)
two(
    "scaled by one number",
    lambda F, x, s: x * s,
    lambda F, u, x, s: (u * s, u * x),
    MATRIX,
    np.array(1.4),
    "stretched",
)
two(
    "row divided by column",
    lambda F, x, y: x / y,
    lambda F, u, x, y: (u / y, -u * x / (y * y)),
    rng.normal(size=4),
    rng.uniform(1, 2, (3, 1)),
    "stretched",
)
two(
    "bias of a cube",
    lambda F, x, b: x * b,
    lambda F, u, x, b: (u * b, u * x),
    CUBE,
    rng.normal(size=(3, 1)),
    "stretched",
)
two(
    "exp of a stretched product",
    lambda F, x, y: F.exp(0.3 * x * y),
    lambda F, u, x, y: (u * F.exp(0.3 * x * y) * 0.3 * y, u * F.exp(0.3 * x * y) * 0.3 * x),
    MATRIX,
    rng.normal(size=(3, 1)),
    "stretched",
)

# -- reductions, shapes, products of matrices -----------------------------------------------------

rule(
    "sum",
    lambda F, x: F.sum(x),
    lambda F, us, xs: (F.full(us[0], tuple(xs[0].shape)),),
    X,
    kinds="scalar",
)
rule(
    "mean of squares",
    lambda F, x: F.sum(x * x) / 5,
    lambda F, us, xs: (us[0] * 2 * xs[0] / 5,),
    X,
    kinds="scalar",
)
rule(
    "sum over rows",
    lambda F, x: F.sum(x, (0,)),
    lambda F, us, xs: (F.full(us[0], tuple(xs[0].shape)),),
    MATRIX,
)
rule(
    "mean over columns",
    lambda F, x: F.sum(x * x, (1,)) / 4,
    lambda F, us, xs: (F.reshape(us[0], (3, 1)) * xs[0] / 2,),
    MATRIX,
)
rule(
    "norm",
    lambda F, x: F.sqrt(F.sum(x * x)),
    lambda F, us, xs: (us[0] * xs[0] / F.sqrt(F.sum(xs[0] * xs[0])),),
    X,
    kinds="scalar",
)
rule(
    "logsumexp",
    lambda F, x: F.log(F.sum(F.exp(x))),
    lambda F, us, xs: (us[0] * F.exp(xs[0]) / F.sum(F.exp(xs[0])),),
    X,
    kinds="scalar",
)


def softmax(F, x):
    return F.exp(x) / F.sum(F.exp(x))


rule(
    "softmax",
    softmax,
    lambda F, us, xs: (softmax(F, xs[0]) * (us[0] - F.sum(us[0] * softmax(F, xs[0]))),),
    X,
    kinds="coupled",
)
rule(
    "running sum",
    lambda F, x: F.cumsum(x),
    lambda F, us, xs: (F.flip(F.cumsum(F.flip(us[0]))),),
    X,
    kinds="coupled",
)
rule(
    "reversed",
    lambda F, x: F.flip(x) * 2,
    lambda F, us, xs: (2 * F.flip(us[0]),),
    X,
    kinds="coupled",
)
rule(
    "reshaped",
    lambda F, x: F.reshape(x * x, (4, 3)),
    lambda F, us, xs: (2 * xs[0] * F.reshape(us[0], (3, 4)),),
    MATRIX,
)
rule(
    "transposed",
    lambda F, x: F.transpose(x * x, 0, 1),
    lambda F, us, xs: (2 * xs[0] * F.transpose(us[0], 0, 1),),
    SQUARE,
    kinds="turned",
)
rule(
    "matrix product",
    lambda F, a, b: a @ b,
    lambda F, us, xs: (us[0] @ F.transpose(xs[1], 0, 1), F.transpose(xs[0], 0, 1) @ us[0]),
    MATRIX,
    rng.normal(size=(4, 2)),
    kinds="matrices",
)
rule(
    "product of squares",
    lambda F, a, b: a @ b,
    lambda F, us, xs: (us[0] @ F.transpose(xs[1], 0, 1), F.transpose(xs[0], 0, 1) @ us[0]),
    SQUARE,
    OTHER_SQUARE,
    kinds="turned two",
)
rule(
    "gram",
    lambda F, a: F.transpose(a, 0, 1) @ a,
    lambda F, us, xs: (xs[0] @ (us[0] + F.transpose(us[0], 0, 1)),),
    MATRIX,
)
rule(
    "inverse",
    lambda F, a: F.inv(a),
    lambda F, us, xs: (-F.transpose(F.inv(xs[0]), 0, 1) @ us[0] @ F.transpose(F.inv(xs[0]), 0, 1),),
    SQUARE + 3 * np.eye(3),
    kinds="turned",
)
rule(
    "matrix times vector",
    lambda F, a, x: F.sum(a * x, (1,)),
    lambda F, us, xs: (
        F.reshape(us[0], (3, 1)) * xs[1],
        F.sum(F.reshape(us[0], (3, 1)) * xs[0], (0,)),
    ),
    MATRIX,
    rng.normal(size=4),
    kinds="matrices",
)

# -- many outputs, constants ----------------------------------------------------------------------

rule(
    "square and cube",
    lambda F, x: (x * x, x * x * x),
    lambda F, us, xs: (2 * xs[0] * us[0] + 3 * xs[0] * xs[0] * us[1],),
    X,
    kinds="many",
)
rule(
    "sine and cosine",
    lambda F, x: (F.sin(x), F.cos(x)),
    lambda F, us, xs: (F.cos(xs[0]) * us[0] - F.sin(xs[0]) * us[1],),
    X,
    kinds="many",
)
rule(
    "product, sine, square",
    lambda F, x, y: (x * y + F.sin(x), y * y),
    lambda F, us, xs: (us[0] * (xs[1] + F.cos(xs[0])), us[0] * xs[0] + us[1] * 2 * xs[1]),
    X,
    Y,
    kinds="many two",
)
rule(
    "sum and product",
    lambda F, x, y: (x + y, x * y),
    lambda F, us, xs: (us[0] + us[1] * xs[1], us[0] + us[1] * xs[0]),
    X,
    Y,
    kinds="many two",
)
rule(
    "value and its sum",
    lambda F, x: (x * x, F.sum(x)),
    lambda F, us, xs: (2 * xs[0] * us[0] + us[1],),
    X,
    kinds="many",
)
rule(
    "three of three",
    lambda F, x, y, z: (x * y, y * z, z * x),
    lambda F, us, xs: (
        us[0] * xs[1] + us[2] * xs[2],
        us[0] * xs[0] + us[1] * xs[2],
        us[1] * xs[1] + us[2] * xs[0],
    ),
    X,
    Y,
    X + Y,
    kinds="many two",
)
rule(
    "scaled by a constant",
    lambda F, x, s: s * x * x,
    lambda F, us, xs: (2 * xs[1] * xs[0] * us[0], None),
    X,
    2.5,
)
rule(
    "an input that does not matter",
    lambda F, x, y: x * x + 0 * y,
    lambda F, us, xs: (2 * xs[0] * us[0], 0 * us[0]),
    X,
    Y,
)
