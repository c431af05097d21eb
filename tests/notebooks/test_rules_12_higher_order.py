"""The rules of notebook 12: right to the second derivative, or shown to be wrong there."""

import numpy as np
import pytest
from rules import rules

from course_lib import frameworks
from course_lib.gradcheck import check_gradient
from course_lib.tape import Variable, grad

NOTEBOOK = "12_higher_order"
CLOSE = {"rtol": 1e-12, "atol": 1e-12}
need_torch = pytest.mark.skipif("torch" not in frameworks.available(), reason="needs PyTorch")
need_tf = pytest.mark.skipif("tensorflow" not in frameworks.available(), reason="needs TensorFlow")

POINTS = [np.random.default_rng(12).normal(size=(2, 3)), np.array([-1.0, 0.0, 1.0, 1e3, -1e-3])]


@pytest.mark.parametrize("framework", frameworks.available())
@pytest.mark.parametrize("x", POINTS, ids=["random", "boundary"])
def test_cube_to_the_second_derivative(framework, x):
    rng = np.random.default_rng(0)
    upstream, direction = rng.normal(size=x.shape), rng.normal(size=x.shape)
    adapter, rule = frameworks.get(framework), rules(NOTEBOOK).dialects("cube")[framework]
    (value,), pullback = adapter.vjp(rule, x)
    np.testing.assert_allclose(value, x**3, **CLOSE)
    np.testing.assert_allclose(pullback(upstream)[0], 3 * x**2 * upstream, **CLOSE)
    (second,) = adapter.second_vjp(rule, (x,), (upstream,), (direction,))
    np.testing.assert_allclose(second, 6 * x * upstream * direction, **CLOSE)


@need_torch
@pytest.mark.parametrize("name", ["thrifty_torch"])
def test_the_thrifty_rule_is_found_out_at_order_two_only(name):
    rule, x = getattr(rules(NOTEBOOK), name), np.array([1.0, -0.5, 2.0])
    assert check_gradient(rule, x, framework="torch").ok
    assert check_gradient(rule, x, framework="torch", order=2).faults[0].code == "second-order"


@need_torch
def test_returning_the_intermediate_repairs_it():
    torch, returned = frameworks.torch, rules(NOTEBOOK).ReturnedTorch.apply
    x = torch.tensor([0.3, -1.2], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: returned(x)[0], x)


@need_torch
def test_cube_works_under_torch_func():
    torch, cube = frameworks.torch, rules(NOTEBOOK).cube_torch
    x = torch.tensor([1.0, 2.0], dtype=torch.float64)
    total = lambda x: cube(x).sum()  # noqa: E731
    np.testing.assert_allclose(torch.func.grad(total)(x), 3 * x**2, **CLOSE)
    np.testing.assert_allclose(torch.vmap(torch.func.grad(cube))(x), 3 * x**2, **CLOSE)
    twice = torch.func.jacrev(torch.func.jacrev(total))(x)
    np.testing.assert_allclose(twice, torch.diag(6 * x), **CLOSE)


@need_tf
def test_cube_works_in_a_tf_function():
    tf, cube = frameworks.tensorflow, rules(NOTEBOOK).cube_tf
    second = tf.function(lambda x: rules(NOTEBOOK).second_tf(cube, x))
    np.testing.assert_allclose(second(tf.constant([1.0, 2.0], tf.float64)), [6, 12], **CLOSE)


@pytest.mark.parametrize("n", [2, 5])
def test_hessian_vector_products_agree_with_the_hessian(n):
    found, rng = rules(NOTEBOOK), np.random.default_rng(n)
    x, v = rng.normal(size=n), rng.normal(size=n)

    def loss(x):
        return found.rosenbrock(x).sum()

    def slope(x):
        x = Variable(x)
        return grad(loss(x), x)

    h = 1e-5
    hessian = np.array([(slope(x + h * e) - slope(x - h * e)) / (2 * h) for e in np.eye(n)])
    product = found.hvp_tape(loss, x, v)
    np.testing.assert_allclose(product, hessian @ v, rtol=1e-5, atol=1e-4)
    if "torch" in frameworks.available():
        np.testing.assert_allclose(found.hvp_torch(loss, x, v), product, rtol=1e-12)
    if "tensorflow" in frameworks.available():
        tf = frameworks.tensorflow
        in_tf = found.hvp_tf(lambda x: tf.reduce_sum(found.rosenbrock(x)), x, v)
        np.testing.assert_allclose(in_tf, product, rtol=1e-12)
