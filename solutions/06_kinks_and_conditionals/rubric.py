"""Exercise 06: functions that are made of pieces."""

from itertools import chain, permutations

import numpy as np

from course_lib.grading import Edit, Mistake, OrderQuestion, Rubric, RuleQuestion

# 1. The soft threshold ----------------------------------------------------------------------------


def around_one(rng):
    """Vectors, a matrix and one number on both sides of the corners; the corners; far away."""
    return [
        2 * rng.normal(size=9),
        3 * rng.normal(size=(2, 3)),
        np.array(3 * rng.normal()),
        np.array([-1.0, 1.0, 0.0, -0.5, 0.5, -2.0, 2.0, 100.0]),
    ]


def soft_threshold(x):
    return np.sign(x) * np.maximum(np.abs(x) - 1, 0)


soft_threshold_tape = RuleQuestion(
    "soft_threshold_tape",
    framework="tape",
    points=2,
    inputs=around_one,
    forward=soft_threshold,
    backward=lambda u, x: u * (np.abs(x) > 1),
    mistakes=[
        Mistake(
            "other-side-of-the-corner",
            "Right inside each piece. At the corners, where the absolute value is exactly 1, the "
            "question asks for the slope of the middle piece.",
            backward=lambda u, x: u * (np.abs(x) >= 1),
        ),
        Mistake(
            "half-at-the-corner",
            "A subgradient, and a legal one; but the question asks for another choice at the "
            "corners.",
            backward=lambda u, x: u * np.where(np.abs(x) == 1, 0.5, np.abs(x) > 1),
        ),
        Mistake(
            "sign-in-the-slope",
            "Both outer pieces rise. The sign belongs to the value and not to the slope.",
            backward=lambda u, x: u * np.sign(x) * (np.abs(x) > 1),
        ),
        Mistake(
            "middle-not-flat",
            "The middle piece is constant: what is its slope?",
            backward=lambda u, x: u,
        ),
        Mistake(
            "right-piece-only",
            "There is a piece on the left as well, below minus one.",
            backward=lambda u, x: u * (x > 1),
        ),
        Mistake(
            "hard-threshold",
            "This keeps the large numbers as they are. They should be pulled in by one.",
            forward=lambda x: np.where(np.abs(x) > 1, x, 0),
        ),
        Mistake(
            "left-piece-pushed-out",
            "One is subtracted on both sides. On the left, towards zero means upwards.",
            forward=lambda x: np.where(np.abs(x) > 1, x - 1, 0),
        ),
        Mistake(
            "middle-not-zero",
            "The outer pieces are right. What should become of the numbers between them?",
            forward=lambda x: np.sign(x) * (np.abs(x) - 1),
        ),
    ],
    hints=[
        "Draw it: three straight lines. What is the slope of each?",
        "Value and slope depend on whether `np.abs(x)` is greater than 1. `np.where` picks entry "
        "by entry.",
        "The gradient is `upstream` where `np.abs(x) > 1`, and 0 elsewhere. The value is "
        "`np.sign(x)` times what is left of `np.abs(x)` after the pull.",
    ],
    right=[
        Edit("np.where(np.abs(x) > 1, upstream, 0)", "upstream * (np.abs(x) > 1)"),
        Edit(
            "np.sign(x) * np.maximum(np.abs(x) - 1, 0)",
            "np.where(x > 1, x - 1, np.where(x < -1, x + 1, 0))",
        ),
        Edit(
            "np.sign(x) * np.maximum(np.abs(x) - 1, 0)",
            "x - np.clip(x, -1, 1)",
            "np.where(np.abs(x) > 1, upstream, 0)",
            "np.select([x > 1, x < -1], [upstream, upstream], 0.0)",
        ),
    ],
    wrong=[
        ("other-side-of-the-corner", Edit("np.where(np.abs(x) > 1", "np.where(np.abs(x) >= 1")),
        (
            "half-at-the-corner",
            Edit(
                "np.where(np.abs(x) > 1, upstream, 0)",
                "upstream * np.heaviside(np.abs(x) - 1, 0.5)",
            ),
        ),
        ("sign-in-the-slope", Edit("upstream, 0)", "np.sign(x) * upstream, 0)")),
        ("middle-not-flat", Edit("np.where(np.abs(x) > 1, upstream, 0)", "upstream")),
        ("right-piece-only", Edit("np.where(np.abs(x) > 1", "np.where(x > 1")),
        (
            "hard-threshold",
            Edit("np.sign(x) * np.maximum(np.abs(x) - 1, 0)", "np.where(np.abs(x) > 1, x, 0)"),
        ),
        (
            "left-piece-pushed-out",
            Edit("np.sign(x) * np.maximum(np.abs(x) - 1, 0)", "np.where(np.abs(x) > 1, x - 1, 0)"),
        ),
        (
            "middle-not-zero",
            Edit("np.sign(x) * np.maximum(np.abs(x) - 1, 0)", "np.sign(x) * (np.abs(x) - 1)"),
        ),
        ("upstream-ignored", Edit("upstream, 0)", "1.0, 0.0)")),
        ("wrong-sign", Edit("upstream, 0)", "-upstream, 0)")),
        Edit("np.sign(x) * np.maximum", "np.maximum"),
        Edit("np.where(np.abs(x) > 1, upstream, 0)", "np.where(np.abs(x) < 1, upstream, 0)"),
    ],
)

