"""The rules of notebook 09: identities in their value, and what they make of an upstream."""

import numpy as np
import pytest
from rules import rules

from course_lib import frameworks
from course_lib.gradcheck import check_gradient

NOTEBOOK = "09_gradient_plumbing"
CLOSE = {"rtol": 1e-12, "atol": 1e-12}
FRAMEWORKS = frameworks.available()
need_torch = pytest.mark.skipif("torch" not in FRAMEWORKS, reason="PyTorch is not installed")
need_tf = pytest.mark.skipif("tensorflow" not in FRAMEWORKS, reason="TensorFlow is not installed")


def shortened(u, limit):
    norm = np.sqrt((u**2).sum())
    return u if norm <= limit else u * limit / norm


VALVES = {
    "clip": (lambda u, limit: np.minimum(np.maximum(u, -limit), limit), (1.0,)),
    "clip_norm": (shortened, (1.0,)),
    "scale": (lambda u, factor: factor * u, (0.1,)),
    "reverse": (lambda u, strength: -strength * u, (2.0,)),
    "stop": (lambda u: 0 * u, ()),
}
LINEAR = ("scale", "reverse", "stop")


def upstreams(shape):
    """Small, large and zero ones, and those that lie on the limit."""
    rng = np.random.default_rng(9)
    on_the_box = np.ones(shape)
    on_the_ball = np.full(shape, on_the_box.size**-0.5)
    drawn = rng.normal(size=shape)
    return [drawn, 1e-3 * drawn, 1e6 * drawn, 0 * drawn, on_the_box, -on_the_ball]


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", VALVES)
@pytest.mark.parametrize("shape", [(), (5,), (2, 3)])
def test_the_value_is_the_input_and_the_gradient_what_the_valve_lets_through(
    framework, name, shape
):
    rule = rules(NOTEBOOK).dialects(name)[framework]
    valve, parameters = VALVES[name]
    x = np.random.default_rng(8).normal(size=shape)
    (value,), pullback = frameworks.get(framework).vjp(rule, x, *parameters)
    np.testing.assert_array_equal(value, x)
    for upstream in upstreams(shape):
        gradient = pullback(upstream)[0]
        assert gradient.shape == x.shape
        np.testing.assert_allclose(gradient, valve(upstream, *parameters), **CLOSE)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", VALVES)
def test_float32_stays_float32(framework, name):
    rule = rules(NOTEBOOK).dialects(name)[framework]
    x = np.array([1.0, -2.0], np.float32)
    (value,), pullback = frameworks.get(framework).vjp(rule, x, *VALVES[name][1])
    assert value.dtype == pullback(np.float32([3.0, 4.0]))[0].dtype == np.float32


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", VALVES)
def test_check_gradient_with_the_surrogate_and_without(framework, name):
    rule = rules(NOTEBOOK).dialects(name)[framework]
    valve, parameters = VALVES[name]
    x = np.array([-1.0, 0.5, 2.0])

    def surrogate(upstream, x, *parameters):
        return valve(upstream, *parameters)

    assert check_gradient(rule, x, *parameters, framework=framework, surrogate=surrogate).ok
    report = check_gradient(rule, x, *parameters, framework=framework)
    expected = {"scale": "wrong-scale", "reverse": "wrong-scale", "stop": "missing-gradient"}
    assert report.faults[0].code == expected.get(name, "nonlinear-upstream")


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", VALVES)
def test_only_clipping_bends_the_upstream(framework, name):
    rule = rules(NOTEBOOK).dialects(name)[framework]
    _, pullback = frameworks.get(framework).vjp(rule, np.zeros(3), *VALVES[name][1])
    u, v = np.array([0.9, -3.0, 0.1]), np.array([0.9, 5.0, 0.2])
    added = pullback(u)[0] + pullback(v)[0]
    assert np.allclose(added, pullback(u + v)[0]) == (name in LINEAR)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_norm_keeps_the_direction(framework):
    rule = rules(NOTEBOOK).dialects("clip_norm")[framework]
    _, pullback = frameworks.get(framework).vjp(rule, np.zeros((2, 2)), 5.0)
    np.testing.assert_allclose(
        pullback(np.array([[30.0, 0.0], [0.0, 40.0]]))[0], [[3, 0], [0, 4]], **CLOSE
    )


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_stop_is_tight_for_nan_and_scaling_by_zero_is_not(framework):
    adapter = frameworks.get(framework)
    found = rules(NOTEBOOK)
    broken = np.array([np.nan, 1.0])
    _, stopped = adapter.vjp(found.dialects("stop")[framework], np.zeros(2))
    _, scaled = adapter.vjp(found.dialects("scale")[framework], np.zeros(2), 0.0)
    np.testing.assert_array_equal(stopped(broken)[0], [0, 0])
    np.testing.assert_array_equal(scaled(broken)[0], [np.nan, 0])


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_second_derivative_passes_the_valve_twice(framework):
    """Reversal turns it round twice; the clipped cube is a straight line where it is clipped."""
    adapter = frameworks.get(framework)
    found = rules(NOTEBOOK)
    reverse = found.dialects("reverse")[framework]
    cubed = found.dialects("cubed")[framework]
    x, one = np.array([0.5, 2.0]), np.ones(2)
    (second,) = adapter.second_vjp(lambda x: reverse(x) ** 3, (x,), (one,), (one,))
    np.testing.assert_allclose(second, 6 * x, **CLOSE)
    (second, *_) = adapter.second_vjp(lambda x: cubed(x, 3.0), (x,), (one,), (one,))
    np.testing.assert_allclose(second, [3.0, 0.0], **CLOSE)


