"""Exercise 08: gradients for functions that have none to speak of."""

from itertools import permutations

import numpy as np

from course_lib.grading import Edit, Mistake, OrderQuestion, Rubric, RuleQuestion

# 1. Weights of one bit ---------------------------------------------------------------------------


def around_zero(rng):
    """Inside and outside the range, at random; its ends; zero; and only what is outside."""
    return [
        2 * rng.normal(size=8),
        2 * rng.normal(size=(2, 3)),
        np.array([-1.0, 1.0, 0.0, -0.5, 0.5]),
        np.array([-1.001, 1.001, -0.999, 0.999, 7.0]),
        np.array(rng.normal()),
    ]


def one_bit(x):
    return np.where(x >= 0, 1.0, -1.0)


one_bit_tape = RuleQuestion(
    "one_bit_tape",
    framework="tape",
    points=2,
    inputs=around_zero,
    forward=one_bit,
    backward=lambda upstream, x: upstream * (np.abs(x) <= 1),
    surrogate=True,
    mistakes=[
        Mistake(
            "sign-of-zero",
            "`np.sign` has a third value: what is the sign of 0, and what should it be here?",
            forward=np.sign,
        ),
        Mistake(
            "zero-belongs-to-the-right",
            "Look at x = 0. The formula says which of the two values it gets.",
            forward=lambda x: np.where(x > 0, 1.0, -1.0),
        ),
        Mistake(
            "true-derivative",
            "This is the true gradient, 0 everywhere, and nothing can be learned from it.",
            backward=lambda upstream, x: np.zeros_like(x),
        ),
        Mistake(
            "range-ignored",
            "The gradient goes straight through everywhere. Where |x| is larger than 1 it should "
            "stop.",
            backward=lambda upstream, x: upstream,
        ),
        Mistake(
            "ends-left-out",
            "Look at the ends of the range: they belong to it.",
            backward=lambda upstream, x: upstream * (np.abs(x) < 1),
        ),
        Mistake(
            "range-inside-out",
            "The gradient passes where it should stop, and stops where it should pass.",
            backward=lambda upstream, x: upstream * (np.abs(x) > 1),
        ),
        Mistake(
            "times-the-value",
            "The upstream is multiplied by the value, so half of the weights are pushed the wrong "
            "way. Straight through means: as it came.",
            backward=lambda upstream, x: upstream * one_bit(x) * (np.abs(x) <= 1),
        ),
    ],
    hints=[
        "Two choices between two things, one for the value and one for the gradient. Which NumPy "
        "function chooses?",
        "`np.where(condition, this, that)`. For the value the condition is on x, for the gradient "
        "on |x|, ends included.",
        "`np.where(np.abs(x) <= 1, upstream, 0)` is the gradient.",
    ],
    right=[
        Edit("np.where(np.abs(x) <= 1, upstream, 0)", "upstream * (np.abs(x) <= 1)"),
        Edit("np.where(x >= 0, 1.0, -1.0)", "2.0 * (x >= 0) - 1"),
        """
from course_lib.tape import register_custom_gradient


def one_bit_backward(upstream, x):
    gradient = upstream.copy()
    gradient[(x < -1) | (x > 1)] = 0
    return gradient


one_bit_tape = register_custom_gradient(
    lambda x: np.where(x < 0, -1.0, 1.0), one_bit_backward
)
""",
    ],
    wrong=[
        ("sign-of-zero", Edit("np.where(x >= 0, 1.0, -1.0)", "np.sign(x)")),
        ("zero-belongs-to-the-right", Edit("where(x >= 0", "where(x > 0")),
        ("true-derivative", Edit("np.where(np.abs(x) <= 1, upstream, 0)", "np.zeros_like(x)")),
        ("range-ignored", Edit("np.where(np.abs(x) <= 1, upstream, 0)", "upstream")),
        ("ends-left-out", Edit("np.abs(x) <= 1,", "np.abs(x) < 1,")),
        ("range-inside-out", Edit("np.abs(x) <= 1,", "np.abs(x) > 1,")),
        (
            "times-the-value",
            Edit(
                "np.where(np.abs(x) <= 1, upstream, 0)", "np.where(np.abs(x) <= 1, upstream * y, 0)"
            ),
        ),
        ("upstream-ignored", Edit("<= 1, upstream, 0)", "<= 1, 1.0, 0)")),
        ("wrong-sign", Edit("<= 1, upstream, 0)", "<= 1, -upstream, 0)")),
        Edit("np.abs(x) <= 1", "x <= 1"),
        Edit("np.where(np.abs(x) <= 1, upstream, 0)", "np.clip(upstream, -1, 1)"),
        Edit("1.0, -1.0)", "1.0, 0.0)"),
    ],
)

# 2. Whole numbers with a range -------------------------------------------------------------------

