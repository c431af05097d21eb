"""Exercise 11: what a chain of segments holds, and rules that recompute what they do not keep."""

import numpy as np

from course_lib.grading import Edit, FunctionQuestion, Mistake, Rubric, RuleQuestion

peak_arrays = FunctionQuestion(
    "peak_arrays",
    points=2,
    inputs=lambda rng: [
        [int(n) for n in rng.integers(1, 20, size=5)],
        [int(n) for n in rng.integers(1, 20, size=9)],
        [8] * 8,
        [64],
        [1] * 64,
        [3, 10, 4],
        [1, 2, 30],
    ],
    reference=lambda lengths: len(lengths) + max(lengths),
    mistakes=[
        Mistake(
            "all-at-once",
            "This adds the steps of all segments. Only one segment is run again at a time.",
            lambda lengths: len(lengths) + sum(lengths),
        ),
        Mistake(
            "inputs-forgotten",
            "You count the segment that is being run again. What do all the others keep?",
            max,
        ),
        Mistake(
            "end-of-forward",
            "So much is held when the forward pass ends. The peak comes later.",
            len,
        ),
        Mistake(
            "average",
            "The segments are not of one length. The longest decides, not the average.",
            lambda lengths: len(lengths) + sum(lengths) / len(lengths),
        ),
        Mistake(
            "last-segment",
            "The last segment is the first to be run again. Is it the one that needs the most?",
            lambda lengths: len(lengths) + lengths[-1],
        ),
    ],
    hints=[
        "Two kinds of arrays: those that are kept all the time, and those of the segment whose "
        "turn it is.",
        "As many inputs as there are segments; and the steps of the longest segment.",
        "`len` of something, plus `max` of something.",
    ],
    right=[
        Edit("len(lengths) + max(lengths)", "max(len(lengths) + n for n in lengths)"),
        Edit("len(lengths) + max(lengths)", "sorted(lengths)[-1] + len(lengths)"),
        """
def peak_arrays(lengths):
    kept, most = 0, 0
    for n in lengths:
        kept += 1
        most = max(most, n)
    return kept + most
""",
    ],
    wrong=[
        ("all-at-once", Edit("max(lengths)", "sum(lengths)")),
        ("inputs-forgotten", Edit("len(lengths) + max(lengths)", "max(lengths)")),
        ("end-of-forward", Edit("len(lengths) + max(lengths)", "len(lengths)")),
        ("average", Edit("max(lengths)", "sum(lengths) / len(lengths)")),
        ("last-segment", Edit("max(lengths)", "lengths[-1]")),
        Edit("max(lengths)", "min(lengths)"),
        Edit("max(lengths)", "lengths[0]"),
        Edit("len(lengths) + max(lengths)", "max(len(lengths), max(lengths))"),
        Edit("len(lengths) + max(lengths)", "2 * round(sum(lengths) ** 0.5)"),
    ],
)

BETA = 1.702


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def slope(x, beta):
    """The derivative of x σ(βx)."""
    s = sigmoid(beta * x)
    return s * (1 + beta * x * (1 - s))


def curvature(x, beta):
    """Its second derivative."""
    s = sigmoid(beta * x)
    return beta * s * (1 - s) * (2 + beta * x * (1 - 2 * s))


def gelu_mistake(code, hint, derivative, second):
    return Mistake(
        code,
        hint,
        backward=lambda upstream, x: upstream * derivative(x),
        second=lambda direction, upstream, x: direction * upstream * second(x),
    )


def bend(x):
    """The derivative of σ(βx)."""
    s = sigmoid(BETA * x)
    return BETA * s * (1 - s)


def given_slope(x):
    s = sigmoid(BETA * x)
    return s * (1 + x * (1 - s))


def given_curvature(x):
    s = sigmoid(BETA * x)
    return bend(x) * (1 + x * (1 - 2 * s)) + s * (1 - s)


