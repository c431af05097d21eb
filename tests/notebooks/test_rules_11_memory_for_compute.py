"""The rules of notebook 11: right in every dialect, and keeping as much as it says they keep."""

import numpy as np
import pytest
from rules import rules

from course_lib import frameworks
from course_lib.gradcheck import check_gradient
from course_lib.tape import Variable, checkpoint, grad

NOTEBOOK = "11_memory_for_compute"
EXACT = {"rtol": 1e-12, "atol": 1e-12}
FRAMEWORKS = frameworks.available()
need_torch = pytest.mark.skipif("torch" not in FRAMEWORKS, reason="PyTorch is not installed")
need_tf = pytest.mark.skipif("tensorflow" not in FRAMEWORKS, reason="TensorFlow is not installed")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def swish_slope(x):
    s = sigmoid(x)
    return s + x * s * (1 - s)


def bend(x):
    s = sigmoid(x)
    return s * (1 - s) * (1 - 2 * s)


def swish_bend(x):
    s = sigmoid(x)
    return 2 * s * (1 - s) + x * bend(x)


TRUTH = {
    "recompute_sigmoid": (sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x)), bend),
    "swish": (lambda x: x * sigmoid(x), swish_slope, swish_bend),
}
POINTS = [np.random.default_rng(11).normal(size=(3, 4)), np.array([-30.0, 0.0, 30.0]), np.array(0)]


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", TRUTH)
@pytest.mark.parametrize("x", [x.astype(float) for x in POINTS], ids=["random", "ends", "scalar"])
def test_value_first_and_second_derivative_in_every_dialect(framework, name, x):
    adapter, truth = frameworks.get(framework), TRUTH[name]
    rule = rules(NOTEBOOK).dialects(name)[framework]
    u, d = np.random.default_rng(0).normal(size=(2, *x.shape))
    (value,), pullback = adapter.vjp(rule, x)
    (second,) = adapter.second_vjp(rule, (x,), (u,), (d,))
    np.testing.assert_allclose(value, truth[0](x), **EXACT)
    np.testing.assert_allclose(pullback(u)[0], u * truth[1](x), **EXACT)
    np.testing.assert_allclose(second, d * u * truth[2](x), **EXACT)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_seeds_own_numbers(framework):
    adapter = frameworks.get(framework)
    rule = rules(NOTEBOOK).dialects("recompute_sigmoid")[framework]
    _, pullback = adapter.vjp(rule, np.array([-1.0, 0.5, 2.0]))
    np.testing.assert_allclose(pullback(np.ones(3))[0], [0.1966, 0.2350, 0.1050], atol=5e-5)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", TRUTH)
def test_check_gradient_agrees_to_second_order(framework, name):
    rule = rules(NOTEBOOK).dialects(name)[framework]
    assert check_gradient(rule, np.array([-2.0, 0.0, 0.5]), framework=framework, order=2).ok


# -- what is kept ---------------------------------------------------------------------------------


@need_torch
def test_what_torch_keeps():
    from course_lib.frameworks import torch

    found = rules(NOTEBOOK)
    counts = {
        rule: (found.layer_torch(rule), found.network_torch(rule))
        for rule in (
            torch.sigmoid,
            found.recompute_sigmoid_torch,
            found.written_out,
            found.swish_torch,
            torch.nn.functional.silu,
        )
    }
    assert list(counts.values()) == [(1, 2), (2, 4), (3, 6), (2, 4), (2, 4)]
    assert found.layer_torch(lambda x: x * torch.sigmoid(x)) == 3


@need_torch
def test_a_recomputed_block_keeps_its_input_and_its_output():
    found = rules(NOTEBOOK)
    assert found.layer_torch(found.block_torch) == 6
    assert found.layer_torch(found.recompute_block_torch) == 2
    assert check_gradient(
        found.recompute_block_torch, np.array([-1.0, 2.0]), framework="torch", order=2
    ).ok


@need_torch
def test_under_torch_func():
    from course_lib.frameworks import torch

    x = torch.linspace(-3, 3, 5, dtype=torch.float64)
    for name, (_, slope, second) in TRUTH.items():
        rule = rules(NOTEBOOK)[f"{name}_torch"] if name == "swish" else None
        rule = rules(NOTEBOOK).dialects(name)["torch"]
        first = torch.func.grad(rule)
        np.testing.assert_allclose(torch.func.vmap(first)(x), slope(x.numpy()), **EXACT)
        twice = torch.func.vmap(torch.func.grad(first))(x)
        np.testing.assert_allclose(twice, second(x.numpy()), **EXACT)
        jacobian = torch.func.jacrev(rule)(x)
        np.testing.assert_allclose(jacobian, np.diag(slope(x.numpy())), **EXACT)


