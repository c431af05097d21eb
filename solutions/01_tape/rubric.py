"""Exercise 01: the pieces of a tape."""

import operator

import numpy as np

from course_lib.grading import Edit, FunctionQuestion, Mistake, Rubric, RuleQuestion

# 1. The rule of a product ------------------------------------------------------------------------


def three_alike(rng):
    """Upstream and both factors: random vectors and matrices, and factors that are zero."""
    return [
        tuple(rng.normal(size=(3, 5))),
        tuple(rng.normal(size=(3, 2, 3))),
        (np.array([2.0, 3.0, -1.0]), np.array([0.0, 4.0, 0.0]), np.array([5.0, 0.0, 0.0])),
    ]


product_vjp = FunctionQuestion(
    "product_vjp",
    points=1,
    inputs=three_alike,
    reference=lambda u, x, y: (u * y, u * x),
    mistakes=[
        Mistake(
            "inputs-swapped",
            "The gradient for `x` comes first. If `y` is large, does `x` matter more or less?",
            lambda u, x, y: (u * x, u * y),
        ),
        Mistake(
            "upstream-ignored",
            "These are the local derivatives. Each still has to be multiplied by the upstream "
            "gradient.",
            lambda u, x, y: (y, x),
        ),
        Mistake(
            "rule-of-a-sum",
            "This is the rule of a sum, which hands the upstream on to both.",
            lambda u, x, y: (u, u),
        ),
        Mistake(
            "one-gradient",
            "This is the change of the output as a whole. Each input gets a gradient of its own: "
            "return two arrays.",
            lambda u, x, y: u * y + u * x,
        ),
        Mistake(
            "not-elementwise",
            "Each entry of `x` meets only the entry of `y` beside it: there is nothing to sum.",
            lambda u, x, y: (np.sum(u * y), np.sum(u * x)),
        ),
    ],
    hints=[
        "In the differential, what stands in front of $\\mathrm{d}x$?",
        "The gradient for `x` is the upstream times that factor; the other one goes likewise.",
        "Return a pair that begins with `u * y`.",
    ],
    right=[
        "product_vjp = lambda u, x, y: (y * u, x * u)",
        "def product_vjp(u, x, y):\n    return [np.multiply(u, y), np.multiply(u, x)]",
        """
def product_vjp(u, x, y):
    gradient_of_x, gradient_of_y = np.empty_like(x), np.empty_like(y)
    for i in np.ndindex(x.shape):
        gradient_of_x[i] = u[i] * y[i]
        gradient_of_y[i] = u[i] * x[i]
    return gradient_of_x, gradient_of_y
""",
    ],
    wrong=[
        ("inputs-swapped", Edit("u * y, u * x", "u * x, u * y")),
        ("upstream-ignored", Edit("u * y, u * x", "y, x")),
        ("rule-of-a-sum", Edit("u * y, u * x", "u, u")),
        ("one-gradient", Edit("u * y, u * x", "u * y + u * x")),
        ("not-elementwise", Edit("u * y, u * x", "(u * y).sum(), (u * x).sum()")),
        ("mutates-input", "def product_vjp(u, x, y):\n    x *= u\n    return u * y, x"),
        Edit("u * y, u * x", "u * y, y * x"),
        Edit("u * y, u * x", "u * abs(y), u * abs(x)"),
        Edit("return u * y, u * x", "u * y, u * x"),
    ],
)

# 2. Walking the tape back ------------------------------------------------------------------------


def tapes(rng):
    """One step; a chain; a value used twice by one step; and random tapes with much fan-out."""
    return [
        ([("y", [("x", 4.0)])],),
        ([("a", [("x", -2.0)]), ("b", [("a", 3.0)]), ("c", [("b", 0.5)])],),
        ([("a", [("x", 3.0), ("x", 3.0)]), ("b", [("a", 3.0), ("x", 9.0)])],),
        (random_tape(rng, steps=4),),
        (random_tape(rng, steps=7),),
    ]


def random_tape(rng, steps):
    """Each step uses the value before it, and up to two more of the earlier ones."""
    tape = []
    for step in range(1, steps + 1):
        used = [step - 1, *rng.integers(0, step, size=rng.integers(0, 3))]
        inputs = [(f"v{i}", float(rng.normal())) for i in used]
        tape.append((f"v{step}", inputs))
    return tape


def walk(tape, *, steps=reversed, start=1.0, plus=operator.add, times=operator.mul):
    """The right backward pass, with a place for each thing that can go wrong."""
    gradients = {tape[-1][0]: start}
    for output, inputs in steps(tape):
        for name, local in inputs:
            contribution = times(gradients.get(output, 0.0), local)
            gradients[name] = plus(gradients.get(name, 0.0), contribution)
    return gradients


