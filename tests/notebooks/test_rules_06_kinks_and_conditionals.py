"""The rules of notebook 06: made of pieces, in three dialects, at the seams and on NaN."""

import numpy as np
import pytest
from rules import rules

from course_lib import frameworks
from course_lib.tape import Variable, grad

NOTEBOOK = "06_kinks_and_conditionals"
CLOSE = {"rtol": 1e-12, "atol": 1e-12}
FRAMEWORKS = frameworks.available()
need_torch = pytest.mark.skipif("torch" not in FRAMEWORKS, reason="PyTorch is not installed")
need_tf = pytest.mark.skipif("tensorflow" not in FRAMEWORKS, reason="TensorFlow is not installed")


def root(x):
    return np.sqrt(np.maximum(x, 0))


def root_slope(x):
    return np.where(x > 0, 0.5 / np.sqrt(np.where(x > 0, x, 1)), 0)


def norm_backward(u, x):
    length = np.linalg.norm(x)
    return u * x / (length or 1)


TRUTH = {
    "double_positive": (
        lambda x: x + np.maximum(x, 0),
        lambda u, x: u * (1 + (x > 0)),
    ),
    "two_slope": (
        lambda x: x / 2 + 1.5 * np.maximum(x, 0),
        lambda u, x: u * (0.5 + 1.5 * (x > 0)),
    ),
    "positive_root": (root, lambda u, x: u * root_slope(x)),
    "safe_norm": (np.linalg.norm, norm_backward),
}
ELEMENTWISE = ["double_positive", "two_slope", "positive_root"]


def cases():
    rng = np.random.default_rng(6)
    seams = np.array([-1.0, -1e-300, -0.0, 0.0, 1e-300, 1.0, 1e6, -1e6])
    for x in (rng.normal(size=7), rng.normal(size=(2, 3)), np.array(0.0), np.empty(0), seams):
        for name in ELEMENTWISE:
            yield name, x
    for x in (rng.normal(size=5), rng.normal(size=(2, 3)), np.array([-2.0]), np.zeros(3)):
        yield "safe_norm", x


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("name", "x"), [pytest.param(*case, id=case[0]) for case in cases()])
def test_value_and_gradient_are_the_truth_in_every_dialect(framework, name, x):
    forward, backward = TRUTH[name]
    rule = rules(NOTEBOOK).dialects(name)[framework]
    (output,), pullback = frameworks.get(framework).vjp(rule, x)
    np.testing.assert_allclose(output, forward(x), **CLOSE)
    rng = np.random.default_rng(66)
    for _ in range(3):
        upstream = rng.normal(size=output.shape)
        (gradient,) = pullback(upstream)
        assert gradient.shape == x.shape
        np.testing.assert_allclose(gradient, backward(upstream, x), **CLOSE)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_stated_truth_of_the_seeds(framework):
    found = rules(NOTEBOOK)
    adapter = frameworks.get(framework)
    _, pullback = adapter.vjp(
        found.dialects("double_positive")[framework], np.array([-1.0, 0.0, 1.0])
    )
    np.testing.assert_array_equal(pullback(np.ones(3))[0], [1, 1, 2])
    _, pullback = adapter.vjp(
        found.dialects("two_slope")[framework], np.array([-1.0, 0.0, 1.0, 2.0])
    )
    np.testing.assert_array_equal(pullback(np.ones(4))[0], [0.5, 0.5, 2, 2])


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_single_precision_stays_single(framework, name):
    x = np.float32([-1.0, 0.0, 0.25])
    (output,), pullback = frameworks.get(framework).vjp(
        rules(NOTEBOOK).dialects(name)[framework], x
    )
    (gradient,) = pullback(np.ones(3, np.float32))
    assert output.dtype == gradient.dtype == np.float32


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_nan_is_not_hidden_by_two_slope(framework):
    x = np.array([-1.0, np.nan, 2.0])
    (output,), _ = frameworks.get(framework).vjp(
        rules(NOTEBOOK).dialects("two_slope")[framework], x
    )
    np.testing.assert_array_equal(output, [-0.5, np.nan, 4])


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_second_derivatives_are_right_and_finite_at_the_seam(framework):
    adapter, found = frameworks.get(framework), rules(NOTEBOOK)
    x, ones = np.array([-1.0, 0.0, 4.0]), np.ones(3)
    (second,) = adapter.second_vjp(
        found.dialects("positive_root")[framework], (x,), (ones,), (ones,)
    )
    np.testing.assert_allclose(second, [0, 0, -1 / 32], **CLOSE)
    (second,) = adapter.second_vjp(
        found.dialects("safe_norm")[framework], (x,), (np.array(1.0),), (ones,)
    )
    length = np.linalg.norm(x)
    hessian = np.eye(3) / length - np.outer(x, x) / length**3
    np.testing.assert_allclose(second, hessian @ ones, **CLOSE)
    (second,) = adapter.second_vjp(
        found.dialects("safe_norm")[framework], (np.zeros(3),), (np.array(1.0),), (ones,)
    )
    assert np.isfinite(second).all()