@need_tf
def test_what_a_tensorflow_graph_keeps():
    from course_lib.frameworks import tensorflow as tf

    found = rules(NOTEBOOK)
    assert found.kept_tf(tf.sigmoid) == 1
    assert found.kept_tf(found.recompute_sigmoid_tf) == 2
    assert found.kept_tf(lambda x: 1 / (1 + tf.exp(-x))) == 3
    assert found.kept_tf(lambda x: x * tf.sigmoid(x)) == 3
    assert found.kept_tf(found.swish_tf) == 2


@need_tf
def test_recomputing_by_hand_saves_in_a_graph_and_not_eagerly():
    from course_lib.frameworks import tensorflow as tf

    found = rules(NOTEBOOK)
    blocks = found.steps_tf, found.recompute_block_tf, tf.recompute_grad(found.steps_tf)
    assert [found.kept_tf(f) for f in blocks] == [6, 2, 2]
    assert [found.alive_eagerly(f)[0] for f in blocks] == [5, 5, 1]
    x = np.array([-1.0, 0.5, 2.0])
    assert check_gradient(found.recompute_block_tf, x, framework="tensorflow").ok


@need_tf
@pytest.mark.parametrize("name", TRUTH)
def test_in_a_tf_function(name):
    from course_lib.frameworks import tensorflow as tf

    rule = rules(NOTEBOOK).dialects(name)["tensorflow"]

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float64)])
    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = rule(x)
        return tape.gradient(y, x)

    x = np.linspace(-3, 3, 7)
    np.testing.assert_allclose(slope(tf.constant(x)), TRUTH[name][1](x), **EXACT)


def test_what_the_tape_keeps():
    found = rules(NOTEBOOK)
    h = Variable(np.ones(3))
    names = found.kept_tape(lambda h: found.recompute_sigmoid_tape(h * 2), h)
    assert names == ["recompute_sigmoid_tape", "multiply"]
    assert len(found.kept_tape(lambda h: found.sigmoid(h * 2), h)) == 5
    for rule in (found.saving_sigmoid_tape, found.recompute_sigmoid_tape):
        assert found.held_tape(lambda h, rule=rule: rule(h * 2))[0] == 2


# -- checkpoints ----------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2, 8, 64])
def test_segments_give_the_same_gradient_for_twice_the_steps(k):
    found = rules(NOTEBOOK)
    x, u = np.linspace(-2, 2, 5), np.array([1.0, -2.0, 0.5, 3.0, -1.0])
    v, found["work"]["steps"] = Variable(x), 0
    gradient = grad(found.segmented(k)(v), v, upstream=u)
    assert found["work"]["steps"] == 128
    np.testing.assert_allclose(gradient, grad(found.chain(v), v, upstream=u), **EXACT)


def test_the_peak_is_lowest_at_the_square_root():
    found = rules(NOTEBOOK)
    rows = {k: found.held_tape(found.segmented(k)) for k in (1, 4, 8, 16, 64)}
    assert [held for held, _ in rows.values()] == list(rows)
    assert min(rows, key=lambda k: rows[k][1]) == 8
    for k, (_, peak) in rows.items():
        assert k + 64 // k <= peak <= k + 64 // k + 8  # a few are the backward pass's own


@pytest.mark.parametrize(("b", "runs"), [(256, 1), (16, 2), (4, 4), (2, 8)])
def test_each_level_of_nesting_runs_each_step_once_more(b, runs):
    found = rules(NOTEBOOK)
    v, found["work"]["steps"] = Variable(np.array([0.3, -1.0])), 0
    gradient = grad(found.nested(256, b)(v), v)
    assert found["work"]["steps"] == 256 * runs
    np.testing.assert_allclose(gradient, grad(found.chain(v, 256), v), **EXACT)


@pytest.mark.parametrize("seed", range(5))
def test_dropout_needs_the_random_state(seed):
    rng = np.random.default_rng(seed)

    def dropout(x):
        return x * (rng.random(x.shape) < 0.5) * 2

    v = Variable(np.ones(100))
    kept, lost = checkpoint(dropout, rng=rng)(v), checkpoint(dropout)(v)
    np.testing.assert_array_equal(grad(kept, v), kept.value)
    assert np.any(grad(lost, v) != lost.value)
