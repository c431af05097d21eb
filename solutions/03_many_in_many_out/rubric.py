"""Exercise 03: rules with several inputs and outputs."""

from itertools import chain, permutations

import numpy as np

from course_lib.grading import (
    Code,
    Edit,
    FunctionQuestion,
    Mistake,
    OrderQuestion,
    Rubric,
    RuleQuestion,
)

# 1. Polar coordinates ----------------------------------------------------------------------------


def points(rng):
    """Random ones of several shapes; the origin; the axes."""
    return [
        tuple(rng.normal(size=(2, 5))),
        tuple(rng.normal(size=(2, 2, 3))),
        (np.array(rng.normal()), np.array(rng.normal())),
        (np.array([0.0, 1.0, 1.0, 2.0]), np.array([1.0, 0.0, np.pi / 2, np.pi])),
    ]


def polar(r, theta):
    return r * np.cos(theta), r * np.sin(theta)


def polar_backward(u, v, r, theta, *, r_in_theta=True, sign=-1):
    """The right backward, with a place for the slips that are made in its second half."""
    cos, sin = np.cos(theta), np.sin(theta)
    around = v * cos + sign * u * sin
    return u * cos + v * sin, r * around if r_in_theta else around


polar_tape = RuleQuestion(
    "polar_tape",
    framework="tape",
    points=2,
    inputs=points,
    forward=polar,
    backward=polar_backward,
    mistakes=[
        Mistake(
            "one-gradient-an-output",
            "You return one gradient for each output. What is owed is one for each input, and each "
            "of them collects from both outputs: go down the columns of the table.",
            backward=lambda u, v, r, theta: (
                u * (np.cos(theta) - r * np.sin(theta)),
                v * (np.sin(theta) + r * np.cos(theta)),
            ),
        ),
        Mistake(
            "output-ignored",
            "Only one of the two outputs contributes. A loss may use either, or both.",
            backward=lambda u, v, r, theta: polar_backward(u, 0 * v, r, theta),
        ),
        Mistake(
            "upstreams-swapped",
            "The first upstream gradient belongs to the first output; here each is used for the "
            "other one.",
            backward=lambda u, v, r, theta: polar_backward(v, u, r, theta),
        ),
        Mistake(
            "sign-of-cosine",
            "One sign is wrong. What is the derivative of the cosine?",
            backward=lambda u, v, r, theta: polar_backward(u, v, r, theta, sign=1),
        ),
        Mistake(
            "radius-forgotten",
            "Far from the origin, the same turn moves the point further. Where does the gradient "
            "for the angle say so?",
            backward=lambda u, v, r, theta: polar_backward(u, v, r, theta, r_in_theta=False),
        ),
    ],
    hints=[
        "The table has four entries. Each appears exactly once in what you return.",
        "The gradient for `r` is `u` times the derivative of $x$ by $r$, plus `v` times that of "
        "$y$ by $r$. The other one goes likewise, along the other column.",
        "Begin with `for_r = u * np.cos(theta) + v * np.sin(theta)`. For `theta`, the derivatives "
        "are $-r\\sin\\theta$ and $r\\cos\\theta$.",
    ],
    right=[
        Edit(
            "v * r * np.cos(theta) - u * r * np.sin(theta)",
            "r * (v*np.cos(theta) - u*np.sin(theta))",
        ),
        """
@custom_gradient
def polar_tape(r, theta):
    x, y = r * np.cos(theta), r * np.sin(theta)
    return (x, y), lambda u, v: (u * np.cos(theta) + v * np.sin(theta), v * x - u * y)
""",
        """
from course_lib.tape import register_custom_gradient

def polar_backward(u, v, r, theta):
    turn = u + 1j * v
    back = turn * np.exp(-1j * theta)
    return back.real, back.imag * r

polar_tape = register_custom_gradient(
    lambda r, theta: (r * np.cos(theta), r * np.sin(theta)), polar_backward
)
""",
    ],
    wrong=[
        (
            "one-gradient-an-output",
            Edit(
                "u * np.cos(theta) + v * np.sin(theta)",
                "u * (np.cos(theta) - r * np.sin(theta))",
                "v * r * np.cos(theta) - u * r * np.sin(theta)",
                "v * (np.sin(theta) + r * np.cos(theta))",
            ),
        ),
        (
            "output-ignored",
            Edit(" + v * np.sin(theta)", "", "v * r * np.cos(theta) - u", "-u"),
        ),
        ("upstreams-swapped", Edit("def grad_fn(u, v)", "def grad_fn(v, u)")),
        ("sign-of-cosine", Edit("np.cos(theta) - u", "np.cos(theta) + u")),
        (
            "radius-forgotten",
            Edit("v * r * np.cos(theta) - u * r", "v * np.cos(theta) - u"),
        ),
        ("inputs-swapped", Edit("return for_r, for_theta", "return for_theta, for_r")),
        ("wrong-sign", Edit("return for_r, for_theta", "return -for_r, -for_theta")),
        (
            "upstream-ignored",
            Edit("def grad_fn(u, v):", "def grad_fn(u, v):\n        u = v = np.ones_like(r)"),
        ),
        ("wrong-scale", Edit("return for_r, for_theta", "return 2 * for_r, 2 * for_theta")),
        Edit("return for_r, for_theta", "return for_r + for_theta"),
        Edit("return for_r, for_theta", "return for_r, for_theta.sum()"),
        Edit("return (r * np.cos(theta), r * np.sin(theta))", "return (r, theta)"),
    ],
)

