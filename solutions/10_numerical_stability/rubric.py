"""Exercise 10: value, first and second derivative, finite and right at the ends."""

import numpy as np

from course_lib.grading import Edit, FunctionQuestion, Mistake, Rubric, RuleQuestion

ENDS = np.array([-1000.0, -300.0, -40.0, -1.0, 0.0, 1.0, 40.0, 300.0, 1000.0])
ENDS_32 = np.array([-1000, -60, 0, 20, 60, 1000], np.float32)


def at_the_ends(rng):
    """Random numbers, and as far out as it goes, in both precisions."""
    return [rng.normal(size=5), rng.normal(size=(2, 3)), np.array(rng.normal()), ENDS, ENDS_32]


def log1pexp(x):
    return np.logaddexp(x, 0)


def sigmoid(x):
    return np.exp(-log1pexp(-x))


def sigmoid_slope(x):
    return sigmoid(x) * sigmoid(-x)


def naive_sigmoid(x):
    return 1 / (1 + np.exp(-x))


def upstream_ignored(backward, second):
    return Mistake(
        "upstream-ignored",
        "These are the numbers for an upstream of ones. A backward rule receives the upstream "
        "gradient and has to multiply by it.",
        backward=backward,
        second=second,
    )


def wrong_sign(backward, second):
    return Mistake(
        "wrong-sign",
        "Each gradient has the right size and the opposite sign.",
        backward=backward,
        second=second,
    )


log_sigmoid = FunctionQuestion(
    "log_sigmoid",
    points=2,
    inputs=at_the_ends,
    reference=lambda x: -log1pexp(-x),
    atol=0,
    mistakes=[
        Mistake(
            "overflows",
            "For large negative $x$ this is infinite, since $e^{-x}$ is. Take the large part out "
            "before the exponential.",
            lambda x: -np.log(1 + np.exp(-x)),
        ),
        Mistake(
            "digits-lost",
            "Finite everywhere. But where the result is tiny it comes out as 0: $1 + t$ has "
            "swallowed $t$.",
            lambda x: np.minimum(x, 0) - np.log(1 + np.exp(-np.abs(x))),
        ),
        Mistake(
            "other-sign-of-x",
            "This is $\\log\\sigma(-x)$: right for the other sign of $x$.",
            lambda x: -log1pexp(x),
        ),
        Mistake(
            "softplus",
            "The size is right. The logarithm of a probability is never positive.",
            lambda x: log1pexp(-x),
        ),
    ],
    hints=[
        "$\\log\\frac1{1+e^{-x}} = -\\log(1 + e^{-x})$. On which side does that overflow?",
        "On that side, write $1 + e^{-x} = e^{-x}(e^{x} + 1)$. Both sides in one line: the smaller "
        "of $x$ and 0, minus a logarithm that is harmless.",
        "`np.minimum(x, 0)` minus `np.log1p` of an exponential whose exponent is never positive.",
    ],
    right=[
        Edit(
            "np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))",
            "-(np.maximum(-x, 0) + np.log1p(np.exp(-abs(x))))",
        ),
        Edit("np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))", "-np.logaddexp(0, -x)"),
        """
def log_sigmoid(x):
    small = np.log1p(np.exp(np.where(x > 0, -x, x)))
    return np.where(x > 0, -small, x - small)
""",
    ],
    wrong=[
        ("overflows", "def log_sigmoid(x):\n    return -np.log(1 + np.exp(-x))"),
        ("overflows", "def log_sigmoid(x):\n    return np.log(1 / (1 + np.exp(-x)))"),
        ("digits-lost", Edit("np.log1p(np.exp", "np.log(1 + np.exp")),
        ("other-sign-of-x", Edit("np.minimum(x, 0)", "np.minimum(-x, 0)")),
        ("softplus", "def log_sigmoid(x):\n    return np.logaddexp(0, -x)"),
        "def log_sigmoid(x):\n    return -np.log1p(np.exp(-x))",
        "def log_sigmoid(x):\n    return -np.log1p(np.exp(-np.clip(x, -30, 30)))",
        "def log_sigmoid(x):\n    return np.where(x < -30, x, -np.log(1 + np.exp(-x)))",
        Edit("np.exp(-np.abs(x))", "np.exp(np.abs(x))"),
    ],
)


