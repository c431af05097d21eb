"""The rules of notebook 08: steps and roundings, the same in three dialects, and the fit."""

import numpy as np
import pytest
from rules import rules

from course_lib import frameworks
from course_lib.gradcheck import check_gradient

NOTEBOOK = "08_surrogates"
CLOSE = {"rtol": 1e-12, "atol": 1e-12}
FRAMEWORKS = frameworks.available()
need_torch = pytest.mark.skipif("torch" not in FRAMEWORKS, reason="PyTorch is not installed")
need_tf = pytest.mark.skipif("tensorflow" not in FRAMEWORKS, reason="TensorFlow is not installed")
with_parameter = pytest.mark.parametrize("name", ["smooth_step", "soft_round"])


def smooth_step(x, alpha):
    return 1 / (1 + np.exp(-2 * alpha * (x - 0.5)))


def smooth_step_backward(u, x, alpha):
    y = smooth_step(x, alpha)
    return u * 2 * alpha * y * (1 - y)


def soft_round(x, alpha):
    return np.floor(x) + 0.5 + 0.5 * np.tanh(alpha * (x % 1 - 0.5)) / np.tanh(alpha / 2)


def soft_round_backward(u, x, alpha):
    return u * 0.5 * alpha / np.cosh(alpha * (x % 1 - 0.5)) ** 2 / np.tanh(alpha / 2)


TRUTH = {
    "smooth_step": (smooth_step, smooth_step_backward),
    "soft_round": (soft_round, soft_round_backward),
    "straight_through_round": (lambda x: np.round(x), lambda u, x: u),
}


def cases():
    rng = np.random.default_rng(8)
    edges = np.array([-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.5, 2.3, -1.2])
    for x in (2 * rng.normal(size=7), rng.normal(size=(2, 3)), np.array(rng.normal()), edges):
        for alpha in (1.0, 5, 10.0):
            yield "smooth_step", (x, alpha)
            yield "soft_round", (x, alpha)
        yield "straight_through_round", (x,)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("name", "inputs"), [pytest.param(*case, id=case[0]) for case in cases()])
def test_value_and_gradient_are_the_stated_ones_in_every_dialect(framework, name, inputs):
    forward, backward = TRUTH[name]
    rule = rules(NOTEBOOK).dialects(name)[framework]
    (output,), pullback = frameworks.get(framework).vjp(rule, *inputs)
    np.testing.assert_allclose(output, forward(*inputs), **CLOSE)
    for upstream in np.random.default_rng(88).normal(size=(3, *output.shape)):
        gradient, *nothing = pullback(upstream)
        assert gradient.shape == output.shape
        np.testing.assert_allclose(gradient, backward(upstream, *inputs), **CLOSE)
        assert nothing in ([], [None])


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_step_is_five_in_its_middle_and_gives_alpha_nothing(framework):
    rule = rules(NOTEBOOK).dialects("smooth_step")[framework]
    _, pullback = frameworks.get(framework).vjp(rule, np.array([0.1, 0.5, 0.9]), 10.0)
    gradient, for_alpha = pullback(np.ones(3))
    assert [f"{g:.4f}" for g in gradient] == ["0.0067", "5.0000", "0.0067"]
    assert for_alpha is None


@pytest.mark.parametrize("framework", FRAMEWORKS)
@with_parameter
def test_a_tensor_for_alpha_is_refused(framework, name):
    rule, adapter = rules(NOTEBOOK).dialects(name)[framework], frameworks.get(framework)
    with pytest.raises((TypeError, ValueError), match="alpha"):
        _, pullback = adapter.vjp(rule, np.array([0.3, 0.4]), np.array(10.0))
        pullback(np.ones(2))


@pytest.mark.parametrize("framework", FRAMEWORKS)
@with_parameter
@pytest.mark.parametrize("order", [1, 2])
def test_smooth_values_have_true_gradients(framework, name, order):
    rule = rules(NOTEBOOK).dialects(name)[framework]
    inside_of_stairs = np.array([-1.2, 0.3, 0.5, 2.3])
    assert check_gradient(rule, inside_of_stairs, 4.0, framework=framework, order=order)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_straight_through_is_a_declared_lie(framework):
    rule = rules(NOTEBOOK).dialects("straight_through_round")[framework]
    x = np.array([-1.2, 0.3, 1.7])
    assert check_gradient(rule, x, framework=framework, surrogate=lambda u, x: u)
    assert not check_gradient(rule, x, framework=framework)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_soft_round_goes_from_the_line_to_the_staircase(framework):
    rule, adapter = rules(NOTEBOOK).dialects("soft_round")[framework], frameworks.get(framework)
    x = np.array([-1.2, -0.7, 0.0, 0.3, 1.9, 2.3])
    np.testing.assert_allclose(adapter.call(rule, x, 1e-3)[0], x, atol=1e-6)
    np.testing.assert_allclose(adapter.call(rule, x, 200.0)[0], np.round(x), atol=1e-12)