LINES = {
    "A": "        return upstream * inside",
    "B": "    return rounded, grad_fn(upstream)",
    "C": "    inside = tf.cast(tf.abs(x) <= 4, x.dtype)",
    "D": "        return upstream",
    "E": "    rounded = tf.clip_by_value(tf.round(x), -4, 4)",
    "F": "    return rounded, grad_fn",
    "G": "        return inside",
    "H": "    def grad_fn(upstream):",
    "I": "    inside = tf.cast(tf.abs(rounded) < 4, x.dtype)",
}
PARTS = (["C"], ["E"], ["H", "A"])

clipped_round_lines = OrderQuestion(
    "clipped_round_lines",
    points=2,
    preamble="@tf.custom_gradient\ndef clipped_round(x):\n",
    lines=LINES,
    answer=["C", "E", "H", "A", "F"],
    also=[[label for part in parts for label in part] + ["F"] for parts in permutations(PARTS)],
    mistakes=[
        Mistake(
            "upstream-ignored",
            "The backward that you chose returns the slope alone. What happens to the upstream "
            "gradient?",
            when=lambda order: "G" in order,
        ),
        Mistake(
            "range-ignored",
            "The backward that you chose lets the gradient through at x = 100 as well.",
            when=lambda order: "D" in order,
        ),
        Mistake(
            "gradient-for-function",
            "A custom gradient returns a *function* for its gradient. Nobody has an upstream "
            "gradient yet while the forward runs.",
            when=lambda order: "B" in order,
        ),
        Mistake(
            "range-of-the-output",
            "An input of 3.8 is inside the range, but it is rounded to 4. The question is where "
            "the input is.",
            when=lambda order: "I" in order,
        ),
        Mistake(
            "returned-too-early",
            "Nothing after the last `return` of the function is ever run.",
            when=lambda order: "F" in order and order[-1] != "F",
        ),
        Mistake(
            "body-without-head",
            "`return upstream * inside` is the body of `grad_fn`: its `def` stands right above.",
            when=lambda order: (
                "A" in order and (order.index("A") == 0 or order[order.index("A") - 1] != "H")
            ),
        ),
    ],
    hints=[
        "A value, a mask, a function of two lines, and a return: five lines.",
        "The mask is about the input, and the gradient is the upstream times the mask.",
        "C and E come first, in any order, then H with its body; the last line is F.",
    ],
    right=[
        'clipped_round_lines = "E C H A F".split()',
        'clipped_round_lines = ("C", "E", "H", "A", "F")',
        'clipped_round_lines = ["H", "A", "C", "E", "F"]',
    ],
    wrong=[
        ("upstream-ignored", 'clipped_round_lines = list("CEHGF")'),
        ("range-ignored", 'clipped_round_lines = list("EHDF")'),
        ("gradient-for-function", 'clipped_round_lines = list("CEHAB")'),
        ("range-of-the-output", 'clipped_round_lines = list("EIHAF")'),
        ("returned-too-early", 'clipped_round_lines = list("CEFHA")'),
        ("body-without-head", 'clipped_round_lines = list("CEAHF")'),
        ("line-missing", 'clipped_round_lines = list("CEHA")'),
        ("line-twice", 'clipped_round_lines = list("CCEHAF")'),
        ("unknown-line", 'clipped_round_lines = list("CEHAX")'),
        ("line-missing", "clipped_round_lines = []"),
    ],
)

# 3. Hard forwards, soft backwards ----------------------------------------------------------------


def stairs(rng):
    """Several stairs, at random; integers and half-integers; blunt edges and sharp ones."""
    return [
        (2 * rng.normal(size=8), 3.0),
        (2 * rng.normal(size=(2, 3)), 1.0),
        (np.array([-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.25]), 4.0),
        (np.array([-2.2, 0.4, 3.7]), 8),
        (np.array(rng.normal()), 2.0),
    ]


def edge_slope(x, alpha, *, middle=0.5, floor=np.floor):
    t = np.tanh(alpha * (x - floor(x) - middle))
    return 0.5 * alpha * (1 - t**2) / np.tanh(alpha / 2)


def soft_round(x, alpha):
    t = np.tanh(alpha * (x - np.floor(x) - 0.5))
    return np.floor(x) + 0.5 + 0.5 * t / np.tanh(alpha / 2)


def told(slope):
    """A backward that tells this slope, and nothing for alpha."""
    return lambda upstream, x, alpha: (upstream * slope(x, alpha), None)