def pairs(rng):
    """Far apart, equal, and near; in float32 far apart or equal to 1000."""
    base = rng.normal(size=ENDS.size)
    far = np.array([1000, -1000, 1000, 0, 60], np.float32)
    return [
        (rng.normal(size=5), rng.normal(size=5)),
        (rng.normal(size=(2, 3)), rng.normal(size=(2, 3))),
        (base + ENDS, base),
        (np.array([0.0, 1000.0, -1000.0]), np.array([0.0, 1000.0, -1000.0])),
        (far, np.array([-1000, 1000, 900, 60, 0], np.float32)),
    ]


def logaddexp_backward(upstream, a, b):
    return upstream * sigmoid(a - b), upstream * sigmoid(b - a)


def logaddexp_second(direction_a, direction_b, upstream, a, b):
    bend = upstream * sigmoid_slope(a - b) * (direction_a - direction_b)
    return bend, -bend


logaddexp_tape = RuleQuestion(
    "logaddexp_tape",
    framework="tape",
    points=3,
    inputs=pairs,
    forward=np.logaddexp,
    backward=logaddexp_backward,
    second=logaddexp_second,
    atol=1e-22,
    mistakes=[
        upstream_ignored(
            lambda upstream, a, b: logaddexp_backward(1.0, a, b),
            lambda da, db, upstream, a, b: logaddexp_second(da, db, 1.0, a, b),
        ),
        wrong_sign(
            lambda upstream, a, b: logaddexp_backward(-upstream, a, b),
            lambda da, db, upstream, a, b: logaddexp_second(da, db, -upstream, a, b),
        ),
        Mistake(
            "inputs-swapped",
            "These are the right gradients, in the wrong order: the larger number has the larger "
            "share.",
            backward=lambda upstream, a, b: logaddexp_backward(upstream, a, b)[::-1],
            second=lambda da, db, upstream, a, b: logaddexp_second(db, da, upstream, a, b),
        ),
        Mistake(
            "digits-lost",
            "Right but for the tiny gradients: $1 - \\sigma(x)$ loses the digits that another "
            "sigmoid has.",
            backward=lambda upstream, a, b: (
                upstream * sigmoid(a - b),
                upstream * (1 - sigmoid(a - b)),
            ),
        ),
        Mistake(
            "gradient-of-the-maximum",
            "This is the gradient of the larger of the two. Here both numbers have a share.",
            backward=lambda upstream, a, b: (upstream * (a > b), upstream * (a <= b)),
            second=lambda da, db, upstream, a, b: (np.zeros_like(a), np.zeros_like(b)),
        ),
        Mistake(
            "value-overflows",
            "The gradients are right. The value still takes the exponential of a large number.",
            forward=lambda a, b: np.log(np.exp(a) + np.exp(b)),
        ),
    ],
    hints=[
        "For the value, take the larger of the two out; what remains is a `log1p` of an "
        "exponential that depends on $|a - b|$.",
        "Each gradient is the upstream times a sigmoid. Compute both with `sigmoid_tape`, so that "
        "a second derivative goes through its rule; neither is one minus the other.",
        "`grad_fn` returns `upstream * sigmoid_tape(a - b)` and the same with `a` and `b` "
        "exchanged.",
    ],
    right=[
        Edit(
            "np.maximum(a, b) + np.log1p(np.exp(-np.abs(a - b)))",
            "np.logaddexp(a, b)",
        ),
        Edit("upstream * sigmoid_tape(b - a)", "upstream * sigmoid_tape(-(a - b))"),
        """
from course_lib.tape import register_custom_gradient


def forward(a, b):
    top = np.maximum(a, b)
    return top + np.log1p(np.exp(np.minimum(a, b) - top))


def backward(upstream, a, b):
    return sigmoid_tape(a - b) * upstream, sigmoid_tape(b - a) * upstream


logaddexp_tape = register_custom_gradient(forward, backward)
""",
    ],
    wrong=[
        ("digits-lost", Edit("sigmoid_tape(b - a)", "(1 - sigmoid_tape(a - b))")),
        (
            "gradient-of-the-maximum",
            Edit("sigmoid_tape(a - b)", "(a > b)", "sigmoid_tape(b - a)", "(a <= b)"),
        ),
        (
            "value-overflows",
            Edit(
                "np.maximum(a, b) + np.log1p(np.exp(-np.abs(a - b)))",
                "np.log(np.exp(a) + np.exp(b))",
            ),
        ),
        (
            "inputs-swapped",
            Edit("(a - b), upstream", "(b - a), upstream", "_tape(b - a)\n", "_tape(a - b)\n"),
        ),
        (
            "upstream-ignored",
            Edit(
                "upstream * sigmoid_tape(a",
                "sigmoid_tape(a",
                "upstream * sigmoid_tape(b",
                "sigmoid_tape(b",
            ),
        ),
        (
            "wrong-sign",
            Edit("return upstream * ", "return -upstream * ", ", upstream *", ", -upstream *"),
        ),
        Edit("sigmoid_tape(b - a)", "sigmoid_tape(a - b)"),
        Edit("sigmoid_tape(a - b)", "stable_sigmoid(a - b)"),
        Edit("sigmoid_tape(a - b)", "(1 / (1 + np.exp(b - a)))"),
        Edit("np.log1p(np.exp", "np.log((np.exp"),
        """
def logaddexp_tape(a, b):
    return np.maximum(a, b) + np.log1p(np.exp(-np.abs(a - b)))
""",
        """
def logaddexp_tape(a, b):
    return np.log(np.exp(a) + np.exp(b))
""",
    ],
)


