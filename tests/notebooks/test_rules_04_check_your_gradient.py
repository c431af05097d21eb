"""What notebook 04 claims: its own small checkers, and what the frameworks' checkers miss."""

import numpy as np
import pytest
from rules import rules

from course_lib import frameworks
from course_lib.gradcheck import check_gradient
from course_lib.tape import vjp

NOTEBOOK = rules("04_check_your_gradient")
FRAMEWORKS = frameworks.available()
need_torch = pytest.mark.skipif("torch" not in FRAMEWORKS, reason="PyTorch is not installed")
need_tf = pytest.mark.skipif("tensorflow" not in FRAMEWORKS, reason="TensorFlow is not installed")
FEW, MANY = np.linspace(-1, 1, 5), np.linspace(-1, 1, 300)


def relative_error(slope):
    return abs(slope / np.e - 1)


@pytest.mark.parametrize(
    ("step", "forward_below", "central_below"),
    [(1e-1, 1e-1, 1e-2), (1e-3, 1e-3, 1e-6), (1e-5, 1e-5, 1e-9), (1e-8, 1e-7, 1e-7)],
)
def test_differences_are_as_good_as_the_table_says(step, forward_below, central_below):
    assert relative_error(NOTEBOOK.forward_difference(np.exp, 1.0, step)) < forward_below
    assert relative_error(NOTEBOOK.central_difference(np.exp, 1.0, step)) < central_below


def test_a_tiny_step_leaves_about_three_digits():
    assert 1e-5 < relative_error(NOTEBOOK.central_difference(np.exp, 1.0, 1e-13)) < 5e-3


def test_the_complex_step_is_exact_where_it_may_be_used():
    assert relative_error(NOTEBOOK.complex_step(np.exp, 1.0)) < 5e-16
    assert NOTEBOOK.complex_step(np.abs, 3.0) == 0


def test_float32_needs_a_larger_step():
    one = np.float32(1)
    good, tiny = (
        relative_error(NOTEBOOK.central_difference(np.exp, one, np.float32(h)))
        for h in (5e-3, 1e-7)
    )
    assert good < 1e-4 and tiny > 1e-2


def test_both_fits_go_down_and_only_one_finds_the_minimum():
    rng = np.random.default_rng(0)
    x = rng.uniform(-0.3, 1.7, size=40)
    y = np.tanh(1.5 * (x + 0.3))
    right, wrong = (fit(NOTEBOOK[name], x, y) for name in ("tanh_right", "tanh_wrong"))
    assert right[-1] < right[50] < right[10] < 0.13 * right[0]
    assert wrong[-1] < wrong[50] < wrong[10] < 0.13 * wrong[0]
    best = min(np.mean((np.tanh(w * x) - y) ** 2) for w in np.linspace(0, 5, 5001))
    assert right[-1] == pytest.approx(best, rel=1e-5)
    assert wrong[-1] == pytest.approx(1.08 * best, rel=0.01)


def fit(tanh, x, y):
    w, losses = np.array(0.2), []
    for _ in range(200):
        loss, pullback = vjp(lambda w: np.mean((tanh(w * x) - y) ** 2), w)
        losses.append(float(loss))
        w = w - pullback()[0]
    return losses


def test_the_numeric_jacobian_is_the_jacobian():
    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(
        NOTEBOOK.numeric_jacobian(np.cumsum, x), np.tri(3), rtol=0, atol=1e-9
    )
    np.testing.assert_allclose(
        NOTEBOOK.numeric_jacobian(np.sin, x), np.diag(np.cos(x)), rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_dot_product_test_tells_right_from_wrong(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=50)
    left, right = NOTEBOOK.dot_product_test(NOTEBOOK.tanh_right, np.tanh, x, rng)
    assert right == pytest.approx(left, rel=1e-7, abs=1e-7)
    left, right = NOTEBOOK.dot_product_test(NOTEBOOK.tanh_wrong, np.tanh, x, rng)
    assert abs(left - right) > 1e-3


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("tanh_wrong", "wrong-values"),
        ("cumsum_wrong", "not-elementwise"),
        ("sine_almost", "wrong-values"),
        ("forgetful", "stale-state"),
    ],
)
def test_check_gradient_names_the_broken_rules(name, code):
    x = MANY if name == "sine_almost" else np.array([0.3, -1.2, 2.0])
    assert [fault.code for fault in check_gradient(NOTEBOOK[name], x).faults] == [code]


def test_check_gradient_passes_the_right_ones():
    assert check_gradient(NOTEBOOK.tanh_right, np.array([0.3, -1.2, 2.0]))


@pytest.mark.parametrize(("at_zero", "ok"), [(0, True), (1, True), (0.3, True), (-0.5, False)])
def test_any_value_between_the_slopes_will_do_at_a_kink(at_zero, ok):
    report = check_gradient(NOTEBOOK.relu_with(at_zero), np.array([-1.0, 0.0, 1.0]))
    assert report.ok is ok
    assert ok or report.faults[0].code == "wrong-at-kink"


@need_torch
def test_gradcheck_passes_a_tenth_of_a_per_cent_and_check_gradient_does_not():
    sine_times, passes = NOTEBOOK.sine_times, NOTEBOOK.passes
    assert passes(sine_times(1), FEW) and passes(sine_times(1.0009), FEW)
    assert not passes(sine_times(1.0009), FEW, rtol=1e-6)
    assert not passes(sine_times(1.005), FEW)
    report = check_gradient(sine_times(1.0009), FEW, framework="torch")
    assert report.faults[0].code == "wrong-scale"


@need_torch
def test_fast_mode_misses_one_wrong_entry_of_300():
    from course_lib.frameworks import torch

    factor = torch.ones(300, dtype=torch.float64)
    factor[150] = 1.1
    rule = NOTEBOOK.sine_times(factor)
    for seed in range(20):
        torch.manual_seed(seed)
        assert NOTEBOOK.passes(rule, MANY, fast_mode=True)
    assert not NOTEBOOK.passes(rule, MANY)
    assert check_gradient(rule, MANY, framework="torch").faults[0].index == (150,)


@need_torch
def test_gradcheck_does_see_an_ignored_upstream():
    from course_lib.frameworks import torch

    class Ignores(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return torch.sin(x)

        @staticmethod
        def backward(ctx, upstream):
            return torch.cos(ctx.saved_tensors[0])

    assert not NOTEBOOK.passes(Ignores.apply, FEW)


@need_torch
def test_gradcheck_rejects_relu_at_its_kink():
    from course_lib.frameworks import torch

    assert not NOTEBOOK.passes(torch.relu, np.array([-1.0, 0.0, 1.0]))
    assert NOTEBOOK.passes(torch.relu, np.array([-1.0, 0.5, 1.0]))


@need_tf
def test_compute_gradient_misses_an_ignored_upstream_on_a_scalar():
    from course_lib.frameworks import tensorflow as tf

    def largest_difference(rule):
        (theoretical,), (numerical,) = tf.test.compute_gradient(rule, [tf.constant(FEW)])
        return np.abs(theoretical - numerical).max()

    energy = NOTEBOOK.energy_tf
    assert largest_difference(energy) < 1e-5
    assert largest_difference(lambda x: 3 * energy(x)) > 0.1
    faults = check_gradient(energy, FEW, framework="tensorflow").faults
    assert [fault.code for fault in faults] == ["upstream-ignored"]
