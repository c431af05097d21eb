"""The rules of notebook 05: SciPy and NumPy in three dialects, and where each of them ends."""

import math

import numpy as np
import pytest
from rules import rules
from scipy import special

from course_lib import frameworks
from course_lib.tape import TapeError, Variable, grad

NOTEBOOK = "05_external_code"
CLOSE = {"rtol": 1e-12, "atol": 1e-12}
FRAMEWORKS = frameworks.available()
need_torch = pytest.mark.skipif("torch" not in FRAMEWORKS, reason="PyTorch is not installed")
need_tf = pytest.mark.skipif("tensorflow" not in FRAMEWORKS, reason="TensorFlow is not installed")


def erf_slope(x):
    return 2 / math.sqrt(math.pi) * np.exp(-(x**2))


def solve_backward(u, a, b):
    inverse = np.linalg.inv(a)
    return -np.outer(inverse.T @ u, inverse @ b), inverse.T @ u


TRUTH = {
    "external_erf": (special.erf, lambda u, x: (u * erf_slope(x),)),
    "bessel": (special.j0, lambda u, x: (-u * special.j1(x),)),
    "solve": (lambda a, b: np.linalg.inv(a) @ b, solve_backward),
}


def cases():
    rng = np.random.default_rng(5)
    edges = np.array([-30.0, -1.0, 0.0, 1e-8, 1.0, 6.0, 2.404825557695773])
    for x in (rng.normal(size=7), rng.normal(size=(2, 3)), np.array(0.5), np.empty(0), edges):
        yield "external_erf", (x,)
        yield "bessel", (x,)
    for n in (1, 2, 5):
        yield "solve", (rng.normal(size=(n, n)) + 2 * n * np.eye(n), rng.normal(size=n))
    yield "solve", (np.array([[0.0, -2.0], [1.0, 0.0]]), np.zeros(2))


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("name", "inputs"), [pytest.param(*case, id=case[0]) for case in cases()])
def test_value_and_gradient_are_the_truth_in_every_dialect(framework, name, inputs):
    forward, backward = TRUTH[name]
    rule = rules(NOTEBOOK).dialects(name)[framework]
    (output,), pullback = frameworks.get(framework).vjp(rule, *inputs)
    np.testing.assert_allclose(output, forward(*inputs), **CLOSE)
    rng = np.random.default_rng(55)
    for _ in range(3):
        upstream = rng.normal(size=output.shape)
        for gradient, right in zip(pullback(upstream), backward(upstream, *inputs), strict=True):
            assert gradient.shape == right.shape
            np.testing.assert_allclose(gradient, right, **CLOSE)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", ["external_erf", "bessel"])
