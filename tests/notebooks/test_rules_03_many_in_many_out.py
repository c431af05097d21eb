"""The rules of notebook 03: the same in three dialects, and the stated truth."""

import numpy as np
import pytest
from rules import rules

from course_lib import frameworks

NOTEBOOK = "03_many_in_many_out"
CLOSE = {"rtol": 1e-12, "atol": 1e-12}
FRAMEWORKS = frameworks.available()
need_torch = pytest.mark.skipif("torch" not in FRAMEWORKS, reason="PyTorch is not installed")
need_tf = pytest.mark.skipif("tensorflow" not in FRAMEWORKS, reason="TensorFlow is not installed")


def square_cube(x):
    return x**2, x**3


def square_cube_backward(u, v, x):
    return (2 * x * u + 3 * x**2 * v,)


def product_sine_square(x, y):
    return x * y + np.sin(x), y**2


def product_sine_square_backward(u, v, x, y):
    return u * (y + np.cos(x)), u * x + 2 * v * y


def scaled_backward(u, x, s):
    added = np.broadcast_to(s, x.shape).shape
    for_s = (u * x).sum(axis=tuple(range(len(added) - s.ndim)))
    stretched = tuple(i for i, n in enumerate(s.shape) if n == 1)
    return u * s, for_s.sum(axis=stretched, keepdims=True)


TRUTH = {
    "square_cube": (square_cube, square_cube_backward),
    "product_sine_square": (product_sine_square, product_sine_square_backward),
    "scaled": (lambda x, s: x * s, scaled_backward),
}


def cases():
    rng = np.random.default_rng(3)
    edges = np.array([-1.0, 0.0, 1.0, np.pi / 2, 1e-8, -1e6])
    for x in (rng.normal(size=7), rng.normal(size=(2, 3)), np.array(rng.normal()), edges):
        yield "square_cube", (x,)
        yield "product_sine_square", (x, rng.normal(size=x.shape))
        yield "product_sine_square", (x, np.zeros_like(x))
    matrix = rng.normal(size=(3, 4))
    for shape in ((3, 4), (4,), (3, 1), (1, 4), (1, 1), ()):
        yield "scaled", (matrix, rng.normal(size=shape))


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("name", "inputs"), [pytest.param(*case, id=case[0]) for case in cases()])
def test_value_and_gradient_are_the_truth_in_every_dialect(framework, name, inputs):
    forward, backward = TRUTH[name]
    rule = rules(NOTEBOOK).dialects(name)[framework]
    outputs, pullback = frameworks.get(framework).vjp(rule, *inputs)
    expected = forward(*inputs)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for output, right in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(output, right, **CLOSE)
    rng = np.random.default_rng(33)
    for _ in range(3):
        upstreams = [rng.normal(size=output.shape) for output in outputs]
        gradients = pullback(*upstreams)
        for gradient, right in zip(gradients, backward(*upstreams, *inputs), strict=True):
            assert gradient.shape == right.shape
            np.testing.assert_allclose(gradient, right, **CLOSE)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_square_and_cube_summed(framework):
    rule = rules(NOTEBOOK).dialects("square_cube")[framework]
    _, pullback = frameworks.get(framework).vjp(rule, np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(pullback(np.ones(3), np.ones(3))[0], [5, 16, 33])
    np.testing.assert_array_equal(pullback(np.zeros(3), np.ones(3))[0], [3, 12, 27])


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_product_sine_square_at_two_and_three(framework):
    rule = rules(NOTEBOOK).dialects("product_sine_square")[framework]
    _, pullback = frameworks.get(framework).vjp(rule, np.array(2.0), np.array(3.0))
    gradients = pullback(np.array(1.0), np.array(1.0))
    np.testing.assert_allclose(gradients, (3 + np.cos(2), 8), **CLOSE)
    assert [f"{g:.5f}" for g in gradients] == ["2.58385", "8.00000"]


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", ["square_cube", "product_sine_square", "scaled"])
def test_second_derivatives_are_right_too(framework, name):
    """<d, vjp(u)> is differentiated numerically, in NumPy, and compared."""
    rng = np.random.default_rng(4)
    inputs = [rng.normal(size=3) for _ in range(1 if name == "square_cube" else 2)]
    forward, backward = TRUTH[name]
    outputs = forward(*inputs)
    count = len(outputs) if isinstance(outputs, tuple) else 1
    upstreams = [rng.normal(size=3) for _ in range(count)]
    directions = [rng.normal(size=3) for _ in inputs]

    def inner(*xs):
        return sum(d @ g for d, g in zip(directions, backward(*upstreams, *xs), strict=True))

    rule = rules(NOTEBOOK).dialects(name)[framework]
    second = frameworks.get(framework).second_vjp(rule, inputs, upstreams, directions)
    for i, gradient in enumerate(second):
        for entry in range(3):
            up, down = ([x.copy() for x in inputs] for _ in range(2))
            up[i][entry] += 1e-5
            down[i][entry] -= 1e-5
            right = (inner(*up) - inner(*down)) / 2e-5
            np.testing.assert_allclose(gradient[entry], right, rtol=1e-7, atol=1e-7)


@need_torch
def test_under_torch_func():
    from course_lib.frameworks import torch

    found = rules(NOTEBOOK)
    x = torch.linspace(-1, 2, 5, dtype=torch.float64)
    y = torch.cos(x)

    def loss(x, y):
        z, w = found.product_sine_square_torch(x, y)
        return (3 * z - w).sum()

    wanted = product_sine_square_backward(3.0, -1.0, x.numpy(), y.numpy())
    np.testing.assert_allclose(torch.func.grad(loss)(x, y), wanted[0], **CLOSE)
    np.testing.assert_allclose(torch.func.grad(loss, argnums=1)(x, y), wanted[1], **CLOSE)
    one_by_one = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1)))(x, y)
    for gradient, right in zip(one_by_one, wanted, strict=True):
        np.testing.assert_allclose(gradient, right, **CLOSE)