def test_edges_are_those_of_the_soft_rounding():
    x = np.linspace(-2.2, 2.1, 20)
    (output,), pullback = frameworks.get("tape").vjp(rules(NOTEBOOK).edge_round_tape, x, 3.0)
    np.testing.assert_array_equal(output, np.round(x))
    np.testing.assert_allclose(pullback(np.ones(20))[0], soft_round_backward(1, x, 3), **CLOSE)


@need_torch
def test_the_seed_is_wrong_by_two_does_not_round_and_forgets_alpha():
    from course_lib.frameworks import torch

    seed = rules(NOTEBOOK).SmoothRound.apply
    report = check_gradient(seed, np.array([0.1, 0.5, 0.9]), 10.0, framework="torch")
    assert [fault.code for fault in report.faults] == ["wrong-scale"]
    assert seed(torch.tensor([2.3, -1.2])).tolist() == [1.0, 0.0]
    alpha = torch.tensor(10.0, requires_grad=True)
    total = seed(torch.tensor([0.3, 0.4]), alpha).sum()
    assert torch.autograd.grad(total, alpha, allow_unused=True) == (None,)


@pytest.fixture(scope="module")
def fitted():
    """The rounded loss after each step of a fit through a rounding."""
    found = rules(NOTEBOOK)

    def losses(rounding):
        return [found.loss(np.round(weights)) for weights in found.fit(rounding)]

    return losses


def test_without_a_gradient_the_fit_stands_still(fitted):
    losses = fitted(np.round)
    assert losses[0] == losses[-1]


@pytest.mark.parametrize("name", ["straight_through_round_tape", "soft_round_tape"])
def test_with_a_surrogate_the_fit_learns(fitted, name):
    rule = rules(NOTEBOOK)[name]
    losses = fitted(rule if name.startswith("straight") else lambda w: rule(w, 3.0))
    assert min(losses) < losses[0] / 20


def test_straight_through_passes_over_the_best_weights_and_leaves_them(fitted):
    found = rules(NOTEBOOK)
    losses = fitted(found.straight_through_round_tape)
    best = found.loss(np.array([-2, -2, 3, 0, 1]))
    assert min(losses) == pytest.approx(best) and max(losses[-100:]) > 2 * best


def test_a_growing_alpha_comes_to_rest_close_to_the_best(fitted):
    found = rules(NOTEBOOK)
    alphas = iter(np.geomspace(3, 20, 500))
    losses = fitted(lambda w: found.soft_round_tape(w, next(alphas)))
    best = found.loss(np.array([-2, -2, 3, 0, 1]))
    assert max(losses[-50:]) < 1.1 * best


@need_torch
@with_parameter
def test_under_torch_func(name):
    from course_lib.frameworks import torch

    rule, (_, backward) = rules(NOTEBOOK).dialects(name)["torch"], TRUTH[name]
    x = torch.tensor([-1.2, 0.0, 0.5, 2.3], dtype=torch.float64)
    wanted = backward(3.0, x.numpy(), 4.0)
    slope = torch.func.grad(lambda x: (3 * rule(x, 4.0)).sum())
    np.testing.assert_allclose(slope(x), wanted, **CLOSE)
    np.testing.assert_allclose(torch.func.vmap(slope)(x), wanted, **CLOSE)
    jacobian = torch.func.jacrev(lambda x: rule(x, 4.0))(x)
    np.testing.assert_allclose(3 * jacobian, np.diag(wanted), **CLOSE)


@need_torch
def test_straight_through_under_torch_func():
    from course_lib.frameworks import torch

    rule = rules(NOTEBOOK).straight_through_round_torch
    x = torch.tensor([-1.2, 0.5, 2.3])
    slope = torch.func.grad(lambda x: (3 * rule(x)).sum())
    assert torch.func.vmap(slope)(x).tolist() == [3.0, 3.0, 3.0]
    assert torch.equal(torch.func.jacrev(rule)(x), torch.eye(3))


@need_tf
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("smooth_step", (4.0,)),
        ("soft_round", (4.0,)),
        ("straight_through_round", ()),
    ],
)
def test_in_a_tf_function_with_unknown_shapes(name, settings):
    from course_lib.frameworks import tensorflow as tf

    rule, (_, backward) = rules(NOTEBOOK).dialects(name)["tensorflow"], TRUTH[name]

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float64)])
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = 3 * rule(x, *settings)
        return tape.gradient(loss, x)

    x = np.array([[-1.2, 0.0], [0.5, 2.3]])
    wanted = backward(3.0 * np.ones_like(x), x, *settings)
    np.testing.assert_allclose(gradient(x), wanted, **CLOSE)
