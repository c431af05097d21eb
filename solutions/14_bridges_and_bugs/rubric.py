"""Exercise 14: a bridge for PyTorch, a repair in TensorFlow, two inputs and two outputs."""

from itertools import chain, permutations

import numpy as np

from course_lib.grading import Edit, Mistake, OrderQuestion, Rubric, RuleQuestion

LINES = {
    "A": "        return None, grad_fn(upstream)",
    "B": "        output, ctx.grad_fn = f(x)",
    "C": "    @staticmethod\n    def setup_context(ctx, inputs, output):",
    "D": "        ctx.save_for_backward(x)",
    "E": "        output, _ = f(x)",
    "F": "    @staticmethod\n    def forward(f, x):",
    "G": "        return grad_fn(upstream)",
    "H": "        _, grad_fn = ctx.f(*ctx.saved_tensors)",
    "I": "        return output",
    "J": "    @staticmethod\n    def backward(ctx, upstream):",
    "K": "        ctx.f, x = inputs",
    "L": "        ctx.output = output",
}
METHODS = (["F", "E", "I"], ["C", "K", "D"], ["J", "H", "A"])

bridge_lines = OrderQuestion(
    "bridge_lines",
    points=2,
    preamble="class Bridge(torch.autograd.Function):",
    lines=LINES,
    answer=list(chain(*METHODS)),
    also=[list(chain(*methods)) for methods in permutations(METHODS)],
    mistakes=[
        Mistake(
            "closure-kept",
            "A `grad_fn` that is kept from the forward holds intermediates, which are constants to "
            "a second derivative. And this `forward` has no ctx.",
            when=lambda order: "B" in order,
        ),
        Mistake(
            "output-kept",
            "An output that is an attribute of ctx refers back to ctx: a circle that only the "
            "garbage collector undoes.",
            when=lambda order: "L" in order,
        ),
        Mistake(
            "none-forgotten",
            "`apply` gets two arguments, a function and a tensor. How many gradients are owed?",
            when=lambda order: "G" in order,
        ),
        Mistake(
            "saved-before-unpacked",
            "`x` has to be taken out of `inputs` before it can be saved.",
            when=lambda order: {"D", "K"} <= set(order) and order.index("D") < order.index("K"),
        ),
        Mistake(
            "used-before-made",
            "`grad_fn` comes from calling the function again. That has to happen before it is "
            "used.",
            when=lambda order: {"A", "H"} <= set(order) and order.index("A") < order.index("H"),
        ),
    ],
    hints=[
        "Three methods of two lines each, and each begins with its `def` line.",
        "Keep the function and the input, and nothing else. The backward calls the function again.",
        "`forward` is F and two lines, `setup_context` is C, K and one line, `backward` is J, H "
        "and one line.",
    ],
    right=[
        'bridge_lines = ("F", "E", "I", "C", "K", "D", "J", "H", "A")',
        'bridge_lines = "F E I C K D J H A".split()',
        'bridge_lines = ["C", "K", "D", "J", "H", "A", "F", "E", "I"]',
    ],
    wrong=[
        ("closure-kept", 'bridge_lines = list("FBICKDJHA")'),
        ("output-kept", 'bridge_lines = list("FEICKDLJHA")'),
        ("none-forgotten", 'bridge_lines = list("FEICKDJHG")'),
        ("saved-before-unpacked", 'bridge_lines = list("FEICDKJHA")'),
        ("used-before-made", 'bridge_lines = list("FEICKDJAH")'),
        ("line-missing", 'bridge_lines = list("FEICKDJA")'),
        ("line-twice", 'bridge_lines = list("FEICKDJHAA")'),
        ("unknown-line", 'bridge_lines = list("FEICKDJHX")'),
        ("wrong-order", 'bridge_lines = list("EFICKDJHA")'),
        ("line-missing", "bridge_lines = []"),
    ],
)


