"""Exercise 05: functions of SciPy and NumPy that carry a gradient."""

from itertools import chain, permutations

import numpy as np
from numpy.linalg import inv
from scipy.special import dawsn

from course_lib.grading import Edit, Mistake, OrderQuestion, Rubric, RuleQuestion

# 1. Dawson's function on the tape -----------------------------------------------------------------


def numbers(rng):
    """A vector, a matrix, one number; zero, far out, and where the slope changes its sign."""
    return [
        rng.normal(size=5),
        2 * rng.normal(size=(2, 3)),
        np.array(rng.normal()),
        np.array([-2.0, -1.0, -0.5, 0.0, 0.5, 0.9241388730045917, 1.0, 2.0, 30.0]),
    ]


dawson_tape = RuleQuestion(
    "dawson_tape",
    framework="tape",
    points=2,
    inputs=numbers,
    forward=dawsn,
    backward=lambda upstream, x: upstream * (1 - 2 * x * dawsn(x)),
    mistakes=[
        Mistake(
            "upstream-ignored",
            "This is the derivative of Dawson's function alone. A backward has to multiply it by "
            "the upstream gradient.",
            backward=lambda upstream, x: 1 - 2 * x * dawsn(x),
        ),
        Mistake(
            "brackets-forgotten",
            "The upstream gradient multiplies the whole derivative, both terms of it.",
            backward=lambda upstream, x: upstream - 2 * x * dawsn(x),
        ),
        Mistake(
            "multiplied-twice",
            "The upstream gradient has been multiplied in twice. Double it, and see what happens "
            "to the result.",
            backward=lambda upstream, x: upstream**2 * (1 - 2 * x * dawsn(x)),
        ),
        Mistake(
            "output-forgotten",
            "One factor of the second term is missing. Which function did the product rule leave "
            "standing there?",
            backward=lambda upstream, x: upstream * (1 - 2 * x),
        ),
        Mistake(
            "first-term-forgotten",
            "The product rule gives two terms; here is only one of them.",
            backward=lambda upstream, x: upstream * -2 * x * dawsn(x),
        ),
        Mistake(
            "integral-only",
            "This differentiates the integral and leaves the factor in front of it as it is.",
            backward=lambda upstream, x: upstream * np.ones_like(x),
        ),
    ],
    hints=[
        "The derivative is above, in terms of `x` and of the value, which is `y` here.",
        "Whatever the derivative is: what arrives from above multiplies all of it.",
        "`return upstream * (...)`, with the right-hand side of the formula in the brackets.",
    ],
    right=[
        Edit("upstream * (1 - 2 * x * y)", "(1 - 2 * x * dawsn(x)) * upstream"),
        Edit("upstream * (1 - 2 * x * y)", "upstream - 2 * upstream * x * y"),
        """
from course_lib.tape import register_custom_gradient

dawson_tape = register_custom_gradient(
    dawsn, lambda upstream, x: upstream * (1 - 2 * x * dawsn(x))
)
""",
    ],
    wrong=[
        ("upstream-ignored", Edit("upstream * (1 - 2 * x * y)", "1 - 2 * x * y")),
        ("brackets-forgotten", Edit("(1 - 2 * x * y)", "1 - 2 * x * y")),
        ("multiplied-twice", Edit("upstream * (", "upstream * upstream * (")),
        ("output-forgotten", Edit("2 * x * y", "2 * x")),
        ("first-term-forgotten", Edit("(1 - 2 * x * y)", "(-2 * x * y)")),
        ("integral-only", Edit("upstream * (1 - 2 * x * y)", "upstream")),
        ("wrong-sign", Edit("(1 - 2 * x * y)", "(2 * x * y - 1)")),
        ("wrong-scale", Edit("upstream * (", "2 * upstream * (")),
        Edit("1 - 2 * x * y", "1 + 2 * x * y"),
        Edit("1 - 2 * x * y", "1 - x * y"),
        Edit("return upstream * (1 - 2 * x * y)", "return (upstream * (1 - 2 * x * y)).sum()"),
        Edit("return y, grad_fn", "return y"),
    ],
)

# 2. The same in PyTorch, in order -----------------------------------------------------------------