# 2. A length, in order ----------------------------------------------------------------------------

LINES = {
    "A": "        return upstream * x / y",
    "B": "    @staticmethod\n    def setup_context(ctx, inputs, output):",
    "C": "        safe = torch.where(y > 0, y, 1)",
    "D": "        return (x * x).sum().sqrt()",
    "E": "        return x / safe",
    "F": "    @staticmethod\n    def forward(x):",
    "G": "        ctx.save_for_backward(*inputs, output)",
    "H": "        return upstream * x / safe",
    "I": "    @staticmethod\n    def backward(ctx, upstream):",
    "J": "        safe = torch.where(x > 0, x, 1)",
    "K": "        x, y = ctx.saved_tensors",
    "L": "        return (x * x).sqrt().sum()",
}
METHODS = (["F", "D"], ["B", "G"], ["I", "K", "C", "H"])

length_lines = OrderQuestion(
    "length_lines",
    points=2,
    preamble="class Length(torch.autograd.Function):",
    lines=LINES,
    answer=list(chain(*METHODS)),
    also=[list(chain(*methods)) for methods in permutations(METHODS)],
    mistakes=[
        Mistake(
            "nan-at-zero",
            "This backward divides by the length as it is. What does it return at the origin?",
            when=lambda order: "A" in order,
        ),
        Mistake(
            "upstream-ignored",
            "The backward that you chose returns the derivative alone. What happens to the "
            "upstream gradient?",
            when=lambda order: "E" in order,
        ),
        Mistake(
            "wrong-guard",
            "The guard belongs to what you divide by, and that is not `x`.",
            when=lambda order: "J" in order,
        ),
        Mistake(
            "sum-of-roots",
            "This forward takes the roots first and the sum afterwards: it is the sum of the "
            "absolute values, and no length.",
            when=lambda order: "L" in order,
        ),
        Mistake(
            "guard-too-late",
            "`safe` has to be there before the line that divides by it.",
            when=lambda order: {"C", "H"} <= set(order) and order.index("H") < order.index("C"),
        ),
        Mistake(
            "guard-too-early",
            "The guard needs `y`, which is taken out of ctx by another line.",
            when=lambda order: {"C", "K"} <= set(order) and order.index("C") < order.index("K"),
        ),
    ],
    hints=[
        "Three methods, and each begins with its `def` line. Which lines can stand under which?",
        "What is divided by must not be zero. That is the output, so it has to be saved, taken "
        "out, and guarded before it is used.",
        "`forward` is F, D. `setup_context` is B, G. `backward` is I followed by three lines.",
    ],
    right=[
        'length_lines = ("F", "D", "B", "G", "I", "K", "C", "H")',
        'length_lines = "F D B G I K C H".split()',
        'length_lines = ["I", "K", "C", "H", "F", "D", "B", "G"]',
    ],
    wrong=[
        ("nan-at-zero", 'length_lines = list("FDBGIKA")'),
        ("upstream-ignored", 'length_lines = list("FDBGIKCE")'),
        ("wrong-guard", 'length_lines = list("FDBGIKJH")'),
        ("sum-of-roots", 'length_lines = list("FLBGIKCH")'),
        ("guard-too-late", 'length_lines = list("FDBGIKHC")'),
        ("guard-too-early", 'length_lines = list("FDBGICKH")'),
        ("line-missing", 'length_lines = list("FDBGIKH")'),
        ("line-twice", 'length_lines = list("FDBGIKCHH")'),
        ("unknown-line", 'length_lines = list("FDBGIKCX")'),
        ("wrong-order", 'length_lines = list("DFBGIKCH")'),
        ("line-missing", "length_lines = []"),
    ],
)

