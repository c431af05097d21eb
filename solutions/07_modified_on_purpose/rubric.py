"""Exercise 07: gradients that differ from the derivative on purpose."""

from itertools import chain, product

import numpy as np

from course_lib.grading import Edit, Mistake, OrderQuestion, Rubric, RuleQuestion

# 1. A floor under the slope ----------------------------------------------------------------------

FLOOR = 0.1
FLOOR_BEGINS = np.arctanh(np.sqrt(1 - FLOOR))


def along_tanh(rng):
    """Steep and flat places, at random, and both sides of where the floor begins."""
    edges = FLOOR_BEGINS * np.array([-1.01, -0.99, 0.99, 1.01])
    return [
        2 * rng.normal(size=6),
        2 * rng.normal(size=(2, 3)),
        np.array([-5.0, 0.0, 5.0]),
        edges,
        np.array(rng.normal()),
    ]


def tanh_slope(x):
    return 1 - np.tanh(x) ** 2


wakeful_tanh_tape = RuleQuestion(
    "wakeful_tanh_tape",
    framework="tape",
    points=2,
    inputs=along_tanh,
    forward=np.tanh,
    backward=lambda upstream, x: upstream * np.maximum(tanh_slope(x), FLOOR),
    surrogate=True,
    mistakes=[
        Mistake(
            "floor-missing",
            "This is the true gradient of tanh. Where is the floor?",
            backward=lambda upstream, x: upstream * tanh_slope(x),
        ),
        Mistake(
            "nonlinear-upstream",
            "The floor is under the product with the upstream gradient, so a negative upstream "
            "comes out positive. It belongs under the slope.",
            backward=lambda upstream, x: np.maximum(upstream * tanh_slope(x), FLOOR),
        ),
        Mistake(
            "floor-assigned",
            "Where the slope is small, the gradient is the floor itself, whatever the loss is. "
            "The floor is a slope, and is owed a factor as well.",
            backward=lambda upstream, x: np.where(
                tanh_slope(x) < FLOOR, FLOOR, upstream * tanh_slope(x)
            ),
        ),
        Mistake(
            "floor-and-slope-swapped",
            "This keeps the slope below 0.1, where it should be kept above.",
            backward=lambda upstream, x: upstream * np.minimum(tanh_slope(x), FLOOR),
        ),
        Mistake(
            "floor-added",
            "The floor is added everywhere. Where tanh is steep its own slope should stay as it "
            "is.",
            backward=lambda upstream, x: upstream * (tanh_slope(x) + FLOOR),
        ),
    ],
    hints=[
        "There are two steps: which slope do you want to tell, and what does every slope get "
        "multiplied by?",
        "`np.maximum(slope, 0.1)` is the larger of the two, entry by entry. Take it before the "
        "upstream gradient comes in.",
        "`return upstream * np.maximum(1 - np.tanh(x) ** 2, 0.1)`",
    ],
    right=[
        Edit("np.maximum(1 - np.tanh(x) ** 2, 0.1)", "np.clip(1 - np.tanh(x) ** 2, 0.1, None)"),
        Edit("upstream * slope", "np.where(slope < 0.1, 0.1, slope) * upstream"),
        """
@custom_gradient
def wakeful_tanh_tape(x):
    y = np.tanh(x)
    return y, lambda upstream: np.maximum((1 - y) * (1 + y), 0.1) * upstream
""",
        """
from course_lib.tape import register_custom_gradient

wakeful_tanh_tape = register_custom_gradient(
    np.tanh, lambda upstream, x: upstream * np.maximum(1 / np.cosh(x) ** 2, 0.1)
)
""",
    ],
    wrong=[
        ("upstream-ignored", Edit("upstream * slope", "slope")),
        ("floor-missing", Edit("np.maximum(1 - np.tanh(x) ** 2, 0.1)", "1 - np.tanh(x) ** 2")),
        (
            "nonlinear-upstream",
            Edit("upstream * slope", "np.maximum(upstream * (1 - np.tanh(x) ** 2), 0.1)"),
        ),
        (
            "floor-assigned",
            Edit(
                "upstream * slope",
                "np.where(slope > 0.1, upstream * (1 - np.tanh(x) ** 2), 0.1)",
            ),
        ),
        ("floor-and-slope-swapped", Edit("np.maximum(", "np.minimum(")),
        (
            "floor-added",
            Edit("np.maximum(1 - np.tanh(x) ** 2, 0.1)", "1 - np.tanh(x) ** 2 + 0.1"),
        ),
        ("wrong-sign", Edit("upstream * slope", "-upstream * slope")),
        Edit("** 2, 0.1", "** 2, 0.2"),
        Edit("return np.tanh(x), grad_fn", "return np.maximum(np.tanh(x), 0.1), grad_fn"),
        Edit("upstream * slope", "(upstream * slope).sum()"),
        Edit("upstream * slope", "abs(upstream) * slope"),
    ],
)