LINES = {
    "A": "        return torch.as_tensor(dawsn(x.numpy()))",
    "B": "    @staticmethod\n    def backward(ctx, upstream):",
    "C": "        y = torch.as_tensor(dawsn(x.detach().numpy()))",
    "D": "        ctx.save_for_backward(*inputs, output)",
    "E": "        return 1 - 2 * x * y",
    "F": "    @staticmethod\n    def setup_context(ctx, inputs, output):",
    "G": "        return dawsn(x.numpy())",
    "H": "        return upstream * (1 - 2 * x * y)",
    "I": "        ctx.save_for_backward(*inputs)",
    "J": "    @staticmethod\n    def forward(x):",
    "K": "        x, y = ctx.saved_tensors",
}
METHODS = (["J", "A"], ["F", "D"], ["B", "K", "H"])

dawson_lines = OrderQuestion(
    "dawson_lines",
    points=2,
    preamble="class Dawson(torch.autograd.Function):",
    lines=LINES,
    answer=list(chain(*METHODS)),
    also=[list(chain(*methods)) for methods in permutations(METHODS)],
    mistakes=[
        Mistake(
            "upstream-ignored",
            "The backward that you chose returns the derivative alone. What happens to the "
            "upstream gradient?",
            when=lambda order: "E" in order,
        ),
        Mistake(
            "no-way-back",
            "This forward returns what SciPy returns, a NumPy array. It is off the graph.",
            when=lambda order: "G" in order,
        ),
        Mistake(
            "numpy-in-backward",
            "In the backward, a value that comes from NumPy is a constant, and the second "
            "derivative loses a term. Where else could `y` come from?",
            when=lambda order: "C" in order,
        ),
        Mistake(
            "output-not-saved",
            "The backward takes two tensors out of ctx. Were both put in?",
            when=lambda order: "I" in order and "D" not in order,
        ),
        Mistake(
            "saved-twice",
            "Each call of `save_for_backward` replaces what the one before has saved. One call "
            "saves all that the backward takes out.",
            when=lambda order: {"D", "I"} <= set(order),
        ),
        Mistake(
            "used-before-unpacked",
            "The backward has to take `x` and `y` out of ctx before it can use them.",
            when=lambda order: {"K", "H"} <= set(order) and order.index("H") < order.index("K"),
        ),
    ],
    hints=[
        "Three methods, and each begins with its `def` line. Which line can stand under which?",
        "`forward` goes to SciPy and comes back. `setup_context` saves all that `backward` will "
        "unpack. `backward` stays in PyTorch.",
        "`forward` is J, A. `setup_context` is F followed by one line, `backward` is B followed by "
        "two.",
    ],
    right=[
        'dawson_lines = ("J", "A", "F", "D", "B", "K", "H")',
        'dawson_lines = "J A F D B K H".split()',
        'dawson_lines = ["B", "K", "H", "J", "A", "F", "D"]',
    ],
    wrong=[
        ("upstream-ignored", 'dawson_lines = list("JAFDBKE")'),
        ("no-way-back", 'dawson_lines = list("JGFDBKH")'),
        ("numpy-in-backward", 'dawson_lines = list("JAFDBKCH")'),
        ("output-not-saved", 'dawson_lines = list("JAFIBKH")'),
        ("saved-twice", 'dawson_lines = list("JAFDIBKH")'),
        ("saved-twice", 'dawson_lines = list("JAFIDBKH")'),
        ("used-before-unpacked", 'dawson_lines = list("JAFDBHK")'),
        ("line-missing", 'dawson_lines = list("JAFDBH")'),
        ("line-twice", 'dawson_lines = list("JAFDBKHH")'),
        ("unknown-line", 'dawson_lines = list("JAFDBKX")'),
        ("wrong-order", 'dawson_lines = list("AJFDBKH")'),
        ("line-missing", "dawson_lines = []"),
    ],
)

# 3. The logarithm of a determinant ----------------------------------------------------------------


def matrices(rng):
    """Random ones, with a determinant of either sign; one by one; a rotation; the identity."""
    random = [rng.normal(size=(n, n)) + 2 * np.eye(n) for n in (2, 3)]
    return [
        *(m for m in random if np.linalg.cond(m) < 100),
        rng.uniform(0.5, 2, size=(1, 1)),
        np.array([[1.0, 2.0], [3.0, 4.0]]) + 0.1 * rng.uniform(size=(2, 2)),
        np.array([[0.0, -1.0], [1.0, 0.0]]),
        np.eye(3),
    ]


def can_be_inverted(a):
    return a.ndim == 2 and a.shape[0] == a.shape[1] and np.linalg.cond(a) < 1e6


def differentiated(backward):
    """The second gradient that belongs to a backward, by complex steps: exact, and no formula."""

    def second(direction, upstream, a):
        gradient = np.empty_like(a)
        for index in np.ndindex(a.shape):
            moved = a.astype(complex)
            moved[index] += 1e-30j
            gradient[index] = np.sum(direction * backward(upstream, moved)).imag / 1e-30
        return gradient

    return second