def log1pexp_backward(upstream, x):
    return upstream * sigmoid(x)


def log1pexp_second(direction, upstream, x):
    return direction * upstream * sigmoid_slope(x)


def documented_backward(upstream, x):
    return upstream * (1 - 1 / (1 + np.exp(x)))


def documented_second(direction, upstream, x):
    e = np.exp(x)
    return direction * upstream * ((1 / (1 + e)) / (1 + e) * e)


log1pexp_tf = RuleQuestion(
    "log1pexp_tf",
    framework="tensorflow",
    points=3,
    inputs=at_the_ends,
    forward=log1pexp,
    backward=log1pexp_backward,
    second=log1pexp_second,
    atol=0,
    given=Mistake(
        "as-documented",
        "Try numbers far to the right and far to the left: $e^x$ overflows, or is lost beside 1.",
        forward=lambda x: np.log(1 + np.exp(x)),
        backward=documented_backward,
        second=documented_second,
    ),
    mistakes=[
        upstream_ignored(
            lambda upstream, x: sigmoid(x),
            lambda direction, upstream, x: direction * sigmoid_slope(x),
        ),
        wrong_sign(
            lambda upstream, x: log1pexp_backward(-upstream, x),
            lambda direction, upstream, x: log1pexp_second(direction, -upstream, x),
        ),
        Mistake(
            "value-not-repaired",
            "Both derivatives are right now. Look at the value, at the far right and at the far "
            "left.",
            forward=lambda x: np.log(1 + np.exp(x)),
        ),
        Mistake(
            "value-repaired-only",
            "The value is right now. The gradient still divides by $1 + e^x$, and its derivative "
            "multiplies 0 by infinity.",
            backward=documented_backward,
            second=documented_second,
        ),
        Mistake(
            "value-digits-lost",
            "Finite everywhere. But far to the left the value is tiny, and $1 + t$ has swallowed "
            "it.",
            forward=lambda x: np.maximum(x, 0) + np.log(1 + np.exp(-np.abs(x))),
        ),
        Mistake(
            "second-order-digits-lost",
            "Value and first derivative are right. TensorFlow differentiates its own sigmoid as "
            "$y(1 - y)$, which has no digits left at 40. The given rule does better.",
            second=lambda direction, upstream, x: (
                direction * upstream * naive_sigmoid(x) * (1 - naive_sigmoid(x))
            ),
        ),
    ],
    hints=[
        "Three places: the value far to the right, the value far to the left, and whatever the "
        "gradient is differentiated through.",
        "The value: take the larger of $x$ and 0 out, and use `tf.math.log1p`. The gradient: it is "
        "a sigmoid, and there is a rule for that which is stable in all derivatives.",
        "`grad_fn` returns `upstream * sigmoid_tf(x)`; the value is `tf.maximum(x, 0)` plus "
        "`tf.math.log1p` of an exponential that never exceeds 1.",
    ],
    right=[
        Edit("upstream * sigmoid_tf(x)", "tf.multiply(sigmoid_tf(x), upstream)"),
        Edit("tf.maximum(x, 0) + tf.math.log1p(tf.exp(-tf.abs(x)))", "-tf.math.log_sigmoid(-x)"),
        """
@tf.custom_gradient
def log1pexp_tf(x):
    y = tf.nn.relu(x) + tf.math.log1p(tf.exp(-tf.abs(x)))
    return y, lambda upstream: upstream * sigmoid_tf(x)
""",
    ],
    wrong=[
        (
            "value-not-repaired",
            Edit(
                "tf.maximum(x, 0) + tf.math.log1p(tf.exp(-tf.abs(x)))", "tf.math.log(1 + tf.exp(x))"
            ),
        ),
        ("value-repaired-only", Edit("sigmoid_tf(x)", "(1 - 1 / (1 + tf.exp(x)))")),
        ("value-digits-lost", Edit("log1p(tf.exp(-tf.abs(x)))", "log(1 + tf.exp(-tf.abs(x)))")),
        ("second-order-digits-lost", Edit("sigmoid_tf(x)", "tf.sigmoid(x)")),
        ("wrong-sign", Edit("upstream * sigmoid_tf(x)", "-upstream * sigmoid_tf(x)")),
        ("upstream-ignored", Edit("upstream * sigmoid_tf(x)", "sigmoid_tf(x)")),
        Edit("sigmoid_tf(x)", "sigmoid_tf(-x)"),
        Edit("sigmoid_tf(x)", "tf.stop_gradient(sigmoid_tf(x))"),
        Edit("sigmoid_tf(x)", "(tf.exp(x) / (1 + tf.exp(x)))"),
        Edit("tf.maximum(x, 0)", "tf.minimum(x, 30)"),
        """
def log1pexp_tf(x):
    return tf.maximum(x, 0) + tf.math.log1p(tf.exp(-tf.abs(x)))
""",
        """
def log1pexp_tf(x):
    return tf.where(x > 30, x, tf.math.log1p(tf.exp(x)))
""",
    ],
)