edge_round_tf = RuleQuestion(
    "edge_round_tf",
    framework="tensorflow",
    points=3,
    inputs=stairs,
    forward=lambda x, alpha: np.round(x),
    backward=told(edge_slope),
    surrogate=True,
    domain=lambda x, alpha: alpha > 0,
    mistakes=[
        Mistake(
            "soft-value",
            "The value is that of the soft rounding. It should be rounded exactly; only the slope "
            "is soft.",
            forward=soft_round,
        ),
        Mistake(
            "one-stair-only",
            "The slope is right between 0 and 1, and nearly 0 on all other stairs: the distance "
            "is to be measured from the middle of the stair on which x is.",
            backward=told(lambda x, alpha: edge_slope(x, alpha, floor=np.zeros_like)),
        ),
        Mistake(
            "edge-at-the-integer",
            "The slope is steepest at the integers. The edges of a rounding are half-way between "
            "them.",
            backward=told(lambda x, alpha: edge_slope(x, alpha, middle=0)),
        ),
        Mistake(
            "end-forgotten",
            "The slope lacks the denominator that makes the stairs meet.",
            backward=told(lambda x, alpha: edge_slope(x, alpha) * np.tanh(alpha / 2)),
        ),
        Mistake(
            "alpha-not-brought-down",
            "Differentiating tanh(alpha * r) brings down a factor from inside.",
            backward=told(lambda x, alpha: edge_slope(x, alpha) / alpha),
        ),
        Mistake(
            "straight-through",
            "This is the straight-through estimator: right as a surrogate, but not the one that "
            "is asked for.",
            backward=told(lambda x, alpha: np.ones_like(x)),
        ),
        Mistake(
            "not-a-pair",
            "A custom gradient returns two things: the value, and a function for the gradient.",
            raises="unpack",
        ),
    ],
    hints=[
        "The value is one line, and has nothing to do with alpha. For the slope, compute r first.",
        "`x - tf.floor(x) - 0.5` is r. With t = tanh(alpha * r), the slope is a fraction with "
        "1 - t² above and `np.tanh(alpha / 2)` below.",
        "End with `return tf.round(x), lambda upstream: upstream * slope`, where slope is "
        "`0.5 * alpha * (1 - t**2) / np.tanh(alpha / 2)`.",
    ],
    right=[
        Edit("tf.tanh(alpha * (x - tf.floor(x) - 0.5))", "tf.tanh(alpha * (x % 1 - 0.5))"),
        Edit("np.tanh(alpha / 2)", "float(tf.tanh(tf.constant(alpha / 2, tf.float64)))"),
        """
def edge_round_tf(x, alpha):
    end = np.tanh(alpha / 2)

    @tf.custom_gradient
    def rounded(x):
        def grad_fn(upstream):
            r = x - tf.math.floor(x) - 0.5
            return upstream * alpha * (1 - tf.square(tf.tanh(alpha * r))) / (2 * end)

        return tf.math.rint(x), grad_fn

    return rounded(x)
""",
    ],
    wrong=[
        ("soft-value", Edit("tf.round(x), ", "tf.floor(x) + 0.5 + 0.5 * t / np.tanh(alpha / 2), ")),
        ("one-stair-only", Edit("x - tf.floor(x) - 0.5", "x - 0.5")),
        ("edge-at-the-integer", Edit("x - tf.floor(x) - 0.5", "x - tf.floor(x)")),
        ("end-forgotten", Edit(" / np.tanh(alpha / 2)", "")),
        ("alpha-not-brought-down", Edit("0.5 * alpha * (1", "0.5 * (1")),
        ("straight-through", Edit("upstream * slope", "upstream")),
        ("upstream-ignored", Edit("upstream * slope", "slope")),
        ("wrong-scale", Edit("0.5 * alpha * (1", "alpha * (1")),
        ("wrong-sign", Edit("upstream * slope", "-upstream * slope")),
        ("not-a-pair", Edit(", lambda upstream: upstream * slope", "")),
        Edit("tf.round(x), ", "tf.floor(x), "),
        Edit("(1 - t**2)", "(1 - t)"),
        Edit("np.tanh(alpha / 2)", "np.tanh(alpha)"),
    ],
)

# 4. A step that learns its steepness -------------------------------------------------------------


def steps(rng):
    """Around the edge, at random, with blunt and sharp steps, and the edge itself."""
    return [
        (0.5 + rng.normal(size=6), np.array(2.0)),
        (0.5 + rng.normal(size=(2, 3)), np.array(rng.uniform(1, 3))),
        (np.array([0.5, 0.0, 1.0, 0.25]), np.array(3.0)),
        (np.array([0.1, 0.9, 0.4]), np.array(-1.0)),
        (np.array(rng.normal()), np.array(1.5)),
    ]


def step_gradients(upstream, x, alpha, *, for_x=0.5, for_alpha=0.5, middle=0.5):
    inner = upstream * (1 - np.tanh(alpha * (x - 0.5)) ** 2)
    return for_x * inner * alpha, for_alpha * np.sum(inner * (x - middle))


def without_alpha(upstream, x, alpha, *, for_x):
    return step_gradients(upstream, x, alpha, for_x=for_x)[0], None


