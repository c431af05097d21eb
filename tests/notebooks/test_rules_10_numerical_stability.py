"""The rules of notebook 10: value, first and second derivative, at the ends and in float32."""

import numpy as np
import pytest
from rules import rules

from course_lib import frameworks
from course_lib.gradcheck import check_gradient

NOTEBOOK = "10_numerical_stability"
EXACT = {"rtol": 1e-12, "atol": 1e-300}  # far from zero, and the tiny ones to all their digits
CLOSE = {"rtol": 1e-12, "atol": 1e-12}
FRAMEWORKS = frameworks.available()
need_torch = pytest.mark.skipif("torch" not in FRAMEWORKS, reason="PyTorch is not installed")
need_tf = pytest.mark.skipif("tensorflow" not in FRAMEWORKS, reason="TensorFlow is not installed")

ENDS = np.array([-1000.0, -700.0, -40.0, -1.0, 0.0, 1.0, 40.0, 700.0, 1000.0])
ENDS_32 = np.array([-1000, -80, -20, -1, 0, 1, 20, 80, 1000], np.float32)


def sigmoid(x):
    """In longdouble, in which nothing here is lost."""
    return np.exp(-log1pexp(-x))


def log1pexp(x):
    return np.logaddexp(np.asarray(x, np.longdouble), 0)


def bend(x):
    return sigmoid(x) * sigmoid(-x)


TRUTH = {
    "log1pexp": (log1pexp, sigmoid, bend),
    "softplus": (log1pexp, sigmoid, bend),
    "sigmoid": (sigmoid, bend, lambda x: bend(x) * (sigmoid(-x) - sigmoid(x))),
}


def thrice(framework, name, x, seed=0):
    """Value, gradient and second gradient for random upstreams, with what they should be."""
    adapter = frameworks.get(framework)
    rule = rules(NOTEBOOK).dialects(name)[framework]
    rng = np.random.default_rng(seed)
    u, d = rng.uniform(0.5, 2, (2, *x.shape)).astype(x.dtype)
    (value,), pullback = adapter.vjp(rule, x)
    (gradient,) = pullback(u)
    (second,) = adapter.second_vjp(rule, (x,), (u,), (d,))
    wanted, first_wanted, second_wanted = (truth(x) for truth in TRUTH[name])
    return (value, wanted), (gradient, u * first_wanted), (second, d * u * second_wanted)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", TRUTH)
@pytest.mark.parametrize("x", [ENDS, np.random.default_rng(10).normal(size=(3, 4)), np.array(0.0)])
def test_value_first_and_second_derivative_in_every_dialect(framework, name, x):
    for found, right in thrice(framework, name, x):
        assert found.shape == x.shape
        np.testing.assert_allclose(found, right.astype(float), **EXACT)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", TRUTH)
def test_in_float32(framework, name):
    for found, right in thrice(framework, name, ENDS_32):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, right.astype(float), rtol=2e-6, atol=1e-35)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("beta", [0.5, 3.0, 200.0])
def test_softplus_with_a_sharpness(framework, beta):
    adapter = frameworks.get(framework)
    rule = rules(NOTEBOOK).dialects("softplus")[framework]

    def sharp(x):
        return rule(x, beta)

    (value,), pullback = adapter.vjp(sharp, ENDS)
    u = np.linspace(-1, 2, ENDS.size)
    (second,) = adapter.second_vjp(sharp, (ENDS,), (u,), (np.ones_like(u),))
    np.testing.assert_allclose(value, (log1pexp(beta * ENDS) / beta).astype(float), **EXACT)
    np.testing.assert_allclose(pullback(u)[0], (u * sigmoid(beta * ENDS)).astype(float), **EXACT)
    np.testing.assert_allclose(second, (u * beta * bend(beta * ENDS)).astype(float), **EXACT)