def test_a_central_difference_at_the_kink():
    f = TRUTH["double_positive"][0]
    assert (f(1e-6) - f(-1e-6)) / 2e-6 == pytest.approx(1.5, abs=1e-12)


def test_the_branch_not_taken_on_the_tape():
    found = rules(NOTEBOOK)
    x = Variable([-1.0, 0.0, 4.0])
    with np.errstate(invalid="ignore", divide="ignore"):
        trapped = grad(np.where(x > 0, np.sqrt(x), 0.0), x)
    np.testing.assert_array_equal(trapped, [np.nan, np.nan, 0.25])
    np.testing.assert_array_equal(grad(found.positive_root_tape(x), x), [0, 0, 0.25])


def test_choices_at_zero_on_the_tape():
    x = Variable([0.0])
    assert grad(np.maximum(x, 0), x) == 0.5
    assert grad(np.clip(x, 0, None), x) == 1
    assert grad(np.abs(x), x) == 0
    assert grad(np.maximum(x, 0) - np.maximum(-x, 0), x) == 1


@need_torch
def test_the_seed_in_torch_hides_nan_and_cuts_whole_numbers():
    from course_lib.frameworks import torch

    seed = rules(NOTEBOOK).ConditionalOp.apply
    x = torch.tensor([-1.0, float("nan"), 2.0], requires_grad=True)
    y = seed(x)
    assert y.tolist() == [-0.5, 0, 4]
    assert torch.autograd.grad(y.sum(), x)[0].tolist() == [0.5, 0, 2]
    assert seed(torch.tensor([-3, 1])).tolist() == [-1, 2]
    assert rules(NOTEBOOK).two_slope_torch(torch.tensor([-3, 1])).tolist() == [-1.5, 2]


@need_torch
def test_the_seed_in_torch_cannot_be_batched():
    from course_lib.frameworks import torch

    found = rules(NOTEBOOK)
    with pytest.raises(RuntimeError, match="must override the setup_context"):
        torch.func.vmap(found.ConditionalOp.apply)(torch.ones(3))
    with pytest.raises(RuntimeError, match="indexing with a boolean mask"):
        torch.func.vmap(found.WithMasksTorch.apply)(torch.ones(3))


@need_torch
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_under_torch_func(name):
    from course_lib.frameworks import torch

    rule = rules(NOTEBOOK)[f"{name}_torch"]
    x = torch.tensor([-1.0, 0.0, 4.0], dtype=torch.float64)
    slope = TRUTH[name][1](np.ones(3), x.numpy())
    np.testing.assert_allclose(torch.func.grad(lambda x: rule(x).sum())(x), slope, **CLOSE)
    np.testing.assert_allclose(torch.func.vmap(torch.func.grad(rule))(x), slope, **CLOSE)
    np.testing.assert_allclose(torch.func.jacrev(rule)(x), np.diag(slope), **CLOSE)


