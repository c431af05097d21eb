"""Exercise 13: functions that are given by an equation."""

import numpy as np

from course_lib.grading import Edit, FunctionQuestion, Mistake, OrderQuestion, Rubric, RuleQuestion


def solve_cubic(x):
    """The y with y³ + y = x, by Newton's method, for arrays of any shape."""
    y = np.zeros_like(x)
    for _ in range(60):
        y = y - (y**3 + y - x) / (3 * y**2 + 1)
    return y


CUBIC_MISTAKES = {
    "derivative-of-the-equation": (
        "This is how x moves when y does. You are asked for the other direction.",
        lambda upstream, y: upstream * (3 * y**2 + 1),
    ),
    "term-forgotten": (
        "Differentiate both terms on the left-hand side.",
        lambda upstream, y: upstream / (3 * y**2),
    ),
    "factor-forgotten": (
        "The derivative of the cube has a factor in front.",
        lambda upstream, y: upstream / (y**2 + 1),
    ),
}
WRONG_CUBICS = [
    ("derivative-of-the-equation", Edit("upstream / (3 * y**2 + 1)", "upstream * (3 * y**2 + 1)")),
    ("term-forgotten", Edit("3 * y**2 + 1", "3 * y**2")),
    ("factor-forgotten", Edit("3 * y**2 + 1", "y**2 + 1")),
    ("wrong-scale", Edit("upstream / ", "3 * upstream / ")),
    Edit("3 * y**2 + 1", "3 * y**2 - 1"),
    Edit("3 * y**2 + 1", "3 * y**3 + 1"),
    Edit("3 * y**2 + 1", "3 * abs(y) + 1"),
    Edit("upstream / (3 * y**2 + 1)", "upstream - (3 * y**2 + 1)"),
]

cubic_vjp = FunctionQuestion(
    "cubic_vjp",
    points=2,
    inputs=lambda rng: [
        (rng.normal(size=5), rng.normal(size=5)),
        (rng.normal(size=(2, 3)), rng.normal(size=(2, 3))),
        (np.array([1.0, -2.0, 0.5]), np.array([1.0, 2.0, -1.0])),
    ],
    reference=lambda upstream, y: upstream / (3 * y**2 + 1),
    mistakes=[
        *(Mistake(code, *said) for code, said in CUBIC_MISTAKES.items()),
        Mistake(
            "upstream-ignored",
            "This is the derivative alone. The upstream gradient belongs to it as a factor.",
            lambda upstream, y: 1 / (3 * y**2 + 1),
        ),
    ],
    hints=[
        "Both sides of the equation move together: how much does the left side move if y moves by "
        "dy?",
        "$(3y^2 + 1)\\,dy = dx$. Solve for $dy/dx$, and multiply by the upstream gradient.",
        "`return upstream / (3 * y**2 + 1)`.",
    ],
    right=[
        Edit("upstream / (3 * y**2 + 1)", "upstream * (1 / (1 + 3 * np.square(y)))"),
        "cubic_vjp = lambda upstream, y: np.divide(upstream, 3 * y * y + 1)",
        """
def cubic_vjp(upstream, y):
    slope = np.polyval([3, 0, 1], y)
    return upstream / slope
""",
    ],
    wrong=[
        *WRONG_CUBICS,
        ("upstream-ignored", Edit("upstream / (3", "1 / (3")),
    ],
)

