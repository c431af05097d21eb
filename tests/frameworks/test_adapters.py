"""The protocol, the same in all three frameworks."""

import numpy as np
import pytest
from one_rule_each import its_backward, make, product_and_sine

from course_lib import frameworks
from course_lib.frameworks import tensorflow as tf
from course_lib.frameworks import torch
from course_lib.tape import Variable, stop_gradient

X, Y = np.array([1.0, 2.0, 3.0]), np.array([2.0, 5.0, 7.0])
ONES = np.ones(3)


@pytest.fixture(params=["tape", "tensorflow", "torch"])
def framework(request):
    return frameworks.get(request.param)


@pytest.fixture
def rule(framework):
    return make(framework.name, product_and_sine, its_backward)


def test_names():
    tape, tensorflow, pytorch = map(frameworks.get, ("tape", "tensorflow", "torch"))
    assert [a.label for a in (tape, tensorflow, pytorch)] == ["the tape", "TensorFlow", "PyTorch"]
    assert [a.suffix for a in (tape, tensorflow, pytorch)] == ["tape", "tf", "torch"]


def test_an_unknown_framework_is_told_the_three():
    with pytest.raises(ValueError, match='"tape", "tensorflow", "torch"'):
        frameworks.get("jax")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (3,), (0,), (2, 3)])
def test_to_and_from_numpy(framework, dtype, shape):
    array = np.arange(np.prod(shape), dtype=dtype).reshape(shape)
    tensor = framework.tensor(array)
    assert framework.is_tensor(tensor) and not framework.is_tensor(array)
    back = framework.numpy(tensor)
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, array)
    if shape == (3,):
        back[0] = array[0] = 99  # copies, both of them
        assert framework.numpy(tensor)[0] == 0


def test_call(framework, rule):
    product, sine = framework.call(rule, X, Y, 10.0)
    np.testing.assert_allclose(product, 10 * X * Y)
    np.testing.assert_allclose(sine, np.sin(X))


def test_vjp_can_be_pulled_again_and_again(framework, rule):
    outputs, pullback = framework.vjp(rule, X, Y, 10.0)
    assert len(outputs) == 2
    for g in (ONES, -2 * X):
        gx, gy, gscale = pullback(g, 3 * ONES)
        np.testing.assert_allclose(gx, 10 * g * Y + 3 * np.cos(X))
        np.testing.assert_allclose(gy, 10 * g * X)
        assert gscale is None


def test_second_vjp(framework, rule):
    d, e = np.array([1.0, -2.0, 0.5]), np.array([0.3, 0.2, 0.1])
    gx, gy, gscale = framework.second_vjp(rule, (X, Y, 10.0), (ONES, X), (d, e, None))
    np.testing.assert_allclose(gx, -d * X * np.sin(X) + 10 * e)
    np.testing.assert_allclose(gy, 10 * d)
    assert gscale is None


def test_the_caller_keeps_its_arrays(framework):
    def overwriting(np, g, x):
        g *= 2
        return g

    rule = make(framework.name, lambda np, x: 2 * x, overwriting)
    upstream = ONES.copy()
    _, pullback = framework.vjp(rule, X)
    try:
        pullback(upstream)
    except ValueError:
        assert framework.name == "tape"  # which does not let it
    np.testing.assert_array_equal(upstream, ONES)


def test_what_leads_nowhere_has_no_gradient(framework):
    constant = {"tape": stop_gradient, "tensorflow": tf.stop_gradient, "torch": torch.detach}
    outputs, pullback = framework.vjp(constant[framework.name], X)
    np.testing.assert_array_equal(outputs[0], X)
    assert pullback(ONES) == (None,)


def test_integers_and_whole_numbers_are_constants(framework):
    index = np.array([2, 0])
    gather = {
        "tape": lambda x, i: x[i],
        "tensorflow": lambda x, i: tf.gather(x, i),
        "torch": lambda x, i: x[i],
    }
    _, pullback = framework.vjp(gather[framework.name], X, index)
    gx, gi = pullback(np.array([5.0, 7.0]))
    np.testing.assert_array_equal(gx, [7.0, 0.0, 5.0])
    assert gi is None


@pytest.mark.parametrize(
    ("result", "words"), [("abc", "a str"), (None, "returned nothing"), ({"y": 1}, "a dict")]
)
def test_what_is_no_output_is_said(framework, result, words):
    def broken(x):
        return result

    with pytest.raises(frameworks.BadOutput, match=rf"broken.*{words}|broken {words}"):
        framework.call(broken, X)


# -- over the rule's shoulder -------------------------------------------------------------------


def test_a_custom_gradient_is_seen(framework, rule):
    assert framework.watch(rule, X, Y, 1.0).custom
    assert framework.watch(lambda x, y: rule(x * 1.0, y, 1.0)[0] * 2.0, X, Y).custom
    assert not framework.watch(lambda x, y: x * y, X, Y).custom


def test_a_tf_function_counts_as_custom():
    assert frameworks.get("tensorflow").watch(tf.function(lambda x: x * x), X).custom


def test_gradients_are_seen_as_the_rule_gave_them(framework, rule):
    watched = framework.watch(rule, X, Y, 10.0)
    gx, gy, _ = watched.pullback(ONES, X)
    (step,) = watched.steps
    assert step.positions[:2] == (0, 1)
    assert not step.upstream_changed
    np.testing.assert_array_equal(step.returned[0], gx)
    np.testing.assert_array_equal(step.returned[1], gy)
    assert step.returned[2] is None


def test_what_the_framework_hides_is_seen(framework):
    """PyTorch sums it back without a word; TensorFlow takes it as it is; the tape refuses."""

    def too_big(np, g, x, y):
        return np.stack([g, g]), g

    rule = make(framework.name, lambda np, x, y: x + y, too_big)
    watched = framework.watch(rule, X, Y)
    try:
        watched.pullback(ONES)
    except ValueError as error:
        assert framework.name == "tape", error
    assert watched.steps[0].returned[0].shape == (2, 3)


def test_a_wrong_number_of_gradients_is_seen_before_the_framework_complains(framework):
    rule = make(framework.name, lambda np, x, y: x + y, lambda np, g, x, y: (g, g, g))
    watched = framework.watch(rule, X, Y)
    with pytest.raises((ValueError, RuntimeError)):
        watched.pullback(ONES)
    assert len(watched.steps[0].returned) == 3


@pytest.mark.parametrize("name", ["tape", "torch"])  # TensorFlow's tensors cannot be changed
def test_overwriting_is_seen(name):
    framework = frameworks.get(name)

    def overwrites_upstream(np, g, x):
        g *= 2
        return g

    def overwrites_input(np, x):
        x *= 2
        return x + 0.0

    watched = framework.watch(make(name, lambda np, x: 2 * x, overwrites_upstream), X)
    watched.pullback(ONES)
    assert watched.steps[0].upstream_changed
    np.testing.assert_array_equal(watched.inputs_now()[0], X)

    watched = framework.watch(make(name, overwrites_input, lambda np, g, x: 2 * g), X)
    np.testing.assert_array_equal(watched.inputs_now()[0], 2 * X)


def test_watching_leaves_no_trace(rule, framework):
    framework.watch(rule, X, Y, 1.0)
    gx, *_ = framework.vjp(rule, X, Y, 1.0)[1](ONES, 0 * ONES)
    np.testing.assert_array_equal(gx, Y)


def test_a_variable_stays_a_variable():
    assert isinstance(frameworks.get("tape").tensor(X), Variable)