LOGITS = [
    np.array([1000.0, 999.0, -1000.0]),
    np.array([-1000.0, -1000.0]),
    np.array([1e3, -1e3, 1e3, 0.0]),
    np.zeros(5),
    np.array([7.0]),
    np.random.default_rng(11).normal(size=6),
]


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("x", LOGITS)
def test_logsumexp(framework, dtype, x):
    adapter = frameworks.get(framework)
    rule = rules(NOTEBOOK).dialects("logsumexp")[framework]
    x = x.astype(dtype)
    d = np.linspace(-1, 2, x.size).astype(dtype)
    u = np.array(-1.5, dtype)
    (value,), pullback = adapter.vjp(rule, x)
    (second,) = adapter.second_vjp(rule, (x,), (u,), (d,))
    within = CLOSE if dtype is np.float64 else {"rtol": 1e-4, "atol": 1e-6}
    e = np.exp(np.asarray(x, np.longdouble))
    p = (e / e.sum()).astype(float)
    assert value.dtype == pullback(u)[0].dtype == second.dtype == dtype
    np.testing.assert_allclose(value, float(np.log(e.sum())), **within)
    np.testing.assert_allclose(pullback(u)[0], u * p, **within)
    np.testing.assert_allclose(second, u * p * (d - p @ d), **within)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", ["sigmoid", "log1pexp", "softplus", "logsumexp"])
def test_check_gradient_agrees_to_second_order(framework, name):
    rule = rules(NOTEBOOK).dialects(name)[framework]
    x = np.array([-3.0, -1.0, 0.0, 0.5, 2.0])
    assert check_gradient(rule, x, framework=framework, order=2).ok


@pytest.mark.parametrize("name", ["naive", "guarded"])
def test_what_the_notebook_calls_unstable_is(name):
    report = check_gradient(rules(NOTEBOOK)[name], np.array([0.0, 1000.0]))
    assert [fault.code for fault in report.faults] == ["unstable"]


def test_the_second_derivative_of_the_better_value_is_wrong_at_zero_only():
    adapter = frameworks.get("tape")
    x = np.array([-1.0, 0.0, 1.0])
    (found,) = adapter.second_vjp(rules(NOTEBOOK).better, (x,), (np.ones(3),), (np.ones(3),))
    np.testing.assert_allclose(found[[0, 2]], bend(x[[0, 2]]).astype(float), **CLOSE)
    assert found[1] == 0


@need_torch
def test_under_torch_func():
    from course_lib.frameworks import torch

    found = rules(NOTEBOOK)
    x = torch.tensor([-1000.0, -2.0, 0.0, 3.0, 1000.0], dtype=torch.float64)
    slope = torch.func.grad(found.log1pexp_torch)
    expected = sigmoid(x.numpy()).astype(float)
    np.testing.assert_allclose(torch.func.vmap(slope)(x), expected, **EXACT)
    curved = torch.func.vmap(torch.func.grad(slope))(x)
    np.testing.assert_allclose(curved, bend(x.numpy()).astype(float), **EXACT)
    jacobian = torch.func.jacrev(found.log1pexp_torch)(x)
    np.testing.assert_allclose(jacobian, np.diag(expected), **EXACT)


@need_torch
def test_the_hessian_of_logsumexp_by_two_jacrevs_and_batched():
    from course_lib.frameworks import torch

    rule = rules(NOTEBOOK).logsumexp_torch
    rows = torch.tensor([[1.0, -2.0, 0.5], [1000.0, 999.0, -1000.0]], dtype=torch.float64)
    p = torch.softmax(rows, dim=1)
    expected = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    hessian = torch.func.jacrev(torch.func.jacrev(rule))
    np.testing.assert_allclose(hessian(rows[0]), expected[0], **CLOSE)
    np.testing.assert_allclose(torch.func.vmap(hessian)(rows), expected, **CLOSE)


@need_tf
@pytest.mark.parametrize("name", ["sigmoid", "log1pexp", "logsumexp"])
def test_in_a_tf_function_twice_differentiated(name):
    from course_lib.frameworks import tensorflow as tf

    rule = rules(NOTEBOOK).dialects(name)["tensorflow"]

    def derivatives(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = rule(x)
            slope = inner.gradient(y, x)
        return y, slope, outer.gradient(slope, x)

    x = tf.constant([-1000.0, -1.0, 0.0, 2.0, 1000.0], tf.float64)
    signature = [tf.TensorSpec(None, tf.float64)]
    compiled = tf.function(derivatives, input_signature=signature)
    for graph, eager in zip(compiled(x), derivatives(x), strict=True):
        assert np.isfinite(graph.numpy()).all()
        np.testing.assert_allclose(graph, eager, **CLOSE)


@need_tf
def test_the_documented_rule_is_right_in_its_first_derivative_only():
    from course_lib.frameworks import tensorflow as tf

    found = rules(NOTEBOOK)
    value, first, second = found.derivatives_tf(found.documented_tf, 100.0)
    assert value == np.inf and first == 1 and np.isnan(second)
    assert found.documented_tf(tf.constant(1000.0, tf.float64)).numpy() == np.inf