# 2. The same with a mask -------------------------------------------------------------------------

LINES = {
    "A": "        gradient = upstream",
    "B": "        return gradient",
    "C": "    @staticmethod\n    def setup_context(ctx, inputs, output):",
    "D": "        gradient[x <= 0] = -0.5",
    "E": "        (x,) = ctx.saved_tensors",
    "F": "        gradient = upstream.clone()",
    "G": "        ctx.save_for_backward(*inputs)",
    "H": "    @staticmethod\n    def backward(ctx, upstream):",
    "I": "        gradient[x <= 0] *= -0.5",
    "J": "        x = ctx.saved_tensors",
}
SETUP = ["C", "G"]
BACKWARDS = (["H", "E", "F", "I", "B"], ["H", "F", "E", "I", "B"])
PREAMBLE = """class LeakyGradientReLU(torch.autograd.Function):
    @staticmethod
    def forward(x):
        return torch.clamp(x, min=0)
"""


def follows(order, earlier, later):
    """Whether both lines are there, and in this order."""
    return earlier in order and later in order[order.index(earlier) :]


leaky_relu_lines = OrderQuestion(
    "leaky_relu_lines",
    points=2,
    preamble=PREAMBLE,
    lines=LINES,
    answer=[*SETUP, *BACKWARDS[0]],
    also=[
        list(chain(*methods))
        for backward, swap in product(BACKWARDS, (False, True))
        for methods in [(backward, SETUP) if swap else (SETUP, backward)]
    ],
    mistakes=[
        Mistake(
            "upstream-ignored",
            "The line with the mask that you chose puts -0.5 there, even if the loss is "
            "multiplied by zero. A slope multiplies.",
            when=lambda order: "D" in order,
        ),
        Mistake(
            "mutates-upstream",
            "`gradient` is then the upstream gradient itself, and the next line changes it for "
            "the shortcut of the residual block as well.",
            when=lambda order: "A" in order,
        ),
        Mistake(
            "saved-tuple-not-unpacked",
            "`ctx.saved_tensors` is a tuple, even when only one tensor was saved.",
            when=lambda order: "J" in order,
        ),
        Mistake(
            "nothing-saved",
            "`backward` takes x out of ctx. Who has put it there?",
            when=lambda order: "H" in order and not {"C", "G"} <= set(order),
        ),
        Mistake(
            "used-before-it-is-known",
            "The line with the mask needs both `x` and `gradient`: they come first.",
            when=lambda order: follows(order, "I", "E") or follows(order, "I", "F"),
        ),
    ],
    hints=[
        "Two methods, and each begins with its `def` line. `setup_context` is short.",
        "`backward` takes x out of ctx, makes an array of its own, scales part of it, and "
        "returns it. Which lines overwrite what they should not?",
        "`setup_context` is C, G. `backward` is H, E, F and two more.",
    ],
    right=[
        'leaky_relu_lines = "C G H F E I B".split()',
        'leaky_relu_lines = ("C", "G", "H", "E", "F", "I", "B")',
        'leaky_relu_lines = ["H", "E", "F", "I", "B", "C", "G"]',
    ],
    wrong=[
        ("upstream-ignored", 'leaky_relu_lines = list("CGHEFDB")'),
        ("mutates-upstream", 'leaky_relu_lines = list("CGHEAIB")'),
        ("saved-tuple-not-unpacked", 'leaky_relu_lines = list("CGHJFIB")'),
        ("nothing-saved", 'leaky_relu_lines = list("HEFIB")'),
        ("used-before-it-is-known", 'leaky_relu_lines = list("CGHEIFB")'),
        ("line-missing", 'leaky_relu_lines = list("CGHEFI")'),
        ("line-twice", 'leaky_relu_lines = list("CGHEFIIB")'),
        ("unknown-line", 'leaky_relu_lines = list("CGHEFIX")'),
        ("wrong-order", 'leaky_relu_lines = list("CGHEFBI")'),
        ("line-missing", "leaky_relu_lines = []"),
    ],
)

