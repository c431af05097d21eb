"""Exercise 09: valves in the backward pass."""

from itertools import chain, permutations

import numpy as np

from course_lib.grading import Edit, Mistake, OrderQuestion, Rubric, RuleQuestion

LINES = {
    "A": "        return -ctx.strength * upstream, None",
    "B": "    @staticmethod\n    def forward(x, strength):",
    "C": "        return -strength * x",
    "D": "        ctx.strength = inputs[1]",
    "E": "    @staticmethod\n    def backward(ctx, upstream):",
    "F": "        return x.view_as(x)",
    "G": "        ctx.save_for_backward(inputs[1])",
    "H": "        return -ctx.strength * upstream",
    "I": "    @staticmethod\n    def setup_context(ctx, inputs, output):",
}
METHODS = (["B", "F"], ["I", "D"], ["E", "A"])

reverse_lines = OrderQuestion(
    "reverse_lines",
    points=2,
    preamble="class Reverse(torch.autograd.Function):",
    lines=LINES,
    answer=list(chain(*METHODS)),
    also=[list(chain(*methods)) for methods in permutations(METHODS)],
    mistakes=[
        Mistake(
            "value-reversed",
            "The forward that you chose reverses the value. A valve leaves the value alone.",
            when=lambda order: "C" in order,
        ),
        Mistake(
            "number-saved-as-tensor",
            "`save_for_backward` takes tensors, and the strength is a number. Such things are kept "
            "as attributes of ctx.",
            when=lambda order: "G" in order,
        ),
        Mistake(
            "one-gradient-short",
            "`forward` has two inputs, so `backward` returns two gradients, one of them for the "
            "strength.",
            when=lambda order: "H" in order,
        ),
        Mistake(
            "kept-elsewhere",
            "The strength is kept in `setup_context`, which receives the inputs as a tuple.",
            when=lambda order: "D" in order and order[: order.index("D")][-1:] != ["I"],
        ),
    ],
    hints=[
        "Three methods, and each begins with its `def` line. Which line can stand under which?",
        "`forward` returns the input as it is; `setup_context` keeps a number; `backward` owes one "
        "gradient for each of the two inputs.",
        "`forward` is B, F. `setup_context` is I followed by one line, `backward` is E followed by "
        "one.",
    ],
    right=[
        'reverse_lines = ("B", "F", "I", "D", "E", "A")',
        'reverse_lines = list("EABFID")',
        'reverse_lines = "I D B F E A".split()',
    ],
    wrong=[
        ("value-reversed", 'reverse_lines = list("BCIDEA")'),
        ("number-saved-as-tensor", 'reverse_lines = list("BFIGEA")'),
        ("one-gradient-short", 'reverse_lines = list("BFIDEH")'),
        ("kept-elsewhere", 'reverse_lines = list("BDFIEA")'),
        ("line-missing", 'reverse_lines = list("BFID")'),
        ("line-twice", 'reverse_lines = list("BFIDEAA")'),
        ("unknown-line", 'reverse_lines = list("BFIDEX")'),
        ("wrong-order", 'reverse_lines = list("FBIDEA")'),
        ("line-missing", "reverse_lines = []"),
    ],
)


def clip_by_value(upstream, limit):
    return np.clip(upstream, -limit, limit)


def clip_by_norm(upstream, limit, axis=None):
    norm = np.sqrt(np.sum(upstream**2, axis=axis, keepdims=True))
    return upstream * np.minimum(1, limit / norm).reshape(norm.shape if upstream.ndim else ())


def normalised(upstream, limit, axis=None):
    norm = np.sqrt(np.sum(upstream**2, axis=axis, keepdims=True))
    return upstream * (limit / norm).reshape(norm.shape if upstream.ndim else ())


def batches(rng):
    """Rows that are clipped, rows that are not, and both in one batch."""
    return [
        (rng.normal(size=4), 0.5),
        (rng.normal(size=(6, 3)), 1.5),
        (rng.normal(size=(2, 4, 2)), 1.0),
        (rng.normal(size=(3, 2)), 100.0),
        (np.zeros((4, 1)), 0.7),
        (rng.normal(size=(5, 2)).astype(np.float32), 1.0),
    ]