cubic_torch = RuleQuestion(
    "cubic_torch",
    framework="torch",
    points=3,
    inputs=lambda rng: [
        rng.normal(size=5),
        rng.normal(size=(2, 3)),
        np.array(rng.normal()),
        np.array([-2.0, 0.0, 2.0, 10.0]),
    ],
    forward=solve_cubic,
    backward=lambda upstream, x: upstream / (3 * solve_cubic(x) ** 2 + 1),
    mistakes=[
        *(
            Mistake(
                code,
                hint,
                backward=lambda upstream, x, wrong=wrong: wrong(upstream, solve_cubic(x)),
            )
            for code, (hint, wrong) in CUBIC_MISTAKES.items()
        ),
        Mistake(
            "input-for-solution",
            "The derivative has to be taken at the solution y; this takes it at the input x. What "
            "did you save?",
            backward=lambda upstream, x: upstream / (3 * x**2 + 1),
        ),
        Mistake(
            "nothing-saved",
            "`ctx.saved_tensors` holds what `setup_context` handed to `ctx.save_for_backward`, and "
            "here that was nothing.",
            raises="not enough values to unpack",
        ),
    ],
    hints=[
        "The formula of the first question needs the solution. Which argument of `setup_context` "
        "is that?",
        "Save `output`, take it out of `ctx.saved_tensors` again, and use the formula.",
        "`ctx.save_for_backward(output)`; then `(y,) = ctx.saved_tensors` and "
        "`return upstream / (3 * y**2 + 1)`.",
    ],
    right=[
        Edit("upstream / (3 * y**2 + 1)", "upstream * (3 * y.square() + 1).reciprocal()"),
        Edit("(y,) = ctx.saved_tensors", "y = ctx.saved_tensors[0]"),
        """
class Cubic(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = solve_cubic(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, upstream):
        (y,) = ctx.saved_tensors
        return upstream / (1 + 3 * y * y)


cubic_torch = Cubic.apply
""",
    ],
    wrong=[
        *WRONG_CUBICS,
        (
            "input-for-solution",
            Edit("ctx.save_for_backward(output)", "ctx.save_for_backward(*inputs)"),
        ),
        ("nothing-saved", Edit("ctx.save_for_backward(output)", "pass")),
        ("upstream-ignored", Edit("upstream / (3", "1 / (3")),
    ],
)


def sine_layer(upstream, y, W, matrix):
    """The gradients for W and b, if the adjoint solves a system with this matrix."""
    adjoint = np.linalg.solve(matrix, upstream)
    return np.outer(adjoint, np.sin(y)), adjoint


def jacobian(y, W):
    return np.eye(len(y)) - W * np.cos(y)


sine_layer_vjp = FunctionQuestion(
    "sine_layer_vjp",
    points=3,
    inputs=lambda rng: [
        (rng.normal(size=3), rng.normal(size=3), 0.3 * rng.normal(size=(3, 3))),
        (rng.normal(size=4), rng.normal(size=4), 0.3 * rng.normal(size=(4, 4))),
        (
            np.array([1.0, -1.0]),
            np.array([0.5, 2.0]),
            np.array([[0.0, 0.5], [0.0, 0.0]]),
        ),
    ],
    reference=lambda upstream, y, W: sine_layer(upstream, y, W, jacobian(y, W).T),
    given=Mistake(
        "columns-for-rows",
        "Transposing W alone is not transposing the product: the cosines have to move along.",
        lambda upstream, y, W: sine_layer(upstream, y, W, jacobian(y, W.T)),
    ),
    mistakes=[
        Mistake(
            "transposed",
            "The system is not transposed at all. That gives tangents, not gradients.",
            lambda upstream, y, W: sine_layer(upstream, y, W, jacobian(y, W)),
        ),
        Mistake(
            "not-solved",
            "This multiplies with the Jacobian, where a system has to be solved.",
            lambda upstream, y, W: (
                np.outer(jacobian(y, W).T @ upstream, np.sin(y)),
                jacobian(y, W).T @ upstream,
            ),
        ),
        Mistake(
            "loop-ignored",
            "This is the gradient of a single step, as if y on the right were a constant.",
            lambda upstream, y, W: (np.outer(upstream, np.sin(y)), upstream),
        ),
    ],
    hints=[
        "Which matrix takes small changes of b to small changes of y? Write it down before you "
        "transpose it.",
        "`W * np.cos(y)` multiplies the *columns* of W, which is $WC$. The transpose of $I - WC$ "
        "is $I - CW^{\\mathsf T}$: its *rows* are multiplied.",
        "The first line has the Jacobian already: solve with `jacobian.T`.",
    ],
    right=[
        Edit("np.linalg.solve(jacobian.T, upstream)", "np.linalg.inv(jacobian).T @ upstream"),
        Edit("jacobian.T", "np.eye(len(y)) - (W * np.cos(y)).T"),
        Edit("jacobian.T", "np.eye(len(y)) - np.cos(y)[:, None] * W.T"),
    ],
    wrong=[
        ("transposed", Edit("jacobian.T", "jacobian")),
        ("not-solved", Edit("np.linalg.solve(jacobian.T, upstream)", "jacobian.T @ upstream")),
        ("loop-ignored", Edit("np.linalg.solve(jacobian.T, upstream)", "upstream")),
        Edit("jacobian.T", "2 * np.eye(len(y)) - jacobian.T"),
        Edit("W * np.cos(y)", "W * np.sin(y)"),
        Edit("np.outer(adjoint, np.sin(y))", "np.outer(np.sin(y), adjoint)"),
        Edit("np.outer(adjoint, np.sin(y))", "np.outer(adjoint, y)"),
        Edit(
            "return np.outer(adjoint, np.sin(y)), adjoint",
            "return adjoint, np.outer(adjoint, np.sin(y))",
        ),
        Edit(
            "return np.outer(adjoint, np.sin(y)), adjoint",
            "return np.outer(adjoint, np.sin(y)), upstream",
        ),
    ],
)