def test_the_cliff_with_and_without_the_valve():
    found = rules(NOTEBOOK)
    with np.errstate(all="ignore"):
        assert np.isnan(found.descend(found.recurrent, 1.6, 0.005, 5)[-1])
    path = found.descend(lambda w: found.recurrent(found.clip_tape(w, 10.0)), 1.6, 0.005, 40)
    assert path[-1] == pytest.approx(1, abs=1e-9)
    assert np.abs(np.diff(path)).max() <= 0.05 + 1e-12


@pytest.fixture
def adversary(monkeypatch):
    """Fit and judge the notebook's feature on photographs of any seed."""
    found = rules(NOTEBOOK)

    def told_and_right(valve, seed):
        rng = np.random.default_rng(seed)
        first, label_first = found.photographs(rng, 0)
        second, label_second = found.photographs(rng, 1)
        for name, value in {"first": first, "label_first": label_first, "second": second}.items():
            monkeypatch.setitem(found, name, value)
        weights, head, _ = found.fit(valve)
        told = found.probe(np.concatenate([first, second]) @ weights, found.camera)
        return told, found.accuracy(second, label_second, weights, head)

    return told_and_right


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_with_reversal_the_feature_does_not_tell_the_camera_without_it_does(adversary, seed):
    found = rules(NOTEBOOK)
    told_reversed, right_reversed = adversary(found.reverse_tape, seed)
    told_stopped, right_stopped = adversary(found.stop_tape, seed)
    told_straight, _ = adversary(lambda h: h, seed)
    assert told_reversed < 0.6 < 0.9 < min(told_stopped, told_straight)
    assert right_reversed > right_stopped + 0.2


@need_torch
def test_under_torch_func():
    from course_lib.frameworks import torch

    found = rules(NOTEBOOK)
    x = torch.tensor([-2.0, 0.5, 3.0], dtype=torch.float64)

    def loss(x):
        return (found.clip_torch(x, 1.0) ** 2).sum()

    np.testing.assert_allclose(torch.func.grad(loss)(x), [-1, 1, 1], **CLOSE)
    each = torch.func.vmap(torch.func.grad(lambda x: found.reverse_torch(x, 2.0) ** 2))(x)
    np.testing.assert_allclose(each, -4 * x, **CLOSE)
    jacobian = torch.func.jacrev(lambda x: found.scale_torch(x, 0.1))(x)
    np.testing.assert_allclose(jacobian, 0.1 * np.eye(3), **CLOSE)


@need_torch
def test_under_vmap_each_example_has_its_own_norm():
    from course_lib.frameworks import torch

    rule = rules(NOTEBOOK).clip_norm_torch
    u = torch.tensor([[100.0, 0.0], [0.3, 0.4]], dtype=torch.float64)
    slopes = torch.func.grad(lambda x, u: (rule(x, 1.0) * u).sum())
    together = slopes(torch.zeros_like(u), u)
    apart = torch.func.vmap(slopes)(torch.zeros_like(u), u)
    np.testing.assert_allclose(apart, [[1, 0], [0.3, 0.4]], **CLOSE)
    assert together.norm().item() == pytest.approx(1)


@need_torch
def test_the_value_shares_its_memory_with_the_input():
    from course_lib.frameworks import torch

    rule = rules(NOTEBOOK).clip_torch
    frozen = torch.tensor([-1.0, 2.0])
    torch.relu_(rule(frozen, 1.0))
    assert frozen.tolist() == [0, 2]
    with pytest.raises(RuntimeError, match="is a view and is being modified inplace"):
        torch.relu_(rule(frozen.requires_grad_(), 1.0))


@need_tf
@pytest.mark.parametrize("name", VALVES)
def test_in_a_tf_function_with_unknown_shapes(name):
    from course_lib.frameworks import tensorflow as tf

    rule = rules(NOTEBOOK).dialects(name)["tensorflow"]
    valve, parameters = VALVES[name]

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float64)] * 2)
    def gradient(x, u):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = rule(x, *parameters)
        return tape.gradient(y, x, output_gradients=u)

    u = np.array([[3.0, -0.2], [0.0, 1.0]])
    np.testing.assert_allclose(gradient(np.zeros((2, 2)), u), valve(u, *parameters), **CLOSE)