def no_second(direction, upstream, a):
    return np.zeros_like(a)


def twice(code, hint, backward):
    """A mistake in the first derivative, and therefore in the second."""
    return Mistake(code, hint, backward=backward, second=differentiated(backward))


def log_det_backward(upstream, a):
    return upstream * inv(a).T


log_det_torch = RuleQuestion(
    "log_det_torch",
    framework="torch",
    points=3,
    inputs=matrices,
    domain=can_be_inverted,
    forward=lambda a: np.linalg.slogdet(a).logabsdet,
    backward=log_det_backward,
    second=differentiated(log_det_backward),
    mistakes=[
        twice(
            "transposed",
            "The right numbers stand in the wrong places. In the sum, compare the indices of the "
            "inverse with those of $\\mathrm dA$.",
            lambda upstream, a: upstream * inv(a),
        ),
        Mistake(
            "second-order",
            "The first derivative is right and the second one is missing: something in the "
            "backward is a constant. Does it leave PyTorch?",
            second=no_second,
        ),
        Mistake(
            "numpy-in-backward",
            "In the backward, stay in PyTorch: what leaves for NumPy has no derivative there.",
            raises="Can't call numpy() on Tensor that requires grad",
        ),
        Mistake(
            "scalar-not-array",
            "NumPy returns a scalar here, and not an array. There is a function in PyTorch that "
            "takes both.",
            raises="expected np.ndarray (got numpy.float64)",
        ),
        Mistake(
            "logarithm-forgotten",
            "The forward gives the determinant; its logarithm is asked for.",
            forward=np.linalg.det,
        ),
        twice(
            "inverse-forgotten",
            "The derivative of a logarithm is one over what is inside. For a matrix that is its "
            "inverse.",
            lambda upstream, a: upstream * a.T,
        ),
        twice(
            "upstream-ignored",
            "This is the transposed inverse alone. The upstream gradient is a single number here, "
            "and it still multiplies all of it.",
            lambda upstream, a: inv(a).T,
        ),
        twice("wrong-sign", "Every entry has the opposite sign.", lambda u, a: -u * inv(a).T),
    ],
    hints=[
        "The gradient has the shape of $A$: its entry $(i, j)$ is what stands in front of "
        "$\\mathrm dA_{ij}$, times the upstream gradient.",
        "For the forward: `slogdet` gives a NumPy scalar; `torch.as_tensor` brings it back. For "
        "the backward: PyTorch has `torch.linalg.inv`.",
        "`return torch.as_tensor(np.linalg.slogdet(a.numpy()).logabsdet)`; and in `backward` the "
        "transposed inverse of `a`, times `upstream`.",
    ],
    right=[
        Edit("torch.linalg.inv(a).T", "torch.linalg.inv(a.T)"),
        Edit("np.linalg.slogdet(a.numpy()).logabsdet", "np.linalg.slogdet(a.numpy())[1]"),
        Edit(
            "torch.as_tensor(np.linalg.slogdet(a.numpy()).logabsdet)",
            "torch.tensor(np.log(abs(np.linalg.det(a.numpy()))))",
            "upstream * torch.linalg.inv(a).T",
            "upstream * torch.linalg.solve(a, torch.eye(len(a), dtype=a.dtype)).mT",
        ),
    ],
    wrong=[
        ("transposed", Edit("torch.linalg.inv(a).T", "torch.linalg.inv(a)")),
        (
            "second-order",
            Edit("torch.linalg.inv(a)", "torch.as_tensor(np.linalg.inv(a.detach().numpy()))"),
        ),
        ("second-order", Edit("torch.linalg.inv(a)", "torch.linalg.inv(a.detach())")),
        (
            "numpy-in-backward",
            Edit("torch.linalg.inv(a)", "torch.as_tensor(np.linalg.inv(a.numpy()))"),
        ),
        ("scalar-not-array", Edit("torch.as_tensor(", "torch.from_numpy(")),
        (
            "logarithm-forgotten",
            Edit("np.linalg.slogdet(a.numpy()).logabsdet", "np.linalg.det(a.numpy())"),
        ),
        ("inverse-forgotten", Edit("torch.linalg.inv(a).T", "a.T")),
        ("upstream-ignored", Edit("upstream * torch.linalg.inv(a).T", "torch.linalg.inv(a).T")),
        ("wrong-sign", Edit("return upstream * torch", "return -upstream * torch")),
        (
            "missing-gradient",
            Edit(
                "torch.as_tensor(np.linalg.slogdet(a.numpy()).logabsdet)",
                "np.linalg.slogdet(a.numpy()).logabsdet",
            ),
        ),
        Edit("torch.linalg.inv(a).T", "torch.linalg.inv(a).T.sum()"),
        Edit("logabsdet", "sign"),
    ],
)