def tables(rng):
    """Tables of several shapes, a square one, one row, one column, and plain numbers."""
    return [
        (rng.normal(size=(4, 3)), rng.normal(size=3)),
        (rng.normal(size=(3, 3)), rng.normal(size=3)),
        (rng.normal(size=(1, 2)), rng.normal(size=2)),
        (rng.normal(size=(5, 1)), rng.normal(size=1)),
        (np.array([[0.0, 1.0], [-1.0, 2.0]]), np.array([0.0, -1.0])),
    ]


columns_tf = RuleQuestion(
    "columns_tf",
    framework="tensorflow",
    points=3,
    inputs=tables,
    forward=lambda x, factors: x * factors,
    backward=lambda upstream, x, factors: (upstream * factors, (upstream * x).sum(axis=0)),
    given=Mistake(
        "not-unbroadcast",
        "The gradient for `factors` has the shape of the table. Each factor acts on a whole "
        "column: what has to happen to the column's entries?",
        backward=lambda upstream, x, factors: (upstream * factors, upstream * x),
    ),
    mistakes=[
        Mistake(
            "wrong-axis",
            "This collects along the rows. A factor acts on a column.",
            backward=lambda upstream, x, factors: (upstream * factors, (upstream * x).sum(axis=1)),
        ),
        Mistake(
            "mean-for-sum",
            "The contributions of a column are added, not averaged.",
            backward=lambda upstream, x, factors: (upstream * factors, (upstream * x).mean(axis=0)),
        ),
        Mistake(
            "axis-kept",
            "The numbers are right, but the gradient has an axis more than `factors`.",
            backward=lambda upstream, x, factors: (
                upstream * factors,
                (upstream * x).sum(axis=0, keepdims=True),
            ),
        ),
        Mistake(
            "everything-summed",
            "Now all columns go into one number. Each factor has its own column.",
            backward=lambda upstream, x, factors: (upstream * factors, (upstream * x).sum()),
        ),
    ],
    hints=[
        "Which shape must the gradient for `factors` have, and which shape has `upstream * x`?",
        "Write $L$ as a sum over rows and columns. In which terms does $f_j$ occur?",
        "Sum over the rows: `tf.reduce_sum(upstream * x, axis=0)`.",
    ],
    right=[
        Edit("tf.reduce_sum(upstream * x, axis=0)", "tf.reduce_sum(x * upstream, 0)"),
        Edit("tf.reduce_sum(upstream * x, axis=0)", 'tf.einsum("ij,ij->j", upstream, x)'),
        """
@tf.custom_gradient
def columns_tf(x, factors):
    return x * factors, lambda upstream: (
        upstream * factors,
        tf.reshape(tf.reduce_sum(upstream * x, axis=0, keepdims=True), factors.shape),
    )
""",
    ],
    wrong=[
        ("wrong-axis", Edit("axis=0", "axis=1")),
        ("mean-for-sum", Edit("reduce_sum", "reduce_mean")),
        ("axis-kept", Edit("axis=0", "axis=0, keepdims=True")),
        ("everything-summed", Edit(", axis=0", "")),
        (
            "upstream-ignored",
            Edit("upstream * factors", "tf.ones_like(x) * factors", "upstream * x", "x"),
        ),
        Edit("upstream * factors", "upstream"),
        Edit("upstream * x, axis=0", "upstream * x * factors, axis=0"),
        Edit("tf.reduce_sum(upstream * x, axis=0)", "upstream[0] * x[0]"),
        Edit("return x * factors", "return x + factors"),
        Edit("reduce_sum", "reduce_max"),
    ],
)


def points(rng):
    """Vectors, a table, and the points where cosine or sine is zero, the radius zero, negative."""
    return [
        (rng.normal(size=4), rng.normal(size=4)),
        (rng.normal(size=(2, 3)), rng.normal(size=(2, 3))),
        (np.array([1.0, 2.0, 1.0, 0.0, -1.0]), np.array([0.0, np.pi / 2, np.pi, 1.0, 0.5])),
    ]


def polar_backward(u, v, r, phi):
    cos, sin = np.cos(phi), np.sin(phi)
    return u * cos + v * sin, r * (v * cos - u * sin)


