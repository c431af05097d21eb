"""Exercise 12: derivatives of derivatives."""

import numpy as np

from course_lib.grading import Code, Edit, FunctionQuestion, Mistake, Rubric, RuleQuestion
from course_lib.tape import Variable, grad

ELEMENTWISE = [
    Code("lambda x: np.exp(x) - 2 * x"),
    Code("lambda x: x**4 + x**2 - x"),
    Code("lambda x: np.cosh(x - 1)"),
    Code("lambda x: np.sin(x) + x - 2 * x**2"),  # bends down: its flat point is the highest
]


def derivatives(f, x):
    """First and second derivative of an elementwise function."""
    v = Variable(x)
    slope = grad(f(v), v, create_graph=True)
    return slope.value, grad(slope, v)


def newton(f, x):
    slope, curvature = derivatives(f, x)
    return x - slope / curvature


newton_step = FunctionQuestion(
    "newton_step",
    points=2,
    inputs=lambda rng: [
        *((f, rng.normal(size=4)) for f in ELEMENTWISE),
        (ELEMENTWISE[1], rng.normal(size=(2, 3))),
        (ELEMENTWISE[0], np.array([0.0, 1.0, -1.0])),
    ],
    reference=newton,
    mistakes=[
        Mistake(
            "uphill-sign",
            "The step has the right length and the wrong direction.",
            lambda f, x: 2 * x - newton(f, x),
        ),
        Mistake(
            "plain-descent",
            "This is a step of gradient descent. Newton's method divides by the curvature.",
            lambda f, x: x - derivatives(f, x)[0],
        ),
        Mistake(
            "ratio-upside-down",
            "The curvature belongs below the line: where a function bends strongly, the step is "
            "short.",
            lambda f, x: x - derivatives(f, x)[1] / derivatives(f, x)[0],
        ),
        Mistake(
            "always-downhill",
            "The absolute value of the curvature turns the step round where the function bends "
            "down. Newton's method goes to the flat point, even if it is the highest.",
            lambda f, x: x - derivatives(f, x)[0] / np.abs(derivatives(f, x)[1]),
        ),
        Mistake(
            "step-only",
            "This is the step itself. Where does it start from?",
            lambda f, x: -derivatives(f, x)[0] / derivatives(f, x)[1],
        ),
        Mistake(
            "not-recorded",
            "The first derivative came back as a plain array, which has no history. Ask `grad` to "
            "record the backward pass.",
            raises="differentiate",
        ),
    ],
    hints=[
        "Two derivatives, so two calls of `grad`. What must the first one be told?",
        "`grad(f(v), v, create_graph=True)` gives a Variable that can be differentiated again.",
        "`slope = grad(f(v), v, create_graph=True)`, `curvature = grad(slope, v)`, and the step is "
        "`slope.value / curvature`.",
    ],
    right=[
        """
def newton_step(f, x):
    v = Variable(x)
    slope = grad(f(v).sum(), v, create_graph=True)
    return np.asarray(x) - slope.value / grad(slope.sum(), v)
""",
        """
from course_lib.tape import jvp


def newton_step(f, x):
    def slope(v):
        return grad(f(v), v, create_graph=True)

    first, second = jvp(slope, (x,), (np.ones_like(x),))
    return x - first / second
""",
        Edit("slope.value / curvature", "np.divide(slope.value, curvature)"),
    ],
    wrong=[
        ("uphill-sign", Edit("x - slope.value", "x + slope.value")),
        ("plain-descent", Edit("slope.value / curvature", "slope.value")),
        ("ratio-upside-down", Edit("slope.value / curvature", "curvature / slope.value")),
        ("always-downhill", Edit("/ curvature", "/ np.abs(curvature)")),
        ("step-only", Edit("return x - slope", "return -slope")),
        (
            "not-recorded",
            Edit("grad(f(v), v, create_graph=True)", "grad(f(v), v)", "slope.value", "slope"),
        ),
        Edit("slope.value / curvature", "slope.value * curvature"),
        Edit("slope.value / curvature", "slope.value / abs(curvature).max()"),
        Edit("slope.value / curvature", "f(v).value / slope.value"),
        Edit("grad(slope, v)", "grad(slope, v) + 1"),
    ],
)


def quartic_backward(upstream, x):
    return 4 * x**3 * upstream


def quartic_second(direction, upstream, x):
    return direction * 12 * x**2 * upstream


def tanh_backward(upstream, x):
    return (1 - np.tanh(x) ** 2) * upstream


def tanh_second(direction, upstream, x):
    return -2 * np.tanh(x) * (1 - np.tanh(x) ** 2) * upstream * direction


def numbers(rng):
    """A vector, a matrix, one number, and the points where the function is flat."""
    return [
        rng.normal(size=5),
        rng.normal(size=(2, 3)),
        np.array(rng.normal()),
        np.array([-1.0, 0.0, 1.0, 2.0]),
    ]