ridge_lines = OrderQuestion(
    "ridge_lines",
    points=2,
    preamble="def ridge_gradient(alpha, upstream, X, t):",
    lines={
        "A": "    adjoint = A @ upstream",
        "B": "    return -adjoint @ w",
        "C": "    A = X.T @ X + alpha * np.eye(X.shape[1])",
        "D": "    adjoint = np.linalg.solve(A, upstream)",
        "E": "    return -upstream @ w",
        "F": "    w = np.linalg.solve(A, X.T @ t)",
        "G": "    return adjoint @ w",
    },
    answer=["C", "F", "D", "B"],
    also=[["C", "D", "F", "B"]],
    mistakes=[
        Mistake(
            "not-solved",
            "One of your lines multiplies with the matrix, where a system has to be solved.",
            when=lambda order: "A" in order,
        ),
        Mistake(
            "wrong-sign",
            "A stronger penalty makes the weights smaller. Which sign does that give?",
            when=lambda order: "G" in order,
        ),
        Mistake(
            "adjoint-unused",
            "The line that you return with does not use the adjoint at all.",
            when=lambda order: "E" in order,
        ),
        Mistake(
            "matrix-too-late",
            "The matrix is used before it is built.",
            when=lambda order: "C" in order and order.index("C") > 0,
        ),
    ],
    hints=[
        "Which line makes something that all the others need?",
        "Build the matrix, solve for the weights, solve for the adjoint, combine.",
        "C first; then F and D in either order; then the line that returns, with the minus of "
        "$A\\,dw = -w\\,d\\alpha$.",
    ],
    right=[
        'ridge_lines = ("C", "D", "F", "B")',
        'ridge_lines = list("CFDB")',
        'ridge_lines = "C F D B".split()',
    ],
    wrong=[
        ("not-solved", 'ridge_lines = list("CFAB")'),
        ("wrong-sign", 'ridge_lines = list("CFDG")'),
        ("adjoint-unused", 'ridge_lines = list("CFE")'),
        ("matrix-too-late", 'ridge_lines = list("FCDB")'),
        ("line-missing", 'ridge_lines = list("CFB")'),
        ("line-twice", 'ridge_lines = list("CCFDB")'),
        ("unknown-line", 'ridge_lines = list("CFDX")'),
        ("wrong-order", 'ridge_lines = list("CFBD")'),
        ("line-missing", "ridge_lines = []"),
    ],
)

rubric = Rubric(__file__, [cubic_vjp, cubic_torch, sine_layer_vjp, ridge_lines])
