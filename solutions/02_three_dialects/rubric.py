"""Exercise 02: one rule in three dialects."""

from itertools import chain, permutations

import numpy as np

from course_lib.grading import Edit, Mistake, OrderQuestion, Rubric, RuleQuestion

LOCAL_DERIVATIVE_ONLY = "upstream * 3 * x**2", "3 * x**2"


def inputs(rng):
    """A vector, a matrix, one number, and the points where x³ is flat or equal to x."""
    return [
        rng.normal(size=5),
        rng.normal(size=(2, 3)),
        np.array(rng.normal()),
        np.array([-1.0, 0.0, 1.0]),
    ]


def cube(x):
    return x**3


def cube_backward(upstream, x):
    return upstream * 3 * x**2


MISTAKES = [
    Mistake(
        "upstream-ignored",
        "This is the derivative of the cube alone. The rule has to multiply it by the upstream "
        "gradient: try it on a loss other than a sum.",
        backward=lambda upstream, x: 3 * x**2,
    ),
    Mistake(
        "passes-upstream",
        "The upstream gradient is handed on as it came. It still has to be multiplied by the "
        "derivative of the cube.",
        backward=lambda upstream, x: upstream,
    ),
    Mistake(
        "factor-forgotten",
        "The power is right, but bringing down the exponent leaves a factor in front of it.",
        backward=lambda upstream, x: upstream * x**2,
    ),
    Mistake(
        "power-not-lowered",
        "Differentiating a power lowers the exponent by one.",
        backward=lambda upstream, x: upstream * 3 * x**3,
    ),
    Mistake(
        "derivative-of-upstream",
        "The derivative has to be taken at the input of the cube, not at the upstream gradient.",
        backward=lambda upstream, x: 3 * upstream**2,
    ),
    Mistake(
        "derivative-at-output",
        "The derivative has to be taken at the input of the cube; this takes it at the output.",
        backward=lambda upstream, x: upstream * 3 * (x**3) ** 2,
    ),
]

HINTS = [
    "Two factors: one comes from outside, and one belongs to the cube.",
    "The derivative of $x^3$ is $3x^2$, at the $x$ of the forward pass. The upstream gradient has "
    "the same shape: multiply entry by entry.",
    "In any dialect, `backward` ends with `return upstream * 3 * x**2`.",
]

WRONG_GRADIENTS = [
    ("upstream-ignored", Edit(*LOCAL_DERIVATIVE_ONLY)),
    ("passes-upstream", Edit("upstream * 3 * x**2", "upstream * 1")),
    ("factor-forgotten", Edit("upstream * 3 * x**2", "upstream * x * x")),
    ("power-not-lowered", Edit("3 * x**2", "3 * x**3")),
    ("derivative-of-upstream", Edit("upstream * 3 * x**2", "3 * upstream**2")),
    ("derivative-at-output", Edit("3 * x**2", "3 * x**6")),
    ("wrong-sign", Edit("upstream * 3 * x**2", "-3 * upstream * x * x")),
    ("wrong-scale", Edit("upstream * 3 * x**2", "upstream * 6 * x**2")),
    Edit("upstream * 3 * x**2", "upstream + 3 * x**2"),
    Edit("upstream * 3 * x**2", "upstream * 3 * abs(x)"),
]

cube_tape = RuleQuestion(
    "cube_tape",
    framework="tape",
    points=2,
    inputs=inputs,
    forward=cube,
    backward=cube_backward,
    mistakes=MISTAKES,
    hints=HINTS,
    right=[
        Edit("upstream * 3 * x**2", "3 * np.square(x) * upstream"),
        """
@custom_gradient
def cube_tape(x):
    return x * x * x, lambda upstream: 3 * upstream * x * x
""",
        """
from course_lib.tape import register_custom_gradient

cube_tape = register_custom_gradient(lambda x: x**3, lambda upstream, x: upstream * 3 * x**2)
""",
    ],
    wrong=[
        *WRONG_GRADIENTS,
        Edit("upstream * 3 * x**2", "(upstream * 3 * x**2).sum()"),
        Edit("return x**3", "return 3 * x"),
    ],
)

LINES = {
    "A": "        ctx.save_for_backward(output)",
    "B": "    @staticmethod\n    def backward(ctx, upstream):",
    "C": "        return -y * y",
    "D": "        return 1 / x",
    "E": "    @staticmethod\n    def forward(x):",
    "F": "        (y,) = ctx.saved_tensors",
    "G": "        ctx.y = output",
    "H": "        return -upstream * y * y",
    "I": "    @staticmethod\n    def setup_context(ctx, inputs, output):",
    "J": "        return 1 / x, output",
}
METHODS = (["E", "D"], ["I", "A"], ["B", "F", "H"])