# 2. Sine and cosine at once ----------------------------------------------------------------------

LINES = {
    "A": "    @staticmethod\n    def backward(ctx, upstream):",
    "B": "        return u * cosine, -v * sine",
    "C": "        ctx.save_for_backward(*output)",
    "D": "    @staticmethod\n    def setup_context(ctx, inputs, output):",
    "E": "        return torch.sin(x), torch.cos(x)",
    "F": "        ctx.save_for_backward(output)",
    "G": "    @staticmethod\n    def backward(ctx, u, v):",
    "H": "        return u * cosine - v * sine",
    "I": "        sine, cosine = ctx.saved_tensors",
    "J": "    @staticmethod\n    def forward(x):",
    "K": "        return u * cosine + v * sine",
}
METHODS = (["J", "E"], ["D", "C"], ["G", "I", "H"])

sine_and_cosine_lines = OrderQuestion(
    "sine_and_cosine_lines",
    points=2,
    preamble="class SineAndCosine(torch.autograd.Function):",
    lines=LINES,
    answer=list(chain(*METHODS)),
    also=[list(chain(*methods)) for methods in permutations(METHODS)],
    mistakes=[
        Mistake(
            "one-upstream",
            "How many upstream gradients arrive when there are two outputs?",
            when=lambda order: "A" in order,
        ),
        Mistake(
            "one-gradient-an-output",
            "backward returns one gradient for each input. How many inputs has this rule?",
            when=lambda order: "B" in order,
        ),
        Mistake(
            "sign-of-cosine",
            "What is the derivative of the cosine?",
            when=lambda order: "K" in order,
        ),
        Mistake(
            "saved-as-one",
            "With two outputs, `output` is a tuple, and `save_for_backward` wants the tensors one "
            "by one.",
            when=lambda order: "F" in order,
        ),
        Mistake(
            "saved-before-it-is-known",
            "Save in `setup_context`, which receives the outputs: `forward` has no ctx in this "
            "style.",
            when=lambda order: "C" in order and order[: order.index("C")][-1:] != ["D"],
        ),
        Mistake(
            "used-before-unpacked",
            "backward has to take the two outputs out of ctx before it can use them.",
            when=lambda order: {"H", "I"} <= set(order) and order.index("H") < order.index("I"),
        ),
    ],
    hints=[
        "Three methods, and each begins with its `def` line. Of the two for `backward`, which one "
        "fits two outputs?",
        "One input means one gradient: the sum of what comes back through the sine and through "
        "the cosine.",
        "`forward` is J, E. `setup_context` is D followed by one line, `backward` is G followed by "
        "two.",
    ],
    right=[
        'sine_and_cosine_lines = ("J", "E", "D", "C", "G", "I", "H")',
        'sine_and_cosine_lines = "J, E, D, C, G, I, H"',
        'sine_and_cosine_lines = list("DCJEGIH")',
    ],
    wrong=[
        ("one-upstream", 'sine_and_cosine_lines = list("JEDCAIH")'),
        ("one-gradient-an-output", 'sine_and_cosine_lines = list("JEDCGIB")'),
        ("sign-of-cosine", 'sine_and_cosine_lines = list("JEDCGIK")'),
        ("saved-as-one", 'sine_and_cosine_lines = list("JEDFGIH")'),
        ("saved-before-it-is-known", 'sine_and_cosine_lines = list("JCEDGIH")'),
        ("used-before-unpacked", 'sine_and_cosine_lines = list("JEDCGHI")'),
        ("line-missing", 'sine_and_cosine_lines = list("JEDCGH")'),
        ("line-twice", 'sine_and_cosine_lines = list("JEDCGIHH")'),
        ("unknown-line", 'sine_and_cosine_lines = list("JEDCGIX")'),
        ("wrong-order", 'sine_and_cosine_lines = list("EJDCGIH")'),
    ],
)