# 3. Entropy: find the NaN -------------------------------------------------------------------------


def probabilities(rng):
    """Between 0 and 1, with zeros and slightly negative ones; where the slope is zero; above 1."""
    vector = rng.uniform(0.01, 1, size=6)
    vector[rng.integers(0, 6)] = 0.0
    return [
        vector,
        rng.uniform(0.01, 1, size=(2, 2)),
        np.array(rng.uniform(0.1, 0.9)),
        np.array([0.0, -1e-9, -0.5, -2.0, np.exp(-1), 1e-6, 0.5, 1.0, 2.0]),
    ]


def positive_part(f, otherwise=0.0):
    """f where p > 0, and another value elsewhere."""

    def pieces(p):
        return np.where(p > 0, f(np.where(p > 0, p, 1)), otherwise)

    return pieces


entropy = positive_part(lambda p: -p * np.log(p))
entropy_slope = positive_part(lambda p: -np.log(p) - 1)

entropy_torch = RuleQuestion(
    "entropy_torch",
    framework="torch",
    by_hand=False,
    points=3,
    inputs=probabilities,
    forward=entropy,
    backward=lambda u, p: u * entropy_slope(p),
    given=Mistake(
        "nan-behind-where",
        "The gradient is NaN where `p` is not positive: `where` chooses a value, but the branch "
        "that was not chosen is differentiated as well.",
        backward=lambda u, p: u * positive_part(lambda p: -np.log(p) - 1, np.nan)(p),
    ),
    mistakes=[
        Mistake(
            "detached",
            "There is no NaN any more, and no gradient through the logarithm either. Something "
            "has been cut off the graph.",
            backward=lambda u, p: u * positive_part(lambda p: -np.log(p))(p),
        ),
        Mistake(
            "slope-beyond-the-seam",
            "Where `p` is not positive, the function is constant, and the gradient should be 0.",
            backward=lambda u, p: u * positive_part(lambda p: -np.log(p) - 1, -1.0)(p),
        ),
        Mistake(
            "product-rule-forgotten",
            "In a rule of your own: `p` stands in front of the logarithm and inside of it. The "
            "product rule gives two terms.",
            backward=lambda u, p: u * positive_part(lambda p: -1.0 + 0 * p)(p),
        ),
        Mistake(
            "clamped",
            "Close, but a bound above zero changes the values of small probabilities. Guard only "
            "what is not positive.",
            forward=lambda p: np.where(p > 0, -p * np.log(np.maximum(p, 1e-3)), 0),
            backward=lambda u, p: (
                u * np.where(p > 0, -np.log(np.maximum(p, 1e-3)) - (p >= 1e-3), 0)
            ),
        ),
    ],
    hints=[
        "Both branches are computed. What is the logarithm of 0, and what is its slope there?",
        "The branch that is not picked gets a zero for its upstream gradient, and zero times "
        "infinity is NaN. So the logarithm must never see a 0.",
        "`harmless = torch.where(p > 0, p, 1.0)` is safe to take the logarithm of. Keep the "
        "outer `where`.",
    ],
    right=[
        Edit("-p * torch.log(harmless)", "-harmless * torch.log(harmless)"),
        """
def entropy_torch(p):
    y = torch.zeros_like(p)
    y[p > 0] = -p[p > 0] * p[p > 0].log()
    return y
""",
        """
class Entropy(torch.autograd.Function):
    @staticmethod
    def forward(p):
        return -torch.xlogy(p.clamp(min=0), p.clamp(min=0))

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, upstream):
        (p,) = ctx.saved_tensors
        return torch.where(p > 0, -upstream * (p.log() + 1), 0)


entropy_torch = Entropy.apply
""",
    ],
    wrong=[
        (
            "nan-behind-where",
            Edit(
                "torch.where(p > 0, -p * torch.log(harmless), 0.0)",
                "torch.nan_to_num(torch.where(p > 0, -p * torch.log(p), 0.0))",
            ),
        ),
        ("detached", Edit("torch.log(harmless)", "torch.log(harmless.detach())")),
        (
            "slope-beyond-the-seam",
            Edit(
                "torch.where(p > 0, -p * torch.log(harmless), 0.0)",
                "torch.where(p > 0, -p * torch.log(harmless), 0.0)"
                " + torch.where(p > 0, 0, p.detach() - p)",
            ),
        ),
        (
            "product-rule-forgotten",
            Edit("-p * torch.log(harmless)", "-p.detach() * torch.log(harmless)"),
        ),
        (
            "clamped",
            Edit("torch.where(p > 0, p, 1.0)", "torch.clamp(p, min=1e-3)"),
        ),
        ("unstable", Edit("torch.where(p > 0, p, 1.0)", "torch.where(p >= 0, p, 1.0)")),
        (
            "missing-gradient",
            Edit(
                "harmless = torch.where(p > 0", "p = p.detach()\n    harmless = torch.where(p > 0"
            ),
        ),
        ("wrong-scale", Edit("torch.log(harmless)", "torch.log2(harmless)")),
        Edit("torch.where(p > 0, -p", "torch.where(p >= 0.5, -p"),
        Edit("-p * torch.log(harmless)", "-torch.log(harmless)"),
        Edit("torch.where(p > 0, -p * torch.log(harmless), 0.0)", "torch.special.entr(p)"),
    ],
)

