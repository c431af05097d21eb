"""The rules of notebook 13: gradients of solutions, whatever found them."""

import numpy as np
import pytest
from rules import rules

from course_lib import frameworks
from course_lib.tape import Variable, grad

NOTEBOOK = "13_implicit"


def inputs(name):
    found, rng = rules(NOTEBOOK), np.random.default_rng(13)
    return {
        "fixed_point": lambda: (found.W0, found.b0),
        "ridge": lambda: (np.array(rng.uniform(0.1, 20)),),
        "ode": lambda: (rng.uniform(0.5, 1.5, size=2), rng.uniform(0.5, 1.2, size=3)),
    }[name]()


def gradients(framework, name, upstream_seed=0):
    rule = rules(NOTEBOOK).dialects(name)[framework]
    outputs, pullback = frameworks.get(framework).vjp(rule, *inputs(name))
    upstream = np.random.default_rng(upstream_seed).normal(size=outputs[0].shape)
    return outputs[0], pullback(upstream), upstream


@pytest.mark.parametrize("framework", frameworks.available())
@pytest.mark.parametrize("name", ["fixed_point", "ridge", "ode"])
def test_the_dialects_agree(framework, name):
    value, found, _ = gradients(framework, name)
    expected, on_the_tape, _ = gradients("tape", name)
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)
    for one, other in zip(found, on_the_tape, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def test_the_fixed_point_agrees_with_the_unrolled_loop_at_a_fraction_of_its_memory():
    notebook = rules(NOTEBOOK)
    W, b = Variable(notebook.W0), Variable(notebook.b0)
    upstream = np.random.default_rng(0).normal(size=notebook.n)
    unrolled, implicit = notebook.unrolled(W, b), notebook.fixed_point_tape(W, b)
    pairs = zip(grad(unrolled, (W, b), upstream), grad(implicit, (W, b), upstream), strict=True)
    for slow, fast in pairs:
        np.testing.assert_allclose(fast, slow, rtol=0, atol=1e-10)
    assert notebook.kept(implicit) < 0.05 * notebook.kept(unrolled)


def test_ridge_against_differences():
    notebook = rules(NOTEBOOK)
    _, (found,), upstream = gradients("tape", "ridge")
    (alpha,) = inputs("ridge")

    def weights(alpha):
        return notebook.ridge_tape(alpha)

    h = 1e-4
    truth = upstream @ (weights(alpha + h) - weights(alpha - h)) / (2 * h)
    np.testing.assert_allclose(found, truth, rtol=1e-7)


def test_the_adjoint_is_within_1e_6_of_finite_differences():
    notebook = rules(NOTEBOOK)
    _, found, upstream = gradients("tape", "ode")
    y0, theta = inputs("ode")
    start, h = np.concatenate([y0, theta]), 1e-4

    def end(start):
        return upstream @ notebook.solve_ode(start[:2], start[2:], 1e-13)

    truth = [(end(start + step) - end(start - step)) / (2 * h) for step in h * np.eye(5)]
    np.testing.assert_allclose(np.concatenate(found), truth, rtol=0, atol=1e-6)


@pytest.mark.skipif("tensorflow" not in frameworks.available(), reason="needs TensorFlow")
def test_the_fixed_point_works_in_a_tf_function():
    tf, notebook = frameworks.tensorflow, rules(NOTEBOOK)

    @tf.function
    def slopes(W, b):
        with tf.GradientTape() as recorded:
            recorded.watch([W, b])
            total = tf.reduce_sum(notebook.fixed_point_tf(W, b))
        return recorded.gradient(total, [W, b])

    found = slopes(tf.constant(notebook.W0), tf.constant(notebook.b0))
    W, b = Variable(notebook.W0), Variable(notebook.b0)
    truth = grad(notebook.fixed_point_tape(W, b), (W, b))
    for one, other in zip(found, truth, strict=True):
        np.testing.assert_allclose(one.numpy(), other, rtol=1e-12, atol=1e-12)