# 3. The matrix, after all ------------------------------------------------------------------------


def pullbacks(rng):
    """Of matrices that are wide, tall, square, a single entry, and zero in one row."""
    matrices = [
        rng.normal(size=shape) for shape in ((2, 4), (4, 2), (3, 3), (1, 1), (1, 3), (3, 1))
    ]
    matrices.append(np.array([[0.0, 0.0], [1.0, -2.0], [0.5, 2.0]]))
    return [(pullback_of(matrix), len(matrix)) for matrix in matrices]


def pullback_of(matrix):
    return Code(f"lambda u: np.array({matrix.T.tolist()}) @ u")


def rows(pullback, m):
    return np.array([pullback(unit) for unit in np.eye(m)])


jacobian = FunctionQuestion(
    "jacobian",
    points=3,
    inputs=pullbacks,
    reference=rows,
    mistakes=[
        Mistake(
            "transposed",
            "All the numbers are there, with rows and columns exchanged. One call of the pullback "
            "gives numbers that belong to one output: which way do they lie in $J$?",
            lambda pullback, m: rows(pullback, m).T,
        ),
        Mistake(
            "rows-summed",
            "An upstream of ones adds all rows up. You want them one at a time.",
            lambda pullback, m: pullback(np.ones(m)),
        ),
        Mistake(
            "rows-repeated",
            "Each row is the sum of all rows. What upstream gradient singles out one output?",
            lambda pullback, m: np.array([pullback(np.ones(m)) for _ in range(m)]),
        ),
        Mistake(
            "rows-reversed",
            "The rows come in the wrong order.",
            lambda pullback, m: rows(pullback, m)[::-1],
        ),
        Mistake(
            "row-missing",
            "There is a row for each output, also for the first and the last.",
            lambda pullback, m: np.array([pullback(unit) for unit in np.eye(m)[:-1]]),
        ),
        Mistake(
            "joined",
            "The numbers are right, but they stand in one long row. Stack them, one row below the "
            "other.",
            lambda pullback, m: rows(pullback, m).ravel(),
        ),
    ],
    hints=[
        "$J^{\\mathsf T}u$ is a sum of the rows of $J$, with the entries of $u$ as weights.",
        "If all weights are 0 but one, which is 1, the sum is one row. `np.eye(m)` holds these "
        "vectors.",
        "Call `pullback(unit)` for each `unit` in `np.eye(m)`, and make an array of the results.",
    ],
    right=[
        "def jacobian(pullback, m):\n    return np.array([pullback(e) for e in np.eye(m)])",
        "def jacobian(pullback, m):\n    return np.apply_along_axis(pullback, 1, np.eye(m))",
        """
def jacobian(pullback, m):
    columns = zip(*map(pullback, np.eye(m)))
    return np.column_stack([*zip(*columns)]).T
""",
        Edit("pullback(unit)", "(pullback(3 * unit) - pullback(unit)) / 2"),
    ],
    wrong=[
        ("transposed", Edit("np.array(rows)", "np.stack(rows, axis=1)")),
        ("transposed", Edit("np.array(rows)", "np.array(rows).T")),
        ("rows-summed", Edit("np.array(rows)", "np.sum(rows, axis=0)")),
        ("rows-repeated", Edit("np.zeros(m)", "np.ones(m)")),
        ("rows-reversed", Edit("np.array(rows)", "np.array(rows[::-1])")),
        ("row-missing", Edit("range(m)", "range(m - 1)")),
        ("joined", Edit("np.array(rows)", "np.concatenate(rows)")),
        ("wrong-scale", Edit("unit[j] = 1", "unit[j] = 0.5")),
        Edit("unit[j] = 1", "unit[: j + 1] = 1"),
        Edit("pullback(unit)", "abs(pullback(unit))"),
        Edit("np.zeros(m)", "np.zeros(m + 1)"),
        "def jacobian(pullback, m):\n    return pullback(np.arange(m))",
    ],
)

