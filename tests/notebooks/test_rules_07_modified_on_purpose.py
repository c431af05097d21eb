"""The rules of notebook 07: the same lie in three dialects, and what each lie leads to."""

import numpy as np
import pytest
from rules import rules

from course_lib import frameworks
from course_lib.gradcheck import check_gradient

NOTEBOOK = "07_modified_on_purpose"
CLOSE = {"rtol": 1e-12, "atol": 1e-12}
FRAMEWORKS = frameworks.available()
need_torch = pytest.mark.skipif("torch" not in FRAMEWORKS, reason="PyTorch is not installed")
need_tf = pytest.mark.skipif("tensorflow" not in FRAMEWORKS, reason="TensorFlow is not installed")


def floored_slope(d):
    return np.where(np.abs(d) < 0.5, np.sign(d), 2 * d)


def floored_backward(u, p, t):
    return u * floored_slope(p - t), -u * floored_slope(p - t)


TRUTH = {
    "double_exp": (np.exp, lambda u, x: (2 * np.exp(x) * u,)),
    "leaky_gradient_relu": (
        lambda x: np.maximum(x, 0),
        lambda u, x: (np.where(x > 0, u, -0.5 * u),),
    ),
    "floored_squared_loss": (lambda p, t: (p - t) ** 2, floored_backward),
}
RULES = list(TRUTH)


def cases():
    rng = np.random.default_rng(7)
    edges = np.array([-1.0, -0.5, -0.0, 0.0, 1e-300, 0.1, 0.5, 1.0, 2.0])
    for x in (rng.normal(size=7), rng.normal(size=(2, 3)), np.array(rng.normal()), edges):
        yield "double_exp", (x,)
        yield "leaky_gradient_relu", (x,)
        yield "floored_squared_loss", (x, rng.normal(size=x.shape))
        yield "floored_squared_loss", (x, np.zeros_like(x))
        yield "floored_squared_loss", (x, x.copy())


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("name", "inputs"), [pytest.param(*case, id=case[0]) for case in cases()])
def test_value_and_lie_are_the_stated_ones_in_every_dialect(framework, name, inputs):
    forward, backward = TRUTH[name]
    rule = rules(NOTEBOOK).dialects(name)[framework]
    (output,), pullback = frameworks.get(framework).vjp(rule, *inputs)
    np.testing.assert_allclose(output, forward(*inputs), **CLOSE)
    rng = np.random.default_rng(77)
    for upstream in (*rng.normal(size=(3, *output.shape)), np.zeros(output.shape)):
        gradients = pullback(upstream)
        for gradient, right in zip(gradients, backward(upstream, *inputs), strict=True):
            assert gradient.shape == right.shape
            np.testing.assert_allclose(gradient, right, **CLOSE)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", RULES)
def test_every_lie_is_declared_and_none_passes_undeclared(framework, name):
    _, backward = TRUTH[name]
    rule = rules(NOTEBOOK).dialects(name)[framework]
    inputs = [np.array([-1.0, 0.25, 2.0]), np.array([0.0, 0.5, -1.0])]
    inputs = inputs[: 2 if name == "floored_squared_loss" else 1]
    assert check_gradient(rule, *inputs, framework=framework, surrogate=backward)
    assert not check_gradient(rule, *inputs, framework=framework)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_double_exp_prints_what_the_seed_claims(framework):
    rule = rules(NOTEBOOK).dialects("double_exp")[framework]
    _, pullback = frameworks.get(framework).vjp(rule, np.array([1.0, 2.0]))
    assert [f"{g:.3f}" for g in pullback(np.ones(2))[0]] == ["5.437", "14.778"]


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("factor", [3.0, -1.0, 0.0])
def test_leaky_relu_follows_the_loss_left_of_zero_and_at_zero(framework, factor):
    rule = rules(NOTEBOOK).dialects("leaky_gradient_relu")[framework]
    _, pullback = frameworks.get(framework).vjp(rule, np.array([-1.0, 0.0, 0.5, 2.0]))
    gradient = pullback(np.full(4, factor))[0]
    np.testing.assert_array_equal(gradient, factor * np.array([-0.5, -0.5, 1, 1]))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_floor_holds_on_both_sides_and_rests_at_the_optimum(framework):
    rule = rules(NOTEBOOK).dialects("floored_squared_loss")[framework]
    d = np.array([-3.0, -0.5, -0.1, -1e-9, 0.0, 1e-9, 0.1, 0.5, 3.0])
    _, pullback = frameworks.get(framework).vjp(rule, d, np.zeros_like(d))
    for_prediction, for_target = pullback(np.ones_like(d))
    np.testing.assert_array_equal(np.sign(for_prediction), np.sign(d))
    assert (np.abs(for_prediction[d != 0]) >= 1).all() and for_prediction[4] == 0
    np.testing.assert_array_equal(for_target, -for_prediction)


def descend(loss, rates):
    return rules(NOTEBOOK).descend(loss, 0.0, rates, 1.0)[-100:]


