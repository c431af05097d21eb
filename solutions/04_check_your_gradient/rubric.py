"""Exercise 04: the dot-product test, naming a fault, and two rules to repair."""

import numpy as np

from course_lib.grading import Code, Edit, FunctionQuestion, Mistake, Rubric, RuleQuestion

# 1. The dot-product test -------------------------------------------------------------------------


def pairs(rng):
    """Functions with their pullbacks: linear or curved, wide or tall, of matrices; one is wrong."""
    wide, square = rng.normal(size=(2, 4)).tolist(), rng.normal(size=(3, 3)).tolist()
    given = [
        (f"lambda x: np.array({wide}) @ x", f"lambda u: u @ np.array({wide})", (4,), (2,)),
        ("lambda x: x**3", "lambda u: 3 * u", (3,), (3,)),
        ("lambda x: np.sum(np.exp(x))", "lambda u: np.full((2, 3), u)", (2, 3), ()),
        (f"lambda x: np.array({square}) @ x**2", f"lambda u: u @ np.array({square})", (3,), (3,)),
        ("lambda x: np.sin(x).T", "lambda u: u.T", (3, 2), (2, 3)),
    ]
    return [
        (
            Code(f),
            Code(pullback),
            rng.normal(size=inputs),
            rng.normal(size=outputs),
            rng.normal(size=inputs),
            rng.choice([0.1, 0.25]),
        )
        for f, pullback, inputs, outputs in given
    ]


def central(f, x, v, h):
    return (f(x + h * v) - f(x - h * v)) / (2 * h)


def two_sides(f, pullback, x, u, v, h, *, slope=central, total=np.sum):
    """The right answer, with a place for another slope and another product."""
    return total(u * slope(f, x, v, h)), total(pullback(u) * v)


dot_product_test = FunctionQuestion(
    "dot_product_test",
    points=2,
    inputs=pairs,
    reference=two_sides,
    domain=lambda f, pullback, x, u, v, h: h > 0,
    mistakes=[
        Mistake(
            "forward-difference",
            "This difference steps to one side only. A central one steps to both, and is far more "
            "exact.",
            lambda *given: two_sides(*given, slope=lambda f, x, v, h: (f(x + h * v) - f(x)) / h),
        ),
        Mistake(
            "divided-by-h",
            "How far apart are the two points of a central difference?",
            lambda *given: two_sides(*given, slope=lambda f, x, v, h: 2 * central(f, x, v, h)),
        ),
        Mistake(
            "not-divided",
            "So much the outputs moved over a small step. What is the change for a step of one?",
            lambda *given: two_sides(*given, slope=lambda f, x, v, h: 2 * h * central(f, x, v, h)),
        ),
        Mistake(
            "direction-forgotten",
            "All inputs are moved by the same amount. Each should move along its own entry of `v`.",
            lambda *given: two_sides(*given, slope=lambda f, x, v, h: central(f, x, 1, h)),
        ),
        Mistake(
            "not-summed",
            "These are the products, entry by entry. Each side is one number, their sum.",
            lambda *given: two_sides(*given, total=lambda products: products),
        ),
        Mistake(
            "matrix-product",
            "Of two matrices `np.dot` is the matrix product. Wanted is the sum of all products of "
            "entries, whatever the shape.",
            raises="not aligned",
        ),
        Mistake(
            "mean-for-sum",
            "A dot product is a sum, not a mean.",
            lambda *given: two_sides(*given, total=np.mean),
        ),
        Mistake(
            "sides-swapped",
            "Both numbers are right. The side that is measured comes first.",
            lambda *given: two_sides(*given)[::-1],
        ),
        Mistake(
            "difference-returned",
            "Return both numbers. Their difference alone does not say how large they were.",
            lambda *given: np.subtract(*two_sides(*given)),
        ),
    ],
    hints=[
        "Two runs of `f`, one of `pullback`. Which array belongs to the inputs, which to the "
        "outputs?",
        "All inputs move at once, by `h * v`. The difference of the two outputs, over the distance "
        "of the two points, is $Jv$.",
        "Begin with `moved = (f(x + h * v) - f(x - h * v)) / (2 * h)`; then one `np.sum` a side.",
    ],
    right=[
        """
def dot_product_test(f, pullback, x, u, v, h):
    jv = (f(x + h * v) - f(x - h * v)) / h / 2
    return np.vdot(u, jv), np.vdot(pullback(u), v)
""",
        """
def dot_product_test(f, pullback, x, u, v, h):
    after, before = f(x + h * v), f(x - h * v)
    left = ((after - before) * u).sum() * 0.5 / h
    return [left, (v * pullback(u)).sum()]
""",
        Edit("np.sum(u * moved)", "np.tensordot(u, moved, np.ndim(u))"),
    ],
    wrong=[
        (
            "forward-difference",
            Edit("(f(x + h * v) - f(x - h * v)) / (2 * h)", "(f(x + h * v) - f(x)) / h"),
        ),
        ("divided-by-h", Edit("/ (2 * h)", "/ h")),
        ("not-divided", Edit(" / (2 * h)", "")),
        ("direction-forgotten", Edit("f(x + h * v) - f(x - h * v)", "f(x + h) - f(x - h)")),
        (
            "not-summed",
            Edit("np.sum(u * moved), np.sum(pullback(u) * v)", "u * moved, pullback(u) * v"),
        ),
        (
            "mean-for-sum",
            Edit("np.sum(u * moved)", "np.mean(u * moved)", "np.sum(pull", "np.mean(pull"),
        ),
        (
            "sides-swapped",
            Edit(
                "np.sum(u * moved), np.sum(pullback(u) * v)",
                "np.sum(pullback(u) * v), np.sum(u * moved)",
            ),
        ),
        (
            "difference-returned",
            Edit("np.sum(u * moved), np.sum", "np.sum(u * moved) - np.sum"),
        ),
        (
            "matrix-product",
            Edit(
                "np.sum(u * moved), np.sum(pullback(u) * v)",
                "np.dot(u, moved), np.dot(pullback(u), v)",
            ),
        ),
        Edit("(2 * h)", "2 * h"),
        Edit("np.sum(u * moved)", "np.sum(moved)"),
        Edit("np.sum(u * moved)", "np.sum(np.dot(u, moved))"),
        Edit("np.sum(pullback(u) * v)", "np.sum(u * moved)"),
    ],
)