quartic_torch = RuleQuestion(
    "quartic_torch",
    framework="torch",
    points=3,
    inputs=numbers,
    forward=lambda x: x**4,
    backward=quartic_backward,
    second=quartic_second,
    given=Mistake(
        "saved-intermediate",
        "The square is computed inside `forward`, where PyTorch records nothing. In the backward "
        "it is a constant, so its part of the second derivative is missing.",
        second=lambda direction, upstream, x: direction * 4 * x**2 * upstream,
    ),
    mistakes=[
        Mistake(
            "no-second-derivative",
            "The first derivative is right, but no road leads from it to the input: the backward "
            "works with constants, or is marked as once differentiable.",
            second=lambda direction, upstream, x: np.zeros_like(x),
        ),
        Mistake(
            "another-intermediate",
            "The square is gone, but another value from inside `forward` has taken its place.",
            second=lambda direction, upstream, x: direction * 8 * x**2 * upstream,
        ),
        Mistake(
            "cube-as-power",
            "The gradient of the fourth power has the third power of the input.",
            backward=lambda upstream, x: 4 * x**2 * upstream,
            second=lambda direction, upstream, x: direction * 8 * x * upstream,
        ),
    ],
    hints=[
        "PyTorch knows where the inputs and outputs of a Function come from. Where does `s` come "
        "from?",
        "Keep only the input, and compute what else you need in the backward, where everything is "
        "recorded if it has to be.",
        "`ctx.save_for_backward(x)`, and in the backward `return 4 * x**3 * upstream`.",
    ],
    right=[
        Edit("4 * x**3 * upstream", "4 * (x * x) * x * upstream"),
        Edit("return x**4", "return (x * x).square()"),
        """
class Quartic(torch.autograd.Function):
    @staticmethod
    def forward(x):
        return x.pow(4)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * x.pow(3) * 4


quartic_torch = Quartic.apply
""",
        """
class Quartic(torch.autograd.Function):
    @staticmethod
    def forward(x):
        s = x * x
        return s * s, s

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0], output[1])

    @staticmethod
    def backward(ctx, upstream, upstream_s):
        x, s = ctx.saved_tensors
        return 4 * s * x * upstream + 2 * x * upstream_s


def quartic_torch(x):
    return Quartic.apply(x)[0]
""",
    ],
    wrong=[
        (
            "saved-intermediate",
            Edit(
                "ctx.save_for_backward(x)",
                "ctx.save_for_backward(x, (x * x).requires_grad_(True))",
                "(x,) =",
                "x, s =",
                "4 * x**3 * upstream",
                "4 * s * x * upstream",
            ),
        ),
        ("no-second-derivative", Edit("4 * x**3 * upstream", "4 * x.detach() ** 3 * upstream")),
        (
            "no-second-derivative",
            Edit(
                "    def backward",
                "    @torch.autograd.function.once_differentiable\n    def backward",
            ),
        ),
        ("another-intermediate", Edit("4 * x**3 * upstream", "4 * x.detach() * x**2 * upstream")),
        ("cube-as-power", Edit("4 * x**3", "4 * x**2")),
        ("upstream-ignored", Edit("4 * x**3 * upstream", "4 * x**3")),
        ("wrong-sign", Edit("return 4 * x**3", "return -4 * x**3")),
        Edit("4 * x**3 * upstream", "3 * x**3 * upstream"),
        Edit("return x**4", "return x**3"),
        Edit("4 * x**3 * upstream", "4 * x**3 * upstream.detach().sum()"),
    ],
)