def test_single_precision_stays_single(framework, name):
    forward, backward = TRUTH[name]
    x = np.float32([-1.0, 0.0, 0.5])
    rule = rules(NOTEBOOK).dialects(name)[framework]
    (output,), pullback = frameworks.get(framework).vjp(rule, x)
    (gradient,) = pullback(np.ones(3, np.float32))
    assert output.dtype == gradient.dtype == np.float32
    np.testing.assert_allclose(output, forward(x), rtol=1e-6)
    np.testing.assert_allclose(gradient, backward(np.float32(1), x)[0], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("external_erf", lambda x: -2 * x * erf_slope(x)),
        ("bessel", lambda x: special.jvp(0, x, 2)),
    ],
)
def test_second_derivatives_are_right_too(framework, name, second):
    rng = np.random.default_rng(6)
    x, upstream, direction = rng.normal(size=(3, 4))
    rule = rules(NOTEBOOK).dialects(name)[framework]
    (found,) = frameworks.get(framework).second_vjp(rule, (x,), (upstream,), (direction,))
    np.testing.assert_allclose(found, direction * upstream * second(x), **CLOSE)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_second_derivative_of_a_solve(framework):
    """<d, vjp(u)> is differentiated numerically, in NumPy, and compared."""
    rng = np.random.default_rng(7)
    inputs = [rng.normal(size=(3, 3)) + 4 * np.eye(3), rng.normal(size=3)]
    directions = [rng.normal(size=x.shape) for x in inputs]
    upstream = rng.normal(size=3)

    def inner(*xs):
        gradients = solve_backward(upstream, *xs)
        return sum(np.sum(d * g) for d, g in zip(directions, gradients, strict=True))

    rule = rules(NOTEBOOK).dialects("solve")[framework]
    second = frameworks.get(framework).second_vjp(rule, inputs, (upstream,), directions)
    for i, gradient in enumerate(second):
        for entry in np.ndindex(gradient.shape):
            up, down = ([x.copy() for x in inputs] for _ in range(2))
            up[i][entry] += 1e-5
            down[i][entry] -= 1e-5
            right = (inner(*up) - inner(*down)) / 2e-5
            np.testing.assert_allclose(gradient[entry], right, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_bessel_of_every_order_three_times_on_the_tape(n):
    x = Variable([0.3, 2.0, 11.0])
    y = rules(NOTEBOOK).bessel_tape(x, n)
    for order in (1, 2, 3):
        y = grad(y, x, create_graph=True)
        np.testing.assert_allclose(y.value, special.jvp(n, x.value, order), **CLOSE)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_bessel_takes_its_order_by_name_and_between_the_whole_numbers(framework):
    rule = rules(NOTEBOOK).dialects("bessel")[framework]
    x = np.array([0.5, 3.0])
    (output,), pullback = frameworks.get(framework).vjp(lambda x: rule(x, n=1.5), x)
    np.testing.assert_allclose(output, special.jv(1.5, x), **CLOSE)
    np.testing.assert_allclose(pullback(np.ones(2))[0], special.jvp(1.5, x), **CLOSE)


def test_leaving_the_tape_in_the_open_is_an_error():
    with pytest.raises(TapeError, match="erf has no rule on the tape"):
        special.erf(Variable([0.5]))


@need_torch
def test_torch_agrees_with_its_own():
    from course_lib.frameworks import torch

    rng = np.random.default_rng(8)
    a = torch.tensor(rng.normal(size=(4, 4)), requires_grad=True)
    b = torch.tensor(rng.normal(size=4), requires_grad=True)
    upstream = torch.tensor(rng.normal(size=4))
    found = rules(NOTEBOOK)
    for mine, own, inputs in (
        (found.external_erf_torch, torch.erf, (b,)),
        (found.solve_torch, torch.linalg.solve, (a, b)),
    ):
        gradients = torch.autograd.grad(mine(*inputs), inputs, upstream)
        for g, right in zip(
            gradients, torch.autograd.grad(own(*inputs), inputs, upstream), strict=True
        ):
            np.testing.assert_allclose(g, right, rtol=1e-10)


@need_torch
def test_gradcheck_and_gradgradcheck():
    from course_lib.frameworks import torch

    found = rules(NOTEBOOK)
    x = torch.tensor([-1.0, 0.5, 3.0], dtype=torch.float64, requires_grad=True)
    a = torch.tensor([[3.0, 1.0, 0], [0, 2, -1], [1, 0, 4]], dtype=x.dtype, requires_grad=True)
    for rule, inputs in (
        (found.external_erf_torch, (x,)),
        (found.bessel_torch, (x,)),
        (found.solve_torch, (a, x)),
    ):
        assert torch.autograd.gradcheck(rule, inputs)
        assert torch.autograd.gradgradcheck(rule, inputs)


@need_torch
def test_erf_under_torch_func():
    from course_lib.frameworks import torch

    rule = rules(NOTEBOOK).external_erf_torch
    x = torch.tensor([-1.0, 0.0, 0.5], dtype=torch.float64)
    slope = erf_slope(x.numpy())
    np.testing.assert_allclose(torch.func.grad(lambda x: rule(x).sum())(x), slope, **CLOSE)
    np.testing.assert_allclose(torch.func.vmap(torch.func.grad(rule))(x), slope, **CLOSE)
    np.testing.assert_allclose(torch.func.jacrev(rule)(x), np.diag(slope), **CLOSE)
    batch = torch.stack([x, 2 * x])
    moved = torch.func.vmap(rule, in_dims=1, out_dims=1)(batch)
    np.testing.assert_allclose(moved, special.erf(batch.numpy()), **CLOSE)
    hessians = torch.func.jacrev(torch.func.jacrev(rule))(x)
    np.testing.assert_allclose(torch.einsum("iii->i", hessians), -2 * x.numpy() * slope, **CLOSE)


@need_torch
def test_what_does_not_say_how_it_is_batched_says_so():
    from course_lib.frameworks import torch

    found = rules(NOTEBOOK)
    a, b = torch.eye(2, dtype=torch.float64) * 4, torch.ones(2, dtype=torch.float64)
    for rule, inputs in ((found.solve_torch, (a, b)), (found.bessel_torch, (b,))):
        with pytest.raises(RuntimeError, match="does not have vmap support"):
            torch.func.vmap(rule)(*inputs)
        with pytest.raises(RuntimeError, match="does not have vmap support"):
            torch.func.jacrev(rule)(*inputs)
        torch.func.grad(lambda *xs, rule=rule: rule(*xs).sum())(*inputs)
    by_rows = torch.func.jacrev(found.solve_torch, argnums=1, chunk_size=1)(a, b)
    np.testing.assert_allclose(by_rows, np.eye(2) / 4, **CLOSE)


@need_torch
def test_a_forward_without_the_way_back_has_no_gradient():
    from course_lib.frameworks import torch

    x = torch.ones(2, requires_grad=True)
    result = rules(NOTEBOOK).NoWayBackTorch
    assert isinstance(result.apply(x), np.ndarray)


@need_torch
def test_one_number():
    from course_lib.frameworks import torch

    x = torch.tensor(0.5, requires_grad=True)
    with pytest.raises(TypeError, match=r"expected np.ndarray \(got numpy.float32\)"):
        torch.from_numpy(special.erf(x.detach().numpy()))
    y = rules(NOTEBOOK).external_erf_torch(x)
    assert y.shape == () and y.dtype == torch.float32 and y.requires_grad


@need_tf
@pytest.mark.parametrize("name", ["external_erf", "bessel", "solve"])
def test_in_a_tf_function(name):
    from course_lib.frameworks import tensorflow as tf

    rule = rules(NOTEBOOK).dialects(name)["tensorflow"]
    _, backward = TRUTH[name]
    rng = np.random.default_rng(9)
    x = rng.normal(size=3)
    inputs = (rng.normal(size=(3, 3)) + 4 * np.eye(3), x) if name == "solve" else (x,)

    @tf.function
    def gradients(*xs):
        with tf.GradientTape() as tape:
            tape.watch(xs)
            y = rule(*xs)
        assert y.shape == (3,)
        return tape.gradient(y, xs)

    found = gradients(*map(tf.constant, inputs))
    for gradient, right in zip(found, backward(np.ones(3), *inputs), strict=True):
        np.testing.assert_allclose(gradient, right, **CLOSE)


@need_tf
def test_in_a_tf_function_with_an_unknown_shape():
    from course_lib.frameworks import tensorflow as tf

    rule = rules(NOTEBOOK).external_erf_tf

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float64)])
    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = rule(x)
        return tape.gradient(y, x)

    for x in (np.array(0.5), np.linspace(-1, 1, 6).reshape(2, 3)):
        np.testing.assert_allclose(slope(x), erf_slope(x), **CLOSE)


@need_tf
def test_what_tensorflow_does_not_say():
    from course_lib.frameworks import tensorflow as tf

    found = rules(NOTEBOOK)
    x = tf.constant([0.5, 1.0], tf.float64)
    with_wrong_dtype = tf.numpy_function(special.erf, [x], tf.float32)
    assert with_wrong_dtype.dtype == tf.float64
    with pytest.raises(tf.errors.InvalidArgumentError, match="is double, but expects float"):
        tf.function(lambda x: tf.numpy_function(special.erf, [x], tf.float32))(x)
    with pytest.raises(tf.errors.InvalidArgumentError, match="PyFunc"):
        tf.function(found.external_erf_tf, jit_compile=True)(x)
    second = frameworks.get("tensorflow").second_vjp(
        lambda x: x**3 + found.numpy_backward_tf(x),
        (x.numpy(),),
        (np.ones(2),),
        (np.ones(2),),
    )
    np.testing.assert_allclose(second[0], 6 * x.numpy(), **CLOSE)