# 2. Which mistake is it? -------------------------------------------------------------------------


def gradients(rng):
    """One of each kind; with zeros, tiny, of one entry; and at either side of the tolerance."""
    g, other = rng.normal(size=(2, 5))
    matrix = rng.normal(size=(2, 3))
    gap = np.array([0.0, 1.0, -2.0, 4.0])
    late = np.array([0.0, 0.0, 3.0])
    edge, tilt = np.array([1.0, 0.0]), np.array([0.0, 1e-6])
    return [
        (g, g),
        (g, -g),
        (g, 0.5 * g),
        (g, -2.0 * g),
        (g, 0.0 * g),
        (g, other),
        (g, g + 1.0),
        (matrix, matrix),
        (matrix, 7.0 * matrix),
        (matrix, matrix[::-1].copy()),
        (gap, gap),
        (gap, -gap),
        (gap, 3.0 * gap),
        (gap, gap + np.array([0.1, 0.0, 0.0, 0.0])),
        (gap, gap + np.array([3e-6, 0.0, 0.0, 0.0])),
        (gap, gap + np.array([5e-6, 0.0, 0.0, 0.0])),
        (gap, -gap + np.array([3e-6, 0.0, 0.0, 0.0])),
        (gap, -gap + np.array([0.0, 0.0, 5e-6, 0.0])),
        (late, 2.0 * late),
        (late[::-1].copy(), 2.0 * late[::-1]),
        (edge, edge + tilt),
        (edge, -edge + tilt),
        (edge, 2.0 * edge + tilt),
        (late, np.array([1.0, 0.0, 3.0])),
        (late, np.array([0.0, 0.0, -3.0])),
        (1e-12 * g, 1e-12 * g),
        (1e-12 * g, -1e-12 * g),
        (1e-12 * g, 2e-12 * g),
        (1e-12 * g, 1e-12 * other),
        (1e9 * g, 1e9 * (g + 1e-8)),
        (np.array([2.0]), np.array([-2.0])),
        (np.array([2.0]), np.array([5.0])),
        (np.array(-3.0), np.array(-3.0)),
        (np.array([1.0, 1.0]), np.array([2.0, 0.0])),
        (np.array([-5.0, 1.0]), np.array([-5.0, 1.0 + 3e-6])),
        (np.array([-5.0, 1.0]), np.array([10.0, -2.0 + 3e-6])),
    ]