backward = FunctionQuestion(
    "backward",
    points=3,
    inputs=tapes,
    reference=walk,
    mistakes=[
        Mistake(
            "overwrites",
            "A value that is used several times keeps only one of its contributions. They add up.",
            lambda tape: walk(tape, plus=lambda before, more: more),
        ),
        Mistake(
            "first-contribution-only",
            "A value that is used several times keeps the contribution that came first. They add "
            "up.",
            lambda tape: walk(tape, plus=lambda before, more: before or more),
        ),
        Mistake(
            "wrong-direction",
            "Begin with the last step: the gradient of a value is complete only after every step "
            "that used it.",
            lambda tape: walk(tape, steps=iter),
        ),
        Mistake(
            "local-derivatives-only",
            "The local derivatives are added up, but none is multiplied by the gradient of the "
            "step's output.",
            lambda tape: walk(tape, times=lambda gradient, local: local),
        ),
        Mistake(
            "nothing-to-start-from",
            "The last value has a gradient too, with respect to itself. Which number is it?",
            lambda tape: walk(tape, start=0.0),
        ),
        Mistake(
            "key-missing",
            "A name is looked up before it has a gradient. What is the gradient of a value before "
            "any contribution has arrived, and of the last value with respect to itself?",
            raises="KeyError",
        ),
    ],
    hints=[
        "Which gradient do you know without computing anything?",
        "Begin with `{last: 1.0}` and go through `reversed(tape)`. The gradient of a step's output "
        "is complete by then: every step that used it has been visited.",
        "For each input, add `gradients[output] * local_derivative` to what it has so far: "
        "`gradients[name] = gradients.get(name, 0.0) + ...`.",
    ],
    right=[
        """
from collections import defaultdict

def backward(tape):
    gradients = defaultdict(float)
    gradients[tape[-1][0]] = 1
    for output, inputs in tape[::-1]:
        for name, local in inputs:
            gradients[name] += local * gradients[output]
    return gradients
""",
        """
def backward(tape):
    names = {name for _, inputs in tape for name, _ in inputs} | {step[0] for step in tape}
    def gradient(of):
        if of == tape[-1][0]:
            return 1.0
        return sum(
            gradient(output) * local
            for output, inputs in tape
            for name, local in inputs
            if name == of
        )
    return {name: gradient(name) for name in names}
""",
        """
def backward(tape):
    gradients = {name: np.float64(0) for output, inputs in tape for name, _ in inputs}
    gradients[tape[-1][0]] = np.array(1.0)
    for i in range(len(tape) - 1, -1, -1):
        output, inputs = tape[i]
        for name, local in inputs:
            gradients[name] = gradients[name] + gradients[output] * local
    return gradients
""",
    ],
    wrong=[
        ("overwrites", Edit("gradients.get(name, 0.0) + contribution", "contribution")),
        (
            "first-contribution-only",
            Edit(
                "gradients[name] = gradients.get(name, 0.0) + contribution",
                "gradients.setdefault(name, contribution)",
            ),
        ),
        (
            "wrong-direction",
            Edit("reversed(tape)", "tape", "gradients[output] *", "gradients.get(output, 0.0) *"),
        ),
        (
            "local-derivatives-only",
            Edit("gradients[output] * local_derivative", "local_derivative"),
        ),
        ("nothing-to-start-from", Edit("{last: 1.0}", "{last: 0.0}")),
        ("key-missing", Edit("gradients.get(name, 0.0) +", "gradients[name] +")),
        ("key-missing", Edit("reversed(tape)", "tape")),
        (
            "wrong-scale",
            Edit("return gradients", "return {k: 2 * g for k, g in gradients.items()}"),
        ),
        Edit("gradients[output] * local_derivative", "gradients[output] + local_derivative"),
        Edit("return gradients", "return {name: abs(g) for name, g in gradients.items()}"),
        Edit("return gradients", "return list(gradients.values())"),
        Edit(
            "return gradients", "return {name: g for name, g in gradients.items() if name != last}"
        ),
    ],
)

# 3. Undoing a broadcast --------------------------------------------------------------------------


def broadcasts(rng):
    """Neither, either and both things that a broadcast does; one number; nothing at all."""
    shapes = [
        ((3, 4), (3, 4)),
        ((3, 4), (4,)),
        ((3, 4), (3, 1)),
        ((3, 3), (1, 3)),
        ((2, 3, 4), (3, 1)),
        ((2, 1, 3), (1, 3)),
        ((2, 3), ()),
        ((0, 3), (3,)),
    ]
    return [(rng.normal(size=stretched), shape) for stretched, shape in shapes]