# 3. A cap on the slope ---------------------------------------------------------------------------

CAP = 10.0


def along_exp(rng):
    """Places below and above the cap, at random, and just beside it; many of them steep."""
    return [
        rng.uniform(-2, 5, size=6),
        rng.uniform(-2, 5, size=(2, 3)),
        np.linspace(2.5, 12, 24),
        np.array([0.0, -1.0, 4.0]),
        np.log(CAP) + np.array([-0.01, 0.01]),
        np.array(rng.uniform(-2, 5)),
    ]


capped_exp_tf = RuleQuestion(
    "capped_exp_tf",
    framework="tensorflow",
    points=3,
    inputs=along_exp,
    forward=np.exp,
    backward=lambda upstream, x: upstream * np.minimum(np.exp(x), CAP),
    surrogate=True,
    given=Mistake(
        "nonlinear-upstream",
        "The cap is still on the product with the upstream gradient.",
        backward=lambda upstream, x: np.minimum(upstream * np.exp(x), CAP),
    ),
    mistakes=[
        Mistake(
            "product-clipped",
            "Both signs are limited now, but it is still the product that is limited. A loss that "
            "is ten times as large should give a gradient ten times as large.",
            backward=lambda upstream, x: np.clip(upstream * np.exp(x), -CAP, CAP),
        ),
        Mistake(
            "cap-assigned",
            "Where exp is steep, the gradient is 10 whatever the loss is. The cap is a slope, and "
            "is owed a factor as well.",
            backward=lambda upstream, x: np.where(np.exp(x) > CAP, CAP, upstream * np.exp(x)),
        ),
        Mistake(
            "cap-missing",
            "This is the true gradient of exp. Where is the cap?",
            backward=lambda upstream, x: upstream * np.exp(x),
        ),
        Mistake(
            "flat-beyond-the-cap",
            "Beyond the cap the slope should be 10, and here it is 0: that is the derivative of a "
            "capped value.",
            backward=lambda upstream, x: upstream * np.where(np.exp(x) > CAP, 0, np.exp(x)),
        ),
        Mistake(
            "capped-at-x",
            "This limits x. The slope is to be limited, and that is exp(x).",
            backward=lambda upstream, x: upstream * np.exp(np.minimum(x, CAP)),
        ),
    ],
    hints=[
        "Try `upstream = -1` at x = 5, and `upstream = 100` at x = 0. What should come out, and "
        "what does?",
        "A modified gradient is a slope, which depends on x, times the upstream. Which of the "
        "two is to be limited?",
        "Move one bracket: `upstream * tf.minimum(...)`.",
    ],
    right=[
        Edit("upstream * tf.minimum(tf.exp(x), 10)", "tf.minimum(tf.exp(x), 10.0) * upstream"),
        Edit("tf.minimum(tf.exp(x), 10)", "tf.clip_by_value(tf.exp(x), 0, 10)"),
        """
@tf.custom_gradient
def capped_exp_tf(x):
    y = tf.exp(x)

    def grad_fn(upstream):
        return tf.where(y > 10, 10 * upstream, y * upstream)

    return y, grad_fn
""",
    ],
    wrong=[
        ("upstream-ignored", Edit("upstream * tf.minimum", "tf.minimum")),
        (
            "product-clipped",
            Edit(
                "upstream * tf.minimum(tf.exp(x), 10)",
                "tf.clip_by_value(upstream * tf.exp(x), -10, 10)",
            ),
        ),
        (
            "cap-assigned",
            Edit(
                "upstream * tf.minimum(tf.exp(x), 10)",
                "tf.where(tf.exp(x) > 10, tf.constant(10, x.dtype), upstream * tf.exp(x))",
            ),
        ),
        ("cap-missing", Edit("tf.minimum(tf.exp(x), 10)", "tf.exp(x)")),
        (
            "flat-beyond-the-cap",
            Edit(
                "upstream * tf.minimum(tf.exp(x), 10)",
                "tf.where(tf.exp(x) > 10, tf.zeros_like(x), upstream * tf.exp(x))",
            ),
        ),
        ("capped-at-x", Edit("tf.minimum(tf.exp(x), 10)", "tf.exp(tf.minimum(x, 10))")),
        ("wrong-sign", Edit("upstream * tf.minimum", "-upstream * tf.minimum")),
        Edit("tf.minimum(tf.exp(x), 10)", "tf.maximum(tf.exp(x), 10)"),
        Edit("return tf.exp(x), grad_fn", "return tf.minimum(tf.exp(x), 10), grad_fn"),
        Edit("upstream * tf.minimum(tf.exp(x), 10)", "tf.minimum(upstream, 10) * tf.exp(x)"),
    ],
)