def within_tolerance(expected, actual):
    return bool(np.all(np.abs(actual - expected) <= 1e-6 * np.abs(expected).max()))


def best_factor(expected, actual):
    return np.sum(actual * expected) / np.sum(expected * expected)


def diagnosis(expected, actual, *, agree=within_tolerance, sign="wrong-sign", factor=best_factor):
    """The right answer, with a place for what is done differently."""

    def same(wanted):
        return agree(wanted, actual)

    if same(expected):
        return "right"
    if sign and agree(expected, -actual):
        return sign
    times = factor(expected, actual)
    scaled = np.abs(actual - times * expected) <= 1e-6 * np.abs(expected).max()
    if agree is not within_tolerance:
        scaled = agree(times * expected, actual)
    return "wrong-scale" if np.all(scaled) else "wrong-values"


def by_ratio(expected, actual):
    """The constant ratio of the entries; nan, so that nothing agrees, if an entry is 0/0."""
    ratios = actual / expected
    return ratios.flat[0] if np.allclose(ratios, ratios.flat[0]) else np.nan


name_the_fault = FunctionQuestion(
    "name_the_fault",
    points=2,
    inputs=gradients,
    reference=diagnosis,
    domain=lambda expected, actual: bool(np.any(expected)),
    mistakes=[
        Mistake(
            "absolute-tolerance",
            "Gradients of the size of 1e-12 all look alike to you. What is close depends on how "
            "large they are: `np.allclose` adds `atol=1e-8`, unless told otherwise.",
            lambda expected, actual: diagnosis(expected, actual, agree=np.allclose),
        ),
        Mistake(
            "sign-is-a-scale",
            "A wrong sign is a factor too, of −1, but it has a name of its own.",
            lambda expected, actual: diagnosis(expected, actual, sign=None),
        ),
        Mistake(
            "divides-by-zero",
            "An entry that should be 0 and is 0 says nothing about the factor. But 0/0 is nan, and "
            "nan is equal to nothing.",
            lambda expected, actual: diagnosis(expected, actual, factor=by_ratio),
        ),
        Mistake(
            "factor-of-first-entry",
            "You take the factor from the first entry. What if that is zero?",
            lambda expected, actual: diagnosis(
                expected, actual, factor=lambda e, a: a.flat[0] / e.flat[0]
            ),
        ),
        Mistake(
            "scale-by-size",
            "Any two arrays have a ratio of their sizes. The scale is wrong only if *one* factor "
            "explains every entry.",
            lambda expected, actual: {"wrong-values": "wrong-scale"}.get(
                diagnosis(expected, actual), diagnosis(expected, actual)
            ),
        ),
        Mistake(
            "scale-not-looked-for",
            "Half of the gradient, or twice, is not just any wrong values.",
            lambda expected, actual: {"wrong-scale": "wrong-values"}.get(
                diagnosis(expected, actual), diagnosis(expected, actual)
            ),
        ),
    ],
    hints=[
        "First find the tolerance: one number, the same for all three comparisons.",
        "If `actual` is a factor times `expected`, then `np.sum(actual * expected)` is the same "
        "factor times `np.sum(expected * expected)`. No entry is divided by zero.",
        "`tolerance = 1e-6 * np.abs(expected).max()`, and each comparison is "
        "`np.all(np.abs(actual - ...) <= tolerance)`, with `expected`, `-expected` and "
        "`factor * expected`.",
    ],
    right=[
        """
def name_the_fault(expected, actual):
    def agrees(wanted):
        return np.abs(actual - wanted).max() <= 1e-6 * np.abs(expected).max()

    largest = np.unravel_index(np.argmax(np.abs(expected)), expected.shape)
    factor = actual[largest] / expected[largest]
    wanted = {"right": expected, "wrong-sign": -expected, "wrong-scale": factor * expected}
    return next((name for name, w in wanted.items() if agrees(w)), "wrong-values")
""",
        """
def name_the_fault(expected, actual):
    size = np.max(np.abs(expected))
    e, a = (expected / size).ravel(), (actual / size).ravel()
    for name, factor in (("right", 1), ("wrong-sign", -1), ("wrong-scale", a @ e / (e @ e))):
        if (abs(a - factor * e) <= 1e-6).all():
            return name
    return "wrong-values"
""",
        """
def name_the_fault(expected, actual):
    close = lambda b: np.allclose(actual, b, rtol=0, atol=1e-6 * np.max(np.abs(expected)))
    used = np.abs(expected) == np.max(np.abs(expected))
    if close(expected):
        return "right"
    elif close(-expected):
        return "wrong-sign"
    elif close(actual[used][0] / expected[used][0] * expected):
        return "wrong-scale"
    return "wrong-values"
""",
    ],
    wrong=[
        (
            "absolute-tolerance",
            """
def name_the_fault(expected, actual):
    factor = np.sum(actual * expected) / np.sum(expected * expected)
    if np.allclose(actual, expected):
        return "right"
    if np.allclose(actual, -expected):
        return "wrong-sign"
    return "wrong-scale" if np.allclose(actual, factor * expected) else "wrong-values"
""",
        ),
        (
            "sign-is-a-scale",
            Edit('return "wrong-sign"', 'return "wrong-scale"'),
        ),
        (
            "divides-by-zero",
            Edit(
                "factor = np.sum(actual * expected) / np.sum(expected * expected)",
                "ratios = actual / expected\n"
                "    factor = ratios.flat[0] if np.allclose(ratios, ratios.flat[0]) else np.nan",
            ),
        ),
        (
            "factor-of-first-entry",
            Edit(
                "np.sum(actual * expected) / np.sum(expected * expected)",
                "actual.flat[0] / expected.flat[0]",
            ),
        ),
        ("scale-by-size", Edit('return "wrong-values"', 'return "wrong-scale"')),
        ("scale-not-looked-for", Edit('return "wrong-scale"', 'return "wrong-values"')),
        Edit("1e-6 * np.abs(expected).max()", "1e-6"),
        Edit("1e-6 * np.abs(expected).max()", "1e-6 * np.abs(expected)"),
        Edit("1e-6 * np.abs(expected).max()", "1e-6 * expected.max()"),
        Edit("1e-6 * np.abs(expected).max()", "1e-6 * np.abs(expected).mean()"),
        Edit('return "right"', 'return "ok"'),
        Edit("np.abs(actual - expected) <= tolerance", "actual - expected <= tolerance"),
    ],
)