@need_torch
def test_two_jacobians_under_jacrev_and_their_vmap():
    from course_lib.frameworks import torch

    rule = rules(NOTEBOOK).square_cube_torch
    x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    square, cube = torch.func.jacrev(rule)(x)
    np.testing.assert_array_equal(square, np.diag([2.0, 4.0, 6.0]))
    np.testing.assert_array_equal(cube, np.diag([3.0, 12.0, 27.0]))
    batched, _ = torch.func.vmap(torch.func.jacrev(rule))(torch.stack([x, -x]))
    np.testing.assert_array_equal(batched[1], np.diag([-2.0, -4.0, -6.0]))


@need_torch
def test_broadcasting_under_vmap():
    from course_lib.frameworks import torch

    rule = rules(NOTEBOOK).scaled_torch
    x = torch.arange(24, dtype=torch.float64).reshape(2, 3, 4)
    s = torch.ones(4, dtype=torch.float64)
    for_s = torch.func.grad(lambda s, x: rule(x, s).sum())
    np.testing.assert_allclose(
        torch.func.vmap(for_s, in_dims=(None, 0))(s, x), x.sum(dim=1), **CLOSE
    )


@need_torch
def test_torch_func_grad_refuses_a_tuple():
    from course_lib.frameworks import torch

    with pytest.raises(RuntimeError, match="return a Tensor, got <class 'tuple'>"):
        torch.func.grad(rules(NOTEBOOK).square_cube_torch)(torch.tensor(1.0))


@need_tf
@pytest.mark.parametrize("name", ["square_cube", "product_sine_square", "scaled"])
def test_in_a_tf_function_with_unknown_shapes(name):
    from course_lib.frameworks import tensorflow as tf

    rule = rules(NOTEBOOK).dialects(name)["tensorflow"]
    forward, backward = TRUTH[name]
    count = 1 if name == "square_cube" else 2

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float64)] * count)
    def gradients(*xs):
        with tf.GradientTape() as tape:
            tape.watch(xs)
            outputs = rule(*xs)
        return tape.gradient(outputs, xs)

    rng = np.random.default_rng(5)
    inputs = [rng.normal(size=(3, 4)), rng.normal(size=(3, 4) if name != "scaled" else 4)][:count]
    outputs = forward(*inputs)
    ones = [np.ones((3, 4))] * (len(outputs) if isinstance(outputs, tuple) else 1)
    for gradient, right in zip(gradients(*inputs), backward(*ones, *inputs), strict=True):
        np.testing.assert_allclose(gradient, right, **CLOSE)


@need_tf
def test_the_seed_as_written_cannot_be_called():
    from course_lib.frameworks import tensorflow as tf

    with pytest.raises(ValueError, match="too many values to unpack"):
        rules(NOTEBOOK).complex_op(tf.constant(2.0), tf.constant(3.0))