quick_gelu_torch = RuleQuestion(
    "quick_gelu_torch",
    framework="torch",
    points=3,
    inputs=lambda rng: [
        rng.normal(size=5),
        rng.normal(size=(2, 3)),
        np.array(rng.normal()),
        np.array([-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0]),
    ],
    forward=lambda x: x * sigmoid(BETA * x),
    backward=lambda upstream, x: upstream * slope(x, BETA),
    second=lambda direction, upstream, x: direction * upstream * curvature(x, BETA),
    given=gelu_mistake(
        "inner-factor-forgotten",
        "Right for $\\beta = 1$. By the chain rule, the derivative of $\\sigma(\\beta x)$ has a "
        "factor more.",
        given_slope,
        given_curvature,
    ),
    mistakes=[
        gelu_mistake(
            "sigmoid-as-constant",
            "This differentiates one factor of the product. The sigmoid depends on x, too.",
            lambda x: sigmoid(BETA * x),
            bend,
        ),
        gelu_mistake(
            "plain-swish",
            "This is the gradient of swish, with $\\beta = 1$ throughout: the backward recomputes "
            "another sigmoid than the forward.",
            lambda x: slope(x, 1.0),
            lambda x: curvature(x, 1.0),
        ),
        gelu_mistake(
            "factor-on-everything",
            "The factor belongs to the derivative of the sigmoid alone, not to both terms of the "
            "product rule.",
            lambda x: BETA * given_slope(x),
            lambda x: BETA * given_curvature(x),
        ),
        Mistake(
            "upstream-ignored",
            "This is the derivative alone. The upstream gradient belongs to it as a factor.",
            backward=lambda upstream, x: slope(x, BETA),
            second=lambda direction, upstream, x: direction * curvature(x, BETA),
        ),
    ],
    hints=[
        "Write down the product rule for $x \\cdot \\sigma(\\beta x)$, with the chain rule in its "
        "second term.",
        "$y' = s + x \\cdot \\beta\\, s\\,(1-s)$ with $s = \\sigma(\\beta x)$. Take $s$ out of "
        "both terms, and compare.",
        "`return upstream * s * (1 + BETA * x * (1 - s))`.",
    ],
    right=[
        Edit("s * (1 + BETA * x * (1 - s))", "(s + BETA * x * s * (1 - s))"),
        Edit("(1 - s))", "torch.sigmoid(-BETA * x))"),
        """
class QuickGelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(1.702 * x)

    @staticmethod
    def backward(ctx, upstream):
        z = 1.702 * ctx.saved_tensors[0]
        s = z.sigmoid()
        return (s + z * s * (1 - s)) * upstream


quick_gelu_torch = QuickGelu.apply
""",
    ],
    wrong=[
        ("sigmoid-as-constant", Edit("s * (1 + BETA * x * (1 - s))", "s")),
        (
            "plain-swish",
            Edit(
                "s = torch.sigmoid(BETA * x)\n"
                "        return upstream * s * (1 + BETA * x * (1 - s))",
                "s = torch.sigmoid(x)\n        return upstream * s * (1 + x * (1 - s))",
            ),
        ),
        (
            "factor-on-everything",
            Edit("s * (1 + BETA * x * (1 - s))", "BETA * s * (1 + x * (1 - s))"),
        ),
        ("upstream-ignored", Edit("upstream * s", "s")),
        Edit("1 + BETA * x", "1 - BETA * x"),
        Edit("s * (1 + BETA * x * (1 - s))", "(1 + BETA * x * (1 - s))"),
        Edit("x * (1 - s))", "x * s)"),
        Edit("1 + BETA * x * (1 - s)", "1 + BETA + x * (1 - s)"),
        Edit("return x * torch.sigmoid(BETA * x)", "return x * torch.sigmoid(x)"),
    ],
)


def draw_mask(shape, seed):
    return 2.0 * np.random.default_rng(seed).integers(2, size=shape)


def masked(derivative, mask=draw_mask):
    """The backward that has this derivative of swish, and this mask."""
    return lambda upstream, x, seed: (upstream * mask(x.shape, seed) * derivative(x), None)


def swish_slope(x):
    return slope(x, 1.0)