# 4. The Huber loss in TensorFlow ------------------------------------------------------------------


def residuals(rng):
    """Small and large ones, for several distances; where the pieces meet; zero."""
    return [
        (2 * rng.normal(size=7), 1.0),
        (2 * rng.normal(size=(2, 3)), 0.5),
        (np.array(3 * rng.normal()), 1.5),
        (np.array([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 50.0]), 1.0),
        (np.array([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0]), 2.0),
    ]


def huber(x, delta):
    size = np.abs(x)
    return np.where(size <= delta, x * x / 2, delta * (size - delta / 2))


def huber_mistake(code, hint, slope=None, forward=None):
    backward = slope and (lambda u, x, delta: (u * slope(x, delta), None))
    return Mistake(code, hint, backward=backward, forward=forward)


huber_tf = RuleQuestion(
    "huber_tf",
    framework="tensorflow",
    by_hand=False,
    points=3,
    inputs=residuals,
    domain=lambda x, delta: delta > 0,
    forward=huber,
    backward=lambda u, x, delta: (u * np.clip(x, -delta, delta), None),
    mistakes=[
        Mistake(
            "upstream-ignored",
            "This is the slope of the loss alone. It still has to be multiplied by the upstream "
            "gradient.",
            backward=lambda u, x, delta: (np.clip(x, -delta, delta), None),
        ),
        huber_mistake(
            "sign-forgotten",
            "Far to the left the line falls: its slope is negative there.",
            slope=lambda x, delta: np.where(np.abs(x) <= delta, x, delta),
        ),
        huber_mistake(
            "slope-one-outside",
            "The slope of the outer pieces is the factor in front of the absolute value.",
            slope=lambda x, delta: np.where(np.abs(x) <= delta, x, np.sign(x)),
        ),
        huber_mistake(
            "parabola-everywhere",
            "This is the slope of the parabola, and it is in force only near zero.",
            slope=lambda x, delta: x,
        ),
        huber_mistake(
            "delta-ignored",
            "The pieces meet at delta, and you let them meet at 1.",
            slope=lambda x, delta: np.clip(x, -1, 1),
            forward=lambda x, delta: huber(x, 1.0),
        ),
        huber_mistake(
            "not-continuous",
            "At a distance of delta the two formulas should give the same value. What is "
            "subtracted from the absolute value?",
            forward=lambda x, delta: np.where(np.abs(x) <= delta, x * x / 2, delta * np.abs(x)),
        ),
        huber_mistake(
            "half-forgotten",
            "The parabola has a factor in front.",
            forward=lambda x, delta: np.where(
                np.abs(x) <= delta, x * x, delta * (np.abs(x) - delta / 2)
            ),
        ),
        huber_mistake(
            "outer-slope-zero",
            "The outer pieces are straight, but they are not flat.",
            slope=lambda x, delta: np.where(np.abs(x) <= delta, x, 0),
        ),
    ],
    hints=[
        "Differentiate each formula by itself. What is the slope of $|x|$ on either side of zero?",
        "The slope is $x$ near zero, and $\\pm\\delta$ farther out: it is $x$, held between two "
        "bounds.",
        "`upstream * tf.clip_by_value(x, -delta, delta)`; the value is a `tf.where` of the two "
        "formulas with the condition `tf.abs(x) <= delta`.",
    ],
    right=[
        Edit(
            "tf.clip_by_value(x, -delta, delta)",
            "tf.where(tf.abs(x) <= delta, x, delta * tf.sign(x))",
        ),
        Edit("size <= delta", "size < delta"),
        """
def huber_tf(x, delta):
    near = tf.clip_by_value(x, -delta, delta)
    return near * near / 2 + delta * (tf.abs(x) - tf.abs(near))
""",
    ],
    wrong=[
        ("upstream-ignored", Edit("upstream * tf.clip", "tf.clip")),
        (
            "sign-forgotten",
            Edit(
                "tf.clip_by_value(x, -delta, delta)",
                "tf.where(tf.abs(x) <= delta, x, delta * tf.ones_like(x))",
            ),
        ),
        (
            "slope-one-outside",
            Edit(
                "tf.clip_by_value(x, -delta, delta)",
                "tf.where(tf.abs(x) <= delta, x, tf.sign(x))",
            ),
        ),
        ("parabola-everywhere", Edit("tf.clip_by_value(x, -delta, delta)", "x")),
        (
            "delta-ignored",
            Edit("def huber_tf(x, delta):", "def huber_tf(x, delta):\n    delta = 1.0"),
        ),
        ("not-continuous", Edit("(size - delta / 2)", "size")),
        ("half-forgotten", Edit("x * x / 2", "x * x")),
        (
            "outer-slope-zero",
            Edit(
                "tf.clip_by_value(x, -delta, delta)",
                "tf.where(tf.abs(x) <= delta, x, tf.zeros_like(x))",
            ),
        ),
        ("wrong-sign", Edit("return upstream", "return -upstream")),
        ("wrong-scale", Edit("return upstream", "return 2 * upstream")),
        Edit("size <= delta", "size >= delta"),
        Edit("tf.clip_by_value(x, -delta, delta)", "tf.clip_by_value(x, 0 * delta, delta)"),
    ],
)

rubric = Rubric(__file__, [soft_threshold_tape, length_lines, entropy_torch, huber_tf])