polar_torch = RuleQuestion(
    "polar_torch",
    framework="torch",
    points=3,
    inputs=points,
    forward=lambda r, phi: (r * np.cos(phi), r * np.sin(phi)),
    backward=polar_backward,
    mistakes=[
        Mistake(
            "second-output-ignored",
            "Only the first output's upstream gradient is used. Both outputs depend on both "
            "inputs.",
            backward=lambda u, v, r, phi: polar_backward(u, np.zeros_like(v), r, phi),
        ),
        Mistake(
            "radius-forgotten",
            "The gradient for the radius is right. The further out, the more a turn moves the "
            "point.",
            backward=lambda u, v, r, phi: polar_backward(u, v, np.ones_like(r), phi),
        ),
        Mistake(
            "cosine-sign",
            "The gradient for the radius is right. What is the derivative of the cosine?",
            backward=lambda u, v, r, phi: (
                polar_backward(u, v, r, phi)[0],
                r * (v * np.cos(phi) + u * np.sin(phi)),
            ),
        ),
        Mistake(
            "upstreams-swapped",
            "The two upstream gradients have changed places. They come in the order of the "
            "outputs.",
            backward=lambda u, v, r, phi: polar_backward(v, u, r, phi),
        ),
        Mistake(
            "nothing-saved",
            "The backward finds nothing to unpack: `setup_context` has to save the inputs.",
            raises="not enough values to unpack",
        ),
    ],
    hints=[
        "Four derivatives: of x and of y, by r and by φ. Which two belong to the gradient for r?",
        "$\\bar r = u\\,\\partial x/\\partial r + v\\,\\partial y/\\partial r$, and the same for "
        "the angle. Save both inputs.",
        "$\\bar r = u\\cos\\varphi + v\\sin\\varphi$ and $\\bar\\varphi = r\\,(v\\cos\\varphi - "
        "u\\sin\\varphi)$.",
    ],
    right=[
        Edit("r * (v * cos - u * sin)", "-u * r * sin + v * r * cos"),
        """
class Polar(torch.autograd.Function):
    @staticmethod
    def forward(ctx, r, phi):
        ctx.save_for_backward(r, phi)
        return r * torch.cos(phi), r * torch.sin(phi)

    @staticmethod
    def backward(ctx, u, v):
        r, phi = ctx.saved_tensors
        return u * phi.cos() + v * phi.sin(), (v * phi.cos() - u * phi.sin()) * r


polar_torch = Polar.apply
""",
        """
class Polar(torch.autograd.Function):
    @staticmethod
    def forward(r, phi):
        return r * torch.cos(phi), r * torch.sin(phi)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[1], *output)

    @staticmethod
    def backward(ctx, u, v):
        phi, x, y = ctx.saved_tensors
        return u * torch.cos(phi) + v * torch.sin(phi), v * x - u * y


polar_torch = Polar.apply
""",
    ],
    wrong=[
        (
            "second-output-ignored",
            Edit("u * cos + v * sin", "u * cos", "(v * cos - u * sin)", "(-u * sin)"),
        ),
        ("radius-forgotten", Edit("r * (v * cos - u * sin)", "v * cos - u * sin")),
        ("cosine-sign", Edit("v * cos - u * sin", "v * cos + u * sin")),
        ("upstreams-swapped", Edit("backward(ctx, u, v)", "backward(ctx, v, u)")),
        ("nothing-saved", Edit("ctx.save_for_backward(*inputs)", "pass")),
        (
            "inputs-swapped",
            Edit(
                "return u * cos + v * sin, r * (v * cos - u * sin)",
                "return r * (v * cos - u * sin), u * cos + v * sin",
            ),
        ),
        Edit("u * cos + v * sin", "cos + sin"),
        Edit("u * cos + v * sin", "u * cos - v * sin"),
        Edit("r * torch.sin(phi)", "r * torch.cos(phi)"),
        Edit("r * (v * cos - u * sin)", "None"),
        Edit("u * cos + v * sin", "(u + v) * (cos + sin)"),
    ],
)

rubric = Rubric(__file__, [bridge_lines, columns_tf, polar_torch])