clip_rows_tape = RuleQuestion(
    "clip_rows_tape",
    framework="tape",
    points=3,
    inputs=batches,
    forward=lambda x, limit: x,
    backward=lambda upstream, x, limit: (clip_by_norm(upstream, limit, axis=-1), None),
    surrogate=True,
    mistakes=[
        Mistake(
            "one-norm-for-all",
            "This takes one norm of the whole array. Each row should have its own.",
            backward=lambda upstream, x, limit: (clip_by_norm(upstream, limit), None),
        ),
        Mistake(
            "along-the-columns",
            "Each column has a norm of its own here. A row is what lies along the last axis.",
            backward=lambda upstream, x, limit: (clip_by_norm(upstream, limit, axis=0), None),
        ),
        Mistake(
            "axis-not-kept",
            "There is one norm a row, but the sum has lost the last axis, so they do not broadcast "
            "against the rows.",
            raises="could not be broadcast",
        ),
        Mistake(
            "clipped-by-value",
            "This holds back each entry by itself, which bends the direction of a row.",
            backward=lambda upstream, x, limit: (clip_by_value(upstream, limit), None),
        ),
        Mistake(
            "normalised",
            "Every row comes out with the norm of the limit, the short ones too. Those should pass "
            "unchanged.",
            backward=lambda upstream, x, limit: (normalised(upstream, limit, axis=-1), None),
        ),
        Mistake(
            "passes-upstream",
            "The upstream gradient is handed on as it came: nothing is clipped.",
            backward=lambda upstream, x, limit: (upstream, None),
        ),
    ],
    hints=[
        "First the norm of each row of `upstream` (not of x), with the axis kept, so that it "
        "broadcasts against the rows.",
        "A row is multiplied by the limit over its norm, or by the limit over the limit if the "
        "norm is the smaller one. `np.maximum` chooses, and nothing is ever divided by zero.",
        "`squared = np.sum(upstream**2, axis=-1, keepdims=True)`; divide by the root of the larger "
        "of `squared` and `limit**2`, times `upstream * limit`; and `None` for the limit.",
    ],
    right=[
        Edit(
            "upstream * limit / np.sqrt(np.maximum(squared, limit**2))",
            "upstream * (limit / np.maximum(np.sqrt(squared), limit))",
        ),
        Edit(
            "squared = np.sum(upstream**2, axis=-1, keepdims=True)",
            "squared = np.sum(upstream * upstream, -1)[..., None]",
        ),
        """
@custom_gradient
def clip_rows_tape(x, limit):
    def grad_fn(upstream):
        norm = np.linalg.norm(upstream, axis=-1, keepdims=True)
        factor = np.where(norm > limit, limit / np.where(norm > limit, norm, 1), 1)
        return (upstream * factor).astype(upstream.dtype), None

    return x, grad_fn
""",
    ],
    wrong=[
        (
            "one-norm-for-all",
            Edit("np.sum(upstream**2, axis=-1, keepdims=True)", "np.sum(upstream**2)"),
        ),
        ("along-the-columns", Edit("axis=-1", "axis=0")),
        ("axis-not-kept", Edit(", keepdims=True", "")),
        (
            "clipped-by-value",
            Edit(
                "upstream * limit / np.sqrt(np.maximum(squared, limit**2))",
                "np.clip(upstream, -limit, limit)",
            ),
        ),
        ("normalised", Edit("np.maximum(squared, limit**2)", "squared")),
        (
            "passes-upstream",
            Edit("upstream * limit / np.sqrt(np.maximum(squared, limit**2))", "upstream"),
        ),
        ("wrong-sign", Edit("return upstream", "return -upstream")),
        Edit("np.sum(upstream**2,", "np.sum(x**2,"),
        Edit("np.maximum(squared, limit**2)", "np.maximum(squared, limit)"),
        Edit("np.sqrt(np.maximum(squared, limit**2))", "np.maximum(squared, limit)"),
        Edit("np.maximum", "np.minimum"),
        Edit("return x, grad_fn", "return np.clip(x, -limit, limit), grad_fn"),
    ],
)


