"""Jumps are found where they are, and steep slopes are not taken for jumps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.figures import sample, slope


def curve_of(function, low=-3.0, high=3.0):
    return sample(lambda x: function(x)[None], low, high)[0]


@given(st.integers(-280, 280), st.floats(0.1, 50), st.booleans())
def test_a_jump_is_found_at_its_place_with_the_right_dot_closed(hundredths, height, closed_left):
    place = hundredths / 100
    after = np.greater if closed_left else np.greater_equal
    curve = curve_of(lambda x: np.sin(x) + height * after(x, place))
    assert [jump.at for jump in curve.jumps] == [pytest.approx(place, abs=1e-4)]
    below, above = np.sin(place), np.sin(place) + height
    own, other = (below, above) if closed_left else (above, below)
    assert curve.closed_dots == [(pytest.approx(place, abs=1e-4), pytest.approx(own, abs=1e-3))]
    assert curve.open_dots == [(pytest.approx(place, abs=1e-4), pytest.approx(other, abs=1e-3))]


@given(st.floats(1, 300))
def test_a_steep_slope_is_not_a_jump(steepness):
    assert curve_of(lambda x: np.tanh(steepness * x)).jumps == ()


def test_a_value_of_its_own_at_the_jump_stands_alone():
    curve = curve_of(lambda x: np.sign(x))
    assert curve.closed_dots == [(0.0, 0.0)]
    assert curve.open_dots == [(0.0, -1.0), (0.0, 1.0)]


def test_no_piece_crosses_a_jump():
    curve = curve_of(lambda x: np.floor(x))
    assert len(curve.jumps) == 6
    heights = [float(np.ptp(piece[:, 1])) for piece in curve.pieces]
    assert heights == [0.0] * len(heights)


def test_no_curve_outside_the_domain():
    with np.errstate(invalid="ignore", divide="ignore"):
        curve = curve_of(np.log)
    assert curve.jumps == ()
    assert len(curve.pieces) == 1
    assert curve.pieces[0][0, 0] > 0


def test_the_grid_is_evaluated_in_one_call_when_nothing_jumps():
    calls = []
    sample(lambda x: calls.append(len(x)) or np.array([np.sin(x), np.cos(x)]), -3, 3)
    assert calls == [241]


def test_many_jumps_still_take_four_calls():
    calls = []
    sample(lambda x: calls.append(len(x)) or np.floor(3 * x)[None], -3, 3)
    assert len(calls) == 4


@given(st.floats(-3, 3))
def test_slope_of_smooth_functions(x):
    assert slope(np.sin, np.array([x]))[0] == pytest.approx(np.cos(x), abs=1e-8)


def test_slope_in_single_precision_takes_a_longer_step():
    x = np.linspace(-2, 2, 9)
    found = slope(lambda x: np.sin(x.astype(np.float32)), x)
    np.testing.assert_allclose(found, np.cos(x), atol=2e-4)


def test_slope_at_a_kink_is_undefined():
    x = np.array([-1.0, 0.0, 1.0])
    np.testing.assert_array_equal(np.isnan(slope(np.abs, x)), [False, True, False])


@pytest.mark.parametrize("place", [0.0, 0.37, 0.4])
@pytest.mark.parametrize("power", [1, 2, 3])
def test_at_a_pole_the_curve_is_infinite_and_not_a_jump(place, power):
    with np.errstate(divide="ignore"):
        curve = curve_of(lambda x: 1 / (x - place) ** power)
    assert curve.jumps == ()
    assert np.isinf(curve.y[np.abs(curve.x - place) < 1e-3]).any()
    before, after = curve.pieces
    assert before[-1, 0] < place < after[0, 0]


def test_a_pole_of_one_curve_leaves_the_others_whole():
    _, straight = sample(lambda x: np.array([1 / (x - 0.3712), 2 * x]), -3, 3)
    np.testing.assert_allclose(straight.y, 2 * straight.x, atol=1e-12)


def test_a_thin_peak_is_neither_a_jump_nor_a_pole():
    curve = curve_of(lambda x: -2e4 * (x - 0.3) * np.exp(-1e4 * (x - 0.3) ** 2))
    assert curve.jumps == () and np.isfinite(curve.y).all()


def test_jumps_as_many_as_the_eye_can_see_are_all_found():
    curve = curve_of(lambda x: np.floor(20 * x))
    assert max(float(np.ptp(piece[:, 1])) for piece in curve.pieces) == 0.0


def test_rounding_is_not_a_jump():
    noise = np.random.default_rng(0).normal(size=241)
    assert sample(lambda x: (12 + 1e-10 * noise[: len(x)])[None], -3, 3)[0].jumps == ()


@pytest.mark.parametrize("function", [np.sign, np.floor, np.cbrt, lambda x: np.sqrt(np.abs(x))])
def test_slope_at_a_jump_or_an_upright_tangent_is_undefined(function):
    assert np.isnan(slope(function, np.array([0.0]))).all()


@pytest.mark.parametrize("size", [1e-200, 1e-6, 1.0, 1e200])
def test_slope_of_functions_of_any_size(size):
    x = np.array([-1.0, 0.0, 0.5])
    np.testing.assert_allclose(slope(lambda x: size * np.sin(x), x), size * np.cos(x), rtol=1e-8)
    np.testing.assert_allclose(slope(lambda x: size * x**3, x)[1] / size, 0.0, atol=1e-8)
    assert np.isnan(slope(lambda x: size * np.abs(x), x)[1])


@given(st.floats(-1e6, 1e6))
def test_slope_far_from_zero_looks_as_closely(x):
    assert slope(np.sin, np.array([x]))[0] == pytest.approx(np.cos(x), abs=1e-6)


def test_slope_close_to_a_pole():
    x = np.pi / 2 - np.array([1e-2, 1e-3])
    np.testing.assert_allclose(slope(np.tan, x), 1 / np.cos(x) ** 2, rtol=1e-5)