def test_the_loss_as_written_cycles_below_its_target():
    path = descend(rules(NOTEBOOK).floored_as_written, [0.05] * 400)
    assert f"{path.min():.3f} {path.max():.3f}" == "0.855 0.905"


def test_the_repaired_loss_stays_within_a_step_of_its_target():
    path = descend(rules(NOTEBOOK).floored_squared_loss_tape, [0.05] * 400)
    assert np.abs(path - 1).max() < 0.05


def test_with_shrinking_steps_only_the_repaired_loss_converges():
    rates = [0.05 * 0.98**step for step in range(400)]
    repaired = descend(rules(NOTEBOOK).floored_squared_loss_tape, rates)[-1]
    as_written = descend(rules(NOTEBOOK).floored_as_written, rates)[-1]
    assert abs(repaired - 1) < 1e-4
    assert abs(as_written - 0.9) < 1e-3


@need_torch
def test_the_seeds_relu_assigns_what_it_should_multiply():
    from course_lib.frameworks import torch

    x = torch.tensor([-1.0, 0.5, 2.0], requires_grad=True)
    for factor in (1.0, 3.0, -1.0, 0.0):
        loss = factor * rules(NOTEBOOK).CustomReLU.apply(x).sum()
        gradient = torch.autograd.grad(loss, x)[0].tolist()
        assert gradient == [-0.5, factor, factor]


@need_torch
def test_a_write_into_the_upstream_reaches_the_shortcut():
    from course_lib.frameworks import torch

    x = torch.tensor([-1.0, 0.5], requires_grad=True)
    found = rules(NOTEBOOK)
    for rule, expected in ((found.LeakyGradientReLU, [0.5, 2.0]), (found.InPlaceReLU, [-1.0, 2.0])):
        gradient = torch.autograd.grad(x + rule.apply(x), x, torch.ones(2))[0]
        assert gradient.tolist() == expected


@need_torch
@pytest.mark.parametrize("name", RULES)
def test_under_torch_func(name):
    from course_lib.frameworks import torch

    rule = rules(NOTEBOOK).dialects(name)["torch"]
    _, backward = TRUTH[name]
    x = torch.tensor([-1.0, 0.0, 0.3, 2.0], dtype=torch.float64)
    inputs = (x, torch.cos(x)) if name == "floored_squared_loss" else (x,)
    wanted = backward(3.0, *(t.numpy() for t in inputs))
    every = tuple(range(len(inputs)))

    def loss(*xs):
        return (3 * rule(*xs)).sum()

    transforms = torch.func
    whole = transforms.grad(loss, argnums=every)(*inputs)
    one_by_one = transforms.vmap(transforms.grad(loss, argnums=every))(*inputs)
    jacobian = transforms.jacrev(rule)(*inputs)
    for gradients in (whole, one_by_one):
        for gradient, right in zip(gradients, wanted, strict=True):
            np.testing.assert_allclose(gradient, right, **CLOSE)
    np.testing.assert_allclose(3 * jacobian, np.diag(wanted[0]), **CLOSE)


@need_torch
def test_a_mask_cannot_be_vectorised_but_where_can():
    from course_lib.frameworks import torch

    found, x = rules(NOTEBOOK), torch.tensor([-1.0, 2.0])
    gradient = torch.func.vmap(torch.func.grad(found.leaky_gradient_relu_torch))(x)
    assert gradient.tolist() == [-0.5, 1.0]
    with pytest.raises(RuntimeError):
        torch.func.vmap(torch.func.grad(found.CustomReLU.apply))(x)


@need_torch
def test_second_derivatives_depend_on_what_was_saved():
    found, x = rules(NOTEBOOK), np.array([-1.0, 0.0, 0.7])
    torch = frameworks.get("torch")
    ones = (np.ones(3),)
    from_input = torch.second_vjp(found.DoubleExp.apply, (x,), ones, ones)[0]
    from_output = torch.second_vjp(found.DoubleExpOfOutput.apply, (x,), ones, ones)[0]
    np.testing.assert_allclose(from_input, 2 * np.exp(x), **CLOSE)
    np.testing.assert_allclose(from_output, 4 * np.exp(x), **CLOSE)


@need_tf
@pytest.mark.parametrize("name", RULES)
def test_in_a_tf_function_with_unknown_shapes(name):
    from course_lib.frameworks import tensorflow as tf

    rule = rules(NOTEBOOK).dialects(name)["tensorflow"]
    _, backward = TRUTH[name]
    x = np.array([[-1.0, 0.0], [0.3, 2.0]])
    inputs = [x, np.cos(x)][: 2 if name == "floored_squared_loss" else 1]

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float64)] * len(inputs))
    def gradients(*xs):
        with tf.GradientTape() as tape:
            tape.watch(xs)
            loss = 3 * rule(*xs)
        return tape.gradient(loss, xs)

    for gradient, right in zip(gradients(*inputs), backward(3.0, *inputs), strict=True):
        np.testing.assert_allclose(gradient, right, **CLOSE)