swish_dropout_tape = RuleQuestion(
    "swish_dropout_tape",
    framework="tape",
    points=4,
    inputs=lambda rng: [
        (rng.normal(size=40), 0),
        (rng.normal(size=(5, 6)), int(rng.integers(1, 1000))),
        (np.linspace(-3.0, 3.0, 25), 7),
    ],
    forward=lambda x, seed: draw_mask(x.shape, seed) * x * sigmoid(x),
    backward=masked(swish_slope),
    mistakes=[
        Mistake(
            "mask-forgotten",
            "The value is right. The gradient flows through entries that were dropped as well.",
            backward=masked(swish_slope, lambda shape, seed: 1.0),
        ),
        Mistake(
            "mask-not-scaled",
            "The right entries have a gradient, half as large as it should be.",
            backward=masked(swish_slope, lambda shape, seed: draw_mask(shape, seed) / 2),
        ),
        Mistake(
            "another-mask",
            "The second run drew another mask than the first: it needs the same seed.",
            backward=masked(swish_slope, lambda shape, seed: draw_mask(shape, seed + 1)),
        ),
        Mistake(
            "mask-squared",
            "The mask is a factor of the gradient once. Here it comes in twice.",
            backward=masked(swish_slope, lambda shape, seed: draw_mask(shape, seed) ** 2),
        ),
        Mistake(
            "gradient-of-the-sigmoid",
            "This is the gradient of the sigmoid. The function is x times a sigmoid.",
            backward=masked(lambda x: sigmoid(x) * (1 - sigmoid(x))),
        ),
        Mistake(
            "sigmoid-as-constant",
            "This differentiates one factor of the product. The sigmoid depends on x, too.",
            backward=masked(sigmoid),
        ),
        Mistake(
            "upstream-ignored",
            "This is the derivative alone. The upstream gradient belongs to it as a factor.",
            backward=lambda upstream, x, seed: (draw_mask(x.shape, seed) * swish_slope(x), None),
        ),
    ],
    hints=[
        "The mask does not depend on x: for the gradient it is a constant factor. Which is the "
        "derivative of the rest?",
        "In `grad_fn`, call `draw_mask` with the same shape and seed as in the forward, and "
        "compute the sigmoid again.",
        "The gradient is `upstream * m * s * (1 + x * (1 - s))`; for the seed return `None`.",
    ],
    right=[
        Edit("s * (1 + x * (1 - s)), None", "(s + x * s * (1 - s)), None"),
        Edit("(1 + x * (1 - s)), None", "(1 + x * (1 - s))"),
        """
@custom_gradient
def swish_dropout_tape(x, seed):
    def grad_fn(upstream):
        e = np.exp(-x)
        return draw_mask(x.shape, seed) * upstream * (1 + e + x * e) / (1 + e) ** 2

    return x / (1 + np.exp(-x)) * draw_mask(np.shape(x), seed), grad_fn
""",
    ],
    wrong=[
        ("mask-forgotten", Edit("upstream * m * s", "upstream * s")),
        ("mask-not-scaled", Edit("upstream * m * s", "upstream * (m > 0) * s")),
        (
            "another-mask",
            Edit("m, s = draw_mask(x.shape, seed)", "m, s = draw_mask(x.shape, seed + 1)"),
        ),
        ("mask-squared", Edit("upstream * m * s", "upstream * m * m * s")),
        ("gradient-of-the-sigmoid", Edit("(1 + x * (1 - s))", "(1 - s)")),
        ("sigmoid-as-constant", Edit("s * (1 + x * (1 - s))", "s")),
        ("upstream-ignored", Edit("upstream * m * s", "m * s")),
        ("wrong-sign", Edit("upstream * m * s", "-upstream * m * s")),
        Edit("m, s = draw_mask(x.shape, seed)", "m, s = draw_mask(x.shape, None)"),
        Edit("x * (1 - s)", "x * s"),
        Edit("return draw_mask(x.shape, seed) * x", "return draw_mask(x.shape, seed + 1) * x"),
        Edit("return draw_mask(x.shape, seed) * x * sigmoid(x)", "return x * sigmoid(x)"),
    ],
)

rubric = Rubric(__file__, [peak_arrays, quick_gelu_torch, swish_dropout_tape])