def batches(rng):
    """One row, several, several axes; rows far apart, ties, a single column, float32."""
    return [
        rng.normal(size=4),
        rng.normal(size=(3, 4)),
        rng.normal(size=(2, 3, 2)),
        np.array([[1000.0, 999.0, -1000.0], [-1000.0, -1000.0, -1001.0]]),
        np.array([[0.0, 0.0], [1.0, 1.0], [2.0, -1.0]]),
        rng.normal(size=(4, 1)),
        np.array([[100, 98, 0, 1], [-100, -99, -102, -100]], np.float32),
    ]


def logsumexp(x):
    return np.logaddexp.reduce(x, axis=-1)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def logsumexp_backward(upstream, x):
    return upstream[..., None] * softmax(x)


def logsumexp_second(direction, upstream, x):
    p = softmax(x)
    mean = (p * direction).sum(axis=-1, keepdims=True)
    return upstream[..., None] * p * (direction - mean)


logsumexp_torch = RuleQuestion(
    "logsumexp_torch",
    framework="torch",
    points=4,
    inputs=batches,
    forward=logsumexp,
    backward=logsumexp_backward,
    second=logsumexp_second,
    rtol=3e-3,  # second derivatives in float32 cancel
    mistakes=[
        # A second derivative goes through the wrong rule twice: once more inside its own backward.
        upstream_ignored(
            lambda upstream, x: softmax(x),
            lambda direction, upstream, x: softmax(x) * (direction + 1),
        ),
        wrong_sign(
            lambda upstream, x: logsumexp_backward(-upstream, x),
            lambda direction, upstream, x: (
                logsumexp_second(direction, upstream, x)
                - 2 * logsumexp_backward(upstream, x) * direction
            ),
        ),
        Mistake(
            "second-order",
            "Value and gradient are right; the derivative of the gradient is zero. What backward "
            "uses has to be computed there, from the saved input, by steps that can be "
            "differentiated.",
            second=lambda direction, upstream, x: np.zeros_like(x),
        ),
        Mistake(
            "not-normalised",
            "The shares of a row do not add up to 1: only the largest entry was taken off in the "
            "exponent.",
            backward=lambda upstream, x: upstream[..., None] * np.exp(x - x.max(-1, keepdims=True)),
            second=lambda direction, upstream, x: (
                upstream[..., None] * direction * np.exp(x - x.max(-1, keepdims=True))
            ),
        ),
        Mistake(
            "upstream-not-spread",
            "The upstream gradient has one entry a row, and the softmax one for each entry of x. "
            "The upstream needs an axis more.",
            raises="must match the size of tensor",
        ),
        Mistake(
            "axis-kept",
            "The result has one axis too many: a row of k numbers gives one number.",
            raises="Mismatch in shape: grad_output",
        ),
    ],
    hints=[
        "Every row has its own maximum and its own sum: both go along the last axis.",
        "Keep the axis while you subtract (`keepdim=True`), and drop it from the result. In "
        "backward, `unsqueeze(-1)` puts it back, on $L$ and on the upstream gradient.",
        "`backward` returns `upstream.unsqueeze(-1) * torch.exp(x - L)` where `L` is "
        "`LogSumExp.apply(x).unsqueeze(-1)`: the rule itself, so that it can be differentiated "
        "again.",
    ],
    right=[
        Edit("torch.exp(x - LogSumExp.apply(x).unsqueeze(-1))", "torch.softmax(x, dim=-1)"),
        Edit("upstream.unsqueeze(-1) *", "upstream[..., None] *"),
        """
class LogSumExp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = torch.logsumexp(x, -1)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, upstream):
        x, y = ctx.saved_tensors
        return upstream.unsqueeze(-1) * (x - y.unsqueeze(-1)).exp()


def logsumexp_torch(x):
    return LogSumExp.apply(x)
""",
    ],
    wrong=[
        (
            "second-order",
            Edit("LogSumExp.apply(x).unsqueeze(-1))", "LogSumExp.apply(x).unsqueeze(-1)).detach()"),
        ),
        (
            "not-normalised",
            Edit("LogSumExp.apply(x).unsqueeze(-1)", "x.detach().amax(dim=-1, keepdim=True)"),
        ),
        ("upstream-not-spread", Edit("upstream.unsqueeze(-1) *", "upstream *")),
        (
            "wrong-sign",
            Edit("upstream.unsqueeze(-1) *", "-upstream.unsqueeze(-1) *"),
        ),
        ("upstream-ignored", Edit("upstream.unsqueeze(-1) * ", "")),
        (
            "axis-kept",
            Edit(
                "torch.exp(x - m).sum(dim=-1)",
                "torch.exp(x - m).sum(dim=-1, keepdim=True)",
                "m.squeeze(-1)",
                "m",
            ),
        ),
        Edit("upstream.unsqueeze(-1) *", "upstream.sum() *"),
        Edit("x.amax(dim=-1, keepdim=True)", "x.max().expand(*x.shape[:-1], 1)"),
        Edit("x.amax(dim=-1, keepdim=True)", "torch.zeros_like(x[..., :1])"),
        Edit(" + m.squeeze(-1)", ""),
        Edit(
            "torch.exp(x - LogSumExp.apply(x).unsqueeze(-1))",
            "torch.exp(x) / torch.exp(x).sum(-1, keepdim=True)",
        ),
        Edit(
            "x - LogSumExp.apply(x).unsqueeze(-1)", "x - LogSumExp.apply(x).unsqueeze(-1).detach()"
        ),
    ],
)

rubric = Rubric(__file__, [log_sigmoid, logaddexp_tape, log1pexp_tf, logsumexp_torch])