tanh_tf = RuleQuestion(
    "tanh_tf",
    framework="tensorflow",
    points=3,
    inputs=numbers,
    forward=np.tanh,
    backward=tanh_backward,
    second=tanh_second,
    mistakes=[
        Mistake(
            "constant-output",
            "The gradient is right, but its own derivative is zero: `y` reached the backward as a "
            "constant.",
            second=lambda direction, upstream, x: np.zeros_like(x),
        ),
        Mistake(
            "square-forgotten",
            "The derivative of tanh is one minus its *square*.",
            backward=lambda upstream, x: (1 - np.tanh(x)) * upstream,
            second=lambda direction, upstream, x: -(1 - np.tanh(x) ** 2) * upstream * direction,
        ),
        Mistake(
            "input-for-output",
            "The formula uses the output of tanh; this is the same formula with the input.",
            backward=lambda upstream, x: (1 - x**2) * upstream,
            second=lambda direction, upstream, x: -2 * x * upstream * direction,
        ),
        Mistake(
            "not-a-pair",
            "A custom gradient returns two things: the output, and a function for the gradient.",
            raises="unpack",
        ),
    ],
    hints=[
        "Compute the output once, give it a name, and let `grad_fn` use that name.",
        "TensorFlow records the body of a custom gradient, so `y` is known to it. Use only "
        "TensorFlow's functions, and neither `.numpy()` nor `tf.stop_gradient`.",
        "`y = tf.tanh(x)`; `grad_fn` returns `(1 - y * y) * upstream`; the whole returns "
        "`y, grad_fn`.",
    ],
    right=[
        Edit("1 - y * y", "1 - tf.square(y)"),
        """
@tf.custom_gradient
def tanh_tf(x):
    return tf.tanh(x), lambda upstream: upstream / tf.cosh(x) ** 2
""",
        """
@tf.custom_gradient
def tanh_tf(x):
    y = tf.tanh(x)
    return y, lambda upstream: upstream * (1 - y) * (1 + y)
""",
    ],
    wrong=[
        ("constant-output", Edit("y = tf.tanh(x)", "y = tf.stop_gradient(tf.tanh(x))")),
        ("square-forgotten", Edit("1 - y * y", "1 - y")),
        ("input-for-output", Edit("1 - y * y", "1 - x * x")),
        ("not-a-pair", Edit("return y, grad_fn", "return y")),
        ("upstream-ignored", Edit("(1 - y * y) * upstream", "1 - y * y")),
        ("wrong-sign", Edit("1 - y * y", "y * y - 1")),
        Edit("1 - y * y", "1 + y * y"),
        Edit("(1 - y * y) * upstream", "y * upstream"),
        Edit("1 - y * y", "1 - y * tf.stop_gradient(y)"),
        Edit("y = tf.tanh(x)", "y = tf.sigmoid(x)"),
    ],
)


def product(f, x, v):
    x = Variable(x)
    return grad(grad(f(x), x, create_graph=True), x, upstream=v)


hvp = FunctionQuestion(
    "hvp",
    points=2,
    inputs=lambda rng: [
        (Code("lambda x: (x[1:] * x[:-1] ** 2).sum()"), rng.normal(size=4), rng.normal(size=4)),
        (Code("lambda x: np.exp(x).sum() * x.sum()"), rng.normal(size=3), rng.normal(size=3)),
        (Code("lambda x: (x @ x) ** 2"), np.array([1.0, 0.0, -2.0]), np.array([0.0, 1.0, 0.5])),
    ],
    reference=product,
    mistakes=[
        Mistake(
            "v-ignored",
            "This is the product with a vector of ones. Where does `v` come in?",
            lambda f, x, v: product(f, x, np.ones_like(v)),
        ),
        Mistake(
            "row-sums-times-v",
            "This is entry times entry with the sums of the Hessian's rows. The vector has to go "
            "in before the second derivative is taken.",
            lambda f, x, v: product(f, x, np.ones_like(v)) * v,
        ),
        Mistake(
            "gradient-times-v",
            "This is the gradient times v. One more derivative is needed.",
            lambda f, x, v: grad(f(x := Variable(x)), x) * v,
        ),
        Mistake(
            "not-recorded",
            "The gradient came back as a plain array, which has no history. Ask `grad` to record "
            "the backward pass.",
            raises="differentiate",
        ),
    ],
    hints=[
        "The Hessian is the Jacobian of the gradient, and it is symmetric. What is a VJP of the "
        "gradient?",
        "Record the gradient with `create_graph=True`. Then take its gradient, with `v` as the "
        "upstream gradient.",
        "`slope = grad(f(x), x, create_graph=True)` and `return grad(slope, x, upstream=v)`.",
    ],
    right=[
        Edit("grad(slope, x, upstream=v)", "grad((slope * v).sum(), x)"),
        Edit("grad(slope, x, upstream=v)", "grad(slope @ v, x)"),
        """
from course_lib.tape import jvp


def hvp(f, x, v):
    def slope(x):
        return grad(f(x), x, create_graph=True)

    return jvp(slope, (x,), (v,))[1]
""",
    ],
    wrong=[
        ("v-ignored", Edit(", upstream=v", "")),
        ("row-sums-times-v", Edit("grad(slope, x, upstream=v)", "grad(slope, x) * v")),
        ("gradient-times-v", Edit("grad(slope, x, upstream=v)", "slope.value * v")),
        ("not-recorded", Edit(", create_graph=True", "")),
        Edit("upstream=v", "upstream=-v"),
        Edit("upstream=v", "upstream=x.value"),
        Edit("upstream=v", "upstream=v * v"),
        Edit("grad(slope, x, upstream=v)", "grad(slope, x, upstream=v) + v"),
        Edit("grad(slope, x, upstream=v)", "grad(slope, x, upstream=v).sum()"),
    ],
)

rubric = Rubric(__file__, [newton_step, quartic_torch, tanh_tf, hvp])