soft_step_torch = RuleQuestion(
    "soft_step_torch",
    framework="torch",
    points=4,
    inputs=steps,
    forward=lambda x, alpha: 0.5 + 0.5 * np.tanh(alpha * (x - 0.5)),
    backward=step_gradients,
    given=Mistake(
        "factor-and-alpha-missing",
        "Both mistakes are still there.",
        backward=lambda upstream, x, alpha: without_alpha(upstream, x, alpha, for_x=1),
    ),
    mistakes=[
        Mistake(
            "alpha-still-constant",
            "The gradient for x is right now. The one for alpha is still None, so alpha learns "
            "nothing.",
            backward=lambda upstream, x, alpha: without_alpha(upstream, x, alpha, for_x=0.5),
        ),
        Mistake(
            "x-still-twice-too-large",
            "The gradient for alpha is right. The one for x is still twice what it should be: "
            "which factor stands in front of tanh?",
            backward=lambda upstream, x, alpha: step_gradients(upstream, x, alpha, for_x=1),
        ),
        Mistake(
            "alpha-twice-too-large",
            "The gradient for x is right, and the one for alpha twice what it should be.",
            backward=lambda upstream, x, alpha: step_gradients(upstream, x, alpha, for_alpha=1),
        ),
        Mistake(
            "both-twice-too-large",
            "Both are there, and both twice too large: which factor stands in front of tanh?",
            backward=lambda upstream, x, alpha: step_gradients(
                upstream, x, alpha, for_x=1, for_alpha=1
            ),
        ),
        Mistake(
            "alpha-times-x",
            "Inside of tanh, alpha is multiplied by x - 1/2 and not by x.",
            backward=lambda upstream, x, alpha: step_gradients(upstream, x, alpha, middle=0),
        ),
        Mistake(
            "alpha-averaged",
            "Each entry of x uses the same alpha, and each contributes. Contributions add up; "
            "they are not averaged.",
            backward=lambda upstream, x, alpha: (
                step_gradients(upstream, x, alpha)[0],
                step_gradients(upstream, x, alpha)[1] / np.size(x),
            ),
        ),
    ],
    hints=[
        "One factor of the formula never made it into `for_x`. For alpha, ask how y changes with "
        "alpha while x stands still.",
        "y = 1/2 + t/2, and the derivative of t is (1 - t²) times that of what is inside: alpha "
        "for x, and x - 1/2 for alpha. There is one alpha for all entries: sum.",
        "With `inner = upstream * 0.5 * (1 - t**2)`, return `inner * alpha` and the sum of "
        "`inner * (x - 0.5)`.",
    ],
    right=[
        Edit("(inner * (x - 0.5)).sum()", "torch.sum(inner * (x - 0.5))"),
        Edit("upstream * 0.5 * (1 - t**2)", "upstream * (1 - t) * (1 + t) / 2"),
        """
class SoftStep(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, alpha):
        y = torch.sigmoid(2 * alpha * (x - 0.5))
        ctx.save_for_backward(x, alpha, y)
        return y

    @staticmethod
    def backward(ctx, upstream):
        x, alpha, y = ctx.saved_tensors
        common = 2 * upstream * y * (1 - y)
        return common * alpha, torch.dot(common.flatten(), (x - 0.5).flatten())


soft_step_torch = SoftStep.apply
""",
    ],
    wrong=[
        ("alpha-still-constant", Edit("(inner * (x - 0.5)).sum()", "None")),
        ("x-still-twice-too-large", Edit("return inner * alpha,", "return 2 * inner * alpha,")),
        ("alpha-twice-too-large", Edit("(inner * (x - 0.5)).sum()", "(inner * (2 * x - 1)).sum()")),
        ("both-twice-too-large", Edit("upstream * 0.5 * (1", "upstream * (1")),
        ("alpha-times-x", Edit("(inner * (x - 0.5)).sum()", "(inner * x).sum()")),
        ("alpha-averaged", Edit(".sum()", ".mean()")),
        ("wrong-shape", Edit("(inner * (x - 0.5)).sum()", "inner * (x - 0.5)")),
        ("upstream-ignored", Edit("inner = upstream * 0.5", "inner = 0.5")),
        (
            "wrong-sign",
            Edit("return inner * alpha, (inner", "return -inner * alpha, -(inner"),
        ),
        Edit("(inner * (x - 0.5)).sum()", "(inner * alpha).sum()"),
        Edit("return inner * alpha,", "return inner,"),
        Edit("(1 - t**2)", "(1 - t)"),
        Edit("return inner * alpha, ", "return inner * alpha / 2, "),
    ],
)

rubric = Rubric(
    __file__,
    [one_bit_tape, clipped_round_lines, edge_round_tf, soft_step_torch],
)