# 4. The inverse in TensorFlow ---------------------------------------------------------------------


def inverse_backward(upstream, y):
    """The gradient for A, from the output Y."""
    return -y.T @ upstream @ y.T


def called_again(backward):
    """What a rule gives that calls itself for Y: a mistake in it is then made twice."""

    def first(upstream, a):
        return backward(upstream, inv(a))

    def second(direction, upstream, a):
        return first(differentiated(backward)(direction, upstream, inv(a)), a)

    return {"backward": first, "second": second}


def untransposed(upstream, y):
    return -y @ upstream @ y


inverse_tf = RuleQuestion(
    "inverse_tf",
    framework="tensorflow",
    points=3,
    inputs=matrices,
    domain=can_be_inverted,
    forward=inv,
    **called_again(inverse_backward),
    given=Mistake(
        "not-repaired",
        "The first derivative is wrong, and the second one is missing.",
        backward=lambda upstream, a: untransposed(upstream, inv(a)),
        second=no_second,
    ),
    mistakes=[
        Mistake(
            "second-order",
            "The first derivative is right now. For the second one, `y` must not come from NumPy "
            "but from something that has a derivative.",
            second=no_second,
        ),
        Mistake(
            "transposed",
            "The second derivative is there now. But in the differential, `Y` stands on both "
            "sides of $\\mathrm dA$: what happens to it when you read off the gradient?",
            **called_again(untransposed),
        ),
        Mistake(
            "one-transpose-missing",
            "Both of the matrices beside the upstream gradient are transposed, not only one.",
            **called_again(lambda upstream, y: -y.T @ upstream @ y),
        ),
        Mistake(
            "elementwise",
            "`*` multiplies entry by entry; matrices are multiplied by `@`.",
            **called_again(lambda upstream, y: -y.T * upstream * y.T),
        ),
        Mistake(
            "upstream-ignored",
            "The upstream gradient is a matrix here, and belongs between the other two.",
            **called_again(lambda upstream, y: inverse_backward(np.ones_like(upstream), y)),
        ),
        Mistake(
            "wrong-sign",
            "Every entry has the opposite sign.",
            **called_again(lambda upstream, y: -inverse_backward(upstream, y)),
        ),
    ],
    hints=[
        "Two faults. Begin with the first derivative: write $\\mathrm dL = \\sum U_{ij}\\,\\mathrm "
        "dY_{ij}$ and put $\\mathrm dY$ in.",
        "The gradient is $-Y^{\\mathsf T} U\\, Y^{\\mathsf T}$. For the second fault: which "
        "function of this exercise gives $Y$ *and* knows its own derivative?",
        "`yt = tf.transpose(inverse_tf(a))`, and then three factors.",
    ],
    right=[
        Edit("tf.transpose(inverse_tf(a))", "inverse_tf(tf.transpose(a))"),
        Edit("tf.transpose(inverse_tf(a))", "tf.transpose(tf.linalg.inv(a))"),
        Edit(
            "return -yt @ upstream @ yt",
            "return tf.negative(tf.matmul(yt, tf.matmul(upstream, yt)))",
        ),
    ],
    wrong=[
        ("not-repaired", Edit("tf.transpose(inverse_tf(a))", "y")),
        ("second-order", Edit("tf.transpose(inverse_tf(a))", "tf.transpose(y)")),
        ("transposed", Edit("tf.transpose(inverse_tf(a))", "inverse_tf(a)")),
        (
            "one-transpose-missing",
            Edit("-yt @ upstream @ yt", "-yt @ upstream @ tf.transpose(yt)"),
        ),
        ("elementwise", Edit("-yt @ upstream @ yt", "-yt * upstream * yt")),
        ("wrong-sign", Edit("-yt @", "yt @")),
        ("upstream-ignored", Edit("@ upstream @", "@ tf.ones_like(upstream) @")),
        ("wrong-scale", Edit("-yt @", "-2 * yt @")),
        ("missing-gradient", Edit("return -yt @ upstream @ yt", "return None")),
        Edit("@ upstream @", "@ tf.transpose(upstream) @"),
        Edit("-yt @ upstream @ yt", "-yt @ yt @ upstream"),
    ],
)

rubric = Rubric(__file__, [dawson_tape, dawson_lines, log_det_torch, inverse_tf])