# 3. The softmax ----------------------------------------------------------------------------------


def vectors(rng):
    """Random ones; equal entries; a single entry; entries whose exponential overflows."""
    return [
        rng.normal(size=5),
        rng.normal(size=2),
        np.array([1.0, 1.0, 1.0]),
        np.array([0.0, -1.0, 2.0, 0.5]),
        np.array([3.0]),
        np.array([800.0, 799.0, -800.0]),
    ]


def softmax(x):
    powers = np.exp(x - np.max(x))
    return powers / np.sum(powers)


softmax_tape = RuleQuestion(
    "softmax_tape",
    framework="tape",
    points=3,
    inputs=vectors,
    forward=softmax,
    backward=lambda u, x: softmax(x) * (u - np.sum(u * softmax(x))),
    domain=lambda x: x.ndim == 1,
    given=Mistake(
        "diagonal-only",
        "This is the diagonal of the Jacobian. When one input moves, all outputs do.",
        backward=lambda u, x: u * softmax(x) * (1 - softmax(x)),
    ),
    mistakes=[
        Mistake(
            "off-diagonal-only",
            "Now the contributions of the other outputs are there, but that of an output to its "
            "own input is not.",
            backward=lambda u, x: -softmax(x) * np.sum(u * softmax(x)),
        ),
        Mistake(
            "counted-twice",
            "The diagonal is counted twice: the sum over all outputs holds it already.",
            backward=lambda u, x: softmax(x) * (u * (1 - softmax(x)) - np.sum(u * softmax(x))),
        ),
        Mistake(
            "plain-sum",
            "The upstream gradients are added as they are. How much of each output there is should "
            "matter.",
            backward=lambda u, x: softmax(x) * (u - np.sum(u)),
        ),
        Mistake(
            "mean-for-sum",
            "The contributions of the outputs are added, not averaged.",
            backward=lambda u, x: softmax(x) * (u - np.mean(u * softmax(x))),
        ),
        Mistake(
            "factor-forgotten",
            "An input whose output is nearly zero hardly matters, whatever the upstream gradient "
            "is. Which factor says so?",
            backward=lambda u, x: u - np.sum(u * softmax(x)),
        ),
        Mistake(
            "sign-off-the-diagonal",
            "When one input grows, do the other outputs grow or shrink?",
            backward=lambda u, x: softmax(x) * (u + np.sum(u * softmax(x))),
        ),
    ],
    hints=[
        "`check_gradient` says where it is wrong. Then ask: if $x_i$ grows a little, which outputs "
        "change? They must add up to one.",
        "For $j \\neq i$, $\\partial s_j/\\partial x_i = -s_j s_i$. So "
        "$\\bar x_i = u_i s_i(1 - s_i) - \\sum_{j\\neq i} u_j s_j s_i$.",
        "Take $s_i$ out, and the rest is $u_i - \\sum_j u_j s_j$, with the sum over all $j$.",
    ],
    right=[
        Edit("s * (upstream - np.sum(upstream * s))", "s * upstream - s * (s @ upstream)"),
        Edit(
            "return s * (upstream - np.sum(upstream * s))",
            "return (np.diag(s) - np.outer(s, s)).T @ upstream",
        ),
        """
from course_lib.tape import register_custom_gradient

def forward(x):
    powers = np.exp(x - x.max())
    return powers / powers.sum()

def backward(upstream, x):
    s = forward(x)
    return s * upstream * (1 - s) - s * (np.dot(upstream, s) - upstream * s)

softmax_tape = register_custom_gradient(forward, backward)
""",
    ],
    wrong=[
        (
            "off-diagonal-only",
            Edit("s * (upstream - np.sum(upstream * s))", "-s * np.sum(upstream * s)"),
        ),
        (
            "counted-twice",
            Edit("s * (upstream - np.sum", "s * (upstream * (1 - s) - np.sum"),
        ),
        ("plain-sum", Edit("np.sum(upstream * s)", "np.sum(upstream)")),
        ("mean-for-sum", Edit("np.sum(upstream * s)", "np.mean(upstream * s)")),
        ("factor-forgotten", Edit("return s * (upstream", "return (upstream")),
        ("sign-off-the-diagonal", Edit("upstream - np.sum", "upstream + np.sum")),
        ("wrong-sign", Edit("return s * (upstream", "return -s * (upstream")),
        ("upstream-ignored", Edit("(upstream - np.sum(upstream * s))", "(1 - np.sum(s))")),
        Edit("s * (upstream - np.sum(upstream * s))", "upstream"),
        Edit("s * (upstream - np.sum(upstream * s))", "upstream * s * (1 - s).sum()"),
        Edit("np.exp(x - np.max(x))", "np.exp(x)"),
        Edit("return s * (upstream", "s * (upstream"),
    ],
)