# 4. In TensorFlow: find the mistake --------------------------------------------------------------


def layers(rng):
    """Wide, tall and square matrices, one row, one column; factors that are zero and one."""
    shapes = [(2, 4), (4, 2), (3, 3), (1, 3), (3, 1)]
    given = [(rng.normal(size=(n, k)), *rng.normal(size=(2, k))) for n, k in shapes]
    edge = np.array([[1.0, 0.0, -1.0], [2.0, 0.0, 0.5]])
    return [*given, (edge, np.array([1.0, 0.0, -1.0]), np.zeros(3))]


def scale_and_shift_backward(u, x, scale, shift):
    return u * scale, (u * x).sum(axis=0), u.sum(axis=0)


scale_and_shift_tf = RuleQuestion(
    "scale_and_shift_tf",
    framework="tensorflow",
    points=3,
    inputs=layers,
    forward=lambda x, scale, shift: x * scale + shift,
    backward=scale_and_shift_backward,
    given=Mistake(
        "not-unbroadcast",
        "Two of the gradients have the shape of the output, and not that of their input.",
        backward=lambda u, x, scale, shift: (u * scale, u * x, u),
    ),
    mistakes=[
        Mistake(
            "shift-not-summed",
            "The gradient for `scale` is right now. `shift` was broadcast as well.",
            backward=lambda u, x, scale, shift: (u * scale, (u * x).sum(axis=0), u),
        ),
        Mistake(
            "scale-not-summed",
            "The gradient for `shift` is right now. `scale` was broadcast as well.",
            backward=lambda u, x, scale, shift: (u * scale, u * x, u.sum(axis=0)),
        ),
        Mistake(
            "wrong-axis",
            "You sum along each row. Which entries of `x` did `scale[0]` meet?",
            backward=lambda u, x, scale, shift: (u * scale, (u * x).sum(axis=1), u.sum(axis=1)),
        ),
        Mistake(
            "everything-summed",
            "Each column has a factor of its own; these are sums over all columns.",
            backward=lambda u, x, scale, shift: (u * scale, (u * x).sum(), u.sum()),
        ),
        Mistake(
            "mean-for-sum",
            "The contributions of the rows are averaged. They are added.",
            backward=lambda u, x, scale, shift: (u * scale, (u * x).mean(axis=0), u.mean(axis=0)),
        ),
        Mistake(
            "axis-kept",
            "The numbers are right, but they still stand in a matrix with one row.",
            backward=lambda u, x, scale, shift: (
                u * scale,
                (u * x).sum(axis=0, keepdims=True),
                u.sum(axis=0, keepdims=True),
            ),
        ),
        Mistake(
            "local-derivative-forgotten",
            "The gradient for `scale` is that for `shift`. What was `scale` multiplied by?",
            backward=lambda u, x, scale, shift: (u * scale, u.sum(axis=0), u.sum(axis=0)),
        ),
    ],
    hints=[
        "Compare the shape of each gradient with the shape of its input.",
        "`scale[j]` was used once for each row, so its gradient has a contribution from each row. "
        "The same is true for `shift[j]`.",
        "`tf.reduce_sum(..., axis=0)` adds over the rows. Two of the three gradients need it.",
    ],
    right=[
        Edit("tf.reduce_sum(upstream * x, axis=0)", "tf.einsum('ij,ij->j', upstream, x)"),
        """
@tf.custom_gradient
def scale_and_shift_tf(x, scale, shift):
    def grad_fn(upstream):
        return upstream * scale, tf.reduce_sum(x * upstream, 0), tf.reduce_sum(upstream, 0)

    return x * scale + shift, grad_fn
""",
        """
def unbroadcast(gradient, x):
    _, axes = tf.raw_ops.BroadcastGradientArgs(s0=tf.shape(gradient), s1=tf.shape(x))
    return tf.reshape(tf.reduce_sum(gradient, axes), tf.shape(x))

@tf.custom_gradient
def scale_and_shift_tf(x, scale, shift):
    return tf.add(tf.multiply(x, scale), shift), lambda u: (
        u * scale, unbroadcast(u * x, scale), unbroadcast(u, shift)
    )
""",
    ],
    wrong=[
        ("shift-not-summed", Edit("tf.reduce_sum(upstream, axis=0)", "upstream")),
        ("scale-not-summed", Edit("tf.reduce_sum(upstream * x, axis=0)", "upstream * x")),
        (
            "wrong-axis",
            Edit(
                "tf.reduce_sum(upstream * x, axis=0)",
                "tf.reduce_sum(upstream * x, axis=1)",
                "tf.reduce_sum(upstream, axis=0)",
                "tf.reduce_sum(upstream, axis=1)",
            ),
        ),
        (
            "everything-summed",
            Edit(
                "tf.reduce_sum(upstream * x, axis=0)",
                "tf.reduce_sum(upstream * x)",
                "tf.reduce_sum(upstream, axis=0)",
                "tf.reduce_sum(upstream)",
            ),
        ),
        (
            "mean-for-sum",
            Edit(
                "tf.reduce_sum(upstream * x, axis=0)",
                "tf.reduce_mean(upstream * x, axis=0)",
                "tf.reduce_sum(upstream, axis=0)",
                "tf.reduce_mean(upstream, axis=0)",
            ),
        ),
        (
            "axis-kept",
            Edit(
                "tf.reduce_sum(upstream * x, axis=0)",
                "tf.reduce_sum(upstream * x, axis=0, keepdims=True)",
                "tf.reduce_sum(upstream, axis=0)",
                "tf.reduce_sum(upstream, axis=0, keepdims=True)",
            ),
        ),
        (
            "local-derivative-forgotten",
            Edit("tf.reduce_sum(upstream * x, axis=0)", "tf.reduce_sum(upstream, axis=0)"),
        ),
        (
            "upstream-ignored",
            Edit(
                "def grad_fn(upstream):",
                "def grad_fn(upstream):\n        upstream = tf.ones_like(x)",
            ),
        ),
        Edit("return upstream * scale,", "return upstream,"),
        Edit("for_scale, for_shift", "for_shift, for_scale"),
        Edit("tf.reduce_sum(upstream, axis=0)", "tf.zeros_like(shift)"),
        Edit(
            "return upstream * scale, for_scale, for_shift",
            "return upstream * scale, for_scale, None",
        ),
    ],
)

rubric = Rubric(__file__, [polar_tape, sine_and_cosine_lines, jacobian, scale_and_shift_tf])
