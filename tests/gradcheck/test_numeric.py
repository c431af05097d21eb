"""The numeric truth by itself, against derivatives known from analysis."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.gradcheck.numeric import EVERY_ENTRY, Jacobian, Truth, along

RNG = np.random.default_rng(1)


def measured(f, *xs, index=0):
    with np.errstate(all="ignore"):
        return Jacobian(
            lambda inputs: [np.asarray(f(*inputs))], xs, index, np.random.default_rng(0)
        )


def gradient(f, *xs, index=0):
    jacobian = measured(f, *xs, index=index)
    return jacobian.pull([np.ones(np.shape(f(*xs)))], 1e-9)


SMOOTH = [
    (np.sin, np.cos, RNG.normal(size=300), 1e-10),
    (np.exp, np.exp, np.array([100.0, 1.0, -50.0]), 1e-7),
    (np.log, lambda x: 1 / x, np.array([1e-8, 1.0, 1e8]), 1e-9),
    (np.cos, lambda x: -np.sin(x), np.array([1e-8, 2e-8]), 1e-6),
    (np.tanh, lambda x: 1 / np.cosh(x) ** 2, np.array([8.0, 1.0, 0.0]), 1e-7),
    (lambda x: np.sin(1000 * x), lambda x: 1000 * np.cos(1000 * x), RNG.normal(size=20), 1e-6),
    (lambda x: 1 / x, lambda x: -1 / x**2, np.array([1e-8, 1.0, 1e8]), 1e-9),
    (lambda x: x**3, lambda x: 3 * x**2, np.array([0.0, 2.0]), 1e-9),
]


@pytest.mark.parametrize(("f", "slope", "x", "relative"), SMOOTH)
def test_smooth_functions(f, slope, x, relative):
    truth = gradient(f, x)
    scale = np.abs(slope(x)) + 1e-9
    assert (np.abs(truth.value - slope(x)) <= relative * scale).all()
    assert (np.abs(truth.value - slope(x)) <= truth.tolerance).all(), "the error is not understated"
    assert truth.known.all() and not truth.kinked.any()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e3, 1e3).map(lambda v: round(v, 6)), min_size=1, max_size=6),
    st.lists(st.floats(-3, 3).map(lambda v: round(v, 6)), min_size=4, max_size=4),
)
def test_polynomials(x, c):
    x = np.array(x)
    truth = gradient(lambda x: c[0] + c[1] * x + c[2] * x**2 + c[3] * x**3, x)
    right = c[1] + 2 * c[2] * x + 3 * c[3] * x**2
    assert not (truth.known & truth.rejects(right + 0 * x)).any()


def test_elementwise_functions_are_measured_at_once():
    calls = []

    def counted(x):
        calls.append(1)
        return np.sin(x)

    truth = gradient(counted, RNG.normal(size=100_000))
    assert truth.known.all() and len(calls) < 80


def test_a_single_coupling_is_enough_not_to_be_elementwise():
    def coupled(x):
        y = x.copy()
        y[3] += 1e-3 * x[100]
        return y

    jacobian = measured(coupled, RNG.normal(size=300))
    assert not jacobian.elementwise
    assert gradient(coupled, np.ones(300)).value[100] == pytest.approx(1.001)


def test_kinks_have_bounds():
    truth = gradient(np.abs, np.array([0.0, 2.0, -1e-9]))
    np.testing.assert_allclose(truth.low, [-1, 1, -1], rtol=1e-6)
    np.testing.assert_allclose(truth.high, [1, 1, -1], rtol=1e-6)
    assert not truth.rejects(np.array([0.3, 1.0, -1.0])).any()
    assert truth.rejects(np.array([1.1, 1.01, -0.9])).all()


def test_a_jump_bounds_one_side_only():
    truth = gradient(lambda x: np.where(x > 0, 1.0, 0.0), np.array([0.0, 1.0]))
    assert truth.low[0] == 0 and truth.high[0] == np.inf
    assert not truth.rejects(np.array([0.0, 0.0])).any()


def test_the_edge_of_the_domain():
    truth = gradient(lambda x: x**1.5, np.array([0.0, 1.0]))
    assert truth.value[1] == pytest.approx(1.5)
    assert not truth.rejects(np.array([0.0, 1.5])).any()
    assert truth.rejects(np.array([0.5, 1.5]))[0]


def test_an_infinite_slope_is_not_known():
    assert not gradient(np.cbrt, np.array([0.0, 1.0])).known[0]
    assert gradient(np.cbrt, np.array([0.0, 1.0])).known[1]


def test_cancellation_is_confessed_or_overcome():
    truth = gradient(lambda x: 1e12 + x, np.array([1.0, 2.0]))
    assert not truth.rejects(np.ones(2)).any()
    assert truth.tolerance.max() < 0.05


def test_a_complex_step_where_the_function_allows_it():
    def hidden(x):  # a slope of one under a mountain, which differences cannot see
        return 1e20 * np.ones_like(x) + np.sin(x)

    calls = []

    def watched(x):
        calls.append(np.iscomplexobj(x))
        return hidden(x)

    measured(watched, np.array([0.3]))
    assert any(calls)


def test_large_inputs_are_sampled():
    x = RNG.normal(size=EVERY_ENTRY + 500)
    jacobian = measured(lambda x: np.sum(x**2), x)
    truth = jacobian.pull([np.array(1.0)], 1e-6)
    assert jacobian.sampled and truth.known.sum() == EVERY_ENTRY
    np.testing.assert_allclose(truth.value[truth.known], 2 * x[truth.known], rtol=1e-6)


def test_along_a_direction_through_several_inputs():
    x, y = np.array([1.0, 2.0]), np.array([3.0, -1.0])
    with np.errstate(all="ignore"):
        slope = along(lambda a: [a[0] * a[1]], [x, y], [y, x], np.random.default_rng(0))
    truth = slope.pull([np.ones(2)], 1e-9)
    assert truth.value[0] == pytest.approx(np.sum(y * y + x * x))


def test_an_exact_truth():
    truth = Truth.exactly(np.array([1.0, np.nan]), 1e-6)
    assert list(truth.known) == [True, False]
    assert list(truth.rejects(np.array([1.1, 5.0]))) == [True, False]