@need_torch
def test_safe_norm_under_torch_func():
    from course_lib.frameworks import torch

    rule = rules(NOTEBOOK).safe_norm_torch
    arrows = torch.tensor([[3.0, 4.0], [0.0, 0.0], [5.0, 12.0]], dtype=torch.float64)
    np.testing.assert_allclose(torch.func.vmap(rule)(arrows), [5, 0, 13], **CLOSE)
    np.testing.assert_allclose(
        torch.func.vmap(torch.func.grad(rule))(arrows),
        [[0.6, 0.8], [0, 0], [5 / 13, 12 / 13]],
        **CLOSE,
    )
    np.testing.assert_allclose(torch.func.jacrev(rule)(arrows[0]), [0.6, 0.8], **CLOSE)


@need_torch
def test_gradcheck_away_from_the_seams():
    from course_lib.frameworks import torch

    x = torch.tensor([-2.0, -0.5, 0.5, 3.0], dtype=torch.float64, requires_grad=True)
    for name in TRUTH:
        assert torch.autograd.gradcheck(rules(NOTEBOOK)[f"{name}_torch"], (x,))


@need_torch
def test_choices_at_zero_in_torch():
    from course_lib.frameworks import torch

    zero = torch.zeros(1, requires_grad=True)
    for way, choice in (
        (torch.relu, 0),
        (lambda x: x.clamp(min=0), 1),
        (lambda x: torch.maximum(x, torch.zeros(1)), 0.5),
        (torch.abs, 0),
        (lambda x: torch.relu(x) - torch.relu(-x), 0),
    ):
        assert torch.autograd.grad(way(zero), zero)[0].item() == choice


@need_tf
def test_choices_at_zero_in_tensorflow():
    from course_lib.frameworks import tensorflow as tf

    ways = {
        tf.nn.relu: 0,
        tf.abs: 0,
        (lambda x: tf.maximum(x, 0.0)): 1,
        (lambda x: tf.maximum(0.0, x)): 0,
        (lambda x: tf.maximum(x, 0.0) - tf.maximum(-x, 0.0)): 2,
    }
    for way, choice in ways.items():
        _, pullback = frameworks.get("tensorflow").vjp(way, np.float32([0]))
        assert pullback(np.ones(1)) == (choice,)


@need_tf
def test_the_seed_in_tensorflow_has_a_gradient_and_no_value():
    from course_lib.frameworks import tensorflow as tf

    seed = rules(NOTEBOOK).non_diff_op
    x = tf.constant([-1.0, 0.0, 1.0])
    with pytest.raises(ValueError, match="truth value of an array"):
        seed(x)

    @tf.function
    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = seed(x)
        return tape.gradient(y, x)

    np.testing.assert_array_equal(slope(x), [1, 1, 2])
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be a scalar"):
        tf.function(seed)(x)


@need_tf
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", list(TRUTH))
def test_in_a_tf_function_with_an_unknown_shape(name, compiled):
    from course_lib.frameworks import tensorflow as tf

    rule = rules(NOTEBOOK)[f"{name}_tf"]
    forward, backward = TRUTH[name]

    @tf.function(
        input_signature=[tf.TensorSpec([None] if compiled else None, tf.float64)],
        jit_compile=compiled,
    )
    def value_and_gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = rule(x)
        return y, tape.gradient(y, x)

    x = np.array([-1.0, 0.0, 0.25, 9.0])
    value, gradient = value_and_gradient(x)
    np.testing.assert_allclose(value, forward(x), **CLOSE)
    np.testing.assert_allclose(gradient, backward(1.0, x), **CLOSE)


@need_tf
def test_whole_numbers_are_refused_by_two_slope_in_tensorflow():
    from course_lib.frameworks import tensorflow as tf

    with pytest.raises((TypeError, tf.errors.InvalidArgumentError)):
        rules(NOTEBOOK).two_slope_tf(tf.constant([-3, 1]))