reciprocal_lines = OrderQuestion(
    "reciprocal_lines",
    points=2,
    preamble="class Reciprocal(torch.autograd.Function):",
    lines=LINES,
    answer=list(chain(*METHODS)),
    also=[list(chain(*methods)) for methods in permutations(METHODS)],
    mistakes=[
        Mistake(
            "upstream-ignored",
            "The backward that you chose returns the derivative alone. What happens to the "
            "upstream gradient?",
            when=lambda order: "C" in order,
        ),
        Mistake(
            "saved-as-attribute",
            "An output that is kept as an attribute of ctx refers back to ctx, so that neither is "
            "freed in time, and PyTorch cannot notice when it is overwritten.",
            when=lambda order: "G" in order,
        ),
        Mistake(
            "two-outputs",
            "forward has one output here, and it does not know the name `output`: that belongs to "
            "`setup_context`.",
            when=lambda order: "J" in order,
        ),
        Mistake(
            "saved-before-it-is-known",
            "Save in `setup_context`, which receives the output: `forward` has no ctx in this "
            "style.",
            when=lambda order: "A" in order and order[: order.index("A")][-1:] != ["I"],
        ),
        Mistake(
            "used-before-unpacked",
            "backward has to take `y` out of ctx before it can use it.",
            when=lambda order: {"F", "H"} <= set(order) and order.index("H") < order.index("F"),
        ),
    ],
    hints=[
        "Three methods, and each begins with its `def` line. Which line can stand under which?",
        "`forward` sees only `x`; `setup_context` sees the output and saves it; `backward` takes "
        "it out of ctx, and owes upstream times derivative.",
        "`forward` is E, D. `setup_context` is I followed by one line, `backward` is B followed by "
        "two.",
    ],
    right=[
        'reciprocal_lines = ("E", "D", "I", "A", "B", "F", "H")',
        'reciprocal_lines = "E D I A B F H".split()',
        'reciprocal_lines = ["I", "A", "E", "D", "B", "F", "H"]',
    ],
    wrong=[
        ("upstream-ignored", 'reciprocal_lines = list("EDIABFC")'),
        ("saved-as-attribute", 'reciprocal_lines = list("EDIGBFH")'),
        ("two-outputs", 'reciprocal_lines = list("EJIABFH")'),
        ("saved-before-it-is-known", 'reciprocal_lines = list("EADIBFH")'),
        ("used-before-unpacked", 'reciprocal_lines = list("EDIABHF")'),
        ("line-missing", 'reciprocal_lines = list("EDIABH")'),
        ("line-twice", 'reciprocal_lines = list("EDIABFHH")'),
        ("unknown-line", 'reciprocal_lines = list("EDIABFX")'),
        ("wrong-order", 'reciprocal_lines = list("DEIABFH")'),
        ("line-missing", "reciprocal_lines = []"),
    ],
)

cube_torch = RuleQuestion(
    "cube_torch",
    framework="torch",
    points=3,
    inputs=inputs,
    forward=cube,
    backward=cube_backward,
    mistakes=[
        *MISTAKES,
        Mistake(
            "nothing-saved",
            "`ctx.saved_tensors` holds what `setup_context` handed to `ctx.save_for_backward`, "
            "and here that was nothing.",
            raises="not enough values to unpack",
        ),
        Mistake(
            "saved-tuple-not-unpacked",
            "`ctx.saved_tensors` is a tuple, even when only one tensor was saved: unpack it.",
            raises="unsupported operand type(s) for ** or pow(): 'tuple'",
        ),
    ],
    hints=[
        "`setup_context(ctx, inputs, output)` receives the inputs as a tuple. Which of them will "
        "`backward` need?",
        "Hand it to `ctx.save_for_backward(...)`, and take it out of the tuple "
        "`ctx.saved_tensors` in `backward`. The rest is the formula of the first question.",
        "`(x,) = inputs`, then `ctx.save_for_backward(x)`; in `backward`, "
        "`(x,) = ctx.saved_tensors`, then `return upstream * 3 * x**2`.",
    ],
    right=[
        Edit("upstream * 3 * x**2", "3 * x.square() * upstream"),
        Edit("(x,) = inputs\n        ctx.save_for_backward(x)", "ctx.save_for_backward(*inputs)"),
        """
class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, upstream):
        return torch.mul(upstream, ctx.saved_tensors[0] ** 2 * 3)


def cube_torch(x):
    return Cube.apply(x)
""",
    ],
    wrong=[
        *WRONG_GRADIENTS,
        ("nothing-saved", Edit("ctx.save_for_backward(x)", "pass")),
        ("saved-tuple-not-unpacked", Edit("(x,) = ctx.saved_tensors", "x = ctx.saved_tensors")),
        ("derivative-at-output", Edit("ctx.save_for_backward(x)", "ctx.save_for_backward(output)")),
        ("missing-gradient", Edit("return upstream * 3 * x**2", "upstream * 3 * x**2")),
    ],
)

cube_tf = RuleQuestion(
    "cube_tf",
    framework="tensorflow",
    points=3,
    inputs=inputs,
    forward=cube,
    backward=cube_backward,
    given=MISTAKES[0],
    mistakes=[
        *MISTAKES[1:],
        Mistake(
            "not-a-pair",
            "A custom gradient returns two things: the output, and a function for the gradient.",
            raises="unpack",
        ),
    ],
    hints=[
        "Compare `grad_fn` with that of the tape, line by line. What does each one use?",
        "Try it on the loss `7 * tf.reduce_sum(cube_tf(x))`: its gradient should be seven times "
        "as large. Where could the seven come in?",
        "The seven arrives as `upstream`, and the given rule never looks at it.",
    ],
    right=[
        Edit("upstream * 3 * x**2", "3.0 * tf.square(x) * upstream"),
        Edit("upstream * 3 * x**2", "tf.multiply(upstream, 3 * x * x)"),
        """
@tf.custom_gradient
def cube_tf(x):
    return tf.pow(x, 3), lambda upstream: upstream * 3 * tf.pow(x, 2)
""",
    ],
    wrong=[
        *WRONG_GRADIENTS[1:],
        Edit("upstream * 3 * x**2", "7 * 3 * x**2"),
        Edit("upstream * 3 * x**2", "tf.reduce_sum(upstream) * 3 * x**2"),
        ("not-a-pair", Edit("return x**3, grad_fn", "return x**3")),
    ],
)

rubric = Rubric(__file__, [cube_tape, reciprocal_lines, cube_torch, cube_tf])