def sum_to(gradient, shape, *, total=np.sum):
    """Sum over new axes, then over those that were stretched."""
    gradient = total(gradient, axis=tuple(range(gradient.ndim - len(shape))))
    stretched = tuple(axis for axis, length in enumerate(shape) if length == 1)
    return total(gradient, axis=stretched, keepdims=True)


def new_axes_only(gradient, shape):
    return gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))


def stretched_axes_only(gradient, shape):
    lengths = (1,) * (gradient.ndim - len(shape)) + shape
    stretched = tuple(
        i for i, n in enumerate(lengths) if n == 1 and i >= gradient.ndim - len(shape)
    )
    return gradient.sum(axis=stretched, keepdims=True)


def first_of_each(gradient, shape):
    gradient = gradient[(0,) * (gradient.ndim - len(shape))]
    return gradient[tuple(slice(length) for length in shape)]


unbroadcast = FunctionQuestion(
    "unbroadcast",
    points=3,
    inputs=broadcasts,
    reference=sum_to,
    mistakes=[
        Mistake(
            "not-unbroadcast",
            "The gradient comes back in the stretched shape; it must have the shape of the input.",
            lambda gradient, shape: gradient,
        ),
        Mistake(
            "mean-for-sum",
            "The contributions are averaged. An entry that was used three times matters three "
            "times as much: add them up.",
            lambda gradient, shape: sum_to(gradient, shape, total=np.mean),
        ),
        Mistake(
            "new-axes-only",
            "New axes in front are summed. Axes of length 1 that were stretched are not.",
            new_axes_only,
        ),
        Mistake(
            "stretched-axes-only",
            "Stretched axes are summed. New axes in front are not.",
            stretched_axes_only,
        ),
        Mistake(
            "axis-dropped",
            "A stretched axis is summed away, but the input does have it, with length 1: see "
            "`keepdims`.",
            lambda gradient, shape: new_axes_only(gradient, shape).sum(
                axis=tuple(i for i, n in enumerate(shape) if n == 1)
            ),
        ),
        Mistake(
            "everything-summed",
            "Everything is summed to one number. Only the axes that the broadcast made or "
            "stretched should be.",
            lambda gradient, shape: gradient.sum(),
        ),
    ],
    hints=[
        "How many axes are new? Compare `gradient.ndim` with `len(shape)`.",
        "`gradient.sum(axis=(0, 1))` sums over two axes at once. After the new ones are gone, the "
        "axes are those of `shape`; which of these were stretched?",
        "For the second step collect the axes whose length in `shape` is 1, and sum over them with "
        "`keepdims=True`.",
    ],
    right=[
        """
def unbroadcast(gradient, shape):
    while gradient.ndim > len(shape):
        gradient = gradient.sum(axis=0)
    for axis in range(len(shape)):
        if shape[axis] == 1:
            gradient = gradient.sum(axis=axis, keepdims=True)
    return gradient
""",
        """
def unbroadcast(gradient, shape):
    padded = (1,) * (gradient.ndim - len(shape)) + tuple(shape)
    axes = tuple(i for i in range(gradient.ndim) if padded[i] == 1)
    return np.sum(gradient, axis=axes).reshape(shape)
""",
        """
def unbroadcast(gradient, shape):
    total = np.zeros(shape)
    places = np.broadcast_to(np.arange(total.size).reshape(shape), gradient.shape)
    np.add.at(total.reshape(-1), places.ravel(), gradient.ravel())
    return total
""",
    ],
    wrong=[
        ("not-unbroadcast", "def unbroadcast(gradient, shape):\n    return gradient"),
        (
            "mean-for-sum",
            Edit(
                "range(new_axes)",
                "range(new_axes)",
                ".sum(axis=tuple",
                ".mean(axis=tuple",
                ".sum(axis=stretched",
                ".mean(axis=stretched",
            ),
        ),
        ("new-axes-only", Edit("gradient.sum(axis=stretched, keepdims=True)", "gradient")),
        ("axis-dropped", Edit("keepdims=True", "keepdims=False")),
        ("everything-summed", "def unbroadcast(gradient, shape):\n    return gradient.sum()"),
        (
            "stretched-axes-only",
            """
def unbroadcast(gradient, shape):
    new_axes = gradient.ndim - len(shape)
    stretched = tuple(new_axes + i for i, length in enumerate(shape) if length == 1)
    return gradient.sum(axis=stretched, keepdims=True)
""",
        ),
        "def unbroadcast(gradient, shape):\n    return np.broadcast_to(gradient.sum(), shape)",
        "def unbroadcast(gradient, shape):\n    return np.resize(gradient, shape)",
        "def unbroadcast(gradient, shape):\n    return gradient.reshape(shape)",
        "def unbroadcast(gradient, shape):\n    return np.zeros(shape)",
    ],
)