# 4. In PyTorch: more than one mistake ------------------------------------------------------------


def two_alike(rng):
    """Random vectors, matrices and numbers; the distance of a point from itself."""
    x = rng.normal(size=4)
    return [
        tuple(rng.normal(size=(2, 5))),
        tuple(rng.normal(size=(2, 2, 3))),
        (np.array(rng.normal()), np.array(rng.normal())),
        (x, x.copy()),
        (np.array([1.0, 0.0, -1.0]), np.array([0.0, 2.0, -1.0])),
    ]


def squared_distance_backward(u, x, y):
    return 2 * u * (x - y), -2 * u * (x - y)


squared_distance_torch = RuleQuestion(
    "squared_distance_torch",
    framework="torch",
    points=3,
    inputs=two_alike,
    forward=lambda x, y: np.sum((x - y) ** 2),
    backward=squared_distance_backward,
    given=Mistake(
        "two-mistakes",
        "Ask `check_gradient`.",
        backward=lambda u, x, y: (2 * (x - y), 2 * (x - y)),
    ),
    mistakes=[
        Mistake(
            "same-for-both",
            "One mistake is gone. Now look at `y` by itself: if it moves towards `x`, the distance "
            "shrinks.",
            backward=lambda u, x, y: (2 * u * (x - y), 2 * u * (x - y)),
        ),
        Mistake(
            "upstream-ignored",
            "One mistake is gone. Now multiply the loss by 3: the gradients should be three times "
            "as large.",
            backward=lambda u, x, y: squared_distance_backward(1.0, x, y),
        ),
        Mistake(
            "upstream-for-one",
            "The upstream gradient belongs to the output, so both gradients need it.",
            backward=lambda u, x, y: (2 * u * (x - y), -2 * (x - y)),
        ),
        Mistake(
            "wrong-sign",
            "Both signs are wrong, or the two gradients stand in the wrong order.",
            backward=lambda u, x, y: squared_distance_backward(-u, x, y),
        ),
        Mistake(
            "factor-forgotten",
            "Differentiating a square leaves a factor in front.",
            backward=lambda u, x, y: squared_distance_backward(0.5 * u, x, y),
        ),
        Mistake(
            "squared-again",
            "Differentiating a square lowers the exponent to one.",
            backward=lambda u, x, y: (2 * u * (x - y) ** 2, -2 * u * (x - y) ** 2),
        ),
    ],
    hints=[
        "The output is one number, so the upstream gradient is one number too. `d.backward()` "
        "sends 1. What would `(3 * d).backward()` send?",
        "$\\partial d/\\partial x_i = 2(x_i - y_i)$. And $\\partial d/\\partial y_i$?",
        "Compute `gradient = 2 * upstream * (x - y)` once. One of the two gradients is that, the "
        "other is minus that.",
    ],
    right=[
        Edit("return gradient, -gradient", "return gradient, 2 * upstream * (y - x)"),
        Edit("2 * upstream * (x - y)", "torch.mul(upstream, x - y) * 2.0"),
        """
class SquaredDistance(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x - y)
        return ((x - y) * (x - y)).sum()

    @staticmethod
    def backward(ctx, upstream):
        (difference,) = ctx.saved_tensors
        return upstream * 2 * difference, upstream * -2 * difference


def squared_distance_torch(x, y):
    return SquaredDistance.apply(x, y)
""",
    ],
    wrong=[
        ("same-for-both", Edit("return gradient, -gradient", "return gradient, gradient")),
        ("upstream-ignored", Edit("2 * upstream * (x - y)", "2 * (x - y)")),
        ("upstream-for-one", Edit("return gradient, -gradient", "return gradient, -2 * (x - y)")),
        ("wrong-sign", Edit("return gradient, -gradient", "return -gradient, gradient")),
        ("factor-forgotten", Edit("2 * upstream * (x - y)", "upstream * (x - y)")),
        ("squared-again", Edit("2 * upstream * (x - y)", "2 * upstream * (x - y) ** 2")),
        ("missing-gradient", Edit("return gradient, -gradient", "return gradient, None")),
        Edit("return gradient, -gradient", "return gradient"),
        Edit("2 * upstream * (x - y)", "2 * upstream * (x + y)"),
        Edit("2 * upstream * (x - y)", "2 * upstream * torch.abs(x - y)"),
        Edit("2 * upstream * (x - y)", "2 * upstream * x - y"),
        Edit("torch.sum((x - y) ** 2)", "torch.sum((x - y) ** 2).sqrt()"),
    ],
)

rubric = Rubric(__file__, [dot_product_test, name_the_fault, softmax_tape, squared_distance_torch])