# 4. A cap on both sides --------------------------------------------------------------------------


def losses(rng):
    """Both sides of the target, within and beyond the cap, on its edge, and no error at all."""
    return [
        (2 * rng.normal(size=6), rng.normal(size=6), 1.5),
        (2 * rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), 0.5),
        (np.array([1.0, 2.0, 0.0, -1.0, 5.0, -5.0, 1.5]), np.ones(7), 2.0),
        (np.array([3.0, -3.0, 0.2]), np.array([0.0, 0.0, 0.0]), 4),
        (np.array(rng.normal()), np.array(3.0), 1.0),
    ]


def capped(told):
    """A backward, from the gradient that it tells for the prediction."""

    def backward(upstream, prediction, target, cap):
        gradient = told(upstream, prediction - target, cap)
        return gradient, -gradient, None

    return backward


capped_squared_loss_torch = RuleQuestion(
    "capped_squared_loss_torch",
    framework="torch",
    points=4,
    inputs=losses,
    forward=lambda prediction, target, cap: (prediction - target) ** 2,
    backward=capped(lambda upstream, d, cap: upstream * np.clip(2 * d, -cap, cap)),
    surrogate=True,
    domain=lambda prediction, target, cap: cap > 0,
    mistakes=[
        Mistake(
            "target-not-modified",
            "The gradient of the target is still the true one. The loss knows only the "
            "difference, so what is told to one side must be told to the other.",
            backward=lambda upstream, p, t, cap: (
                upstream * np.clip(2 * (p - t), -cap, cap),
                -2 * upstream * (p - t),
                None,
            ),
        ),
        Mistake(
            "same-sign-for-both",
            "If the prediction grows the difference grows; if the target grows it shrinks.",
            backward=lambda upstream, p, t, cap: (
                *2 * [upstream * np.clip(2 * (p - t), -cap, cap)],
                None,
            ),
        ),
        Mistake(
            "one-side-only",
            "Predictions above the target are limited, those below are not.",
            backward=capped(lambda upstream, d, cap: upstream * np.minimum(2 * d, cap)),
        ),
        Mistake(
            "difference-capped",
            "This limits the difference. It is the slope, twice that, which should be at most "
            "`cap` in size.",
            backward=capped(lambda upstream, d, cap: upstream * 2 * np.clip(d, -cap, cap)),
        ),
        Mistake(
            "nonlinear-upstream",
            "The product with the upstream gradient is limited; it should be the slope alone.",
            backward=capped(lambda upstream, d, cap: np.clip(upstream * 2 * d, -cap, cap)),
        ),
        Mistake(
            "sign-lost",
            "Beyond the cap the slope is positive on both sides, so from below it points away "
            "from the target.",
            backward=capped(
                lambda upstream, d, cap: upstream * np.where(np.abs(2 * d) > cap, cap, 2 * d)
            ),
        ),
        Mistake(
            "cap-missing",
            "This is the true gradient of the squared loss. Where is the cap?",
            backward=capped(lambda upstream, d, cap: upstream * 2 * d),
        ),
        Mistake(
            "wrong-arity",
            "`forward` has three arguments, so `backward` returns three things. What is there to "
            "say about `cap`?",
            raises="incorrect number of gradients",
        ),
        Mistake(
            "number-saved-as-tensor",
            "`save_for_backward` is for tensors. A plain number is kept as an attribute of ctx.",
            raises="save_for_backward can only save variables",
        ),
    ],
    hints=[
        "Save what the slope depends on: two tensors by `ctx.save_for_backward`, and a number as "
        "an attribute, `ctx.cap = ...`.",
        "`torch.clamp(values, lowest, highest)` limits on both sides. Clamp the slope 2d, then "
        "multiply by the upstream gradient; the target gets the negative of it.",
        "`slope = torch.clamp(2 * (prediction - target), -ctx.cap, ctx.cap)`, then "
        "`return upstream * slope, -upstream * slope, None`.",
    ],
    right=[
        Edit(
            "torch.clamp(2 * (prediction - target), -ctx.cap, ctx.cap)",
            "(2 * prediction - 2 * target).clip(min=-ctx.cap, max=ctx.cap)",
        ),
        Edit(
            "return upstream * slope, -upstream * slope, None",
            "gradient = slope * upstream\n        return gradient, -gradient, None",
        ),
        """
class CappedSquaredLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, prediction, target, cap):
        difference = prediction - target
        ctx.save_for_backward(difference)
        ctx.half = cap / 2
        return difference * difference

    @staticmethod
    def backward(ctx, upstream):
        (d,) = ctx.saved_tensors
        slope = 2 * torch.sign(d) * torch.clamp(d.abs(), max=ctx.half)
        return slope * upstream, -slope * upstream, None


def capped_squared_loss_torch(prediction, target, cap):
    return CappedSquaredLoss.apply(prediction, target, cap)
""",
    ],
    wrong=[
        ("upstream-ignored", Edit("upstream * slope, -upstream * slope", "slope, -slope")),
        (
            "target-not-modified",
            Edit("-upstream * slope, None", "-2 * upstream * (prediction - target), None"),
        ),
        ("same-sign-for-both", Edit("-upstream * slope, None", "upstream * slope, None")),
        ("one-side-only", Edit("-ctx.cap, ctx.cap)", "max=ctx.cap)")),
        (
            "difference-capped",
            Edit(
                "torch.clamp(2 * (prediction - target), ", "2 * torch.clamp(prediction - target, "
            ),
        ),
        (
            "nonlinear-upstream",
            Edit(
                "torch.clamp(2 * (",
                "torch.clamp(upstream * 2 * (",
                "upstream * slope, -upstream * slope",
                "slope, -slope",
            ),
        ),
        (
            "sign-lost",
            Edit(
                "slope = torch.clamp(2 * (prediction - target), -ctx.cap, ctx.cap)",
                "slope = 2 * (prediction - target)\n        slope[slope.abs() > ctx.cap] = ctx.cap",
            ),
        ),
        (
            "cap-missing",
            Edit(
                "torch.clamp(2 * (prediction - target), -ctx.cap, ctx.cap)",
                "2 * (prediction - target)",
            ),
        ),
        ("wrong-arity", Edit("-upstream * slope, None", "-upstream * slope")),
        (
            "number-saved-as-tensor",
            Edit("save_for_backward(prediction, target)", "save_for_backward(*inputs)"),
        ),
        (
            "wrong-sign",
            Edit("upstream * slope, -upstream * slope", "-upstream * slope, upstream * slope"),
        ),
        Edit("2 * (prediction - target), -ctx", "prediction - target, -ctx"),
        Edit("-ctx.cap, ctx.cap)", "-1, 1)"),
        Edit("(prediction - target) ** 2", "abs(prediction - target)"),
    ],
)

rubric = Rubric(
    __file__,
    [wakeful_tanh_tape, leaky_relu_lines, capped_exp_tf, capped_squared_loss_torch],
)