# 4. A new operation, with a wrong gradient -------------------------------------------------------


def both_sides(rng):
    """Random, the middle, and so far out that e^x overflows."""
    return [
        rng.normal(size=6),
        rng.normal(size=(2, 2)),
        np.array([-30.0, -1.0, 0.0, 1.0, 30.0]),
        np.array([-800.0, 800.0]),
    ]


def sigmoid(x):
    return np.exp(x - np.logaddexp(0, x))


softplus_tape = RuleQuestion(
    "softplus_tape",
    framework="tape",
    points=3,
    inputs=both_sides,
    forward=lambda x: np.logaddexp(0, x),
    backward=lambda upstream, x: upstream * sigmoid(x),
    given=Mistake(
        "mirrored",
        "The slope is large where it should be small.",
        backward=lambda upstream, x: upstream * sigmoid(-x),
    ),
    mistakes=[
        Mistake(
            "unstable",
            "Right in the middle, but far to the right $e^x$ is too large for a float, and "
            "infinity over infinity is nan. Can you write it so that only small numbers divide?",
            backward=lambda upstream, x: upstream * np.where(x > 700, np.nan, sigmoid(x)),
        ),
        Mistake(
            "derivative-of-sigmoid",
            "This is the derivative of the sigmoid, one step too far: the derivative of the "
            "softplus is the sigmoid itself.",
            backward=lambda upstream, x: upstream * sigmoid(x) * sigmoid(-x),
        ),
        Mistake(
            "relu-gradient",
            "This is the gradient of `max(0, x)`. The softplus has no kink: near zero its slope "
            "changes smoothly.",
            backward=lambda upstream, x: upstream * (x > 0),
        ),
        Mistake(
            "chain-rule-stopped",
            "The derivative of the logarithm is there. By the chain rule, the derivative of what "
            "stands inside it is still to come.",
            backward=lambda upstream, x: upstream * np.exp(x),
        ),
    ],
    hints=[
        "Far to the left the softplus is flat, far to the right it rises with slope 1. What does "
        "the given gradient do there?",
        "By the chain rule, the derivative of $\\log(1 + e^x)$ is $e^x / (1 + e^x)$.",
        "Divide both by $e^x$, so that nothing overflows: $1 / (1 + e^{-x})$.",
    ],
    right=[
        Edit("upstream / (1 + np.exp(-x))", "upstream * np.exp(x - np.logaddexp(0, x))"),
        Edit("upstream / (1 + np.exp(-x))", "upstream * (0.5 + 0.5 * np.tanh(x / 2))"),
        """
from scipy.special import expit
from course_lib.tape import Function

class Softplus(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.logaddexp(0, x)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * expit(x)

softplus_tape = Softplus.apply
""",
    ],
    wrong=[
        (
            "unstable",
            Edit("1 + np.exp(-x)", "1 + np.exp(x)", "upstream /", "upstream * np.exp(x) /"),
        ),
        (
            "derivative-of-sigmoid",
            Edit("upstream / (1 + np.exp(-x))", "upstream / (2 + 2 * np.cosh(x))"),
        ),
        (
            "mirrored",
            Edit("upstream / (1 + np.exp(-x))", "upstream * (1 - 1 / (1 + np.exp(-x)))"),
        ),
        ("relu-gradient", Edit("upstream / (1 + np.exp(-x))", "upstream * (x > 0)")),
        ("chain-rule-stopped", Edit("upstream / (1 + np.exp(-x))", "upstream * np.exp(x)")),
        ("upstream-ignored", Edit("upstream / (1 + np.exp(-x))", "1 / (1 + np.exp(-x))")),
        ("wrong-sign", Edit("upstream / (1 + np.exp(-x))", "-upstream / (1 + np.exp(-x))")),
        ("wrong-scale", Edit("upstream / (1 + np.exp(-x))", "0.5 * upstream / (1 + np.exp(-x))")),
        Edit("upstream / (1 + np.exp(-x))", "upstream"),
        Edit("upstream / (1 + np.exp(-x))", "upstream * np.tanh(x)"),
        Edit("np.exp(-x)", "np.exp(-np.abs(x))"),
    ],
)

rubric = Rubric(__file__, [product_vjp, backward, unbroadcast, softplus_tape])