def whole(rng):
    """Above the limit and below it, in several shapes."""
    return [
        (rng.normal(size=5), 0.5),
        (rng.normal(size=(2, 3)), 1.0),
        (rng.normal(size=(2, 3)), 100.0),
        (np.array(rng.normal()), 30.0),
        (np.zeros(4), 0.1),
        (rng.normal(size=6).astype(np.float32), 20.0),
    ]


clip_norm_tf = RuleQuestion(
    "clip_norm_tf",
    framework="tensorflow",
    points=3,
    inputs=whole,
    forward=lambda x, limit: x,
    backward=lambda upstream, x, limit: (clip_by_norm(upstream, limit), None),
    surrogate=True,
    given=Mistake(
        "normalised",
        "Every gradient comes out with the norm of the limit, the short ones too.",
        backward=lambda upstream, x, limit: (normalised(upstream, limit), None),
    ),
    mistakes=[
        Mistake(
            "clipped-by-value",
            "Small gradients pass now. The large ones are cut entry by entry, which bends their "
            "direction.",
            backward=lambda upstream, x, limit: (clip_by_value(upstream, limit), None),
        ),
        Mistake(
            "passes-upstream",
            "Now nothing is clipped: the upstream gradient is handed on as it came.",
            backward=lambda upstream, x, limit: (upstream, None),
        ),
        Mistake(
            "only-grows",
            "This has it the wrong way round: it lengthens the short gradients and lets the long "
            "ones pass.",
            backward=lambda upstream, x, limit: (
                normalised(upstream, limit) if np.linalg.norm(upstream) < limit else upstream,
                None,
            ),
        ),
    ],
    hints=[
        "Let a very small upstream gradient arrive, a thousandth of the limit. How large is what "
        "the rule returns?",
        "It should be shortened only where it is longer than the limit. Two cases, or one "
        "`tf.maximum` under the fraction.",
        "Divide by the larger of two: the norm, and the limit. As in `tf.sqrt(tf.maximum(squared, "
        "limit**2))`, which also never divides by zero.",
    ],
    right=[
        Edit(
            "upstream * limit / tf.sqrt(tf.maximum(squared, limit**2))",
            "upstream * (limit / tf.maximum(tf.sqrt(squared), limit))",
        ),
        Edit(
            "upstream * limit / tf.sqrt(tf.maximum(squared, limit**2))",
            "tf.clip_by_norm(upstream, limit)",
        ),
        """
def clip_norm_tf(x, limit):
    @tf.custom_gradient
    def identity(x):
        def grad_fn(upstream):
            norm = tf.norm(upstream)
            return tf.cond(norm > limit, lambda: upstream / norm * limit, lambda: upstream)

        return tf.identity(x), grad_fn

    return identity(x)
""",
    ],
    wrong=[
        (
            "clipped-by-value",
            Edit(
                "upstream * limit / tf.sqrt(tf.maximum(squared, limit**2))",
                "tf.clip_by_value(upstream, -limit, limit)",
            ),
        ),
        (
            "passes-upstream",
            Edit("upstream * limit / tf.sqrt(tf.maximum(squared, limit**2))", "upstream * 1"),
        ),
        ("only-grows", Edit("tf.maximum", "tf.minimum")),
        ("wrong-sign", Edit("return upstream", "return -upstream")),
        Edit("upstream * limit / tf.sqrt", "upstream / tf.sqrt"),
        Edit("tf.maximum(squared, limit**2)", "tf.maximum(squared, limit)"),
        Edit("tf.reduce_sum(upstream**2)", "tf.reduce_mean(upstream**2)"),
        Edit("tf.reduce_sum(upstream**2)", "tf.reduce_sum(x**2)"),
        Edit("tf.maximum(squared, limit**2)", "(squared + limit**2)"),
        Edit("return tf.identity(x)", "return tf.clip_by_norm(x, limit)"),
    ],
)


def at_the_bound(rng):
    """Above, below and exactly on the bound, with enough entries for upstreams of both signs."""
    return [
        (rng.normal(size=8), 0.0),
        (rng.normal(size=(3, 4)), 0.5),
        (np.full(16, 0.5), 0.5),
        (np.zeros((4, 4)), 0.0),
        (np.linspace(-2, 2, 9), -1.0),
        (rng.normal(size=(4, 4)).astype(np.float32), 1.0),
    ]


def lower_bound_backward(upstream, x, bound):
    return upstream * ((x >= bound) | (upstream < 0)), None


lower_bound_torch = RuleQuestion(
    "lower_bound_torch",
    framework="torch",
    points=4,
    inputs=at_the_bound,
    forward=lambda x, bound: np.maximum(x, np.asarray(bound, x.dtype)),
    backward=lower_bound_backward,
    surrogate=True,
    mistakes=[
        Mistake(
            "plain-clamp",
            "This is the gradient of the plain clamp. Below the bound, nothing can come back.",
            backward=lambda upstream, x, bound: (upstream * (x >= bound), None),
        ),
        Mistake(
            "passes-everything",
            "Everything passes, even what pushes further below the bound.",
            backward=lambda upstream, x, bound: (upstream, None),
        ),
        Mistake(
            "wrong-way",
            "Below the bound this lets through what pushes further down. Descent moves against the "
            "gradient.",
            backward=lambda upstream, x, bound: (upstream * ((x >= bound) | (upstream > 0)), None),
        ),
        Mistake(
            "bound-excluded",
            "Exactly on the bound the gradient should pass, whatever its sign.",
            backward=lambda upstream, x, bound: (upstream * ((x > bound) | (upstream < 0)), None),
        ),
        Mistake(
            "both-demanded",
            "It passes only where both conditions hold. One of them is enough.",
            backward=lambda upstream, x, bound: (upstream * ((x >= bound) & (upstream < 0)), None),
        ),
        Mistake(
            "value-not-bounded",
            "The gradient is right. The value should never be below the bound.",
            forward=lambda x, bound: x,
        ),
        Mistake(
            "one-gradient-short",
            "`forward` takes two arguments, so `backward` returns two gradients, with `None` for "
            "the bound.",
            raises="returned an incorrect number of gradients",
        ),
    ],
    hints=[
        "For backward you need x, the bound and the upstream gradient, entry by entry.",
        "Keep x with `save_for_backward` and the bound as an attribute of ctx. Make a mask of the "
        "entries that pass: one condition on x, one on the upstream, and either is enough.",
        "`passes = (x >= ctx.bound) | (upstream < 0)`; multiply the upstream by it, and return "
        "`None` for the bound.",
    ],
    right=[
        Edit("upstream * passes, None", "torch.where(passes, upstream, 0.0), None"),
        Edit(
            "passes = (x >= ctx.bound) | (upstream < 0)",
            "passes = ~((x < ctx.bound) & (upstream >= 0))",
        ),
        """
class LowerBound(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, bound):
        ctx.save_for_backward(x >= bound)
        return torch.where(x < bound, torch.full_like(x, bound), x)

    @staticmethod
    def backward(ctx, upstream):
        (inside,) = ctx.saved_tensors
        return torch.where(inside, upstream, upstream.clamp(max=0)), None


def lower_bound_torch(x, bound):
    return LowerBound.apply(x, bound)
""",
    ],
    wrong=[
        ("plain-clamp", Edit(" | (upstream < 0)", "")),
        ("passes-everything", Edit("upstream * passes", "upstream")),
        ("wrong-way", Edit("upstream < 0", "upstream > 0")),
        ("bound-excluded", Edit("x >= ctx.bound", "x > ctx.bound")),
        ("both-demanded", Edit("|", "&")),
        ("value-not-bounded", Edit("x.clamp(min=bound)", "x.view_as(x)")),
        ("one-gradient-short", Edit("upstream * passes, None", "upstream * passes")),
        ("wrong-sign", Edit("upstream * passes", "-upstream * passes")),
        Edit("x >= ctx.bound", "x <= ctx.bound"),
        Edit("x >= ctx.bound", "x >= 0"),
        Edit("x.clamp(min=bound)", "x.clamp(max=bound)"),
        Edit("upstream * passes", "passes.to(upstream.dtype)"),
        "def lower_bound_torch(x, bound):\n    return x.clamp(min=bound)",
    ],
)

rubric = Rubric(__file__, [reverse_lines, clip_rows_tape, clip_norm_tf, lower_bound_torch])
